//! One writing run at a time: a Lease per landscape and cluster.
//!
//! The holder renews it every five seconds and stops being sure of it ten seconds after the last success, by a
//! clock that only runs forward; others take it fifteen seconds after they last saw it change. No clocks of two
//! machines are compared. A holder on this machine whose process is gone is replaced at once, so that a killed
//! run does not lock out the next. What a run that lost its Lease still has under way is caught by the
//! inventory's version (`records`): a Lease alone fences nothing.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::Method;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use super::Client;
use super::error::{Error, Failure, WriteError};
use super::path::{Resource, query};
use super::records::MERGE;
use super::request::{Call, Patience};
use crate::object::Scope;
use crate::plan::Live;
use crate::plan::inventory::{RECORD_MANAGER, RECORD_NAMESPACE};

/// How long others leave an unchanged Lease alone.
const DURATION: Duration = Duration::from_secs(15);
/// How often it is renewed.
const RENEWAL: Duration = Duration::from_secs(5);
/// How long after its last renewal the holder is still sure of it.
const CERTAINTY: Duration = Duration::from_secs(10);
/// One attempt to renew.
const ATTEMPT: Duration = Duration::from_secs(3);
/// How often a waiting run looks.
const POLL: Duration = Duration::from_secs(1);

/// Who holds a Lease: a process on a machine between two of its boots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    host: String,
    /// Boot and PID namespace: where a PID means something.
    boot: String,
    pid: u32,
    /// In clock ticks after boot: a PID is used again, together with this it is not.
    start: String,
}

impl Holder {
    /// This process. Where `/proc` is missing it has no boot, and nobody takes over from it before it expires.
    pub fn of_this_process() -> Self {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default().trim().to_owned();
        let namespace =
            std::fs::read_link("/proc/self/ns/pid").map(|p| p.display().to_string()).unwrap_or_default();
        let namespace: String = namespace.chars().filter(char::is_ascii_digit).collect();
        let boot = read("/proc/sys/kernel/random/boot_id");
        let boot = if boot.is_empty() || namespace.is_empty() {
            String::new()
        } else {
            format!("{boot}.{namespace}")
        };
        let pid = std::process::id();
        let host = read("/proc/sys/kernel/hostname").replace('/', "_");
        Self { host, boot, pid, start: start_of(pid).unwrap_or_default() }
    }

    /// Reads what [`Holder`]'s `Display` and a nonce make.
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('/');
        let (host, boot) = (parts.next()?.to_owned(), parts.next()?.to_owned());
        let (pid, start) = (parts.next()?.parse().ok()?, parts.next()?.to_owned());
        Some(Self { host, boot, pid, start })
    }

    /// Whether the holder is a process of the same machine, boot and PID namespace that no longer runs.
    fn is_gone(&self, here: &Self) -> bool {
        let near = self.host == here.host
            && self.boot == here.boot
            && !self.boot.is_empty()
            && !self.start.is_empty();
        near && start_of(self.pid).as_ref() != Some(&self.start)
    }
}

/// `host/boot/pid/start`.
impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, boot, pid, start } = self;
        write!(f, "{host}/{boot}/{pid}/{start}")
    }
}

/// When a process started, in ticks after boot: field 22 of `/proc/PID/stat`, the 20th after the name in brackets.
/// A zombie has ended.
fn start_of(pid: u32) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    if matches!(fields.next()?, "Z" | "X") {
        return None;
    }
    fields.nth(18).map(Into::into)
}

/// Who is waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The holder, for people: `host, process 123`.
    pub holder: String,
    /// Since when it holds the Lease, as it wrote it.
    pub since: String,
}

