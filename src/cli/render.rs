//! `landskap render`: the manifests of a cluster, Secrets masked and marked so that nobody applies them.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Context;
use serde_json::{Value, json};

use super::args::{Output, Render};
use super::exit::Exit;
use super::failure::Failure;
use super::session::Session;
use crate::diagnostic::has_errors;
use crate::landscape::Cluster;
use crate::object::Manifest;
use crate::reconcile::{Walk, open_charts, outline};
use crate::report::document;
use crate::yaml;

/// One manifest and the cluster that it is for.
struct Item<'a> {
    cluster: &'a str,
    manifest: Manifest,
}

/// Prints or writes the manifests.
pub fn run(session: &Session, arguments: &Render) -> Result<Exit, Failure> {
    let loaded = session.load(&arguments.landscape)?;
    let clusters = session.clusters(&loaded.landscape, &arguments.clusters)?;
    let selected = session.components(&arguments.components, &clusters)?;
    let (charts, mut diagnostics) = open_charts(&loaded.tree, &loaded.landscape, &session.files);
    diagnostics.extend(loaded.warnings);
    let mut items = Vec::new();
    for cluster in &clusters {
        let walk = Walk {
            tree: &loaded.tree,
            landscape: &loaded.landscape,
            cluster,
            charts: &charts,
            files: &session.files,
        };
        let outline = outline(&walk, None);
        diagnostics.extend(outline.diagnostics);
        items.extend(in_order(cluster, outline.manifests, selected.as_ref()));
    }
    session.tell(&mut diagnostics);
    if has_errors(&diagnostics) {
        return Ok(Exit::Failed);
    }
    match (&arguments.output_dir, arguments.output.output) {
        (Some(directory), _) => {
            let directory = session.environment.directory.join(directory);
            for item in &items {
                write(&directory, item)?;
            }
            session.terminal.say(&format!("wrote {} files below {}\n", items.len(), directory.display()));
        }
        (None, Output::Text) => {
            for item in &items {
                session.terminal.print(&text(item, clusters.len() > 1))?;
            }
        }
        (None, Output::Json) => {
            let objects: Vec<Value> = items.iter().map(json).collect();
            session.terminal.print(&document("Render", &json!({"manifests": objects})))?;
        }
    }
    Ok(Exit::Fine)
}

fn in_order<'a>(
    cluster: &'a Cluster,
    mut manifests: std::collections::BTreeMap<String, Vec<Manifest>>,
    selected: Option<&BTreeSet<String>>,
) -> Vec<Item<'a>> {
    cluster
        .components
        .iter()
        .filter(|component| selected.is_none_or(|names| names.contains(&component.name)))
        .flat_map(|component| manifests.remove(&component.name).unwrap_or_default())
        .map(|manifest| Item { cluster: &cluster.name, manifest })
        .collect()
}

/// The object as it may be shown: of a Secret the keys, and a mark that keeps a server from taking it.
fn shown(manifest: &Manifest) -> Value {
    let mut object = manifest.object.clone();
    if manifest.is_secret() {
        object["apiVersion"] = "masked.landskap.io/v1".into();
        if let Some(data) = object.get_mut("data").and_then(Value::as_object_mut) {
            for hole in &manifest.holes {
                data.insert(hole.key.clone(), Value::Null);
            }
            for value in data.values_mut() {
                *value = "***".into();
            }
        }
        if let Some(annotations) = object.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut)
        {
            annotations.remove("kubectl.kubernetes.io/last-applied-configuration");
        }
    }
    object
}

fn text(item: &Item<'_>, several: bool) -> String {
    let origin = &item.manifest.origin;
    let cluster = if several { format!("{}: ", item.cluster) } else { String::new() };
    format!(
        "---\n# {cluster}{}: {}\n{}",
        origin.component,
        origin.template,
        yaml::write(&shown(&item.manifest))
    )
}

fn json(item: &Item<'_>) -> Value {
    let origin = &item.manifest.origin;
    json!({
        "cluster": item.cluster,
        "component": origin.component,
        "template": origin.template,
        "object": shown(&item.manifest),
    })
}

fn write(directory: &Path, item: &Item<'_>) -> Result<(), Failure> {
    let reference = &item.manifest.reference;
    let folder = directory.join(item.cluster).join(&item.manifest.origin.component);
    std::fs::create_dir_all(&folder).with_context(|| format!("`{}` cannot be made", folder.display()))?;
    let namespace = reference.namespace.as_ref().map_or(String::new(), |namespace| format!("{namespace}."));
    let group = if reference.group.is_empty() { String::new() } else { format!(".{}", reference.group) };
    // Names of RBAC objects may hold colons, and nothing of Kubernetes may hold a slash.
    let name = format!("{}{group}.{namespace}{}.yaml", reference.kind, reference.name).to_lowercase();
    let path = folder.join(name.replace(['/', '\\'], "_"));
    std::fs::write(&path, text(item, true))
        .with_context(|| format!("`{}` cannot be written", path.display()))?;
    Ok(())
}
