//! libyaml's events as safe values with byte ranges.
//!
//! The only file of the crate with `unsafe` in it, because `libyaml-rs` is libyaml translated from C and keeps C's
//! interface. It owns the parser and every event, frees both, and lets nothing but owned Rust values out. It knows
//! neither scalars' meaning nor diagnostics.
#![allow(unsafe_code, reason = "libyaml-rs offers C's interface only")]

use std::ffi::CStr;
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ops::Range;

use libyaml_rs as sys;

/// One event and the bytes of the text that it covers. Of a node that includes its anchor and tag.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) kind: EventKind,
    pub(super) range: Range<usize>,
}

/// What the parser saw. Anchors and aliases are names without `&` and `*`; tags are written out
/// (`tag:yaml.org,2002:str`, `!local`).
#[derive(Debug)]
pub(super) enum EventKind {
    StreamStart,
    StreamEnd,
    DocumentStart,
    DocumentEnd,
    Alias(String),
    Scalar(Scalar),
    SequenceStart(Collection),
    SequenceEnd,
    MappingStart(Collection),
    MappingEnd,
}

#[derive(Debug)]
pub(super) struct Scalar {
    pub(super) anchor: Option<String>,
    pub(super) tag: Option<String>,
    /// The text, unquoted and unfolded.
    pub(super) text: String,
    /// Written without quotes and without a tag, so that its text decides what it is.
    pub(super) implicit: bool,
    /// Written as a block (`|` or `>`).
    pub(super) block: bool,
}

#[derive(Debug)]
pub(super) struct Collection {
    pub(super) anchor: Option<String>,
    pub(super) tag: Option<String>,
    /// Written in brackets.
    pub(super) flow: bool,
}

/// Why the text is not YAML, in libyaml's words.
#[derive(Debug)]
pub(super) struct SyntaxError {
    pub(super) problem: String,
    /// The byte where it was noticed.
    pub(super) at: usize,
    /// What was being read ("while parsing a block mapping") and the byte where that began.
    pub(super) context: Option<(String, usize)>,
}

/// Reads events from one text.
pub(super) struct Events<'t> {
    parser: *mut sys::yaml_parser_t,
    /// libyaml skips a byte order mark without counting it.
    base: usize,
    text: PhantomData<&'t str>,
}

impl<'t> Events<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        let parser = Box::into_raw(Box::new(MaybeUninit::<sys::yaml_parser_t>::uninit())).cast();
        // SAFETY: `parser` points to memory of the right size and alignment, which `initialize` fills without reading
        // it. The heap keeps it in place until `drop`, as `set_input_string` needs (it stores a pointer to the parser
        // in the parser). `text` outlives `self` by its lifetime. `initialize` fails only when memory is exhausted,
        // and then the allocator aborts before it returns.
        unsafe {
            let initialized = sys::yaml_parser_initialize(parser);
            debug_assert!(initialized.ok);
            sys::yaml_parser_set_input_string(parser, text.as_ptr(), text.len() as u64);
        }
        Self { parser, base: if text.starts_with('\u{feff}') { 3 } else { 0 }, text: PhantomData }
    }

    /// The next event. After [`EventKind::StreamEnd`] or an error it must not be asked again for anything useful: it
    /// says `StreamEnd`.
    pub(super) fn next(&mut self) -> Result<Event, SyntaxError> {
        let mut event = MaybeUninit::<sys::yaml_event_t>::uninit();
        // SAFETY: the parser is initialized (see `new`); `parse` clears the event before anything else, so it is
        // initialized whatever the outcome. The event is deleted once, after everything was copied out of it.
        unsafe {
            if sys::yaml_parser_parse(self.parser, event.as_mut_ptr()).fail {
                return Err(self.error());
            }
            let mut event = event.assume_init();
            let range = self.offset(event.start_mark.index)..self.offset(event.end_mark.index);
            let kind = kind(&event);
            sys::yaml_event_delete(&raw mut event);
            match kind {
                Ok(kind) => Ok(Event { kind, range }),
                Err(std::str::Utf8Error { .. }) => Err(SyntaxError {
                    problem: "text is not UTF-8".to_owned(),
                    at: range.start,
                    context: None,
                }),
            }
        }
    }

    fn offset(&self, index: u64) -> usize {
        usize::try_from(index).unwrap_or(usize::MAX).saturating_add(self.base)
    }

    fn error(&self) -> SyntaxError {
        // SAFETY: the parser is initialized; its problem and context are null or string constants of libyaml.
        unsafe {
            let parser = &*self.parser;
            let problem =
                string(parser.problem.cast()).ok().flatten().unwrap_or_else(|| "cannot be read".to_owned());
            let context = string(parser.context.cast()).ok().flatten();
            let at = match parser.error {
                sys::YAML_READER_ERROR => usize::try_from(parser.problem_offset).unwrap_or(usize::MAX),
                _ => self.offset(parser.problem_mark.index),
            };
            SyntaxError { problem, at, context: context.map(|c| (c, self.offset(parser.context_mark.index))) }
        }
    }
}

