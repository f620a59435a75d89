//! Reading what explains a failure: Pods, `ReplicaSet`s, events, the last words of containers.
//!
//! A missing right or a failed request only makes an explanation shorter; it never hides the failure itself.

use serde_json::Value;

use super::run::Run;
use crate::cluster::LogRequest;
use crate::health::{self, Evidence, Explanation};
use crate::object::ObjectRef;
use crate::plan::Live;

/// Kinds that have Pods.
const WORKLOADS: [&str; 7] =
    ["Deployment", "ReplicaSet", "ReplicationController", "StatefulSet", "DaemonSet", "Job", "Pod"];
/// Lines of a log.
const LOG_LINES: u32 = 20;
/// Events are asked for by UID: at most so many Pods are asked about.
const PODS: usize = 5;

/// Explains why an object is not healthy. `None` if there is nothing to ask.
pub async fn explain(run: &Run<'_>, live: Option<&Live>, logs: bool) -> Option<Explanation> {
    let workload = &live?.0;
    let text = |pointer: &str| workload.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let (kind, namespace) = (text("/kind"), text("/metadata/namespace"));
    if !WORKLOADS.contains(&kind) || !health::is_built_in(group(text("/apiVersion"))) {
        let events = events(run, namespace, workload).await;
        let evidence = Evidence { workload, replica_sets: &[], pods: &[], events: &events };
        return Some(health::explain(&evidence, jiff::Timestamp::now()));
    }
    let selector = selector(workload);
    let (mut pods, mut sets) = (Vec::new(), Vec::new());
    if kind == "Pod" {
        pods.push(workload.clone());
    } else if let Some(selector) = &selector {
        pods = values(run.client.list_pods(namespace, selector).await);
        if kind == "Deployment" {
            sets = values(run.client.list_replicasets(namespace, selector).await);
        }
    }
    let mut events = events(run, namespace, workload).await;
    let owner_uid = text("/metadata/uid").to_owned();
    let newest_set =
        sets.iter().filter(|set| health::owned_by(set, &owner_uid)).max_by_key(|set| revision(set));
    if let Some(set) = newest_set {
        events.extend(self::events(run, namespace, set).await);
    }
    for pod in pods.iter().filter(|pod| !is_ready(pod)).take(PODS) {
        events.extend(self::events(run, namespace, pod).await);
    }
    let evidence = Evidence { workload, replica_sets: &sets, pods: &pods, events: &events };
    let mut explanation = health::explain(&evidence, jiff::Timestamp::now());
    if (logs || explanation.failure.is_some())
        && let Some((pod, container)) = explanation.crashed.first()
    {
        explanation.lines.extend(last_words(run, namespace, pod, container).await);
    }
    Some(explanation)
}

fn group(api_version: &str) -> &str {
    api_version.rsplit_once('/').map_or("", |(group, _)| group)
}

fn values(answer: Result<Vec<Live>, crate::cluster::Error>) -> Vec<Value> {
    answer.map(|objects| objects.into_iter().map(|live| live.0).collect()).unwrap_or_default()
}

fn revision(set: &Value) -> u64 {
    let revision = set.pointer("/metadata/annotations/deployment.kubernetes.io~1revision");
    revision.and_then(Value::as_str).and_then(|text| text.parse().ok()).unwrap_or(0)
}

fn is_ready(pod: &Value) -> bool {
    let conditions = pod.pointer("/status/conditions").and_then(Value::as_array);
    conditions.into_iter().flatten().any(|c| {
        c.get("type").and_then(Value::as_str) == Some("Ready")
            && c.get("status").and_then(Value::as_str) == Some("True")
    })
}

/// `spec.selector.matchLabels` (a `ReplicationController`'s `spec.selector`) as a label selector.
fn selector(workload: &Value) -> Option<String> {
    let labels =
        workload.pointer("/spec/selector/matchLabels").or_else(|| workload.pointer("/spec/selector"))?;
    let pairs: Vec<String> = labels
        .as_object()?
        .iter()
        .filter_map(|(name, value)| Some(format!("{name}={}", value.as_str()?)))
        .collect();
    (!pairs.is_empty()).then(|| pairs.join(","))
}

async fn events(run: &Run<'_>, namespace: &str, object: &Value) -> Vec<Value> {
    let Some(uid) = object.pointer("/metadata/uid").and_then(Value::as_str) else { return Vec::new() };
    let namespace = (!namespace.is_empty()).then_some(namespace);
    values(run.client.list_events(namespace, uid).await)
}

/// The end of the log of a container that crashed.
async fn last_words(run: &Run<'_>, namespace: &str, pod: &str, container: &str) -> Vec<String> {
    for previous in [true, false] {
        let request = LogRequest { namespace, pod, container, previous, lines: LOG_LINES };
        if let Ok(lines) = run.client.pod_logs(request).await
            && !lines.is_empty()
        {
            return lines.iter().map(|line| format!("{container}: {}", run.masks.mask(line))).collect();
        }
    }
    Vec::new()
}

/// Whether a Service has an endpoint that is ready; `None` when that cannot be read.
pub async fn has_ready_endpoints(run: &Run<'_>, namespace: &str, name: &str) -> Option<bool> {
    let reference = |kind: &str| ObjectRef {
        group: String::new(),
        kind: kind.into(),
        namespace: Some(namespace.into()),
        name: name.into(),
    };
    let service = run.client.get(&reference("Service"), "v1").await.ok()?;
    let Some(service) = service else { return Some(false) };
    let selector = selector(&service.0)?;
    let pods = run.client.list_pods(namespace, &selector).await.ok()?;
    Some(pods.iter().any(|pod| is_ready(&pod.0) && !pod.is_terminating()))
}

/// A `StorageClass`' `volumeBindingMode`.
pub async fn binding_mode(run: &Run<'_>, name: &str) -> Option<String> {
    let reference = ObjectRef {
        group: "storage.k8s.io".into(),
        kind: "StorageClass".into(),
        namespace: None,
        name: name.into(),
    };
    let class = run.client.get(&reference, "v1").await.ok()??;
    class.0.pointer("/volumeBindingMode").and_then(Value::as_str).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn selectors_of_both_forms() {
        let labels = json!({"a": "1", "b": "2"});
        assert_eq!(
            selector(&json!({"spec": {"selector": {"matchLabels": labels}}})).as_deref(),
            Some("a=1,b=2")
        );
        assert_eq!(selector(&json!({"spec": {"selector": labels}})).as_deref(), Some("a=1,b=2"));
        assert_eq!(selector(&json!({"spec": {}})), None);
    }
}
