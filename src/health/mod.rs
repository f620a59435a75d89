//! A live object into its health.
//!
//! Says for one object of any kind whether it is what its writer wanted it to become, with a reason that a person
//! can act on. The general order is kstatus' (cli-utils `pkg/kstatus`); each kind's own rule stands in a file of
//! its family. Pure: the time and the few facts about other objects that a rule needs ([`Related`]) come in as
//! arguments, so this room knows no API server and never waits.

mod availability;
mod custom;
mod daemon_set;
mod deployment;
mod explain;
mod extension;
mod fields;
mod job;
mod namespace;
mod network;
mod pod;
mod policy;
mod replica_set;
mod rules;
mod stateful_set;
mod storage;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::landscape::HealthRule;
use crate::object::GroupVersionKind;

pub use custom::is_built_in;
pub use explain::{Evidence, Explanation, explain, owned_by};
pub use job::may_vanish;
pub use rules::rule_for;

/// How an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// As wanted.
    Current,
    /// Stopped on purpose (a paused Deployment, a suspended Job); nothing more will happen by itself.
    Paused,
    /// Works, but not in full (an autoscaler without metrics). Nobody waits for it, somebody should know.
    Degraded,
    /// On its way.
    InProgress,
    /// Will not get there by itself.
    Failed,
    /// Being deleted.
    Terminating,
    /// Not there.
    NotFound,
    /// Could not be judged.
    Unknown,
}

impl Status {
    /// Whether waiting is over and well: [`Status::Current`], [`Status::Paused`] or [`Status::Degraded`].
    pub fn is_done(self) -> bool {
        matches!(self, Self::Current | Self::Paused | Self::Degraded)
    }
}

/// The health of one object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// How it is.
    pub status: Status,
    /// Why, in a few words; may be empty when [`Status::Current`].
    pub reason: String,
}

impl Health {
    fn new(status: Status, reason: impl Into<String>) -> Self {
        Self { status, reason: reason.into() }
    }

    fn current() -> Self {
        Self::new(Status::Current, "")
    }

    fn in_progress(reason: impl Into<String>) -> Self {
        Self::new(Status::InProgress, reason)
    }

    fn failed(reason: impl Into<String>) -> Self {
        Self::new(Status::Failed, reason)
    }
}

/// What a judgement needs besides the object.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The time of the judgement.
    pub now: Timestamp,
    /// When this run wrote the object; `None` when it was only looked at.
    pub written: Option<Timestamp>,
    /// Whether the object's kind has a status subresource, as its CRD says; `None` when unknown. Only asked for
    /// custom resources.
    pub has_status: Option<bool>,
    /// Facts about other objects.
    pub related: &'a Related,
    /// Rules of its component, in place of the kind's own.
    pub rules: &'a [HealthRule],
}

/// Facts about other objects that decide about the health of some kinds. [`relations`] says which are wanted;
/// what is absent here is unknown and holds nothing up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Related {
    /// By namespace and name of a Service: whether it has an endpoint that is ready.
    pub ready_endpoints: BTreeMap<(String, String), bool>,
    /// By name of a `StorageClass`: its `volumeBindingMode`.
    pub binding_modes: BTreeMap<String, String>,
}

/// A fact that [`assess`] would like to know.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Relation {
    /// Whether the Service has ready endpoints.
    Endpoints {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
    /// The `StorageClass`' `volumeBindingMode`.
    StorageClass {
        /// Its name.
        name: String,
    },
}

/// The facts about other objects that decide about this object's health.
pub fn relations(object: &Value) -> Vec<Relation> {
    match kind_of(object) {
        (group, kind) if group == "admissionregistration.k8s.io" => {
            extension::webhook_relations(&kind, object)
        }
        (group, kind) if group.is_empty() && kind == "PersistentVolumeClaim" => storage::relations(object),
        _ => Vec::new(),
    }
}

