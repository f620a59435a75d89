//! Namespaces, and why one does not go away.

use serde_json::Value;

use super::Health;
use super::fields::{condition, text};

/// Conditions that a Namespace's controller sets when it cannot empty it.
const OBSTACLES: [&str; 5] = [
    "NamespaceDeletionDiscoveryFailure",
    "NamespaceDeletionGroupVersionParsingFailure",
    "NamespaceDeletionContentFailure",
    "NamespaceContentRemaining",
    "NamespaceFinalizersRemaining",
];

pub fn assess(object: &Value) -> Health {
    match text(object, "/status/phase") {
        "Active" => Health::current(),
        _ => Health::in_progress("is not active yet"),
    }
}

/// What keeps a terminating Namespace; empty for other kinds.
pub fn why_terminating(object: &Value) -> Vec<String> {
    if text(object, "/kind") != "Namespace" || text(object, "/apiVersion") != "v1" {
        return Vec::new();
    }
    OBSTACLES
        .iter()
        .filter_map(|kind| condition(object, kind).filter(|c| c.status == "True").map(|c| c.explained(kind)))
        .collect()
}
