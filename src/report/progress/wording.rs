//! How phases are put into words, the same on a terminal and in a log.

use crate::apply::{Phase, Unhealthy};
use crate::report::style::{ADDED, CHANGED, Paint, QUIET, REMOVED};

/// How many objects that are waited for are named.
const NAMED: usize = 2;

/// A phase in one line, painted.
pub fn phase(phase: &Phase, paint: Paint) -> String {
    match phase {
        Phase::Pending { after } if after.is_empty() => paint.paint(QUIET, "pending"),
        Phase::Pending { after } => paint.paint(QUIET, &format!("pending, after {}", after.join(", "))),
        Phase::Applying { written, total } => paint.paint(CHANGED, &format!("applying {written} of {total}")),
        Phase::Waiting { healthy, total, objects } => {
            paint.paint(CHANGED, &format!("waiting, {healthy} of {total} healthy{}", named(objects)))
        }
        Phase::Removing { gone, total, objects } => {
            paint.paint(CHANGED, &format!("removing, {gone} of {total} gone{}", named(objects)))
        }
        Phase::Done => paint.paint(ADDED, "done"),
        Phase::Failed { reasons } => {
            paint.paint(REMOVED, &format!("failed: {}", reasons.first().map_or("", String::as_str)))
        }
        Phase::Skipped { because } => paint.paint(REMOVED, &format!("skipped: {because}")),
    }
}

fn named(objects: &[Unhealthy]) -> String {
    let mut names: Vec<_> =
        objects.iter().take(NAMED).map(|o| format!("{}: {}", o.object, o.reason)).collect();
    if objects.len() > NAMED {
        names.push(format!("{} more", objects.len() - NAMED));
    }
    if names.is_empty() { String::new() } else { format!("; {}", names.join("; ")) }
}
