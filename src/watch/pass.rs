//! One pass over one cluster: plan, and carry the plan out unless it is refused. Nobody is asked.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::sync::{oneshot, watch};
use tokio::time::Instant;

use super::Shared;
use super::input::{Ground, chain, lines};
use super::schedule::{Ending, Pass, Reason};
use super::wording;
use crate::apply::{ComponentResult, Event, Interruption, ObjectEvent, Outcome, Phase};
use crate::cluster::{self, Client, Holder};
use crate::landscape::Cluster;
use crate::object::{GroupVersionKind, ObjectRef};
use crate::plan::{self, Plan, Presence};
use crate::reconcile::{self, Ended, Error, Prepared, Proof, Request, Run, Walk};
use crate::report::changes::Counts;

/// How long another run is waited for before the pass counts as failed. Longer than a Lease whose holder was killed
/// takes to expire, shorter than the time that a pod is given to end.
const LOCK_TIMEOUT: Duration = Duration::from_secs(20);

/// How a pass came out.
pub struct Passed {
    /// In one word.
    pub ending: Ending,
    /// What is wrong, one line each; without the cluster's name.
    pub problems: Vec<String>,
    /// What is worth knowing, likewise.
    pub notes: Vec<String>,
    /// The connection, if it is still good.
    pub client: Option<Client>,
    /// The components of the plan; `None` when there was none.
    pub components: Option<BTreeSet<String>>,
}

impl Passed {
    fn early(ending: Ending, problems: Vec<String>, client: Option<Client>) -> Self {
        Self { ending, problems, notes: Vec::new(), client, components: None }
    }
}

/// How near to one of our own writes an event must be to be its echo.
const ECHO: Duration = Duration::from_secs(1);

/// What the pass that is under way has written, and when.
#[derive(Debug, Default)]
pub struct Activity(Mutex<Written>);

#[derive(Debug, Default)]
struct Written {
    last: Option<Instant>,
    objects: BTreeMap<ObjectRef, Instant>,
}

impl Activity {
    fn mark(&self, object: Option<&ObjectRef>) {
        let now = Instant::now();
        let mut written = self.written();
        written.last = Some(now);
        if let Some(object) = object {
            written.objects.insert(object.clone(), now);
        }
    }

    /// Since when the pass does nothing but wait; `None` before its first write could begin.
    pub fn idle_since(&self) -> Option<Instant> {
        self.written().last
    }

    /// Whether a change of `object` that was seen at `seen` may have been our own.
    pub fn explains(&self, object: &ObjectRef, seen: Instant) -> bool {
        let near = |written: &Instant| {
            seen.saturating_duration_since(*written).max(written.saturating_duration_since(seen)) <= ECHO
        };
        self.written().objects.get(object).is_some_and(near)
    }

