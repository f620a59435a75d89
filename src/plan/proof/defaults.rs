//! What the server adds by itself inside nodes that are owned as a whole.
//!
//! Outside such nodes defaults don't matter: only fields that our entry names are compared. Inside, what was sent
//! and what is stored differ by these. The table holds only defaults of built-in kinds that do not depend on
//! anything else; whatever is missing here costs a dry run and nothing more.

use serde_json::{Value, json};

/// Whether the server puts `value` at `key` of the map at `path` (map keys only) when nothing is sent.
pub(super) fn is_default(group: &str, kind: &str, path: &[&str], key: &str, value: &Value) -> bool {
    let last =
        |n: usize| path.len().checked_sub(n).and_then(|index| path.get(index)).copied().unwrap_or_default();
    let default = match (last(2), last(1), key) {
        (_, "fieldRef", "apiVersion") => json!("v1"),
        (_, "resourceFieldRef", "divisor") => json!("0"),
        (_, "serviceAccountToken", "expirationSeconds") => json!(3600),
        (_, "volumeClaimTemplates", "apiVersion") if kind == "StatefulSet" => json!("v1"),
        (_, "volumeClaimTemplates", "kind") if kind == "StatefulSet" => json!("PersistentVolumeClaim"),
        (_, "volumeClaimTemplates", "status") if kind == "StatefulSet" => json!({"phase": "Pending"}),
        ("volumeClaimTemplates", "metadata", "creationTimestamp") if kind == "StatefulSet" => Value::Null,
        ("volumeClaimTemplates", "spec", "volumeMode") if kind == "StatefulSet" => json!("Filesystem"),
        ("ingress" | "egress", "ports", "protocol") if kind == "NetworkPolicy" => json!("TCP"),
        (_, "roleRef" | "subjects", "apiGroup") if group == RBAC => json!(RBAC),
        (_, "rules", "scope") if group == "admissionregistration.k8s.io" => json!("*"),
        _ => return false,
    };
    *value == default
}

/// The group of roles and bindings.
const RBAC: &str = "rbac.authorization.k8s.io";
