//! The node: a YAML value that remembers where it stands.

use indexmap::IndexMap;
use indexmap::map::{IntoValues, Values, ValuesMut};

use super::number::through_json;
use crate::diagnostic::Span;

/// One YAML node.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Where it stands: of a scalar its text (with quotes), of a collection from its first to its last byte.
    /// Nodes that came through an alias or a `<<` merge keep the place of the original.
    pub span: Span,
    /// A local tag such as `!tera` or `!secret`; standard tags (`!!str`) are resolved into the value.
    pub tag: Option<Tag>,
    /// What it says.
    pub value: Value,
}

/// A local tag with its leading `!`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// For example `!tera`.
    pub name: String,
    /// Where it stands.
    pub span: Span,
}

/// A resolved value. Integers beyond `i64` are [`Value::UInt`]; beyond `u64` they are floats, as in Go. A whole
/// number is an integer however it is written (`1.0`, `1e3`): kubectl and Helm turn YAML into JSON first, where Go
/// writes both alike.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `null`, `~` or nothing.
    Null,
    /// `true`, `yes`, `on` and their opposites.
    Bool(bool),
    /// Any integer in `i64`.
    Int(i64),
    /// An integer above `i64::MAX`.
    UInt(u64),
    /// Anything else that is a number.
    Float(f64),
    /// Everything else.
    String(String),
    /// A list.
    Sequence(Vec<Node>),
    /// A map with string keys, in written order.
    Mapping(Mapping),
}

/// One key and its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Non-string keys are written as Go's JSON conversion writes them (`1` is `"1"`, `true` is `"true"`).
    pub key: String,
    /// Where the key stands.
    pub key_span: Span,
    /// What it maps to.
    pub value: Node,
}

/// A map in written order; keys are unique. Equality does not look at the order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Mapping {
    entries: IndexMap<String, Entry>,
}

impl Mapping {
    /// An empty map.
    pub fn new() -> Self {
        Self::default()
    }

    /// The value of `key`.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|e| &e.value)
    }

    /// The value of `key`, to be changed.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        self.entries.get_mut(key).map(|e| &mut e.value)
    }

    /// The entry of `key`, with the key's span.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries.get(key)
    }

    /// Sets `entry.key`, in place when it is there already; returns the former entry.
    pub fn insert(&mut self, entry: Entry) -> Option<Entry> {
        self.entries.insert(entry.key.clone(), entry)
    }

    /// Removes `key`; the others keep their order.
    pub fn remove(&mut self, key: &str) -> Option<Entry> {
        self.entries.shift_remove(key)
    }

    /// The entries in written order.
    pub fn iter(&self) -> Values<'_, String, Entry> {
        self.entries.values()
    }

    /// The entries in written order, their values to be changed. A changed key would not be found by its new name:
    /// remove and insert instead.
    pub fn iter_mut(&mut self) -> ValuesMut<'_, String, Entry> {
        self.entries.values_mut()
    }

    /// The keys in written order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl FromIterator<Entry> for Mapping {
    /// Later entries replace earlier ones of the same key.
    fn from_iter<I: IntoIterator<Item = Entry>>(entries: I) -> Self {
        let mut mapping = Self::new();
        for entry in entries {
            mapping.insert(entry);
        }
        mapping
    }
}

impl<'a> IntoIterator for &'a Mapping {
    type Item = &'a Entry;
    type IntoIter = Values<'a, String, Entry>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<'a> IntoIterator for &'a mut Mapping {
    type Item = &'a mut Entry;
    type IntoIter = ValuesMut<'a, String, Entry>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter_mut()
    }
}

impl IntoIterator for Mapping {
    type Item = Entry;
    type IntoIter = IntoValues<String, Entry>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_values()
    }
}

impl Node {
    /// An untagged node.
    pub fn new(span: Span, value: Value) -> Self {
        Self { span, tag: None, value }
    }

