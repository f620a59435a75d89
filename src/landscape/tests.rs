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

fn shared(name: &str, selector: &str, rest: &str) -> String {
    format!(
        "# components/{name}.yaml\nname: {name}\nnamespace: apps\n{selector}\nrelease: {{chart: charts/{name}}}\n{rest}"
    )
}

#[test]
fn presence_is_decided_by_selector_and_word() {
    let text = [
        shared("all", "clusterSelector: {}", ""),
        shared("stable", "clusterSelector: {matchLabels: {ring: stable}}", ""),
        shared("opt-in", "", ""),
        shared(
            "not-dev",
            "clusterSelector: {}",
            "overrides: [{clusterSelector: {matchLabels: {name: dev}}, installed: false}]\n",
        ),
        shared("gone", "clusterSelector: {}", "installed: false\n"),
        "# clusters/dev/opt-in.yaml\nname: opt-in\ninstalled: true\n".into(),
        "# clusters/dev/stable.yaml\nname: stable\ninstalled: true\n".into(),
        "# clusters/prod/all.yaml\nname: all\ninstalled: false\n".into(),
        "# clusters/prod/own.yaml\nname: own\nnamespace: apps\nrelease: {chart: charts/own}\n".into(),
    ]
    .concat();
    let landscape = Loaded::sound(&text);
    assert_eq!(names(&landscape, "dev"), ["all", "opt-in", "stable"]);
    assert_eq!(names(&landscape, "prod"), ["not-dev", "own", "stable"]);
    let absent = &cluster(&landscape, "prod").absent;
    assert!(matches!(absent["all"], Absence::NotInstalled(_)));
    assert!(matches!(absent["gone"], Absence::NotInstalled(_)));
    assert!(matches!(absent["opt-in"], Absence::Selector(None)));
    assert!(matches!(cluster(&landscape, "dev").absent["not-dev"], Absence::NotInstalled(_)));
}

#[test]
fn contracts_pass_values_and_secrets_in_order() {
    let text = [
        "# landscape.yaml\napiVersion: landskap.io/v1alpha1\nkind: Landscape\nname: platform\nsecretSources: [{env: {prefix: '{cluster}_'}}]\n".into(),
        "# clusters/dev/cluster.yaml\napiVersion: landskap.io/v1alpha1\nkind: Cluster\nname: dev\nlabels: {ring: canary}\nprovides: {mail: {host: !tera '\"smtp.\" ~ cluster.name', secrets: {mail: smtp}}}\n".into(),
        shared("zz-store", "clusterSelector: {matchLabels: {name: dev}}", "provides: {store: {url: !tera 'http://{{ release.name }}.{{ component.namespace }}', port: !tera 80 + 6, secrets: {password: writer}}}\n"),
        shared("proxy", "clusterSelector: {matchLabels: {name: dev}}", "requires: [store]\nprovides: {front: {url: !tera contracts.store.url}}\n"),
        shared("app", "clusterSelector: {matchLabels: {name: dev}}", "requires: {front: {}, mail: {}, store: {order: false}, nothing: {optional: true}, fronts: {many: true, optional: true}}\nsecrets: [own]\nconfiguration:\n  url: !tera contracts.front.url\n  mail: !tera contracts.mail\n  port: !tera contracts.store.port\n  nothing: !tera contracts.nothing\n  fronts: !tera contracts.fronts\n  password: !secret app-password\n"),
        shared("other", "clusterSelector: {matchLabels: {name: prod}}", "provides: {nothing: {}, fronts: {}}\n"),
    ]
    .concat();
    let landscape = Loaded::sound(&text);
    assert_eq!(names(&landscape, "dev"), ["zz-store", "proxy", "app"]);
    let app = component(&landscape, "dev", "app");
    assert_eq!(
        app.values.to_json(),
        json!({"url": "http://zz-store.apps", "mail": {"host": "smtp.dev"}, "port": 86, "nothing": null, "fronts": [],
               "password": "app-password"})
    );
    let tag = app.values.get("password").and_then(|n| n.tag.as_ref()).map(|t| t.name.as_str());
    assert_eq!(tag, Some("!secret"));
    let secrets: Vec<(&str, &str)> =
        app.secrets.iter().map(|(k, u)| (k.as_str(), u.lookup.as_str())).collect();
    assert_eq!(secrets, [("mail", "smtp"), ("own", "own"), ("password", "writer")]);
    assert_eq!(app.after.iter().collect::<Vec<_>>(), ["proxy"]);
    assert_eq!(app.requires["mail"].providers, [None]);
    assert_eq!(app.requires["store"].providers, [Some("zz-store".to_owned())]);
    assert_eq!(cluster(&landscape, "dev").secret_sources, [SecretSource::Env { prefix: "DEV_".into() }]);
    let history = &explain_value(app, &["url".into()])[0];
    assert_eq!((history.0, &history.1[0].value), ("url", &json!("http://zz-store.apps")));
}

