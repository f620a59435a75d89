//! A component file: a shared component, a component of one cluster, or a cluster's refinement of a shared one.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value as Json;

use super::shared::{DnsLabel, Free, LabelSelector, WaitFields};

/// A component: one tool installed in clusters. A file of the same name in a cluster's folder refines it there.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(deny_unknown_fields, title = "landskap: component")]
pub(in crate::landscape) struct ComponentFile {
    /// The component's name, that of the file.
    pub name: DnsLabel,
    /// Where a shared component is installed. `{}`: everywhere; absent: where a cluster says `installed: true`.
    pub cluster_selector: Option<LabelSelector>,
    /// Values, picked by the cluster's `environment`, above `configuration`.
    #[expect(dead_code, reason = "read from the node, which keeps places and tags")]
    pub environments: Option<BTreeMap<String, Option<Free>>>,
    /// Fields for some clusters only, in order, above `environments`.
    #[serde(default)]
    pub overrides: Vec<Override>,
    /// Everything that overrides may set too.
    #[serde(flatten)]
    pub fields: Fields,
}

/// Fields for the clusters that a selector matches.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(deny_unknown_fields)]
pub(in crate::landscape) struct Override {
    /// Which clusters.
    pub cluster_selector: LabelSelector,
    /// What is set there.
    #[serde(flatten)]
    pub fields: Fields,
}

/// The fields that a component, its refinements and its overrides have in common; all optional until merged.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::landscape) struct Fields {
    /// `true` installs the component where its selector does not match; `false` keeps it out, and is a removal
    /// that is always meant.
    pub installed: Option<bool>,
    /// The namespace; made when missing, never pruned by default.
    pub namespace: Option<DnsLabel>,
    /// The chart.
    pub release: Option<ReleaseFields>,
    /// Instead of `release`: plain objects, files or folders beside this file. `*.tera` is rendered.
    pub manifests: Option<Vec<String>>,
    /// The chart's values.
    #[expect(dead_code, reason = "merged as nodes, which keep places and tags")]
    pub configuration: Option<Free>,
    /// JSON Patch or merge patch for rendered objects.
    pub patches: Option<Vec<PatchFields>>,
    /// Keys of the component's own Secret: a list of lookup names, or a map from key to lookup name.
    #[expect(dead_code, reason = "merged as nodes, lists made maps")]
    pub secrets: Option<SecretsFields>,
    /// The name of the component's own Secret, by default that of the release.
    pub secret_name: Option<DnsLabel>,
    /// Offered contracts: name to values; `secrets` in it maps keys to lookup names. `null` withdraws one.
    #[expect(dead_code, reason = "merged as nodes, which keep places and tags")]
    pub provides: Option<BTreeMap<String, Option<Free>>>,
    /// Needed contracts: a list of names, or a map from name to how.
    #[expect(dead_code, reason = "merged as nodes, lists made maps")]
    pub requires: Option<RequiresFields>,
    /// Components that must be healthy first, where no contract says so.
    #[expect(dead_code, reason = "merged as a node, which keeps places")]
    pub depends_on: Option<Vec<String>>,
    /// Health wait.
    pub wait: Option<WaitFields>,
    /// A pause.
    pub suspend: Option<SuspendFields>,
    /// Names that the component had; their objects are handed over.
    pub formerly: Option<Vec<DnsLabel>>,
    /// Whether existing objects may be taken.
    pub adopt: Option<AdoptFile>,
    /// Fields that others may change.
    pub ignore_differences: Option<Vec<IgnoreFields>>,
    /// CEL health rules for kinds.
    pub health: Option<Vec<HealthFields>>,
    /// `skip` leaves the chart's `crds/` to another component.
    pub crds: Option<CrdsFile>,
}

/// The chart.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::landscape) struct ReleaseFields {
    /// A path in the landscape, or `repo/name`, `oci://host/name`, `https://…/x.tgz`, `git+https://…//path?ref=…`.
    pub chart: Option<String>,
    /// Exact, or a constraint; of a chart in the landscape it must equal Chart.yaml's.
    pub version: Option<String>,
    /// `.Release.Name`, by default the component's name.
    pub name: Option<DnsLabel>,
}

