//! Writing the objects of one stage of one component (semantics §3.3, S5).
//!
//! What could not be verified when the plan was made is dry-run first, all of it, so that a refusal comes before the
//! first write of the stage. Then everything is applied at once; the client limits what is in flight. Each outcome
//! is recorded as what is known: written, refused, or maybe (I3).

use std::time::Duration;

use futures::StreamExt as _;
use futures::future::join_all;
use jiff::Timestamp;
use tokio::time::Instant;

use super::event::{ObjectEvent, Phase};
use super::parts::is_write;
use super::run::{Run, Stopped, Work};
use super::settle::store;
use super::{definition, memory};
use crate::cluster::{ApplyOptions, Deleted, Propagation, WriteError};
use crate::plan::inventory::{COMPONENT_LABEL, LANDSCAPE_LABEL};
use crate::plan::{
    self, Action, DesiredObject, DryRun, Live, Operation, Outcome as Recorded, Rejection, Stage,
};

/// How many objects of a component are on their way at once; the client has a limit of its own over all of them.
const IN_FLIGHT: usize = 32;
/// How long a kind or namespace that was just made may be unknown to some API server.
const SKEW: Duration = Duration::from_secs(30);
/// How long the backend of a webhook may take to come up.
const WEBHOOKS: Duration = Duration::from_mins(1);
/// No object has this version, so that an apply with it makes an object and never changes one: the server answers
/// 409 if there is one.
const NEVER: &str = "1";

/// Writes the objects of `stage`, then waits until definitions and namespaces can be used.
pub async fn stage<'a>(run: &Run<'a>, work: &mut Work<'a>, stage: Stage) -> Result<(), Stopped> {
    let component = work.component;
    let actions: Vec<&'a Action> =
        component.actions.iter().filter(|action| action.stage == stage && is_write(action)).collect();
    let total = component.actions.iter().filter(|action| is_write(action)).count();
    verify(run, &actions).await?;

    let mut failures = Vec::new();
    let mut cut = false;
    let writes: Vec<_> = actions.iter().map(|action| write_unless_stopping(run, action)).collect();
    let mut answers = futures::stream::iter(writes).buffer_unordered(IN_FLIGHT);
    while let Some((action, answer)) = answers.next().await {
        let Some(answer) = answer else {
            cut = true;
            continue;
        };
        if let Some(reason) = note(run, work, action, answer) {
            failures.push(format!("{}: {reason}", action.reference));
        }
        let written = work.written.len();
        run.phase(&component.name, Phase::Applying { written, total });
    }
    drop(answers);

    // Settling comes next and writes the record anyway, unless the run is cut here.
    let recorded =
        if work.settles_next && !cut && !run.is_stopping() { Ok(()) } else { store(run, work).await };
    if cut {
        return Err(Stopped::Cut);
    }
    if let Err(Stopped::Failed(reasons)) = recorded {
        failures.extend(reasons);
    }
    if !failures.is_empty() {
        return Err(Stopped::Failed(failures));
    }
    match stage {
        Stage::Definitions => definition::usable(run, component, &actions).await,
        Stage::Namespaces => super::wait::active(run, work, &actions).await,
        _ => Ok(()),
    }
}

fn body<'a>(run: &Run<'a>, action: &Action) -> Result<&'a DesiredObject, String> {
    run.desired
        .get(&action.reference)
        .copied()
        .ok_or_else(|| "the plan wants it, but it is no longer rendered".into())
}

/// Dry-runs what the plan could not, since its kind or namespace was missing.
async fn verify<'a>(run: &Run<'a>, actions: &[&'a Action]) -> Result<(), Stopped> {
    let unverified =
        |action: &&&Action| matches!(action.operation, Operation::Create { unverified: Some(_) });
    let unverified: Vec<_> = actions.iter().filter(unverified).copied().collect();
    let answers = join_all(unverified.iter().map(|action| verify_one(run, action))).await;
    let reasons: Vec<_> = unverified
        .iter()
        .zip(answers)
        .filter_map(|(action, answer)| answer.err().map(|reason| format!("{}: {reason}", action.reference)))
        .collect();
    if run.is_stopping() {
        return Err(Stopped::Cut);
    }
    if reasons.is_empty() { Ok(()) } else { Err(Stopped::Failed(reasons)) }
}

