//! Which secrets a cluster's components need, and where they are found.

use std::collections::BTreeMap;
use std::ffi::OsString;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::{Error, Walk};
use crate::cluster::Client;
use crate::diagnostic::Diagnostic;
use crate::landscape::{SecretSource, SecretUse};
use crate::object::{Manifest, ObjectRef, Piece};
use crate::secret::{self, ClusterSecrets, Lookup, SecretValue};

/// Looks up every secret that the manifests have holes for, each once.
pub async fn look_up(
    walk: &Walk<'_>,
    manifests: &BTreeMap<String, Vec<Manifest>>,
    client: &Client,
    variable: &(dyn Fn(&str) -> Option<OsString> + Sync),
) -> Result<(BTreeMap<String, SecretValue>, Vec<Diagnostic>), Error> {
    let wanted = wanted(walk, manifests);
    if wanted.is_empty() {
        return Ok((BTreeMap::new(), Vec::new()));
    }
    let mut in_cluster = ClusterSecrets::new();
    for source in &walk.cluster.secret_sources {
        if let SecretSource::Secret { namespace, name } = source
            && let Some(values) = read(client, namespace, name).await?
        {
            in_cluster.insert((namespace.clone(), name.clone()), values);
        }
    }
    let from = Lookup { env: variable, tree: walk.tree, cluster: &in_cluster };
    Ok(secret::resolve(&wanted, &walk.cluster.secret_sources, &from))
}

/// The values of a Secret in the cluster; `None` when it does not exist.
async fn read(
    client: &Client,
    namespace: &str,
    name: &str,
) -> Result<Option<BTreeMap<String, SecretValue>>, Error> {
    let reference = ObjectRef {
        group: String::new(),
        kind: "Secret".into(),
        namespace: Some(namespace.into()),
        name: name.into(),
    };
    let Some(live) = client.get(&reference, "v1").await? else { return Ok(None) };
    let data = live.0.get("data").and_then(Value::as_object);
    let decoded = data.into_iter().flatten().filter_map(|(key, value)| {
        Some((key.clone(), SecretValue::new(STANDARD.decode(value.as_str()?).ok()?)))
    });
    Ok(Some(decoded.collect()))
}

/// Lookup names, each with one place that asks for it.
fn wanted(walk: &Walk<'_>, manifests: &BTreeMap<String, Vec<Manifest>>) -> Vec<SecretUse> {
    let mut wanted: BTreeMap<String, SecretUse> = BTreeMap::new();
    for component in &walk.cluster.components {
        for used in component.secrets.values() {
            wanted.entry(used.lookup.clone()).or_insert_with(|| used.clone());
        }
    }
    for manifest in manifests.values().flatten() {
        for piece in manifest.holes.iter().flat_map(|hole| &hole.pieces) {
            if let Piece::Secret(lookup) = piece {
                wanted
                    .entry(lookup.clone())
                    .or_insert_with(|| SecretUse { lookup: lookup.clone(), span: manifest.origin.span });
            }
        }
    }
    wanted.into_values().collect()
}
