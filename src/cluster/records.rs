//! What a landscape has recorded in a cluster: inventories, its identity, its key.
//!
//! All of it is in the namespace `landskap`, labelled with the landscape's name, so that one list reads it. It
//! never carries `landskap.io/landscape`, which marks members. A write of an inventory names the version that it
//! replaces: of two runs that raced, one is told (`RecordChanged`) and plans again. Such writes are safe to
//! repeat, because a repeated one that finds its own content has succeeded.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::Client;
use super::error::{Error, WriteError};
use super::list::Selection;
use super::path::{Resource, query};
use super::request::{Call, JSON};
use super::write::{Deleted, Propagation, apply_request};
use crate::object::Scope;

use crate::plan::inventory::{RECORD_MANAGER, RECORD_NAMESPACE, record_name};
use crate::plan::{ID_LABEL, Identity, Inventory, Live, applyset_annotations, applyset_id};

/// Label of a record: what it is.
const RECORD_LABEL: &str = "landskap.io/record";
/// Label of a record: the landscape's name.
const RECORD_LANDSCAPE_LABEL: &str = "landskap.io/record-landscape";
/// The newest format of inventories that is understood.
const SCHEMA_VERSION: u64 = 1;
/// A merge of maps (RFC 7386).
pub(super) const MERGE: &str = "application/merge-patch+json";

/// What a landscape has recorded in a cluster.
#[derive(Debug, Clone, Default)]
pub struct Records {
    /// UID of the namespace `kube-system`: which cluster it is.
    pub cluster_uid: String,
    /// The identity record, if there is one.
    pub identity: Option<Identity>,
    /// The inventories, by component.
    pub inventories: BTreeMap<String, Inventory>,
    /// The landscape's key, if there is one and it may be read.
    pub mac_key: Option<Key>,
}

/// The key under which a landscape makes fingerprints of secrets. It never leaves the cluster but into memory.
#[derive(Clone)]
pub struct Key(Zeroizing<[u8; 32]>);

impl Key {
    /// A key of these bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The key itself.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

fn config_maps() -> Resource {
    Resource::built_in("", "v1", "ConfigMap", "configmaps", Scope::Namespaced)
}

fn secrets() -> Resource {
    Resource::built_in("", "v1", "Secret", "secrets", Scope::Namespaced)
}

fn namespaces() -> Resource {
    Resource::built_in("", "v1", "Namespace", "namespaces", Scope::Cluster)
}

fn labels(landscape: &str, record: &str) -> Value {
    json!({
        "app.kubernetes.io/managed-by": "landskap",
        RECORD_LABEL: record,
        RECORD_LANDSCAPE_LABEL: landscape,
    })
}

fn key_name(landscape: &str) -> String {
    format!("{landscape}.mac")
}

impl Client {
    /// Reads everything that `landscape` has recorded, and which cluster this is.
    pub async fn read_records(&self, landscape: &str) -> Result<Records, Error> {
        let (cluster_uid, maps, mac_key) =
            futures::join!(self.cluster_uid(), self.record_maps(landscape), self.read_mac_key(landscape));
        let mut records = Records { cluster_uid: cluster_uid?, mac_key: mac_key?, ..Records::default() };
        for map in maps? {
            match map.label(RECORD_LABEL) {
                Some("identity") => records.identity = Some(parse(&map, "identity")?),
                Some("inventory") => {
                    let inventory = read_inventory(&map, landscape)?;
                    records.inventories.insert(inventory.component.clone(), inventory);
                }
                _ => {}
            }
        }
        Ok(records)
    }

    async fn cluster_uid(&self) -> Result<String, Error> {
        let action = "read the namespace `kube-system`, whose UID says which cluster this is";
        match self.get_at(&namespaces(), None, "kube-system", false).await {
            Ok(Some(live)) => Ok(live.uid().to_owned()),
            Ok(None) => {
                let reason = "it has no namespace `kube-system`".into();
                Err(Error::NotKubernetes { url: self.url().into(), reason })
            }
            Err(failure) => Err(failure.reading(action.into())),
        }
    }

    async fn record_maps(&self, landscape: &str) -> Result<Vec<Live>, Error> {
        let selector = format!("{RECORD_LANDSCAPE_LABEL}={landscape}");
        let selection =
            Selection { namespace: Some(RECORD_NAMESPACE), labels: Some(&selector), ..Selection::default() };
        let maps = self.list(&config_maps(), selection).await.map_err(|failure| {
            failure.reading(format!(
                "read the records of `{landscape}` (ConfigMaps in namespace `{RECORD_NAMESPACE}`)"
            ))
        })?;
        Ok(maps.into_iter().map(Live).collect())
    }

    /// Without the right to read it there is none: fingerprints are then left out.
    async fn read_mac_key(&self, landscape: &str) -> Result<Option<Key>, Error> {
        let name = key_name(landscape);
        match self.get_at(&secrets(), Some(RECORD_NAMESPACE), &name, true).await {
            Ok(Some(live)) => read_key(&live, &name).map(Some),
            Ok(None) => Ok(None),
            Err(super::list::ListFailure::Call(failure)) if failure.is(403) => Ok(None),
            Err(failure) => Err(failure.reading(format!("read the key of `{landscape}`"))),
        }
    }

