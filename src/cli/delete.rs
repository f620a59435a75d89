//! `landskap delete`: removes components, or everything that the landscape owns in a cluster.

use super::args::Delete;
use super::execute::{Manner, Planned, execute};
use super::exit::Exit;
use super::failure::Failure;
use super::plans::{Ground, Job, prepare_all};
use super::session::Session;
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
            session.terminal.say(&format!(
                "refused: the name of the cluster was not given; nothing was written\n\
                 hint: without a terminal, give --confirm {name}\n"
            ));
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
    let verb = if arguments.keep_objects { "let go of these in" } else { "delete these from" };
    let manner = Manner {
        write: &arguments.write,
        timeout: arguments.connection.timeout,
        output: arguments.output.output,
        verb,
    };
    Ok(exit.worst(execute(session, &ground, planned, &manner).await?))
}
