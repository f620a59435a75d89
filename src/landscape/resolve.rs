//! One cluster: what is installed in it, merged, with its contracts met and its values computed.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::checks::ComponentDoc;
use super::cluster::ClusterSource;
use super::compute::{Scope, compute};
use super::contracts::{self, Computing, Known, Links, Need, Offers, Party};
use super::draft::{Draft, install};
use super::expressions::Expressions;
use super::format::{AdoptFile, CrdsFile, Fields};
use super::model::{
    Absence, Adopt, Component, IgnoreDifference, Patch, PatchTarget, Required, Suspend, Wait,
};
use super::order::{Edges, sort};
use super::values::{merged, provenance};
use super::waiting::{edges, report_cycles};
use super::{LayerEntry, secrets};
use crate::diagnostic::{Diagnostic, Files, Span};
use crate::source::Tree;
use crate::yaml::{Entry, Mapping, Node};

/// What all clusters have in common.
pub(super) struct Shared<'a> {
    /// For paths that components name.
    pub tree: &'a Tree,
    /// For templates to be cited.
    pub files: &'a Files,
    /// landscape.yaml's name.
    pub landscape: &'a str,
    /// landscape.yaml's `defaults`.
    pub defaults: Option<&'a Mapping>,
    /// Shared components.
    pub components: &'a BTreeMap<String, ComponentDoc>,
    /// Shared components with errors, by name.
    pub broken: &'a BTreeMap<String, Span>,
    /// Every offer of the landscape.
    pub known: &'a Known,
    /// Those read so far.
    pub expressions: &'a Expressions,
    /// Whether some file could not be read at all, so that `known` may lack something.
    pub incomplete: bool,
    /// Wherever secrets may be found: none at all is an error for a component that needs one.
    pub without_sources: bool,
}

/// What a cluster holds.
#[derive(Default)]
pub(super) struct Resolved {
    /// In contract order.
    pub components: Vec<Component>,
    /// Why others are not there.
    pub absent: BTreeMap<String, Absence>,
    /// Those that have errors, with their place.
    pub broken: BTreeMap<String, Span>,
}

/// Resolves `cluster`; `values` are its merged `cluster.values`.
pub(super) fn resolve(
    shared: &Shared<'_>,
    cluster: &ClusterSource,
    values: &Json,
    problems: &mut Vec<Diagnostic>,
) -> Resolved {
    let mut resolved = Resolved::default();
    let drafts = install(shared, cluster, &mut resolved, problems);

    let mut offers = Offers::new();
    let mut needs: BTreeMap<String, BTreeMap<String, Need>> = BTreeMap::new();
    offers.insert(None, cluster.provides().map(contracts::offers).unwrap_or_default());
    for (name, draft) in &drafts {
        let map = |key: &str| draft.merged.get(key).and_then(Node::as_mapping);
        offers.insert(Some(name.clone()), map("provides").map(contracts::offers).unwrap_or_default());
        needs.insert(name.clone(), map("requires").map(contracts::needs).unwrap_or_default());
    }
    let mut links: BTreeMap<String, Links> = BTreeMap::new();
    let mut unlinked = Vec::new();
    for (name, needs) in &needs {
        let broken = &resolved.broken;
        let excused = |contract: &str| {
            let offering = shared.known.get(contract).into_iter().flatten();
            shared.incomplete
                || offering.into_iter().any(|(who, _)| broken.keys().any(|b| *who == format!("`{b}`")))
        };
        let linked = contracts::link(name, needs, &offers, shared.known, &excused, problems);
        if linked.len() < needs.len() {
            unlinked.extend(drafts.get(name).map(|draft| (name.clone(), draft.span)));
        }
        links.insert(name.clone(), linked);
    }
    resolved.broken.extend(unlinked);

    let base = |party: &Party| {
        scope(shared, cluster, values, party.as_ref().and_then(|name| Some((name, drafts.get(name)?))))
    };
    let mut computing = Computing {
        files: shared.files,
        offers: &offers,
        links: &links,
        needs: &needs,
        scope: &base,
        provided: BTreeMap::new(),
        broken: resolved.broken.keys().cloned().map(Some).collect(),
        problems: Vec::new(),
    };
    computing.run();
    problems.append(&mut computing.problems);

    let after = edges(&drafts, &needs, &links, shared, cluster, problems);
    let order: Edges =
        after.iter().map(|(name, edges)| (name.clone(), edges.keys().cloned().collect())).collect();
    report_cycles(&order, &after, problems);

    for name in sort(&order) {
        let Some(draft) = drafts.get(&name) else { continue };
        let party = Some(name.clone());
        let distrusted = links
            .get(&name)
            .into_iter()
            .flatten()
            .any(|(_, ps)| ps.iter().any(|p| computing.broken.contains(p)));
        if distrusted || computing.broken.contains(&party) {
            resolved.broken.insert(name, draft.span);
            continue;
        }
        let before = problems.len();
        let component = finish(shared, &name, draft, &computing, &order, problems);
        if problems[before..].iter().any(Diagnostic::is_error) {
            resolved.broken.insert(name, draft.span);
        } else {
            resolved.components.push(component);
        }
    }
    resolved
}

