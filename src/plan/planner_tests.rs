//! One table per promise of "What an operator can't do by mistake", and the laws of a plan.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::landscape::Adopt;
use crate::object::Discovery;
use crate::plan::desired::DesiredObject;
use crate::plan::fixture::{applied, component, config_map, desired, install, marked, observation};
use crate::plan::inventory::State;
use crate::plan::model::Proof;
use crate::plan::observation::{DryRun, Live, Rejection, Terminating};
use crate::plan::triage::triage;

/// Plans with a server that agrees to everything and adds nothing.
fn planned(desired: &Desired, observation: &Observation, intent: &Intent) -> Plan {
    let triage = triage(desired, observation, 0);
    let dry_runs: DryRuns = desired
        .objects()
        .filter(|object| triage.to_dry_run.contains(&object.reference))
        .map(|object| (object.reference.clone(), DryRun::Applied(applied(object))))
        .collect();
    plan(desired, observation, &triage, &dry_runs, intent, 0)
}

fn codes(plan: &Plan) -> Vec<&str> {
    plan.refusals.iter().map(|refusal| refusal.code.as_str()).collect()
}

fn maps(component: &str, count: usize) -> Vec<DesiredObject> {
    (0..count).map(|n| config_map(component, &format!("{component}-{n}"), json!({"k": "v"}))).collect()
}

fn names(set: &[&str]) -> BTreeSet<String> {
    set.iter().map(|name| (*name).to_owned()).collect()
}

fn stateful_set(component: &str, name: &str) -> DesiredObject {
    marked(
        component,
        json!({
            "apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": name, "namespace": "n"},
            "spec": {"volumeClaimTemplates": [{"metadata": {"name": "data"}}]},
        }),
    )
}

#[test]
fn what_is_there_as_wanted_is_left_alone_and_what_is_not_is_made() {
    let (old, new) = (maps("a", 2), config_map("a", "new", json!({"k": "v"})));
    let mut changed = old[1].clone();
    changed.body["data"]["k"] = "w".into();
    let mut there = observation();
    install(&mut there, "a", &old);
    let wanted = desired(vec![component("a", vec![old[0].clone(), changed, new])]);
    let plan = planned(&wanted, &there, &Intent::default());
    let operations: Vec<_> = plan.components[0].actions.iter().map(|a| a.operation.clone()).collect();
    assert_eq!(
        operations,
        [Operation::Unchanged(Proof::Structure), Operation::Update, Operation::Create { unverified: None },]
    );
    assert_eq!(plan.components[0].actions[1].changes[0].path, ".data.k");
    assert_eq!(codes(&plan), Vec::<&str>::new());
}

#[test]
fn a_cluster_is_known_by_its_record() {
    let wanted = desired(vec![component("a", maps("a", 1))]);
    let mut there = observation();
    assert_eq!(codes(&planned(&wanted, &there, &Intent::default())), Vec::<&str>::new());
    there.cluster_uid = "other".into();
    assert_eq!(codes(&planned(&wanted, &there, &Intent::default())), ["other-cluster"]);
    let mut there = observation();
    if let Some(record) = &mut there.identity {
        record.origin = "https://elsewhere.example".into();
    }
    assert_eq!(codes(&planned(&wanted, &there, &Intent::default())), ["other-origin"]);
    if let Some(record) = &mut there.identity {
        record.cluster = "dev".into();
    }
    assert_eq!(codes(&planned(&wanted, &there, &Intent::default())), ["other-cluster", "other-origin"]);
    there.identity = None;
    assert_eq!(codes(&planned(&wanted, &there, &Intent::default())), ["new-cluster"]);
    let meant = Intent { new_cluster: true, ..Intent::default() };
    let plan = planned(&wanted, &there, &meant);
    assert!(codes(&plan).is_empty() && plan.new_cluster);
}

