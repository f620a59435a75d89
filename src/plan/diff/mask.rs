//! Secrets in a diff: which keys change and about how long their values are, never a value.
//!
//! Fails closed: only fields that are known to be harmless pass, and a Secret whose data is not a map of base64
//! strings is shown as changed and no more.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::walk::Found;
use crate::object::{FieldPath, Segment};

/// Where values stand.
const DATA: [&str; 2] = ["data", "stringData"];

/// The changes of a Secret, masked. `before` and `after` are the whole objects.
pub(super) fn secret(before: &Value, after: &Value, changes: &[Found]) -> Vec<Found> {
    let mut masked: Vec<Found> = changes.iter().filter(|found| is_harmless(&found.path)).cloned().collect();
    let of_data: Vec<&Found> = changes.iter().filter(|found| !is_harmless(&found.path)).collect();
    if of_data.is_empty() {
        return masked;
    }
    let managers: BTreeSet<&String> = of_data.iter().flat_map(|found| &found.managers).collect();
    let managers: Vec<String> = managers.into_iter().cloned().collect();
    let mut rest = Vec::new();
    for field in DATA {
        match (lengths(before.get(field)), lengths(after.get(field))) {
            (Some(old), Some(new)) => rest.extend(keys(field, &old, &new, before, after)),
            _ => {
                rest = vec![(
                    FieldPath::default(),
                    Some("<masked>".to_owned()),
                    Some("<masked: changed>".to_owned()),
                )];
                break;
            }
        }
    }
    if rest.is_empty() {
        // Neither data nor anything harmless: ownership of data moved, or a field that nobody knows.
        rest.push((
            FieldPath::default(),
            Some("<masked>".to_owned()),
            Some("<masked: same value>".to_owned()),
        ));
    }
    masked.extend(rest.into_iter().map(|(path, before, after)| Found {
        path,
        before: before.map(Value::String),
        after: after.map(Value::String),
        managers: managers.clone(),
        owned: true,
    }));
    masked
}

/// Fields of a Secret that may be shown.
fn is_harmless(path: &FieldPath) -> bool {
    match path.0.as_slice() {
        [Segment::Key(root)] => root == "type" || root == "immutable",
        [Segment::Key(root), Segment::Key(field), ..] => {
            root == "metadata"
                && matches!(field.as_str(), "labels" | "annotations" | "finalizers" | "ownerReferences")
        }
        _ => false,
    }
}

/// The decoded length of every value; `None` unless it is a map of base64 strings (or absent).
fn lengths(data: Option<&Value>) -> Option<Map<String, Value>> {
    let Some(data) = data else { return Some(Map::new()) };
    data.as_object()?
        .iter()
        .map(|(key, value)| {
            let decoded = zeroize::Zeroizing::new(STANDARD.decode(value.as_str()?).ok()?);
            Some((key.clone(), Value::from(decoded.len())))
        })
        .collect()
}

type Masked = (FieldPath, Option<String>, Option<String>);

fn keys(
    field: &str,
    old: &Map<String, Value>,
    new: &Map<String, Value>,
    before: &Value,
    after: &Value,
) -> Vec<Masked> {
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    names
        .into_iter()
        .filter_map(|name| {
            let bucket = |lengths: &Map<String, Value>| lengths.get(name).and_then(Value::as_u64).map(bucket);
            let path = FieldPath::default().key(field).key(name);
            match (bucket(old), bucket(new)) {
                (Some(_), Some(_)) if before[field][name] == after[field][name] => None,
                (Some(old), Some(new)) => {
                    Some((path, Some(format!("<masked: {old}>")), Some(format!("<masked: changed, {new}>"))))
                }
                (Some(old), None) => Some((path, Some(format!("<masked: {old}>")), None)),
                (None, Some(new)) => Some((path, None, Some(format!("<masked: {new}>")))),
                (None, None) => None,
            }
        })
        .collect()
}

/// A length as a range between powers of two.
fn bucket(length: u64) -> String {
    match length {
        0 => "empty".into(),
        1..8 => "1-7 bytes".into(),
        _ => {
            let low = 1_u64 << length.ilog2();
            format!("{low}-{} bytes", low.saturating_mul(2) - 1)
        }
    }
}
