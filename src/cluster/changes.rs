//! What changes among a landscape's objects, as a stream: a hint for the controller that something is to be
//! looked at. Only metadata travels. The stream survives lost connections and expired versions by itself; what
//! happened meanwhile shows as [`Changed::Seen`].

use futures::{Stream, StreamExt as _};
use kube::api::DynamicObject;
use kube::core::{ApiResource, ObjectMeta, PartialObjectMeta};
use kube::runtime::{WatchStreamExt as _, watcher};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::Client;
use super::error::Error;
use crate::object::{GroupVersionKind, ObjectRef};
use crate::plan::inventory::{FIELD_MANAGER, LANDSCAPE_LABEL};

/// One observation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changed {
    /// The object exists: it was there at the start (again), made or changed.
    Seen {
        /// Which.
        object: ObjectRef,
        /// Its resourceVersion.
        version: String,
        /// A digest of what concerns its owner: see [`ours`]. Equal as long as nobody else has changed a field
        /// that was applied.
        ours: String,
    },
    /// It was deleted, or lost the landscape's mark.
    Gone(ObjectRef),
    /// The watch does not work for now; it is tried again by itself.
    Interrupted(String),
}

impl Client {
    /// Watches the objects of one kind that carry the landscape's mark, in all namespaces. Endless.
    pub fn watch_metadata(
        &self,
        gvk: &GroupVersionKind,
        landscape: &str,
    ) -> Result<impl Stream<Item = Changed> + Send + use<>, Error> {
        let resource = self.resource(gvk)?;
        let api_resource = ApiResource {
            group: resource.group.clone(),
            version: resource.version.clone(),
            api_version: resource.gvk().api_version(),
            kind: resource.kind.clone(),
            plural: resource.plural.clone(),
        };
        let api = kube::Api::<PartialObjectMeta<DynamicObject>>::all_with(self.http(), &api_resource);
        let config = watcher::Config::default().labels(&format!("{LANDSCAPE_LABEL}={landscape}"));
        let reference = move |metadata: &ObjectMeta| ObjectRef {
            group: resource.group.clone(),
            kind: resource.kind.clone(),
            namespace: metadata.namespace.clone(),
            name: metadata.name.clone().unwrap_or_default(),
        };
        let stream = watcher(api, config).default_backoff();
        Ok(stream.filter_map(move |event| {
            let changed = match event {
                Ok(watcher::Event::Apply(object) | watcher::Event::InitApply(object)) => {
                    let version = object.metadata.resource_version.clone().unwrap_or_default();
                    let ours = ours(&object.metadata);
                    Some(Changed::Seen { object: reference(&object.metadata), version, ours })
                }
                Ok(watcher::Event::Delete(object)) => Some(Changed::Gone(reference(&object.metadata))),
                Ok(watcher::Event::Init | watcher::Event::InitDone) => None,
                Err(error) => Some(Changed::Interrupted(super::connect::root_cause(&error))),
            };
            std::future::ready(changed)
        }))
    }
}

/// A digest of the identity, of our entry in managedFields, of our own labels and annotations, and of whether the
/// object is being deleted.
///
/// Whoever changes or removes a field that we applied takes it out of our entry (KEP-555), so the entry tells drift
/// without the object's body, and is silent about status updates and about fields that others own.
fn ours(metadata: &ObjectMeta) -> String {
    let entries = metadata.managed_fields.iter().flatten();
    let entry = entries
        .filter(|entry| entry.manager.as_deref() == Some(FIELD_MANAGER))
        .find(|entry| entry.operation.as_deref() == Some("Apply") && entry.subresource.is_none())
        .map(|entry| json!([entry.api_version, entry.fields_v1]));
    let own = |map: &Option<std::collections::BTreeMap<String, String>>| {
        let own = map.iter().flatten().filter(|(name, _)| name.starts_with("landskap.io/"));
        json!(own.collect::<std::collections::BTreeMap<_, _>>())
    };
    let text = json!([
        metadata.uid,
        metadata.deletion_timestamp.is_some(),
        own(&metadata.labels),
        own(&metadata.annotations),
        entry
    ]);
    Sha256::digest(text.to_string()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn metadata() -> Value {
        json!({
            "uid": "u", "resourceVersion": "1", "labels": {"landskap.io/landscape": "platform", "team": "a"},
            "managedFields": [
                {"manager": "landskap", "operation": "Apply", "apiVersion": "v1", "time": "2026-01-01T00:00:00Z",
                 "fieldsType": "FieldsV1", "fieldsV1": {"f:data": {"f:a": {}, "f:b": {}}}},
                {"manager": "controller", "operation": "Update", "apiVersion": "v1", "subresource": "status",
                 "fieldsType": "FieldsV1", "fieldsV1": {"f:status": {}}},
            ],
        })
    }

    fn print(metadata: &Value) -> String {
        ours(&serde_json::from_value(metadata.clone()).unwrap())
    }

    #[test]
    fn what_does_not_concern_the_owner_is_not_seen() {
        let before = print(&metadata());
        let mut other = metadata();
        other["resourceVersion"] = json!("2");
        other["labels"]["team"] = json!("b");
        other["managedFields"][1]["time"] = json!("2026-01-02T00:00:00Z");
        other["managedFields"][1]["fieldsV1"] = json!({"f:status": {"f:replicas": {}}});
        assert_eq!(print(&other), before);
    }

    #[test]
    fn what_concerns_the_owner_is_seen() {
        let before = print(&metadata());
        let mut taken = metadata();
        taken["managedFields"][0]["fieldsV1"] = json!({"f:data": {"f:a": {}}});
        let mut unmarked = metadata();
        unmarked["labels"] = json!({});
        let mut remade = metadata();
        remade["uid"] = json!("v");
        let mut going = metadata();
        going["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        let mut paused = metadata();
        paused["annotations"] = json!({"landskap.io/reconcile": "disabled"});
        for changed in [taken, unmarked, remade, going, paused] {
            assert_ne!(print(&changed), before, "{changed}");
        }
    }
}
