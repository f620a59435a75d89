//! Deleting what is no longer wanted (semantics §3.3 S8-S9, §3.4, I2).
//!
//! The record says `deleting` before the first request. Every object is read again right before it goes: only the
//! very object that the plan saw, with our mark, without a keep mark and without an owner above it, is deleted, and
//! the server checks the UID once more. Objects go in layers, each gone before the next, so that what serves others
//! outlives them. What does not go stays listed.

use std::time::Duration;

use futures::future::join_all;
use tokio::time::Instant;

use super::event::{ObjectEvent, Phase, Unhealthy};
use super::run::{Run, Stopped, Work};
use super::settle::store;
use crate::cluster::{Deleted, Propagation};
use crate::health;
use crate::object::ObjectRef;
use crate::plan::{self, Decision, Live, Outcome as Recorded, Removal};

/// The longest pause between two looks.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Deletes what the plan says, layer by layer.
pub async fn remove<'a>(run: &Run<'a>, work: &mut Work<'a>) -> Result<(), Stopped> {
    if run.is_stopping() {
        return Err(Stopped::Cut);
    }
    let chosen = |decision: fn(&Decision) -> bool| {
        work.component.removals.iter().filter(move |removal| decision(&removal.decision)).collect::<Vec<_>>()
    };
    let deletes = chosen(|decision| *decision == Decision::Delete);
    let releases = chosen(|decision| *decision == Decision::Release);
    if deletes.is_empty() && releases.is_empty() {
        return Ok(());
    }
    for removal in &deletes {
        plan::record(&mut work.inventory, &removal.reference, Recorded::Deleting);
    }
    store(run, work).await?;
    let mut failures = Vec::new();
    let result = async {
        release(run, work, &releases, &mut failures).await;
        let total = deletes.len();
        let mut gone = 0;
        for layer in layers(&deletes) {
            gone += delete_layer(run, work, layer, gone, total, &mut failures).await?;
            if !failures.is_empty() {
                break;
            }
        }
        Ok(())
    }
    .await;
    if let Err(cut) = result {
        store(run, work).await?;
        return Err(cut);
    }
    if failures.is_empty() { Ok(()) } else { Err(Stopped::Failed(failures)) }
}

/// Runs of removals that may go at the same time; the plan has sorted them.
fn layers<'a, 'b>(removals: &'b [&'a Removal]) -> impl Iterator<Item = &'b [&'a Removal]> {
    removals.chunk_by(|a, b| layer(&a.reference) == layer(&b.reference))
}

/// What has to be gone before what.
#[derive(Debug, PartialEq, Eq)]
enum Layer {
    /// Webhooks and `APIServices`: without their workloads they block everything.
    Extensions,
    /// Custom resources: their controllers have to clean up after them.
    Custom,
    Workloads,
    /// What workloads read.
    Foundation,
    Namespaces,
    Definitions,
}

fn layer(reference: &ObjectRef) -> Layer {
    match (reference.group.as_str(), reference.kind.as_str()) {
        ("admissionregistration.k8s.io" | "apiregistration.k8s.io", _) => Layer::Extensions,
        ("apiextensions.k8s.io", _) => Layer::Definitions,
        ("", "Namespace") => Layer::Namespaces,
        (group, _) if !health::is_built_in(group) => Layer::Custom,
        ("apps" | "batch" | "autoscaling", _) | ("", "Pod" | "ReplicationController" | "Service") => {
            Layer::Workloads
        }
        ("networking.k8s.io", "Ingress") => Layer::Workloads,
        _ => Layer::Foundation,
    }
}

/// Deletes one layer and waits until it is gone. Returns how many objects are.
async fn delete_layer<'a>(
    run: &Run<'a>,
    work: &mut Work<'a>,
    layer: &[&'a Removal],
    before: usize,
    total: usize,
    failures: &mut Vec<String>,
) -> Result<usize, Stopped> {
    let name = work.component.name.clone();
    run.phase(&name, Phase::Removing { gone: before, total, objects: Vec::new() });
    let begin = Instant::now();
    let mut gone = 0;
    let mut left = Vec::new();
    let answers = join_all(layer.iter().map(|removal| delete(run, &name, removal))).await;
    let mut cut = false;
    for (removal, answer) in layer.iter().zip(answers) {
        let reference = &removal.reference;
        match answer {
            Answer::Gone => {
                gone += 1;
                is_gone(run, work, reference);
            }
            Answer::Terminating => left.push(*removal),
            Answer::Forgotten => plan::record(&mut work.inventory, reference, Recorded::Forgotten),
            Answer::Kept(reason) => {
                plan::record(&mut work.inventory, reference, Recorded::Kept);
                work.counts.kept += 1;
                run.object(&name, reference, ObjectEvent::Kept { reason });
            }
            Answer::Failed(reason) => failures.push(format!("{reference}: {reason}")),
            Answer::Cut => cut = true,
        }
    }
    let mut pause = Duration::from_millis(100);
    while !left.is_empty() && !cut {
        let lives =
            join_all(left.iter().map(|removal| run.client.get(&removal.reference, &removal.version))).await;
        let mut held = Vec::new();
        for (removal, live) in std::mem::take(&mut left).into_iter().zip(lives) {
            let reference = &removal.reference;
            match live {
                Ok(None) => {
                    gone += 1;
                    is_gone(run, work, reference);
                }
                Ok(Some(live)) if Some(live.uid()) != uid(removal) => {
                    gone += 1;
                    is_gone(run, work, reference);
                }
                Ok(Some(live)) => {
                    let reason = why_held(&live);
                    held.push(Unhealthy { object: reference.clone(), reason });
                    left.push(removal);
                }
                Err(error) => {
                    held.push(Unhealthy { object: reference.clone(), reason: error.to_string() });
                    left.push(removal);
                }
            }
        }
        if left.is_empty() {
            break;
        }
        run.phase(&name, Phase::Removing { gone: before + gone, total, objects: held.clone() });
        let timeout = run.timeout(work.component);
        if begin.elapsed() > timeout {
            for Unhealthy { object, reason } in held {
                failures.push(format!("{object} is not gone after {} s: {reason}", timeout.as_secs()));
                run.object(&name, &object, ObjectEvent::Held { reason });
            }
            break;
        }
        cut = run.sleep(pause).await.is_err();
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
    if cut { Err(Stopped::Cut) } else { Ok(gone) }
}

fn is_gone<'a>(run: &Run<'a>, work: &mut Work<'a>, reference: &ObjectRef) {
    plan::record(&mut work.inventory, reference, Recorded::Gone);
    work.counts.deleted += 1;
    run.object(&work.component.name, reference, ObjectEvent::Deleted);
}

