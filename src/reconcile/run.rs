//! A plan carried out under the run's Lease.

use std::time::Duration;

use super::{Error, Prepared, Walk};
use crate::apply::{self, Event, Outcome};
use crate::cluster::{Holder, Records, Waiting};
use crate::plan::Observation;

/// How a plan is carried out.
#[derive(Debug, Clone)]
pub struct Run {
    /// Who we are, in the Lease.
    pub holder: Holder,
    /// How long another run is waited for.
    pub lock_timeout: Duration,
    /// Whether health is waited for.
    pub wait: bool,
    /// Turns true on SIGINT or SIGTERM.
    pub stop: tokio::sync::watch::Receiver<bool>,
}

/// How a run ended.
#[derive(Debug)]
pub enum Ended {
    /// The plan was carried out, or as much of it as could be.
    Done(Outcome),
    /// Another run wrote between the plan and the Lease: plan again.
    Moved,
}

/// Carries out a plan that has no refusals. A plan that writes nothing takes no Lease.
///
/// # Errors
/// When the Lease or the records cannot be had; nothing is written then.
pub async fn run(
    walk: &Walk<'_>,
    prepared: &Prepared,
    how: &Run,
    waiting: impl FnMut(&Waiting),
    events: impl Fn(Event) + Send + Sync,
) -> Result<Ended, Error> {
    let Prepared { client, plan, desired, observation, mac_key, .. } = prepared;
    let options = apply::Options { wait: how.wait, stop: how.stop.clone(), lease: None };
    if !apply::writes(plan, observation) {
        return Ok(Ended::Done(apply::apply(client, plan, desired, observation, options, events).await));
    }
    let landscape = &walk.landscape.name;
    client.ensure_record_namespace().await?;
    let lease = client.acquire(landscape, &how.holder, how.lock_timeout, waiting).await?;
    let records = client.read_records(landscape).await?;
    if moved(observation, &records) {
        lease.release().await;
        return Ok(Ended::Moved);
    }
    if client.mac_key(landscape, mac_key).await?.bytes() != mac_key.bytes() {
        lease.release().await;
        return Ok(Ended::Moved);
    }
    let options = apply::Options { lease: Some(lease.watch_loss()), ..options };
    let outcome = apply::apply(client, plan, desired, observation, options, events).await;
    lease.release().await;
    Ok(Ended::Done(outcome))
}

/// Whether the records are other ones than the plan rests on.
fn moved(observation: &Observation, records: &Records) -> bool {
    let versions = |inventories: &std::collections::BTreeMap<String, crate::plan::Inventory>| {
        inventories.iter().map(|(name, i)| (name.clone(), i.resource_version.clone())).collect::<Vec<_>>()
    };
    observation.identity != records.identity || versions(&observation.inventories) != versions(&records.inventories)
}
