//! Changes that would delete something and make it again: never without a word.

use crate::object::ObjectRef;
use crate::plan::intent::Intent;
use crate::plan::model::{Action, ComponentPlan, Decision, Operation, Presence, Refusal};
use crate::plan::observation::Observation;

/// `recreation`: a change of namespace or release name shows as removals beside creations of the same kind.
/// (An immutable field blocks its object unless recreation is allowed: see `action`.)
pub(in crate::plan) fn check(
    observation: &Observation,
    intent: &Intent,
    components: &[ComponentPlan],
    refusals: &mut Vec<Refusal>,
) {
    for component in components.iter().filter(|component| component.presence == Presence::Installed) {
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
