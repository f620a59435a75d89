//! Merging what is not a value: refinement over override over shared file over defaults, maps merged, lists
//! replaced, but those that add up joined. The merged node keeps the place of everything in it.

use super::discover::beside;
use super::merge::{map, merge};
use crate::diagnostic::Diagnostic;
use crate::yaml::{Entry, Mapping, Node, Value};

/// Lists that add up.
const JOINED: [&str; 4] = ["patches", "ignoreDifferences", "health", "dependsOn"];
/// Maps in which `null` takes back what a lower layer says.
const WITHDRAWN: [&str; 3] = ["secrets", "provides", "requires"];
/// Fields that have a meaning of their own in each layer.
const NOT_MERGED: [&str; 6] =
    ["name", "clusterSelector", "installed", "configuration", "environments", "overrides"];

/// One file's or override's fields.
pub(super) struct FieldLayer<'a> {
    /// The fields.
    pub fields: &'a Mapping,
    /// The folder from which its paths are seen.
    pub folder: &'a str,
}

/// The layers merged, lowest first. `null` entries are markers as in values.
pub(super) fn merge_fields(layers: &[FieldLayer<'_>], problems: &mut Vec<Diagnostic>) -> Mapping {
    let mut merged = Mapping::new();
    for layer in layers {
        for entry in layer.fields.iter().filter(|e| !NOT_MERGED.contains(&e.key.as_str())) {
            let mut entry = plain(entry, layer.folder);
            if WITHDRAWN.contains(&entry.key.as_str()) {
                withdrawals(merged.get(&entry.key), &entry, problems);
            }
            if let Some(low) = merged.get(&entry.key) {
                entry.value = if JOINED.contains(&entry.key.as_str()) {
                    joined(low, &entry.value)
                } else {
                    merge(low, &entry.value)
                };
            }
            merged.insert(entry);
        }
    }
    merged
}

/// A `null` that takes nothing back: `requires: {x: }` is a requirement that somebody meant to write.
fn withdrawals(low: Option<&Node>, entry: &Entry, problems: &mut Vec<Diagnostic>) {
    for withdrawn in map(&entry.value).into_iter().flatten().filter(|e| e.value.is_null()) {
        if low.is_none_or(|low| low.get(&withdrawn.key).is_none()) {
            problems.push(
                Diagnostic::error(
                    "nothing-to-withdraw",
                    format!(
                        "`{}` of `{}` is empty, and there is nothing that it could withdraw",
                        withdrawn.key, entry.key
                    ),
                )
                .at(withdrawn.key_span, "")
                .help("write `{}` behind it to mean the thing itself"),
            );
        }
    }
}

fn joined(low: &Node, high: &Node) -> Node {
    let items = |node: &Node| node.as_sequence().unwrap_or_default().to_vec();
    let all: Vec<Node> = items(low).into_iter().chain(items(high)).collect();
    Node::new(high.span, Value::Sequence(all))
}

/// An entry in the one form that merges: lists of names as maps, paths from the root.
fn plain(entry: &Entry, folder: &str) -> Entry {
    let mut entry = entry.clone();
    match (entry.key.as_str(), &mut entry.value.value) {
        ("secrets", Value::Sequence(items)) => {
            let map = items.iter().filter_map(|item| keyed(item, item.clone())).collect();
            entry.value.value = Value::Mapping(map);
        }
        ("requires", Value::Sequence(items)) => {
            let empty = |item: &Node| Node::new(item.span, Value::Mapping(Mapping::new()));
            let map = items.iter().filter_map(|item| keyed(item, empty(item))).collect();
            entry.value.value = Value::Mapping(map);
        }
        ("manifests", Value::Sequence(items)) => items.iter_mut().for_each(|item| rooted(item, folder)),
        ("release", Value::Mapping(release)) => {
            if let Some(chart) = release.get_mut("chart")
                && chart.as_str().is_some_and(|c| c.starts_with("./") || c.starts_with("../"))
            {
                rooted(chart, folder);
            }
        }
        _ => {}
    }
    entry
}

fn keyed(item: &Node, value: Node) -> Option<Entry> {
    Some(Entry { key: item.as_str()?.to_owned(), key_span: item.span, value })
}

fn rooted(node: &mut Node, folder: &str) {
    if let Value::String(path) = &mut node.value
        && let Some(rooted) = beside(folder, path)
    {
        *path = rooted;
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::diagnostic::{Files, Span};

    fn check(layers: &[Json], expected: &Json) {
        let file = Files::new().add("x", "", false);
        let nodes: Vec<Node> = layers.iter().map(|l| Node::from_json(Span::new(file, 0..0), l)).collect();
        let layers: Vec<FieldLayer<'_>> = nodes
            .iter()
            .filter_map(Node::as_mapping)
            .map(|fields| FieldLayer { fields, folder: "components" })
            .collect();
        let mut problems = Vec::new();
        let merged = merge_fields(&layers, &mut problems);
        let merged = Node::new(Span::new(file, 0..0), Value::Mapping(merged)).to_json();
        let found = json!([merged, problems.iter().map(|p| p.code).collect::<Vec<_>>()]);
        assert_eq!(&found, expected);
    }

    #[test]
    fn maps_merge_lists_are_replaced_and_some_join() {
        check(
            &[
                json!({"name": "x", "release": {"chart": "./c", "version": "1"}, "formerly": ["a"], "dependsOn": ["p"]}),
                json!({"release": {"version": "2"}, "formerly": ["b"], "dependsOn": ["q"], "manifests": ["m/"]}),
            ],
            &json!([
                {"release": {"chart": "components/c", "version": "2"}, "formerly": ["b"], "dependsOn": ["p", "q"],
                 "manifests": ["components/m"]},
                []
            ]),
        );
    }

    #[test]
    fn lists_and_maps_of_names_mix() {
        check(
            &[
                json!({"secrets": ["a"], "requires": ["x", "y"]}),
                json!({"secrets": {"b": "c"}, "requires": {"x": {"many": true}, "y": null}}),
            ],
            &json!([{"secrets": {"a": "a", "b": "c"}, "requires": {"x": {"many": true}, "y": null}}, []]),
        );
    }

    #[test]
    fn an_empty_entry_that_withdraws_nothing_is_a_mistake() {
        check(
            &[json!({"requires": {"x": null}})],
            &json!([{"requires": {"x": null}}, ["nothing-to-withdraw"]]),
        );
    }
}
