//! Reading: scalars, places, aliases, merges, keys, budgets.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use serde_json::json;

use super::super::{Duplicates, MAX_DEPTH, Value};
use super::{at, code, documents, root};

#[test]
fn scalars_are_what_go_makes_of_them() {
    let mut count = 0;
    for line in include_str!("scalars.tsv").lines().filter(|l| !l.starts_with("# ")) {
        let (text, expected) = line.split_once('\t').expect("a tab");
        let file = format!("a: {text}");
        match documents(&file, Duplicates::Error) {
            Err(error) => assert_eq!(expected, "ERR", "{text}: {error:?}"),
            Ok(documents) => {
                let node = documents[0].root.as_ref().and_then(|r| r.get("a")).expect("a");
                let json = |value: &serde_json::Value| match value.as_f64() {
                    Some(float) if value.as_i64().is_none() && value.as_u64().is_none() => {
                        format!("{float:e}")
                    }
                    // JSON's `-0` is a float to serde_json and an integer to Kubernetes.
                    _ => value.to_string(),
                };
                assert_ne!(expected, "ERR", "{text} was read as {node:?}");
                let expected: serde_json::Value =
                    serde_json::from_str(if expected == "-0" { "0" } else { expected }).expect("JSON");
                assert_eq!(json(&node.to_json()), json(&expected), "{text}");
            }
        }
        count += 1;
    }
    assert!(count > 150, "the table was not found");
}

#[test]
fn spans_are_bytes_of_the_value_itself() {
    let text = "\u{feff}# æ\nø: &x !tag # c\n  \"å\"\nlist:\n  - 1 # one\n  - {a: [b, c], d: }\n\nalias: *x\nblock: |\n  æ\n\n\nend: ~\n";
    let root = root(text);
    assert_eq!(root.span.range(), text.find('ø').expect("ø")..text.len() - 1);
    let get = |path: &[&str]| root.at(path.iter().copied()).expect("a node");
    assert_eq!(at(text, get(&["ø"])), "\"å\"");
    assert_eq!(&text[get(&["ø"]).tag.as_ref().expect("a tag").span.range()], "!tag");
    assert_eq!(at(text, get(&["list"])), "- 1 # one\n  - {a: [b, c], d: }");
    assert_eq!(at(text, get(&["list", "0"])), "1");
    assert_eq!(at(text, get(&["list", "1"])), "{a: [b, c], d: }");
    assert_eq!(at(text, get(&["list", "1", "a"])), "[b, c]");
    assert_eq!(at(text, get(&["list", "1", "a", "1"])), "c");
    assert_eq!(at(text, get(&["list", "1", "d"])), "");
    assert_eq!(at(text, get(&["alias"])), "\"å\"", "an alias keeps the place of the original");
    assert_eq!(at(text, get(&["block"])), "|\n  æ\n");
    let entry = root.as_mapping().and_then(|m| m.entry("block")).expect("an entry");
    assert_eq!(&text[entry.key_span.range()], "block");
}

#[test]
fn documents_and_their_places() {
    let text = "# only a comment\n---\n---\na: 1\n...\n# between\n--- ~\n---\n- b\n";
    let documents = documents(text, Duplicates::Error).expect("readable");
    let roots: Vec<_> = documents.iter().map(|d| d.root.as_ref().map(super::super::Node::to_json)).collect();
    assert_eq!(roots, [None, Some(json!({"a": 1})), Some(json!(null)), Some(json!(["b"]))]);
    assert_eq!(&text[documents[1].span.range()], "---\na: 1");
    assert_eq!(&text[documents[2].span.range()], "--- ~");
    for empty in ["", "\n", "# c\n", "\u{feff}"] {
        assert!(super::documents(empty, Duplicates::Error).expect("readable").is_empty(), "{empty:?}");
    }
    assert_eq!(super::documents("a: 1", Duplicates::Error).expect("readable")[0].span.range(), 0..4);
}

#[test]
fn line_endings_and_unicode() {
    assert_eq!(root("a:\r\n  - b\r\n").to_json(), json!({"a": ["b"]}));
    assert_eq!(root("a: |\r\n  x\r\n  y\r\n").to_json(), json!({"a": "x\ny\n"}));
    assert_eq!(root("a: |\n  x").to_json(), json!({"a": "x"}), "Go adds no line break at the end of a file");
    assert_eq!(root("æ: \"\\u00e5 😀\"").to_json(), json!({"æ": "å 😀"}));
    assert_eq!(code("a: b\n\tc: d"), "yaml-syntax");
    assert_eq!(code("a: \u{7f}"), "yaml-syntax");
    assert_eq!(code("a: \0"), "yaml-syntax");
}

