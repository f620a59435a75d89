//! Volumes and claims.

use serde_json::Value;

use super::fields::{exists, text};
use super::{Context, Health, Relation, Status};

/// Set by the scheduler once a Pod that uses the claim has a node.
const SELECTED_NODE: &str = "/metadata/annotations/volume.kubernetes.io~1selected-node";

/// A claim that waits for its first consumer and has none is as current as it can be.
pub fn claim(object: &Value, context: &Context) -> Health {
    match text(object, "/status/phase") {
        "Bound" => Health::current(),
        "Lost" => Health::failed("its volume is lost"),
        _ if waits_for_consumer(object, context) => {
            Health::new(Status::Current, "is bound when a Pod first uses it")
        }
        _ => Health::in_progress("is not bound yet"),
    }
}

fn waits_for_consumer(object: &Value, context: &Context) -> bool {
    let mode = context.related.binding_modes.get(text(object, "/spec/storageClassName"));
    mode.is_some_and(|mode| mode == "WaitForFirstConsumer") && !exists(object, SELECTED_NODE)
}

pub fn relations(object: &Value) -> Vec<Relation> {
    let name = text(object, "/spec/storageClassName");
    if name.is_empty() || text(object, "/status/phase") == "Bound" {
        return Vec::new();
    }
    vec![Relation::StorageClass { name: name.to_owned() }]
}

pub fn volume(object: &Value) -> Health {
    match text(object, "/status/phase") {
        "Failed" => Health::failed(match text(object, "/status/message") {
            "" => "its reclamation has failed".to_owned(),
            message => super::fields::plain(message),
        }),
        "" | "Pending" => Health::in_progress("is not available yet"),
        _ => Health::current(),
    }
}
