//! Carrying plans out on a real API server: what is written, in which order, what is left behind when things go
//! wrong.

use std::collections::BTreeSet;
use std::time::Duration;

use landskap::apply::{ComponentResult, Event, Interruption, ObjectEvent};
use landskap::diagnostic::{Files, Span};
use landskap::landscape::HealthRule;
use landskap::object::Expression;
use landskap::plan::inventory::{Entry, Phase, State};
use landskap::plan::{self, Live, Operation};
use serde_json::{Value, json};

use crate::support::cluster::{self, send};
use crate::support::scene::Scene;

/// The path of an object of the core group in a namespace.
fn path(object: &Value) -> String {
    let plural = match object["kind"].as_str().unwrap() {
        "ConfigMap" => "configmaps",
        "Secret" => "secrets",
        other => panic!("{other}"),
    };
    let text = |key: &str| object["metadata"][key].as_str().unwrap();
    format!("/api/v1/namespaces/{}/{plural}/{}", text("namespace"), text("name"))
}

async fn patch(object: &Value, body: Value) {
    send(&cluster::admin().await, http::Method::PATCH, &path(object), body).await.unwrap();
}

#[tokio::test]
async fn a_second_apply_writes_nothing() {
    let mut scene = Scene::new("twice").await;
    let maps: Vec<Value> = (0..3).map(|i| scene.config_map(&format!("m{i}"), "x")).collect();
    let mut objects = maps.clone();
    objects.push(scene.deployment("web", None));
    scene.component("base", objects);

    let ran = scene.apply().await.well();
    assert_eq!(ran.of("base"), &ComponentResult::Applied);
    assert_eq!(ran.outcome.components[0].counts.created, 4);
    let Event::Announced { components } = &ran.events[0] else { panic!("{:?}", ran.events[0]) };
    assert_eq!((components[0].objects, components[0].writes), (4, 4));
    let inventory = scene.inventories().await.remove("base").unwrap();
    assert_eq!(inventory.phase, Phase::Idle);
    assert_eq!(inventory.entries.len(), 4);
    assert!(inventory.entries.values().all(|entry| entry.state == State::Owned && entry.uid.is_some()));

    let ran = scene.apply().await.well();
    assert_eq!(ran.of("base"), &ComponentResult::Unchanged, "{:#?}", scene.plan().await.plan);
    assert_eq!(ran.outcome.writes, 0);
    assert_eq!(scene.inventories().await["base"], inventory, "not even the record");
}

#[tokio::test]
async fn a_deployment_is_remembered_as_its_controller_has_left_it() {
    let mut scene = Scene::new("memory").await;
    scene.component("base", vec![scene.deployment("web", None)]);
    let planned = scene.plan().await;
    scene.carry_out(&planned).await.well();
    let entry = scene.inventories().await["base"].entries.values().next().cloned().unwrap();
    let memory = entry.memory.unwrap();
    let object = &planned.desired.components[0].objects[0];
    let live = Live(scene.live(&object.body).await.unwrap());
    assert!(
        live.annotation("deployment.kubernetes.io/revision").is_some(),
        "the controller has written to it"
    );
    assert_eq!(plan::remember(object, &live, 0, memory.at), Some(memory), "it still holds");
}

