//! What an apply would change in one object: the live object against the server's answer to a dry run.
//!
//! Never against the manifest. Shown is what we own: paths in our managedFields entry before or after. Fields that
//! change though nobody asked (a webhook, a default) are shown only if nothing of ours changes, so that no update is
//! without a reason. Secrets are masked here; a Secret that can't be read as one is shown as changed and no more.

mod mask;
mod noise;
mod owned;
mod walk;

use super::model::Change;
use super::observation::Live;

/// What would change.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Difference {
    /// Nothing at all changes: neither a value nor who owns it.
    pub(super) same: bool,
    /// The changes to show.
    pub(super) changes: Vec<Change>,
}

/// Compares `live` with `after`, the server's answer to a dry run on it.
pub(super) fn compare(live: &Live, after: &Live, sensitive: bool) -> Difference {
    let (before_value, after_value) = (noise::without(&live.0), noise::without(&after.0));
    let (before_managers, after_managers) = (noise::managers(live), noise::managers(after));
    if before_value == after_value && before_managers == after_managers {
        return Difference { same: true, changes: Vec::new() };
    }
    let found = walk::changes(live, after, &before_value, &after_value);
    let mut changes: Vec<walk::Found> = found.iter().filter(|found| found.owned).cloned().collect();
    if changes.is_empty() {
        changes = owned::moved(live, after, &after_value);
    }
    if changes.is_empty() {
        changes = found;
    }
    let changes = if sensitive { mask::secret(&before_value, &after_value, &changes) } else { changes };
    Difference { same: false, changes: changes.into_iter().map(walk::Found::into_change).collect() }
}

/// Compares `live` with `after`, which nobody but us has made of it: every difference is ours.
pub(super) fn declared(live: &Live, after: &Live, sensitive: bool) -> Vec<Change> {
    let (before_value, after_value) = (noise::without(&live.0), noise::without(&after.0));
    let found = walk::changes(live, after, &before_value, &after_value);
    let found = if sensitive && !found.is_empty() {
        mask::secret(&before_value, &after_value, &found)
    } else {
        found
    };
    found.into_iter().map(walk::Found::into_change).collect()
}

#[cfg(test)]
mod tests;
