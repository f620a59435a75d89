//! Which engine renders a file, and one component's charts through it.
//!
//! The place for a second engine: a file under `templates/` that is no `*.tera` is a Go template. This version
//! has no engine for these and says so; one that has gets its jobs here, beside Tera's.

use super::context::{self, Shared};
use super::document::Text;
use super::holes::{Face, Placeholders};
use super::tera;
use super::values::Scoped;
use crate::diagnostic::{Diagnostic, FileId, Files, Span};
use crate::landscape::Component;

/// What renders a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Engine {
    /// `*.tera`.
    Tera,
    /// Every other file under `templates/`.
    Go,
    /// `NOTES.txt`: prose that Helm prints after an install.
    Notes,
}

impl Engine {
    fn of(template: &str) -> Self {
        match template.rsplit('/').next().unwrap_or(template).rsplit_once('.') {
            Some(("NOTES", "txt") | ("NOTES.txt", "tera")) => Self::Notes,
            Some((_, "tera")) => Self::Tera,
            _ => Self::Go,
        }
    }
}

/// What a component's templates are rendered with.
pub(super) struct Input<'a> {
    pub component: &'a Component,
    pub scoped: &'a [Scoped<'a>],
    pub shared: &'a Shared,
    pub capabilities: &'a ::tera::Value,
    pub placeholders: &'a Placeholders,
    pub files: &'a Files,
}

/// Every rendered template, once for each face: the front, and with secrets the back.
pub(super) fn render(input: &Input) -> Result<Vec<[Option<Text>; 2]>, Vec<Diagnostic>> {
    let mut diagnostics: Vec<_> = input.scoped.iter().filter_map(go_templates).collect();
    let jobs: Vec<_> = input.scoped.iter().map(|scoped| job(input, scoped)).collect();
    let component = &input.component.name;
    let outcomes = match tera::render(jobs, tera::Limits::default()) {
        Ok(outcomes) => outcomes,
        Err(halt) => {
            let diagnostic = Diagnostic::error(
                "template-limit",
                format!("the component `{component}` was not rendered: {halt}"),
            )
            .at(input.component.span, "")
            .help("look for loops in its templates that never end, or that print the same again and again");
            return Err(vec![diagnostic]);
        }
    };
    let mut texts = Vec::new();
    for (scoped, outcome) in input.scoped.iter().zip(outcomes) {
        let place = tera::Place {
            files: input.files,
            templates: &scoped.chart.templates,
            values: &scoped.values,
            fallback: scoped.chart.span,
        };
        let rendered = match outcome {
            tera::Outcome::Broken(errors) => {
                diagnostics.extend(errors.iter().flat_map(|error| tera::diagnostics(error, &place)));
                continue;
            }
            tera::Outcome::Rendered(rendered) => rendered,
        };
        for (name, result) in rendered {
            let Some(source) = scoped.chart.templates.get(&name).copied() else { continue };
            match result {
                Ok(faces) => {
                    let mut faces = faces.into_iter().map(|text| Text {
                        template: format!("{}{}{name}", scoped.prefix, scoped.chart.template_root),
                        source,
                        rendered: Some(text),
                    });
                    texts.push([faces.next(), faces.next()]);
                }
                Err(error) => diagnostics.extend(tera::diagnostics(&error, &place)),
            }
        }
    }
    if diagnostics.is_empty() { Ok(texts) } else { Err(diagnostics) }
}

fn job(input: &Input, scoped: &Scoped) -> tera::Job {
    let templates = scoped.chart.templates.iter().filter(|(name, _)| Engine::of(name) == Engine::Tera);
    let faces: &[Face] =
        if input.placeholders.is_empty() { &[Face::Front] } else { &[Face::Front, Face::Back] };
    let context = |face: &Face| {
        let tagged = |node: &crate::yaml::Node| input.placeholders.text(node, *face);
        context::context(input.shared, input.capabilities, input.component, scoped, &tagged)
    };
    tera::Job {
        templates: templates
            .map(|(name, file)| (name.clone(), input.files.get(*file).text.clone()))
            .collect(),
        contexts: faces.iter().map(context).collect(),
    }
}

/// One error for all Go templates of a chart.
fn go_templates(scoped: &Scoped) -> Option<Diagnostic> {
    let mut go = scoped
        .chart
        .templates
        .iter()
        .filter(|(name, _)| Engine::of(name) == Engine::Go)
        .map(|(_, file)| *file);
    let start = |file: FileId| Span::new(file, 0..0);
    let first = go.next()?;
    let message = format!(
        "the chart `{}` has Go templates, which are not supported by this version",
        scoped.chart.name
    );
    let diagnostic = Diagnostic::error("go-template", message).at(start(first), "");
    let diagnostic =
        go.take(3).fold(diagnostic, |diagnostic, file| diagnostic.also(start(file), "this one too"));
    Some(diagnostic.help(
        "Tera templates end in `.tera`; objects that need no template belong in the chart's `manifests/`",
    ))
}