    fn written(&self) -> std::sync::MutexGuard<'_, Written> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a pass is about, as soon as it is known: where to watch what.
pub type About = (Client, BTreeSet<GroupVersionKind>);

#[allow(clippy::too_many_arguments, reason = "each is used once, by one caller")]
/// Goes over `cluster` once. `cut` turns true when the pass is to end: a write in flight is finished and recorded.
pub async fn pass(
    shared: &Shared,
    ground: &Ground,
    cluster: &Cluster,
    pass: Pass,
    client: Option<Client>,
    activity: &Activity,
    about: oneshot::Sender<About>,
    mut cut: watch::Receiver<bool>,
) -> Passed {
    // Rendering adds texts; they go with the pass.
    let files = ground.files.clone();
    let Ground { tree, landscape, charts, .. } = ground;
    let walk = Walk { tree, landscape, cluster, charts, files: &files };
    let planned = tokio::select! {
        biased;
        Ok(_) = cut.wait_for(|cut| *cut) => return Passed::early(Ending::Cut, Vec::new(), client.clone()),
        planned = planned(shared, &walk, pass, client.clone()) => planned,
    };
    let mut prepared = match planned {
        Ok(prepared) => prepared,
        Err(Error::Problems(problems)) => {
            return Passed::early(Ending::Failed, lines("landscape", problems, &files), client.clone());
        }
        Err(error) => return Passed::early(Ending::Failed, vec![chain(&error)], None),
    };
    let mut notes = lines("landscape", std::mem::take(&mut prepared.warnings), &files);
    notes.extend(prepared.plan.warnings.iter().map(|warning| format!("warning: {warning}")));
    notes.extend(prepared.plan.removal_off.iter().map(|why| format!("nothing is removed: {why}")));
    let Prepared { desired, observation, .. } = &prepared;
    let query = plan::query(desired, &observation.inventories, &observation.discovery);
    let _ = about.send((prepared.client.clone(), query.lists));
    let (ending, problems, keep) = carried_out(shared, ground, &walk, &prepared, pass, activity, cut).await;
    let Prepared { client, plan, .. } = &prepared;
    Passed {
        ending,
        problems,
        notes,
        client: keep.then(|| client.clone()),
        components: Some(plan.components.iter().map(|component| component.name.clone()).collect()),
    }
}

async fn planned(
    shared: &Shared,
    walk: &Walk<'_>,
    pass: Pass,
    client: Option<Client>,
) -> Result<Prepared, Error> {
    let settings = &shared.settings;
    let target = (settings.target)(walk.tree, walk.cluster);
    let mut intent = settings.intent.clone();
    intent.salt = salt();
    let variable = |name: &str| (settings.variable)(name);
    let proof = if pass.full { Proof::Full } else { Proof::Quick };
    let request = Request { target: &target, intent, variable: &variable, now: now(), proof };
    let client = match client {
        Some(client) => client,
        None => cluster::connect(&target).await?,
    };
    Box::pin(reconcile::plan_with(walk, &request, client)).await
}

/// Carries the plan out; says how that ended, what is wrong, and whether the connection is good.
async fn carried_out(
    shared: &Shared,
    ground: &Ground,
    walk: &Walk<'_>,
    prepared: &Prepared,
    pass: Pass,
    activity: &Activity,
    cut: watch::Receiver<bool>,
) -> (Ending, Vec<String>, bool) {
    let plan = &prepared.plan;
    if !plan.refusals.is_empty() {
        count(shared, plan, None);
        return (Ending::Refused, plan.refusals.iter().map(wording::refusal).collect(), true);
    }
    let how = Run {
        holder: Holder::of_this_process(),
        lock_timeout: LOCK_TIMEOUT,
        wait: pass.wait,
        timeout: shared.settings.timeout,
        learn: pass.full,
        stop: cut,
    };
    let done = AtomicUsize::new(0);
    let teller = Teller::new(shared, plan, ground.revision(), pass.reason);
    let events = |event: Event| {
        match &event {
            Event::Object { what: ObjectEvent::Healthy, .. } => {}
            Event::Object { object, .. } => activity.mark(Some(object)),
            Event::Announced { .. } | Event::Component { phase: Phase::Applying { .. }, .. } => {
                activity.mark(None);
            }
            _ => {}
        }
        done.fetch_add(usize::from(teller.tell(&event)), Ordering::Relaxed);
    };
    let waiting = |waiting: &cluster::Waiting| {
        let cluster = &plan.cluster;
        shared
            .say(format!("{cluster}: waiting for another run, since {}: {}", waiting.since, waiting.holder));
    };
    match reconcile::run(walk, prepared, &how, waiting, &events).await {
        Ok(Ended::Moved) => (Ending::Moved, Vec::new(), true),
        Ok(Ended::Done(outcome)) => {
            count(shared, plan, Some(&outcome));
            let ending = match outcome.interrupted {
                Some(Interruption::Signal) => Ending::Cut,
                None if outcome.is_success() && done.into_inner() == 0 => Ending::Unchanged,
                None if outcome.is_success() => Ending::Changed,
                _ => Ending::Failed,
            };
            let problems = if ending == Ending::Cut { Vec::new() } else { wording::problems(&outcome) };
            (ending, problems, true)
        }
        Err(error) => (Ending::Failed, vec![chain(&error)], false),
    }
}

/// What is left to do, for the metrics. Without an outcome nothing was done.
fn count(shared: &Shared, plan: &Plan, outcome: Option<&Outcome>) {
    let results: BTreeMap<&str, &ComponentResult> =
        outcome.iter().flat_map(|o| &o.components).map(|c| (c.component.as_str(), &c.result)).collect();
    for component in &plan.components {
        let suspended = matches!(component.presence, Presence::Suspended(_));
        let counts = Counts::of_component(component);
        let pending = match results.get(component.name.as_str()) {
            Some(ComponentResult::Removed) => {
                shared.metrics.component_gone(&plan.cluster, &component.name);
                continue;
            }
            Some(ComponentResult::Applied | ComponentResult::Unchanged) => 0,
            _ => counts.create + counts.change + counts.recreate + counts.delete + counts.blocked,
        };
        shared.metrics.component(&plan.cluster, &component.name, pending, suspended);
    }
}

/// Turns what happens to objects into lines and numbers.
struct Teller<'a> {
    shared: &'a Shared,
    cluster: &'a str,
    changes: BTreeMap<&'a ObjectRef, &'a [plan::Change]>,
    revision: String,
    reason: Reason,
}

