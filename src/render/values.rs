//! A chart's values under a component's: merged as Helm merges them, every leaf keeping its place.
//!
//! The rules are those of Helm's `chartutil.CoalesceValues`: maps merge, lists and scalars of the component
//! win, `null` removes a key; a subchart sees the parent's values under its own name, and the parent's
//! `global`. One difference: a `null` in values.yaml itself means "not set" too, so that templates can ask
//! `is defined` and use `default`. Knows no template and no file.

use crate::chart::{Chart, Subchart};
use crate::diagnostic::{Diagnostic, Span};
use crate::yaml::{Entry, Mapping, Node, Value};

/// A chart that takes part in a render, with its values.
#[derive(Debug)]
pub(super) struct Scoped<'a> {
    /// The chart.
    pub chart: &'a Chart,
    /// Paths of subcharts from the top chart: empty, or `charts/a/charts/b/`.
    pub prefix: String,
    /// Its values: a map.
    pub values: Node,
}

/// The chart and all its subcharts that are switched on, parents first, each with its values.
///
/// # Errors
/// `invalid-values`: a map is needed where a subchart's values or `global` stand.
pub(super) fn scope<'a>(chart: &'a Chart, values: &Node) -> Result<Vec<Scoped<'a>>, Diagnostic> {
    let mut scoped = Vec::new();
    let mut values = values.clone();
    if values.is_null() {
        values.value = Value::Mapping(Mapping::new());
    }
    descend(chart, String::new(), values, &mut scoped)?;
    for one in &mut scoped {
        remove_nulls(&mut one.values);
    }
    Ok(scoped)
}

fn descend<'a>(
    chart: &'a Chart,
    prefix: String,
    mut values: Node,
    scoped: &mut Vec<Scoped<'a>>,
) -> Result<(), Diagnostic> {
    merge_under(&mut values, &chart.values);
    let mut children = Vec::new();
    for subchart in &chart.subcharts {
        if is_on(subchart, &values) {
            children.push((subchart, subchart_values(subchart, &mut values)?));
        }
    }
    let nested = |subchart: &Subchart| format!("{prefix}charts/{}/", subchart.name);
    let children: Vec<_> = children.into_iter().map(|(s, values)| (s, nested(s), values)).collect();
    scoped.push(Scoped { chart, prefix, values });
    for (subchart, prefix, values) in children {
        descend(&subchart.chart, prefix, values, scoped)?;
    }
    Ok(())
}

/// Lays `lower` under `upper`: adds what is missing. Where `upper` says `null` nothing is added, and the
/// `null` stays as a marker for charts further down.
fn merge_under(upper: &mut Node, lower: &Node) {
    let (Value::Mapping(upper), Value::Mapping(lower)) = (&mut upper.value, &lower.value) else { return };
    for entry in lower {
        match upper.get_mut(&entry.key) {
            Some(value) => merge_under(value, &entry.value),
            None => _ = upper.insert(entry.clone()),
        }
    }
}

/// What a subchart starts from: the parent's values under its name, and the parent's `global` above its own.
/// The parent sees the subchart's defaults too, as in Helm.
fn subchart_values(subchart: &Subchart, parent: &mut Node) -> Result<Node, Diagnostic> {
    let span = parent.span;
    let mut own = match parent.get(&subchart.name) {
        Some(node) if node.is_null() => empty(node.span),
        Some(node) => node.clone(),
        None => empty(span),
    };
    let not_a_map = |what: &str, span: Span| {
        Diagnostic::error(
            "invalid-values",
            format!("`{what}` must be a map: it holds values of the chart `{}`", subchart.chart.name),
        )
        .at(span, "")
    };
    let own_span = own.span;
    let Some(own_map) = own.as_mapping_mut() else { return Err(not_a_map(&subchart.name, own_span)) };
    if let Some(global) = parent.get("global").filter(|g| !g.is_null()) {
        if global.as_mapping().is_none() {
            return Err(not_a_map("global", global.span));
        }
        let mut merged = global.clone();
        if let Some(own_global) = own_map.get("global") {
            merge_under(&mut merged, own_global);
        }
        own_map.insert(Entry { key: "global".into(), key_span: merged.span, value: merged });
    }
    let mut seen = own.clone();
    merge_under(&mut seen, &subchart.chart.values);
    if let Some(parent) = parent.as_mapping_mut() {
        parent.insert(Entry { key: subchart.name.clone(), key_span: seen.span, value: seen });
    }
    Ok(own)
}

fn empty(span: Span) -> Node {
    Node::new(span, Value::Mapping(Mapping::new()))
}

/// Helm's rule for dependencies: the first path of `condition` that holds a boolean decides; else the tags,
/// of which one `true` is enough and any `false` switches off; else it is on.
fn is_on(subchart: &Subchart, parent: &Node) -> bool {
    let boolean = |node: Option<&Node>| match node.map(|n| &n.value) {
        Some(Value::Bool(value)) => Some(*value),
        _ => None,
    };
    let paths = subchart.condition.as_deref().unwrap_or_default().split(',').map(str::trim);
    if let Some(value) = paths.filter(|p| !p.is_empty()).find_map(|path| boolean(parent.at(path.split('.'))))
    {
        return value;
    }
    let tags: Vec<bool> =
        subchart.tags.iter().filter_map(|tag| boolean(parent.at(["tags", tag.as_str()]))).collect();
    tags.is_empty() || tags.contains(&true)
}

/// Removes keys whose value is `null`. Lists are left as they are: they were never merged.
fn remove_nulls(node: &mut Node) {
    let Value::Mapping(mapping) = &mut node.value else { return };
    let nulls: Vec<String> = mapping.iter().filter(|e| e.value.is_null()).map(|e| e.key.clone()).collect();
    for key in nulls {
        mapping.remove(&key);
    }
    for entry in mapping.iter_mut() {
        remove_nulls(&mut entry.value);
    }
}
