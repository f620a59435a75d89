//! Rendered manifests into [`Desired`]: Secret values filled in, everything marked as ours.
//!
//! The one place where secret values enter objects. Knows nothing of what the cluster holds.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::applyset::applyset_id;
use super::desired::{Desired, DesiredComponent, DesiredObject};
use super::inventory::{COMPONENT_LABEL, LANDSCAPE_LABEL, PART_OF_LABEL};
use super::secret_checksum;
use crate::diagnostic::Diagnostic;
use crate::landscape::{Absence, Cluster, Component};
use crate::object::{Hole, Manifest, ObjectRef, Piece};
use crate::secret::SecretValue;

/// What [`desire`] is made from.
#[derive(Debug, Clone, Copy)]
pub struct Ingredients<'a> {
    /// The landscape's name.
    pub landscape: &'a str,
    /// A git URL without credentials, or a directory.
    pub origin: &'a str,
    /// The git commit, when it is in git.
    pub revision: Option<&'a str>,
    /// The cluster.
    pub cluster: &'a Cluster,
    /// Rendered and normalised manifests, by component. A component that is not here could not be rendered and
    /// must be spoken of in `incomplete`.
    pub manifests: &'a BTreeMap<String, Vec<Manifest>>,
    /// Looked-up secrets, by lookup name.
    pub secrets: &'a BTreeMap<String, SecretValue>,
    /// The key kept in the cluster, under which pod templates learn that a Secret changed. Without it they get no
    /// annotation: the caller makes a random one for a cluster that has none yet.
    pub mac_key: Option<&'a [u8]>,
    /// Why not all of the desired state is known.
    pub incomplete: &'a [String],
}

/// Builds what the cluster should hold.
///
/// Errors: `secret-missing` (a hole whose lookup name has no value), `reserved-label` (a manifest that already
/// carries a label of ours or is a member of an ApplySet). Nothing may be applied then. The objects are there all the
/// same, incomplete, so that who they are is known to whoever deletes something else.
pub fn desire(from: &Ingredients<'_>) -> (Desired, Vec<Diagnostic>) {
    let mut diagnostics = Vec::new();
    let components = from
        .cluster
        .components
        .iter()
        .filter_map(|component| {
            let manifests = from.manifests.get(&component.name)?;
            Some(desire_component(from, component, manifests, &mut diagnostics))
        })
        .collect();
    let absences = &from.cluster.absent;
    let broken =
        from.cluster.broken.keys().map(|name| format!("the files of the component `{name}` have errors"));
    let desired = Desired {
        landscape: from.landscape.into(),
        origin: from.origin.into(),
        cluster: from.cluster.name.clone(),
        revision: from.revision.map(Into::into),
        limits: from.cluster.limits.clone(),
        components,
        not_installed: absences
            .iter()
            .filter(|(_, absence)| matches!(absence, Absence::NotInstalled(_)))
            .map(|(name, _)| name.clone())
            .collect(),
        absent: absences.iter().map(|(name, absence)| (name.clone(), explain(absence).into())).collect(),
        namespaces: from.cluster.namespaces.clone(),
        incomplete: from.incomplete.iter().cloned().chain(broken).collect(),
    };
    (desired, diagnostics)
}

fn explain(absence: &Absence) -> &'static str {
    match absence {
        Absence::Selector(Some(_)) => "its `clusterSelector` does not match",
        Absence::Selector(None) => "it has no `clusterSelector`",
        Absence::NotInstalled(_) => "it says `installed: false`",
    }
}

fn desire_component(
    from: &Ingredients<'_>,
    component: &Component,
    manifests: &[Manifest],
    diagnostics: &mut Vec<Diagnostic>,
) -> DesiredComponent {
    let mut objects: Vec<DesiredObject> =
        manifests.iter().map(|manifest| desire_object(from, component, manifest, diagnostics)).collect();
    if let Some(key) = from.mac_key {
        secret_checksum::annotate(&mut objects, key);
    }
    DesiredComponent {
        name: component.name.clone(),
        namespace: component.namespace.clone(),
        after: component.after.clone(),
        formerly: component.formerly.clone(),
        adopt: component.adopt,
        suspended: component.suspend.as_ref().map(|suspend| suspend.reason.clone()),
        timeout: component.wait.timeout,
        ignore_differences: component.ignore_differences.clone(),
        health: component.health.clone(),
        objects,
    }
}

