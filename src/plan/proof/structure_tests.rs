//! The rules (a)-(d), one by one. That they agree with a real server is shown by tests/it/proof.rs.

use serde_json::{Value, json};

use super::*;
use crate::plan::fixture::desired_object;

/// Whether `body` (under `spec` of a Deployment, or as said) is proven on `live` with our entry being `fields`.
fn check(spec: Value, live: Value, fields: Value, others: Value) -> bool {
    check_kind("apps/v1", "Deployment", spec, live, fields, others)
}

fn check_kind(api_version: &str, kind: &str, spec: Value, live: Value, fields: Value, others: Value) -> bool {
    let object = desired_object(
        "c",
        json!({
            "apiVersion": api_version, "kind": kind, "metadata": {"name": "a", "namespace": "n"}, "spec": spec,
        }),
    );
    let live = Live(json!({
        "apiVersion": api_version, "kind": kind,
        "metadata": {"name": "a", "namespace": "n", "managedFields": [
            {"manager": "landskap", "operation": "Apply", "apiVersion": api_version, "fieldsV1": {"f:spec": fields}},
            {"manager": "other", "operation": "Update", "apiVersion": api_version, "fieldsV1": {"f:spec": others}},
        ]},
        "spec": live,
    }));
    // The metadata of this object has nothing but its identity, so that no manager owns any of it.
    let mut object = object;
    object.body["metadata"]["labels"] = json!({"a": "b"});
    let mut live = live;
    live.0["metadata"]["labels"] = json!({"a": "b"});
    live.0["metadata"]["managedFields"][0]["fieldsV1"]["f:metadata"] = json!({"f:labels": {"f:a": {}}});
    proves(&object, &live)
}

fn alone(spec: Value, live: Value, fields: Value) -> bool {
    check(spec, live, fields, json!({"f:unrelated": {}}))
}

#[test]
fn names_must_be_exactly_those_of_our_entry() {
    let fields = json!({"f:replicas": {}});
    assert!(alone(json!({"replicas": 1}), json!({"replicas": 1, "paused": true}), fields.clone()));
    assert!(!alone(
        json!({"replicas": 1, "paused": true}),
        json!({"replicas": 1, "paused": true}),
        fields.clone()
    ));
    assert!(!alone(json!({}), json!({"replicas": 1}), fields.clone()));
    assert!(!alone(json!({"replicas": 2}), json!({"replicas": 1}), fields));
}

#[test]
fn a_zero_value_equals_absence_only_for_built_in_kinds_and_only_if_nobody_else_owns_it() {
    let fields = json!({"f:a": {}});
    for zero in [json!(""), json!(0), json!(false), json!([]), json!({})] {
        let spec = json!({"a": zero});
        assert!(alone(spec.clone(), json!({}), fields.clone()), "{zero}");
        assert!(!check(spec.clone(), json!({}), fields.clone(), json!({"f:a": {}})), "{zero}");
        let none = json!({"f:unrelated": {}});
        assert!(!check_kind("example.org/v1", "Widget", spec, json!({}), fields.clone(), none), "{zero}");
    }
    assert!(!alone(json!({"a": "x"}), json!({}), fields.clone()));
    assert!(!alone(json!({"a": null}), json!({}), fields));
}

#[test]
fn quantities_by_value_on_known_paths_only() {
    let fields = json!({"f:resources": {"f:limits": {"f:cpu": {}}}});
    let with = |cpu: Value| json!({"resources": {"limits": {"cpu": cpu}}});
    assert!(alone(with(json!("1000m")), with(json!("1")), fields.clone()));
    assert!(!alone(with(json!("1001m")), with(json!("1")), fields.clone()));
    assert!(
        !check(with(json!("1000m")), with(json!("1")), fields.clone(), fields.clone()),
        "text decides who owns it"
    );
    assert!(check(with(json!("1")), with(json!("1")), fields.clone(), fields.clone()));
    let other = |cpu: Value| json!({"x": {"limits": {"cpu": cpu}}});
    assert!(!alone(other(json!("1000m")), other(json!("1")), json!({"f:x": {"f:limits": {"f:cpu": {}}}})));
}

#[test]
fn atomic_nodes_are_compared_whole() {
    let fields = json!({"f:args": {}, "f:selector": {}});
    let live = json!({"args": ["a", "b"], "selector": {"app": "a", "tier": "b"}});
    assert!(alone(live.clone(), live.clone(), fields.clone()));
    for changed in [
        json!({"args": ["a"], "selector": {"app": "a", "tier": "b"}}),
        json!({"args": ["b", "a"], "selector": {"app": "a", "tier": "b"}}),
        json!({"args": ["a", "b"], "selector": {"app": "a"}}),
        json!({"args": ["a", "b"], "selector": {}}),
        json!({"args": [], "selector": {"app": "a", "tier": "b"}}),
    ] {
        assert!(!alone(changed.clone(), live.clone(), fields.clone()), "{changed}");
    }
}

