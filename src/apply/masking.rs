//! Secret values taken out of foreign texts: a container's last words or a controller's message may repeat what it
//! was given (I5).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::object::ObjectRef;
use crate::plan::{DesiredObject, Live};

/// Shorter values are left: they are found in any text, and masking them would tell more than it hides.
const SHORTEST: usize = 4;

/// The values that must not be shown. Never printed.
#[derive(Default)]
pub struct Masks {
    values: Vec<String>,
}

impl std::fmt::Debug for Masks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Masks({})", self.values.len())
    }
}

impl Masks {
    /// The values of all Secrets among the wanted and the live objects, as they are and in base64: a container may
    /// still run with the values from before.
    pub fn of<'a>(
        wanted: impl Iterator<Item = &'a DesiredObject>,
        live: impl Iterator<Item = (&'a ObjectRef, &'a Live)>,
    ) -> Self {
        let wanted = wanted.filter(|object| object.sensitive).map(|object| &object.body);
        let live = live.filter(|(reference, _)| reference.is("", "Secret")).map(|(_, live)| &live.0);
        let data = wanted.chain(live).filter_map(|object| object.get("data")?.as_object());
        let mut values: Vec<String> = Vec::new();
        for encoded in data.flat_map(|data| data.values()).filter_map(Value::as_str) {
            values.push(encoded.to_owned());
            let decoded = STANDARD.decode(encoded).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            values.extend(decoded.iter().flat_map(|text| text.lines()).map(|line| line.trim().to_owned()));
        }
        values.retain(|value| value.len() >= SHORTEST);
        // The longest first: one value may be a part of another.
        values.sort_by_key(|value| std::cmp::Reverse(value.len()));
        values.dedup();
        Self { values }
    }

    /// `text` without any of the values.
    pub fn mask(&self, text: &str) -> String {
        self.values.iter().fold(text.to_owned(), |text, value| {
            if text.contains(value.as_str()) { text.replace(value.as_str(), "***") } else { text }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_from_before_are_masked_too() {
        let secret = ObjectRef {
            group: String::new(),
            kind: "Secret".into(),
            namespace: Some("n".into()),
            name: "s".into(),
        };
        let live = Live(serde_json::json!({"data": {"password": "b2xkLXBhc3N3b3Jk"}}));
        let masks = Masks::of(std::iter::empty(), std::iter::once((&secret, &live)));
        assert_eq!(masks.mask("login with old-password failed"), "login with *** failed");
    }

    #[test]
    fn values_are_masked_raw_and_encoded() {
        let masks = Masks { values: vec!["aHVudGVyMg==".into(), "hunter2".into()] };
        assert_eq!(masks.mask("login hunter2 failed (aHVudGVyMg==)"), "login *** failed (***)");
        assert_eq!(format!("{masks:?}"), "Masks(2)");
    }
}
