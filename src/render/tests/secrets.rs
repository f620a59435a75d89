//! Secrets that templates never see.

use super::fixture::{World, app_world};
use crate::landscape::SecretUse;
use crate::object::{Manifest, Piece};

const VALUES: &str = "password: !secret db-password\nuser: !secret db-user\n";

fn world(template: &str) -> World {
    let mut world = app_world(template, &[]);
    world.component("web", "charts/app", VALUES);
    world
}

/// The holes of a manifest as `key=pieces`.
fn holes(manifest: &Manifest) -> Vec<String> {
    let piece = |piece: &Piece| match piece {
        Piece::Text(text) => text.clone(),
        Piece::Secret(name) => format!("<{name}>"),
    };
    manifest
        .holes
        .iter()
        .map(|h| format!("{}={}", h.key, h.pieces.iter().map(piece).collect::<String>()))
        .collect()
}

#[test]
fn secrets_become_holes_quoted_encoded_and_inside_text() {
    let world = world(
        "apiVersion: v1
kind: Secret
metadata: {name: a}
data:
  encoded: {{ values.password | b64encode }}
  joined: {{ (values.user ~ \":\" ~ values.password) | b64encode | quote }}
  plain: aGVsbG8=
stringData:
  text: {{ values.password }}
  quoted: {{ values.password | quote }}
  list: {{ values | to_json | squote }}
  config: |
    [auth]
    user = {{ values.user }}
    password = {{ values.password }}
",
    );
    let manifests = world.manifests();
    let json = r#"{"password":"<db-password>","user":"<db-user>"}"#;
    assert_eq!(
        holes(&manifests[0]),
        [
            "config=[auth]\nuser = <db-user>\npassword = <db-password>\n".to_owned(),
            "encoded=<db-password>".into(),
            "joined=<db-user>:<db-password>".into(),
            format!("list={json}"),
            "quoted=<db-password>".into(),
            "text=<db-password>".into(),
        ]
    );
    assert_eq!(manifests[0].object["data"]["plain"], "aGVsbG8=");
    assert_eq!(manifests[0].object["data"]["config"], "");
    assert!(manifests[0].object.get("stringData").is_none());
}

#[test]
fn a_secret_anywhere_else_is_an_error_that_names_the_template_line() {
    let config_map =
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  x: before {{ values.password }}\n";
    insta::assert_snapshot!(world(config_map).complaints());
    let label = "apiVersion: v1\nkind: Secret\nmetadata: {name: a, labels: {p: {{ values.password }}}}\n";
    insta::assert_snapshot!(world(label).complaints());
    let raw = "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: {p: {{ values.password }}}\n";
    assert!(world(raw).complaints().starts_with("secret-outside-secret: "), "{}", world(raw).complaints());
    let key =
        "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {{ '{' }}{{ values.password }}: x}\n";
    assert!(world(key).complaints().starts_with("secret-outside-secret: "), "{}", world(key).complaints());
}

#[test]
fn what_is_computed_from_a_secret_is_an_error() {
    let secret = |expression: &str| {
        format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: a}}\nstringData:\n  x: {expression}\n")
    };
    let map =
        |expression: &str| secret(expression).replace("Secret", "ConfigMap").replace("stringData", "data");
    insta::assert_snapshot!(world(&secret("{{ values.password | sha256 }}")).complaints());
    for expression in [
        "{{ values.password | sha256 | quote }}",
        "{{ values.password | upper }}",
        "{{ values.password | trunc(length=3) }}",
        "{{ values.password | trunc(length=-3) }}",
        "{{ values.password[2:4] }}",
        "{{ values.password | length | quote }}",
        "x{{ (\"user:\" ~ values.password) | b64encode }}",
        "{% if values.password > \"t\" %}a{% else %}b{% endif %}",
        "{% if values.password is containing(pat=\"placeholder\") %}\n---\n{apiVersion: v1, kind: Pod, metadata: {name: a}}{% endif %}",
        "x\n{% if values.password is containing(pat=\"placeholder\") %}{% else %}---\n{apiVersion: v1, kind: Pod, metadata: {name: a}}{% endif %}",
        "{% if values.password is containing(pat=\"e\") %}a{% else %}b{% endif %}",
    ] {
        for template in [secret(expression), map(expression)] {
            let said = world(&template).complaints();
            assert!(said.starts_with("secret-in-computation: "), "{expression}: {said}");
        }
    }
    let said = world(&map("{{ values.password | b64encode }}")).complaints();
    assert!(said.starts_with("secret-in-computation: "), "{said}");
}

#[test]
fn a_placeholder_written_by_hand_is_no_secret() {
    let world_of_one =
        world("apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {x: {{ values.password }}}\n");
    let (charts, _) = crate::chart::Opened::default().charts(
        &world_of_one.tree,
        &world_of_one.files,
        &world_of_one.cluster,
    );
    let placeholders =
        super::super::holes::Placeholders::of("web", &[&world_of_one.cluster.components[0].values]);
    let node = world_of_one.cluster.components[0].values.get("password").unwrap();
    let forged = placeholders.text(node, super::super::holes::Face::Front).unwrap();
    assert_eq!(charts.len(), 1);
    let said = world(&format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: a}}\nstringData: {{x: {forged}, y: {{{{ values.user }}}}}}\n")).complaints();
    assert!(said.starts_with("secret-in-computation: "), "{said}");
}

