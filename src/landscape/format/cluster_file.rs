//! clusters/NAME/cluster.yaml.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::landscape_file::{ApiVersion, LimitsFile, SecretSourceEntry};
use super::shared::{DnsLabel, Free, LabelValue};

/// clusters/NAME/cluster.yaml: one cluster.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(title = "landskap: cluster.yaml")]
pub(in crate::landscape) struct ClusterFile {
    /// The version of this format.
    #[expect(dead_code, reason = "there is one version; the schema checks it")]
    pub api_version: ApiVersion,
    /// Always `Cluster`.
    #[expect(dead_code, reason = "the schema checks it")]
    pub kind: ClusterKind,
    /// The cluster's name, that of its folder.
    pub name: DnsLabel,
    /// Picks the `environments` of components; a label too.
    pub environment: Option<LabelValue>,
    /// Labels for selectors. `name` and `environment` are labels by themselves.
    #[serde(default)]
    pub labels: BTreeMap<String, LabelValue>,
    /// How the cluster is reached: `context`, `kubeconfig` (with `context` if need be) or `inCluster`.
    pub connection: Option<ConnectionFields>,
    /// What to render for when no server is asked, for example `"1.34"`.
    pub kubernetes_version: Option<String>,
    /// Seen by components as `cluster.values`.
    #[expect(dead_code, reason = "read from the node, which keeps places")]
    pub values: Option<Free>,
    /// Contracts that something outside the cluster meets: name to values, with `secrets` as in components.
    #[expect(dead_code, reason = "read from the node, which keeps places and tags")]
    pub provides: Option<BTreeMap<String, Option<Free>>>,
    /// Where this cluster's secrets are found, instead of landscape.yaml's `secretSources`.
    pub secret_sources: Option<Vec<SecretSourceEntry>>,
    /// Removals in this cluster that need no word.
    pub limits: Option<LimitsFile>,
}

/// `Cluster`.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
pub(in crate::landscape) enum ClusterKind {
    /// The only one.
    Cluster,
}

/// How a cluster is reached.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::landscape) struct ConnectionFields {
    /// A context of the kubeconfig.
    pub context: Option<String>,
    /// A kubeconfig file, absolute or relative to the landscape.
    pub kubeconfig: Option<String>,
    /// Whether to use the service account of the pod.
    #[serde(default)]
    pub in_cluster: bool,
}
