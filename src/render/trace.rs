//! From a field of a manifest back to the line that was rendered, the template, and the values.

use crate::diagnostic::{Files, Span};
use crate::object::{FieldPath, Manifest, Scalar, Segment};
use crate::yaml::{self, Document, Duplicates, Node, Value};

/// The place of a field in the rendered text of `manifest`; of a field that is not there (a patch or a
/// default added it) the place of its nearest parent, at last the object itself.
///
/// The text is read again: this is for errors and for `explain`.
pub fn trace(manifest: &Manifest, path: &FieldPath, files: &Files) -> Option<Span> {
    Some(trace_span(manifest.origin.span, path, files))
}

/// As [`trace`], for the object at `origin`.
pub(super) fn trace_span(origin: Span, path: &FieldPath, files: &Files) -> Span {
    let documents = yaml::read(files, origin.file, Duplicates::LastWins).unwrap_or_default();
    let object = documents
        .iter()
        .filter_map(|d: &Document| d.root.as_ref())
        .find_map(|root| super::document::find(root, origin));
    object.map_or(origin, |object| field(object, &path.0))
}

fn field(object: &Node, path: &[Segment]) -> Span {
    let mut span = Span { end: object.span.start, ..object.span };
    let mut node = object;
    for (depth, segment) in path.iter().enumerate() {
        let next = step(node, segment).or_else(|| {
            // A Secret's `stringData` has become `data` (N2).
            let is_data = depth == 1 && path[0] == Segment::Key("data".into());
            is_data.then(|| step(object.get("stringData")?, segment)).flatten()
        });
        let is_data = depth == 0 && *segment == Segment::Key("data".into());
        let moved = || object.as_mapping().filter(|_| is_data)?.entry("stringData");
        match next {
            Some((next, place)) => (node, span) = (next, place),
            None => match moved() {
                Some(entry) => (node, span) = (&entry.value, entry.key_span),
                None => break,
            },
        }
    }
    span
}

/// One step into a node, with the place to show for it: of a scalar itself, of a collection its key.
fn step<'a>(node: &'a Node, segment: &Segment) -> Option<(&'a Node, Span)> {
    let place = |node: &Node| match node.value {
        Value::Mapping(_) | Value::Sequence(_) => Span { end: node.span.start, ..node.span },
        _ => node.span,
    };
    match segment {
        Segment::Key(key) => {
            let entry = node.as_mapping()?.entry(key)?;
            let collection = matches!(entry.value.value, Value::Mapping(_) | Value::Sequence(_));
            Some((&entry.value, if collection { entry.key_span } else { place(&entry.value) }))
        }
        Segment::Index(index) => node.as_sequence()?.get(*index).map(|item| (item, place(item))),
        Segment::Item(keys) => {
            let is_it = |item: &&Node| {
                keys.iter().all(|(key, value)| match item.get(key) {
                    Some(found) => Scalar::new(&found.to_json()) == *value,
                    // Left out in the text because it is the default.
                    None => key == "protocol" && value.json() == "\"TCP\"",
                })
            };
            node.as_sequence()?.iter().find(is_it).map(|item| (item, place(item)))
        }
        Segment::Member(value) => node
            .as_sequence()?
            .iter()
            .find(|item| Scalar::new(&item.to_json()) == *value)
            .map(|item| (item, place(item))),
    }
}
