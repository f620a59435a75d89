//! Finds and opens charts.

mod model;

pub use model::{Chart, Subchart};
