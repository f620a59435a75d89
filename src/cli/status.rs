//! `landskap status`: components with health, revision, drift and suspension.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;

use super::args::{Output, Status};
use super::exit::Exit;
use super::failure::Failure;
use super::plans::{Ground, Job, prepare_all};
use super::session::Session;
use crate::health::{self, Health, Related, Status as Condition};
use crate::object::ObjectRef;
use crate::plan::{ComponentPlan, Intent, Presence, Refusal};
use crate::reconcile::Prepared;
use crate::report::changes::Counts;
use crate::report::{document, style};

/// One component as it is.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    name: String,
    /// The worst of its objects.
    health: Condition,
    /// Objects that are not healthy, and why.
    unhealthy: Vec<Unhealthy>,
    objects: usize,
    /// What an apply would do to it.
    drift: String,
    /// The git commit that wrote it last.
    revision: Option<String>,
    suspended: Option<String>,
    /// Set when it is in the cluster, but no longer in the landscape.
    leaving: Option<String>,
}

#[derive(Debug, Serialize)]
struct Unhealthy {
    object: ObjectRef,
    #[serde(flatten)]
    health: Health,
}

/// Shows the chosen clusters as they are.
pub async fn run(session: &Session, arguments: &Status) -> Result<Exit, Failure> {
    let ground = Ground::prepare(session, &arguments.landscape)?;
    let clusters = session.reachable_clusters(&ground.loaded.landscape, &arguments.clusters)?;
    let selected = session.components(&arguments.components, &clusters)?;
    let intent = Intent { salt: session.salt()?, ..Intent::default() };
    let jobs = Job::all(session, &ground, &clusters, &arguments.connection, &intent);
    let now = Timestamp::from_second(session.now())?;
    let mut exit = Exit::Fine;
    let mut documents = Vec::new();
    for prepared in prepare_all(session, &ground, &jobs).await {
        let prepared = match prepared {
            Ok(prepared) => prepared,
            Err(failed) => {
                exit = exit.worst(failed);
                continue;
            }
        };
        let rows: Vec<Row> = prepared
            .plan
            .components
            .iter()
            .filter(|component| selected.as_ref().is_none_or(|names| names.contains(&component.name)))
            .map(|component| row(&prepared, component, now))
            .collect();
        if another_cluster(&prepared).next().is_some() {
            exit = exit.worst(Exit::Refused);
        }
        match arguments.output.output {
            Output::Text => session.terminal.print(&text(session, &prepared, &rows))?,
            Output::Json => documents.push(json!({
                "refusals": another_cluster(&prepared).collect::<Vec<_>>(),
                "name": prepared.plan.cluster,
                "serverVersion": prepared.plan.server_version,
                "revision": applied(&prepared),
                "components": rows,
            })),
        }
    }
    if arguments.output.output == Output::Json {
        session.terminal.print(&document("Status", &json!({"clusters": documents})))?;
    }
    Ok(exit)
}

/// What says that this is not the cluster, or not the landscape, that was meant: then nothing below it is true.
fn another_cluster(prepared: &Prepared) -> impl Iterator<Item = &Refusal> {
    prepared
        .plan
        .refusals
        .iter()
        .filter(|refusal| matches!(refusal.code.as_str(), "other-cluster" | "other-origin"))
}

/// The git commit that was applied last.
fn applied(prepared: &Prepared) -> Option<&str> {
    prepared.observation.identity.as_ref()?.revision.as_deref()
}

fn row(prepared: &Prepared, component: &ComponentPlan, now: Timestamp) -> Row {
    let observation = &prepared.observation;
    let related = Related::default();
    let rules = prepared.desired.component(&component.name).map_or(&[][..], |wanted| &wanted.health);
    let context = health::Context { now, written: None, has_status: None, related: &related, rules };
    let references: Vec<&ObjectRef> = component
        .actions
        .iter()
        .map(|action| &action.reference)
        .chain(component.removals.iter().map(|removal| &removal.reference))
        .collect();
    let healths = references.iter().map(|reference| {
        let health = match observation.unreadable.get(reference) {
            Some(reason) => Health { status: Condition::Unknown, reason: reason.clone() },
            None => health::assess(observation.live.get(reference).map(|live| &live.0), &context),
        };
        ((*reference).clone(), health)
    });
    let mut worst = Condition::Current;
    let mut unhealthy = Vec::new();
    for (object, health) in healths {
        worst = worst.max(health.status);
        if health.status != Condition::Current {
            unhealthy.push(Unhealthy { object, health });
        }
    }
    Row {
        name: component.name.clone(),
        health: worst,
        unhealthy,
        objects: references.len(),
        drift: Counts::of_component(component).to_string(),
        revision: observation
            .inventories
            .get(&component.name)
            .and_then(|inventory| inventory.revision.clone()),
        suspended: match &component.presence {
            Presence::Suspended(reason) => Some(reason.clone()),
            _ => None,
        },
        leaving: match &component.presence {
            Presence::Leaving(reason) => Some(reason.clone()),
            _ => None,
        },
    }
}

fn text(session: &Session, prepared: &Prepared, rows: &[Row]) -> String {
    let paint = session.terminal.out_paint;
    let short = |revision: &str| revision.chars().take(10).collect::<String>();
    let at = applied(prepared).map_or(String::new(), |revision| format!(" at {}", short(revision)));
    let heading =
        format!("cluster {}{at}, Kubernetes {}", prepared.plan.cluster, prepared.plan.server_version);
    let mut out = format!("{}\n", paint.paint(style::HEADING, &heading));
    for refusal in another_cluster(prepared) {
        let head = paint.paint(style::REMOVED, &format!("refused[{}]", refusal.code));
        let _ = writeln!(out, "  {head}: {}", refusal.message);
    }
    let width = rows.iter().map(|row| row.name.len()).max().unwrap_or(0);
    for row in rows {
        let (word, color) = condition(row.health);
        let word = paint.paint(color, &format!("{word:12}"));
        let mut notes = vec![row.drift.clone()];
        notes.extend(row.suspended.as_ref().map(|reason| format!("suspended: {reason}")));
        notes.extend(row.leaving.as_ref().map(|reason| format!("leaves: {reason}")));
        let _ =
            writeln!(out, "  {:width$}  {word} {:3} objects  {}", row.name, row.objects, notes.join("; "));
        for unhealthy in row.unhealthy.iter().filter(|u| !u.health.reason.is_empty()) {
            let (word, color) = condition(unhealthy.health.status);
            let _ = writeln!(
                out,
                "      {}: {}: {}",
                paint.paint(color, word),
                unhealthy.object,
                unhealthy.health.reason
            );
        }
    }
    out
}

fn condition(status: Condition) -> (&'static str, anstyle::Style) {
    match status {
        Condition::Current => ("healthy", style::ADDED),
        Condition::Paused => ("paused", style::QUIET),
        Condition::Degraded => ("degraded", style::CHANGED),
        Condition::InProgress => ("in progress", style::CHANGED),
        Condition::Failed => ("failed", style::REMOVED),
        Condition::Terminating => ("terminating", style::CHANGED),
        Condition::NotFound => ("missing", style::REMOVED),
        Condition::Unknown => ("unknown", style::CHANGED),
    }
}
