//! The marks on live objects: ours, those of other tools, and those by which people ask us to leave an object alone.
//!
//! Pure look-ups on one object. What follows from a mark is decided by `ownership` and `removal`.

use super::inventory::{COMPONENT_LABEL, LANDSCAPE_LABEL, PART_OF_LABEL};
use super::observation::Live;
use crate::object::ObjectRef;

/// `landskap.io/reconcile: disabled`: the object is left exactly as it is.
pub(super) const RECONCILE: &str = "landskap.io/reconcile";
/// `landskap.io/prune: disabled`: the object is never removed.
pub(super) const PRUNE: &str = "landskap.io/prune";
/// `landskap.io/recreate: allowed`: the object may be deleted and made again.
pub(super) const RECREATE: &str = "landskap.io/recreate";

/// Annotations by which an object asks not to be removed: (name, value, how to say it). An Argo annotation holds a
/// comma-separated list, of which one item is enough.
const KEEP: [(&str, &str); 7] = [
    (PRUNE, "disabled"),
    ("helm.sh/resource-policy", "keep"),
    ("client.lifecycle.config.k8s.io/deletion", "detach"),
    ("cli-utils.sigs.k8s.io/on-remove", "keep"),
    ("argocd.argoproj.io/sync-options", "Prune=false"),
    ("argocd.argoproj.io/sync-options", "Delete=false"),
    ("kustomize.toolkit.fluxcd.io/prune", "disabled"),
];

/// Labels and annotations that other tools put on what they own: (name, value or any, tool).
const FOREIGN: [(&str, Option<&str>, &str); 12] = [
    ("meta.helm.sh/release-name", None, "a Helm release"),
    ("app.kubernetes.io/managed-by", Some("Helm"), "a Helm release"),
    ("argocd.argoproj.io/instance", None, "Argo CD"),
    ("argocd.argoproj.io/tracking-id", None, "Argo CD"),
    ("kustomize.toolkit.fluxcd.io/name", None, "a Flux Kustomization"),
    ("helm.toolkit.fluxcd.io/name", None, "a Flux HelmRelease"),
    ("kapp.k14s.io/app", None, "kapp"),
    ("kluctl.io/discriminator", None, "kluctl"),
    ("config.k8s.io/owning-inventory", None, "kpt or cli-utils"),
    ("objectset.rio.cattle.io/id", None, "Rancher Fleet"),
    ("olm.owner", None, "the Operator Lifecycle Manager"),
    ("addonmanager.kubernetes.io/mode", None, "the addon manager"),
];

/// Whether `live` carries the mark of `component` of `landscape`.
pub(super) fn is_marked(live: &Live, landscape: &str, component: &str) -> bool {
    live.label(LANDSCAPE_LABEL) == Some(landscape) && live.label(COMPONENT_LABEL) == Some(component)
}

/// The component of `landscape` whose mark `live` carries.
pub(super) fn marked_component<'a>(live: &'a Live, landscape: &str) -> Option<&'a str> {
    (live.label(LANDSCAPE_LABEL) == Some(landscape)).then(|| live.label(COMPONENT_LABEL)).flatten()
}

/// Why `live` must not be removed, if it says so itself.
pub(super) fn keep_mark(live: &Live) -> Option<String> {
    KEEP.iter()
        .find(|(name, value)| {
            live.annotation(name).is_some_and(|text| text.split(',').any(|item| item.trim() == *value))
        })
        .map(|(name, value)| format!("its annotation `{name}` is `{value}`"))
}

/// Whether the object asks to be left alone.
pub(super) fn is_disabled(annotation: Option<&str>) -> bool {
    annotation == Some("disabled")
}

