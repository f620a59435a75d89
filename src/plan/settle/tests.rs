//! Ignore rules: what is left out, what is copied, what is sent all the same.

use serde_json::json;

use super::*;
use crate::diagnostic::{Files, Span};
use crate::landscape::IgnoreDifference;
use crate::plan::fixture::{applied, component, desired, marked, observation};

fn deployment(spec: Value) -> DesiredObject {
    marked(
        "a",
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d", "namespace": "n"}, "spec": spec}),
    )
}

/// What is sent for `object` when `paths` are ignored, after `change` was made to what we applied.
fn sent(object: &DesiredObject, paths: &[&str], change: impl Fn(&mut Value)) -> Value {
    let mut wanted = desired(vec![component("a", vec![object.clone()])]);
    wanted.components[0].ignore_differences = vec![IgnoreDifference {
        target: PatchTarget { kind: Some(object.reference.kind.clone()), ..PatchTarget::default() },
        paths: paths.iter().map(|path| (*path).to_owned()).collect(),
        span: Span::new(Files::new().add("x", "", false), 0..0),
    }];
    let mut there = observation();
    let mut live = applied(object);
    change(&mut live.0);
    there.live.insert(object.reference.clone(), live);
    settle(&mut wanted, &there);
    wanted.components[0].objects[0].body["spec"].clone()
}

fn owned_by(live: &mut Value, manager: &str, fields: Value) {
    let entry =
        json!({"manager": manager, "operation": "Update", "apiVersion": "apps/v1", "fieldsV1": fields});
    live["metadata"]["managedFields"].as_array_mut().unwrap().push(entry);
}

#[test]
fn a_field_of_another_manager_is_left_out_and_one_of_ours_keeps_its_live_value() {
    let object = deployment(json!({"replicas": 1, "paused": false}));
    let drifted = |live: &mut Value| live["spec"]["replicas"] = 5.into();
    assert_eq!(sent(&object, &[], drifted), json!({"replicas": 1, "paused": false}));
    assert_eq!(sent(&object, &["/spec/replicas"], drifted), json!({"replicas": 5, "paused": false}));
    let scaled = |live: &mut Value| {
        drifted(live);
        owned_by(live, "hpa", json!({"f:spec": {"f:replicas": {}}}));
    };
    assert_eq!(sent(&object, &["/spec/replicas"], scaled), json!({"paused": false}));
    assert_eq!(sent(&object, &["/spec/missing"], scaled), json!({"replicas": 1, "paused": false}));
    let gone = |live: &mut Value| drop(live["spec"].as_object_mut().unwrap().remove("replicas"));
    assert_eq!(sent(&object, &["/spec/replicas"], gone), json!({"paused": false}));
}

#[test]
fn list_items_are_found_by_key_wherever_they_stand() {
    let object =
        deployment(json!({"containers": [{"name": "app", "image": "a:1"}, {"name": "b", "image": "b:1"}]}));
    let drifted = |live: &mut Value| {
        live["spec"]["containers"] = json!([{"name": "injected", "image": "i"}, {"name": "b", "image": "b:2"}, {"name": "app", "image": "a:2"}]);
    };
    for path in ["/spec/containers/name=app/image", "/spec/containers/0/image"] {
        assert_eq!(
            sent(&object, &[path], drifted),
            json!({"containers": [{"name": "app", "image": "a:2"}, {"name": "b", "image": "b:1"}]}),
            "{path}"
        );
    }
    assert_eq!(
        sent(&object, &["/spec/containers/*/image"], drifted),
        json!({"containers": [{"name": "app", "image": "a:2"}, {"name": "b", "image": "b:2"}]})
    );
}

#[test]
fn nothing_is_ignored_when_an_object_is_made() {
    let object = deployment(json!({"replicas": 1}));
    let mut wanted = desired(vec![component("a", vec![object])]);
    let before = wanted.components[0].objects[0].body.clone();
    settle(&mut wanted, &observation());
    assert_eq!(wanted.components[0].objects[0].body, before);
}

#[test]
fn replicas_are_left_to_an_autoscaler() {
    let scaler = marked(
        "a",
        json!({
            "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "h", "namespace": "n"},
            "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "d"}},
        }),
    );
    let object = deployment(json!({"replicas": 1}));
    let mut there = observation();
    let mut live = applied(&object);
    live.0["spec"]["replicas"] = 7.into();
    there.live.insert(object.reference.clone(), live);
    let mut wanted = desired(vec![component("a", vec![object, scaler])]);
    settle(&mut wanted, &there);
    assert_eq!(wanted.components[0].objects[0].body["spec"], json!({"replicas": 7}));
}

#[test]
fn an_injected_bundle_and_aggregated_rules_are_not_fought_over() {
    let webhook = marked(
        "a",
        json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration", "metadata": {"name": "w"},
            "webhooks": [{"name": "x", "clientConfig": {"caBundle": "Cg=="}}],
        }),
    );
    let role = marked(
        "a",
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "r"},
            "aggregationRule": {}, "rules": [],
        }),
    );
    let mut there = observation();
    let mut live = applied(&webhook);
    live.0["webhooks"][0]["clientConfig"]["caBundle"] = "aW5qZWN0ZWQ=".into();
    owned_by(
        &mut live.0,
        "cert-manager-cainjector",
        json!({"f:webhooks": {"k:{\"name\":\"x\"}": {"f:clientConfig": {"f:caBundle": {}}}}}),
    );
    there.live.insert(webhook.reference.clone(), live);
    let mut wanted = desired(vec![component("a", vec![webhook, role])]);
    settle(&mut wanted, &there);
    let objects = &wanted.components[0].objects;
    assert_eq!(objects[0].body["webhooks"][0]["clientConfig"], json!({}));
    assert!(objects[1].body.get("rules").is_none());
}
