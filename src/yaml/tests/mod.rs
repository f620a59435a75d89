//! Tests of reading and writing as a whole. Expected values that Go decides were taken from sigs.k8s.io/yaml v1.6.0.
#![allow(clippy::panic, reason = "a test fails by it")]

mod nodes;
mod reading;
mod writing;

use super::{Document, Duplicates, Node, read};
use crate::diagnostic::{Diagnostic, Files};

/// Reads a text as its only file.
fn documents(text: &str, duplicates: Duplicates) -> Result<Vec<Document>, Diagnostic> {
    let files = Files::new();
    let file = files.add("test.yaml", text, false);
    read(&files, file, duplicates)
}

/// The content of the only document.
fn root(text: &str) -> Node {
    let mut documents = documents(text, Duplicates::Error).unwrap_or_else(|e| panic!("{text:?}: {e:?}"));
    assert_eq!(documents.len(), 1, "{text:?}");
    documents.remove(0).root.unwrap_or_else(|| panic!("{text:?} has no content"))
}

/// The code of the error that `text` is refused with.
fn code(text: &str) -> &'static str {
    match documents(text, Duplicates::Error) {
        Ok(_) => panic!("{:?} was read", &text.chars().take(200).collect::<String>()),
        Err(error) => error.code,
    }
}

/// The text at a node's span.
fn at<'t>(text: &'t str, node: &Node) -> &'t str {
    &text[node.span.range()]
}
