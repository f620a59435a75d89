//! Autoscalers. One without metrics scales nothing but breaks nothing either: degraded after two minutes, never a
//! failure. (A `PodDisruptionBudget` needs only the general gate on `observedGeneration`.)

use serde_json::Value;

use super::fields::{Condition, condition};
use super::{Context, Health, Status};

/// How long metrics may be missing after a start.
const PATIENCE_SECONDS: i64 = 120;

pub fn autoscaler(object: &Value, context: &Context) -> Health {
    let able = condition(object, "AbleToScale").filter(|c| c.status == "False");
    let active = condition(object, "ScalingActive").filter(|c| c.status == "False" && lacks_metrics(c));
    match able.or(active) {
        Some(condition) if condition.lasts(PATIENCE_SECONDS, context.now) => {
            Health::new(Status::Degraded, condition.explained("cannot scale"))
        }
        _ => Health::current(),
    }
}

/// `ScalingDisabled` (a target scaled to zero) is fine; missing metrics and bad selectors are not.
fn lacks_metrics(condition: &Condition) -> bool {
    let reason = condition.reason;
    reason == "InvalidSelector"
        || (reason.starts_with("FailedGet") && reason.ends_with("Metric"))
        || reason == "FailedGetScale"
}
