//! Which files of a tree are what: landscape.yaml, cluster.yaml of each cluster, components; and their nodes.
//!
//! Components may stand beside other YAML: what a component names in `manifests`, and folders that hold a
//! `Chart.yaml`, are not components. Everything else under `components/` and `clusters/` that ends in `.yaml`
//! is one, and nothing is left out silently.

use std::collections::BTreeSet;

use crate::diagnostic::{Diagnostic, Files, Span};
use crate::source::Tree;
use crate::yaml::{self, Duplicates, Node};

/// One readable file with one document.
#[derive(Debug)]
pub(super) struct Document {
    /// From the landscape's root.
    pub path: String,
    /// Its document.
    pub node: Node,
}

impl Document {
    /// The folder it is in; empty for the root.
    pub fn folder(&self) -> &str {
        folder(&self.path)
    }

    /// The file's name without `.yaml`.
    pub fn stem(&self) -> &str {
        stem(&self.path)
    }

    /// The field `name`, or else the start of the file.
    pub fn place(&self) -> Span {
        let start = Span { end: self.node.span.start, ..self.node.span };
        self.node.get("name").map_or(start, |name| name.span)
    }
}

/// A folder below `clusters/`.
#[derive(Debug)]
pub(super) struct ClusterFolder {
    /// Its name.
    pub name: String,
    /// cluster.yaml.
    pub file: Option<Document>,
    /// Components and refinements.
    pub components: Vec<Document>,
    /// Components whose file cannot be read, with its start.
    pub unreadable: Vec<(String, Span)>,
}

/// Every file that matters.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// landscape.yaml.
    pub landscape: Option<Document>,
    /// Clusters by name.
    pub clusters: Vec<ClusterFolder>,
    /// Shared components.
    pub components: Vec<Document>,
    /// Shared components whose file cannot be read, with its start.
    pub unreadable: Vec<(String, Span)>,
}

/// Reads every file that matters.
pub(super) fn discover(tree: &Tree, files: &Files, problems: &mut Vec<Diagnostic>) -> Found {
    let landscape = read(tree, files, "landscape.yaml").map_err(|problem| problems.push(problem)).ok();
    let mut found = Found { landscape, ..Found::default() };
    stray(tree, files, problems);
    let (components, unreadable) = read_folder(tree, files, "components", problems);
    (found.components, found.unreadable) = (components, unreadable);
    for name in folders(tree, files, "clusters", problems) {
        let folder = format!("clusters/{name}");
        let path = format!("{folder}/cluster.yaml");
        let file = if tree.is_file(&path) {
            read(tree, files, &path).map_err(|problem| problems.push(problem)).ok()
        } else {
            problems.push(
                Diagnostic::error(
                    "missing-cluster-file",
                    format!("the cluster folder `{name}` has no cluster.yaml"),
                )
                .at(nowhere(files, &path), "")
                .help("write it, or remove the folder"),
            );
            None
        };
        let (components, unreadable) = read_folder(tree, files, &folder, problems);
        found.clusters.push(ClusterFolder { name, file, components, unreadable });
    }
    found
}

/// YAML directly in clusters/ belongs to no cluster.
fn stray(tree: &Tree, files: &Files, problems: &mut Vec<Diagnostic>) {
    // A folder that can't be listed is told by `folders`.
    let items =
        if tree.is_directory("clusters") { tree.list("clusters").unwrap_or_default() } else { Vec::new() };
    for name in items.into_iter().map(|item| item.name) {
        let path = format!("clusters/{name}");
        if (has_extension(&name, "yaml") || has_extension(&name, "yml")) && tree.is_file(&path) {
            problems.push(
                Diagnostic::error(
                    "stray-cluster-file",
                    format!("`{path}` would be left out: a cluster is a folder"),
                )
                .at(nowhere(files, &path), "")
                .help(format!("a cluster is described in `clusters/{}/cluster.yaml`", stem(&name))),
            );
        }
    }
}

fn folders(tree: &Tree, files: &Files, path: &str, problems: &mut Vec<Diagnostic>) -> Vec<String> {
    if !tree.is_directory(path) {
        return Vec::new();
    }
    match tree.list(path) {
        Ok(items) => items
            .into_iter()
            .map(|i| i.name)
            .filter(|name| tree.is_directory(&format!("{path}/{name}")))
            .collect(),
        Err(error) => {
            problems.push(unreadable(files, path, &error));
            Vec::new()
        }
    }
}

type Documents = (Vec<Document>, Vec<(String, Span)>);

