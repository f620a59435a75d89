//! Proof by structure: our entry in managedFields names exactly the desired fields, and every value agrees.
//!
//! The rules (a)-(d) of semantics §1.10: names exactly equal; scalars equal, quantities by value, and for built-in
//! kinds a zero value equal to absence; what `FieldsV1` does not enter compared whole; items of keyed and set lists in
//! the same relative order. Where values agree only in meaning (a quantity, a zero, a default), nobody else may
//! own the field: the server's own comparison is by text, and would move ownership.

use serde_json::Value;

use super::defaults::is_default;
use super::fields_v1::{self, Fields, Shape};
use super::quantity;
use crate::plan::builtin::is_builtin;
use crate::plan::desired::DesiredObject;
use crate::plan::observation::Live;

/// Whether applying `object` to `live` provably changes nothing.
pub(in crate::plan) fn proves(object: &DesiredObject, live: &Live) -> bool {
    let Some(ours) = fields_v1::our_entry(live) else { return false };
    let api_version = object.gvk.api_version();
    let same_version = |value: &Value| value.get("apiVersion").and_then(Value::as_str) == Some(&api_version);
    if ours.api_version != api_version || !same_version(&live.0) || !same_version(&object.body) {
        return false;
    }
    let others: Vec<&Fields> =
        fields_v1::entries(live).into_iter().filter(|entry| !entry.ours).map(|entry| entry.fields).collect();
    let walk = Walk {
        group: &object.reference.group,
        kind: &object.reference.kind,
        builtin: is_builtin(&object.reference.group),
    };
    walk.node(&object.body, ours.fields, Some(&live.0), &others, &mut Vec::new())
}

/// What stays the same during one walk.
struct Walk<'a> {
    group: &'a str,
    kind: &'a str,
    builtin: bool,
}

impl Walk<'_> {
    /// Compares one node. `others` are the nodes of other managers at the same place.
    fn node<'v>(
        &self,
        desired: &'v Value,
        fields: &Fields,
        live: Option<&Value>,
        others: &[&Fields],
        path: &mut Vec<&'v str>,
    ) -> bool {
        if fields_v1::is_leaf(fields) {
            return self.leaf(desired, live, others, path);
        }
        let Some(live) = live else { return false };
        match fields_v1::shape(fields) {
            Some(Shape::Map) => self.map(desired, fields, live, others, path),
            Some(Shape::Keyed) => self.keyed(desired, fields, live, others, path),
            Some(Shape::Set) => set(desired, fields, live),
            None => false,
        }
    }

    /// (a): a map whose keys are exactly those named.
    fn map<'v>(
        &self,
        desired: &'v Value,
        fields: &Fields,
        live: &Value,
        others: &[&Fields],
        path: &mut Vec<&'v str>,
    ) -> bool {
        let (Some(desired), Some(live)) = (desired.as_object(), live.as_object()) else { return false };
        let mut named = 0;
        for (key, value) in desired {
            if is_unnamed(path, key) {
                continue;
            }
            let child = format!("f:{key}");
            let Some(fields) = fields.get(&child).and_then(Value::as_object) else { return false };
            named += 1;
            path.push(key);
            let agrees = self.node(value, fields, live.get(key), &descend(others, &child), path);
            path.pop();
            if !agrees {
                return false;
            }
        }
        named == fields_v1::children(fields).count()
    }

    /// (a) and (d): a list whose items are exactly those named, in the order of the live list.
    fn keyed<'v>(
        &self,
        desired: &'v Value,
        fields: &Fields,
        live: &Value,
        others: &[&Fields],
        path: &mut Vec<&'v str>,
    ) -> bool {
        let (Some(desired), Some(live)) = (desired.as_array(), live.as_array()) else { return false };
        if desired.len() != fields_v1::children(fields).count() {
            return false;
        }
        let mut places = vec![None; desired.len()];
        for (child, fields) in fields_v1::children(fields) {
            let (Some(key), Some(fields)) = (fields_v1::key_fields(child), fields.as_object()) else {
                return false;
            };
            let (Some(wanted), Some(found)) =
                (fields_v1::position(desired, &key), fields_v1::position(live, &key))
            else {
                return false;
            };
            let (wanted_item, found_item, others) =
                (&desired[wanted], Some(&live[found]), descend(others, child));
            // An item that is no leaf names at least its key fields; one that is, is owned as a whole.
            let agrees = if fields_v1::is_leaf(fields) {
                self.whole(wanted_item, found_item, &others, path)
            } else {
                self.node(wanted_item, fields, found_item, &others, path)
            };
            if !agrees {
                return false;
            }
            places[wanted] = Some(found);
        }
        in_order(&places)
    }

    /// (b) and (c): a scalar, or something owned as a whole. An empty node also stands for a map that was empty when
    /// it was applied (`strategy: {}`) and has filled since; only maps known to be atomic are told from those.
    fn leaf<'v>(
        &self,
        desired: &'v Value,
        live: Option<&Value>,
        others: &[&Fields],
        path: &mut Vec<&'v str>,
    ) -> bool {
        if desired.as_object().is_some_and(|map| !map.is_empty()) && !(self.builtin && is_atomic(path)) {
            return false;
        }
        self.whole(desired, live, others, path)
    }

    /// (b) and (c) where the node is known to be owned as a whole.
    fn whole<'v>(
        &self,
        desired: &'v Value,
        live: Option<&Value>,
        others: &[&Fields],
        path: &mut Vec<&'v str>,
    ) -> bool {
        match live {
            Some(live) if desired == live => true,
            Some(live) => self.builtin && others.is_empty() && self.means(desired, live, path),
            None => self.builtin && others.is_empty() && is_zero(desired),
        }
    }

    /// Whether the server stores `desired` as `live`: quantities rewritten, defaults added, nothing else.
    fn means<'v>(&self, desired: &'v Value, live: &Value, path: &mut Vec<&'v str>) -> bool {
        match (desired, live) {
            (Value::Object(desired), Value::Object(live)) => {
                let kept = desired.iter().all(|(key, value)| {
                    let Some(live) = live.get(key) else { return false };
                    path.push(key);
                    let agrees = self.means(value, live, path);
                    path.pop();
                    agrees
                });
                kept && live.iter().all(|(key, value)| {
                    desired.contains_key(key) || is_default(self.group, self.kind, path, key, value)
                })
            }
            (Value::Array(desired), Value::Array(live)) => {
                desired.len() == live.len()
                    && desired.iter().zip(live).all(|(desired, live)| self.means(desired, live, path))
            }
            _ => {
                desired == live
                    || (quantity::is_quantity(self.group, self.kind, path) && quantity::equal(desired, live))
            }
        }
    }
}

