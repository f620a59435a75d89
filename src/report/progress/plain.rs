//! Lines for a log: one when a component begins, waits or ends. Counts that only grow are not repeated.

use std::collections::BTreeMap;
use std::mem::{Discriminant, discriminant};

use super::wording;
use crate::apply::{Event, ObjectEvent, Phase};
use crate::report::Terminal;

/// Prints one line per step.
pub struct Lines<'a> {
    terminal: &'a Terminal,
    prefix: String,
    last: BTreeMap<String, (Discriminant<Phase>, Vec<String>)>,
}

impl<'a> Lines<'a> {
    pub(super) fn new(terminal: &'a Terminal, prefix: String) -> Self {
        Self { terminal, prefix, last: BTreeMap::new() }
    }

    pub(super) fn show(&mut self, event: &Event) {
        let Self { terminal, prefix, last } = self;
        match event {
            Event::Announced { .. } => {}
            Event::Component { component, phase } => {
                // A wait is told again only when it waits for something else.
                let waits_for = match phase {
                    Phase::Waiting { objects, .. } | Phase::Removing { objects, .. } => {
                        objects.iter().map(|o| o.object.to_string()).collect()
                    }
                    _ => Vec::new(),
                };
                // Components that have nothing to do begin and end without a word.
                let quiet = match phase {
                    Phase::Pending { .. } => true,
                    Phase::Done => !last.contains_key(component),
                    _ => false,
                };
                if quiet {
                    return;
                }
                let step = (discriminant(phase), waits_for);
                if last.insert(component.clone(), step.clone()) == Some(step) {
                    return;
                }
                terminal
                    .say(&format!("{prefix}{component}: {}\n", wording::phase(phase, terminal.err_paint)));
                if let Phase::Failed { reasons } = phase {
                    for reason in reasons.iter().skip(1) {
                        terminal.say(&format!("{prefix}{component}:   {reason}\n"));
                    }
                }
            }
            Event::Object { component, object, what } => {
                let reason = match what {
                    ObjectEvent::Failed { reason } => format!("failed: {reason}"),
                    ObjectEvent::Unknown { reason } => format!("outcome unknown: {reason}"),
                    ObjectEvent::Kept { reason } => format!("kept: {reason}"),
                    ObjectEvent::Held { reason } => format!("held: {reason}"),
                    _ => return,
                };
                let component = component.as_ref().map_or(String::new(), |c| format!("{c}: "));
                terminal.say(&format!("{prefix}{component}{object} {reason}\n"));
            }
            Event::Warning { component, message } => {
                let component = component.as_ref().map_or(String::new(), |c| format!("{c}: "));
                terminal.say(&format!("{prefix}{component}warning: {message}\n"));
            }
        }
    }
}
