//! The stored list of objects that a component owns in a cluster.
//!
//! One ConfigMap per component in the namespace `landskap`, which is also the parent of an ApplySet (KEP-3659).
//! It is written before the objects are (write-ahead, I1). This file is the format; `cluster` reads and writes it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::object::{GroupVersionKind, ObjectRef};

/// The field manager of every applied object. Constant: a dropped field only leaves if the same manager applied it.
pub const FIELD_MANAGER: &str = "landskap";
/// The field manager of inventories, identity records and other bookkeeping.
pub const RECORD_MANAGER: &str = "landskap-record";
/// Where inventories, identity records, Leases and keys are kept.
pub const RECORD_NAMESPACE: &str = "landskap";
/// Label of every member: the landscape's name. The selector of all LISTs.
pub const LANDSCAPE_LABEL: &str = "landskap.io/landscape";
/// Label of every member: the component's name.
pub const COMPONENT_LABEL: &str = "landskap.io/component";
/// Label of every member: the ApplySet's id.
pub const PART_OF_LABEL: &str = "applyset.kubernetes.io/part-of";

/// The inventory of one component as stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Inventory {
    /// 1. A higher one is refused.
    pub schema_version: u32,
    /// The landscape's name.
    pub landscape: String,
    /// The cluster's name in the landscape.
    pub cluster: String,
    /// The component's name.
    pub component: String,
    /// UID of `kube-system`.
    pub cluster_uid: String,
    /// The git commit that wrote it last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// Whether a run is under way (or was cut off).
    pub phase: Phase,
    /// The server's `gitVersion` when digests were taken.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub server_version: String,
    /// Components that had to be healthy before this one when it was written last: they may only be removed
    /// after it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub after: BTreeSet<String>,
    /// The objects.
    pub entries: BTreeMap<String, Entry>,
    /// `metadata.resourceVersion` of the record; not part of the data.
    #[serde(skip)]
    pub resource_version: Option<String>,
}

/// Whether a run is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Nothing under way.
    Idle,
    /// A run wrote its intent and has not settled.
    Applying,
}

/// One object in an [`Inventory`]. The map's key is [`Entry::key`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// Who it is.
    #[serde(flatten)]
    pub reference: ObjectRef,
    /// The version it was applied at last.
    pub version: String,
    /// Its UID, once known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
    /// How far it is.
    pub state: State,
    /// Proof by memory that a dry run would change nothing; never for Secrets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<Memory>,
}

/// How far an object is. Anything but [`State::Owned`] may or may not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// About to be written, or its outcome is unknown (I3).
    Intent,
    /// Written, with a known UID.
    Owned,
    /// Being deleted.
    Deleting,
    /// No longer wanted, but protected from removal.
    Kept,
    /// Its write was refused.
    Failed,
}

/// Digests taken when the server last said "nothing changes" (proof by memory). 16 hex digits each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// Of the desired object.
    pub desired: String,
    /// Of the live object without status and metadata counters.
    pub live: String,
    /// Of all managedFields entries with times removed.
    pub managers: String,
    /// `metadata.generation` of the kind's CRD, 0 for built-in kinds.
    #[serde(default)]
    pub crd_generation: i64,
    /// Unix seconds.
    pub at: i64,
}

impl Entry {
    /// The map key: `group/kind/namespace/name` with empty parts kept.
    pub fn key(reference: &ObjectRef) -> String {
        let ObjectRef { group, kind, namespace, name } = reference;
        format!("{group}/{kind}/{}/{name}", namespace.as_deref().unwrap_or_default())
    }

    /// At which version it was applied last.
    pub fn gvk(&self) -> GroupVersionKind {
        GroupVersionKind {
            group: self.reference.group.clone(),
            version: self.version.clone(),
            kind: self.reference.kind.clone(),
        }
    }
}

/// The name of a component's inventory. Landscape and component are DNS labels, so the dot is unambiguous.
pub fn record_name(landscape: &str, component: &str) -> String {
    format!("{landscape}.{component}")
}
