//! The door to the API server, against a real one.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use landskap::cluster::{
    ApplyOptions, Changed, Client, ConnectError, Deleted, Holder, Key, LeaseError, Propagation, Records,
    Target, WriteError,
};
use landskap::diagnostic::{Files, Span};
use landskap::object::{GroupKind, GroupVersionKind, ObjectRef, Origin, Scope};
use landskap::plan::inventory::{Entry, Phase, State};
use landskap::plan::{DesiredObject, DryRun, Identity, Inventory, Query};
use serde_json::{Value, json};

use crate::support::cluster::{self, Corner};
use crate::support::proxy::{Fault, Proxy, Seen};

fn desired(body: Value) -> DesiredObject {
    let reference = ObjectRef::of(&body).unwrap();
    let gvk = GroupVersionKind::from_api_version(body["apiVersion"].as_str().unwrap(), &reference.kind);
    let span = Span::new(Files::new().add("test", "", false), 0..0);
    let sensitive = reference.is("", "Secret");
    let origin = Origin { component: "test".into(), template: "test".into(), span };
    DesiredObject { reference, gvk, body, sensitive, origin }
}

#[allow(clippy::needless_pass_by_value, reason = "reads as a literal at its calls")]
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

fn inventory(landscape: &str, component: &str) -> Inventory {
    Inventory {
        schema_version: 1,
        landscape: landscape.into(),
        cluster: "dev".into(),
        component: component.into(),
        cluster_uid: "uid".into(),
        revision: None,
        phase: Phase::Applying,
        server_version: String::new(),
        entries: BTreeMap::new(),
        after: std::collections::BTreeSet::default(),
        resource_version: None,
    }
}

#[tokio::test]
async fn records_are_written_read_and_fenced() {
    let corner = Corner::new("records").await;
    let client = ready().await;
    client.ensure_record_namespace().await.unwrap();
    let empty = client.read_records(&corner.landscape).await.unwrap();
    assert_eq!((empty.cluster_uid.len(), empty.identity.is_none(), empty.inventories.len()), (36, true, 0));
    assert!(empty.mac_key.is_none());

    let reference = config_map(&corner, "a", json!({})).reference;
    let mut first = inventory(&corner.landscape, "grafana");
    let entry = Entry {
        reference: reference.clone(),
        version: "v1".into(),
        uid: None,
        state: State::Intent,
        memory: None,
    };
    first.entries.insert(Entry::key(&reference), entry);
    let version = client.write_inventory(&first).await.unwrap();
    assert!(
        matches!(
            client.write_inventory(&inventory(&corner.landscape, "grafana")).await,
            Err(WriteError::RecordChanged { .. })
        ),
        "another new one of the same name"
    );
    assert_eq!(client.write_inventory(&first).await.unwrap(), version, "the same write again has succeeded");
    first.resource_version = Some(version);
    let mut next = first.clone();
    next.entries.clear();
    let newer = client.write_inventory(&next).await.unwrap();
    assert!(
        matches!(
            client.write_inventory(&Inventory { phase: Phase::Idle, ..first.clone() }).await,
            Err(WriteError::RecordChanged { .. })
        ),
        "a stale one"
    );
    assert!(matches!(client.delete_inventory(&first).await, Err(WriteError::RecordChanged { .. })));

    let identity = Identity {
        landscape: corner.landscape.clone(),
        origin: "/somewhere".into(),
        cluster: "dev".into(),
        cluster_uid: empty.cluster_uid.clone(),
        revision: Some("abc".into()),
    };
    client.write_identity(&identity).await.unwrap();
    let (first, second) = (Key::new([1; 32]), Key::new([2; 32]));
    let (one, other) =
        tokio::join!(client.mac_key(&corner.landscape, &first), client.mac_key(&corner.landscape, &second));
    assert_eq!(one.unwrap().bytes(), other.unwrap().bytes(), "whoever is first, there is one key");

    let records = client.read_records(&corner.landscape).await.unwrap();
    assert_eq!(records.identity, Some(identity));
    next.resource_version = Some(newer);
    assert_eq!(records.inventories["grafana"], next);
    assert_eq!(
        records.mac_key.unwrap().bytes(),
        client.mac_key(&corner.landscape, &first).await.unwrap().bytes()
    );
    assert!(client.read_records("another").await.unwrap().inventories.is_empty());

    let admin = cluster::admin().await;
    let path = format!("/api/v1/namespaces/landskap/configmaps/{}.grafana", corner.landscape);
    let map = cluster::send(&admin, http::Method::GET, &path, Value::Null).await.unwrap();
    let labels = map["metadata"]["labels"].as_object().unwrap();
    assert!(labels["applyset.kubernetes.io/id"].as_str().unwrap().starts_with("applyset-"));
    assert!(!labels.contains_key("landskap.io/landscape"), "a record is no member");
    assert!(
        map["metadata"]["annotations"]["applyset.kubernetes.io/tooling"]
            .as_str()
            .unwrap()
            .starts_with("landskap/")
    );

    client.delete_inventory(&next).await.unwrap();
    client.delete_inventory(&next).await.unwrap();
    client.delete_identity(&corner.landscape).await.unwrap();
    let records = client.read_records(&corner.landscape).await.unwrap();
    assert!(records.identity.is_none() && records.inventories.is_empty());
}

