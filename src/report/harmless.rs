//! What a terminal obeys, taken out of text: names, messages and records come from a cluster that others write to.
//!
//! Our own colours pass (`ESC [ … m`), and so do line breaks and tabs. Every other control character, and what turns
//! the direction of writing around, becomes the replacement character.

use std::borrow::Cow;

/// `text` without what a terminal would obey, but for colours.
pub fn harmless(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_obeyed) {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let width = color(rest).unwrap_or(c.len_utf8());
        if width == c.len_utf8() && is_obeyed(c) {
            clean.push(char::REPLACEMENT_CHARACTER);
        } else {
            clean.push_str(&rest[..width]);
        }
        rest = &rest[width..];
    }
    Cow::Owned(clean)
}

fn is_obeyed(c: char) -> bool {
    (c.is_control() && !matches!(c, '\n' | '\t'))
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// How long the colour is that `text` begins with, if it begins with one.
fn color(text: &str) -> Option<usize> {
    let parameters = text.strip_prefix("\u{1b}[")?;
    let end = parameters.find(|c: char| !c.is_ascii_digit() && c != ';')?;
    parameters[end..].starts_with('m').then_some("\u{1b}[".len() + end + 1)
}

#[cfg(test)]
mod tests {
    use super::harmless;

    #[test]
    fn only_colours_are_obeyed() {
        assert_eq!(harmless("plain æ\n\tnext"), "plain æ\n\tnext");
        assert_eq!(harmless("\u{1b}[1;31mred\u{1b}[0m"), "\u{1b}[1;31mred\u{1b}[0m");
        for obeyed in [
            "\u{1b}[2J",
            "\u{1b}]0;title\u{7}",
            "\u{9b}2J",
            "a\rb",
            "\u{8}",
            "\u{202e}x",
            "\u{1b}",
            "\u{1b}[1",
        ] {
            let clean = harmless(obeyed);
            assert!(clean.contains('\u{fffd}'), "{obeyed:?}");
            assert!(!clean.chars().any(super::is_obeyed), "{obeyed:?}");
        }
    }
}
