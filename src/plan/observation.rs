//! What one cluster holds, as far as it concerns us.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::inventory::Inventory;
use crate::object::{Discovery, ObjectRef};

/// What one cluster holds. Built by `cluster::observe`, read by `plan`.
#[derive(Debug, Clone)]
pub struct Observation {
    /// UID of the namespace `kube-system`: which cluster it is.
    pub cluster_uid: String,
    /// What the server serves.
    pub discovery: Discovery,
    /// Existing namespaces and whether each is terminating.
    pub namespaces: BTreeMap<String, Terminating>,
    /// The identity record of this landscape, if the cluster has one.
    pub identity: Option<Identity>,
    /// The inventories of this landscape, by component.
    pub inventories: BTreeMap<String, Inventory>,
    /// Live objects: all that carry this landscape's mark, and the desired ones that do not. Read at the
    /// desired `apiVersion`. May hold Secret values; never print.
    pub live: BTreeMap<ObjectRef, Live>,
    /// Objects whose state could not be read, with the reason. Neither present nor absent.
    pub unreadable: BTreeMap<ObjectRef, String>,
    /// Why not everything is known (a 403 on a list, a group that is down); non-empty switches removal off (I7).
    pub incomplete: Vec<String>,
}

/// Whether a namespace is being deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terminating(pub bool);

/// One live object as the server returned it, with managedFields.
#[derive(Clone, PartialEq)]
pub struct Live(pub Value);

impl std::fmt::Debug for Live {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Live").field("reference", &ObjectRef::of(&self.0)).finish_non_exhaustive()
    }
}

impl Live {
    /// A string at a JSON pointer.
    fn text(&self, pointer: &str) -> &str {
        self.0.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    /// `metadata.uid`.
    pub fn uid(&self) -> &str {
        self.text("/metadata/uid")
    }

    /// `metadata.resourceVersion`.
    pub fn resource_version(&self) -> &str {
        self.text("/metadata/resourceVersion")
    }

    /// The value of a label.
    pub fn label(&self, name: &str) -> Option<&str> {
        self.0.get("metadata")?.get("labels")?.get(name)?.as_str()
    }

    /// The value of an annotation.
    pub fn annotation(&self, name: &str) -> Option<&str> {
        self.0.get("metadata")?.get("annotations")?.get(name)?.as_str()
    }

    /// Whether it is being deleted.
    pub fn is_terminating(&self) -> bool {
        self.0.pointer("/metadata/deletionTimestamp").is_some()
    }
}

/// Which landscape and cluster this is: the record kept in the cluster.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Identity {
    /// The landscape's name.
    pub landscape: String,
    /// Its git URL without credentials, or its directory.
    pub origin: String,
    /// The cluster's name in the landscape.
    pub cluster: String,
    /// UID of `kube-system`.
    pub cluster_uid: String,
    /// The git commit applied last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
}

/// What the server answered to the dry runs that a plan asked for, by object.
pub type DryRuns = BTreeMap<ObjectRef, DryRun>;

/// The answer to one dry run.
#[derive(Debug, Clone)]
pub enum DryRun {
    /// What the object would become. May hold Secret values; never print.
    Applied(Live),
    /// The server would refuse.
    Rejected(Rejection),
}

/// Why a server refuses an object. Texts about Secrets are already stripped of values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// HTTP status, e.g. 422.
    pub code: u16,
    /// `reason` of the Status, e.g. `Invalid`, `Conflict`.
    pub reason: String,
    /// The message.
    pub message: String,
    /// `details.causes`.
    pub causes: Vec<Cause>,
}

/// One cause of a [`Rejection`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// `reason`, e.g. `FieldManagerConflict`, `FieldValueInvalid`.
    pub reason: String,
    /// `field`, e.g. `.spec.replicas`.
    pub field: String,
    /// `message`.
    pub message: String,
}

/// Objects to read: what `plan` wants to know before it can decide.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// Kinds to list by the landscape's mark, at the `apiVersion`s that are desired (or served), across all namespaces.
    pub lists: BTreeSet<crate::object::GroupVersionKind>,
    /// Objects that are wanted or remembered: read one by one if no list returned them.
    pub objects: BTreeMap<ObjectRef, crate::object::GroupVersionKind>,
}