#[test]
fn syntax_errors_have_a_place() {
    for (text, place) in [
        ("æ: 1\nb: [c\nd: e\n", "test.yaml:3:2"),
        ("a: b: c\n", "test.yaml:1:5"),
        ("æ: \u{1}\n", "test.yaml:1:4"),
        ("\u{feff}a: \u{1}\n", "test.yaml:1:5"),
        ("\u{feff}å: b: c\n", "test.yaml:1:6"),
        ("a: 'b\n", "test.yaml:2:1"),
    ] {
        let files = crate::diagnostic::Files::new();
        let file = files.add("test.yaml", text, false);
        let error = super::super::read(&files, file, Duplicates::Error).expect_err(text);
        assert_eq!(error.code, "yaml-syntax");
        assert_eq!(files.place(error.labels[0].span), place, "{text:?}: {error:?}");
    }
}

#[test]
fn aliases() {
    assert_eq!(
        root("a: &x [1, &y 2]\nb: *x\nc: *y\n*y : z").to_json(),
        json!({"a": [1, 2], "b": [1, 2], "c": 2, "2": "z"})
    );
    assert_eq!(
        root("a: &x 1\nb: &x 2\nc: *x").to_json(),
        json!({"a": 1, "b": 2, "c": 2}),
        "the latest counts"
    );
    assert_eq!(root("a: &x [ &x 1, *x ]\nb: *x").to_json(), json!({"a": [1, 1], "b": 1}));
    assert_eq!(root("&a a: *a").to_json(), json!({"a": "a"}));
    assert_eq!(code("a: &a [*a]"), "yaml-anchor");
    assert_eq!(code("a: *b"), "yaml-anchor");
    assert_eq!(code("a: &x 1\n---\nb: *x"), "yaml-anchor", "a name belongs to its document");
}

#[test]
fn merges() {
    const X: &str = "x: &x {a: 1, b: 2}\nz: &z {a: 3, c: 4}\n";
    let m = |rest: &str| root(&format!("{X}{rest}")).get("m").expect("m").to_json();
    assert_eq!(m("m:\n  <<: *x\n  a: 9\n"), json!({"a": 9, "b": 2}));
    assert_eq!(m("m:\n  <<: [*x, *z, {d: 5}]\n"), json!({"a": 1, "b": 2, "c": 4, "d": 5}));
    assert_eq!(m("m:\n  !!merge <<: {a: 1}\n"), json!({"a": 1}));
    assert_eq!(m("m:\n  \"<<\": 1\n"), json!({"<<": 1}));
    for none in ["m: {<<: 1}", "m: {<<: }", "m: {<<: [1]}", "l: &l [{a: 1}]\nm: {<<: *l}", "m: {<<: [[*x]]}"]
    {
        assert_eq!(code(&format!("{X}{none}")), "yaml-merge", "{none}");
    }
    assert_eq!(code(&format!("{X}m: {{<<: *x, a: 9, a: 10}}")), "duplicate-key");
    // Written before the merge: Go lets the merge win.
    for (late, expected) in
        [("a: 9, <<: *x", json!({"a": 1, "b": 2})), ("<<: *x, <<: *z", json!({"a": 3, "b": 2, "c": 4}))]
    {
        let text = format!("{X}m: {{{late}}}");
        assert_eq!(code(&text), "duplicate-key", "{late}");
        let documents = documents(&text, Duplicates::LastWins).expect("readable");
        assert_eq!(
            documents[0].root.as_ref().and_then(|r| r.get("m")).map(super::super::Node::to_json),
            Some(expected)
        );
        assert_eq!(documents[0].warnings.len(), 1);
    }
}

#[test]
fn keys() {
    let text = "1: a\n1.5: b\nyes: c\n2001-01-01: d\n0x10: e\n1e10: f\n3.14159265358979: g\n1.0: h\n";
    let keys: Vec<_> =
        root(&text.replace("1.0: h\n", "")).as_mapping().expect("a map").keys().map(str::to_owned).collect();
    assert_eq!(keys, ["1", "1.5", "true", "2001-01-01", "16", "1e+10", "3.1415927"]);
    assert_eq!(code(text), "duplicate-key", "`1.0` and `1` are one key in JSON");
    for bad in ["~: a", "[a]: b", "? {a: b}\n: c", "18446744073709551615: a"] {
        assert_eq!(code(bad), "yaml-key", "{bad}");
    }
}

#[test]
fn duplicates_point_at_both_places() {
    let text = "a: 1\nb: {c: 1, \"c\": 2}\na: 3\n";
    let error = documents(text, Duplicates::Error).expect_err("a duplicate");
    let places: Vec<_> = error.labels.iter().map(|l| (&text[l.span.range()], l.primary)).collect();
    assert_eq!((error.code, places), ("duplicate-key", vec![("\"c\"", true), ("c", false)]));
    let documents = documents(text, Duplicates::LastWins).expect("readable");
    assert_eq!(
        documents[0].root.as_ref().map(super::super::Node::to_json),
        Some(json!({"a": 3, "b": {"c": 2}}))
    );
    assert_eq!(
        documents[0].warnings.iter().map(|w| w.code).collect::<Vec<_>>(),
        ["duplicate-key", "duplicate-key"]
    );
}