async fn verify_one(run: &Run<'_>, action: &Action) -> Result<(), String> {
    let object = body(run, action)?;
    let begin = Instant::now();
    loop {
        let mut answers = run.client.dry_run(&[object]).await.map_err(|error| error.to_string())?;
        match answers.remove(&action.reference) {
            // Only an object that is stored has a version.
            Some(DryRun::Applied(live)) if live.resource_version().is_empty() => return Ok(()),
            Some(DryRun::Applied(_)) => return refuse_foreign(run, action).await,
            Some(DryRun::Rejected(rejection)) => {
                let patience = patience(&rejection).filter(|patience| begin.elapsed() < *patience);
                if patience.is_none() || run.sleep(Duration::from_secs(1)).await.is_err() {
                    return Err(rejection.message);
                }
            }
            None => return Err("the server did not answer the dry run".into()),
        }
    }
}

/// How long a refusal may pass by itself, if it may.
fn patience(rejection: &Rejection) -> Option<Duration> {
    match rejection.code {
        404 => Some(SKEW),
        500 if rejection.message.contains("failed calling webhook") => Some(WEBHOOKS),
        403 if rejection.message.contains("not yet ready to handle request") => Some(SKEW),
        _ => None,
    }
}

/// An object that was absent when the plan was made and is not now: fine if it is ours (a run that was cut off), else
/// it has another owner.
async fn refuse_foreign(run: &Run<'_>, action: &Action) -> Result<(), String> {
    let live = run.client.get(&action.reference, &action.version).await.map_err(|error| error.to_string())?;
    match live {
        Some(live) if !is_ours(run, action, &live) => {
            Err("somebody else has made it since the plan was made; plan again".into())
        }
        _ => Ok(()),
    }
}

/// Whether `live` carries the marks that the action's body gives it.
fn is_ours(run: &Run<'_>, action: &Action, live: &Live) -> bool {
    let wanted = run.desired.get(&action.reference).map(|object| Live(object.body.clone()));
    [LANDSCAPE_LABEL, COMPONENT_LABEL].iter().all(|label| {
        live.label(label).is_some() && live.label(label) == wanted.as_ref().and_then(|w| w.label(label))
    })
}

/// Why an object was not written, or may not have been.
enum NotWritten {
    /// It was not.
    Refused(String),
    /// That is not known (I3).
    Unknown(String),
}

impl From<WriteError> for NotWritten {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Unknown { reason } => Self::Unknown(reason),
            WriteError::Nonsense(_) => Self::Unknown(error.to_string()),
            _ => Self::Refused(error.to_string()),
        }
    }
}

/// Writes one object; `None` if the run is being stopped before it is its turn.
async fn write_unless_stopping<'a>(
    run: &Run<'a>,
    action: &'a Action,
) -> (&'a Action, Option<Result<Live, NotWritten>>) {
    let answer = if run.is_stopping() { None } else { Some(write(run, action).await) };
    (action, answer)
}

/// Writes one object.
async fn write(run: &Run<'_>, action: &Action) -> Result<Live, NotWritten> {
    let object = body(run, action).map_err(NotWritten::Refused)?;
    let uid = action.live.as_ref().map(|live| live.uid.clone());
    match action.operation {
        Operation::Recreate { .. } => {
            try_twin(run, object).await?;
            clear(run, action, &uid.unwrap_or_default()).await?;
            create(run, action, object).await
        }
        Operation::Create { .. } => create(run, action, object).await,
        // The very object that the plan was made for: never one that came in its place.
        _ => apply(run, object, &ApplyOptions { uid, resource_version: None }).await,
    }
}

