//! An opened chart: plain data, whatever it was opened from.

use std::collections::BTreeMap;

use crate::diagnostic::{FileId, Span};
use crate::yaml::Node;

/// A chart with everything that rendering needs. The `manifests:` of a component are a chart too, with an
/// empty name: templates and plain objects without values of their own.
#[derive(Debug, Clone)]
pub struct Chart {
    /// `name` of Chart.yaml; empty for plain manifests.
    pub name: String,
    /// `version`.
    pub version: String,
    /// `appVersion`; empty when absent.
    pub app_version: String,
    /// values.yaml; an empty map when absent.
    pub values: Node,
    /// values.schema.json, parsed.
    pub schema: Option<(FileId, serde_json::Value)>,
    /// What stands before the keys of `templates` in a path within the chart: `templates/`, or nothing for
    /// plain manifests.
    pub template_root: &'static str,
    /// Files under `templates/`, by path from there, sorted. `_*` are partials.
    pub templates: BTreeMap<String, FileId>,
    /// Plain objects that are read as they are, by path within the chart (`manifests/a.yaml`), sorted.
    pub manifests: BTreeMap<String, FileId>,
    /// Files under `crds/`, by path, sorted.
    pub crds: BTreeMap<String, FileId>,
    /// Every other file, by path, for engines that can read them.
    pub files: BTreeMap<String, Vec<u8>>,
    /// `charts/`, in the order of Chart.yaml's dependencies, then by name.
    pub subcharts: Vec<Subchart>,
    /// The version in Chart.yaml, or for plain manifests the place that names them.
    pub span: Span,
}

/// A chart inside a chart.
#[derive(Debug, Clone)]
pub struct Subchart {
    /// The name that scopes its values: the alias or the chart's name.
    pub name: String,
    /// Comma-separated paths into the parent's values; the first that is a boolean switches it on or off.
    pub condition: Option<String>,
    /// Tags of the dependency.
    pub tags: Vec<String>,
    /// The chart itself.
    pub chart: Chart,
}
