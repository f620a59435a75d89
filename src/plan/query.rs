//! What has to be read before anything can be decided.

use std::collections::BTreeMap;

use super::builtin;
use super::desired::Desired;
use super::inventory::Inventory;
use super::observation::Query;
use crate::object::{Discovery, GroupKind, GroupVersionKind, ObjectRef};

/// Lists by the landscape's mark every kind that is wanted or remembered, and names every object that is, so that
/// what no list returns can be read by itself. Kinds and versions that the server does not serve are left out.
pub fn query(desired: &Desired, inventories: &BTreeMap<String, Inventory>, discovery: &Discovery) -> Query {
    let mut query = Query::default();
    for object in desired.objects() {
        if discovery.serves(&object.gvk) {
            query.objects.insert(object.reference.clone(), object.gvk.clone());
        } else if let Some(gvk) = served(discovery, &object.gvk.group_kind()) {
            // Its version comes with a definition of this plan; whether it exists can be asked at another.
            query.objects.insert(object.reference.clone(), gvk);
        }
        if let Some((reference, gvk)) = definition(discovery, &object.gvk.group_kind()) {
            query.objects.entry(reference).or_insert(gvk);
        }
    }
    for entry in inventories.values().flat_map(|inventory| inventory.entries.values()) {
        if query.objects.contains_key(&entry.reference) {
            continue;
        }
        let remembered = entry.gvk();
        let gvk = if discovery.serves(&remembered) {
            Some(remembered)
        } else {
            served(discovery, &entry.reference.group_kind())
        };
        if let Some(gvk) = gvk {
            query.objects.insert(entry.reference.clone(), gvk);
        }
    }
    query.lists = query
        .objects
        .values()
        .filter(|gvk| {
            discovery.get(&gvk.group_kind()).is_some_and(|resource| resource.verbs.contains("list"))
        })
        .cloned()
        .collect();
    query
}

/// The kind at the version that the server prefers.
fn served(discovery: &Discovery, kind: &GroupKind) -> Option<GroupVersionKind> {
    let version = discovery.get(kind)?.versions.first()?;
    Some(GroupVersionKind { group: kind.group.clone(), version: version.clone(), kind: kind.kind.clone() })
}

/// The CustomResourceDefinition of a kind that is not built in: its generation bounds proofs by memory.
pub(super) fn definition(discovery: &Discovery, kind: &GroupKind) -> Option<(ObjectRef, GroupVersionKind)> {
    if builtin::is_builtin(&kind.group) {
        return None;
    }
    let name = format!("{}.{}", discovery.get(kind)?.plural, kind.group);
    let definitions = GroupKind::new("apiextensions.k8s.io", "CustomResourceDefinition");
    let reference =
        ObjectRef { group: definitions.group.clone(), kind: definitions.kind.clone(), namespace: None, name };
    Some((reference, served(discovery, &definitions)?))
}
