//! Faults that a healthy API server does not show on demand, from a scripted server on a loopback port.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};

use super::list::Selection;
use super::path::Resource;
use super::request::Call;
use super::{Client, Error, Timing, WriteError};
use crate::object::{GroupKind, Scope};

/// What the server does with one request.
enum Reply {
    /// Answers with this status, headers and JSON.
    Json(u16, Vec<(&'static str, &'static str)>, Value),
    /// Breaks the connection without a word.
    Reset,
    /// Sends the head, and of the body only the beginning.
    SlowBody,
}

fn ok(body: Value) -> Reply {
    Reply::Json(200, vec![], body)
}

fn status(code: u16, message: &str) -> Reply {
    Reply::Json(code, vec![], json!({"kind": "Status", "message": message, "code": code}))
}

#[derive(Debug, thiserror::Error)]
#[error("scripted")]
struct Scripted;

type Body = UnsyncBoxBody<Bytes, Scripted>;

/// A server that answers by `script`, and the requests that it saw. It ends with the test's runtime.
struct Server {
    client: Client,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Server {
    async fn start(script: impl FnMut(&Method, &str) -> Reply + Send + 'static) -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let script = Arc::new(Mutex::new(script));
        let shared = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (script, seen) = (Arc::clone(&script), Arc::clone(&shared));
                tokio::spawn(async move {
                    let service = service_fn(move |request: Request<Incoming>| {
                        let path = request.uri().to_string();
                        seen.lock().unwrap().push(format!("{} {path}", request.method()));
                        let reply = (*script.lock().unwrap())(request.method(), &path);
                        async move { answer(reply) }
                    });
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        let mut config = kube::Config::new(url.parse().unwrap());
        config.default_retry = false;
        let timing = Timing {
            attempt: Duration::from_millis(300),
            list: Duration::from_millis(300),
            total: Duration::from_secs(5),
            pauses: vec![Duration::from_millis(5); 4],
        };
        Self {
            client: Client::new(
                kube::Client::try_from(config).unwrap(),
                None,
                url,
                timing,
                super::limit::IN_FLIGHT,
            ),
            seen,
        }
    }

    /// Answers one after the other; the last one again and again.
    async fn scripted(replies: impl IntoIterator<Item = fn() -> Reply>) -> Self {
        let mut replies: VecDeque<_> = replies.into_iter().collect();
        Self::start(move |_, _| {
            let next = replies[0];
            if replies.len() > 1 {
                replies.pop_front();
            }
            next()
        })
        .await
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

fn answer(reply: Reply) -> Result<Response<Body>, Scripted> {
    match reply {
        Reply::Reset => Err(Scripted),
        Reply::SlowBody => {
            let first = futures::stream::iter([Ok(Frame::data(Bytes::from_static(b"{\"kind\":")))]);
            let body = futures::StreamExt::chain(first, futures::stream::pending());
            Ok(Response::new(StreamBody::new(body).boxed_unsync()))
        }
        Reply::Json(code, headers, body) => {
            let mut response = Response::builder().status(code).header("content-type", "application/json");
            for (name, value) in headers {
                response = response.header(name, value);
            }
            let body =
                Full::new(Bytes::from(body.to_string())).map_err(|never| match never {}).boxed_unsync();
            response.body(body).map_err(|_| Scripted)
        }
    }
}

fn config_maps() -> Resource {
    Resource::built_in("", "v1", "ConfigMap", "configmaps", Scope::Namespaced)
}

fn patch() -> Call {
    Call::send(Method::PATCH, "/x", "application/apply-patch+yaml", &json!({})).repeatable()
}

fn post() -> Call {
    Call::send(Method::POST, "/x", "application/json", &json!({}))
}

async fn write(server: &Server, call: Call) -> Result<(), WriteError> {
    server.client.call(call).await.map(drop).map_err(Into::into)
}

#[tokio::test]
async fn a_busy_server_is_asked_again_but_not_for_ever() {
    let server = Server::scripted([|| status(429, "busy"), || status(503, "later"), || ok(json!({}))]).await;
    write(&server, patch()).await.unwrap();
    assert_eq!(server.seen().len(), 3);
    assert_eq!(server.client.inner.limit.current(), super::limit::IN_FLIGHT / 2);

    let server = Server::scripted([(|| status(429, "busy")) as fn() -> Reply]).await;
    let error = write(&server, patch()).await.unwrap_err();
    assert!(matches!(&error, WriteError::Rejected(r) if r.code == 429), "{error:?}");
    assert_eq!(server.seen().len(), 5);
}

#[tokio::test]
async fn a_pause_that_is_too_long_is_not_waited_for() {
    let reply = || Reply::Json(429, vec![("retry-after", "60")], json!({}));
    let server = Server::scripted([reply as fn() -> Reply]).await;
    let begin = Instant::now();
    write(&server, patch()).await.unwrap_err();
    assert!(begin.elapsed() < Duration::from_secs(1));
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn only_what_may_be_done_twice_is_done_twice() {
    for reply in [|| Reply::Reset, || status(503, "x"), || Reply::SlowBody] as [fn() -> Reply; 3] {
        let server = Server::scripted([reply, || ok(json!({}))]).await;
        assert!(matches!(write(&server, post()).await, Err(WriteError::Unknown { .. })));
        assert_eq!(server.seen().len(), 1);
        let server = Server::scripted([reply, || ok(json!({}))]).await;
        write(&server, patch()).await.unwrap();
        assert_eq!(server.seen().len(), 2);
    }
    // A 429 says that it was not done.
    let server = Server::scripted([|| status(429, "x"), || ok(json!({}))]).await;
    write(&server, post()).await.unwrap();
}

#[tokio::test]
async fn a_conflict_after_a_lost_answer_may_be_with_ourselves() {
    let server = Server::scripted([|| Reply::Reset, || status(409, "the object has been modified")]).await;
    assert!(matches!(write(&server, patch()).await, Err(WriteError::Unknown { .. })));
    let server = Server::scripted([|| Reply::Reset, || status(422, "wrong")]).await;
    assert!(
        matches!(write(&server, patch()).await, Err(WriteError::Rejected(_))),
        "wrong the first time, too"
    );
    let server = Server::scripted([(|| status(409, "the object has been modified")) as fn() -> Reply]).await;
    assert!(matches!(write(&server, patch()).await, Err(WriteError::Rejected(_))));
}

#[tokio::test]
async fn a_list_that_expires_begins_anew() {
    let page = |name: &str, next: &str| {
        ok(json!({"metadata": {"continue": next}, "items": [{"metadata": {"name": name}}]}))
    };
    let mut expired = false;
    let server = Server::start(move |_, path| match path {
        p if p.contains("continue=old") && !expired => {
            expired = true;
            status(410, "The provided continue parameter is too old")
        }
        p if p.contains("continue=old") => page("c", ""),
        _ if expired => page("b", "old"),
        _ => page("a", "old"),
    })
    .await;
    let objects = server.client.list(&config_maps(), Selection::default()).await.unwrap();
    let names: Vec<_> = objects.iter().map(|o| o["metadata"]["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["b", "c"], "nothing of the expired list remains");
    assert_eq!(objects[0]["kind"], "ConfigMap");
    assert!(server.seen().iter().all(|path| path.contains("limit=500")));

    let server = Server::start(
        move |_, path| if path.contains("continue") { status(410, "x") } else { page("a", "old") },
    )
    .await;
    assert!(
        server.client.list(&config_maps(), Selection::default()).await.is_err(),
        "never a part for the whole"
    );
}

/// A server of `version` whose aggregated documents are made of these groups.
async fn discovering(version: &'static str, groups: Value) -> Server {
    let core = json!([{"metadata": {"name": ""}, "versions": [{"version": "v1", "freshness": "Current", "resources": [
        {"resource": "configmaps", "responseKind": {"kind": "ConfigMap"}, "scope": "Namespaced", "verbs": ["list"]},
    ]}]}]);
    Server::start(move |_, path| match path {
        "/version" => ok(json!({"gitVersion": version})),
        "/api" => ok(json!({"kind": "APIGroupDiscoveryList", "items": core})),
        "/apis" => ok(json!({"kind": "APIGroupDiscoveryList", "items": groups})),
        _ => status(404, "no"),
    })
    .await
}

#[tokio::test]
async fn a_stale_group_is_not_believed() {
    let groups = json!([
        {"metadata": {"name": "metrics.k8s.io"}, "versions": [{"version": "v1beta1", "freshness": "Stale", "resources": []}]},
        {"metadata": {"name": "apps"}, "versions": [{"version": "v1", "freshness": "Current", "resources": [
            {"resource": "deployments", "responseKind": {"kind": "Deployment"}, "scope": "Namespaced", "verbs": ["list"]},
        ]}]},
    ]);
    let server = discovering("v1.34.0", groups).await;
    let discovery = server.client.discover().await.unwrap();
    assert_eq!(discovery.failed.iter().collect::<Vec<_>>(), ["metrics.k8s.io/v1beta1"]);
    assert!(discovery.get(&GroupKind::new("apps", "Deployment")).is_some(), "the others go on");
}

#[tokio::test]
async fn an_old_server_is_refused() {
    let server = discovering("v1.28.9+k3s1", json!([])).await;
    let error = server.client.discover().await.unwrap_err();
    assert!(matches!(error, Error::TooOld { .. }));
    let url = server.client.url();
    assert_eq!(
        error.to_string(),
        format!("the API server at `{url}` is Kubernetes 1.28; the oldest that is supported is 1.29")
    );
}

#[tokio::test]
async fn without_aggregated_documents_groups_are_asked_one_by_one() {
    let server = Server::start(|_, path| match path {
        "/version" => ok(json!({"gitVersion": "v1.30.0"})),
        "/api" => ok(json!({"kind": "APIVersions", "versions": ["v1"]})),
        "/apis" => ok(json!({"kind": "APIGroupList", "groups": [
            {"name": "autoscaling", "versions": [{"version": "v1"}, {"version": "v2"}], "preferredVersion": {"version": "v2"}},
            {"name": "broken.example", "versions": [{"version": "v1"}]},
        ]})),
        "/api/v1" => ok(json!({"resources": [
            {"name": "configmaps", "kind": "ConfigMap", "namespaced": true, "verbs": ["list"]},
            {"name": "namespaces/status", "kind": "Namespace", "namespaced": false},
        ]})),
        "/apis/autoscaling/v1" | "/apis/autoscaling/v2" => ok(json!({"resources": [
            {"name": "horizontalpodautoscalers", "kind": "HorizontalPodAutoscaler", "namespaced": true, "verbs": []},
        ]})),
        _ => status(503, "the server is currently unable to handle the request"),
    })
    .await;
    let discovery = server.client.discover().await.unwrap();
    let autoscaler = discovery.get(&GroupKind::new("autoscaling", "HorizontalPodAutoscaler")).unwrap();
    assert_eq!(autoscaler.versions, ["v2", "v1"]);
    assert_eq!(discovery.failed.iter().collect::<Vec<_>>(), ["broken.example/v1"]);
    assert_eq!(discovery.resources.len(), 2, "no subresources");
}

#[tokio::test]
async fn something_else_that_speaks_http_is_recognised() {
    let server = Server::scripted([(|| ok(json!({"hello": "world"}))) as fn() -> Reply]).await;
    let error = server.client.discover().await.unwrap_err().to_string();
    assert!(
        error.ends_with("does not look like a Kubernetes API server: it does not state its version"),
        "{error}"
    );
}
