//! `landskap watch` as a program, on a real API server.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Api, DeleteParams};
use serde_json::json;
use tempfile::TempDir;

use crate::support::cluster::{self, Corner, send};

/// How long anything may take that should take seconds.
const SOON: Duration = Duration::from_secs(30);

/// A landscape on disk for one corner of the cluster.
struct Landscape {
    corner: Corner,
    folder: TempDir,
}

impl Landscape {
    async fn new(name: &str) -> Self {
        let landscape = Self { corner: Corner::new(name).await, folder: tempfile::tempdir().unwrap() };
        let Corner { namespace, landscape: title } = &landscape.corner;
        let head = |kind: &str| format!("apiVersion: landskap.io/v1alpha1\nkind: {kind}\n");
        landscape.write("landscape.yaml", &format!("{}name: {title}\n", head("Landscape")));
        landscape.cluster("dev", "");
        landscape.write(
            "components/app.yaml",
            &format!("name: app\nnamespace: {namespace}\nclusterSelector: {{}}\nmanifests: [objects/]\n"),
        );
        landscape.config_map("one", "1");
        landscape.config_map("two", "2");
        landscape
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn cluster(&self, name: &str, more: &str) {
        let text = format!("apiVersion: landskap.io/v1alpha1\nkind: Cluster\nname: {name}\n{more}");
        self.write(&format!("clusters/{name}/cluster.yaml"), &text);
    }

    fn config_map(&self, name: &str, value: &str) {
        let text = json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"value": value},
        });
        self.write(&format!("components/objects/{name}.yaml"), &text.to_string());
    }

    /// A Deployment whose pods no node takes.
    fn stuck(&self, name: &str) {
        let text = json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
            "spec": {
                "selector": {"matchLabels": {"app": name}},
                "template": {
                    "metadata": {"labels": {"app": name}},
                    "spec": {
                        "nodeSelector": {"kubernetes.io/hostname": "nowhere"},
                        "containers": [{"name": "app", "image": "example.test/app:1"}],
                    },
                },
            },
        });
        self.write(&format!("components/objects/{name}.yaml"), &text.to_string());
    }

    /// Watches this folder.
    fn watch(&self, more: &[&str]) -> Watching {
        let location = self.folder.path().to_str().unwrap();
        Watching::start(&[&["--landscape", location, "--git-interval", "1s"], more].concat())
    }

    async fn maps(&self) -> Api<ConfigMap> {
        Api::namespaced(cluster::admin().await, &self.corner.namespace)
    }

    /// The value in a ConfigMap; empty when it is not there.
    async fn value(&self, name: &str) -> String {
        let map = self.maps().await.get_opt(name).await.unwrap();
        map.and_then(|map| map.data?.get("value").cloned()).unwrap_or_default()
    }

    async fn until(&self, name: &str, value: &str, watching: &Watching) {
        let begin = Instant::now();
        while self.value(name).await != value {
            assert!(begin.elapsed() < SOON, "{name} is not {value:?}:\n{}", watching.log());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Somebody changes a ConfigMap.
    async fn edit(&self, name: &str, value: &str) {
        let path =
            format!("/api/v1/namespaces/{}/configmaps/{name}?fieldManager=somebody", self.corner.namespace);
        let body = json!({"data": {"value": value}});
        send(&cluster::admin().await, http::Method::PATCH, &path, body).await.unwrap();
    }

    async fn versions(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        for maps in [self.maps().await, Api::namespaced(cluster::admin().await, "landskap")] {
            for map in maps.list(&kube::api::ListParams::default()).await.unwrap() {
                let label = |name: &str| map.metadata.labels.as_ref().and_then(|l| l.get(name)).cloned();
                let ours = Some(self.corner.landscape.clone());
                if label("landskap.io/landscape") == ours || label("landskap.io/record-landscape") == ours {
                    found.push((map.metadata.name.unwrap(), map.metadata.resource_version.unwrap()));
                }
            }
        }
        found.sort();
        found
    }

    async fn lease_holder(&self) -> Option<String> {
        let leases: Api<Lease> = Api::namespaced(cluster::admin().await, "landskap");
        let lease = leases.get_opt(&format!("run.{}", self.corner.landscape)).await.unwrap()?;
        lease.spec?.holder_identity.filter(|holder| !holder.is_empty())
    }

    fn repository(&self) -> git2::Repository {
        git2::Repository::init(self.folder.path()).unwrap()
    }
}

fn commit(repository: &git2::Repository) -> String {
    let mut index = repository.index().unwrap();
    index.add_all(["*"], git2::IndexAddOption::DEFAULT, None).unwrap();
    index.write().unwrap();
    let tree = repository.find_tree(index.write_tree().unwrap()).unwrap();
    let who = git2::Signature::now("somebody", "somebody@example.test").unwrap();
    let parent = repository.head().ok().map(|head| head.peel_to_commit().unwrap());
    let parents: Vec<_> = parent.iter().collect();
    repository.commit(Some("HEAD"), &who, &who, "change", &tree, &parents).unwrap().to_string()
}

/// A running `landskap watch`; killed when dropped.
struct Watching {
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
    home: TempDir,
}

impl Watching {
    fn start(arguments: &[&str]) -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut child = command(home.path())
            .args(["--listen", "127.0.0.1:0"])
            .args(arguments)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let (stderr, sink) = (child.stderr.take().unwrap(), Arc::clone(&lines));
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                sink.lock().unwrap().push(line);
            }
        });
        Self { child, lines, home }
    }

    fn log(&self) -> String {
        self.lines.lock().unwrap().join("\n")
    }

    /// How many lines contain `text`.
    fn count(&self, text: &str) -> usize {
        self.lines.lock().unwrap().iter().filter(|line| line.contains(text)).count()
    }

    /// Waits for a line that contains `text`.
    async fn says(&self, text: &str) -> String {
        let begin = Instant::now();
        loop {
            let found = self.lines.lock().unwrap().iter().find(|line| line.contains(text)).cloned();
            if let Some(line) = found {
                return line;
            }
            assert!(begin.elapsed() < SOON, "nothing about {text:?}:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The answer to `GET path`: the status line and the body.
    async fn get(&self, path: &str) -> (String, String) {
        let line = self.says("on http://").await;
        let address = line.split("http://").nth(1).unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.lines().next().unwrap().to_owned(), body.to_owned())
    }

    async fn metric(&self, name: &str) -> Option<f64> {
        let (_, text) = self.get("/metrics").await;
        text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
    }

    /// Waits until `count` runs have ended with `result`.
    async fn runs(&self, cluster: &str, result: &str, count: f64) {
        let name = format!("landskap_runs_total{{cluster=\"{cluster}\",result=\"{result}\"}}");
        let begin = Instant::now();
        while self.metric(&name).await.unwrap_or(0.0) < count {
            assert!(begin.elapsed() < SOON, "not {count} times {result}:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Sends SIGTERM and waits for the end.
    fn terminate(mut self) -> (ExitStatus, Duration, String) {
        let begin = Instant::now();
        let sent = Command::new("kill").arg("-TERM").arg(self.child.id().to_string()).status().unwrap();
        assert!(sent.success());
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return (status, begin.elapsed(), self.log());
            }
            assert!(begin.elapsed() < SOON, "it does not end:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = self.home.path();
    }
}

fn command(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_landskap"));
    command
        .env_clear()
        .env("HOME", home)
        .env("KUBECONFIG", cluster::kubeconfig())
        .current_dir(home)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .arg("watch");
    command
}

#[tokio::test]
async fn edits_and_deletions_are_corrected_within_seconds_and_then_nothing_is_written() {
    let landscape = Landscape::new("drift").await;
    let watching = landscape.watch(&["--new-cluster"]);
    landscape.until("one", "1", &watching).await;
    // The pass that confirms, and the one that the watches' first events ask for.
    watching.runs("dev", "unchanged", 1.0).await;

    let begin = Instant::now();
    landscape.edit("one", "changed").await;
    landscape.until("one", "1", &watching).await;
    assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());
    let line = watching.says("corrected").await;
    assert!(line.contains("ConfigMap") && line.contains("one"), "{line}");
    assert!(line.contains(".data.value") && line.contains("changed by somebody"), "{line}");

    let begin = Instant::now();
    landscape.maps().await.delete("two", &DeleteParams::default()).await.unwrap();
    landscape.until("two", "2", &watching).await;
    assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());
    watching.says("it was missing").await;

    // Own writes ask for one more look, which finds nothing.
    tokio::time::sleep(Duration::from_secs(6)).await;
    let before = (landscape.versions().await, watching.log());
    assert!(before.0.len() >= 4, "two objects, an inventory, an identity: {before:?}");
    tokio::time::sleep(Duration::from_secs(8)).await;
    assert_eq!((landscape.versions().await, watching.log()), before, "it settles and is quiet");
    assert_eq!(landscape.lease_holder().await, None);

    let (status, body) = watching.get("/healthz").await;
    assert!(status.contains(" 200 ") && body.contains("dev: unchanged"), "{status} {body}");
    let name = "landskap_objects_changed_total{cluster=\"dev\",component=\"app\"}";
    assert_eq!(watching.metric(name).await, Some(4.0), "two made, one corrected, one made again");
    let last = watching.metric("landskap_last_success_timestamp_seconds{cluster=\"dev\"}").await.unwrap();
    assert!(last > 1_700_000_000.0, "{last}");
    assert_eq!(
        watching.metric("landskap_pending_changes{cluster=\"dev\",component=\"app\"}").await,
        Some(0.0)
    );

    let (status, _, log) = watching.terminate();
    assert_eq!(status.code(), Some(0), "{log}");
}

#[tokio::test]
async fn a_new_commit_is_applied_and_a_rewind_is_refused() {
    let landscape = Landscape::new("commit").await;
    let repository = landscape.repository();
    let first = commit(&repository);
    let url = format!("file://{}", landscape.folder.path().display());
    let watching = Watching::start(&["--landscape", &url, "--git-interval", "1s", "--new-cluster"]);
    landscape.until("one", "1", &watching).await;
    watching.says(&first[..10]).await;

    landscape.config_map("one", "11");
    std::fs::remove_file(landscape.folder.path().join("components/objects/two.yaml")).unwrap();
    landscape.config_map("three", "3");
    let second = commit(&repository);
    landscape.until("one", "11", &watching).await;
    landscape.until("three", "3", &watching).await;
    landscape.until("two", "", &watching).await;
    let line = watching.says("updated").await;
    assert!(line.contains(&second[..10]), "the line names the revision: {line}");
    watching.runs("dev", "unchanged", 1.0).await;

    let commit = repository.find_commit(git2::Oid::from_str(&first).unwrap()).unwrap();
    repository.reset(commit.as_object(), git2::ResetType::Hard, None).unwrap();
    let line = watching.says("refused[").await;
    assert!(line.contains("--allow-rewind"), "{line}");
    watching.runs("dev", "refused", 3.0).await;
    assert_eq!(watching.count("refused["), 1, "said once: {}", watching.log());
    assert_eq!(landscape.value("one").await, "11");
    let (status, body) = watching.get("/healthz").await;
    assert!(status.contains(" 200 ") && body.contains("refused"), "{body}");
    assert_eq!(watching.terminate().0.code(), Some(0));
}

#[tokio::test]
async fn a_landscape_that_does_not_load_changes_nothing_until_it_does() {
    let landscape = Landscape::new("broken").await;
    let watching = landscape.watch(&["--new-cluster"]);
    landscape.until("one", "1", &watching).await;
    watching.runs("dev", "unchanged", 1.0).await;

    let path = landscape.folder.path().join("components/app.yaml");
    let good = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, good.replace("namespace:", "namspace:")).unwrap();
    let line = watching.says("error[unknown-field]").await;
    assert!(line.contains("components/app.yaml:2:1"), "{line}");
    watching.says("nothing is changed until it does").await;
    landscape.edit("one", "changed").await;
    tokio::time::sleep(Duration::from_secs(8)).await;
    assert_eq!(landscape.value("one").await, "changed", "unknown means stop:\n{}", watching.log());
    assert_eq!(watching.count("error[unknown-field]"), 1, "said once");
    assert_eq!(watching.metric("landskap_landscape_ok").await, Some(0.0));

    std::fs::write(&path, good).unwrap();
    landscape.until("one", "1", &watching).await;
    assert_eq!(watching.metric("landskap_landscape_ok").await, Some(1.0));
    assert_eq!(watching.terminate().0.code(), Some(0));
}

#[tokio::test]
async fn a_cluster_that_fails_stops_no_other_and_is_told_once() {
    let landscape = Landscape::new("several").await;
    let other = cluster::with_server("http://127.0.0.1:1");
    let connection = format!("connection: {{kubeconfig: {}}}\n", other.path().display());
    landscape.cluster("gone", &connection);
    let watching = landscape.watch(&["--all-clusters", "--new-cluster"]);
    landscape.until("one", "1", &watching).await;
    watching.runs("gone", "failed", 3.0).await;
    assert_eq!(watching.count("gone: "), 1, "{}", watching.log());
    landscape.edit("one", "changed").await;
    landscape.until("one", "1", &watching).await;
    assert!(watching.metric("landskap_consecutive_failures{cluster=\"gone\"}").await.unwrap() >= 3.0);
    assert_eq!(watching.metric("landskap_consecutive_failures{cluster=\"dev\"}").await, Some(0.0));
    assert_eq!(watching.terminate().0.code(), Some(0));
}

#[tokio::test]
async fn waiting_for_health_holds_up_neither_corrections_nor_the_end() {
    let landscape = Landscape::new("stuck").await;
    landscape.stuck("web");
    let watching = landscape.watch(&["--new-cluster"]);
    landscape.until("one", "1", &watching).await;
    let begin = Instant::now();
    while landscape.lease_holder().await.is_none() {
        assert!(begin.elapsed() < SOON, "no run waits:\n{}", watching.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    landscape.edit("one", "changed").await;
    landscape.until("one", "1", &watching).await;

    while landscape.lease_holder().await.is_none() {
        assert!(begin.elapsed() < 2 * SOON, "no run waits any more:\n{}", watching.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let (status, took, log) = watching.terminate();
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(took < Duration::from_secs(10), "{took:?}");
    assert_eq!(landscape.lease_holder().await, None, "the Lease is given back");
}

#[tokio::test]
async fn an_address_in_use_and_an_unknown_cluster_end_it_at_once() {
    let landscape = Landscape::new("args").await;
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let home = tempfile::tempdir().unwrap();
    let run = |more: &[&str]| {
        let output = command(home.path())
            .args(["--landscape", landscape.folder.path().to_str().unwrap()])
            .args(more)
            .output()
            .unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, text) = run(&["--listen", &address]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains(&format!("cannot listen on {address}")) && text.contains("--listen"), "{text}");
    let (code, text) = run(&["--listen", "127.0.0.1:0", "--cluster", "dve"]);
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("did you mean `dev`?"), "{text}");
}
