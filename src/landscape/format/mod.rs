//! The three kinds of files as plain types. The JSON Schemas that editors use and that loading validates with
//! are generated from these very types, so that format, checks and documentation cannot drift apart.
//!
//! A typed value says nothing about places and drops tags; the [`Node`](crate::yaml::Node) it was read from is
//! kept beside it for both. Nothing here knows what a field means.

mod cluster_file;
mod component_file;
mod decode;
mod landscape_file;
mod shared;

pub(super) use cluster_file::{ClusterFile, ConnectionFields};
pub(super) use component_file::{AdoptFile, ComponentFile, CrdsFile, Fields, HealthFields};
pub(super) use decode::{Decoder, describe};
pub(super) use landscape_file::{LandscapeFile, LimitsFile, SecretSourceEntry};
pub(super) use shared::{Duration, LabelSelector, Operator};

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value as Json;

/// The JSON Schemas (draft 2020-12) of the files of a landscape, by the name that the command `schema` takes.
pub fn schemas() -> [(&'static str, Json); 3] {
    [
        ("landscape", schema::<LandscapeFile>()),
        ("cluster", schema::<ClusterFile>()),
        ("component", schema::<ComponentFile>()),
    ]
}

fn schema<T: JsonSchema>() -> Json {
    SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>().to_value()
}
