//! `landskap check`: load, validate, render every cluster; every problem with its place.

use serde_json::{Value, json};

use super::args::{Check, Output};
use super::exit::Exit;
use super::failure::Failure;
use super::session::Session;
use crate::diagnostic::{Diagnostic, has_errors};
use crate::landscape::{self, Cluster, Landscape};
use crate::reconcile::{Walk, open_charts, outline};
use crate::report::{document, problems};
use crate::source::Tree;

/// What was looked at.
#[derive(Default)]
struct Checked {
    clusters: usize,
    components: usize,
    objects: usize,
}

/// Reports every problem of the load and of the rendering of all chosen clusters.
pub fn run(session: &Session, arguments: &Check) -> Result<Exit, Failure> {
    let tree = session.open(&arguments.landscape)?;
    let (landscape, mut diagnostics) = landscape::load(&tree, &session.files);
    let mut checked = Checked::default();
    if let Some(mut landscape) = landscape {
        session.override_version(&mut landscape, &arguments.landscape);
        let clusters = session.clusters(&landscape, &arguments.clusters)?;
        checked = check(session, &tree, &landscape, &clusters, &mut diagnostics);
    }
    session.files.sort(&mut diagnostics);
    diagnostics.dedup();
    let failed = has_errors(&diagnostics);
    if arguments.output.output == Output::Json {
        let problems: Vec<Value> = diagnostics.iter().map(|d| problems::json(d, &session.files)).collect();
        let Checked { clusters, components, objects } = checked;
        let body = json!({
            "valid": !failed, "clusters": clusters, "components": components, "objects": objects, "problems": problems,
        });
        session.terminal.print(&document("Check", &body))?;
    } else {
        session.tell(&mut diagnostics);
        if !failed {
            let Checked { clusters, components, objects } = checked;
            session.terminal.say(&format!(
                "checked {}: {}, {}\n",
                count(clusters, "cluster"),
                count(components, "component"),
                count(objects, "object"),
            ));
        }
    }
    Ok(if failed { Exit::Failed } else { Exit::Fine })
}

fn check(
    session: &Session,
    tree: &Tree,
    landscape: &Landscape,
    clusters: &[&Cluster],
    diagnostics: &mut Vec<Diagnostic>,
) -> Checked {
    let (charts, problems) = open_charts(tree, landscape, &session.files);
    diagnostics.extend(problems);
    let mut checked = Checked { clusters: clusters.len(), ..Checked::default() };
    for cluster in clusters {
        let walk = Walk { tree, landscape, cluster, charts: &charts, files: &session.files };
        let outline = outline(&walk, None);
        checked.components += cluster.components.len();
        checked.objects += outline.manifests.values().map(Vec::len).sum::<usize>();
        diagnostics.extend(outline.diagnostics);
    }
    checked
}

fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}
