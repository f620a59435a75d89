//! A cluster in memory over files in a temporary directory.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::json;

use crate::chart::Opened;
use crate::diagnostic::{Diagnostic, Files, Span};
use crate::landscape::{Adopt, Cluster, Component, ComponentSource, Connection, Limits, Wait};
use crate::object::{Discovery, KubernetesVersion, Manifest};
use crate::render::{Rendered, render};
use crate::source::{self, Location, Tree};
use crate::yaml::{self, Duplicates, Node};

/// What a test works on.
pub struct World {
    pub files: Files,
    pub tree: Tree,
    pub cluster: Cluster,
    pub discovery: Discovery,
    _directory: tempfile::TempDir,
}

/// A landscape of `files` (path, text).
pub fn world(files: &[(&str, &str)]) -> World {
    let directory = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = directory.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let tree = source::load(&Location::Directory(directory.path().into()), None, &source::Options::default())
        .unwrap();
    let registry = Files::new();
    let span = Span::new(registry.add("clusters/prod/cluster.yaml", "name: prod\n", false), 0..0);
    let cluster = Cluster {
        name: "prod".into(),
        environment: Some("production".into()),
        labels: BTreeMap::from([("name".into(), "prod".into()), ("zone".into(), "fss".into())]),
        connection: Connection::Unspecified,
        kubernetes_version: None,
        values: json!({"domain": "example.org"}),
        secret_sources: Vec::new(),
        limits: Limits { components: 1, objects: 0.3 },
        namespaces: BTreeMap::new(),
        components: Vec::new(),
        absent: BTreeMap::new(),
        broken: BTreeMap::new(),
        span,
    };
    let discovery = Discovery::of_version(KubernetesVersion { major: 1, minor: 34 });
    World { files: registry, tree, cluster, discovery, _directory: directory }
}

impl World {
    /// Adds a component in the namespace `NAME-system` whose configuration is `values` (YAML).
    pub fn component(&mut self, name: &str, source: &str, values: &str) -> &mut Component {
        let text = format!("name: {name}\nrelease: {{chart: {source}}}\n{values}");
        let file = self.files.add(format!("components/{name}.yaml"), text.clone(), false);
        let span = Span::new(file, 0..0);
        let reference = text.find(source).map_or(span, |at| Span::new(file, at..at + source.len()));
        let source = match source.strip_prefix("manifests:") {
            Some(path) => ComponentSource::Manifests { paths: vec![(path.into(), reference)] },
            None => ComponentSource::Chart { reference: source.into(), version: None, span: reference },
        };
        let values = self.yaml(&format!("components/{name}.yaml"), values);
        self.cluster.components.push(Component {
            name: name.into(),
            namespace: format!("{name}-system"),
            release_name: name.into(),
            source,
            values: values.unwrap_or_else(|| Node::new(span, yaml::Value::Mapping(yaml::Mapping::new()))),
            layers: BTreeMap::new(),
            patches: Vec::new(),
            secrets: BTreeMap::new(),
            secret_name: name.into(),
            provides: BTreeMap::new(),
            requires: BTreeMap::new(),
            after: BTreeSet::new(),
            wait: Wait { timeout: Duration::from_mins(5) },
            suspend: None,
            formerly: Vec::new(),
            adopt: Adopt::None,
            ignore_differences: Vec::new(),
            health: Vec::new(),
            skip_crds: false,
            span,
            files: vec![span],
        });
        self.cluster.components.last_mut().unwrap()
    }

    /// A registered YAML document.
    pub fn yaml(&self, name: &str, text: &str) -> Option<Node> {
        let file = self.files.add(name, text, false);
        yaml::read(&self.files, file, Duplicates::Error).unwrap().into_iter().find_map(|d| d.root)
    }

    /// Opens the charts and renders.
    pub fn render(&self) -> Rendered {
        let (charts, mut diagnostics) = Opened::default().charts(&self.tree, &self.files, &self.cluster);
        let mut rendered = render(&self.cluster, "platform", &charts, &self.discovery, &self.files);
        diagnostics.append(&mut rendered.diagnostics);
        Rendered { diagnostics, ..rendered }
    }

    /// The manifests of all components; fails on any diagnostic.
    pub fn manifests(&self) -> Vec<Manifest> {
        let rendered = self.render();
        assert!(rendered.diagnostics.is_empty(), "{}", self.told(&rendered.diagnostics));
        rendered.components.into_iter().flat_map(|c| c.manifests).collect()
    }

    /// All diagnostics as text: code, message, places with what is said there, hints.
    pub fn told(&self, diagnostics: &[Diagnostic]) -> String {
        let mut lines = Vec::new();
        for diagnostic in diagnostics {
            lines.push(format!("{}: {}", diagnostic.code, diagnostic.message));
            for label in &diagnostic.labels {
                let arrow = if label.primary { "-->" } else { "  |" };
                lines.push(
                    format!("  {arrow} {} {}", self.files.place(label.span), label.message)
                        .trim_end()
                        .to_owned(),
                );
            }
            lines.extend(diagnostic.help.iter().map(|help| format!("  = {help}")));
        }
        lines.join("\n")
    }

    /// What rendering complains about, as [`told`](Self::told).
    pub fn complaints(&self) -> String {
        self.told(&self.render().diagnostics)
    }
}

/// A chart in `charts/app` of one template.
pub fn app(template: &str) -> Vec<(&'static str, String)> {
    vec![
        ("charts/app/Chart.yaml", "apiVersion: v2\nname: app\nversion: 1.2.3\nappVersion: \"7\"\n".into()),
        ("charts/app/templates/all.yaml.tera", template.into()),
    ]
}

/// A world with that chart and further files.
pub fn app_world(template: &str, more: &[(&str, &str)]) -> World {
    let app = app(template);
    let files: Vec<_> =
        app.iter().map(|(path, text)| (*path, text.as_str())).chain(more.iter().copied()).collect();
    world(&files)
}
