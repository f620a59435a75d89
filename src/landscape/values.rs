//! A component's values: its layers in order of precedence, merged, and for each leaf every place that set it.

use std::collections::BTreeMap;

use super::explain::path_text;
use super::merge::{map, merge};
use super::model::LayerEntry;
use crate::diagnostic::Span;
use crate::yaml::{Mapping, Node, Value};

/// One map of values that a file sets.
#[derive(Debug, Clone)]
pub(super) struct Layer {
    /// As `explain` names it: `shared configuration`.
    pub name: String,
    /// A map.
    pub values: Node,
}

/// The layers merged, lowest first. Without layers an empty map at `place`.
pub(super) fn merged(layers: &[Layer], place: Span) -> Node {
    let empty = Node::new(place, Value::Mapping(Mapping::new()));
    layers.iter().fold(empty, |base, layer| merge(&base, &layer.values))
}

/// For every leaf of `merged` the places that set it or what stood there before, the winner last.
///
/// A leaf is anything but a map with entries; lists are leaves, as they are replaced whole.
pub(super) fn provenance(layers: &[Layer], merged: &Node) -> BTreeMap<String, Vec<LayerEntry>> {
    let mut found = BTreeMap::new();
    collect(layers, merged, &mut Vec::new(), &mut found);
    found
}

fn collect<'a>(
    layers: &[Layer],
    node: &'a Node,
    path: &mut Vec<&'a str>,
    found: &mut BTreeMap<String, Vec<LayerEntry>>,
) {
    if let Some(mapping) = map(node).filter(|m| !m.is_empty()) {
        for entry in mapping {
            path.push(&entry.key);
            collect(layers, &entry.value, path, found);
            path.pop();
        }
        return;
    }
    if path.is_empty() {
        return;
    }
    let entries = layers.iter().filter_map(|layer| {
        let node = reached(&layer.values, path)?;
        Some(LayerEntry { layer: layer.name.clone(), span: node.span, value: node.to_json() })
    });
    found.insert(path_text(path), entries.collect());
}

/// What a layer says at `path`: the node there, or the leaf above it that leaves no room for it.
fn reached<'a>(root: &'a Node, path: &[&str]) -> Option<&'a Node> {
    let mut node = root;
    for key in path {
        match map(node) {
            Some(mapping) => node = mapping.get(key)?,
            None => break,
        }
    }
    Some(node)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::diagnostic::Files;
    use crate::yaml;

    fn layer(files: &Files, name: &str, text: &str) -> Layer {
        let file = files.add(name, text, false);
        let documents = yaml::read(files, file, yaml::Duplicates::Error).expect("valid YAML");
        Layer { name: name.into(), values: documents.into_iter().next().and_then(|d| d.root).expect("a map") }
    }

    fn check(texts: &[&str], expected: &[(&str, &[(&str, Json)])]) {
        let files = Files::new();
        let layers: Vec<Layer> =
            texts.iter().enumerate().map(|(i, t)| layer(&files, &i.to_string(), t)).collect();
        let merged = merged(&layers, layers[0].values.span);
        let found: Vec<(String, Vec<(String, Json)>)> = provenance(&layers, &merged)
            .into_iter()
            .map(|(path, entries)| {
                (path, entries.into_iter().map(|e| (files.place(e.span), e.value)).collect())
            })
            .collect();
        let expected: Vec<(String, Vec<(String, Json)>)> = expected
            .iter()
            .map(|(p, es)| {
                ((*p).to_owned(), es.iter().map(|(place, v)| ((*place).to_owned(), v.clone())).collect())
            })
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn each_leaf_knows_its_line_and_those_it_overrode() {
        check(
            &["a: 1\nb:\n  c: 2\n", "b:\n  c: 3\n  d: [1]\n", "a: null\n"],
            &[
                ("a", &[("0:1:4", json!(1)), ("2:1:4", json!(null))]),
                ("b.c", &[("0:3:6", json!(2)), ("1:2:6", json!(3))]),
                ("b.d", &[("1:3:6", json!([1]))]),
            ],
        );
    }

    #[test]
    fn a_map_over_a_scalar_and_back() {
        check(&["a: 5\n", "a: {b: 1}\n"], &[("a.b", &[("0:1:4", json!(5)), ("1:1:8", json!(1))])]);
        check(&["a: {b: 1}\n", "a: 5\n"], &[("a", &[("0:1:4", json!({"b": 1})), ("1:1:4", json!(5))])]);
    }

    fn values() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<i16>().prop_map(Json::from),
            any::<bool>().prop_map(Json::from),
            "[a-z ]{0,5}".prop_map(Json::from),
            prop::collection::vec(0..9i32, 0..3).prop_map(Json::from),
        ];
        let tree = leaf.prop_recursive(3, 12, 3, |inner| {
            prop::collection::btree_map("[a-c]|x[.]y", inner, 0..4)
                .prop_map(|m| m.into_iter().collect::<serde_json::Map<_, _>>().into())
        });
        prop::collection::btree_map("[a-c]", tree, 1..4)
            .prop_map(|m| m.into_iter().collect::<serde_json::Map<_, _>>().into())
    }

    proptest! {
        /// Text -> nodes -> merge -> provenance: the winner's place holds text that reads as the merged value,
        /// and the winner is the highest layer that says anything there.
        #[test]
        fn the_winning_place_says_the_merged_value(jsons in prop::collection::vec(values(), 1..4)) {
            let files = Files::new();
            let layers: Vec<Layer> = jsons
                .iter()
                .enumerate()
                .map(|(i, json)| layer(&files, &i.to_string(), &json.to_string()))
                .collect();
            let merged = merged(&layers, layers[0].values.span);
            for (path, entries) in provenance(&layers, &merged) {
                let keys = crate::landscape::parse_path(&path).expect("our own form");
                let leaf = merged.at(keys.iter().map(String::as_str)).expect("a leaf of the merged tree");
                let winner = entries.last().expect("somebody set it");
                prop_assert_eq!(winner.span, leaf.span);
                let text = files.get(winner.span.file).text[winner.span.range()].to_owned();
                let again: Json = serde_json::from_str(&text).expect("JSON");
                prop_assert_eq!(&again, &leaf.to_json());
                prop_assert_eq!(&winner.value, &again);
                let speaks = |json: &Json| {
                    let mut node = json;
                    for key in &keys {
                        match node.as_object() {
                            Some(map) => match map.get(key) { Some(next) => node = next, None => return false },
                            None => return true,
                        }
                    }
                    true
                };
                let last = jsons.iter().rposition(speaks).expect("somebody set it");
                prop_assert_eq!(&winner.layer, &last.to_string());
            }
        }
    }
}
