//! A plan into writes: one attempt.

mod event;
mod machine;
mod outcome;

pub use event::{Announcement, Event, ObjectEvent, Phase, Unhealthy};
pub use outcome::{ComponentOutcome, ComponentResult, Counts, Interruption, Outcome};
