//! What is in every object and is no change: counters, times, status, bookkeeping of controllers.

use serde_json::Value;

use crate::plan::observation::Live;

/// Under metadata.
const METADATA: [&str; 6] =
    ["managedFields", "resourceVersion", "uid", "generation", "creationTimestamp", "selfLink"];
/// Annotations. The first is also a leak: it repeats a whole object, Secrets included.
const ANNOTATIONS: [&str; 2] =
    ["kubectl.kubernetes.io/last-applied-configuration", "deployment.kubernetes.io/revision"];
/// Labels.
const LABELS: [&str; 2] = ["batch.kubernetes.io/controller-uid", "controller-uid"];

/// `object` without noise.
pub(super) fn without(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(root) = object.as_object_mut() {
        root.remove("status");
    }
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        for key in METADATA {
            metadata.remove(key);
        }
        for (map, keys) in [("annotations", ANNOTATIONS), ("labels", LABELS)] {
            let Some(entries) = metadata.get_mut(map).and_then(Value::as_object_mut) else { continue };
            for key in keys {
                entries.remove(key);
            }
            if entries.is_empty() {
                metadata.remove(map);
            }
        }
    }
    object
}

/// All managedFields entries without their times, in an order that times do not decide.
pub(super) fn managers(live: &Live) -> Vec<String> {
    let entries = live.0.pointer("/metadata/managedFields").and_then(Value::as_array);
    let mut texts: Vec<String> = entries
        .into_iter()
        .flatten()
        .map(|entry| {
            let mut entry = entry.clone();
            if let Some(entry) = entry.as_object_mut() {
                entry.remove("time");
            }
            entry.to_string()
        })
        .collect();
    texts.sort();
    texts
}
