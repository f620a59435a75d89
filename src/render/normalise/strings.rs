//! Part of N10: what must be text is text. YAML reads `port: 8080` as a number; the server would answer with
//! a decoding error that names no line.

use serde_json::Value;

use super::{Fault, pods};
use crate::object::FieldPath;

/// Labels and annotations of the object and of its pods, `data` of ConfigMaps, `data` and `stringData` of Secrets.
pub(super) fn check(object: &Value) -> Vec<Fault> {
    let mut faults = Vec::new();
    let root = FieldPath::default();
    for field in ["labels", "annotations"] {
        map(object, &root.key("metadata").key(field), &mut faults);
        if let Some(pod) = pods::spec_path(object) {
            let mut template = pod;
            template.0.pop();
            if !template.0.is_empty() {
                map(object, &template.key("metadata").key(field), &mut faults);
            }
        }
    }
    let gvk = pods::gvk(object);
    let data: &[&str] = match (gvk.group.as_str(), gvk.kind.as_str()) {
        ("", "ConfigMap") => &["data", "binaryData"],
        ("", "Secret") => &["data", "stringData"],
        _ => &[],
    };
    for field in data {
        map(object, &root.key(field), &mut faults);
    }
    faults
}

fn map(object: &Value, path: &FieldPath, faults: &mut Vec<Fault>) {
    match pods::at(object, path) {
        None | Some(Value::Null) => (),
        Some(Value::Object(map)) => {
            for (key, value) in map.iter().filter(|(_, v)| !v.is_string() && !v.is_null()) {
                let path = path.key(key);
                let message = format!("`{path}` must be a text, not {}", kind(value));
                faults.push(Fault::new("invalid-manifest", path, message).help("put the value in quotes"));
            }
        }
        Some(other) => {
            faults.push(Fault::new(
                "invalid-manifest",
                path.clone(),
                format!("`{path}` must be a map, not {}", kind(other)),
            ));
        }
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}
