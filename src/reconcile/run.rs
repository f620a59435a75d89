//! A plan carried out under the run's Lease.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::watch;

use super::{Error, Prepared, Walk};
use crate::apply::{self, Event, Interruption, Outcome};
use crate::cluster::{Holder, Records, RunLease, Waiting};
use crate::plan::{Inventory, Observation};

/// How a plan is carried out.
#[derive(Debug, Clone)]
pub struct Run {
    /// Who we are, in the Lease.
    pub holder: Holder,
    /// How long another run is waited for.
    pub lock_timeout: Duration,
    /// Whether health is waited for.
    pub wait: bool,
    /// How long any component may take, instead of its own `wait.timeout`.
    pub timeout: Option<Duration>,
    /// Whether what dry runs have proven is stored even if nothing else is written (`watch`).
    pub learn: bool,
    /// Turns true on SIGINT or SIGTERM.
    pub stop: watch::Receiver<bool>,
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
    events: &(dyn Fn(Event) + Sync),
) -> Result<Ended, Error> {
    let Prepared { client, plan, desired, observation, mac_key, .. } = prepared;
    let (interruption, stop) = watch::channel(None);
    let options = apply::Options { wait: how.wait, timeout: how.timeout, learn: how.learn, stop };
    if !apply::writes(plan, observation, &options) {
        let _listener = interrupt(how.stop.clone(), None, interruption);
        return Ok(Ended::Done(apply::apply(client, plan, desired, observation, &options, events).await));
    }
    let landscape = &walk.landscape.name;
    let lease = client.acquire(landscape, &how.holder, how.lock_timeout, waiting).await?;
    let records = client.read_records(landscape).await?;
    if moved(observation, &records) || client.mac_key(landscape, mac_key).await?.bytes() != mac_key.bytes() {
        lease.release().await;
        return Ok(Ended::Moved);
    }
    let listener = interrupt(how.stop.clone(), Some(&lease), interruption);
    let outcome = apply::apply(client, plan, desired, observation, &options, events).await;
    drop(listener);
    lease.release().await;
    Ok(Ended::Done(outcome))
}

/// A task that ends with its owner.
struct Listener(tokio::task::JoinHandle<()>);

impl Drop for Listener {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Turns a signal or a lost Lease into an interruption of the apply.
fn interrupt(
    mut stop: watch::Receiver<bool>,
    lease: Option<&RunLease>,
    interruption: watch::Sender<Option<Interruption>>,
) -> Listener {
    let mut lost = lease.map(RunLease::watch_loss);
    Listener(tokio::spawn(async move {
        let lost = async {
            match &mut lost {
                // A Lease that nobody renews any more is lost as well.
                Some(lost) => drop(lost.wait_for(|lost| *lost).await),
                None => std::future::pending().await,
            }
        };
        let signalled = async {
            // Without anybody who could signal, the Lease is still watched.
            if stop.wait_for(|stop| *stop).await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        let why = tokio::select! {
            () = signalled => Interruption::Signal,
            () = lost => Interruption::LeaseLost,
        };
        let _ = interruption.send(Some(why));
        // Whoever listens must not see the channel close.
        std::future::pending::<()>().await;
    }))
}

/// Whether the records are other ones than the plan rests on.
fn moved(observation: &Observation, records: &Records) -> bool {
    let versions = |inventories: &BTreeMap<String, Inventory>| {
        inventories.iter().map(|(name, i)| (name.clone(), i.resource_version.clone())).collect::<Vec<_>>()
    };
    observation.identity != records.identity
        || versions(&observation.inventories) != versions(&records.inventories)
}
