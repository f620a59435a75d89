//! The inventory of a component around its writes: ahead of them and after them (semantics §3.3, S4 and S10).

use super::parts;
use super::run::{Run, Stopped, Work};
use crate::plan::inventory::{Entry, State};
use crate::plan::{self, ComponentPlan, Decision, Inventory, Operation, Outcome as Recorded};

/// The inventory that a component's run starts from: what is stored and what will be written.
pub fn first(run: &Run, previous: Option<&Inventory>, component: &ComponentPlan) -> Inventory {
    let mut inventory = plan::write_ahead(previous, component, run.plan);
    let former = component.takes_over.iter().filter_map(|name| run.observation.inventories.get(name));
    former.for_each(|former| plan::take_over(&mut inventory, former));
    inventory
}

/// Writes the inventory ahead of the objects.
pub async fn intend<'a>(run: &Run<'a>, work: &mut Work<'a>) -> Result<(), Stopped> {
    if run.is_stopping() {
        return Err(Stopped::Cut);
    }
    store(run, work).await
}

/// Stores the inventory as it is in `work`.
pub async fn store<'a>(run: &Run<'a>, work: &mut Work<'a>) -> Result<(), Stopped> {
    run.count_write();
    let written = run.client.write_inventory(&work.inventory).await;
    let version = written.map_err(|error| {
        Stopped::because(format!("cannot write the inventory of `{}`: {error}", work.component.name))
    })?;
    work.inventory.resource_version = Some(version);
    Ok(())
}

/// Writes the inventory as things are now; removes it when the component has left and nothing of it is there.
pub async fn settle<'a>(run: &Run<'a>, work: &mut Work<'a>) -> Result<(), Stopped> {
    record_unchanged(work);
    record_unwanted(run, work);
    plan::close(&mut work.inventory, work.component, !work.has_failed);
    if parts::is_leaving(work.component) && work.inventory.entries.is_empty() {
        run.count_write();
        return run.client.delete_inventory(&work.inventory).await.map_err(|error| {
            Stopped::because(format!("cannot delete the inventory of `{}`: {error}", work.component.name))
        });
    }
    store(run, work).await?;
    if work.has_failed {
        return Ok(());
    }
    for name in &work.component.takes_over {
        let Some(former) = run.observation.inventories.get(name) else { continue };
        run.count_write();
        run.client.delete_inventory(former).await.map_err(|error| {
            Stopped::because(format!("cannot delete the inventory of `{name}`, a former name: {error}"))
        })?;
    }
    Ok(())
}

/// Objects that were found as wanted, whatever the record says about them (a run that was cut off leaves intents).
fn record_unchanged(work: &mut Work<'_>) {
    for action in &work.component.actions {
        let Operation::Unchanged(_) = action.operation else { continue };
        let Some(live) = &action.live else { continue };
        let known = work.inventory.entries.get(&Entry::key(&action.reference));
        let memory = action.memory.clone().or_else(|| known.and_then(|entry| entry.memory.clone()));
        let applied = Recorded::Applied { uid: live.uid.clone(), version: action.version.clone(), memory };
        plan::record(&mut work.inventory, &action.reference, applied);
    }
}

/// Objects that are no longer wanted and are not deleted. What an heir has not taken stays listed here.
fn record_unwanted<'a>(run: &Run<'a>, work: &mut Work<'a>) {
    for removal in &work.component.removals {
        let entry = work.inventory.entries.get(&Entry::key(&removal.reference));
        let listed = entry.is_some();
        match &removal.decision {
            Decision::Keep(_) => {
                work.counts.kept += usize::from(entry.is_some_and(|entry| entry.state != State::Kept));
                plan::record(&mut work.inventory, &removal.reference, Recorded::Kept);
            }
            Decision::Forget(_) => {
                let has_heir = run.plan.components.iter().any(|other| {
                    other.name != work.component.name
                        && other.actions.iter().any(|action| action.reference == removal.reference)
                });
                if !has_heir || run.is_taken(&removal.reference) {
                    work.counts.forgotten += usize::from(listed);
                    plan::record(&mut work.inventory, &removal.reference, Recorded::Forgotten);
                }
            }
            Decision::Delete | Decision::Release => {}
        }
    }
}
