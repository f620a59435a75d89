//! What is said about mistakes: the whole text, so that a change of wording is seen.

use super::fixture::{World, app_world, world};
use crate::landscape::{Patch, PatchTarget};

const CONFIG_MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n";

/// What rendering the one chart `charts/app` says.
fn said(template: &str, more: &[(&str, &str)], values: &str) -> String {
    let mut world = app_world(template, more);
    world.component("web", "charts/app", values);
    world.complaints()
}

#[test]
fn an_undefined_value_names_the_template_line_the_includes_and_the_values() {
    let values = ("charts/app/values.yaml", "server:\n  retention: 30d\n");
    insta::assert_snapshot!(said(
        "a: 1\n{% include \"_b.tera\" %}\n",
        &[values, ("charts/app/templates/_b.tera", "x: y\nz: {{ values.server.retenton }}\n")],
        "",
    ));
    insta::assert_snapshot!(said("a: {{ values.client.port }}", &[values], ""));
    insta::assert_snapshot!(said("a: {{ valeus.client }}", &[values], ""));
    insta::assert_snapshot!(said("a: {{ values.typo | quote }}", &[values], ""));
}

#[test]
fn template_mistakes_are_all_told_at_once() {
    insta::assert_snapshot!(said(
        "a: {{ values.x | to_yml }}\nb: {{ now() }}\nc: {{ get_env(name=\"HOME\") }}{% include \"_missing.tera\" %}",
        &[],
        "",
    ));
    insta::assert_snapshot!(said("a: {{ values.x ", &[("charts/app/templates/b.yaml.tera", "{% if %}")], ""));
    insta::assert_snapshot!(said("{% include \"all.yaml.tera\" %}", &[], ""));
    insta::assert_snapshot!(said("{{ throw(message=\"set `url`\") }}", &[], ""));
    insta::assert_snapshot!(said(
        "a: {{ values.x | required(message=\"x is the host to scrape\") }}",
        &[],
        ""
    ));
}

#[test]
fn templates_are_bounded() {
    let endless = "{% for i in range(end=10000) %}{% for j in range(end=10000) %}{{ i }} lorem ipsum {% endfor %}{% endfor %}";
    insta::assert_snapshot!(said(endless, &[], ""));
    insta::assert_snapshot!(said("{{ range(end=10001) }}", &[], ""));
}

#[test]
fn go_templates_and_remote_charts_are_refused_clearly() {
    insta::assert_snapshot!(said(
        CONFIG_MAP,
        &[("charts/app/templates/svc.yaml", "{{ .Values.x }}"), ("charts/app/templates/_helpers.tpl", "")],
        ""
    ));
    let mut world = app_world(CONFIG_MAP, &[]);
    for (index, reference) in [
        "prometheus-community/prometheus",
        "oci://host/app",
        "https://host/app.tgz",
        "git+https://host/repo//app",
        "charts/ap",
        "./elsewhere",
        "charts",
    ]
    .iter()
    .enumerate()
    {
        world.component(&format!("c{index}"), reference, "");
    }
    insta::assert_snapshot!(world.complaints());
}

#[test]
fn charts_are_checked() {
    let one = |chart: &str, more: &[(&str, &str)]| {
        let mut files = vec![("charts/app/Chart.yaml", chart)];
        files.extend_from_slice(more);
        let mut world = world(&files);
        world.component("web", "charts/app", "");
        world.complaints()
    };
    insta::assert_snapshot!(
        [
            one("name: ../app\nversion: one\n", &[]),
            one("description: x\n", &[("charts/app/values.schema.json", "{\n  \"a\": ]\n}")]),
            one(
                "name: app\nversion: 1.0.0\ndependencies: [{name: db}]\n",
                &[("charts/app/charts/dbs/Chart.yaml", "name: dbs\nversion: 1.0.0\n")]
            ),
            one("name: app\nversion: 1.0.0\n", &[("charts/app/values.yaml", "- a\n")]),
            one("name: app\nversion: 1.0.0\n", &[("charts/app/charts/db-1.tgz", "")]),
        ]
        .join("\n\n")
    );
    let mut world = app_world(CONFIG_MAP, &[]);
    let component = world.component("web", "charts/app", "");
    if let crate::landscape::ComponentSource::Chart { version, .. } = &mut component.source {
        *version = Some("1.2.4".into());
    }
    insta::assert_snapshot!(world.complaints());
    for fine in ["1.2.3", "~1.2", ">=1, <2"] {
        if let crate::landscape::ComponentSource::Chart { version, .. } =
            &mut world.cluster.components[0].source
        {
            *version = Some(fine.into());
        }
        assert_eq!(world.complaints(), "", "{fine}");
    }
    world.cluster.components.clear();
    world.component("web", "manifests:components/wbe", "");
    insta::assert_snapshot!(world.complaints());
}

#[test]
fn values_are_held_against_the_schema() {
    let schema = r##"{"type": "object", "required": ["domain"], "additionalProperties": false, "properties": {
        "domain": {"type": "string"},
        "replicas": {"type": "integer", "minimum": 1, "description": "How many pods answer requests."},
        "server": {"$ref": "#/$defs/server"}, "password": {"type": "string", "pattern": "^x"}},
        "$defs": {"server": {"type": "object", "required": ["port"], "properties": {"port": {"type": "integer"}}, "additionalProperties": false}}}"##;
    let files = [("charts/app/values.schema.json", schema), ("charts/app/values.yaml", "replicas: 1\n")];
    insta::assert_snapshot!(said(
        CONFIG_MAP,
        &files,
        "replicas: none\nserver:\n  prt: 80\nreplicsa: 2\npassword: !secret pw\n"
    ));
    assert_eq!(said(CONFIG_MAP, &files, "domain: a\nserver: {port: 1}\nreplicas: null\n"), "");
    let foreign = r#"{"properties": {"a": {"$ref": "file:///etc/passwd"}}}"#;
    insta::assert_snapshot!(said(CONFIG_MAP, &[("charts/app/values.schema.json", foreign)], "a: 1\n"));
}

