//! What only all component files together can tell: files that refine nothing, and former names.

use std::collections::BTreeMap;

use super::checks::ComponentDoc;
use super::cluster::ClusterSource;
use crate::diagnostic::{Diagnostic, Span, nearest};
use crate::yaml::Node;

fn has_source(doc: &ComponentDoc) -> bool {
    doc.file.fields.release.is_some() || doc.file.fields.manifests.is_some()
}

/// Files of a cluster that refine nothing and have nothing to install.
pub(super) fn foundations(
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
pub(super) fn without_source(
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
pub(super) fn former_names(
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
