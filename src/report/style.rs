//! Colours: few, each with one meaning. Everything is readable without them.

use anstyle::{AnsiColor, Style};

/// Whether to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paint {
    /// ANSI colours.
    Color,
    /// None.
    Plain,
}

/// Something comes to be.
pub const ADDED: Style = AnsiColor::Green.on_default();
/// Something changes.
pub const CHANGED: Style = AnsiColor::Yellow.on_default();
/// Something goes, or fails.
pub const REMOVED: Style = AnsiColor::Red.on_default();
/// Something that the eye may skip.
pub const QUIET: Style = Style::new().dimmed();
/// A heading.
pub const HEADING: Style = Style::new().bold();

impl Paint {
    /// `text` in `style`.
    pub fn paint(self, style: Style, text: &str) -> String {
        match self {
            Self::Color => format!("{style}{text}{style:#}"),
            Self::Plain => text.to_owned(),
        }
    }
}
