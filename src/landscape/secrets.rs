//! Where secrets are found, and which a component gets. Only names are handled here, never values.

use std::collections::BTreeMap;

use super::contracts::{Links, Party};
use super::format::SecretSourceEntry;
use super::model::{Provided, SecretSource, SecretUse};
use crate::diagnostic::{Diagnostic, Span};
use crate::yaml::{Mapping, Node, Value};

/// A cluster's sources as a file lists them.
pub(super) struct Listed<'a> {
    /// The entries.
    pub entries: &'a [SecretSourceEntry],
    /// The list they were read from.
    pub node: Option<&'a Node>,
}

impl Listed<'_> {
    fn span(&self, index: usize, fallback: Span) -> Span {
        let item = self.node.and_then(Node::as_sequence).and_then(|items| items.get(index));
        item.map_or(fallback, |item| item.span)
    }
}

/// Entries that name no source, or two.
pub(super) fn check(listed: &Listed<'_>, place: Span, problems: &mut Vec<Diagnostic>) {
    for (index, entry) in listed.entries.iter().enumerate() {
        let named = [entry.env.is_some(), entry.files.is_some(), entry.secret.is_some()];
        if named.iter().filter(|n| **n).count() != 1 {
            problems.push(
                Diagnostic::error(
                    "invalid-value",
                    "a secret source is exactly one of `env`, `files` and `secret`",
                )
                .at(listed.span(index, place), ""),
            );
        }
    }
}

/// The sources of one cluster, `{cluster}` filled in.
pub(super) fn sources(entries: &[SecretSourceEntry], cluster: &str) -> Vec<SecretSource> {
    let variable = cluster.to_uppercase().replace('-', "_");
    entries
        .iter()
        .filter_map(|entry| {
            if let Some(env) = &entry.env {
                Some(SecretSource::Env { prefix: env.prefix.replace("{cluster}", &variable) })
            } else if let Some(directory) = &entry.files {
                Some(SecretSource::Files { directory: directory.replace("{cluster}", cluster) })
            } else {
                entry.secret.as_ref().map(|secret| SecretSource::Secret {
                    namespace: secret.namespace.0.clone(),
                    name: secret.name.replace("{cluster}", cluster),
                })
            }
        })
        .collect()
}

/// Sources that would give one value to two clusters, and are not said to be shared. A Secret in the cluster
/// never does: each cluster has its own.
pub(super) fn check_shared(clusters: &[(&str, Listed<'_>)], place: Span, problems: &mut Vec<Diagnostic>) {
    let mut first: Vec<(SecretSource, &str, Span)> = Vec::new();
    let mut reported: Vec<Span> = Vec::new();
    for (cluster, listed) in clusters {
        for (index, entry) in listed.entries.iter().enumerate().filter(|(_, entry)| !entry.shared) {
            let span = listed.span(index, place);
            for source in sources(std::slice::from_ref(entry), cluster) {
                if matches!(source, SecretSource::Secret { .. }) {
                    continue;
                }
                match first.iter().find(|(other, name, _)| *other == source && name != cluster) {
                    Some((_, other, other_span)) if !reported.contains(&span) => {
                        reported.push(span);
                        let mut problem = Diagnostic::error(
                            "shared-secret-source",
                            format!(
                                "this source gives the same secrets to the clusters `{other}` and `{cluster}`"
                            ),
                        )
                        .at(span, "");
                        if *other_span != span {
                            problem = problem.also(*other_span, format!("the source of `{other}`"));
                        }
                        problems.push(problem.help(
                            "put `{cluster}` into it, or say `shared: true` if they may know each other's secrets",
                        ));
                    }
                    Some(_) => {}
                    None => first.push((source, cluster, span)),
                }
            }
        }
    }
}

/// The keys of a component's own Secret: those that it names, and those of its contracts.
///
/// A key that it names itself wins; two contracts that offer one key with different secrets are an error.
pub(super) fn uses(
    component: &str,
    own: Option<&Mapping>,
    links: Option<&Links>,
    provided: &BTreeMap<(Party, String), Provided>,
    spans: &BTreeMap<String, Span>,
    problems: &mut Vec<Diagnostic>,
) -> BTreeMap<String, SecretUse> {
    let mut uses: BTreeMap<String, SecretUse> = own
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let lookup = entry.value.as_str()?.to_owned();
            Some((entry.key.clone(), SecretUse { lookup, span: entry.value.span }))
        })
        .collect();
    let named: Vec<String> = uses.keys().cloned().collect();
    for (contract, providers) in links.into_iter().flatten() {
        let Some(span) = spans.get(contract) else { continue };
        for provider in providers {
            let Some(offer) = provided.get(&(provider.clone(), contract.clone())) else { continue };
            for (key, lookup) in offer.secrets.iter().filter(|(key, _)| !named.contains(key)) {
                match uses.get(key) {
                    Some(other) if other.lookup != *lookup => problems.push(
                        Diagnostic::error(
                            "secret-conflict",
                            format!("`{component}` gets two different secrets for the key `{key}`"),
                        )
                        .at(*span, format!("`{contract}` gives `{lookup}`"))
                        .also(other.span, format!("this gives `{}`", other.lookup))
                        .help(format!("name the key in `secrets` to choose: `secrets: {{{key}: {lookup}}}`")),
                    ),
                    _ => {
                        uses.insert(key.clone(), SecretUse { lookup: lookup.clone(), span: *span });
                    }
                }
            }
        }
    }
    uses
}

/// The first `!secret` below a node.
pub(super) fn first_tagged(node: &Node) -> Option<Span> {
    if node.tag.as_ref().is_some_and(|tag| tag.name == "!secret") {
        return Some(node.span);
    }
    match &node.value {
        Value::Sequence(items) => items.iter().find_map(first_tagged),
        Value::Mapping(mapping) => mapping.iter().find_map(|entry| first_tagged(&entry.value)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::diagnostic::Files;

    fn entries(json: Json) -> Vec<SecretSourceEntry> {
        serde_json::from_value(json).expect("sources")
    }

    #[test]
    fn the_cluster_is_filled_in() {
        let entries = entries(json!([
            {"env": {"prefix": "{cluster}_"}}, {"files": "secrets/{cluster}"}, {"secret": {"namespace": "a", "name": "b"}}
        ]));
        assert_eq!(
            sources(&entries, "prod-fss"),
            [
                SecretSource::Env { prefix: "PROD_FSS_".into() },
                SecretSource::Files { directory: "secrets/prod-fss".into() },
                SecretSource::Secret { namespace: "a".into(), name: "b".into() },
            ]
        );
    }

    #[test]
    fn one_value_for_two_clusters_needs_a_word() {
        let place = Span::new(Files::new().add("x", "", false), 0..0);
        for (json, problem) in [
            (json!([{"env": {}}]), true),
            (json!([{"env": {}, "shared": true}]), false),
            (json!([{"env": {"prefix": "{cluster}_"}}]), false),
            (json!([{"files": "/secrets"}]), true),
            (json!([{"secret": {"namespace": "a", "name": "b"}}]), false),
        ] {
            let entries = entries(json.clone());
            let listed = |name| (name, Listed { entries: &entries, node: None });
            let mut problems = Vec::new();
            check_shared(&[listed("a"), listed("b")], place, &mut problems);
            assert_eq!(problems.iter().any(|p| p.code == "shared-secret-source"), problem, "{json}");
            problems.clear();
            check_shared(&[listed("a")], place, &mut problems);
            assert!(problems.is_empty());
        }
    }
}
