//! The walk from a tree to a [`Landscape`].

use serde_json::json;

use super::checks::{Checks, Labelled};
use super::cluster::{self, ClusterSource};
use super::contracts::Known;
use super::discover::{ClusterFolder, Document, discover};
use super::expressions::Expressions;
use super::format::{ClusterFile, ComponentFile, Decoder, LandscapeFile};
use super::model::Landscape;
use super::resolve::{Shared, resolve};
use super::selector::Vocabulary;
use super::tags::decode;
use super::whole::{former_names, foundations, without_source};
use crate::diagnostic::{Diagnostic, Files, Span};
use crate::source::Tree;
use crate::yaml::{Mapping, Node, Value};

/// Reads the landscape in `tree`.
///
/// All problems are returned at once. Without a sound landscape.yaml there is no landscape; otherwise what is
/// sound is returned beside the problems, and [`Cluster::broken`](super::Cluster::broken) says what is missing
/// for them: with an error among the problems nothing may be written, and nothing broken may be removed.
pub fn load(tree: &Tree, files: &Files) -> (Option<Landscape>, Vec<Diagnostic>) {
    let mut problems = Vec::new();
    let landscape = read(tree, files, &mut problems);
    files.sort(&mut problems);
    problems.dedup();
    (landscape, problems)
}

fn read(tree: &Tree, files: &Files, problems: &mut Vec<Diagnostic>) -> Option<Landscape> {
    if !tree.is_file("landscape.yaml") {
        problems.push(
            Diagnostic::error("missing-landscape-file", format!("`{}` has no landscape.yaml", tree.origin()))
                .at(Span::new(files.add("landscape.yaml", "", false), 0..0), "")
                .help("`landskap init` writes a small landscape to start from"),
        );
        return None;
    }
    let found = discover(tree, files, problems);
    let (document, landscape, is_sound) = landscape_file(found.landscape, files, problems)?;

    // A cluster that cannot be read may have any label: nothing is then called unknown.
    let mut lost = !is_sound;
    let decoder = Decoder::new::<ClusterFile>();
    let mut clusters = Vec::new();
    let mut contents = Vec::new();
    for ClusterFolder { name, file, components, unreadable } in found.clusters {
        match file.and_then(|document| cluster::read(&name, document, &decoder, files, problems)) {
            Some(cluster) => {
                clusters.push(cluster);
                contents.push((components, unreadable));
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

    let listed = landscape.labels.iter().map(|(k, v)| (k.clone(), v.iter().map(|v| v.0.clone()).collect()));
    let vocabulary = Vocabulary::new(listed.collect(), clusters.iter().map(|c| &c.labels));
    for cluster in &clusters {
        cluster::check_labels(cluster, &vocabulary, problems);
    }
    let mut checks = Checks {
        files,
        decoder: Decoder::new::<ComponentFile>(),
        vocabulary: &vocabulary,
        lost,
        known: known_of_clusters(&clusters),
    };
    let everywhere: Vec<Labelled> = clusters.iter().map(ClusterSource::labelled).collect();
    let (shared, mut broken) = checks.components(found.components, &everywhere, None, problems);
    let mut incomplete = !found.unreadable.is_empty();
    broken.extend(found.unreadable);
    for (cluster, (components, unreadable)) in clusters.iter_mut().zip(contents) {
        incomplete |= !unreadable.is_empty();
        let here = [cluster.labelled()];
        let (components, own_broken) = checks.components(components, &here, Some(&cluster.name), problems);
        (cluster.components, cluster.broken) = (components, own_broken);
        cluster.broken.extend(unreadable);
        foundations(cluster, &shared, &broken, problems);
    }
    without_source(&shared, &mut broken, problems);
    former_names(&shared, &clusters, problems);
    cluster::check_sources(&landscape, &document, &clusters, problems);

    let single = clusters.len() == 1 && !lost;
    let expressions = Expressions::default();
    let mut per_cluster = Vec::new();
    let mut resolved = Vec::new();
    for source in &clusters {
        let entries = cluster::secret_entries(&landscape, &document, source).entries;
        let values = cluster::values(&document, source);
        let context = Shared {
            tree,
            files,
            landscape: &landscape.name.0,
            defaults: document.node.get("defaults").and_then(Node::as_mapping).filter(|_| is_sound),
            components: &shared,
            broken: &broken,
            known: &checks.known,
            expressions: &expressions,
            incomplete,
            without_sources: entries.is_empty() && !single && is_sound,
        };
        let mut found = Vec::new();
        let result = resolve(&context, source, &values, &mut found);
        per_cluster.extend(found.into_iter().map(|problem| (source.name.clone(), problem)));
        resolved.push(cluster::finish(source, values, result, &landscape, entries, single));
    }
    problems.extend(folded(per_cluster));
    let repositories = landscape.repositories.iter().map(|(name, r)| (name.clone(), r.url.clone())).collect();
    is_sound.then(|| Landscape { name: landscape.name.0.clone(), repositories, clusters: resolved })
}

/// landscape.yaml and whether it is sound; where it is not, an empty one, so that the other files are checked.
fn landscape_file(
    document: Option<Document>,
    files: &Files,
    problems: &mut Vec<Diagnostic>,
) -> Option<(Document, LandscapeFile, bool)> {
    let document = document.unwrap_or_else(|| {
        let span = Span::new(files.add("landscape.yaml", "", false), 0..0);
        Document { path: "landscape.yaml".into(), node: Node::new(span, Value::Mapping(Mapping::new())) }
    });
    if document.node.as_mapping().is_some_and(|mapping| !mapping.is_empty()) {
        let decoder = Decoder::new::<LandscapeFile>();
        if let Some(file) = decode(&decoder, files, &document.node, &[], problems) {
            return Some((document, file, true));
        }
    }
    let empty = json!({"apiVersion": "landskap.io/v1alpha1", "kind": "Landscape", "name": "unreadable"});
    Some((document, serde_json::from_value(empty).ok()?, false))
}

/// What clusters offer, for hints.
fn known_of_clusters(clusters: &[ClusterSource]) -> Known {
    let mut known = Known::new();
    for cluster in clusters {
        for entry in cluster.provides().into_iter().flatten() {
            let who = format!("cluster `{}`", cluster.name);
            known.entry(entry.key.clone()).or_default().push((who, entry.key_span));
        }
    }
    known
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
