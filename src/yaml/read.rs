//! Events to nodes: documents, aliases, merges, keys, budgets.
//!
//! One pass. An alias copies what its anchor named, so that every node is a plain tree; copies are charged to a
//! budget, and a file that would grow beyond it is refused. The rules are those of go-yaml v2 and sigs.k8s.io/yaml.

use std::collections::HashMap;
use std::ops::Range;

use base64::Engine as _;

use super::event::{Collection, Event, EventKind, Events, Scalar, SyntaxError};
use super::filling::Filling;
use super::node::{Entry, Node, Tag, Value};
use super::place;
use super::resolve::{Resolved, Standard, resolve, resolve_tagged};
use super::style::is_break;
use super::{number, syntax};
use crate::diagnostic::{Diagnostic, FileId, Files, Span};

/// The largest text that is read, in bytes.
pub const MAX_BYTES: usize = 8 << 20;
/// How deep collections may be nested, aliases expanded.
pub const MAX_DEPTH: usize = 100;
/// How many nodes one file may have, aliases expanded.
pub const MAX_NODES: usize = 1_000_000;
/// How many bytes the scalars of one file may have, aliases expanded.
pub const MAX_EXPANDED_BYTES: usize = 64 << 20;

/// How many `%TAG` lines one file may have. libyaml compares each with all others.
pub const MAX_TAG_DIRECTIVES: usize = 100;

/// What to do about a key that is set twice in one map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Duplicates {
    /// Refuse the file.
    Error,
    /// As kubectl and Helm do: the last one counts. [`Document::warnings`] tells.
    LastWins,
}

/// One document of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// From `---`, or the first byte of the content, to the last byte of the content.
    pub span: Span,
    /// The content; `None` when there is nothing but comments. A written `null` is a node.
    pub root: Option<Node>,
    /// Keys set twice, under [`Duplicates::LastWins`].
    pub warnings: Vec<Diagnostic>,
}

/// Reads all documents of a registered file; a file of comments has none.
///
/// Stricter than Go in one thing: Go reads the first document and is silent about whatever follows it, even when that
/// is a line of the same document with a wrong indentation. Here all of the text has to be YAML.
///
/// # Errors
/// The first problem that makes the file unreadable: `yaml-syntax`, `yaml-anchor`, `yaml-merge`, `yaml-key`,
/// `yaml-value`, `yaml-limit`, and `duplicate-key` under [`Duplicates::Error`].
pub fn read(files: &Files, file: FileId, duplicates: Duplicates) -> Result<Vec<Document>, Diagnostic> {
    let text = files.get(file).text.clone();
    if text.len() > MAX_BYTES {
        return Err(Diagnostic::error(
            "yaml-limit",
            format!("the file is larger than {} MiB", MAX_BYTES >> 20),
        )
        .at(Span::new(file, 0..0), ""));
    }
    let directives = tag_directives(&text);
    if directives > MAX_TAG_DIRECTIVES {
        let message = format!("the file has {directives} `%TAG` lines; {MAX_TAG_DIRECTIVES} are the limit");
        return Err(Diagnostic::error("yaml-limit", message).at(Span::new(file, 0..0), ""));
    }
    let reader = Reader {
        events: Events::new(&text),
        text: &text,
        file,
        duplicates,
        anchors: HashMap::new(),
        opened: 0,
        nodes: 0,
        bytes: 0,
        warnings: Vec::new(),
    };
    reader.documents()
}

/// The diagnostic is boxed inside this module: a node is built per call, an error once.
type Result<T, E = Box<Diagnostic>> = std::result::Result<T, E>;

struct Reader<'t> {
    events: Events<'t>,
    text: &'t str,
    file: FileId,
    duplicates: Duplicates,
    anchors: HashMap<String, Anchor>,
    /// How many anchors were opened; the number tells an anchor from a later one of its name.
    opened: usize,
    nodes: usize,
    bytes: usize,
    warnings: Vec<Diagnostic>,
}

/// What an anchor names. In Go a name counts from its first byte on, and the latest of a name is meant.
enum Anchor {
    Open(usize),
    Done(Anchored),
}

/// A finished anchored node with what a copy of it costs.
struct Anchored {
    built: Built,
    nodes: usize,
    bytes: usize,
}

