//! The landscapes that come with the product: they load and render without a word, and their charts say what
//! every value is.

use std::path::{Path, PathBuf};

use landskap::diagnostic::Files;
use landskap::object::Discovery;
use landskap::{chart, landscape, render, source, yaml};

fn folder(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("landscapes").join(path)
}

/// The names of all components of all clusters, and everything that they render, as text.
fn rendered(name: &str) -> (Vec<String>, String) {
    let files = Files::new();
    let location = source::Location::Directory(folder(name));
    let tree = source::load(&location, None, &source::Options::default()).unwrap();
    let (landscape, problems) = landscape::load(&tree, &files);
    assert!(problems.is_empty(), "{problems:?}");
    let landscape = landscape.unwrap();
    let mut opened = chart::Opened::default();
    let (mut names, mut text) = (Vec::new(), String::new());
    for cluster in &landscape.clusters {
        let (charts, problems) = opened.charts(&tree, &files, cluster);
        assert!(problems.is_empty(), "{problems:?}");
        let discovery = Discovery::of_version(cluster.kubernetes_version.unwrap());
        let result = render::render(cluster, &landscape.name, &charts, &discovery, &files);
        assert!(result.diagnostics.is_empty(), "{:?}", result.diagnostics);
        names.extend(result.components.iter().map(|c| format!("{}/{}", cluster.name, c.name)));
        for manifest in result.components.iter().flat_map(|c| &c.manifests) {
            text.push_str(&yaml::write(&manifest.object));
            text.push_str("---\n");
        }
    }
    (names, text)
}

#[test]
fn nais_renders_without_a_word() {
    let (names, text) = rendered("nais");
    let expected = ["fluentd", "prometheus", "grafana"];
    for cluster in ["dev", "prod-fss"] {
        for component in expected {
            assert!(names.contains(&format!("{cluster}/{component}")), "{names:?}");
        }
    }
    // The wires between components: a data source, an index for logs in one cluster, none in the other.
    assert!(text.contains("url: http://prometheus.monitoring:9090"));
    assert!(text.contains("hosts https://elasticsearch.adeo.example:9200"));
    assert!(text.contains("@type stdout"));
    let images: Vec<&str> =
        text.lines().filter_map(|line| line.trim_start().strip_prefix("image: ")).collect();
    assert!(images.len() >= 6, "{images:?}");
    for image in images {
        let tag = image.rsplit_once('/').and_then(|(_, name)| name.split_once(':')).map(|(_, tag)| tag);
        assert!(tag.is_some_and(|tag| tag.starts_with(|c: char| c == 'v' || c.is_ascii_digit())), "{image}");
    }
}

/// Paths of all values that are no map, or an empty one, as the tables of the charts' READMEs have them.
fn leaves(schema: &serde_json::Value, values: &serde_json::Value, path: &str, found: &mut Vec<String>) {
    for (key, value) in values.as_object().into_iter().flatten() {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        let described = &schema["properties"][key];
        match described.get("properties") {
            Some(_) if value.is_object() => leaves(described, value, &path, found),
            _ => found.push(path),
        }
    }
}

#[test]
fn every_value_of_a_chart_of_nais_is_documented() {
    for chart in ["prometheus", "fluentd", "grafana"] {
        let read =
            |name: &str| std::fs::read_to_string(folder("nais/charts").join(chart).join(name)).unwrap();
        let schema: serde_json::Value = serde_json::from_str(&read("values.schema.json")).unwrap();
        let files = Files::new();
        let id = files.add("values.yaml", read("values.yaml"), false);
        let documents = yaml::read(&files, id, yaml::Duplicates::Error).unwrap();
        let values = documents[0].root.as_ref().unwrap().to_json();
        let mut paths = Vec::new();
        leaves(&schema, &values, "", &mut paths);
        assert!(paths.len() > 30, "{paths:?}");
        let readme = read("README.md");
        for path in paths {
            let covered =
                readme.contains(&format!("| `{path}` |")) || readme.contains(&format!("| `{path}."));
            // `updateStrategy`, `probes` and their like have one line for the whole.
            let parent =
                path.split_once('.').is_some_and(|(top, _)| readme.contains(&format!("| `{top}` |")));
            assert!(covered || parent, "README.md of `{chart}` does not name `{path}`");
        }
    }
}
