//! SIGINT and SIGTERM: the first lets the write in flight end and be recorded, the second ends the process.

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::exit::Exit;
use super::session::Session;

/// Turns true on the first signal; the process ends on the second.
pub fn stop(session: &Session) -> std::io::Result<watch::Receiver<bool>> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let (sender, receiver) = watch::channel(false);
    let live = session.terminal.live;
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        tracing::info!(live, "stopping after the write in flight");
        let _ = sender.send(true);
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        std::process::exit(i32::from(Exit::Interrupted.code()));
    });
    Ok(receiver)
}
