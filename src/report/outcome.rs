//! An [`Outcome`] as text: what was done, and what was not and why.

use std::fmt::Write as _;

use super::style::{ADDED, CHANGED, HEADING, Paint, QUIET, REMOVED};
use crate::apply::{ComponentResult, Counts, Interruption, Outcome};

/// The whole outcome. Unchanged components are only counted.
pub fn text(cluster: &str, outcome: &Outcome, paint: Paint) -> String {
    let mut out = format!("{}\n", paint.paint(HEADING, &format!("cluster {cluster}")));
    let mut unchanged = 0;
    for component in &outcome.components {
        let name = &component.component;
        let done = counts(component.counts);
        let said = match &component.result {
            ComponentResult::Unchanged | ComponentResult::NotSelected => {
                unchanged += 1;
                continue;
            }
            ComponentResult::Applied => paint.paint(ADDED, &format!("{name}: done{done}")),
            ComponentResult::Removed => paint.paint(ADDED, &format!("{name}: removed{done}")),
            ComponentResult::Suspended { reason } => {
                paint.paint(QUIET, &format!("{name}: suspended: {reason}"))
            }
            ComponentResult::Skipped { because } => {
                paint.paint(REMOVED, &format!("{name}: skipped, {because}"))
            }
            ComponentResult::Interrupted => paint.paint(CHANGED, &format!("{name}: stopped{done}")),
            ComponentResult::Failed { reasons } => {
                let mut text = paint.paint(REMOVED, &format!("{name}: failed{done}"));
                for reason in reasons {
                    let _ = write!(text, "\n    {}", reason.replace('\n', "\n    "));
                }
                text
            }
        };
        let _ = writeln!(out, "  {said}");
    }
    if unchanged > 0 {
        let plural = if unchanged == 1 { "" } else { "s" };
        let _ =
            writeln!(out, "  {}", paint.paint(QUIET, &format!("{unchanged} component{plural} unchanged")));
    }
    for error in &outcome.errors {
        let _ = writeln!(out, "  {}", paint.paint(REMOVED, &format!("error: {error}")));
    }
    match outcome.interrupted {
        Some(Interruption::Signal) => {
            out.push_str(
                "  stopped by a signal: what was written is recorded, a new run goes on from there\n",
            );
        }
        Some(Interruption::LeaseLost) => {
            out.push_str("  stopped: the Lease was lost, another run may be writing now\n");
        }
        None => {}
    }
    out
}

fn counts(counts: Counts) -> String {
    let parts: Vec<_> = [
        (counts.created, "created"),
        (counts.updated, "updated"),
        (counts.recreated, "recreated"),
        (counts.deleted, "deleted"),
        (counts.kept, "kept"),
        (counts.forgotten, "let go"),
    ]
    .into_iter()
    .filter(|(n, _)| *n > 0)
    .map(|(n, what)| format!("{n} {what}"))
    .collect();
    if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) }
}
