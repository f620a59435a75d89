//! Small worlds for the tests of this room.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};

use super::desired::{Desired, DesiredComponent, DesiredObject};
use super::inventory::{Entry, Inventory, Phase, State};
use super::observation::{Identity, Live, Observation, Terminating};
use crate::diagnostic::{Files, Span};
use crate::landscape::{Adopt, Limits};
use crate::object::{
    ApiResource, Discovery, GroupKind, GroupVersionKind, KubernetesVersion, ObjectRef, Origin, Scope,
};

/// The landscape of every test.
pub(super) const LANDSCAPE: &str = "platform";

/// An object of a component, exactly as given.
pub(super) fn desired_object(component: &str, body: Value) -> DesiredObject {
    let reference = ObjectRef::of(&body).expect("a body with an identity");
    let gvk =
        GroupVersionKind::from_api_version(body["apiVersion"].as_str().unwrap_or_default(), &reference.kind);
    let file = Files::new().add("test.yaml", "", false);
    DesiredObject {
        sensitive: reference.is("", "Secret"),
        reference,
        gvk,
        body,
        origin: Origin {
            component: component.into(),
            template: "test.yaml".into(),
            span: Span::new(file, 0..0),
        },
    }
}

/// The same with our labels, as `desire` would make it.
pub(super) fn marked(component: &str, mut body: Value) -> DesiredObject {
    let labels = json!({
        "landskap.io/landscape": LANDSCAPE, "landskap.io/component": component,
        "applyset.kubernetes.io/part-of": super::applyset_id(LANDSCAPE, component),
    });
    body["metadata"]["labels"] = labels;
    desired_object(component, body)
}

/// A ConfigMap in the namespace `n`.
pub(super) fn config_map(component: &str, name: &str, data: Value) -> DesiredObject {
    marked(
        component,
        json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "n"}, "data": data,
        }),
    )
}

/// What the server stores after we applied `object` alone: the body with a UID and our entry in managedFields. All
/// lists count as owned as a whole.
pub(super) fn applied(object: &DesiredObject) -> Live {
    let mut live = object.body.clone();
    let mut fields = fields_of(&object.body);
    if let Some(fields) = fields.as_object_mut() {
        fields.remove("f:apiVersion");
        fields.remove("f:kind");
    }
    if let Some(metadata) = fields["f:metadata"].as_object_mut() {
        metadata.remove("f:name");
        metadata.remove("f:namespace");
    }
    live["metadata"]["uid"] = format!("uid-{}", object.reference.name).into();
    live["metadata"]["resourceVersion"] = "1".into();
    live["metadata"]["managedFields"] = json!([{
        "manager": "landskap", "operation": "Apply", "apiVersion": object.gvk.api_version(),
        "fieldsType": "FieldsV1", "fieldsV1": fields,
    }]);
    Live(live)
}

fn fields_of(value: &Value) -> Value {
    match value {
        Value::Object(map) => map.iter().map(|(key, value)| (format!("f:{key}"), fields_of(value))).collect(),
        _ => json!({}),
    }
}

/// A component with nothing special about it.
pub(super) fn component(name: &str, objects: Vec<DesiredObject>) -> DesiredComponent {
    DesiredComponent {
        name: name.into(),
        namespace: "n".into(),
        after: BTreeSet::new(),
        formerly: Vec::new(),
        adopt: Adopt::None,
        suspended: None,
        timeout: Duration::from_secs(60),
        ignore_differences: Vec::new(),
        health: Vec::new(),
        objects,
    }
}

/// A landscape of these components.
pub(super) fn desired(components: Vec<DesiredComponent>) -> Desired {
    Desired {
        landscape: LANDSCAPE.into(),
        origin: "https://git.example/platform".into(),
        cluster: "prod".into(),
        revision: Some("b".repeat(40)),
        limits: Limits { components: 1, objects: 0.3 },
        components,
        not_installed: BTreeSet::new(),
        absent: BTreeMap::new(),
        namespaces: BTreeMap::new(),
        incomplete: Vec::new(),
    }
}

/// A cluster that knows us, with the namespace `n` and nothing in it.
pub(super) fn observation() -> Observation {
    let kinds = [
        ("", "ConfigMap", "configmaps"),
        ("", "Secret", "secrets"),
        ("", "Service", "services"),
        ("", "PersistentVolumeClaim", "persistentvolumeclaims"),
        ("", "Namespace", "namespaces"),
        ("apps", "Deployment", "deployments"),
        ("apps", "StatefulSet", "statefulsets"),
        ("apiextensions.k8s.io", "CustomResourceDefinition", "customresourcedefinitions"),
    ];
    let resource = |plural: &str| ApiResource {
        versions: vec!["v1".into()],
        plural: plural.into(),
        scope: Scope::Namespaced,
        verbs: ["list", "patch"].map(String::from).into(),
    };
    Observation {
        cluster_uid: "cluster-uid".into(),
        discovery: Discovery {
            version: KubernetesVersion { major: 1, minor: 36 },
            git_version: "v1.36.3".into(),
            resources: kinds
                .iter()
                .map(|(g, k, plural)| (GroupKind::new(*g, *k), resource(plural)))
                .collect(),
            failed: BTreeSet::new(),
        },
        namespaces: BTreeMap::from([("n".into(), Terminating(false))]),
        identity: Some(Identity {
            landscape: LANDSCAPE.into(),
            origin: "https://git.example/platform".into(),
            cluster: "prod".into(),
            cluster_uid: "cluster-uid".into(),
            revision: Some("b".repeat(40)),
        }),
        inventories: BTreeMap::new(),
        live: BTreeMap::new(),
        unreadable: BTreeMap::new(),
        incomplete: Vec::new(),
    }
}

/// Puts applied objects of a component into the cluster, inventory included.
pub(super) fn install(observation: &mut Observation, component: &str, objects: &[DesiredObject]) {
    let inventory = observation.inventories.entry(component.into()).or_insert_with(|| Inventory {
        schema_version: 1,
        landscape: LANDSCAPE.into(),
        cluster: "prod".into(),
        component: component.into(),
        cluster_uid: "cluster-uid".into(),
        revision: None,
        phase: Phase::Idle,
        server_version: "v1.36.3".into(),
        after: BTreeSet::new(),
        entries: BTreeMap::new(),
        resource_version: None,
    });
    for object in objects {
        let live = applied(object);
        inventory.entries.insert(
            Entry::key(&object.reference),
            Entry {
                reference: object.reference.clone(),
                version: object.gvk.version.clone(),
                uid: Some(live.uid().into()),
                state: State::Owned,
                memory: None,
            },
        );
        observation.live.insert(object.reference.clone(), live);
    }
}
