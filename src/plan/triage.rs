//! What is already proven to be as wanted, what the server has to be asked about, and what it can't be asked.

use std::collections::BTreeMap;

use super::builtin::is_builtin;
use super::desired::{Desired, DesiredObject};
use super::inventory::{Entry, Inventory};
use super::marks;
use super::model::Proof;
use super::observation::{Live, Observation, Terminating};
use super::proof::{memory, structure};
use super::query::definition;
use crate::object::{GroupKind, ObjectRef};

/// Every desired object is in exactly one of the three.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Triage {
    /// A dry run would change nothing, and how that is known.
    pub unchanged: BTreeMap<ObjectRef, Proof>,
    /// To be dry-run: the answers go to [`super::plan`].
    pub to_dry_run: Vec<ObjectRef>,
    /// The server can't be asked, and why: its namespace or kind is not there (yet), it is being deleted, it is left
    /// alone, it could not be read.
    pub unverified: BTreeMap<ObjectRef, String>,
}

/// Sorts every desired object. `now` in Unix seconds.
pub fn triage(desired: &Desired, observation: &Observation, now: i64) -> Triage {
    sort(desired, observation, |component, object, live| {
        let proof = if structure::proves(object, live) {
            Some(Proof::Structure)
        } else {
            remembered(observation, component, object, live, now).then_some(Proof::Memory)
        };
        // Only what carries our mark can be proven to be ours as it is.
        proof.filter(|_| marks::is_marked(live, &desired.landscape, component))
    })
}

/// Sorts every desired object without believing any proof: a full pass, since defaults and webhooks move without us.
pub fn triage_in_full(desired: &Desired, observation: &Observation) -> Triage {
    sort(desired, observation, |_, _, _| None)
}

fn sort(
    desired: &Desired,
    observation: &Observation,
    prove: impl Fn(&str, &DesiredObject, &Live) -> Option<Proof>,
) -> Triage {
    let mut triage = Triage::default();
    for component in &desired.components {
        for object in &component.objects {
            let reference = object.reference.clone();
            let live = observation.live.get(&reference);
            if let Some(reason) = unaskable(object, observation, live) {
                triage.unverified.insert(reference, reason);
            } else if let Some(proof) = live.and_then(|live| prove(&component.name, object, live)) {
                triage.unchanged.insert(reference, proof);
            } else {
                triage.to_dry_run.push(reference);
            }
        }
    }
    triage
}

/// Why no dry run can say anything about `object`.
fn unaskable(object: &DesiredObject, observation: &Observation, live: Option<&Live>) -> Option<String> {
    if let Some(reason) = left_alone(object, live) {
        return Some(reason);
    }
    if let Some(reason) = observation.unreadable.get(&object.reference) {
        return Some(reason.clone());
    }
    if !observation.discovery.serves(&object.gvk) {
        return Some(format!(
            "the server does not serve {} of {}",
            object.gvk.kind,
            object.gvk.api_version()
        ));
    }
    if let Some(namespace) = &object.reference.namespace {
        match observation.namespaces.get(namespace) {
            None => return Some(format!("the namespace `{namespace}` does not exist")),
            Some(Terminating(true)) => return Some(format!("the namespace `{namespace}` is being deleted")),
            Some(Terminating(false)) => {}
        }
    }
    live.filter(|live| live.is_terminating()).map(terminating)
}

/// Why `object` is not touched at all, if it asks for that itself, in git or in the cluster.
pub(super) fn left_alone(object: &DesiredObject, live: Option<&Live>) -> Option<String> {
    let pointer = ["metadata", "annotations", marks::RECONCILE];
    let wanted = pointer.iter().try_fold(&object.body, |value, key| value.get(key)).and_then(|v| v.as_str());
    let live = live.and_then(|live| live.annotation(marks::RECONCILE));
    let disabled = marks::is_disabled(wanted) || marks::is_disabled(live);
    disabled.then(|| format!("its annotation `{}` is `disabled`", marks::RECONCILE))
}

/// What to say about an object that is being deleted.
fn terminating(live: &Live) -> String {
    let finalizers = live.0.pointer("/metadata/finalizers").and_then(serde_json::Value::as_array);
    let names: Vec<String> =
        finalizers.into_iter().flatten().filter_map(|f| Some(format!("`{}`", f.as_str()?))).collect();
    if names.is_empty() {
        "it is being deleted".into()
    } else {
        format!("it is being deleted, which waits for the finalizers {}", names.join(", "))
    }
}

/// Proof by memory, with what voids it from outside: another server version, an unknown CRD generation.
fn remembered(
    observation: &Observation,
    component: &str,
    object: &DesiredObject,
    live: &Live,
    now: i64,
) -> bool {
    let Some(inventory) = observation.inventories.get(component) else { return false };
    let Some(memory) = entry(inventory, &object.reference).and_then(|entry| entry.memory.as_ref()) else {
        return false;
    };
    let Some(generation) = crd_generation(observation, &object.reference.group_kind()) else { return false };
    inventory.server_version == observation.discovery.git_version
        && memory::proves(memory, object, live, generation, now)
}

/// The entry of an object.
pub(super) fn entry<'a>(inventory: &'a Inventory, reference: &ObjectRef) -> Option<&'a Entry> {
    inventory.entries.get(&Entry::key(reference))
}

/// `metadata.generation` of the kind's CustomResourceDefinition; 0 for a built-in kind; `None` when it is not known
/// (an aggregated API has none).
pub fn crd_generation(observation: &Observation, kind: &GroupKind) -> Option<i64> {
    if is_builtin(&kind.group) {
        return Some(0);
    }
    let (reference, _) = definition(&observation.discovery, kind)?;
    observation.live.get(&reference)?.0.pointer("/metadata/generation")?.as_i64()
}