/// (a) and (d) for a set of scalars.
fn set(desired: &Value, fields: &Fields, live: &Value) -> bool {
    let (Some(desired), Some(live)) = (desired.as_array(), live.as_array()) else { return false };
    if desired.len() != fields_v1::children(fields).count() {
        return false;
    }
    let mut places = vec![None; desired.len()];
    for (child, _) in fields_v1::children(fields) {
        let Some(value) = fields_v1::set_value(child) else { return false };
        let only = |items: &[Value]| {
            let mut found =
                items.iter().enumerate().filter(|(_, item)| **item == value).map(|(index, _)| index);
            match (found.next(), found.next()) {
                (Some(index), None) => Some(index),
                _ => None,
            }
        };
        let (Some(wanted), Some(found)) = (only(desired), only(live)) else { return false };
        places[wanted] = Some(found);
    }
    in_order(&places)
}

/// Whether every desired item has a place in the live list, each after the one before it.
fn in_order(places: &[Option<usize>]) -> bool {
    places.iter().all(Option::is_some) && places.is_sorted_by(|one, other| one < other)
}

/// Maps of built-in kinds that have one owner (`x-kubernetes-map-type: atomic`): label selectors and references.
/// What is missing here costs a dry run and nothing more.
fn is_atomic(path: &[&str]) -> bool {
    const ATOMIC: [&str; 15] = [
        "selector",
        "nodeSelector",
        "labelSelector",
        "podSelector",
        "namespaceSelector",
        "objectSelector",
        "scopeSelector",
        "secretKeyRef",
        "configMapKeyRef",
        "fieldRef",
        "resourceFieldRef",
        "roleRef",
        "secretRef",
        "dataSource",
        "requiredDuringSchedulingIgnoredDuringExecution",
    ];
    path.last().is_some_and(|last| ATOMIC.contains(last))
}

/// Identity fields, which no manager owns.
fn is_unnamed(path: &[&str], key: &str) -> bool {
    match path {
        [] => key == "apiVersion" || key == "kind",
        ["metadata"] => key == "name" || key == "namespace",
        _ => false,
    }
}

/// The nodes of other managers one step down. A leaf stays: it owns everything beneath.
fn descend<'f>(others: &[&'f Fields], child: &str) -> Vec<&'f Fields> {
    others
        .iter()
        .filter_map(|fields| {
            if fields.is_empty() { Some(*fields) } else { fields.get(child).and_then(Value::as_object) }
        })
        .collect()
}

/// The values that Go's `omitempty` drops.
pub(in crate::plan) fn is_zero(value: &Value) -> bool {
    match value {
        Value::Bool(value) => !value,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::Null => false,
    }
}

#[cfg(test)]
#[path = "structure_tests.rs"]
mod tests;
