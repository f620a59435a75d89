//! Desired and observed into a [`Plan`] with no choices left. Pure: no request is made here.
//!
//! The walk: [`desire()`] → [`query()`] (then `cluster` observes) → [`settle()`] → [`triage()`] (then `cluster` dry-runs
//! what is not proven) → [`plan`]. While a plan is carried out, [`write_ahead`] and [`record`] say what the inventories
//! become. [`verify`] compares a saved plan with the present.

mod action;
mod applyset;
mod builtin;
mod desire;
mod desired;
mod diff;
mod digest;
mod guard;
mod immutable;
mod intent;
pub mod inventory;
mod ledger;
mod marks;
mod model;
mod observation;
mod order;
mod overlay;
mod ownership;
mod planner;
mod proof;
mod query;
mod removal;
mod saved;
mod secret_checksum;
mod settle;
mod triage;

pub use applyset::{ID_LABEL, applyset_annotations, applyset_id};
pub use desire::{Ingredients, desire};
pub use desired::{Desired, DesiredComponent, DesiredObject};
pub use intent::{Intent, Mode};
pub use inventory::Inventory;
pub use ledger::{Outcome, close, learn, record, take_over, write_ahead};
pub use model::{
    Action, Change, ComponentPlan, Decision, LiveVersion, NamespaceBody, Operation, Plan, Presence, Proof,
    Refusal, Removal, Stage,
};
pub use observation::{Cause, DryRun, DryRuns, Identity, Live, Observation, Query, Rejection, Terminating};
pub use planner::plan;
pub use proof::memory::remember;
pub use query::query;
pub use removal::{Removable, still_removable};
pub use saved::{Moved, verify};
pub use settle::settle;
pub use triage::{Triage, crd_generation, triage, triage_in_full};

#[cfg(test)]
mod fixture;
