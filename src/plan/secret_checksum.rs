//! The annotation by which pods notice that a Secret of their component changed.
//!
//! A pod reads a Secret when it starts; only a changed pod template starts new pods. The annotation is an HMAC under
//! a key that stays in the cluster, so that it tells nothing about the values. Jobs get none: their template cannot
//! change.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::desired::DesiredObject;
use crate::secret::hmac_hex;

/// The annotation's name.
const ANNOTATION: &str = "landskap.io/secret-checksum";

/// Annotates every pod template among `objects` that refers to a Secret among `objects`.
pub(super) fn annotate(objects: &mut [DesiredObject], key: &[u8]) {
    let checksums: Vec<Option<String>> =
        objects.iter().map(|object| checksum(object, objects, key)).collect();
    for (object, checksum) in objects.iter_mut().zip(checksums) {
        let Some(checksum) = checksum else { continue };
        let Some(pointer) = template(object) else { continue };
        let Some(template) = object.body.pointer_mut(pointer).and_then(Value::as_object_mut) else {
            continue;
        };
        let empty = || Value::Object(Map::new());
        let metadata = template.entry("metadata").or_insert_with(empty);
        let annotations = metadata.as_object_mut().map(|m| m.entry("annotations").or_insert_with(empty));
        if let Some(annotations) = annotations.and_then(Value::as_object_mut) {
            annotations.insert(ANNOTATION.into(), Value::String(checksum));
        }
    }
}

/// Where the pod template of a workload that can roll stands.
fn template(object: &DesiredObject) -> Option<&'static str> {
    match (object.reference.group.as_str(), object.reference.kind.as_str()) {
        ("apps", "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet") => Some("/spec/template"),
        ("batch", "CronJob") => Some("/spec/jobTemplate/spec/template"),
        _ => None,
    }
}

fn checksum(object: &DesiredObject, objects: &[DesiredObject], key: &[u8]) -> Option<String> {
    let spec = object.body.pointer(template(object)?)?.get("spec")?;
    let mut names = BTreeSet::new();
    referred(spec, &mut names);
    let mut parts: Vec<Vec<u8>> = Vec::new();
    for name in names {
        let secret = objects.iter().find(|candidate| {
            candidate.reference.is("", "Secret")
                && candidate.reference.name == name
                && candidate.reference.namespace == object.reference.namespace
        });
        let Some(data) = secret.and_then(|secret| secret.body.get("data")).and_then(Value::as_object) else {
            continue;
        };
        let mut keys: Vec<&String> = data.keys().collect();
        keys.sort();
        for data_key in keys {
            let value = data[data_key].as_str().unwrap_or_default();
            parts.extend([name.as_bytes().to_vec(), data_key.as_bytes().to_vec(), value.as_bytes().to_vec()]);
        }
    }
    let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
    (!parts.is_empty()).then(|| hmac_hex(key, &parts))
}

/// Names of the Secrets that a pod spec reads values from: `envFrom`, `env`, volumes, projected volumes. Pull
/// secrets are not among them, the kubelet reads those at each pull.
fn referred<'a>(spec: &'a Value, names: &mut BTreeSet<&'a str>) {
    let list = |value: &'a Value, key: &str| value.get(key).and_then(Value::as_array).into_iter().flatten();
    let mut add = |name: Option<&'a Value>| names.extend(name.and_then(Value::as_str));
    for containers in ["initContainers", "containers", "ephemeralContainers"] {
        for container in list(spec, containers) {
            for source in list(container, "envFrom") {
                add(source.pointer("/secretRef/name"));
            }
            for variable in list(container, "env") {
                add(variable.pointer("/valueFrom/secretKeyRef/name"));
            }
        }
    }
    for volume in list(spec, "volumes") {
        add(volume.pointer("/secret/secretName"));
        if let Some(projected) = volume.get("projected") {
            for source in list(projected, "sources") {
                add(source.pointer("/secret/name"));
            }
        }
    }
}