fn uid(removal: &Removal) -> Option<&str> {
    removal.live.as_ref().map(|live| live.uid.as_str())
}

fn why_held(live: &Live) -> String {
    let related = health::Related::default();
    let context = health::Context {
        now: jiff::Timestamp::now(),
        written: None,
        has_status: None,
        related: &related,
        rules: &[],
    };
    health::assess(Some(&live.0), &context).reason
}

/// What a deletion came to.
enum Answer {
    Gone,
    Terminating,
    /// It is somebody else's now.
    Forgotten,
    /// It must stay.
    Kept(String),
    Failed(String),
    /// Not tried: the run is being stopped.
    Cut,
}

/// Reads an object once more and deletes it if it is still the one.
async fn delete(run: &Run<'_>, component: &str, removal: &Removal) -> Answer {
    if run.is_stopping() {
        return Answer::Cut;
    }
    let reference = &removal.reference;
    let live = match run.client.get(reference, &removal.version).await {
        Ok(None) => return Answer::Gone,
        Ok(Some(live)) => live,
        Err(error) => return Answer::Failed(error.to_string()),
    };
    let Some(uid) = uid(removal).filter(|uid| *uid == live.uid()) else {
        return Answer::Failed("it has been replaced since the plan was made; plan again".into());
    };
    match plan::still_removable(&run.plan.landscape, &owners(run, component), &live) {
        plan::Removable::Yes => {}
        plan::Removable::NotOurs => return Answer::Forgotten,
        plan::Removable::Kept(reason) => return Answer::Kept(reason),
    }
    run.count_write();
    match run.client.delete(reference, &removal.version, uid, Propagation::Background).await {
        Ok(Deleted::Gone | Deleted::OtherUid) => Answer::Gone,
        Ok(Deleted::Terminating) => Answer::Terminating,
        Err(error) => Answer::Failed(format!("cannot be deleted: {error}")),
    }
}

/// The components whose mark means that the object is this component's: itself and its former names.
fn owners<'a>(run: &'a Run<'_>, component: &'a str) -> Vec<&'a str> {
    let plans = run.plan.components.iter().filter(|c| c.name == component);
    let former = plans.flat_map(|c| c.takes_over.iter().chain(&c.formerly));
    std::iter::once(component).chain(former.map(String::as_str)).collect()
}

/// Takes our labels off objects that stay, so that no mark is left behind when their entries go (I1).
async fn release<'a>(
    run: &Run<'a>,
    work: &mut Work<'a>,
    removals: &[&'a Removal],
    failures: &mut Vec<String>,
) {
    let requests = removals.iter().map(|removal| {
        run.count_write();
        run.client.release(&removal.reference, &removal.version, uid(removal).unwrap_or_default())
    });
    let answers = join_all(requests).await;
    for (removal, answer) in removals.iter().zip(answers) {
        match answer {
            Ok(()) => {
                plan::record(&mut work.inventory, &removal.reference, Recorded::Forgotten);
                work.counts.forgotten += 1;
                run.object(&work.component.name, &removal.reference, ObjectEvent::Released);
            }
            Err(error) => failures.push(format!("{}: cannot be let go: {error}", removal.reference)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_serves_outlives_what_is_served() {
        let removal = |group: &str, kind: &str| Removal {
            reference: ObjectRef {
                group: group.into(),
                kind: kind.into(),
                namespace: None,
                name: "x".into(),
            },
            version: "v1".into(),
            decision: Decision::Delete,
            live: None,
        };
        let removals = [
            removal("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"),
            removal("example.com", "Thing"),
            removal("apps", "Deployment"),
            removal("", "Service"),
            removal("", "Secret"),
            removal("rbac.authorization.k8s.io", "Role"),
            removal("", "Namespace"),
            removal("apiextensions.k8s.io", "CustomResourceDefinition"),
        ];
        let removals: Vec<&Removal> = removals.iter().collect();
        let sizes: Vec<usize> = layers(&removals).map(<[_]>::len).collect();
        assert_eq!(sizes, [1, 1, 2, 2, 1, 1]);
    }
}
