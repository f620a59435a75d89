//! One rendered object, which remembers where it comes from.

use std::fmt;

use serde_json::Value;

use super::{GroupVersionKind, ObjectRef};
use crate::diagnostic::Span;

/// One rendered object after normalisation.
///
/// A Secret's values are holes or template text; `Debug` never shows the data of a Secret.
#[derive(Clone, PartialEq)]
pub struct Manifest {
    /// Who it is; its namespace is set exactly when the kind is namespaced.
    pub reference: ObjectRef,
    /// The object. Always has `apiVersion`, `kind`, `metadata.name`. A Secret has `data` and no `stringData`;
    /// a key of `data` that `holes` names holds an empty string until it is filled.
    pub object: Value,
    /// Secret values to be filled in after rendering, by `data` key.
    pub holes: Vec<Hole>,
    /// Where it comes from.
    pub origin: Origin,
}

/// Where a manifest comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The component's name.
    pub component: String,
    /// The template's or file's path within the chart, e.g. `templates/deployment.yaml.tera`.
    pub template: String,
    /// The document in the rendered text (a file of its own in `Files`).
    pub span: Span,
}

/// A `data` key of a Secret whose value is known only to the secret sources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hole {
    /// The key in `data`.
    pub key: String,
    /// What its (decoded) value is made of.
    pub pieces: Vec<Piece>,
}

/// A part of a [`Hole`]'s value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Written in the template. It may be as secret as the rest.
    Text(String),
    /// The lookup name of a secret.
    Secret(String),
}

impl Manifest {
    /// Group, version and kind as written in the object.
    pub fn gvk(&self) -> GroupVersionKind {
        let api_version = self.object.get("apiVersion").and_then(Value::as_str).unwrap_or_default();
        GroupVersionKind::from_api_version(api_version, &self.reference.kind)
    }

    /// Whether it is a core Secret, whose data must never be shown.
    pub fn is_secret(&self) -> bool {
        self.reference.is("", "Secret")
    }

    /// The value of an annotation.
    pub fn annotation(&self, name: &str) -> Option<&str> {
        self.object.get("metadata")?.get("annotations")?.get(name)?.as_str()
    }
}

impl fmt::Debug for Manifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Manifest");
        debug.field("reference", &self.reference).field("origin", &self.origin);
        if self.is_secret() {
            debug.field("object", &"<secret>").finish()
        } else {
            debug.field("object", &self.object).finish()
        }
    }
}
