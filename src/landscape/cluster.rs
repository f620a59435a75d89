//! cluster.yaml, and putting a resolved cluster together.

use std::collections::BTreeMap;

use super::checks::{ComponentDoc, Labelled};
use super::discover::Document;
use super::format::{ClusterFile, ConnectionFields, Decoder, LandscapeFile, LimitsFile, SecretSourceEntry};
use super::merge::{merge, without_nulls};
use super::model::{Cluster, Connection, Limits, NamespaceMetadata, SecretSource};
use super::resolve::Resolved;
use super::secrets::{self, Listed};
use super::selector::{Vocabulary, list};
use super::tags::decode;
use crate::diagnostic::{Diagnostic, Files, Span, nearest};
use crate::object::KubernetesVersion;
use crate::yaml::{Mapping, Node, Value};

/// A cluster's files.
#[derive(Debug)]
pub(super) struct ClusterSource {
    /// Its name.
    pub name: String,
    /// `environment`.
    pub environment: Option<String>,
    /// Labels with `name` and `environment`.
    pub labels: BTreeMap<String, String>,
    /// cluster.yaml as read.
    pub document: Document,
    /// cluster.yaml as meant.
    pub file: ClusterFile,
    /// The name in cluster.yaml.
    pub span: Span,
    /// Components and refinements by name.
    pub components: BTreeMap<String, ComponentDoc>,
    /// Those with errors.
    pub broken: BTreeMap<String, Span>,
}

impl ClusterSource {
    /// `provides`.
    pub fn provides(&self) -> Option<&Mapping> {
        self.document.node.get("provides")?.as_mapping()
    }

    /// What selectors are held against.
    pub fn labelled(&self) -> Labelled {
        Labelled { environment: self.environment.clone(), labels: self.labels.clone() }
    }
}

/// Reads cluster.yaml of the folder `folder`.
pub(super) fn read(
    folder: &str,
    document: Document,
    decoder: &Decoder,
    files: &Files,
    problems: &mut Vec<Diagnostic>,
) -> Option<ClusterSource> {
    let file: ClusterFile = decode(decoder, files, &document.node, &[&["provides"]], problems)?;
    let span = document.place();
    if file.name.0 != folder {
        problems.push(
            Diagnostic::error(
                "name-mismatch",
                format!("cluster `{}` stands in the folder `{folder}`", file.name.0),
            )
            .at(span, "")
            .help("name the folder like the cluster"),
        );
        return None;
    }
    if let Some(Err(message)) = file.kubernetes_version.as_ref().map(|v| v.parse::<KubernetesVersion>()) {
        let place = document.node.get("kubernetesVersion").map_or(span, |n| n.span);
        problems.push(Diagnostic::error("invalid-value", message).at(place, ""));
    }
    if let Some(ConnectionFields { context, kubeconfig, in_cluster: true }) = &file.connection
        && (context.is_some() || kubeconfig.is_some())
    {
        let place = document.node.get("connection").and_then(|c| c.get("inCluster")).map_or(span, |n| n.span);
        problems.push(
            Diagnostic::error("invalid-value", "`inCluster` excludes `context` and `kubeconfig`")
                .at(place, ""),
        );
    }
    let mut labels: BTreeMap<String, String> =
        file.labels.iter().map(|(k, v)| (k.clone(), v.0.clone())).collect();
    let environment = file.environment.as_ref().map(|e| e.0.clone());
    for (key, value) in [("name", Some(&file.name.0)), ("environment", environment.as_ref())] {
        if let Some(entry) = document.node.get("labels").and_then(Node::as_mapping).and_then(|l| l.entry(key))
        {
            problems.push(
                Diagnostic::error("invalid-value", format!("the label `{key}` is the field `{key}`"))
                    .at(entry.key_span, "")
                    .help("remove it here"),
            );
        }
        if let Some(value) = value {
            labels.insert(key.into(), value.clone());
        }
    }
    Some(ClusterSource {
        name: file.name.0.clone(),
        environment,
        labels,
        span,
        document,
        file,
        components: BTreeMap::new(),
        broken: BTreeMap::new(),
    })
}

