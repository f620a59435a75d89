//! Tera's errors as diagnostics with a place in the template, the include chain, and the values concerned.
//!
//! Syntax and rendering errors carry a span. Errors about several unknown filters or templates, and the
//! chain of includes, exist only in the text that Tera prints (`error: …`, ` --> file:line:column`,
//! `note: called from file:line:column`): those lines are read back.

use std::collections::BTreeMap;

use tera::ErrorKind;

use crate::diagnostic::{Diagnostic, FileId, Files, Span, nearest};
use crate::yaml::{Node, Value};

/// Where the templates of an error stand.
pub(in crate::render) struct Place<'a> {
    /// Texts.
    pub files: &'a Files,
    /// Templates by name.
    pub templates: &'a BTreeMap<String, FileId>,
    /// The values that the templates saw.
    pub values: &'a Node,
    /// Where to point when the error has no place of its own.
    pub fallback: Span,
}

/// The problems that one error tells of.
pub(in crate::render) fn diagnostics(error: &tera::Error, place: &Place) -> Vec<Diagnostic> {
    match error.kind() {
        ErrorKind::SyntaxError(report) | ErrorKind::RenderingError(report) => {
            let span = place
                .templates
                .get(report.filename())
                .map(|file| Span::new(*file, report.span().range.clone()));
            let is_undefined = report.message().ends_with("but got `undefined`");
            let message = if is_undefined { "the value is not defined" } else { report.message() };
            let found = Found {
                message: message.to_owned(),
                span,
                notes: notes(&error.to_string(), place),
                about_a_value: matches!(error.kind(), ErrorKind::RenderingError(_)),
            };
            vec![found.diagnostic(place)]
        }
        ErrorKind::Msg(text) => {
            let reports: Vec<_> = text.split("\n\n").filter_map(|report| printed(report, place)).collect();
            if reports.is_empty() {
                vec![bare(text, place)]
            } else {
                reports.into_iter().map(|found| found.diagnostic(place)).collect()
            }
        }
        ErrorKind::CircularInclude { include_chain, .. } => {
            let first = include_chain.first().and_then(|name| place.templates.get(name));
            let message = format!("templates include each other: {}", include_chain.join(" → "));
            vec![
                Diagnostic::error("template-error", message)
                    .at(first.map_or(place.fallback, |file| Span::new(*file, 0..0)), "")
                    .help("a template cannot include itself, not even through others"),
            ]
        }
        other => vec![bare(&other.to_string(), place)],
    }
}

fn bare(text: &str, place: &Place) -> Diagnostic {
    Diagnostic::error("template-error", uncapitalised(text)).at(place.fallback, "")
}

/// One problem of a template.
struct Found {
    message: String,
    span: Option<Span>,
    /// Places that included the template.
    notes: Vec<Span>,
    /// Met while rendering: a value that is written there may be the reason.
    about_a_value: bool,
}

impl Found {
    fn diagnostic(self, place: &Place) -> Diagnostic {
        let (message, available) = split_available(&self.message);
        let mut diagnostic = Diagnostic::error("template-error", uncapitalised(message))
            .at(self.span.unwrap_or(place.fallback), "");
        for note in self.notes {
            diagnostic = diagnostic.also(note, "included from here");
        }
        let missing = message.split('`').nth(1).unwrap_or_default();
        if let Some(near) = nearest(missing, available.iter().copied()) {
            diagnostic = diagnostic.help(format!("did you mean `{near}`?"));
        } else if !available.is_empty() {
            diagnostic = diagnostic.help(format!("there are: {}", available.join(", ")));
        }
        match self.span.filter(|_| self.about_a_value).and_then(|span| values_at(span, place)) {
            Some((path, Some(node))) => diagnostic.also(head(node), format!("`{path}` stands here")),
            Some((path, None)) => diagnostic.help(format!(
                "no layer sets `{path}`: set it, or write a default for it into the chart's values.yaml"
            )),
            None => diagnostic,
        }
    }
}

/// The place of a value; of a collection only where it begins.
fn head(node: &Node) -> Span {
    match node.value {
        Value::Mapping(_) | Value::Sequence(_) => Span { end: node.span.start, ..node.span },
        _ => node.span,
    }
}

/// Splits what Tera offers instead from the message.
fn split_available(message: &str) -> (&str, Vec<&str>) {
    for marker in [" Available fields: ", " Available variables: "] {
        if let Some((message, list)) = message.split_once(marker) {
            return (message.trim_end_matches('.'), list.split(", ").collect());
        }
    }
    (message.trim_end_matches('.'), Vec::new())
}

/// The values path that is written at `span` (or before the filter there), with the node of it or of its
/// nearest existing parent.
fn values_at<'a>(span: Span, place: &Place<'a>) -> Option<(String, Option<&'a Node>)> {
    let file = place.files.get(span.file);
    let is_path = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
    let before = file.text.get(..span.range().start)?;
    let filtered = before.trim_end().strip_suffix('|').map(str::trim_end);
    let end = match filtered {
        Some(value) => value.len(),
        None => before.len() + file.text.get(before.len()..)?.find(|c| !is_path(c)).unwrap_or(0),
    };
    let text = file.text.get(..end)?;
    let path = &text[text.rfind(|c| !is_path(c)).map_or(0, |i| i + 1)..];
    let segments: Vec<&str> = path.strip_prefix("values.")?.split('.').filter(|s| !s.is_empty()).collect();
    let known =
        (0..=segments.len()).rev().find_map(|n| Some((n, place.values.at(segments[..n].iter().copied())?)));
    Some(match known {
        Some((n, node)) if n > 0 => (format!("values.{}", segments[..n].join(".")), Some(node)),
        _ => (format!("values.{}", segments.join(".")), None),
    })
}

/// Reads one printed report back.
fn printed(report: &str, place: &Place) -> Option<Found> {
    let mut lines = report.lines();
    let message = lines.next()?.strip_prefix("error: ")?.to_owned();
    let span = lines.next()?.trim_start().strip_prefix("--> ").and_then(|at| span_of(at, place));
    Some(Found { message, span, notes: Vec::new(), about_a_value: false })
}

/// The chain of includes, innermost first.
fn notes(printed: &str, place: &Place) -> Vec<Span> {
    printed.lines().filter_map(|line| span_of(line.strip_prefix("note: called from ")?, place)).collect()
}

/// `file:line:column` as a place; `None` if it is none in one of the templates.
fn span_of(text: &str, place: &Place) -> Option<Span> {
    let mut parts = text.rsplitn(3, ':');
    let column: usize = parts.next()?.parse().ok()?;
    let line: usize = parts.next()?.parse().ok()?;
    let file = *place.templates.get(parts.next()?)?;
    let source = place.files.get(file);
    let start: usize = source.text.split_inclusive('\n').take(line.checked_sub(1)?).map(str::len).sum();
    let line = source.text.get(start..)?.lines().next().unwrap_or_default();
    let offset = line.char_indices().nth(column.saturating_sub(1)).map_or(line.len(), |(i, _)| i);
    Some(Span::new(file, start + offset..start + line.len()))
}

fn uncapitalised(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) if chars.clone().next().is_some_and(char::is_lowercase) => {
            first.to_lowercase().chain(chars).collect()
        }
        _ => text.to_owned(),
    }
}
