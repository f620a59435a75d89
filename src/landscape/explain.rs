//! Where a value comes from: the dotted paths of `explain`, and the lines behind one.

use super::model::{Component, LayerEntry};

/// The dotted form of a path of keys: `a.b["x.y"]`. Keys of letters, digits, `-`, `_`, `/` stand plain.
pub fn path_text<S: AsRef<str>>(path: &[S]) -> String {
    let mut text = String::new();
    for key in path {
        let key = key.as_ref();
        if !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || "-_/".contains(c)) {
            if !text.is_empty() {
                text.push('.');
            }
            text.push_str(key);
        } else {
            text.push('[');
            text.push_str(&serde_json::Value::from(key).to_string());
            text.push(']');
        }
    }
    text
}

/// The keys of a dotted path, with or without a leading dot. List positions (`a[0]`) are keys of digits.
///
/// # Errors
/// A sentence that says what is wrong with `text`.
pub fn parse_path(text: &str) -> Result<Vec<String>, String> {
    let mut keys = Vec::new();
    let mut rest = text.strip_prefix('.').unwrap_or(text);
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[') {
            let (key, length) = bracket(inner).ok_or_else(|| format!("`{text}` has a `[` without an end"))?;
            keys.push(key);
            rest = &inner[length..];
        } else {
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            if end == 0 {
                return Err(format!("`{text}` has an empty key"));
            }
            keys.push(rest[..end].to_owned());
            rest = &rest[end..];
        }
        rest = match rest.strip_prefix('.') {
            Some("") => return Err(format!("`{text}` has an empty key")),
            Some(after) => after,
            None => rest,
        };
    }
    Ok(keys)
}

/// The key after a `[`, and how many bytes it takes with its `]`.
fn bracket(inner: &str) -> Option<(String, usize)> {
    if inner.starts_with('"') {
        let mut stream = serde_json::Deserializer::from_str(inner).into_iter::<String>();
        let key = stream.next()?.ok()?;
        let length = stream.byte_offset();
        inner[length..].starts_with(']').then_some((key, length + 1))
    } else {
        let end = inner.find(']')?;
        Some((inner[..end].to_owned(), end + 1))
    }
}

/// Every line that set the value at `path`, or below it where it is a map, leaf by leaf in the order of their
/// paths, winners last. Below a leaf (an item of a list, a key of a computed map) the leaf's lines are given.
/// Empty when no layer says anything there: then only the chart may.
pub fn explain_value<'a>(component: &'a Component, path: &[String]) -> Vec<(&'a str, &'a [LayerEntry])> {
    let mut found: Vec<(Vec<String>, &str, &[LayerEntry])> = Vec::new();
    for (leaf, entries) in &component.layers {
        let keys = parse_path(leaf).unwrap_or_default();
        if keys.starts_with(path) || path.starts_with(&keys) {
            found.push((keys, leaf, entries));
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found.into_iter().map(|(_, leaf, entries)| (leaf, entries)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn paths_are_written_as_people_type_them() {
        assert_eq!(path_text(&["a", "b-c", "x.y"]), r#"a.b-c["x.y"]"#);
        assert_eq!(parse_path("a.b[0].c"), Ok(vec!["a".into(), "b".into(), "0".into(), "c".into()]));
        assert_eq!(parse_path(r#".annotations["a.b/c"]"#), Ok(vec!["annotations".into(), "a.b/c".into()]));
        for wrong in ["a..b", "a[", "a.", "a[\"b]"] {
            assert!(parse_path(wrong).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn every_path_reads_back(keys in prop::collection::vec("\\PC{0,4}", 0..4)) {
            prop_assert_eq!(parse_path(&path_text(&keys)), Ok(keys));
        }
    }
}
