//! What a person sees of a change.

use insta::assert_snapshot;
use serde_json::{Value, json};

use super::*;

/// A Deployment with one container that we apply and a port that somebody edited.
fn deployment(spec: Value, ours: Value, other: Value) -> Live {
    // An empty node would be a leaf, which owns all of the spec.
    let fields = |spec: Value| if spec == json!({}) { json!({}) } else { json!({"f:spec": spec}) };
    Live(json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "a", "namespace": "n", "uid": "u", "resourceVersion": "1", "generation": 1, "managedFields": [
            {"manager": "landskap", "operation": "Apply", "apiVersion": "apps/v1", "time": "1", "fieldsV1": fields(ours)},
            {"manager": "kubectl-edit", "operation": "Update", "apiVersion": "apps/v1", "time": "2", "fieldsV1": fields(other)},
        ]},
        "spec": spec,
    }))
}

fn shown(live: &Live, after: &Live, sensitive: bool) -> String {
    let difference = compare(live, after, sensitive);
    let side = |value: &Option<Value>| value.as_ref().map_or("-".to_owned(), Value::to_string);
    let lines = difference.changes.iter().map(|change| {
        let managers = if change.managers.is_empty() {
            String::new()
        } else {
            format!(" ({})", change.managers.join(", "))
        };
        format!("{}: {} -> {}{managers}", change.path, side(&change.before), side(&change.after))
    });
    std::iter::once(format!("same: {}", difference.same)).chain(lines).collect::<Vec<_>>().join("\n")
}

fn containers(names: &[&str]) -> Value {
    names
        .iter()
        .map(|name| {
            let key = format!("k:{}", json!({"name": name}));
            (key, json!({".": {}, "f:name": {}, "f:image": {}, "f:args": {}}))
        })
        .collect()
}

#[test]
fn nothing_changes_when_only_counters_and_status_do() {
    let live = deployment(json!({"replicas": 1}), json!({"f:replicas": {}}), json!({}));
    let mut after = live.clone();
    after.0["metadata"]["resourceVersion"] = "2".into();
    after.0["metadata"]["generation"] = 2.into();
    after.0["metadata"]["managedFields"][0]["time"] = "9".into();
    after.0["metadata"]["annotations"] = json!({"kubectl.kubernetes.io/last-applied-configuration": "{}"});
    after.0["status"] = json!({"replicas": 9});
    assert_snapshot!(shown(&live, &after, false), @"same: true");
}

