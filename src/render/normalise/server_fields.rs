//! N1: fields that only the server sets. Exported YAML carries them, and would be refused with 409 or 400.

use serde_json::Value;

const METADATA: &[&str] =
    &["managedFields", "resourceVersion", "uid", "generation", "selfLink", "creationTimestamp"];

/// Removes `status` and the server's own metadata.
pub(super) fn remove(object: &mut Value) {
    if let Some(object) = object.as_object_mut() {
        object.remove("status");
    }
    if let Some(metadata) = object["metadata"].as_object_mut() {
        for field in METADATA {
            metadata.remove(*field);
        }
    }
}
