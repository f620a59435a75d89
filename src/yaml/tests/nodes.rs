//! Nodes as data.

use serde_json::json;

use super::super::{Entry, Mapping, Node, Value};
use super::root;
use crate::diagnostic::{Files, Span};

#[test]
fn leaves_come_in_written_order_with_their_paths() {
    let root = root("b: {x: 1, a: []}\na:\n- ~\n- - z\nc: {}\n");
    let leaves: Vec<_> = root.leaves().map(|(path, node)| (path.join("."), node.to_json())).collect();
    let expected = [
        ("b.x", json!(1)),
        ("b.a", json!([])),
        ("a.0", json!(null)),
        ("a.1.0", json!("z")),
        ("c", json!({})),
    ];
    assert_eq!(leaves, expected.map(|(path, value)| (path.to_owned(), value)));
    for (path, node) in root.leaves() {
        assert_eq!(root.at(path.iter().map(String::as_str)), Some(node));
    }
}

#[test]
fn a_map_keeps_its_order() {
    let files = Files::new();
    let span = Span::new(files.add("t", "", false), 0..0);
    let entry = |key: &str, value| Entry {
        key: key.to_owned(),
        key_span: span,
        value: Node::new(span, Value::Int(value)),
    };
    let mut mapping: Mapping =
        ["c", "a", "b", "d"].into_iter().zip(1..).map(|(key, value)| entry(key, value)).collect();
    assert_eq!(mapping.insert(entry("a", 9)).map(|e| e.value.value), Some(Value::Int(2)));
    assert_eq!(mapping.remove("c").map(|e| e.key), Some("c".to_owned()));
    assert_eq!(mapping.remove("c"), None);
    for entry in &mut mapping {
        entry.value.value = Value::Null;
    }
    assert_eq!(mapping.keys().collect::<Vec<_>>(), ["a", "b", "d"]);
    assert!(mapping.get("b").is_some_and(Node::is_null));
    assert_eq!(mapping.into_iter().map(|e| e.key).collect::<Vec<_>>(), ["a", "b", "d"]);
}

#[test]
fn json_passes_through_nodes() {
    let files = Files::new();
    let span = Span::new(files.add("t", "", false), 0..0);
    let json = json!({"b": [1, -1, u64::MAX, 1.5, true, null, "x"], "a": {}});
    assert_eq!(Node::from_json(span, &json).to_json(), json);
    assert_eq!(Node::from_json(span, &json!(1e3)).value, Value::Int(1000), "as Go would write it");
}
