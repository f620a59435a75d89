//! N2: `stringData` of a Secret becomes `data`. Left to the server, a key that is renamed in `stringData`
//! would stay in `data` forever (kubernetes#108008).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::Fault;
use crate::object::{FieldPath, Hole};

/// Moves `stringData` into `data`, where it wins as it does on the server, and checks that `data` is base64.
/// Holes follow: one whose key got another value is gone.
pub(super) fn encode(object: &mut Value, holes: &mut Vec<Hole>) -> Vec<Fault> {
    if object["kind"] != "Secret" || object["apiVersion"] != "v1" {
        return Vec::new();
    }
    let Some(fields) = object.as_object_mut() else { return Vec::new() };
    if let Some(Value::Object(texts)) = fields.remove("stringData") {
        let data = fields.entry("data").or_insert_with(|| Value::Object(Map::new()));
        if data.is_null() {
            *data = Value::Object(Map::new());
        }
        if let Some(data) = data.as_object_mut() {
            for (key, value) in texts {
                if let Some(text) = value.as_str() {
                    holes.retain(|hole| hole.key != key);
                    data.insert(key, STANDARD.encode(text).into());
                }
            }
        }
    }
    let data = fields.get("data").and_then(Value::as_object);
    holes.retain(|hole| data.and_then(|d| d.get(&hole.key)).is_some_and(|value| value == ""));
    let path = FieldPath::default().key("data");
    data.into_iter()
        .flatten()
        .filter(|(_, value)| {
            value.as_str().is_some_and(|text| STANDARD.decode(text.replace(['\n', '\r'], "")).is_err())
        })
        .map(|(key, _)| {
            Fault::new(
                "invalid-manifest",
                path.key(key),
                format!("the value of `{key}` in `data` of a Secret is not base64"),
            )
            .help("write plain text under `stringData`, or use the filter `b64encode`")
        })
        .collect()
}