#[test]
fn a_manual_edit_is_shown_with_who_made_it() {
    let live = deployment(json!({"replicas": 5}), json!({}), json!({"f:replicas": {}}));
    let after = deployment(json!({"replicas": 1}), json!({"f:replicas": {}}), json!({}));
    assert_snapshot!(shown(&live, &after, false), @r"
    same: false
    .spec.replicas: 5 -> 1 (kubectl-edit)
    ");
}

#[test]
fn what_we_do_not_own_is_not_shown_beside_what_we_do() {
    let live = deployment(json!({"replicas": 1, "webhook": 1}), json!({"f:replicas": {}}), json!({}));
    let after = deployment(json!({"replicas": 2, "webhook": 2}), json!({"f:replicas": {}}), json!({}));
    assert_snapshot!(shown(&live, &after, false), @r"
    same: false
    .spec.replicas: 1 -> 2
    ");
    let after = deployment(json!({"replicas": 1, "webhook": 2}), json!({"f:replicas": {}}), json!({}));
    assert_snapshot!(shown(&live, &after, false), @r"
    same: false
    .spec.webhook: 1 -> 2
    ");
}

#[test]
fn items_of_keyed_lists_are_named_by_key_and_shown_as_far_as_we_own_them() {
    let spec = |items: Value| json!({"containers": items});
    let ours = |names: &[&str]| json!({"f:containers": containers(names)});
    let live = deployment(
        spec(
            json!([{"name": "app", "image": "a:1", "args": ["x"]}, {"name": "old", "image": "o:1", "args": []}]),
        ),
        ours(&["app", "old"]),
        json!({}),
    );
    let after = deployment(
        spec(
            json!([{"name": "new", "image": "n:1", "args": ["y"], "defaulted": "always"}, {"name": "app", "image": "a:2", "args": ["x", "z"]}]),
        ),
        ours(&["new", "app"]),
        json!({}),
    );
    assert_snapshot!(shown(&live, &after, false), @r#"
    same: false
    .spec.containers[name=new].args: - -> ["y"]
    .spec.containers[name=new].image: - -> "n:1"
    .spec.containers[name=new].name: - -> "new"
    .spec.containers[name=app].args[1]: - -> "z"
    .spec.containers[name=app].image: "a:1" -> "a:2"
    .spec.containers[name=old].args: [] -> -
    .spec.containers[name=old].image: "o:1" -> -
    .spec.containers[name=old].name: "old" -> -
    "#);
}

#[test]
fn another_order_is_a_change() {
    let spec = |items: Value| json!({"containers": items});
    let ours = json!({"f:containers": containers(&["a", "b"])});
    let live = deployment(spec(json!([{"name": "a"}, {"name": "b"}])), ours.clone(), json!({}));
    let after = deployment(spec(json!([{"name": "b"}, {"name": "a"}])), ours, json!({}));
    assert_snapshot!(shown(&live, &after, false), @r#"
    same: false
    .spec.containers: ["[name=a]","[name=b]"] -> ["[name=b]","[name=a]"]
    "#);
}

#[test]
fn fields_that_only_change_hands_are_shown_with_their_former_owner() {
    let live = deployment(json!({"replicas": 1}), json!({}), json!({"f:replicas": {}}));
    let after = deployment(json!({"replicas": 1}), json!({"f:replicas": {}}), json!({"f:replicas": {}}));
    assert_snapshot!(shown(&live, &after, false), @r"
    same: false
    .spec.replicas: 1 -> 1 (kubectl-edit)
    ");
}

fn secret(data: Value) -> Live {
    Live(json!({
        "apiVersion": "v1", "kind": "Secret", "type": "Opaque", "data": data,
        "metadata": {"name": "s", "labels": {"a": "b"},
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{\"data\":{\"k\":\"aHVudGVyMg==\"}}"},
            "managedFields": [{"manager": "landskap", "operation": "Apply", "fieldsV1": {"f:data": {"f:a": {}, "f:b": {}, "f:c": {}, "f:d": {}}}}]},
    }))
}

#[test]
fn secrets_show_keys_and_rough_lengths_only() {
    let live = secret(json!({"a": "aHVudGVyMg==", "b": "aHVudGVyMg==", "c": "aHVudGVyMg=="}));
    let after = secret(json!({"a": "aHVudGVyMg==", "b": "aHVudGVyMjIyMjI=", "d": ""}));
    let text = shown(&live, &after, true);
    assert_snapshot!(text, @r#"
    same: false
    .data.b: "<masked: 1-7 bytes>" -> "<masked: changed, 8-15 bytes>"
    .data.c: "<masked: 1-7 bytes>" -> -
    .data.d: - -> "<masked: empty>"
    "#);
}

#[test]
fn a_secret_that_is_none_is_masked_whole() {
    for odd in [
        json!("aHVudGVyMg=="),
        json!({"a": {"b": "aHVudGVyMg=="}}),
        json!({"a": "hunter2!"}),
        json!(["aHVudGVyMg=="]),
    ] {
        let text = shown(&secret(json!({"a": "djE="})), &secret(odd), true);
        assert_eq!(text, "same: false\n: \"<masked>\" -> \"<masked: changed>\"");
    }
}

#[test]
fn fields_of_a_secret_that_nobody_knows_are_masked() {
    let mut after = secret(json!({}));
    after.0["spec"] = json!({"password": "hunter2"});
    after.0["metadata"]["managedFields"][0]["fieldsV1"]["f:spec"] = json!({"f:password": {}});
    let text = shown(&secret(json!({})), &after, true);
    assert!(!text.contains("hunter2") && text.contains("masked"), "{text}");
}
