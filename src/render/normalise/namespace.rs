//! N6: an object of a namespaced kind has a namespace, one of a cluster-scoped kind has none. This comes
//! before identity is computed; else inventories would list objects that do not exist.

use serde_json::Value;

use super::{Fault, pods};
use crate::object::{Discovery, FieldPath, GroupKind, Scope, builtin};

/// Sets the component's namespace where a namespaced object has none, and removes it from cluster-scoped
/// ones. Returns whether the kind is known; one that nobody defines is taken for namespaced, as most custom
/// resources are.
pub(in crate::render) fn place(
    object: &mut Value,
    namespace: &str,
    discovery: &Discovery,
) -> Result<bool, Fault> {
    let kind = pods::gvk(object).group_kind();
    let scope = scope(&kind, discovery);
    let path = FieldPath::default().key("metadata").key("namespace");
    let Some(metadata) = object["metadata"].as_object_mut() else { return Ok(scope.is_some()) };
    match (scope, metadata.get("namespace")) {
        (Some(Scope::Cluster), _) => _ = metadata.remove("namespace"),
        (_, Some(Value::String(text))) if !text.is_empty() => (),
        (_, None | Some(Value::Null | Value::String(_))) => {
            metadata.insert("namespace".into(), namespace.into());
        }
        (_, Some(other)) => {
            return Err(Fault::new(
                "invalid-manifest",
                path,
                format!("`metadata.namespace` must be a text, not {other}"),
            ));
        }
    }
    Ok(scope.is_some())
}

fn scope(kind: &GroupKind, discovery: &Discovery) -> Option<Scope> {
    discovery.get(kind).map(|resource| resource.scope).or_else(|| builtin::scope(kind))
}
