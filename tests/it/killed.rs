//! The program itself ended in the middle: `kill -9` after every single write, SIGINT, an API server that goes away.
//!
//! (`crash` does the same to the library, with answers that get lost.) The proxy ends it at the worst moment: the
//! server has carried the write out, and nobody knows.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc;

use http::Method;
use landskap::object::ObjectRef;
use landskap::plan::inventory::Entry;
use serde_json::{Value, json};

use crate::support::cluster;
use crate::support::landscape::{Landscape, Ran, finish, signal};
use crate::support::proxy::{Proxy, Seen};

/// Where objects of the kinds that these landscapes use are listed: (path, group, kind).
const KINDS: [(&str, &str, &str); 5] = [
    ("/api/v1/configmaps", "", "ConfigMap"),
    ("/api/v1/secrets", "", "Secret"),
    ("/api/v1/serviceaccounts", "", "ServiceAccount"),
    ("/api/v1/namespaces", "", "Namespace"),
    ("/apis/apps/v1/deployments", "apps", "Deployment"),
];

/// Every live object that carries the landscape's mark.
async fn marked(landscape: &Landscape) -> BTreeSet<ObjectRef> {
    let mut all = BTreeSet::new();
    for (path, group, kind) in KINDS {
        let selector = format!("{path}?labelSelector=landskap.io/landscape={}", landscape.name);
        let list = landscape.get(&selector).await.unwrap();
        all.extend(list["items"].as_array().unwrap().iter().map(|item| ObjectRef {
            group: group.into(),
            kind: kind.into(),
            namespace: item["metadata"]["namespace"].as_str().map(Into::into),
            name: item["metadata"]["name"].as_str().unwrap().into(),
        }));
    }
    all
}

/// I1: whatever carries our mark is listed in an inventory.
async fn assert_everything_is_listed(landscape: &Landscape, moment: &str) {
    let client = cluster::connect_to(&landscape.kubeconfig).await;
    let inventories = client.read_records(&landscape.name).await.unwrap().inventories;
    let listed: BTreeSet<&String> = inventories.values().flat_map(|i| i.entries.keys()).collect();
    for reference in marked(landscape).await {
        let key = Entry::key(&reference);
        assert!(listed.contains(&key), "{moment}: {reference} is in no inventory: {inventories:#?}");
    }
}

/// Runs the program through the proxy and ends it by `signal` after its `n`-th write.
fn run_and_signal(landscape: &Landscape, proxy: &Proxy, n: usize, name: &'static str) -> Ran {
    proxy.reset();
    let (sender, receiver) = mpsc::channel();
    proxy.after_write(n, move |_| signal(receiver.recv().unwrap(), name));
    let child = through(landscape, proxy, &["apply", "--yes", "--new-cluster"]).spawn().unwrap();
    sender.send(child.id()).unwrap();
    finish(child)
}

/// The program with the proxy between it and the server.
fn through(landscape: &Landscape, proxy: &Proxy, arguments: &[&str]) -> Command {
    let mut command = landscape.command(arguments);
    command.env("KUBECONFIG", proxy.kubeconfig());
    command
}

/// The wanted objects are there, nothing else of ours is, and an apply writes nothing, not even a Lease.
async fn assert_converged(landscape: &Landscape, proxy: &Proxy, wanted: &[&str], moment: &str) {
    let live = marked(landscape).await;
    let names: BTreeSet<&str> = live.iter().map(|reference| reference.name.as_str()).collect();
    assert_eq!(names, wanted.iter().copied().collect(), "{moment}");
    assert_everything_is_listed(landscape, moment).await;
    proxy.reset();
    let ran = finish(through(landscape, proxy, &["apply", "--yes"]).spawn().unwrap()).ended(0);
    let writes: Vec<Seen> = proxy.seen().into_iter().filter(sends_something).collect();
    assert_eq!(writes, [], "{moment}: {ran}");
}

/// Whether a request could change anything: the Lease counts.
fn sends_something(seen: &Seen) -> bool {
    seen.method != Method::GET && !seen.is_dry_run() && !seen.path.contains("/authorization.k8s.io/")
}

/// Kills an apply of `change` after each of its writes, in a landscape of its own each time, until one ends by
/// itself. Returns how many were killed. `prepare` may give the UID of the object `moves`, which it must keep.
async fn kill_at_every_write(
    prepare: impl AsyncFn(&Landscape) -> Option<Value>,
    change: impl Fn(&Landscape),
    wanted: &[&str],
) -> usize {
    for n in 1.. {
        let landscape = Landscape::new("killed").await;
        let uid = prepare(&landscape).await;
        change(&landscape);
        landscape.commit();
        let proxy = Proxy::start(&landscape.kubeconfig);
        let ran = run_and_signal(&landscape, &proxy, n, "KILL");
        let killed = ran.code.is_none();
        let moment = format!("after write {n} of {}", proxy.writes());
        // Requests that were on their way may still be carried out.
        std::thread::sleep(std::time::Duration::from_millis(100));
        assert_everything_is_listed(&landscape, &moment).await;
        if killed {
            let again = landscape.apply(&["--new-cluster"]);
            assert_eq!(again.code, Some(0), "{moment}: {again}");
        } else {
            ran.ended(0);
        }
        assert_converged(&landscape, &proxy, wanted, &moment).await;
        if let Some(uid) = uid {
            let moved = landscape.live("moves").await.unwrap();
            assert_eq!(moved["metadata"]["uid"], uid, "{moment}: handed over, not made again");
        }
        if !killed {
            return n - 1;
        }
    }
    unreachable!("an apply ends")
}

