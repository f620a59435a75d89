//! A plan into the [`Part`]s of the state machine: which steps each component has. Pure.
//!
//! A component with nothing to write has no writing step at all, so that a second apply of the same input writes
//! nothing (I4); what a cut-off run left unsettled counts as something to write.

use std::collections::BTreeSet;

use super::Options;
use super::machine::{Part, Step};
use crate::plan::inventory::{Entry, Phase, State};
use crate::plan::{
    self, Action, ComponentPlan, Decision, Inventory, Observation, Operation, Plan, Presence, Stage,
};

/// Stages in order.
const STAGES: [Stage; 5] =
    [Stage::Definitions, Stage::Namespaces, Stage::Foundation, Stage::Workloads, Stage::Extensions];

/// The parts of `plan`, in its order.
pub fn parts(plan: &Plan, observation: &Observation, options: &Options) -> Vec<Part> {
    plan.components
        .iter()
        .map(|component| {
            let leaving = is_leaving(component);
            let after = positions(plan, |other| {
                // What stays may have needed what leaves until this run has written it.
                component.after.contains(&other.name) && (leaving || !is_leaving(other))
            });
            let heirs = positions(plan, |other| is_heir(component, other));
            let blocked =
                if component.presence == Presence::Installed { blocked(component) } else { Vec::new() };
            let previous = observation.inventories.get(&component.name);
            let steps = steps(plan, component, previous, options);
            Part { name: component.name.clone(), steps, after, heirs, leaving, blocked }
        })
        .collect()
}

/// Whether any component has anything to write.
pub fn changes(parts: &[Part]) -> bool {
    parts.iter().any(|part| part.steps.iter().any(|step| *step != Step::Wait))
}

pub fn is_leaving(component: &ComponentPlan) -> bool {
    matches!(component.presence, Presence::Leaving(_))
}

/// Whether an action is a write.
pub fn is_write(action: &Action) -> bool {
    action.forbidden.is_none()
        && matches!(
            action.operation,
            Operation::Create { .. } | Operation::Update | Operation::Recreate { .. }
        )
}

/// Whether `other` wants an object that `component` lets go of.
pub fn is_heir(component: &ComponentPlan, other: &ComponentPlan) -> bool {
    if component.name == other.name || other.presence != Presence::Installed {
        return false;
    }
    let wanted: BTreeSet<_> = other.actions.iter().map(|action| &action.reference).collect();
    forgotten(component).any(|reference| wanted.contains(reference))
}

fn forgotten(component: &ComponentPlan) -> impl Iterator<Item = &crate::object::ObjectRef> {
    let forget = |decision: &Decision| matches!(decision, Decision::Forget(_));
    component
        .removals
        .iter()
        .filter(move |removal| forget(&removal.decision))
        .map(|removal| &removal.reference)
}

fn positions(plan: &Plan, chosen: impl Fn(&ComponentPlan) -> bool) -> Vec<usize> {
    plan.components
        .iter()
        .enumerate()
        .filter(|(_, other)| chosen(other))
        .map(|(position, _)| position)
        .collect()
}

/// Why a component cannot be written as planned.
fn blocked(component: &ComponentPlan) -> Vec<String> {
    let reason = |action: &Action| match (&action.operation, &action.forbidden) {
        (Operation::Blocked { reason }, _) | (_, Some(reason)) => {
            Some(format!("{}: {reason}", action.reference))
        }
        _ => None,
    };
    component.actions.iter().filter_map(reason).collect()
}

fn steps(
    whole: &Plan,
    component: &ComponentPlan,
    previous: Option<&Inventory>,
    options: &Options,
) -> Vec<Step> {
    let wait = options.wait.then_some(Step::Wait);
    match component.presence {
        Presence::Suspended(_) | Presence::NotSelected => Vec::new(),
        Presence::Leaving(_) => {
            let mut steps = Vec::new();
            if removes(component) || is_untidy(component, previous) {
                steps.extend(removes(component).then_some(Step::Remove));
                steps.push(Step::Settle);
            }
            steps
        }
        Presence::Installed => {
            let stages: Vec<Stage> = STAGES
                .into_iter()
                .filter(|stage| {
                    component.actions.iter().any(|action| is_write(action) && action.stage == *stage)
                })
                .collect();
            let removes = removes(component);
            let learns = options.learn
                && previous.is_some_and(|record| plan::learn(record, component, whole).is_some());
            if stages.is_empty() && !removes && !learns && !is_untidy(component, previous) {
                return wait.into_iter().collect();
            }
            let mut steps = Vec::new();
            if !stages.is_empty() || !component.takes_over.is_empty() {
                steps.push(Step::Intend);
            }
            steps.extend(stages.into_iter().map(Step::Write));
            steps.extend(wait);
            steps.extend(removes.then_some(Step::Remove));
            steps.push(Step::Settle);
            steps
        }
    }
}

/// Whether objects are deleted or let go.
fn removes(component: &ComponentPlan) -> bool {
    component.removals.iter().any(|removal| matches!(removal.decision, Decision::Delete | Decision::Release))
}

/// Whether the record says something else than it would after a run without writes.
fn is_untidy(component: &ComponentPlan, previous: Option<&Inventory>) -> bool {
    let Some(previous) = previous else { return !component.actions.is_empty() };
    let state = |reference| previous.entries.get(&Entry::key(reference)).map(|entry| entry.state);
    previous.phase == Phase::Applying
        || (is_leaving(component) && previous.entries.is_empty())
        || !component.takes_over.is_empty()
        || component.actions.iter().any(|action| {
            matches!(action.operation, Operation::Unchanged(_))
                && state(&action.reference) != Some(State::Owned)
        })
        || component.removals.iter().any(|removal| match removal.decision {
            Decision::Keep(_) => state(&removal.reference) != Some(State::Kept),
            Decision::Forget(_) => state(&removal.reference).is_some(),
            Decision::Delete | Decision::Release => true,
        })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;
    use crate::object::{Discovery, KubernetesVersion};

    fn observation() -> Observation {
        Observation {
            cluster_uid: "u".into(),
            discovery: Discovery::of_version(KubernetesVersion { major: 1, minor: 34 }),
            namespaces: BTreeMap::new(),
            identity: None,
            inventories: BTreeMap::new(),
            live: BTreeMap::new(),
            unreadable: BTreeMap::new(),
            incomplete: Vec::new(),
        }
    }

    #[test]
    fn what_leaves_waits_for_what_stays_and_needed_it() {
        let component = |name: &str, presence: serde_json::Value, after: &[&str]| {
            json!({"name": name, "presence": presence, "after": after, "timeoutSeconds": 1,
                   "actions": [], "removals": [], "takesOver": []})
        };
        let plan: Plan = serde_json::from_value(json!({
            "schemaVersion": 1, "landscape": "l", "origin": "o", "cluster": "c", "clusterUid": "u",
            "serverVersion": "v", "salt": "", "newCluster": false, "namespaces": {}, "refusals": [],
            "warnings": [], "removalOff": [],
            "components": [
                component("app", json!("installed"), &["base"]),
                component("base", json!({"leaving": "its file is gone"}), &["app"]),
            ],
        }))
        .unwrap();
        let (_, stop) = tokio::sync::watch::channel(None);
        let options = Options { wait: true, timeout: None, learn: false, stop };
        let after: Vec<Vec<usize>> =
            parts(&plan, &observation(), &options).into_iter().map(|part| part.after).collect();
        assert_eq!(after, [Vec::new(), vec![0]], "what stays never waits for what leaves");
    }
}