/// Who else owns `live`, by the marks of other tools. `part_of` is the ApplySet id that would be ours. Our own
/// marks of another landscape count as foreign.
pub(super) fn foreign_owner(live: &Live, landscape: &str, part_of: &str) -> Option<String> {
    if let Some(other) = live.label(LANDSCAPE_LABEL).filter(|other| *other != landscape) {
        return Some(format!("the landscape `{other}`"));
    }
    for (name, value, tool) in FOREIGN {
        let found = live.label(name).or_else(|| live.annotation(name));
        if found.is_some_and(|text| value.is_none_or(|value| text == value)) {
            return Some(tool.to_owned());
        }
    }
    if live.label(LANDSCAPE_LABEL).is_none()
        && let Some(other) = live.label(PART_OF_LABEL).filter(|other| *other != part_of)
    {
        return Some(format!("the ApplySet `{other}`"));
    }
    owner(live).map(|owner| format!("{owner}, which made it"))
}

/// The first ownerReference: something in the cluster made the object and answers for its life.
pub(super) fn owner(live: &Live) -> Option<String> {
    let reference = live.0.pointer("/metadata/ownerReferences/0")?;
    let text = |key: &str| reference.get(key).and_then(serde_json::Value::as_str).unwrap_or("?");
    Some(format!("{} `{}`", text("kind"), text("name")))
}

/// Kinds that are never removed without being named: what hangs on them is not in any inventory.
pub(super) fn protected_kind(reference: &ObjectRef) -> Option<&'static str> {
    let ObjectRef { group, kind, .. } = reference;
    match (group.as_str(), kind.as_str()) {
        ("", "Namespace") => Some("removing a Namespace removes everything in it"),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => {
            Some("removing a CustomResourceDefinition removes every object of its kind")
        }
        ("", "PersistentVolume" | "PersistentVolumeClaim") => Some("it holds data"),
        _ => None,
    }
}

/// Whether the object lives in a namespace of Kubernetes itself, or is one.
pub(super) fn in_system_namespace(reference: &ObjectRef) -> bool {
    const SYSTEM: [&str; 4] = ["kube-system", "default", "kube-public", "kube-node-lease"];
    reference.namespace.as_deref().is_some_and(|namespace| SYSTEM.contains(&namespace))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn annotated(name: &str, value: &str) -> Live {
        Live(json!({"metadata": {"annotations": {name: value}}}))
    }

    #[test]
    fn every_keep_mark_is_honoured_and_nothing_like_it() {
        for (name, value) in KEEP {
            assert!(keep_mark(&annotated(name, value)).is_some(), "{name}");
            assert_eq!(keep_mark(&annotated(name, "other")), None, "{name}");
        }
        assert!(
            keep_mark(&annotated("argocd.argoproj.io/sync-options", "Force=true, Prune=false")).is_some()
        );
    }

    #[test]
    fn foreign_marks_are_recognised_as_labels_and_annotations() {
        let owner = |live: &Live| foreign_owner(live, "platform", "applyset-ours");
        assert_eq!(owner(&annotated("meta.helm.sh/release-name", "x")).as_deref(), Some("a Helm release"));
        let labelled = |name: &str, value: &str| Live(json!({"metadata": {"labels": {name: value}}}));
        assert_eq!(
            owner(&labelled("app.kubernetes.io/managed-by", "Helm")).as_deref(),
            Some("a Helm release")
        );
        assert_eq!(owner(&labelled("app.kubernetes.io/managed-by", "me")), None);
        assert_eq!(
            owner(&labelled(PART_OF_LABEL, "applyset-other")).as_deref(),
            Some("the ApplySet `applyset-other`")
        );
        assert_eq!(owner(&labelled(PART_OF_LABEL, "applyset-ours")), None);
        assert_eq!(owner(&labelled(LANDSCAPE_LABEL, "other")).as_deref(), Some("the landscape `other`"));
        assert_eq!(owner(&labelled(LANDSCAPE_LABEL, "platform")), None);
        let child = Live(json!({"metadata": {"ownerReferences": [{"kind": "ReplicaSet", "name": "r"}]}}));
        assert_eq!(owner(&child).as_deref(), Some("ReplicaSet `r`, which made it"));
    }
}
