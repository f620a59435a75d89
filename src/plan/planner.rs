//! [`plan`]: desired, observed and asked for into a plan with no choices left.
//!
//! Composes the rules that stand in modules of their own: `action` for what is wanted, `removal` for what no longer
//! is, `guard` for what an operator can't do by mistake.

use std::collections::{BTreeMap, BTreeSet};

use super::action::{self, Actions};
use super::desired::{Desired, DesiredComponent};
use super::guard;
use super::intent::{Intent, Mode};
use super::inventory::{Entry, Inventory};
use super::model::{Action, ComponentPlan, Decision, NamespaceBody, Operation, Plan, Presence, Removal};
use super::observation::{DryRuns, Observation};
use super::order;
use super::removal::Judge;
use super::triage::Triage;
use crate::object::ObjectRef;

/// Decides everything that a run would do. `triage` is of the same `desired` and `observation`, `dry_runs` holds the
/// answer for each of its `to_dry_run`; an object without an answer is blocked. `now` in Unix seconds.
///
/// Refusals don't stop the plan from being made: it is shown, with why it must not be carried out.
pub fn plan(
    desired: &Desired,
    observation: &Observation,
    triage: &Triage,
    dry_runs: &DryRuns,
    intent: &Intent,
    now: i64,
) -> Plan {
    let scene = Scene::new(desired, observation, intent);
    let namespaces = scene.namespaces();
    let mut brought = desired.declared_namespaces();
    brought.extend(namespaces.keys().map(String::as_str));
    let definitions = action::definitions(desired);
    let actions = Actions {
        desired,
        observation,
        triage,
        dry_runs,
        intent,
        namespaces: &brought,
        definitions: &definitions,
        now,
    };
    let removal_off = scene.removal_off();

    let mut components = Vec::new();
    let mut refusals = Vec::new();
    if intent.mode == Mode::Apply {
        for component in &desired.components {
            let decided = actions.decide(component);
            let presence = scene.presence(component);
            if presence == Presence::Installed {
                refusals.extend(decided.refusals);
            }
            let removals = scene.removals(component, &presence, &removal_off);
            components.push(installed(
                component,
                presence,
                decided.actions,
                removals,
                scene.predecessors(component),
                scene.former_names(component),
            ));
        }
    }
    components.extend(scene.leaving(&removal_off));
    guard::identity::check(desired, observation, intent, &mut refusals);
    guard::forward::check(desired, observation, intent, &mut refusals);
    guard::removals::check(desired, observation, intent, &components, &removal_off, &mut refusals);
    guard::recreation::check(observation, dry_runs, intent, &components, &mut refusals);
    guard::inventories::check(desired, observation, &mut refusals);

    Plan {
        schema_version: 1,
        landscape: desired.landscape.clone(),
        origin: desired.origin.clone(),
        cluster: desired.cluster.clone(),
        cluster_uid: observation.cluster_uid.clone(),
        revision: match intent.mode {
            Mode::Apply => desired.revision.clone(),
            // A deletion applies no revision: the record keeps the one that was applied last.
            Mode::Delete { .. } => observation.identity.as_ref().and_then(|record| record.revision.clone()),
        },
        applied: observation.identity.as_ref().and_then(|record| record.revision.clone()),
        server_version: observation.discovery.git_version.clone(),
        salt: intent.salt.clone(),
        new_cluster: observation.identity.is_none(),
        namespaces,
        components,
        refusals,
        warnings: scene.warnings(),
        removal_off,
    }
}

fn installed(
    component: &DesiredComponent,
    presence: Presence,
    mut actions: Vec<Action>,
    removals: Vec<Removal>,
    takes_over: Vec<String>,
    formerly: Vec<String>,
) -> ComponentPlan {
    actions.sort_by_cached_key(|action| order::write_key(&action.reference));
    ComponentPlan {
        name: component.name.clone(),
        presence,
        after: component.after.clone(),
        timeout_seconds: component.timeout.as_secs(),
        actions,
        removals,
        takes_over,
        formerly,
    }
}

/// What is looked at from many sides while planning.
struct Scene<'a> {
    desired: &'a Desired,
    observation: &'a Observation,
    intent: &'a Intent,
    /// Which component wants each object.
    wanted: BTreeMap<&'a ObjectRef, &'a DesiredComponent>,
    /// Live UIDs of wanted objects.
    wanted_uids: BTreeMap<&'a str, &'a ObjectRef>,
}

