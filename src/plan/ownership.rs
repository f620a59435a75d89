//! Whose a live object is that we want to write.

use super::applyset::applyset_id;
use super::desired::{Desired, DesiredComponent};
use super::inventory::State;
use super::marks;
use super::observation::{Live, Observation};
use super::triage::entry;
use crate::object::ObjectRef;

/// Whose a live object is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Owner {
    /// The component that wants it.
    Ours,
    /// Another component of this landscape, which hands it over.
    Component(String),
    /// Nobody, as far as marks tell.
    Nobody,
    /// Something that must not be robbed.
    Foreign(String),
}

/// Whose `live` is. Our mark decides; without it (somebody removed the labels) an inventory entry with this very
/// UID does.
pub(super) fn owner(
    desired: &Desired,
    component: &DesiredComponent,
    observation: &Observation,
    reference: &ObjectRef,
    live: &Live,
) -> Owner {
    match marks::marked_component(live, &desired.landscape) {
        Some(name) if name == component.name => return Owner::Ours,
        Some(name) => return Owner::Component(name.to_owned()),
        None => {}
    }
    let names = std::iter::once(&component.name).chain(&component.formerly);
    let remembered = names.filter_map(|name| entry(observation.inventories.get(name)?, reference));
    for entry in remembered {
        if entry.state != State::Failed && entry.uid.as_deref() == Some(live.uid()) {
            return Owner::Ours;
        }
    }
    match marks::foreign_owner(live, &desired.landscape, &applyset_id(&desired.landscape, &component.name)) {
        Some(other) => Owner::Foreign(other),
        None => Owner::Nobody,
    }
}
