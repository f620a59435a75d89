//! libyaml's complaints as diagnostics.

use super::event::SyntaxError;
use crate::diagnostic::{Diagnostic, FileId, Span};

/// The `yaml-syntax` error for `error` in `text`, with a hint where the cause is a common one.
pub(super) fn diagnostic(file: FileId, text: &str, error: &SyntaxError) -> Diagnostic {
    let point = |at: usize| {
        let start = floor(text, at);
        let width = text[start..].chars().next().filter(|c| !c.is_control()).map_or(0, char::len_utf8);
        Span::new(file, start..start + width)
    };
    let at = floor(text, error.at);
    let mut diagnostic = match &error.context {
        Some((context, begin)) => Diagnostic::error("yaml-syntax", format!("{context}: {}", error.problem))
            .at(point(at), "")
            .also(point(*begin), "it begins here"),
        None => Diagnostic::error("yaml-syntax", error.problem.clone()).at(point(at), ""),
    };
    if let Some(hint) = hint(error, &text[at..]) {
        diagnostic = diagnostic.help(hint);
    }
    diagnostic
}

fn hint(error: &SyntaxError, rest: &str) -> Option<&'static str> {
    let problem = error.problem.as_str();
    if rest.starts_with('\t') || problem.contains("tab character") {
        Some("indent with spaces: YAML takes no tabs there")
    } else if problem.contains("mapping values are not allowed") {
        Some("check the indentation, or quote the value if it contains `: `")
    } else if problem.contains("cannot start any token") {
        Some("quote the value")
    } else {
        None
    }
}

/// The start of the character at or before `at`.
fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}
