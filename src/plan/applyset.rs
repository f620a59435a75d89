//! What makes an inventory the parent of an ApplySet (KEP-3659), so that other tools see what belongs together.
//!
//! The id is a function of the record's identity; the annotations are hints where members may be. Our own working
//! set is the inventory's entries, never these.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use super::inventory::{Inventory, RECORD_NAMESPACE, record_name};

/// Label of a parent: its own id.
pub const ID_LABEL: &str = "applyset.kubernetes.io/id";

/// The ApplySet id of a component's inventory: the value of its `id` label and of its members' `part-of`.
pub fn applyset_id(landscape: &str, component: &str) -> String {
    id_of(&record_name(landscape, component), RECORD_NAMESPACE, "ConfigMap", "")
}

/// `applyset-` + base64url(sha256(`name.namespace.kind.group`)) + `-v1`, as KEP-3659 says.
fn id_of(name: &str, namespace: &str, kind: &str, group: &str) -> String {
    let hash = Sha256::digest(format!("{name}.{namespace}.{kind}.{group}").as_bytes());
    format!("applyset-{}-v1", URL_SAFE_NO_PAD.encode(hash))
}

/// The annotations of an ApplySet parent: tooling, and the kinds and namespaces of `inventory`'s entries.
pub fn applyset_annotations(inventory: &Inventory) -> BTreeMap<String, String> {
    let references = || inventory.entries.values().map(|entry| &entry.reference);
    let kinds: BTreeSet<String> = references().map(|r| r.group_kind().to_string()).collect();
    let namespaces: BTreeSet<&str> =
        references().filter_map(|r| r.namespace.as_deref()).filter(|n| *n != RECORD_NAMESPACE).collect();
    let csv = |items: Vec<&str>| items.join(",");
    BTreeMap::from([
        ("applyset.kubernetes.io/tooling".into(), format!("landskap/{}", env!("CARGO_PKG_VERSION"))),
        (
            "applyset.kubernetes.io/contains-group-kinds".into(),
            csv(kinds.iter().map(String::as_str).collect()),
        ),
        ("applyset.kubernetes.io/additional-namespaces".into(), csv(namespaces.into_iter().collect())),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vector of kubectl's own test.
    #[test]
    fn id_agrees_with_kubectl() {
        assert_eq!(
            id_of("my-set", "test", "Secret", ""),
            "applyset-0eFHV8ySqp7XoShsGvyWFQD3s96yqwHmzc4e0HR1dsY-v1"
        );
    }
}