impl Drop for Events<'_> {
    fn drop(&mut self) {
        // SAFETY: `new` made the pointer from this very kind of box, and nothing else frees it. `delete` frees what
        // the parser owns; the box, whose content needs no drop, frees the parser itself.
        unsafe {
            sys::yaml_parser_delete(self.parser);
            drop(Box::from_raw(self.parser.cast::<MaybeUninit<sys::yaml_parser_t>>()));
        }
    }
}

/// Copies an event's content.
///
/// # Safety
/// `event` was filled by `yaml_parser_parse` and not deleted.
unsafe fn kind(event: &sys::yaml_event_t) -> Result<EventKind, std::str::Utf8Error> {
    // SAFETY: `type_` says which member of the union is filled; its strings are null or end with a zero byte, and a
    // scalar's value has `length` bytes.
    unsafe {
        Ok(match event.type_ {
            sys::YAML_STREAM_START_EVENT => EventKind::StreamStart,
            sys::YAML_DOCUMENT_START_EVENT => EventKind::DocumentStart,
            sys::YAML_DOCUMENT_END_EVENT => EventKind::DocumentEnd,
            sys::YAML_ALIAS_EVENT => EventKind::Alias(string(event.data.alias.anchor)?.unwrap_or_default()),
            sys::YAML_SCALAR_EVENT => {
                let scalar = event.data.scalar;
                let length = usize::try_from(scalar.length).unwrap_or(0);
                let text = std::slice::from_raw_parts(scalar.value.cast_const(), length);
                EventKind::Scalar(Scalar {
                    anchor: string(scalar.anchor)?,
                    tag: string(scalar.tag)?,
                    text: std::str::from_utf8(text)?.to_owned(),
                    implicit: scalar.plain_implicit,
                    block: matches!(
                        scalar.style,
                        sys::YAML_LITERAL_SCALAR_STYLE | sys::YAML_FOLDED_SCALAR_STYLE
                    ),
                })
            }
            sys::YAML_SEQUENCE_START_EVENT => {
                let start = event.data.sequence_start;
                EventKind::SequenceStart(Collection {
                    anchor: string(start.anchor)?,
                    tag: string(start.tag)?,
                    flow: start.style == sys::YAML_FLOW_SEQUENCE_STYLE,
                })
            }
            sys::YAML_MAPPING_START_EVENT => {
                let start = event.data.mapping_start;
                EventKind::MappingStart(Collection {
                    anchor: string(start.anchor)?,
                    tag: string(start.tag)?,
                    flow: start.style == sys::YAML_FLOW_MAPPING_STYLE,
                })
            }
            sys::YAML_SEQUENCE_END_EVENT => EventKind::SequenceEnd,
            sys::YAML_MAPPING_END_EVENT => EventKind::MappingEnd,
            _ => EventKind::StreamEnd,
        })
    }
}

/// Copies a C string.
///
/// # Safety
/// `pointer` is null or points to bytes that end with a zero.
unsafe fn string(pointer: *const u8) -> Result<Option<String>, std::str::Utf8Error> {
    if pointer.is_null() {
        return Ok(None);
    }
    // SAFETY: the caller's promise.
    let string = unsafe { CStr::from_ptr(pointer.cast()) };
    Ok(Some(string.to_str()?.to_owned()))
}
