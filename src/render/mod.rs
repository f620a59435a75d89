//! Components and charts into manifests. Pure: everything comes as arguments, nothing is asked.
//!
//! [`render`] takes a cluster of a landscape with opened charts and returns normalised [`Manifest`]s by
//! component, and every problem found. The same input gives the same output. Components are rendered side by
//! side, but for those that must see the definitions of their providers' CRDs: these come after them.
//! A secret's value is never here: Secrets are rendered with holes (`holes`). Knows no server beyond what
//! [`Discovery`] says.

mod component;
mod context;
mod document;
mod engine;
mod explain;
mod holes;
mod lint;
mod normalise;
mod patch;
mod schema;
mod tera;
#[cfg(test)]
mod tests;
mod trace;
mod values;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use explain::{Explained, SetBy, explain};
pub use patch::is_hit;
use rayon::prelude::*;
pub use trace::trace;

use self::document::Draft;
use crate::chart::Chart;
use crate::diagnostic::{Diagnostic, Files};
use crate::landscape::{Cluster, Component};
use crate::object::{Discovery, Manifest, builtin};

/// One component's objects.
#[derive(Debug, Clone, PartialEq)]
pub struct RenderedComponent {
    /// The component's name.
    pub name: String,
    /// Its objects: CRDs of `crds/` first, then in the order of files and documents.
    pub manifests: Vec<Manifest>,
}

/// What became of a cluster's components.
#[derive(Debug, Clone, Default)]
pub struct Rendered {
    /// In the cluster's component order. A component that could not be rendered in full is missing here, and
    /// `diagnostics` has an error about it.
    pub components: Vec<RenderedComponent>,
    /// Every problem found, sorted by place.
    pub diagnostics: Vec<Diagnostic>,
}

/// Renders all components of `cluster` whose chart is in `charts` (by component name). `discovery` is what
/// the server serves, or [`Discovery::of_version`] offline; kinds that rendered CRDs define are added here.
/// Rendered texts are registered in `files`.
pub fn render(
    cluster: &Cluster,
    landscape_name: &str,
    charts: &BTreeMap<String, Arc<Chart>>,
    discovery: &Discovery,
    files: &Files,
) -> Rendered {
    let shared = context::Shared::new(cluster, landscape_name, discovery);
    let mut discovery = discovery.clone();
    let mut diagnostics = Vec::new();
    let mut drafts: BTreeMap<&str, Vec<Draft>> = BTreeMap::new();
    for level in levels(cluster) {
        let capabilities = context::capabilities(&discovery);
        let rendered: Vec<_> = level
            .into_par_iter()
            .filter_map(|component| {
                let chart = charts.get(&component.name)?;
                Some((component, component::drafts(cluster, component, chart, &shared, &capabilities, files)))
            })
            .collect();
        for (component, result) in rendered {
            match result {
                Ok(rendered) => {
                    discovery
                        .resources
                        .extend(builtin::definitions(rendered.iter().map(|draft| &draft.object)));
                    drafts.insert(&component.name, rendered);
                }
                Err(more) => diagnostics.extend(more),
            }
        }
    }
    let work: Vec<_> =
        cluster.components.iter().filter_map(|c| drafts.remove(c.name.as_str()).map(|d| (c, d))).collect();
    let finished: Vec<_> = work
        .into_par_iter()
        .map(|(component, drafts)| (component, component::finish(component, drafts, &discovery, files)))
        .collect();
    let mut components = Vec::new();
    for (component, (manifests, more)) in finished {
        if !crate::diagnostic::has_errors(&more) {
            components.push(RenderedComponent { name: component.name.clone(), manifests });
        }
        diagnostics.extend(more);
    }
    diagnostics.extend(lint::check(cluster, &components, files));
    files.sort(&mut diagnostics);
    diagnostics.dedup();
    Rendered { components, diagnostics }
}

/// Renders one component of `cluster` by itself. `discovery` must have the kinds that other components define
/// ([`Discovery::with_definitions`]); what concerns several components is not checked. Without manifests there
/// is an error among the diagnostics.
pub fn render_component(
    cluster: &Cluster,
    component: &Component,
    landscape_name: &str,
    chart: &Chart,
    discovery: &Discovery,
    files: &Files,
) -> (Option<RenderedComponent>, Vec<Diagnostic>) {
    let shared = context::Shared::new(cluster, landscape_name, discovery);
    let capabilities = context::capabilities(discovery);
    let drafts = match component::drafts(cluster, component, chart, &shared, &capabilities, files) {
        Ok(drafts) => drafts,
        Err(diagnostics) => return (None, diagnostics),
    };
    let mut discovery = discovery.clone();
    discovery.resources.extend(builtin::definitions(drafts.iter().map(|draft| &draft.object)));
    let (manifests, diagnostics) = component::finish(component, drafts, &discovery, files);
    let rendered = RenderedComponent { name: component.name.clone(), manifests };
    ((!crate::diagnostic::has_errors(&diagnostics)).then_some(rendered), diagnostics)
}

/// Components by how many others must come before them, those that need nobody first.
fn levels(cluster: &Cluster) -> Vec<Vec<&Component>> {
    let mut levels: Vec<Vec<&Component>> = Vec::new();
    let mut depths: BTreeMap<&str, usize> = BTreeMap::new();
    for component in &cluster.components {
        // Providers stand first; one that does not is passed over here.
        let depth = component
            .after
            .iter()
            .filter_map(|name| depths.get(name.as_str()))
            .max()
            .map_or(0, |depth| depth + 1);
        depths.insert(&component.name, depth);
        levels.resize_with(levels.len().max(depth + 1), Vec::new);
        levels[depth].push(component);
    }
    levels
}

/// Bytes in lower-case hex.
fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|n| char::from_digit(n.into(), 16))
        .collect()
}
