//! The part of the walk that needs no cluster: charts and manifests.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Walk;
use crate::chart::{self, Chart};
use crate::diagnostic::{Diagnostic, Files};
use crate::landscape::{Cluster, Landscape};
use crate::object::{Discovery, KubernetesVersion, Manifest};
use crate::render;
use crate::source::Tree;

/// What to render for when neither the cluster nor the command line says.
pub const DEFAULT_VERSION: KubernetesVersion = KubernetesVersion { major: 1, minor: 34 };

/// The charts of every cluster's components, each opened once.
#[derive(Debug, Default)]
pub struct Charts(BTreeMap<String, BTreeMap<String, Arc<Chart>>>);

impl Charts {
    /// The charts of a cluster by component; one that could not be opened is missing.
    pub fn of(&self, cluster: &Cluster) -> Option<&BTreeMap<String, Arc<Chart>>> {
        self.0.get(&cluster.name)
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
    let mut opened = chart::Opened::default();
    let mut charts = Charts::default();
    let mut diagnostics = Vec::new();
    for cluster in &landscape.clusters {
        let (of_cluster, problems) = opened.charts(tree, files, cluster);
        charts.0.insert(cluster.name.clone(), of_cluster);
        diagnostics.extend(problems);
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
    let none = BTreeMap::new();
    let charts = walk.charts.of(walk.cluster).unwrap_or(&none);
    let rendered = render::render(walk.cluster, &walk.landscape.name, charts, discovery, walk.files);
    Outline {
        manifests: rendered.components.into_iter().map(|c| (c.name, c.manifests)).collect(),
        diagnostics: rendered.diagnostics,
    }
}
