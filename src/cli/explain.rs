//! `landskap explain`: from a value to the lines that set it, and from a field of a manifest back to its template
//! and values.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::args::{Explain, Output};
use super::exit::Exit;
use super::failure::Failure;
use super::session::Session;
use crate::chart::Chart;
use crate::diagnostic::has_errors;
use crate::landscape::{Cluster, Component, LayerEntry, explain_value, parse_path};
use crate::object::{FieldPath, Manifest, Segment};
use crate::reconcile::{Walk, open_charts, outline};
use crate::render;
use crate::report::{document, style};
use crate::yaml::Node;

/// One line that set something.
struct Line {
    place: String,
    layer: String,
    value: Value,
}

/// One value (or field) and its lines, the winner last.
struct Explained {
    path: String,
    lines: Vec<Line>,
}

/// Explains a component, one of its values, or a field of one of its objects, in every chosen cluster.
pub fn run(session: &Session, arguments: &Explain) -> Result<Exit, Failure> {
    let mut loaded = session.load(&arguments.landscape)?;
    session.tell(&mut loaded.warnings);
    let clusters = session.clusters(&loaded.landscape, &arguments.clusters)?;
    session.components(std::slice::from_ref(&arguments.component), &clusters)?;
    let (charts, mut diagnostics) = open_charts(&loaded.tree, &loaded.landscape, &session.files);
    let mut found = Vec::new();
    for cluster in clusters {
        let Some(component) = cluster.components.iter().find(|c| c.name == arguments.component) else {
            continue;
        };
        let path = arguments.path.as_deref().unwrap_or_default();
        let explained = if let Some((object, field)) = object_and_field(path) {
            let walk = Walk {
                tree: &loaded.tree,
                landscape: &loaded.landscape,
                cluster,
                charts: &charts,
                files: &session.files,
            };
            let mut outline = outline(&walk, None);
            diagnostics.append(&mut outline.diagnostics);
            let manifests = outline.manifests.remove(&component.name).unwrap_or_default();
            explain_field(session, component, &manifests, object, field)?
        } else {
            let chart = charts.get(&component.source).map(AsRef::as_ref);
            explain_values(session, component, chart, path)?
        };
        found.push((cluster, component, explained));
    }
    let failed = has_errors(&diagnostics);
    session.tell(&mut diagnostics);
    if failed {
        return Ok(Exit::Failed);
    }
    let text = match arguments.output.output {
        Output::Text => {
            found.iter().map(|(cluster, component, e)| text(session, cluster, component, e)).collect()
        }
        Output::Json => {
            let clusters: Vec<Value> =
                found.iter().map(|(cluster, component, e)| json(cluster, component, e)).collect();
            document("Explanation", &json!({"clusters": clusters}))
        }
    };
    session.terminal.print(&text)?;
    Ok(if found.iter().all(|(_, _, explained)| explained.is_empty()) { Exit::Failed } else { Exit::Fine })
}

/// `Deployment/prometheus:spec.replicas` into its object and field; `None` when it is a path of values.
fn object_and_field(path: &str) -> Option<(&str, &str)> {
    let (object, field) = path.split_once(':').unwrap_or((path, ""));
    object.contains('/').then_some((object, field))
}

/// The lines that set each value at or below `path`, with the chart's default under them.
fn explain_values(
    session: &Session,
    component: &Component,
    chart: Option<&Chart>,
    path: &str,
) -> Result<Vec<Explained>, Failure> {
    let keys = parse_path(path).map_err(usage)?;
    let mut lines: BTreeMap<String, Vec<Line>> = BTreeMap::new();
    if let Some(default) = chart.and_then(|chart| chart.values.at(keys.iter().map(String::as_str))) {
        leaves(default, &mut keys.clone(), &mut |leaf, node| {
            let line = Line {
                place: session.files.place(node.span),
                layer: "chart values".into(),
                value: node.to_json(),
            };
            lines.entry(crate::landscape::path_text(leaf)).or_default().push(line);
        });
    }
    for (leaf, entries) in explain_value(component, &keys) {
        lines.entry(leaf.to_owned()).or_default().extend(entries.iter().map(|entry| line(session, entry)));
    }
    Ok(lines.into_iter().map(|(path, lines)| Explained { path, lines }).collect())
}

