//! What an operator can't do by mistake: each refusal ends with exit code 4 and has written nothing, and each has a
//! way to mean it. The real program on a real API server; the rules themselves are tested in `plan`.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use crate::support::cluster::{self, send};
use crate::support::landscape::{CLUSTER, Landscape, Ran, finish};

/// Everything that an apply could write: the objects of the namespace with their versions, and the records.
async fn snapshot(landscape: &Landscape) -> Vec<String> {
    let namespace = format!("/api/v1/namespaces/{}", landscape.namespace);
    let workloads = format!("/apis/apps/v1/namespaces/{}", landscape.namespace);
    let records = format!("labelSelector=landskap.io/record-landscape={}", landscape.name);
    let lists = [
        format!("{namespace}/configmaps"),
        format!("{namespace}/secrets"),
        format!("{namespace}/persistentvolumeclaims"),
        format!("{workloads}/deployments"),
        format!("{workloads}/statefulsets"),
        format!("/api/v1/namespaces/landskap/configmaps?{records}"),
        format!("/api/v1/namespaces/landskap/secrets?{records}"),
    ];
    let mut seen = Vec::new();
    for list in lists {
        let found = landscape.get(&list).await.unwrap();
        for item in found["items"].as_array().unwrap() {
            let metadata = &item["metadata"];
            // A controller may still write the status of a workload.
            let version = if list.starts_with(&workloads) { "generation" } else { "resourceVersion" };
            seen.push(format!("{list} {} {} {}", metadata["name"], metadata["uid"], metadata[version]));
        }
    }
    seen
}

/// Applies, and expects to be refused for the reason `code` only, with nothing written.
async fn assert_refused(landscape: &Landscape, arguments: &[&str], code: &str) -> Ran {
    let before = snapshot(landscape).await;
    let ran = landscape.apply(arguments).refused(code);
    assert_eq!(snapshot(landscape).await, before, "{ran}");
    ran
}

