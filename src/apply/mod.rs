//! A plan into writes: one attempt.
//!
//! [`apply`] carries a [`Plan`] out, decides nothing that the plan has not decided, and never tries twice: whoever
//! wants that plans again. `machine` is the order of it, pure; `run` drives it; the other modules are one step each.
//! At every moment the stored inventories list at least what carries our mark (I1), so that a run can be killed
//! anywhere and the next one goes on from there.
//!
//! Requests go through [`crate::cluster`]. Nothing here prints: what happens is told as [`Event`]s.

mod begin;
mod definition;
mod event;
mod evidence;
mod machine;
mod masking;
mod memory;
mod outcome;
mod parts;
mod remove;
mod run;
mod settle;
mod wait;
mod write;

use std::time::Duration;

use tokio::sync::watch;

use crate::cluster::Client;
use crate::plan::{Desired, Observation, Plan};

pub use event::{Announcement, Event, ObjectEvent, Phase, Unhealthy};
pub use outcome::{ComponentOutcome, ComponentResult, Counts, Interruption, Outcome};

/// How a plan is carried out.
#[derive(Debug, Clone)]
pub struct Options {
    /// Whether to wait for health. Definitions, namespaces and deletions are waited for in any case.
    pub wait: bool,
    /// How long any component may take to become healthy, or to go away, instead of its own `wait.timeout`.
    pub timeout: Option<Duration>,
    /// Whether what a full pass of dry runs has proven is stored even if nothing else is written. For `watch`; an
    /// apply that changes nothing writes nothing.
    pub learn: bool,
    /// Turns `Some` when nothing new may be started. What is in flight is finished and recorded.
    pub stop: watch::Receiver<Option<Interruption>>,
}

/// Whether carrying `plan` out writes anything at all: then the run needs its Lease.
pub fn writes(plan: &Plan, observation: &Observation, options: &Options) -> bool {
    let changes = parts::changes(&parts::parts(plan, observation, options));
    changes || plan.new_cluster || begin::records_revision(plan, observation, changes)
}

/// Carries `plan` out: one attempt.
///
/// `desired` and `observation` are those that the plan was made from. The caller holds the run Lease, has seen that
/// the plan has no refusals, and turns a lost Lease or a signal into `options.stop`. Failures are in the outcome, per
/// component; a plan with refusals is not carried out.
pub async fn apply(
    client: &Client,
    plan: &Plan,
    desired: &Desired,
    observation: &Observation,
    options: &Options,
    events: &(dyn Fn(Event) + Sync),
) -> Outcome {
    if let Some(refusal) = plan.refusals.first() {
        return Outcome::refused(&refusal.message);
    }
    run::Run::new(client, plan, desired, observation, options, events).carry_out().await
}
