//! A landscape of a test's own, in a real git repository, and the real program run on it.
//!
//! The program gets an empty environment but for `HOME` (an empty directory), `PATH` and `KUBECONFIG`; what a test
//! adds is all that it sees.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::cluster::{self, Corner};

/// The name of the only cluster, unless a test writes more.
pub const CLUSTER: &str = "dev";

/// How long any run of the program may take before the test fails.
const DEADLINE: Duration = Duration::from_secs(120);

/// A landscape on disk.
pub struct Landscape {
    /// `metadata.name` of the landscape.
    pub name: String,
    /// The namespace of components.
    pub namespace: String,
    /// What the program is given as `KUBECONFIG`.
    pub kubeconfig: PathBuf,
    /// More environment variables of the program.
    pub environment: Vec<(String, String)>,
    directory: tempfile::TempDir,
    home: tempfile::TempDir,
    // Cleans up in the cluster when the landscape goes.
    _corner: Option<Corner>,
}

/// How a run of the program ended.
#[derive(Debug)]
pub struct Ran {
    /// Its exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Ran {
    fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }

    /// Panics unless it ended with `code`.
    #[track_caller]
    pub fn ended(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self}");
        self
    }

    /// Panics unless it ended with 4 for the reason `code` and for no other.
    #[track_caller]
    pub fn refused(self, code: &str) -> Self {
        let ran = self.ended(4);
        let text = format!("{}{}", ran.out, ran.err);
        let codes: Vec<&str> =
            text.split("refused[").skip(1).filter_map(|rest| rest.split(']').next()).collect();
        assert_eq!(codes, [code], "{ran}");
        ran
    }

    /// Standard output as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self}"))
    }

    /// Whether standard output or standard error contains `text`.
    pub fn says(&self, text: &str) -> bool {
        self.out.contains(text) || self.err.contains(text)
    }
}

impl std::fmt::Display for Ran {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "exit {:?}\n--- out\n{}--- err\n{}", self.code, self.out, self.err)
    }
}

impl Landscape {
    /// A landscape with one cluster, in a corner of the shared cluster; nothing is committed yet.
    pub async fn new(name: &str) -> Self {
        let corner = Corner::new(name).await;
        let (landscape, namespace) = (corner.landscape.clone(), corner.namespace.clone());
        Self::with(landscape, namespace, cluster::kubeconfig(), Some(corner))
    }

    /// The same for a cluster of a test's own (or none at all): nothing is made and nothing cleaned up in it.
    pub fn at(name: &str, kubeconfig: &Path) -> Self {
        let name = cluster::unique(name);
        Self::with(name.clone(), name, kubeconfig, None)
    }

    fn with(name: String, namespace: String, kubeconfig: &Path, corner: Option<Corner>) -> Self {
        let landscape = Self {
            kubeconfig: kubeconfig.into(),
            environment: Vec::new(),
            directory: tempfile::tempdir().unwrap(),
            home: tempfile::tempdir().unwrap(),
            _corner: corner,
            name,
            namespace,
        };
        let kind = |kind: &str, name: &str| {
            format!("apiVersion: landskap.io/v1alpha1\nkind: {kind}\nname: {name}\n")
        };
        landscape.write("landscape.yaml", &kind("Landscape", &landscape.name));
        let cluster = kind("Cluster", CLUSTER) + "environment: dev\nkubernetesVersion: \"1.34\"\n";
        landscape.write(&format!("clusters/{CLUSTER}/cluster.yaml"), &cluster);
        landscape.git(&["init", "--quiet", "--initial-branch=main"]);
        landscape
    }

