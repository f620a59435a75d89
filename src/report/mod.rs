//! Plans, results and problems into text and JSON, and the one door to the terminal.
//!
//! Text is for people and may change; JSON has an `apiVersion` and a `kind` and is documented in
//! docs/output.md. Nothing here decides anything.

pub mod changes;
pub mod harmless;
pub mod outcome;
pub mod problems;
pub mod progress;
pub mod style;
mod terminal;

pub use terminal::{ColorChoice, Terminal, log_writer};

/// The version of every JSON document.
pub const API_VERSION: &str = "landskap.io/v1alpha1";

/// A JSON document of `kind`: the fields of `body` beside `apiVersion` and `kind`, indented, with a final newline.
pub fn document(kind: &str, body: &serde_json::Value) -> String {
    let mut fields = serde_json::Map::new();
    fields.insert("apiVersion".into(), API_VERSION.into());
    fields.insert("kind".into(), kind.into());
    if let serde_json::Value::Object(body) = body {
        fields.extend(body.clone());
    }
    format!("{:#}\n", serde_json::Value::Object(fields))
}