/// Two components, the second after the first, in a namespace that has to be made.
fn first(landscape: &Landscape) {
    let account = json!({
        "apiVersion": "v1", "kind": "ServiceAccount",
        "metadata": {"name": "account", "namespace": landscape.namespace},
    });
    landscape.component("base", "", &[landscape.config_map("settings", "1"), account]);
    landscape.component("app", "dependsOn: [base]\n", &[landscape.workload("Deployment", "web")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_any_write_of_a_first_apply_the_next_run_converges() {
    let points = kill_at_every_write(async |_| None, first, &["settings", "account", "web"]).await;
    assert!(points >= 7, "only {points} writes");
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_any_write_of_a_removal_and_a_handover_the_next_run_converges() {
    let prepare = async |landscape: &Landscape| {
        let map = |name: &str| landscape.config_map(name, "1");
        landscape.component("stays", "", &[map("changes"), map("goes")]);
        landscape.component("leaves", "", &[map("moves"), map("left")]);
        landscape.installed();
        Some(landscape.live("moves").await.unwrap()["metadata"]["uid"].clone())
    };
    let change = |landscape: &Landscape| {
        let map = |name: &str| landscape.config_map(name, "2");
        landscape.component("stays", "", &[map("changes"), landscape.config_map("moves", "1")]);
        landscape.component("new", "dependsOn: [stays]\n", &[map("made")]);
        landscape.drop_component("leaves");
    };
    let points = kill_at_every_write(prepare, change, &["changes", "moves", "made"]).await;
    assert!(points >= 7, "only {points} writes");
}

#[tokio::test(flavor = "multi_thread")]
async fn interrupted_it_ends_with_130_and_the_next_run_converges() {
    for n in [2, 5] {
        let landscape = Landscape::new("interrupted").await;
        first(&landscape);
        landscape.commit();
        let proxy = Proxy::start(&landscape.kubeconfig);
        let ran = run_and_signal(&landscape, &proxy, n, "INT").ended(130);
        assert!(ran.says("interrupted"), "{ran}");
        let moment = format!("interrupted after write {n}");
        assert_everything_is_listed(&landscape, &moment).await;
        let lease = format!("/apis/coordination.k8s.io/v1/namespaces/landskap/leases/run.{}", landscape.name);
        let lease = landscape.get(&lease).await.unwrap();
        assert_eq!(lease["spec"]["holderIdentity"].as_str().unwrap_or_default(), "", "given back: {lease}");
        landscape.apply(&["--new-cluster"]).ended(0);
        assert_converged(&landscape, &proxy, &["settings", "account", "web"], &moment).await;
    }
}

/// A control plane of a test's own, ended with it.
struct Own(String);

impl Own {
    fn program(name: &str) -> Command {
        Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("ci/devcluster").join(name))
    }

    fn part(name: &str, action: &str) {
        let output = Self::program("part").args([name, "apiserver", action]).output().unwrap();
        assert!(output.status.success(), "{action}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        let _ = Self::program("down").arg(&self.0).output();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_server_that_is_killed_in_the_middle_of_an_apply() {
    let own = Own(cluster::unique("killed"));
    let kubeconfig = cluster::start(&own.0);

    // It comes back at once: the run goes on, or fails and says so.
    let landscape = Landscape::at("restarted", &kubeconfig);
    first(&landscape);
    landscape.commit();
    let proxy = Proxy::start(&kubeconfig);
    let name = own.0.clone();
    let (started, restart) = mpsc::channel();
    proxy.after_write(4, move |_| {
        Own::part(&name, "kill");
        std::thread::spawn(move || {
            Own::part(&name, "start");
            started.send(()).unwrap();
        });
    });
    let ran = finish(through(&landscape, &proxy, &["apply", "--yes", "--new-cluster"]).spawn().unwrap());
    restart.recv().unwrap();
    assert_settled(&ran);
    assert_everything_is_listed(&landscape, "after a restart").await;
    landscape.apply(&["--new-cluster"]).ended(0);
    assert_converged(&landscape, &proxy, &["settings", "account", "web"], "after a restart").await;

    // It stays away: the run fails, says why, and the next one takes up the thread.
    landscape.component(
        "base",
        "",
        &[landscape.config_map("settings", "2"), landscape.config_map("more", "2")],
    );
    landscape.component("app", "", &[landscape.workload("Deployment", "web")]);
    landscape.commit();
    let name = own.0.clone();
    proxy.reset();
    proxy.after_write(2, move |_| Own::part(&name, "kill"));
    let ran = finish(through(&landscape, &proxy, &["apply", "--yes"]).spawn().unwrap()).ended(1);
    assert_settled(&ran);
    Own::part(&own.0, "start");
    assert_everything_is_listed(&landscape, "after an outage").await;
    landscape.apply(&[]).ended(0);
    assert_converged(&landscape, &proxy, &["settings", "more", "web"], "after an outage").await;
}

/// It went on to the end, or it says that the server went away.
#[track_caller]
fn assert_settled(ran: &Ran) {
    match ran.code {
        Some(0) => {}
        Some(1) => {
            let reasons = ["connect", "connection", "no answer", "timed out", "cannot be reached"];
            assert!(reasons.iter().any(|reason| ran.says(reason)), "{ran}");
        }
        _ => panic!("{ran}"),
    }
}
