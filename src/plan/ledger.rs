//! How an inventory changes during a run: written ahead of the objects, then settled by what became of each.
//!
//! Pure: `apply` calls these and `cluster` stores the result. At every moment the stored record lists at least what
//! carries our mark (I1), and an unknown outcome counts as "maybe" (I3).

use super::inventory::{Entry, Inventory, Memory, Phase, State};
use super::model::{Action, ComponentPlan, Decision, Operation, Plan, Removal};
use crate::object::ObjectRef;

/// What became of one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Written, or found as wanted.
    Applied {
        /// Its UID.
        uid: String,
        /// At which version.
        version: String,
        /// What to remember of it, see [`super::remember`].
        memory: Option<Memory>,
    },
    /// Sent, and no answer came: it may be there.
    Unknown,
    /// Refused for certain.
    Failed,
    /// A delete is about to be sent, or was sent and the object is not gone yet.
    Deleting,
    /// It does not exist.
    Gone,
    /// It stays though it is not wanted.
    Kept,
    /// It is no longer ours.
    Forgotten,
}

/// The record to store before any object of `component` is written: everything that is listed, and everything that
/// the plan will write, as intent. Entries of inventories that are taken over come with the plan itself.
pub fn write_ahead(previous: Option<&Inventory>, component: &ComponentPlan, plan: &Plan) -> Inventory {
    let mut inventory = previous.cloned().unwrap_or_else(|| empty(component, plan));
    if inventory.server_version != plan.server_version {
        // Digests were taken on another version of the server: they prove nothing any more.
        for entry in inventory.entries.values_mut() {
            entry.memory = None;
        }
    }
    inventory.server_version.clone_from(&plan.server_version);
    inventory.revision.clone_from(&plan.revision);
    inventory.phase = Phase::Applying;
    for action in &component.actions {
        intend(&mut inventory, action);
    }
    // What it needed so far it needs until it is written in full: see `close`.
    if !component.actions.is_empty() {
        inventory.after.extend(component.after.iter().cloned());
    }
    for removal in &component.removals {
        list(&mut inventory, removal);
    }
    inventory
}

/// Lists in `inventory` everything that the inventory of a former name lists, whatever the plan says of it: that
/// record is deleted afterwards, and what it listed must not be without one (I1).
pub fn take_over(inventory: &mut Inventory, former: &Inventory) {
    for (key, entry) in &former.entries {
        inventory.entries.entry(key.clone()).or_insert_with(|| Entry { memory: None, ..entry.clone() });
    }
}

fn empty(component: &ComponentPlan, plan: &Plan) -> Inventory {
    Inventory {
        schema_version: 1,
        landscape: plan.landscape.clone(),
        cluster: plan.cluster.clone(),
        component: component.name.clone(),
        cluster_uid: plan.cluster_uid.clone(),
        revision: None,
        phase: Phase::Applying,
        server_version: String::new(),
        after: component.after.clone(),
        entries: std::collections::BTreeMap::new(),
        resource_version: None,
    }
}

fn intend(inventory: &mut Inventory, action: &Action) {
    let entry = inventory.entries.entry(Entry::key(&action.reference));
    let uid = action.live.as_ref().map(|live| live.uid.clone());
    match &action.operation {
        Operation::Create { .. } | Operation::Recreate { .. } => {
            entry.insert_entry(Entry {
                reference: action.reference.clone(),
                version: action.version.clone(),
                uid: None,
                state: State::Intent,
                memory: None,
            });
        }
        Operation::Update | Operation::Unchanged(_) => {
            entry.or_insert_with(|| Entry {
                reference: action.reference.clone(),
                version: action.version.clone(),
                uid,
                state: State::Intent,
                memory: None,
            });
        }
        // Never sent: an object that we have not marked needs no entry.
        Operation::Blocked { .. } | Operation::Skipped { .. } => {}
    }
}

/// Lists what a removal is about; a new entry only for what another inventory listed until now.
fn list(inventory: &mut Inventory, removal: &Removal) {
    if matches!(removal.decision, Decision::Forget(_)) {
        return;
    }
    let uid = removal.live.as_ref().map(|live| live.uid.clone());
    inventory.entries.entry(Entry::key(&removal.reference)).or_insert_with(|| Entry {
        reference: removal.reference.clone(),
        version: removal.version.clone(),
        uid,
        state: State::Owned,
        memory: None,
    });
}

/// Notes what became of one object.
pub fn record(inventory: &mut Inventory, reference: &ObjectRef, outcome: Outcome) {
    let key = Entry::key(reference);
    match outcome {
        Outcome::Gone | Outcome::Forgotten => {
            inventory.entries.remove(&key);
        }
        Outcome::Applied { uid, version, memory } => {
            let entry =
                Entry { reference: reference.clone(), version, uid: Some(uid), state: State::Owned, memory };
            inventory.entries.insert(key, entry);
        }
        // What was there before stays ours whatever became of the change.
        Outcome::Unknown => set_state(inventory, &key, State::Intent, true),
        Outcome::Failed => set_state(inventory, &key, State::Failed, true),
        Outcome::Deleting => set_state(inventory, &key, State::Deleting, false),
        Outcome::Kept => set_state(inventory, &key, State::Kept, false),
    }
}

fn set_state(inventory: &mut Inventory, key: &str, state: State, unless_owned: bool) {
    if let Some(entry) = inventory.entries.get_mut(key) {
        entry.memory = None;
        if !(unless_owned && entry.state == State::Owned) {
            entry.state = state;
        }
    }
}

/// The run is over: nothing is under way in this record any more. If all of it went well, the component needs what
/// it needs now, and nothing of what it needed before.
pub fn close(inventory: &mut Inventory, component: &ComponentPlan, went_well: bool) {
    inventory.phase = Phase::Idle;
    if went_well && !component.actions.is_empty() {
        inventory.after.clone_from(&component.after);
    }
}

/// What a plan learned from dry runs that the record does not know yet: the record with it, or `None` when storing
/// it would bring no new proof. A run that changes nothing writes at most this.
pub fn learn(inventory: &Inventory, component: &ComponentPlan, plan: &Plan) -> Option<Inventory> {
    let mut learned = write_ahead(Some(inventory), component, plan);
    learned.phase = inventory.phase;
    learned.revision.clone_from(&inventory.revision);
    let mut news = false;
    for action in &component.actions {
        let (Some(memory), Some(entry)) =
            (&action.memory, learned.entries.get_mut(&Entry::key(&action.reference)))
        else {
            continue;
        };
        if entry.memory.as_ref() != Some(memory) {
            entry.memory = Some(memory.clone());
            news = true;
        }
    }
    news.then_some(learned)
}

#[cfg(test)]
#[path = "ledger_tests.rs"]
mod tests;