/// Where a field was rendered, and the one value that is proven to have set it.
fn explain_field(
    session: &Session,
    component: &Component,
    manifests: &[Manifest],
    object: &str,
    field: &str,
) -> Result<Vec<Explained>, Failure> {
    let matching: Vec<&Manifest> = manifests.iter().filter(|manifest| names(manifest, object)).collect();
    if matching.is_empty() {
        let known = manifests.iter().map(|m| format!("{}/{}", m.reference.kind, m.reference.name));
        return Err(Failure::Usage(
            format!("`{}` has no object `{object}`", component.name),
            format!("there are {}", known.collect::<Vec<_>>().join(", ")),
        ));
    }
    let path = FieldPath(
        parse_path(field)
            .map_err(usage)?
            .into_iter()
            .map(|key| key.parse().map_or(Segment::Key(key), Segment::Index))
            .collect(),
    );
    let mut explained = Vec::new();
    for manifest in matching {
        let mut lines = Vec::new();
        if let Some(span) = render::trace(manifest, &path, &session.files) {
            let pointer: String = path.0.iter().map(|segment| format!("/{}", token(segment))).collect();
            let value = if manifest.is_secret() {
                "***".into()
            } else {
                manifest.object.pointer(&pointer).cloned().unwrap_or_default()
            };
            lines.extend(setter(session, component, &value));
            lines.push(Line {
                place: session.files.place(span),
                layer: format!("template {}", manifest.origin.template),
                value,
            });
        }
        explained.push(Explained { path: format!("{}:{field}", manifest.reference), lines });
    }
    Ok(explained)
}

/// The only value of the component that has exactly this text, if there is exactly one: nothing is claimed without proof.
fn setter(session: &Session, component: &Component, value: &Value) -> Option<Line> {
    if matches!(value, Value::Null | Value::Bool(_) | Value::Object(_) | Value::Array(_)) {
        return None;
    }
    let mut same = component.layers.iter().filter_map(|(path, entries)| {
        let winner = entries.last().filter(|entry| entry.value == *value)?;
        Some((path, winner))
    });
    let (path, winner) = same.next()?;
    if same.next().is_some() {
        return None;
    }
    let mut line = line(session, winner);
    line.layer = format!("{} ({path})", line.layer);
    Some(line)
}

fn names(manifest: &Manifest, object: &str) -> bool {
    let (kind, name) = object.split_once('/').unwrap_or((object, ""));
    let reference = &manifest.reference;
    reference.name == name
        && (reference.kind.eq_ignore_ascii_case(kind)
            || reference.group_kind().to_string().eq_ignore_ascii_case(kind))
}

fn token(segment: &Segment) -> String {
    match segment {
        Segment::Key(key) => key.replace('~', "~0").replace('/', "~1"),
        Segment::Index(index) => index.to_string(),
        Segment::Item(_) | Segment::Member(_) => String::new(),
    }
}

fn leaves(node: &Node, path: &mut Vec<String>, found: &mut impl FnMut(&[String], &Node)) {
    match node.as_mapping() {
        Some(mapping) if !mapping.is_empty() => {
            for entry in mapping {
                path.push(entry.key.clone());
                leaves(&entry.value, path, found);
                path.pop();
            }
        }
        _ => found(path, node),
    }
}

fn line(session: &Session, entry: &LayerEntry) -> Line {
    Line { place: session.files.place(entry.span), layer: entry.layer.clone(), value: entry.value.clone() }
}

fn usage(message: String) -> Failure {
    Failure::Usage(
        message,
        "a value is `retention` or `a.b[\"x.y\"]`, a field `Deployment/name:spec.replicas`".into(),
    )
}

fn text(session: &Session, cluster: &Cluster, component: &Component, explained: &[Explained]) -> String {
    let paint = session.terminal.out_paint;
    let mut out =
        format!("{}\n", paint.paint(style::HEADING, &format!("{}: {}", cluster.name, component.name)));
    if explained.is_empty() {
        out.push_str("  nothing sets that\n");
    }
    for Explained { path, lines } in explained {
        let value = lines.last().map_or(String::new(), |line| line.value.to_string());
        let _ = writeln!(out, "  {path}: {value}");
        for (index, line) in lines.iter().rev().enumerate() {
            let text = format!("      {}  {}", line.place, line.layer);
            let said = if index == 0 { text } else { format!("{text}  (was {})", line.value) };
            let _ = writeln!(out, "{}", if index == 0 { said } else { paint.paint(style::QUIET, &said) });
        }
    }
    out
}

fn json(cluster: &Cluster, component: &Component, explained: &[Explained]) -> Value {
    json!({
        "name": cluster.name,
        "component": component.name,
        "values": explained.iter().map(|e| json!({
            "path": e.path,
            "lines": e.lines.iter().map(|line| json!({
                "place": line.place, "layer": line.layer, "value": line.value,
            })).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
    })
}
