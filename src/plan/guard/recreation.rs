//! Changes that would delete something and make it again: never without a word.

use crate::object::ObjectRef;
use crate::plan::immutable::is_precious;
use crate::plan::intent::Intent;
use crate::plan::marks::RECREATE;
use crate::plan::model::{Action, ComponentPlan, Decision, Operation, Presence, Refusal};
use crate::plan::observation::{DryRun, DryRuns, Observation};

/// `recreation`: an immutable field would change; or a change of namespace or release name shows as removals beside
/// creations of the same kind.
pub(in crate::plan) fn check(
    observation: &Observation,
    dry_runs: &DryRuns,
    intent: &Intent,
    components: &[ComponentPlan],
    refusals: &mut Vec<Refusal>,
) {
    for component in components.iter().filter(|component| component.presence == Presence::Installed) {
        refusals.extend(immutable(observation, dry_runs, component));
        if intent.allow_recreate.contains(&component.name) {
            continue;
        }
        let created: Vec<&ObjectRef> =
            component.actions.iter().filter(|a| is_create(a)).map(|a| &a.reference).collect();
        // A claim is kept, but what replaces it starts without its data.
        let deleted = component.removals.iter().filter(|removal| {
            removal.decision == Decision::Delete || removal.reference.is("", "PersistentVolumeClaim")
        });
        let objects: Vec<ObjectRef> = deleted
            .map(|removal| &removal.reference)
            .filter(|gone| created.iter().any(|new| replaces(observation, gone, new)))
            .cloned()
            .collect();
        let Some(first) = objects.first() else { continue };
        let precious: Vec<String> = objects
            .iter()
            .filter(|object| is_missed(observation, object))
            .map(|o| name(observation, o))
            .collect();
        let loss = if precious.is_empty() {
            String::new()
        } else {
            format!("; data or addresses would be lost with {}", precious.join(", "))
        };
        refusals.push(Refusal {
            code: "recreation".into(),
            message: format!(
                "{} objects of `{}` would be deleted and made again under another name or namespace, among them {first}{loss}",
                objects.len(),
                component.name
            ),
            hint: format!("if you mean it, use `--allow-recreate {}`", component.name),
            objects,
        });
    }
}

/// What `action` has blocked because only an immutable field stands in the way. Where recreation is allowed it
/// has blocked nothing.
fn immutable(observation: &Observation, dry_runs: &DryRuns, component: &ComponentPlan) -> Option<Refusal> {
    let blocked = |action: &&Action| matches!(action.operation, Operation::Blocked { .. });
    let rejection = |reference: &ObjectRef| match dry_runs.get(reference) {
        Some(DryRun::Rejected(rejection)) if observation.live.contains_key(reference) => {
            crate::plan::immutable::fields(rejection)
        }
        _ => None,
    };
    let found = component.actions.iter().filter(blocked);
    let found = found.filter_map(|action| Some((&action.reference, rejection(&action.reference)?)));
    let found: Vec<(&ObjectRef, Vec<String>)> = found.collect();
    let (first, fields) = found.first()?;
    let name = &component.name;
    // What holds data must say so itself as well: see `action`.
    let marks = if found.iter().any(|(reference, _)| is_precious(reference)) {
        format!("`--allow-recreate {name}`, and on the object the annotation `{RECREATE}: allowed`")
    } else {
        format!("`--allow-recreate {name}`, or on the object the annotation `{RECREATE}: allowed`")
    };
    Some(Refusal {
        code: "recreation".into(),
        message: format!(
            "{} of `{name}` can't be changed, only deleted and made again: {} of {first} is immutable",
            if found.len() == 1 { "an object".to_owned() } else { format!("{} objects", found.len()) },
            fields.join(", "),
        ),
        hint: format!("if you mean it, use {marks}"),
        objects: found.into_iter().map(|(reference, _)| reference.clone()).collect(),
    })
}

fn is_create(action: &Action) -> bool {
    matches!(action.operation, Operation::Create { .. })
}

/// Whether `new` is `gone` somewhere else: the same name in another namespace, or, for what people miss, another
/// name of the same kind.
fn replaces(observation: &Observation, gone: &ObjectRef, new: &ObjectRef) -> bool {
    if gone.group_kind() != new.group_kind() {
        return false;
    }
    (gone.name == new.name && gone.namespace != new.namespace) || is_missed(observation, gone)
}

/// The object, and for a StatefulSet the claims that hang on its name.
fn name(observation: &Observation, reference: &ObjectRef) -> String {
    let spec = observation.live.get(reference).map(|live| &live.0["spec"]);
    let templates = spec.and_then(|spec| spec["volumeClaimTemplates"].as_array());
    let claims: Vec<String> = templates
        .into_iter()
        .flatten()
        .filter_map(|template| {
            Some(format!("`{}-{}-*`", template["metadata"]["name"].as_str()?, reference.name))
        })
        .collect();
    if claims.is_empty() {
        reference.to_string()
    } else {
        format!("{reference} (PersistentVolumeClaims {})", claims.join(", "))
    }
}

/// Objects whose loss is felt: `StatefulSets` (and the claims that hang on their names), claims, and Services with an
/// address from outside.
fn is_missed(observation: &Observation, reference: &ObjectRef) -> bool {
    reference.is("apps", "StatefulSet")
        || reference.is("", "PersistentVolumeClaim")
        || (reference.is("", "Service")
            && observation.live.get(reference).is_some_and(|live| live.0["spec"]["type"] == "LoadBalancer"))
}
