//! The walk from a tree to a [`Landscape`], and the checks that need to see all files.

use std::collections::{BTreeMap, BTreeSet};

use super::contracts::Known;
use super::discover::{ClusterFolder, Document, discover};
use super::format::{
    ClusterFile, ComponentFile, ConnectionFields, Decoder, LandscapeFile, LimitsFile, describe,
};
use super::merge::{merge, without_nulls};
use super::model::{Cluster, Connection, Landscape, Limits, NamespaceMetadata, SecretSource};
use super::resolve::{Resolved, Shared, offered, resolve};
use super::secrets::{self, Listed};
use super::selector::{Vocabulary, list, matches};
use crate::diagnostic::{Diagnostic, Files, Span, nearest};
use crate::source::Tree;
use crate::yaml::{Mapping, Node, Value};

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
}

/// Reads the landscape in `tree`.
///
/// All problems are returned at once. Without landscape.yaml there is no landscape; otherwise what is sound is
/// returned beside the problems, and [`Cluster::broken`](super::Cluster::broken) says what is missing for them:
/// with an error among the problems nothing may be written, and nothing that is broken may be removed.
pub fn load(tree: &Tree, files: &Files) -> (Option<Landscape>, Vec<Diagnostic>) {
    let mut problems = Vec::new();
    let landscape = read(tree, files, &mut problems);
    files.sort(&mut problems);
    problems.dedup();
    (landscape, problems)
}

fn read(tree: &Tree, files: &Files, problems: &mut Vec<Diagnostic>) -> Option<Landscape> {
    let found = discover(tree, files, problems);
    let document = found.landscape?;
    tags(&document.node, &[], problems);
    let landscape: LandscapeFile = decode(&Decoder::new::<LandscapeFile>(), files, &document.node, problems)?;

    let decoder = Decoder::new::<ClusterFile>();
    let incomplete_clusters = found.clusters.iter().any(|folder| folder.file.is_none());
    let mut clusters = Vec::new();
    let mut rest = Vec::new();
    let mut lost = incomplete_clusters;
    for folder in found.clusters {
        let ClusterFolder { name, file, components, unreadable } = folder;
        match file.and_then(|document| cluster(&name, document, &decoder, files, problems)) {
            Some(cluster) => {
                clusters.push(cluster);
                rest.push((components, unreadable));
            }
            None => lost = true,
        }
    }
    if clusters.is_empty() && !lost {
        problems.push(
            Diagnostic::error("no-clusters", format!("the landscape `{}` has no cluster", landscape.name.0))
                .at(document.place(), "")
                .help("write clusters/NAME/cluster.yaml"),
        );
    }

    let listed =
        landscape.labels.iter().map(|(k, v)| (k.clone(), v.iter().map(|v| v.0.clone()).collect())).collect();
    let vocabulary = Vocabulary::new(listed, clusters.iter().map(|c| &c.labels));
    for cluster in &clusters {
        known_labels(cluster, &vocabulary, problems);
    }
    let mut checks = Checks {
        files,
        decoder: Decoder::new::<ComponentFile>(),
        vocabulary: &vocabulary,
        lost,
        known: Known::new(),
    };
    for cluster in &clusters {
        for entry in cluster.provides().into_iter().flatten() {
            let who = format!("cluster `{}`", cluster.name);
            checks.known.entry(entry.key.clone()).or_default().push((who, entry.key_span));
        }
    }
    let everywhere: Vec<(Option<String>, BTreeMap<String, String>)> =
        clusters.iter().map(|c| (c.environment.clone(), c.labels.clone())).collect();
    let (shared, mut broken) = checks.components(found.components, &everywhere, None, problems);
    let mut incomplete = !found.unreadable.is_empty();
    broken.extend(found.unreadable);
    for (cluster, (components, unreadable)) in clusters.iter_mut().zip(rest) {
        incomplete |= !unreadable.is_empty();
        let here = [(cluster.environment.clone(), cluster.labels.clone())];
        let (components, own_broken) = checks.components(components, &here, Some(&cluster.name), problems);
        (cluster.components, cluster.broken) = (components, own_broken);
        cluster.broken.extend(unreadable);
        foundations(cluster, &shared, &broken, problems);
    }
    without_source(&shared, &mut broken, problems);
    former_names(&shared, &clusters, problems);
    sources(&landscape, &document, &clusters, problems);

    let known = checks.known;
    let single = clusters.len() == 1 && !lost;
    let mut per_cluster = Vec::new();
    let mut resolved = Vec::new();
    for cluster in &clusters {
        let entries = secret_entries(&landscape, &document, cluster).entries;
        let values = cluster_values(&document, cluster);
        let context = Shared {
            tree,
            files,
            landscape: &landscape.name.0,
            defaults: document.node.get("defaults").and_then(Node::as_mapping),
            components: &shared,
            broken: &broken,
            known: &known,
            incomplete,
            without_sources: entries.is_empty() && !single,
        };
        let mut found = Vec::new();
        let result = resolve(&context, cluster, &values, &mut found);
        per_cluster.extend(found.into_iter().map(|problem| (cluster.name.clone(), problem)));
        resolved.push(finish(cluster, values, result, &landscape, entries, single));
    }
    problems.extend(folded(per_cluster));
    let repositories = landscape.repositories.iter().map(|(name, r)| (name.clone(), r.url.clone())).collect();
    Some(Landscape { name: landscape.name.0, repositories, clusters: resolved })
}

