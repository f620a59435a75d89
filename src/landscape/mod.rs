//! Files into a [`Landscape`]: the format, presence, merging with provenance, contracts, order, validation.
//!
//! [`load()`] reads a [`Tree`](crate::source::Tree) and returns what it says together with every problem that it
//! has. The order of the work: find the files (`discover`), read each as a typed file (`format`), decide what
//! is in which cluster (`presence`), merge it (`fields`, `values`), resolve contracts (`contracts`, `order`),
//! compute values (`compute`), and check what only the whole can tell. Nothing here knows charts or servers.

mod checks;
mod cluster;
mod compute;
mod contracts;
mod discover;
mod draft;
mod explain;
mod expressions;
mod fields;
mod format;
mod load;
mod merge;
mod model;
mod order;
mod presence;
mod resolve;
mod secrets;
mod selector;
mod tags;
mod values;
mod waiting;
mod whole;

pub use explain::{explain_value, parse_path, path_text};
pub use format::schemas;
pub use load::load;
pub use model::{
    Absence, Adopt, Cluster, Component, ComponentSource, Connection, HealthRule, IgnoreDifference, Landscape,
    LayerEntry, Limits, NamespaceMetadata, Patch, PatchTarget, Provided, Required, SecretSource, SecretUse,
    Suspend, Wait,
};

#[cfg(test)]
mod tests;
