//! Waiting until every object of a component is healthy (semantics §4 and §4.1).
//!
//! Ends when every object is either healthy or beyond hope, not at the first failure, so that one run tells all.
//! What the server answered to a write, or what was observed before the plan, is judged first: most objects are
//! healthy at once and are never read again. The others are read one by one, ever more slowly.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::future::join_all;
use jiff::Timestamp;
use tokio::time::Instant;

use super::event::{ObjectEvent, Phase, Unhealthy};
use super::evidence;
use super::run::{Run, Stopped, Work};
use crate::health::{self, Context, Health, Related, Relation, Status};
use crate::landscape::HealthRule;
use crate::object::{GroupKind, ObjectRef};
use crate::plan::{Action, Live, Operation};

/// Pauses between readings; the last one repeats.
const PAUSES: [u64; 6] = [250, 500, 1000, 2000, 3000, 5000];
/// From when on Pods and events of a workload that is not healthy are read, and how often.
const EXPLAIN: Duration = Duration::from_secs(5);

/// An object that is waited for.
struct Target<'a> {
    reference: &'a ObjectRef,
    version: &'a str,
    live: Option<Live>,
    health: Health,
    /// It could not be read this time: what was known before says nothing.
    unread: bool,
    /// Why it is beyond hope.
    failure: Option<String>,
    /// What Pods and events say.
    lines: Vec<String>,
}

/// Facts that do not change while a component is waited for.
#[derive(Default)]
struct Facts {
    /// Whether a kind has a status subresource.
    has_status: BTreeMap<GroupKind, Option<bool>>,
    binding_modes: BTreeMap<String, String>,
}

/// Waits until all objects of the component are healthy.
pub async fn healthy<'a>(run: &Run<'a>, work: &mut Work<'a>) -> Result<(), Stopped> {
    let rules = run.rules(&work.component.name);
    let actions = work.component.actions.iter().filter(|action| is_waited_for(action, rules));
    let targets: Vec<Target<'a>> = actions.map(|action| target(run, work, action)).collect();
    wait(run, work, targets).await
}

/// Waits until namespaces can be written into.
pub async fn active<'a>(run: &Run<'a>, work: &mut Work<'a>, actions: &[&'a Action]) -> Result<(), Stopped> {
    let targets = actions.iter().map(|action| target(run, work, action)).collect();
    wait(run, work, targets).await
}

fn is_waited_for(action: &Action, rules: &[HealthRule]) -> bool {
    let is_instant = || {
        let gvk = action.gvk();
        health::is_instant(&gvk.group, &gvk.kind)
            && health::rule_for(rules, &gvk.api_version(), &gvk.kind).is_none()
    };
    !matches!(action.operation, Operation::Skipped { .. } | Operation::Blocked { .. }) && !is_instant()
}

fn target<'a>(run: &Run<'a>, work: &Work<'a>, action: &'a Action) -> Target<'a> {
    let live =
        work.live.get(&action.reference).or_else(|| run.observation.live.get(&action.reference)).cloned();
    let health = Health { status: Status::Unknown, reason: "was not read yet".into() };
    Target {
        reference: &action.reference,
        version: &action.version,
        live,
        health,
        unread: false,
        failure: None,
        lines: Vec::new(),
    }
}

async fn wait<'a>(run: &Run<'a>, work: &mut Work<'a>, mut targets: Vec<Target<'a>>) -> Result<(), Stopped> {
    let name = &work.component.name;
    let timeout = run.timeout(work.component);
    let begin = Instant::now();
    let total = targets.len();
    let mut facts = Facts::default();
    let mut pauses = PAUSES.iter();
    let mut explained = begin;
    let mut told = None;
    loop {
        judge(run, work, &mut targets, &mut facts).await;
        for target in targets.iter().filter(|target| target.health.status.is_done()) {
            if let Some(live) = &target.live {
                work.live.insert(target.reference, live.clone());
            }
            if work.written.contains_key(target.reference) {
                run.object(name, target.reference, ObjectEvent::Healthy);
            }
            if target.health.status == Status::Degraded {
                let message = format!("{} {}", target.reference, target.health.reason);
                run.tell(super::Event::Warning {
                    component: Some(name.clone()),
                    message: run.masks.mask(&message),
                });
            }
        }
        targets.retain(|target| !target.health.status.is_done());
        if targets.is_empty() {
            return Ok(());
        }
        let expired = begin.elapsed() >= timeout;
        if expired || explained.elapsed() >= EXPLAIN {
            explain(run, &mut targets, expired).await;
            explained = Instant::now();
        }
        let waiting =
            Phase::Waiting { healthy: total - targets.len(), total, objects: unhealthy(run, &targets) };
        if told.as_ref() != Some(&waiting) {
            run.phase(name, waiting.clone());
            told = Some(waiting);
        }
        if expired || targets.iter().all(|target| target.failure.is_some()) {
            return Err(Stopped::Failed(reasons(&targets, timeout)));
        }
        let pause = Duration::from_millis(pauses.next().copied().unwrap_or(5000));
        run.sleep(pause.min(timeout.saturating_sub(begin.elapsed()) + Duration::from_millis(1))).await?;
        read(run, &mut targets).await;
    }
}

