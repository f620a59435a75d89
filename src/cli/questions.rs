//! What a person at a terminal may answer instead of giving a flag.

use super::session::Session;
use crate::plan::{Intent, Plan};
use crate::reconcile::Prepared;

/// Asks about refusals that an answer can lift: a new cluster, an older revision, uncommitted changes. `--yes`
/// lifts none, so nobody is asked then. The plan is decided anew after the answers.
pub fn about_refusals(session: &Session, prepared: &mut Prepared, yes: bool) {
    if yes || prepared.plan.refusals.is_empty() || !session.terminal.interactive {
        return;
    }
    let mut intent = prepared.intent.clone();
    let lifted = prepared.plan.refusals.iter().all(|refusal| match refusal.code.as_str() {
        "new-cluster" => {
            intent.new_cluster = type_name(session, &prepared.plan);
            intent.new_cluster
        }
        "rewind" => {
            intent.allow_rewind = agrees(session, &refusal.message);
            intent.allow_rewind
        }
        "dirty" => {
            intent.allow_dirty = agrees(session, &refusal.message);
            intent.allow_dirty
        }
        _ => false,
    });
    if lifted && intent != Intent::default() {
        prepared.decide(intent, session.now());
    }
}

/// Whether the plans may be carried out; `None` when nobody can be asked.
pub fn about_plans(session: &Session, clusters: &[&str], verb: &str) -> Option<bool> {
    let question = format!("{verb} {}? [y/N] ", clusters.join(", "));
    let answer = session.terminal.ask(&question);
    session.terminal.interactive.then(|| answer.is_some_and(|answer| means_yes(&answer)))
}

/// Whether the name of the cluster was typed.
pub fn type_name(session: &Session, plan: &Plan) -> bool {
    let question = format!(
        "cluster `{}` at {} has no record of this landscape yet; type its name to go on: ",
        plan.cluster, plan.server_version
    );
    session.terminal.ask(&question).is_some_and(|answer| answer == plan.cluster)
}

fn agrees(session: &Session, message: &str) -> bool {
    session.terminal.ask(&format!("{message}; go on? [y/N] ")).is_some_and(|answer| means_yes(&answer))
}

fn means_yes(answer: &str) -> bool {
    matches!(answer.to_lowercase().as_str(), "y" | "yes")
}
