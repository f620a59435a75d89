//! Integration tests: one binary, one module per area. Those that need a cluster use a real API server
//! (`support::cluster`).
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "tests end by panicking")]
#![allow(clippy::disallowed_methods, reason = "tests set the scene: environment, clock, programs")]

mod apply;
mod architecture;
mod broken;
mod cli;
mod cluster;
mod crash;
mod guards;
mod killed;
mod landscapes;
mod leaks;
mod proof;
mod source;
mod source_http;
mod support;
mod watch;
