//! `!tera`: values that are computed from the cluster, the component and its contracts.
//!
//! With `{{` or `{%` in it the text is a template that gives a string; else it is one expression that keeps its
//! type. Templates see only the scope they are given: no files, no environment. Loops over `range` and the
//! output are bounded, and `set` is refused: without it no value can be made to grow step by step.

use std::io::{self, Write};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value as Json;
use tera::{Context, Delimiters, Kwargs, State, Tera};

use crate::diagnostic::{Diagnostic, Files, Span};
use crate::yaml::{Node, Value};

/// All numbers that one computation may ask of `range`.
const RANGE_LIMIT: usize = 10_000;
/// Bytes that one computation may print.
const OUTPUT_LIMIT: usize = 1 << 20;
/// Around an expression, in characters that no YAML file can hold.
const OPEN: &str = "\u{1}\u{2}(";
const CLOSE: &str = ")|landskap_json\u{1}\u{3}";
/// The end of a variable in the same characters.
const END: &str = "\u{1}\u{3}";
/// What our filter says of an undefined value.
const UNDEFINED: &str = "the value is undefined";

/// What templates see: `cluster`, `landscape`, `component`, `release`, `contracts`.
pub(super) struct Scope(Context);

impl Scope {
    /// A scope with the entries of `values`, a map.
    pub fn new(values: &Json) -> Self {
        let mut context = Context::new();
        for (key, value) in values.as_object().into_iter().flatten() {
            context.insert(key.clone(), value);
        }
        Self(context)
    }
}

/// `node` with every `!tera` leaf computed, at the place of its template. Other tags stay.
pub(super) fn compute(files: &Files, node: &Node, scope: &Scope, problems: &mut Vec<Diagnostic>) -> Node {
    if let (Some("!tera"), Some(text)) = (node.tag.as_ref().map(|t| t.name.as_str()), node.as_str()) {
        return match evaluate(text, scope) {
            Ok(json) => Node::from_json(node.span, &json),
            Err(failure) => {
                let place = failure
                    .place
                    .map(|(line, column, width)| locate(files, node.span, text, line, column, width));
                // Tera's second sentence is a hint: which names there are.
                let (message, help) = match failure.message.split_once(". ") {
                    Some((message, help)) => (message.to_owned(), Some(sentence(help))),
                    None => (failure.message, None),
                };
                let mut problem =
                    Diagnostic::error("template-error", message).at(place.unwrap_or(node.span), "");
                problem.help.extend(help);
                problems.push(problem);
                Node::new(node.span, Value::Null)
            }
        };
    }
    let value = match &node.value {
        Value::Sequence(items) => {
            Value::Sequence(items.iter().map(|item| compute(files, item, scope, problems)).collect())
        }
        Value::Mapping(mapping) => {
            let mut mapping = mapping.clone();
            for entry in &mut mapping {
                entry.value = compute(files, &entry.value, scope, problems);
            }
            Value::Mapping(mapping)
        }
        scalar => scalar.clone(),
    };
    Node { span: node.span, tag: node.tag.clone(), value }
}

/// Whether any `!tera` text below `node` mentions `word`.
pub(super) fn mentions(node: &Node, word: &str) -> bool {
    let tagged = node.tag.as_ref().is_some_and(|t| t.name == "!tera");
    match &node.value {
        Value::String(text) => tagged && text.contains(word),
        Value::Sequence(items) => items.iter().any(|item| mentions(item, word)),
        Value::Mapping(mapping) => mapping.iter().any(|entry| mentions(&entry.value, word)),
        _ => false,
    }
}

#[derive(Debug)]
struct Failure {
    message: String,
    /// Line (1-based), column and width (characters) within the text.
    place: Option<(usize, usize, usize)>,
}

fn evaluate(text: &str, scope: &Scope) -> Result<Json, Failure> {
    let template = text.contains("{{") || text.contains("{%");
    let (source, shift) = if template {
        refuse_set(text)?;
        (text.to_owned(), 0)
    } else {
        (format!("{OPEN}{text}{CLOSE}"), OPEN.chars().count())
    };
    let mut output = Bounded(Vec::new());
    if let Err(error) = engine(template).render_str_to(&source, &scope.0, false, &mut output) {
        let mut failure = failure(&error, shift);
        if !template && matches!(error.kind(), tera::ErrorKind::SyntaxError(_)) {
            failure.message.push_str(". Without `{{ }}` this is an expression, not a text");
        }
        if failure.message == UNDEFINED {
            // Tera says which part is undefined, and where, when it is printed without a filter.
            let bare = format!("{OPEN}{text}){END}");
            if let Err(error) = engine(template).render_str_to(&bare, &scope.0, false, io::sink()) {
                return Err(self::failure(&error, shift));
            }
        }
        return Err(failure);
    }
    let failed = |message: String| Failure { message, place: None };
    if template {
        String::from_utf8(output.0).map(Json::String).map_err(|error| failed(error.to_string()))
    } else {
        serde_json::from_slice(&output.0).map_err(|error| failed(error.to_string()))
    }
}

