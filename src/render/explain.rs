//! From a field of a manifest to the template line and the value that set it, as far as that is proven.
//!
//! Tera's reads cannot be seen. A value is named only if it is the only one that the template reads by name
//! (`values.a.b`) and whose text is the field's text; everything else would be a guess.

use super::trace::trace;
use super::values;
use crate::chart::Chart;
use crate::diagnostic::{FileId, Files, Span};
use crate::landscape::Component;
use crate::object::{FieldPath, Manifest, Scalar, Segment};
use crate::yaml::{Node, Value};

/// Where a field comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct Explained {
    /// The line that was rendered.
    pub rendered: Span,
    /// The template (or the plain file itself); with a value, the place that reads it.
    pub template: Option<Span>,
    /// The value that set it.
    pub value: Option<SetBy>,
}

/// The value that set a field.
#[derive(Debug, Clone, PartialEq)]
pub struct SetBy {
    /// Its path in the component's values (`configuration`), dotted; a subchart's begins with its name.
    pub path: String,
    /// The place that set it: a layer of the component, or the chart's values.yaml.
    pub span: Span,
}

/// Explains the field at `path` of `manifest`, a manifest of `component` as rendered from `chart`.
pub fn explain(
    manifest: &Manifest,
    path: &FieldPath,
    component: &Component,
    chart: &Chart,
    files: &Files,
) -> Option<Explained> {
    let rendered = trace(manifest, path, files)?;
    let scoped = values::scope(chart, &component.values).ok()?;
    let found = scoped.iter().find_map(|one| {
        let name = manifest.origin.template.strip_prefix(&one.prefix)?;
        Some((one, template(one.chart, name)?))
    });
    let Some((one, file)) = found else { return Some(Explained { rendered, template: None, value: None }) };
    let text = field_text(&manifest.object, path);
    let set = text.and_then(|text| set_by(&one.values, &text, file, files));
    // A subchart's values stand under its name: `charts/db/` is `db.`.
    let scope = one.prefix.replace("charts/", "").replace('/', ".");
    Some(Explained {
        rendered,
        template: Some(set.as_ref().map_or(Span::new(file, 0..0), |(_, _, read)| *read)),
        value: set.map(|(path, span, _)| SetBy { path: format!("{scope}{path}"), span }),
    })
}

fn template(chart: &Chart, name: &str) -> Option<FileId> {
    let template = name.strip_prefix(chart.template_root).and_then(|name| chart.templates.get(name));
    template.or_else(|| chart.manifests.get(name)).or_else(|| chart.crds.get(name)).copied()
}

/// The text of a scalar field.
fn field_text(object: &serde_json::Value, path: &FieldPath) -> Option<String> {
    let field = path.0.iter().try_fold(object, |value, segment| match segment {
        Segment::Key(key) => value.get(key),
        Segment::Index(index) => value.get(index),
        Segment::Item(keys) => value.as_array()?.iter().find(|item| {
            keys.iter().all(|(key, wanted)| item.get(key).is_some_and(|v| Scalar::new(v) == *wanted))
        }),
        Segment::Member(wanted) => value.as_array()?.iter().find(|item| Scalar::new(item) == *wanted),
    })?;
    match field {
        serde_json::Value::String(text) => Some(text.clone()),
        serde_json::Value::Number(_) | serde_json::Value::Bool(_) => Some(field.to_string()),
        _ => None,
    }
}

/// The only leaf of `values` with this text that the template reads by name: path, place, place of the read.
fn set_by(values: &Node, text: &str, template: FileId, files: &Files) -> Option<(String, Span, Span)> {
    let source = files.get(template);
    let mut found = Vec::new();
    leaves(values, &mut Vec::new(), &mut |path, node| {
        let leaf = match &node.value {
            Value::String(leaf) if node.tag.is_none() => leaf.clone(),
            Value::Bool(_) | Value::Int(_) | Value::UInt(_) | Value::Float(_) => node.to_json().to_string(),
            _ => return,
        };
        if leaf == text
            && let Some(read) = read_at(&source.text, path)
        {
            found.push((
                path.to_owned(),
                node.span,
                Span::new(template, read..read + "values.".len() + path.len()),
            ));
        }
    });
    match found.len() {
        1 => found.pop(),
        _ => None,
    }
}

fn leaves<'a>(node: &'a Node, path: &mut Vec<&'a str>, visit: &mut impl FnMut(&str, &Node)) {
    match node.as_mapping() {
        Some(mapping) => {
            for entry in mapping {
                path.push(&entry.key);
                leaves(&entry.value, path, visit);
                path.pop();
            }
        }
        None => visit(&path.join("."), node),
    }
}

/// Where `values.PATH` stands in a template, as a whole.
fn read_at(template: &str, path: &str) -> Option<usize> {
    let read = format!("values.{path}");
    let is_path = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
    template.match_indices(&read).map(|(at, _)| at).find(|at| {
        let before = template[..*at].chars().next_back();
        let after = template[at + read.len()..].chars().next();
        ![before, after].into_iter().flatten().any(is_path)
    })
}
