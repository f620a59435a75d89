//! Rendering as a whole: files of a landscape in, manifests and diagnostics out.

mod docs;
mod errors;
mod explain;
mod fixture;
mod manifests;
mod secrets;