#[tokio::test]
async fn a_removal_deletes_exactly_its_objects() {
    let mut scene = Scene::new("removal").await;
    let names = ["a1", "a2", "b1", "b2"];
    let [a1, a2, b1, b2] = names.map(|name| scene.config_map(name, "x"));
    let stranger = scene.config_map("stranger", "x");
    let admin = cluster::admin().await;
    let collection = format!("/api/v1/namespaces/{}/configmaps", scene.corner.namespace);
    cluster::post(&admin, &collection, stranger.clone()).await;
    scene.component("a", vec![a1.clone(), a2.clone()]);
    scene.component("b", vec![b1.clone(), b2.clone()]);
    scene.apply().await.well();
    let before = [scene.live(&a1).await, scene.live(&stranger).await];

    scene.component("a", vec![a1.clone()]);
    scene.remove("b");
    let ran = scene.apply().await.well();
    assert_eq!(ran.of("b"), &ComponentResult::Removed);
    let deleted: BTreeSet<String> = ran
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Object { object, what: ObjectEvent::Deleted, .. } => Some(object.name.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(deleted, ["a2", "b1", "b2"].map(String::from).into());
    for gone in [&a2, &b1, &b2] {
        assert_eq!(scene.live(gone).await, None);
    }
    assert_eq!([scene.live(&a1).await, scene.live(&stranger).await], before, "untouched");
    let inventories = scene.inventories().await;
    assert_eq!(inventories.keys().collect::<Vec<_>>(), ["a"], "an empty inventory goes last");
    assert_eq!(inventories["a"].entries.len(), 1);
    assert_eq!(scene.apply().await.well().outcome.writes, 0);
}

#[tokio::test]
async fn an_object_that_moves_is_handed_over() {
    let mut scene = Scene::new("handover").await;
    let (moving, staying) = (scene.config_map("moving", "x"), scene.config_map("staying", "x"));
    scene.component("old", vec![moving.clone(), staying.clone()]);
    scene.apply().await.well();
    let before = scene.live(&moving).await.unwrap();

    scene.component("old", vec![staying]);
    scene.component("new", vec![moving.clone()]).after.insert("old".into());
    let ran = scene.apply().await.well();
    let after = scene.live(&moving).await.unwrap();
    assert_eq!(after["metadata"]["uid"], before["metadata"]["uid"], "not made again");
    assert_eq!(after["metadata"]["labels"]["landskap.io/component"], "new");
    assert!(!ran.events.iter().any(|e| matches!(e, Event::Object { what: ObjectEvent::Deleted, .. })));
    let inventories = scene.inventories().await;
    let lists = |name: &str| inventories[name].entries.values().any(|entry| entry.reference.name == "moving");
    assert!(lists("new") && !lists("old"), "{inventories:#?}");
    assert_eq!(scene.apply().await.well().outcome.writes, 0);
}

#[tokio::test]
async fn a_former_name_hands_its_inventory_over() {
    let mut scene = Scene::new("formerly").await;
    let map = scene.config_map("m", "x");
    scene.component("before", vec![map.clone()]);
    scene.apply().await.well();
    let uid = scene.live(&map).await.unwrap()["metadata"]["uid"].clone();
    scene.remove("before");
    scene.component("now", vec![map.clone()]).formerly.push("before".into());
    scene.apply().await.well();
    assert_eq!(scene.live(&map).await.unwrap()["metadata"]["uid"], uid);
    assert_eq!(scene.inventories().await.into_keys().collect::<Vec<_>>(), ["now"]);
    assert_eq!(scene.apply().await.well().outcome.writes, 0);
}

#[tokio::test]
async fn a_definition_its_namespace_and_its_objects_come_in_one_plan() {
    let mut scene = Scene::new("defined").await;
    let group = format!("{}.example.test", scene.corner.landscape);
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("things.{group}")},
        "spec": {
            "group": group, "scope": "Namespaced",
            "names": {"kind": "Thing", "plural": "things", "singular": "thing", "listKind": "ThingList"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {
                "type": "object", "properties": {"spec": {"type": "object", "properties": {
                    "size": {"type": "integer", "maximum": 3}}}}}}}],
        },
    });
    let namespace = format!("{}-made", scene.corner.namespace);
    let thing = |size: i64| {
        json!({
            "apiVersion": format!("{group}/v1"), "kind": "Thing",
            "metadata": {"name": "t", "namespace": namespace}, "spec": {"size": size},
        })
    };
    // The objects stand before their definition, and in another component: the order is ours to find.
    scene.component("uses", vec![thing(9)]).namespace.clone_from(&namespace);
    scene.component("defines", vec![definition.clone()]);
    let ran = scene.apply().await;
    assert!(ran.reasons("uses").contains("should be less than or equal to 3"), "{:?}", ran.of("uses"));
    assert_eq!(ran.of("defines"), &ComponentResult::Applied, "another component does not care");
    assert_eq!(scene.live(&thing(9)).await, None, "refused before the first write");

    scene.component("uses", vec![thing(3)]).namespace.clone_from(&namespace);
    scene.apply().await.well();
    assert_eq!(scene.live(&thing(3)).await.unwrap()["spec"]["size"], 3);
    assert_eq!(scene.apply().await.well().outcome.writes, 0);

    let admin = cluster::admin().await;
    let crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    send(&admin, http::Method::DELETE, &format!("{crds}/things.{group}"), json!({})).await.unwrap();
    send(&admin, http::Method::DELETE, &format!("/api/v1/namespaces/{namespace}"), json!({})).await.unwrap();
}