fn refuse_set(text: &str) -> Result<(), Failure> {
    for (start, _) in text.match_indices("{%") {
        let word = text[start + 2..].trim_start_matches(|c: char| c == '-' || c.is_whitespace());
        if word.starts_with("set") {
            let before = &text[..start];
            let line = before.matches('\n').count() + 1;
            let column = before.chars().rev().take_while(|c| *c != '\n').count();
            return Err(Failure {
                message: "`set` can't be used in `!tera`: write the value where it is used".into(),
                place: Some((line, column, 2)),
            });
        }
    }
    Ok(())
}

/// A Tera with a budget of its own.
fn engine(template: bool) -> Tera {
    static BASE: LazyLock<[Tera; 2]> = LazyLock::new(|| {
        let mut expressions = Tera::default();
        expressions.register_filter("landskap_json", |value: tera::Value, _: Kwargs, _: &State| {
            if value.is_undefined() {
                return Err(tera::Error::message(UNDEFINED));
            }
            serde_json::to_string(&value).map_err(|error| tera::Error::message(error.to_string()))
        });
        // The delimiters are constants of the required length and differ from each other.
        let set = expressions.set_delimiters(Delimiters {
            variable_start: "\u{1}\u{2}".into(),
            variable_end: "\u{1}\u{3}".into(),
            block_start: "\u{1}\u{4}".into(),
            block_end: "\u{1}\u{5}".into(),
            comment_start: "\u{1}\u{6}".into(),
            comment_end: "\u{1}\u{7}".into(),
        });
        debug_assert!(set.is_ok(), "{set:?}");
        [expressions, Tera::default()]
    });
    let mut tera = BASE[usize::from(template)].clone();
    let left = AtomicUsize::new(RANGE_LIMIT);
    tera.register_function("range", move |kwargs: Kwargs, _: &State| -> tera::TeraResult<Vec<i64>> {
        let start = kwargs.get::<i64>("start")?.unwrap_or_default();
        let end = kwargs.must_get::<i64>("end")?;
        let step = kwargs.get::<i64>("step_by")?.unwrap_or(1);
        let step = usize::try_from(step).ok().filter(|step| *step > 0);
        let step = step.ok_or_else(|| tera::Error::message("`range` needs a `step_by` above 0"))?;
        let budget = left.load(Ordering::Relaxed);
        let numbers: Vec<i64> = (start..end).step_by(step).take(budget + 1).collect();
        if numbers.len() > budget {
            return Err(tera::Error::message(format!("`range` may give {RANGE_LIMIT} numbers at most")));
        }
        left.fetch_sub(numbers.len(), Ordering::Relaxed);
        Ok(numbers)
    });
    tera
}

