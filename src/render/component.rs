//! One component through all steps: values, templates, documents, placement, patches, rules.
//!
//! The way has two halves. [`drafts`] needs only the component; [`finish`] needs the kinds that all
//! components of the cluster define, because a scope decides about a namespace.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::context::Shared;
use super::document::{self, Draft, Text};
use super::engine::{self, Input};
use super::holes::{Face, Placeholders};
use super::trace::trace_span;
use super::{normalise, patch, schema, values};
use crate::chart::Chart;
use crate::diagnostic::{Diagnostic, Files, Span, has_errors};
use crate::landscape::{Cluster, Component};
use crate::object::{Discovery, FieldPath, Hole, Manifest, ObjectRef, Origin, Piece, Segment};

/// The rendered objects of a component, as its templates print them, CRDs first.
pub(super) fn drafts(
    cluster: &Cluster,
    component: &Component,
    chart: &Chart,
    shared: &Shared,
    capabilities: &::tera::Value,
    files: &Files,
) -> Result<Vec<Draft>, Vec<Diagnostic>> {
    let scoped = values::scope(chart, &component.values).map_err(|d| vec![d])?;
    let mut diagnostics: Vec<_> =
        scoped.iter().flat_map(|one| schema::check(one.chart, &one.values)).collect();
    // A template that stumbles over a value which the schema refuses has nothing to add.
    if has_errors(&diagnostics) {
        return Err(diagnostics);
    }
    let all_values: Vec<_> = scoped.iter().map(|one| &one.values).collect();
    let placeholders = Placeholders::of(&component.name, &all_values);
    let input =
        Input { component, scoped: &scoped, shared, capabilities, placeholders: &placeholders, files };
    let rendered = match engine::render(&input) {
        Ok(rendered) => rendered,
        Err(more) => {
            diagnostics.extend(more);
            return Err(diagnostics);
        }
    };
    let mut drafts = Vec::new();
    for text in plain(&scoped, component.skip_crds) {
        let name = files.get(text.source).name.clone();
        match document::read(&text, &name, files) {
            Ok(read) => drafts.extend(read),
            Err(more) => diagnostics.extend(more),
        }
    }
    for [front, back] in rendered {
        let Some(front) = front else { continue };
        let name =
            format!("{} (rendered for {}/{})", files.get(front.source).name, cluster.name, component.name);
        match read_faces(&front, back.as_ref(), &name, &placeholders, files) {
            Ok(read) => drafts.extend(read),
            Err(more) => diagnostics.extend(more),
        }
    }
    if has_errors(&diagnostics) { Err(diagnostics) } else { Ok(drafts) }
}

/// Files that are read as they are: `crds/` of all charts, then `manifests/`.
fn plain(scoped: &[values::Scoped], skip_crds: bool) -> Vec<Text> {
    let crds = scoped
        .iter()
        .filter(|_| !skip_crds)
        .flat_map(|one| one.chart.crds.iter().map(move |file| (one, file)));
    let manifests = scoped.iter().flat_map(|one| one.chart.manifests.iter().map(move |file| (one, file)));
    crds.chain(manifests)
        .map(|(one, (path, source))| Text {
            template: format!("{}{path}", one.prefix),
            source: *source,
            rendered: None,
        })
        .collect()
}