    /// The landscape's key; `proposed` when it has none yet. Of two runs that propose one at once, one wins and
    /// both use its key. [`Client::ensure_record_namespace`] comes first.
    pub async fn mac_key(&self, landscape: &str, proposed: &Key) -> Result<Key, WriteError> {
        if let Some(key) = self.read_mac_key(landscape).await? {
            return Ok(key);
        }
        let name = key_name(landscape);
        let body = json!({
            "apiVersion": "v1", "kind": "Secret", "type": "Opaque", "immutable": true,
            "metadata": {"name": name, "namespace": RECORD_NAMESPACE, "labels": labels(landscape, "mac-key")},
            "data": {"key": STANDARD.encode(proposed.bytes())},
        });
        match self.create(&secrets(), &body, true).await {
            Ok(_) => Ok(proposed.clone()),
            Err(failure) if failure.is(409) => match self.read_mac_key(landscape).await? {
                Some(key) => Ok(key),
                None => Err(WriteError::RecordChanged { name }),
            },
            Err(failure) => Err(failure.into()),
        }
    }

    /// Makes the namespace `landskap` if it is missing.
    pub async fn ensure_record_namespace(&self) -> Result<(), WriteError> {
        let found = self.get_at(&namespaces(), None, RECORD_NAMESPACE, false).await;
        if matches!(found, Ok(Some(_))) {
            return Ok(());
        }
        let body = json!({
            "apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": RECORD_NAMESPACE, "labels": {"app.kubernetes.io/managed-by": "landskap"}},
        });
        match self.create(&namespaces(), &body, false).await {
            Ok(_) => Ok(()),
            Err(failure) if failure.is(409) => Ok(()),
            Err(failure) => Err(failure.into()),
        }
    }

    /// A POST under the record manager. Callers take a 409 for "it is there".
    pub(super) async fn create(
        &self,
        resource: &Resource,
        body: &Value,
        sensitive: bool,
    ) -> Result<super::request::Answer, super::error::Failure> {
        let namespace = body.pointer("/metadata/namespace").and_then(Value::as_str);
        let path = query(
            &resource.collection(namespace),
            &[("fieldManager", RECORD_MANAGER), ("fieldValidation", "Strict")],
        );
        self.call(Call::send(Method::POST, path, JSON, body).repeatable().sensitive(sensitive)).await
    }

    /// Writes an inventory: a new one if it has no `resource_version`, else the successor of that version. Returns
    /// the new version.
    pub async fn write_inventory(&self, inventory: &Inventory) -> Result<String, WriteError> {
        let Inventory { landscape, component, .. } = inventory;
        let name = record_name(landscape, component);
        let mut labels = labels(landscape, "inventory");
        labels[ID_LABEL] = applyset_id(landscape, component).into();
        let content = serde_json::to_string(inventory).map_err(WriteError::Nonsense)?;
        let mut body = json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {
                "name": name, "namespace": RECORD_NAMESPACE,
                "labels": labels, "annotations": applyset_annotations(inventory),
            },
            "data": {"inventory": content},
        });
        let maps = config_maps();
        let result = match &inventory.resource_version {
            None => self.create(&maps, &body, false).await,
            Some(version) => {
                body["metadata"]["resourceVersion"] = version.as_str().into();
                let path = maps.object(Some(RECORD_NAMESPACE), &name);
                let path = query(&path, &[("fieldManager", RECORD_MANAGER), ("fieldValidation", "Strict")]);
                self.call(Call::send(Method::PATCH, path, MERGE, &body).repeatable()).await
            }
        };
        match result {
            Ok(answer) => {
                let live = Live(answer.json().map_err(WriteError::Nonsense)?);
                Ok(live.resource_version().to_owned())
            }
            Err(failure) if failure.is(409) || (failure.is(404) && inventory.resource_version.is_some()) => {
                // Our own write of an attempt whose answer got lost, or somebody else's.
                match self.get_at(&maps, Some(RECORD_NAMESPACE), &name, false).await {
                    Ok(Some(live))
                        if live.0.pointer("/data/inventory").and_then(Value::as_str) == Some(&*content) =>
                    {
                        Ok(live.resource_version().to_owned())
                    }
                    _ => Err(WriteError::RecordChanged { name }),
                }
            }
            Err(failure) => Err(failure.into()),
        }
    }

    /// Deletes the record of an inventory if it is still the version that was read.
    pub async fn delete_inventory(&self, inventory: &Inventory) -> Result<(), WriteError> {
        let name = record_name(&inventory.landscape, &inventory.component);
        let version = inventory.resource_version.clone().unwrap_or_default();
        let preconditions = json!({"resourceVersion": version});
        let is_meant = |live: &Live| live.resource_version() == version;
        let maps = config_maps();
        match self
            .delete_at(
                &maps,
                Some(RECORD_NAMESPACE),
                &name,
                &preconditions,
                Propagation::Background,
                is_meant,
            )
            .await?
        {
            Deleted::Gone | Deleted::Terminating => Ok(()),
            Deleted::OtherUid => Err(WriteError::RecordChanged { name }),
        }
    }

    /// Writes which landscape and cluster this is. The caller holds the run Lease.
    pub async fn write_identity(&self, identity: &Identity) -> Result<(), WriteError> {
        let content = serde_json::to_string(identity).map_err(WriteError::Nonsense)?;
        let body = json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {
                "name": identity.landscape, "namespace": RECORD_NAMESPACE,
                "labels": labels(&identity.landscape, "identity"),
            },
            "data": {"identity": content},
        });
        let (maps, name) = (config_maps(), &identity.landscape);
        self.call(apply_request(&maps, Some(RECORD_NAMESPACE), name, RECORD_MANAGER, &body, false)).await?;
        Ok(())
    }

    /// Deletes the identity record: the landscape has left the cluster. The caller holds the run Lease.
    pub async fn delete_identity(&self, landscape: &str) -> Result<(), WriteError> {
        let maps = config_maps();
        let always = |_: &Live| true;
        self.delete_at(&maps, Some(RECORD_NAMESPACE), landscape, &json!({}), Propagation::Background, always)
            .await?;
        Ok(())
    }
}

