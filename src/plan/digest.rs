//! Digests of objects: short names for "the same JSON".
//!
//! A digest is taken over a canonical form (keys sorted, no white space), so that two readings of one object
//! agree. Bare digests are never taken of Secrets: a short value could be found by trying. For those a saved plan
//! keeps an HMAC under its own random salt.

use std::fmt::Write as _;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::desired::DesiredObject;
use crate::secret::hmac_hex;

/// How many hex digits a digest keeps: 64 bits, ample against accident, and inventories stay small.
const DIGITS: usize = 16;

/// The first 16 hex digits of the SHA-256 of `value`'s canonical form. Not for Secrets.
pub(super) fn digest(value: &Value) -> String {
    let mut text = String::new();
    canonical(value, &mut text);
    let hash = Sha256::digest(text.as_bytes());
    let mut hex = String::with_capacity(DIGITS);
    for byte in hash.iter().take(DIGITS / 2) {
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

/// What a plan keeps to recognise a desired body: a digest, for Secrets an HMAC under the plan's `salt`.
pub(super) fn body_digest(object: &DesiredObject, salt: &str) -> String {
    if object.sensitive {
        let mut text = String::new();
        canonical(&object.body, &mut text);
        let identity = object.reference.to_string();
        hmac_hex(salt.as_bytes(), &[identity.as_bytes(), text.as_bytes()])
    } else {
        digest(&object.body)
    }
}

/// Appends `value` as JSON with sorted keys and no white space. (`serde_json` sorts by itself unless some other
/// crate of the build asks it to keep the order: nothing may rest on that.)
fn canonical(value: &Value, out: &mut String) {
    match value {
        Value::Object(map) => {
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort();
            out.push('{');
            for (index, key) in keys.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                let _ = write!(out, "{}:", Value::String(key.clone()));
                canonical(&map[key], out);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                canonical(item, out);
            }
            out.push(']');
        }
        scalar => {
            let _ = write!(out, "{scalar}");
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn order_of_keys_does_not_matter_and_order_of_items_does() {
        let one: Value = serde_json::from_str(r#"{"b": [1, 2], "a": {"y": "1", "x": null}}"#).unwrap();
        let other: Value = serde_json::from_str(r#"{"a":{"x":null,"y":"1"},"b":[1,2]}"#).unwrap();
        assert_eq!(digest(&one), digest(&other));
        assert_ne!(digest(&json!([1, 2])), digest(&json!([2, 1])));
        assert_ne!(digest(&json!({"a": "1"})), digest(&json!({"a": 1})));
        assert_eq!(digest(&one).len(), DIGITS);
    }

    #[test]
    fn text_cannot_imitate_structure() {
        assert_ne!(digest(&json!({"a": "1\",\"b\":\"2"})), digest(&json!({"a": "1", "b": "2"})));
    }
}
