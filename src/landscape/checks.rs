//! Component files one by one: each as it is meant, with the problems that it has by itself and against the
//! clusters that there are.

use std::collections::{BTreeMap, BTreeSet};

use super::contracts::Known;
use super::discover::Document;
use super::format::{ComponentFile, Decoder};
use super::resolve::offered;
use super::selector::{Vocabulary, list, matches};
use super::tags::{COMPUTED, decode};
use crate::diagnostic::{Diagnostic, Files, Span, nearest};
use crate::yaml::Node;

/// A component file that can be used.
#[derive(Debug)]
pub(super) struct ComponentDoc {
    /// Its name.
    pub name: String,
    /// As read.
    pub document: Document,
    /// As meant.
    pub file: ComponentFile,
}

/// What selectors and environments are held against: a cluster that a file speaks of.
pub(super) struct Labelled {
    /// `environment`.
    pub environment: Option<String>,
    /// With `name` and `environment`.
    pub labels: BTreeMap<String, String>,
}

/// What component files are checked with.
pub(super) struct Checks<'a> {
    /// For texts to be cited.
    pub files: &'a Files,
    /// For component files.
    pub decoder: Decoder,
    /// Labels that exist.
    pub vocabulary: &'a Vocabulary,
    /// Whether a cluster could not be read: then nothing is called unknown for want of a cluster that has it.
    pub lost: bool,
    /// Every offer found so far.
    pub known: Known,
}

type Usable = (BTreeMap<String, ComponentDoc>, BTreeMap<String, Span>);

impl Checks<'_> {
    /// Reads component files; `here` are the clusters they speak of, `cluster` the
    /// one in whose folder they are. Returns the usable ones and the places of those with errors.
    pub fn components(
        &mut self,
        documents: Vec<Document>,
        here: &[Labelled],
        cluster: Option<&str>,
        problems: &mut Vec<Diagnostic>,
    ) -> Usable {
        let (mut usable, mut broken) = Usable::default();
        for document in documents {
            let who = format!("`{}`", document.stem());
            for entry in offered(&document.node) {
                self.known.entry(entry.key.clone()).or_default().push((who.clone(), entry.key_span));
            }
            let place = document.place();
            let stem = document.stem().to_owned();
            let before = problems.len();
            let file = self.component(&document, here, cluster, problems);
            match file {
                Some(file) if problems.len() == before => {
                    let name = file.name.0.clone();
                    if let Some(other) = usable.get(&name) {
                        let other: &ComponentDoc = other;
                        problems.push(
                            Diagnostic::error(
                                "duplicate-component",
                                format!("there are two files for the component `{name}`"),
                            )
                            .at(place, "")
                            .also(other.document.place(), "the other one")
                            .help("a name occurs once: rename one, or remove it"),
                        );
                        broken.insert(name, place);
                        continue;
                    }
                    usable.insert(name.clone(), ComponentDoc { name, document, file });
                }
                _ => {
                    broken.insert(stem, place);
                }
            }
        }
        usable.retain(|name, _| !broken.contains_key(name));
        (usable, broken)
    }

    fn component(
        &self,
        document: &Document,
        here: &[Labelled],
        cluster: Option<&str>,
        problems: &mut Vec<Diagnostic>,
    ) -> Option<ComponentFile> {
        let node = &document.node;
        let place = document.place();
        if let (None, Some(kind), Some(version)) =
            (node.get("name"), node.get("kind"), node.get("apiVersion"))
        {
            let kind = kind.as_str().unwrap_or_default();
            problems.push(
                Diagnostic::error("not-a-component", format!("this is a `{kind}`, not a component")).at(version.span, "").help(
                    "name the file or its folder in the `manifests` of a component, or move it out of here",
                ),
            );
            return None;
        }
        let file: Option<ComponentFile> = decode(&self.decoder, self.files, node, COMPUTED, problems);
        if !self.lost {
            self.selectors(node, file.as_ref(), here, problems);
            self.environments(node, here, problems);
        }
        let file = file?;
        if file.name.0 != document.stem() {
            problems.push(
                Diagnostic::error(
                    "name-mismatch",
                    format!("component `{}` stands in the file `{}.yaml`", file.name.0, document.stem()),
                )
                .at(place, "")
                .help("name the file like the component"),
            );
        }
        let key = |key: &str| node.as_mapping().and_then(|m| m.entry(key)).map(|e| e.key_span);
        if let (Some(span), Some(cluster)) = (key("clusterSelector"), cluster) {
            problems.push(
                Diagnostic::error(
                    "misplaced-field",
                    format!("files of the cluster `{cluster}` are for that cluster alone"),
                )
                .at(span, "")
                .help("remove `clusterSelector`, or move the file to components/"),
            );
        }
        if let (Some(span), None, Some(true)) = (key("installed"), cluster, file.fields.installed) {
            problems.push(
                Diagnostic::error(
                    "misplaced-field",
                    "`installed: true` is said by a cluster, in clusters/NAME/",
                )
                .at(span, "")
                .help("for every cluster say `clusterSelector: {}`"),
            );
        }
        Some(file)
    }

    fn selectors(
        &self,
        node: &Node,
        file: Option<&ComponentFile>,
        here: &[Labelled],
        problems: &mut Vec<Diagnostic>,
    ) {
        if let Some(selector) = node.get("clusterSelector").filter(|n| !n.is_null()) {
            problems.extend(self.vocabulary.check(selector));
        }
        let nodes = node.get("overrides").and_then(Node::as_sequence).unwrap_or_default();
        for (index, node) in nodes.iter().enumerate() {
            let Some(selector) = node.get("clusterSelector") else { continue };
            let unknown = self.vocabulary.check(selector);
            if !unknown.is_empty() {
                problems.extend(unknown);
                continue;
            }
            let Some(typed) = file.and_then(|file| file.overrides.get(index)).map(|o| &o.cluster_selector)
            else {
                continue;
            };
            let some = here.iter().any(|cluster| matches(typed, &cluster.labels));
            if !some && !self.vocabulary.is_ahead(typed) {
                problems.push(
                    Diagnostic::error("override-without-cluster", "this override matches no cluster")
                        .at(selector.span, "")
                        .help("correct its selector, or remove it"),
                );
            }
        }
    }

    fn environments(&self, node: &Node, here: &[Labelled], problems: &mut Vec<Diagnostic>) {
        let mut known: BTreeSet<&str> = here.iter().filter_map(|c| c.environment.as_deref()).collect();
        known.extend(self.vocabulary.listed("environment").into_iter().flatten().map(String::as_str));
        for entry in node.get("environments").and_then(Node::as_mapping).into_iter().flatten() {
            if known.contains(entry.key.as_str()) {
                continue;
            }
            let problem = Diagnostic::error(
                "unknown-environment",
                format!("no cluster has the environment `{}`", entry.key),
            )
            .at(entry.key_span, "");
            problems.push(match nearest(&entry.key, known.iter().copied()) {
                Some(near) => problem.help(format!("did you mean `{near}`?")),
                None if known.is_empty() => problem.help("give a cluster an `environment`"),
                None => problem.help(format!("environments: {}", list(&known))),
            });
        }
    }
}
