//! Desired and observed into a [`Plan`] with no choices left. Pure: no request is made here.

mod desired;
pub mod inventory;
mod model;
mod observation;

pub use desired::{Desired, DesiredComponent, DesiredObject};
pub use inventory::Inventory;
pub use model::{
    Action, Change, ComponentPlan, Decision, LiveVersion, NamespaceBody, Operation, Plan, Presence, Proof,
    Refusal, Removal, Stage,
};
pub use observation::{Cause, DryRun, DryRuns, Identity, Live, Observation, Query, Rejection, Terminating};
