//! Arguments into one of the walks: one file per command; arguments as typed in `args`, as meant in `session`.
//!
//! Errors end here: whatever a stage returns is printed once, with its causes and a hint, and becomes an
//! [`Exit`].

mod apply;
mod args;
mod check;
mod completions;
mod delete;
mod diff;
mod environment;
mod execute;
mod exit;
mod explain;
mod failure;
mod init;
mod list;
mod man;
mod plans;
mod questions;
mod render;
mod schema;
mod selector;
mod session;
mod signals;
mod status;
mod watch;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory, Parser};

pub use args::Arguments;
use args::Command;
pub use exit::Exit;
use session::Session;

use crate::cluster;
use crate::report::{ColorChoice, Terminal};

/// Runs one command line and says how it ended.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { Exit::Usage.code() } else { Exit::Fine.code() });
        }
    };
    let environment = match environment::Environment::of_process() {
        Ok(environment) => environment,
        Err(error) => {
            Terminal::of_process(ColorChoice::Never, None)
                .say(&format!("error: the working directory cannot be read: {error}\n"));
            return ExitCode::from(Exit::Failed.code());
        }
    };
    let color = match arguments.color {
        args::Color::Auto if environment.variable("NO_COLOR").is_some() => ColorChoice::Never,
        args::Color::Auto => ColorChoice::Auto,
        args::Color::Always => ColorChoice::Always,
        args::Color::Never => ColorChoice::Never,
    };
    let columns = environment.text("COLUMNS").and_then(|columns| columns.parse().ok());
    let terminal = Terminal::of_process(color, columns);
    log_to_standard_error(arguments.verbose);
    cluster::install_crypto_provider();
    let session = Session::new(terminal, environment, arguments.verbose);
    let exit =
        dispatch(&session, arguments.command).unwrap_or_else(|failure| failure.tell(&session.terminal));
    ExitCode::from(exit.code())
}

fn dispatch(session: &Session, command: Command) -> Result<Exit, failure::Failure> {
    match command {
        Command::Init(arguments) => init::run(session, &arguments),
        Command::Check(arguments) => check::run(session, &arguments),
        Command::Render(arguments) => render::run(session, &arguments),
        Command::List(arguments) => list::run(session, &arguments),
        Command::Explain(arguments) => explain::run(session, &arguments),
        Command::Diff(arguments) => session.block_on(diff::run(session, &arguments)),
        Command::Apply(arguments) => session.block_on(apply::run(session, &arguments)),
        Command::Status(arguments) => session.block_on(status::run(session, &arguments)),
        Command::Delete(arguments) => session.block_on(delete::run(session, &arguments)),
        Command::Watch(arguments) => session.block_on(watch::run(session, &arguments)),
        Command::Schema(arguments) => schema::run(session, &arguments),
        Command::Completions(arguments) => completions::run(session, &arguments),
        Command::Man(arguments) => man::run(session, &arguments),
        Command::Version => {
            session.terminal.print(&format!("landskap {}\n", env!("CARGO_PKG_VERSION")))?;
            Ok(Exit::Fine)
        }
    }
}

/// The definition of all arguments, for completions and man pages.
fn definition() -> clap::Command {
    Arguments::command()
}

/// Logs of our own rooms only: libraries may log what they send, and a request may hold a Secret.
fn log_to_standard_error(verbose: u8) {
    let level = match verbose {
        0 => return,
        1 => "landskap=info",
        2 => "landskap=debug",
        _ => "landskap=trace",
    };
    let _ = tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::new(level))
        .with_writer(crate::report::log_writer)
        .with_target(false)
        .try_init();
}
