//! I5: a Secret's value is nowhere but in the Secret: not in the output of any command at `-vvv`, not in a file that
//! one writes, not in what is stored in the cluster.

use http::Method;
use serde_json::json;

use crate::support::cluster::{self, send};
use crate::support::landscape::{Landscape, Ran};

/// The first value, the changed one, and one that somebody sets by hand. No character needs escaping anywhere.
const FIRST: &str = "Quokka7SecretValueNumberOneXy";
const SECOND: &str = "Wombat8SecretValueNumberTwoZq";
const BY_HAND: &str = "Numbat9SecretValueByHandKw";

/// What must be found nowhere: each value, in plain and in base64 wherever in a longer text it stands.
fn needles() -> Vec<String> {
    use base64::Engine as _;
    let mut needles = Vec::new();
    for value in [FIRST, SECOND, BY_HAND] {
        // A part is as bad as the whole.
        needles.push(value[..10].to_owned());
        needles.push(value[10..].to_owned());
        for before in 0..3 {
            let text = format!("{}{value}", "x".repeat(before));
            let encoded = base64::engine::general_purpose::STANDARD_NO_PAD.encode(text);
            // The ends depend on what stands beside.
            needles.push(encoded[4..encoded.len() - 4].to_owned());
        }
    }
    needles
}

#[track_caller]
fn assert_silent(what: &str, text: &str) {
    for needle in needles() {
        assert!(!text.contains(&needle), "{what} has `{needle}`:\n{text}");
    }
}

#[track_caller]
fn silent(landscape: &Landscape, arguments: &[&str]) -> Ran {
    let ran = landscape.run(&[arguments, &["-vvv"]].concat());
    assert_silent(&format!("{arguments:?}"), &ran.to_string());
    ran
}

/// Everything that the program leaves in the cluster, but for the Secrets themselves.
async fn stored(landscape: &Landscape) -> String {
    let namespace = format!("/api/v1/namespaces/{}", landscape.namespace);
    let mut all = String::new();
    for path in [
        "/api/v1/namespaces/landskap/configmaps",
        "/api/v1/namespaces/landskap/secrets",
        "/api/v1/namespaces/landskap/events",
        "/apis/coordination.k8s.io/v1/namespaces/landskap/leases",
        &format!("{namespace}/configmaps"),
        &format!("{namespace}/events"),
        &format!("{namespace}/pods"),
        &format!("/apis/apps/v1/namespaces/{}/deployments", landscape.namespace),
    ] {
        all.push_str(&landscape.get(path).await.unwrap().to_string());
    }
    all
}

/// The files below a folder.
fn files(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { all.extend(files(&path)) } else { all.push(path) }
    }
    all
}