/// Reads a rendered text and takes the secrets out; then compares with the other face.
fn read_faces(
    front: &Text,
    back: Option<&Text>,
    name: &str,
    placeholders: &Placeholders,
    files: &Files,
) -> Result<Vec<Draft>, Vec<Diagnostic>> {
    let mut drafts = document::read(front, name, files)?;
    let Some(back) = back.filter(|back| back.rendered != front.rendered) else { return Ok(drafts) };
    let mut diagnostics = Vec::new();
    for draft in &mut drafts {
        match placeholders.take_out(&mut draft.object, Face::Front) {
            Ok(holes) => draft.holes = holes,
            Err((secret, fault)) => {
                let diagnostic = fault.diagnostic(draft, files);
                diagnostics.push(at_template_line(diagnostic, draft, placeholders.paths(&secret), files));
            }
        }
    }
    if !diagnostics.is_empty() {
        return Err(diagnostics);
    }
    // The back is never shown: its texts live in a registry of their own.
    let unseen = Files::new();
    let back = Text {
        template: back.template.clone(),
        source: unseen.add("", "", true),
        rendered: back.rendered.clone(),
    };
    let backs = document::read(&back, "", &unseen).unwrap_or_default();
    let mut backs = backs.into_iter().map(|mut draft| {
        draft.holes = placeholders.take_out(&mut draft.object, Face::Back).unwrap_or_default();
        draft
    });
    for draft in &drafts {
        let back = backs.next();
        let difference = match &back {
            Some(back) => difference(&draft.object, &back.object, &FieldPath::default())
                .or_else(|| (draft.holes != back.holes).then(|| FieldPath::default().key("data"))),
            None => Some(FieldPath::default()),
        };
        if let Some(path) = difference {
            let message = format!("`{path}` is computed from a secret, whose value no template ever sees");
            let fault = normalise::Fault::new("secret-in-computation", path, message)
                .help("pass the secret through unchanged; only `b64encode` of a whole value in `data` of a Secret is possible");
            diagnostics.push(fault.diagnostic(draft, files));
        }
    }
    if backs.next().is_some() {
        let message = "whether an object is rendered depends on a secret, whose value no template ever sees";
        diagnostics
            .push(Diagnostic::error("secret-in-computation", message).at(Span::new(front.source, 0..0), ""));
    }
    if diagnostics.is_empty() { Ok(drafts) } else { Err(diagnostics) }
}

/// The first path at which two values differ.
fn difference(a: &serde_json::Value, b: &serde_json::Value, path: &FieldPath) -> Option<FieldPath> {
    use serde_json::Value;
    match (a, b) {
        _ if a == b => None,
        (Value::Object(a), Value::Object(b)) if a.keys().eq(b.keys()) => {
            a.iter().zip(b.values()).find_map(|((key, a), b)| difference(a, b, &path.key(key)))
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => a
            .iter()
            .zip(b)
            .enumerate()
            .find_map(|(index, (a, b))| difference(a, b, &path.then(Segment::Index(index)))),
        _ => Some(path.clone()),
    }
}

/// Adds the first template line that reads one of `paths`.
fn at_template_line(diagnostic: Diagnostic, draft: &Draft, paths: &[String], files: &Files) -> Diagnostic {
    let template = files.get(draft.source);
    let found = paths.iter().find_map(|path| {
        let read = format!("values.{path}");
        template.text.find(&read).map(|at| (read.clone(), Span::new(draft.source, at..at + read.len())))
    });
    match found {
        Some((read, span)) => diagnostic.also(span, format!("`{read}` is a secret")),
        None => diagnostic,
    }
}

/// Drafts into manifests: namespaces, patches, rules, identity, and the component's own Secret.
pub(super) fn finish(
    component: &Component,
    mut drafts: Vec<Draft>,
    discovery: &Discovery,
    files: &Files,
) -> (Vec<Manifest>, Vec<Diagnostic>) {
    let mut diagnostics = Vec::new();
    let mut unknown = BTreeSet::new();
    for draft in &mut drafts {
        place(draft, component, discovery, files, &mut unknown, &mut diagnostics);
    }
    diagnostics.extend(patch::apply(&component.patches, &mut drafts));
    let mut manifests = Vec::new();
    for mut draft in drafts {
        place(&mut draft, component, discovery, files, &mut unknown, &mut diagnostics);
        let faults = normalise::normalise(&mut draft);
        diagnostics.extend(faults.into_iter().map(|fault| fault.diagnostic(&draft, files)));
        if let Some(reference) = ObjectRef::of(&draft.object) {
            let origin =
                Origin { component: component.name.clone(), template: draft.template, span: draft.span };
            manifests.push(Manifest { reference, object: draft.object, holes: draft.holes, origin });
        }
    }
    manifests.extend(own_secret(component));
    diagnostics.extend(twice(&manifests, files));
    diagnostics.extend(unserved(&manifests, discovery, files));
    (manifests, diagnostics)
}

fn place(
    draft: &mut Draft,
    component: &Component,
    discovery: &Discovery,
    files: &Files,
    unknown: &mut BTreeSet<String>,
    diagnostics: &mut Vec<Diagnostic>,
) {
    match normalise::place(&mut draft.object, &component.namespace, discovery) {
        Ok(true) => (),
        // What an unreadable group serves is not known, and no reason to warn.
        Ok(false) if is_unreadable(&draft.object, discovery) => (),
        Ok(false) => {
            let api_version = draft.object["apiVersion"].as_str().unwrap_or_default();
            let kind = format!("{api_version} {}", draft.object["kind"].as_str().unwrap_or_default());
            if unknown.insert(kind.clone()) {
                let span = trace_span(draft.span, &FieldPath::default().key("kind"), files);
                let message = format!("nothing defines the kind `{kind}`: it is taken for a namespaced one");
                diagnostics.push(
                    Diagnostic::warning("unknown-kind", message)
                        .at(span, "")
                        .help("install its CustomResourceDefinition with a component of this cluster, or check the spelling"),
                );
            }
        }
        Err(fault) => diagnostics.push(fault.diagnostic(draft, files)),
    }
}

/// Whether the object's group is one that the server could not tell us about.
fn is_unreadable(object: &serde_json::Value, discovery: &Discovery) -> bool {
    let api_version = object["apiVersion"].as_str().unwrap_or_default();
    api_version.split_once('/').is_some_and(|(group, _)| {
        discovery
            .failed
            .iter()
            .any(|failed| failed.split_once('/').map_or(failed.as_str(), |(group, _)| group) == group)
    })
}

/// The Secret that carries `secrets:`.
fn own_secret(component: &Component) -> Option<Manifest> {
    let first = component.secrets.values().next()?;
    let data: serde_json::Map<_, _> = component.secrets.keys().map(|key| (key.clone(), "".into())).collect();
    let object = json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": component.secret_name, "namespace": component.namespace},
        "type": "Opaque",
        "data": data,
    });
    let holes = component
        .secrets
        .iter()
        .map(|(key, secret)| Hole { key: key.clone(), pieces: vec![Piece::Secret(secret.lookup.clone())] });
    Some(Manifest {
        reference: ObjectRef::of(&object)?,
        holes: holes.collect(),
        origin: Origin { component: component.name.clone(), template: "secrets".into(), span: first.span },
        object,
    })
}

