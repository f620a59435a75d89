//! The plan: everything that an apply would do, decided before anything is done.
//!
//! A value without choices: printable, storable (`--plan-out`), without any Secret value. The bodies to write
//! are in [`super::Desired`]; the plan names them by identity and digest.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::inventory::Memory;
use crate::object::{GroupVersionKind, ObjectRef};

/// Everything that an apply would do in one cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// 1.
    pub schema_version: u32,
    /// The landscape's name.
    pub landscape: String,
    /// Its origin.
    pub origin: String,
    /// The cluster's name.
    pub cluster: String,
    /// UID of `kube-system`.
    pub cluster_uid: String,
    /// The git commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// The git commit that the cluster's record named as applied last when the plan was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applied: Option<String>,
    /// The server's `gitVersion`.
    pub server_version: String,
    /// Random hex under which the digests of Secrets are taken, so that a saved plan tells nothing about them.
    pub salt: String,
    /// Whether the cluster has no identity record yet.
    pub new_cluster: bool,
    /// Namespaces to make for `namespace:`, with their labels and annotations; unmarked, in no inventory.
    pub namespaces: BTreeMap<String, NamespaceBody>,
    /// Components in order: those that stay, then those that leave (dependents first).
    pub components: Vec<ComponentPlan>,
    /// Why this plan must not be carried out (exit 4); empty when it may.
    pub refusals: Vec<Refusal>,
    /// For the user to know.
    pub warnings: Vec<String>,
    /// Why nothing is removed in this run, if so (I7).
    pub removal_off: Vec<String>,
}

/// A namespace made for a component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamespaceBody {
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Annotations.
    pub annotations: BTreeMap<String, String>,
}

/// What happens to one component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ComponentPlan {
    /// Its name.
    pub name: String,
    /// Why it is in the plan.
    pub presence: Presence,
    /// Components that must be healthy (or, when leaving, gone) first.
    pub after: BTreeSet<String>,
    /// How long health may take, in seconds.
    pub timeout_seconds: u64,
    /// Objects that it wants, in stage order.
    pub actions: Vec<Action>,
    /// Objects that it no longer wants, in removal order.
    pub removals: Vec<Removal>,
    /// Inventories that are merged into this one (`formerly`), and deleted once it is written.
    pub takes_over: Vec<String>,
    /// All names that it had: their marks on objects that its inventory lists count as its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub formerly: Vec<String>,
}

/// Why a component is in the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Presence {
    /// Wanted.
    Installed,
    /// Wanted, but paused: shown, never written.
    Suspended(String),
    /// Wanted, but not among the components named on the command line: shown as context, never written.
    NotSelected,
    /// No longer wanted, with the reason.
    Leaving(String),
}

/// The stages of an apply, in order. Objects of one stage are written together; a stage is waited for
/// (established, active) before the next starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Stage {
    /// `CustomResourceDefinitions` of all components.
    Definitions,
    /// Namespaces of all components.
    Namespaces,
    /// Classes, service accounts, RBAC, quotas, network policies, configuration, Secrets, volumes.
    Foundation,
    /// Everything else.
    Workloads,
    /// Webhook configurations and `APIServices`, which need their backends.
    Extensions,
}

/// What happens to one wanted object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Action {
    /// Who it is.
    pub reference: ObjectRef,
    /// At which version it is written.
    pub version: String,
    /// When.
    pub stage: Stage,
    /// What.
    pub operation: Operation,
    /// What would change in it; for Secrets without values.
    pub changes: Vec<Change>,
    /// Of the desired body; for Secrets an HMAC under the plan's salt.
    pub digest: String,
    /// The live object that the decision rests on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<LiveVersion>,
    /// The former owner within this landscape, when the object is handed over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handed_over_from: Option<String>,
    /// Template path and line, for people.
    pub origin: String,
    /// Data must not be shown.
    pub sensitive: bool,
    /// Why the user may not write it, so that the server could not be asked either: `operation` and `changes` are by
    /// structure, unverified, and its component fails before it writes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forbidden: Option<String>,
    /// What to remember when the server's dry run said that nothing changes; goes into the inventory entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<Memory>,
}

impl Action {
    /// At which version it is written.
    pub fn gvk(&self) -> GroupVersionKind {
        GroupVersionKind {
            group: self.reference.group.clone(),
            version: self.version.clone(),
            kind: self.reference.kind.clone(),
        }
    }
}

/// A live object at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LiveVersion {
    /// UID.
    pub uid: String,
    /// resourceVersion.
    pub resource_version: String,
}

/// What happens to a wanted object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Operation {
    /// Made. Unverified when its namespace or kind comes in the same plan: it is dry-run right before its stage.
    Create {
        /// Why no dry run was possible yet; `None` when the server accepted one.
        unverified: Option<String>,
    },
    /// Changed by server-side apply.
    Update,
    /// Nothing to do, and how that is known.
    Unchanged(Proof),
    /// Deleted and made again (`landskap.io/recreate: allowed` or `--allow-recreate`).
    Recreate {
        /// The immutable fields.
        fields: Vec<String>,
    },
    /// The server would refuse it, or it is terminating: the component fails before it writes.
    Blocked {
        /// Why.
        reason: String,
    },
    /// Left alone, e.g. `landskap.io/reconcile: disabled`.
    Skipped {
        /// Why.
        reason: String,
    },
}

/// How it is known that nothing changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Proof {
    /// Our entry in managedFields and every value agree.
    Structure,
    /// The digests of the last dry run agree.
    Memory,
    /// The server said so.
    DryRun,
    /// Every declared field has its value; the user may not ask the server.
    Declared,
}

/// One changed field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// Where: `.spec.replicas`.
    pub path: String,
    /// What it is; absent when it is added. Masked for Secrets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<serde_json::Value>,
    /// What it becomes; absent when it is removed. Masked for Secrets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<serde_json::Value>,
    /// The field managers other than us that own it now ("changed by kubectl-edit").
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub managers: Vec<String>,
}

/// What happens to an object that is no longer wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Removal {
    /// Who it is.
    pub reference: ObjectRef,
    /// At which version it is deleted.
    pub version: String,
    /// What.
    pub decision: Decision,
    /// The live object that the decision rests on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<LiveVersion>,
}

/// What happens to an object that is no longer wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Decision {
    /// Deleted with a UID precondition.
    Delete,
    /// Stays, and its entry with it, with the reason (protected kind, keep mark, foreign owner).
    Keep(String),
    /// Only the entry goes: it is gone already, or has another owner now. Where the new owner is another
    /// component of this plan, the entry may go only after that component's write-ahead, so that the object is
    /// listed by one inventory at every moment (I1).
    Forget(String),
    /// Stays in the cluster and is let go: our labels are taken off it first, then its entry goes.
    Release,
}

/// Why a plan must not be carried out, and how to mean it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Refusal {
    /// A stable code, e.g. `removal-limit`, `other-cluster`, `not-owned`.
    pub code: String,
    /// What and why.
    pub message: String,
    /// The way to mean it, e.g. `--allow-removal grafana`.
    pub hint: String,
    /// Objects concerned.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub objects: Vec<ObjectRef>,
}
