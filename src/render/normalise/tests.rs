//! One golden test for each rule: the object before, after, and what was said.

use serde_json::{Value, json};

use super::{Draft, normalise, place};
use crate::diagnostic::{Files, Span};
use crate::object::{Discovery, Hole, KubernetesVersion, Piece, builtin};

fn draft(object: &Value) -> Draft {
    let file = Files::new().add("a", "", false);
    Draft {
        object: object.clone(),
        holes: Vec::new(),
        template: "a".into(),
        source: file,
        span: Span::new(file, 0..0),
    }
}

/// The object after all rules; fails when a rule complains.
fn normalised(object: &Value) -> Value {
    let mut draft = draft(object);
    assert_eq!(normalise(&mut draft), []);
    let once = draft.object.clone();
    assert_eq!(normalise(&mut draft), []);
    assert_eq!(draft.object, once, "a second time changes nothing");
    once
}

/// Paths and messages of what the rules complain about.
fn faults(object: &Value) -> Vec<String> {
    normalise(&mut draft(object))
        .into_iter()
        .map(|f| format!("{} {}: {}", f.code, f.path, f.message))
        .collect()
}

fn object(kind: &str, fields: &Value) -> Value {
    let api_version = match kind {
        "Deployment" | "StatefulSet" | "DaemonSet" => "apps/v1",
        "CronJob" => "batch/v1",
        "Widget" => "example.org/v1",
        "CustomResourceDefinition" => "apiextensions.k8s.io/v1",
        "Role" => "rbac.authorization.k8s.io/v1",
        _ => "v1",
    };
    let mut object = json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "a"}});
    for (key, value) in fields.as_object().unwrap() {
        object[key] = value.clone();
    }
    object
}

#[test]
fn n1_server_fields_are_dropped() {
    let exported = object(
        "Pod",
        &json!({
            "status": {"phase": "Running"}, "spec": {"status": "mine"},
            "metadata": {"name": "a", "uid": "1", "resourceVersion": "2", "generation": 3, "selfLink": "/x",
                "creationTimestamp": null, "managedFields": [], "labels": {"a": "b"}},
        }),
    );
    let expected =
        object("Pod", &json!({"metadata": {"name": "a", "labels": {"a": "b"}}, "spec": {"status": "mine"}}));
    assert_eq!(normalised(&exported), expected);
}

#[test]
fn n2_string_data_becomes_data_and_wins() {
    let secret = object(
        "Secret",
        &json!({"data": {"a": "eA==", "b": "eQ=="}, "stringData": {"b": "new", "c": "grün"}}),
    );
    let expected = object("Secret", &json!({"data": {"a": "eA==", "b": "bmV3", "c": "Z3LDvG4="}}));
    assert_eq!(normalised(&secret), expected);
    let other = object("Widget", &json!({"stringData": {"b": "new"}}));
    assert_eq!(normalised(&other), other);
    assert_eq!(
        faults(&object("Secret", &json!({"data": {"a": "not base64"}}))),
        ["invalid-manifest .data.a: the value of `a` in `data` of a Secret is not base64"]
    );
}

#[test]
fn n2_a_hole_goes_with_its_value() {
    let hole = |key: &str| Hole { key: key.into(), pieces: vec![Piece::Secret("s".into())] };
    let mut draft = draft(&object(
        "Secret",
        &json!({"data": {"a": "", "b": "", "c": "eA=="}, "stringData": {"b": "set"}}),
    ));
    draft.holes = vec![hole("a"), hole("b"), hole("c"), hole("gone")];
    assert_eq!(normalise(&mut draft), []);
    assert_eq!(draft.holes, [hole("a")]);
}

#[test]
fn n3_ports_say_their_protocol() {
    let pod = json!({"initContainers": [{"name": "i", "ports": [{"containerPort": 1}]}],
        "containers": [{"name": "c", "ports": [{"containerPort": 2, "protocol": "UDP"}, {"containerPort": 2}]}]});
    let with = json!({"initContainers": [{"name": "i", "ports": [{"containerPort": 1, "protocol": "TCP"}]}],
        "containers": [{"name": "c", "ports": [{"containerPort": 2, "protocol": "UDP"}, {"containerPort": 2, "protocol": "TCP"}]}]});
    for (kind, wrap) in [
        ("Pod", (|pod| json!({"spec": pod})) as fn(&Value) -> Value),
        ("DaemonSet", |pod| json!({"spec": {"template": {"spec": pod}}})),
        ("CronJob", |pod| json!({"spec": {"jobTemplate": {"spec": {"template": {"spec": pod}}}}})),
    ] {
        assert_eq!(normalised(&object(kind, &wrap(&pod))), object(kind, &wrap(&with)), "{kind}");
    }
    let ports = |ports: Value| object("Service", &json!({"spec": {"ports": ports}}));
    assert_eq!(normalised(&ports(json!([{"port": 80}]))), ports(json!([{"port": 80, "protocol": "TCP"}])));
    let custom = object("Widget", &json!({"spec": {"ports": [{"port": 80}]}}));
    assert_eq!(normalised(&custom), custom);
}