/// A chart that uses a secret in every way that is allowed, and a workload that hangs on it.
fn write(landscape: &Landscape) {
    let namespace = &landscape.namespace;
    landscape.write("charts/app/Chart.yaml", "apiVersion: v2\nname: app\nversion: 1.0.0\n");
    landscape.write("charts/app/values.yaml", "password: \"\"\n");
    landscape.write(
        "charts/app/templates/objects.yaml.tera",
        "\
apiVersion: v1
kind: Secret
metadata: {name: mixed}
stringData:
  plain: {{ values.password }}
  url: 'postgres://user:{{ values.password }}@db/app'
data:
  encoded: {{ values.password | b64encode }}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: app
          image: example.test/app:1
          envFrom: [{secretRef: {name: mixed}}, {secretRef: {name: app}}]
",
    );
    landscape.write(
        "components/app.yaml",
        &format!(
            "name: app\nnamespace: {namespace}\nclusterSelector: {{}}\nrelease: {{chart: charts/app}}\n\
             secrets: [db-password]\nconfiguration: {{password: !secret db-password}}\n"
        ),
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_in_no_output_of_any_command_and_nothing_that_is_stored() {
    let mut landscape = Landscape::new("leaks").await;
    write(&landscape);
    landscape.commit();
    let out = landscape.home().join("out").display().to_string();
    let plan = landscape.home().join("plan.json").display().to_string();

    // Without it.
    let ran = silent(&landscape, &["apply", "--yes", "--new-cluster"]).ended(1);
    assert!(ran.says("DB_PASSWORD"), "{ran}");
    landscape.environment = vec![("DB_PASSWORD".into(), FIRST.into())];

    silent(&landscape, &["check"]).ended(0);
    silent(&landscape, &["check", "-o", "json"]).ended(0);
    silent(&landscape, &["list"]).ended(0);
    silent(&landscape, &["explain", "app"]).ended(0);
    silent(&landscape, &["explain", "app", "password"]).ended(0);
    silent(&landscape, &["explain", "app", "Secret/mixed:stringData.url"]);
    assert!(silent(&landscape, &["render"]).ended(0).says("mixed"));
    silent(&landscape, &["render", "-o", "json"]).ended(0);
    silent(&landscape, &["render", "--output-dir", &out]).ended(0);

    // The first apply, from a saved plan.
    assert!(silent(&landscape, &["diff", "--new-cluster"]).ended(0).says("mixed"));
    silent(&landscape, &["diff", "--new-cluster", "-o", "json"]).ended(0);
    silent(&landscape, &["diff", "--new-cluster", "--plan-out", &plan]).ended(0);
    silent(&landscape, &["apply", "--yes", "--plan", &plan]).ended(0);
    let path = format!("/api/v1/namespaces/{}/secrets", landscape.namespace);
    let secrets = landscape.get(&path).await.unwrap().to_string();
    assert!(
        needles().iter().filter(|needle| secrets.contains(*needle)).count() >= 2,
        "it has arrived: {secrets}"
    );
    silent(&landscape, &["status"]).ended(0);
    silent(&landscape, &["status", "-o", "json"]).ended(0);

    // Changed by hand and in the source.
    let edited = json!({"stringData": {"plain": BY_HAND, "other": BY_HAND}});
    send(&cluster::admin().await, Method::PATCH, &format!("{path}/mixed"), edited).await.unwrap();
    let ran = silent(&landscape, &["diff", "--exit-code"]).ended(3);
    assert!(ran.out.contains("plain"), "{ran}");
    landscape.environment = vec![("DB_PASSWORD".into(), SECOND.into())];
    silent(&landscape, &["diff"]).ended(0);
    silent(&landscape, &["diff", "-o", "json"]).ended(0);
    silent(&landscape, &["diff", "--plan-out", &plan]).ended(0);
    silent(&landscape, &["apply", "--yes", "-o", "json"]).ended(0);
    silent(&landscape, &["diff", "--exit-code"]).ended(0);

    // In the way of others: a value that became another one since the plan was made.
    landscape.environment = vec![("DB_PASSWORD".into(), FIRST.into())];
    silent(&landscape, &["apply", "--yes", "--plan", &plan]).ended(4);
    silent(&landscape, &["apply", "--yes"]).ended(0);

    assert_silent("the cluster", &stored(&landscape).await);
    for file in files(landscape.home()).into_iter().chain(files(&landscape.path().join(".git"))) {
        let text = String::from_utf8_lossy(&std::fs::read(&file).unwrap()).into_owned();
        assert_silent(&file.display().to_string(), &text);
    }
    silent(&landscape, &["delete", "--all", "--yes", "--confirm", "dev"]).ended(0);
    assert_silent("the cluster", &stored(&landscape).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_in_no_error() {
    let mut landscape = Landscape::new("leaks-error").await;
    landscape.environment = vec![("DB_PASSWORD".into(), FIRST.into())];
    write(&landscape);
    let template = "charts/app/templates/objects.yaml.tera";
    let good = std::fs::read_to_string(landscape.path().join(template)).unwrap();
    landscape.installed();
    let all = ["check", "render", "diff", "apply --yes --allow-dirty"];
    let run = |command: &str| silent(&landscape, &command.split(' ').collect::<Vec<_>>());

    // Where a secret may not stand.
    for wrong in [
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\ndata: {x: '{{ values.password }}'}\n",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: m, labels: {x: '{{ values.password }}'}}\n",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: m}\ntype: '{{ values.password }}'\n",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: m}\nstringData: {'{{ values.password }}': x}\n",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: '{{ values.password | lower }}'}\n",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: m}\nstringData: {x: '{{ values.password | upper }}'}\n",
        "a: [{{ values.password }}\n",
        "{{ throw(message=values.password) }}",
    ] {
        landscape.write(template, wrong);
        for command in all {
            let ran = run(command);
            assert_eq!(ran.code, Some(1), "{wrong}: {ran}");
        }
    }

    // Where the server refuses it, and says what it was given.
    for (wrong, field) in [
        (
            "type: kubernetes.io/dockerconfigjson\nstringData: {.dockerconfigjson: '{{ values.password }}'}\n",
            "refuses it",
        ),
        ("data: {x: '{{ values.password }}!'}\n", ""),
        ("stringData: {x: '{{ values.password }}'}\nmetadata: {name: m, labels: {x: 'not a label!'}}\n", ""),
    ] {
        let mut text = format!("apiVersion: v1\nkind: Secret\n{wrong}");
        if !text.contains("metadata:") {
            text.push_str("metadata: {name: m}\n");
        }
        landscape.write(template, &format!("{good}---\n{text}"));
        for command in
            ["diff", "diff -o json", "apply --yes --allow-dirty", "apply --yes --allow-dirty -o json"]
        {
            let ran = run(command);
            assert!(ran.says(field), "{wrong}: {ran}");
            if command.starts_with("apply") {
                assert_eq!(ran.code, Some(1), "{wrong}: {ran}");
            }
        }
    }
    assert_silent("the cluster", &stored(&landscape).await);
}
