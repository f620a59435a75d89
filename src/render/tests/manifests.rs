//! What comes out.

use serde_json::json;

use super::fixture::app_world;
use crate::render::Rendered;

const CONFIG_MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n";

#[test]
fn a_tera_chart_and_plain_manifests_become_manifests() {
    let mut world = app_world(
        "{% include \"_names.tera\" %}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ release.name }}
  labels: {{ labels | default(value={}) | to_json }}
spec:
  replicas: {{ values.replicas }}
  template:
    spec:
      containers:
      - name: app
        image: {{ values.image | quote }}
        ports: [{containerPort: {{ values.port }}}]
        resources:
          {{ values.resources | to_yaml | indent(width=10) }}
",
        &[
            ("charts/app/templates/_names.tera", "{# a partial is not rendered by itself #}"),
            ("charts/app/templates/NOTES.txt", "Thank you for installing {{ .Release.Name }}"),
            (
                "charts/app/values.yaml",
                "replicas: 1\nport: 80\nimage: nginx\nresources: {limits: {cpu: 1000m}, requests: {cpu: 1}}\n",
            ),
            (
                "charts/app/crds/widgets.yaml",
                "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: widgets.example.org}\nspec: {group: example.org, scope: Cluster, names: {kind: Widget, plural: widgets}, versions: [{name: v1, served: true}]}\n",
            ),
            (
                "charts/app/manifests/widget.yaml",
                "apiVersion: example.org/v1\nkind: Widget\nmetadata: {name: w, namespace: gone}\n",
            ),
            ("components/more/a.yaml", CONFIG_MAP),
            (
                "components/more/sub/b.yaml.tera",
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\ndata: {domain: {{ cluster.values.domain }}, env: {{ cluster.environment }}, landscape: {{ landscape.name }}}\n",
            ),
            ("components/more/README.md", "not a manifest"),
        ],
    );
    world.component("web", "charts/app", "replicas: 3\nresources: {requests: null}\n");
    world.component("more", "manifests:components/more", "");
    let manifests = world.manifests();
    insta::assert_json_snapshot!(
        manifests.iter().map(|m| (&m.origin.template, &m.object)).collect::<Vec<_>>()
    );
    assert_eq!(
        manifests.iter().map(|m| m.reference.to_string()).collect::<Vec<_>>(),
        [
            "CustomResourceDefinition.apiextensions.k8s.io widgets.example.org",
            "Widget.example.org w",
            "Deployment.apps web-system/web",
            "ConfigMap more-system/a",
            "ConfigMap more-system/b",
        ]
    );
}

#[test]
fn rendering_twice_gives_the_same() {
    let template = "{% for key, value in values.many %}---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ key }}}\ndata: {v: {{ value | quote }}}\n{% endfor %}";
    let values: Vec<_> = (0..60).map(|n| format!("  k{}: {n}\n", n * 7919 % 61)).collect();
    let values = values.concat();
    let result = || {
        let mut world = app_world(template, &[]);
        for name in ["a", "b", "c", "d"] {
            world.component(name, "charts/app", &format!("many:\n{values}"));
        }
        let Rendered { components, diagnostics } = world.render();
        assert!(diagnostics.is_empty(), "{}", world.told(&diagnostics));
        // Ids of files depend on the threads, their names and places do not.
        let manifests = components.into_iter().flat_map(|c| c.manifests);
        manifests.map(|m| (m.reference, m.object, world.files.place(m.origin.span))).collect::<Vec<_>>()
    };
    let first = result();
    let names: Vec<_> = first[..60].iter().map(|(reference, ..)| reference.name.clone()).collect();
    assert_eq!((first.len(), names.is_sorted()), (240, true), "{names:?}");
    for _ in 0..3 {
        assert!(result() == first);
    }
}

