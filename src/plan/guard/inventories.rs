//! Records that are missing or too new to be understood.

use std::collections::BTreeMap;

use crate::object::ObjectRef;
use crate::plan::desired::Desired;
use crate::plan::inventory::{Entry, FIELD_MANAGER, RECORD_NAMESPACE, record_name};
use crate::plan::marks;
use crate::plan::model::Refusal;
use crate::plan::observation::{Live, Observation};
use crate::plan::proof::fields_v1;

/// The record's format that this version writes and reads.
const SCHEMA_VERSION: u32 = 1;

/// `newer-inventory`, `inventory-missing`.
pub(in crate::plan) fn check(desired: &Desired, observation: &Observation, refusals: &mut Vec<Refusal>) {
    for inventory in observation.inventories.values().filter(|i| i.schema_version > SCHEMA_VERSION) {
        refusals.push(Refusal {
            code: "newer-inventory".into(),
            message: format!("the inventory of `{}` was written by a newer landskap", inventory.component),
            hint: "use that version".into(),
            objects: Vec::new(),
        });
    }
    let mut members: BTreeMap<&str, Vec<ObjectRef>> = BTreeMap::new();
    for (reference, live) in &observation.live {
        let component = marks::marked_component(live, &desired.landscape);
        let unlisted = component.filter(|component| !observation.inventories.contains_key(*component));
        // A component that was renamed lists what still carries the former name's mark.
        let unlisted = unlisted.filter(|_| !is_listed(observation, reference));
        if let Some(component) = unlisted.filter(|_| is_member(live)) {
            members.entry(component).or_default().push(reference.clone());
        }
    }
    for (component, objects) in members {
        let record = record_name(&desired.landscape, component);
        refusals.push(Refusal {
            code: "inventory-missing".into(),
            message: format!(
                "the inventory of `{component}` is missing, though {} of its objects are there",
                objects.len()
            ),
            hint: format!(
                "restore the ConfigMap `{record}` in the namespace `{RECORD_NAMESPACE}`; or take the `landskap.io` labels off the objects and let the component `adopt: unowned`"
            ),
            objects,
        });
    }
}

fn is_listed(observation: &Observation, reference: &ObjectRef) -> bool {
    let key = Entry::key(reference);
    observation.inventories.values().any(|inventory| inventory.entries.contains_key(&key))
}

/// Whether we applied it ourselves: controllers copy labels to what they make (a Service's to its `EndpointSlices`).
fn is_member(live: &Live) -> bool {
    marks::owner(live).is_none()
        && fields_v1::entries(live).iter().any(|entry| entry.ours && entry.manager == FIELD_MANAGER)
}
