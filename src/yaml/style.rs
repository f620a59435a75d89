//! How a string has to be written so that it stays one.
//!
//! The decision is go-yaml v2's: libyaml's look at the characters, after the string was resolved as a reader would.
//! Lines are not its business.

use super::resolve::{Resolved, resolve};

/// The ways in which go-yaml writes strings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    Single,
    Double,
    /// `|` and lines.
    Literal,
}

/// What the characters of a string allow in a block.
struct Allowed {
    plain: bool,
    single: bool,
    literal: bool,
}

/// The style of `text` as a value, or as a key after `? `.
pub(super) fn of_value(text: &str) -> Style {
    let allowed = allowed(text);
    let wanted = if text.contains('\n') {
        Style::Literal
    } else if stays_string(text) {
        Style::Plain
    } else {
        Style::Double
    };
    match wanted {
        Style::Plain if !allowed.plain && allowed.single => Style::Single,
        Style::Plain if !allowed.plain => Style::Double,
        Style::Literal if !allowed.literal => Style::Double,
        wanted => wanted,
    }
}

/// The style of a key in one line. `<<` is quoted, else it would be read as a merge; go-yaml forgets that.
pub(super) fn of_key(text: &str) -> Style {
    if text == "<<" {
        return Style::Double;
    }
    match of_value(text) {
        Style::Literal => Style::Double,
        style => style,
    }
}

/// Whether `text` fits before a `:` in one line.
pub(super) fn is_simple_key(text: &str) -> bool {
    text.len() <= 128 && !text.contains(is_break)
}

/// The line breaks of YAML 1.1.
pub(super) fn is_break(c: char) -> bool {
    matches!(c, '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Whether go-yaml writes `c` as it is. Characters beyond U+FFFF and tabs are escaped.
pub(super) fn is_printable(c: char) -> bool {
    matches!(c, '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}') && c != '\u{feff}'
}

/// Whether `text` without quotes is read as a string, by this reader and by those that know base 60.
fn stays_string(text: &str) -> bool {
    resolve(text) == Resolved::String && !is_base_60(text)
}

/// A number such as `1:30` or `-1_0:59.5`, by YAML 1.1.
fn is_base_60(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let mut parts = whole.split(':');
    let first = parts.next().unwrap_or_default();
    let sixtieth = |part: &str| matches!(part.as_bytes(), [b'0'..=b'9'] | [b'0'..=b'5', b'0'..=b'9']);
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit() || b == b'_');
    let mut rest = parts.peekable();
    first.starts_with(|c: char| c.is_ascii_digit())
        && digits(first)
        && rest.peek().is_some()
        && rest.all(sixtieth)
        && digits(fraction)
}

/// Goes through the characters as libyaml's emitter does.
fn allowed(text: &str) -> Allowed {
    if text.is_empty() {
        return Allowed { plain: true, single: true, literal: false };
    }
    let blank = |c: Option<char>| matches!(c, None | Some(' ' | '\t'));
    let mut indicator = text.starts_with("---") || text.starts_with("...");
    let (mut special, mut multiline, mut break_space, mut space_break) = (false, false, false, false);
    let mut before: Option<char> = None;
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        let next = characters.peek().copied();
        indicator |= match (before, c) {
            (
                None,
                '#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@'
                | '`',
            ) => true,
            (None, '?' | ':' | '-') | (Some(_), ':') => blank(next),
            (Some(before), '#') => matches!(before, ' ' | '\t' | '\0') || is_break(before),
            _ => false,
        };
        special |= !is_printable(c);
        if is_break(c) {
            multiline = true;
            space_break |= before == Some(' ');
        } else if c == ' ' {
            break_space |= before.is_some_and(is_break);
        }
        before = Some(c);
    }
    let edge = |c: char| c == ' ' || is_break(c);
    let (first, last) = (text.chars().next().is_some_and(edge), text.chars().next_back().is_some_and(edge));
    let quotable = !space_break && !special;
    Allowed {
        plain: !indicator && !first && !last && !multiline && quotable,
        single: !break_space && quotable,
        literal: !text.ends_with(' ') && quotable,
    }
}
