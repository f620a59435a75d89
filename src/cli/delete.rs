//! `landskap delete`: removes components, or everything that the landscape owns in a cluster.

use std::collections::BTreeSet;

use super::args::Delete;
use super::execute::{Manner, Planned, execute};
use super::exit::Exit;
use super::failure::Failure;
use super::plans::{Ground, Job, prepare_all};
use super::session::Session;
use crate::diagnostic::nearest;
use crate::plan::{Intent, Mode};

/// Removes what is named.
pub async fn run(session: &Session, arguments: &Delete) -> Result<Exit, Failure> {
    let ground = Ground::prepare(session, &arguments.landscape)?;
    let clusters = session.reachable_clusters(&ground.loaded.landscape, &arguments.clusters)?;
    if arguments.all && clusters.len() > 1 {
        return Err(Failure::Usage(
            "`delete --all` empties one cluster at a time".into(),
            "give one --cluster NAME".into(),
        ));
    }
    let components = (!arguments.all).then(|| arguments.components.iter().cloned().collect());
    let intent = Intent {
        mode: Mode::Delete { components, keep_objects: arguments.keep_objects },
        salt: session.salt()?,
        ..Intent::default()
    };
    if arguments.all {
        let name = clusters.first().map_or("", |cluster| cluster.name.as_str());
        let typed = arguments.confirm.clone().or_else(|| {
            session.terminal.ask(&format!(
                "this removes everything that the landscape owns in `{name}`; type its name to go on: "
            ))
        });
        if typed.as_deref() != Some(name) {
            let problem = match &typed {
                Some(typed) => format!("`{typed}` is not the name of the cluster, which is `{name}`"),
                None => "the name of the cluster was not given".to_owned(),
            };
            session.terminal.say(&format!("refused: {problem}; nothing was written\n"));
            if typed.is_none() {
                session.terminal.say(&format!("hint: without a terminal, give --confirm {name}\n"));
            }
            return Ok(Exit::Refused);
        }
    }
    let jobs = Job::all(session, &ground, &clusters, &arguments.connection, &intent);
    let mut exit = Exit::Fine;
    let mut planned = Vec::new();
    let prepared = prepare_all(session, &ground, &jobs).await;
    for (job, prepared) in jobs.into_iter().zip(prepared) {
        match prepared {
            Ok(prepared) => planned.push(Planned { job, prepared }),
            Err(failed) => exit = exit.worst(failed),
        }
    }
    if exit == Exit::Fine {
        known(&arguments.components, &planned)?;
    }
    let verb = if arguments.keep_objects { "let go of these in" } else { "delete these from" };
    let manner = Manner {
        write: &arguments.write,
        timeout: arguments.connection.timeout,
        output: arguments.output.output,
        verb,
    };
    Ok(exit.worst(execute(session, &ground, planned, &manner).await?))
}

/// Whether every named component owns something in one of the clusters: a typo must not look like a removal done.
fn known(names: &[String], planned: &[Planned<'_>]) -> Result<(), Failure> {
    let owners: BTreeSet<&str> =
        planned.iter().flat_map(|p| p.prepared.observation.inventories.keys()).map(String::as_str).collect();
    let Some(unknown) = names.iter().find(|name| !owners.contains(name.as_str())) else { return Ok(()) };
    let hint = match nearest(unknown, owners.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if owners.is_empty() => "no component owns anything there".to_owned(),
        None => format!("there are {}", owners.into_iter().collect::<Vec<_>>().join(", ")),
    };
    Err(Failure::Usage(format!("the component `{unknown}` owns nothing there"), hint))
}