#[test]
fn only_forward_and_only_what_is_committed() {
    let mut wanted = desired(vec![]);
    wanted.revision = Some("c".repeat(40));
    let check = |wanted: &Desired, intent: Intent| codes(&planned(wanted, &observation(), &intent)).join(" ");
    let contains = |contains_applied| Intent { contains_applied, ..Intent::default() };
    assert_eq!(check(&wanted, contains(Some(true))), "");
    assert_eq!(check(&wanted, contains(Some(false))), "rewind");
    assert_eq!(check(&wanted, contains(None)), "rewind", "unknown is not forward");
    assert_eq!(check(&wanted, Intent { allow_rewind: true, ..contains(Some(false)) }), "");
    assert_eq!(check(&wanted, Intent { dirty: true, ..contains(Some(true)) }), "dirty");
    assert_eq!(check(&wanted, Intent { dirty: true, allow_dirty: true, ..contains(Some(true)) }), "");
    wanted.revision = None;
    assert_eq!(check(&wanted, Intent { dirty: true, ..contains(None) }), "");
}

#[test]
fn removals_beyond_the_limits_must_be_meant() {
    let mut there = observation();
    for name in ["a", "b", "c"] {
        install(&mut there, name, &maps(name, 10));
    }
    let keep = |names: &[&str]| desired(names.iter().map(|name| component(name, maps(name, 10))).collect());
    let check = |wanted: &Desired, intent: &Intent| codes(&planned(wanted, &there, intent)).join(" ");
    assert_eq!(check(&keep(&["a", "b"]), &Intent::default()), "", "one may go");
    assert_eq!(check(&keep(&["a"]), &Intent::default()), "removal-limit");
    let allowed = Intent { allow_removal: names(&["b"]), ..Intent::default() };
    assert_eq!(check(&keep(&["a"]), &allowed), "");
    let mut said = keep(&["a"]);
    said.not_installed = names(&["b", "c"]);
    assert_eq!(check(&said, &Intent::default()), "", "`installed: false` is always meant");
    assert_eq!(check(&keep(&[]), &Intent::default()), "empty-desired removal-limit");
    let everything = Intent { allow_removal: names(&["a", "b", "c"]), ..Intent::default() };
    assert_eq!(check(&keep(&[]), &everything), "empty-desired", "an empty desired set never deletes");

    let part = |count| {
        desired(vec![
            component("a", maps("a", count)),
            component("b", maps("b", 10)),
            component("c", maps("c", 10)),
        ])
    };
    assert_eq!(check(&part(5), &Intent::default()), "", "five are few");
    assert_eq!(check(&part(4), &Intent::default()), "removal-share");
    assert_eq!(check(&part(4), &Intent { allow_removal: names(&["a"]), ..Intent::default() }), "");
    assert_eq!(check(&part(0), &Intent::default()), "empty-desired removal-share");
}

#[test]
fn a_component_that_holds_state_does_not_leave_without_a_word() {
    let mut there = observation();
    install(&mut there, "db", &[stateful_set("db", "db")]);
    install(&mut there, "a", &maps("a", 1));
    let wanted = desired(vec![component("a", maps("a", 1))]);
    let plan = planned(&wanted, &there, &Intent::default());
    assert_eq!(codes(&plan), ["removal-of-state"]);
    assert_eq!(plan.refusals[0].hint, "if you mean it, use `--allow-removal db`");
    let allowed = Intent { allow_removal: names(&["db"]), ..Intent::default() };
    let plan = planned(&wanted, &there, &allowed);
    assert!(codes(&plan).is_empty());
    assert_eq!(plan.components[1].removals[0].decision, Decision::Delete);
}