async fn merge(path: &str, body: Value) {
    send(&cluster::admin().await, Method::PATCH, path, body).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_without_a_record_is_written_only_when_it_is_meant() {
    let landscape = Landscape::new("new-cluster").await;
    landscape.component("a", "", &[landscape.config_map("m", "1")]);
    landscape.commit();
    assert_refused(&landscape, &[], "new-cluster").await;
    landscape.apply(&["--new-cluster"]).ended(0);
    assert!(landscape.live("m").await.is_some());
    // Once is enough.
    landscape.component("a", "", &[landscape.config_map("m", "2")]);
    landscape.commit();
    landscape.apply(&[]).ended(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_belongs_to_another_repository_or_another_name_is_left_alone() {
    let landscape = Landscape::new("other").await;
    landscape.component("a", "", &[landscape.config_map("m", "1")]);
    landscape.installed();

    // The same landscape from another repository, with the same history.
    let mut fork = Landscape::at("fork", cluster::kubeconfig());
    fork.git(&["fetch", "--quiet", &landscape.path().display().to_string(), "main"]);
    fork.git(&["reset", "--quiet", "--hard", "FETCH_HEAD"]);
    fork.name.clone_from(&landscape.name);
    fork.namespace.clone_from(&landscape.namespace);
    assert_refused(&fork, &["--new-cluster"], "other-origin").await;

    // Another name for the same cluster: a context that points to the wrong place.
    landscape.git(&["mv", "clusters/dev", "clusters/prod"]);
    let text = std::fs::read_to_string(landscape.path().join("clusters/prod/cluster.yaml")).unwrap();
    landscape.write("clusters/prod/cluster.yaml", &text.replace("name: dev", "name: prod"));
    landscape.commit();
    assert_refused(&landscape, &["--new-cluster"], "other-cluster").await;

    // It moved, and somebody says so: the identity is removed by hand, the inventories stay.
    let identity = format!("landskap.io/record=identity,landskap.io/record-landscape={}", landscape.name);
    let path = format!("/api/v1/namespaces/landskap/configmaps?labelSelector={identity}");
    send(&cluster::admin().await, Method::DELETE, &path, json!({})).await.unwrap();
    fork.apply(&[]).refused("new-cluster");
    fork.apply(&["--new-cluster"]).ended(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_waits_for_another_one_names_it_and_gives_up_in_time() {
    let landscape = Landscape::new("lease").await;
    landscape.component("a", "", &[landscape.config_map("m", "1")]);
    landscape.installed();
    landscape.component("a", "", &[landscape.config_map("m", "2")]);
    landscape.commit();
    let lease = format!("/apis/coordination.k8s.io/v1/namespaces/landskap/leases/run.{}", landscape.name);
    merge(
        &lease,
        json!({"spec": {"holderIdentity": "ci-runner-7/other-boot/4711/99/00", "leaseDurationSeconds": 15}}),
    )
    .await;
    let ran = assert_refused(&landscape, &["--lock-timeout", "1s"], "locked").await;
    assert!(
        ran.err.contains("waiting for another run") && ran.err.contains("ci-runner-7, process 4711"),
        "{ran}"
    );

    // The other run ends while this one waits.
    let waiting = landscape.command(&["apply", "--yes", "--lock-timeout", "60s"]).spawn().unwrap();
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(landscape.live("m").await.unwrap()["data"]["data"], "1", "it waits");
    merge(&lease, json!({"spec": {"holderIdentity": ""}})).await;
    finish(waiting).ended(0);
    assert_eq!(landscape.live("m").await.unwrap()["data"]["data"], "2");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_forward_and_only_what_is_committed() {
    let landscape = Landscape::new("forward").await;
    landscape.component("a", "", &[landscape.config_map("m", "1")]);
    let first = landscape.commit();
    landscape.installed();
    landscape.component("a", "", &[landscape.config_map("m", "2")]);
    landscape.commit();
    landscape.apply(&[]).ended(0);

    landscape.git(&["reset", "--quiet", "--hard", &first]);
    assert_refused(&landscape, &[], "rewind").await;
    landscape.apply(&["--allow-rewind"]).ended(0);
    assert_eq!(landscape.live("m").await.unwrap()["data"]["data"], "1");

    landscape.component("a", "", &[landscape.config_map("m", "3")]);
    assert_refused(&landscape, &[], "dirty").await;
    landscape.apply(&["--allow-dirty"]).ended(0);
    assert_eq!(landscape.live("m").await.unwrap()["data"]["data"], "3");
}

#[tokio::test(flavor = "multi_thread")]
async fn several_components_leave_only_when_it_is_meant_and_exactly_their_objects_go() {
    let landscape = Landscape::new("leaving").await;
    for name in ["a", "b", "c"] {
        let objects = [
            landscape.config_map(&format!("{name}-1"), "x"),
            landscape.config_map(&format!("{name}-2"), "x"),
        ];
        landscape.component(name, "", &objects);
    }
    landscape.installed();
    // Neighbours in the same namespace: nobody's object, and another landscape's.
    let mut other = Landscape::new("neighbour").await;
    other.namespace.clone_from(&landscape.namespace);
    other.component("a", "", &[other.config_map("theirs", "x")]);
    other.installed();
    let maps = format!("/api/v1/namespaces/{}/configmaps", landscape.namespace);
    cluster::post(&cluster::admin().await, &maps, landscape.config_map("nobodys", "x")).await;
    let mut before = Vec::new();
    for name in ["c-1", "c-2", "theirs", "nobodys"] {
        before.push(landscape.live(name).await.unwrap());
    }

    landscape.drop_component("a");
    landscape.drop_component("b");
    landscape.commit();
    assert_refused(&landscape, &[], "removal-limit").await;
    landscape.apply(&["--allow-removal", "a"]).ended(0);
    assert_eq!(landscape.config_maps().await, ["c-1", "c-2", "nobodys", "theirs"]);
    for live in before {
        let name = live["metadata"]["name"].as_str().unwrap();
        assert_eq!(landscape.live(name).await.unwrap(), live, "untouched");
    }
    assert_eq!(other.run(&["diff", "--exit-code"]).ended(0).code, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_holds_state_leaves_only_when_it_is_meant() {
    let landscape = Landscape::new("state").await;
    landscape.component("db", "", &[landscape.workload("StatefulSet", "db")]);
    landscape.component("stays", "", &[landscape.config_map("stays", "x")]);
    landscape.component("more", "", &[landscape.config_map("more", "x")]);
    landscape.installed();
    landscape.drop_component("db");
    landscape.commit();
    let ran = assert_refused(&landscape, &[], "removal-of-state").await;
    assert!(ran.says("--allow-removal db"), "{ran}");

    // Said in git it is always meant: a component with state, and two at once.
    landscape.component("db", "", &[landscape.workload("StatefulSet", "db")]);
    for name in ["db", "more"] {
        landscape
            .write(&format!("clusters/{CLUSTER}/{name}.yaml"), &format!("name: {name}\ninstalled: false\n"));
    }
    landscape.commit();
    landscape.apply(&[]).ended(0);
    let set = format!("/apis/apps/v1/namespaces/{}/statefulsets/db", landscape.namespace);
    assert_eq!(landscape.get(&set).await, None);
    assert_eq!(landscape.config_maps().await, ["stays"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_part_of_a_component_goes_only_when_it_is_meant() {
    let landscape = Landscape::new("share").await;
    let maps =
        |n: usize| -> Vec<Value> { (0..n).map(|i| landscape.config_map(&format!("m{i}"), "x")).collect() };
    landscape.component("a", "", &maps(12));
    landscape.installed();
    landscape.component("a", "", &maps(6));
    landscape.commit();
    let ran = assert_refused(&landscape, &[], "removal-share").await;
    assert!(ran.says("6 of the 12 objects of `a`"), "{ran}");
    // Five are few.
    landscape.component("a", "", &maps(7));
    landscape.commit();
    landscape.apply(&[]).ended(0);
    assert_eq!(landscape.config_maps().await.len(), 7);
    landscape.component("a", "", &maps(1));
    landscape.commit();
    assert_refused(&landscape, &[], "removal-share").await;
    landscape.apply(&["--allow-removal", "a"]).ended(0);
    assert_eq!(landscape.config_maps().await, ["m0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_landscape_deletes_nothing() {
    let landscape = Landscape::new("empty").await;
    landscape.component("a", "", &[landscape.config_map("m", "x")]);
    landscape.installed();
    landscape.drop_component("a");
    landscape.commit();
    assert_refused(&landscape, &[], "empty-desired").await;
    assert_refused(&landscape, &["--allow-removal", "a"], "empty-desired").await;
    // `delete --all` wants the cluster's name.
    let before = snapshot(&landscape).await;
    landscape.run(&["delete", "--all", "--yes"]).ended(4);
    landscape.run(&["delete", "--all", "--yes", "--confirm", "prod"]).ended(4);
    assert_eq!(snapshot(&landscape).await, before);
    landscape.run(&["delete", "--all", "--yes", "--confirm", CLUSTER]).ended(0);
    assert_eq!(landscape.config_maps().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_git_installs_is_not_deleted_and_what_is_let_go_stays() {
    let landscape = Landscape::new("delete").await;
    landscape.component("a", "", &[landscape.config_map("m", "x")]);
    landscape.component("b", "", &[landscape.config_map("n", "x")]);
    landscape.installed();
    let before = snapshot(&landscape).await;
    landscape.run(&["delete", "a", "--yes"]).refused("still-installed");
    assert_eq!(snapshot(&landscape).await, before);
    landscape.drop_component("a");
    landscape.commit();
    landscape.run(&["delete", "a", "--yes", "--keep-objects"]).ended(0);
    let live = landscape.live("m").await.unwrap();
    assert_eq!(live["metadata"]["labels"], Value::Null, "{live}");
    landscape.apply(&[]).ended(0);
    assert_eq!(landscape.config_maps().await, ["m", "n"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_immutable_field_recreates_only_when_it_is_meant() {
    let landscape = Landscape::new("immutable").await;
    let frozen = |data: &str| {
        let mut map = landscape.config_map("frozen", data);
        map["immutable"] = json!(true);
        map
    };
    landscape.component("a", "", &[frozen("1"), landscape.config_map("free", "1")]);
    landscape.installed();
    let uid = landscape.live("frozen").await.unwrap()["metadata"]["uid"].clone();
    landscape.component("a", "", &[frozen("2"), landscape.config_map("free", "2")]);
    landscape.commit();
    let ran = assert_refused(&landscape, &[], "recreation").await;
    assert!(ran.says("--allow-recreate a"), "{ran}");
    assert_refused(&landscape, &["--allow-recreate", "other"], "recreation").await;
    landscape.apply(&["--allow-recreate", "a"]).ended(0);
    let live = landscape.live("frozen").await.unwrap();
    assert_eq!(live["data"]["data"], "2");
    assert_ne!(live["metadata"]["uid"], uid);
    landscape.run(&["diff", "--exit-code"]).ended(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_nobody_gave_us_is_taken_only_when_it_is_meant() {
    let landscape = Landscape::new("unowned").await;
    let maps = format!("/api/v1/namespaces/{}/configmaps", landscape.namespace);
    let admin = cluster::admin().await;
    cluster::post(&admin, &maps, landscape.config_map("mine", "theirs")).await;
    let mut helms = landscape.config_map("helms", "theirs");
    helms["metadata"]["labels"] = json!({"app.kubernetes.io/managed-by": "Helm"});
    cluster::post(&admin, &maps, helms).await;

    landscape.component("a", "", &[landscape.config_map("mine", "ours")]);
    landscape.commit();
    assert_refused(&landscape, &["--new-cluster"], "not-owned").await;
    landscape.component("a", "adopt: unowned\n", &[landscape.config_map("mine", "ours")]);
    landscape.installed();
    assert_eq!(landscape.live("mine").await.unwrap()["data"]["data"], "ours");
    // What another tool owns is not unowned.
    landscape.component("b", "adopt: unowned\n", &[landscape.config_map("helms", "ours")]);
    landscape.commit();
    assert_refused(&landscape, &[], "not-owned").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn protected_kinds_and_what_asks_to_be_kept_stay() {
    let landscape = Landscape::new("kept").await;
    let mut kept = landscape.config_map("kept", "x");
    kept["metadata"]["annotations"] = json!({"landskap.io/prune": "disabled"});
    let claim = json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim",
        "metadata": {"name": "claim", "namespace": landscape.namespace},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    });
    landscape.component("a", "", &[kept, claim, landscape.config_map("goes", "x")]);
    landscape.component("b", "", &[landscape.config_map("stays", "x")]);
    landscape.commit();
    landscape.apply(&["--new-cluster", "--no-wait"]).ended(0);
    landscape.write(&format!("clusters/{CLUSTER}/a.yaml"), "name: a\ninstalled: false\n");
    landscape.commit();
    let ran = landscape.apply(&[]).ended(0);
    assert!(ran.out.contains("kept: its annotation `landskap.io/prune` is `disabled`"), "{ran}");
    assert_eq!(landscape.config_maps().await, ["kept", "stays"]);
    let claim = format!("/api/v1/namespaces/{}/persistentvolumeclaims/claim", landscape.namespace);
    let live = landscape.get(&claim).await.unwrap();
    assert_eq!(live["metadata"]["deletionTimestamp"], Value::Null, "{live}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_saved_plan_is_carried_out_exactly_or_not_at_all() {
    let landscape = Landscape::new("saved").await;
    landscape.component("a", "", &[landscape.config_map("m", "1")]);
    landscape.installed();
    landscape.component("a", "", &[landscape.config_map("m", "2"), landscape.config_map("n", "2")]);
    landscape.commit();
    let plan = landscape.home().join("plan.json").display().to_string();
    let save = || landscape.run(&["diff", "--plan-out", &plan]).ended(0);

    save();
    merge(
        &format!("/api/v1/namespaces/{}/configmaps/m", landscape.namespace),
        json!({"data": {"data": "edited"}}),
    )
    .await;
    let before = snapshot(&landscape).await;
    let ran = landscape.apply(&["--plan", &plan]).ended(4);
    assert!(ran.err.contains("/m has changed in the cluster"), "{ran}");
    assert_eq!(snapshot(&landscape).await, before, "{ran}");

    save();
    let commit = landscape.git(&["rev-parse", "HEAD"]);
    landscape.component("a", "", &[landscape.config_map("m", "3")]);
    landscape.commit();
    let ran = landscape.apply(&["--plan", &plan]).ended(4);
    assert!(ran.err.contains("the revision was"), "{ran}");
    assert_eq!(snapshot(&landscape).await, before, "{ran}");

    landscape.git(&["reset", "--quiet", "--hard", &commit]);
    landscape.apply(&["--plan", &plan]).ended(0);
    assert_eq!(landscape.live("m").await.unwrap()["data"]["data"], "2");
    assert_eq!(landscape.live("n").await.unwrap()["data"]["data"], "2");
    landscape.run(&["diff", "--exit-code"]).ended(0);
    // What would be refused is not saved.
    std::fs::remove_file(&plan).unwrap();
    landscape.write("more", "not committed");
    landscape.run(&["diff", "--plan-out", &plan]).refused("dirty");
    assert!(!std::path::Path::new(&plan).exists());
}
