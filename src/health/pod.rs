//! Bare Pods. A failed Pod is a failure (kstatus calls it current); waiting containers of both sorts give reasons.
//! When waiting turns into an early failure is decided by [`super::explain()`], which knows events too.

use serde_json::Value;

use super::fields::{condition, plain, text};
use super::{Health, Status};

pub fn assess(object: &Value) -> Health {
    match text(object, "/status/phase") {
        "Succeeded" => Health::new(Status::Current, "has completed"),
        "Failed" => Health::failed(failure(object)),
        "Running" if condition(object, "Ready").is_some_and(|c| c.status == "True") => Health::current(),
        phase => Health::in_progress(pending(object, phase)),
    }
}

/// Why a Pod failed: its message, else the first container that ended badly.
fn failure(object: &Value) -> String {
    let stated = [text(object, "/status/message"), text(object, "/status/reason")];
    if let Some(reason) = stated.into_iter().find(|t| !t.is_empty()) {
        return plain(reason);
    }
    containers(object)
        .find_map(|status| {
            let terminated = status.pointer("/state/terminated")?;
            let code = terminated.pointer("/exitCode").and_then(Value::as_i64).filter(|code| *code != 0)?;
            Some(format!("container {} ended with exit code {code}", text(status, "/name")))
        })
        .unwrap_or_else(|| "has failed".to_owned())
}

/// What a Pod still waits for.
fn pending(object: &Value, phase: &str) -> String {
    if let Some(condition) = condition(object, "PodScheduled").filter(|c| c.status == "False") {
        return condition.explained("is not scheduled yet");
    }
    let waiting = containers(object).find_map(|status| {
        let reason = text(status, "/state/waiting/reason");
        (!reason.is_empty()).then(|| format!("container {}: {}", text(status, "/name"), plain(reason)))
    });
    waiting.unwrap_or_else(|| match phase {
        "" => "its phase is not known yet".to_owned(),
        "Running" => "is running but not ready".to_owned(),
        phase => format!("is {}", phase.to_lowercase()),
    })
}

/// Statuses of init containers, then containers.
pub fn containers(object: &Value) -> impl Iterator<Item = &Value> {
    ["/status/initContainerStatuses", "/status/containerStatuses"]
        .into_iter()
        .flat_map(|pointer| super::fields::list(object, pointer))
}
