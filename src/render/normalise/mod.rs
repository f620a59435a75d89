//! Rendered objects into what server-side apply can take: rules N1 to N10 of the design (semantics.md §1.3).
//!
//! [`expand`] (N10) runs on the nodes of a document, [`place`] (N6) as soon as all definitions are known, and
//! [`normalise`] after patches. Every rule is a function over one object; what it cannot mend is a [`Fault`]
//! with the path of the field, which becomes a diagnostic at the rendered line. Objects stay JSON: they are
//! never read into typed structs, which would drop fields.

mod ca_bundle;
mod duplicates;
mod list;
mod namespace;
mod nulls;
mod numbers;
mod pods;
mod protocol;
mod secret_data;
mod server_fields;
mod strings;
#[cfg(test)]
mod tests;

pub(super) use list::expand;
pub(super) use namespace::place;

use super::document::Draft;
use super::trace::trace_span;
use crate::diagnostic::{Diagnostic, Files};
use crate::object::FieldPath;

/// Something in an object that cannot be sent.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fault {
    /// A documented code.
    pub code: &'static str,
    /// Which field.
    pub path: FieldPath,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

impl Fault {
    pub fn new(code: &'static str, path: FieldPath, message: impl Into<String>) -> Self {
        Self { code, path, message: message.into(), help: None }
    }

    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The fault at its line of the rendered text.
    pub fn diagnostic(self, draft: &Draft, files: &Files) -> Diagnostic {
        let span = trace_span(draft.span, &self.path, files);
        let mut diagnostic = Diagnostic::error(self.code, self.message).at(span, "");
        if draft.source != draft.span.file {
            diagnostic = diagnostic
                .also(crate::diagnostic::Span::new(draft.source, 0..0), "rendered from this template");
        }
        match self.help {
            Some(help) => diagnostic.help(help),
            None => diagnostic,
        }
    }
}

/// Rules N1 to N5 and N7 to N9, in this order. N9 (quantities stay as written) is the absence of a rule.
pub(super) fn normalise(draft: &mut Draft) -> Vec<Fault> {
    let mut faults = Vec::new();
    let object = &mut draft.object;
    server_fields::remove(object);
    faults.extend(strings::check(object));
    if faults.is_empty() {
        faults.extend(secret_data::encode(object, &mut draft.holes));
    }
    protocol::default(object);
    faults.extend(nulls::remove(object));
    faults.extend(duplicates::check(object));
    ca_bundle::drop_invalid(object);
    numbers::whole(object);
    faults
}
