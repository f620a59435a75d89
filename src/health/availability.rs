//! Counting replicas: the sentences that all workloads share.

use super::Health;

/// `InProgress` when fewer than `wanted` replicas are `what` (`ready`, `available`, …).
pub fn at_least(actual: i64, wanted: i64, what: &str) -> Result<(), Health> {
    if actual >= wanted {
        return Ok(());
    }
    let noun = if wanted == 1 { "replica is" } else { "replicas are" };
    Err(Health::in_progress(format!("{actual} of {wanted} {noun} {what}")))
}

/// `InProgress` while more than `wanted` replicas exist.
pub fn no_more_than(actual: i64, wanted: i64) -> Result<(), Health> {
    if actual <= wanted {
        return Ok(());
    }
    let extra = actual - wanted;
    let noun = if extra == 1 { "replica has" } else { "replicas have" };
    Err(Health::in_progress(format!("{extra} old {noun} still to go")))
}

/// `InProgress` until the controller has looked at the object at all.
pub fn observed(object: &serde_json::Value) -> Result<(), Health> {
    if super::fields::exists(object, "/status/observedGeneration") {
        Ok(())
    } else {
        Err(Health::in_progress("its controller has not seen it yet"))
    }
}

/// The one health of a chain of checks.
pub fn verdict(checks: Result<Health, Health>) -> Health {
    checks.unwrap_or_else(|health| health)
}
