//! Every way to edit a manifest a little.

use serde_json::{Map, Value, json};

/// Each edit of `body` with a name. `live` is what the server made of it: it knows the defaults.
pub fn all(body: &Value, live: &Value) -> Vec<(String, Value)> {
    let mut edits = Vec::new();
    let mut paths = Vec::new();
    collect(body, &mut Vec::new(), &mut paths);
    for path in &paths {
        let place = path.join("/");
        let value = at(body, path).unwrap();
        edits.push((format!("remove {place}"), without(body, path)));
        for (name, new) in variants(value) {
            if new != *value {
                edits.push((format!("{name} {place}"), with(body, path, new)));
            }
        }
        if let Some(live) = at(live, path) {
            defaults(body, path, value, live, &mut edits);
        }
    }
    edits
}

/// What a value may become.
fn variants(value: &Value) -> Vec<(&'static str, Value)> {
    let mut variants = vec![];
    match value {
        Value::Array(items) => {
            let mut reversed = items.clone();
            reversed.reverse();
            let mut rotated = items.clone();
            if !rotated.is_empty() {
                rotated.rotate_left(1);
            }
            variants.push(("reverse", Value::Array(reversed)));
            variants.push(("rotate", Value::Array(rotated)));
            variants.push(("shorten", Value::Array(items.iter().skip(1).cloned().collect())));
            variants.push((
                "truncate",
                Value::Array(items.iter().take(items.len().saturating_sub(1)).cloned().collect()),
            ));
            variants.push(("empty", json!([])));
        }
        Value::Object(_) => variants.push(("empty", json!({}))),
        Value::String(text) => {
            variants.push(("empty", json!("")));
            variants.push(("change", json!(format!("{text}x"))));
            variants.push(("rewrite", json!(format!("{text}000m"))));
        }
        Value::Number(number) => {
            variants.push(("zero", json!(0)));
            variants.push(("raise", json!(number.as_i64().unwrap_or_default() + 1)));
            variants.push(("quote", json!(number.to_string())));
        }
        Value::Bool(value) => variants.push(("flip", json!(!value))),
        Value::Null => {}
    }
    variants
}

/// Writes out what the server has here and the manifest has not: one field, and all of them.
fn defaults(body: &Value, path: &[String], value: &Value, live: &Value, edits: &mut Vec<(String, Value)>) {
    let (Some(map), Some(live)) = (value.as_object(), live.as_object()) else { return };
    let mut filled: Map<String, Value> = map.clone();
    for (key, default) in live.iter().filter(|(key, _)| !map.contains_key(*key)) {
        if path.first().is_some_and(|root| root == "metadata") || (path.is_empty() && key == "status") {
            continue;
        }
        let mut one = map.clone();
        one.insert(key.clone(), default.clone());
        edits.push((format!("default {}/{key}", path.join("/")), with(body, path, Value::Object(one))));
        for (name, zero) in [
            ("empty text", json!("")),
            ("empty map", json!({})),
            ("empty list", json!([])),
            ("zero", json!(0)),
            ("no", json!(false)),
        ] {
            let mut one = map.clone();
            one.insert(key.clone(), zero);
            edits.push((format!("{name} {}/{key}", path.join("/")), with(body, path, Value::Object(one))));
        }
        filled.insert(key.clone(), default.clone());
    }
    edits.push((format!("default {}/*", path.join("/")), with(body, path, Value::Object(filled))));
    // Fields that selectors, peers and terms may have, empty: presence alone may mean something.
    for key in
        ["podSelector", "namespaceSelector", "matchLabels", "matchExpressions", "resourceNames", "ports"]
    {
        if !map.contains_key(key) {
            for empty in [json!({}), json!([])] {
                let mut one = map.clone();
                one.insert(key.into(), empty);
                edits.push((format!("empty {}/{key}", path.join("/")), with(body, path, Value::Object(one))));
            }
        }
    }
}

/// Paths of everything but identity and marks.
fn collect(value: &Value, path: &mut Vec<String>, paths: &mut Vec<Vec<String>>) {
    const KEPT: [&str; 5] =
        ["apiVersion", "kind", "metadata/name", "metadata/namespace", "metadata/labels/landskap.io"];
    let here = path.join("/");
    if KEPT.iter().any(|kept| here.starts_with(kept)) {
        return;
    }
    if !path.is_empty() && here != "metadata" && here != "metadata/labels" {
        paths.push(path.clone());
    }
    let mut child = |key: String, value: &Value| {
        path.push(key);
        collect(value, path, paths);
        path.pop();
    };
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| child(key.clone(), value)),
        Value::Array(items) => items.iter().enumerate().for_each(|(i, value)| child(i.to_string(), value)),
        _ => {}
    }
}

fn at<'v>(value: &'v Value, path: &[String]) -> Option<&'v Value> {
    path.iter().try_fold(value, |value, key| match value {
        Value::Array(items) => items.get(key.parse::<usize>().ok()?),
        _ => value.get(key),
    })
}

fn with(body: &Value, path: &[String], new: Value) -> Value {
    let mut body = body.clone();
    let place = path.iter().fold(&mut body, |value, key| match value {
        Value::Array(items) => &mut items[key.parse::<usize>().unwrap()],
        other => &mut other[key.as_str()],
    });
    *place = new;
    body
}

fn without(body: &Value, path: &[String]) -> Value {
    let mut body = body.clone();
    let (last, above) = path.split_last().unwrap();
    let place = above.iter().fold(&mut body, |value, key| match value {
        Value::Array(items) => &mut items[key.parse::<usize>().unwrap()],
        other => &mut other[key.as_str()],
    });
    match place {
        Value::Array(items) => drop(items.remove(last.parse().unwrap())),
        Value::Object(map) => drop(map.remove(last)),
        _ => {}
    }
    body
}