#[test]
fn absence_inside_an_atomic_node_is_no_zero() {
    // A peer with an empty podSelector is another peer than one without.
    let fields = json!({"f:ingress": {}});
    let live = json!({"ingress": [{"from": [{"namespaceSelector": {}}]}]});
    let wanted = json!({"ingress": [{"from": [{"namespaceSelector": {}, "podSelector": {}}]}]});
    assert!(!alone(wanted, live, fields));
}

#[test]
fn a_map_that_was_empty_when_applied_proves_nothing_about_its_fields() {
    let filled = json!({"strategy": {"type": "RollingUpdate"}});
    assert!(!alone(filled.clone(), filled, json!({"f:strategy": {}})));
}

#[test]
fn defaults_inside_atomic_nodes() {
    let fields =
        json!({"f:env": {"k:{\"name\":\"A\"}": {".": {}, "f:name": {}, "f:valueFrom": {"f:fieldRef": {}}}}});
    let env = |reference: Value| json!({"env": [{"name": "A", "valueFrom": {"fieldRef": reference}}]});
    let sent = env(json!({"fieldPath": "metadata.name"}));
    assert!(alone(
        sent.clone(),
        env(json!({"fieldPath": "metadata.name", "apiVersion": "v1"})),
        fields.clone()
    ));
    assert!(!alone(sent, env(json!({"fieldPath": "metadata.name", "apiVersion": "v2"})), fields));
}

fn ports() -> Value {
    json!({"f:ports": {
        "k:{\"containerPort\":53,\"protocol\":\"TCP\"}": {".": {}, "f:containerPort": {}},
        "k:{\"containerPort\":53,\"protocol\":\"UDP\"}": {".": {}, "f:containerPort": {}, "f:protocol": {}},
    }})
}

#[test]
fn items_of_keyed_lists_are_matched_by_key_and_keep_their_order() {
    let tcp = json!({"containerPort": 53, "protocol": "TCP"});
    let sent_tcp = json!({"containerPort": 53});
    let udp = json!({"containerPort": 53, "protocol": "UDP"});
    let foreign = json!({"containerPort": 80, "protocol": "TCP"});
    let list = |items: &[&Value]| json!({"ports": items});
    assert!(alone(list(&[&sent_tcp, &udp]), list(&[&tcp, &udp]), ports()));
    assert!(alone(list(&[&sent_tcp, &udp]), list(&[&tcp, &foreign, &udp]), ports()));
    assert!(!alone(list(&[&udp, &sent_tcp]), list(&[&tcp, &udp]), ports()), "another order");
    assert!(!alone(list(&[&udp]), list(&[&tcp, &udp]), ports()), "an item less");
    assert!(!alone(list(&[&sent_tcp, &udp]), list(&[&udp]), ports()), "gone from live");
    assert!(!alone(list(&[&sent_tcp, &udp]), list(&[&tcp, &tcp.clone(), &udp]), ports()), "twice in live");
}

#[test]
fn sets_are_matched_by_value_and_keep_their_order() {
    let fields = json!({"f:set": {"v:\"a\"": {}, "v:\"b\"": {}}});
    assert!(alone(json!({"set": ["a", "b"]}), json!({"set": ["a", "x", "b"]}), fields.clone()));
    assert!(!alone(json!({"set": ["b", "a"]}), json!({"set": ["a", "b"]}), fields.clone()));
    assert!(!alone(json!({"set": ["a"]}), json!({"set": ["a", "b"]}), fields));
}

#[test]
fn the_version_must_be_the_one_we_applied_at() {
    let mut object = desired_object(
        "c",
        json!({
            "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "a", "namespace": "n"},
        }),
    );
    object.body["metadata"]["labels"] = json!({"a": "b"});
    let live = |live: &str, entry: &str| {
        Live(json!({
            "apiVersion": live, "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": "a", "namespace": "n", "labels": {"a": "b"}, "managedFields": [{
                "manager": "landskap", "operation": "Apply", "apiVersion": entry,
                "fieldsV1": {"f:metadata": {"f:labels": {"f:a": {}}}},
            }]},
        }))
    };
    assert!(proves(&object, &live("autoscaling/v2", "autoscaling/v2")));
    assert!(!proves(&object, &live("autoscaling/v2", "autoscaling/v1")));
    assert!(!proves(&object, &live("autoscaling/v1", "autoscaling/v2")));
    for (field, value) in [("operation", "Update"), ("manager", "other"), ("subresource", "status")] {
        let mut live = live("autoscaling/v2", "autoscaling/v2");
        live.0["metadata"]["managedFields"][0][field] = value.into();
        assert!(!proves(&object, &live), "{field}");
    }
}
