//! What is installed in a cluster, each component merged from its files, before contracts are met.

use std::collections::{BTreeMap, BTreeSet};

use super::checks::ComponentDoc;
use super::cluster::ClusterSource;
use super::fields::{FieldLayer, merge_fields};
use super::format::Fields;
use super::merge::without_nulls;
use super::model::ComponentSource;
use super::presence::{Presence, matching, presence};
use super::resolve::{Resolved, Shared};
use super::values::Layer;
use crate::diagnostic::{Diagnostic, Span};
use crate::yaml::{Mapping, Node, Value};

/// A component before its contracts are met.
pub(super) struct Draft<'a> {
    /// Its namespace.
    pub namespace: String,
    /// `.Release.Name`.
    pub release: String,
    /// Its merged fields.
    pub fields: Fields,
    /// The same as nodes.
    pub merged: Mapping,
    /// What it is rendered from.
    pub source: ComponentSource,
    /// Its values, lowest first.
    pub layers: Vec<Layer>,
    /// Where its name stands.
    pub span: Span,
    /// Every file that speaks of it.
    pub docs: Vec<&'a ComponentDoc>,
}

/// Decides what is there, and merges it.
pub(super) fn install<'a>(
    shared: &Shared<'a>,
    cluster: &'a ClusterSource,
    resolved: &mut Resolved,
    problems: &mut Vec<Diagnostic>,
) -> BTreeMap<String, Draft<'a>> {
    let mut drafts = BTreeMap::new();
    let names: BTreeSet<&String> = shared.components.keys().chain(cluster.components.keys()).collect();
    resolved.broken.extend(cluster.broken.clone());
    for name in names {
        if cluster.broken.contains_key(name) {
            continue;
        }
        if let Some(span) = shared.broken.get(name) {
            resolved.broken.insert(name.clone(), *span);
            continue;
        }
        let (common, own) = (shared.components.get(name), cluster.components.get(name));
        match presence(common, own, cluster) {
            Presence::Absent(absence) => {
                resolved.absent.insert(name.clone(), absence);
            }
            Presence::Unclear(problem) => {
                resolved.broken.insert(name.clone(), problem.labels.first().map_or(cluster.span, |l| l.span));
                problems.push(*problem);
            }
            Presence::Installed => {
                let docs: Vec<&ComponentDoc> = [common, own].into_iter().flatten().collect();
                let before = problems.len();
                let draft = draft(shared, cluster, name, &docs, common.is_some(), problems);
                match draft {
                    Some(draft) if problems.len() == before => {
                        drafts.insert(name.clone(), draft);
                    }
                    _ => {
                        let place = docs.first().map_or(cluster.span, |doc| doc.document.place());
                        resolved.broken.insert(name.clone(), place);
                    }
                }
            }
        }
    }
    // A broken shared file may have been meant for this cluster; nothing can be said about it.
    for (name, span) in shared.broken {
        resolved.broken.entry(name.clone()).or_insert(*span);
    }
    drafts
}

