//! `landskap watch`: keep clusters equal to the landscape until stopped.

use super::args::Watch;
use super::exit::Exit;
use super::failure::Failure;
use super::plans::intent;
use super::session::{Session, target};
use super::signals;
use crate::watch::{self, Error, Settings};

/// Watches the chosen clusters. Ends well on SIGINT and SIGTERM: that is how it is meant to end.
pub async fn run(session: &Session, arguments: &Watch) -> Result<Exit, Failure> {
    use anyhow::Context as _;

    let stop = signals::stop(session).context("signals cannot be received")?;
    let (environment, connection) = (session.environment.clone(), arguments.connection.clone());
    let variables = session.environment.clone();
    let (version, choice) = (arguments.landscape.clone(), arguments.clusters.clone());
    let settings = Settings {
        location: session.location(&arguments.landscape)?,
        revision: arguments.landscape.revision.clone(),
        source: session.source_options(),
        amend: Box::new(move |landscape| super::session::override_version(landscape, &version)),
        choice: Box::new(move |landscape| {
            let clusters = super::session::reachable_clusters(landscape, &choice);
            clusters.map(|found| found.iter().map(|c| c.name.clone()).collect()).map_err(|f| f.to_string())
        }),
        target: Box::new(move |tree, cluster| target(&environment, tree, cluster, &connection)),
        variable: Box::new(move |name| variables.variable(name).map(ToOwned::to_owned)),
        intent: intent(session, &arguments.meant, None)?,
        timeout: arguments.connection.timeout,
        interval: arguments.interval,
        look: arguments.git_interval,
        listen: arguments.listen,
    };
    let say = |line: &str| session.terminal.say(&format!("{line}\n"));
    match watch::run(settings, stop, say).await {
        Ok(()) => Ok(Exit::Fine),
        Err(Error::Choice(message)) => Err(Failure::Usage(message, String::new())),
        Err(error @ Error::Listen { .. }) => {
            let error =
                anyhow::Error::new(error).context("`watch` cannot begin; give another address with --listen");
            Err(Failure::Error(error))
        }
    }
}
