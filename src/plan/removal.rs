//! What happens to an object that an inventory lists and nobody wants.
//!
//! I2: deleted only with our mark on it, no owner above it, no mark that asks to keep it, and a UID to be sure of.
//! Whether the removal is meant at all is for `guard`; whether anything may be removed, for `plan`.

use std::collections::BTreeMap;

use super::inventory::{Entry, State};
use super::marks;
use super::model::{Decision, LiveVersion, Removal};
use super::observation::{Live, Observation};
use crate::object::ObjectRef;

/// What removals are decided by.
pub(super) struct Judge<'a> {
    /// The landscape's name.
    pub(super) landscape: &'a str,
    /// The component that owns the entry (its former names count as its own).
    pub(super) owners: Vec<&'a str>,
    /// What the cluster holds.
    pub(super) observation: &'a Observation,
    /// Live UIDs of wanted objects, and who they are.
    pub(super) wanted_uids: &'a BTreeMap<&'a str, &'a ObjectRef>,
    /// Whether objects in namespaces of Kubernetes itself may go too.
    pub(super) system: bool,
    /// Objects are only let go.
    pub(super) keep_objects: bool,
}

impl Judge<'_> {
    /// Decides about one entry; `None` when its state is unknown, which changes nothing.
    pub(super) fn decide(&self, entry: &Entry) -> Option<Removal> {
        let reference = &entry.reference;
        if self.observation.unreadable.contains_key(reference) {
            return None;
        }
        let live = self.observation.live.get(reference);
        let decision = match live {
            Some(live) => self.present(entry, live),
            None if self.observation.discovery.get(&reference.group_kind()).is_none() => unserved(entry),
            None => Decision::Forget("it is gone already".into()),
        };
        Some(Removal {
            reference: reference.clone(),
            version: self.version(entry),
            decision,
            live: live.map(version_of),
        })
    }

    fn present(&self, entry: &Entry, live: &Live) -> Decision {
        let reference = &entry.reference;
        if let Some(same) = self.wanted_uids.get(live.uid()) {
            return Decision::Forget(format!("it is the same object as {same}"));
        }
        match marks::marked_component(live, self.landscape) {
            Some(name) if self.owners.contains(&name) => {}
            Some(other) if self.lists(other, reference) => {
                return Decision::Forget(format!("it belongs to the component `{other}` now"));
            }
            // Whoever the mark names does not know it: without this entry nobody would (I1).
            Some(other) => {
                return Decision::Keep(format!(
                    "it carries the mark of `{other}`, whose inventory does not list it"
                ));
            }
            None => return Decision::Forget("it no longer carries our mark".into()),
        }
        if self.keep_objects {
            return Decision::Release;
        }
        if let Some(owner) = marks::owner(live) {
            return Decision::Keep(format!("{owner} owns it"));
        }
        if let Some(mark) = marks::keep_mark(live) {
            return Decision::Keep(mark);
        }
        if let Some(reason) = marks::protected_kind(reference) {
            return Decision::Keep(reason.into());
        }
        if !self.system && marks::in_system_namespace(reference) {
            let namespace = reference.namespace.as_deref().unwrap_or_default();
            return Decision::Keep(format!("the namespace `{namespace}` belongs to Kubernetes"));
        }
        Decision::Delete
    }

    /// Whether the inventory of `component` lists the object.
    fn lists(&self, component: &str, reference: &ObjectRef) -> bool {
        let inventory = self.observation.inventories.get(component);
        inventory.is_some_and(|inventory| inventory.entries.contains_key(&Entry::key(reference)))
    }

    /// The version to delete at: the remembered one if it is still served.
    fn version(&self, entry: &Entry) -> String {
        let discovery = &self.observation.discovery;
        if discovery.serves(&entry.gvk()) {
            return entry.version.clone();
        }
        let served =
            discovery.get(&entry.reference.group_kind()).and_then(|resource| resource.versions.first());
        served.unwrap_or(&entry.version).clone()
    }
}

/// An object whose kind the server does not serve. One of several API servers may be late, or an aggregated API may
/// come back with its objects: only what two runs in a row have found is believed.
fn unserved(entry: &Entry) -> Decision {
    let kind = entry.reference.group_kind();
    if entry.state == State::Kept {
        Decision::Forget(format!("the kind {kind} no longer exists"))
    } else {
        Decision::Keep(format!("the server does not serve the kind {kind}; the next run looks again"))
    }
}

/// Whether an object that the plan deletes may still go, as it is right before the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Removable {
    /// It may.
    Yes,
    /// It no longer carries the mark of any of the owners.
    NotOurs,
    /// It stays, with the reason.
    Kept(String),
}

/// Looks once more at `live` (I2): our mark, nobody above it, no wish to be kept. `owners` are the component and its
/// former names.
pub fn still_removable(landscape: &str, owners: &[&str], live: &Live) -> Removable {
    if !marks::marked_component(live, landscape).is_some_and(|name| owners.contains(&name)) {
        return Removable::NotOurs;
    }
    if let Some(owner) = marks::owner(live) {
        return Removable::Kept(format!("{owner} owns it"));
    }
    marks::keep_mark(live).map_or(Removable::Yes, Removable::Kept)
}

/// The live object that a decision rests on.
pub(super) fn version_of(live: &Live) -> LiveVersion {
    LiveVersion { uid: live.uid().into(), resource_version: live.resource_version().into() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_last_look_finds_what_changed_since_the_plan() {
        let labels = json!({"landskap.io/landscape": "platform", "landskap.io/component": "old"});
        let live = |metadata: serde_json::Value| {
            let mut live = Live(json!({"metadata": {"labels": labels}}));
            live.0["metadata"]
                .as_object_mut()
                .expect("a map")
                .extend(metadata.as_object().expect("a map").clone());
            live
        };
        let look = |live: &Live| still_removable("platform", &["new", "old"], live);
        assert_eq!(look(&live(json!({}))), Removable::Yes);
        assert_eq!(look(&live(json!({"labels": {}}))), Removable::NotOurs);
        assert_eq!(still_removable("platform", &["new"], &live(json!({}))), Removable::NotOurs);
        assert_eq!(still_removable("other", &["old"], &live(json!({}))), Removable::NotOurs);
        let owned = live(json!({"ownerReferences": [{"kind": "Operator", "name": "o"}]}));
        assert_eq!(look(&owned), Removable::Kept("Operator `o` owns it".into()));
        let kept = live(json!({"annotations": {"landskap.io/prune": "disabled"}}));
        assert_eq!(look(&kept), Removable::Kept("its annotation `landskap.io/prune` is `disabled`".into()));
    }
}