#[tokio::test]
async fn one_run_at_a_time() {
    let corner = Corner::new("lease").await;
    let client = ready().await;
    let me = Holder::of_this_process();
    let mut waited = Vec::new();
    let lease = client.acquire(&corner.landscape, &me, Duration::ZERO, |_| ()).await.unwrap();
    let begin = Instant::now();
    let refused =
        client.acquire(&corner.landscape, &me, Duration::from_millis(1500), |w| waited.push(w.clone())).await;
    let Err(LeaseError::HeldBy(holder)) = refused else { panic!("{refused:?}") };
    assert!(begin.elapsed() >= Duration::from_millis(1500));
    assert_eq!(waited, std::slice::from_ref(&holder), "told once");
    assert!(holder.holder.ends_with(&format!("process {}", std::process::id())), "{holder:?}");
    assert!(!lease.is_lost());
    lease.release().await;
    let lease = client.acquire(&corner.landscape, &me, Duration::ZERO, |_| ()).await.unwrap();

    // Somebody takes it by force: we notice at the next renewal.
    let admin = cluster::admin().await;
    let path = format!("/apis/coordination.k8s.io/v1/namespaces/landskap/leases/run.{}", corner.landscape);
    let other = json!({"spec": {"holderIdentity": "elsewhere/boot/1/1/x"}});
    cluster::send(&admin, http::Method::PATCH, &path, other).await.unwrap();
    let mut loss = lease.watch_loss();
    tokio::time::timeout(Duration::from_secs(10), loss.wait_for(|lost| *lost)).await.unwrap().unwrap();
    assert!(lease.is_lost());

    // That holder, on another machine, never renews: it is replaced when its time is over, not before.
    let begin = Instant::now();
    let taken = client.acquire(&corner.landscape, &me, Duration::from_secs(30), |_| ()).await.unwrap();
    let waited = begin.elapsed();
    assert!(waited >= Duration::from_secs(14) && waited < Duration::from_secs(20), "{waited:?}");
    taken.release().await;

    // A holder on this machine that is gone is replaced at once.
    let dead = me.to_string().rsplit_once('/').unwrap().0.to_owned() + "/1/x";
    cluster::send(&admin, http::Method::PATCH, &path, json!({"spec": {"holderIdentity": dead}}))
        .await
        .unwrap();
    let taken = client.acquire(&corner.landscape, &me, Duration::ZERO, |_| ()).await.unwrap();
    taken.release().await;
    cluster::send(&admin, http::Method::DELETE, &path, Value::Null).await.unwrap();
}

#[tokio::test]
async fn a_secrets_value_is_in_no_error() {
    let corner = Corner::new("secret").await;
    let client = ready().await;
    let secret = |data: Value| {
        desired(json!({
            "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/dockerconfigjson",
            "metadata": {"name": "s", "namespace": corner.namespace}, "data": data,
        }))
    };
    for data in [
        json!({".dockerconfigjson": "aHVudGVyMg=="}),
        json!({".dockerconfigjson": {"deep": "hunter2"}}),
        json!({"a": "not base64: hunter2"}),
        json!("hunter2"),
    ] {
        let object = secret(data);
        let answers = client.dry_run(&[&object]).await.unwrap();
        let DryRun::Rejected(rejection) = &answers[&object.reference] else { panic!("accepted") };
        let error = client.apply(&object, &ApplyOptions::default()).await.unwrap_err();
        let text = format!("{rejection:?} {error} {error:?} {answers:?}");
        assert!(!text.contains("hunter2") && !text.contains("aHVudGVyMg"), "{text}");
        assert!(rejection.code >= 400, "{rejection:?}");
    }
}

