//! The order of an apply, told as runs: a `>` line is what the machine starts, given what ended well or badly.

use super::*;

const FOUNDATION: Step = Step::Write(Stage::Foundation);
const DEFINITIONS: Step = Step::Write(Stage::Definitions);

fn part(name: &str, after: &[usize], steps: &[Step]) -> Part {
    Part { name: name.into(), steps: steps.into(), after: after.into(), ..Part::default() }
}

/// A component that writes one stage.
fn writes(name: &str, after: &[usize]) -> Part {
    part(name, after, &[Step::Intend, FOUNDATION, Step::Wait, Step::Settle])
}

fn leaves(name: &str, after: &[usize]) -> Part {
    Part { leaving: true, ..part(name, after, &[Step::Remove, Step::Settle]) }
}

/// Runs a machine, each step ending as `fails` says, one at a time in the order of starting, and returns what was
/// started, as `name:step`, and every end.
fn run(parts: Vec<Part>, fails: impl Fn(&str, Step) -> bool) -> (Vec<String>, Vec<End>) {
    let names: Vec<String> = parts.iter().map(|p| p.name.clone()).collect();
    let mut machine = Machine::new(parts);
    let mut queue: std::collections::VecDeque<_> = machine.start().into();
    let mut log = Vec::new();
    while let Some(command) = queue.pop_front() {
        let Command::Run { part, step } = command else { continue };
        log.push(format!("{}:{}", names[part], short(step)));
        let input = if fails(&names[part], step) {
            Input::Failed { part, reasons: vec!["broken".into()] }
        } else {
            Input::Done { part }
        };
        queue.extend(machine.handle(input));
    }
    assert!(machine.is_over(), "stuck after {log:?}");
    let ends = (0..names.len()).map(|part| machine.end(part)).collect();
    (log, ends)
}

fn short(step: Step) -> &'static str {
    match step {
        Step::Intend => "intend",
        Step::Write(Stage::Definitions) => "definitions",
        Step::Write(_) => "write",
        Step::Wait => "wait",
        Step::Remove => "remove",
        Step::Settle => "settle",
    }
}

fn position(log: &[String], entry: &str) -> usize {
    log.iter().position(|e| e == entry).unwrap_or_else(|| panic!("{entry} is not in {log:?}"))
}

#[test]
fn a_dependent_writes_after_its_provider_is_healthy() {
    let (log, ends) = run(vec![writes("a", &[]), writes("b", &[0])], |_, _| false);
    assert!(position(&log, "b:intend") < position(&log, "a:write"), "write-aheads come first: {log:?}");
    assert!(position(&log, "a:wait") < position(&log, "b:write"), "{log:?}");
    assert_eq!(ends, [End::Done, End::Done]);
}

#[test]
fn definitions_of_all_go_before_anything_else_of_any() {
    let defines = part("late", &[0], &[Step::Intend, DEFINITIONS, FOUNDATION, Step::Wait, Step::Settle]);
    let (log, _) = run(vec![writes("a", &[]), defines], |_, _| false);
    assert!(position(&log, "late:definitions") < position(&log, "a:write"), "{log:?}");
    assert!(position(&log, "a:intend") < position(&log, "late:definitions"), "{log:?}");
}

#[test]
fn a_failure_stops_dependents_transitively_and_nobody_else() {
    let parts = vec![writes("a", &[]), writes("b", &[0]), writes("c", &[1]), writes("free", &[])];
    let (log, ends) = run(parts, |name, step| name == "a" && step == Step::Wait);
    assert_eq!(
        ends,
        [
            End::Failed(vec!["broken".into()]),
            End::Skipped("`a` failed".into()),
            End::Skipped("`b` was skipped".into()),
            End::Done
        ]
    );
    assert!(!log.contains(&"b:write".into()) && !log.contains(&"c:write".into()), "{log:?}");
    for name in ["a", "b", "c", "free"] {
        position(&log, &format!("{name}:settle"));
    }
}

#[test]
fn a_blocked_component_and_its_dependents_make_no_request() {
    let blocked = Part { blocked: vec!["refused".into()], ..writes("a", &[]) };
    let (log, ends) = run(vec![blocked, writes("b", &[0]), writes("free", &[])], |_, _| false);
    assert!(log.iter().all(|entry| entry.starts_with("free:")), "{log:?}");
    assert_eq!(ends[0], End::Failed(vec!["refused".into()]));
    assert_eq!(ends[1], End::Skipped("`a` failed".into()));
}

#[test]
fn a_failed_write_ahead_writes_nothing() {
    let (log, ends) = run(vec![writes("a", &[])], |_, step| step == Step::Intend);
    assert_eq!(log, ["a:intend"]);
    assert_eq!(ends, [End::Failed(vec!["broken".into()])]);
}

#[test]
fn nothing_is_removed_from_a_component_that_failed() {
    let whole = part("a", &[], &[Step::Intend, FOUNDATION, Step::Wait, Step::Remove, Step::Settle]);
    let (log, _) = run(vec![whole.clone()], |_, step| step == FOUNDATION);
    assert_eq!(log, ["a:intend", "a:write", "a:settle"]);
    let (log, ends) = run(vec![whole, writes("b", &[0])], |_, step| step == Step::Remove);
    assert!(log.contains(&"b:write".into()), "a stuck removal does not make it unhealthy: {log:?}");
    assert_eq!(ends, [End::Failed(vec!["broken".into()]), End::Done]);
}

