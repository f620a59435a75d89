//! Why a command ended early, and how that is told: once, with causes and a hint.

use super::exit::Exit;
use crate::report::Terminal;

/// Why a command ended early.
#[derive(Debug)]
pub enum Failure {
    /// The arguments make no sense here: what, and what to do.
    Usage(String, String),
    /// Something failed.
    Error(anyhow::Error),
    /// Everything has been said already.
    Told(Exit),
}

impl Failure {
    /// Prints it and turns it into an exit code. A closed pipe ends quietly and well: the reader had enough.
    pub fn tell(self, terminal: &Terminal) -> Exit {
        match self {
            Self::Usage(message, hint) => {
                terminal.say(&format!("error: {message}\n"));
                if !hint.is_empty() {
                    terminal.say(&format!("hint: {hint}\n"));
                }
                Exit::Usage
            }
            Self::Error(error) if is_broken_pipe(&error) => Exit::Fine,
            Self::Error(error) => {
                terminal.say(&format!("error: {}\n", chain(&error)));
                Exit::Failed
            }
            Self::Told(exit) => exit,
        }
    }
}

/// In one line, for a log.
impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Usage(message, hint) if hint.is_empty() => f.write_str(message),
            Self::Usage(message, hint) => write!(f, "{message}; {hint}"),
            Self::Error(error) => f.write_str(&chain(error)),
            Self::Told(_) => Ok(()),
        }
    }
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|cause| cause.kind() == std::io::ErrorKind::BrokenPipe)
}

/// The error and its causes, each text once: some libraries repeat their source in their own text.
pub fn chain(error: &anyhow::Error) -> String {
    let mut texts: Vec<String> = Vec::new();
    for cause in error.chain() {
        let text = cause.to_string();
        if !texts.iter().any(|told| told.contains(&text)) {
            texts.push(text);
        }
    }
    texts.join(": ")
}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    use super::*;

    #[test]
    fn a_cause_that_its_error_repeats_is_told_once() {
        let error = Err::<(), _>(std::io::Error::other("no route"))
            .context("request failed: no route")
            .context("cluster `dev` cannot be reached")
            .unwrap_err();
        assert_eq!(chain(&error), "cluster `dev` cannot be reached: request failed: no route");
    }
}
