//! Plans shown, questions asked, plans carried out: the common part of `apply` and `delete`.

use anyhow::Context;
use futures::future::join_all;
use serde_json::{Value, json};

use super::args::{Output, WriteArgs};
use super::exit::Exit;
use super::failure::Failure;
use super::plans::{self, Ground, Job};
use super::session::Session;
use super::{questions, signals};
use crate::apply::Outcome;
use crate::cluster::Holder;
use crate::plan::Plan;
use crate::reconcile::{Ended, Prepared, Proof, Run, run};
use crate::report::changes::{self, Counts};
use crate::report::progress::{Progress, Screen};
use crate::report::{document, outcome};

/// How often a plan is made again because another run wrote meanwhile.
const ATTEMPTS: usize = 3;

/// A cluster with its plan.
pub struct Planned<'a> {
    /// Which, and how.
    pub job: Job<'a>,
    /// Its plan.
    pub prepared: Prepared,
}

/// How one cluster came out.
struct Result {
    cluster: String,
    exit: Exit,
    outcome: Option<Outcome>,
    refusals: Value,
}

/// How a writing command goes.
pub struct Manner<'a> {
    /// Its flags.
    pub write: &'a WriteArgs,
    /// The form of its output.
    pub output: Output,
    /// How long any component may take, instead of its own `wait.timeout`.
    pub timeout: Option<std::time::Duration>,
    /// What is asked: "apply these changes to".
    pub verb: &'static str,
}

/// Shows the plans, asks what is to be asked, and carries out those that may be, side by side.
pub async fn execute(
    session: &Session,
    ground: &Ground,
    planned: Vec<Planned<'_>>,
    manner: &Manner<'_>,
) -> std::result::Result<Exit, Failure> {
    let write = manner.write;
    let mut results = Vec::new();
    let mut meant = Vec::new();
    for mut planned in planned {
        if manner.output == Output::Text {
            show(session, &planned.prepared.plan)?;
        } else if !write.yes {
            // Nobody agrees to what was not shown.
            let text = changes::text(&planned.prepared.plan, session.terminal.err_paint, session.verbose > 0);
            session.terminal.say(&text);
        }
        questions::about_refusals(session, &mut planned.prepared, write.yes);
        planned.job.intent = planned.prepared.intent.clone();
        if planned.prepared.plan.refusals.is_empty() {
            meant.push(planned);
        } else {
            results.push(Result::refused(session, &planned.prepared.plan));
        }
    }
    let changing: Vec<&str> = meant
        .iter()
        .filter(|p| Counts::of(&p.prepared.plan).any())
        .map(|p| p.prepared.plan.cluster.as_str())
        .collect();
    if !write.yes && !changing.is_empty() {
        match questions::about_plans(session, &changing, manner.verb) {
            Some(true) => {}
            Some(false) => {
                session.terminal.say("nothing was written\n");
                return Ok(Result::worst(&results));
            }
            None => {
                return Err(Failure::Usage(
                    "there is no terminal to ask at; nothing was written".into(),
                    "look at the plan, then give --yes".into(),
                ));
            }
        }
    }
    // Only from here on: Ctrl-C at a question ends the process at once, for nothing has been written.
    let stop = signals::stop(session).context("signals cannot be received")?;
    let screen = Screen::new();
    let holder = Holder::of_this_process();
    let several = meant.len() > 1;
    results.extend(
        join_all(meant.into_iter().map(|planned| {
            let how = Run {
                holder: holder.clone(),
                lock_timeout: write.lock_timeout,
                wait: !write.no_wait,
                timeout: manner.timeout,
                learn: false,
                stop: stop.clone(),
            };
            one(session, ground, planned, how, &screen, Told { several, yes: write.yes })
        }))
        .await,
    );
    if manner.output == Output::Json {
        let clusters: Vec<Value> = results.iter().map(Result::json).collect();
        session.terminal.print(&document("Apply", &json!({"clusters": clusters})))?;
    } else {
        for result in &results {
            if let Some(outcome) = &result.outcome {
                session.terminal.print(&outcome::text(
                    &result.cluster,
                    outcome,
                    session.terminal.out_paint,
                ))?;
            }
        }
    }
    Ok(Result::worst(&results))
}

