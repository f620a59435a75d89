//! N5: keys with `null` are left out. Client-side apply took them for deletions; server-side apply would keep
//! them, and make nullable fields of custom resources really null.

use serde_json::Value;

use super::Fault;
use crate::object::{FieldPath, Segment};

/// Set to `"true"`, it keeps the nulls of an object.
const KEEP: &str = "landskap.io/keep-nulls";

/// Removes null-valued keys; a `null` in a list is a fault, for removing it would shift the others.
pub(super) fn remove(object: &mut Value) -> Vec<Fault> {
    if object["metadata"]["annotations"][KEEP] == "true" {
        return Vec::new();
    }
    let mut faults = Vec::new();
    descend(object, &FieldPath::default(), &mut faults);
    faults
}

fn descend(value: &mut Value, path: &FieldPath, faults: &mut Vec<Fault>) {
    match value {
        Value::Object(map) => {
            map.retain(|_, value| !value.is_null());
            for (key, value) in map.iter_mut().filter(|(_, v)| v.is_object() || v.is_array()) {
                descend(value, &path.key(key), faults);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                let path = path.then(Segment::Index(index));
                if item.is_null() {
                    let message = format!("`{path}` is null: a list cannot have empty items");
                    faults.push(
                        Fault::new("invalid-manifest", path, message)
                            .help("remove the item, or the `-` of it"),
                    );
                } else if item.is_object() || item.is_array() {
                    descend(item, &path, faults);
                }
            }
        }
        _ => (),
    }
}
