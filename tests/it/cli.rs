//! The program as a user meets it: what it says when something is missing, and how it ends.

use std::path::Path;

use http::Method;
use serde_json::json;

use crate::support::cluster::{self, send};
use crate::support::landscape::{Landscape, Ran};

/// A landscape of one ConfigMap, with this kubeconfig; nothing is in a cluster.
fn offline(kubeconfig: &Path) -> Landscape {
    let landscape = Landscape::at("cli", kubeconfig);
    landscape.component("a", "", &[landscape.config_map("m", "1")]);
    landscape.commit();
    landscape
}

/// One error, on standard error, in one line, with exit code 1; it names all of `parts`.
#[track_caller]
fn assert_one_error(ran: Ran, parts: &[&str]) {
    let ran = ran.ended(1);
    assert_eq!(ran.out, "", "{ran}");
    let lines: Vec<&str> = ran.err.lines().collect();
    assert!(lines.len() == 1 && lines[0].starts_with("error: cluster `dev`: "), "{ran}");
    for part in parts {
        assert!(ran.err.contains(part), "{part}: {ran}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manual_edit_is_shown_with_who_made_it_and_corrected() {
    let landscape = Landscape::new("edited").await;
    landscape.component(
        "a",
        "",
        &[landscape.config_map("m", "ours"), landscape.workload("Deployment", "web")],
    );
    landscape.installed();
    landscape.run(&["diff", "--exit-code"]).ended(0);

    let admin = cluster::admin().await;
    let map = format!("/api/v1/namespaces/{}/configmaps/m?fieldManager=kubectl-edit", landscape.namespace);
    send(&admin, Method::PATCH, &map, json!({"data": {"data": "theirs", "more": "kept"}})).await.unwrap();
    let web = format!(
        "/apis/apps/v1/namespaces/{}/deployments/web?fieldManager=kubectl-scale",
        landscape.namespace
    );
    send(&admin, Method::PATCH, &web, json!({"spec": {"replicas": 3}})).await.unwrap();

    let ran = landscape.run(&["diff", "--exit-code"]).ended(3);
    assert!(ran.out.contains("data.data: \"theirs\" -> \"ours\"  (set by kubectl-edit"), "{ran}");
    assert!(ran.out.contains("spec.replicas: 3 -> 1  (set by kubectl-scale"), "{ran}");
    assert!(!ran.out.contains("more"), "what we don't own is nobody's business: {ran}");
    let json = landscape.run(&["diff", "-o", "json"]).ended(0).json();
    assert!(json.to_string().contains(r#""managers":["kubectl-edit""#), "{json}");

    landscape.apply(&[]).ended(0);
    let live = landscape.live("m").await.unwrap();
    assert_eq!(live["data"], json!({"data": "ours", "more": "kept"}));
    assert_eq!(landscape.get(&web).await.unwrap()["spec"]["replicas"], 1);
    landscape.run(&["diff", "--exit-code"]).ended(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_cannot_be_reached_is_one_clear_error() {
    for arguments in
        [&["diff"][..], &["apply", "--yes"], &["status"], &["delete", "--all", "--yes", "--confirm", "dev"]]
    {
        let landscape = offline(Path::new("/nowhere/kubeconfig"));
        assert_one_error(landscape.run(arguments), &["/nowhere/kubeconfig"]);

        let closed = cluster::with_server("https://127.0.0.1:9");
        assert_one_error(
            offline(closed.path()).run(arguments),
            &["cannot reach the API server at `https://127.0.0.1:9", "refused"],
        );

        let landscape = offline(cluster::kubeconfig());
        let ran = landscape.run(&[arguments, &["--context", "nope"]].concat());
        assert_one_error(ran, &["the kubeconfig has no context `nope`"]);

        let expired = cluster::with_token("expired");
        assert_one_error(offline(expired.path()).run(arguments), &["401", "credentials"]);

        let stranger = cluster::with_other_authority();
        assert_one_error(offline(stranger.path()).run(arguments), &["cannot trust the API server"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_permission_is_one_clear_error() {
    let landscape = Landscape::new("limited").await;
    let user = cluster::limited_user(&landscape.namespace, json!([]), json!([])).await;
    let mut limited = offline(user.path());
    limited.namespace.clone_from(&landscape.namespace);
    for arguments in [&["diff"][..], &["apply", "--yes"], &["status"]] {
        assert_one_error(limited.run(arguments), &["forbidden"]);
    }
}

#[test]
fn without_a_terminal_and_a_yes_nothing_is_done() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let landscape = runtime.block_on(Landscape::new("unasked"));
    landscape.component("a", "", &[landscape.config_map("m", "1")]);
    landscape.commit();
    let ran = landscape.run(&["apply", "--new-cluster"]).ended(2);
    assert!(ran.err.contains("--yes"), "{ran}");
    assert!(ran.out.contains("+ ConfigMap"), "the plan is shown all the same: {ran}");
    assert_eq!(runtime.block_on(landscape.config_maps()), [""; 0]);
}

#[test]
fn arguments_that_make_no_sense_end_with_2() {
    let landscape = offline(Path::new("/nowhere/kubeconfig"));
    for arguments in [
        &["appply"][..],
        &["apply", "--force"],
        &["apply", "--lock-timeout", "soon"],
        &["diff", "--cluster", "dev", "--all-clusters"],
        &["diff", "--cluster", "prod"],
        &["diff", "-l", "zone in"],
        &["diff", "aa"],
        &["apply", "a", "--plan", "x"],
        &["delete"],
        &["render", "-o", "xml"],
        &["explain"],
        &["schema", "chart"],
    ] {
        let ran = landscape.run(arguments).ended(2);
        assert!(ran.err.starts_with("error: ") && ran.out.is_empty(), "{arguments:?}: {ran}");
    }
    let ran = landscape.run(&["diff", "aa"]);
    assert!(ran.err.contains("did you mean `a`?"), "{ran}");
}

#[test]
fn a_reader_that_had_enough_ends_it_quietly() {
    let landscape = offline(Path::new("/nowhere/kubeconfig"));
    for arguments in
        [&["completions", "bash"][..], &["schema", "component"], &["render"], &["man"], &["list"]]
    {
        let mut command = landscape.command(arguments);
        let mut child = command.spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{arguments:?}");
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
    }
}

#[test]
fn init_writes_a_landscape_that_is_valid_and_replaces_nothing() {
    let landscape = offline(Path::new("/nowhere/kubeconfig"));
    landscape.run(&["init", "new"]).ended(0);
    let ran = landscape.run(&["check", "--landscape", "new", "-o", "json"]).ended(0);
    assert_eq!(ran.json()["valid"], true);
    assert_eq!(ran.json()["objects"], 3, "{ran}");
    let before = std::fs::read(landscape.path().join("new/landscape.yaml")).unwrap();
    landscape.write("new/landscape.yaml", "mine");
    let ran = landscape.run(&["init", "new"]).ended(2);
    assert!(ran.err.contains("`new/landscape.yaml` exists already"), "{ran}");
    assert_eq!(std::fs::read(landscape.path().join("new/landscape.yaml")).unwrap(), b"mine");
    assert_ne!(before, b"mine");
}

#[test]
fn check_reports_the_problem_of_each_broken_landscape_and_no_other() {
    let broken = Path::new(env!("CARGO_MANIFEST_DIR")).join("landscapes/broken");
    let landscape = offline(Path::new("/nowhere/kubeconfig"));
    let mut wrong = Vec::new();
    for entry in std::fs::read_dir(&broken).unwrap() {
        let folder = entry.unwrap().file_name().into_string().unwrap();
        let path = broken.join(&folder).display().to_string();
        let ran = landscape.run(&["check", "--landscape", &path, "-o", "json"]).ended(1);
        let problems = ran.json()["problems"].as_array().unwrap().clone();
        let own = problems.iter().filter(|problem| {
            problem["code"] == folder.as_str() && problem["places"][0]["line"].as_u64().is_some_and(|n| n > 0)
        });
        // Folders about loading name charts that nobody has written.
        let other = problems.iter().filter(|problem| {
            problem["code"] != folder.as_str()
                && (problem["code"] != "missing-chart" || broken.join(&folder).join("charts").exists())
        });
        if own.count() == 0 || other.count() != 0 {
            wrong.push(format!("{folder}: {ran}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