#[test]
fn many_providers_are_a_list() {
    let offer = |name: &str| {
        shared(name, "clusterSelector: {}", &format!("provides: {{source: {{name: {name}}}}}\n"))
    };
    let text = [
        offer("b"),
        offer("a"),
        shared("c", "clusterSelector: {}", "requires: {source: {many: true}}\nconfiguration: {all: !tera contracts.source}\n"),
        shared("d", "clusterSelector: {}", "requires: {source: {from: b}}\nconfiguration: {one: !tera contracts.source.name}\n"),
        "# clusters/prod/b.yaml\nname: b\nprovides: {source: null}\n# clusters/prod/d.yaml\nname: d\ninstalled: false\n".into(),
    ]
    .concat();
    let landscape = Loaded::sound(&text);
    let all = |cluster: &str| component(&landscape, cluster, "c").values.to_json();
    assert_eq!(all("dev"), json!({"all": [{"name": "a"}, {"name": "b"}]}));
    assert_eq!(all("prod"), json!({"all": [{"name": "a"}]}));
    assert_eq!(component(&landscape, "dev", "d").values.to_json(), json!({"one": "b"}));
}

#[test]
fn other_fields_come_through() {
    let text = [
        "# landscape.yaml\napiVersion: landskap.io/v1alpha1\nkind: Landscape\nname: platform\ndefaults: {wait: {timeout: 90s}, health: [{apiVersion: v1, kind: A, current: 'true'}]}\nlimits: {components: 3, objects: 12.5%}\nnamespaces: {apps: {labels: {a: b}}}\n".into(),
        shared("app", "clusterSelector: {}", "suspend: {reason: INC-1, until: 2027-01-31}\nadopt: unowned\nformerly: [old]\ncrds: skip\nsecretName: mine\npatches: [{target: {kind: Pod}, patch: [{op: add, path: /a, value: !tera cluster.name}]}]\nignoreDifferences: [{kind: Deployment, paths: [/spec/replicas]}]\nhealth: [{apiVersion: v1, kind: B, current: 'true'}]\n"),
        "# clusters/prod/app.yaml\nname: app\nwait: {timeout: 1h30m}\nrelease: {name: app-prod, version: '2'}\npatches: [{target: {kind: Pod}, patch: {b: 1}}]\n".into(),
    ]
    .concat();
    let landscape = Loaded::sound(&text);
    let (dev, prod) = (component(&landscape, "dev", "app"), component(&landscape, "prod", "app"));
    assert_eq!((dev.wait.timeout.as_secs(), prod.wait.timeout.as_secs()), (90, 5400));
    assert_eq!(
        dev.suspend.as_ref().map(|s| (s.reason.as_str(), s.until.map(|d| d.to_string()))),
        Some(("INC-1", Some("2027-01-31".into())))
    );
    assert_eq!((dev.adopt, dev.skip_crds, dev.secret_name.as_str()), (Adopt::Unowned, true, "mine"));
    assert_eq!(dev.formerly, ["old"]);
    assert_eq!(dev.health.iter().map(|h| h.kind.as_str()).collect::<Vec<_>>(), ["A", "B"]);
    assert_eq!(dev.ignore_differences[0].paths, ["/spec/replicas"]);
    assert_eq!(prod.release_name, "app-prod");
    assert!(
        matches!(&prod.source, ComponentSource::Chart { reference, version: Some(v), .. } if reference == "charts/app" && v == "2")
    );
    let bodies = |c: &Component| c.patches.iter().map(|p| p.body.to_json()).collect::<Vec<_>>();
    assert_eq!(bodies(prod), [json!([{"op": "add", "path": "/a", "value": "prod"}]), json!({"b": 1})]);
    let prod = cluster(&landscape, "prod");
    assert_eq!((prod.limits.components, prod.limits.objects), (3, 0.125));
    assert_eq!(prod.namespaces["apps"].labels["a"], "b");
    assert_eq!(prod.values, json!({"domain": "prod.example"}));
}

