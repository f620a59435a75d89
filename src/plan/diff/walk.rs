//! Two objects side by side, with what managedFields knows of their lists.
//!
//! Items of keyed lists are matched by key and sets by value, so that inserting one shows one; lists that are owned
//! as a whole go by position.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::object::{FieldPath, Scalar, Segment};
use crate::plan::model::Change;
use crate::plan::observation::Live;
use crate::plan::proof::fields_v1::{self, Fields, Shape};

/// One found change.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Found {
    pub(super) path: FieldPath,
    pub(super) before: Option<Value>,
    pub(super) after: Option<Value>,
    /// Managers other than us that own it now.
    pub(super) managers: Vec<String>,
    /// Whether we own it, before or after.
    pub(super) owned: bool,
}

impl Found {
    /// As it stands in a plan.
    pub(super) fn into_change(self) -> Change {
        Change {
            path: self.path.to_string(),
            before: self.before,
            after: self.after,
            managers: self.managers,
        }
    }
}

/// Every difference between `before` and `after`, the values of `live` and `dry_run` without noise.
pub(super) fn changes(live: &Live, dry_run: &Live, before: &Value, after: &Value) -> Vec<Found> {
    let (old, new) = (fields_v1::entries(live), fields_v1::entries(dry_run));
    let place = Place {
        ours: old.iter().chain(&new).filter(|entry| entry.ours).map(|entry| entry.fields).collect(),
        others: old.iter().filter(|entry| !entry.ours).map(|entry| (entry.manager, entry.fields)).collect(),
        all: old.iter().chain(&new).map(|entry| entry.fields).collect(),
        whole: false,
    };
    let mut found = Vec::new();
    walk(&FieldPath::default(), &place, Some(before), Some(after), &mut found);
    found
}

/// What managedFields says about one path.
#[derive(Clone)]
struct Place<'a> {
    /// Our nodes here, before and after.
    ours: Vec<&'a Fields>,
    /// Nodes of others that own this now.
    others: Vec<(&'a str, &'a Fields)>,
    /// Everybody's nodes: they know the shape of lists.
    all: Vec<&'a Fields>,
    /// We own everything beneath.
    whole: bool,
}

impl<'a> Place<'a> {
    fn step(&self, segment: &Segment) -> Self {
        let down = |fields: &&'a Fields| step(fields, segment);
        Self {
            ours: self.ours.iter().filter_map(down).collect(),
            others: self
                .others
                .iter()
                .filter_map(|(name, fields)| Some((*name, step(fields, segment)?)))
                .collect(),
            all: self.all.iter().filter_map(down).collect(),
            whole: self.whole || self.ours.iter().any(|fields| fields.is_empty()),
        }
    }

    fn owned(&self) -> bool {
        self.whole || !self.ours.is_empty()
    }

    fn managers(&self) -> Vec<String> {
        let names: BTreeSet<&str> = self.others.iter().map(|(name, _)| *name).collect();
        names.into_iter().map(ToOwned::to_owned).collect()
    }

    /// How the items of a list here are told apart: by key fields, by value, or (`None`) by position.
    fn items(&self) -> Option<Items> {
        for fields in &self.all {
            match fields_v1::shape(fields) {
                Some(Shape::Keyed) => {
                    let key =
                        fields_v1::children(fields).find_map(|(child, _)| fields_v1::key_fields(child))?;
                    return Some(Items::Keyed(key.keys().cloned().collect()));
                }
                Some(Shape::Set) => return Some(Items::Set),
                _ => {}
            }
        }
        None
    }
}

/// See [`Place::items`].
enum Items {
    Keyed(Vec<String>),
    Set,
}

/// The node one step down; a leaf owns everything beneath it and stays.
fn step<'a>(fields: &'a Fields, segment: &Segment) -> Option<&'a Fields> {
    if fields.is_empty() {
        return Some(fields);
    }
    let child = match segment {
        Segment::Key(key) => fields.get(&format!("f:{key}")),
        Segment::Index(_) => None,
        Segment::Item(keys) => fields_v1::children(fields).map(|(name, _)| name).find_map(|name| {
            let named = fields_v1::key_fields(name)?;
            let same = named.len() == keys.len()
                && keys.iter().all(|(key, value)| named.get(key).is_some_and(|v| Scalar::new(v) == *value));
            same.then(|| fields.get(name)).flatten()
        }),
        Segment::Member(value) => fields_v1::children(fields).map(|(name, _)| name).find_map(|name| {
            let same = Scalar::new(&fields_v1::set_value(name)?) == *value;
            same.then(|| fields.get(name)).flatten()
        }),
    };
    child?.as_object()
}

