//! A real API server for tests, and a place of one's own in it.
//!
//! `LANDSKAP_TEST_KUBECONFIG` names a kubeconfig; without it a cluster is started by `ci/devcluster/up` (or found
//! running). Tests share it: each takes a [`Corner`] with a namespace and a landscape name that nobody else has,
//! which is cleaned up when it goes out of scope.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Secret};
use kube::api::{Api, DeleteParams, ListParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use landskap::cluster::{Client, Target};
use serde_json::{Value, json};

/// The kubeconfig of the shared cluster.
pub fn kubeconfig() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| {
        landskap::cluster::install_crypto_provider();
        match std::env::var_os("LANDSKAP_TEST_KUBECONFIG") {
            Some(path) => path.into(),
            None => start("tests"),
        }
    })
}

/// Starts the devcluster `name`, or finds it running, and returns its kubeconfig.
pub fn start(name: &str) -> PathBuf {
    let up = Path::new(env!("CARGO_MANIFEST_DIR")).join("ci/devcluster/up");
    let output = Command::new(&up).arg(name).output().unwrap();
    assert!(output.status.success(), "{}: {}", up.display(), String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let path = text.lines().find_map(|l| l.strip_prefix("export KUBECONFIG=")).unwrap();
    PathBuf::from(path.trim().trim_matches('\''))
}

/// A name that no other test, process or run has.
pub fn unique(prefix: &str) -> String {
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    let time = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_micros()
        % 1_000_000_000;
    format!("{prefix}-{}-{time}-{}", std::process::id(), COUNTER.fetch_add(1, Ordering::Relaxed))
}

/// A client of kube with all rights, to set the scene with.
pub async fn admin() -> kube::Client {
    admin_of(kubeconfig()).await
}

/// The same for a kubeconfig.
pub async fn admin_of(kubeconfig: &Path) -> kube::Client {
    let config = Kubeconfig::read_from(kubeconfig).unwrap();
    let mut config =
        kube::Config::from_custom_kubeconfig(config, &KubeConfigOptions::default()).await.unwrap();
    config.proxy_url = None;
    kube::Client::try_from(config).unwrap()
}

/// Our own client with all rights.
pub async fn connect() -> Client {
    connect_to(kubeconfig()).await
}

/// Our own client for a kubeconfig.
pub async fn connect_to(kubeconfig: &Path) -> Client {
    let target = Target { kubeconfig: Some(kubeconfig.into()), ..Target::default() };
    landskap::cluster::connect(&target).await.unwrap()
}

/// A namespace and a landscape name of a test's own.
pub struct Corner {
    /// An existing namespace.
    pub namespace: String,
    /// A landscape that no other test uses; its records are removed at the end.
    pub landscape: String,
}

impl Corner {
    /// Makes the namespace.
    pub async fn new(name: &str) -> Self {
        let unique = unique(name);
        let namespaces: Api<Namespace> = Api::all(admin().await);
        let namespace = serde_json::from_value(json!({"metadata": {"name": unique}})).unwrap();
        namespaces.create(&PostParams::default(), &namespace).await.unwrap();
        Self { namespace: unique.clone(), landscape: unique }
    }
}

impl Drop for Corner {
    fn drop(&mut self) {
        let (namespace, landscape) = (self.namespace.clone(), self.landscape.clone());
        // A runtime of its own: the test's may be the one that is shutting down.
        let cleaned = std::thread::spawn(move || {
            tokio::runtime::Runtime::new().unwrap().block_on(async {
                let client = admin().await;
                let namespaces: Api<Namespace> = Api::all(client.clone());
                let _ = namespaces.delete(&namespace, &DeleteParams::background()).await;
                let records =
                    ListParams::default().labels(&format!("landskap.io/record-landscape={landscape}"));
                let maps: Api<ConfigMap> = Api::namespaced(client.clone(), "landskap");
                let _ = maps.delete_collection(&DeleteParams::default(), &records).await;
                let secrets: Api<Secret> = Api::namespaced(client.clone(), "landskap");
                let _ = secrets.delete_collection(&DeleteParams::default(), &records).await;
                let leases: Api<Lease> = Api::namespaced(client, "landskap");
                let _ = leases.delete_collection(&DeleteParams::default(), &records).await;
            });
        });
        let _ = cleaned.join();
    }
}

/// A kubeconfig of a service account of `namespace` that may do only what `rules` (RBAC rules) say in that
/// namespace, and what `cluster_rules` say everywhere. The file lives as long as the result.
pub async fn limited_user(namespace: &str, rules: Value, cluster_rules: Value) -> tempfile::NamedTempFile {
    let client = admin().await;
    let name = unique("user");
    post(
        &client,
        &format!("/api/v1/namespaces/{namespace}/serviceaccounts"),
        json!({"metadata": {"name": name}}),
    )
    .await;
    let subject = json!([{"kind": "ServiceAccount", "name": name, "namespace": namespace}]);
    let rbac = "/apis/rbac.authorization.k8s.io/v1";
    post(
        &client,
        &format!("{rbac}/namespaces/{namespace}/roles"),
        json!({"metadata": {"name": name}, "rules": rules}),
    )
    .await;
    let role = json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name});
    let binding = json!({"metadata": {"name": name}, "subjects": subject, "roleRef": role});
    post(&client, &format!("{rbac}/namespaces/{namespace}/rolebindings"), binding).await;
    // Cluster-wide rights outlive the namespace by a name that is unique and harmless.
    if cluster_rules.as_array().is_some_and(|rules| !rules.is_empty()) {
        post(
            &client,
            &format!("{rbac}/clusterroles"),
            json!({"metadata": {"name": name}, "rules": cluster_rules}),
        )
        .await;
        let role = json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name});
        let binding = json!({"metadata": {"name": name}, "subjects": subject, "roleRef": role});
        post(&client, &format!("{rbac}/clusterrolebindings"), binding).await;
    }
    let request = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}});
    let answer =
        post(&client, &format!("/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token"), request).await;
    with_token(answer["status"]["token"].as_str().unwrap())
}

