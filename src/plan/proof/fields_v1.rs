//! Reading `metadata.managedFields`: which manager owns which fields (`FieldsV1`, structured-merge-diff).
//!
//! A node of `FieldsV1` is a map whose keys are `f:NAME` (a map key), `k:{…}` (a list item by its key fields),
//! `v:VALUE` (a set item), `i:N` (a position) and `.` (the node itself). An empty node is a leaf: a scalar, or a
//! list or map that is owned as a whole.

use serde_json::{Map, Value};

use crate::plan::inventory::FIELD_MANAGER;
use crate::plan::observation::Live;

/// A node of `FieldsV1`.
pub(in crate::plan) type Fields = Map<String, Value>;

/// One manager's entry.
#[derive(Debug, Clone, Copy)]
pub(in crate::plan) struct Entry<'a> {
    /// Its name.
    pub(in crate::plan) manager: &'a str,
    /// At which version the fields are named.
    pub(in crate::plan) api_version: &'a str,
    /// Whether it is our own apply of the main resource.
    pub(in crate::plan) ours: bool,
    /// The owned fields.
    pub(in crate::plan) fields: &'a Fields,
}

/// Every entry whose fields can be read.
pub(in crate::plan) fn entries(live: &Live) -> Vec<Entry<'_>> {
    let listed = live.0.pointer("/metadata/managedFields").and_then(Value::as_array);
    listed.into_iter().flatten().filter_map(entry).collect()
}

fn entry(entry: &Value) -> Option<Entry<'_>> {
    let text = |key: &str| entry.get(key).and_then(Value::as_str).unwrap_or_default();
    Some(Entry {
        manager: text("manager"),
        api_version: text("apiVersion"),
        ours: text("manager") == FIELD_MANAGER
            && text("operation") == "Apply"
            && text("subresource").is_empty(),
        // An entry without any field is no leaf that owns the whole object: it owns nothing.
        fields: entry.get("fieldsV1")?.as_object().filter(|fields| !fields.is_empty())?,
    })
}

/// Our own apply entry: the only one, or none.
pub(in crate::plan) fn our_entry(live: &Live) -> Option<Entry<'_>> {
    let mut ours = entries(live).into_iter().filter(|entry| entry.ours);
    match (ours.next(), ours.next()) {
        (Some(entry), None) => Some(entry),
        _ => None,
    }
}

/// Whether a node names nothing beneath itself.
pub(in crate::plan) fn is_leaf(fields: &Fields) -> bool {
    fields.keys().all(|key| key == ".")
}

/// The keys beneath a node, without `.`.
pub(in crate::plan) fn children(fields: &Fields) -> impl Iterator<Item = (&str, &Value)> {
    fields.iter().filter(|(key, _)| *key != ".").map(|(key, value)| (key.as_str(), value))
}

/// How the children of a node are named; `None` for a leaf, a mixture, or positions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::plan) enum Shape {
    /// `f:`: a map.
    Map,
    /// `k:`: a list of items with key fields.
    Keyed,
    /// `v:`: a set.
    Set,
}

/// See [`Shape`].
pub(in crate::plan) fn shape(fields: &Fields) -> Option<Shape> {
    let mut shape = None;
    for (key, _) in children(fields) {
        let this = match key.get(..2) {
            Some("f:") => Shape::Map,
            Some("k:") => Shape::Keyed,
            Some("v:") => Shape::Set,
            _ => return None,
        };
        if *shape.get_or_insert(this) != this {
            return None;
        }
    }
    shape
}

/// The key fields of a `k:` child.
pub(in crate::plan) fn key_fields(child: &str) -> Option<Map<String, Value>> {
    serde_json::from_str(child.strip_prefix("k:")?).ok()
}

/// The value of a `v:` child.
pub(in crate::plan) fn set_value(child: &str) -> Option<Value> {
    serde_json::from_str(child.strip_prefix("v:")?).ok()
}

/// Whether a list item has these key fields. An absent `protocol` is `TCP`: the one key with a default.
pub(in crate::plan) fn has_key(item: &Value, key: &Map<String, Value>) -> bool {
    key.iter().all(|(name, value)| match item.get(name) {
        Some(found) => found == value,
        None => name == "protocol" && value == "TCP",
    })
}

/// Where the only item with these key fields stands; `None` without one or with several.
pub(in crate::plan) fn position(items: &[Value], key: &Map<String, Value>) -> Option<usize> {
    let mut found = items.iter().enumerate().filter(|(_, item)| has_key(item, key)).map(|(index, _)| index);
    match (found.next(), found.next()) {
        (Some(index), None) => Some(index),
        _ => None,
    }
}
