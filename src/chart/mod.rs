//! Finds and opens charts.
//!
//! [`open`] reads a chart that is kept in the landscape, or the plain manifests of a component, into a
//! [`Chart`]: plain data that `render` needs no file for. Files come from a [`Tree`] only, so that nothing
//! outside the landscape can be reached, and every text is registered in [`Files`]. References to charts
//! elsewhere (repository, registry, archive, git) are recognised here and refused: this version cannot fetch
//! them. Nothing here knows values or templates.

mod folder;
mod manifests;
mod metadata;
mod model;
mod reference;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use model::{Chart, Subchart};

use crate::diagnostic::{Diagnostic, Files};
use crate::landscape::{Cluster, ComponentSource};
use crate::source::Tree;

/// Opens what a component is rendered from.
///
/// # Errors
/// Every problem found, each with its place: `missing-chart`, `remote-chart`, `version-mismatch`,
/// `invalid-chart`, `missing-manifests`, and those of the YAML reader.
pub fn open(tree: &Tree, files: &Files, source: &ComponentSource) -> Result<Chart, Vec<Diagnostic>> {
    match source {
        ComponentSource::Manifests { paths } => manifests::open(tree, files, paths),
        ComponentSource::Chart { reference, version, span } => {
            let path = reference::in_landscape(tree, reference, *span).map_err(|d| vec![d])?;
            let chart = folder::open(tree, files, &path, *span)?;
            match version {
                Some(version) => reference::agree(version, &chart, *span).map_err(|d| vec![d])?,
                None => (),
            }
            Ok(chart)
        }
    }
}

/// Charts of many components, each read once however many components and clusters use it.
#[derive(Debug, Default)]
pub struct Opened {
    charts: Vec<(ComponentSource, Result<Arc<Chart>, ()>)>,
}

impl Opened {
    /// The charts of a cluster's components by component name. Components whose chart cannot be opened are
    /// missing in the map; the reasons are told once for each place that names the chart.
    pub fn charts(
        &mut self,
        tree: &Tree,
        files: &Files,
        cluster: &Cluster,
    ) -> (BTreeMap<String, Arc<Chart>>, Vec<Diagnostic>) {
        let mut charts = BTreeMap::new();
        let mut diagnostics = Vec::new();
        for component in &cluster.components {
            let known = self.charts.iter().find(|(source, _)| same(source, &component.source));
            let chart = match known {
                Some((_, chart)) => chart.clone(),
                None => {
                    let chart =
                        open(tree, files, &component.source).map(Arc::new).map_err(|d| diagnostics.extend(d));
                    self.charts.push((component.source.clone(), chart.clone()));
                    chart
                }
            };
            if let Ok(chart) = chart {
                charts.insert(component.name.clone(), chart);
            }
        }
        (charts, diagnostics)
    }
}

/// Whether two sources open the same chart. A place matters only for manifests, whose errors point there.
fn same(a: &ComponentSource, b: &ComponentSource) -> bool {
    match (a, b) {
        (
            ComponentSource::Chart { reference, version, .. },
            ComponentSource::Chart { reference: other, version: other_version, .. },
        ) => reference == other && version == other_version,
        _ => a == b,
    }
}