fn desire_object(
    from: &Ingredients<'_>,
    component: &Component,
    manifest: &Manifest,
    diagnostics: &mut Vec<Diagnostic>,
) -> DesiredObject {
    let mut body = manifest.object.clone();
    if let Err(lookup) = fill(&mut body, &manifest.holes, from.secrets) {
        let message = format!("the secret `{lookup}` has no value for {}", manifest.reference);
        diagnostics.push(Diagnostic::error("secret-missing", message).at(manifest.origin.span, ""));
    }
    if let Err(label) = mark(&mut body, from.landscape, &component.name) {
        let message = format!("{} already has the label `{label}`", manifest.reference);
        let help = "remove the label: landskap sets it to say which component owns the object";
        diagnostics
            .push(Diagnostic::error("reserved-label", message).at(manifest.origin.span, "").help(help));
    }
    DesiredObject {
        reference: manifest.reference.clone(),
        gvk: manifest.gvk(),
        body,
        sensitive: manifest.is_secret(),
        origin: manifest.origin.clone(),
    }
}

/// Puts the values of `holes` into `data`; the lookup name that has no value if one is missing.
fn fill<'a>(
    body: &mut Value,
    holes: &'a [Hole],
    secrets: &BTreeMap<String, SecretValue>,
) -> Result<(), &'a str> {
    for hole in holes {
        let mut bytes = zeroize::Zeroizing::new(Vec::new());
        for piece in &hole.pieces {
            match piece {
                Piece::Text(text) => bytes.extend_from_slice(text.as_bytes()),
                Piece::Secret(lookup) => {
                    bytes.extend_from_slice(secrets.get(lookup).ok_or(lookup.as_str())?.expose());
                }
            }
        }
        if let Some(data) = child(body, "data") {
            data.insert(hole.key.clone(), Value::String(STANDARD.encode(&*bytes)));
        }
    }
    Ok(())
}

/// Sets the labels of ownership; the label that is there already if one is.
fn mark(body: &mut Value, landscape: &str, component: &str) -> Result<(), &'static str> {
    let Some(labels) = child(body, "metadata").and_then(|metadata| {
        let labels = metadata.entry("labels").or_insert_with(|| Value::Object(Map::new()));
        labels.as_object_mut()
    }) else {
        return Err(LANDSCAPE_LABEL);
    };
    let ours = [
        (LANDSCAPE_LABEL, landscape.to_owned()),
        (COMPONENT_LABEL, component.to_owned()),
        (PART_OF_LABEL, applyset_id(landscape, component)),
    ];
    for (label, value) in ours {
        if labels.insert(label.into(), Value::String(value)).is_some() {
            return Err(label);
        }
    }
    Ok(())
}

/// The map at `key` of a map, made when missing; `None` when something else stands there.
fn child<'a>(value: &'a mut Value, key: &str) -> Option<&'a mut Map<String, Value>> {
    value.as_object_mut()?.entry(key).or_insert_with(|| Value::Object(Map::new())).as_object_mut()
}

impl Desired {
    /// The component of a name.
    pub fn component(&self, name: &str) -> Option<&DesiredComponent> {
        self.components.iter().find(|component| component.name == name)
    }

    /// Every object of every component.
    pub fn objects(&self) -> impl Iterator<Item = &DesiredObject> {
        self.components.iter().flat_map(|component| &component.objects)
    }

    /// Which component wants each object.
    pub fn wanted(&self) -> BTreeMap<&ObjectRef, &DesiredComponent> {
        self.components.iter().flat_map(|c| c.objects.iter().map(move |o| (&o.reference, c))).collect()
    }

    /// Names of namespaces that a manifest declares.
    pub(super) fn declared_namespaces(&self) -> BTreeSet<&str> {
        self.objects()
            .filter(|o| o.reference.is("", "Namespace"))
            .map(|o| o.reference.name.as_str())
            .collect()
    }
}

#[cfg(test)]
#[path = "desire_tests.rs"]
mod tests;
