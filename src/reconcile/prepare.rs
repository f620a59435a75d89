//! From a cluster's name to a plan: connect, discover, render, look secrets up, observe, dry-run, plan.

use std::collections::BTreeMap;
use std::ffi::OsString;

use super::outline::outline;
use super::secrets;
use super::{Error, Walk};
use crate::cluster::{self, Client, Key, Target};
use crate::diagnostic::{Diagnostic, has_errors};
use crate::plan::{self, Desired, DesiredObject, DryRuns, Intent, Mode, Observation, Plan, Triage};
use crate::secret;

/// What a plan is asked for with.
pub struct Request<'a> {
    /// How the cluster is reached.
    pub target: &'a Target,
    /// What the user asks for and allows. What git and the cluster say of revisions is filled in here.
    pub intent: Intent,
    /// Environment variables, for secrets.
    pub variable: &'a (dyn Fn(&str) -> Option<OsString> + Sync),
    /// Seconds since 1970.
    pub now: i64,
    /// How what has not changed is told.
    pub proof: Proof,
}

/// How what has not changed is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// By structure and memory where they suffice, else by the server's dry run.
    Quick,
    /// Every object by the server's dry run (`watch`, hourly): defaults and webhooks move without us.
    Full,
    /// Not at all: a saved plan says what is to be done, and [`crate::plan::verify`] whether it still holds.
    Saved,
}

/// A plan and all that it rests on.
pub struct Prepared {
    /// The cluster.
    pub client: Client,
    /// What it should hold. Has Secret values; never print.
    pub desired: Desired,
    /// What it holds. Has Secret values; never print.
    pub observation: Observation,
    /// What was proven without the server's dry run.
    triage: Triage,
    /// What the server's dry runs said.
    dry_runs: DryRuns,
    /// What was asked for and allowed, with what git and the cluster say of revisions.
    pub intent: Intent,
    /// What is to be done.
    pub plan: Plan,
    /// The key for annotations of pod templates; new when the cluster has none yet.
    pub mac_key: Key,
    /// Warnings about files.
    pub warnings: Vec<Diagnostic>,
}

/// Connects to the cluster and plans.
///
/// # Errors
/// [`Error::Problems`] when the landscape cannot be rendered for this cluster or a secret is missing; the others
/// when the server cannot be asked.
pub async fn prepare(walk: &Walk<'_>, request: &Request<'_>) -> Result<Prepared, Error> {
    let client = cluster::connect(request.target).await?;
    Box::pin(plan_with(walk, request, client)).await
}

/// Plans with a connection that is there already (a loop keeps it).
///
/// # Errors
/// As [`prepare`].
pub async fn plan_with(walk: &Walk<'_>, request: &Request<'_>, client: Client) -> Result<Prepared, Error> {
    let (discovery, records) =
        futures::try_join!(client.discover(), client.read_records(&walk.landscape.name))?;
    let outline = outline(walk, Some(&discovery));
    let mut diagnostics = outline.diagnostics;
    refuse_errors(&mut diagnostics)?;

    let secrets = match &request.intent.mode {
        Mode::Apply => {
            let (found, problems) =
                secrets::look_up(walk, &outline.manifests, &client, request.variable).await?;
            diagnostics.extend(problems);
            refuse_errors(&mut diagnostics)?;
            found
        }
        Mode::Delete { .. } => BTreeMap::new(),
    };
    let mac_key = records.mac_key.clone().unwrap_or_else(|| proposed_key(&request.intent.salt));
    let origin = walk.tree.origin();
    let revision = walk.tree.revision();
    let (mut desired, problems) = plan::desire(&plan::Ingredients {
        landscape: &walk.landscape.name,
        origin: &origin,
        revision: revision.map(|r| r.commit.as_str()),
        cluster: walk.cluster,
        manifests: &outline.manifests,
        secrets: &secrets,
        mac_key: Some(mac_key.bytes()),
        incomplete: &[],
    });
    if request.intent.mode == Mode::Apply {
        diagnostics.extend(problems);
        refuse_errors(&mut diagnostics)?;
    }

    let mut intent = request.intent.clone();
    intent.dirty = revision.is_some_and(|r| r.dirty);
    let applied = records.identity.as_ref().and_then(|identity| identity.revision.as_deref());
    intent.contains_applied = applied.and_then(|commit| walk.tree.contains(commit).ok());

    let query = plan::query(&desired, &records.inventories, &discovery);
    let observation = client.observe(&walk.landscape.name, &query, discovery, records).await?;
    plan::settle(&mut desired, &observation);
    let triage = match request.proof {
        Proof::Full => plan::triage_in_full(&desired, &observation),
        Proof::Quick | Proof::Saved => plan::triage(&desired, &observation, request.now),
    };
    let objects: BTreeMap<_, &DesiredObject> = desired.objects().map(|o| (&o.reference, o)).collect();
    let asked: Vec<&DesiredObject> = match intent.mode {
        Mode::Apply if request.proof != Proof::Saved => {
            triage.to_dry_run.iter().filter_map(|r| objects.get(r).copied()).collect()
        }
        _ => Vec::new(),
    };
    let dry_runs = client.dry_run(&asked).await?;
    drop(objects);
    let plan = plan::plan(&desired, &observation, &triage, &dry_runs, &intent, request.now);
    Ok(Prepared {
        client,
        desired,
        observation,
        triage,
        dry_runs,
        intent,
        plan,
        mac_key,
        warnings: diagnostics,
    })
}

impl Prepared {
    /// Decides anew with another intent, on the same observation: the user has answered a question.
    pub fn decide(&mut self, intent: Intent, now: i64) {
        self.plan = plan::plan(&self.desired, &self.observation, &self.triage, &self.dry_runs, &intent, now);
        self.intent = intent;
    }
}

fn refuse_errors(diagnostics: &mut Vec<Diagnostic>) -> Result<(), Error> {
    if has_errors(diagnostics) { Err(Error::Problems(std::mem::take(diagnostics))) } else { Ok(()) }
}

/// The key of a cluster that has none yet. It comes from the plan's random salt, so that a saved plan and the apply
/// that carries it out agree on the annotations of pod templates.
fn proposed_key(salt: &str) -> Key {
    Key::new(secret::hmac(salt.as_bytes(), &[b"key for annotations of pod templates"]))
}