#[tokio::test]
async fn without_rights_nothing_is_guessed() {
    let corner = Corner::new("rights").await;
    let admin_client = ready().await;
    let map = config_map(&corner, "a", json!({"a": "1"}));
    admin_client.apply(&map, &ApplyOptions::default()).await.unwrap();
    let secret = ObjectRef { kind: "Secret".into(), ..map.reference.clone() };
    let node = ObjectRef { kind: "Node".into(), namespace: None, ..map.reference.clone() };

    let rules = json!([{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list"]}]);
    let user = cluster::limited_user(&corner.namespace, rules, json!([])).await;
    let client = cluster::connect_to(user.path()).await;
    let discovery = client.discover().await.unwrap();
    let core =
        |kind: &str| GroupVersionKind { group: String::new(), version: "v1".into(), kind: kind.into() };
    let query = Query {
        lists: [core("ConfigMap"), core("Secret"), core("Node")].into(),
        objects: [
            (map.reference.clone(), core("ConfigMap")),
            (secret.clone(), core("Secret")),
            (node.clone(), core("Node")),
        ]
        .into(),
    };
    let seen = client.observe(&corner.landscape, &query, discovery, Records::default()).await.unwrap();
    assert!(seen.live.contains_key(&map.reference), "found by the list of its namespace");
    assert_eq!(seen.unreadable.keys().collect::<Vec<_>>(), [&node, &secret]);
    let place = &corner.namespace;
    assert_eq!(
        seen.incomplete,
        [
            "may not list `Node`".to_owned(),
            format!("may not list `Secret` in namespace `{place}`"),
            format!("may not read the namespace `{place}`"),
        ],
    );

    let Err(WriteError::Rejected(rejection)) = client.apply(&map, &ApplyOptions::default()).await else {
        panic!()
    };
    assert_eq!((rejection.code, rejection.reason.as_str()), (403, "Forbidden"));
    assert!(rejection.message.contains("cannot patch resource \"configmaps\""), "{}", rejection.message);
    let error = client.read_records(&corner.landscape).await.unwrap_err().to_string();
    assert!(
        error.starts_with("cannot read the namespace `kube-system`, whose UID says which cluster this is:"),
        "{error}"
    );
    let may = |verb: &'static str, kind| {
        let (client, gvk, place) = (client.clone(), core(kind), corner.namespace.clone());
        async move { client.access_review(verb, &gvk, Some(&place)).await.unwrap() }
    };
    assert!(
        may("list", "ConfigMap").await && !may("patch", "ConfigMap").await && !may("list", "Secret").await
    );
}

#[tokio::test]
async fn each_way_not_to_connect_has_its_own_error() {
    let kubeconfig = cluster::kubeconfig();
    let url = cluster::connect().await.url().to_owned();
    let text = |path: std::path::PathBuf| async move {
        let error = cluster::connect_to(&path).await.discover().await.unwrap_err();
        // A chain whose links repeat each other would be printed twice.
        assert!(
            std::error::Error::source(&error).is_none_or(|s| !error.to_string().contains(&s.to_string()))
        );
        error.to_string()
    };
    let expired = cluster::with_token("hunter2-expired");
    assert_eq!(
        text(expired.path().into()).await,
        format!(
            "the API server at `{url}` does not accept the credentials (401): they are wrong or have expired; log in again"
        )
    );
    let begin = Instant::now();
    let refused = cluster::with_server("https://127.0.0.1:1");
    assert_eq!(
        text(refused.path().into()).await,
        "cannot reach the API server at `https://127.0.0.1:1`: connection refused"
    );
    assert!(begin.elapsed() < Duration::from_secs(1), "an address that never answered is not asked again");
    let unknown = cluster::with_server("https://no-such-host.invalid:1");
    let error = text(unknown.path().into()).await;
    assert!(
        error.starts_with("cannot reach the API server at `https://no-such-host.invalid:1`: "),
        "{error}"
    );
    let untrusted = cluster::with_other_authority();
    assert_eq!(
        text(untrusted.path().into()).await,
        format!(
            "cannot trust the API server at `{url}`: its certificate is not signed by the authority that the kubeconfig names"
        )
    );
    let context =
        Target { kubeconfig: Some(kubeconfig.into()), context: Some("nowhere".into()), ..Target::default() };
    let error = landskap::cluster::connect(&context).await.unwrap_err();
    assert!(matches!(error, ConnectError::ContextNotFound { .. }));
}

#[tokio::test]
async fn many_missing_objects_cost_one_list() {
    let corner = Corner::new("many").await;
    let proxy = Proxy::start(cluster::kubeconfig());
    let client = cluster::connect_to(proxy.kubeconfig()).await;
    let discovery = client.discover().await.unwrap();
    let objects: Vec<_> = (0..50).map(|i| config_map(&corner, &format!("m{i}"), json!({}))).collect();
    let mut foreign = objects[7].clone();
    foreign.body["metadata"]["labels"] = json!({});
    client.apply(&foreign, &ApplyOptions::default()).await.unwrap();
    let query = Query {
        lists: [objects[0].gvk.clone()].into(),
        objects: objects.iter().map(|o| (o.reference.clone(), o.gvk.clone())).collect(),
    };
    proxy.reset();
    let seen = client.observe(&corner.landscape, &query, discovery, Records::default()).await.unwrap();
    assert_eq!(
        seen.live.keys().collect::<Vec<_>>(),
        [&foreign.reference],
        "one that exists without our mark"
    );
    let requests = proxy.seen();
    assert_eq!(requests.len(), 4, "namespaces, the mark, the names, the one that exists: {requests:?}");
}

#[tokio::test]
async fn faults_are_survived_or_called_by_their_name() {
    let corner = Corner::new("faults").await;
    let proxy = Proxy::start(cluster::kubeconfig());
    let client = cluster::connect_to(proxy.kubeconfig()).await;
    client.discover().await.unwrap();
    let object = config_map(&corner, "a", json!({"a": "1"}));
    let busy = Fault::Status { code: 429, retry_after: Some(1), message: "busy".into() };

    proxy.inject(1, busy, Seen::is_write);
    let begin = Instant::now();
    let made = client.apply(&object, &ApplyOptions::default()).await.unwrap();
    assert!(begin.elapsed() >= Duration::from_secs(1), "Retry-After is honoured");

    proxy.reset();
    proxy.inject(1, Fault::ResetAfterCommit, Seen::is_write);
    let changed =
        client.apply(&config_map(&corner, "a", json!({"a": "2"})), &ApplyOptions::default()).await.unwrap();
    assert_eq!(
        (proxy.writes(), changed.0["data"]["a"].as_str()),
        (2, Some("2")),
        "applied, lost, and applied again"
    );

    proxy.reset();
    proxy.inject(1, Fault::ResetBefore, Seen::is_write);
    proxy.inject(1, Fault::Delay(Duration::from_millis(700)), Seen::is_write);
    let begin = Instant::now();
    client.apply(&object, &ApplyOptions::default()).await.unwrap();
    assert_eq!(proxy.writes(), 1, "the first attempt never arrived");
    assert!(begin.elapsed() >= Duration::from_millis(800), "a pause, and the delay");

    proxy.reset();
    proxy.inject(1, Fault::ResetAfterCommit, Seen::is_write);
    let gone = client.delete(&object.reference, "v1", made.uid(), Propagation::Background).await.unwrap();
    assert_eq!((proxy.writes(), gone), (2, Deleted::Gone));

    proxy.inject(usize::MAX, Fault::ResetAfterCommit, |seen| seen.is_write() && seen.path.contains("/lost"));
    let lost = client.apply(&config_map(&corner, "lost", json!({})), &ApplyOptions::default()).await;
    assert!(matches!(lost, Err(WriteError::Unknown { .. })), "{lost:?}");
    let lost = config_map(&corner, "lost", json!({})).reference;
    assert!(client.get(&lost, "v1").await.unwrap().is_some(), "and indeed it was done");

    proxy.reset();
    let wrong = Fault::Status {
        code: 500,
        retry_after: None,
        message: "failed to create typed patch object (x)".into(),
    };
    proxy.inject(1, wrong, Seen::is_write);
    let refused = client.apply(&object, &ApplyOptions::default()).await;
    assert!(matches!(refused, Err(WriteError::Rejected(ref r)) if r.code == 500), "{refused:?}");
    assert_eq!(proxy.count(&http::Method::PATCH), 1, "what is wrong stays wrong");

    proxy.inject(1, Fault::ResetAfterCommit, |seen| seen.is_lease() && seen.method == http::Method::POST);
    let begin = Instant::now();
    let me = Holder::of_this_process();
    let lease = client.acquire(&corner.landscape, &me, Duration::from_secs(5), |_| ()).await.unwrap();
    assert!(begin.elapsed() < Duration::from_secs(5), "a Lease whose answer got lost is ours");
    lease.release().await;

    client.ensure_record_namespace().await.unwrap();
    proxy.inject(1, Fault::ResetAfterCommit, Seen::is_write);
    let version = client.write_inventory(&inventory(&corner.landscape, "a")).await.unwrap();
    let written = client.read_records(&corner.landscape).await.unwrap().inventories.remove("a").unwrap();
    assert_eq!(written.resource_version, Some(version), "a record whose answer got lost is recognised");
}

#[tokio::test]
async fn a_hook_runs_after_the_write_and_before_its_answer() {
    let corner = Corner::new("hook").await;
    let proxy = Proxy::start(cluster::kubeconfig());
    let client = cluster::connect_to(proxy.kubeconfig()).await;
    client.discover().await.unwrap();
    let (sender, receiver) = std::sync::mpsc::channel();
    proxy.reset();
    proxy.after_write(2, move |seen| sender.send(seen.path.clone()).unwrap());
    let objects: Vec<_> = (0..3).map(|i| config_map(&corner, &format!("h{i}"), json!({}))).collect();
    client.dry_run(&objects.iter().collect::<Vec<_>>()).await.unwrap();
    assert_eq!(proxy.writes(), 0, "dry runs are no writes");
    for object in &objects {
        client.apply(object, &ApplyOptions::default()).await.unwrap();
    }
    let path = receiver.try_recv().unwrap();
    assert!(path.contains("/configmaps/h1?"), "{path}");
    assert!(receiver.try_recv().is_err());
    assert_eq!(proxy.writes(), 3);
}

#[tokio::test]
async fn changes_are_seen() {
    let corner = Corner::new("watch").await;
    let client = ready().await;
    let object = config_map(&corner, "a", json!({"a": "1"}));
    let made = client.apply(&object, &ApplyOptions::default()).await.unwrap();
    let mut changes = Box::pin(client.watch_metadata(&object.gvk, &corner.landscape).unwrap());
    let mut next =
        async || tokio::time::timeout(Duration::from_secs(10), changes.next()).await.unwrap().unwrap();
    let version = |changed: Changed| match changed {
        Changed::Seen { object: seen, version, .. } if seen == object.reference => version,
        other => panic!("{other:?}"),
    };
    assert_eq!(version(next().await), made.resource_version());
    let changed =
        client.apply(&config_map(&corner, "a", json!({"a": "2"})), &ApplyOptions::default()).await.unwrap();
    assert_eq!(version(next().await), changed.resource_version());
    client.delete(&object.reference, "v1", made.uid(), Propagation::Background).await.unwrap();
    assert_eq!(next().await, Changed::Gone(object.reference.clone()));
}

#[tokio::test]
async fn deprecations_are_collected_once() {
    let corner = Corner::new("warn").await;
    let client = ready().await;
    let pod = |name: &str| {
        desired(json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": {
                "name": name, "namespace": corner.namespace,
                "annotations": {"container.apparmor.security.beta.kubernetes.io/c": "runtime/default"},
            },
            "spec": {"containers": [{"name": "c", "image": "registry.invalid/c:1"}]},
        }))
    };
    client.dry_run(&[&pod("a"), &pod("b")]).await.unwrap();
    let warnings = client.take_warnings();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings.iter().all(|w| w.contains("deprecated")), "{warnings:?}");
    assert!(client.take_warnings().is_empty());
}