/// Makes an object that must not exist.
async fn create(run: &Run<'_>, action: &Action, object: &DesiredObject) -> Result<Live, NotWritten> {
    let absent = ApplyOptions { uid: None, resource_version: Some(NEVER.into()) };
    run.count_write();
    match patiently(run, object, &absent).await {
        Err(WriteError::Rejected(rejection)) if rejection.code == 409 => {
            refuse_foreign(run, action).await.map_err(NotWritten::Refused)?;
            apply(run, object, &ApplyOptions::default()).await
        }
        // A lost answer, and a second attempt that met what the first had made: ours, so it is written again.
        Err(error @ WriteError::Unknown { .. }) => {
            match run.client.get(&action.reference, &action.version).await {
                Ok(Some(live)) if is_ours(run, action, &live) => {
                    let made = ApplyOptions { uid: Some(live.uid().into()), resource_version: None };
                    apply(run, object, &made).await
                }
                _ => Err(error.into()),
            }
        }
        other => Ok(other?),
    }
}

async fn apply(run: &Run<'_>, object: &DesiredObject, options: &ApplyOptions) -> Result<Live, NotWritten> {
    run.count_write();
    Ok(patiently(run, object, options).await?)
}

/// Applies, and again while the refusal may pass by itself.
async fn patiently(
    run: &Run<'_>,
    object: &DesiredObject,
    options: &ApplyOptions,
) -> Result<Live, WriteError> {
    let begin = Instant::now();
    loop {
        let answer = run.client.apply(object, options).await;
        let Err(WriteError::Rejected(rejection)) = &answer else { return answer };
        let patient = patience(rejection).is_some_and(|patience| begin.elapsed() < patience);
        if !patient || run.sleep(Duration::from_secs(1)).await.is_err() {
            return answer;
        }
    }
}

/// Asks whether the object could be made, under a name that nobody has: what is deleted to be made again and is then
/// refused (a policy, a quota, a typo) would be lost. Validation speaks before admission does, so the refusal that led
/// here says nothing about it.
async fn try_twin(run: &Run<'_>, object: &DesiredObject) -> Result<(), NotWritten> {
    let name = format!("landskap-{}", run.plan.salt.get(..8).unwrap_or("twin"));
    let mut twin = object.clone();
    twin.body["metadata"]["name"] = name.as_str().into();
    twin.reference.name = name;
    let answers = run.client.dry_run(&[&twin]).await;
    let mut answers = answers.map_err(|error| NotWritten::Refused(error.to_string()))?;
    match answers.remove(&twin.reference) {
        Some(DryRun::Applied(_)) => Ok(()),
        Some(DryRun::Rejected(rejection)) if is_about_the_name(&rejection) => Ok(()),
        Some(DryRun::Rejected(rejection)) => Err(NotWritten::Refused(format!(
            "it was not deleted, since the server would not take it again: {}",
            rejection.message
        ))),
        None => Err(NotWritten::Refused("the server did not answer the dry run".into())),
    }
}

/// Whether nothing is wrong but the name: some kinds (definitions, `APIServices`) leave no choice of it.
fn is_about_the_name(rejection: &Rejection) -> bool {
    rejection.code == 422
        && !rejection.causes.is_empty()
        && rejection.causes.iter().all(|cause| cause.field == "metadata.name")
}

