//! Whether a saved plan still says what would happen: `apply --plan` carries out exactly that, or says what moved.

use std::collections::BTreeMap;
use std::fmt;

use super::desired::{Desired, DesiredObject};
use super::digest::body_digest;
use super::model::{Action, ComponentPlan, Decision, LiveVersion, Operation, Plan, Presence};
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
}

impl fmt::Display for Moved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Context(what, old, new) => write!(f, "the {what} was `{old}` and is `{new}`"),
            Self::Body(reference) => write!(f, "{reference} renders differently"),
            Self::Wanted(reference) => write!(f, "{reference} was not in the plan, or is no longer wanted"),
            Self::Live(reference) => write!(f, "{reference} has changed in the cluster"),
            Self::Appeared(reference) => write!(f, "{reference} exists now"),
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
        for removal in component.removals.iter().filter(|removal| removal.decision == Decision::Delete) {
            live(&removal.reference, removal.live.as_ref(), observation, &mut moved);
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
