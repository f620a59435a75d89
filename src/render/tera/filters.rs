//! Filters that manifests need, beside those of Tera. Documented for users in docs/charts.md.
//!
//! All of them refuse an undefined value, so that a typo never becomes an empty field.

// The engine hands arguments over by value.
#![allow(clippy::needless_pass_by_value)]

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value as Json;
use sha2::{Digest as _, Sha256};
use tera::value::ValueKind;
use tera::{Error, ErrorKind, Kwargs, State, Tera, TeraResult, Value};

use crate::yaml;

pub(super) fn register(tera: &mut Tera) {
    tera.register_filter("to_yaml", to_yaml);
    tera.register_filter("to_json", to_json);
    tera.register_filter("indent", indent);
    tera.register_filter("nindent", nindent);
    tera.register_filter("b64encode", b64encode);
    tera.register_filter("b64decode", b64decode);
    tera.register_filter("sha256", sha256);
    tera.register_filter("quote", quote);
    tera.register_filter("squote", squote);
    tera.register_filter("trunc", trunc);
    tera.register_filter("trim_prefix", trim_prefix);
    tera.register_filter("trim_suffix", trim_suffix);
    tera.register_filter("required", required);
    tera.register_filter("merge", merge);
}

/// Widest indentation.
const WIDEST: usize = 1000;

/// Tera points at the value, not at the filter, for an argument of a wrong type.
fn undefined() -> Error {
    Error::new(ErrorKind::InvalidArgument { expected_type: "value".into(), actual_type: "undefined".into() })
}

/// A value of the engine as JSON. Undefined values, also inside maps and lists, and numbers that JSON cannot
/// say are errors.
fn json(value: &Value) -> TeraResult<Json> {
    Ok(match value.kind() {
        ValueKind::Undefined => return Err(undefined()),
        ValueKind::None => Json::Null,
        ValueKind::Array => {
            value.as_array().unwrap_or_default().iter().map(json).collect::<TeraResult<_>>()?
        }
        ValueKind::Map => {
            let entries = value.as_map().into_iter().flatten();
            let entries = entries.map(|(key, value)| Ok((key.as_value().to_string(), json(value)?)));
            Json::Object(entries.collect::<TeraResult<_>>()?)
        }
        ValueKind::F64 if value.as_f64().is_some_and(|f| !f.is_finite()) => {
            return Err(Error::message(format!("JSON has no number {value}")));
        }
        _ => serde_json::to_value(value).map_err(|error| Error::message(error.to_string()))?,
    })
}

/// The text that `{{ value }}` prints; maps and lists must be converted first.
fn text(value: &Value) -> TeraResult<String> {
    match value.kind() {
        ValueKind::Undefined => Err(undefined()),
        ValueKind::Array | ValueKind::Map => Err(Error::message(format!(
            "a text is needed, not a {}: use `to_yaml` or `to_json` first",
            value.name()
        ))),
        _ => Ok(value.to_string()),
    }
}

/// YAML without a newline at the end. `indent=n` indents every line but the first.
fn to_yaml(value: &Value, kwargs: Kwargs, _: &State) -> TeraResult<String> {
    let yaml = yaml::write(&json(value)?);
    let yaml = yaml.trim_end_matches('\n');
    Ok(match kwargs.get::<usize>("indent")? {
        Some(width) => indented(yaml, width, false),
        None => yaml.to_owned(),
    })
}

/// JSON on one line; `pretty=true` on several. Keys are sorted.
fn to_json(value: &Value, kwargs: Kwargs, _: &State) -> TeraResult<String> {
    let json = json(value)?;
    let pretty = kwargs.get::<bool>("pretty")?.unwrap_or_default();
    if pretty { serde_json::to_string_pretty(&json) } else { serde_json::to_string(&json) }
        .map_err(|error| Error::message(error.to_string()))
}

/// Every line but the first (with `first=true` that too) `width` spaces further right; empty lines stay empty.
fn indent(value: &Value, kwargs: Kwargs, _: &State) -> TeraResult<String> {
    let width = kwargs.get::<usize>("width")?.unwrap_or(4);
    Ok(indented(&text(value)?, width, kwargs.get::<bool>("first")?.unwrap_or_default()))
}

/// A newline, then every line `width` spaces further right.
fn nindent(value: &Value, kwargs: Kwargs, _: &State) -> TeraResult<String> {
    let width = kwargs.must_get::<usize>("width")?;
    Ok(format!("\n{}", indented(&text(value)?, width, true)))
}

