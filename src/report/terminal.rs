//! The one door to standard output and standard error: data goes to the first, all else to the second.

use std::io::{self, BufRead, IsTerminal, Write};
use std::sync::Mutex;

use super::harmless::harmless;
use super::style::Paint;

/// Where a command writes and whom it may ask.
pub struct Terminal {
    out: Mutex<Box<dyn Write + Send>>,
    err: Mutex<Box<dyn Write + Send>>,
    /// How to paint what goes to standard output.
    pub out_paint: Paint,
    /// How to paint what goes to standard error.
    pub err_paint: Paint,
    /// Whether somebody can be asked: standard input and standard error are terminals.
    pub interactive: bool,
    /// Whether standard error can be redrawn: progress moves in place.
    pub live: bool,
    /// Columns of the terminal; 80 when there is none.
    pub width: usize,
    /// Whether data goes to a terminal, which would obey what is in it; anything else gets it as it is.
    shows_data: bool,
}

/// Where the log goes: standard error.
#[allow(clippy::disallowed_methods, reason = "this is the door")]
pub fn log_writer() -> io::Stderr {
    io::stderr()
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColorChoice {
    /// On a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Terminal {
    /// The process's own streams. `columns` narrows or widens what the terminal says (the variable `COLUMNS`).
    #[allow(clippy::disallowed_methods, reason = "this is the door")]
    pub fn of_process(color: ColorChoice, columns: Option<usize>) -> Self {
        let paint = |is_terminal: bool| match color {
            ColorChoice::Always => Paint::Color,
            ColorChoice::Auto if is_terminal => Paint::Color,
            ColorChoice::Auto | ColorChoice::Never => Paint::Plain,
        };
        let (stdout, stderr) = (io::stdout(), io::stderr());
        let live = stderr.is_terminal();
        Self {
            out_paint: paint(stdout.is_terminal()),
            err_paint: paint(live),
            shows_data: stdout.is_terminal(),
            interactive: live && io::stdin().is_terminal(),
            live,
            width: columns
                .or_else(|| terminal_size::terminal_size().map(|(width, _)| usize::from(width.0)))
                .unwrap_or(80)
                .max(40),
            out: Mutex::new(Box::new(io::LineWriter::new(stdout))),
            err: Mutex::new(Box::new(stderr)),
        }
    }

    /// Writes data.
    ///
    /// # Errors
    /// As the stream: a closed pipe is [`io::ErrorKind::BrokenPipe`], which ends a command quietly.
    pub fn print(&self, text: &str) -> io::Result<()> {
        let shown = if self.shows_data { harmless(text) } else { text.into() };
        write_all(&self.out, &shown)
    }

    /// Writes for people: progress, problems, questions. A closed stream is no reason to stop.
    pub fn say(&self, text: &str) {
        let _ = write_all(&self.err, &harmless(text));
    }

    /// Asks on standard error and reads one line; `None` when nobody can be asked or the input ended.
    #[allow(clippy::disallowed_methods, reason = "this is the door")]
    pub fn ask(&self, question: &str) -> Option<String> {
        if !self.interactive {
            return None;
        }
        self.say(question);
        let mut answer = String::new();
        match io::stdin().lock().read_line(&mut answer) {
            Ok(0) | Err(_) => None,
            Ok(_) => Some(answer.trim().to_owned()),
        }
    }
}

fn write_all(stream: &Mutex<Box<dyn Write + Send>>, text: &str) -> io::Result<()> {
    let mut stream = stream.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    stream.write_all(text.as_bytes())?;
    stream.flush()
}
