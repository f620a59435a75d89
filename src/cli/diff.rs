//! `landskap diff`: what an apply would do now.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::Context;
use serde_json::{Value, json};

use super::args::{Diff, Output};
use super::exit::Exit;
use super::failure::Failure;
use super::plans::{Ground, Job, intent, prepare_all};
use super::session::Session;
use crate::plan::Plan;
use crate::report::changes::{self, Counts};
use crate::report::document;

/// Plans every chosen cluster and shows the plans.
pub async fn run(session: &Session, arguments: &Diff) -> Result<Exit, Failure> {
    let ground = Ground::prepare(session, &arguments.landscape)?;
    let clusters = session.reachable_clusters(&ground.loaded.landscape, &arguments.clusters)?;
    if arguments.plan_out.is_some() && clusters.len() > 1 {
        return Err(Failure::Usage(
            "a saved plan is of one cluster".into(),
            "use --plan-out with one --cluster NAME".into(),
        ));
    }
    let selected = session.components(&arguments.components, &clusters)?;
    let intent = intent(session, &arguments.meant, selected)?;
    let jobs = Job::all(session, &ground, &clusters, &arguments.connection, &intent);
    let mut exit = Exit::Fine;
    let mut plans = Vec::new();
    for prepared in prepare_all(session, &ground, &jobs).await {
        match prepared {
            Ok(prepared) => plans.push(prepared.plan),
            Err(failed) => exit = exit.worst(failed),
        }
    }
    for plan in &plans {
        let counts = Counts::of(plan);
        if counts.blocked > 0 {
            // What the server refuses, an apply could not do: a job that only runs `diff` must not be green.
            exit = exit.worst(Exit::Failed);
        }
        if arguments.exit_code && counts.any() {
            exit = exit.worst(Exit::Changes);
        }
        if arguments.exit_code && !plan.refusals.is_empty() {
            exit = exit.worst(Exit::Refused);
        }
    }
    session.terminal.print(&show(session, &plans, arguments.output.output))?;
    if let (Some(path), [plan]) = (&arguments.plan_out, plans.as_slice()) {
        if !plan.refusals.is_empty() {
            session
                .terminal
                .say("the plan was not saved: an apply would be refused; say what is meant and try again\n");
            return Ok(exit.worst(Exit::Refused));
        }
        save(session, path, plan)?;
    }
    Ok(exit)
}

fn save(session: &Session, path: &Path, plan: &Plan) -> Result<(), Failure> {
    let path = session.environment.directory.join(path);
    let text = format!("{:#}\n", serde_json::to_value(plan)?);
    // For the user only: fingerprints of short secrets could be guessed.
    std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .with_context(|| format!("`{}` cannot be written", path.display()))?;
    session
        .terminal
        .say(&format!("saved the plan; carry it out with: landskap apply --plan {}\n", path.display()));
    Ok(())
}

/// A plan for all eyes. Without its salt the digests of Secrets tell nothing; with it short values could be found by
/// trying.
fn shown(plan: &Plan) -> Value {
    let mut shown = json!(plan);
    if let Some(fields) = shown.as_object_mut() {
        fields.remove("salt");
    }
    shown
}

/// Plans as text or JSON.
pub fn show(session: &Session, plans: &[Plan], output: Output) -> String {
    match output {
        Output::Text => plans
            .iter()
            .map(|plan| changes::text(plan, session.terminal.out_paint, session.verbose > 0))
            .collect::<Vec<_>>()
            .join("\n"),
        Output::Json => {
            let clusters: Vec<Value> = plans.iter().map(shown).collect();
            document("Diff", &json!({"clusters": clusters}))
        }
    }
}