#[test]
fn all_problems_are_said_at_once() {
    problems(
        &[
            shared(
                "a",
                "clusterSelector: {matchLabels: {rin: stable}}",
                "wait: {timout: 5m}\nadopt: unmanaged\n",
            ),
            shared(
                "b",
                "clusterSelector: {matchExpressions: [{key: ring, operator: In, values: [stabel]}]}",
                "environments: {prod: {}}\n",
            ),
            shared("c", "clusterSelector: {}", "requires: [x]\n"),
        ]
        .concat(),
        &[
            ("unknown-label", "components/a.yaml:3:33", "`rin`"),
            ("unknown-field", "components/a.yaml:5:8", "`timout` in `wait`"),
            ("invalid-value", "components/a.yaml:6:8", "`unmanaged`"),
            ("unknown-label", "components/b.yaml:3:73", "`ring: stabel`"),
            ("unknown-environment", "components/b.yaml:5:16", "`prod`"),
            ("unknown-contract", "components/c.yaml:5:12", "`x`"),
        ],
    );
}

#[test]
fn a_problem_of_several_clusters_is_said_once() {
    problems(
        &shared("app", "clusterSelector: {}", "configuration: {a: !tera cluster.nowhere}\n"),
        &[("template-error", "components/app.yaml:5:34", "(clusters `dev`, `prod`)")],
    );
}

#[test]
fn what_depends_on_something_broken_is_broken_without_a_word() {
    let loaded = load(
        &[
            shared("store", "clusterSelector: {}", "provides: {store: {}}\nwrong: 1\n"),
            shared("app", "clusterSelector: {}", "requires: [store]\n"),
            shared("fine", "clusterSelector: {}", ""),
        ]
        .concat(),
    );
    assert_eq!(loaded.problems.iter().map(|p| p.code).collect::<Vec<_>>(), ["unknown-field"]);
    let landscape = loaded.landscape.expect("what is sound");
    assert_eq!(names(&landscape, "dev"), ["fine"]);
    assert_eq!(cluster(&landscape, "dev").broken.keys().collect::<Vec<_>>(), ["app", "store"]);
}

#[test]
fn the_vocabulary_binds_clusters_and_selectors() {
    let vocabulary = "# landscape.yaml\napiVersion: landskap.io/v1alpha1\nkind: Landscape\nname: platform\nlabels: {ring: [dev, stable]}\n";
    let ahead = shared(
        "app",
        "clusterSelector: {}",
        "overrides: [{clusterSelector: {matchLabels: {ring: dev}}, configuration: {a: 1}}]\n",
    );
    problems(
        &format!("{vocabulary}{ahead}"),
        &[("unknown-label", "clusters/dev/cluster.yaml:5:16", "`canary`")],
    );
}

#[test]
fn manifests_and_charts_beside_components_are_none() {
    let text = "# components/policies/policies.yaml
name: policies
namespace: kube-system
clusterSelector: {}
manifests: [objects/, ../more.yaml]
# components/policies/objects/a.yaml
kind: ConfigMap
---
kind: ConfigMap
# components/more.yaml
not: [a component
# components/chart/Chart.yaml
name: chart
# components/chart/values.yaml
a: 1
";
    let landscape = Loaded::sound(text);
    let ComponentSource::Manifests { paths } = &component(&landscape, "dev", "policies").source else {
        unreachable!("it has manifests")
    };
    let paths: Vec<&str> = paths.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(paths, ["components/policies/objects", "components/more.yaml"]);
}

#[test]
fn a_cycle_is_a_path_with_its_lines() {
    let loaded = load(
        &[
            shared("a", "clusterSelector: {}", "dependsOn: [b]\nprovides: {x: {}}\n"),
            shared("b", "clusterSelector: {}", "requires: [x]\n"),
        ]
        .concat(),
    );
    assert_eq!(
        loaded.said(),
        ["cycle components/a.yaml:5:13 components wait for each other: `a → b → a` (clusters `dev`, `prod`)"]
    );
    let places: Vec<String> = loaded.problems[0]
        .labels
        .iter()
        .map(|l| format!("{} {}", loaded.files.place(l.span), l.message))
        .collect();
    assert_eq!(
        places,
        ["components/a.yaml:5:13 `a` depends on `b`", "components/b.yaml:5:12 `b` requires `x` of `a`"]
    );
}

#[test]
fn schemas_name_every_field_with_its_meaning() {
    for (name, schema) in schemas() {
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema", "{name}");
        assert_eq!(schema["additionalProperties"], false, "{name}");
        for (field, property) in schema["properties"].as_object().expect("properties") {
            assert!(property["description"].is_string(), "{name}: {field}");
        }
    }
}
