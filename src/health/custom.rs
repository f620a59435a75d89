//! Custom resources: the `Ready` condition, and patience with an operator that has not looked yet. Judging such an
//! object current because it has no conditions races the operator's first look.

use serde_json::Value;

use super::fields::{condition, exists, int, list, seconds, time};
use super::{Context, Health, Status};

/// How long an operator may take for its first look.
const GRACE_SECONDS: i64 = 30;

/// Groups that Kubernetes serves by itself.
const BUILT_IN: [&str; 23] = [
    "",
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "apiregistration.k8s.io",
    "apps",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "autoscaling",
    "batch",
    "certificates.k8s.io",
    "coordination.k8s.io",
    "discovery.k8s.io",
    "events.k8s.io",
    "extensions",
    "flowcontrol.apiserver.k8s.io",
    "internal.apiserver.k8s.io",
    "networking.k8s.io",
    "node.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "resource.k8s.io",
    "scheduling.k8s.io",
    "storage.k8s.io",
];

/// Whether Kubernetes serves the group by itself, as opposed to a definition or an aggregated server.
pub fn is_built_in(group: &str) -> bool {
    BUILT_IN.contains(&group)
}

pub fn assess(object: &Value, context: &Context) -> Health {
    if let Some(ready) = condition(object, "Ready") {
        let stale =
            ready.observed_generation.zip(int(object, "/metadata/generation")).is_some_and(|(o, g)| o < g);
        return match ready.status {
            _ if stale => Health::in_progress("its controller has not seen the last change yet"),
            "True" => Health::current(),
            _ => Health::in_progress(ready.explained("is not ready yet")),
        };
    }
    let silent =
        !exists(object, "/status") || list(object, "/status/conditions").is_empty() && is_empty(object);
    if !silent || context.has_status == Some(false) {
        return Health::current();
    }
    let since = context.written.or_else(|| time(object, "/metadata/creationTimestamp"));
    if since.is_some_and(|since| seconds(since, context.now) < GRACE_SECONDS) {
        return Health::in_progress("its controller has not reported a status yet");
    }
    Health::new(Status::Current, "has no status")
}

/// Whether `status` holds nothing.
fn is_empty(object: &Value) -> bool {
    object.get("status").and_then(Value::as_object).is_none_or(serde_json::Map::is_empty)
}
