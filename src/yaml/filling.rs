//! Filling a map: keys set twice, and merges.
//!
//! The rules are go-yaml v2's; where they surprise, [`Duplicates::Error`] refuses.

use std::collections::HashSet;

use super::node::{Entry, Mapping, Node, Value};
use super::read::Duplicates;
use crate::diagnostic::{Diagnostic, Span};

/// A map being read.
pub(super) struct Filling {
    mapping: Mapping,
    /// The keys whose present entry came through a merge.
    merged: HashSet<String>,
    /// Where `<<` stood.
    merge: Option<Span>,
    duplicates: Duplicates,
    warnings: Vec<Diagnostic>,
}

impl Filling {
    pub(super) fn new(duplicates: Duplicates) -> Self {
        Self {
            mapping: Mapping::new(),
            merged: HashSet::new(),
            merge: None,
            duplicates,
            warnings: Vec::new(),
        }
    }

    /// The finished map; what there is to warn about goes to `warnings`.
    pub(super) fn finish(self, warnings: &mut Vec<Diagnostic>) -> Mapping {
        warnings.extend(self.warnings);
        self.mapping
    }

    /// Sets a written key. It wins over what a merge brought; a second one of its name is a duplicate.
    pub(super) fn set(&mut self, entry: Entry) -> Result<(), Box<Diagnostic>> {
        if !self.merged.remove(&entry.key)
            && let Some(first) = self.mapping.entry(&entry.key)
        {
            let second = entry.key_span;
            self.duplicate(&entry.key, first.key_span, second, "the last one counts", "remove one of them")?;
        }
        self.mapping.insert(entry);
        Ok(())
    }

    /// Merges a map, or a list of maps (if `listed`) of which the first ones win. A merge wins over keys written
    /// before it, which YAML's own description would have the other way.
    pub(super) fn merge(&mut self, at: Span, value: Node, listed: bool) -> Result<(), Box<Diagnostic>> {
        if let Some(first) = self.merge.replace(at) {
            self.duplicate("<<", first, at, "the last one wins", "merge a list: `<<: [*a, *b]`")?;
        }
        let maps = match value.value {
            Value::Mapping(mapping) => vec![mapping],
            Value::Sequence(items) if listed => {
                let maps = items.into_iter().rev().map(|item| match item.value {
                    Value::Mapping(mapping) => Ok(mapping),
                    _ => Err(not_a_map(item.span)),
                });
                maps.collect::<Result<_, _>>()?
            }
            _ => return Err(not_a_map(value.span).into()),
        };
        for entry in maps.into_iter().flatten() {
            if let Some(written) = self.mapping.entry(&entry.key)
                && !self.merged.contains(&entry.key)
            {
                let written = written.key_span;
                self.duplicate(
                    &entry.key,
                    written,
                    at,
                    "the merge wins",
                    "write `<<` before the keys that override it",
                )?;
            }
            self.merged.insert(entry.key.clone());
            self.mapping.insert(entry);
        }
        Ok(())
    }

    fn duplicate(
        &mut self,
        key: &str,
        first: Span,
        second: Span,
        outcome: &str,
        help: &str,
    ) -> Result<(), Box<Diagnostic>> {
        let place = |diagnostic: Diagnostic| {
            diagnostic.at(second, "set again here").also(first, "first set here").help(help)
        };
        let message = format!("`{key}` is set twice in one map");
        match self.duplicates {
            Duplicates::Error => Err(place(Diagnostic::error("duplicate-key", message)).into()),
            Duplicates::LastWins => {
                self.warnings
                    .push(place(Diagnostic::warning("duplicate-key", format!("{message}: {outcome}"))));
                Ok(())
            }
        }
    }
}

fn not_a_map(span: Span) -> Diagnostic {
    Diagnostic::error("yaml-merge", "`<<` merges a map or a list of maps, and this is none").at(span, "")
}