impl<'a> Scene<'a> {
    fn new(desired: &'a Desired, observation: &'a Observation, intent: &'a Intent) -> Self {
        // Whoever deletes everything wants nothing; whoever deletes one component leaves the others theirs.
        let wanted: BTreeMap<_, _> = match &intent.mode {
            Mode::Delete { components: None, .. } => BTreeMap::new(),
            _ => desired.wanted(),
        };
        let wanted_uids = wanted
            .keys()
            .filter_map(|reference| Some((observation.live.get(*reference)?.uid(), *reference)))
            .filter(|(uid, _)| !uid.is_empty())
            .collect();
        Self { desired, observation, intent, wanted, wanted_uids }
    }

    fn presence(&self, component: &DesiredComponent) -> Presence {
        if let Some(reason) = &component.suspended {
            Presence::Suspended(reason.clone())
        } else if self.intent.selects(&component.name) {
            Presence::Installed
        } else {
            Presence::NotSelected
        }
    }

    /// Whether the component is written in this run.
    fn is_written(&self, component: &DesiredComponent) -> bool {
        self.intent.mode == Mode::Apply && self.presence(component) == Presence::Installed
    }

    /// Namespaces to make: those that components name, that are not there, and that no manifest declares.
    fn namespaces(&self) -> BTreeMap<String, NamespaceBody> {
        let declared = self.desired.declared_namespaces();
        self.desired
            .components
            .iter()
            .filter(|component| self.is_written(component))
            .map(|component| &component.namespace)
            .filter(|name| {
                !self.observation.namespaces.contains_key(*name) && !declared.contains(name.as_str())
            })
            .map(|name| {
                let metadata = self.desired.namespaces.get(name).cloned().unwrap_or_default();
                (name.clone(), NamespaceBody { labels: metadata.labels, annotations: metadata.annotations })
            })
            .collect()
    }

    /// Why nothing may be removed (I7).
    fn removal_off(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        if self.intent.no_prune {
            reasons.push("`--no-prune` was given".to_owned());
        }
        reasons.extend(self.desired.incomplete.iter().cloned());
        reasons.extend(self.observation.incomplete.iter().cloned());
        let failed = &self.observation.discovery.failed;
        if !failed.is_empty() {
            let groups: Vec<String> = failed.iter().map(|group| format!("`{group}`")).collect();
            reasons.push(format!("the server could not list the kinds of {}", groups.join(", ")));
        }
        reasons
    }

    /// Names that this component had and that no other has now.
    fn former_names(&self, component: &DesiredComponent) -> Vec<String> {
        component.formerly.iter().filter(|name| self.desired.component(name).is_none()).cloned().collect()
    }

    /// Former names whose inventories this component takes over.
    fn predecessors(&self, component: &DesiredComponent) -> Vec<String> {
        let mut names = self.former_names(component);
        names.retain(|name| self.observation.inventories.contains_key(name));
        names
    }

    /// What a wanted component no longer wants.
    fn removals(&self, component: &DesiredComponent, presence: &Presence, off: &[String]) -> Vec<Removal> {
        if *presence != Presence::Installed {
            return Vec::new();
        }
        // An inventory that was taken over may list objects that still carry the former name's mark.
        let former = self.former_names(component);
        let names: Vec<&str> = std::iter::once(&component.name).chain(&former).map(String::as_str).collect();
        let system = self.intent.allow_removal.contains(&component.name);
        self.judge(&names, system, off)
    }

    /// Decides about every entry in the inventories of `names` that its component does not want.
    fn judge(&self, names: &[&str], system: bool, off: &[String]) -> Vec<Removal> {
        let keep_objects = matches!(self.intent.mode, Mode::Delete { keep_objects: true, .. });
        let judge = Judge {
            landscape: &self.desired.landscape,
            owners: names.to_vec(),
            observation: self.observation,
            wanted_uids: &self.wanted_uids,
            system,
            keep_objects,
        };
        let mut seen = BTreeSet::new();
        let mut removals: Vec<Removal> = names
            .iter()
            .filter_map(|name| self.observation.inventories.get(*name))
            .flat_map(|inventory| inventory.entries.values())
            .filter(|entry| seen.insert(&entry.reference))
            .filter_map(|entry| self.removal(entry, names, &judge, off))
            .collect();
        removals.sort_by_cached_key(|removal| order::removal_key(&removal.reference));
        removals
    }

