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
            if let Some(version) = version {
                reference::agree(version, &chart, *span).map_err(|d| vec![d])?;
            }
            Ok(chart)
        }
    }
}

/// Charts of many components, each read once however many components and clusters use it.
#[derive(Debug, Default)]
pub struct Opened {
    charts: Vec<(ComponentSource, Opening)>,
}

/// A chart, or why there is none.
type Opening = Result<Arc<Chart>, Vec<Diagnostic>>;

impl Opened {
    /// The charts of a cluster's components by component name. A component whose chart cannot be opened is
    /// missing in the map, and the diagnostics say why: for every cluster, so that none takes the component
    /// for one that is not wanted.
    pub fn charts(
        &mut self,
        tree: &Tree,
        files: &Files,
        cluster: &Cluster,
    ) -> (BTreeMap<String, Arc<Chart>>, Vec<Diagnostic>) {
        let mut charts = BTreeMap::new();
        let mut diagnostics = Vec::new();
        for component in &cluster.components {
            match self.chart(tree, files, &component.source) {
                Ok(chart) => _ = charts.insert(component.name.clone(), chart),
                Err(more) => diagnostics.extend(more),
            }
        }
        (charts, diagnostics)
    }

    fn chart(&mut self, tree: &Tree, files: &Files, source: &ComponentSource) -> Opening {
        let known = self.charts.iter().find(|(known, chart)| is_same(known, source, chart.is_err()));
        if let Some((_, chart)) = known {
            return chart.clone();
        }
        let chart = open(tree, files, source).map(Arc::new);
        self.charts.push((source.clone(), chart.clone()));
        chart
    }
}

/// Whether two sources open the same chart. Errors point to the place that asks, so they are the same only
/// for the same place.
fn is_same(a: &ComponentSource, b: &ComponentSource, with_place: bool) -> bool {
    match (a, b) {
        (
            ComponentSource::Chart { reference, version, .. },
            ComponentSource::Chart { reference: other, version: other_version, .. },
        ) if !with_place => reference == other && version == other_version,
        _ => a == b,
    }
}