/// Objects that the component states twice: which one counted would depend on their order.
fn twice(manifests: &[Manifest], files: &Files) -> Vec<Diagnostic> {
    let mut seen: BTreeMap<&ObjectRef, &Manifest> = BTreeMap::new();
    let mut diagnostics = Vec::new();
    let name = FieldPath::default().key("metadata").key("name");
    for manifest in manifests {
        if let Some(first) = seen.insert(&manifest.reference, manifest) {
            let message = format!(
                "the component `{}` renders `{}` twice",
                manifest.origin.component, manifest.reference
            );
            diagnostics.push(
                Diagnostic::error("duplicate-object", message)
                    .at(trace_span(manifest.origin.span, &name, files), "the second")
                    .also(trace_span(first.origin.span, &name, files), "the first"),
            );
        }
    }
    diagnostics
}

/// Objects in a version of their kind that is not served.
fn unserved(manifests: &[Manifest], discovery: &Discovery, files: &Files) -> Vec<Diagnostic> {
    let mut seen = BTreeSet::new();
    let mut diagnostics = Vec::new();
    for manifest in manifests {
        let gvk = manifest.gvk();
        let Some(resource) = discovery.get(&gvk.group_kind()).filter(|r| !r.versions.contains(&gvk.version))
        else {
            continue;
        };
        if resource.versions.is_empty() || !seen.insert((gvk.api_version(), gvk.kind.clone())) {
            continue;
        }
        let span = trace_span(manifest.origin.span, &FieldPath::default().key("apiVersion"), files);
        let message = format!(
            "Kubernetes {} does not serve `{}` of {}",
            discovery.version,
            gvk.api_version(),
            gvk.kind
        );
        let served: Vec<_> = resource.versions.iter().map(|v| format!("`{v}`")).collect();
        diagnostics.push(
            Diagnostic::warning("unserved-version", message)
                .at(span, "")
                .help(format!("it serves {}", served.join(", "))),
        );
    }
    diagnostics
}
