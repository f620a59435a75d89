//! Two proofs that a dry run would change nothing, so that it need not be asked.
//!
//! [`structure`] reads our entry in managedFields and every value; [`memory`] compares digests taken when the server
//! last said so. Both are strict: what they do not prove goes to the server's dry run, which stays the truth.
//! Why so strict is in docs/decisions/proofs.md.

mod defaults;
pub(super) mod fields_v1;
pub(super) mod memory;
pub(super) mod quantity;
pub(super) mod structure;