#[test]
fn another_name_or_namespace_is_a_recreation() {
    let mut there = observation();
    install(&mut there, "db", &[stateful_set("db", "old")]);
    let wanted = desired(vec![component("db", vec![stateful_set("db", "new")])]);
    let plan = planned(&wanted, &there, &Intent::default());
    assert_eq!(codes(&plan), ["recreation"]);
    assert!(plan.refusals[0].message.contains("`data-old-*`"), "{}", plan.refusals[0].message);
    let allowed = Intent { allow_recreate: names(&["db"]), ..Intent::default() };
    assert!(codes(&planned(&wanted, &there, &allowed)).is_empty());

    let mut there = observation();
    there.namespaces.insert("m".into(), Terminating(false));
    install(&mut there, "a", &maps("a", 1));
    let mut moved = maps("a", 1).remove(0);
    moved.reference.namespace = Some("m".into());
    moved.body["metadata"]["namespace"] = "m".into();
    let wanted = desired(vec![component("a", vec![moved])]);
    assert_eq!(codes(&planned(&wanted, &there, &Intent::default())), ["recreation"]);
}

#[test]
fn what_is_not_ours_is_not_taken() {
    let wanted_map = config_map("a", "x", json!({"k": "v"}));
    let with = |change: &dyn Fn(&mut Live), adopt: Adopt| {
        let mut there = observation();
        let mut live = applied(&wanted_map);
        live.0["metadata"]["labels"] = json!({});
        change(&mut live);
        there.live.insert(wanted_map.reference.clone(), live);
        let mut component = component("a", vec![wanted_map.clone()]);
        component.adopt = adopt;
        codes(&planned(&desired(vec![component]), &there, &Intent::default())).join(" ")
    };
    let helm = |live: &mut Live| live.0["metadata"]["labels"]["app.kubernetes.io/managed-by"] = "Helm".into();
    let other = |live: &mut Live| live.0["metadata"]["labels"]["landskap.io/landscape"] = "other".into();
    assert_eq!(with(&|_| {}, Adopt::None), "not-owned");
    assert_eq!(with(&|_| {}, Adopt::Unowned), "");
    assert_eq!(with(&helm, Adopt::Unowned), "not-owned");
    assert_eq!(with(&other, Adopt::Unowned), "not-owned");
}

#[test]
fn removed_labels_do_not_make_an_object_foreign() {
    let map = config_map("a", "x", json!({"k": "v"}));
    let mut there = observation();
    install(&mut there, "a", std::slice::from_ref(&map));
    there.live.get_mut(&map.reference).unwrap().0["metadata"]["labels"] = json!({});
    let plan = planned(&desired(vec![component("a", vec![map.clone()])]), &there, &Intent::default());
    assert!(codes(&plan).is_empty());
    assert_eq!(plan.components[0].actions[0].operation, Operation::Update);
    // But it is not deleted either: an object without our mark is not ours to delete.
    let mut wanted = desired(vec![component("b", maps("b", 1))]);
    wanted.not_installed = names(&["a"]);
    let plan = planned(&wanted, &there, &Intent::default());
    assert_eq!(
        plan.components[1].removals[0].decision,
        Decision::Forget("it no longer carries our mark".into())
    );
}

#[test]
fn an_object_that_moves_between_components_is_handed_over() {
    let map = config_map("a", "x", json!({"k": "v"}));
    let mut there = observation();
    install(&mut there, "a", &[map.clone(), config_map("a", "y", json!({}))]);
    let stays = component("a", vec![config_map("a", "y", json!({}))]);
    let taker = component("b", vec![config_map("b", "x", json!({"k": "v"}))]);
    let plan = planned(&desired(vec![stays.clone(), taker.clone()]), &there, &Intent::default());
    assert!(codes(&plan).is_empty(), "{:?}", plan.refusals);
    assert_eq!(
        plan.components[0].removals[0].decision,
        Decision::Forget("it moves to the component `b`".into())
    );
    assert_eq!(plan.components[1].actions[0].operation, Operation::Update);
    assert_eq!(plan.components[1].actions[0].handed_over_from.as_deref(), Some("a"));
    // The giver alone must not let go of it.
    let only_a = Intent { selected: Some(names(&["a"])), ..Intent::default() };
    let plan = planned(&desired(vec![stays, taker]), &there, &only_a);
    assert!(matches!(plan.components[0].removals[0].decision, Decision::Keep(_)));
}

