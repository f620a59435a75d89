//! A chart as a folder of the landscape.

use std::collections::BTreeMap;

use super::metadata::{self, Dependency};
use super::{Chart, Subchart};
use crate::diagnostic::{Diagnostic, FileId, Files, Span, nearest};
use crate::source::Tree;
use crate::yaml::{self, Duplicates, Mapping, Node, Value};

/// Charts in charts in charts: more is a mistake, or meant to exhaust us.
const DEPTH: usize = 8;

/// Opens the chart in the folder `path`. `asked` is the place that asked for it.
pub(super) fn open(tree: &Tree, files: &Files, path: &str, asked: Span) -> Result<Chart, Vec<Diagnostic>> {
    open_nested(tree, files, path, asked, DEPTH)
}

fn open_nested(
    tree: &Tree,
    files: &Files,
    path: &str,
    asked: Span,
    depth: usize,
) -> Result<Chart, Vec<Diagnostic>> {
    if depth == 0 {
        let message = format!("the chart `{path}` lies too deep: charts may be nested {DEPTH} times");
        return Err(vec![Diagnostic::error("invalid-chart", message).at(asked, "")]);
    }
    let mut reader = Reader { tree, files, asked, diagnostics: Vec::new() };
    let metadata = reader.text(&format!("{path}/Chart.yaml"));
    let metadata =
        metadata.and_then(|file| metadata::read(files, file).map_err(|d| reader.diagnostics.extend(d)).ok());
    let mut contents = Contents::default();
    for name in reader.walk(path) {
        contents.sort_in(&mut reader, path, name);
    }
    let Some(metadata) = metadata else { return Err(reader.diagnostics) };
    let values = contents.values.and_then(|file| reader.values(file));
    let schema = contents.schema.and_then(|file| reader.schema(file).map(|schema| (file, schema)));
    let subcharts = subcharts(&mut reader, path, &contents.charts, &metadata.dependencies, depth);
    if !reader.diagnostics.is_empty() {
        return Err(reader.diagnostics);
    }
    Ok(Chart {
        name: metadata.name,
        version: metadata.version,
        app_version: metadata.app_version,
        values: values.unwrap_or_else(|| Node::new(metadata.span, Value::Mapping(Mapping::new()))),
        schema,
        template_root: "templates/",
        templates: contents.templates,
        manifests: contents.manifests,
        crds: contents.crds,
        files: contents.files,
        subcharts,
        span: metadata.span,
    })
}

/// The files of a chart by what they are for.
#[derive(Default)]
struct Contents {
    values: Option<FileId>,
    schema: Option<FileId>,
    templates: BTreeMap<String, FileId>,
    manifests: BTreeMap<String, FileId>,
    crds: BTreeMap<String, FileId>,
    files: BTreeMap<String, Vec<u8>>,
    /// Folders in `charts/`.
    charts: Vec<String>,
}

impl Contents {
    /// Takes in the file `name` (a path within the chart) of the chart `path`.
    fn sort_in(&mut self, reader: &mut Reader, path: &str, name: String) {
        let full = format!("{path}/{name}");
        let is_yaml = [".yaml", ".yml", ".json"].iter().any(|suffix| name.ends_with(suffix));
        match name.split_once('/') {
            None if name == "Chart.yaml" => (),
            None if name == "values.yaml" => self.values = reader.text(&full),
            None if name == "values.schema.json" => self.schema = reader.text(&full),
            Some(("templates", rest)) => {
                self.templates.extend(reader.text(&full).map(|file| (rest.to_owned(), file)));
            }
            Some(("crds", _)) if is_yaml => self.crds.extend(reader.text(&full).map(|file| (name, file))),
            Some(("manifests", _)) if is_yaml => {
                self.manifests.extend(reader.text(&full).map(|file| (name, file)));
            }
            Some(("charts", rest)) => match rest.split_once('/') {
                Some((chart, _)) if self.charts.last().is_none_or(|last| last != chart) => {
                    self.charts.push(chart.to_owned());
                }
                Some(_) => (),
                None => reader.loose_file_in_charts(&full),
            },
            _ => self.files.extend(reader.bytes(&full).map(|bytes| (name, bytes))),
        }
    }
}

