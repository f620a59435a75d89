//! Draws [`Diagnostic`]s as rustc does. Lines of sensitive files are cited by number, never shown.

use std::collections::BTreeMap;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use serde_json::{Value, json};

use super::style::Paint;
use crate::diagnostic::{Diagnostic, FileId, Files, Label, Severity};

/// All `diagnostics` as text, a blank line between two.
pub fn text(diagnostics: &[Diagnostic], files: &Files, paint: Paint, width: usize) -> String {
    let renderer = match paint {
        Paint::Color => Renderer::styled(),
        Paint::Plain => Renderer::plain(),
    };
    let renderer = renderer.decor_style(DecorStyle::Ascii).term_width(width);
    diagnostics.iter().map(|d| format!("{}\n\n", renderer.render(&groups(d, files)))).collect()
}

/// `2 errors, 1 warning`; empty without any.
pub fn summary(diagnostics: &[Diagnostic]) -> String {
    let count = |severity: Severity| diagnostics.iter().filter(|d| d.severity == severity).count();
    [(count(Severity::Error), "error"), (count(Severity::Warning), "warning")]
        .into_iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, word)| format!("{n} {word}{}", if n == 1 { "" } else { "s" }))
        .collect::<Vec<_>>()
        .join(", ")
}

/// One diagnostic as JSON: severity, code, message, places, help.
pub fn json(diagnostic: &Diagnostic, files: &Files) -> Value {
    let place = |label: &Label| {
        let position = files.position(label.span);
        json!({
            "file": files.get(label.span.file).name,
            "line": position.line,
            "column": position.column,
            "message": label.message,
            "primary": label.primary,
        })
    };
    json!({
        "severity": severity_name(diagnostic.severity),
        "code": diagnostic.code,
        "message": diagnostic.message,
        "places": diagnostic.labels.iter().map(place).collect::<Vec<_>>(),
        "help": diagnostic.help,
    })
}

fn severity_name(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

fn groups<'a>(diagnostic: &'a Diagnostic, files: &Files) -> Vec<Group<'a>> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let mut group = Group::with_title(level.primary_title(diagnostic.message.as_str()).id(diagnostic.code));
    for (file, labels) in by_file(&diagnostic.labels) {
        let source = files.get(file);
        if source.sensitive {
            for label in labels {
                let position = files.position(label.span);
                group = group.element(
                    Origin::path(source.name.clone()).line(position.line).char_column(position.column),
                );
            }
            continue;
        }
        let text = source.text.to_string();
        let annotations = labels.iter().map(|label| {
            let kind = if label.primary { AnnotationKind::Primary } else { AnnotationKind::Context };
            let annotation = kind.span(first_line(&text, label.span.range()));
            if label.message.is_empty() { annotation } else { annotation.label(label.message.as_str()) }
        });
        let annotations: Vec<_> = annotations.collect();
        group = group.element(Snippet::source(text).path(source.name.clone()).annotations(annotations));
    }
    for help in &diagnostic.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    vec![group]
}

/// Labels by file, the file of the first label first.
fn by_file(labels: &[Label]) -> Vec<(FileId, Vec<&Label>)> {
    let mut order = Vec::new();
    let mut files: BTreeMap<FileId, Vec<&Label>> = BTreeMap::new();
    for label in labels {
        if !files.contains_key(&label.span.file) {
            order.push(label.span.file);
        }
        files.entry(label.span.file).or_default().push(label);
    }
    order.into_iter().filter_map(|file| Some((file, files.remove(&file)?))).collect()
}

/// The part of `range` on its first line, on character boundaries: a whole map is marked by its first line.
fn first_line(text: &str, range: std::ops::Range<usize>) -> std::ops::Range<usize> {
    let floor = |mut i: usize| {
        while !text.is_char_boundary(i) {
            i -= 1;
        }
        i
    };
    let start = floor(range.start.min(text.len()));
    let end = floor(range.end.min(text.len())).max(start);
    let end = text[start..end].find('\n').map_or(end, |i| start + i);
    start..end
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Span;

    fn sample(sensitive: bool) -> (Files, Vec<Diagnostic>) {
        let files = Files::new();
        let file = files.add("components/grafana.yaml", "name: grafana\nnamspace: monitoring\n", sensitive);
        let problem = Diagnostic::error("unknown-field", "unknown field `namspace`")
            .at(Span::new(file, 14..22), "not a field of a component")
            .help("did you mean `namespace`?");
        (files, vec![problem])
    }

    #[test]
    fn shows_the_line_with_a_marker_and_a_hint() {
        let (files, problems) = sample(false);
        insta::assert_snapshot!(text(&problems, &files, Paint::Plain, 80), @r"
        error[unknown-field]: unknown field `namspace`
         --> components/grafana.yaml:2:1
          |
        2 | namspace: monitoring
          | ^^^^^^^^ not a field of a component
          |
          = help: did you mean `namespace`?
        ");
    }

    #[test]
    fn a_line_of_a_sensitive_file_is_cited_but_not_shown() {
        let (files, problems) = sample(true);
        let shown = text(&problems, &files, Paint::Plain, 80);
        assert!(shown.contains("components/grafana.yaml:2:1"), "{shown}");
        assert!(!shown.contains("monitoring"), "{shown}");
    }
}