#[test]
fn a_renamed_component_takes_its_inventory_over() {
    let mut there = observation();
    install(&mut there, "prom", &maps("prom", 3));
    let objects: Vec<_> =
        (0..2).map(|n| config_map("prometheus", &format!("prom-{n}"), json!({"k": "v"}))).collect();
    let mut renamed = component("prometheus", objects);
    renamed.formerly = vec!["prom".into()];
    let plan = planned(&desired(vec![renamed]), &there, &Intent::default());
    assert!(codes(&plan).is_empty(), "{:?}", plan.refusals);
    assert_eq!(plan.components.len(), 1, "nothing leaves");
    let renamed = &plan.components[0];
    assert_eq!(renamed.takes_over, ["prom"]);
    assert!(
        renamed
            .actions
            .iter()
            .all(|a| a.operation == Operation::Update && a.handed_over_from.as_deref() == Some("prom"))
    );
    assert_eq!(renamed.removals.len(), 1);
    assert_eq!(renamed.removals[0].decision, Decision::Delete);
}

#[test]
fn incomplete_knowledge_removes_nothing_and_says_so() {
    let mut complete = observation();
    install(&mut complete, "a", &maps("a", 3));
    let fewer = desired(vec![component("a", maps("a", 2))]);
    let removals = |wanted: &Desired, there: &Observation, intent: &Intent| {
        let plan = planned(wanted, there, intent);
        (plan.components.iter().map(|c| c.removals.len()).sum::<usize>(), plan.removal_off.len())
    };
    assert_eq!(removals(&fewer, &complete, &Intent::default()), (1, 0));
    let mut there = complete.clone();
    there.incomplete.push("may not list".into());
    assert_eq!(removals(&fewer, &there, &Intent::default()), (0, 1));
    let mut there = complete.clone();
    there.discovery.failed.insert("metrics.k8s.io/v1".into());
    assert_eq!(removals(&fewer, &there, &Intent::default()), (0, 1));
    let mut wanted = fewer.clone();
    wanted.incomplete.push("a chart could not be read".into());
    assert_eq!(removals(&wanted, &complete, &Intent::default()), (0, 1));
    assert_eq!(removals(&fewer, &complete, &Intent { no_prune: true, ..Intent::default() }), (0, 1));
}

#[test]
fn protected_marked_and_owned_objects_stay() {
    let volume = marked(
        "a",
        json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "v", "namespace": "n"}}),
    );
    let decide = |object: &DesiredObject, change: &dyn Fn(&mut Live)| {
        let mut there = observation();
        install(&mut there, "a", std::slice::from_ref(object));
        change(there.live.get_mut(&object.reference).unwrap());
        let wanted = desired(vec![component("a", maps("a", 1))]);
        planned(&wanted, &there, &Intent::default()).components[0].removals[0].decision.clone()
    };
    let map = config_map("a", "x", json!({}));
    assert_eq!(decide(&map, &|_| {}), Decision::Delete);
    assert!(matches!(decide(&volume, &|_| {}), Decision::Keep(_)));
    let keep = |live: &mut Live| live.0["metadata"]["annotations"] = json!({"landskap.io/prune": "disabled"});
    assert!(matches!(decide(&map, &keep), Decision::Keep(_)));
    let owned = |live: &mut Live| live.0["metadata"]["ownerReferences"] = json!([{"kind": "X", "name": "x"}]);
    assert!(matches!(decide(&map, &owned), Decision::Keep(_)));
    let foreign = |live: &mut Live| live.0["metadata"]["labels"]["landskap.io/component"] = "z".into();
    assert!(
        matches!(decide(&map, &foreign), Decision::Keep(_)),
        "nobody else lists it: it stays listed here"
    );

    let mut there = observation();
    install(&mut there, "a", std::slice::from_ref(&map));
    install(&mut there, "z", &[config_map("z", "x", json!({}))]);
    let wanted = desired(vec![component("a", maps("a", 1)), component("z", Vec::new())]);
    let plan = planned(&wanted, &there, &Intent::default());
    assert_eq!(
        plan.components[0].removals[0].decision,
        Decision::Forget("it belongs to the component `z` now".into())
    );
}

