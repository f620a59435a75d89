//! Chart.yaml: what a chart says about itself (Helm's chart format, apiVersion v2).

use crate::diagnostic::{Diagnostic, FileId, Files, Span};
use crate::yaml::{self, Duplicates, Node, Value};

/// What we need of a Chart.yaml.
#[derive(Debug)]
pub(super) struct Metadata {
    pub name: String,
    pub version: String,
    pub app_version: String,
    pub dependencies: Vec<Dependency>,
    /// The version.
    pub span: Span,
}

/// One of `dependencies`.
#[derive(Debug)]
pub(super) struct Dependency {
    pub name: String,
    pub alias: Option<String>,
    pub condition: Option<String>,
    pub tags: Vec<String>,
    pub span: Span,
}

/// Reads a Chart.yaml; all problems at once.
pub(super) fn read(files: &Files, file: FileId) -> Result<Metadata, Vec<Diagnostic>> {
    let documents = yaml::read(files, file, Duplicates::Error).map_err(|d| vec![d])?;
    let start = Span::new(file, 0..0);
    let root = documents.into_iter().find_map(|d| d.root);
    let Some(root) = root.filter(|r| r.as_mapping().is_some()) else {
        return Err(vec![
            Diagnostic::error("invalid-chart", "`Chart.yaml` must be a map with `name` and `version`")
                .at(start, ""),
        ]);
    };
    let mut diagnostics = Vec::new();
    let name = required(&root, "name", &mut diagnostics);
    if let Some((name, span)) = &name
        && !is_safe_segment(name)
    {
        diagnostics.push(
            Diagnostic::error("invalid-chart", format!("`{name}` cannot be the name of a chart"))
                .at(*span, "")
                .help("use letters, digits, `-`, `_` and `.`, beginning with a letter or digit"),
        );
    }
    let version = required(&root, "version", &mut diagnostics);
    if let Some((version, span)) = &version
        && semver::Version::parse(version.trim_start_matches('v')).is_err()
    {
        diagnostics.push(
            Diagnostic::error("invalid-chart", format!("`{version}` is not a semantic version"))
                .at(*span, "")
                .help("write three numbers, for example `1.0.0`"),
        );
    }
    let app_version = root.get("appVersion").map(scalar).unwrap_or_default().unwrap_or_default();
    let dependencies = root.get("dependencies").and_then(Node::as_sequence).unwrap_or_default();
    let dependencies = dependencies.iter().filter_map(|node| dependency(node, &mut diagnostics)).collect();
    match (name, version) {
        (Some((name, _)), Some((version, span))) if diagnostics.is_empty() => {
            Ok(Metadata { name, version, app_version, dependencies, span })
        }
        _ => Err(diagnostics),
    }
}

fn required(root: &Node, key: &str, diagnostics: &mut Vec<Diagnostic>) -> Option<(String, Span)> {
    let found = root.get(key).and_then(|node| scalar(node).map(|text| (text, node.span)));
    if found.as_ref().is_none_or(|(text, _)| text.is_empty()) {
        let place = root.get(key).map_or(Span { end: root.span.start, ..root.span }, |node| node.span);
        diagnostics
            .push(Diagnostic::error("invalid-chart", format!("`Chart.yaml` needs `{key}`")).at(place, ""));
        return None;
    }
    found
}

fn dependency(node: &Node, diagnostics: &mut Vec<Diagnostic>) -> Option<Dependency> {
    let text = |key: &str| node.get(key).and_then(scalar).filter(|text| !text.is_empty());
    let Some(name) = text("name") else {
        diagnostics.push(Diagnostic::error("invalid-chart", "a dependency needs `name`").at(node.span, ""));
        return None;
    };
    let tags = node.get("tags").and_then(Node::as_sequence).unwrap_or_default();
    Some(Dependency {
        name,
        alias: text("alias"),
        condition: text("condition"),
        tags: tags.iter().filter_map(scalar).collect(),
        span: node.span,
    })
}

/// The text of a scalar. `version: 1.0` is a number for YAML and a version for people.
fn scalar(node: &Node) -> Option<String> {
    match &node.value {
        Value::String(text) => Some(text.clone()),
        Value::Int(_) | Value::UInt(_) | Value::Float(_) | Value::Bool(_) => Some(node.to_json().to_string()),
        _ => None,
    }
}

/// A name that is one path segment and nothing else, wherever it may be put (CVE-2024-25620).
fn is_safe_segment(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}