#[tokio::test]
async fn a_credential_that_expired_is_renewed_once() {
    let corner = Corner::new("renew").await;
    let user = cluster::limited_user(&corner.namespace, json!([]), json!([])).await;
    let good = cluster::token_of(user.path());
    let folder = tempfile::tempdir().unwrap();
    let runs = folder.path().join("runs");
    // The first run of the plugin gives a token that is no longer good.
    let script = format!(
        "echo run >> {runs}; if [ $(wc -l < {runs}) = 1 ]; then token=expired; else token=$GOOD; fi; \
         echo \"{{\\\"apiVersion\\\": \\\"client.authentication.k8s.io/v1\\\", \\\"kind\\\": \\\"ExecCredential\\\", \
         \\\"status\\\": {{\\\"token\\\": \\\"$token\\\"}}}}\"",
        runs = runs.display()
    );
    let exec = json!({"exec": {
        "apiVersion": "client.authentication.k8s.io/v1", "interactiveMode": "Never", "command": "sh",
        "args": ["-c", script], "env": [{"name": "GOOD", "value": good}],
    }});
    let client = cluster::connect_to(cluster::with_user(&exec).path()).await;
    let count = || std::fs::read_to_string(&runs).unwrap().lines().count();
    // kube runs a plugin several times to make one client.
    let per_client = count();
    client.discover().await.unwrap();
    assert_eq!(
        count(),
        2 * per_client,
        "three requests side by side were rejected, and the client was made anew once"
    );
    client.discover().await.unwrap();
    assert_eq!(count(), 2 * per_client);
}