impl<'a> Teller<'a> {
    fn new(shared: &'a Shared, plan: &'a Plan, revision: String, reason: Reason) -> Self {
        let actions = plan.components.iter().flat_map(|component| &component.actions);
        let changes = actions.map(|action| (&action.reference, action.changes.as_slice())).collect();
        Self { shared, cluster: &plan.cluster, changes, revision, reason }
    }

    /// Whether the event is a write.
    fn tell(&self, event: &Event) -> bool {
        if let Event::Warning { component, message } = event {
            let component = component.as_ref().map_or(String::new(), |name| format!("{name}: "));
            self.shared.say(format!("{}: {component}warning: {message}", self.cluster));
        }
        let Event::Object { component, object, what } = event else { return false };
        let changes = self.changes.get(object).copied().unwrap_or_default();
        let owner = component.as_deref().unwrap_or_default();
        if let Some(text) = wording::object(object, what, changes, self.reason) {
            let prefix = if owner.is_empty() { String::new() } else { format!("{owner}: ") };
            self.shared.say(format!("{}: {prefix}{text}, at {}", self.cluster, self.revision));
        }
        match what {
            ObjectEvent::Created | ObjectEvent::Updated | ObjectEvent::Recreated => {
                self.shared.metrics.object_changed(self.cluster, owner);
                true
            }
            ObjectEvent::Deleted => {
                self.shared.metrics.object_deleted(self.cluster, owner);
                true
            }
            ObjectEvent::Released => true,
            _ => false,
        }
    }
}

/// 128 random bits as hex. Without any the salt only fails to hide equal Secrets in a plan that is never stored, but
/// the key of a new cluster comes from it: then time has to do.
fn salt() -> String {
    let mut bytes = [0; 16];
    if getrandom::fill(&mut bytes).is_err() {
        return String::new();
    }
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Seconds since 1970.
#[allow(clippy::disallowed_methods, reason = "watch reads the clock for its passes")]
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_comes_with_an_own_write_is_its_echo() {
        let object = |name: &str| ObjectRef {
            group: String::new(),
            kind: "ConfigMap".into(),
            namespace: Some("a".into()),
            name: name.into(),
        };
        let activity = Activity::default();
        let early = Instant::now();
        activity.mark(Some(&object("x")));
        assert!(activity.explains(&object("x"), early), "a watch may be faster than the answer to the write");
        assert!(!activity.explains(&object("y"), early));
        let later = Instant::now() + Duration::from_secs(2);
        assert!(!activity.explains(&object("x"), later), "somebody else");
    }
}