fn walk(
    path: &FieldPath,
    place: &Place<'_>,
    before: Option<&Value>,
    after: Option<&Value>,
    found: &mut Vec<Found>,
) {
    if before == after {
        return;
    }
    match (before, after) {
        (Some(Value::Object(before)), Some(Value::Object(after))) => maps(path, place, before, after, found),
        (Some(Value::Array(before)), Some(Value::Array(after))) => lists(path, place, before, after, found),
        // A map that appears or goes is shown field by field where only some of its fields are ours.
        (None, Some(Value::Object(map))) if !place.whole && divided(place) => {
            maps(path, place, &Map::new(), map, found);
        }
        (Some(Value::Object(map)), None) if !place.whole && divided(place) => {
            maps(path, place, map, &Map::new(), found);
        }
        _ => found.push(Found {
            path: path.clone(),
            before: before.cloned(),
            after: after.cloned(),
            managers: place.managers(),
            owned: place.owned(),
        }),
    }
}

/// Whether one of our nodes here names single fields of a map.
fn divided(place: &Place<'_>) -> bool {
    place.ours.iter().any(|fields| fields_v1::shape(fields) == Some(Shape::Map))
}

fn maps(
    path: &FieldPath,
    place: &Place<'_>,
    before: &Map<String, Value>,
    after: &Map<String, Value>,
    found: &mut Vec<Found>,
) {
    let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for key in keys {
        let segment = Segment::Key(key.clone());
        walk(&path.then(segment.clone()), &place.step(&segment), before.get(key), after.get(key), found);
    }
}

fn lists(path: &FieldPath, place: &Place<'_>, before: &[Value], after: &[Value], found: &mut Vec<Found>) {
    let Some(items) = place.items() else { return positions(path, place, before, after, found) };
    let name = |item: &Value| segment(item, &items);
    let (Some(old), Some(new)) = (named(before, name), named(after, name)) else {
        return positions(path, place, before, after, found);
    };
    let get = |list: &[Value], names: &[Segment], wanted: &Segment| {
        names.iter().position(|name| name == wanted).map(|index| list[index].clone())
    };
    let gone = old.iter().filter(|name| !new.contains(name));
    for name in new.iter().chain(gone) {
        let (one, other) = (get(before, &old, name), get(after, &new, name));
        walk(&path.then(name.clone()), &place.step(name), one.as_ref(), other.as_ref(), found);
    }
    let common = |names: &[Segment], others: &[Segment]| -> Vec<Value> {
        let kept = names.iter().filter(|name| others.contains(name));
        kept.map(|name| Value::String(FieldPath(vec![name.clone()]).to_string())).collect()
    };
    let (one, other) = (common(&old, &new), common(&new, &old));
    if one != other {
        // The order of environment variables and init containers has a meaning.
        found.push(Found {
            path: path.clone(),
            before: Some(one.into()),
            after: Some(other.into()),
            managers: place.managers(),
            owned: place.owned(),
        });
    }
}

fn positions(path: &FieldPath, place: &Place<'_>, before: &[Value], after: &[Value], found: &mut Vec<Found>) {
    for index in 0..before.len().max(after.len()) {
        let segment = Segment::Index(index);
        walk(&path.then(segment.clone()), &place.step(&segment), before.get(index), after.get(index), found);
    }
}

/// The names of all items; `None` if two share one.
fn named(items: &[Value], name: impl Fn(&Value) -> Option<Segment>) -> Option<Vec<Segment>> {
    let names: Vec<Segment> = items.iter().map(name).collect::<Option<_>>()?;
    let distinct: BTreeSet<&Segment> = names.iter().collect();
    (distinct.len() == names.len()).then_some(names)
}

fn segment(item: &Value, items: &Items) -> Option<Segment> {
    match items {
        Items::Set => Some(Segment::Member(Scalar::new(item))),
        Items::Keyed(keys) => keys
            .iter()
            .map(|key| {
                let value = match item.get(key) {
                    Some(value) => Scalar::new(value),
                    None if key == "protocol" => Scalar::new(&"TCP".into()),
                    None => return None,
                };
                Some((key.clone(), value))
            })
            .collect::<Option<_>>()
            .map(Segment::Item),
    }
}
