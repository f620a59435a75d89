//! The `manifests:` of a component: plain objects, and Tera templates among them.

use std::collections::BTreeMap;

use super::Chart;
use super::folder::Reader;
use crate::diagnostic::{Diagnostic, Files, Span};
use crate::source::Tree;
use crate::yaml::{Mapping, Node, Value};

/// Reads files, and all `.yaml`, `.yml`, `.json` and `.tera` files of folders.
pub(super) fn open(tree: &Tree, files: &Files, paths: &[(String, Span)]) -> Result<Chart, Vec<Diagnostic>> {
    let Some((_, span)) = paths.first() else {
        return Err(vec![Diagnostic::error("missing-manifests", "`manifests` names no file")]);
    };
    let mut chart = Chart {
        name: String::new(),
        version: String::new(),
        app_version: String::new(),
        values: Node::new(*span, Value::Mapping(Mapping::new())),
        schema: None,
        template_root: "",
        templates: BTreeMap::new(),
        manifests: BTreeMap::new(),
        crds: BTreeMap::new(),
        files: BTreeMap::new(),
        subcharts: Vec::new(),
        span: *span,
    };
    let mut diagnostics = Vec::new();
    for (path, span) in paths {
        let path = path.trim_start_matches("./").trim_end_matches('/');
        let mut reader = Reader { tree, files, asked: *span, diagnostics: Vec::new() };
        let names: Vec<String> = if tree.is_directory(path) {
            let in_folder = reader.walk(path).into_iter().filter(|name| is_manifest(name));
            in_folder.map(|name| if path.is_empty() { name } else { format!("{path}/{name}") }).collect()
        } else {
            tree.is_file(path).then(|| path.to_owned()).into_iter().collect()
        };
        if names.is_empty() && reader.diagnostics.is_empty() {
            reader.diagnostics.push(
                Diagnostic::error("missing-manifests", format!("there are no manifests at `{path}`"))
                    .at(*span, "")
                    .help("name a file, or a folder with `.yaml`, `.yml`, `.json` or `.tera` files"),
            );
        }
        for name in names {
            let set = if is_template(&name) { &mut chart.templates } else { &mut chart.manifests };
            if !set.contains_key(&name) {
                set.extend(reader.text(&name).map(|file| (name, file)));
            }
        }
        diagnostics.append(&mut reader.diagnostics);
    }
    if diagnostics.is_empty() { Ok(chart) } else { Err(diagnostics) }
}

/// Suffixes are told apart by case, here and for charts.
#[allow(clippy::case_sensitive_file_extension_comparisons)]
fn is_template(name: &str) -> bool {
    name.ends_with(".tera")
}

fn is_manifest(name: &str) -> bool {
    [".yaml", ".yml", ".json", ".tera"].iter().any(|suffix| name.ends_with(suffix))
}
