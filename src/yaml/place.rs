//! Where a node itself stands in the text.
//!
//! libyaml's marks begin at a node's anchor or tag and run past a block's end; users want the value.

use std::ops::Range;

/// The properties (anchor, tag) before a value.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Properties {
    pub(super) tag: Option<Range<usize>>,
    /// Where the value begins.
    pub(super) end: usize,
}

/// Skips anchor and tag and what may stand between them and the value, from `start` to at most `limit`. When nothing
/// follows, the value is the point after the last property.
pub(super) fn properties(text: &str, start: usize, limit: usize) -> Properties {
    let bytes = &text.as_bytes()[..limit.min(text.len())];
    let mut properties = Properties { tag: None, end: start };
    let mut position = start;
    loop {
        let end = match bytes.get(position) {
            Some(b'&') => {
                let name = bytes[position + 1..]
                    .iter()
                    .take_while(|b| b.is_ascii_alphanumeric() || b"_-".contains(b));
                position + 1 + name.count()
            }
            Some(b'!') => {
                let end = tag_end(bytes, position);
                properties.tag = Some(position..end);
                end
            }
            Some(_) => {
                properties.end = position;
                return properties;
            }
            None => return properties,
        };
        properties.end = end;
        position = blank_end(bytes, end);
    }
}

/// Where the tag at `start` ends: a blank, or in brackets a comma or bracket; of `!<...>` the `>`.
fn tag_end(bytes: &[u8], start: usize) -> usize {
    let verbatim = bytes.get(start + 1) == Some(&b'<');
    let ends = |b: &u8| if verbatim { *b == b'>' } else { b.is_ascii_whitespace() || b",[]{}".contains(b) };
    let length = bytes[start..].iter().position(ends).unwrap_or(bytes.len() - start);
    (start + length + usize::from(verbatim)).min(bytes.len())
}

/// Skips blanks, line breaks and comments.
fn blank_end(bytes: &[u8], start: usize) -> usize {
    let mut position = start;
    loop {
        match bytes.get(position) {
            Some(b' ' | b'\t' | b'\r' | b'\n') => position += 1,
            Some(b'#') if position > start => {
                position += bytes[position..].iter().take_while(|b| !matches!(b, b'\r' | b'\n')).count();
            }
            _ => return position,
        }
    }
}

/// The end of a block scalar, which libyaml places after all empty lines that follow: after its first line break,
/// unless `+` keeps the empty lines.
pub(super) fn block_end(text: &str, start: usize, end: usize) -> usize {
    let Some(block) = text.get(start..end) else { return end };
    let header = block.lines().next().unwrap_or_default();
    if header.split('#').next().is_some_and(|h| h.contains('+')) {
        return end;
    }
    let content = block.trim_end_matches([' ', '\t', '\r', '\n']).len();
    let after = &block[content..];
    start + content + after.find('\n').map_or(after.len(), |i| i + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_value_stands_after_anchor_tag_and_comment() {
        assert_eq!(properties("&a-b !t x", 0, 9), Properties { tag: Some(5..7), end: 8 });
        assert_eq!(properties("!t # c\n  x", 0, 10), Properties { tag: Some(0..2), end: 9 });
        assert_eq!(properties("!<a,b> x", 0, 8), Properties { tag: Some(0..6), end: 7 });
        assert_eq!(properties("[!t , x]", 1, 3), Properties { tag: Some(1..3), end: 3 });
        assert_eq!(properties("x", 0, 1), Properties { tag: None, end: 0 });
    }

    #[test]
    fn a_block_ends_after_its_last_line() {
        assert_eq!(block_end("|\n  a\n\n\n", 0, 8), 6);
        assert_eq!(block_end("|+\n  a\n\n\n", 0, 9), 9);
        assert_eq!(block_end("|\n  a", 0, 5), 5);
    }
}
