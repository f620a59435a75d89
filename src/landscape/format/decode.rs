//! A node into a typed value, with every problem at its place.
//!
//! The node is validated against the JSON Schema of the type, which finds all problems at once; each error's
//! path is looked up in the node for its place. Then serde does the rest, and finds nothing new.

use std::fmt::Write as _;

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{ValidationError, Validator};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use crate::diagnostic::{Diagnostic, Files, Span, nearest};
use crate::yaml::{Node, Value};

/// Reads nodes as values of one kind of file.
pub(in crate::landscape) struct Decoder {
    schema: Json,
    validator: Option<Validator>,
}

impl Decoder {
    /// A decoder for files of type `T`.
    pub fn new<T: JsonSchema>() -> Self {
        let schema = super::schema::<T>();
        let validator = jsonschema::draft202012::new(&schema).ok();
        Self { schema, validator }
    }

    /// Reads `node`; every problem at once.
    pub fn decode<T: DeserializeOwned>(&self, files: &Files, node: &Node) -> Result<T, Vec<Diagnostic>> {
        let json = node.to_json();
        let mut problems = Vec::new();
        for error in self.validator.iter().flat_map(|validator| validator.iter_errors(&json)) {
            self.explain(files, node, &error, &mut problems);
        }
        if problems.is_empty() {
            serde_json::from_value(json).map_err(|error| {
                vec![Diagnostic::error("invalid-value", error.to_string()).at(start_of(node), "")]
            })
        } else {
            Err(problems)
        }
    }

    fn explain(&self, files: &Files, root: &Node, error: &ValidationError<'_>, out: &mut Vec<Diagnostic>) {
        let path = segments(error.instance_path().as_str());
        let Some(node) = root.at(path.iter().map(String::as_str)) else { return };
        let subschema = self.subschema(error);
        let title = subschema.get("title").and_then(Json::as_str);
        match error.kind() {
            ValidationErrorKind::AdditionalProperties { unexpected }
            | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
                let known: Vec<&str> = subschema
                    .get("properties")
                    .and_then(Json::as_object)
                    .into_iter()
                    .flatten()
                    .map(|(k, _)| k.as_str())
                    .collect();
                for field in unexpected {
                    out.push(unknown_field(node, &path, field, &known));
                }
            }
            ValidationErrorKind::Required { property } => {
                let field = property.as_str().unwrap_or_default();
                out.push(
                    Diagnostic::error(
                        "missing-field",
                        format!("field `{field}` is missing{}", within(&path)),
                    )
                    .at(place_of(root, &path), format!("`{field}` belongs here")),
                );
            }
            ValidationErrorKind::Type { kind } => {
                out.push(wrong_type(files, node, &path, &expected(kind, title)));
            }
            ValidationErrorKind::AnyOf { context }
            | ValidationErrorKind::OneOfNotValid { context }
            | ValidationErrorKind::OneOfMultipleValid { context } => {
                let here = error.instance_path().as_str();
                let mismatch = |e: &&ValidationError<'static>| {
                    matches!(e.kind(), ValidationErrorKind::Type { .. }) && e.instance_path().as_str() == here
                };
                // The branch whose type fits says what is wrong within it; where none fits, the type is wrong.
                let fits = |branch: &&Vec<ValidationError<'static>>| {
                    !branch.is_empty() && !branch.iter().any(|e| mismatch(&e))
                };
                if let Some(branch) = context.iter().find(fits) {
                    for inner in branch {
                        self.explain(files, root, inner, out);
                    }
                    return;
                }
                let mut wanted: Vec<String> = Vec::new();
                for inner in context.iter().flatten().filter(mismatch) {
                    if let ValidationErrorKind::Type { kind } = inner.kind() {
                        wanted
                            .push(expected(kind, self.subschema(inner).get("title").and_then(Json::as_str)));
                    }
                }
                wanted.retain(|w| w != "null");
                wanted.dedup();
                out.push(wrong_type(files, node, &path, &wanted.join(" or ")));
            }
            ValidationErrorKind::Enum { options } => {
                let options: Vec<&str> =
                    options.as_array().into_iter().flatten().filter_map(Json::as_str).collect();
                out.push(one_of(node, &path, &options));
            }
            ValidationErrorKind::Constant { expected_value } => {
                out.push(one_of(node, &path, expected_value.as_str().as_slice()));
            }
            ValidationErrorKind::MinProperties { .. } => out.push(
                Diagnostic::error("invalid-value", format!("{} must not be empty", subject(&path)))
                    .at(node.span, ""),
            ),
            _ => {
                let code = if title.is_some_and(|t| t.starts_with("a DNS label")) {
                    "invalid-name"
                } else {
                    "invalid-value"
                };
                let text = node.as_str().map_or_else(|| node.to_json().to_string(), Into::into);
                let message = match title {
                    Some(title) => format!("`{text}` is not {title}"),
                    None => format!("{}: {error}", subject(&path)),
                };
                out.push(Diagnostic::error(code, message).at(node.span, ""));
            }
        }
    }

    /// The schema whose keyword failed.
    fn subschema(&self, error: &ValidationError<'_>) -> &Json {
        let path = error.schema_path().as_str();
        let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
        self.schema.pointer(parent).unwrap_or(&Json::Null)
    }
}

