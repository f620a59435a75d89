//! JSON values as YAML text, to the byte as Go writes them.
//!
//! The text is what `sigs.k8s.io/yaml` makes of a value, so that Helm's `toYaml` and kubectl's output can be matched:
//! sorted keys, lists not indented below their key, strings quoted where they would be read as something else, lines
//! folded at the first space after column 80. Where Go's text would not be read as the value that was written, or Go
//! refuses (control characters, a key `<<`), this text is right instead.

use serde_json::Value;

use super::number;
use super::order;
use super::style::{self, Style, is_break, is_printable};

/// The column after which a line is folded.
const WIDTH: usize = 80;
/// Spaces per level.
const INDENT: usize = 2;

/// Writes one document: no `---` before, a line break after.
pub fn write(value: &Value) -> String {
    let mut writer = Writer { out: String::new(), column: 0, spaced: true, fresh: true };
    writer.node(value, None, false);
    writer.line(0);
    writer.out
}

/// Text with what libyaml's emitter remembers about the end of it.
struct Writer {
    out: String,
    /// Characters in the current line.
    column: usize,
    /// No space is needed before the next word.
    spaced: bool,
    /// The line has nothing yet but indentation, `-`, `?` and `:`.
    fresh: bool,
}

impl Writer {
    /// Writes a value within the block at column `indent`; `None` is the root. `valued` tells the value of a key.
    fn node(&mut self, value: &Value, indent: Option<usize>, valued: bool) {
        match value {
            Value::Null => self.word("null"),
            Value::Bool(bool) => self.word(if *bool { "true" } else { "false" }),
            Value::Number(number) => self.word(&number_text(number)),
            Value::String(text) => self.string(text, indent, Some(style::of_value(text))),
            Value::Array(items) if items.is_empty() => self.word("[]"),
            Value::Object(map) if map.is_empty() => self.word("{}"),
            Value::Array(items) => {
                // A list stands at the column of its key, unless the key was not in its line (`: - a`).
                let column = match indent {
                    Some(indent) if valued && !self.fresh => indent,
                    Some(indent) => indent + INDENT,
                    None => 0,
                };
                for item in items {
                    self.line(column);
                    self.indicator("-");
                    self.node(item, Some(column), false);
                }
            }
            Value::Object(map) => {
                let column = indent.map_or(0, |indent| indent + INDENT);
                for (key, value) in
                    order::sort(map.iter().map(|(key, value)| (key.as_str(), value)).collect())
                {
                    self.line(column);
                    self.key(key, column);
                    self.node(value, Some(column), true);
                }
            }
        }
    }

    /// Writes a key with its `:`; a long one, or one of several lines, after `? `.
    fn key(&mut self, key: &str, indent: usize) {
        if style::is_simple_key(key) {
            self.string(key, Some(indent), None);
            self.put(":");
            (self.spaced, self.fresh) = (false, false);
        } else {
            self.indicator("?");
            self.string(key, Some(indent), Some(style::of_value(key)));
            self.line(indent);
            self.indicator(":");
        }
    }

    /// Writes a string in a style, folding it; without a style as a key in one line.
    fn string(&mut self, text: &str, indent: Option<usize>, style: Option<Style>) {
        let indent = indent.map_or(INDENT, |indent| indent + INDENT);
        let folds = style.is_some();
        match style.unwrap_or_else(|| style::of_key(text)) {
            Style::Plain => self.plain(text, indent, folds),
            Style::Single => self.single(text, indent, folds),
            Style::Double => self.double(text, indent, folds),
            Style::Literal => self.literal(text, indent),
        }
    }

    fn plain(&mut self, text: &str, indent: usize, folds: bool) {
        self.space();
        let mut after_space = false;
        let mut characters = text.chars().peekable();
        while let Some(c) = characters.next() {
            let next_space = characters.peek() == Some(&' ');
            if c == ' ' && folds && !after_space && self.column > WIDTH && !next_space {
                self.line(indent);
            } else {
                self.character(c);
            }
            after_space = c == ' ';
            self.fresh = false;
        }
        (self.spaced, self.fresh) = (false, false);
    }

    fn single(&mut self, text: &str, indent: usize, folds: bool) {
        self.space();
        self.put("'");
        (self.spaced, self.fresh) = (false, false);
        let (mut after_space, mut after_break) = (false, false);
        let mut characters = text.chars().enumerate().peekable();
        while let Some((i, c)) = characters.next() {
            let next = characters.peek().map(|(_, c)| *c);
            if c == ' ' {
                let within = i > 0 && next.is_some_and(|next| next != ' ');
                if folds && !after_space && self.column > WIDTH && within {
                    self.line(indent);
                } else {
                    self.character(c);
                }
                after_space = true;
            } else if is_break(c) {
                if !after_break && c == '\n' {
                    self.character('\n');
                }
                self.character(c);
                self.fresh = true;
                after_break = true;
            } else {
                if after_break {
                    self.line(indent);
                }
                if c == '\'' {
                    self.character(c);
                }
                self.character(c);
                (after_space, after_break, self.fresh) = (false, false, false);
            }
        }
        self.put("'");
        (self.spaced, self.fresh) = (false, false);
    }

