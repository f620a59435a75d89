//! Whether a saved plan still says what would happen: `apply --plan` carries out exactly that, or says what moved.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::desired::{Desired, DesiredObject};
use super::digest::body_digest;
use super::guard;
use super::intent::Intent;
use super::inventory::Entry;
use super::model::{Action, ComponentPlan, Decision, LiveVersion, Operation, Plan, Presence, Proof, Removal};
use super::observation::Observation;
use crate::object::ObjectRef;

/// One thing that is not as it was when the plan was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Moved {
    /// The plan was made for something else: which, what it was, what it is.
    Context(&'static str, String, String),
    /// The desired body is another one (for a Secret: its values).
    Body(ObjectRef),
    /// An object is wanted now, or no longer, that was not (or was) when the plan was made.
    Wanted(ObjectRef),
    /// The live object changed, was replaced, or is gone.
    Live(ObjectRef),
    /// An object exists that did not.
    Appeared(ObjectRef),
    /// An object would be deleted that no inventory of its component lists.
    Unlisted(ObjectRef),
    /// What is refused now, whatever the plan says.
    Refused(String),
}

impl fmt::Display for Moved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Context(what, old, new) => write!(f, "the {what} was `{old}` and is `{new}`"),
            Self::Body(reference) => write!(f, "{reference} renders differently"),
            Self::Wanted(reference) => write!(f, "{reference} was not in the plan, or is no longer wanted"),
            Self::Live(reference) => write!(f, "{reference} has changed in the cluster"),
            Self::Appeared(reference) => write!(f, "{reference} exists now"),
            Self::Unlisted(reference) => write!(f, "{reference} is in no inventory of its component"),
            Self::Refused(reason) => f.write_str(reason),
        }
    }
}

/// Compares a saved plan with what is desired and observed now.
///
/// # Errors
/// Everything that moved. What the plan leaves alone may move.
pub fn verify(saved: &Plan, desired: &Desired, observation: &Observation) -> Result<(), Vec<Moved>> {
    let mut moved = Vec::new();
    context(saved, desired, observation, &mut moved);
    records(saved, desired, observation, &mut moved);
    let all: BTreeSet<&ObjectRef> = desired.objects().map(|object| &object.reference).collect();
    let mut wanted: BTreeMap<&ObjectRef, &DesiredObject> =
        desired.objects().map(|object| (&object.reference, object)).collect();
    for component in &saved.components {
        let written = component.is_written();
        for action in &component.actions {
            match wanted.remove(&action.reference) {
                None => moved.push(Moved::Wanted(action.reference.clone())),
                Some(object) if written && body_digest(object, &saved.salt) != action.digest => {
                    moved.push(Moved::Body(action.reference.clone()));
                }
                Some(_) if written && rests_on_live(action) => {
                    live(&action.reference, action.live.as_ref(), observation, &mut moved);
                }
                Some(_) => {}
            }
        }
        // What is forgotten rests on what is there, too: an entry is dropped because of it.
        for removal in component.removals.iter().filter(|r| !matches!(r.decision, Decision::Keep(_))) {
            live(&removal.reference, removal.live.as_ref(), observation, &mut moved);
        }
        for removal in component.removals.iter().filter(|removal| is_deletion(removal)) {
            if all.contains(&removal.reference) {
                moved.push(Moved::Wanted(removal.reference.clone()));
            }
            if !is_listed(component, &removal.reference, observation) {
                moved.push(Moved::Unlisted(removal.reference.clone()));
            }
        }
    }
    // In a plan to delete, what git wants elsewhere is no news.
    let leaving = |component: &ComponentPlan| matches!(component.presence, Presence::Leaving(_));
    let deletes = !saved.components.is_empty() && saved.components.iter().all(leaving);
    if !deletes {
        moved.extend(wanted.into_keys().map(|reference| Moved::Wanted(reference.clone())));
    }
    if moved.is_empty() { Ok(()) } else { Err(moved) }
}

fn context(saved: &Plan, desired: &Desired, observation: &Observation, moved: &mut Vec<Moved>) {
    let none = || "none".to_owned();
    let facts = [
        ("landscape", saved.landscape.clone(), desired.landscape.clone()),
        ("origin", saved.origin.clone(), desired.origin.clone()),
        ("cluster", saved.cluster.clone(), desired.cluster.clone()),
        ("cluster's UID", saved.cluster_uid.clone(), observation.cluster_uid.clone()),
        (
            "revision",
            saved.revision.clone().unwrap_or_else(none),
            desired.revision.clone().unwrap_or_else(none),
        ),
        ("server's version", saved.server_version.clone(), observation.discovery.git_version.clone()),
    ];
    moved.extend(
        facts
            .into_iter()
            .filter(|(_, old, new)| old != new)
            .map(|(what, old, new)| Moved::Context(what, old, new)),
    );
}

