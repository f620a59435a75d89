//! When an object is written and when it is removed.
//!
//! Stages and the order within one follow Helm's install order (what others need first), with definitions and
//! namespaces before, and webhooks and `APIServices` after everything. Removal goes the other way round.

use std::cmp::Reverse;

use super::builtin::is_builtin;
use super::model::Stage;
use crate::object::ObjectRef;

/// Kinds in the order in which they are written. Unknown kinds come after all workloads: they are custom objects,
/// whose controllers and webhooks come first, and which are removed while their controllers still run.
const KINDS: [(&str, Stage); 40] = [
    ("CustomResourceDefinition", Stage::Definitions),
    ("Namespace", Stage::Namespaces),
    ("PriorityClass", Stage::Foundation),
    ("RuntimeClass", Stage::Foundation),
    ("StorageClass", Stage::Foundation),
    ("VolumeAttributesClass", Stage::Foundation),
    ("CSIDriver", Stage::Foundation),
    ("IngressClass", Stage::Foundation),
    ("DeviceClass", Stage::Foundation),
    ("FlowSchema", Stage::Foundation),
    ("PriorityLevelConfiguration", Stage::Foundation),
    ("NetworkPolicy", Stage::Foundation),
    ("ResourceQuota", Stage::Foundation),
    ("LimitRange", Stage::Foundation),
    ("PodDisruptionBudget", Stage::Foundation),
    ("ServiceAccount", Stage::Foundation),
    ("Secret", Stage::Foundation),
    ("ConfigMap", Stage::Foundation),
    ("PersistentVolume", Stage::Foundation),
    ("PersistentVolumeClaim", Stage::Foundation),
    ("ClusterRole", Stage::Foundation),
    ("ClusterRoleBinding", Stage::Foundation),
    ("Role", Stage::Foundation),
    ("RoleBinding", Stage::Foundation),
    ("Service", Stage::Workloads),
    ("EndpointSlice", Stage::Workloads),
    ("DaemonSet", Stage::Workloads),
    ("Pod", Stage::Workloads),
    ("ReplicationController", Stage::Workloads),
    ("ReplicaSet", Stage::Workloads),
    ("Deployment", Stage::Workloads),
    ("HorizontalPodAutoscaler", Stage::Workloads),
    ("StatefulSet", Stage::Workloads),
    ("Job", Stage::Workloads),
    ("CronJob", Stage::Workloads),
    ("Ingress", Stage::Workloads),
    ("APIService", Stage::Extensions),
    ("MutatingWebhookConfiguration", Stage::Extensions),
    ("ValidatingWebhookConfiguration", Stage::Extensions),
    ("ValidatingAdmissionPolicy", Stage::Extensions),
];

/// The stage in which an object is written, and its place there.
fn place(reference: &ObjectRef) -> (Stage, usize) {
    let known =
        KINDS.iter().position(|(kind, _)| *kind == reference.kind).filter(|_| is_builtin(&reference.group));
    match known {
        Some(index) => (KINDS[index].1, index),
        None if reference.group == "admissionregistration.k8s.io" => (Stage::Extensions, KINDS.len()),
        None => (Stage::Workloads, KINDS.len()),
    }
}

/// The stage in which an object is written.
pub(super) fn stage(reference: &ObjectRef) -> Stage {
    place(reference).0
}

/// Sorts what is written by stage, kind, namespace and name.
pub(super) fn write_key(reference: &ObjectRef) -> impl Ord + use<> {
    (place(reference), reference.clone())
}

/// Sorts what is removed: the reverse. Webhooks and `APIServices` go before the workloads that serve them, custom
/// objects before their controllers, workloads before what they read, namespaces and definitions last.
pub(super) fn removal_key(reference: &ObjectRef) -> impl Ord + use<> {
    (Reverse(place(reference)), reference.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(group: &str, kind: &str) -> ObjectRef {
        ObjectRef { group: group.into(), kind: kind.into(), namespace: None, name: "x".into() }
    }

    #[test]
    fn what_is_needed_comes_first_and_goes_last() {
        let mut objects = vec![
            object("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"),
            object("monitoring.coreos.com", "Prometheus"),
            object("apps", "Deployment"),
            object("", "ConfigMap"),
            object("", "Namespace"),
            object("apiextensions.k8s.io", "CustomResourceDefinition"),
        ];
        let removal = objects.clone();
        objects.sort_by_key(write_key);
        assert_eq!(objects, removal.iter().rev().cloned().collect::<Vec<_>>());
        let mut removed = objects;
        removed.sort_by_key(removal_key);
        assert_eq!(removed, removal);
    }

    #[test]
    fn a_custom_kind_of_a_known_name_is_custom() {
        assert_eq!(stage(&object("serving.knative.dev", "Service")), Stage::Workloads);
        assert!(
            write_key(&object("serving.knative.dev", "Service")) > write_key(&object("apps", "Deployment"))
        );
        assert_eq!(stage(&object("example.org", "ConfigMap")), Stage::Workloads);
    }
}