#[test]
fn the_component_s_own_secret_is_all_holes() {
    let mut world = app_world(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {ref: {{ secretsRef }}}\n",
        &[],
    );
    let component = world.component("web", "charts/app", "");
    component.secret_name = "web-secrets".into();
    let span = component.span;
    component.secrets.insert("key".into(), SecretUse { lookup: "remote-write".into(), span });
    let manifests = world.manifests();
    assert_eq!(manifests[0].object["data"]["ref"], "web-secrets");
    assert_eq!(manifests[1].reference.to_string(), "Secret web-system/web-secrets");
    assert_eq!(manifests[1].object["type"], "Opaque");
    assert_eq!(holes(&manifests[1]), ["key=<remote-write>"]);
}

#[test]
fn rendered_secrets_are_never_shown() {
    let mut world = app_world(
        "apiVersion: v1\nkind: \"\\x53ecret\"\nmetadata: {name: a}\nstringData: {x: cleartext}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\n",
        &[],
    );
    world.component("web", "charts/app", "");
    let manifests = world.manifests();
    assert!(world.files.get(manifests[0].origin.span.file).sensitive);
    assert!(!format!("{manifests:?}").contains("cleartext"));
    let mut plain = app_world(
        "",
        &[
            ("m/a.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {x: cleartext}\n"),
            ("m/b.yaml", "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: b}\nimagePullSecrets: []\n"),
        ],
    );
    plain.component("web", "manifests:m", "");
    let manifests = plain.manifests();
    assert_eq!(
        manifests.iter().map(|m| plain.files.get(m.origin.span.file).sensitive).collect::<Vec<_>>(),
        [true, false]
    );
}

mod laws {
    use proptest::prelude::*;

    use super::*;

    /// Where a template may put an expression, and whether a secret may stand there.
    fn place() -> impl Strategy<Value = (&'static str, bool)> {
        prop_oneof![
            Just(("apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {x: EXPR}\n", true)),
            Just((
                "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData:\n  x: \"pre EXPR post\"\n",
                true
            )),
            Just(("apiVersion: v1\nkind: Secret\nmetadata: {name: a, annotations: {x: EXPR}}\n", false)),
            Just(("apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ntype: EXPR\n", false)),
            Just(("apiVersion: v1\nkind: Secret\nmetadata: {name: EXPR}\n", false)),
            Just(("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {x: EXPR}\n", false)),
            Just((
                "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {hostname: EXPR}}\n",
                false
            )),
            Just((
                "apiVersion: example.org/v1\nkind: Secret\nmetadata: {name: a}\nstringData: {x: EXPR}\n",
                false
            )),
            Just(("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  EXPR: x\n", false)),
        ]
    }

    /// Chains of filters, and whether they pass the text through unchanged.
    fn filters() -> impl Strategy<Value = (String, bool)> {
        let changing = prop_oneof![
            Just("upper"),
            Just("sha256"),
            Just("b64encode"),
            Just("trunc(length=5)"),
            Just("reverse"),
            Just("replace(from=\"e\", to=\"\")"),
            Just("title"),
            Just("split(pat=\"-\") | last"),
            Just("length | str"),
        ];
        let keeping = prop_oneof![
            Just("trim"),
            Just("str"),
            Just("indent(width=2)"),
            Just("default(value=\"x\")"),
            Just("required")
        ];
        (proptest::collection::vec(keeping, 0..3), proptest::option::of(changing)).prop_map(
            |(keep, change)| {
                let chain: Vec<_> = [""].into_iter().chain(keep).chain(change).collect();
                (chain.join(" | "), change.is_none())
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(96))]

        /// Either a Secret has holes and no trace of a placeholder, or nothing is rendered at all.
        #[test]
        fn a_placeholder_never_leaves_the_renderer((place, allowed) in place(), (filters, keeps) in filters()) {
            let template = place.replace("EXPR", &format!("{{{{ values.password{filters} }}}}"));
            let world = world(&template);
            let rendered = world.render();
            let manifests: Vec<_> = rendered.components.iter().flat_map(|c| &c.manifests).collect();
            if allowed && keeps {
                prop_assert_eq!(manifests.len(), 1, "{}", world.told(&rendered.diagnostics));
                prop_assert_eq!(manifests[0].holes.len(), 1);
                prop_assert_eq!(&manifests[0].object["data"]["x"], "");
            } else {
                prop_assert!(manifests.is_empty(), "{}", template);
                let code = rendered.diagnostics.first().map_or("", |d| d.code);
                prop_assert!(code.starts_with("secret-") || code == "invalid-manifest", "{}: {}", template, world.told(&rendered.diagnostics));
            }
            for manifest in manifests {
                prop_assert!(!manifest.object.to_string().contains("placeholder"));
            }
        }
    }
}