#[tokio::test]
async fn a_failed_component_stops_its_dependents_and_nobody_else() {
    let mut scene = Scene::new("failing").await;
    scene.options.timeout = Some(Duration::from_secs(3));
    let stuck = scene.deployment("stuck", Some("no-such-node"));
    let (needy, free) = (scene.config_map("needy", "x"), scene.config_map("free", "x"));
    scene.component("provider", vec![stuck]);
    scene.component("needy", vec![needy.clone()]).after.insert("provider".into());
    let last = scene.config_map("last", "x");
    scene.component("last", vec![last.clone()]).after.insert("needy".into());
    scene.component("free", vec![free.clone()]);
    let ran = scene.apply().await;
    let reasons = ran.reasons("provider");
    assert!(reasons.contains("is not healthy after 3 s: 0 of 1 replica is"), "{reasons}");
    assert!(reasons.contains("is unschedulable: 0/"), "the reason is in the Pod: {reasons}");
    assert_eq!(ran.of("needy"), &ComponentResult::Skipped { because: "`provider` failed".into() });
    assert_eq!(ran.of("last"), &ComponentResult::Skipped { because: "`needy` was skipped".into() });
    assert_eq!(ran.of("free"), &ComponentResult::Applied);
    assert_eq!((scene.live(&needy).await, scene.live(&last).await), (None, None));
    assert!(scene.live(&free).await.is_some());
    let inventories = scene.inventories().await;
    assert!(inventories.values().all(|inventory| inventory.phase == Phase::Idle), "{inventories:#?}");
    let ready = scene.deployment("stuck", Some("node-1"));
    scene.options.timeout = Some(Duration::from_secs(20));
    scene.component("provider", vec![ready]);
    scene.apply().await.well();
    assert!(scene.live(&last).await.is_some());
}

#[tokio::test]
async fn a_health_rule_decides_in_place_of_the_built_in_one() {
    let mut scene = Scene::new("ruled").await;
    scene.options.timeout = Some(Duration::from_secs(2));
    let rule = HealthRule {
        api_version: "v1".into(),
        kind: "ConfigMap".into(),
        in_progress: None,
        failed: Some(Expression::new("data.data == 'bad'").unwrap()),
        current: Expression::new("data.state == 'ready'").unwrap(),
        span: Span::new(Files::new().add("test", "", false), 0..0),
    };
    let map = scene.config_map("m", "x");
    scene.component("a", vec![map.clone()]).health.push(rule.clone());
    let reasons = scene.apply().await.reasons("a");
    assert!(reasons.contains("the rule `current` has no answer: there is no `state`"), "{reasons}");

    patch(&map, json!({"data": {"state": "ready"}})).await;
    scene.options.timeout = Some(Duration::from_secs(30));
    scene.component("a", vec![scene.config_map("m", "y")]).health.push(rule.clone());
    scene.apply().await.well();
    scene.component("a", vec![scene.config_map("m", "bad")]).health.push(rule);
    let begin = std::time::Instant::now();
    let reasons = scene.apply().await.reasons("a");
    assert!(reasons.ends_with("`data.data == 'bad'` holds, the rule `failed`"), "{reasons}");
    assert!(begin.elapsed() < Duration::from_secs(20), "a failure is not waited for");
}

