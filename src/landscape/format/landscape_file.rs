//! landscape.yaml.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::component_file::{AdoptFile, HealthFields, IgnoreFields};
use super::shared::{DnsLabel, Free, LabelValue, WaitFields};

/// landscape.yaml: the name of the landscape and what holds for all of its clusters.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(title = "landskap: landscape.yaml")]
pub(in crate::landscape) struct LandscapeFile {
    /// The version of this format.
    #[expect(dead_code, reason = "there is one version; the schema checks it")]
    pub api_version: ApiVersion,
    /// Always `Landscape`.
    #[expect(dead_code, reason = "the schema checks it")]
    pub kind: LandscapeKind,
    /// The name of the landscape, part of the identity of everything that it owns.
    pub name: DnsLabel,
    /// Chart repositories, by the name that chart references use.
    #[serde(default)]
    pub repositories: BTreeMap<String, Repository>,
    /// The lowest layer of every cluster's `values`.
    #[expect(dead_code, reason = "read from the node, which keeps places")]
    pub values: Option<Free>,
    /// A vocabulary: the values that these labels may have, in clusters and in selectors.
    #[serde(default)]
    pub labels: BTreeMap<String, Vec<LabelValue>>,
    /// What components get unless they say otherwise.
    #[expect(dead_code, reason = "merged as a node, which keeps places")]
    pub defaults: Option<Defaults>,
    /// Labels and annotations of namespaces that are made for components.
    #[serde(default)]
    pub namespaces: BTreeMap<String, NamespaceFields>,
    /// Where secrets are found, the first that has one wins. `{cluster}` stands for the cluster's name.
    pub secret_sources: Option<Vec<SecretSourceEntry>>,
    /// Removals that need no word.
    pub limits: Option<LimitsFile>,
}

/// The version of the format.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
pub(in crate::landscape) enum ApiVersion {
    /// The first.
    #[serde(rename = "landskap.io/v1alpha1")]
    V1Alpha1,
}

/// `Landscape`.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
pub(in crate::landscape) enum LandscapeKind {
    /// The only one.
    Landscape,
}

/// A chart repository.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::landscape) struct Repository {
    /// Where its index.yaml is, without the file's name.
    pub url: String,
}

/// What components get unless they say otherwise.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "only the schema of this type is used: defaults are merged as nodes")]
pub(in crate::landscape) struct Defaults {
    /// Health wait.
    pub wait: Option<WaitFields>,
    /// Whether existing objects may be taken.
    pub adopt: Option<AdoptFile>,
    /// Fields that others may change; components add to these.
    pub ignore_differences: Option<Vec<IgnoreFields>>,
    /// Health rules; components add to these.
    pub health: Option<Vec<HealthFields>>,
}

/// Labels and annotations of a namespace.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::landscape) struct NamespaceFields {
    /// Labels.
    #[serde(default)]
    pub labels: BTreeMap<String, LabelValue>,
    /// Annotations.
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
}

/// One place where secrets are found: exactly one of `env`, `files`, `secret`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("minProperties" = 1))]
pub(in crate::landscape) struct SecretSourceEntry {
    /// Environment variables: the lookup name in upper case, `-` as `_`, behind the prefix.
    pub env: Option<EnvSource>,
    /// A directory with one file per secret, named like the lookup name.
    pub files: Option<String>,
    /// A Secret in the cluster, with one key per lookup name.
    pub secret: Option<SecretRef>,
    /// Whether it may give one value to several clusters.
    #[serde(default)]
    pub shared: bool,
}

/// Environment variables.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::landscape) struct EnvSource {
    /// Put before each variable's name. `{cluster}` becomes the cluster's name in upper case, `-` as `_`.
    #[serde(default)]
    pub prefix: String,
}

/// A Secret in the cluster.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::landscape) struct SecretRef {
    /// Its namespace.
    pub namespace: DnsLabel,
    /// Its name.
    pub name: String,
}

/// Removals that need no word.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::landscape) struct LimitsFile {
    /// How many components may leave a cluster in one run.
    pub components: Option<u32>,
    /// Which share of a component's objects may be removed while the component stays.
    pub objects: Option<ObjectShare>,
}

/// A share: `30%`, or a fraction such as `0.3`.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(try_from = "serde_json::Value")]
#[schemars(
    with = "serde_json::Value",
    title = "a share: `30%`, or a fraction such as `0.3`",
    extend(
        "type" = ["string", "number"],
        "pattern" = "^([0-9]{1,2}(\\.[0-9]+)?|100)%$",
        "minimum" = 0,
        "maximum" = 1
    )
)]
pub(in crate::landscape) struct ObjectShare(pub f64);

impl TryFrom<serde_json::Value> for ObjectShare {
    type Error = String;

    fn try_from(value: serde_json::Value) -> Result<Self, String> {
        let percent = |s: &str| s.strip_suffix('%')?.parse::<f64>().ok();
        match &value {
            serde_json::Value::String(s) => percent(s).map(|p| Self(p / 100.0)),
            other => other.as_f64().map(Self),
        }
        .ok_or_else(|| format!("`{value}` is not a share"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_percentages_or_fractions() {
        for (json, share) in
            [(serde_json::json!("30%"), 0.3), (serde_json::json!(0.25), 0.25), (serde_json::json!(1), 1.0)]
        {
            assert_eq!(ObjectShare::try_from(json), Ok(ObjectShare(share)));
        }
    }
}
