//! A saved plan holds until anything that it rests on moves.

use serde_json::json;

use super::*;
use crate::plan::fixture::{applied, component, config_map, desired, install, marked, observation};
use crate::plan::intent::Intent;
use crate::plan::observation::{DryRun, DryRuns};
use crate::plan::{plan, triage};

fn world() -> (Desired, Observation, Plan) {
    let old = config_map("a", "old", json!({"k": "v"}));
    let mut changed = config_map("a", "changed", json!({"k": "v"}));
    let mut there = observation();
    install(&mut there, "a", &[old.clone(), changed.clone(), config_map("a", "gone", json!({}))]);
    changed.body["data"]["k"] = "w".into();
    let secret = marked(
        "a",
        json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "n"}, "data": {"k": "aHVudGVyMg=="},
        }),
    );
    let wanted = desired(vec![component("a", vec![old, changed, config_map("a", "new", json!({})), secret])]);
    let dry_runs: DryRuns =
        wanted.objects().map(|o| (o.reference.clone(), DryRun::Applied(applied(o)))).collect();
    let intent = Intent { salt: "00112233".into(), ..Intent::default() };
    let plan = plan(&wanted, &there, &triage(&wanted, &there, 0), &dry_runs, &intent, 0);
    (wanted, there, plan)
}

#[test]
fn it_holds_while_nothing_moves_and_holds_no_secret() {
    let (wanted, there, plan) = world();
    let text = serde_json::to_string(&plan).unwrap();
    assert!(!text.contains("aHVudGVyMg==") && !text.contains("hunter2"));
    let saved: Plan = serde_json::from_str(&text).unwrap();
    assert_eq!(verify(&saved, &wanted, &there), Ok(()));
}

#[test]
fn whatever_it_rests_on_is_noticed() {
    let (wanted, there, plan) = world();
    let reference = |name: &str| config_map("a", name, json!({})).reference;
    let live = |name: &str, pointer: &str| {
        let mut there = there.clone();
        *there.live.get_mut(&reference(name)).unwrap().0.pointer_mut(pointer).unwrap() = "9".into();
        verify(&plan, &wanted, &there)
    };
    assert_eq!(live("changed", "/metadata/resourceVersion"), Err(vec![Moved::Live(reference("changed"))]));
    assert_eq!(live("gone", "/metadata/uid"), Err(vec![Moved::Live(reference("gone"))]));
    assert_eq!(live("old", "/metadata/resourceVersion"), Ok(()), "what is left alone may move");

    let mut appeared = there.clone();
    appeared.live.insert(reference("new"), applied(&config_map("a", "new", json!({}))));
    assert_eq!(verify(&plan, &wanted, &appeared), Err(vec![Moved::Appeared(reference("new"))]));

    let body = |index: usize, value: &str| {
        let mut wanted = wanted.clone();
        wanted.components[0].objects[index].body["data"]["k"] = value.into();
        let reference = wanted.components[0].objects[index].reference.clone();
        assert_eq!(verify(&plan, &wanted, &there), Err(vec![Moved::Body(reference)]));
    };
    body(0, "other");
    body(3, "b3RoZXI=");

    let mut fewer = wanted.clone();
    let lost = fewer.components[0].objects.remove(0);
    assert_eq!(verify(&plan, &fewer, &there), Err(vec![Moved::Wanted(lost.reference)]));
    let mut more = wanted.clone();
    more.components[0].objects.push(config_map("a", "more", json!({})));
    assert_eq!(verify(&plan, &more, &there), Err(vec![Moved::Wanted(reference("more"))]));

    let mut elsewhere = there.clone();
    elsewhere.cluster_uid = "other".into();
    assert!(matches!(
        verify(&plan, &wanted, &elsewhere).unwrap_err()[..],
        [Moved::Context("cluster's UID", ..)]
    ));
    let mut later = wanted.clone();
    later.revision = Some("d".repeat(40));
    assert!(matches!(verify(&plan, &later, &there).unwrap_err()[..], [Moved::Context("revision", ..)]));
}
