//! The records of a landscape in a cluster.
use crate::plan::{Identity, Inventory};
use std::collections::BTreeMap;
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
    pub mac_key: Option<()>,
}