#[test]
fn what_a_former_name_marked_stays_listed_and_is_deletable() {
    // `prom` was renamed; its inventory is gone, and one object of it was kept with the old mark.
    let kept = config_map("prom", "kept", json!({}));
    let mut there = observation();
    install(&mut there, "prometheus", std::slice::from_ref(&kept));
    let renamed = |formerly: &[&str]| {
        let mut renamed = component("prometheus", maps("prometheus", 1));
        renamed.formerly = formerly.iter().map(|name| (*name).to_owned()).collect();
        desired(vec![renamed])
    };
    let plan = planned(&renamed(&["prom"]), &there, &Intent::default());
    assert_eq!(codes(&plan), Vec::<&str>::new(), "an object that another inventory lists is not missing one");
    assert_eq!(plan.components[0].removals[0].decision, Decision::Delete);
    assert_eq!(plan.components[0].formerly, ["prom"]);
    let plan = planned(&renamed(&[]), &there, &Intent::default());
    assert!(matches!(plan.components[0].removals[0].decision, Decision::Keep(_)));
}

#[test]
fn a_deletion_reaches_what_a_rename_would_take_over() {
    let mut there = observation();
    install(&mut there, "prom", &maps("prom", 2));
    let mut renamed = component("prometheus", maps("prometheus", 1));
    renamed.formerly = vec!["prom".into()];
    let everything =
        Intent { mode: Mode::Delete { components: None, keep_objects: false }, ..Intent::default() };
    let plan = planned(&desired(vec![renamed]), &there, &everything);
    assert_eq!(plan.components.len(), 1);
    assert!(plan.components[0].removals.iter().all(|r| r.decision == Decision::Delete));
}

#[test]
fn only_what_may_be_deleted_is_made_again() {
    let map = config_map("a", "x", json!({"k": "w"}));
    let operation = |change: &dyn Fn(&mut Live)| {
        let mut there = observation();
        install(&mut there, "a", &[config_map("a", "x", json!({"k": "v"}))]);
        change(there.live.get_mut(&map.reference).unwrap());
        let mut component = component("a", vec![map.clone()]);
        component.adopt = Adopt::Unowned;
        let wanted = desired(vec![component]);
        let cause = crate::plan::Cause {
            reason: "FieldValueInvalid".into(),
            field: "data".into(),
            message: "Forbidden: field is immutable".into(),
        };
        let rejection = Rejection {
            code: 422,
            reason: "Invalid".into(),
            message: "is invalid".into(),
            causes: vec![cause],
        };
        let dry_runs = DryRuns::from([(map.reference.clone(), DryRun::Rejected(rejection))]);
        let intent = Intent { allow_recreate: names(&["a"]), ..Intent::default() };
        plan(&wanted, &there, &triage(&wanted, &there, 0), &dry_runs, &intent, 0).components[0].actions[0]
            .operation
            .clone()
    };
    assert!(matches!(operation(&|_| {}), Operation::Recreate { .. }));
    let unmarked = |live: &mut Live| live.0["metadata"]["labels"] = json!({});
    let kept =
        |live: &mut Live| live.0["metadata"]["annotations"] = json!({"helm.sh/resource-policy": "keep"});
    let owned = |live: &mut Live| live.0["metadata"]["ownerReferences"] = json!([{"kind": "X", "name": "x"}]);
    for change in [&unmarked as &dyn Fn(&mut Live), &kept, &owned] {
        assert!(matches!(operation(change), Operation::Blocked { .. }));
    }
}

