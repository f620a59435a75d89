//! One cluster: what is installed in it, merged, with its contracts met and its values computed.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};

use super::checks::ComponentDoc;
use super::cluster::ClusterSource;
use super::compute::{Scope, compute};
use super::contracts::{self, Computing, Known, Links, Need, Offers, Party};
use super::fields::{FieldLayer, merge_fields};
use super::format::{AdoptFile, CrdsFile, Fields};
use super::merge::without_nulls;
use super::model::{
    Absence, Adopt, Component, ComponentSource, HealthRule, IgnoreDifference, Patch, PatchTarget, Required,
    Suspend, Wait,
};
use super::order::{Edges, cycles, sort};
use super::presence::{Presence, matching, presence};
use super::values::{Layer, merged, provenance};
use super::{LayerEntry, secrets};
use crate::diagnostic::{Diagnostic, Files, Span, nearest};
use crate::source::Tree;
use crate::yaml::{Entry, Mapping, Node, Value};

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

/// A component before its contracts are met.
struct Draft<'a> {
    namespace: String,
    release: String,
    fields: Fields,
    merged: Mapping,
    source: ComponentSource,
    layers: Vec<Layer>,
    span: Span,
    docs: Vec<&'a ComponentDoc>,
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

/// Decides what is there, and merges it.
fn install<'a>(
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
            if let (Some(inner), Some(version)) = (version_of(chart), &release.version) {
                if inner != version {
                    let place = merged.get("release").and_then(|r| r.get("version")).map_or(span, |n| n.span);
                    problems.push(
                        Diagnostic::error(
                            "version-conflict",
                            format!("the chart is asked for as `{inner}` and as `{version}`"),
                        )
                        .at(place, "")
                        .also(node.span, "")
                        .help("take the version out of the reference"),
                    );
                }
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

/// Why one component waits for another.
struct Edge {
    span: Span,
    reason: String,
}

type After = BTreeMap<String, BTreeMap<String, Edge>>;

fn edges(
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
    Some(match doc {
        Some(doc) => {
            Diagnostic::error(code, format!("`{name}` depends on `{other}`, which is not installed here"))
                .at(span, "")
                .also(doc.document.place(), "it is for other clusters")
        }
        None => {
            let diagnostic =
                Diagnostic::error(code, format!("`{name}` depends on `{other}`, which does not exist"))
                    .at(span, "");
            match nearest(other, drafts.keys().map(String::as_str)) {
                Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
                None => diagnostic,
            }
        }
    })
}

fn report_cycles(order: &Edges, after: &After, problems: &mut Vec<Diagnostic>) {
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
                .map_or(std::time::Duration::from_secs(300), super::format::Duration::get),
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
            .map(|(rule, node)| HealthRule {
                api_version: rule.api_version.clone(),
                kind: rule.kind.clone(),
                in_progress: rule.in_progress.clone(),
                failed: rule.failed.clone(),
                current: rule.current.clone(),
                span: node.span,
            })
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
    let until = suspend.until.as_ref().and_then(|date| match date.0.parse::<jiff::civil::Date>() {
        Ok(date) => Some(date),
        Err(_) => {
            let span = node.and_then(|n| n.get("until")).map_or(place, |n| n.span);
            problems.push(
                Diagnostic::error("invalid-value", format!("there is no day `{}`", date.0)).at(span, ""),
            );
            None
        }
    });
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
