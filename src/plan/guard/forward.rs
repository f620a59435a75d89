//! Only forward: a stale job or uncommitted changes don't undo what is there.

use crate::plan::desired::Desired;
use crate::plan::intent::{Intent, Mode};
use crate::plan::model::Refusal;
use crate::plan::observation::Observation;

/// `rewind`, `dirty`. A landscape that is not in git has no revisions and none of this, and a
/// deletion applies none.
pub(in crate::plan) fn check(
    desired: &Desired,
    observation: &Observation,
    intent: &Intent,
    refusals: &mut Vec<Refusal>,
) {
    let Some(revision) = &desired.revision else { return };
    if matches!(intent.mode, Mode::Delete { .. }) {
        return;
    }
    let applied = observation.identity.as_ref().and_then(|record| record.revision.as_ref());
    if let Some(applied) = applied
        && applied != revision
        && intent.contains_applied != Some(true)
        && !intent.allow_rewind
    {
        let short = |revision: &str| revision.chars().take(12).collect::<String>();
        refusals.push(Refusal {
            code: "rewind".into(),
            message: format!(
                "the revision `{}` does not contain `{}`, which was applied last",
                short(revision),
                short(applied)
            ),
            hint: "if you mean to go back, use `--allow-rewind`".into(),
            objects: Vec::new(),
        });
    }
    if intent.dirty && !intent.allow_dirty {
        refusals.push(Refusal {
            code: "dirty".into(),
            message: "the landscape has changes that are not committed".into(),
            hint: "commit them, or use `--allow-dirty`".into(),
            objects: Vec::new(),
        });
    }
}
