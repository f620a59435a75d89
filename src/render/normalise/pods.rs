//! Where the pods of built-in kinds are.

use serde_json::Value;

use crate::object::{FieldPath, GroupVersionKind, Segment};

/// Kinds with a pod, and the keys that lead to its `spec`.
const PODS: &[(&str, &str, &[&str])] = &[
    ("", "Pod", &["spec"]),
    ("", "PodTemplate", &["template", "spec"]),
    ("", "ReplicationController", &["spec", "template", "spec"]),
    ("apps", "Deployment", &["spec", "template", "spec"]),
    ("apps", "StatefulSet", &["spec", "template", "spec"]),
    ("apps", "DaemonSet", &["spec", "template", "spec"]),
    ("apps", "ReplicaSet", &["spec", "template", "spec"]),
    ("batch", "Job", &["spec", "template", "spec"]),
    ("batch", "CronJob", &["spec", "jobTemplate", "spec", "template", "spec"]),
];

/// The lists of containers of a pod.
pub(super) const CONTAINERS: &[&str] = &["initContainers", "containers", "ephemeralContainers"];

/// Group, version and kind as the object states them.
pub(super) fn gvk(object: &Value) -> GroupVersionKind {
    let text = |key: &str| object[key].as_str().unwrap_or_default();
    GroupVersionKind::from_api_version(text("apiVersion"), text("kind"))
}

/// The path of the pod's spec, if the kind has a pod.
pub(super) fn spec_path(object: &Value) -> Option<FieldPath> {
    let gvk = gvk(object);
    let (.., keys) = PODS.iter().find(|(group, kind, _)| gvk.group == *group && gvk.kind == *kind)?;
    Some(FieldPath(keys.iter().map(|key| Segment::Key((*key).into())).collect()))
}

/// The value at a path of keys and indices.
pub(super) fn at<'a>(object: &'a Value, path: &FieldPath) -> Option<&'a Value> {
    path.0.iter().try_fold(object, |value, segment| match segment {
        Segment::Key(key) => value.get(key),
        Segment::Index(index) => value.get(index),
        _ => None,
    })
}

/// The value at a path of keys and indices, to be changed.
pub(super) fn at_mut<'a>(object: &'a mut Value, path: &FieldPath) -> Option<&'a mut Value> {
    path.0.iter().try_fold(object, |value, segment| match segment {
        Segment::Key(key) => value.get_mut(key),
        Segment::Index(index) => value.get_mut(index),
        _ => None,
    })
}
