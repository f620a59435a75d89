//! Why a workload does not become healthy, and whether it is worth waiting on.
//!
//! Walks owner references by UID from the workload to the Pods of its newest revision only: the Pods of an older one
//! may crash for reasons that the change is meant to cure. Reasons come from container states and from Warning
//! events. A failure is called early only when it has lasted or repeated, since most of what goes wrong in the
//! first seconds (an image being pulled, a node being added) cures itself.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::Value;

use super::fields::{condition, count, int, list, plain, seconds, text, time};
use super::pod;

/// How many restarts make a crash loop a failure.
const CRASHES: i64 = 3;
/// How long an image may fail to be pulled.
const IMAGE_SECONDS: i64 = 60;
/// How long a container may fail to be configured (a `ConfigMap` or Secret that is missing).
const CONFIG_SECONDS: i64 = 30;
/// How long no node may fit.
const UNSCHEDULABLE_SECONDS: i64 = 60;
/// How long Pods may be refused.
const REFUSED_SECONDS: i64 = 30;
/// How many Warning events are shown.
const EVENTS: usize = 5;

/// What was read about one workload.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// The Deployment, `StatefulSet`, `DaemonSet`, `ReplicaSet`, Job or Pod.
    pub workload: &'a Value,
    /// `ReplicaSet`s of its namespace; only for a Deployment.
    pub replica_sets: &'a [Value],
    /// Pods of its namespace.
    pub pods: &'a [Value],
    /// `v1` Events of its namespace.
    pub events: &'a [Value],
}

/// What is wrong with one workload.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Explanation {
    /// For people: containers that do not run, then the last Warning events.
    pub lines: Vec<String>,
    /// Why waiting longer is pointless, if it is.
    pub failure: Option<String>,
    /// Containers that crashed: Pod name and container name, for reading their logs.
    pub crashed: Vec<(String, String)>,
}

/// Explains a workload that is not healthy at `now`.
pub fn explain(evidence: &Evidence, now: Timestamp) -> Explanation {
    let owner = newest_owner(evidence);
    let pods = newest_pods(evidence, owner);
    let mut uids: BTreeSet<&str> = [evidence.workload, owner].into_iter().map(uid).collect();
    uids.extend(pods.iter().map(|pod| uid(pod)));
    let mut events: Vec<&Value> =
        evidence.events.iter().filter(|event| uids.contains(text(event, "/involvedObject/uid"))).collect();
    events.sort_by_key(|event| last_seen(event));

    let mut explanation = Explanation::default();
    for pod in pods {
        explain_pod(pod, &events, now, &mut explanation);
    }
    if explanation.failure.is_none() {
        explanation.failure = refused(owner, &events, now);
    }
    let warnings = events.iter().rev().filter(|event| text(event, "/type") == "Warning").take(EVENTS);
    let mut seen = BTreeSet::new();
    explanation
        .lines
        .extend(warnings.map(|event| event_line(event)).filter(|line| seen.insert(line.clone())));
    explanation
}

/// Whether `object` has an owner reference to `uid`.
pub fn owned_by(object: &Value, uid: &str) -> bool {
    !uid.is_empty()
        && list(object, "/metadata/ownerReferences").iter().any(|owner| text(owner, "/uid") == uid)
}

fn uid(object: &Value) -> &str {
    text(object, "/metadata/uid")
}

fn name(object: &Value) -> &str {
    text(object, "/metadata/name")
}

/// What owns the Pods: a Deployment's newest `ReplicaSet`, else the workload itself.
fn newest_owner<'a>(evidence: &Evidence<'a>) -> &'a Value {
    if text(evidence.workload, "/kind") != "Deployment" {
        return evidence.workload;
    }
    let revision = |set: &Value| {
        text(set, "/metadata/annotations/deployment.kubernetes.io~1revision").parse::<u64>().unwrap_or(0)
    };
    let owned = evidence.replica_sets.iter().filter(|set| owned_by(set, uid(evidence.workload)));
    owned.max_by_key(|set| revision(set)).unwrap_or(evidence.workload)
}