fn decode<T: serde::de::DeserializeOwned>(
    decoder: &Decoder,
    files: &Files,
    node: &Node,
    problems: &mut Vec<Diagnostic>,
) -> Option<T> {
    decoder.decode(files, node).map_err(|found| problems.extend(found)).ok()
}

fn cluster(
    folder: &str,
    document: Document,
    decoder: &Decoder,
    files: &Files,
    problems: &mut Vec<Diagnostic>,
) -> Option<ClusterSource> {
    tags(&document.node, &[&["provides"]], problems);
    let file: ClusterFile = decode(decoder, files, &document.node, problems)?;
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
    if let Some(version) = &file.kubernetes_version {
        if let Err(message) = version.parse::<crate::object::KubernetesVersion>() {
            let place = document.node.get("kubernetesVersion").map_or(span, |n| n.span);
            problems.push(Diagnostic::error("invalid-value", message).at(place, ""));
        }
    }
    if let Some(ConnectionFields { context, kubeconfig, in_cluster }) = &file.connection {
        if *in_cluster && (context.is_some() || kubeconfig.is_some()) {
            let place =
                document.node.get("connection").and_then(|c| c.get("inCluster")).map_or(span, |n| n.span);
            problems.push(
                Diagnostic::error("invalid-value", "`inCluster` excludes `context` and `kubeconfig`")
                    .at(place, ""),
            );
        }
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
fn known_labels(cluster: &ClusterSource, vocabulary: &Vocabulary, problems: &mut Vec<Diagnostic>) {
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

/// What component files are checked with.
struct Checks<'a> {
    files: &'a Files,
    decoder: Decoder,
    vocabulary: &'a Vocabulary,
    /// Whether a cluster could not be read: then nothing is called unknown for want of a cluster that has it.
    lost: bool,
    known: Known,
}

type Usable = (BTreeMap<String, ComponentDoc>, BTreeMap<String, Span>);

impl Checks<'_> {
    /// Reads component files; `here` are environment and labels of the clusters they speak of, `cluster` the
    /// one in whose folder they are. Returns the usable ones and the places of those with errors.
    fn components(
        &mut self,
        documents: Vec<Document>,
        here: &[(Option<String>, BTreeMap<String, String>)],
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
        here: &[(Option<String>, BTreeMap<String, String>)],
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
        tags(
            node,
            &[&["configuration"], &["environments"], &["provides"], &["patches", "*", "patch"]],
            problems,
        );
        let file: ComponentFile = decode(&self.decoder, self.files, node, problems)?;
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
        self.selectors(document, &file, here, problems);
        self.environments(node, here, problems);
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
        document: &Document,
        file: &ComponentFile,
        here: &[(Option<String>, BTreeMap<String, String>)],
        problems: &mut Vec<Diagnostic>,
    ) {
        if self.lost {
            return;
        }
        let node = &document.node;
        if let Some(selector) = node.get("clusterSelector").filter(|n| !n.is_null()) {
            problems.extend(self.vocabulary.check(selector));
        }
        let nodes = node.get("overrides").and_then(Node::as_sequence).unwrap_or_default();
        for (over, node) in file.overrides.iter().zip(nodes) {
            let Some(selector) = node.get("clusterSelector") else { continue };
            let before = problems.len();
            problems.extend(self.vocabulary.check(selector));
            let none = !here.iter().any(|(_, labels)| matches(&over.cluster_selector, labels));
            if problems.len() == before && none && !self.vocabulary.is_ahead(&over.cluster_selector) {
                problems.push(
                    Diagnostic::error("override-without-cluster", "this override matches no cluster")
                        .at(selector.span, "")
                        .help("correct its selector, or remove it"),
                );
            }
        }
    }

    fn environments(
        &self,
        node: &Node,
        here: &[(Option<String>, BTreeMap<String, String>)],
        problems: &mut Vec<Diagnostic>,
    ) {
        if self.lost {
            return;
        }
        let mut known: BTreeSet<&str> =
            here.iter().filter_map(|(environment, _)| environment.as_deref()).collect();
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

/// Tags in places where they mean nothing. `computed` are the paths below which `!tera` is allowed (`*`: any
/// list position), in overrides too; `!secret` is allowed in values only.
fn tags(node: &Node, computed: &[&[&str]], problems: &mut Vec<Diagnostic>) {
    fn walk(node: &Node, path: &mut Vec<String>, computed: &[&[&str]], problems: &mut Vec<Diagnostic>) {
        if let Some(tag) = &node.tag {
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            let path = if path.first() == Some(&"overrides") {
                path.get(2..).unwrap_or_default()
            } else {
                &path[..]
            };
            let below = |allowed: &&[&str]| {
                path.len() > allowed.len().saturating_sub(1)
                    && allowed
                        .iter()
                        .zip(path)
                        .all(|(allowed, segment)| *allowed == "*" || allowed == segment)
            };
            let allowed = computed.iter().find(|allowed| below(allowed));
            let values =
                allowed.is_some_and(|a| matches!(a.first(), Some(&("configuration" | "environments"))));
            let name = tag.name.as_str();
            let problem = match (name, allowed) {
                ("!tera", Some(_)) | ("!secret", Some(_)) if name == "!tera" || values => {
                    node.as_str().is_none_or(|text| text.trim().is_empty()).then(|| {
                        (
                            "wrong-type",
                            format!("`{name}` needs a string behind it, not {}", describe(node)),
                            None,
                        )
                    })
                }
                ("!tera", _) => Some((
                    "misplaced-tag",
                    "`!tera` can't be used here".to_owned(),
                    Some("it computes values in `configuration`, `environments`, `patches` and `provides`"),
                )),
                ("!secret", _) => Some((
                    "misplaced-tag",
                    "`!secret` can't be used here".to_owned(),
                    Some(
                        "it stands in `configuration` and `environments`; a contract has `secrets` for its own",
                    ),
                )),
                _ => Some((
                    "unknown-tag",
                    format!("unknown tag `{name}`"),
                    Some("there are `!tera` and `!secret`"),
                )),
            };
            if let Some((code, message, help)) = problem {
                let problem = Diagnostic::error(code, message).at(tag.span, "");
                problems.push(match help {
                    Some(help) => problem.help(help),
                    None => problem,
                });
            }
        }
        match &node.value {
            Value::Sequence(items) => {
                for (index, item) in items.iter().enumerate() {
                    path.push(index.to_string());
                    walk(item, path, computed, problems);
                    path.pop();
                }
            }
            Value::Mapping(mapping) => {
                for entry in mapping {
                    path.push(entry.key.clone());
                    walk(&entry.value, path, computed, problems);
                    path.pop();
                }
            }
            _ => {}
        }
    }
    walk(node, &mut Vec::new(), computed, problems);
}

fn has_source(doc: &ComponentDoc) -> bool {
    doc.file.fields.release.is_some() || doc.file.fields.manifests.is_some()
}

/// Files of a cluster that refine nothing and have nothing to install.
fn foundations(
    cluster: &mut ClusterSource,
    shared: &BTreeMap<String, ComponentDoc>,
    broken: &BTreeMap<String, Span>,
    problems: &mut Vec<Diagnostic>,
) {
    for (name, doc) in &cluster.components {
        if shared.contains_key(name) || broken.contains_key(name) || has_source(doc) {
            continue;
        }
        let problem = Diagnostic::error(
            "nothing-to-install",
            format!("`{name}` has neither `release` nor `manifests`"),
        )
        .at(doc.document.place(), "and there is no shared component of this name to refine");
        problems.push(match nearest(name, shared.keys().map(String::as_str)) {
            Some(near) => problem.help(format!("did you mean `{near}`?")),
            None => problem,
        });
        cluster.broken.insert(name.clone(), doc.document.place());
    }
    cluster.components.retain(|name, _| !cluster.broken.contains_key(name));
}

/// Shared files that have nothing to install.
fn without_source(
    shared: &BTreeMap<String, ComponentDoc>,
    broken: &mut BTreeMap<String, Span>,
    problems: &mut Vec<Diagnostic>,
) {
    for (name, doc) in shared.iter().filter(|(_, doc)| !has_source(doc)) {
        problems.push(
            Diagnostic::error(
                "nothing-to-install",
                format!("`{name}` has neither `release` nor `manifests`"),
            )
            .at(doc.document.place(), "")
            .help("a shared component says what it installs; only a file in clusters/NAME/ refines"),
        );
        broken.insert(name.clone(), doc.document.place());
    }
}

/// `formerly` that names a component which still is, or that two components claim.
fn former_names(
    shared: &BTreeMap<String, ComponentDoc>,
    clusters: &[ClusterSource],
    problems: &mut Vec<Diagnostic>,
) {
    let mut claims: BTreeMap<&str, (&str, Span)> = BTreeMap::new();
    let own =
        clusters.iter().flat_map(|cluster| cluster.components.values().map(move |doc| (Some(cluster), doc)));
    for (cluster, doc) in shared.values().map(|doc| (None, doc)).chain(own) {
        let overrides = doc.document.node.get("overrides").and_then(Node::as_sequence).unwrap_or_default();
        let nodes = std::iter::once(&doc.document.node)
            .chain(overrides)
            .filter_map(|n| n.get("formerly")?.as_sequence());
        for node in nodes.flatten() {
            let Some(name) = node.as_str() else { continue };
            let existing = shared.get(name).or_else(|| match cluster {
                Some(cluster) => cluster.components.get(name),
                None => clusters.iter().find_map(|cluster| cluster.components.get(name)),
            });
            if let Some(existing) = existing {
                problems.push(
                    Diagnostic::error(
                        "former-name-in-use",
                        format!("`{name}` is not a former name, it is a component"),
                    )
                    .at(node.span, "")
                    .also(existing.document.place(), "here it is")
                    .help("a handover needs the old file to be gone"),
                );
            }
            match claims.get(name) {
                Some((other, span)) if *other != doc.name => problems.push(
                    Diagnostic::error(
                        "former-name-in-use",
                        format!("`{}` and `{other}` both say that they were `{name}`", doc.name),
                    )
                    .at(node.span, "")
                    .also(*span, "")
                    .help("only one can take over what `formerly` names"),
                ),
                Some(_) => {}
                None => {
                    claims.insert(name, (&doc.name, node.span));
                }
            }
        }
    }
}

fn secret_entries<'a>(
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

fn sources(
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
fn cluster_values(landscape: &Document, cluster: &ClusterSource) -> serde_json::Value {
    let layers = [landscape.node.get("values"), cluster.document.node.get("values")];
    let mut merged = Node::new(cluster.span, Value::Mapping(Mapping::new()));
    for layer in layers.into_iter().flatten().filter(|n| n.as_mapping().is_some()) {
        merged = merge(&merged, layer);
    }
    without_nulls(merged).to_json()
}

fn finish(
    cluster: &ClusterSource,
    values: serde_json::Value,
    resolved: Resolved,
    landscape: &LandscapeFile,
    entries: &[super::format::SecretSourceEntry],
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

/// The same problem in several clusters is said once, naming them.
fn folded(found: Vec<(String, Diagnostic)>) -> Vec<Diagnostic> {
    let mut folded: Vec<(Vec<String>, Diagnostic)> = Vec::new();
    for (cluster, problem) in found {
        match folded.iter_mut().find(|(_, other)| *other == problem) {
            Some((clusters, _)) if clusters.contains(&cluster) => {}
            Some((clusters, _)) => clusters.push(cluster),
            None => folded.push((vec![cluster], problem)),
        }
    }
    folded
        .into_iter()
        .map(|(clusters, mut problem)| {
            let plural = if clusters.len() == 1 { "cluster" } else { "clusters" };
            let names: Vec<String> = clusters.iter().map(|name| format!("`{name}`")).collect();
            problem.message = format!("{} ({plural} {})", problem.message, names.join(", "));
            problem
        })
        .collect()
}
