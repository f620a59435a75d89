//! `landskap apply`: diff, ask, apply, prune, wait.

use anyhow::Context;

use super::args::Apply;
use super::execute::{Manner, Planned, execute};
use super::exit::Exit;
use super::failure::Failure;
use super::plans::{Ground, Job, intent, prepare_all};
use super::session::Session;
use crate::plan::{self, Plan};
use crate::reconcile::Proof;

/// Makes the chosen clusters equal to the landscape.
pub async fn run(session: &Session, arguments: &Apply) -> Result<Exit, Failure> {
    let ground = Ground::prepare(session, &arguments.landscape)?;
    let saved = arguments.plan.as_ref().map(|path| read_plan(session, path)).transpose()?;
    let mut choice = arguments.clusters.clone();
    if let Some(saved) = &saved {
        choice.clusters = vec![saved.cluster.clone()];
    }
    let clusters = session.reachable_clusters(&ground.loaded.landscape, &choice)?;
    let selected = session.components(&arguments.components, &clusters)?;
    let mut intent = intent(session, &arguments.meant, selected)?;
    if let Some(saved) = &saved {
        // What was derived from it, the key of a new cluster among it, must come out the same.
        intent.salt.clone_from(&saved.salt);
    }
    let mut jobs = Job::all(session, &ground, &clusters, &arguments.connection, &intent);
    if saved.is_some() {
        for job in &mut jobs {
            job.proof = Proof::Saved;
        }
    }
    let mut exit = Exit::Fine;
    let mut planned = Vec::new();
    let prepared = prepare_all(session, &ground, &jobs).await;
    for (job, prepared) in jobs.into_iter().zip(prepared) {
        match prepared {
            Ok(mut prepared) => {
                if let Some(saved) = &saved {
                    if let Err(moved) = plan::verify(saved, &prepared.desired, &prepared.observation) {
                        session.terminal.say("refused: this is not what was planned any more\n");
                        for moved in moved {
                            session.terminal.say(&format!("  {moved}\n"));
                        }
                        session
                            .terminal
                            .say("hint: make the plan again with `landskap diff --plan-out FILE`\n");
                        return Ok(Exit::Refused);
                    }
                    prepared.plan = saved.clone();
                }
                planned.push(Planned { job, prepared });
            }
            Err(failed) => exit = exit.worst(failed),
        }
    }
    let manner = Manner {
        write: &arguments.write,
        timeout: arguments.connection.timeout,
        output: arguments.output.output,
        verb: "apply these changes to",
    };
    Ok(exit.worst(execute(session, &ground, planned, &manner).await?))
}

fn read_plan(session: &Session, path: &std::path::Path) -> Result<Plan, Failure> {
    let path = session.environment.directory.join(path);
    let text =
        std::fs::read_to_string(&path).with_context(|| format!("`{}` cannot be read", path.display()))?;
    let plan: Plan = serde_json::from_str(&text)
        .with_context(|| format!("`{}` is not a plan of `landskap diff --plan-out`", path.display()))?;
    Ok(plan)
}
