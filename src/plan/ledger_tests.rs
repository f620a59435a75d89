//! I1 and I3 as a table: what the record lists, at every moment.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::plan::fixture::{applied, component, config_map, desired, install, observation};
use crate::plan::intent::Intent;
use crate::plan::model::Presence;
use crate::plan::observation::{DryRun, DryRuns, Observation};
use crate::plan::{plan, triage};

fn planned(wanted: &[usize], there: &Observation) -> Plan {
    let objects = wanted.iter().map(|n| config_map("a", &format!("m{n}"), json!({"k": "v"}))).collect();
    let desired = desired(vec![component("a", objects)]);
    let dry_runs: DryRuns =
        desired.objects().map(|o| (o.reference.clone(), DryRun::Applied(applied(o)))).collect();
    plan(&desired, there, &triage(&desired, there, 0), &dry_runs, &Intent::default(), 0)
}

fn there(listed: &[usize]) -> Observation {
    let mut there = observation();
    let objects: Vec<_> =
        listed.iter().map(|n| config_map("a", &format!("m{n}"), json!({"k": "v"}))).collect();
    install(&mut there, "a", &objects);
    there
}

fn states(inventory: &Inventory) -> Vec<(&str, State)> {
    inventory.entries.values().map(|entry| (entry.reference.name.as_str(), entry.state)).collect()
}

#[test]
fn everything_old_and_new_is_listed_before_anything_is_written() {
    let there = there(&[1, 2]);
    let plan = planned(&[2, 3], &there);
    let ahead = write_ahead(there.inventories.get("a"), &plan.components[0], &plan);
    assert_eq!(states(&ahead), [("m1", State::Owned), ("m2", State::Owned), ("m3", State::Intent)]);
    assert_eq!(ahead.phase, Phase::Applying);
    let first = write_ahead(None, &planned(&[1], &observation()).components[0], &plan);
    assert_eq!(states(&first), [("m1", State::Intent)]);
}

#[test]
fn outcomes() {
    let there = there(&[1]);
    let plan = planned(&[1, 2], &there);
    let ahead = write_ahead(there.inventories.get("a"), &plan.components[0], &plan);
    let (old, new) = (&plan.components[0].actions[0].reference, &plan.components[0].actions[1].reference);
    let after = |reference: &ObjectRef, outcome: Outcome| {
        let mut inventory = ahead.clone();
        record(&mut inventory, reference, outcome);
        inventory.entries.get(&Entry::key(reference)).map(|entry| entry.state)
    };
    assert_eq!(after(new, Outcome::Unknown), Some(State::Intent));
    assert_eq!(after(old, Outcome::Unknown), Some(State::Owned), "what was there stays ours");
    assert_eq!(after(new, Outcome::Failed), Some(State::Failed));
    assert_eq!(after(old, Outcome::Failed), Some(State::Owned));
    assert_eq!(after(old, Outcome::Deleting), Some(State::Deleting));
    assert_eq!(after(old, Outcome::Kept), Some(State::Kept));
    assert_eq!(after(old, Outcome::Gone), None);
    assert_eq!(after(old, Outcome::Forgotten), None);
    let applied = Outcome::Applied { uid: "u".into(), version: "v1".into(), memory: None };
    assert_eq!(after(new, applied), Some(State::Owned));
}

#[test]
fn what_a_former_name_listed_is_taken_over_whatever_the_plan_says() {
    // Nothing is planned about `m2`: removal is off, or it is left alone.
    let (former, wanted) = (there(&[1, 2]), planned(&[1], &observation()));
    let mut ahead = write_ahead(None, &wanted.components[0], &wanted);
    take_over(&mut ahead, &former.inventories["a"]);
    assert_eq!(states(&ahead), [("m1", State::Intent), ("m2", State::Owned)]);
}

