//! Which component waits for which, with the line that says so; and the cycles in that.

use std::collections::BTreeMap;

use super::cluster::ClusterSource;
use super::contracts::{Links, Need};
use super::draft::Draft;
use super::order::{Edges, cycles};
use super::resolve::Shared;
use crate::diagnostic::{Diagnostic, Span, nearest};
use crate::yaml::Node;

/// Why one component waits for another.
pub(super) struct Edge {
    span: Span,
    reason: String,
}

/// For each component the ones that it waits for.
pub(super) type After = BTreeMap<String, BTreeMap<String, Edge>>;

/// Who waits for whom: by contracts and by `dependsOn`.
pub(super) fn edges(
    drafts: &BTreeMap<String, Draft<'_>>,
    needs: &BTreeMap<String, BTreeMap<String, Need>>,
    links: &BTreeMap<String, Links>,
    shared: &Shared<'_>,
    cluster: &ClusterSource,
    problems: &mut Vec<Diagnostic>,
) -> After {
    let mut after = After::new();
    for (name, draft) in drafts {
        let edges = after.entry(name.clone()).or_default();
        for (contract, providers) in links.get(name).into_iter().flatten() {
            let Some(need) = needs.get(name).and_then(|n| n.get(contract)).filter(|need| need.order) else {
                continue;
            };
            for provider in providers.iter().flatten() {
                edges.entry(provider.clone()).or_insert(Edge {
                    span: need.span,
                    reason: format!("`{name}` requires `{contract}` of `{provider}`"),
                });
            }
        }
        for node in draft.merged.get("dependsOn").and_then(Node::as_sequence).unwrap_or_default() {
            let Some(other) = node.as_str() else { continue };
            if drafts.contains_key(other) {
                let reason = format!("`{name}` depends on `{other}`");
                edges.entry(other.to_owned()).or_insert(Edge { span: node.span, reason });
            } else if let Some(problem) = unknown_dependency(name, other, node.span, drafts, shared, cluster)
            {
                problems.push(problem);
            }
        }
    }
    after
}

fn unknown_dependency(
    name: &str,
    other: &str,
    span: Span,
    drafts: &BTreeMap<String, Draft<'_>>,
    shared: &Shared<'_>,
    cluster: &ClusterSource,
) -> Option<Diagnostic> {
    if shared.broken.contains_key(other) || cluster.broken.contains_key(other) {
        return None;
    }
    let doc = shared.components.get(other).or_else(|| cluster.components.get(other));
    let code = "unknown-dependency";
    if let Some(doc) = doc {
        let message = format!("`{name}` depends on `{other}`, which is not installed here");
        let place = doc.document.place();
        return Some(Diagnostic::error(code, message).at(span, "").also(place, "it is for other clusters"));
    }
    let message = format!("`{name}` depends on `{other}`, which does not exist");
    let diagnostic = Diagnostic::error(code, message).at(span, "");
    Some(match nearest(other, drafts.keys().map(String::as_str)) {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
        None => diagnostic,
    })
}

/// Says every cycle as a path, with the line behind each step.
pub(super) fn report_cycles(order: &Edges, after: &After, problems: &mut Vec<Diagnostic>) {
    for cycle in cycles(order) {
        let shown: Vec<&str> = cycle.iter().chain(cycle.first()).map(String::as_str).collect();
        let mut diagnostic =
            Diagnostic::error("cycle", format!("components wait for each other: `{}`", shown.join(" → ")));
        for pair in shown.windows(2) {
            if let Some(edge) = after.get(pair[0]).and_then(|edges| edges.get(pair[1])) {
                diagnostic = diagnostic.at(edge.span, edge.reason.clone());
            }
        }
        problems
            .push(diagnostic.help("say `order: false` at a contract whose values suffice without waiting"));
    }
}
