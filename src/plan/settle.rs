//! Fields that others may change: taken out of what we send, or sent as they are.
//!
//! Done once, before triage, so that the proofs, the dry run and the apply all see the same body. For an object that
//! does not exist yet nothing is ignored. The rule (Flux's, see semantics §1.10): a field that another manager owns
//! is left out, so that ours lets go of it; a field that only we own gets its live value, since leaving it out would
//! remove it or set it to its default.

use serde_json::Value;

use super::desired::{Desired, DesiredObject};
use super::observation::{Live, Observation};
use super::proof::fields_v1;
use crate::landscape::PatchTarget;
use crate::object::ObjectRef;

mod pointer;
mod rules;

/// Applies the components' `ignoreDifferences` and the built-in rules to every body.
pub fn settle(desired: &mut Desired, observation: &Observation) {
    let scaled = rules::scaled(desired, observation);
    for component in &mut desired.components {
        for object in &mut component.objects {
            rules::always(object);
            let Some(live) = observation.live.get(&object.reference) else { continue };
            let mut paths: Vec<String> = component
                .ignore_differences
                .iter()
                .filter(|rule| hits(&rule.target, &object.reference))
                .flat_map(|rule| rule.paths.clone())
                .collect();
            paths.extend(rules::builtin(object, live, &scaled));
            for path in paths {
                ignore(object, live, &path);
            }
        }
    }
}

fn hits(target: &PatchTarget, reference: &ObjectRef) -> bool {
    let same = |wanted: &Option<String>, found: &str| wanted.as_deref().is_none_or(|wanted| wanted == found);
    same(&target.group, &reference.group)
        && same(&target.kind, &reference.kind)
        && same(&target.name, &reference.name)
        && same(&target.namespace, reference.namespace.as_deref().unwrap_or_default())
}

/// Takes the field at `path` out of the body, or gives it its live value.
fn ignore(object: &mut DesiredObject, live: &Live, path: &str) {
    for place in pointer::resolve(&object.body, path) {
        let live_value = pointer::follow(&live.0, &place);
        let others_own =
            fields_v1::entries(live).iter().any(|entry| !entry.ours && pointer::owns(entry.fields, &place));
        let we_own = fields_v1::our_entry(live).is_some_and(|entry| pointer::owns(entry.fields, &place));
        match live_value {
            Some(value) if we_own && !others_own => pointer::set(&mut object.body, &place, value.clone()),
            _ => pointer::remove(&mut object.body, &place),
        }
    }
}

/// A JSON scalar or structure at a pointer of a map.
fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer)?.as_str()
}

#[cfg(test)]
mod tests;