#[test]
fn manifests_are_checked_at_their_rendered_lines() {
    let template = "apiVersion: v1\nkind: ConfigMap\nmetadata: {generateName: a}\n---\nkind: ConfigMap\nmetadata: {name: a}\n---\n- a\n---\napiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {}}\n- {apiVersion: v1, kind: Pod, metadata: {name: 1}}\n";
    insta::assert_snapshot!(said(template, &[], ""));
    let template = "apiVersion: v1
kind: Pod
metadata:
  name: a
  annotations:
    port: {{ 80 }}
spec:
  volumes: [{name: v}, {name: v}]
  containers:
  - name: c
    args:
    -
    env:
    - {name: A, value: x}
    - name: A
      value: y
    ports:
    - {containerPort: 53}
    - {containerPort: 53, protocol: UDP}
    - {containerPort: 53, protocol: TCP}
---
apiVersion: v1
kind: Pod
metadata: {name: a}
---
apiVersion: policy/v1beta1
kind: PodDisruptionBudget
metadata: {name: a}
---
apiVersion: example.org/v1
kind: Widget
metadata: {name: a}
---
apiVersion: v1
kind: Secret
metadata: {name: a}
data: {key: plain text}
";
    insta::assert_snapshot!(said(template, &[], ""));
    insta::assert_snapshot!(said("a: b: c\n", &[], ""));
}

fn patched(target: PatchTarget, body: &str) -> String {
    let mut world =
        app_world("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 1}\n", &[]);
    let body = world.yaml("components/web.yaml", body).unwrap();
    let patch = Patch { target, span: body.span, body };
    world.component("web", "charts/app", "").patches.push(patch);
    let told = world.complaints();
    if told.is_empty() { world.manifests()[0].object["spec"].to_string() } else { told }
}

#[test]
fn patches_change_what_they_hit_or_say_why_not() {
    let target = |kind: &str, name: &str| PatchTarget {
        kind: Some(kind.into()),
        name: Some(name.into()),
        ..PatchTarget::default()
    };
    let hit = || target("Deployment", "web");
    assert_eq!(
        patched(hit(), "[{op: add, path: /spec/paused, value: true}]"),
        r#"{"paused":true,"replicas":1}"#
    );
    assert_eq!(patched(hit(), "{spec: {replicas: null, paused: true}}"), r#"{"paused":true}"#);
    insta::assert_snapshot!(
        [
            patched(target("Deploymnt", "web"), "{}"),
            patched(target("Deployment", "wbe"), "{}"),
            patched(hit(), "- {op: add, path: /spec/paused, value: true}\n- {op: replace, path: /spec/replcas, value: 2}\n"),
            patched(hit(), "- {op: put, path: /spec}\n"),
            patched(hit(), "{metadata: {name: null}}"),
        ]
        .join("\n\n")
    );
}

fn provider(provides: serde_json::Value) -> World {
    let mut world = app_world(
        "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {ports: [{port: 9090}]}\n",
        &[],
    );
    let component = world.component("web", "charts/app", "");
    let provided = crate::landscape::Provided {
        values: provides,
        secrets: std::collections::BTreeMap::new(),
        span: component.span,
    };
    component.provides.insert("metrics".into(), provided);
    world
}

#[test]
fn a_contract_s_host_must_be_a_service() {
    let said = |provides: serde_json::Value| provider(provides).complaints();
    for fine in [
        "http://web.web-system:9090/x",
        "web.web-system.svc:9090",
        "web-0.web.web-system.svc.cluster.local",
        "example.com",
        "https://example.com:1",
    ] {
        assert_eq!(said(serde_json::json!({"url": fine})), "", "{fine}");
    }
    insta::assert_snapshot!(
        [
            said(serde_json::json!({"url": "http://web.web-system"})),
            said(serde_json::json!({"host": "wbe.web-system", "port": 9090})),
            said(serde_json::json!({"host": "web.web-system", "port": 90})),
        ]
        .join("\n\n")
    );
}

#[test]
fn an_object_belongs_to_one_component() {
    let template = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: shared}\n";
    let mut world = app_world(template, &[]);
    world.component("web", "charts/app", "");
    world.component("api", "charts/app", "");
    insta::assert_snapshot!(world.complaints());
}

#[test]
fn every_cluster_hears_of_a_broken_chart() {
    let mut world = app_world(CONFIG_MAP, &[("charts/app/Chart.yaml", "name: app\n")]);
    world.component("web", "charts/app", "");
    world.component("api", "charts/app", "");
    let mut opened = crate::chart::Opened::default();
    let mut open = || opened.charts(&world.tree, &world.files, &world.cluster);
    let (charts, first) = open();
    assert!(charts.is_empty());
    assert_eq!(first.iter().map(|d| d.code).collect::<Vec<_>>(), ["invalid-chart", "invalid-chart"]);
    assert_eq!(open().1, first);
}
