//! How an apply came out: what the caller prints, and what its exit code rests on.

use serde::Serialize;

/// How one attempt at a plan came out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// Every component of the plan, in its order.
    pub components: Vec<ComponentOutcome>,
    /// Why the whole run failed, whatever became of the components (a record that cannot be written).
    pub errors: Vec<String>,
    /// How many writes were sent: objects, deletions and records; dry runs and the Lease are not counted.
    pub writes: u64,
    /// Set when the run was stopped before it was through.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interrupted: Option<Interruption>,
}

impl Outcome {
    /// Nothing was done, for this reason.
    pub(super) fn refused(reason: &str) -> Self {
        Self { components: Vec::new(), errors: vec![reason.to_owned()], writes: 0, interrupted: None }
    }

    /// Whether everything that was to be done is done.
    pub fn is_success(&self) -> bool {
        self.interrupted.is_none()
            && self.errors.is_empty()
            && self.components.iter().all(|c| {
                !matches!(
                    c.result,
                    ComponentResult::Failed { .. }
                        | ComponentResult::Skipped { .. }
                        | ComponentResult::Interrupted
                )
            })
    }
}

/// Why a run was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Interruption {
    /// SIGINT or SIGTERM.
    Signal,
    /// The run's Lease could not be renewed: another run may write now.
    LeaseLost,
}

/// How one component came out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ComponentOutcome {
    /// Its name.
    pub component: String,
    /// How.
    #[serde(flatten)]
    pub result: ComponentResult,
    /// What was done, also when it failed in the end.
    pub counts: Counts,
}

/// How a component came out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "result", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum ComponentResult {
    /// Nothing was to be done, and it is healthy.
    Unchanged,
    /// Written, healthy, tidy.
    Applied,
    /// It has left the cluster.
    Removed,
    /// Something went wrong.
    Failed {
        /// One sentence each.
        reasons: Vec<String>,
    },
    /// A component that it needs failed.
    Skipped {
        /// `` `grafana` failed ``.
        because: String,
    },
    /// It is paused.
    Suspended {
        /// Why.
        reason: String,
    },
    /// The command line named others.
    NotSelected,
    /// The run was stopped first.
    Interrupted,
}

/// What was done to the objects of a component.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Made.
    pub created: usize,
    /// Changed.
    pub updated: usize,
    /// Deleted and made again.
    pub recreated: usize,
    /// Deleted and gone.
    pub deleted: usize,
    /// No longer wanted, but left where they are.
    pub kept: usize,
    /// Let go without being touched, or without our labels.
    pub forgotten: usize,
}