/// How `live` is. `None` is [`Status::NotFound`].
///
/// The order is kstatus': being deleted, not yet observed, `Reconciling`, `Stalled`, the kind's rule, `Ready`, and
/// at last current, since nothing speaks against it. A rule of the component for the kind decides alone, once the
/// object is observed.
pub fn assess(live: Option<&Value>, context: &Context) -> Health {
    let Some(object) = live else { return Health::new(Status::NotFound, "does not exist") };
    if fields::exists(object, "/metadata/deletionTimestamp") {
        return terminating(object);
    }
    if let Some(health) = unobserved(object) {
        return health;
    }
    let text = |pointer: &str| fields::text(object, pointer);
    if let Some(rule) = rule_for(context.rules, text("/apiVersion"), text("/kind")) {
        return rules::assess(rule, object);
    }
    if let Some(health) = general(object) {
        return health;
    }
    let (group, kind) = kind_of(object);
    match (group.as_str(), kind.as_str()) {
        ("apps" | "extensions", "Deployment") => deployment::assess(object, context),
        ("apps" | "extensions", "ReplicaSet") | ("", "ReplicationController") => {
            replica_set::assess(object, context)
        }
        ("apps", "StatefulSet") => stateful_set::assess(object),
        ("apps" | "extensions", "DaemonSet") => daemon_set::assess(object),
        ("", "Pod") => pod::assess(object),
        ("batch", "Job") => job::assess(object),
        ("", "PersistentVolumeClaim") => storage::claim(object, context),
        ("", "PersistentVolume") => storage::volume(object),
        ("", "Service") => network::service(object),
        ("networking.k8s.io" | "extensions", "Ingress") => network::ingress(object),
        ("", "Namespace") => namespace::assess(object),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => extension::definition(object),
        ("apiregistration.k8s.io", "APIService") => extension::api_service(object),
        (
            "admissionregistration.k8s.io",
            "MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration",
        ) => extension::webhooks(object, context),
        ("autoscaling", "HorizontalPodAutoscaler") => policy::autoscaler(object, context),
        (group, _) if is_built_in(group) => Health::current(),
        _ => custom::assess(object, context),
    }
}

/// Whether the kind is as wanted as soon as it is written, so that nobody needs to read it again.
pub fn is_instant(group: &str, kind: &str) -> bool {
    is_built_in(group)
        && !matches!(
            kind,
            "Deployment"
                | "ReplicaSet"
                | "ReplicationController"
                | "StatefulSet"
                | "DaemonSet"
                | "Pod"
                | "Job"
                | "PersistentVolumeClaim"
                | "PersistentVolume"
                | "Namespace"
                | "CustomResourceDefinition"
                | "APIService"
                | "MutatingWebhookConfiguration"
                | "ValidatingWebhookConfiguration"
                | "HorizontalPodAutoscaler"
                | "PodDisruptionBudget"
        )
}

/// An object whose last change its controller has not seen yet.
fn unobserved(object: &Value) -> Option<Health> {
    if let (Some(generation), Some(observed)) =
        (fields::int(object, "/metadata/generation"), fields::int(object, "/status/observedGeneration"))
        && generation != observed
    {
        return Some(Health::in_progress("its controller has not seen the last change yet"));
    }
    None
}

/// What holds for every kind, before its own rule.
fn general(object: &Value) -> Option<Health> {
    if let Some(condition) = fields::condition(object, "Reconciling").filter(|c| c.status == "True") {
        return Some(Health::in_progress(condition.explained("is reconciling")));
    }
    if let Some(condition) = fields::condition(object, "Stalled").filter(|c| c.status == "True") {
        return Some(Health::failed(condition.explained("is stalled")));
    }
    None
}

/// An object that is being deleted: which finalizers hold it, and for a Namespace what it still holds.
fn terminating(object: &Value) -> Health {
    let mut reasons: Vec<String> = namespace::why_terminating(object);
    let finalizers = finalizers(object);
    if !finalizers.is_empty() {
        reasons.push(format!("held by finalizers {}", finalizers.join(", ")));
    }
    if reasons.is_empty() {
        reasons.push("is being deleted".to_owned());
    }
    Health::new(Status::Terminating, reasons.join("; "))
}

/// The finalizers that hold an object, `metadata.finalizers` and a Namespace's `spec.finalizers`.
pub fn finalizers(object: &Value) -> Vec<String> {
    ["/metadata/finalizers", "/spec/finalizers"]
        .iter()
        .filter(|pointer| **pointer != "/spec/finalizers" || kind_of(object).1 == "Namespace")
        .flat_map(|pointer| fields::list(object, pointer))
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

/// Group and kind that the object states.
fn kind_of(object: &Value) -> (String, String) {
    let gvk = GroupVersionKind::from_api_version(
        fields::text(object, "/apiVersion"),
        fields::text(object, "/kind"),
    );
    (gvk.group, gvk.kind)
}
