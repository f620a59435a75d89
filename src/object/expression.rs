//! A question about one object with a yes or no for an answer, in CEL (the Common Expression Language; the language
//! of Kubernetes' own validation rules).
//!
//! The fields at the root of the object are variables: `status.readyReplicas == spec.replicas`. What the object lacks
//! of `metadata`, `spec` and `status` is an empty map, so that `has(status.phase)` can be asked of an object that
//! nobody has looked at yet. The library has no budget for an evaluation; since CEL always ends, bounding the length
//! of the expression, the size of the object and the steps of nested loops bounds its time. All of the library stays
//! behind this file. It must not know what the answer is for.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, LazyLock};

use cel::common::ast::{EntryExpr, Expr, IdedExpr};
use cel::objects::{Key, Map, Value as Cel};
use cel::{Context, Env, ExecutionError, Program};
use serde_json::Value;

/// The longest expression, in bytes.
pub const LONGEST: usize = 4096;
/// The most values (scalars, lists and maps, however deep) of an object.
const VALUES: usize = 20_000;
/// The most steps of loops within loops: the longest list or map of the object to the power of their depth.
const STEPS: usize = 1_000_000;

static STANDARD: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(Env::stdlib()));

/// An expression that was understood. Equal to another of the same text.
#[derive(Clone)]
pub struct Expression {
    text: Arc<str>,
    program: Arc<Program>,
    /// How deep loops (`all`, `exists`, `filter`, `map`) stand within loops.
    depth: u32,
}

/// Why an expression has no answer for an object. Names fields and types, never values: they may be secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unanswered {
    /// It asks for what is not there, and may be there later.
    #[error("there is no {0}")]
    Missing(String),
    /// It will never have one for an object like this.
    #[error("{0}")]
    Senseless(String),
}