struct Bounded(Vec<u8>);

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > OUTPUT_LIMIT {
            return Err(io::Error::other("the output is longer than 1 MiB"));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn failure(error: &tera::Error, shift: usize) -> Failure {
    match error.kind() {
        tera::ErrorKind::SyntaxError(report) | tera::ErrorKind::RenderingError(report) => {
            let span = report.span();
            let column =
                if span.start_line == 1 { span.start_col.saturating_sub(shift) } else { span.start_col };
            let width = if span.start_line == span.end_line {
                span.end_col.saturating_sub(span.start_col)
            } else {
                1
            };
            Failure {
                message: sentence(report.message()),
                place: Some((span.start_line, column, width.max(1))),
            }
        }
        tera::ErrorKind::Io(_) => {
            Failure { message: format!("the output is longer than {OUTPUT_LIMIT} bytes"), place: None }
        }
        other => Failure { message: sentence(&other.to_string()), place: None },
    }
}

/// Our own style: a lower-case start, no final full stop, the delimiters of expressions not shown.
fn sentence(message: &str) -> String {
    let message = message.trim().trim_end_matches('.').replace(['\u{1}', '\u{2}', '\u{3}'], "");
    let mut chars = message.chars();
    match (chars.next(), chars.next()) {
        (Some(first), Some(second)) if first.is_uppercase() && second.is_lowercase() => {
            format!("{}{}", first.to_lowercase(), &message[first.len_utf8()..])
        }
        _ => message,
    }
}

/// The place in the file of a line and column of a scalar's value: exact where the line stands in the file as
/// it is, else the whole scalar (an escaped or folded one).
fn locate(files: &Files, span: Span, value: &str, line: usize, column: usize, width: usize) -> Span {
    let file = files.get(span.file);
    let Some(raw) = file.text.get(span.range()) else { return span };
    let Some(text) = value.lines().nth(line.saturating_sub(1)) else { return span };
    let mut starts = raw.match_indices(text.trim());
    let (Some((start, found)), false) = (starts.next(), text.trim().is_empty()) else { return span };
    if value.lines().filter(|l| l.contains(text.trim())).count() > 1 || starts.next().is_some() {
        return span;
    }
    let leading = text.chars().take_while(|c| c.is_whitespace()).count();
    let byte = |chars: usize| found.char_indices().nth(chars).map_or(found.len(), |(i, _)| i);
    let from = column.saturating_sub(leading);
    let base = span.start as usize + start;
    Span::new(span.file, base + byte(from)..base + byte(from + width))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn scope() -> Scope {
        Scope::new(&json!({
            "cluster": {"name": "prod", "values": {"domain": "adeo.example", "replicas": 3}},
            "contracts": {"store": {"url": "http://x", "ports": [1, 2]}, "nothing": null},
        }))
    }

    #[test]
    fn expressions_keep_their_type() {
        for (text, value) in [
            ("cluster.values.replicas", json!(3)),
            ("cluster.values.replicas + 1", json!(4)),
            ("contracts[\"store\"].ports", json!([1, 2])),
            ("contracts.store", json!({"url": "http://x", "ports": [1, 2]})),
            ("cluster.name == 'prod'", json!(true)),
            ("contracts.nothing", json!(null)),
            ("cluster.missing | default(value=5)", json!(5)),
            ("{\"a\": {\"b\": 1}}", json!({"a": {"b": 1}})),
            ("\"<b>&\"", json!("<b>&")),
        ] {
            assert_eq!(evaluate(text, &scope()).expect(text), value, "{text}");
        }
    }

    #[test]
    fn templates_give_strings_without_escaping() {
        for (text, value) in [
            ("http://{{ cluster.name }}:9090", "http://prod:9090"),
            ("{% for p in contracts.store.ports %}{{ p }},{% endfor %}", "1,2,"),
            ("{{ '<&>' }}", "<&>"),
            ("{{ cluster.values.replicas }}", "3"),
        ] {
            assert_eq!(evaluate(text, &scope()).expect(text), json!(value), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_and_where() {
        for (text, message, place) in [
            ("cluster.nam", "`nam` is not defined", Some((1, 8))),
            ("nowhere", "nowhere", Some((1, 0))),
            ("{{ nowhere }}", "nowhere", Some((1, 3))),
            ("a\n{{ cluster.oops }}", "oops", Some((2, 11))),
            ("cluster.name | nofilter", "nofilter", None),
            ("1 +", "", None),
            ("{% set a = 1 %}", "`set`", Some((1, 0))),
            ("range(end=20000)", "10000", None),
            (
                "{% for a in range(end=200) %}{% for b in range(end=200) %}{% endfor %}{% endfor %}",
                "10000",
                None,
            ),
            (
                "{% for a in range(end=9000) %}{{ a }}{% for b in [1,2,3,4,5,6,7,8,9] %}                 {% endfor %}{% endfor %}",
                "longer than",
                None,
            ),
            ("{% include \"/etc/passwd\" %}", "", None),
            ("get_env(name=\"HOME\")", "", None),
        ] {
            let failure = evaluate(text, &scope()).expect_err(text);
            assert!(failure.message.contains(message), "{text}: {failure:?}");
            if let (Some(expected), found) = (place, failure.place) {
                assert_eq!(found.map(|(l, c, _)| (l, c)), Some(expected), "{text}: {failure:?}");
            }
        }
    }

    #[test]
    fn places_are_those_of_the_file() {
        let files = Files::new();
        let text = "a: !tera \"x {{ oops }}\"\n";
        let file = files.add("a.yaml", text, false);
        let node = Node {
            span: Span::new(file, 9..23),
            tag: Some(crate::yaml::Tag { name: "!tera".into(), span: Span::new(file, 3..8) }),
            value: Value::String("x {{ oops }}".into()),
        };
        let mut problems = Vec::new();
        compute(&files, &node, &scope(), &mut problems);
        assert_eq!(&text[problems[0].labels[0].span.range()], "oops");
    }
}