/// A patch for rendered objects.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::landscape) struct PatchFields {
    /// What it hits; it must hit something.
    pub target: TargetFields,
    /// A list of JSON Patch operations (RFC 6902), or a map as merge patch (RFC 7386).
    #[expect(dead_code, reason = "kept as a node, which keeps places and tags")]
    pub patch: PatchBody,
}

/// What is hit. Absent fields match anything.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("minProperties" = 1))]
pub(in crate::landscape) struct TargetFields {
    /// API group.
    pub group: Option<String>,
    /// Kind.
    pub kind: Option<String>,
    /// Name.
    pub name: Option<String>,
    /// Namespace.
    pub namespace: Option<String>,
}

/// JSON Patch or merge patch.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only the schema is used")]
pub(in crate::landscape) enum PatchBody {
    /// JSON Patch.
    Operations(Vec<Operation>),
    /// Merge patch.
    Merge(Free),
}

/// One operation of a JSON Patch.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only the schema is used")]
pub(in crate::landscape) struct Operation {
    /// What is done.
    pub op: OperationKind,
    /// Where.
    pub path: Pointer,
    /// With what.
    #[serde(default)]
    pub value: Json,
    /// From where, for `move` and `copy`.
    pub from: Option<Pointer>,
}

/// What a JSON Patch operation does.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::landscape) enum OperationKind {
    Add,
    Remove,
    Replace,
    Move,
    Copy,
    Test,
}

/// A JSON pointer (RFC 6901).
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(title = "a JSON pointer such as `/spec/replicas`", extend("pattern" = "^(/([^~]|~[01])*)?$"))]
pub(in crate::landscape) struct Pointer(pub String);

/// A list of lookup names, or a map from key to lookup name.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only the schema is used")]
pub(in crate::landscape) enum SecretsFields {
    /// Keys that are their own lookup names.
    Names(Vec<SecretKey>),
    /// Key to lookup name; `null` withdraws one.
    Keys(BTreeMap<String, Option<String>>),
}

/// A key of a Secret's data.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(title = "a key of a Secret: letters, digits, `-`, `_` and `.`", extend("pattern" = "^[-._a-zA-Z0-9]{1,253}$"))]
#[expect(dead_code, reason = "only the schema is used")]
pub(in crate::landscape) struct SecretKey(String);

/// A list of contract names, or a map from name to how.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only the schema is used")]
pub(in crate::landscape) enum RequiresFields {
    /// Exactly one provider each.
    Names(Vec<String>),
    /// Name to how; `null` withdraws one.
    Map(BTreeMap<String, Option<RequireFields>>),
}

/// How a contract is needed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::landscape) struct RequireFields {
    /// One or more providers: the values are a list sorted by provider.
    #[serde(default)]
    pub many: bool,
    /// It may be missing.
    #[serde(default)]
    pub optional: bool,
    /// `false`: the values without waiting for the provider.
    pub order: Option<bool>,
    /// Which provider.
    pub from: Option<String>,
}

/// A pause: the component is planned and shown, and not written.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::landscape) struct SuspendFields {
    /// Why.
    pub reason: String,
    /// The last day of the pause.
    pub until: Option<Date>,
}

/// A day.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(
    title = "a date such as `2027-01-31`",
    extend("pattern" = "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$")
)]
pub(in crate::landscape) struct Date(pub String);

/// Whether existing objects may be taken.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::landscape) enum AdoptFile {
    /// Never.
    None,
    /// Those that carry no other tool's marks.
    Unowned,
}

/// Who installs the chart's `crds/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::landscape) enum CrdsFile {
    /// This component.
    Install,
    /// Another component.
    Skip,
}

/// Fields that others may change.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::landscape) struct IgnoreFields {
    /// API group.
    pub group: Option<String>,
    /// Kind.
    pub kind: Option<String>,
    /// Name.
    pub name: Option<String>,
    /// Namespace.
    pub namespace: Option<String>,
    /// Which fields.
    pub paths: Vec<Pointer>,
}

/// A health rule in CEL, with the object's fields as variables.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::landscape) struct HealthFields {
    /// The kind's `apiVersion`.
    pub api_version: String,
    /// The kind.
    pub kind: String,
    /// True while it is on its way.
    pub in_progress: Option<String>,
    /// True when it has failed.
    pub failed: Option<String>,
    /// True when it is done.
    pub current: String,
}