/// Reads the objects again.
async fn read(run: &Run<'_>, targets: &mut [Target<'_>]) {
    let answers =
        join_all(targets.iter().map(|target| run.client.get(target.reference, target.version))).await;
    for (target, answer) in targets.iter_mut().zip(answers) {
        match answer {
            Ok(None) if target.live.as_ref().is_some_and(|live| is_finished(target.reference, live)) => {
                // It was there and goes away by itself once it is done.
                target.health =
                    Health { status: Status::Current, reason: "has completed and is gone".into() };
                target.live = None;
            }
            Ok(live) => {
                target.live = live;
                target.unread = false;
                target.health = Health { status: Status::Unknown, reason: String::new() };
            }
            // Not knowing is no failure: the deadline decides.
            Err(error) => {
                target.unread = true;
                target.health = Health { status: Status::Unknown, reason: error.to_string() };
            }
        }
    }
}

fn is_finished(reference: &ObjectRef, live: &Live) -> bool {
    reference.is("batch", "Job") && health::may_vanish(&live.0)
}

/// Judges what was read.
async fn judge<'a>(run: &Run<'a>, work: &Work<'a>, targets: &mut [Target<'a>], facts: &mut Facts) {
    let related = related(run, targets, facts).await;
    let rules = run.rules(&work.component.name);
    for target in targets {
        if target.health.status.is_done() || target.unread {
            continue;
        }
        let has_status = has_status(run, target, facts).await;
        let written = work.written.get(target.reference).copied();
        let context = Context { now: Timestamp::now(), written, has_status, related: &related, rules };
        target.health = health::assess(target.live.as_ref().map(|live| &live.0), &context);
        target.failure = (target.health.status == Status::Failed).then(|| target.health.reason.clone());
    }
}

/// Whether a custom resource's definition has a status subresource; asked once per kind, and only when it matters.
async fn has_status(run: &Run<'_>, target: &Target<'_>, facts: &mut Facts) -> Option<bool> {
    let live = target.live.as_ref()?;
    if health::is_built_in(&target.reference.group) || live.0.pointer("/status/conditions").is_some() {
        return None;
    }
    let kind = target.reference.group_kind();
    if let Some(known) = facts.has_status.get(&kind) {
        return *known;
    }
    let plural = run.client.discovered().get(&kind)?.plural.clone();
    let definition = ObjectRef {
        group: "apiextensions.k8s.io".into(),
        kind: "CustomResourceDefinition".into(),
        namespace: None,
        name: format!("{plural}.{}", kind.group),
    };
    let definition = run.client.get(&definition, "v1").await.ok().flatten();
    let answer = definition.and_then(|definition| {
        let versions = definition.0.pointer("/spec/versions")?.as_array()?.clone();
        let version =
            versions.iter().find(|v| v.get("name").and_then(|n| n.as_str()) == Some(target.version))?;
        Some(version.pointer("/subresources/status").is_some())
    });
    facts.has_status.insert(kind, answer);
    answer
}

/// Reads what the health of some objects depends on.
async fn related(run: &Run<'_>, targets: &[Target<'_>], facts: &mut Facts) -> Related {
    let lives = targets
        .iter()
        .filter(|target| !target.health.status.is_done())
        .filter_map(|target| target.live.as_ref());
    let relations: BTreeSet<Relation> = lives.flat_map(|live| health::relations(&live.0)).collect();
    let mut related = Related::default();
    for relation in relations {
        match relation {
            Relation::Endpoints { namespace, name } => {
                if let Some(ready) = evidence::has_ready_endpoints(run, &namespace, &name).await {
                    related.ready_endpoints.insert((namespace, name), ready);
                }
            }
            Relation::StorageClass { name } => {
                if !facts.binding_modes.contains_key(&name)
                    && let Some(mode) = evidence::binding_mode(run, &name).await
                {
                    facts.binding_modes.insert(name, mode);
                }
            }
        }
    }
    related.binding_modes.clone_from(&facts.binding_modes);
    related
}

/// Asks Pods and events why objects are not healthy. `last`: the deadline has passed, so logs are read too.
async fn explain(run: &Run<'_>, targets: &mut [Target<'_>], last: bool) {
    let explanations =
        join_all(targets.iter().map(async |target| evidence::explain(run, target.live.as_ref(), last).await))
            .await;
    for (target, explanation) in targets.iter_mut().zip(explanations) {
        let Some(explanation) = explanation else { continue };
        target.lines = explanation.lines;
        target.failure = target.failure.take().or(explanation.failure);
    }
}

fn unhealthy(run: &Run<'_>, targets: &[Target<'_>]) -> Vec<Unhealthy> {
    let reason = |target: &Target| run.masks.mask(target.failure.as_ref().unwrap_or(&target.health.reason));
    targets
        .iter()
        .map(|target| Unhealthy { object: target.reference.clone(), reason: reason(target) })
        .collect()
}

/// Each object with its reason, then what Pods and events say about it.
fn reasons(targets: &[Target<'_>], timeout: Duration) -> Vec<String> {
    let mut reasons = Vec::new();
    for target in targets {
        let line = match &target.failure {
            Some(failure) => format!("{}: {failure}", target.reference),
            None => format!(
                "{} is not healthy after {} s: {}",
                target.reference,
                timeout.as_secs(),
                target.health.reason
            ),
        };
        // A line that is the failure itself is not said twice.
        let lines = target.lines.iter().filter(|other| target.failure.as_ref() != Some(*other));
        reasons.push(line);
        reasons.extend(lines.cloned());
    }
    reasons
}
