//! What a landscape says, once everything is merged, checked and in order: plain data for the later stages.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value as Json;

use crate::diagnostic::Span;
use crate::object::{Expression, KubernetesVersion};
use crate::yaml::Node;

/// A whole landscape.
#[derive(Debug, Clone)]
pub struct Landscape {
    /// `name` of landscape.yaml.
    pub name: String,
    /// Chart repositories: name to URL.
    pub repositories: BTreeMap<String, String>,
    /// Every cluster, by name.
    pub clusters: Vec<Cluster>,
}

/// One cluster and what is installed in it.
#[derive(Debug, Clone)]
pub struct Cluster {
    /// Its name, a DNS label.
    pub name: String,
    /// `environment`, also a label.
    pub environment: Option<String>,
    /// Labels, with `name` and `environment`.
    pub labels: BTreeMap<String, String>,
    /// How to reach it.
    pub connection: Connection,
    /// What to render for when no server is asked.
    pub kubernetes_version: Option<KubernetesVersion>,
    /// `cluster.values`: landscape values under the cluster's own.
    pub values: Json,
    /// Where secrets are found, in order.
    pub secret_sources: Vec<SecretSource>,
    /// Removals that need no word.
    pub limits: Limits,
    /// Labels and annotations of namespaces that are made for components.
    pub namespaces: BTreeMap<String, NamespaceMetadata>,
    /// What is installed, in contract order (providers first), names breaking ties.
    pub components: Vec<Component>,
    /// Why a component of the landscape is not in this cluster, by name.
    pub absent: BTreeMap<String, Absence>,
    /// Components whose files have errors, by name: whether they belong here or not, nothing of theirs may be
    /// written or removed.
    pub broken: BTreeMap<String, Span>,
    /// cluster.yaml.
    pub span: Span,
}

/// How a cluster is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Connection {
    /// Nothing said: the command line or the current context decides.
    Unspecified,
    /// A context of the user's kubeconfig.
    Context(String),
    /// A kubeconfig file (absolute, or relative to the landscape), with an optional context of it.
    Kubeconfig {
        /// The file.
        path: String,
        /// A context other than its current one.
        context: Option<String>,
    },
    /// The service account of the pod.
    InCluster,
}

/// Labels and annotations for a namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NamespaceMetadata {
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Annotations.
    pub annotations: BTreeMap<String, String>,
}

/// Removals that need no word.
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// How many components may leave a cluster in one run. Default 1.
    pub components: u32,
    /// What share of the objects of a component that stays may be removed, 0.0 to 1.0. Default 0.3.
    pub objects: f64,
}

/// Where secrets are found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// Environment variables: prefix (already without `{cluster}`), then the name in upper case, `-` as `_`.
    Env {
        /// Put before the variable's name.
        prefix: String,
    },
    /// One file per secret in a directory (absolute, or relative to the landscape).
    Files {
        /// The directory.
        directory: String,
    },
    /// The keys of one Secret in the cluster.
    Secret {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
}

/// Why a component is not in a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Absence {
    /// Its `clusterSelector` does not match (or it has none).
    Selector(Option<Span>),
    /// Somebody wrote `installed: false`: a removal that is always meant.
    NotInstalled(Span),
}