/// Why a Lease was not acquired.
#[derive(Debug, thiserror::Error)]
pub enum LeaseError {
    /// Another run has it.
    #[error("another run has held the Lease since {}: {}", .0.since, .0.holder)]
    HeldBy(Waiting),
    /// It could not be read.
    #[error(transparent)]
    Read(#[from] Error),
    /// It could not be written.
    #[error("cannot take the run Lease")]
    Write(#[from] WriteError),
}

/// A held Lease. Given back by [`RunLease::release`], or some time after it is dropped.
#[derive(Debug)]
pub struct RunLease {
    lost: watch::Receiver<bool>,
    stop: Arc<Notify>,
    task: Option<tokio::task::JoinHandle<()>>,
}

impl RunLease {
    /// Whether it may no longer be ours. Nothing may be written any more then.
    pub fn is_lost(&self) -> bool {
        *self.lost.borrow()
    }

    /// Turns true when it is lost.
    pub fn watch_loss(&self) -> watch::Receiver<bool> {
        self.lost.clone()
    }

    /// Gives it back, so that the next run need not wait.
    pub async fn release(mut self) {
        self.stop.notify_one();
        if let Some(task) = self.task.take() {
            let _ = task.await;
        }
    }
}

impl Drop for RunLease {
    fn drop(&mut self) {
        self.stop.notify_one();
    }
}

/// One of our Leases as read.
struct Seen {
    version: String,
    /// Empty: free.
    holder: String,
    since: String,
    transitions: i64,
}

impl Seen {
    fn of(live: &Live) -> Self {
        let text = |field: &str| {
            live.0.pointer(&format!("/spec/{field}")).and_then(Value::as_str).unwrap_or_default()
        };
        Self {
            version: live.resource_version().into(),
            holder: text("holderIdentity").into(),
            since: text("acquireTime").into(),
            transitions: live.0.pointer("/spec/leaseTransitions").and_then(Value::as_i64).unwrap_or_default(),
        }
    }

    fn waiting(&self) -> Waiting {
        let holder = match Holder::parse(&self.holder) {
            Some(holder) => format!("{}, process {}", holder.host, holder.pid),
            None => self.holder.clone(),
        };
        Waiting { holder, since: self.since.clone() }
    }
}

fn leases() -> Resource {
    Resource::built_in("coordination.k8s.io", "v1", "Lease", "leases", Scope::Namespaced)
}

fn lease_name(landscape: &str) -> String {
    format!("run.{landscape}")
}

/// `MicroTime` of apimachinery.
fn now() -> String {
    Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
}

impl Client {
    /// Takes the run Lease of `landscape`; waits for another holder up to `timeout` and tells `on_wait` for whom,
    /// once per holder. Makes the namespace `landskap` if need be.
    pub async fn acquire(
        &self,
        landscape: &str,
        holder: &Holder,
        timeout: Duration,
        mut on_wait: impl FnMut(&Waiting),
    ) -> Result<RunLease, LeaseError> {
        let begin = Instant::now();
        // Two runs of one process are two runs.
        let identity = format!("{holder}/{:08x}", getrandom::u32().unwrap_or_default());
        let mut unchanged_since: Option<(String, Instant)> = None;
        let mut announced = String::new();
        loop {
            let asked = Instant::now();
            let taken = match self.read_lease(landscape).await? {
                None => self.create_lease(landscape, &identity).await?,
                // An earlier attempt of ours, whose answer got lost.
                Some(seen) if seen.holder == identity => Some(seen.version),
                Some(seen) => {
                    let since = match &unchanged_since {
                        Some((version, since)) if *version == seen.version => *since,
                        _ => asked,
                    };
                    unchanged_since = Some((seen.version.clone(), since));
                    let gone = Holder::parse(&seen.holder).is_some_and(|other| other.is_gone(holder));
                    if seen.holder.is_empty() || gone || since.elapsed() >= DURATION {
                        self.take_lease(landscape, &identity, &seen).await?
                    } else {
                        if announced != seen.holder {
                            on_wait(&seen.waiting());
                            announced.clone_from(&seen.holder);
                        }
                        if begin.elapsed() >= timeout {
                            return Err(LeaseError::HeldBy(seen.waiting()));
                        }
                        None
                    }
                }
            };
            if let Some(version) = taken {
                return Ok(self.hold(landscape.to_owned(), identity, version, asked));
            }
            let left = timeout.saturating_sub(begin.elapsed());
            tokio::time::sleep(POLL.min(left.max(Duration::from_millis(50)))).await;
        }
    }

    async fn read_lease(&self, landscape: &str) -> Result<Option<Seen>, Error> {
        let live = self.get_at(&leases(), Some(RECORD_NAMESPACE), &lease_name(landscape), false).await;
        let live = live.map_err(|failure| failure.reading("read the run Lease".into()))?;
        Ok(live.as_ref().map(Seen::of))
    }

    /// Makes the Lease and returns its version; `None` if somebody else just did.
    async fn create_lease(&self, landscape: &str, identity: &str) -> Result<Option<String>, WriteError> {
        let now = now();
        let body = json!({
            "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
            "metadata": {
                "name": lease_name(landscape), "namespace": RECORD_NAMESPACE,
                "labels": {
                    "app.kubernetes.io/managed-by": "landskap",
                    "landskap.io/record": "lease",
                    "landskap.io/record-landscape": landscape,
                },
            },
            "spec": {
                "holderIdentity": identity, "leaseDurationSeconds": DURATION.as_secs(),
                "acquireTime": now, "renewTime": now, "leaseTransitions": 0,
            },
        });
        let mut result = self.create(&leases(), &body, false).await;
        if result.as_ref().is_err_and(|failure| failure.is(404)) {
            self.ensure_record_namespace().await?;
            result = self.create(&leases(), &body, false).await;
        }
        self.version_of(result)
    }

    /// Takes a Lease that was free or abandoned; `None` if somebody else was faster.
    async fn take_lease(
        &self,
        landscape: &str,
        identity: &str,
        seen: &Seen,
    ) -> Result<Option<String>, WriteError> {
        let now = now();
        let spec = json!({
            "holderIdentity": identity, "leaseDurationSeconds": DURATION.as_secs(),
            "acquireTime": now, "renewTime": now, "leaseTransitions": seen.transitions + 1,
        });
        let result = self.call(patch(landscape, &seen.version, &spec).repeatable()).await;
        self.version_of(result)
    }

    #[allow(clippy::unused_self, reason = "reads as the step that it is")]
    fn version_of(
        &self,
        result: Result<super::request::Answer, Failure>,
    ) -> Result<Option<String>, WriteError> {
        match result {
            Ok(answer) => {
                Ok(Some(Live(answer.json().map_err(WriteError::Nonsense)?).resource_version().to_owned()))
            }
            // A repeated write whose first answer got lost ends here too: the next look finds our own name.
            Err(failure) if failure.is(409) || failure.is(404) => Ok(None),
            Err(failure) => Err(failure.into()),
        }
    }

    fn hold(&self, landscape: String, identity: String, version: String, since: Instant) -> RunLease {
        let (lost_sender, lost) = watch::channel(false);
        let stop = Arc::new(Notify::new());
        let (client, stopped) = (self.clone(), Arc::clone(&stop));
        let task = tokio::spawn(async move {
            let version = client.keep_lease(&landscape, &identity, version, since, &stopped).await;
            match version {
                Some(version) => {
                    let free = json!({"holderIdentity": "", "leaseDurationSeconds": 1});
                    let call = patch(&landscape, &version, &free).patience(Patience::Once(ATTEMPT));
                    // Not given back, it expires.
                    let _ = client.call(call).await;
                }
                None => drop(lost_sender.send(true)),
            }
        });
        RunLease { lost, stop, task: Some(task) }
    }

    /// Renews until it is told to stop, and returns the last version; `None` when the Lease is lost.
    async fn keep_lease(
        &self,
        landscape: &str,
        identity: &str,
        mut version: String,
        mut renewed: Instant,
        stop: &Notify,
    ) -> Option<String> {
        let mut pause = RENEWAL;
        loop {
            tokio::select! {
                () = stop.notified() => return Some(version),
                () = tokio::time::sleep(pause) => {}
            }
            let asked = Instant::now();
            let patience = ATTEMPT.min((renewed + CERTAINTY).saturating_duration_since(asked));
            let renewal = json!({"holderIdentity": identity, "renewTime": now()});
            let call = patch(landscape, &version, &renewal).patience(Patience::Once(patience));
            match self.call(call).await {
                Ok(answer) => {
                    if let Ok(value) = answer.json() {
                        Live(value).resource_version().clone_into(&mut version);
                    }
                    renewed = asked;
                    pause = RENEWAL;
                }
                Err(failure) if failure.is(404) => return None,
                Err(failure) => {
                    if failure.is(409) {
                        // Our own write with a lost answer, a label set by hand, or a new holder.
                        // It must not take longer than we may be sure.
                        let left = (renewed + CERTAINTY).saturating_duration_since(Instant::now());
                        match tokio::time::timeout(left.min(ATTEMPT), self.read_lease(landscape)).await {
                            Ok(Ok(Some(seen))) if seen.holder == identity => version = seen.version,
                            Ok(Ok(_)) => return None,
                            Ok(Err(_)) | Err(_) => {}
                        }
                    }
                    if renewed.elapsed() >= CERTAINTY {
                        return None;
                    }
                    pause = Duration::from_millis(500);
                }
            }
        }
    }
}

/// A change of the Lease at `version`.
fn patch(landscape: &str, version: &str, spec: &Value) -> Call {
    let body = json!({"metadata": {"resourceVersion": version}, "spec": spec});
    let path = leases().object(Some(RECORD_NAMESPACE), &lease_name(landscape));
    Call::send(Method::PATCH, query(&path, &[("fieldManager", RECORD_MANAGER)]), MERGE, &body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::disallowed_methods, reason = "a process to kill")]
    fn a_holder_is_gone_when_its_process_is() {
        let here = Holder::of_this_process();
        assert!(!here.is_gone(&here), "we run");
        assert_eq!(Holder::parse(&format!("{here}/0badcafe")), Some(here.clone()));
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let other = Holder { pid: child.id(), start: start_of(child.id()).unwrap(), ..here.clone() };
        assert!(!other.is_gone(&here));
        child.kill().unwrap();
        while start_of(child.id()).is_some() {
            std::thread::yield_now();
        }
        assert!(other.is_gone(&here), "a zombie is gone");
        child.wait().unwrap();
        assert!(other.is_gone(&here));
        assert!(Holder { start: "1".into(), ..here.clone() }.is_gone(&here), "the PID is used again");
        assert!(!Holder { host: "elsewhere".into(), ..other.clone() }.is_gone(&here), "another machine");
        assert!(!Holder { boot: "other".into(), ..other }.is_gone(&here), "another boot or PID namespace");
    }

    #[test]
    fn times_are_written_as_kubernetes_reads_them() {
        let now = now();
        assert_eq!((now.len(), now.as_bytes()[19], now.ends_with('Z')), (27, b'.', true), "{now}");
    }
}