#[test]
fn one_object_under_two_groups_is_not_deleted() {
    let old = marked(
        "a",
        json!({"apiVersion": "extensions/v1", "kind": "Ingress", "metadata": {"name": "i", "namespace": "n"}}),
    );
    let new = marked(
        "a",
        json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "i", "namespace": "n"}}),
    );
    let mut there = observation();
    for group in ["extensions", "networking.k8s.io"] {
        let template = there.discovery.resources.values().next().unwrap().clone();
        there.discovery.resources.insert(crate::object::GroupKind::new(group, "Ingress"), template);
    }
    install(&mut there, "a", &[old, new.clone()]);
    let plan = planned(&desired(vec![component("a", vec![new])]), &there, &Intent::default());
    assert!(matches!(plan.components[0].removals[0].decision, Decision::Forget(_)));
}

#[test]
fn a_missing_inventory_is_not_guessed() {
    let mut there = observation();
    install(&mut there, "a", &maps("a", 2));
    there.inventories.clear();
    let wanted = desired(vec![component("a", maps("a", 2))]);
    let plan = planned(&wanted, &there, &Intent::default());
    assert_eq!(codes(&plan), ["inventory-missing"]);
    assert_eq!(plan.refusals[0].objects.len(), 2);
    // Labels copied by a controller don't count.
    for live in there.live.values_mut() {
        live.0["metadata"]["managedFields"] = json!([]);
    }
    assert!(codes(&planned(&wanted, &there, &Intent::default())).is_empty());
}

#[test]
fn delete_removes_what_it_names_and_nothing_that_git_installs() {
    let mut there = observation();
    install(&mut there, "a", &maps("a", 2));
    install(&mut there, "b", &maps("b", 2));
    there.inventories.get_mut("b").unwrap().after = names(&["a"]);
    let wanted = desired(vec![component("b", maps("b", 2))]);
    let delete = |components: Option<&[&str]>, keep_objects| Intent {
        mode: Mode::Delete { components: components.map(names), keep_objects },
        ..Intent::default()
    };
    let plan = planned(&wanted, &there, &delete(Some(&["a"]), false));
    assert!(codes(&plan).is_empty());
    assert_eq!(plan.components.len(), 1);
    assert!(plan.components[0].removals.iter().all(|r| r.decision == Decision::Delete));
    assert_eq!(codes(&planned(&wanted, &there, &delete(Some(&["b"]), false))), ["still-installed"]);
    let plan = planned(&wanted, &there, &delete(None, false));
    assert!(codes(&plan).is_empty());
    assert_eq!(
        plan.components.iter().map(|c| c.name.as_str()).collect::<Vec<_>>(),
        ["b", "a"],
        "dependents first"
    );
    assert_eq!(plan.components[1].after, names(&["b"]));
    let plan = planned(&wanted, &there, &delete(Some(&["a"]), true));
    assert!(plan.components[0].removals.iter().all(|r| r.decision == Decision::Release));
    let mut blind = there.clone();
    blind.incomplete.push("may not list".into());
    assert_eq!(codes(&planned(&wanted, &blind, &delete(None, false))), ["removal-off"]);
}

#[test]
fn a_typo_never_recreates() {
    let old = stateful_set("db", "db");
    let mut there = observation();
    install(&mut there, "db", std::slice::from_ref(&old));
    let mut changed = old.clone();
    changed.body["spec"]["serviceName"] = "x".into();
    changed.body["metadata"]["annotations"] = json!({"landskap.io/recreate": "allowed"});
    let operation = |messages: &[&str], allow: &[&str]| {
        let wanted = desired(vec![component("db", vec![changed.clone()])]);
        let cause = |message: &&str| crate::plan::Cause {
            reason: "FieldValueInvalid".into(),
            field: "spec.serviceName".into(),
            message: (*message).into(),
        };
        let rejection = Rejection {
            code: 422,
            reason: "Invalid".into(),
            message: "is invalid".into(),
            causes: messages.iter().map(cause).collect(),
        };
        let dry_runs = DryRuns::from([(changed.reference.clone(), DryRun::Rejected(rejection))]);
        let intent = Intent { allow_recreate: names(allow), ..Intent::default() };
        plan(&wanted, &there, &triage(&wanted, &there, 0), &dry_runs, &intent, 0).components[0].actions[0]
            .operation
            .clone()
    };
    let immutable = "Forbidden: field is immutable";
    assert!(matches!(operation(&[immutable], &["db"]), Operation::Recreate { .. }));
    assert!(
        matches!(operation(&[immutable], &[]), Operation::Blocked { .. }),
        "a StatefulSet needs both words"
    );
    assert!(matches!(operation(&[immutable, "Unsupported value"], &["db"]), Operation::Blocked { .. }));
}

