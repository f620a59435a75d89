//! `DaemonSet`s. With `OnDelete` old Pods stay until somebody deletes them, so nobody waits for updated ones.

use serde_json::Value;

use super::availability::{at_least, observed, verdict};
use super::fields::{count, int, text};
use super::{Health, Status};

pub fn assess(object: &Value) -> Health {
    verdict(check(object))
}

fn check(object: &Value) -> Result<Health, Health> {
    observed(object)?;
    let Some(wanted) = int(object, "/status/desiredNumberScheduled") else {
        return Err(Health::in_progress("its controller has not counted nodes yet"));
    };
    if wanted == 0 {
        return Ok(Health::new(Status::Current, "no node matches"));
    }
    at_least(count(object, "/status/currentNumberScheduled"), wanted, "scheduled")?;
    if text(object, "/spec/updateStrategy/type") != "OnDelete" {
        at_least(count(object, "/status/updatedNumberScheduled"), wanted, "updated")?;
    }
    at_least(count(object, "/status/numberAvailable"), wanted, "available")?;
    at_least(count(object, "/status/numberReady"), wanted, "ready")?;
    Ok(Health::current())
}
