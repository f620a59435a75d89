//! What a server serves: versions, kinds, scopes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{GroupKind, GroupVersionKind};

/// Whether objects of a kind live in namespaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scope {
    /// In a namespace.
    Namespaced,
    /// In none.
    Cluster,
}

/// One kind that a server serves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiResource {
    /// Served versions, the server's preferred one first.
    pub versions: Vec<String>,
    /// The name in URLs, e.g. `deployments`.
    pub plural: String,
    /// Namespaced or not.
    pub scope: Scope,
    /// What may be done, e.g. `list`, `patch`.
    pub verbs: BTreeSet<String>,
}

/// Major and minor version of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct KubernetesVersion {
    /// 1.
    pub major: u32,
    /// For example 34.
    pub minor: u32,
}

impl fmt::Display for KubernetesVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl std::str::FromStr for KubernetesVersion {
    type Err = String;

    /// Reads `1.34`, `v1.34.2`, `1.34+`.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut numbers = text
            .trim_start_matches('v')
            .split('.')
            .map(|part| part.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default().parse::<u32>());
        match (numbers.next(), numbers.next()) {
            (Some(Ok(major)), Some(Ok(minor))) => Ok(Self { major, minor }),
            _ => Err(format!("`{text}` is not a Kubernetes version like `1.34`")),
        }
    }
}

/// What one server serves, or what a version of Kubernetes serves by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discovery {
    /// The server's version.
    pub version: KubernetesVersion,
    /// The version as the server writes it, e.g. `v1.36.3`.
    pub git_version: String,
    /// Every served kind.
    pub resources: BTreeMap<GroupKind, ApiResource>,
    /// Group versions that could not be read in full (`metrics.k8s.io/v1beta1`); non-empty means that
    /// absence proves nothing, and that removal is off.
    pub failed: BTreeSet<String>,
}

impl Discovery {
    /// The kind, if it is served.
    pub fn get(&self, kind: &GroupKind) -> Option<&ApiResource> {
        self.resources.get(kind)
    }

    /// Whether this very version of the kind is served.
    pub fn serves(&self, gvk: &GroupVersionKind) -> bool {
        self.get(&gvk.group_kind()).is_some_and(|r| r.versions.contains(&gvk.version))
    }

    /// Whether every group could be read.
    pub fn is_complete(&self) -> bool {
        self.failed.is_empty()
    }
}