/// Labels of a cluster that landscape.yaml's vocabulary does not have.
pub(super) fn check_labels(cluster: &ClusterSource, vocabulary: &Vocabulary, problems: &mut Vec<Diagnostic>) {
    for (key, value) in &cluster.labels {
        let Some(listed) = vocabulary.listed(key).filter(|values| !values.contains(value)) else { continue };
        let node = &cluster.document.node;
        let place = node
            .get("labels")
            .and_then(|l| l.get(key))
            .or_else(|| node.get(key))
            .map_or(cluster.span, |n| n.span);
        let names: Vec<&str> = listed.iter().map(String::as_str).collect();
        let problem = Diagnostic::error(
            "unknown-label",
            format!("landscape.yaml does not list `{value}` for the label `{key}`"),
        )
        .at(place, "");
        problems.push(match nearest(value, names.iter().copied()) {
            Some(near) => problem.help(format!("did you mean `{near}`?")),
            None => problem.help(format!("values of `{key}`: {}", list(&names))),
        });
    }
}

/// The secret sources of a cluster: its own list, or else landscape.yaml's.
pub(super) fn secret_entries<'a>(
    landscape: &'a LandscapeFile,
    document: &'a Document,
    cluster: &'a ClusterSource,
) -> Listed<'a> {
    match (&cluster.file.secret_sources, &landscape.secret_sources) {
        (Some(entries), _) => Listed { entries, node: cluster.document.node.get("secretSources") },
        (None, Some(entries)) => Listed { entries, node: document.node.get("secretSources") },
        (None, None) => Listed { entries: &[], node: None },
    }
}

/// What is wrong with secret sources.
pub(super) fn check_sources(
    landscape: &LandscapeFile,
    document: &Document,
    clusters: &[ClusterSource],
    problems: &mut Vec<Diagnostic>,
) {
    let lists: Vec<(&str, Listed<'_>)> =
        clusters.iter().map(|c| (c.name.as_str(), secret_entries(landscape, document, c))).collect();
    let of_landscape = Listed {
        entries: landscape.secret_sources.as_deref().unwrap_or_default(),
        node: document.node.get("secretSources"),
    };
    secrets::check(&of_landscape, document.place(), problems);
    for cluster in clusters {
        let entries = cluster.file.secret_sources.as_deref().unwrap_or_default();
        secrets::check(
            &Listed { entries, node: cluster.document.node.get("secretSources") },
            cluster.span,
            problems,
        );
    }
    secrets::check_shared(&lists, document.place(), problems);
}

/// landscape.yaml's values under the cluster's own.
pub(super) fn values(landscape: &Document, cluster: &ClusterSource) -> serde_json::Value {
    let layers = [landscape.node.get("values"), cluster.document.node.get("values")];
    let mut merged = Node::new(cluster.span, Value::Mapping(Mapping::new()));
    for layer in layers.into_iter().flatten().filter(|n| n.as_mapping().is_some()) {
        merged = merge(&merged, layer);
    }
    without_nulls(merged).to_json()
}

/// A cluster of the model.
pub(super) fn finish(
    cluster: &ClusterSource,
    values: serde_json::Value,
    resolved: Resolved,
    landscape: &LandscapeFile,
    entries: &[SecretSourceEntry],
    single: bool,
) -> Cluster {
    let connection = match &cluster.file.connection {
        Some(ConnectionFields { in_cluster: true, .. }) => Connection::InCluster,
        Some(ConnectionFields { kubeconfig: Some(path), context, .. }) => {
            Connection::Kubeconfig { path: path.clone(), context: context.clone() }
        }
        Some(ConnectionFields { context: Some(context), .. }) => Connection::Context(context.clone()),
        _ => Connection::Unspecified,
    };
    let mut secret_sources = secrets::sources(entries, &cluster.name);
    if entries.is_empty() && single {
        secret_sources.push(SecretSource::Env { prefix: String::new() });
    }
    let namespaces = landscape.namespaces.iter().map(|(name, fields)| {
        let labels = fields.labels.iter().map(|(k, v)| (k.clone(), v.0.clone())).collect();
        (name.clone(), NamespaceMetadata { labels, annotations: fields.annotations.clone() })
    });
    Cluster {
        name: cluster.name.clone(),
        environment: cluster.environment.clone(),
        labels: cluster.labels.clone(),
        connection,
        kubernetes_version: cluster.file.kubernetes_version.as_ref().and_then(|v| v.parse().ok()),
        values,
        secret_sources,
        limits: limits(landscape.limits, cluster.file.limits),
        namespaces: namespaces.collect(),
        components: resolved.components,
        absent: resolved.absent,
        broken: resolved.broken,
        span: cluster.span,
    }
}

fn limits(landscape: Option<LimitsFile>, cluster: Option<LimitsFile>) -> Limits {
    let layers = [cluster, landscape];
    let mut layers = layers.iter().flatten();
    let components = layers.clone().find_map(|l| l.components).unwrap_or(1);
    Limits { components, objects: layers.find_map(|l| l.objects).map_or(0.3, |share| share.0) }
}
