//! What the text of a scalar is.
//!
//! The rules are go-yaml v2's (`resolve.go`), by which kubectl and Helm read: YAML 1.1's booleans, octal, hexadecimal
//! and binary integers, `_` between digits, Go's floats. Not base 60. Nothing here knows places.

use super::timestamp::is_timestamp;

/// What a text resolves to. Floats are as written: `1.0` is a float here.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Resolved {
    Null,
    Bool(bool),
    Int(i64),
    UInt(u64),
    Float(f64),
    /// A string that must be quoted to be one for other readers; read, it stays a string.
    Timestamp,
    String,
}

/// A standard tag that says what a scalar has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standard {
    Str,
    Bool,
    Int,
    Float,
    Null,
    Timestamp,
    Binary,
}

impl Standard {
    /// The standard tag behind a written out tag. Others, `!!map` or `!local`, leave a scalar a string.
    pub(super) fn of(tag: &str) -> Option<Self> {
        Some(match tag.strip_prefix("tag:yaml.org,2002:")? {
            "str" => Self::Str,
            "bool" => Self::Bool,
            "int" => Self::Int,
            "float" => Self::Float,
            "null" => Self::Null,
            "timestamp" => Self::Timestamp,
            "binary" => Self::Binary,
            _ => return None,
        })
    }

    /// As it is usually written.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Str => "!!str",
            Self::Bool => "!!bool",
            Self::Int => "!!int",
            Self::Float => "!!float",
            Self::Null => "!!null",
            Self::Timestamp => "!!timestamp",
            Self::Binary => "!!binary",
        }
    }
}

/// What a plain scalar is.
pub(super) fn resolve(text: &str) -> Resolved {
    if let Some(known) = word(text) {
        return known;
    }
    match text.as_bytes().first() {
        Some(b'0'..=b'9' | b'+' | b'-') if is_timestamp(text) => Resolved::Timestamp,
        Some(b'0'..=b'9' | b'+' | b'-') => number(&text.replace('_', "")),
        Some(b'.') => float(text),
        _ => Resolved::String,
    }
}

/// What a scalar with a standard tag is; `None` when the text does not fit the tag.
pub(super) fn resolve_tagged(tag: Standard, text: &str) -> Option<Resolved> {
    if matches!(tag, Standard::Str | Standard::Binary) {
        return Some(Resolved::String);
    }
    let resolved = resolve(text);
    match (tag, resolved) {
        (Standard::Bool, Resolved::Bool(_))
        | (Standard::Int, Resolved::Int(_) | Resolved::UInt(_))
        | (Standard::Float, Resolved::Float(_))
        | (Standard::Null, Resolved::Null)
        | (Standard::Timestamp, Resolved::Timestamp) => Some(resolved),
        #[expect(clippy::cast_precision_loss, reason = "the tag asks for a float")]
        (Standard::Float, Resolved::Int(int)) => Some(Resolved::Float(int as f64)),
        _ => None,
    }
}

fn word(text: &str) -> Option<Resolved> {
    Some(match text {
        "" | "~" | "null" | "Null" | "NULL" => Resolved::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Resolved::Bool(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Resolved::Bool(false)
        }
        ".nan" | ".NaN" | ".NAN" => Resolved::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Resolved::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => Resolved::Float(f64::NEG_INFINITY),
        _ => return None,
    })
}

/// An integer, else a float, else go-yaml's leftover `0b-11`.
fn number(text: &str) -> Resolved {
    if let Some(integer) = integer(text) {
        return integer;
    }
    match float(text) {
        Resolved::String => {}
        float => return float,
    }
    match text.strip_prefix("0b").map(|digits| i64::from_str_radix(digits, 2)) {
        Some(Ok(int)) => Resolved::Int(int),
        _ => Resolved::String,
    }
}

/// Go's `ParseInt` and `ParseUint` with base 0: a sign (integers in `i64` only), a prefix, digits.
fn integer(text: &str) -> Option<Resolved> {
    let (negative, unsigned) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (base, digits) = match unsigned.as_bytes() {
        [b'0', b'x' | b'X', _, ..] => (16, &unsigned[2..]),
        [b'0', b'b' | b'B', _, ..] => (2, &unsigned[2..]),
        [b'0', b'o' | b'O', _, ..] => (8, &unsigned[2..]),
        [b'0', _, ..] => (8, &unsigned[1..]),
        _ => (10, unsigned),
    };
    if !digits.starts_with(|c: char| c.is_digit(base)) {
        return None;
    }
    let magnitude = u64::from_str_radix(digits, base).ok()?;
    let signed = if negative { 0_i64.checked_sub_unsigned(magnitude) } else { i64::try_from(magnitude).ok() };
    match signed {
        Some(int) => Some(Resolved::Int(int)),
        None if unsigned.len() == text.len() => Some(Resolved::UInt(magnitude)),
        None => None,
    }
}

/// Digits with at most one point among them and an exponent; beyond the range of `f64` it is a string.
fn float(text: &str) -> Resolved {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))),
        None => (unsigned, None),
    };
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let mantissa_fits = match mantissa.split_once('.') {
        Some((whole, fraction)) => digits(whole) && digits(fraction) && whole.len() + fraction.len() > 0,
        None => digits(mantissa) && !mantissa.is_empty(),
    };
    if !mantissa_fits || exponent.is_some_and(|e| e.is_empty() || !digits(e)) {
        return Resolved::String;
    }
    match text.parse::<f64>() {
        Ok(float) if float.is_finite() => Resolved::Float(float),
        _ => Resolved::String,
    }
}