fn parse<T: DeserializeOwned>(map: &Live, key: &str) -> Result<T, Error> {
    let text = map.0.get("data").and_then(|data| data.get(key)).and_then(Value::as_str);
    let parsed = text.ok_or_else(|| format!("it has no key `{key}`"));
    parsed
        .and_then(|text| serde_json::from_str(text).map_err(|error| error.to_string()))
        .map_err(|reason| Error::Record { name: record_name_of(map), reason })
}

fn record_name_of(map: &Live) -> String {
    map.0.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// Reads an inventory and checks that it is what its name says: a record that was copied or edited is not believed.
fn read_inventory(map: &Live, landscape: &str) -> Result<Inventory, Error> {
    let name = record_name_of(map);
    let raw: Value = parse(map, "inventory")?;
    match raw.get("schemaVersion").and_then(Value::as_u64) {
        Some(SCHEMA_VERSION) => {}
        Some(version) => {
            let reason = format!(
                "it has format {version}, and this landskap understands {SCHEMA_VERSION}; use a newer one"
            );
            return Err(Error::Record { name, reason });
        }
        None => return Err(Error::Record { name, reason: "it has no `schemaVersion`".into() }),
    }
    let mut inventory: Inventory = serde_json::from_value(raw)
        .map_err(|error| Error::Record { name: name.clone(), reason: error.to_string() })?;
    if inventory.landscape != landscape || record_name(landscape, &inventory.component) != name {
        let Inventory { landscape, component, .. } = inventory;
        let reason = format!("it says that it is the inventory of `{component}` in landscape `{landscape}`");
        return Err(Error::Record { name, reason });
    }
    inventory.resource_version = Some(map.resource_version().to_owned());
    Ok(inventory)
}

fn read_key(secret: &Live, name: &str) -> Result<Key, Error> {
    let text = secret.0.pointer("/data/key").and_then(Value::as_str).unwrap_or_default();
    let bytes = STANDARD.decode(text).map(Zeroizing::new).unwrap_or_default();
    match <[u8; 32]>::try_from(bytes.as_slice()) {
        Ok(key) => Ok(Key(Zeroizing::new(key))),
        Err(_) => {
            Err(Error::Record { name: name.into(), reason: "its `key` is not 32 bytes in base64".into() })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(name: &str, inventory: &str) -> Live {
        Live(json!({"metadata": {"name": name, "resourceVersion": "7"}, "data": {"inventory": inventory}}))
    }

    const GOOD: &str = r#"{"schemaVersion":1,"landscape":"l","cluster":"c","component":"a","clusterUid":"u","phase":"idle","entries":{}}"#;

    #[test]
    fn an_inventory_must_be_what_its_name_says() {
        let inventory = read_inventory(&record("l.a", GOOD), "l").unwrap();
        assert_eq!(inventory.resource_version.as_deref(), Some("7"));
        let reason = |map: &Live| read_inventory(map, "l").unwrap_err().to_string();
        assert_eq!(
            reason(&record("l.b", GOOD)),
            "cannot understand the record `l.b` in namespace `landskap`: \
             it says that it is the inventory of `a` in landscape `l`"
        );
        let newer = GOOD.replace(":1,", ":2,");
        assert!(
            reason(&record("l.a", &newer))
                .ends_with("it has format 2, and this landskap understands 1; use a newer one")
        );
        assert!(reason(&record("l.a", "{}")).contains("no `schemaVersion`"));
        assert!(reason(&record("l.a", "nonsense")).contains("expected"));
    }

    #[test]
    fn a_key_is_32_bytes_and_never_shown() {
        let secret = |text: String| Live(json!({"data": {"key": text}}));
        let key = read_key(&secret(STANDARD.encode([7_u8; 32])), "k").unwrap();
        assert_eq!((key.bytes(), format!("{key:?}").as_str()), (&[7_u8; 32], "Key(…)"));
        assert!(read_key(&secret(STANDARD.encode([7_u8; 31])), "k").is_err());
    }
}
