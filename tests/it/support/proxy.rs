//! An HTTP proxy before the real API server that counts, breaks and interrupts.
//!
//! Plain HTTP comes in on a loopback port; it goes out with the credentials of the kubeconfig that the proxy was
//! started with. [`Proxy::kubeconfig`] is what the program under test is given. Faults are injected into real
//! exchanges, so that what a fault leaves behind is what a real server would.

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{Method, Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use kube::config::{KubeConfigOptions, Kubeconfig};
use tokio::net::TcpListener;

type Answer = Response<UnsyncBoxBody<Bytes, Box<dyn std::error::Error + Send + Sync>>>;

/// What happens instead of the usual.
#[derive(Debug, Clone)]
pub enum Fault {
    /// Answered with this status and a `Status` body; nothing reaches the server.
    Status {
        /// HTTP status.
        code: u16,
        /// `Retry-After`, in seconds.
        retry_after: Option<u32>,
        /// `message` of the body.
        message: String,
    },
    /// The connection breaks before the request reaches the server.
    ResetBefore,
    /// The server carries the request out; then the connection breaks without an answer.
    ResetAfterCommit,
    /// The request waits first.
    Delay(Duration),
}

/// One request as it came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The method.
    pub method: Method,
    /// Path and query.
    pub path: String,
}

impl Seen {
    /// Whether it asks for a dry run.
    pub fn is_dry_run(&self) -> bool {
        self.path.contains("dryRun=All")
    }

    /// Whether it changes something: neither a read, nor a dry run, nor a review. Leases are apart: how often
    /// they are renewed depends on time.
    pub fn is_write(&self) -> bool {
        let reads = self.method == Method::GET || self.is_dry_run();
        !reads && !self.path.contains("/authorization.k8s.io/") && !self.is_lease()
    }

    /// Whether it is about a Lease.
    pub fn is_lease(&self) -> bool {
        self.path.contains("/coordination.k8s.io/")
    }
}

type Matcher = Box<dyn Fn(&Seen) -> bool + Send>;
type Hook = Box<dyn FnOnce(&Seen) + Send>;

#[derive(Default)]
struct State {
    seen: Vec<Seen>,
    faults: VecDeque<(Matcher, usize, Fault)>,
    hooks: BTreeMap<usize, Hook>,
    writes: usize,
}

/// A running proxy; ends when dropped.
pub struct Proxy {
    state: Arc<Mutex<State>>,
    kubeconfig: tempfile::NamedTempFile,
    // A runtime of its own: a test that blocks (on the program that it runs) must not stop the proxy.
    runtime: Option<tokio::runtime::Runtime>,
}

