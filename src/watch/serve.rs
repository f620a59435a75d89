//! `/healthz` and `/metrics`.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use tokio::net::TcpListener;

use super::Shared;

/// Serves until aborted.
pub async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let router = Router::new().route("/healthz", get(health)).route("/metrics", get(metrics));
    let served = axum::serve(listener, router.with_state(Arc::clone(&shared))).await;
    if let Err(error) = served {
        shared.say(format!("serving /healthz and /metrics has ended: {error}"));
    }
}

async fn health(State(shared): State<Arc<Shared>>) -> impl IntoResponse {
    let (alive, text) = shared.board.judge(tokio::time::Instant::now().into_std());
    (if alive { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, text)
}

async fn metrics(State(shared): State<Arc<Shared>>) -> impl IntoResponse {
    let format = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, format)], shared.metrics.text())
}