/// A finished node.
#[derive(Clone)]
struct Built {
    node: Node,
    /// Levels of collections within; 0 for a scalar.
    height: usize,
    /// Where it ends in the text; the node of an alias ends elsewhere.
    end: usize,
    /// The float that was written, though as a value it may have become an integer. Keys are named by it.
    float: Option<f64>,
}

/// A finished collection.
struct Content {
    value: Value,
    height: usize,
    /// Where its last item ends.
    last_end: usize,
    /// Where libyaml says that it ends: the closing bracket, or, of a block, whatever comes next.
    closed: usize,
}

impl Reader<'_> {
    fn documents(mut self) -> std::result::Result<Vec<Document>, Diagnostic> {
        let mut documents = Vec::new();
        loop {
            let event = self.next().map_err(|d| *d)?;
            match event.kind {
                EventKind::StreamEnd => return Ok(documents),
                EventKind::DocumentStart => documents.push(self.document(&event.range).map_err(|d| *d)?),
                _ => {}
            }
        }
    }

    fn document(&mut self, start: &Range<usize>) -> Result<Document> {
        self.anchors.clear();
        let event = self.next()?;
        let empty = event.range.is_empty()
            && matches!(&event.kind, EventKind::Scalar(s) if s.text.is_empty() && s.implicit && s.anchor.is_none());
        let (root, end) = if empty {
            (None, start.end)
        } else {
            let built = self.node(event, 0)?;
            (Some(built.node), built.end)
        };
        self.next()?; // the end of the document
        let begin = if self.text[start.start..].starts_with("---") || root.is_none() {
            start.start
        } else {
            root.as_ref().map_or(start.start, |node| node.span.range().start)
        };
        let span = self.span(begin..end.max(begin));
        Ok(Document { span, root, warnings: std::mem::take(&mut self.warnings) })
    }

    fn next(&mut self) -> Result<Event> {
        self.events
            .next()
            .map_err(|error: SyntaxError| Box::new(syntax::diagnostic(self.file, self.text, &error)))
    }

    fn span(&self, range: Range<usize>) -> Span {
        Span::new(self.file, range)
    }

    /// The node that `event` begins, `depth` collections deep.
    fn node(&mut self, event: Event, depth: usize) -> Result<Built> {
        self.charge(&event.range, 1, 0)?;
        match event.kind {
            EventKind::Alias(name) => self.alias(&name, event.range, depth),
            EventKind::Scalar(scalar) => {
                let before = (self.nodes - 1, self.bytes);
                self.charge(&event.range, 0, scalar.text.len())?;
                let open = self.open(scalar.anchor.as_deref());
                let built = self.scalar(&scalar, &event.range)?;
                self.close(open, &built, before)?;
                Ok(built)
            }
            EventKind::SequenceStart(start) => self.collection(start, &event.range, depth, Self::sequence),
            EventKind::MappingStart(start) => self.collection(start, &event.range, depth, Self::mapping),
            // libyaml's grammar allows none of these where a node begins.
            EventKind::StreamStart
            | EventKind::StreamEnd
            | EventKind::DocumentStart
            | EventKind::DocumentEnd
            | EventKind::SequenceEnd
            | EventKind::MappingEnd => Err(Diagnostic::error("yaml-syntax", "a value is expected here")
                .at(self.span(event.range), "")
                .into()),
        }
    }

    fn collection(
        &mut self,
        start: Collection,
        range: &Range<usize>,
        depth: usize,
        content: fn(&mut Self, usize) -> Result<Content>,
    ) -> Result<Built> {
        if depth >= MAX_DEPTH {
            return Err(self.too_deep(range.clone()).into());
        }
        let before = (self.nodes - 1, self.bytes);
        let open = self.open(start.anchor.as_deref());
        let properties = place::properties(self.text, range.start, self.text.len());
        let content = content(self, depth + 1)?;
        let end = if start.flow { content.closed } else { content.last_end.max(properties.end) };
        let node = Node {
            span: self.span(properties.end..end),
            tag: self.local_tag(start.tag, properties.tag),
            value: content.value,
        };
        let built = Built { node, height: content.height + 1, end, float: None };
        self.close(open, &built, before)?;
        Ok(built)
    }

    fn sequence(&mut self, depth: usize) -> Result<Content> {
        let mut items = Vec::new();
        let (mut height, mut last_end) = (0, 0);
        loop {
            let event = self.next()?;
            if matches!(event.kind, EventKind::SequenceEnd) {
                return Ok(Content {
                    value: Value::Sequence(items),
                    height,
                    last_end,
                    closed: event.range.end,
                });
            }
            let item = self.node(event, depth)?;
            height = height.max(item.height);
            last_end = item.end;
            items.push(item.node);
        }
    }

    fn mapping(&mut self, depth: usize) -> Result<Content> {
        let mut filling = Filling::new(self.duplicates);
        let (mut height, mut last_end) = (0, 0);
        loop {
            let event = self.next()?;
            if matches!(event.kind, EventKind::MappingEnd) {
                let value = Value::Mapping(filling.finish(&mut self.warnings));
                return Ok(Content { value, height, last_end, closed: event.range.end });
            }
            let merge = is_merge(&event.kind);
            let key_range = event.range.clone();
            let key = self.key(event, depth)?;
            let event = self.next()?;
            // Of lists, only one that is written right there is merged.
            let sequence = matches!(event.kind, EventKind::SequenceStart(_));
            let value = self.node(event, depth)?;
            height = height.max(value.height);
            last_end = value.end;
            if merge {
                filling.merge(self.span(key_range), value.node, sequence)?;
            } else {
                filling.set(Entry { key: key.0, key_span: key.1, value: value.node })?;
            }
        }
    }

    /// The text and place of a key. Keys that are no strings are named as sigs.k8s.io/yaml names them.
    fn key(&mut self, event: Event, depth: usize) -> Result<(String, Span)> {
        let alias = matches!(event.kind, EventKind::Alias(_)).then(|| self.span(event.range.clone()));
        let built = self.node(event, depth)?;
        let span = alias.unwrap_or(built.node.span);
        if let Some(float) = built.float {
            return Ok((number::shortest_32(float), span));
        }
        let refused = match built.node.value {
            Value::String(string) => return Ok((string, span)),
            Value::Bool(bool) => return Ok((bool.to_string(), span)),
            Value::Int(int) => return Ok((int.to_string(), span)),
            // Of floats `built` tells.
            Value::UInt(_) | Value::Float(_) => "a number above 9223372036854775807",
            Value::Null => "null",
            Value::Sequence(_) => "a list",
            Value::Mapping(_) => "a map",
        };
        Err(Diagnostic::error("yaml-key", format!("a key cannot be {refused}"))
            .at(span, "")
            .help("quote the key if it is meant as text")
            .into())
    }

    fn scalar(&self, scalar: &Scalar, range: &Range<usize>) -> Result<Built> {
        let properties = place::properties(self.text, range.start, range.end);
        let end =
            if scalar.block { place::block_end(self.text, properties.end, range.end) } else { range.end };
        let span = self.span(properties.end..end);
        let refuse = |message: String| -> Box<Diagnostic> {
            Diagnostic::error("yaml-value", message).at(span, "").into()
        };
        let standard = scalar.tag.as_deref().and_then(Standard::of);
        let resolved = match standard {
            Some(tag) => resolve_tagged(tag, &scalar.text)
                .ok_or_else(|| refuse(format!("this is not a `{}`", tag.name())))?,
            // A lone `!` asks for a string; libyaml drops it and calls the scalar implicit.
            None if scalar.implicit && properties.tag.is_none() => resolve(&scalar.text),
            None => Resolved::String,
        };
        let value = match resolved {
            Resolved::Null => Value::Null,
            Resolved::Bool(bool) => Value::Bool(bool),
            Resolved::Int(int) => Value::Int(int),
            Resolved::UInt(uint) => Value::UInt(uint),
            Resolved::Float(float) => {
                number::through_json(float).ok_or_else(|| refuse("a number has to be finite".to_owned()))?
            }
            Resolved::String if standard == Some(Standard::Binary) => Value::String(
                binary(&scalar.text)
                    .ok_or_else(|| refuse("`!!binary` has to be text encoded as base64".to_owned()))?,
            ),
            Resolved::Timestamp | Resolved::String => Value::String(scalar.text.clone()),
        };
        let float = if let Resolved::Float(float) = resolved { Some(float) } else { None };
        let node = Node { span, tag: self.local_tag(scalar.tag.clone(), properties.tag), value };
        Ok(Built { node, height: 0, end, float })
    }

    /// The tag to keep: any but YAML's own.
    fn local_tag(&self, tag: Option<String>, range: Option<Range<usize>>) -> Option<Tag> {
        let name = tag.filter(|t| !t.starts_with("tag:yaml.org,2002:"))?;
        Some(Tag { name, span: self.span(range.unwrap_or_default()) })
    }

    fn alias(&mut self, name: &str, range: Range<usize>, depth: usize) -> Result<Built> {
        let at = self.span(range.clone());
        let (nodes, bytes) = match self.anchors.get(name) {
            None => {
                return Err(Diagnostic::error(
                    "yaml-anchor",
                    format!("no anchor `&{name}` stands before this alias"),
                )
                .at(at, "")
                .help(format!("quote the text if `*{name}` is no alias"))
                .into());
            }
            Some(Anchor::Open(_)) => {
                return Err(Diagnostic::error(
                    "yaml-anchor",
                    format!("the value of `&{name}` contains itself"),
                )
                .at(at, "")
                .into());
            }
            Some(Anchor::Done(anchored)) if depth + anchored.built.height > MAX_DEPTH => {
                return Err(self.too_deep(range).into());
            }
            Some(Anchor::Done(anchored)) => (anchored.nodes, anchored.bytes),
        };
        self.charge(&range, nodes, bytes)?;
        match self.anchors.get(name) {
            Some(Anchor::Done(anchored)) => Ok(Built { end: range.end, ..anchored.built.clone() }),
            _ => {
                Err(Diagnostic::error("yaml-anchor", format!("no anchor `&{name}` stands before this alias"))
                    .at(at, "")
                    .into())
            }
        }
    }

    /// Makes an anchor known; from here on its name means this node, and within the node it is an error.
    fn open(&mut self, anchor: Option<&str>) -> Option<(String, usize)> {
        let name = anchor?.to_owned();
        self.opened += 1;
        self.anchors.insert(name.clone(), Anchor::Open(self.opened));
        Some((name, self.opened))
    }

    /// Gives an anchor its node, unless its name was taken over within the node. The copy is charged for.
    fn close(&mut self, open: Option<(String, usize)>, built: &Built, before: (usize, usize)) -> Result<()> {
        let Some((name, number)) = open else { return Ok(()) };
        if !matches!(self.anchors.get(&name), Some(Anchor::Open(n)) if *n == number) {
            return Ok(());
        }
        let (nodes, bytes) = (self.nodes - before.0, self.bytes - before.1);
        self.charge(&built.node.span.range(), nodes, bytes)?;
        self.anchors.insert(name, Anchor::Done(Anchored { built: built.clone(), nodes, bytes }));
        Ok(())
    }

    fn charge(&mut self, range: &Range<usize>, nodes: usize, bytes: usize) -> Result<()> {
        self.nodes += nodes;
        self.bytes += bytes;
        if self.nodes > MAX_NODES || self.bytes > MAX_EXPANDED_BYTES {
            let message = format!(
                "the file has more than {MAX_NODES} values or {} MiB of text, aliases expanded",
                MAX_EXPANDED_BYTES >> 20
            );
            return Err(Diagnostic::error("yaml-limit", message)
                .at(self.span(range.clone()), "too much from here on")
                .into());
        }
        Ok(())
    }

    fn too_deep(&self, range: Range<usize>) -> Diagnostic {
        Diagnostic::error("yaml-limit", format!("lists and maps are nested more than {MAX_DEPTH} deep"))
            .at(self.span(range), "")
    }
}

/// How many lines may be `%TAG` directives.
fn tag_directives(text: &str) -> usize {
    let begins_line =
        |at: usize| text[..at].chars().next_back().is_none_or(|c| is_break(c) || c == '\u{feff}');
    text.match_indices("%TAG").filter(|(at, _)| begins_line(*at)).count()
}

/// go-yaml takes a plain `<<` for a merge, and a quoted one only with its tag.
fn is_merge(kind: &EventKind) -> bool {
    match kind {
        EventKind::Scalar(scalar) => {
            scalar.text == "<<"
                && (scalar.implicit || scalar.tag.as_deref() == Some("tag:yaml.org,2002:merge"))
        }
        _ => false,
    }
}

/// The text in `!!binary`. JSON has no bytes, so it has to be UTF-8.
fn binary(text: &str) -> Option<String> {
    let joined: String = text.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
    String::from_utf8(base64::engine::general_purpose::STANDARD.decode(joined).ok()?).ok()
}
