//! Files into a [`Landscape`]: the format, presence, merging with provenance, contracts, order, validation.

mod model;

pub use model::{
    Absence, Adopt, Cluster, Component, ComponentSource, Connection, HealthRule, IgnoreDifference, Landscape,
    LayerEntry, Limits, NamespaceMetadata, Patch, PatchTarget, Provided, Required, SecretSource, SecretUse,
    Suspend, Wait,
};
