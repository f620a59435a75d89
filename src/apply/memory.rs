//! Proofs by memory (semantics §1.10): what an apply learned about its objects, so that the next run need not ask.
//!
//! The answer to an apply is proof enough for what nobody else writes to. A workload's controller writes to it right
//! afterwards, which voids that proof; so once things have settled the server is asked again, and only its word that
//! nothing would change is remembered.

use futures::future::join_all;
use jiff::Timestamp;

use super::parts::is_write;
use super::run::{Run, Work};
use crate::health;
use crate::plan::inventory::Memory;
use crate::plan::{self, Action, DryRun, Live, Outcome as Recorded};

/// Proof that applying the action's body to `live` changes nothing; the caller knows that this is so.
pub fn remember(run: &Run<'_>, action: &Action, live: &Live) -> Option<Memory> {
    let generation = plan::crd_generation(run.observation, &action.reference.group_kind())?;
    let object = run.desired.get(&action.reference)?;
    plan::remember(object, live, generation, Timestamp::now().as_second())
}

/// Asks again about the objects of this run that have a controller, if the component went well and was waited for.
pub async fn prove<'a>(run: &Run<'a>, work: &mut Work<'a>) {
    if work.has_failed || !run.options.wait || run.is_stopping() {
        return;
    }
    let component = work.component;
    let has_controller = |action: &&Action| {
        is_write(action)
            && !action.sensitive
            && !health::is_instant(&action.reference.group, &action.reference.kind)
            && work.written.contains_key(&action.reference)
    };
    let actions: Vec<&Action> = component.actions.iter().filter(has_controller).collect();
    let answers = join_all(actions.iter().map(|action| prove_one(run, action))).await;
    for (action, answer) in actions.into_iter().zip(answers) {
        let Some((uid, memory)) = answer else { continue };
        let applied = Recorded::Applied { uid, version: action.version.clone(), memory: Some(memory) };
        plan::record(&mut work.inventory, &action.reference, applied);
    }
}

/// The object's UID and the proof, if a dry run leaves it as it is.
async fn prove_one(run: &Run<'_>, action: &Action) -> Option<(String, Memory)> {
    let object = *run.desired.get(&action.reference)?;
    let mut answers = run.client.dry_run(&[object]).await.ok()?;
    let DryRun::Applied(future) = answers.remove(&action.reference)? else { return None };
    let live = run.client.get(&action.reference, &action.version).await.ok()??;
    let (memory, would_be) = (remember(run, action, &live)?, remember(run, action, &future)?);
    let same = memory.live == would_be.live && memory.managers == would_be.managers;
    same.then(|| (live.uid().to_owned(), memory))
}