    /// The root of the repository.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// The program's `HOME`.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// Writes a file.
    pub fn write(&self, path: &str, text: &str) {
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Removes a file or a folder.
    pub fn remove(&self, path: &str) {
        let path = self.path().join(path);
        if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) }.unwrap();
    }

    /// Runs git in the repository and returns what it printed.
    pub fn git(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("git");
        command
            .current_dir(self.path())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1");
        command.args(["-c", "user.name=test", "-c", "user.email=test@example.test"]).args(arguments);
        let output = command.output().unwrap();
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Commits everything and returns the commit.
    pub fn commit(&self) -> String {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message=change"]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// Writes a component of plain objects, installed in every cluster; `fields` are more lines of its file.
    pub fn component(&self, name: &str, fields: &str, objects: &[Value]) {
        // JSON is YAML.
        let documents: Vec<String> = objects.iter().map(|object| format!("{object:#}\n")).collect();
        self.component_of_text(name, fields, &documents.join("---\n"));
    }

    /// The same with the text of its manifests.
    pub fn component_of_text(&self, name: &str, fields: &str, manifests: &str) {
        let namespace = &self.namespace;
        let head = format!("name: {name}\nnamespace: {namespace}\nmanifests: [{name}/]\n");
        self.write(&format!("components/{name}.yaml"), &format!("{head}clusterSelector: {{}}\n{fields}"));
        self.write(&format!("components/{name}/objects.yaml"), manifests);
    }

    /// Removes a component from the repository.
    pub fn drop_component(&self, name: &str) {
        self.remove(&format!("components/{name}.yaml"));
        self.remove(&format!("components/{name}"));
    }

    /// A ConfigMap in the namespace of components.
    pub fn config_map(&self, name: &str, data: &str) -> Value {
        json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": name, "namespace": self.namespace}, "data": {"data": data},
        })
    }

    /// A Deployment (or a StatefulSet) of one pod in the namespace of components.
    pub fn workload(&self, kind: &str, name: &str) -> Value {
        json!({
            "apiVersion": "apps/v1", "kind": kind,
            "metadata": {"name": name, "namespace": self.namespace},
            "spec": {
                "replicas": 1, "selector": {"matchLabels": {"app": name}},
                "template": {
                    "metadata": {"labels": {"app": name}},
                    "spec": {"containers": [{"name": "app", "image": "example.test/app:1"}]},
                },
            },
        })
    }

    /// The program with these arguments, in the repository.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_landskap"));
        command.env_clear().env("HOME", self.home()).env("PATH", std::env::var_os("PATH").unwrap());
        command.env("KUBECONFIG", &self.kubeconfig);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.current_dir(self.path()).args(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs the program to its end.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        finish(self.command(arguments).spawn().unwrap())
    }

    /// `landskap apply --yes` with more arguments.
    pub fn apply(&self, arguments: &[&str]) -> Ran {
        self.run(&[&["apply", "--yes"], arguments].concat())
    }

    /// Commits and applies for the first time.
    #[track_caller]
    pub fn installed(&self) -> Ran {
        self.commit();
        self.apply(&["--new-cluster"]).ended(0)
    }

    /// A request to the cluster's administrator's API: `None` when there is no such object.
    pub async fn get(&self, path: &str) -> Option<Value> {
        let client = cluster::admin_of(&self.kubeconfig).await;
        let request = http::Request::get(path).body(Vec::new()).unwrap();
        match client.request(request).await {
            Ok(value) => Some(value),
            Err(kube::Error::Api(status)) if status.code == 404 => None,
            Err(error) => panic!("GET {path}: {error}"),
        }
    }

    /// A ConfigMap in the namespace of components.
    pub async fn live(&self, name: &str) -> Option<Value> {
        self.get(&format!("/api/v1/namespaces/{}/configmaps/{name}", self.namespace)).await
    }

    /// Names of the ConfigMaps in the namespace of components, but for the one that Kubernetes puts into each.
    pub async fn config_maps(&self) -> Vec<String> {
        let list = self.get(&format!("/api/v1/namespaces/{}/configmaps", self.namespace)).await.unwrap();
        let names = list["items"].as_array().unwrap().iter().map(|item| &item["metadata"]["name"]);
        names
            .map(|name| name.as_str().unwrap().to_owned())
            .filter(|name| name != "kube-root-ca.crt")
            .collect()
    }
}

/// Waits for a run of the program.
pub fn finish(mut child: Child) -> Ran {
    // Both streams are read while it runs: a full pipe would stop it.
    let read = |stream: Option<Box<dyn std::io::Read + Send>>| {
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            if let Some(mut stream) = stream {
                stream.read_to_end(&mut bytes).unwrap();
            }
            bytes
        })
    };
    let out = read(child.stdout.take().map(|stream| Box::new(stream) as _));
    let err = read(child.stderr.take().map(|stream| Box::new(stream) as _));
    let begin = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break Some(status);
        }
        if begin.elapsed() > DEADLINE {
            child.kill().unwrap();
            child.wait().unwrap();
            break None;
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    let (stdout, stderr) = (out.join().unwrap(), err.join().unwrap());
    match status {
        Some(status) => Ran::of(&Output { status, stdout, stderr }),
        None => panic!("still running: {}", String::from_utf8_lossy(&stderr)),
    }
}

/// Sends a signal to a process.
pub fn signal(pid: u32, name: &str) {
    let sent = Command::new("kill").args(["-s", name, &pid.to_string()]).status().unwrap();
    assert!(sent.success(), "kill -s {name} {pid}");
}