/// Compares what the cluster has recorded, and asks the guards that look at records: a plan that was made before
/// another run must not undo it.
fn records(saved: &Plan, desired: &Desired, observation: &Observation, moved: &mut Vec<Moved>) {
    let word = |present: bool| if present { "there" } else { "missing" }.to_owned();
    let record = observation.identity.as_ref();
    let text = |revision: Option<&String>| revision.cloned().unwrap_or_else(|| "none".to_owned());
    let facts = [
        ("plan's format", saved.schema_version.to_string(), "1".to_owned()),
        ("cluster's record", word(!saved.new_cluster), word(record.is_some())),
        (
            "revision applied last",
            text(saved.applied.as_ref()),
            text(record.and_then(|record| record.revision.as_ref())),
        ),
    ];
    let facts = facts.into_iter().filter(|(_, old, new)| old != new);
    moved.extend(facts.map(|(what, old, new)| Moved::Context(what, old, new)));
    let mut refusals = saved.refusals.clone();
    // Another cluster has been noticed already.
    if saved.cluster_uid == observation.cluster_uid {
        let known = Intent { new_cluster: true, ..Intent::default() };
        guard::identity::check(desired, observation, &known, &mut refusals);
    }
    guard::inventories::check(desired, observation, &mut refusals);
    moved.extend(refusals.into_iter().map(|refusal| Moved::Refused(refusal.message)));
    let removes = saved.components.iter().flat_map(|component| &component.removals).any(is_deletion);
    let unknown = desired.incomplete.iter().chain(&observation.incomplete);
    let failed = observation.discovery.failed.iter();
    let reasons: Vec<String> =
        unknown.cloned().chain(failed.map(|group| format!("the server could not list `{group}`"))).collect();
    if removes && !reasons.is_empty() {
        let reasons = reasons.join("; ");
        moved.push(Moved::Refused(format!("nothing is deleted while not everything is known: {reasons}")));
    }
}

fn is_deletion(removal: &Removal) -> bool {
    removal.decision == Decision::Delete
}

/// Whether an inventory of the component, or one that it takes over, lists the object (I2).
fn is_listed(component: &ComponentPlan, reference: &ObjectRef, observation: &Observation) -> bool {
    let key = Entry::key(reference);
    std::iter::once(&component.name)
        .chain(&component.takes_over)
        .filter_map(|name| observation.inventories.get(name))
        .any(|inventory| inventory.entries.contains_key(&key))
}

impl Plan {
    /// Whether carrying out this plan does to every object what `other` does: what somebody agreed to who has seen
    /// the other. Versions of live objects and how a proof was found make no difference.
    pub fn does_the_same_as(&self, other: &Self) -> bool {
        self.namespaces == other.namespaces && effects(self) == effects(other)
    }
}

/// The components without what says nothing about the outcome.
fn effects(plan: &Plan) -> Vec<ComponentPlan> {
    let mut components = plan.components.clone();
    for component in &mut components {
        for action in &mut component.actions {
            (action.live, action.memory) = (None, None);
            if let Operation::Unchanged(proof) = &mut action.operation {
                *proof = Proof::DryRun;
            }
        }
        for removal in &mut component.removals {
            removal.live = None;
        }
    }
    components
}

/// Whether carrying out the action depends on what is live.
fn rests_on_live(action: &Action) -> bool {
    matches!(action.operation, Operation::Create { .. } | Operation::Update | Operation::Recreate { .. })
}

fn live(
    reference: &ObjectRef,
    then: Option<&LiveVersion>,
    observation: &Observation,
    moved: &mut Vec<Moved>,
) {
    let now = observation.live.get(reference).map(super::removal::version_of);
    match (then, now) {
        (None, Some(_)) => moved.push(Moved::Appeared(reference.clone())),
        (Some(then), now) if now.as_ref() != Some(then) => moved.push(Moved::Live(reference.clone())),
        _ => {}
    }
}

#[cfg(test)]
#[path = "saved_tests.rs"]
mod tests;
