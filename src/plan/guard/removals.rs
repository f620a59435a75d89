//! Removals that must be meant: components that leave, and large parts of components that stay.

use crate::object::ObjectRef;
use crate::plan::desired::Desired;
use crate::plan::intent::{Intent, Mode};
use crate::plan::model::{ComponentPlan, Decision, Presence, Refusal};
use crate::plan::observation::Observation;

/// Up to so many objects of a component that stays may always go.
const FEW: usize = 5;

/// Whether the removal of a component needs no more words: git says `installed: false`, the command line names it,
/// or `delete` was asked for.
pub(in crate::plan) fn is_meant(desired: &Desired, intent: &Intent, component: &str) -> bool {
    desired.not_installed.contains(component)
        || intent.allow_removal.contains(component)
        || intent.mode != Mode::Apply
}

/// `removal-limit`, `removal-of-state`, `removal-share`, `empty-desired`, `still-installed`, `removal-off`.
pub(in crate::plan) fn check(
    desired: &Desired,
    observation: &Observation,
    intent: &Intent,
    components: &[ComponentPlan],
    removal_off: &[String],
    refusals: &mut Vec<Refusal>,
) {
    if let Mode::Delete { components: names, .. } = &intent.mode {
        deletion(desired, names.is_some(), components, removal_off, refusals);
        return;
    }
    empty(desired, observation, components, refusals);
    leaving(desired, observation, intent, components, refusals);
    for component in components.iter().filter(|component| component.presence == Presence::Installed) {
        share(desired, observation, intent, component, refusals);
    }
}

/// Objects that a component's plan deletes.
fn deleted(component: &ComponentPlan) -> Vec<ObjectRef> {
    component
        .removals
        .iter()
        .filter(|removal| removal.decision == Decision::Delete)
        .map(|removal| removal.reference.clone())
        .collect()
}

fn is_leaving(component: &ComponentPlan) -> bool {
    matches!(component.presence, Presence::Leaving(_))
}

/// `delete` refuses what git would bring back, and does nothing where not everything is known.
fn deletion(
    desired: &Desired,
    named: bool,
    components: &[ComponentPlan],
    removal_off: &[String],
    refusals: &mut Vec<Refusal>,
) {
    for component in
        components.iter().filter(|component| named && desired.component(&component.name).is_some())
    {
        refusals.push(Refusal {
            code: "still-installed".into(),
            message: format!(
                "git still installs the component `{}` in `{}`",
                component.name, desired.cluster
            ),
            hint: "remove it from the landscape, or say `installed: false`, and apply that".into(),
            objects: Vec::new(),
        });
    }
    if !removal_off.is_empty() {
        refusals.push(Refusal {
            code: "removal-off".into(),
            message: format!("nothing is deleted while not everything is known: {}", removal_off.join("; ")),
            hint: "run it again once everything can be read".into(),
            objects: Vec::new(),
        });
    }
}

/// An empty desired set never deletes.
fn empty(
    desired: &Desired,
    observation: &Observation,
    components: &[ComponentPlan],
    refusals: &mut Vec<Refusal>,
) {
    let would_empty: Vec<ObjectRef> = components
        .iter()
        .filter(|component| is_leaving(component) && !desired.not_installed.contains(&component.name))
        .flat_map(deleted)
        .collect();
    if desired.components.is_empty() && !would_empty.is_empty() {
        refusals.push(Refusal {
            code: "empty-desired".into(),
            message: format!(
                "the landscape wants nothing in `{}`, so everything would be deleted",
                desired.cluster
            ),
            hint: "if you mean to empty the cluster, use `landskap delete --all`".into(),
            objects: would_empty,
        });
    }
    for component in components.iter().filter(|component| component.presence == Presence::Installed) {
        let objects = deleted(component);
        if component.actions.is_empty()
            && !objects.is_empty()
            && observation.inventories.contains_key(&component.name)
        {
            refusals.push(Refusal {
                code: "empty-desired".into(),
                message: format!(
                    "the component `{}` renders no object, so all of its {} would be deleted",
                    component.name,
                    objects.len()
                ),
                hint: format!("to remove it, say `installed: false` in `{}`", component.name),
                objects,
            });
        }
    }
}

fn leaving(
    desired: &Desired,
    observation: &Observation,
    intent: &Intent,
    components: &[ComponentPlan],
    refusals: &mut Vec<Refusal>,
) {
    let unmeant: Vec<(&ComponentPlan, Vec<ObjectRef>)> = components
        .iter()
        .filter(|component| is_leaving(component) && !is_meant(desired, intent, &component.name))
        .map(|component| (component, deleted(component)))
        .filter(|(_, objects)| !objects.is_empty())
        .collect();
    if unmeant.len() > desired.limits.components as usize {
        let names: Vec<String> =
            unmeant.iter().map(|(component, _)| format!("`{}`", component.name)).collect();
        let flags: Vec<String> =
            unmeant.iter().map(|(component, _)| format!("--allow-removal {}", component.name)).collect();
        refusals.push(Refusal {
            code: "removal-limit".into(),
            message: format!(
                "{} components would leave `{}`: {}; {} may go without a word",
                unmeant.len(),
                desired.cluster,
                names.join(", "),
                desired.limits.components
            ),
            hint: format!("if you mean it, use `{}`", flags.join(" ")),
            objects: unmeant.iter().flat_map(|(_, objects)| objects.clone()).collect(),
        });
    }
    for (component, _) in &unmeant {
        let objects: Vec<ObjectRef> = observation
            .inventories
            .get(&component.name)
            .into_iter()
            .flat_map(|inventory| inventory.entries.values())
            .map(|entry| &entry.reference)
            .filter(|reference| holds_state(reference) && observation.live.contains_key(*reference))
            .cloned()
            .collect();
        if let Some(first) = objects.first() {
            refusals.push(Refusal {
                code: "removal-of-state".into(),
                message: format!(
                    "the component `{}` would leave `{}`, and it holds {first}",
                    component.name, desired.cluster
                ),
                hint: format!("if you mean it, use `--allow-removal {}`", component.name),
                objects,
            });
        }
    }
}

fn holds_state(reference: &ObjectRef) -> bool {
    reference.is("apps", "StatefulSet")
        || reference.is("", "PersistentVolumeClaim")
        || reference.is("apiextensions.k8s.io", "CustomResourceDefinition")
        || reference.namespace.as_deref() == Some("kube-system")
}

fn share(
    desired: &Desired,
    observation: &Observation,
    intent: &Intent,
    component: &ComponentPlan,
    refusals: &mut Vec<Refusal>,
) {
    if intent.allow_removal.contains(&component.name) {
        return;
    }
    let names = std::iter::once(&component.name).chain(&component.takes_over);
    let listed: usize = names
        .filter_map(|name| observation.inventories.get(name))
        .map(|inventory| inventory.entries.len())
        .sum();
    let objects = deleted(component);
    #[expect(clippy::cast_precision_loss, reason = "counts of objects are far below 2^52")]
    let share = objects.len() as f64 / listed.max(1) as f64;
    if objects.len() > FEW && share > desired.limits.objects {
        refusals.push(Refusal {
            code: "removal-share".into(),
            message: format!(
                "{} of the {listed} objects of `{}` would be deleted, more than {:.0} %",
                objects.len(),
                component.name,
                desired.limits.objects * 100.0
            ),
            hint: format!("if you mean it, use `--allow-removal {}`", component.name),
            objects,
        });
    }
}