#[test]
fn n4_duplicate_keys_of_lists_are_named() {
    let service = object(
        "Service",
        &json!({"spec": {"ports": [{"port": 80}, {"port": 80, "protocol": "UDP"}, {"port": 80, "protocol": "TCP"}]}}),
    );
    assert_eq!(
        faults(&service),
        ["duplicate-list-key .spec.ports[2]: `.spec.ports` has two items with port 80 and protocol \"TCP\""]
    );
    let container = json!({"name": "c", "env": [{"name": "A"}, {"name": "B"}, {"name": "A"}], "volumeMounts": [{"mountPath": "/a"}, {"mountPath": "/a"}]});
    let deployment = object(
        "Deployment",
        &json!({"spec": {"template": {"spec": {"containers": [container, {"name": "c"}]}}}}),
    );
    let paths: Vec<_> = normalise(&mut draft(&deployment)).into_iter().map(|f| f.path.to_string()).collect();
    let pod = ".spec.template.spec.containers";
    assert_eq!(paths, [format!("{pod}[1]"), format!("{pod}[0].env[2]"), format!("{pod}[0].volumeMounts[1]")]);
}

#[test]
fn n5_nulls_are_left_out() {
    let nulls =
        object("Widget", &json!({"spec": {"a": null, "b": {"c": null}, "list": [{"d": null, "e": 1}]}}));
    assert_eq!(normalised(&nulls), object("Widget", &json!({"spec": {"b": {}, "list": [{"e": 1}]}})));
    let kept = object(
        "Widget",
        &json!({"metadata": {"name": "a", "annotations": {"landskap.io/keep-nulls": "true"}}, "spec": {"a": null, "b": [null]}}),
    );
    assert_eq!(normalised(&kept), kept);
    assert_eq!(
        faults(&object("Widget", &json!({"spec": {"b": [1, null]}}))),
        ["invalid-manifest .spec.b[1]: `.spec.b[1]` is null: a list cannot have empty items"]
    );
}

#[test]
fn n6_only_namespaced_kinds_have_a_namespace() {
    let crd = object(
        "CustomResourceDefinition",
        &json!({"spec": {"group": "example.org", "scope": "Cluster",
        "names": {"kind": "Widget", "plural": "widgets"}, "versions": [{"name": "v1"}]}}),
    );
    let bare = Discovery::of_version(KubernetesVersion { major: 1, minor: 34 });
    let mut defined = bare.clone();
    defined.resources.extend(builtin::definitions([&crd].into_iter()));
    let placed = |kind: &str, namespace: Value, discovery: &Discovery| {
        let mut object = object(kind, &json!({"metadata": {"name": "a", "namespace": namespace}}));
        let known = place(&mut object, "home", discovery).unwrap();
        (object["metadata"].get("namespace").and_then(Value::as_str).map(ToOwned::to_owned), known)
    };
    let some = |name: &str| Some(name.to_owned());
    assert_eq!(placed("ConfigMap", Value::Null, &bare), (some("home"), true));
    assert_eq!(placed("ConfigMap", json!(""), &bare), (some("home"), true));
    assert_eq!(placed("ConfigMap", json!("other"), &bare), (some("other"), true));
    assert_eq!(placed("Namespace", json!("other"), &bare), (None, true));
    assert_eq!(placed("Widget", Value::Null, &bare), (some("home"), false));
    assert_eq!(placed("Widget", json!("other"), &defined), (None, true));
    assert!(
        place(&mut object("ConfigMap", &json!({"metadata": {"name": "a", "namespace": 1}})), "home", &bare)
            .is_err()
    );
}

#[test]
fn n7_a_ca_bundle_that_is_no_certificate_is_dropped() {
    let crd = |config: Value| {
        object(
            "CustomResourceDefinition",
            &json!({"spec": {"conversion": {"webhook": {"clientConfig": config}}}}),
        )
    };
    let pem = "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSUIKLS0tLS1FTkQgQ0VSVElGSUNBVEUtLS0tLQo=";
    for placeholder in [json!("Cg=="), json!("not base64"), json!("")] {
        assert_eq!(normalised(&crd(json!({"caBundle": placeholder, "url": "u"}))), crd(json!({"url": "u"})));
    }
    assert_eq!(normalised(&crd(json!({"caBundle": pem}))), crd(json!({"caBundle": pem})));
    let webhook = object(
        "Widget",
        &json!({"spec": {"conversion": {"webhook": {"clientConfig": {"caBundle": "Cg=="}}}}}),
    );
    assert_eq!(normalised(&webhook), webhook);
}

#[test]
fn n8_whole_floats_of_built_in_kinds_are_integers() {
    let replicas =
        object("Deployment", &json!({"spec": {"replicas": 3.0, "x": [1e3, -2.0], "y": 0.5, "z": 1e300}}));
    let expected =
        object("Deployment", &json!({"spec": {"replicas": 3, "x": [1000, -2], "y": 0.5, "z": 1e300}}));
    assert_eq!(normalised(&replicas).to_string(), expected.to_string());
    for kind in ["Widget", "CustomResourceDefinition"] {
        let custom = object(kind, &json!({"spec": {"ratio": 3.0}}));
        assert_eq!(normalised(&custom).to_string(), custom.to_string());
    }
    // Never through typed structs: an empty list of rules stays, an unknown field too.
    let role = object("Role", &json!({"rules": [], "unheardOf": {"a": {}}}));
    assert_eq!(normalised(&role), role);
}

#[test]
fn n9_quantities_stay_as_written() {
    let written = object(
        "Pod",
        &json!({"spec": {"containers": [{"name": "c", "resources": {"limits": {"cpu": "1000m", "memory": "1024Mi"}, "requests": {"cpu": 1}}}]}}),
    );
    assert_eq!(normalised(&written), written);
}