fn unknown_field(node: &Node, path: &[String], field: &str, known: &[&str]) -> Diagnostic {
    let entry = node.as_mapping().and_then(|m| m.entry(field));
    let diagnostic = Diagnostic::error("unknown-field", format!("unknown field `{field}`{}", within(path)))
        .at_opt(entry.map(|e| e.key_span), "");
    match nearest(field, known.iter().copied()) {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
        None => diagnostic.help(format!("known fields: {}", list(known))),
    }
}

fn one_of(node: &Node, path: &[String], options: &[&str]) -> Diagnostic {
    let text = node.as_str().unwrap_or_default();
    let diagnostic = Diagnostic::error("invalid-value", format!("{} can't be `{text}`", subject(path)))
        .at(node.span, format!("expected {}", list(options)));
    match nearest(text, options.iter().copied()) {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
        None => diagnostic,
    }
}

fn wrong_type(files: &Files, node: &Node, path: &[String], expected: &str) -> Diagnostic {
    let diagnostic = Diagnostic::error(
        "wrong-type",
        format!("{} must be {expected}, not {}", subject(path), describe(node)),
    )
    .at(short(files, node.span), format!("expected {expected}"));
    let scalar = matches!(node.value, Value::Bool(_) | Value::Int(_) | Value::UInt(_) | Value::Float(_));
    if scalar && expected.contains("string") {
        let text = &files.get(node.span.file).text;
        let text = text.get(node.span.range()).unwrap_or_default();
        return diagnostic.help(format!("put it in quotes: \"{text}\""));
    }
    diagnostic
}

/// What a node is, for people: `the number 5`.
pub(in crate::landscape) fn describe(node: &Node) -> String {
    match &node.value {
        Value::Null => "empty".into(),
        Value::Bool(b) => format!("the boolean `{b}`"),
        Value::Int(i) => format!("the number `{i}`"),
        Value::UInt(u) => format!("the number `{u}`"),
        Value::Float(f) => format!("the number `{f}`"),
        Value::String(s) => format!("the string `{}`", s.lines().next().unwrap_or_default()),
        Value::Sequence(_) => "a list".into(),
        Value::Mapping(_) => "a map".into(),
    }
}

fn expected(kind: &TypeKind, title: Option<&str>) -> String {
    if let Some(title) = title.filter(|t| t.starts_with("a ")) {
        return title.into();
    }
    let name = |t: String| match t.as_str() {
        "string" => "a string".to_owned(),
        "integer" => "a whole number".into(),
        "number" => "a number".into(),
        "boolean" => "`true` or `false`".into(),
        "array" => "a list".into(),
        "object" => "a map".into(),
        _ => t,
    };
    match kind {
        TypeKind::Single(single) => name(single.to_string()),
        TypeKind::Multiple(set) => {
            let names: Vec<String> =
                set.iter().map(|t| name(t.to_string())).filter(|t| t != "null").collect();
            names.join(" or ")
        }
    }
}

/// `overrides[0].release` for people.
fn shown(path: &[String]) -> String {
    let mut text = String::new();
    for segment in path {
        if segment.bytes().all(|b| b.is_ascii_digit()) && !text.is_empty() {
            let _ = write!(text, "[{segment}]");
        } else {
            if !text.is_empty() {
                text.push('.');
            }
            text.push_str(segment);
        }
    }
    text
}

fn within(path: &[String]) -> String {
    if path.is_empty() { String::new() } else { format!(" in `{}`", shown(path)) }
}

fn subject(path: &[String]) -> String {
    if path.is_empty() { "the file".into() } else { format!("`{}`", shown(path)) }
}

fn list(names: &[&str]) -> String {
    names.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ")
}

/// The key that leads to `path`, or the start of the file.
fn place_of(root: &Node, path: &[String]) -> Span {
    let Some((last, parents)) = path.split_last() else { return start_of(root) };
    let parent = root.at(parents.iter().map(String::as_str));
    match parent.and_then(Node::as_mapping).and_then(|m| m.entry(last)) {
        Some(entry) => entry.key_span,
        None => root.at(path.iter().map(String::as_str)).map_or_else(|| start_of(root), start_of),
    }
}

/// The first key of a map; any other node as a whole.
fn start_of(node: &Node) -> Span {
    node.as_mapping().and_then(|m| m.iter().next()).map_or(node.span, |entry| entry.key_span)
}

/// The first line of a span.
fn short(files: &Files, span: Span) -> Span {
    let text = &files.get(span.file).text;
    let line = text.get(span.range()).and_then(|t| t.lines().next()).unwrap_or_default();
    Span {
        end: span.end.min(span.start.saturating_add(u32::try_from(line.len()).unwrap_or(u32::MAX))),
        ..span
    }
}

fn segments(pointer: &str) -> Vec<String> {
    pointer.split('/').skip(1).map(|s| s.replace("~1", "/").replace("~0", "~")).collect()
}
