//! Jobs. Merely started is not done (kstatus says it is): only `Complete` is.

use serde_json::Value;

use super::fields::{condition, count, exists, flag};
use super::{Health, Status};

pub fn assess(object: &Value) -> Health {
    let holds = |kind| condition(object, kind).filter(|c| c.status == "True");
    if holds("Complete").is_some() {
        return Health::new(Status::Current, "has completed");
    }
    if let Some(failed) = holds("Failed") {
        return Health::failed(failed.explained("has failed"));
    }
    if flag(object, "/spec/suspend") {
        return Health::new(Status::Paused, "is suspended");
    }
    if let Some(failing) = holds("FailureTarget") {
        return Health::in_progress(failing.explained("is failing"));
    }
    let (active, failed) = (count(object, "/status/active"), count(object, "/status/failed"));
    Health::in_progress(match (active, failed) {
        (0, 0) => "has not started yet".to_owned(),
        (active, 0) => format!("is running ({active} active)"),
        (active, failed) => format!("is running ({active} active, {failed} failed)"),
    })
}

/// Whether a Job goes away by itself once it is done (`ttlSecondsAfterFinished`), so that its absence after it was
/// seen is success.
pub fn may_vanish(job: &Value) -> bool {
    exists(job, "/spec/ttlSecondsAfterFinished")
}
