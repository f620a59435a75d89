//! Label selectors: which clusters one matches, and whether it speaks of labels that exist.

use std::collections::{BTreeMap, BTreeSet};

use super::format::{LabelSelector, Operator};
use crate::diagnostic::{Diagnostic, nearest};
use crate::yaml::{Entry, Node};

/// Whether `selector` matches `labels`, by Kubernetes' rules (apimachinery `LabelSelectorAsSelector`).
pub(super) fn matches(selector: &LabelSelector, labels: &BTreeMap<String, String>) -> bool {
    selector.match_labels.iter().all(|(key, value)| labels.get(key) == Some(value))
        && selector.match_expressions.iter().all(|expression| {
            let value = labels.get(&expression.key);
            match expression.operator {
                Operator::In => value.is_some_and(|v| expression.values.contains(v)),
                Operator::NotIn => value.is_none_or(|v| !expression.values.contains(v)),
                Operator::Exists => value.is_some(),
                Operator::DoesNotExist => value.is_none(),
            }
        })
}

/// Every label key and value that a selector may speak of.
#[derive(Debug, Default)]
pub(super) struct Vocabulary {
    /// What clusters have.
    used: BTreeMap<String, BTreeSet<String>>,
    /// What landscape.yaml lists.
    listed: BTreeMap<String, BTreeSet<String>>,
}

impl Vocabulary {
    /// From landscape.yaml's `labels` and the labels of every cluster.
    pub fn new<'a>(
        listed: BTreeMap<String, BTreeSet<String>>,
        clusters: impl IntoIterator<Item = &'a BTreeMap<String, String>>,
    ) -> Self {
        let mut used: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (key, value) in clusters.into_iter().flatten() {
            used.entry(key.clone()).or_default().insert(value.clone());
        }
        Self { used, listed }
    }

    /// The values that landscape.yaml allows for a label, if it lists that label.
    pub fn listed(&self, key: &str) -> Option<&BTreeSet<String>> {
        self.listed.get(key)
    }

    /// The values that `key` may have in a selector.
    pub fn values(&self, key: &str) -> BTreeSet<&str> {
        [&self.used, &self.listed]
            .into_iter()
            .filter_map(|m| m.get(key))
            .flatten()
            .map(String::as_str)
            .collect()
    }

    /// Whether the selector names a listed value that no cluster has at present.
    pub fn is_ahead(&self, selector: &LabelSelector) -> bool {
        let unused = |key: &str, value: &str| {
            self.listed.get(key).is_some_and(|v| v.contains(value))
                && self.used.get(key).is_none_or(|v| !v.contains(value))
        };
        selector.match_labels.iter().any(|(k, v)| unused(k, v))
            || selector.match_expressions.iter().any(|e| e.values.iter().any(|v| unused(&e.key, v)))
    }

    /// Every key and value of the selector at `node` that nothing has.
    pub fn check(&self, node: &Node) -> Vec<Diagnostic> {
        let mut problems = Vec::new();
        if let Some(labels) = node.get("matchLabels").and_then(Node::as_mapping) {
            for Entry { key, key_span, value } in labels {
                if self.key(key, *key_span, &mut problems) {
                    self.value(key, value, &mut problems);
                }
            }
        }
        for expression in node.get("matchExpressions").and_then(Node::as_sequence).unwrap_or_default() {
            let Some((key_node, key)) = expression.get("key").and_then(|n| Some((n, n.as_str()?))) else {
                continue;
            };
            let values = expression.get("values").and_then(Node::as_sequence).unwrap_or_default();
            let operator = expression.get("operator").and_then(Node::as_str).unwrap_or_default();
            let span = expression.get("operator").map_or(expression.span, |n| n.span);
            match operator {
                "In" | "NotIn" if values.is_empty() => problems.push(
                    Diagnostic::error("invalid-value", format!("`{operator}` needs `values`")).at(span, ""),
                ),
                "Exists" | "DoesNotExist" if !values.is_empty() => problems.push(
                    Diagnostic::error("invalid-value", format!("`{operator}` takes no `values`"))
                        .at(span, ""),
                ),
                _ => {}
            }
            if self.key(key, key_node.span, &mut problems) {
                for value in values {
                    self.value(key, value, &mut problems);
                }
            }
        }
        problems
    }

    fn key(&self, key: &str, span: crate::diagnostic::Span, problems: &mut Vec<Diagnostic>) -> bool {
        let known: BTreeSet<&str> = self.used.keys().chain(self.listed.keys()).map(String::as_str).collect();
        if known.contains(key) {
            return true;
        }
        let diagnostic =
            Diagnostic::error("unknown-label", format!("no cluster has the label `{key}`")).at(span, "");
        problems.push(match nearest(key, known.iter().copied()) {
            Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
            None => diagnostic.help(format!("labels: {}", list(&known))),
        });
        false
    }

    fn value(&self, key: &str, node: &Node, problems: &mut Vec<Diagnostic>) {
        let Some(value) = node.as_str() else { return };
        let known = self.values(key);
        if known.contains(value) {
            return;
        }
        let diagnostic =
            Diagnostic::error("unknown-label", format!("no cluster has the label `{key}: {value}`"))
                .at(node.span, "");
        problems.push(match nearest(value, known.iter().copied()) {
            Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
            None => diagnostic.help(format!("values of `{key}`: {}", list(&known))),
        });
    }
}

/// `a`, `b`, `c`
pub(super) fn list<'a>(names: impl IntoIterator<Item = &'a &'a str>) -> String {
    names.into_iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;

    fn check(selector: &Json, expected: bool) {
        let labels = [("zone", "fss"), ("ring", "stable")].map(|(k, v)| (k.to_owned(), v.to_owned())).into();
        let parsed: LabelSelector = serde_json::from_value(selector.clone()).expect("a selector");
        assert_eq!(matches(&parsed, &labels), expected, "{selector}");
    }

    #[test]
    fn matches_as_kubernetes_does() {
        check(&json!({}), true);
        check(&json!({"matchLabels": {"zone": "fss"}}), true);
        check(&json!({"matchLabels": {"zone": "fss", "ring": "dev"}}), false);
        let one = |key: &str, operator: &str, values: Json| json!({"matchExpressions": [{"key": key, "operator": operator, "values": values}]});
        check(&one("ring", "In", json!(["dev", "stable"])), true);
        check(&one("ring", "In", json!(["dev"])), false);
        check(&one("none", "In", json!(["dev"])), false);
        check(&one("ring", "NotIn", json!(["stable"])), false);
        check(&one("none", "NotIn", json!(["stable"])), true);
        check(&one("ring", "Exists", json!([])), true);
        check(&one("none", "Exists", json!([])), false);
        check(&one("none", "DoesNotExist", json!([])), true);
        check(&one("ring", "DoesNotExist", json!([])), false);
    }
}
