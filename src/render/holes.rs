//! Secrets that templates never see: placeholders in, holes out.
//!
//! A `!secret NAME` value is given to templates as a placeholder text. In a rendered Secret it becomes a
//! [`Hole`], also inside a longer text and base64-encoded; anywhere else it is an error. What a template
//! *computes* from a placeholder (its hash, its first letters, its length, its base64 inside a longer text)
//! would be computed from the wrong text, silently. So templates with secrets are rendered twice, with
//! placeholders that have no letter in common ([`Face`]): whatever still differs once the holes are taken out
//! was computed from a secret. The same comparison makes forged placeholders useless: a placeholder that is
//! written in a template is there in only one of the two.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value as Json};
use sha2::{Digest as _, Sha256};

use super::normalise::Fault;
use crate::object::{FieldPath, Hole, Piece};
use crate::yaml::{Node, Value};

/// Which of the two placeholders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Face {
    /// The one that errors may show.
    Front,
    /// The one to compare with.
    Back,
}

/// The placeholders of one component's secrets.
#[derive(Debug, Default)]
pub(super) struct Placeholders {
    /// Front and back text by lookup name.
    texts: BTreeMap<String, [String; 2]>,
    /// Where in the values each secret stands, dotted, to find the template lines that read it.
    paths: BTreeMap<String, Vec<String>>,
}

impl Placeholders {
    /// Placeholders for every `!secret` in `values`.
    pub fn of(component: &str, values: &[&Node]) -> Self {
        let mut placeholders = Self::default();
        for values in values {
            placeholders.collect(component, values, &mut Vec::new());
        }
        placeholders
    }

    fn collect(&mut self, component: &str, node: &Node, path: &mut Vec<String>) {
        if let Some(name) = lookup_name(node) {
            self.texts.entry(name.to_owned()).or_insert_with(|| placeholder(component, name));
            self.paths.entry(name.to_owned()).or_default().push(path.join("."));
            return;
        }
        match &node.value {
            Value::Mapping(mapping) => {
                for entry in mapping {
                    path.push(entry.key.clone());
                    self.collect(component, &entry.value, path);
                    path.pop();
                }
            }
            Value::Sequence(items) => items.iter().for_each(|item| self.collect(component, item, path)),
            _ => (),
        }
    }

    /// Whether there are no secrets.
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// What stands for the tagged scalar `node`, if it is a secret.
    pub fn text(&self, node: &Node, face: Face) -> Option<String> {
        Some(self.texts.get(lookup_name(node)?)?[face as usize].clone())
    }