#[test]
fn subcharts_see_their_part_of_the_values() {
    let sub = |name: &str| {
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {{{{ release.name }}}}-{name}}}\ndata: {{ {name}: {{{{ values.text | quote }}}}, zone: {{{{ values.global.zone | quote }}}} }}\n"
        )
    };
    let (db, cache) = (sub("db"), sub("cache"));
    let mut world = app_world(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: parent}\ndata: {sees: {{ values.db.text }}}\n",
        &[
            (
                "charts/app/Chart.yaml",
                "name: app\nversion: 1.0.0\ndependencies:\n- {name: db, alias: store, condition: store.enabled}\n- {name: cache, tags: [speed]}\n- {name: db}\n",
            ),
            (
                "charts/app/values.yaml",
                "global: {zone: parent}\nstore: {text: from-parent}\ntags: {speed: true}\n",
            ),
            ("charts/app/charts/db/Chart.yaml", "name: db\nversion: 0.1.0\n"),
            ("charts/app/charts/db/values.yaml", "text: own\nglobal: {zone: sub, other: x}\n"),
            ("charts/app/charts/db/templates/a.yaml.tera", &db.replace("-db}", "-{{ values.text }}}")),
            ("charts/app/charts/cache/Chart.yaml", "name: cache\nversion: 0.1.0\n"),
            ("charts/app/charts/cache/values.yaml", "text: own\n"),
            ("charts/app/charts/cache/templates/a.yaml.tera", &cache),
        ],
    );
    world.component("web", "charts/app", "cache: {text: mine}\n");
    let data = |world: &super::fixture::World| -> Vec<_> {
        world
            .manifests()
            .iter()
            .map(|m| (m.reference.name.clone(), m.object["data"].clone(), m.origin.template.clone()))
            .collect()
    };
    assert_eq!(
        data(&world),
        [
            ("parent".to_owned(), json!({"sees": "own"}), "templates/all.yaml.tera".to_owned()),
            (
                "web-from-parent".into(),
                json!({"db": "from-parent", "zone": "parent"}),
                "charts/store/templates/a.yaml.tera".into()
            ),
            (
                "web-cache".into(),
                json!({"cache": "mine", "zone": "parent"}),
                "charts/cache/templates/a.yaml.tera".into()
            ),
            (
                "web-own".into(),
                json!({"db": "own", "zone": "parent"}),
                "charts/db/templates/a.yaml.tera".into()
            ),
        ]
    );
    world.cluster.components[0].values =
        world.yaml("v", "store: {enabled: false}\ntags: {speed: false}\n").unwrap();
    let names: Vec<_> = data(&world).into_iter().map(|(name, ..)| name).collect();
    assert_eq!(names, ["parent", "web-own"]);
}

#[test]
fn a_provider_s_rendered_definitions_are_capabilities_of_its_consumers() {
    let crd = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: widgets.example.org}\nspec: {group: example.org, scope: Cluster, names: {kind: Widget, plural: widgets}, versions: [{name: v1, served: true}]}\n";
    let asks = "{% if \"example.org/v1/Widget\" in capabilities.apiVersions %}apiVersion: example.org/v1\nkind: Widget\nmetadata: {name: w}{% endif %}";
    let mut world = app_world(
        crd,
        &[("charts/b/Chart.yaml", "name: b\nversion: 1.0.0\n"), ("charts/b/templates/a.yaml.tera", asks)],
    );
    world.component("operator", "charts/app", "");
    world.component("user", "charts/b", "").after.insert("operator".into());
    let (charts, _) = crate::chart::Opened::default().charts(&world.tree, &world.files, &world.cluster);
    let alone = |discovery| {
        let user = &world.cluster.components[1];
        let (rendered, told) = crate::render::render_component(
            &world.cluster,
            user,
            "platform",
            &charts["user"],
            discovery,
            &world.files,
        );
        assert!(told.is_empty(), "{}", world.told(&told));
        rendered.unwrap().manifests.len()
    };
    assert_eq!(alone(&world.discovery), 0);
    assert_eq!(alone(&world.discovery.with_definitions(&world.manifests())), 1);
    let references: Vec<_> = world.manifests().iter().map(|m| m.reference.to_string()).collect();
    assert_eq!(references[1..], ["Widget.example.org w"]);
}
