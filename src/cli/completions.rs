//! `landskap completions`: a script for the user's shell.

use super::args::Completions;
use super::exit::Exit;
use super::failure::Failure;
use super::session::Session;

/// Prints the script.
pub fn run(session: &Session, arguments: &Completions) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut super::definition(), "landskap", &mut script);
    session.terminal.print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Fine)
}
