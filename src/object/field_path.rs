//! Where in an object: keys, list positions, and list items named by their key fields.

use std::fmt;

use serde_json::Value;

/// One step of a [`FieldPath`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Segment {
    /// A map key.
    Key(String),
    /// A position in a list, from 0.
    Index(usize),
    /// An item of a `listType=map` list, by its key fields: `[containerPort=80,protocol=TCP]`.
    Item(Vec<(String, Scalar)>),
    /// An item of a `listType=set` list, by its value.
    Member(Scalar),
}

/// A scalar inside a [`Segment`], as compact JSON text (so that it orders and hashes).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Scalar(String);

impl Scalar {
    /// Keeps `value` as compact JSON.
    pub fn new(value: &Value) -> Self {
        Self(value.to_string())
    }

    /// The compact JSON text.
    pub fn json(&self) -> &str {
        &self.0
    }
}

/// A path from the root of an object.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct FieldPath(pub Vec<Segment>);

impl FieldPath {
    /// The path one key further.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        self.then(Segment::Key(key.into()))
    }

    /// The path one segment further.
    #[must_use]
    pub fn then(&self, segment: Segment) -> Self {
        let mut segments = self.0.clone();
        segments.push(segment);
        Self(segments)
    }
}

/// `.spec.containers[name=app].ports[containerPort=80,protocol=TCP]`; keys with dots or slashes are quoted:
/// `.metadata.annotations["a.b/c"]`.
impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for segment in &self.0 {
            match segment {
                Segment::Key(key)
                    if !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || "-_$".contains(c)) =>
                {
                    write!(f, ".{key}")?;
                }
                Segment::Key(key) => write!(f, "[{key:?}]")?,
                Segment::Index(index) => write!(f, "[{index}]")?,
                Segment::Item(keys) => {
                    let keys: Vec<_> =
                        keys.iter().map(|(k, v)| format!("{k}={}", v.json().trim_matches('"'))).collect();
                    write!(f, "[{}]", keys.join(","))?;
                }
                Segment::Member(value) => write!(f, "[={}]", value.json().trim_matches('"'))?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_shown_as_kubernetes_shows_it() {
        let path = FieldPath::default()
            .key("spec")
            .key("containers")
            .then(Segment::Item(vec![("name".into(), Scalar::new(&"app".into()))]))
            .key("args")
            .then(Segment::Index(2));
        assert_eq!(path.to_string(), ".spec.containers[name=app].args[2]");
        assert_eq!(FieldPath::default().key("a.b/c").to_string(), "[\"a.b/c\"]");
    }
}
