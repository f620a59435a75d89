//! `landskap schema`: the JSON Schema of a file, from the types that read it.

use super::args::Schema;
use super::exit::Exit;
use super::failure::Failure;
use super::session::Session;
use crate::landscape;

/// Prints the schema.
pub fn run(session: &Session, arguments: &Schema) -> Result<Exit, Failure> {
    for (_, schema) in landscape::schemas().into_iter().filter(|(file, _)| *file == arguments.file) {
        session.terminal.print(&format!("{schema:#}\n"))?;
    }
    Ok(Exit::Fine)
}
