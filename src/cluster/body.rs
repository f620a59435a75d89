//! JSON that a YAML reader takes for the same thing.
//!
//! The body of a server-side apply is read as YAML 1.1 (KEP-555), and JSON is not quite a part of it: raw control
//! characters that JSON allows (DEL, the C1 set, the byte order mark) are refused, and raw line separators
//! (U+0085, U+2028, U+2029) are folded into spaces. As `\uXXXX` all of them arrive whole. Everything else stays
//! raw: YAML does not join the surrogate pairs that JSON would need beyond U+FFFF.

use std::io::{self, Write};

use serde::Serialize as _;
use serde_json::Value;
use serde_json::ser::{Formatter, Serializer};

/// `value` in one line of JSON that reads the same as YAML.
pub(super) fn json_in_yaml(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    // Writing a JSON value into memory cannot fail: there is no key but strings and no writer that is full.
    let _ = value.serialize(&mut Serializer::with_formatter(&mut bytes, Escaping));
    bytes
}

struct Escaping;

impl Formatter for Escaping {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(at) = rest.find(needs_escape) {
            let (raw, special) = rest.split_at(at);
            writer.write_all(raw.as_bytes())?;
            let mut chars = special.chars();
            if let Some(c) = chars.next() {
                write!(writer, "\\u{:04x}", u32::from(c))?;
            }
            rest = chars.as_str();
        }
        writer.write_all(rest.as_bytes())
    }
}

fn needs_escape(c: char) -> bool {
    matches!(c, '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_yaml_refuses_is_escaped() {
        let text = "a\u{7f}b\u{85}\u{2028}\u{feff}æ🦀\u{1}\n";
        let bytes = json_in_yaml(&Value::String(text.into()));
        assert_eq!(String::from_utf8_lossy(&bytes), r#""a\u007fb\u0085\u2028\ufeffæ🦀\u0001\n""#);
        assert_eq!(serde_json::from_slice::<Value>(&bytes).unwrap(), text, "it is still JSON");
    }
}