    fn double(&mut self, text: &str, indent: usize, folds: bool) {
        self.space();
        self.put("\"");
        (self.spaced, self.fresh) = (false, false);
        // go-yaml looks for the byte order mark at the start of the string only, but at every character.
        let mark = text.starts_with('\u{feff}');
        let mut after_space = false;
        let mut characters = text.chars().enumerate().peekable();
        while let Some((i, c)) = characters.next() {
            let next = characters.peek().map(|(_, c)| *c);
            if mark || !is_printable(c) || is_break(c) || matches!(c, '"' | '\\') {
                self.put(&escape(c));
                after_space = false;
            } else if c == ' ' {
                if folds && !after_space && self.column > WIDTH && i > 0 && next.is_some() {
                    self.line(indent);
                    if next == Some(' ') {
                        self.put("\\");
                    }
                } else {
                    self.character(c);
                }
                after_space = true;
            } else {
                self.character(c);
                after_space = false;
            }
        }
        self.put("\"");
        (self.spaced, self.fresh) = (false, false);
    }

    fn literal(&mut self, text: &str, indent: usize) {
        self.space();
        self.put("|");
        if text.starts_with(' ') || text.starts_with(is_break) {
            self.put(&INDENT.to_string());
        }
        let mut last = text.chars().rev();
        match (last.next().is_some_and(is_break), last.next()) {
            (false, _) => self.put("-"),
            (true, None) => self.put("+"),
            (true, Some(c)) if is_break(c) => self.put("+"),
            (true, Some(_)) => {}
        }
        self.character('\n');
        (self.spaced, self.fresh) = (true, true);
        let mut after_break = true;
        for c in text.chars() {
            if is_break(c) {
                self.fresh = true;
            } else {
                if after_break {
                    self.line(indent);
                }
                self.fresh = false;
            }
            self.character(c);
            after_break = is_break(c);
        }
    }

    /// Begins a line at column `indent`, unless the present one has come no further than there.
    fn line(&mut self, indent: usize) {
        if !self.fresh || self.column > indent || (self.column == indent && !self.spaced) {
            self.character('\n');
        }
        while self.column < indent {
            self.character(' ');
        }
        (self.spaced, self.fresh) = (true, true);
    }

    /// `-`, `?` or `:` before a node that may go on in this line.
    fn indicator(&mut self, indicator: &str) {
        self.space();
        self.put(indicator);
        self.spaced = false;
    }

    /// A word that is written as it is.
    fn word(&mut self, word: &str) {
        self.space();
        self.put(word);
        (self.spaced, self.fresh) = (false, false);
    }

    fn space(&mut self) {
        if !self.spaced {
            self.character(' ');
        }
    }

    fn put(&mut self, text: &str) {
        text.chars().for_each(|c| self.character(c));
    }

    fn character(&mut self, c: char) {
        self.out.push(c);
        self.column = if is_break(c) { 0 } else { self.column + 1 };
    }
}

/// A number after a pass through Go's JSON.
fn number_text(number: &serde_json::Number) -> String {
    match number.as_f64().filter(|_| number.is_f64()).and_then(|f| Some((f, number::through_json(f)?))) {
        Some((_, super::Value::Int(int))) => int.to_string(),
        Some((_, super::Value::UInt(uint))) => uint.to_string(),
        Some((float, _)) => number::shortest(float),
        None => number.to_string(),
    }
}

/// A character within double quotes.
fn escape(c: char) -> String {
    let short = match c {
        '\0' => '0',
        '\u{7}' => 'a',
        '\u{8}' => 'b',
        '\t' => 't',
        '\n' => 'n',
        '\u{b}' => 'v',
        '\u{c}' => 'f',
        '\r' => 'r',
        '\u{1b}' => 'e',
        '"' => '"',
        '\\' => '\\',
        '\u{85}' => 'N',
        '\u{a0}' => '_',
        '\u{2028}' => 'L',
        '\u{2029}' => 'P',
        _ => {
            return match u32::from(c) {
                code @ ..=0xff => format!("\\x{code:02X}"),
                code @ ..=0xffff => format!("\\u{code:04X}"),
                code => format!("\\U{code:08X}"),
            };
        }
    };
    format!("\\{short}")
}
