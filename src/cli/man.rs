//! `landskap man`: man pages from the definition of the arguments.

use anyhow::Context;

use super::args::Man;
use super::exit::Exit;
use super::failure::Failure;
use super::session::Session;

/// Prints the main page, or writes one page per command.
pub fn run(session: &Session, arguments: &Man) -> Result<Exit, Failure> {
    match &arguments.output_dir {
        Some(directory) => {
            std::fs::create_dir_all(directory)
                .with_context(|| format!("`{}` cannot be made", directory.display()))?;
            clap_mangen::generate_to(super::definition(), directory)
                .with_context(|| format!("man pages cannot be written to `{}`", directory.display()))?;
        }
        None => {
            let mut page = Vec::new();
            clap_mangen::Man::new(super::definition()).render(&mut page)?;
            session.terminal.print(&String::from_utf8_lossy(&page))?;
        }
    }
    Ok(Exit::Fine)
}
