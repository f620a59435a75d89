//! From fields back to lines.

use super::fixture::app_world;
use crate::chart;
use crate::object::{FieldPath, Scalar, Segment};
use crate::render::{explain, trace};

#[test]
fn fields_lead_to_rendered_lines_templates_and_values() {
    let mut world = app_world(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  replicas: {{ values.replicas }}\n  template:\n    spec:\n      containers:\n      - name: app\n        image: {{ values.image }}\n        args: [{{ values.a }}, {{ values.b }}]\n        ports: [{containerPort: 80}]\n",
        &[("charts/app/values.yaml", "replicas: 1\nimage: nginx\nunread: nginx\na: same\nb: same\n")],
    );
    world.component("web", "charts/app", "replicas: 3\n");
    let manifest = world.manifests().remove(0);
    let component = &world.cluster.components[0];
    let chart = chart::open(&world.tree, &world.files, &component.source).unwrap();
    let spec = FieldPath::default().key("spec");
    let container = spec.key("template").key("spec").key("containers").then(Segment::Index(0));
    let port = container.key("ports").then(Segment::Item(vec![
        ("containerPort".into(), Scalar::new(&80.into())),
        ("protocol".into(), Scalar::new(&"TCP".into())),
    ]));
    let told = |path: &FieldPath| {
        let explained = explain(&manifest, path, component, &chart, &world.files).unwrap();
        let rendered = world.files.position(explained.rendered);
        let template = explained.template.map(|span| world.files.place(span)).unwrap_or_default();
        let value = explained.value.map(|set| format!("{} {}", set.path, world.files.place(set.span)));
        (rendered.line, rendered.column, template.rsplit('/').next().unwrap().to_owned(), value)
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(
        told(&spec.key("replicas")),
        (5, 13, "all.yaml.tera:5:16".into(), some("replicas components/web.yaml:1:11"))
    );
    assert_eq!(
        told(&container.key("image")),
        (10, 16, "all.yaml.tera:10:19".into(), some("image charts/app/values.yaml:2:8"))
    );
    // Two values that the template reads have this text: neither is claimed.
    assert_eq!(
        told(&container.key("args").then(Segment::Index(0))),
        (11, 16, "all.yaml.tera:1:1".into(), None)
    );
    // The default protocol is not written in the text: its port is.
    assert_eq!(told(&port.key("protocol")), (12, 17, "all.yaml.tera:1:1".into(), None));
    assert_eq!(told(&spec.key("paused")), (4, 1, "all.yaml.tera:1:1".into(), None));
}

#[test]
fn data_of_a_secret_leads_to_string_data() {
    let mut world = app_world(
        "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: a}\n- apiVersion: v1\n  kind: Secret\n  metadata: {name: a}\n  stringData:\n    kind: x\n",
        &[],
    );
    world.component("web", "charts/app", "");
    let secret = world.manifests().remove(1);
    let span = trace(&secret, &FieldPath::default().key("data").key("kind"), &world.files).unwrap();
    assert_eq!(world.files.position(span).line, 11);
    let span = trace(&secret, &FieldPath::default().key("metadata").key("name"), &world.files).unwrap();
    assert_eq!(world.files.position(span).line, 9);
}