fn draft<'a>(
    shared: &Shared<'a>,
    cluster: &ClusterSource,
    name: &str,
    docs: &[&'a ComponentDoc],
    is_shared: bool,
    problems: &mut Vec<Diagnostic>,
) -> Option<Draft<'a>> {
    let first = docs.first()?;
    let span = first.document.place();
    let mut fields: Vec<FieldLayer<'_>> =
        shared.defaults.map(|fields| FieldLayer { fields, folder: "" }).into_iter().collect();
    let mut layers = Vec::new();
    for (position, doc) in docs.iter().enumerate() {
        let named = |what: &str| match (is_shared, position) {
            (true, 0) => format!("shared {what}"),
            (true, _) => format!("{what} of the refinement"),
            (false, _) => what.to_owned(),
        };
        let node = &doc.document.node;
        let mut layer = |what: String, values: Option<&Node>| {
            if let Some(values) = values.filter(|n| n.as_mapping().is_some()) {
                layers.push(Layer { name: named(&what), values: values.clone() });
            }
        };
        layer("configuration".into(), node.get("configuration"));
        if let Some(environment) = &cluster.environment {
            let values = node.get("environments").and_then(|e| e.get(environment));
            layer(format!("environments.{environment}"), values);
        }
        fields.extend(node.as_mapping().map(|fields| FieldLayer { fields, folder: doc.document.folder() }));
        for (index, node) in matching(doc.file.overrides.iter().map(|o| &o.cluster_selector), node, cluster) {
            layer(format!("overrides[{index}]"), node.get("configuration"));
            fields
                .extend(node.as_mapping().map(|fields| FieldLayer { fields, folder: doc.document.folder() }));
        }
    }
    let merged = merge_fields(&fields, problems);
    let plain = without_nulls(Node::new(span, Value::Mapping(merged.clone()))).to_json();
    let fields: Fields = match serde_json::from_value(plain) {
        Ok(fields) => fields,
        Err(error) => {
            problems.push(Diagnostic::error("invalid-value", error.to_string()).at(span, ""));
            return None;
        }
    };
    let release = fields.release.clone().unwrap_or_default();
    let release_name = release.name.map_or_else(|| name.to_owned(), |label| label.0);
    let source = source(shared, name, &fields, &merged, span, problems);
    let namespace = fields.namespace.clone();
    if namespace.is_none() {
        problems.push(
            Diagnostic::error("missing-field", format!("component `{name}` has no `namespace`"))
                .at(span, "it belongs here"),
        );
    }
    Some(Draft {
        namespace: namespace?.0,
        release: release_name,
        fields,
        merged,
        source: source?,
        layers,
        span,
        docs: docs.to_vec(),
    })
}

fn source(
    shared: &Shared<'_>,
    name: &str,
    fields: &Fields,
    merged: &Mapping,
    span: Span,
    problems: &mut Vec<Diagnostic>,
) -> Option<ComponentSource> {
    let key = |key: &str| merged.entry(key).map_or(span, |entry| entry.key_span);
    match (&fields.release, &fields.manifests) {
        (Some(_), Some(_)) => {
            problems.push(
                Diagnostic::error(
                    "release-and-manifests",
                    format!("component `{name}` has both `release` and `manifests`"),
                )
                .at(key("manifests"), "")
                .also(key("release"), "")
                .help("keep one; `null` takes back what a lower layer says"),
            );
            None
        }
        (Some(release), None) => {
            let node = merged.get("release").and_then(|r| r.get("chart")).filter(|n| !n.is_null());
            let (Some(chart), Some(node)) = (&release.chart, node) else {
                problems.push(
                    Diagnostic::error("missing-field", format!("the release of `{name}` has no `chart`"))
                        .at(key("release"), ""),
                );
                return None;
            };
            if let (Some(inner), Some(version)) = (version_of(chart), &release.version)
                && inner != version
            {
                let place = merged.get("release").and_then(|r| r.get("version")).map_or(span, |n| n.span);
                let message = format!("the chart is asked for as `{inner}` and as `{version}`");
                problems.push(
                    Diagnostic::error("version-conflict", message)
                        .at(place, "")
                        .also(node.span, "")
                        .help("take the version out of the reference"),
                );
            }
            Some(ComponentSource::Chart {
                reference: chart.clone(),
                version: release.version.clone(),
                span: node.span,
            })
        }
        (None, Some(paths)) => {
            let nodes = merged.get("manifests").and_then(Node::as_sequence).unwrap_or_default();
            let paths: Vec<(String, Span)> =
                paths.iter().cloned().zip(nodes.iter().map(|n| n.span)).collect();
            for (path, place) in &paths {
                if !shared.tree.is_file(path) && !shared.tree.is_directory(path) {
                    problems.push(
                        Diagnostic::error(
                            "missing-manifests",
                            format!("there is no `{path}` in the landscape"),
                        )
                        .at(*place, "")
                        .help("paths are seen from the component's file"),
                    );
                }
            }
            Some(ComponentSource::Manifests { paths })
        }
        (None, None) => {
            problems.push(
                Diagnostic::error(
                    "missing-field",
                    format!("component `{name}` has neither `release` nor `manifests`"),
                )
                .at(span, ""),
            );
            None
        }
    }
}

/// The version within a chart reference: `repo/name:1.2.3`, `oci://host:5000/name:1.2.3`.
fn version_of(reference: &str) -> Option<&str> {
    let last = reference.rsplit('/').next()?;
    if reference.starts_with("http") || reference.starts_with("git+") {
        return None;
    }
    last.split_once(':').map(|(_, version)| version)
}
