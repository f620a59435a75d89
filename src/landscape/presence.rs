//! Whether a component is in a cluster, and why not.
//!
//! The selector decides; a refinement never changes that by itself. `installed` (of the shared file, its
//! overrides, the refinement, its overrides: the last that says it) decides over the selector.

use super::checks::ComponentDoc;
use super::cluster::ClusterSource;
use super::format::{ComponentFile, LabelSelector};
use super::model::Absence;
use super::selector::matches;
use crate::diagnostic::{Diagnostic, Span};
use crate::yaml::Node;

/// What the files say about one component in one cluster.
pub(super) enum Presence {
    /// It is there.
    Installed,
    /// It is not.
    Absent(Absence),
    /// The files contradict each other.
    Unclear(Box<Diagnostic>),
}

/// Decides for `cluster`, given the shared file and the cluster's own.
pub(super) fn presence(
    shared: Option<&ComponentDoc>,
    own: Option<&ComponentDoc>,
    cluster: &ClusterSource,
) -> Presence {
    let said = [shared, own].into_iter().flatten().filter_map(|doc| installed(doc, cluster)).next_back();
    if let Some((false, span)) = said {
        return Presence::Absent(Absence::NotInstalled(span));
    }
    let Some(shared) = shared else { return Presence::Installed };
    let selector = shared.file.cluster_selector.as_ref();
    let matched = selector.is_some_and(|selector| matches(selector, &cluster.labels));
    if matched || said.is_some() {
        return Presence::Installed;
    }
    let place = shared.document.node.get("clusterSelector").map(|node| node.span);
    match own {
        None => Presence::Absent(Absence::Selector(place)),
        Some(own) => {
            let name = &shared.name;
            let reason = if place.is_some() { "does not match this cluster" } else { "is not there" };
            Presence::Unclear(Box::new(
                Diagnostic::error(
                    "refinement-not-installed",
                    format!(
                        "`{name}` is refined for cluster `{}`, but its `clusterSelector` {reason}",
                        cluster.name
                    ),
                )
                .at(own.document.place(), "refined here")
                .also(
                    place.unwrap_or_else(|| shared.document.place()),
                    format!("`{name}` is for other clusters"),
                )
                .help("say `installed: true` to install it here, or `installed: false` to keep it out"),
            ))
        }
    }
}

/// The last `installed` of a file and those of its overrides that match.
fn installed(doc: &ComponentDoc, cluster: &ClusterSource) -> Option<(bool, Span)> {
    let ComponentFile { overrides, fields, .. } = &doc.file;
    let node = &doc.document.node;
    let top = fields.installed.zip(node.get("installed"));
    let overrides = matching(overrides.iter().map(|o| &o.cluster_selector), node, cluster)
        .filter_map(|(i, node)| overrides[i].fields.installed.zip(node.get("installed")));
    top.into_iter().chain(overrides).last().map(|(value, node)| (value, node.span))
}

/// The overrides that match `cluster`: position and node.
pub(super) fn matching<'a>(
    selectors: impl Iterator<Item = &'a LabelSelector>,
    file: &'a Node,
    cluster: &ClusterSource,
) -> impl Iterator<Item = (usize, &'a Node)> {
    let nodes = file.get("overrides").and_then(Node::as_sequence).unwrap_or_default();
    selectors
        .zip(nodes)
        .enumerate()
        .filter(|(_, (selector, _))| matches(selector, &cluster.labels))
        .map(|(i, (_, n))| (i, n))
}
