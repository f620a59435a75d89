//! `landskap list`: clusters, components, what is installed where.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::args::{List, Output};
use super::exit::Exit;
use super::failure::Failure;
use super::session::Session;
use crate::landscape::{Absence, Cluster};
use crate::report::{document, style};

/// Prints the list.
pub fn run(session: &Session, arguments: &List) -> Result<Exit, Failure> {
    let mut loaded = session.load(&arguments.landscape)?;
    session.tell(&mut loaded.warnings);
    let clusters = session.clusters(&loaded.landscape, &arguments.clusters)?;
    let text = match arguments.output.output {
        Output::Json => {
            document("List", &json!({"clusters": clusters.iter().map(|c| json(c)).collect::<Vec<_>>()}))
        }
        Output::Text => clusters.iter().map(|cluster| text(session, cluster)).collect(),
    };
    session.terminal.print(&text)?;
    Ok(Exit::Fine)
}

fn json(cluster: &Cluster) -> Value {
    json!({
        "name": cluster.name,
        "environment": cluster.environment,
        "labels": cluster.labels,
        "components": cluster.components.iter().map(|component| json!({
            "name": component.name,
            "namespace": component.namespace,
            "after": component.after,
            "suspended": component.suspend.as_ref().map(|s| &s.reason),
        })).collect::<Vec<_>>(),
        "absent": cluster.absent.keys().collect::<BTreeSet<_>>(),
    })
}

fn text(session: &Session, cluster: &Cluster) -> String {
    let paint = session.terminal.out_paint;
    let labels: Vec<_> =
        cluster.labels.iter().filter(|(k, _)| *k != "name").map(|(k, v)| format!("{k}={v}")).collect();
    let mut out = format!("{}  {}\n", paint.paint(style::HEADING, &cluster.name), labels.join(" "));
    let width = cluster.components.iter().map(|c| c.name.len()).max().unwrap_or(0);
    for component in &cluster.components {
        let mut notes = Vec::new();
        if !component.after.is_empty() {
            notes.push(format!("after {}", component.after.iter().cloned().collect::<Vec<_>>().join(", ")));
        }
        if let Some(suspend) = &component.suspend {
            notes.push(format!("suspended: {}", suspend.reason));
        }
        let line = format!("  {:width$}  {:16}  {}", component.name, component.namespace, notes.join("; "));
        let _ = writeln!(out, "{}", line.trim_end());
    }
    for (name, absence) in &cluster.absent {
        let why = match absence {
            Absence::Selector(_) => "its selector does not match",
            Absence::NotInstalled(_) => "installed: false",
        };
        let _ = writeln!(out, "{}", paint.paint(style::QUIET, &format!("  {name}: not here, {why}")));
    }
    out
}
