//! Before the first component and after the last: the announcement, the records' namespace, which landscape the
//! cluster belongs to, and the namespaces that components merely name.

use serde_json::json;

use super::event::{Announcement, Event, ObjectEvent, Phase};
use super::machine::Part;
use super::parts;
use super::run::Run;
use crate::cluster::ApplyOptions;
use crate::diagnostic::{Files, Span};
use crate::object::{GroupVersionKind, ObjectRef, Origin};
use crate::plan::{Decision, DesiredObject, Identity, NamespaceBody, Observation, Plan, Presence};

/// Says what is about to happen.
pub fn announce(run: &Run, parts: &[Part]) {
    let active = || run.plan.components.iter().zip(parts).filter(|(_, part)| !part.steps.is_empty());
    let components = active()
        .map(|(component, part)| Announcement {
            component: component.name.clone(),
            objects: component.actions.len(),
            writes: component.actions.iter().filter(|action| parts::is_write(action)).count(),
            removals: component.removals.iter().filter(|r| r.decision == Decision::Delete).count(),
            leaving: part.leaving,
        })
        .collect();
    run.tell(Event::Announced { components });
    for (component, part) in active() {
        let after = part.after.iter().map(|needed| parts[*needed].name.clone()).collect();
        run.phase(&component.name, Phase::Pending { after });
    }
}

/// Makes what the components need before they can be recorded and written. `changes`: whether any will be.
pub async fn prepare(run: &Run<'_>, changes: bool) -> Result<(), String> {
    if !changes && !run.plan.new_cluster {
        return Ok(());
    }
    if run.observation.inventories.is_empty() {
        run.count_write();
        let made = run.client.ensure_record_namespace().await;
        made.map_err(|error| format!("cannot make the namespace `landskap` for records: {error}"))?;
    }
    if run.plan.new_cluster {
        write_identity(run, None).await?;
    }
    for (name, body) in &run.plan.namespaces {
        make_namespace(run, name, body).await?;
    }
    Ok(())
}

/// Records the revision that is applied in full now.
pub async fn conclude(run: &Run<'_>, changes: bool) -> Result<(), String> {
    if records_revision(run.plan, run.observation, changes) {
        write_identity(run, run.plan.revision.clone()).await?;
    }
    Ok(())
}

/// Whether a run that goes well ends with a new revision in the identity record.
pub fn records_revision(plan: &Plan, observation: &Observation, changes: bool) -> bool {
    let applied = observation.identity.as_ref().and_then(|identity| identity.revision.as_ref());
    let partial = plan.components.iter().any(|component| component.presence == Presence::NotSelected);
    let recorded = observation.identity.is_some() || plan.new_cluster || changes;
    recorded && !partial && plan.revision.is_some() && plan.revision.as_ref() != applied
}

async fn write_identity(run: &Run<'_>, revision: Option<String>) -> Result<(), String> {
    let identity = Identity {
        landscape: run.plan.landscape.clone(),
        origin: run.plan.origin.clone(),
        cluster: run.plan.cluster.clone(),
        cluster_uid: run.plan.cluster_uid.clone(),
        revision,
    };
    run.count_write();
    let written = run.client.write_identity(&identity).await;
    written.map_err(|error| format!("cannot write the identity record of the landscape: {error}"))
}

/// A namespace made only because a component names it: no mark, in no inventory, never pruned.
async fn make_namespace(run: &Run<'_>, name: &str, body: &NamespaceBody) -> Result<(), String> {
    let reference =
        ObjectRef { group: String::new(), kind: "Namespace".into(), namespace: None, name: name.into() };
    let mut metadata = json!({"name": name});
    if !body.labels.is_empty() {
        metadata["labels"] = json!(body.labels);
    }
    if !body.annotations.is_empty() {
        metadata["annotations"] = json!(body.annotations);
    }
    // It comes from no file; the origin is never read.
    let span = Span::new(Files::new().add(String::new(), "", false), 0..0);
    let object = DesiredObject {
        reference: reference.clone(),
        gvk: GroupVersionKind::from_api_version("v1", "Namespace"),
        body: json!({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}),
        sensitive: false,
        origin: Origin { component: String::new(), template: String::new(), span },
    };
    run.count_write();
    let applied = run.client.apply(&object, &ApplyOptions::default()).await;
    applied.map_err(|error| format!("cannot make the namespace `{name}`: {error}"))?;
    run.tell(Event::Object { component: None, object: reference, what: ObjectEvent::Created });
    Ok(())
}
