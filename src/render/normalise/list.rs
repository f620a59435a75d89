//! N10: documents into objects. `List`s are expanded, and every object states who it is.

use serde_json::Value as Json;

use crate::diagnostic::{Diagnostic, Span};
use crate::yaml::{Node, Value};

/// Adds the objects of a document, with the nodes they come from. An item of a typed list (`ConfigMapList`)
/// gets its kind from there when it has none.
pub(in crate::render) fn expand<'a>(
    root: &'a Node,
    objects: &mut Vec<(&'a Node, Json)>,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let text = |key: &str| root.get(key).and_then(Node::as_str).filter(|text| !text.is_empty());
    let is_list =
        |kind: &str| kind.ends_with("List") && root.get("metadata").is_none_or(|m| m.get("name").is_none());
    if let (Some(kind), Some(items)) =
        (text("kind").filter(|kind| is_list(kind)), root.get("items").and_then(Node::as_sequence))
    {
        let inherited = kind.strip_suffix("List").filter(|kind| !kind.is_empty());
        for item in items {
            let typed = inherited.filter(|_| item.get("kind").is_none());
            if let (Some(kind), Some(api_version), Json::Object(mut object)) =
                (typed, text("apiVersion"), item.to_json())
            {
                object.insert("kind".into(), kind.into());
                object.entry("apiVersion").or_insert_with(|| api_version.into());
                named(item, Json::Object(object), objects, diagnostics);
            } else {
                expand(item, objects, diagnostics);
            }
        }
        return;
    }
    named(root, root.to_json(), objects, diagnostics);
}

/// Adds `object` if it has `apiVersion`, `kind` and a name.
fn named<'a>(
    node: &'a Node,
    object: Json,
    objects: &mut Vec<(&'a Node, Json)>,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let mut fault = |place: &Node, message: String| {
        diagnostics.push(Diagnostic::error("invalid-manifest", message).at(head(place), ""));
    };
    if !object.is_object() {
        return fault(node, "a manifest must be a map".into());
    }
    for key in ["apiVersion", "kind"] {
        if object[key].as_str().is_none_or(str::is_empty) {
            return fault(node.get(key).unwrap_or(node), format!("a manifest needs `{key}`"));
        }
    }
    let metadata = node.get("metadata");
    let name = metadata.and_then(|m| m.get("name"));
    let kind = object["kind"].as_str().unwrap_or_default();
    if let Some(generated) = metadata.and_then(|m| m.get("generateName"))
        && name.is_none()
    {
        return fault(
            generated,
            "`generateName` cannot be applied: every apply would make another object; give it a `name`"
                .into(),
        );
    }
    match object["metadata"]["name"].as_str() {
        Some(name) if !name.is_empty() => objects.push((node, object)),
        _ if name.is_some_and(|n| !n.is_null() && n.as_str().is_none()) => {
            fault(name.unwrap_or(node), format!("the name of a {kind} must be a text: put it in quotes"));
        }
        _ => fault(name.or(metadata).unwrap_or(node), format!("a {kind} needs `metadata.name`")),
    }
}

/// The place of a node; of a collection only where it begins.
fn head(node: &Node) -> Span {
    match node.value {
        Value::Mapping(_) | Value::Sequence(_) => Span { end: node.span.start, ..node.span },
        _ => node.span,
    }
}