#[test]
fn local_tags_are_kept_and_their_scalars_are_strings() {
    let root = root("a: !secret x/y\nb: !tera\n  c: 1\nd: !!str 1\ne: [!t , !u 5]\n");
    let get = |path: &[&str]| root.at(path.iter().copied()).expect("a node");
    let tag = |path: &[&str]| get(path).tag.as_ref().map(|t| t.name.as_str());
    assert_eq!((tag(&["a"]), get(&["a"]).as_str()), (Some("!secret"), Some("x/y")));
    assert_eq!((tag(&["b"]), get(&["b", "c"]).value.clone()), (Some("!tera"), Value::Int(1)));
    assert_eq!((tag(&["d"]), get(&["d"]).as_str()), (None, Some("1")));
    assert_eq!((tag(&["e", "0"]), get(&["e", "0"]).as_str()), (Some("!t"), Some("")));
    assert_eq!((tag(&["e", "1"]), get(&["e", "1"]).as_str()), (Some("!u"), Some("5")));
}

#[test]
fn nesting_is_limited() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    root(&nested(MAX_DEPTH));
    assert_eq!(code(&nested(MAX_DEPTH + 1)), "yaml-limit");
    assert_eq!(code(&"- ".repeat(100_000)), "yaml-limit");
    // Aliases do not get around it.
    let half = MAX_DEPTH / 2;
    let text = |more: usize| {
        format!("- &a {}\n- {}*a{}\n", nested(half), "[".repeat(half - 1 + more), "]".repeat(half - 1 + more))
    };
    root(&text(0));
    assert_eq!(code(&text(1)), "yaml-limit");
}

#[test]
fn bombs_are_refused_quickly() {
    let mut laughs = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned();
    for i in 1..12 {
        let list = vec![format!("*a{}", i - 1); 9].join(",");
        writeln!(laughs, "a{i}: &a{i} [{list}]").expect("a string");
    }
    let mut long = format!("a: &a {}\nb:\n", "x".repeat(1 << 20));
    long.push_str(&"- *a\n".repeat(100_000));
    // No alias, but ninety copies to keep.
    let mut kept = String::new();
    for i in 0..90 {
        write!(kept, "[&a{i} ").expect("a string");
    }
    write!(kept, "[{}]{}", "x,".repeat(20_000), "]".repeat(90)).expect("a string");
    let mut tags = String::new();
    for i in 0..300_000 {
        writeln!(tags, "%TAG !a{i}! x").expect("a string");
    }
    tags.push_str(
        "---
a: 1
",
    );
    let large = "a".repeat(super::super::MAX_BYTES + 1);
    for bomb in [laughs, long, kept, tags, large] {
        let start = Instant::now();
        assert_eq!(code(&bomb), "yaml-limit");
        assert!(start.elapsed() < Duration::from_secs(20));
    }
}

/// Texts with the characters that matter to YAML.
fn yaml_like() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "a",
            "b: ",
            "- ",
            "? ",
            ": ",
            "{",
            "}",
            "[",
            "]",
            ", ",
            "\n",
            "  ",
            "\t",
            "|",
            ">",
            "'",
            "\"",
            "#",
            "&a ",
            "*a",
            "!t ",
            "!!int ",
            "<<: ",
            "---\n",
            "...\n",
            "%YAML 1.1\n",
            "\r\n",
            "\u{feff}",
            "æ",
            "😀",
            "0x1",
            "1_0",
            "~",
            "\\",
            "\u{85}",
            "\u{2028}",
            "+",
            "2",
        ])
        .prop_map(str::to_owned),
        any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_breaks_the_reader(text in yaml_like()) {
        let files = crate::diagnostic::Files::new();
        let file = files.add("t", text.as_str(), false);
        match super::super::read(&files, file, Duplicates::LastWins) {
            Ok(documents) => for document in documents {
                for (_, leaf) in document.root.iter().flat_map(super::super::Node::leaves) {
                    prop_assert!(text.get(leaf.span.range()).is_some(), "{leaf:?} is not within the text");
                }
            },
            Err(error) => {
                prop_assert!(!error.labels.is_empty(), "{error:?} has no place");
                for label in &error.labels {
                    prop_assert!(text.get(label.span.range()).is_some(), "{label:?} is not within the text");
                }
            }
        }
    }

    #[test]
    fn the_text_at_a_scalar_says_the_same(text in yaml_like()) {
        let Ok(read) = documents(&text, Duplicates::LastWins) else { return Ok(()) };
        // Scalars of several lines depend on the indentation around them.
        let leaves = read.iter().filter_map(|d| d.root.as_ref()).flat_map(super::super::Node::leaves);
        for (_, leaf) in leaves.filter(|(_, l)| l.tag.is_none() && !matches!(l.value, Value::Sequence(_) | Value::Mapping(_))) {
            let own = at(&text, leaf);
            if own.contains(['\n', '\r', '\u{85}', '\u{2028}']) || own.is_empty() {
                continue;
            }
            // A standard tag stands before the text, and is not kept.
            if text.contains('!') {
                continue;
            }
            let alone = root(&format!("- {own}\n"));
            prop_assert_eq!(alone.at(["0"]).map(|n| &n.value), Some(&leaf.value), "{:?} of {:?}", own, text);
        }
    }
}
