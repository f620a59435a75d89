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
use crate::diagnostic::{has_errors, nearest};
use crate::landscape::{Cluster, Component, LayerEntry, explain_value, parse_path};
use crate::object::{FieldPath, Manifest, Segment};
use crate::reconcile::{Walk, open_charts, outline};
use crate::render;
use crate::report::{document, style};
use crate::yaml::Node;

/// One line that set something, or had set it before.
struct Line {
    place: String,
    layer: String,
    value: Value,
}

/// One value (or field) and its lines, the winner first.
struct Explained {
    path: String,
    value: Value,
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
            match charts.of(cluster).and_then(|charts| charts.get(&component.name)) {
                Some(chart) => explain_field(session, component, chart, &manifests, object, field)?,
                None => Vec::new(),
            }
        } else {
            let chart = charts.of(cluster).and_then(|charts| charts.get(&component.name)).map(AsRef::as_ref);
            explain_values(session, component, chart, path)?
        };
        found.push((cluster, component, explained));
    }
    if arguments.output.output == Output::Text && !has_errors(&diagnostics) {
        found_something(arguments, &found)?;
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

/// A path that nothing sets in any cluster is a mistake, with the value it may have been meant for.
fn found_something(
    arguments: &Explain,
    found: &[(&Cluster, &Component, Vec<Explained>)],
) -> Result<(), Failure> {
    let path = arguments.path.as_deref().unwrap_or_default();
    if path.is_empty() || found.iter().any(|(_, _, explained)| !explained.is_empty()) {
        return Ok(());
    }
    let known = found.iter().flat_map(|(_, component, _)| component.layers.keys().map(String::as_str));
    let hint = match nearest(path, known) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("`landskap explain {}` shows every value", arguments.component),
    };
    Err(Failure::Usage(format!("nothing in `{}` sets `{path}`", arguments.component), hint))
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
    Ok(lines
        .into_iter()
        .map(|(path, mut lines)| {
            lines.reverse();
            Explained { path, value: lines.first().map_or(Value::Null, |line| line.value.clone()), lines }
        })
        .collect())
}

/// The value that is proven to have set a field, the template that reads it, and the line that was rendered.
fn explain_field(
    session: &Session,
    component: &Component,
    chart: &Chart,
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
    let keys = parse_path(field).map_err(usage)?.into_iter();
    let path = FieldPath(keys.map(|key| key.parse().map_or(Segment::Key(key), Segment::Index)).collect());
    let pointer: String = path.0.iter().map(|segment| format!("/{}", token(segment))).collect();
    Ok(matching
        .into_iter()
        .filter_map(|manifest| {
            // A field that the object does not have would be traced to the line around it.
            let value = manifest.object.pointer(&pointer)?;
            let value = if manifest.is_secret() { "***".into() } else { value.clone() };
            let explained = render::explain(manifest, &path, component, chart, &session.files);
            let lines = explained.map(|found| {
                let line = |span, layer: String| Line {
                    place: session.files.place(span),
                    layer,
                    value: value.clone(),
                };
                let set = found.value.map(|set| line(set.span, format!("value {}", set.path)));
                let template = found.template.map(|span| line(span, "template".into()));
                let rendered = line(found.rendered, "rendered line".into());
                set.into_iter().chain(template).chain([rendered]).collect()
            });
            Some(Explained {
                path: format!("{}:{field}", manifest.reference),
                lines: lines.unwrap_or_default(),
                value,
            })
        })
        .collect())
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
    for Explained { path, value, lines } in explained {
        let _ = writeln!(out, "  {path}: {value}");
        for (index, line) in lines.iter().enumerate() {
            let said = format!("      {}  {}", line.place, line.layer);
            let said = if line.value == *value { said } else { format!("{said}  (was {})", line.value) };
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
            "value": e.value,
            "lines": e.lines.iter().map(|line| json!({
                "place": line.place, "layer": line.layer, "value": line.value,
            })).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
    })
}