/// What templates see, but for contracts.
fn scope(
    shared: &Shared<'_>,
    cluster: &ClusterSource,
    values: &Json,
    component: Option<(&String, &Draft<'_>)>,
) -> Json {
    let mut of_cluster = json!({"name": cluster.name, "labels": cluster.labels, "values": values});
    let optional =
        [("environment", &cluster.environment), ("kubernetesVersion", &cluster.file.kubernetes_version)];
    for (key, value) in optional {
        if let (Some(map), Some(value)) = (of_cluster.as_object_mut(), value) {
            map.insert(key.into(), value.as_str().into());
        }
    }
    let mut scope = json!({"cluster": of_cluster, "landscape": {"name": shared.landscape}});
    if let (Some(map), Some((name, draft))) = (scope.as_object_mut(), component) {
        map.insert("component".into(), json!({"name": name, "namespace": draft.namespace}));
        map.insert("release".into(), json!({"name": draft.release, "namespace": draft.namespace}));
    }
    scope
}

/// Values, patches and secrets, and everything put together.
fn finish(
    shared: &Shared<'_>,
    name: &str,
    draft: &Draft<'_>,
    computing: &Computing<'_>,
    order: &Edges,
    problems: &mut Vec<Diagnostic>,
) -> Component {
    let party = Some(name.to_owned());
    let scope = Scope::new(&computing.scope_of(&party));
    let raw = merged(&draft.layers, draft.span);
    let values = compute(shared.files, &raw, &scope, problems);
    let mut layers = provenance(&draft.layers, &raw);
    computed_winners(&mut layers, &values);

    let needs = computing.needs.get(name);
    let spans = needs.into_iter().flatten().map(|(contract, need)| (contract.clone(), need.span)).collect();
    let links = computing.links.get(name);
    let own = draft.merged.get("secrets").and_then(Node::as_mapping);
    let secrets = secrets::uses(name, own, links, &computing.provided, &spans, problems);
    if shared.without_sources {
        let place = secrets.values().map(|u| u.span).next().or_else(|| secrets::first_tagged(&values));
        if let Some(place) = place {
            problems.push(
                Diagnostic::error("no-secret-sources", format!("`{name}` needs secrets, and nothing says where they are"))
                    .at(place, "")
                    .help("name `secretSources` in landscape.yaml; without them only a landscape of one cluster reads the environment"),
            );
        }
    }
    let fields = &draft.fields;
    let items = |key: &str| draft.merged.get(key).and_then(Node::as_sequence).unwrap_or_default();
    let patches = fields.patches.iter().flatten().zip(items("patches")).map(|(patch, node)| Patch {
        target: PatchTarget {
            group: patch.target.group.clone(),
            kind: patch.target.kind.clone(),
            name: patch.target.name.clone(),
            namespace: patch.target.namespace.clone(),
        },
        body: compute(shared.files, node.get("patch").unwrap_or(node), &scope, problems),
        span: node.get("target").map_or(node.span, |target| target.span),
    });
    let patches = patches.collect();
    Component {
        name: name.to_owned(),
        namespace: draft.namespace.clone(),
        release_name: draft.release.clone(),
        source: draft.source.clone(),
        values,
        layers,
        patches,
        secrets,
        secret_name: fields.secret_name.clone().map_or_else(|| draft.release.clone(), |label| label.0),
        provides: computing
            .provided
            .iter()
            .filter(|((owner, _), _)| *owner == party)
            .map(|((_, contract), provided)| (contract.clone(), provided.clone()))
            .collect(),
        requires: links
            .into_iter()
            .flatten()
            .filter_map(|(contract, providers)| {
                let span = needs?.get(contract)?.span;
                Some((contract.clone(), Required { providers: providers.clone(), span }))
            })
            .collect(),
        after: order.get(name).cloned().unwrap_or_default(),
        wait: Wait {
            timeout: fields
                .wait
                .as_ref()
                .and_then(|wait| wait.timeout.as_ref())
                .map_or(std::time::Duration::from_mins(5), super::format::Duration::get),
        },
        suspend: suspend(fields, &draft.merged, draft.span, problems),
        formerly: fields.formerly.iter().flatten().map(|label| label.0.clone()).collect(),
        adopt: match fields.adopt {
            Some(AdoptFile::Unowned) => Adopt::Unowned,
            Some(AdoptFile::None) | None => Adopt::None,
        },
        ignore_differences: fields
            .ignore_differences
            .iter()
            .flatten()
            .zip(items("ignoreDifferences"))
            .map(|(ignore, node)| IgnoreDifference {
                target: PatchTarget {
                    group: ignore.group.clone(),
                    kind: ignore.kind.clone(),
                    name: ignore.name.clone(),
                    namespace: ignore.namespace.clone(),
                },
                paths: ignore.paths.iter().map(|pointer| pointer.0.clone()).collect(),
                span: node.span,
            })
            .collect(),
        health: fields
            .health
            .iter()
            .flatten()
            .zip(items("health"))
            .filter_map(|(rule, node)| shared.expressions.rule(rule, node, problems))
            .collect(),
        skip_crds: fields.crds == Some(CrdsFile::Skip),
        span: draft.span,
        files: draft.docs.iter().map(|doc| doc.document.place()).collect(),
    }
}

/// A winner that is computed shows what it came to.
fn computed_winners(layers: &mut BTreeMap<String, Vec<LayerEntry>>, values: &Node) {
    for (path, entries) in layers {
        let keys = super::explain::parse_path(path).unwrap_or_default();
        if let (Some(winner), Some(node)) = (entries.last_mut(), values.at(keys.iter().map(String::as_str))) {
            winner.value = node.to_json();
        }
    }
}

fn suspend(
    fields: &Fields,
    merged: &Mapping,
    place: Span,
    problems: &mut Vec<Diagnostic>,
) -> Option<Suspend> {
    let suspend = fields.suspend.as_ref()?;
    let node = merged.get("suspend");
    let until = suspend.until.as_ref().map(|date| date.0.parse::<jiff::civil::Date>());
    if let (Some(Err(_)), Some(date)) = (&until, &suspend.until) {
        let span = node.and_then(|n| n.get("until")).map_or(place, |n| n.span);
        problems
            .push(Diagnostic::error("invalid-value", format!("there is no day `{}`", date.0)).at(span, ""));
    }
    let until = until.and_then(Result::ok);
    Some(Suspend { reason: suspend.reason.clone(), until, span: node.map_or(place, |n| n.span) })
}

/// Every contract that `node`, a component's or cluster's file, speaks of offering.
pub(super) fn offered(node: &Node) -> Vec<&Entry> {
    let overrides = node.get("overrides").and_then(Node::as_sequence).unwrap_or_default();
    std::iter::once(node)
        .chain(overrides)
        .filter_map(|node| node.get("provides")?.as_mapping())
        .flatten()
        .filter(|entry| !entry.value.is_null())
        .collect()
}
