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

#[test]
fn a_run_in_between_is_noticed() {
    let (wanted, there, plan) = world();
    let refused = |there: &Observation| verify(&plan, &wanted, there).unwrap_err();
    let mut later = there.clone();
    later.identity.as_mut().unwrap().revision = Some("e".repeat(40));
    assert!(
        matches!(refused(&later)[..], [Moved::Context("revision applied last", ..)]),
        "an older plan does not undo a newer run"
    );
    let mut unknown = there.clone();
    unknown.identity = None;
    assert!(refused(&unknown).iter().any(|moved| matches!(moved, Moved::Context("cluster's record", ..))));
    let mut moved_away = there.clone();
    moved_away.identity.as_mut().unwrap().origin = "https://elsewhere.example".into();
    assert!(matches!(refused(&moved_away)[..], [Moved::Refused(_)]));
    let mut blind = there.clone();
    blind.incomplete.push("may not list".into());
    assert!(matches!(refused(&blind)[..], [Moved::Refused(_)]), "deletions need all knowledge (I7)");
    let mut newer = plan.clone();
    newer.schema_version = 2;
    assert!(verify(&newer, &wanted, &there).is_err());
    let mut unlisted = there.clone();
    let gone = config_map("a", "gone", json!({})).reference;
    unlisted.inventories.get_mut("a").unwrap().entries.remove(&Entry::key(&gone));
    assert_eq!(refused(&unlisted), [Moved::Unlisted(gone)]);
}

#[test]
fn what_is_forgotten_must_still_be_gone() {
    let kept = config_map("a", "kept", json!({}));
    let gone = config_map("a", "gone", json!({}));
    let mut there = observation();
    install(&mut there, "a", &[kept.clone(), gone.clone()]);
    there.live.remove(&gone.reference);
    let wanted = desired(vec![component("a", vec![kept])]);
    let plan = plan(&wanted, &there, &triage(&wanted, &there, 0), &DryRuns::new(), &Intent::default(), 0);
    assert_eq!(verify(&plan, &wanted, &there), Ok(()));
    there.live.insert(gone.reference.clone(), applied(&gone));
    assert_eq!(verify(&plan, &wanted, &there), Err(vec![Moved::Appeared(gone.reference)]));
}

#[test]
fn what_was_agreed_to_is_recognised() {
    let (wanted, there, plan) = world();
    let mut later = plan.clone();
    for action in &mut later.components[0].actions {
        action.live.iter_mut().for_each(|live| live.resource_version = "9".into());
    }
    assert!(later.does_the_same_as(&plan), "only versions moved");
    let mut more = plan.clone();
    more.components[0].removals[0].decision = Decision::Keep("x".into());
    assert!(!more.does_the_same_as(&plan));
    let mut other = plan.clone();
    other.components[0].actions[0].digest = "other".into();
    assert!(!other.does_the_same_as(&plan));
    drop((wanted, there));
}
