//! `landskap` keeps the platform layer of many Kubernetes clusters equal to what a git repository says.
//!
//! The modules stand in the order in which data walks through them. A module imports only what stands
//! above it; `tests/architecture.rs` checks this.
//!
//! | module | what it turns into what | touches the world |
//! |---|---|---|
//! | [`diagnostic`] | problems with a place, as plain data | |
//! | [`yaml`] | text into nodes with spans, nodes into text | |
//! | [`object`] | the vocabulary: identity, manifest, field path, capabilities | |
//! | [`source`] | a directory or a git revision into a [`source::Tree`] | files, git |
//! | [`landscape`] | a tree into the components of every cluster | |
//! | [`chart`] | a chart reference into an opened chart | files |
//! | [`secret`] | lookup names into values that cannot be printed | environment, files |
//! | [`render`] | component and chart into manifests | |
//! | [`health`] | a live object into its health | |
//! | [`plan`] | desired and observed into a plan with no choices left | |
//! | [`cluster`] | requests into answers of one API server | API server |
//! | [`apply`] | a plan into writes, one attempt | through `cluster` |
//! | [`reconcile`] | one run against one cluster: the walk from tree to plan and back | through the others |
//! | [`watch`] | the same run in a loop | through the others |
//! | [`report`] | all of these into text and JSON | terminal |
//! | [`cli`] | arguments into one of these walks | everything |

pub mod diagnostic;
pub mod yaml;

pub mod object;

pub mod source;

pub mod landscape;

pub mod chart;

pub mod secret;

pub mod render;

pub mod health;

pub mod plan;

pub mod cluster;

pub mod apply;

pub mod reconcile;

pub mod watch;

pub mod report;

pub mod cli;
