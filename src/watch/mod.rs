//! The controller: the same run as `apply`, in a loop, for several clusters side by side.
//!
//! [`run`] looks for another state of the landscape ([`input`]) and keeps one task per cluster ([`worker`]), so that
//! one that hangs or fails stops no other. When a pass is due is decided by [`schedule`], what the watches tell by
//! [`index`]; both are pure. A pass ([`pass`]) is `reconcile::plan_with` and `reconcile::run`, with nobody to ask:
//! what `apply --yes` refuses is refused here. [`board`] and [`metrics`] are what `/healthz` and `/metrics` show.
//!
//! What is not known is not acted upon: while the landscape does not load, nothing is written.

mod board;
mod index;
mod input;
mod metrics;
mod pass;
mod schedule;
mod serve;
mod stamp;
mod watches;
mod wording;
mod worker;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::cluster::Target;
use crate::landscape::{Cluster, Landscape};
use crate::plan::Intent;
use crate::source::{self, Location, Tree};
use board::Board;
use input::Input;
use metrics::Metrics;

/// Chooses clusters by name; the error is one sentence.
pub type Choice = dyn Fn(&Landscape) -> Result<Vec<String>, String> + Send + Sync;

/// What to watch, and how.
pub struct Settings {
    /// Where the landscape is.
    pub location: Location,
    /// At which revision; `None` as it is, or the default branch.
    pub revision: Option<String>,
    /// For git.
    pub source: source::Options,
    /// What the command line says in place of the landscape (`--kube-version`).
    pub amend: Box<dyn Fn(&mut Landscape) + Send + Sync>,
    /// Which of its clusters.
    pub choice: Box<Choice>,
    /// How a cluster is reached.
    pub target: Box<dyn Fn(&Tree, &Cluster) -> Target + Send + Sync>,
    /// Environment variables, for secrets.
    pub variable: Box<dyn Fn(&str) -> Option<OsString> + Send + Sync>,
    /// What is allowed; the salt is made anew for each pass.
    pub intent: Intent,
    /// How long any component may take, instead of its own `wait.timeout`.
    pub timeout: Option<Duration>,
    /// How often everything is reconciled.
    pub interval: Duration,
    /// How often the landscape is looked at.
    pub look: Duration,
    /// Where to serve health and metrics.
    pub listen: SocketAddr,
}

/// Why watching could not begin.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// No cluster is chosen.
    #[error("{0}")]
    Choice(String),
}

/// What all parts share.
struct Shared {
    settings: Settings,
    board: Board,
    metrics: Metrics,
    /// Lines for people.
    lines: mpsc::UnboundedSender<String>,
}

impl Shared {
    fn say(&self, line: String) {
        let _ = self.lines.send(line);
    }
}

/// Watches until `stop` turns true. A line for each event goes to `say`.
///
/// # Errors
/// When the address is taken, or the first landscape that loads has no such cluster. Everything later is said, and
/// tried again.
pub async fn run(
    settings: Settings,
    mut stop: watch::Receiver<bool>,
    say: impl Fn(&str),
) -> Result<(), Error> {
    let address = settings.listen;
    let listener = tokio::net::TcpListener::bind(address).await;
    let listener = listener.map_err(|source| Error::Listen { address, source })?;
    let (lines, mut said) = mpsc::unbounded_channel();
    let metrics = Metrics::new();
    let board = Board::new(settings.interval, tokio::time::Instant::now().into_std());
    let shared = Arc::new(Shared { settings, board, metrics, lines });
    if let Ok(address) = listener.local_addr() {
        shared.say(format!("serving /healthz and /metrics on http://{address}"));
    }
    let server = tokio::spawn(serve::serve(listener, Arc::clone(&shared)));
    let (sender, input) = watch::channel(Input::Unknown);
    let loader = tokio::spawn(input::follow(Arc::clone(&shared), sender, stop.clone()));

    let mut workers = Workers { shared: Arc::clone(&shared), input: input.clone(), running: BTreeMap::new() };
    let mut changes = input;
    let mut result = Ok(());
    loop {
        tokio::select! {
            biased;
            () = stopped(&mut stop) => break,
            Some(line) = said.recv() => say(&line),
            changed = changes.changed() => {
                let input = changes.borrow_and_update().clone();
                if changed.is_err() {
                    break;
                }
                if let Err(message) = workers.follow(&input) {
                    result = Err(Error::Choice(message));
                    break;
                }
            }
        }
    }
    let end = workers.end();
    tokio::pin!(end);
    loop {
        tokio::select! {
            () = &mut end => break,
            Some(line) = said.recv() => say(&line),
        }
    }
    loader.abort();
    server.abort();
    while let Ok(line) = said.try_recv() {
        say(&line);
    }
    result
}

/// The tasks of the clusters.
struct Workers {
    shared: Arc<Shared>,
    input: watch::Receiver<Input>,
    running: BTreeMap<String, (watch::Sender<bool>, JoinHandle<()>)>,
}

impl Workers {
    /// Begins and ends tasks so that each chosen cluster has one. A landscape that does not load ends none: they
    /// know of it, and wait.
    ///
    /// # Errors
    /// When nothing can be chosen and nothing was before.
    fn follow(&mut self, input: &Input) -> Result<(), String> {
        let Input::Known(ground) = input else { return Ok(()) };
        let chosen = match (self.shared.settings.choice)(&ground.landscape) {
            Ok(chosen) => chosen,
            Err(message) if self.running.is_empty() => return Err(message),
            Err(message) => {
                self.shared.say(format!("{message}; nothing is changed in any cluster"));
                Vec::new()
            }
        };
        self.running.retain(|name, (stop, _)| {
            let stays = chosen.contains(name);
            if !stays {
                self.shared.say(format!("{name}: no longer in the landscape; it is left as it is"));
                self.shared.board.remove(name);
                let _ = stop.send(true);
            }
            stays
        });
        for name in chosen {
            self.running.entry(name.clone()).or_insert_with(|| {
                let (stop, stopped) = watch::channel(false);
                let (shared, input) = (Arc::clone(&self.shared), self.input.clone());
                // A thread of its own: rendering a chart for long holds up no other cluster.
                let thread = move || Handle::current().block_on(worker::work(name, shared, input, stopped));
                (stop, tokio::task::spawn_blocking(thread))
            });
        }
        Ok(())
    }

    /// Ends all tasks; each finishes the write in flight and gives its Lease back.
    async fn end(self) {
        for (stop, _) in self.running.values() {
            let _ = stop.send(true);
        }
        for (_, task) in self.running.into_values() {
            let _ = task.await;
        }
    }
}

/// A number in 0..1.
fn jitter() -> f64 {
    f64::from(getrandom::u32().unwrap_or(u32::MAX / 2)) / f64::from(u32::MAX)
}

/// Until it is time to end.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}
