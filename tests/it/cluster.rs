//! The door to the API server, against a real one.

use std::collections::BTreeMap;

use landskap::cluster::{ApplyOptions, Client, Deleted, Propagation, Records, WriteError};
use landskap::diagnostic::{Files, Span};
use landskap::object::{GroupKind, GroupVersionKind, ObjectRef, Origin, Scope};
use landskap::plan::{DesiredObject, DryRun, Query};
use serde_json::{Value, json};

use crate::support::cluster::{self, Corner};

fn desired(body: Value) -> DesiredObject {
    let reference = ObjectRef::of(&body).unwrap();
    let gvk = GroupVersionKind::from_api_version(body["apiVersion"].as_str().unwrap(), &reference.kind);
    let span = Span::new(Files::new().add("test", "", false), 0..0);
    let sensitive = reference.is("", "Secret");
    let origin = Origin { component: "test".into(), template: "test".into(), span };
    DesiredObject { reference, gvk, body, sensitive, origin }
}

fn config_map(corner: &Corner, name: &str, data: Value) -> DesiredObject {
    desired(json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {
            "name": name, "namespace": corner.namespace,
            "labels": {"landskap.io/landscape": corner.landscape, "landskap.io/component": "test"},
        },
        "data": data,
    }))
}

async fn ready() -> Client {
    let client = cluster::connect().await;
    client.discover().await.unwrap();
    client
}

#[tokio::test]
async fn discovers_versions_scopes_and_preference() {
    let client = cluster::connect().await;
    let discovery = client.discover().await.unwrap();
    assert!(discovery.version.minor >= 29 && discovery.git_version.starts_with("v1."));
    assert!(discovery.is_complete(), "{:?}", discovery.failed);
    let autoscaler = discovery.get(&GroupKind::new("autoscaling", "HorizontalPodAutoscaler")).unwrap();
    assert_eq!(autoscaler.versions, ["v2", "v1"], "the preferred version first");
    assert_eq!(
        (autoscaler.plural.as_str(), autoscaler.scope),
        ("horizontalpodautoscalers", Scope::Namespaced)
    );
    assert_eq!(discovery.get(&GroupKind::new("", "Namespace")).unwrap().scope, Scope::Cluster);
    assert!(discovery.get(&GroupKind::new("", "ConfigMap")).unwrap().verbs.contains("patch"));
    assert!(discovery.get(&GroupKind::new("autoscaling", "Scale")).is_none(), "subresources are no kinds");
}

#[tokio::test]
async fn a_config_map_is_dry_run_applied_observed_and_deleted() {
    let corner = Corner::new("round").await;
    let client = ready().await;
    // Characters that the server's YAML reader could take for something else.
    let text = "tab\t\u{1}\u{8}\u{c} \u{2028} \u{2029} \u{7f} \u{85} \u{9f} \u{feff} \u{fffe} 🦀 \"quoted\" 'x' # no comment\r\n: -";
    let object = config_map(&corner, "a", json!({"text": text}));

    let answers = client.dry_run(&[&object]).await.unwrap();
    let DryRun::Applied(live) = &answers[&object.reference] else { panic!("{answers:?}") };
    assert_eq!(live.0["data"]["text"], text);
    assert!(client.get(&object.reference, "v1").await.unwrap().is_none(), "a dry run writes nothing");

    let made = client.apply(&object, &ApplyOptions::default()).await.unwrap();
    assert_eq!(made.0["data"]["text"], text);
    assert_eq!(made.0["metadata"]["managedFields"][0]["manager"], "landskap");
    assert_eq!(made.0["metadata"]["managedFields"][0]["operation"], "Apply");
    let again = client.apply(&object, &ApplyOptions::default()).await.unwrap();
    assert_eq!(again.resource_version(), made.resource_version(), "the same again is no write");

    let query = Query { lists: [object.gvk.clone()].into(), objects: BTreeMap::new() };
    let seen = client
        .observe(&corner.landscape, &query, (*client.discovered()).clone(), Records::default())
        .await
        .unwrap();
    assert_eq!(seen.live.keys().collect::<Vec<_>>(), [&object.reference]);
    assert_eq!(seen.live[&object.reference], again);
    assert!(seen.namespaces.contains_key(&corner.namespace));
    assert_eq!((seen.incomplete.len(), seen.unreadable.len()), (0, 0));

    let delete = |uid: String| {
        let (client, reference) = (client.clone(), object.reference.clone());
        async move { client.delete(&reference, "v1", &uid, Propagation::Background).await.unwrap() }
    };
    assert_eq!(delete("00000000-0000-0000-0000-000000000000".into()).await, Deleted::OtherUid);
    assert!(client.get(&object.reference, "v1").await.unwrap().is_some(), "another object is left alone");
    assert_eq!(delete(made.uid().into()).await, Deleted::Gone);
    assert_eq!(delete(made.uid().into()).await, Deleted::Gone, "what is gone is gone");
}

#[tokio::test]
async fn preconditions_hold() {
    let corner = Corner::new("pre").await;
    let client = ready().await;
    let object = config_map(&corner, "a", json!({"a": "1"}));
    let absent =
        ApplyOptions { uid: Some("00000000-0000-0000-0000-000000000000".into()), resource_version: None };
    let code = |result: Result<_, WriteError>| match result {
        Err(WriteError::Rejected(rejection)) => rejection.code,
        other => panic!("{other:?}"),
    };
    assert_eq!(code(client.apply(&object, &absent).await), 409, "a correction never brings an object back");
    let made = client.apply(&object, &ApplyOptions::default()).await.unwrap();
    let changed =
        client.apply(&config_map(&corner, "a", json!({"a": "2"})), &ApplyOptions::default()).await.unwrap();
    let stale =
        ApplyOptions { uid: Some(made.uid().into()), resource_version: Some(made.resource_version().into()) };
    assert_eq!(code(client.apply(&object, &stale).await), 409, "changed since");
    let fresh = ApplyOptions { resource_version: Some(changed.resource_version().into()), ..stale };
    assert_eq!(client.apply(&object, &fresh).await.unwrap().0["data"]["a"], "1");
}
