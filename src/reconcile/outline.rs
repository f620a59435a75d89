//! The part of the walk that needs no cluster: charts and manifests.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Walk;
use crate::chart::{self, Chart};
use crate::diagnostic::{Diagnostic, Files};
use crate::landscape::{ComponentSource, Landscape};
use crate::object::{Discovery, KubernetesVersion, Manifest};
use crate::render;
use crate::source::Tree;

/// What to render for when neither the cluster nor the command line says.
pub const DEFAULT_VERSION: KubernetesVersion = KubernetesVersion { major: 1, minor: 34 };

/// Every chart of a landscape, opened once, by what a component says of it.
#[derive(Debug, Default)]
pub struct Charts(BTreeMap<String, Arc<Chart>>);

impl Charts {
    /// The chart of a component; `None` when it could not be opened.
    pub fn get(&self, source: &ComponentSource) -> Option<&Arc<Chart>> {
        self.0.get(&key(source))
    }
}

/// The manifests of one cluster.
#[derive(Debug)]
pub struct Outline {
    /// By component. A component that could not be rendered is missing.
    pub manifests: BTreeMap<String, Vec<Manifest>>,
    /// What was found on the way.
    pub diagnostics: Vec<Diagnostic>,
}

/// Opens every chart that any cluster uses.
pub fn open_charts(tree: &Tree, landscape: &Landscape, files: &Files) -> (Charts, Vec<Diagnostic>) {
    let sources: BTreeMap<String, &ComponentSource> = landscape
        .clusters
        .iter()
        .flat_map(|cluster| &cluster.components)
        .map(|component| (key(&component.source), &component.source))
        .collect();
    let mut charts = Charts::default();
    let mut diagnostics = Vec::new();
    for (key, source) in sources {
        match chart::open(tree, files, source) {
            Ok(chart) => {
                charts.0.insert(key, Arc::new(chart));
            }
            Err(problems) => diagnostics.extend(problems),
        }
    }
    (charts, diagnostics)
}

/// Renders the cluster for `discovery`, or for its Kubernetes version when no server is asked.
pub fn outline(walk: &Walk<'_>, discovery: Option<&Discovery>) -> Outline {
    let offline;
    let discovery = if let Some(live) = discovery {
        live
    } else {
        offline = Discovery::of_version(walk.cluster.kubernetes_version.unwrap_or(DEFAULT_VERSION));
        &offline
    };
    let charts: BTreeMap<String, Arc<Chart>> = walk
        .cluster
        .components
        .iter()
        .filter_map(|component| {
            Some((component.name.clone(), Arc::clone(walk.charts.get(&component.source)?)))
        })
        .collect();
    let rendered = render::render(walk.cluster, &walk.landscape.name, &charts, discovery, walk.files);
    Outline {
        manifests: rendered.components.into_iter().map(|c| (c.name, c.manifests)).collect(),
        diagnostics: rendered.diagnostics,
    }
}

fn key(source: &ComponentSource) -> String {
    match source {
        ComponentSource::Chart { reference, version, .. } => {
            format!("chart {reference} {}", version.as_deref().unwrap_or_default())
        }
        ComponentSource::Manifests { paths } => {
            paths.iter().map(|(path, _)| format!("manifests {path}\n")).collect()
        }
    }
}
