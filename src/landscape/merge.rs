//! Merging nodes: maps deeply, everything else replaced by the higher layer. Every node keeps its place, so the
//! merged tree says for each leaf which line set it.
//!
//! `null` is a value like any other here: a marker that removes a key later.

use crate::yaml::{Mapping, Node, Value};

/// `over` laid on `base`. A tagged node (`!tera`) is a leaf: it replaces, and is replaced, as a whole.
pub(super) fn merge(base: &Node, over: &Node) -> Node {
    match (map(base), map(over)) {
        (Some(low), Some(high)) => Node::new(over.span, Value::Mapping(merge_maps(low, high))),
        _ => over.clone(),
    }
}

/// The entries of `over` laid on those of `base`, in the order in which they first appear.
pub(super) fn merge_maps(base: &Mapping, over: &Mapping) -> Mapping {
    let mut merged = base.clone();
    for entry in over {
        let mut entry = entry.clone();
        if let Some(low) = merged.get(&entry.key) {
            entry.value = merge(low, &entry.value);
        }
        merged.insert(entry);
    }
    merged
}

/// The map, if the node is one that merges.
pub(super) fn map(node: &Node) -> Option<&Mapping> {
    node.as_mapping().filter(|_| node.tag.is_none())
}

/// The node without the entries of maps that are null, at any depth outside lists.
pub(super) fn without_nulls(node: Node) -> Node {
    let Node { span, tag, value } = node;
    let value = match value {
        Value::Mapping(mapping) => Value::Mapping(
            mapping
                .iter()
                .filter(|entry| !entry.value.is_null())
                .map(|entry| {
                    let mut entry = entry.clone();
                    entry.value = without_nulls(entry.value);
                    entry
                })
                .collect(),
        ),
        other => other,
    };
    Node { span, tag, value }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::diagnostic::{Files, Span};

    fn node(json: &Json) -> Node {
        let file = Files::new().add("x", "", false);
        Node::from_json(Span::new(file, 0..0), json)
    }

    #[test]
    fn maps_merge_and_the_rest_is_replaced() {
        for (base, over, merged) in [
            (json!({"a": 1, "b": {"c": 1}}), json!({"b": {"d": 2}}), json!({"a": 1, "b": {"c": 1, "d": 2}})),
            (json!({"a": [1, 2]}), json!({"a": [3]}), json!({"a": [3]})),
            (json!({"a": {"b": 1}}), json!({"a": 2}), json!({"a": 2})),
            (json!({"a": 2}), json!({"a": {"b": 1}}), json!({"a": {"b": 1}})),
            (json!({"a": 2}), json!({"a": null}), json!({"a": null})),
        ] {
            assert_eq!(merge(&node(&base), &node(&over)).to_json(), merged);
        }
    }

    #[test]
    fn nulls_vanish_from_maps_only() {
        assert_eq!(
            without_nulls(node(&json!({"a": null, "b": {"c": null, "d": [null]}}))).to_json(),
            json!({"b": {"d": [null]}})
        );
    }

    fn tree() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<i32>().prop_map(Json::from),
            "[ab]{0,2}".prop_map(Json::from)
        ];
        leaf.prop_recursive(3, 16, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Json::from),
                prop::collection::btree_map("[abc]", inner, 0..4)
                    .prop_map(|m| m.into_iter().collect::<serde_json::Map<_, _>>().into()),
            ]
        })
    }

    fn maps() -> impl Strategy<Value = Json> {
        prop::collection::btree_map("[abc]", tree(), 0..4)
            .prop_map(|m| m.into_iter().collect::<serde_json::Map<_, _>>().into())
    }

    /// Every path to a leaf (anything but a non-empty map) with the leaf.
    fn leaves(json: &Json, path: &str, out: &mut Vec<(String, Json)>) {
        match json.as_object() {
            Some(map) if !map.is_empty() => {
                map.iter().for_each(|(k, v)| leaves(v, &format!("{path}/{k}"), out));
            }
            _ => out.push((path.into(), json.clone())),
        }
    }

    proptest! {
        #[test]
        fn merging_is_idempotent(a in maps()) {
            prop_assert_eq!(merge(&node(&a), &node(&a)).to_json(), a);
        }

        #[test]
        fn a_leaf_of_the_highest_layer_always_wins(a in maps(), b in maps(), c in maps()) {
            let merged = merge(&merge(&node(&a), &node(&b)), &node(&c)).to_json();
            let mut set = Vec::new();
            leaves(&c, "", &mut set);
            for (path, leaf) in set {
                if leaf != json!({}) {
                    prop_assert_eq!(merged.pointer(&path), Some(&leaf));
                }
            }
        }

        #[test]
        fn disjoint_layers_merge_in_any_grouping(a in maps(), b in maps(), c in maps()) {
            let (a, b, c) = (node(&json!({"a": a})), node(&json!({"b": b})), node(&json!({"c": c})));
            let left = merge(&merge(&a, &b), &c).to_json();
            prop_assert_eq!(&left, &merge(&a, &merge(&b, &c)).to_json());
            prop_assert_eq!(left, merge(&merge(&c, &b), &a).to_json());
        }
    }
}
