//! `ReplicaSet`s and `ReplicationController`s. A Pod that is refused (quota, Pod Security, a webhook) is a failure
//! after a while, with the message: kstatus waits for the deadline without one.

use serde_json::Value;

use super::availability::{at_least, no_more_than, observed, verdict};
use super::deployment::REPLICA_FAILURE_SECONDS;
use super::fields::{condition, count, int};
use super::{Context, Health};

pub fn assess(object: &Value, context: &Context) -> Health {
    verdict(check(object, context))
}

fn check(object: &Value, context: &Context) -> Result<Health, Health> {
    observed(object)?;
    if let Some(condition) = condition(object, "ReplicaFailure").filter(|c| c.status == "True") {
        let reason = condition.explained("its Pods are refused");
        let late = condition.lasts(REPLICA_FAILURE_SECONDS, context.now);
        return Err(if late { Health::failed(reason) } else { Health::in_progress(reason) });
    }
    let wanted = int(object, "/spec/replicas").unwrap_or(1);
    at_least(count(object, "/status/fullyLabeledReplicas"), wanted, "labelled")?;
    at_least(count(object, "/status/availableReplicas"), wanted, "available")?;
    at_least(count(object, "/status/readyReplicas"), wanted, "ready")?;
    no_more_than(count(object, "/status/replicas"), wanted)?;
    Ok(Health::current())
}