/// The Pods of the newest revision that are not on their way out.
fn newest_pods<'a>(evidence: &Evidence<'a>, owner: &'a Value) -> Vec<&'a Value> {
    if text(owner, "/kind") == "Pod" {
        return vec![owner];
    }
    let owned = || {
        evidence
            .pods
            .iter()
            .filter(|pod| owned_by(pod, uid(owner)) && pod.pointer("/metadata/deletionTimestamp").is_none())
    };
    match text(owner, "/kind") {
        "StatefulSet" => {
            let revision = text(owner, "/status/updateRevision");
            let hash = "/metadata/labels/controller-revision-hash";
            owned().filter(|pod| revision.is_empty() || text(pod, hash) == revision).collect()
        }
        "DaemonSet" => {
            let generation = |pod: &Value| {
                text(pod, "/metadata/labels/pod-template-generation").parse::<u64>().unwrap_or(0)
            };
            let newest = owned().map(generation).max().unwrap_or(0);
            owned().filter(|pod| generation(pod) == newest).collect()
        }
        _ => owned().collect(),
    }
}

/// Adds what is wrong with one Pod.
fn explain_pod(pod: &Value, events: &[&Value], now: Timestamp, explanation: &mut Explanation) {
    if let Some((line, fatal)) = unschedulable(pod, events, now) {
        note(explanation, &line, fatal);
    }
    for status in pod::containers(pod) {
        if let Some((line, fatal)) = container(pod, status, now) {
            note(explanation, &line, fatal);
        }
        if crashed(status) {
            explanation.crashed.push((name(pod).to_owned(), text(status, "/name").to_owned()));
        }
    }
}

fn note(explanation: &mut Explanation, line: &str, fatal: bool) {
    if fatal && explanation.failure.is_none() {
        explanation.failure = Some(line.to_owned());
    }
    explanation.lines.push(line.to_owned());
}

/// A Pod that no node takes; fatal after a minute unless an autoscaler is adding nodes.
fn unschedulable(pod: &Value, events: &[&Value], now: Timestamp) -> Option<(String, bool)> {
    let scheduled =
        condition(pod, "PodScheduled").filter(|c| c.status == "False" && c.reason == "Unschedulable")?;
    let scaling = events
        .iter()
        .any(|e| text(e, "/reason") == "TriggeredScaleUp" && text(e, "/involvedObject/uid") == uid(pod));
    let line = format!("Pod {} is unschedulable: {}", name(pod), scheduled.explained("no node fits"));
    Some((line, !scaling && scheduled.lasts(UNSCHEDULABLE_SECONDS, now)))
}

/// A container that does not run as it should.
fn container(pod: &Value, status: &Value, now: Timestamp) -> Option<(String, bool)> {
    let what = format!("Pod {}, container {}", name(pod), text(status, "/name"));
    let restarts = count(status, "/restartCount");
    let waiting = text(status, "/state/waiting/reason");
    let message = text(status, "/state/waiting/message");
    let last = "/lastState/terminated";
    let waited = waiting_since(pod).map_or(0, |since| seconds(since, now));
    let detail = if message.is_empty() { String::new() } else { format!(": {}", plain(message)) };
    match waiting {
        "CrashLoopBackOff" => {
            let ended = ending(status, last).map(|e| format!(", {e}")).unwrap_or_default();
            Some((
                format!("{what} crashes again and again ({restarts} restarts{ended})"),
                restarts >= CRASHES,
            ))
        }
        "ImagePullBackOff" | "ErrImagePull" | "ErrImageNeverPull" => {
            let image = plain(text(status, "/image"));
            Some((
                format!("{what}: image {image} cannot be pulled ({waiting}{detail})"),
                waited > IMAGE_SECONDS,
            ))
        }
        "InvalidImageName" => Some((format!("{what}: {waiting}{detail}"), waited > CONFIG_SECONDS)),
        "CreateContainerConfigError" | "CreateContainerError" => {
            Some((format!("{what} cannot be created ({waiting}{detail})"), waited > CONFIG_SECONDS))
        }
        "" => {
            let ended = ending(status, "/state/terminated")
                .filter(|_| int(status, "/state/terminated/exitCode") != Some(0));
            let killed = text(status, &format!("{last}/reason")) == "OOMKilled" && restarts > 0;
            match ended {
                Some(ended) => Some((format!("{what} has ended ({ended})"), false)),
                None if killed && !super::fields::flag(status, "/ready") => Some((
                    format!("{what} runs out of memory ({restarts} restarts, OOMKilled)"),
                    restarts >= CRASHES,
                )),
                None => None,
            }
        }
        "ContainerCreating" | "PodInitializing" => None,
        _ => Some((format!("{what}: {waiting}{detail}"), false)),
    }
}