impl Expression {
    /// Understands `text`.
    ///
    /// # Errors
    /// What is wrong with it, for people.
    pub fn new(text: &str) -> Result<Self, String> {
        if text.len() > LONGEST {
            return Err(format!("it is longer than {LONGEST} bytes"));
        }
        let program = STANDARD.compile(text).map_err(|errors| first(&errors))?;
        Ok(Self { text: text.into(), depth: depth(program.expression()), program: Arc::new(program) })
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The answer for `object`.
    ///
    /// # Errors
    /// [`Unanswered`].
    pub fn holds(&self, object: &Value) -> Result<bool, Unanswered> {
        let mut context = Context::with_env(STANDARD.clone());
        let mut size = Size::default();
        for (name, value) in object.as_object().into_iter().flatten() {
            context.add_variable_from_value(name, size.convert(value, name == "metadata"));
        }
        for name in ["metadata", "spec", "status"].into_iter().filter(|name| object.get(name).is_none()) {
            context.add_variable_from_value(name, Cel::Map(Map { map: Arc::default() }));
        }
        if size.values > VALUES || size.longest.checked_pow(self.depth).is_none_or(|steps| steps > STEPS) {
            return Err(Unanswered::Senseless("the object is too large for it".into()));
        }
        match self.program.execute(&context) {
            Ok(Cel::Bool(answer)) => Ok(answer),
            Ok(other) => Err(Unanswered::Senseless(format!("it gives `{}`, not `bool`", other.type_of()))),
            Err(error) => Err(self.explain(&error)),
        }
    }

    /// The library's own texts repeat values.
    fn explain(&self, error: &ExecutionError) -> Unanswered {
        match error {
            ExecutionError::NoSuchKey(name) => Unanswered::Missing(format!("`{name}`")),
            ExecutionError::UndeclaredReference(name) => {
                if self.program.references().has_variable(name.as_str()) {
                    Unanswered::Missing(format!("`{name}`"))
                } else {
                    Unanswered::Senseless(format!("CEL has no function `{name}`"))
                }
            }
            ExecutionError::IndexOutOfBounds(_) => Unanswered::Missing("entry at an index".into()),
            ExecutionError::NoSuchOverload(error) => Unanswered::Senseless(error.to_string()),
            ExecutionError::FunctionError { function, .. } => {
                Unanswered::Senseless(format!("`{function}` does not understand what it is given"))
            }
            ExecutionError::UnexpectedType { got, want } => {
                Unanswered::Senseless(format!("it has a {got} where a {want} is needed"))
            }
            ExecutionError::DivisionByZero(_) | ExecutionError::RemainderByZero(_) => {
                Unanswered::Senseless("it divides by zero".into())
            }
            ExecutionError::Overflow(..) => Unanswered::Senseless("a number is too large".into()),
            _ => Unanswered::Senseless("values of its types do not go together".into()),
        }
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Expression({:?})", self.text)
    }
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Expression {}

/// The first thing that is wrong, in one line; the others follow from it.
fn first(errors: &cel::ParseErrors) -> String {
    let Some(error) = errors.errors.first() else { return "it is not CEL".into() };
    let (line, column) = error.pos;
    let message: Vec<&str> = error.msg.split_whitespace().collect();
    let message = message.join(" ");
    let message = message.strip_prefix("Syntax error: ").unwrap_or(&message);
    format!("{message} (line {line}, column {column})")
}

/// How deep loops stand within loops. What a loop runs over is evaluated once, before it.
fn depth(expression: &IdedExpr) -> u32 {
    let deepest =
        |expressions: &mut dyn Iterator<Item = &IdedExpr>| expressions.map(depth).max().unwrap_or(0);
    match &expression.expr {
        Expr::Call(call) => deepest(&mut call.target.iter().map(AsRef::as_ref).chain(&call.args)),
        Expr::Comprehension(all) => {
            let once = deepest(&mut [&all.iter_range, &all.accu_init, &all.result].into_iter());
            let repeated = deepest(&mut [&all.loop_cond, &all.loop_step].into_iter());
            once.max(repeated + 1)
        }
        Expr::List(list) => deepest(&mut list.elements.iter()),
        Expr::Map(map) => deepest(&mut map.entries.iter().flat_map(|entry| parts(&entry.expr))),
        Expr::Struct(made) => deepest(&mut made.entries.iter().flat_map(|entry| parts(&entry.expr))),
        Expr::Select(select) => depth(&select.operand),
        Expr::Ident(_) | Expr::Literal(_) | Expr::Unspecified => 0,
    }
}

fn parts(entry: &EntryExpr) -> Vec<&IdedExpr> {
    match entry {
        EntryExpr::StructField(field) => vec![&field.value],
        EntryExpr::MapEntry(entry) => vec![&entry.key, &entry.value],
    }
}

/// How large an object is.
#[derive(Default)]
struct Size {
    values: usize,
    /// Entries of its longest list or map.
    longest: usize,
}

impl Size {
    /// `value` for CEL. Whole numbers are `int`, as in Kubernetes, whatever their sign. `is_metadata`: without
    /// `managedFields`, which nobody asks for and which are often larger than all the rest.
    fn convert(&mut self, value: &Value, is_metadata: bool) -> Cel {
        self.values += 1;
        match value {
            Value::Null => Cel::Null,
            Value::Bool(value) => Cel::Bool(*value),
            Value::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(number), _) => Cel::Int(number),
                (None, Some(number)) => Cel::Float(number),
                (None, None) => Cel::Null,
            },
            Value::String(text) => Cel::String(Arc::new(text.clone())),
            Value::Array(items) => {
                self.longest = self.longest.max(items.len());
                Cel::List(Arc::new(items.iter().map(|item| self.convert(item, false)).collect()))
            }
            Value::Object(entries) => {
                self.longest = self.longest.max(entries.len());
                let entries = entries.iter().filter(|(key, _)| !is_metadata || *key != "managedFields");
                let map: HashMap<Key, Cel> = entries
                    .map(|(key, value)| (Key::from(key.as_str()), self.convert(value, false)))
                    .collect();
                Cel::Map(Map { map: Arc::new(map) })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn ask(text: &str, object: &Value) -> Result<bool, String> {
        Expression::new(text).unwrap().holds(object).map_err(|error| error.to_string())
    }

    #[test]
    fn fields_of_the_object_are_variables() {
        let object = json!({
            "apiVersion": "a/v1", "kind": "A", "metadata": {"generation": 2, "managedFields": [{"manager": "m"}]},
            "spec": {"replicas": 3, "share": 0.5},
            "status": {"ready": 2, "conditions": [{"type": "Ready", "status": "True"}, {"type": "Idle", "status": "False"}]},
            "data": {"a-b": "x"},
        });
        for (text, answer) in [
            ("status.ready + 1 == spec.replicas", true),
            ("status.ready - 3 < 0 && spec.share == 0.5", true),
            ("status.conditions.filter(e, e.type == 'Ready').all(e, e.status == 'True')", true),
            ("status.conditions.exists(e, e.type == 'Idle' && e.status == 'True')", false),
            ("has(status.phase) && status.phase == 'Done'", false),
            ("has(metadata.managedFields)", false),
            ("kind == 'A' && apiVersion.matches('^a/v[0-9]+$')", true),
            ("data['a-b'] == 'x'", true),
            ("timestamp('2026-01-01T00:00:00Z') < timestamp('2026-01-01T00:00:01Z')", true),
        ] {
            assert_eq!(ask(text, &object), Ok(answer), "{text}");
        }
    }

    #[test]
    fn what_is_missing_is_told_from_what_makes_no_sense() {
        let object = json!({"kind": "A", "spec": {"list": [], "text": "hunter2"}});
        let unanswered = |text: &str| Expression::new(text).unwrap().holds(&object).unwrap_err();
        for (text, what) in [
            ("status.ready == 1", "`ready`"),
            ("data.a == 'b'", "`data`"),
            ("spec.list[0] == 1", "entry at an index"),
        ] {
            assert_eq!(unanswered(text), Unanswered::Missing(what.into()), "{text}");
        }
        assert_eq!(ask("has(status.ready)", &object), Ok(false));
        for text in [
            "spec.text",
            "spec.text > 1",
            "spec.text + 1 == 2",
            "spec.text.startWith('h')",
            "int(spec.text) == 1",
            "spec.text.matches('(')",
            "spec[spec.list] == 1",
            "spec.text ? true : false",
            "{spec.text: 1}[[spec.text]] == 1",
            "1 / 0 == 1",
        ] {
            let error = unanswered(text);
            assert!(matches!(error, Unanswered::Senseless(_)), "{text}: {error:?}");
            assert!(!error.to_string().contains("hunter2"), "{text}: {error}");
        }
        assert_eq!(unanswered("spec.text").to_string(), "it gives `string`, not `bool`");
        assert_eq!(unanswered("spec.text.startWith('h')").to_string(), "CEL has no function `startWith`");
    }

    #[test]
    fn what_is_not_cel_is_said_in_one_line() {
        for text in ["status.x ==", "", "a b", "'open", "1 ++ 2", "&", "has(status)"] {
            let message = Expression::new(text).unwrap_err();
            assert!(message.contains("line 1, column") && message.lines().count() == 1, "{text}: {message}");
        }
        let long = format!("'{}' == ''", "x".repeat(LONGEST));
        assert_eq!(Expression::new(&long).unwrap_err(), "it is longer than 4096 bytes");
    }

    #[test]
    fn loops_within_loops_are_counted() {
        for (text, levels) in [
            ("a.b == c", 0),
            ("a.all(x, x > 1)", 1),
            ("a.filter(x, x > 1).map(x, x + 1).all(x, x > 1)", 1),
            ("a.all(x, b.exists(y, y == x))", 2),
            ("[{'k': a.all(x, b.all(y, c.all(z, true)))}].size() > 0 || a.b(c.map(x, x))", 3),
        ] {
            assert_eq!(depth(STANDARD.compile(text).unwrap().expression()), levels, "{text}");
        }
    }

    #[test]
    fn an_evaluation_is_bounded() {
        let list = |length: usize| json!({"status": {"l": vec![1; length]}});
        let nested = "status.l.all(x, status.l.all(y, x == y))";
        assert_eq!(ask(nested, &list(1000)), Ok(true));
        let too_large = Err("the object is too large for it".to_owned());
        assert_eq!(ask(nested, &list(1001)), too_large);
        assert_eq!(ask("status.l.all(x, x == 1)", &list(VALUES - 2)), Ok(true));
        assert_eq!(ask("status.l.size() > 1", &list(VALUES)), too_large);
    }

    #[test]
    fn deep_expressions_need_no_large_stack() {
        for (open, close) in [("(", ")"), ("[", "]"), ("!(", ")"), ("[1].all(x, ", ")")] {
            let text = format!("{}true{}", open.repeat(300), close.repeat(300));
            let small = std::thread::Builder::new().stack_size(2 << 20);
            let answer = small.spawn(move || Expression::new(&text)).unwrap().join();
            assert!(answer.unwrap().is_err(), "{open}");
        }
        let text = format!("{}true{}", "(".repeat(60), ")".repeat(60));
        let small = std::thread::Builder::new().stack_size(2 << 20);
        let answer = small.spawn(move || ask(&text, &json!({}))).unwrap().join().unwrap();
        assert!(answer.is_ok_and(|answer| answer));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        /// No text makes the library panic.
        #[test]
        fn any_text_is_answered(tokens in prop::collection::vec(prop_oneof![
            Just("status"), Just("."), Just("a"), Just("("), Just(")"), Just("["), Just("]"), Just("{"), Just("}"),
            Just("1"), Just("-1"), Just("1u"), Just("1.5"), Just("'x'"), Just("b'x'"), Just("=="), Just("&&"),
            Just("?"), Just(":"), Just("!"), Just("+"), Just("%"), Just("in"), Just("has"), Just("map"), Just(","),
            Just("all"), Just("size"), Just("true"), Just("null"), Just("é"), Just("\\"), Just("'"), Just("\n"),
        ], 0..12)) {
            let object = json!({"status": {"a": [1, "x", {"b": null}]}});
            for separator in ["", " "] {
                if let Ok(expression) = Expression::new(&tokens.join(separator)) {
                    let _ = expression.holds(&object);
                }
            }
        }
    }
}
