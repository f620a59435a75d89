//! Lines that move in place: one per component, announced up front.

use std::collections::BTreeMap;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::wording;
use crate::apply::{Event, ObjectEvent, Phase};
use crate::report::harmless::harmless;
use crate::report::style::{CHANGED, Paint, REMOVED};

/// One moving line per component.
pub struct Lines {
    screen: MultiProgress,
    paint: Paint,
    prefix: String,
    width: usize,
    bars: BTreeMap<String, ProgressBar>,
}

impl Lines {
    pub(super) fn new(screen: MultiProgress, paint: Paint, width: usize, prefix: String) -> Self {
        Self { screen, paint, prefix, width, bars: BTreeMap::new() }
    }

    pub(super) fn show(&mut self, event: &Event) {
        match event {
            Event::Announced { components } => {
                let name_width = components.iter().map(|c| c.component.len()).max().unwrap_or(0);
                let style = ProgressStyle::with_template("{spinner} {prefix} {wide_msg}")
                    .unwrap_or_else(|_| ProgressStyle::default_spinner());
                for announced in components {
                    let bar = self.screen.add(ProgressBar::new_spinner().with_style(style.clone()));
                    bar.set_prefix(format!("{}{:name_width$}", self.prefix, announced.component));
                    self.bars.insert(announced.component.clone(), bar);
                }
            }
            Event::Component { component, phase } => {
                let Some(bar) = self.bars.get(component) else { return };
                let text = harmless(&wording::phase(phase, self.paint)).into_owned();
                match phase {
                    Phase::Done | Phase::Skipped { .. } => bar.finish_with_message(text),
                    Phase::Failed { reasons } => {
                        bar.finish_with_message(text);
                        for reason in reasons {
                            self.above(&format!("{component}: {reason}"), REMOVED);
                        }
                    }
                    Phase::Pending { .. } => bar.set_message(text),
                    _ => {
                        bar.set_message(text);
                        bar.enable_steady_tick(Duration::from_millis(120));
                    }
                }
            }
            Event::Object { object, what, .. } => match what {
                ObjectEvent::Failed { reason } => self.above(&format!("{object}: {reason}"), REMOVED),
                ObjectEvent::Unknown { reason } => {
                    self.above(&format!("{object}: outcome unknown: {reason}"), REMOVED);
                }
                ObjectEvent::Kept { reason } => self.above(&format!("{object} kept: {reason}"), CHANGED),
                ObjectEvent::Held { reason } => self.above(&format!("{object} held: {reason}"), CHANGED),
                _ => {}
            },
            Event::Warning { message, .. } => self.above(&format!("warning: {message}"), CHANGED),
        }
    }

    /// Prints a line above the moving ones.
    fn above(&self, text: &str, style: anstyle::Style) {
        let line: String = harmless(text).chars().take(self.width * 4).collect();
        let _ = self.screen.println(self.paint.paint(style, &format!("{}{line}", self.prefix)));
    }
}