#[tokio::test]
async fn who_may_only_read_an_object_sees_a_plan_by_structure_and_an_apply_writes_nothing() {
    let mut scene = Scene::new("reader").await;
    let service = |port: u16| {
        json!({
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": "s", "namespace": scene.corner.namespace},
            "spec": {"selector": {"app": "s"}, "ports": [{"port": port}]},
        })
    };
    let (before, after, new) = (service(80), service(81), {
        let mut new = service(80);
        new["metadata"]["name"] = json!("new");
        new
    });
    let map = scene.config_map("m", "x");
    scene.component("a", vec![map.clone(), before.clone()]);
    scene.apply().await.well();

    let (read, write) = (json!(["get", "list", "watch"]), json!(["*"]));
    let rules = json!([
        {"apiGroups": ["*"], "resources": ["*"], "verbs": read},
        {"apiGroups": [""], "resources": ["configmaps", "secrets", "namespaces"], "verbs": write},
        {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": write},
    ]);
    let user = cluster::limited_user(&scene.corner.namespace, json!([]), rules).await;
    scene.client = cluster::connect_to(user.path()).await;
    scene.component("a", vec![scene.config_map("m", "y"), after, new.clone()]);
    let planned = scene.plan().await;
    let of = |name: &str| {
        let actions = &planned.plan.components[0].actions;
        actions.iter().find(|action| action.reference.name == name).unwrap()
    };
    assert_eq!((&of("m").operation, &of("m").forbidden), (&Operation::Update, &None));
    assert_eq!(of("s").operation, Operation::Update);
    let paths: Vec<&str> = of("s").changes.iter().map(|change| change.path.as_str()).collect();
    assert!(!paths.is_empty() && paths.iter().all(|path| path.starts_with(".spec.ports")), "{paths:?}");
    assert_eq!(of("new").operation, Operation::Create { unverified: None });
    for name in ["s", "new"] {
        assert!(of(name).forbidden.as_ref().is_some_and(|reason| reason.contains("cannot ")), "{name}");
    }

    let ran = scene.carry_out(&planned).await;
    assert!(ran.reasons("a").contains("cannot patch resource"), "{:?}", ran.of("a"));
    assert_eq!(scene.live(&map).await.unwrap()["data"]["data"], "x", "what may be written is not, either");
    assert_eq!(scene.live(&new).await, None);
}

#[tokio::test]
async fn a_finalizer_that_holds_an_object_is_named_and_the_object_stays_listed() {
    let mut scene = Scene::new("held").await;
    scene.options.timeout = Some(Duration::from_secs(2));
    let map = scene.config_map("m", "x");
    scene.component("a", vec![map.clone()]);
    scene.component("b", vec![scene.config_map("stays", "x")]);
    scene.apply().await.well();
    patch(&map, json!({"metadata": {"finalizers": ["example.test/hold"]}})).await;
    scene.remove("a");
    let ran = scene.apply().await;
    let reasons = ran.reasons("a");
    assert!(reasons.ends_with("is not gone after 2 s: held by finalizers example.test/hold"), "{reasons}");
    let entry = scene.inventories().await["a"].entries.values().next().cloned().unwrap();
    assert_eq!(entry.state, State::Deleting);

    patch(&map, json!({"metadata": {"finalizers": null}})).await;
    assert_eq!(scene.apply().await.well().of("a"), &ComponentResult::Removed);
    assert_eq!(scene.inventories().await.into_keys().collect::<Vec<_>>(), ["b"]);
}

#[tokio::test]
async fn what_changed_since_the_plan_is_left_alone() {
    let mut scene = Scene::new("raced").await;
    let (made, kept) = (scene.config_map("made", "ours"), scene.config_map("kept", "x"));
    scene.component("a", vec![kept.clone()]);
    scene.apply().await.well();
    scene.component("a", vec![made.clone()]);
    let planned = scene.plan().await;

    // Somebody makes the one object and asks to keep the other while the operator thinks.
    let collection = format!("/api/v1/namespaces/{}/configmaps", scene.corner.namespace);
    let mut theirs = made.clone();
    theirs["data"]["data"] = json!("theirs");
    cluster::post(&cluster::admin().await, &collection, theirs).await;
    let ran = scene.carry_out(&planned).await;
    assert!(ran.reasons("a").contains("somebody else has made it since the plan was made"), "{ran:?}");
    assert_eq!(scene.live(&made).await.unwrap()["data"]["data"], "theirs");
    assert!(scene.live(&kept).await.is_some(), "nothing is removed from a component that failed");

    scene.component("a", vec![scene.config_map("other", "x")]);
    let planned = scene.plan().await;
    patch(&kept, json!({"metadata": {"annotations": {"landskap.io/prune": "disabled"}}})).await;
    let ran = scene.carry_out(&planned).await.well();
    assert!(scene.live(&kept).await.is_some());
    assert_eq!(ran.outcome.components[0].counts.kept, 1);
    let inventory = scene.inventories().await.remove("a").unwrap();
    let key = Entry::key(&landskap::object::ObjectRef::of(&kept).unwrap());
    assert_eq!(inventory.entries[&key].state, State::Kept, "it stays listed");
}

#[tokio::test]
async fn letting_go_leaves_the_objects_without_our_mark() {
    let mut scene = Scene::new("letgo").await;
    let map = scene.config_map("m", "x");
    scene.component("a", vec![map.clone()]);
    scene.apply().await.well();
    scene.remove("a");
    scene.intent.mode =
        landskap::plan::Mode::Delete { components: Some(["a".to_owned()].into()), keep_objects: true };
    scene.apply().await.well();
    let live = scene.live(&map).await.unwrap();
    assert_eq!(live["data"]["data"], "x");
    assert_eq!(live["metadata"].get("labels"), None);
    assert!(scene.inventories().await.is_empty());
}

#[tokio::test]
async fn a_secret_is_in_no_event_and_no_outcome() {
    let mut scene = Scene::new("quiet").await;
    let secret = |value: &str| {
        json!({
            "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls",
            "metadata": {"name": "s", "namespace": scene.corner.namespace},
            "data": {"tls.crt": "aHVudGVyMi1jcnQ=", "tls.key": value},
        })
    };
    let (good, bad) = (secret("aHVudGVyMi1rZXk="), secret("!hunter2-not-base64"));
    scene.component("a", vec![good]);
    let planned = scene.plan().await;
    let ran = scene.carry_out(&planned).await.well();
    let text =
        |ran: &crate::support::scene::Ran| format!("{ran:?} {}", serde_json::to_string(&ran.events).unwrap());
    assert!(!text(&ran).contains("hunter2") && !text(&ran).contains("aHVudGVyMi"), "{ran:?}");
    // The plan was made for a good one; the body is swapped, so that the server refuses it at the last moment.
    let mut planned = planned;
    planned.desired.components[0].objects[0].body["data"] = bad["data"].clone();
    let ran = scene.carry_out(&planned).await;
    assert!(matches!(ran.of("a"), ComponentResult::Failed { .. }), "{ran:?}");
    assert!(!text(&ran).contains("hunter2"), "{ran:?}");
}

#[tokio::test]
async fn a_stopped_run_records_what_it_did_and_the_next_one_goes_on() {
    let mut scene = Scene::new("stopped").await;
    let first = scene.config_map("first", "x");
    let stuck = scene.deployment("stuck", Some("no-such-node"));
    scene.component("a", vec![first.clone(), stuck]);
    let second = scene.config_map("second", "x");
    scene.component("b", vec![second.clone()]).after.insert("a".into());
    let planned = scene.plan().await;
    let stop = scene.stop.clone();
    let stopper = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(1500)).await;
        stop.send(Some(Interruption::Signal)).unwrap();
    });
    let begin = std::time::Instant::now();
    let ran = scene.carry_out(&planned).await;
    stopper.await.unwrap();
    assert!(begin.elapsed() < Duration::from_secs(5), "a wait ends at once");
    assert_eq!(ran.outcome.interrupted, Some(Interruption::Signal));
    assert_eq!(ran.of("a"), &ComponentResult::Interrupted);
    assert_eq!(ran.of("b"), &ComponentResult::Interrupted);
    assert_eq!(scene.live(&second).await, None);
    let inventory = scene.inventories().await.remove("a").unwrap();
    assert_eq!(inventory.phase, Phase::Applying, "a run was cut off here");
    assert!(inventory.entries.values().all(|entry| entry.state == State::Owned), "{inventory:#?}");

    scene.stop.send(None).unwrap();
    scene.component("a", vec![first]);
    scene.apply().await.well();
    assert!(scene.live(&second).await.is_some());
    assert_eq!(scene.inventories().await["a"].phase, Phase::Idle);
}