#[test]
fn what_waits_for_this_plan_is_unverified_and_the_rest_is_blocked() {
    let inside = |namespace: &str| {
        marked(
            "a",
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x", "namespace": namespace}}),
        )
    };
    let custom = marked(
        "a",
        json!({"apiVersion": "example.org/v1", "kind": "Widget", "metadata": {"name": "w", "namespace": "n"}}),
    );
    let definition = marked(
        "a",
        json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "widgets.example.org"},
            "spec": {"group": "example.org", "names": {"kind": "Widget"}, "versions": [{"name": "v1", "served": true}]},
        }),
    );
    let operation = |namespace: &str, objects: Vec<DesiredObject>| {
        let mut component = component("a", objects);
        component.namespace = namespace.into();
        let plan = planned(&desired(vec![component]), &observation(), &Intent::default());
        let last = plan.components[0].actions.last().unwrap().operation.clone();
        (last, plan.namespaces.len())
    };
    assert!(matches!(operation("new", vec![inside("new")]), (Operation::Create { unverified: Some(_) }, 1)));
    assert!(matches!(operation("n", vec![inside("nowhere")]), (Operation::Blocked { .. }, 0)));
    assert!(matches!(operation("n", vec![custom.clone()]), (Operation::Blocked { .. }, 0)));
    assert!(matches!(
        operation("n", vec![definition, custom]),
        (Operation::Create { unverified: Some(_) }, 0)
    ));
}

#[test]
fn what_may_not_be_asked_is_planned_by_structure() {
    let map = |value: &str| config_map("a", "m", json!({"k": value}));
    let secret = |value: &str| {
        marked(
            "a",
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "n"}, "data": {"k": value}}),
        )
    };
    let mut there = observation();
    install(&mut there, "a", &[map("old"), secret("aHVudGVy")]);
    let planned = |object: DesiredObject, there: &Observation| {
        let mut triage = triage(&desired(vec![component("a", vec![object.clone()])]), there, 0);
        triage.unchanged.clear();
        let rejection = Rejection {
            code: 403,
            reason: "Forbidden".into(),
            message: "it is forbidden: User \"u\" cannot patch resource".into(),
            causes: Vec::new(),
        };
        let dry_runs = DryRuns::from([(object.reference.clone(), DryRun::Rejected(rejection))]);
        let wanted = desired(vec![component("a", vec![object])]);
        let plan = plan(&wanted, there, &triage, &dry_runs, &Intent::default(), 0);
        plan.components[0].actions[0].clone()
    };
    let changed = planned(map("new"), &there);
    assert_eq!(changed.operation, Operation::Update);
    assert!(changed.forbidden.is_some_and(|reason| reason.contains("cannot patch")));
    assert_eq!((changed.changes[0].path.as_str(), changed.changes.len()), (".data.k", 1));
    let same = planned(map("old"), &there);
    assert_eq!((same.operation, same.forbidden), (Operation::Unchanged(Proof::Declared), None));
    let masked = planned(secret("aHVudGVyMg=="), &there);
    assert_eq!(masked.operation, Operation::Update);
    assert!(!serde_json::to_string(&masked).unwrap().contains("aHVudGVy"), "{masked:?}");
    let mut nothing = observation();
    nothing.inventories.clear();
    let made = planned(map("new"), &nothing);
    assert_eq!(made.operation, Operation::Create { unverified: None });
    assert!(made.forbidden.is_some());
}

