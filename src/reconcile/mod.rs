//! One run against one cluster: the walk from files to manifests, and on to a plan and its execution.
//!
//! `cli` and `watch` walk here, so that a CI job, an operator and the controller do the same. Nothing here draws
//! or asks; what is to be said comes back as data.

mod error;
mod outline;
mod prepare;
mod run;
mod secrets;

pub use error::Error;
pub use outline::{Charts, Outline, open_charts, outline};
pub use prepare::{Prepared, Proof, Request, plan_with, prepare};
pub use run::{Ended, Run, run};

use crate::diagnostic::Files;
use crate::landscape::{Cluster, Landscape};
use crate::source::Tree;

/// What a walk goes through: one cluster of one landscape.
#[derive(Debug, Clone, Copy)]
pub struct Walk<'a> {
    /// The files.
    pub tree: &'a Tree,
    /// What they say.
    pub landscape: &'a Landscape,
    /// Which cluster.
    pub cluster: &'a Cluster,
    /// The charts of its components.
    pub charts: &'a Charts,
    /// Where spans point to.
    pub files: &'a Files,
}
