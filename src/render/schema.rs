//! values.schema.json: whether values are what a chart says they must be.
//!
//! A problem is shown at the value's own place, whichever layer set it. Schemas may refer only to themselves
//! (`#/…`): nothing is ever fetched. A secret's value is not known here, so of a `!secret` only its type (a
//! string) is judged.

use jsonschema::error::ValidationErrorKind;
use serde_json::Value as Json;

use crate::chart::Chart;
use crate::diagnostic::{Diagnostic, Span, nearest};
use crate::yaml::{Node, Value};

/// The tag of a value that a secret source will give.
pub(super) const SECRET_TAG: &str = "!secret";

/// Every way in which `values` break the schema of `chart`.
pub(super) fn check(chart: &Chart, values: &Node) -> Vec<Diagnostic> {
    let Some((file, schema)) = &chart.schema else { return Vec::new() };
    let schema_span = Span::new(*file, 0..0);
    if let Some(reference) = foreign_reference(schema) {
        let message = format!(
            "the schema of the chart `{}` refers to `{reference}`, which lies outside of it",
            chart.name
        );
        return vec![
            Diagnostic::error("values-schema", message)
                .at(schema_span, "")
                .help("a `$ref` may only point into the same file: `#/…`"),
        ];
    }
    let validator = match jsonschema::options().offline().build(schema) {
        Ok(validator) => validator,
        Err(error) => {
            let message = format!("the schema of the chart `{}` is not a JSON Schema: {error}", chart.name);
            return vec![Diagnostic::error("values-schema", message).at(schema_span, "")];
        }
    };
    let json = values.to_json();
    validator
        .iter_errors(&json)
        .filter_map(|error| problem(values, schema, &error).map(|d| about(chart, schema, &error, d)))
        .collect()
}

/// Names the chart and adds what the schema says about the value.
fn about(
    chart: &Chart,
    schema: &Json,
    error: &jsonschema::ValidationError,
    diagnostic: Diagnostic,
) -> Diagnostic {
    let described =
        error.schema_path().as_str().rsplit_once('/').and_then(|(parent, _)| schema.pointer(parent));
    let description =
        described.and_then(|s| s.get("description").or_else(|| s.get("title"))).and_then(Json::as_str);
    let diagnostic = match description {
        Some(description) => diagnostic.help(format!("the schema describes it so: {description}")),
        None => diagnostic,
    };
    diagnostic.help(format!(
        "the chart `{}` says so in its values.schema.json, at `{}`",
        chart.name,
        error.schema_path()
    ))
}

fn problem(values: &Node, schema: &Json, error: &jsonschema::ValidationError) -> Option<Diagnostic> {
    let path: Vec<String> = segments(error.instance_path().as_str());
    let node = values.at(path.iter().map(String::as_str))?;
    let name = dotted(&path);
    let place = place(values, &path, node);
    let is_secret = node.tag.as_ref().is_some_and(|t| t.name == SECRET_TAG);
    if is_secret && !matches!(error.kind(), ValidationErrorKind::Type { .. }) {
        return None;
    }
    Some(match error.kind() {
        ValidationErrorKind::Required { property } => {
            let property = property.as_str().unwrap_or_default();
            let missing = if name.is_empty() { property.to_owned() } else { format!("{name}.{property}") };
            Diagnostic::error("values-schema", format!("the value `{missing}` is required"))
                .at(place, "not set here")
        }
        ValidationErrorKind::AdditionalProperties { unexpected }
        | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
            let mut diagnostic = Diagnostic::error("values-schema", unknown(&name, unexpected));
            for key in unexpected {
                let place = node.as_mapping().and_then(|m| m.entry(key)).map_or(place, |e| e.key_span);
                diagnostic = diagnostic.at(place, "");
                let known = known_properties(schema, error);
                if let Some(near) = nearest(key, known.iter().map(String::as_str)) {
                    diagnostic = diagnostic.help(format!("did you mean `{near}`?"));
                }
            }
            diagnostic
        }
        _ => {
            let what = if name.is_empty() { "the values".to_owned() } else { format!("the value `{name}`") };
            let said =
                if is_secret || is_long(node) { error.masked().to_string() } else { error.to_string() };
            Diagnostic::error("values-schema", format!("{what}: {}", uncapitalised(&said))).at(place, "")
        }
    })
}

/// Where to point for the value at `path`: of a collection its key.
fn place(values: &Node, path: &[String], node: &Node) -> Span {
    if !is_long(node) {
        return node.span;
    }
    let key = path.split_last().and_then(|(last, parents)| {
        let parent = values.at(parents.iter().map(String::as_str))?;
        parent.as_mapping()?.entry(last).map(|entry| entry.key_span)
    });
    key.unwrap_or(Span { end: node.span.start, ..node.span })
}

fn unknown(parent: &str, keys: &[String]) -> String {
    let prefix = if parent.is_empty() { String::new() } else { format!("{parent}.") };
    let names: Vec<_> = keys.iter().map(|key| format!("`{prefix}{key}`")).collect();
    match names.as_slice() {
        [name] => format!("the chart knows no value {name}"),
        names => format!("the chart knows no values {}", names.join(", ")),
    }
}

/// The properties that the schema knows where it refuses others.
fn known_properties(schema: &Json, error: &jsonschema::ValidationError) -> Vec<String> {
    let parent = error.schema_path().as_str().rsplit_once('/').map_or("", |(parent, _)| parent);
    let properties = schema.pointer(parent).and_then(|s| s["properties"].as_object());
    properties.map(|map| map.keys().cloned().collect()).unwrap_or_default()
}

/// Whole maps and lists say nothing in a message.
fn is_long(node: &Node) -> bool {
    matches!(node.value, Value::Mapping(_) | Value::Sequence(_))
}

fn uncapitalised(text: &str) -> String {
    let text = text.trim_end_matches('.');
    let mut chars = text.chars();
    match chars.next() {
        Some(first) if chars.clone().next().is_some_and(char::is_lowercase) => {
            first.to_lowercase().chain(chars).collect()
        }
        _ => text.to_owned(),
    }
}

/// The unescaped segments of a JSON pointer (RFC 6901).
fn segments(pointer: &str) -> Vec<String> {
    pointer.split('/').skip(1).map(|s| s.replace("~1", "/").replace("~0", "~")).collect()
}

fn dotted(path: &[String]) -> String {
    path.join(".")
}

/// A `$ref` or `$dynamicRef` that does not stay in the schema.
fn foreign_reference(schema: &Json) -> Option<&str> {
    match schema {
        Json::Object(map) => map.iter().find_map(|(key, value)| match value.as_str() {
            Some(reference) if (key == "$ref" || key == "$dynamicRef") && !reference.starts_with('#') => {
                Some(reference)
            }
            _ => foreign_reference(value),
        }),
        Json::Array(items) => items.iter().find_map(foreign_reference),
        _ => None,
    }
}
