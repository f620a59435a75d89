//! The examples of docs/charts.md: every template there renders what the page says.

use serde_json::Value as Json;

use super::fixture::app_world;
use crate::landscape::SecretUse;
use crate::yaml::{self, Duplicates};

/// The fenced blocks of a page: info string and content.
fn blocks(page: &str) -> Vec<(&str, String)> {
    let mut blocks = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(info) = line.strip_prefix("```") {
            let content: Vec<_> = lines.by_ref().take_while(|line| *line != "```").collect();
            blocks.push((info, content.join("\n") + "\n"));
        }
    }
    blocks
}

#[test]
fn examples_render_what_the_page_says() {
    let page = include_str!("../../../docs/charts.md");
    let mut values = String::new();
    let mut template = String::new();
    let mut examples = 0;
    for (info, content) in blocks(page) {
        match info {
            "yaml values" => values = content,
            "tera" => template = content,
            "yaml rendered" => {
                examples += 1;
                let chart = [("charts/app/Chart.yaml", "name: example\nversion: 1.0.0\n")];
                let mut world = app_world(&template, &chart);
                let component = world.component("example", "charts/app", &values);
                if template.contains("secretsRef") {
                    let secret = SecretUse { lookup: "password".into(), span: component.span };
                    component.secrets.insert("password".into(), secret);
                }
                let rendered: Vec<Json> = world.manifests().into_iter().map(|m| m.object).collect();
                let file = world.files.add("expected", content, false);
                let expected = yaml::read(&world.files, file, Duplicates::Error).unwrap();
                let expected: Vec<Json> =
                    expected.iter().filter_map(|d| d.root.as_ref()).map(yaml::Node::to_json).collect();
                assert_eq!(rendered, expected, "{template}");
            }
            _ => (),
        }
    }
    assert_eq!(examples, 5);
}

#[test]
fn every_code_of_these_rooms_is_documented() {
    let errors = include_str!("../../../docs/errors.md");
    for code in [
        "missing-chart",
        "remote-chart",
        "version-mismatch",
        "invalid-chart",
        "missing-manifests",
        "go-template",
        "invalid-values",
        "values-schema",
        "template-error",
        "template-limit",
        "secret-outside-secret",
        "secret-in-computation",
        "patch-without-target",
        "patch-failed",
        "duplicate-list-key",
        "invalid-manifest",
        "duplicate-object",
        "contract-host",
        "unknown-kind",
        "unserved-version",
    ] {
        assert!(errors.contains(&format!("\n## {code}\n")), "{code}");
    }
}
