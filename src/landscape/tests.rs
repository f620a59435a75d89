//! Whole landscapes, written as one text with a `# path` line before each file, into models and problems.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::*;
use crate::diagnostic::{Diagnostic, Files};
use crate::source::{self, Location};

const START: &str = "# landscape.yaml
apiVersion: landskap.io/v1alpha1
kind: Landscape
name: platform
values: {registry: registry.example, domain: none}
# clusters/prod/cluster.yaml
apiVersion: landskap.io/v1alpha1
kind: Cluster
name: prod
environment: production
labels: {ring: stable}
values: {domain: prod.example}
# clusters/dev/cluster.yaml
apiVersion: landskap.io/v1alpha1
kind: Cluster
name: dev
environment: development
labels: {ring: canary}
";

struct Loaded {
    files: Files,
    landscape: Option<Landscape>,
    problems: Vec<Diagnostic>,
}

/// Loads [`START`] with the files of `text` added or put in place of those of the same path.
fn load(text: &str) -> Loaded {
    let mut contents: BTreeMap<&str, String> = BTreeMap::new();
    for part in [START, text] {
        let mut current = None;
        for line in part.lines() {
            if let Some(path) = line.strip_prefix("# ") {
                contents.insert(path, String::new());
                current = Some(path);
            } else if let Some(path) = current {
                let content = contents.entry(path).or_default();
                content.push_str(line);
                content.push('\n');
            }
        }
    }
    let directory = tempfile::tempdir().expect("a temporary directory");
    for (path, content) in contents {
        let path = directory.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, content).expect("a file");
    }
    let options =
        source::Options { cache_dir: directory.path().into(), credentials: source::Credentials::default() };
    let tree = source::load(&Location::Directory(directory.path().into()), None, &options).expect("a tree");
    let files = Files::new();
    let (landscape, problems) = super::load(&tree, &files);
    Loaded { files, landscape, problems }
}

impl Loaded {
    fn said(&self) -> Vec<String> {
        self.problems
            .iter()
            .map(|p| {
                let place = p.labels.first().map(|l| self.files.place(l.span)).unwrap_or_default();
                format!("{} {place} {}", p.code, p.message)
            })
            .collect()
    }

    fn sound(text: &str) -> Landscape {
        let loaded = load(text);
        assert!(loaded.problems.is_empty(), "{:#?}", loaded.said());
        loaded.landscape.expect("a landscape")
    }
}

fn cluster<'a>(landscape: &'a Landscape, name: &str) -> &'a Cluster {
    landscape.clusters.iter().find(|c| c.name == name).expect("the cluster")
}

fn component<'a>(landscape: &'a Landscape, cluster_name: &str, name: &str) -> &'a Component {
    cluster(landscape, cluster_name).components.iter().find(|c| c.name == name).expect("the component")
}

fn names(landscape: &Landscape, cluster_name: &str) -> Vec<String> {
    cluster(landscape, cluster_name).components.iter().map(|c| c.name.clone()).collect()
}

/// Exactly these problems: code, place, and a part of the message.
fn problems(text: &str, expected: &[(&str, &str, &str)]) {
    let said = load(text).said();
    let fits = said.len() == expected.len()
        && said.iter().zip(expected).all(|(said, (code, place, part))| {
            said.starts_with(&format!("{code} {place} ")) && said.contains(part)
        });
    assert!(fits, "expected {expected:#?}, found {said:#?}");
}

#[test]
fn values_come_in_the_documented_order() {
    let landscape = Loaded::sound(
        "# components/app.yaml
name: app
namespace: apps
clusterSelector: {}
release: {chart: charts/app}
configuration: {a: shared, b: shared, c: shared, d: shared, e: shared, f: shared, g: {x: 1, z: 2}}
environments:
  production: {b: environment, c: environment, d: environment, e: environment, f: environment}
overrides:
  - {clusterSelector: {matchLabels: {ring: stable}}, configuration: {c: override, d: override, e: override, f: override}}
  - {clusterSelector: {matchLabels: {name: prod}}, configuration: {d: second, g: {z: null}}}
  - {clusterSelector: {matchLabels: {ring: canary}}, configuration: {a: canary}}
# clusters/prod/app.yaml
name: app
configuration: {e: refined, f: refined}
environments: {production: {f: last}}
",
    );
    let prod = component(&landscape, "prod", "app");
    assert_eq!(
        prod.values.to_json(),
        json!({"a": "shared", "b": "environment", "c": "override", "d": "second", "e": "refined", "f": "last",
               "g": {"x": 1, "z": null}})
    );
    let history: Vec<(&str, &Json)> = prod.layers["f"].iter().map(|e| (e.layer.as_str(), &e.value)).collect();
    assert_eq!(
        history,
        [
            ("shared configuration", &json!("shared")),
            ("shared environments.production", &json!("environment")),
            ("shared overrides[0]", &json!("override")),
            ("configuration of the refinement", &json!("refined")),
            ("environments.production of the refinement", &json!("last")),
        ]
    );
    let found = explain_value(prod, &["g".into()]);
    assert_eq!(found.iter().map(|(path, _)| *path).collect::<Vec<_>>(), ["g.x", "g.z"]);
    let dev = component(&landscape, "dev", "app");
    assert_eq!(dev.values.to_json()["a"], "canary");
}
