//! Label selectors as kubectl reads them on the command line: `a=b,c!=d,e in (f,g),h notin (i),j,!k`.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

/// Requirements that all must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selector(Vec<Requirement>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Requirement {
    In(String, BTreeSet<String>),
    NotIn(String, BTreeSet<String>),
    Exists(String),
    Absent(String),
}

impl Selector {
    /// Whether `labels` meet every requirement. As in Kubernetes, `!=` and `notin` hold without the label.
    pub fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        self.0.iter().all(|requirement| match requirement {
            Requirement::In(key, values) => labels.get(key).is_some_and(|v| values.contains(v)),
            Requirement::NotIn(key, values) => labels.get(key).is_none_or(|v| !values.contains(v)),
            Requirement::Exists(key) => labels.contains_key(key),
            Requirement::Absent(key) => !labels.contains_key(key),
        })
    }
}

impl FromStr for Selector {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let requirements =
            split_outside_parentheses(text).into_iter().map(requirement).collect::<Option<Vec<_>>>();
        match requirements {
            Some(requirements) if !requirements.is_empty() => Ok(Self(requirements)),
            _ => Err(format!("`{text}` is not a label selector like `zone=fss,ring!=dev,tier in (a,b)`")),
        }
    }
}

fn split_outside_parentheses(text: &str) -> Vec<&str> {
    let mut depth = 0_usize;
    text.split(|c| {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    })
    .collect()
}

fn requirement(text: &str) -> Option<Requirement> {
    let text = text.trim();
    let one = |value: &str| BTreeSet::from([value.trim().to_owned()]);
    if let Some((head, list)) = text.strip_suffix(')').and_then(|text| text.split_once('(')) {
        let values = list.split(',').map(|value| value.trim().to_owned()).collect();
        return match head.split_whitespace().collect::<Vec<_>>().as_slice() {
            [key, "in"] => Some(Requirement::In(label(key)?, values)),
            [key, "notin"] => Some(Requirement::NotIn(label(key)?, values)),
            _ => None,
        };
    }
    let valued = |value: &str| value.trim().is_empty() || label(value).is_some();
    if let Some((key, value)) = text.split_once("!=") {
        return valued(value).then_some(Requirement::NotIn(label(key)?, one(value)));
    }
    if let Some((key, value)) = text.split_once("==").or_else(|| text.split_once('=')) {
        return valued(value).then_some(Requirement::In(label(key)?, one(value)));
    }
    match text.strip_prefix('!') {
        Some(key) => Some(Requirement::Absent(label(key)?)),
        None => Some(Requirement::Exists(label(text)?)),
    }
}

fn label(key: &str) -> Option<String> {
    let key = key.trim();
    let valid = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c));
    valid.then(|| key.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(selector: &str) -> bool {
        let labels = [("zone", "fss"), ("ring", "stable")].map(|(k, v)| (k.to_owned(), v.to_owned()));
        selector.parse::<Selector>().expect(selector).matches(&labels.into())
    }

    #[test]
    fn requirements_are_read_as_kubectl_reads_them() {
        for (selector, expected) in [
            ("zone=fss", true),
            ("zone==fss,ring=stable", true),
            ("zone=sbs", false),
            ("zone!=sbs,other!=x", true),
            ("ring in (dev, stable)", true),
            ("ring notin (dev,stable)", false),
            ("zone,!other", true),
            ("!zone", false),
        ] {
            assert_eq!(matches(selector), expected, "{selector}");
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", ",", "a in b", "a b", "(x)", "zone=fss,", "zone===fss", "zone=a b"] {
            assert!(text.parse::<Selector>().is_err(), "{text}");
        }
    }
}
