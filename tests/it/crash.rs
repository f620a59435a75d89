//! A run that ends in the middle: after every single write, and with answers that get lost.
//!
//! The proxy ends the run at the worst moment: the server has carried the write out, and nobody knows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Api, ListParams};
use landskap::plan::inventory::{Entry, Phase};
use serde_json::Value;

use crate::support::cluster::{self, Corner};
use crate::support::proxy::{Fault, Proxy};
use crate::support::scene::Scene;

/// What is there before the run that is cut off.
fn before(scene: &mut Scene) {
    let map = |name: &str, data: &str| scene.config_map(name, data);
    let a = vec![map("changes", "1"), map("goes", "1"), map("stays", "1")];
    let old = vec![map("moves", "1"), map("left", "1")];
    scene.component("a", a);
    scene.component("old", old);
}

/// What that run should make: everything that can happen to an object happens.
fn after(scene: &mut Scene) {
    let map = |name: &str, data: &str| scene.config_map(name, data);
    let a = vec![map("changes", "2"), map("stays", "1"), map("moves", "1")];
    let b = vec![map("new", "2"), scene.deployment("web", None)];
    scene.component("a", a);
    scene.component("b", b).after.insert("a".into());
    scene.remove("old");
}

/// Name to component and data, of all `ConfigMap`s that carry our mark.
async fn marked(scene: &Scene) -> BTreeMap<String, (String, String)> {
    let maps: Api<ConfigMap> = Api::namespaced(cluster::admin().await, &scene.corner.namespace);
    let ours = ListParams::default().labels(&format!("landskap.io/landscape={}", scene.corner.landscape));
    let list = maps.list(&ours).await.unwrap();
    list.items
        .into_iter()
        .map(|map| {
            let component = map.metadata.labels.unwrap()["landskap.io/component"].clone();
            (map.metadata.name.unwrap(), (component, map.data.unwrap()["data"].clone()))
        })
        .collect()
}

/// I1: whatever carries our mark is listed.
async fn assert_everything_is_listed(scene: &Scene, moment: &str) {
    let inventories = scene.inventories().await;
    let listed: BTreeSet<&String> =
        inventories.values().flat_map(|inventory| inventory.entries.keys()).collect();
    for (name, (component, _)) in marked(scene).await {
        let key = Entry::key(&landskap::object::ObjectRef {
            group: String::new(),
            kind: "ConfigMap".into(),
            namespace: Some(scene.corner.namespace.clone()),
            name: name.clone(),
        });
        assert!(
            listed.contains(&key),
            "{moment}: {name} of {component} is in no inventory: {inventories:#?}"
        );
    }
}

/// Everything is as wanted, and the records say so.
async fn assert_converged(scene: &Scene, moment: &str) {
    let of = |component: &str, data: &str| (component.to_owned(), data.to_owned());
    let wanted =
        [("changes", of("a", "2")), ("stays", of("a", "1")), ("moves", of("a", "1")), ("new", of("b", "2"))];
    let wanted: BTreeMap<String, _> =
        wanted.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    assert_eq!(marked(scene).await, wanted, "{moment}");
    let inventories = scene.inventories().await;
    let sizes: BTreeMap<_, _> =
        inventories.iter().map(|(name, i)| (name.as_str(), i.entries.len())).collect();
    assert_eq!(sizes, [("a", 3), ("b", 2)].into(), "{moment}: {inventories:#?}");
    assert!(inventories.values().all(|inventory| inventory.phase == Phase::Idle), "{moment}");
    assert_eq!(scene.apply().await.well().outcome.writes, 0, "{moment}: it has converged");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_killed_after_any_write_leaves_nothing_behind_and_the_next_one_converges() {
    let mut kills = 0;
    for n in 1.. {
        let mut scene = Scene::new("crash").await;
        before(&mut scene);
        scene.apply().await.well();
        after(&mut scene);

        let proxy = Proxy::start(cluster::kubeconfig());
        let client = cluster::connect_to(proxy.kubeconfig()).await;
        let direct = std::mem::replace(&mut scene.client, client);
        let planned = scene.plan().await;
        let shared = Arc::new(scene);
        let run = tokio::spawn({
            let scene = Arc::clone(&shared);
            async move { scene.carry_out(&planned).await }
        });
        let killer = run.abort_handle();
        proxy.after_write(n, move |_| killer.abort());
        let ended = run.await;
        let mut scene = Arc::into_inner(shared).unwrap();
        scene.client = direct;

        let moment = format!("after write {n}");
        // Requests that were on their way may still be carried out.
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_everything_is_listed(&scene, &moment).await;
        let killed = ended.is_err();
        if killed {
            kills += 1;
            scene.apply().await.well();
        } else {
            ended.unwrap().well();
        }
        assert_converged(&scene, &moment).await;
        if !killed {
            break;
        }
    }
    assert!(kills >= 10, "only {kills} writes");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_is_asked_for_again() {
    let proxy = Proxy::start(cluster::kubeconfig());
    let mut scene = Scene::over(Corner::new("lost").await, cluster::connect_to(proxy.kubeconfig()).await);
    before(&mut scene);
    scene.apply().await.well();
    after(&mut scene);
    let planned = scene.plan().await;
    let first_of = |what: &'static str, method: http::Method| {
        move |seen: &crate::support::proxy::Seen| {
            seen.method == method && seen.path.contains(what) && !seen.is_dry_run()
        }
    };
    proxy.inject(1, Fault::ResetAfterCommit, first_of("/configmaps/new", http::Method::PATCH));
    proxy.inject(1, Fault::ResetAfterCommit, first_of("/configmaps/changes", http::Method::PATCH));
    proxy.inject(1, Fault::ResetAfterCommit, first_of("/configmaps/goes", http::Method::DELETE));
    proxy.inject(
        1,
        Fault::ResetAfterCommit,
        first_of("/namespaces/landskap/configmaps", http::Method::PATCH),
    );
    proxy.inject(1, Fault::ResetBefore, first_of("/configmaps/left", http::Method::DELETE));
    scene.carry_out(&planned).await.well();
    assert_converged(&scene, "after lost answers").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outcome_that_stays_unknown_is_said_and_settled_by_the_next_run() {
    let proxy = Proxy::start(cluster::kubeconfig());
    let mut scene = Scene::over(Corner::new("unknown").await, cluster::connect_to(proxy.kubeconfig()).await);
    let map = scene.config_map("m", "x");
    scene.component("a", vec![map.clone()]);
    let planned = scene.plan().await;
    let is_map = |seen: &crate::support::proxy::Seen| seen.path.contains("/configmaps/m?");
    proxy.inject(100, Fault::Status { code: 504, retry_after: None, message: "too slow".into() }, is_map);
    let ran = scene.carry_out(&planned).await;
    assert!(ran.reasons("a").contains("it may have been written or not"), "{ran:?}");
    let state = |inventories: BTreeMap<String, landskap::plan::Inventory>| {
        inventories["a"].entries.values().next().unwrap().state
    };
    assert_eq!(state(scene.inventories().await), landskap::plan::inventory::State::Intent, "I3");
    scene.client = cluster::connect().await;
    scene.apply().await.well();
    assert_eq!(state(scene.inventories().await), landskap::plan::inventory::State::Owned);
    let live: Value = scene.live(&map).await.unwrap();
    assert_eq!(live["data"]["data"], "x");
}