    /// The value of `key`, if this is a map that has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.as_mapping()?.get(key)
    }

    /// The node at a path of keys and decimal list indices.
    pub fn at<'a>(&self, path: impl IntoIterator<Item = &'a str>) -> Option<&Node> {
        path.into_iter().try_fold(self, |node, segment| match &node.value {
            Value::Mapping(mapping) => mapping.get(segment),
            Value::Sequence(items) => items.get(segment.parse::<usize>().ok()?),
            _ => None,
        })
    }

    /// Every scalar, empty list and empty map below and including this node, depth first in written order, each
    /// with its path of keys and decimal list indices.
    pub fn leaves(&self) -> impl Iterator<Item = (Vec<String>, &Node)> {
        let mut todo = vec![(Vec::new(), self)];
        std::iter::from_fn(move || {
            loop {
                let (path, node) = todo.pop()?;
                let below =
                    |segment: String| -> Vec<String> { path.iter().cloned().chain([segment]).collect() };
                match &node.value {
                    Value::Mapping(mapping) if !mapping.is_empty() => {
                        todo.extend(mapping.iter().rev().map(|e| (below(e.key.clone()), &e.value)));
                    }
                    Value::Sequence(items) if !items.is_empty() => {
                        todo.extend(
                            items.iter().enumerate().rev().map(|(i, item)| (below(i.to_string()), item)),
                        );
                    }
                    _ => return Some((path, node)),
                }
            }
        })
    }

    /// The map, if it is one.
    pub fn as_mapping(&self) -> Option<&Mapping> {
        match &self.value {
            Value::Mapping(mapping) => Some(mapping),
            _ => None,
        }
    }

    /// The map, to be changed, if it is one.
    pub fn as_mapping_mut(&mut self) -> Option<&mut Mapping> {
        match &mut self.value {
            Value::Mapping(mapping) => Some(mapping),
            _ => None,
        }
    }

    /// The items, if it is a list.
    pub fn as_sequence(&self) -> Option<&[Node]> {
        match &self.value {
            Value::Sequence(items) => Some(items),
            _ => None,
        }
    }

    /// The string, if it is one (a number is not).
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::String(string) => Some(string),
            _ => None,
        }
    }

    /// Whether it is null.
    pub fn is_null(&self) -> bool {
        matches!(self.value, Value::Null)
    }

    /// The same value as JSON, without spans; tags are dropped. A float that JSON cannot say becomes null.
    pub fn to_json(&self) -> serde_json::Value {
        match &self.value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(b) => (*b).into(),
            Value::Int(i) => (*i).into(),
            Value::UInt(u) => (*u).into(),
            Value::Float(f) => (*f).into(),
            Value::String(s) => s.as_str().into(),
            Value::Sequence(items) => items.iter().map(Self::to_json).collect(),
            Value::Mapping(mapping) => mapping
                .iter()
                .map(|e| (e.key.clone(), e.value.to_json()))
                .collect::<serde_json::Map<_, _>>()
                .into(),
        }
    }

    /// JSON as nodes that all stand at `span` (a computed value: the place that computed it).
    pub fn from_json(span: Span, json: &serde_json::Value) -> Self {
        let value = match json {
            serde_json::Value::Null => Value::Null,
            serde_json::Value::Bool(b) => Value::Bool(*b),
            serde_json::Value::Number(n) => match (n.as_i64(), n.as_u64()) {
                (Some(i), _) => Value::Int(i),
                (None, Some(u)) => Value::UInt(u),
                (None, None) => n.as_f64().and_then(through_json).unwrap_or(Value::Null),
            },
            serde_json::Value::String(s) => Value::String(s.clone()),
            serde_json::Value::Array(items) => {
                Value::Sequence(items.iter().map(|item| Self::from_json(span, item)).collect())
            }
            serde_json::Value::Object(map) => Value::Mapping(
                map.iter()
                    .map(|(key, value)| Entry {
                        key: key.clone(),
                        key_span: span,
                        value: Self::from_json(span, value),
                    })
                    .collect(),
            ),
        };
        Self::new(span, value)
    }
}
