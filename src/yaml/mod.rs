//! YAML as kubectl and Helm read it, with a span on every node.
//!
//! [`read()`] turns libyaml's events into [`Node`]s and resolves plain scalars by go-yaml v2's rules (YAML 1.1:
//! `yes` is a boolean, `0644` is 420, `<<` merges). [`write()`] prints JSON values as go-yaml does.
//! One reader serves landscapes, charts and manifests, so that a number is the same number everywhere.
//! Nothing here knows what a document means.

mod event;
mod filling;
mod node;
mod number;
mod order;
mod place;
mod read;
mod resolve;
mod style;
mod syntax;
mod timestamp;
mod write;

#[cfg(test)]
mod tests;

pub use node::{Entry, Mapping, Node, Tag, Value};
pub use read::{
    Document, Duplicates, MAX_BYTES, MAX_DEPTH, MAX_EXPANDED_BYTES, MAX_NODES, MAX_TAG_DIRECTIVES, read,
};
pub use write::write;