/// The charts in `charts/`: those of `dependencies` in that order, each once per alias, then the others.
fn subcharts(
    reader: &mut Reader,
    path: &str,
    folders: &[String],
    dependencies: &[Dependency],
    depth: usize,
) -> Vec<Subchart> {
    let mut opened = BTreeMap::new();
    for folder in folders {
        match open_nested(
            reader.tree,
            reader.files,
            &format!("{path}/charts/{folder}"),
            reader.asked,
            depth - 1,
        ) {
            Ok(chart) => _ = opened.insert(chart.name.clone(), chart),
            Err(diagnostics) => reader.diagnostics.extend(diagnostics),
        }
    }
    let mut subcharts = Vec::new();
    for dependency in dependencies {
        let Some(chart) = opened.get(&dependency.name) else {
            let missing = format!("the dependency `{}` is not in `{path}/charts/`", dependency.name);
            let missing = Diagnostic::error("missing-chart", missing).at(dependency.span, "");
            reader.diagnostics.push(match nearest(&dependency.name, folders.iter().map(String::as_str)) {
                Some(near) => missing.help(format!("did you mean `{near}`?")),
                None => missing.help("put its folder there: remote charts are not supported by this version"),
            });
            continue;
        };
        subcharts.push(Subchart {
            name: dependency.alias.clone().unwrap_or_else(|| dependency.name.clone()),
            condition: dependency.condition.clone(),
            tags: dependency.tags.clone(),
            chart: chart.clone(),
        });
    }
    for (name, chart) in opened {
        if !dependencies.iter().any(|d| d.name == name) {
            subcharts.push(Subchart { name, condition: None, tags: Vec::new(), chart });
        }
    }
    subcharts
}

/// Reads files of one chart and collects what goes wrong.
pub(super) struct Reader<'a> {
    pub tree: &'a Tree,
    pub files: &'a Files,
    /// The place that asked for the chart.
    pub asked: Span,
    pub diagnostics: Vec<Diagnostic>,
}

impl Reader<'_> {
    /// The paths of all files under `folder`, from there, sorted.
    pub fn walk(&mut self, folder: &str) -> Vec<String> {
        let prefix = format!("{folder}/");
        match self.tree.walk(folder) {
            Ok(paths) => paths.iter().map(|p| p.strip_prefix(&prefix).unwrap_or(p).to_owned()).collect(),
            Err(error) => {
                self.unreadable(folder, &error.to_string());
                Vec::new()
            }
        }
    }

    fn unreadable(&mut self, path: &str, why: &str) {
        let message = format!("`{path}` cannot be read: {why}");
        self.diagnostics.push(Diagnostic::error("invalid-chart", message).at(self.asked, ""));
    }

    pub fn bytes(&mut self, path: &str) -> Option<Vec<u8>> {
        self.tree.read(path).map_err(|error| self.unreadable(path, &error.to_string())).ok()
    }

    /// Reads a text file and registers it.
    pub fn text(&mut self, path: &str) -> Option<FileId> {
        if let Ok(text) = String::from_utf8(self.bytes(path)?) {
            return Some(self.files.add(path, text, false));
        }
        self.unreadable(path, "it is not UTF-8 text");
        None
    }

    fn values(&mut self, file: FileId) -> Option<Node> {
        let documents =
            yaml::read(self.files, file, Duplicates::Error).map_err(|d| self.diagnostics.push(d)).ok()?;
        let root = documents.into_iter().find_map(|d| d.root)?;
        match root.value {
            Value::Mapping(_) => Some(root),
            Value::Null => None,
            _ => {
                self.diagnostics.push(
                    Diagnostic::error("invalid-chart", "`values.yaml` must be a map").at(root.span, ""),
                );
                None
            }
        }
    }

    fn schema(&mut self, file: FileId) -> Option<serde_json::Value> {
        let text = self.files.get(file);
        match serde_json::from_str(&text.text) {
            Ok(schema) => Some(schema),
            Err(error) => {
                let start: usize =
                    text.text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
                let at = (start + error.column().saturating_sub(1)).min(text.text.len());
                self.diagnostics.push(
                    Diagnostic::error("invalid-chart", "`values.schema.json` is not JSON")
                        .at(Span::new(file, at..at), "the problem is here"),
                );
                None
            }
        }
    }

    fn loose_file_in_charts(&mut self, path: &str) {
        if [".tgz", ".tar.gz"].iter().any(|suffix| path.ends_with(suffix)) {
            self.diagnostics.push(
                Diagnostic::error(
                    "remote-chart",
                    format!("`{path}` is a packed chart, which this version cannot open"),
                )
                .at(self.asked, "")
                .help("unpack it into a folder beside it"),
            );
        }
    }
}
