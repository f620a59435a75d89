//! Reading single fields of a live object: absent and ill-typed fields are the same, nothing fails here.

use jiff::Timestamp;
use serde_json::Value;

/// An integer at a JSON pointer.
pub fn int(object: &Value, pointer: &str) -> Option<i64> {
    object.pointer(pointer).and_then(Value::as_i64)
}

/// An integer at a JSON pointer, 0 when absent: how Kubernetes leaves counters out.
pub fn count(object: &Value, pointer: &str) -> i64 {
    int(object, pointer).unwrap_or(0)
}

/// A string at a JSON pointer, empty when absent.
pub fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// A boolean at a JSON pointer, false when absent.
pub fn flag(object: &Value, pointer: &str) -> bool {
    object.pointer(pointer).and_then(Value::as_bool).unwrap_or(false)
}

/// A list at a JSON pointer, empty when absent.
pub fn list<'a>(object: &'a Value, pointer: &str) -> &'a [Value] {
    object.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// An RFC 3339 time at a JSON pointer.
pub fn time(object: &Value, pointer: &str) -> Option<Timestamp> {
    text(object, pointer).parse().ok()
}

/// Whether there is anything but null at a JSON pointer.
pub fn exists(object: &Value, pointer: &str) -> bool {
    object.pointer(pointer).is_some_and(|value| !value.is_null())
}

/// Seconds from `from` to `to`, negative when `to` is earlier.
pub fn seconds(from: Timestamp, to: Timestamp) -> i64 {
    to.as_second() - from.as_second()
}

/// One entry of `status.conditions`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Condition<'a> {
    /// `True`, `False` or `Unknown`.
    pub status: &'a str,
    /// A `CamelCase` word.
    pub reason: &'a str,
    /// For people.
    pub message: &'a str,
    /// `lastTransitionTime`.
    pub since: Option<Timestamp>,
    /// `observedGeneration` of the condition itself.
    pub observed_generation: Option<i64>,
}

impl Condition<'_> {
    /// The message, else the reason, else `otherwise`.
    pub fn explained(&self, otherwise: &str) -> String {
        [self.message, self.reason, otherwise]
            .into_iter()
            .find(|text| !text.is_empty())
            .map(plain)
            .unwrap_or_default()
    }

    /// Whether it has been so for at least `seconds` at `now`; a condition without a time counts as old.
    pub fn lasts(&self, seconds: i64, now: Timestamp) -> bool {
        self.since.is_none_or(|since| self::seconds(since, now) >= seconds)
    }
}

/// The condition of a type, if the object has it.
pub fn condition<'a>(object: &'a Value, kind: &str) -> Option<Condition<'a>> {
    list(object, "/status/conditions").iter().find(|c| text(c, "/type") == kind).map(|c| Condition {
        status: text(c, "/status"),
        reason: text(c, "/reason"),
        message: text(c, "/message"),
        since: time(c, "/lastTransitionTime"),
        observed_generation: int(c, "/observedGeneration"),
    })
}

/// The most characters of a foreign text that are shown.
const LONGEST: usize = 400;

/// A foreign text for a terminal: one line, no control characters (they could move the cursor or hide text), and
/// not longer than [`LONGEST`].
pub fn plain(text: &str) -> String {
    let words: Vec<&str> =
        text.split(|c: char| c.is_control() || c.is_whitespace()).filter(|w| !w.is_empty()).collect();
    let line = words.join(" ");
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}