fn indented(text: &str, width: usize, first: bool) -> String {
    let spaces = " ".repeat(width.min(WIDEST));
    let mut result = String::with_capacity(text.len() + spaces.len() * 8);
    for (index, line) in text.split('\n').enumerate() {
        if index > 0 {
            result.push('\n');
        }
        if !line.is_empty() && (index > 0 || first) {
            result.push_str(&spaces);
        }
        result.push_str(line);
    }
    result
}

fn b64encode(value: &Value, _: Kwargs, _: &State) -> TeraResult<String> {
    Ok(STANDARD.encode(text(value)?))
}

fn b64decode(value: &Value, _: Kwargs, _: &State) -> TeraResult<String> {
    let bytes =
        STANDARD.decode(text(value)?.trim()).map_err(|_| Error::message("the value is not base64"))?;
    String::from_utf8(bytes).map_err(|_| Error::message("the decoded value is not text"))
}

/// SHA-256 in lower-case hex. Maps and lists are hashed as JSON.
fn sha256(value: &Value, _: Kwargs, _: &State) -> TeraResult<String> {
    let input = match value.kind() {
        ValueKind::Array | ValueKind::Map => json(value)?.to_string(),
        _ => text(value)?,
    };
    Ok(crate::render::hex(&Sha256::digest(input)))
}

/// In double quotes, escaped so that YAML and JSON read the same text.
fn quote(value: &Value, _: Kwargs, _: &State) -> TeraResult<String> {
    let quoted = serde_json::to_string(&text(value)?).map_err(|error| Error::message(error.to_string()))?;
    // JSON leaves these as they are, YAML does not accept them or takes them for line breaks.
    let escape = |c: char| {
        matches!(c, '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
    };
    Ok(quoted.chars().fold(String::with_capacity(quoted.len()), |mut result, c| {
        if escape(c) {
            // Writing to a String cannot fail.
            _ = write!(result, "\\u{:04x}", u32::from(c));
        } else {
            result.push(c);
        }
        result
    }))
}

/// In single quotes; the text must be one line.
fn squote(value: &Value, _: Kwargs, _: &State) -> TeraResult<String> {
    let text = text(value)?;
    if text.contains(['\n', '\r']) {
        return Err(Error::message("`squote` takes one line: use `quote`"));
    }
    Ok(format!("'{}'", text.replace('\'', "''")))
}

/// The first `length` characters; with a negative `length` the last ones.
fn trunc(value: &Value, kwargs: Kwargs, _: &State) -> TeraResult<String> {
    let text = text(value)?;
    let length = kwargs.must_get::<i64>("length")?;
    let keep = usize::try_from(length.unsigned_abs()).unwrap_or(usize::MAX);
    let skip = if length < 0 { text.chars().count().saturating_sub(keep) } else { 0 };
    Ok(text.chars().skip(skip).take(keep).collect())
}

fn trim_prefix(value: &Value, kwargs: Kwargs, _: &State) -> TeraResult<String> {
    let text = text(value)?;
    Ok(text.strip_prefix(kwargs.must_get::<&str>("pat")?).unwrap_or(&text).to_owned())
}

fn trim_suffix(value: &Value, kwargs: Kwargs, _: &State) -> TeraResult<String> {
    let text = text(value)?;
    Ok(text.strip_suffix(kwargs.must_get::<&str>("pat")?).unwrap_or(&text).to_owned())
}

/// The value itself, which must be defined and neither null nor an empty text.
fn required(value: Value, kwargs: Kwargs, _: &State) -> TeraResult<Value> {
    if value.is_undefined() || value.is_none() || value.as_str() == Some("") {
        return Err(Error::message(kwargs.get::<&str>("message")?.unwrap_or("a value is required here")));
    }
    Ok(value)
}

/// The map with the keys of `with` laid over it, deeply.
fn merge(value: &Value, kwargs: Kwargs, _: &State) -> TeraResult<Value> {
    let with = kwargs.must_get::<&Value>("with")?;
    if !value.is_map() || !with.is_map() {
        return Err(Error::message(format!(
            "`merge` takes two maps, not a {} and a {}",
            value.name(),
            with.name()
        )));
    }
    Ok(merged(value, with))
}

fn merged(lower: &Value, upper: &Value) -> Value {
    let (Some(low), Some(high)) = (lower.as_map(), upper.as_map()) else { return upper.clone() };
    let mut result = low.clone();
    for (key, value) in high {
        let value = result.get(key).map_or_else(|| value.clone(), |old| merged(old, value));
        result.insert(key.clone(), value);
    }
    result.sort_keys();
    result.into()
}