fn show(session: &Session, plan: &Plan) -> std::result::Result<(), Failure> {
    let text = changes::text(plan, session.terminal.out_paint, session.verbose > 0);
    Ok(session.terminal.print(&text)?)
}

/// What `one` has to know of the command.
#[derive(Clone, Copy)]
struct Told {
    /// There are several clusters: lines name theirs.
    several: bool,
    /// `--yes` was given: a plan that nobody has seen may be carried out.
    yes: bool,
}

/// Carries out one plan; plans again when another run wrote between the plan and the Lease. A new plan is carried out
/// only if it does what was agreed to.
async fn one(
    session: &Session,
    ground: &Ground,
    planned: Planned<'_>,
    how: Run,
    screen: &Screen,
    told: Told,
) -> Result {
    let Planned { job, mut prepared } = planned;
    let cluster = &job.cluster.name;
    let walk = ground.walk(session, job.cluster);
    for _ in 0..ATTEMPTS {
        let progress =
            std::sync::Mutex::new(Progress::new(&session.terminal, screen, told.several.then_some(cluster)));
        let waiting = |waiting: &crate::cluster::Waiting| {
            screen.say(
                &session.terminal,
                &format!("{cluster}: waiting for another run, since {}: {}\n", waiting.since, waiting.holder),
            );
        };
        let events = |event: crate::apply::Event| {
            progress.lock().unwrap_or_else(std::sync::PoisonError::into_inner).show(&event);
        };
        match run(&walk, &prepared, &how, waiting, &events).await {
            Ok(Ended::Done(outcome)) => return Result::done(cluster, outcome),
            Ok(Ended::Moved) if job.proof == Proof::Saved => {
                screen.say(&session.terminal, &format!("{cluster}: another run wrote since the plan was made; make it again with `landskap diff --plan-out FILE`\n"));
                return Result::refused(session, &prepared.plan);
            }
            Ok(Ended::Moved) => {
                screen.say(
                    &session.terminal,
                    &format!("{cluster}: another run wrote meanwhile; planning again\n"),
                );
                match Box::pin(job.prepare(session, ground)).await {
                    Ok(refused) if !refused.plan.refusals.is_empty() => {
                        return Result::refused(session, &refused.plan);
                    }
                    Ok(again) if told.yes || again.plan.does_the_same_as(&prepared.plan) => prepared = again,
                    Ok(other) => {
                        screen.say(&session.terminal, &format!("{cluster}: what is to be done is not what you agreed to any more; run the command again\n"));
                        return Result::refused(session, &other.plan);
                    }
                    Err(exit) => return Result::failed(cluster, exit),
                }
            }
            Err(error) => return Result::failed(cluster, plans::tell(session, cluster, error)),
        }
    }
    session.terminal.say(&format!("error: cluster `{cluster}`: other runs keep writing; try again later\n"));
    Result::failed(cluster, Exit::Failed)
}

impl Result {
    fn done(cluster: &str, outcome: Outcome) -> Self {
        let exit = match (outcome.interrupted, outcome.is_success()) {
            (Some(crate::apply::Interruption::Signal), _) => Exit::Interrupted,
            (None, true) => Exit::Fine,
            _ => Exit::Failed,
        };
        Self { cluster: cluster.into(), exit, outcome: Some(outcome), refusals: json!([]) }
    }

    fn failed(cluster: &str, exit: Exit) -> Self {
        Self { cluster: cluster.into(), exit, outcome: None, refusals: json!([]) }
    }

    /// The plan has shown why.
    fn refused(session: &Session, plan: &Plan) -> Self {
        session.terminal.say(&format!("cluster `{}`: refused, nothing was written to it\n", plan.cluster));
        Self {
            cluster: plan.cluster.clone(),
            exit: Exit::Refused,
            outcome: None,
            refusals: json!(plan.refusals),
        }
    }

    fn worst(results: &[Self]) -> Exit {
        results.iter().fold(Exit::Fine, |exit, result| exit.worst(result.exit))
    }

    fn json(&self) -> Value {
        json!({
            "name": self.cluster,
            "exitCode": self.exit.code(),
            "outcome": self.outcome,
            "refusals": self.refusals,
        })
    }
}