/// One component in one cluster, fully merged.
#[derive(Debug, Clone)]
pub struct Component {
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// `.Release.Name`.
    pub release_name: String,
    /// What it is rendered from.
    pub source: ComponentSource,
    /// The merged configuration with computed values, each leaf with the place that set it. `null` leaves
    /// are markers that remove a key of the chart's values. A `!secret NAME` leaf keeps its tag, its value is
    /// the lookup name as a string; `render` turns it into a hole.
    pub values: Node,
    /// For every leaf path of `values` (dotted, `explain`'s form) the places that set it before, the winner
    /// last. Places within the chart are not in it.
    pub layers: BTreeMap<String, Vec<LayerEntry>>,
    /// After rendering.
    pub patches: Vec<Patch>,
    /// `data` key to lookup name, of the component's own Secret; includes what contracts add.
    pub secrets: BTreeMap<String, SecretUse>,
    /// The name of that Secret; charts see it as `secretsRef` when `secrets` is not empty.
    pub secret_name: String,
    /// Offered contracts with computed values.
    pub provides: BTreeMap<String, Provided>,
    /// Needed contracts as resolved.
    pub requires: BTreeMap<String, Required>,
    /// Components of this cluster that must be healthy first, by name: contracts and `dependsOn`.
    pub after: BTreeSet<String>,
    /// Health wait.
    pub wait: Wait,
    /// Set when paused.
    pub suspend: Option<Suspend>,
    /// Names it had.
    pub formerly: Vec<String>,
    /// Whether existing unowned objects may be taken.
    pub adopt: Adopt,
    /// Fields that others may change.
    pub ignore_differences: Vec<IgnoreDifference>,
    /// Health rules, lowest layer first: of several for one kind the last holds.
    pub health: Vec<HealthRule>,
    /// Whether the chart's `crds/` are left to another component.
    pub skip_crds: bool,
    /// The file that installs it here: the shared file or the cluster's own.
    pub span: Span,
    /// Every file that says something about it here.
    pub files: Vec<Span>,
}

/// What a component is rendered from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ComponentSource {
    /// A chart.
    Chart {
        /// As written: a path in the landscape, or a remote reference.
        reference: String,
        /// `release.version`.
        version: Option<String>,
        /// Where the reference stands.
        span: Span,
    },
    /// Plain objects: files or folders, as paths from the landscape's root.
    Manifests {
        /// Files or folders.
        paths: Vec<(String, Span)>,
    },
}

/// One line that set a value.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerEntry {
    /// For example `shared configuration`, `environments.prod of the refinement`.
    pub layer: String,
    /// Where.
    pub span: Span,
    /// What; `null` removes.
    pub value: Json,
}

/// A patch after rendering.
#[derive(Debug, Clone)]
pub struct Patch {
    /// What it hits. Group and namespace narrow when given.
    pub target: PatchTarget,
    /// JSON Patch (a list of operations) or a merge patch (an object), computed values filled in.
    pub body: Node,
    /// Where it stands.
    pub span: Span,
}

/// What a patch hits. Absent fields match anything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PatchTarget {
    /// API group.
    pub group: Option<String>,
    /// Kind.
    pub kind: Option<String>,
    /// Name.
    pub name: Option<String>,
    /// Namespace.
    pub namespace: Option<String>,
}

/// Where a key of the component's Secret gets its value from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretUse {
    /// The lookup name.
    pub lookup: String,
    /// Where it is asked for.
    pub span: Span,
}

/// An offered contract.
#[derive(Debug, Clone)]
pub struct Provided {
    /// Computed values.
    pub values: Json,
    /// Secrets that consumers get: key to lookup name.
    pub secrets: BTreeMap<String, String>,
    /// Where it is offered.
    pub span: Span,
}

/// A needed contract as resolved.
#[derive(Debug, Clone)]
pub struct Required {
    /// The providers in this cluster, sorted; the cluster itself is `None`.
    pub providers: Vec<Option<String>>,
    /// Where it is asked for.
    pub span: Span,
}

/// Health wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wait {
    /// Until when. Default 5 minutes.
    pub timeout: Duration,
}

/// A pause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suspend {
    /// Why.
    pub reason: String,
    /// The last day of the pause, `2027-01-01`.
    pub until: Option<jiff::civil::Date>,
    /// Where.
    pub span: Span,
}

/// Whether existing objects may be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adopt {
    /// Never.
    None,
    /// Those that carry no other tool's marks.
    Unowned,
}

/// Fields that others may change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IgnoreDifference {
    /// What it hits.
    pub target: PatchTarget,
    /// JSON pointers (RFC 6901).
    pub paths: Vec<String>,
    /// Where.
    pub span: Span,
}

/// A health rule for one kind, in place of the built-in one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthRule {
    /// `apiVersion`.
    pub api_version: String,
    /// Kind.
    pub kind: String,
    /// True while it is on its way.
    pub in_progress: Option<Expression>,
    /// True when it has failed.
    pub failed: Option<Expression>,
    /// True when it is done.
    pub current: Expression,
    /// Where.
    pub span: Span,
}
