//! `StatefulSet`s. They have no failure condition: what is wrong stands in their Pods, see [`super::explain()`].

use serde_json::Value;

use super::availability::{at_least, no_more_than, observed, verdict};
use super::fields::{count, int, text};
use super::{Health, Status};

pub fn assess(object: &Value) -> Health {
    verdict(check(object))
}

fn check(object: &Value) -> Result<Health, Health> {
    if text(object, "/spec/updateStrategy/type") == "OnDelete" {
        return Ok(Health::new(Status::Current, "updates when its Pods are deleted (OnDelete)"));
    }
    observed(object)?;
    let wanted = int(object, "/spec/replicas").unwrap_or(1);
    let replicas = count(object, "/status/replicas");
    at_least(replicas, wanted, "created")?;
    at_least(count(object, "/status/readyReplicas"), wanted, "ready")?;
    no_more_than(replicas, wanted)?;
    if count(object, "/spec/minReadySeconds") > 0 {
        at_least(count(object, "/status/availableReplicas"), wanted, "available")?;
    }
    let partition = count(object, "/spec/updateStrategy/rollingUpdate/partition");
    if partition > 0 {
        let to_update = (wanted - partition).max(0);
        at_least(count(object, "/status/updatedReplicas"), to_update, "updated")?;
        return Ok(Health::new(Status::Current, format!("updated down to partition {partition}")));
    }
    if wanted == 0 {
        return Ok(Health::new(Status::Current, "scaled to zero"));
    }
    at_least(count(object, "/status/currentReplicas"), wanted, "at the current revision")?;
    if text(object, "/status/currentRevision") != text(object, "/status/updateRevision") {
        return Err(Health::in_progress("its Pods are not all at the new revision yet"));
    }
    Ok(Health::current())
}
