//! The pointers of ignore rules: RFC 6901, and in lists besides a position also `name=app` and `*`.
//!
//! A pointer is resolved on the desired body. List items are then looked for in other places by their key fields
//! where they have any, since positions differ there.

use serde_json::{Map, Value};

use crate::plan::proof::fields_v1::{self, Fields};

/// One step of a resolved pointer.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step {
    /// A map key.
    Key(String),
    /// A list item: where it stands in the desired body, and its scalar fields, by which it is found elsewhere.
    Item(usize, Map<String, Value>),
}

/// Every place in `body` that `pointer` hits; none if the path is missing.
pub(super) fn resolve(body: &Value, pointer: &str) -> Vec<Vec<Step>> {
    let mut places = vec![(Vec::new(), body)];
    for token in pointer.split('/').skip(1) {
        let token = token.replace("~1", "/").replace("~0", "~");
        places = places.into_iter().flat_map(|(steps, value)| descend(&steps, value, &token)).collect();
    }
    places.into_iter().map(|(steps, _)| steps).filter(|steps| !steps.is_empty()).collect()
}

fn descend<'v>(steps: &[Step], value: &'v Value, token: &str) -> Vec<(Vec<Step>, &'v Value)> {
    let then = |step: Step| {
        let mut steps = steps.to_vec();
        steps.push(step);
        steps
    };
    match value {
        Value::Object(map) => {
            map.get(token).map(|child| (then(Step::Key(token.to_owned())), child)).into_iter().collect()
        }
        Value::Array(items) => items
            .iter()
            .enumerate()
            .filter(|(index, item)| match token.split_once('=') {
                Some((key, wanted)) => item.get(key).is_some_and(|found| {
                    found.as_str().map_or_else(|| *found == wanted, |found| found == wanted)
                }),
                None => token == "*" || token.parse() == Ok(*index),
            })
            .map(|(index, item)| (then(Step::Item(index, scalars(item))), item))
            .collect(),
        _ => Vec::new(),
    }
}

fn scalars(item: &Value) -> Map<String, Value> {
    let fields = item.as_object().into_iter().flatten();
    fields.filter(|(_, v)| !v.is_object() && !v.is_array()).map(|(k, v)| (k.clone(), v.clone())).collect()
}

/// Key fields of lists of built-in kinds; an item without any is found by position.
const KEYS: [&str; 6] = ["name", "containerPort", "port", "mountPath", "type", "ip"];

/// The value at `place` in another reading of the object.
pub(super) fn follow<'v>(value: &'v Value, place: &[Step]) -> Option<&'v Value> {
    place.iter().try_fold(value, |value, step| match step {
        Step::Key(key) => value.get(key),
        Step::Item(index, fields) => {
            let items = value.as_array()?;
            match KEYS.iter().find_map(|key| Some((*key, fields.get(*key)?))) {
                Some((key, wanted)) => items.iter().find(|item| item.get(key) == Some(wanted)),
                None => items.get(*index),
            }
        }
    })
}

/// Whether a manager's fields name `place`, something beneath it, or all of something above it.
pub(super) fn owns(fields: &Fields, place: &[Step]) -> bool {
    let Some((step, rest)) = place.split_first() else { return true };
    if fields.is_empty() {
        return true;
    }
    let child = match step {
        Step::Key(key) => fields.get(&format!("f:{key}")),
        Step::Item(_, item) => {
            let item = Value::Object(item.clone());
            fields_v1::children(fields)
                .find(|(name, _)| {
                    fields_v1::key_fields(name).is_some_and(|key| fields_v1::has_key(&item, &key))
                })
                .map(|(_, child)| child)
        }
    };
    child.and_then(Value::as_object).is_some_and(|fields| owns(fields, rest))
}

/// Puts `value` at `place`, which exists.
pub(super) fn set(body: &mut Value, place: &[Step], value: Value) {
    if let Some(found) = reach(body, place) {
        *found = value;
    }
}

/// Removes what is at `place`, if it is the value of a map key. A list item is not a field: it stays.
pub(super) fn remove(body: &mut Value, place: &[Step]) {
    if let Some((Step::Key(key), above)) = place.split_last()
        && let Some(map) = reach(body, above).and_then(Value::as_object_mut)
    {
        map.remove(key);
    }
}

fn reach<'v>(body: &'v mut Value, place: &[Step]) -> Option<&'v mut Value> {
    place.iter().try_fold(body, |value, step| match step {
        Step::Key(key) => value.get_mut(key),
        Step::Item(index, _) => value.get_mut(*index),
    })
}
