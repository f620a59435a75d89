//! Writing: what is written is read as the same.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::write;
use super::root;

#[test]
fn texts_are_those_of_go() {
    let mut count = 0;
    for line in include_str!("written.tsv").lines().filter(|l| !l.starts_with("# ")) {
        let (value, expected) = line.split_once('\t').expect("a tab");
        let value: Value = serde_json::from_str(value).expect("JSON");
        let expected: String = serde_json::from_str(expected).expect("a JSON string");
        assert_eq!(write(&value), expected, "{value}");
        count += 1;
    }
    assert!(count > 130, "the table was not found");
}

/// Where Go's own text would be read as something else, or Go refuses.
#[test]
fn texts_that_go_gets_wrong() {
    assert_eq!(write(&json!({"<<": 1})), "\"<<\": 1\n");
    assert_eq!(write(&json!("a\u{85}b")), "\"a\\Nb\"\n");
    assert_eq!(write(&json!("\u{7f}")), "\"\\x7F\"\n");
    assert_eq!(write(&json!({"\u{ffff}": "\u{fffe}"})), "\"\\uFFFF\": \"\\uFFFE\"\n");
}

/// Strings that are easily misread.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[a-z]{1,8}",
        2 => prop::sample::select(vec![
            " ", "  ", "\n", "\n\n", "\t", "\r", "#", ": ", ":", "- ", "-", "?", "'", "\"", "\\", "{", "}", "[", ",", "&", "*",
            "!", "|", ">", "%", "@", "`", "0", "1", "1:2", ".", "~", "null", "yes", "2001-01-01", "0x", "1e3", "=", "<<", "---", "...",
            "æ", "😀", "\u{85}", "\u{a0}", "\u{2028}", "\u{feff}", "\u{7f}", "\0", "{{ x }}",
        ]).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ];
    prop_oneof![
        9 => prop::collection::vec(piece.clone(), 0..8),
        1 => prop::collection::vec(piece, 30..60),
    ]
    .prop_map(|pieces| pieces.concat())
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (any::<i32>(), 1..2000_i32).prop_map(|(a, b)| Value::from(f64::from(a) + f64::from(b) / 4000.0)),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((text(), inner), 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read_as_the_same(value in value()) {
        let written = write(&value);
        prop_assert_eq!(root(&written).to_json(), value, "{}", written);
    }

    #[test]
    fn any_float_survives(float in any::<f64>()) {
        prop_assume!(float.is_finite());
        let read = root(&write(&json!(float))).to_json();
        prop_assert_eq!(read.as_f64(), Some(float + 0.0));
    }
}