proptest! {
    /// A fully applied state needs nothing; what is removed was listed, marked, and is wanted by nobody.
    #[test]
    fn laws(
        wanted in prop::collection::vec((0..3_usize, 0..8_usize), 0..12),
        listed in prop::collection::vec((0..3_usize, 0..8_usize, any::<bool>()), 0..12),
        unlisted in prop::collection::vec(0..8_usize, 0..4),
    ) {
        let component_names = ["a", "b", "c"];
        let map = |component: &str, n: usize| config_map(component, &format!("m{n}"), json!({"k": "v"}));
        let mut by: Vec<Vec<DesiredObject>> = vec![Vec::new(); 3];
        let mut seen = BTreeSet::new();
        for (c, n) in &wanted {
            if seen.insert(*n) {
                by[*c].push(map(component_names[*c], *n));
            }
        }
        let desired = desired(by.iter().zip(component_names).map(|(o, name)| component(name, o.clone())).collect());

        let mut settled = observation();
        for component in &desired.components {
            install(&mut settled, &component.name, &component.objects);
        }
        let plan = planned(&desired, &settled, &Intent::default());
        prop_assert!(plan.is_empty());
        prop_assert!(plan.refusals.is_empty());

        let mut there = observation();
        let mut seen = BTreeSet::new();
        for (c, n, is_marked) in &listed {
            if seen.insert(*n) {
                install(&mut there, component_names[*c], &[map(component_names[*c], *n)]);
                if !is_marked {
                    there.live.get_mut(&map("a", *n).reference).unwrap().0["metadata"]["labels"] = json!({});
                }
            }
        }
        for n in unlisted {
            let object = map("a", n);
            there.live.entry(object.reference.clone()).or_insert_with(|| applied(&object));
        }
        let plan = planned(&desired, &there, &Intent::default());
        let wanted = desired.wanted();
        for component in &plan.components {
            for removal in component.removals.iter().filter(|r| r.decision == Decision::Delete) {
                let inventory = &there.inventories[&component.name];
                prop_assert!(inventory.entries.values().any(|entry| entry.reference == removal.reference && entry.state == State::Owned));
                prop_assert!(!wanted.contains_key(&removal.reference));
                prop_assert_eq!(there.live[&removal.reference].label("landskap.io/component"), Some(component.name.as_str()));
                prop_assert!(removal.live.is_some());
            }
        }
        let text = serde_json::to_string(&plan).unwrap();
        prop_assert_eq!(serde_json::from_str::<Plan>(&text).unwrap(), plan);
    }
}

/// A kind that is gone is forgotten only if discovery says so in full, in two runs.
#[test]
fn a_vanished_kind_is_forgotten_only_when_everything_is_known() {
    let widget = marked(
        "a",
        json!({"apiVersion": "example.org/v1", "kind": "Widget", "metadata": {"name": "w", "namespace": "n"}}),
    );
    let mut there = observation();
    install(&mut there, "a", &[widget]);
    there.live.clear();
    let wanted = desired(vec![component("a", maps("a", 1))]);
    let removals =
        |there: &Observation| planned(&wanted, there, &Intent::default()).components[0].removals.clone();
    assert!(matches!(removals(&there)[0].decision, Decision::Keep(_)), "one API server may be late");
    for entry in there.inventories.get_mut("a").unwrap().entries.values_mut() {
        entry.state = State::Kept;
    }
    assert!(matches!(removals(&there)[0].decision, Decision::Forget(_)), "the second run in a row");
    there.discovery = Discovery { failed: names(&["example.org/v1"]), ..there.discovery };
    assert!(removals(&there).is_empty());
}
