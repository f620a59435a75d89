//! Problems with a place, as plain data.
//!
//! Every stage returns its value together with the [`Diagnostic`]s that it found, so that a user sees all
//! problems at once. Nothing here knows colours or terminals; `report` draws.
//!
//! A [`Span`] is a file id and a byte range. [`Files`] resolves ids to names and texts; it is filled by
//! `source`, `chart` and `render`, possibly from several threads, and only ever grows during a run.

use std::ops::Range;
use std::sync::{Arc, RwLock};

/// One file in [`Files`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(u32);

/// A byte range of one file. Plain data; 12 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// First byte.
    pub start: u32,
    /// One past the last byte; equal to `start` for a point.
    pub end: u32,
}

impl Span {
    /// A span over `range` of `file`. Offsets beyond 4 GiB are clamped: such files are refused earlier.
    pub fn new(file: FileId, range: Range<usize>) -> Self {
        let clamp = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Self { file, start: clamp(range.start), end: clamp(range.end) }
    }

    /// The byte range within the file.
    pub fn range(&self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// How serious a [`Diagnostic`] is. Only an [`Severity::Error`] stops a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// The run cannot go on with this.
    Error,
    /// Probably a mistake; the run goes on.
    Warning,
    /// For information.
    Note,
}

/// A place with what is to be said about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// What is said there; may be empty.
    pub message: String,
    /// The place of the problem itself, as opposed to a place that explains it.
    pub primary: bool,
}

/// One problem: a stable code, a message, places, hints. Build with [`Diagnostic::error`] and friends.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Diagnostic {
    /// How serious it is.
    pub severity: Severity,
    /// A stable kebab-case code, documented in docs/errors.md, e.g. `unknown-field`.
    pub code: &'static str,
    /// One sentence without a full stop; names in backticks.
    pub message: String,
    /// Places, the primary ones first.
    pub labels: Vec<Label>,
    /// What to do, one sentence each.
    pub help: Vec<String>,
}

impl Diagnostic {
    fn new(severity: Severity, code: &'static str, message: impl Into<String>) -> Self {
        Self { severity, code, message: message.into(), labels: Vec::new(), help: Vec::new() }
    }

    /// A problem that stops the run.
    pub fn error(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, code, message)
    }

    /// A problem that does not stop the run.
    pub fn warning(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, code, message)
    }

    /// Something worth knowing.
    pub fn note(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Severity::Note, code, message)
    }

    /// Marks the place of the problem, with a text beside the marker (may be empty).
    pub fn at(mut self, span: Span, message: impl Into<String>) -> Self {
        self.labels.push(Label { span, message: message.into(), primary: true });
        self
    }

    /// Marks the place of the problem, if it is known.
    pub fn at_opt(self, span: Option<Span>, message: impl Into<String>) -> Self {
        match span {
            Some(span) => self.at(span, message),
            None => self,
        }
    }

    /// Marks a place that explains the problem.
    pub fn also(mut self, span: Span, message: impl Into<String>) -> Self {
        self.labels.push(Label { span, message: message.into(), primary: false });
        self
    }

    /// Adds a hint: what to do.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    /// Whether this stops the run.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// Whether any of `diagnostics` stops the run.
pub fn has_errors(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().any(Diagnostic::is_error)
}

/// A file that spans may point to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// As shown to the user: a path relative to the landscape, or `<rendered> …` for rendered text.
    pub name: String,
    /// Its whole text.
    pub text: Arc<str>,
    /// Lines are cited by number, never shown (secret files, rendered Secrets).
    pub sensitive: bool,
}

/// 1-based line and column (in characters) of a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// 1-based.
    pub line: usize,
    /// 1-based, counted in characters.
    pub column: usize,
}

/// All files of a run, by id. Grows only; shared between threads.
#[derive(Debug, Default)]
pub struct Files {
    files: RwLock<Vec<Arc<File>>>,
}

/// A registry of its own with the same files so far: a loop that renders again and again would fill one without
/// end. Texts are shared.
impl Clone for Files {
    fn clone(&self) -> Self {
        let files = self.files.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        Self { files: RwLock::new(files) }
    }
}

impl Files {
    /// An empty registry.
    pub fn new() -> Self {
        Self::default()
    }

    /// Registers a file and returns its id.
    pub fn add(&self, name: impl Into<String>, text: impl Into<Arc<str>>, sensitive: bool) -> FileId {
        let file = Arc::new(File { name: name.into(), text: text.into(), sensitive });
        let mut files = self.files.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        files.push(file);
        FileId(u32::try_from(files.len() - 1).unwrap_or(u32::MAX))
    }

    /// The file behind an id of this registry.
    ///
    /// # Panics
    /// If `id` comes from another registry, which is a bug of the caller.
    pub fn get(&self, id: FileId) -> Arc<File> {
        Arc::clone(&self.files.read().unwrap_or_else(std::sync::PoisonError::into_inner)[id.0 as usize])
    }

    /// Line and column of the start of `span`.
    pub fn position(&self, span: Span) -> Position {
        let file = self.get(span.file);
        let mut start = (span.start as usize).min(file.text.len());
        while !file.text.is_char_boundary(start) {
            start -= 1;
        }
        let before = &file.text[..start];
        let line_start = before.rfind('\n').map_or(0, |i| i + 1);
        Position {
            line: before.bytes().filter(|b| *b == b'\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }

    /// `file:line:column` of the start of `span`, as shown to users.
    pub fn place(&self, span: Span) -> String {
        let Position { line, column } = self.position(span);
        format!("{}:{line}:{column}", self.get(span.file).name)
    }

    /// Sorts by file name, then place, then severity, so that output does not depend on thread timing.
    pub fn sort(&self, diagnostics: &mut [Diagnostic]) {
        diagnostics.sort_by_cached_key(|d| {
            let place = d.labels.first().map(|l| (self.get(l.span.file).name.clone(), l.span.start));
            (place, d.severity, d.code, d.message.clone())
        });
    }
}

/// The candidate nearest to `word` when near enough to be a likely typo ("did you mean `x`?").
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|c| (strsim::damerau_levenshtein(&word.to_lowercase(), &c.to_lowercase()), c))
        .filter(|(distance, c)| *distance <= (c.len().max(word.len()) / 3).max(1))
        .min()
        .map(|(_, c)| c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn position_counts_lines_and_characters() {
        let files = Files::new();
        let id = files.add("a.yaml", "æ: 1\nbb: 2\n", false);
        assert_eq!(files.place(Span::new(id, 3..4)), "a.yaml:1:3");
        assert_eq!(files.place(Span::new(id, 6..8)), "a.yaml:2:1");
        assert_eq!(files.place(Span::new(id, 99..99)), "a.yaml:3:1");
    }

    #[test]
    fn nearest_finds_typos_only() {
        assert_eq!(nearest("grafna", ["grafana", "kibana"]), Some("grafana"));
        assert_eq!(nearest("nameSpace", ["namespace"]), Some("namespace"));
        assert_eq!(nearest("xyz", ["grafana", "kibana"]), None);
    }
}