    fn removal(&self, entry: &Entry, names: &[&str], judge: &Judge<'_>, off: &[String]) -> Option<Removal> {
        match self.wanted.get(&entry.reference) {
            Some(component) if names.contains(&component.name.as_str()) => None,
            Some(component) => {
                // Wanted elsewhere: never deleted, and let go only once the other has it.
                let handed_over =
                    self.is_written(component) && self.observation.live.contains_key(&entry.reference);
                let decision = if handed_over {
                    Decision::Forget(format!("it moves to the component `{}`", component.name))
                } else {
                    Decision::Keep(format!(
                        "the component `{}` wants it, which is not written in this run",
                        component.name
                    ))
                };
                Some(Removal {
                    reference: entry.reference.clone(),
                    version: entry.version.clone(),
                    decision,
                    live: self.observation.live.get(&entry.reference).map(super::removal::version_of),
                })
            }
            None if off.is_empty() => judge.decide(entry),
            None => None,
        }
    }

    /// Components that leave, dependents first.
    fn leaving(&self, off: &[String]) -> Vec<ComponentPlan> {
        // Only an apply hands inventories over; a deletion deletes them under the names that they have.
        let taken: BTreeSet<String> = match self.intent.mode {
            Mode::Apply => self.desired.components.iter().flat_map(|c| self.predecessors(c)).collect(),
            Mode::Delete { .. } => BTreeSet::new(),
        };
        let leaving: BTreeMap<&str, &Inventory> = self
            .observation
            .inventories
            .iter()
            .filter(|(name, _)| self.leaves(name) && !taken.contains(*name))
            .map(|(name, inventory)| (name.as_str(), inventory))
            .collect();
        let mut plans = Vec::new();
        for name in dependents_first(&leaving) {
            let removals = self.judge(&[name], self.is_meant(name), off);
            let after =
                self.observation.inventories.iter().filter(|(_, inventory)| inventory.after.contains(name));
            plans.push(ComponentPlan {
                name: name.to_owned(),
                presence: Presence::Leaving(self.reason(name)),
                after: after.map(|(dependent, _)| dependent.clone()).collect(),
                timeout_seconds: 300,
                actions: Vec::new(),
                removals,
                takes_over: Vec::new(),
                formerly: Vec::new(),
            });
        }
        plans
    }

    fn leaves(&self, name: &str) -> bool {
        match &self.intent.mode {
            Mode::Apply => self.desired.component(name).is_none() && self.intent.selects(name),
            Mode::Delete { components, .. } => components.as_ref().is_none_or(|names| names.contains(name)),
        }
    }

    /// Whether the removal of a component needs no more words.
    fn is_meant(&self, name: &str) -> bool {
        guard::removals::is_meant(self.desired, self.intent, name)
    }

    fn reason(&self, name: &str) -> String {
        match &self.intent.mode {
            Mode::Delete { .. } => "`delete` was asked for".into(),
            Mode::Apply => {
                self.desired.absent.get(name).cloned().unwrap_or_else(|| "its file is gone".into())
            }
        }
    }

    fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        for component in &self.desired.components {
            for former in &component.formerly {
                if self.desired.component(former).is_some() {
                    warnings.push(format!(
                        "`{}` says that it was formerly `{former}`, which is still a component: nothing is handed over",
                        component.name
                    ));
                }
            }
        }
        warnings
    }
}

/// Names of `inventories`, each before those that it needed. A cycle (two records of different times) is broken by
/// name.
fn dependents_first<'a>(inventories: &BTreeMap<&'a str, &'a Inventory>) -> Vec<&'a str> {
    let mut left: BTreeSet<&str> = inventories.keys().copied().collect();
    let mut sorted = Vec::new();
    while let Some(first) = left.first().copied() {
        let free = left
            .iter()
            .copied()
            .find(|name| !left.iter().any(|other| other != name && inventories[other].after.contains(*name)));
        let next = free.unwrap_or(first);
        left.remove(next);
        sorted.push(next);
    }
    sorted
}

impl Plan {
    /// Whether carrying it out would write nothing to any object: everything is as wanted.
    pub fn is_empty(&self) -> bool {
        self.namespaces.is_empty()
            && self.components.iter().filter(|component| component.is_written()).all(ComponentPlan::is_empty)
    }
}

impl ComponentPlan {
    /// Whether the component is written in this run (not suspended, and selected).
    pub fn is_written(&self) -> bool {
        matches!(self.presence, Presence::Installed | Presence::Leaving(_))
    }

    /// Whether nothing changes: no object is written, removed or let go, and no inventory taken over.
    pub fn is_empty(&self) -> bool {
        let idle =
            |action: &Action| matches!(action.operation, Operation::Unchanged(_) | Operation::Skipped { .. });
        self.takes_over.is_empty()
            && self.actions.iter().all(|action| idle(action) && action.handed_over_from.is_none())
            && self.removals.iter().all(|removal| matches!(removal.decision, Decision::Keep(_)))
    }
}

#[cfg(test)]
#[path = "planner_tests.rs"]
mod tests;
