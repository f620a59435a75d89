//! Hands arguments and streams to `cli::run` and turns its result into an exit code.

fn main() -> std::process::ExitCode {
    landskap::cli::run(std::env::args_os())
}