fn read_folder(tree: &Tree, files: &Files, folder: &str, problems: &mut Vec<Diagnostic>) -> Documents {
    if !tree.is_directory(folder) {
        return Documents::default();
    }
    let paths = match tree.walk(folder) {
        Ok(paths) => paths,
        Err(error) => {
            problems.push(unreadable(files, folder, &error));
            return Documents::default();
        }
    };
    let charts: BTreeSet<String> = paths
        .iter()
        .filter_map(|path| path.strip_suffix("/Chart.yaml"))
        .map(|chart| format!("{chart}/"))
        .collect();
    let candidates: Vec<&String> = paths
        .iter()
        .filter(|path| !charts.iter().any(|chart| path.starts_with(chart)))
        .filter(|path| !path.ends_with("/cluster.yaml") || folder == "components")
        .collect();
    let (yaml, other): (Vec<&String>, Vec<&String>) =
        candidates.into_iter().partition(|path| has_extension(path, "yaml"));
    let read: Vec<(&String, Result<Document, Diagnostic>)> =
        yaml.into_iter().map(|path| (path, read(tree, files, path))).collect();

    let mut claimed = BTreeSet::new();
    for document in read.iter().filter_map(|(_, result)| result.as_ref().ok()) {
        claims(document, &mut claimed);
    }
    let is_claimed = |path: &str| {
        claimed.iter().any(|c| path == c || path.strip_prefix(c.as_str()).is_some_and(|r| r.starts_with('/')))
    };

    for path in other.into_iter().filter(|path| has_extension(path, "yml") && !is_claimed(path)) {
        problems.push(
            Diagnostic::error(
                "wrong-extension",
                format!("`{path}` would be left out: only `.yaml` files are read"),
            )
            .at(nowhere(files, path), "")
            .help(format!("rename it to `{}.yaml`", path.trim_end_matches(".yml"))),
        );
    }
    let (mut documents, mut unreadable) = Documents::default();
    for (path, result) in read.into_iter().filter(|(path, _)| !is_claimed(path)) {
        match result {
            Ok(document) => documents.push(document),
            Err(problem) => {
                let place = problem.labels.first().map_or_else(|| nowhere(files, path), |label| label.span);
                unreadable.push((stem(path).to_owned(), place));
                problems.push(problem);
            }
        }
    }
    (documents, unreadable)
}

/// The paths that a component's `manifests` name, at its top and in its overrides.
fn claims(document: &Document, claimed: &mut BTreeSet<String>) {
    let overrides = document.node.get("overrides").and_then(Node::as_sequence).unwrap_or_default();
    for node in std::iter::once(&document.node).chain(overrides) {
        let paths = node.get("manifests").and_then(Node::as_sequence).unwrap_or_default();
        let paths = paths.iter().filter_map(Node::as_str).filter_map(|path| beside(document.folder(), path));
        claimed.extend(paths.filter(|path| *path != document.path));
    }
}

fn read(tree: &Tree, files: &Files, path: &str) -> Result<Document, Diagnostic> {
    let text = tree.read_text(path).map_err(|error| unreadable(files, path, &error))?;
    let file = files.add(path, text, false);
    let mut documents = yaml::read(files, file, Duplicates::Error)?.into_iter();
    let start = Span::new(file, 0..0);
    let first = documents.next().and_then(|document| document.root);
    if let Some(second) = documents.find(|document| document.root.is_some()) {
        let span = Span { end: second.span.start.saturating_add(3).min(second.span.end), ..second.span };
        return Err(Diagnostic::error(
            "several-documents",
            "a file holds one document, this is a second one",
        )
        .at(span, "")
        .help("put it into a file of its own"));
    }
    match first {
        Some(node) if node.as_mapping().is_some() => Ok(Document { path: path.into(), node }),
        Some(node) if !node.is_null() => {
            Err(Diagnostic::error("wrong-type", "the file must be a map").at(node.span, ""))
        }
        _ => Err(Diagnostic::error("empty-file", "the file says nothing")
            .at(start, "")
            .help("write it or remove it; to keep a component out of a cluster, say `installed: false`")),
    }
}

fn unreadable(files: &Files, path: &str, error: &crate::source::Error) -> Diagnostic {
    error.diagnostic().at(nowhere(files, path), "")
}

/// A place for problems with files that have no text.
fn nowhere(files: &Files, path: &str) -> Span {
    Span::new(files.add(path, "", false), 0..0)
}

fn has_extension(path: &str, extension: &str) -> bool {
    path.rsplit_once('.').is_some_and(|(_, found)| found == extension)
}

fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

fn stem(path: &str) -> &str {
    let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
    name.strip_suffix(".yaml").unwrap_or(name)
}

/// `path` as seen from `folder`, from the root; `None` when it leaves the landscape.
pub(super) fn beside(folder: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    if path.starts_with('/') {
        return None;
    }
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_seen_from_the_file() {
        for (folder, path, expected) in [
            ("components", "manifests/", Some("components/manifests")),
            ("components/x", "../y/./z.yaml", Some("components/y/z.yaml")),
            ("", "a", Some("a")),
            ("components", "../../a", None),
            ("components", "/a", None),
        ] {
            assert_eq!(beside(folder, path).as_deref(), expected);
        }
    }
}
