//! Rendering as a whole: files of a landscape in, manifests and diagnostics out.

mod fixture;
mod manifests;
