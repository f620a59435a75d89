//! Marks, holes and checksums.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::diagnostic::{Files, Span};
use crate::landscape::{Adopt, ComponentSource, Connection, Limits, Wait};
use crate::object::Origin;
use crate::yaml;

fn span() -> Span {
    Span::new(Files::new().add("x", "", false), 0..0)
}

fn manifest(object: Value, holes: Vec<Hole>) -> Manifest {
    Manifest {
        reference: ObjectRef::of(&object).unwrap(),
        object,
        holes,
        origin: Origin { component: "web".into(), template: "t.yaml".into(), span: span() },
    }
}

fn cluster() -> Cluster {
    let nothing = yaml::Node { span: span(), tag: None, value: yaml::Value::Null };
    let component = Component {
        name: "web".into(),
        namespace: "n".into(),
        release_name: "web".into(),
        source: ComponentSource::Manifests { paths: Vec::new() },
        values: nothing,
        layers: BTreeMap::new(),
        patches: Vec::new(),
        secrets: BTreeMap::new(),
        secret_name: "web".into(),
        provides: BTreeMap::new(),
        requires: BTreeMap::new(),
        after: BTreeSet::new(),
        wait: Wait { timeout: Duration::from_secs(300) },
        suspend: None,
        formerly: Vec::new(),
        adopt: Adopt::None,
        ignore_differences: Vec::new(),
        health: Vec::new(),
        skip_crds: false,
        span: span(),
        files: Vec::new(),
    };
    Cluster {
        name: "prod".into(),
        environment: None,
        labels: BTreeMap::new(),
        connection: Connection::Unspecified,
        kubernetes_version: None,
        values: Value::Null,
        secret_sources: Vec::new(),
        limits: Limits { components: 1, objects: 0.3 },
        namespaces: BTreeMap::new(),
        components: vec![component],
        broken: BTreeMap::from([("bad".into(), span())]),
        absent: BTreeMap::from([
            ("gone".into(), Absence::NotInstalled(span())),
            ("other".into(), Absence::Selector(None)),
        ]),
        span: span(),
    }
}

fn run(manifests: Vec<Manifest>, secret: &str, key: Option<&[u8]>) -> (Desired, Vec<Diagnostic>) {
    let cluster = cluster();
    let manifests = BTreeMap::from([("web".to_owned(), manifests)]);
    let secrets = BTreeMap::from([("pw".to_owned(), SecretValue::new(secret.into()))]);
    desire(&Ingredients {
        landscape: "platform",
        origin: "o",
        revision: None,
        cluster: &cluster,
        manifests: &manifests,
        secrets: &secrets,
        mac_key: key,
        incomplete: &[],
    })
}

fn secret() -> Manifest {
    manifest(
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "n"}, "data": {"url": "", "plain": "cA=="}}),
        vec![Hole {
            key: "url".into(),
            pieces: vec![
                Piece::Text("http://u:".into()),
                Piece::Secret("pw".into()),
                Piece::Text("@h".into()),
            ],
        }],
    )
}

fn workload(kind: &str, container: Value) -> Manifest {
    manifest(
        json!({"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": "d", "namespace": "n"},
            "spec": {"template": {"spec": {"containers": [container]}}}}),
        Vec::new(),
    )
}

fn checksum(desired: &Desired) -> Option<&str> {
    let body = &desired.components[0].objects.last()?.body;
    body.pointer("/spec/template/metadata/annotations")?.get("landskap.io/secret-checksum")?.as_str()
}

#[test]
fn objects_are_marked_and_holes_filled_and_nothing_of_it_shows_in_debug() {
    let (desired, diagnostics) = run(vec![secret()], "hunter2", None);
    assert!(diagnostics.is_empty());
    let object = &desired.components[0].objects[0];
    assert_eq!(object.body["data"], json!({"url": STANDARD.encode("http://u:hunter2@h"), "plain": "cA=="}));
    assert_eq!(
        object.body["metadata"]["labels"],
        json!({
            "landskap.io/landscape": "platform", "landskap.io/component": "web",
            "applyset.kubernetes.io/part-of": applyset_id("platform", "web"),
        })
    );
    assert!(object.sensitive);
    let text = format!("{desired:?}");
    assert!(!text.contains("hunter2") && !text.contains(&STANDARD.encode("http://u:hunter2@h")), "{text}");
    assert_eq!(desired.not_installed, BTreeSet::from(["gone".to_owned()]));
    assert_eq!(desired.absent.len(), 2);
    assert_eq!(desired.incomplete, ["the files of the component `bad` have errors"]);
}

#[test]
fn a_missing_secret_and_a_reserved_label_are_errors() {
    let mut hole = secret();
    hole.holes[0].pieces = vec![Piece::Secret("other".into())];
    let mut labelled = secret();
    labelled.object["metadata"]["labels"] = json!({"applyset.kubernetes.io/part-of": "applyset-x-v1"});
    let (desired, diagnostics) = run(vec![hole, labelled], "x", None);
    assert_eq!(diagnostics.iter().map(|d| d.code).collect::<Vec<_>>(), ["secret-missing", "reserved-label"]);
    assert_eq!(desired.components[0].objects.len(), 2, "who they are is known all the same");
}

#[test]
fn pod_templates_notice_changed_secrets_that_they_refer_to() {
    let by_env = json!({"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "url"}}}]});
    let of = |secret_value: &str, container: &Value, key: Option<&[u8]>| {
        let (desired, _) = run(vec![secret(), workload("Deployment", container.clone())], secret_value, key);
        checksum(&desired).map(ToOwned::to_owned)
    };
    let key: Option<&[u8]> = Some(b"key");
    let one = of("one", &by_env, key);
    assert!(one.is_some());
    assert_eq!(one, of("one", &by_env, key), "stable");
    assert_ne!(one, of("two", &by_env, key), "the value");
    assert_ne!(one, of("one", &by_env, Some(b"other")), "the key");
    assert!(of("one", &json!({"envFrom": [{"secretRef": {"name": "s"}}]}), key).is_some());
    assert_eq!(of("one", &json!({"envFrom": [{"secretRef": {"name": "another"}}]}), key), None);
    assert_eq!(of("one", &json!({"envFrom": [{"configMapRef": {"name": "s"}}]}), key), None);
    assert_eq!(of("one", &by_env, None), None);
}

#[test]
fn volumes_refer_to_secrets_too_and_pull_secrets_do_not() {
    let of = |spec: Value| {
        let mut workload = workload("StatefulSet", json!({}));
        for (field, value) in spec.as_object().unwrap() {
            workload.object["spec"]["template"]["spec"][field] = value.clone();
        }
        checksum(&run(vec![secret(), workload], "x", Some(b"key")).0).is_some()
    };
    assert!(of(json!({"volumes": [{"name": "v", "secret": {"secretName": "s"}}]})));
    assert!(of(json!({"volumes": [{"name": "v", "projected": {"sources": [{"secret": {"name": "s"}}]}}]})));
    assert!(!of(json!({"imagePullSecrets": [{"name": "s"}]})));
}