#[test]
fn leaving_components_go_last_dependents_first() {
    // `app` needed `base`; both leave.
    let parts = vec![writes("stays", &[]), leaves("app", &[]), leaves("base", &[1])];
    let (log, ends) = run(parts.clone(), |_, _| false);
    assert!(position(&log, "stays:settle") < position(&log, "app:remove"), "{log:?}");
    assert!(position(&log, "app:settle") < position(&log, "base:remove"), "{log:?}");
    assert_eq!(ends, [End::Done, End::Done, End::Done]);
    let (log, ends) = run(parts, |name, _| name == "app");
    assert!(!log.iter().any(|entry| entry.starts_with("base:")), "{log:?}");
    assert_eq!(ends[2], End::Skipped("`app` failed".into()));
}

#[test]
fn garbage_goes_although_an_installed_component_fails() {
    let (log, ends) = run(vec![writes("a", &[]), leaves("old", &[])], |name, _| name == "a");
    position(&log, "old:remove");
    assert_eq!(ends[1], End::Done);
}

#[test]
fn what_a_failed_component_may_still_need_stays() {
    // `app` needed `base`, which leaves; the new `app` needs it no more, but could not be written.
    let (log, ends) = run(vec![writes("app", &[]), leaves("base", &[0])], |name, _| name == "app");
    assert!(!log.iter().any(|entry| entry.starts_with("base:")), "{log:?}");
    assert_eq!(ends[1], End::Skipped("`app` failed".into()));
}

#[test]
fn an_old_owner_settles_after_its_heir_has_written() {
    // The heir stands after the old owner, and they hand something to each other.
    let old = Part { heirs: vec![1], ..writes("old", &[]) };
    let heir = Part { heirs: vec![0], ..writes("heir", &[0]) };
    let (log, ends) = run(vec![old.clone(), heir.clone()], |_, _| false);
    assert!(position(&log, "heir:write") < position(&log, "old:settle"), "{log:?}");
    assert_eq!(ends, [End::Done, End::Done]);
    let (_, ends) = run(vec![old, heir], |name, step| name == "heir" && step == FOUNDATION);
    assert_eq!(ends[0], End::Done, "a failed heir does not hold the old owner up");
}

#[test]
fn components_left_alone_hold_nobody_up() {
    let (log, ends) = run(vec![part("suspended", &[], &[]), writes("b", &[0])], |_, _| false);
    position(&log, "b:write");
    assert_eq!(ends, [End::Done, End::Done]);
}

#[test]
fn after_a_stop_nothing_starts() {
    let mut machine = Machine::new(vec![writes("a", &[]), writes("b", &[0])]);
    assert_eq!(machine.start().len(), 2);
    assert_eq!(machine.handle(Input::Stop), []);
    assert!(!machine.is_over(), "two write-aheads are in flight");
    assert_eq!(machine.handle(Input::Done { part: 0 }), []);
    assert_eq!(machine.handle(Input::Cut { part: 1 }), []);
    assert!(machine.is_over());
    assert_eq!(machine.end(1), End::Cut);
    assert_eq!(machine.end(0), End::Cut);
}

mod laws {
    use proptest::prelude::*;

    use super::*;

    /// Up to six components, each after any earlier ones, and which of them fail at which step.
    fn landscapes() -> impl Strategy<Value = (Vec<Part>, Vec<Option<usize>>)> {
        (1..7usize)
            .prop_flat_map(|n| {
                let after = proptest::collection::vec(proptest::collection::vec(any::<bool>(), n), n);
                (after, proptest::collection::vec(proptest::option::of(0..4usize), n))
            })
            .prop_map(|(after, fails)| {
                let parts = after
                    .iter()
                    .enumerate()
                    .map(|(i, row)| writes(&i.to_string(), &(0..i).filter(|j| row[*j]).collect::<Vec<_>>()))
                    .collect();
                (parts, fails)
            })
    }

    proptest! {
        /// I11, for every graph and every pattern of failures: a component is skipped exactly when one that it
        /// needs is lost, and one that writes has only healthy needs before it in the log.
        #[test]
        fn failures_reach_exactly_the_dependents((parts, fails) in landscapes()) {
            let step_of = |name: &str| fails[name.parse::<usize>().unwrap_or(0)].map(|s| parts[0].steps[s]);
            let (log, ends) = run(parts.clone(), |name, step| step_of(name) == Some(step));
            let mut lost = Vec::new();
            for (i, part) in parts.iter().enumerate() {
                let in_need = part.after.iter().any(|needed| lost[*needed]);
                lost.push(in_need || fails[i].is_some_and(|step| step < 3));
                let write = format!("{i}:write");
                prop_assert!(!(in_need && log.contains(&write)), "{} in {log:?}", part.name);
                prop_assert_eq!(!in_need && fails[i].is_none(), ends[i] == End::Done, "{} in {:?}", part.name, log);
                if let Some(wrote) = log.iter().position(|e| *e == format!("{i}:write")) {
                    for needed in &part.after {
                        let healthy = log.iter().position(|e| *e == format!("{needed}:wait"));
                        prop_assert!(healthy.is_some_and(|h| h < wrote), "{} before {needed} in {log:?}", part.name);
                    }
                }
            }
        }
    }
}
