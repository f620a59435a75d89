//! The vocabulary of Kubernetes objects that all stages share: who an object is ([`ObjectRef`]), what was
//! rendered ([`Manifest`]), where in an object ([`FieldPath`]), what a server serves ([`Discovery`]), and questions about
//! an object ([`Expression`]).
//!
//! Plain data only: nothing here talks to a server or knows what a component is for.

pub mod builtin;
mod discovery;
mod expression;
mod field_path;
mod manifest;
mod reference;

pub use discovery::{ApiResource, Discovery, KubernetesVersion, Scope};
pub use expression::{Expression, Unanswered};
pub use field_path::{FieldPath, Scalar, Segment};
pub use manifest::{Hole, Manifest, Origin, Piece};
pub use reference::{GroupKind, GroupVersionKind, ObjectRef};