/// `exit code 1`, `OOMKilled`.
fn ending(status: &Value, pointer: &str) -> Option<String> {
    let code = int(status, &format!("{pointer}/exitCode"))?;
    match text(status, &format!("{pointer}/reason")) {
        "OOMKilled" => Some("OOMKilled".to_owned()),
        _ => Some(format!("exit code {code}")),
    }
}

/// Whether a container has ended badly at least once.
fn crashed(status: &Value) -> bool {
    ["/state/terminated/exitCode", "/lastState/terminated/exitCode"]
        .iter()
        .any(|pointer| int(status, pointer).is_some_and(|code| code != 0))
}

/// Since when a Pod's containers can run: the later of being scheduled and initialized. A waiting state has no
/// time of its own.
fn waiting_since(pod: &Value) -> Option<Timestamp> {
    ["PodScheduled", "Initialized"]
        .iter()
        .filter_map(|kind| condition(pod, kind).filter(|c| c.status == "True").and_then(|c| c.since))
        .max()
        .or_else(|| time(pod, "/metadata/creationTimestamp"))
}

/// Why the owner cannot make Pods at all (quota, Pod Security, a webhook, a missing `ServiceAccount`).
fn refused(owner: &Value, events: &[&Value], now: Timestamp) -> Option<String> {
    let created = |event: &&&Value| {
        text(event, "/reason") == "FailedCreate" && text(event, "/involvedObject/uid") == uid(owner)
    };
    let event = events.iter().rfind(created)?;
    let since = first_seen(event)?;
    let generation_seen = int(owner, "/metadata/generation") == int(owner, "/status/observedGeneration");
    let still = generation_seen || text(owner, "/kind") == "Job";
    let recent = last_seen(event).is_none_or(|last| seconds(last, now) <= 10 * REFUSED_SECONDS);
    let makes_none = count(owner, "/status/replicas")
        + count(owner, "/status/active")
        + count(owner, "/status/currentNumberScheduled")
        == 0;
    (still && recent && makes_none && seconds(since, now) > REFUSED_SECONDS).then(|| {
        format!(
            "{} {} cannot create Pods: {}",
            text(owner, "/kind"),
            name(owner),
            plain(text(event, "/message"))
        )
    })
}

/// `FailedMount of Pod a-b: secret "x" not found (3 times)`.
fn event_line(event: &Value) -> String {
    let times = match count(event, "/count").max(count(event, "/series/count")) {
        0 | 1 => String::new(),
        n => format!(" ({n} times)"),
    };
    let (kind, name) = (text(event, "/involvedObject/kind"), text(event, "/involvedObject/name"));
    format!("{} of {kind} {name}: {}{times}", plain(text(event, "/reason")), plain(text(event, "/message")))
}

fn last_seen(event: &Value) -> Option<Timestamp> {
    ["/series/lastObservedTime", "/lastTimestamp", "/eventTime", "/metadata/creationTimestamp"]
        .iter()
        .find_map(|pointer| time(event, pointer))
}

fn first_seen(event: &Value) -> Option<Timestamp> {
    ["/firstTimestamp", "/eventTime", "/metadata/creationTimestamp"]
        .iter()
        .find_map(|pointer| time(event, pointer))
}
