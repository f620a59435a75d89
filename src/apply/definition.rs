//! When a `CustomResourceDefinition` can be used: it is established, and a fresh discovery serves its kind. One does not
//! follow from the other, and of several API servers some are late (kubernetes/kubernetes#63068).

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::run::{Run, Stopped};
use crate::health::{self, Status};
use crate::object::GroupVersionKind;
use crate::plan::{Action, ComponentPlan};

/// How long a definition may take. Nothing but the API server itself has to do anything for it.
const PATIENCE: Duration = Duration::from_mins(1);

/// Waits until the kinds that `actions` define can be used.
pub async fn usable<'a>(
    run: &Run<'a>,
    component: &ComponentPlan,
    actions: &[&'a Action],
) -> Result<(), Stopped> {
    let begin = Instant::now();
    let mut kinds = Vec::new();
    for action in actions {
        let definition = established(run, action, begin).await?;
        kinds.extend(served_kinds(&definition));
    }
    let mut pause = Duration::from_millis(50);
    loop {
        let missing = |run: &Run| {
            let discovery = run.client.discovered();
            kinds.iter().find(|kind| !discovery.serves(kind)).cloned()
        };
        if missing(run).is_none() {
            return Ok(());
        }
        {
            // Components define kinds side by side; one discovery may find those of several.
            let _one_at_a_time = run.discovering.lock().await;
            if missing(run).is_some() {
                let found = run.client.discover().await;
                found.map_err(|error| Stopped::because(format!("cannot read the kinds again: {error}")))?;
            }
        }
        let Some(kind) = missing(run) else { return Ok(()) };
        if begin.elapsed() > PATIENCE {
            let GroupVersionKind { kind, .. } = &kind;
            let name = &component.name;
            return Err(Stopped::because(format!(
                "the API server does not serve the kind {kind} that `{name}` defines"
            )));
        }
        run.sleep(pause).await?;
        pause = (pause * 2).min(Duration::from_secs(2));
    }
}

async fn established(run: &Run<'_>, action: &Action, begin: Instant) -> Result<Value, Stopped> {
    let mut pause = Duration::from_millis(50);
    loop {
        let live = run.client.get(&action.reference, &action.version).await;
        let live = live.map_err(|error| Stopped::because(error.to_string()))?;
        let related = health::Related::default();
        let context = health::Context {
            now: jiff::Timestamp::now(),
            written: None,
            has_status: None,
            related: &related,
            rules: &[],
        };
        let health = health::assess(live.as_ref().map(|live| &live.0), &context);
        match (health.status, live) {
            (Status::Current, Some(live)) => return Ok(live.0),
            (Status::Failed, _) => {
                return Err(Stopped::because(format!("{}: {}", action.reference, health.reason)));
            }
            _ if begin.elapsed() > PATIENCE => {
                return Err(Stopped::because(format!("{}: {}", action.reference, health.reason)));
            }
            _ => run.sleep(pause).await?,
        }
        pause = (pause * 2).min(Duration::from_secs(2));
    }
}

/// The kinds that a `CustomResourceDefinition` serves.
fn served_kinds(definition: &Value) -> Vec<GroupVersionKind> {
    let text = |value: &Value, pointer: &str| {
        value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let versions = definition.pointer("/spec/versions").and_then(Value::as_array);
    versions
        .into_iter()
        .flatten()
        .filter(|version| version.get("served").and_then(Value::as_bool) == Some(true))
        .map(|version| GroupVersionKind {
            group: text(definition, "/spec/group"),
            version: text(version, "/name"),
            kind: text(definition, "/spec/names/kind"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_served_versions_count() {
        let definition = serde_json::json!({"spec": {"group": "a.example", "names": {"kind": "Thing"}, "versions": [
            {"name": "v1", "served": true}, {"name": "v1beta1", "served": false},
        ]}});
        let kinds = served_kinds(&definition);
        assert_eq!(kinds.iter().map(GroupVersionKind::api_version).collect::<Vec<_>>(), ["a.example/v1"]);
    }
}