    /// Where in the values the secret `name` stands.
    pub fn paths(&self, name: &str) -> &[String] {
        self.paths.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    /// The first secret whose placeholder occurs in `text`.
    pub fn found(&self, text: &str, face: Face) -> Option<&str> {
        self.texts
            .iter()
            .find(|(_, texts)| text.contains(&texts[face as usize]))
            .map(|(name, _)| name.as_str())
    }

    /// Cuts `text` at placeholders; `None` without any.
    fn pieces(&self, text: &str, face: Face) -> Option<Vec<Piece>> {
        self.found(text, face)?;
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((at, token, name)) = self.first(rest, face) {
            if at > 0 {
                pieces.push(Piece::Text(rest[..at].to_owned()));
            }
            pieces.push(Piece::Secret(name.to_owned()));
            rest = &rest[at + token.len()..];
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        Some(pieces)
    }

    fn first(&self, text: &str, face: Face) -> Option<(usize, &str, &str)> {
        let places = self.texts.iter().filter_map(|(name, texts)| {
            let token = texts[face as usize].as_str();
            Some((text.find(token)?, token, name.as_str()))
        });
        places.min_by_key(|(at, ..)| *at)
    }

    /// Takes placeholders out of a rendered object: those in a Secret's `data` and `stringData` become holes
    /// (with `stringData` moved to `data`, rule N2), any other is a fault.
    pub fn take_out(&self, object: &mut Json, face: Face) -> Result<Vec<Hole>, (String, Fault)> {
        let is_secret = object["kind"] == "Secret" && object["apiVersion"] == "v1";
        let mut holes = Vec::new();
        if is_secret {
            self.take_from(object, "data", face, &mut holes, |text| {
                String::from_utf8(STANDARD.decode(text).ok()?).ok()
            });
            self.take_from(object, "stringData", face, &mut holes, |text| Some(text.to_owned()));
            // `stringData` wins over `data`, as on the server.
            let taken: BTreeMap<_, _> =
                holes.into_iter().map(|hole: Hole| (hole.key.clone(), hole)).collect();
            holes = taken.into_values().collect();
        }
        match self.outside(object, face, &FieldPath::default()) {
            None => Ok(holes),
            Some((name, path)) => {
                let message = if is_secret {
                    format!(
                        "the secret `{name}` may stand only in the values of `data` (base64-encoded) or `stringData` of a Secret"
                    )
                } else {
                    format!(
                        "the secret `{name}` may end up only in a Secret, not in a {}",
                        object["kind"].as_str().unwrap_or("document")
                    )
                };
                let fault = Fault::new("secret-outside-secret", path, message).help(
                    "put it into a Secret (`stringData`), or list it under `secrets:` and refer to that Secret (`secretsRef`)",
                );
                Err((name, fault))
            }
        }
    }

    fn take_from(
        &self,
        object: &mut Json,
        field: &str,
        face: Face,
        holes: &mut Vec<Hole>,
        decode: impl Fn(&str) -> Option<String>,
    ) {
        let Some(Json::Object(values)) = object.get_mut(field) else { return };
        let mut found = Vec::new();
        for (key, value) in values.iter() {
            let pieces = value.as_str().and_then(&decode).and_then(|text| self.pieces(&text, face));
            found.extend(pieces.map(|pieces| Hole { key: key.clone(), pieces }));
        }
        for hole in &found {
            values.remove(&hole.key);
        }
        if let Some(object) = object.as_object_mut().filter(|_| !found.is_empty()) {
            let data = object.entry("data").or_insert_with(|| Json::Object(Map::new()));
            if let Some(data) = data.as_object_mut() {
                data.extend(found.iter().map(|hole| (hole.key.clone(), Json::String(String::new()))));
            }
        }
        holes.extend(found);
    }

    /// The first placeholder in a text or key of `value`.
    fn outside(&self, value: &Json, face: Face, path: &FieldPath) -> Option<(String, FieldPath)> {
        match value {
            Json::String(text) => self.found(text, face).map(|name| (name.to_owned(), path.clone())),
            Json::Array(items) => items.iter().enumerate().find_map(|(index, item)| {
                self.outside(item, face, &path.then(crate::object::Segment::Index(index)))
            }),
            Json::Object(map) => map.iter().find_map(|(key, value)| {
                let path = path.key(key);
                let in_key = self.found(key, face).map(|name| (name.to_owned(), path.clone()));
                in_key.or_else(|| self.outside(value, face, &path))
            }),
            _ => None,
        }
    }
}

/// The lookup name of a `!secret` scalar.
fn lookup_name(node: &Node) -> Option<&str> {
    node.tag.as_ref().filter(|tag| tag.name == super::schema::SECRET_TAG)?;
    node.as_str()
}

/// The two texts. Both are plain words for YAML, quoted or not; they differ in every letter, whatever the
/// case, and in length. They depend on nothing but names, so that rendering is repeatable.
fn placeholder(component: &str, name: &str) -> [String; 2] {
    let digest = Sha256::digest(format!("placeholder\0{component}\0{name}"));
    let tag = super::hex(&digest[..12]);
    let safe: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect();
    let front = format!("secret-{safe}-{tag}-placeholder");
    let back: String = front
        .chars()
        .map(|c| match c {
            's' if front.starts_with(c) => 'z',
            'a'..='y' => char::from(b'0' + (c as u8 - b'a') % 10),
            '0'..='9' => char::from(b'k' + (c as u8 - b'0')),
            _ => 'x',
        })
        .collect();
    [front, format!("{back}x")]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_faces_have_no_letter_in_common_at_any_place() {
        for name in ["remote-write-password", "a", "Z9.s_0", "xyzz"] {
            let [front, back] = placeholder("prometheus", name);
            assert!(
                front.chars().zip(back.chars()).all(|(a, b)| !a.eq_ignore_ascii_case(&b)),
                "{front} {back}"
            );
            assert_ne!(front.len(), back.len());
            assert!(back.starts_with('z'));
        }
    }
}
