//! What an apply tells while it runs, on standard error: a line per component that moves in place on a terminal,
//! plain lines elsewhere.

mod live;
mod plain;
mod wording;

use crate::apply::Event;
use crate::report::Terminal;

/// Shows the events of one cluster's run.
pub enum Progress<'a> {
    /// Moves in place.
    Live(live::Lines),
    /// One line per step.
    Plain(plain::Lines<'a>),
}

/// The lines of several clusters side by side.
#[derive(Clone)]
pub struct Screen(indicatif::MultiProgress);

impl Screen {
    /// Draws on standard error; draws nothing where that is not a terminal.
    pub fn new() -> Self {
        Self(indicatif::MultiProgress::new())
    }

    /// Prints above the moving lines.
    pub fn say(&self, terminal: &Terminal, text: &str) {
        self.0.suspend(|| terminal.say(text));
    }
}

impl Default for Screen {
    fn default() -> Self {
        Self::new()
    }
}

impl<'a> Progress<'a> {
    /// The printer for a cluster; `cluster` stands before every line when there are several.
    pub fn new(terminal: &'a Terminal, screen: &Screen, cluster: Option<&str>) -> Self {
        let prefix = cluster.map_or(String::new(), |cluster| format!("{cluster} "));
        if terminal.live {
            Self::Live(live::Lines::new(screen.0.clone(), terminal.err_paint, terminal.width, prefix))
        } else {
            Self::Plain(plain::Lines::new(terminal, prefix))
        }
    }

    /// Shows one event.
    pub fn show(&mut self, event: &Event) {
        match self {
            Self::Live(lines) => lines.show(event),
            Self::Plain(lines) => lines.show(event),
        }
    }
}
