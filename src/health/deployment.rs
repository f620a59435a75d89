//! Deployments, by the rule of kstatus with two changes: a paused one is [`Status::Paused`] instead of a wait
//! without an end, and one that no controller has seen yet is never current.

use serde_json::Value;

use super::availability::{at_least, no_more_than, observed, verdict};
use super::fields::{condition, count, flag, int};
use super::{Context, Health, Status};

/// A deadline that Kubernetes takes for none (`math.MaxInt32`).
const NO_DEADLINE: i64 = 2_147_483_647;

/// How long a refused Pod may be retried before the Deployment counts as failed.
pub const REPLICA_FAILURE_SECONDS: i64 = 30;

pub fn assess(object: &Value, context: &Context) -> Health {
    verdict(check(object, context))
}

fn check(object: &Value, context: &Context) -> Result<Health, Health> {
    if flag(object, "/spec/paused") {
        return Ok(Health::new(Status::Paused, "its rollout is paused"));
    }
    observed(object)?;
    let progressing = condition(object, "Progressing");
    if let Some(condition) = progressing.filter(|c| c.reason == "ProgressDeadlineExceeded") {
        return Err(Health::failed(condition.explained("progress deadline exceeded")));
    }
    if let Some(condition) = condition(object, "ReplicaFailure").filter(|c| c.status == "True") {
        let reason = condition.explained("its Pods are refused");
        let late = condition.lasts(REPLICA_FAILURE_SECONDS, context.now);
        return Err(if late { Health::failed(reason) } else { Health::in_progress(reason) });
    }
    let wanted = int(object, "/spec/replicas").unwrap_or(1);
    let replicas = count(object, "/status/replicas");
    let updated = count(object, "/status/updatedReplicas");
    at_least(replicas, wanted, "created")?;
    at_least(updated, wanted, "updated")?;
    no_more_than(replicas, wanted)?;
    at_least(count(object, "/status/availableReplicas"), updated, "available")?;
    at_least(count(object, "/status/readyReplicas"), wanted, "ready")?;
    if wanted == 0 {
        return Ok(Health::new(Status::Current, "scaled to zero"));
    }
    let deadline = int(object, "/spec/progressDeadlineSeconds").is_some_and(|seconds| seconds != NO_DEADLINE);
    if deadline && progressing.is_none_or(|c| c.status != "True" || c.reason != "NewReplicaSetAvailable") {
        return Err(Health::in_progress("its new ReplicaSet is not complete yet"));
    }
    match condition(object, "Available") {
        Some(available) if available.status == "True" => Ok(Health::current()),
        Some(available) => Err(Health::in_progress(available.explained("is not available yet"))),
        None => Err(Health::in_progress("is not available yet")),
    }
}