#[test]
fn a_component_needs_what_it_needed_until_it_is_written_in_full() {
    let mut there = there(&[1]);
    there.inventories.get_mut("a").unwrap().after = BTreeSet::from(["old".into()]);
    let mut plan = planned(&[1], &there);
    plan.components[0].after = BTreeSet::from(["new".into()]);
    let mut inventory = write_ahead(there.inventories.get("a"), &plan.components[0], &plan);
    let both = BTreeSet::from(["new".to_owned(), "old".to_owned()]);
    assert_eq!(inventory.after, both);
    close(&mut inventory, &plan.components[0], false);
    assert_eq!(inventory.after, both);
    close(&mut inventory, &plan.components[0], true);
    assert_eq!(inventory.after, plan.components[0].after);
}

#[test]
fn another_server_version_voids_every_memory() {
    let mut there = there(&[1]);
    let inventory = there.inventories.get_mut("a").unwrap();
    let memory =
        Memory { desired: "d".into(), live: "l".into(), managers: "m".into(), crd_generation: 0, at: 0 };
    inventory.entries.values_mut().for_each(|entry| entry.memory = Some(memory.clone()));
    let mut plan = planned(&[1], &there);
    let ahead = |plan: &Plan| write_ahead(there.inventories.get("a"), &plan.components[0], plan);
    assert!(ahead(&plan).entries.values().all(|entry| entry.memory.is_some()));
    plan.server_version = "v1.37.0".into();
    assert!(ahead(&plan).entries.values().all(|entry| entry.memory.is_none()));
}

#[test]
fn only_news_is_learned() {
    let there = there(&[1]);
    let mut plan = planned(&[1], &there);
    let inventory = &there.inventories["a"];
    assert_eq!(learn(inventory, &plan.components[0], &plan), None, "proven by structure: no write");
    let memory =
        Memory { desired: "d".into(), live: "l".into(), managers: "m".into(), crd_generation: 0, at: 0 };
    plan.components[0].actions[0].memory = Some(memory);
    let learned = learn(inventory, &plan.components[0], &plan).unwrap();
    assert_eq!(learned.phase, Phase::Idle);
    assert_eq!(learn(&learned, &plan.components[0], &plan), None);
}

proptest! {
    /// Whatever is listed or will be written is in the write-ahead; whatever then happens, only what is known to be
    /// gone or another's leaves the record.
    #[test]
    fn nothing_is_lost(
        listed in prop::collection::btree_set(0..6_usize, 0..6),
        wanted in prop::collection::btree_set(0..6_usize, 1..6),
        fates in prop::collection::vec(0..7_u8, 6),
    ) {
        let there = there(&listed.iter().copied().collect::<Vec<_>>());
        let plan = planned(&wanted.iter().copied().collect::<Vec<_>>(), &there);
        prop_assert_eq!(&plan.components[0].presence, &Presence::Installed);
        let mut inventory = write_ahead(there.inventories.get("a"), &plan.components[0], &plan);
        let union: BTreeSet<String> = listed.union(&wanted).map(|n| format!("m{n}")).collect();
        let names = |inventory: &Inventory| inventory.entries.values().map(|e| e.reference.name.clone()).collect::<BTreeSet<_>>();
        prop_assert_eq!(&names(&inventory), &union);
        let mut expected = union.clone();
        for (name, fate) in union.iter().zip(fates) {
            let reference = ObjectRef { group: String::new(), kind: "ConfigMap".into(), namespace: Some("n".into()), name: name.clone() };
            let outcome = match fate {
                0 => Outcome::Applied { uid: "u".into(), version: "v1".into(), memory: None },
                1 => Outcome::Unknown,
                2 => Outcome::Failed,
                3 => Outcome::Deleting,
                4 => Outcome::Kept,
                gone => {
                    expected.remove(name);
                    if gone == 5 { Outcome::Gone } else { Outcome::Forgotten }
                }
            };
            record(&mut inventory, &reference, outcome);
        }
        close(&mut inventory, &plan.components[0], true);
        prop_assert_eq!(names(&inventory), expected);
        prop_assert_eq!(inventory.phase, Phase::Idle);
    }
}