/// The shared cluster's kubeconfig with this token in place of the administrator's certificate.
pub fn with_token(token: &str) -> tempfile::NamedTempFile {
    with_user(&json!({"token": token}))
}

/// The shared cluster's kubeconfig with these credentials in place of the administrator's.
pub fn with_user(user: &Value) -> tempfile::NamedTempFile {
    let mut config = Kubeconfig::read_from(kubeconfig()).unwrap();
    for named in &mut config.auth_infos {
        named.auth_info = serde_json::from_value(user.clone()).unwrap();
    }
    written(&config)
}

/// The token in a kubeconfig of [`limited_user`].
pub fn token_of(kubeconfig: &Path) -> String {
    let config: Value = serde_json::from_str(&std::fs::read_to_string(kubeconfig).unwrap()).unwrap();
    config["users"][0]["user"]["token"].as_str().unwrap().to_owned()
}

/// The shared cluster's kubeconfig with another server address.
pub fn with_server(server: &str) -> tempfile::NamedTempFile {
    let mut config = Kubeconfig::read_from(kubeconfig()).unwrap();
    for cluster in &mut config.clusters {
        cluster.cluster.as_mut().unwrap().server = Some(server.into());
    }
    written(&config)
}

/// The shared cluster's kubeconfig with a certificate authority that did not sign the server's certificate.
pub fn with_other_authority() -> tempfile::NamedTempFile {
    let mut config = Kubeconfig::read_from(kubeconfig()).unwrap();
    for cluster in &mut config.clusters {
        let cluster = cluster.cluster.as_mut().unwrap();
        cluster.certificate_authority = None;
        cluster.certificate_authority_data = Some(OTHER_AUTHORITY.into());
    }
    written(&config)
}

fn written(config: &Kubeconfig) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), serde_json::to_string(config).unwrap()).unwrap();
    file
}

/// Sends `body` to `path` and returns the answer, which must be good.
pub async fn post(client: &kube::Client, path: &str, body: Value) -> Value {
    send(client, http::Method::POST, path, body).await.unwrap_or_else(|e| panic!("POST {path}: {e}"))
}

/// Sends a request with a JSON body.
pub async fn send(
    client: &kube::Client,
    method: http::Method,
    path: &str,
    body: Value,
) -> kube::Result<Value> {
    let content_type =
        if method == http::Method::PATCH { "application/merge-patch+json" } else { "application/json" };
    let request = http::Request::builder().method(method).uri(path).header("content-type", content_type);
    client.request(request.body(body.to_string().into_bytes()).unwrap()).await
}

/// A self-signed certificate (X.509 v3, valid for a hundred years), whose key nobody has; PEM in base64.
const OTHER_AUTHORITY: &str = concat!(
    "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSUJrRENDQVRXZ0F3SUJBZ0lVU1NJeGtVQlhncUM5bHBXKzc1RXhCT1gzYXZB",
    "d0NnWUlLb1pJemowRUF3SXcKSERFYU1CZ0dBMVVFQXd3UllXNXZkR2hsY2lCaGRYUm9iM0pwZEhrd0lCY05Nall4TVRJeU1qRXdP",
    "VEk1V2hnUApNakV5TmpFd01qa3lNVEE1TWpsYU1Cd3hHakFZQmdOVkJBTU1FV0Z1YjNSb1pYSWdZWFYwYUc5eWFYUjVNRmt3CkV3",
    "WUhLb1pJemowQ0FRWUlLb1pJemowREFRY0RRZ0FFRk9zWnl1c3J1WVdMNlNTTFZUN25kR2psOUI0ZGdqYWcKYnFGOS9SZm9PTXlx",
    "ZGs5c29xekNncDVvTVAyUGhOdDljZUszVjhnOS9oV3RNRmRsVFphQWw2TlRNRkV3SFFZRApWUjBPQkJZRUZKeEdKQ3FHUnpXNTNQ",
    "TEFNRS9uejh1TEhwaUZNQjhHQTFVZEl3UVlNQmFBRkp4R0pDcUdSelc1CjNQTEFNRS9uejh1TEhwaUZNQThHQTFVZEV3RUIvd1FG",
    "TUFNQkFmOHdDZ1lJS29aSXpqMEVBd0lEU1FBd1JnSWgKQUxSKy90aU94Rlo0NkxiUk9ONmZhd3hXZk5FN2l2OVZkMUNQcStSYzFE",
    "WUNBaUVBbDNOUWVaT0hEVkxNQlNaYwpkMXk0djlZMTdZckZXSmxXb0Q0eGtDMndsb0k9Ci0tLS0tRU5EIENFUlRJRklDQVRFLS0t",
    "LS0K",
);
