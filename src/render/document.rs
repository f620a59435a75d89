//! Rendered texts into drafts: one per object, with the place where it stands.

use serde_json::Value as Json;

use super::normalise;
use crate::diagnostic::{Diagnostic, FileId, Files, Span};
use crate::object::Hole;
use crate::yaml::{self, Duplicates, Node};

/// A rendered object on its way to a [`crate::object::Manifest`].
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub object: Json,
    pub holes: Vec<Hole>,
    /// The template's path within the chart.
    pub template: String,
    /// The template itself.
    pub source: FileId,
    /// The object in the rendered text.
    pub span: Span,
}

/// One rendered text and what it was rendered from.
pub(super) struct Text {
    /// The template's path within the chart.
    pub template: String,
    /// The template.
    pub source: FileId,
    /// The rendered text; `None` for a plain file, which is its own.
    pub rendered: Option<String>,
}

/// Reads the objects of `text`, registered under `name`. `List`s are expanded (N10), documents that are empty
/// or only comments are passed over.
pub(super) fn read(text: &Text, name: &str, files: &Files) -> Result<Vec<Draft>, Vec<Diagnostic>> {
    let source = files.get(text.source);
    let content = text.rendered.as_deref().unwrap_or(&source.text);
    let plain = text.rendered.is_none().then_some(text.source);
    let register = |sensitive: bool| match plain {
        Some(file) if !sensitive => file,
        _ => files.add(name, content, sensitive),
    };
    let sensitive = mentions_secret(content);
    let drafts = read_file(register(sensitive), text, files)?;
    if !sensitive && drafts.iter().any(|d| d.object["kind"] == "Secret") {
        return read_file(register(true), text, files);
    }
    Ok(drafts)
}

/// Whether the word `Secret` stands in the text, as it must where a Secret is, however it is quoted (but for
/// escapes, which [`read`] sees afterwards).
fn mentions_secret(text: &str) -> bool {
    text.match_indices("Secret").any(|(at, word)| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        ![before, after].into_iter().flatten().any(char::is_alphanumeric)
    })
}

fn read_file(file: FileId, text: &Text, files: &Files) -> Result<Vec<Draft>, Vec<Diagnostic>> {
    let documents = yaml::read(files, file, Duplicates::Error).map_err(|d| vec![from_template(d, text)])?;
    let mut drafts = Vec::new();
    let mut diagnostics = Vec::new();
    for root in documents.iter().filter_map(|d| d.root.as_ref()).filter(|root| !root.is_null()) {
        let mut objects = Vec::new();
        normalise::expand(root, &mut objects, &mut diagnostics);
        drafts.extend(objects.into_iter().map(|(node, object)| Draft {
            object,
            holes: Vec::new(),
            template: text.template.clone(),
            source: text.source,
            span: node.span,
        }));
    }
    if diagnostics.is_empty() {
        Ok(drafts)
    } else {
        Err(diagnostics.into_iter().map(|d| from_template(d, text)).collect())
    }
}

/// Says which template printed the text that `diagnostic` is about.
pub(super) fn from_template(diagnostic: Diagnostic, text: &Text) -> Diagnostic {
    if text.rendered.is_none() {
        return diagnostic;
    }
    diagnostic.also(Span::new(text.source, 0..0), "rendered from this template")
}

/// The node of an object in its rendered text, wherever `span` is: a document, or an item of a `List`.
pub(super) fn find(root: &Node, span: Span) -> Option<&Node> {
    if root.span == span {
        return Some(root);
    }
    root.get("items")?.as_sequence()?.iter().find_map(|item| find(item, span))
}
