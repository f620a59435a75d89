//! Where `!tera` and `!secret` may stand, and reading a file together with that check.

use super::format::{Decoder, describe};
use crate::diagnostic::{Diagnostic, Files, Span};
use crate::yaml::{Node, Value};

/// Where `!tera` is allowed in a component file.
pub(super) const COMPUTED: &[&[&str]] =
    &[&["configuration"], &["environments"], &["provides"], &["patches", "*", "patch"]];

/// Tags in places where they mean nothing. `computed` are the paths below which `!tera` is allowed (`*`: any
/// list position), in overrides too; `!secret` is allowed in values only.
///
/// Returns the places of the nodes that are wrongly tagged: what else is wrong with them does not matter.
fn tags(node: &Node, computed: &[&[&str]], problems: &mut Vec<Diagnostic>) -> Vec<Span> {
    fn walk(
        node: &Node,
        path: &mut Vec<String>,
        computed: &[&[&str]],
        problems: &mut Vec<Diagnostic>,
        wrong: &mut Vec<Span>,
    ) {
        if let Some(tag) = &node.tag {
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            let path = if path.first() == Some(&"overrides") {
                path.get(2..).unwrap_or_default()
            } else {
                &path[..]
            };
            let below = |allowed: &&[&str]| {
                path.len() > allowed.len().saturating_sub(1)
                    && allowed
                        .iter()
                        .zip(path)
                        .all(|(allowed, segment)| *allowed == "*" || allowed == segment)
            };
            let allowed = computed.iter().find(|allowed| below(allowed));
            let values =
                allowed.is_some_and(|a| matches!(a.first(), Some(&("configuration" | "environments"))));
            let name = tag.name.as_str();
            let problem = match (name, allowed) {
                ("!tera" | "!secret", Some(_)) if name == "!tera" || values => {
                    node.as_str().is_none_or(|text| text.trim().is_empty()).then(|| {
                        (
                            "wrong-type",
                            format!("`{name}` needs a string behind it, not {}", describe(node)),
                            None,
                        )
                    })
                }
                ("!tera", _) => Some((
                    "misplaced-tag",
                    "`!tera` can't be used here".to_owned(),
                    Some("it computes values in `configuration`, `environments`, `patches` and `provides`"),
                )),
                ("!secret", _) => Some((
                    "misplaced-tag",
                    "`!secret` can't be used here".to_owned(),
                    Some(
                        "it stands in `configuration` and `environments`; a contract has `secrets` for its own",
                    ),
                )),
                _ => Some((
                    "unknown-tag",
                    format!("unknown tag `{name}`"),
                    Some("there are `!tera` and `!secret`"),
                )),
            };
            if let Some((code, message, help)) = problem {
                wrong.push(node.span);
                let problem = Diagnostic::error(code, message).at(tag.span, "");
                problems.push(match help {
                    Some(help) => problem.help(help),
                    None => problem,
                });
            }
        }
        match &node.value {
            Value::Sequence(items) => {
                for (index, item) in items.iter().enumerate() {
                    path.push(index.to_string());
                    walk(item, path, computed, problems, wrong);
                    path.pop();
                }
            }
            Value::Mapping(mapping) => {
                for entry in mapping {
                    path.push(entry.key.clone());
                    walk(&entry.value, path, computed, problems, wrong);
                    path.pop();
                }
            }
            _ => {}
        }
    }
    let mut wrong = Vec::new();
    walk(node, &mut Vec::new(), computed, problems, &mut wrong);
    wrong
}

/// Reads a file as `T`, with its tags checked: every problem at once, none twice.
pub(super) fn decode<T: serde::de::DeserializeOwned>(
    decoder: &Decoder,
    files: &Files,
    node: &Node,
    computed: &[&[&str]],
    problems: &mut Vec<Diagnostic>,
) -> Option<T> {
    let wrong = tags(node, computed, problems);
    let explained =
        |problem: &Diagnostic| problem.labels.iter().any(|l| l.primary && wrong.contains(&l.span));
    match decoder.decode(files, node) {
        Ok(value) => Some(value),
        Err(found) => {
            problems.extend(found.into_iter().filter(|problem| !explained(problem)));
            None
        }
    }
}