/// Deletes an object that is to be made again, and waits until it is gone. Like every deletion, only the very object
/// that the plan saw, with our mark and without any wish to stay (I2).
async fn clear(run: &Run<'_>, action: &Action, uid: &str) -> Result<(), NotWritten> {
    let timeout = Duration::from_secs(
        run.plan
            .components
            .iter()
            .find(|c| c.actions.iter().any(|a| a.reference == action.reference))
            .map_or(60, |c| c.timeout_seconds),
    );
    let begin = Instant::now();
    let live = run.client.get(&action.reference, &action.version).await;
    let live = live.map_err(|error| NotWritten::Refused(error.to_string()))?;
    let Some(live) = live else { return Ok(()) };
    let component =
        run.plan.components.iter().find(|c| c.actions.iter().any(|a| a.reference == action.reference));
    let own = component.map(|c| c.takes_over.iter().chain(&c.formerly).chain([&c.name]));
    let owners: Vec<&str> =
        own.into_iter().flatten().chain(&action.handed_over_from).map(String::as_str).collect();
    match plan::still_removable(&run.plan.landscape, &owners, &live) {
        plan::Removable::Yes => {}
        plan::Removable::NotOurs => {
            return Err(NotWritten::Refused("it no longer carries our mark; plan again".into()));
        }
        plan::Removable::Kept(reason) => return Err(NotWritten::Refused(reason)),
    }
    run.count_write();
    let deleted = run.client.delete(&action.reference, &action.version, uid, Propagation::Background).await?;
    if deleted == Deleted::OtherUid {
        return Err(NotWritten::Refused("it has been replaced since the plan was made; plan again".into()));
    }
    let mut pause = Duration::from_millis(100);
    loop {
        let live = run.client.get(&action.reference, &action.version).await;
        let held = match live {
            Ok(None) => return Ok(()),
            Ok(Some(live)) if live.uid() != uid => return Ok(()),
            Ok(Some(live)) => crate::health::finalizers(&live.0).join(", "),
            Err(error) => error.to_string(),
        };
        if begin.elapsed() > timeout || run.sleep(pause).await.is_err() {
            return Err(NotWritten::Refused(format!(
                "it was deleted to be made again, but is not gone yet: {held}"
            )));
        }
        pause = (pause * 2).min(Duration::from_secs(5));
    }
}

/// Records and tells the outcome; returns why it is a failure, if it is.
fn note<'a>(
    run: &Run<'a>,
    work: &mut Work<'a>,
    action: &'a Action,
    answer: Result<Live, NotWritten>,
) -> Option<String> {
    let reference = &action.reference;
    let component = work.component.name.as_str();
    match answer {
        Ok(live) => {
            let uid = live.uid().to_owned();
            let memory = memory::remember(run, action, &live);
            plan::record(
                &mut work.inventory,
                reference,
                Recorded::Applied { uid, version: action.version.clone(), memory },
            );
            run.take(reference);
            let (count, event) = match action.operation {
                Operation::Create { .. } => (&mut work.counts.created, ObjectEvent::Created),
                Operation::Recreate { .. } => (&mut work.counts.recreated, ObjectEvent::Recreated),
                _ => (&mut work.counts.updated, ObjectEvent::Updated),
            };
            *count += 1;
            work.written.insert(reference, Timestamp::now());
            work.live.insert(reference, live);
            run.object(component, reference, event);
            None
        }
        Err(NotWritten::Refused(reason)) => {
            plan::record(&mut work.inventory, reference, Recorded::Failed);
            let reason = run.masks.mask(&reason);
            run.object(component, reference, ObjectEvent::Failed { reason: reason.clone() });
            Some(reason)
        }
        Err(NotWritten::Unknown(reason)) => {
            plan::record(&mut work.inventory, reference, Recorded::Unknown);
            let reason = run.masks.mask(&reason);
            run.object(component, reference, ObjectEvent::Unknown { reason: reason.clone() });
            Some(format!("it may have been written or not: {reason}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Cause;

    #[test]
    fn only_a_name_that_cannot_be_chosen_is_no_reason() {
        let rejection = |code: u16, fields: &[&str]| Rejection {
            code,
            reason: "Invalid".into(),
            message: "is invalid".into(),
            causes: fields
                .iter()
                .map(|field| Cause {
                    reason: "FieldValueInvalid".into(),
                    field: (*field).into(),
                    message: String::new(),
                })
                .collect(),
        };
        assert!(is_about_the_name(&rejection(422, &["metadata.name"])));
        assert!(!is_about_the_name(&rejection(422, &["metadata.name", "spec.scope"])));
        assert!(!is_about_the_name(&rejection(422, &[])));
        assert!(!is_about_the_name(&rejection(403, &["metadata.name"])));
    }
}