impl Proxy {
    /// Starts a proxy before the server of `kubeconfig`.
    pub fn start(kubeconfig: &Path) -> Self {
        landskap::cluster::install_crypto_provider();
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let state = Arc::new(Mutex::new(State::default()));
        let config = Kubeconfig::read_from(kubeconfig).unwrap();
        let shared = Arc::clone(&state);
        let (sender, receiver) = std::sync::mpsc::channel();
        runtime.spawn(async move {
            let mut config =
                kube::Config::from_custom_kubeconfig(config, &KubeConfigOptions::default()).await.unwrap();
            config.default_retry = false;
            config.disable_compression = true;
            config.proxy_url = None;
            let upstream = kube::Client::try_from(config).unwrap();
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            sender.send(listener.local_addr().unwrap()).unwrap();
            while let Ok((stream, _)) = listener.accept().await {
                let (upstream, state) = (upstream.clone(), Arc::clone(&shared));
                tokio::spawn(async move {
                    let service =
                        service_fn(move |request| serve(upstream.clone(), Arc::clone(&state), request));
                    // An error is a fault that was asked for, or a client that was killed.
                    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        let url = format!("http://{}", receiver.recv().unwrap());
        let text = serde_json::json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "proxy",
            "clusters": [{"name": "proxy", "cluster": {"server": url}}],
            "contexts": [{"name": "proxy", "context": {"cluster": "proxy", "user": "proxy"}}],
            "users": [{"name": "proxy", "user": {}}],
        });
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text.to_string()).unwrap();
        Self { state, kubeconfig: file, runtime: Some(runtime) }
    }

    /// A kubeconfig whose only context, `proxy`, leads here.
    pub fn kubeconfig(&self) -> &Path {
        self.kubeconfig.path()
    }

    /// All requests so far, in order of arrival.
    pub fn seen(&self) -> Vec<Seen> {
        self.state.lock().unwrap().seen.clone()
    }

    /// How many requests had this method.
    pub fn count(&self, method: &Method) -> usize {
        self.state.lock().unwrap().seen.iter().filter(|seen| seen.method == *method).count()
    }

    /// How many writes the server has carried out or refused ([`Seen::is_write`]).
    pub fn writes(&self) -> usize {
        self.state.lock().unwrap().writes
    }

    /// Forgets what was seen, and with it the count of writes.
    pub fn reset(&self) {
        let mut state = self.state.lock().unwrap();
        state.seen.clear();
        state.writes = 0;
    }

    /// The next `times` requests that match meet this fault. Faults are tried in the order in which they were given.
    pub fn inject(&self, times: usize, fault: Fault, matches: impl Fn(&Seen) -> bool + Send + 'static) {
        self.state.lock().unwrap().faults.push_back((Box::new(matches), times, fault));
    }

    /// Calls `hook` when the server has carried out the `n`-th write (from 1, since the last reset), before its
    /// answer is passed on: the moment at which a crash is worst.
    pub fn after_write(&self, n: usize, hook: impl FnOnce(&Seen) + Send + 'static) {
        self.state.lock().unwrap().hooks.insert(n, Box::new(hook));
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// A broken connection, as hyper makes one when a service fails.
#[derive(Debug, thiserror::Error)]
#[error("the proxy breaks this connection")]
struct Broken;

async fn serve(
    upstream: kube::Client,
    state: Arc<Mutex<State>>,
    request: Request<Incoming>,
) -> Result<Answer, Broken> {
    let path = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
    let seen = Seen { method: request.method().clone(), path };
    let fault = {
        let mut state = state.lock().unwrap();
        state.seen.push(seen.clone());
        take_fault(&mut state.faults, &seen)
    };
    match &fault {
        Some(Fault::Status { code, retry_after, message }) => {
            return Ok(status(*code, *retry_after, message));
        }
        Some(Fault::ResetBefore) => return Err(Broken),
        Some(Fault::Delay(time)) => tokio::time::sleep(*time).await,
        Some(Fault::ResetAfterCommit) | None => {}
    }
    let (mut parts, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Broken)?.to_bytes();
    parts.uri = seen.path.parse().map_err(|_| Broken)?;
    // Host and connection are between neighbours.
    for header in ["host", "connection", "content-length", "accept-encoding"] {
        parts.headers.remove(header);
    }
    let request = Request::from_parts(parts, kube::client::Body::from(body.to_vec()));
    // A server that is down looks to the client as it would without a proxy: no answer.
    let Ok(answer) = upstream.send(request).await else { return Err(Broken) };
    let hook = {
        let mut state = state.lock().unwrap();
        if seen.is_write() {
            state.writes += 1;
            let n = state.writes;
            state.hooks.remove(&n)
        } else {
            None
        }
    };
    if let Some(hook) = hook {
        hook(&seen);
    }
    if matches!(fault, Some(Fault::ResetAfterCommit)) {
        // The answer has arrived here, so the server has committed.
        let _ = answer.into_body().collect().await;
        return Err(Broken);
    }
    let (mut parts, body) = answer.into_parts();
    parts.headers.remove("transfer-encoding");
    parts.headers.remove("connection");
    Ok(Response::from_parts(parts, body.map_err(|error| Box::new(error) as _).boxed_unsync()))
}

fn take_fault(faults: &mut VecDeque<(Matcher, usize, Fault)>, seen: &Seen) -> Option<Fault> {
    let at = faults.iter().position(|(matches, _, _)| matches(seen))?;
    let (_, times, fault) = &mut faults[at];
    let fault = fault.clone();
    *times = times.saturating_sub(1);
    if *times == 0 {
        faults.remove(at);
    }
    Some(fault)
}

fn status(code: u16, retry_after: Option<u32>, message: &str) -> Answer {
    let body = serde_json::json!({
        "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "message": message,
    });
    let body =
        Full::new(Bytes::from(body.to_string())).map_err(|never: Infallible| match never {}).boxed_unsync();
    let mut answer = Response::builder().status(code).header("content-type", "application/json");
    if let Some(seconds) = retry_after {
        answer = answer.header("retry-after", seconds);
    }
    answer.body(body).unwrap()
}
