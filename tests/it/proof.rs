//! The proofs against the truth: whatever `triage` calls unchanged, the server's dry run must leave alone.
//!
//! For many kinds: apply an object, then edit what is wanted in every way that people edit YAML (a field removed,
//! emptied, zeroed, changed, a list reordered, a default written out), and, wherever triage says that nothing
//! changes, ask the server. The same again after each edit was applied for real, and after another manager has
//! touched the object: what managedFields and the live object say depends on what came before.

mod corpus;
mod edits;

use std::collections::{BTreeMap, BTreeSet};

use kube::api::{Api, DeleteParams, DynamicObject, Patch, PatchParams};
use kube::core::{ApiResource, GroupVersionKind as Gvk};
use landskap::cluster::{ApplyOptions, Client};
use landskap::diagnostic::{Files, Span};
use landskap::landscape::{Adopt, Limits};
use landskap::object::{GroupKind, GroupVersionKind, ObjectRef, Origin};
use landskap::plan::{
    Desired, DesiredComponent, DesiredObject, DryRun, Live, Observation, Proof, Terminating, triage,
};
use serde_json::{Value, json};

use crate::support::cluster::{Corner, admin, connect};

/// How many edits of each object are applied for real, to compare all others with.
const PRIORS: usize = 8;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_proven_unchanged_is_unchanged() {
    let corner = Corner::new("proof").await;
    let client = connect().await;
    client.discover().await.unwrap();
    let definition = object(&corner, corpus::definition(&corner.namespace));
    let definitions = api(&definition.body).await;
    client.apply(&definition, &ApplyOptions::default()).await.unwrap();
    let kind = GroupKind::new(format!("{}.example.org", corner.namespace), "Widget");
    for _ in 0..100 {
        if client.discover().await.unwrap().get(&kind).is_some() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    let checks = corpus::objects(&corner.namespace).into_iter().map(|base| check(&client, &corner, base));
    let mut tally = Tally::default();
    for one in futures::future::join_all(checks).await {
        tally.recognised.extend(one.recognised);
        tally.claims += one.claims;
        tally.refused.extend(one.refused);
        tally.wrong.extend(one.wrong);
    }
    let _ = definitions.delete(&definition.reference.name, &DeleteParams::background()).await;
    assert!(tally.claims > 300, "only {} claims: the proofs recognise next to nothing", tally.claims);
    assert!(tally.refused.is_empty(), "{}", tally.refused.join("\n"));
    assert!(tally.wrong.is_empty(), "proven unchanged, and yet:\n{}", tally.wrong.join("\n"));
    // What makes the proof worth having: plain objects are recognised as they are.
    for kind in ["ConfigMap", "Secret", "Service", "ServiceAccount", "Role", "ClusterRole", "RoleBinding"] {
        assert!(tally.recognised.contains(kind), "{kind} is not recognised: {:?}", tally.recognised);
    }
    assert!(tally.recognised.contains("Deployment"), "{:?}", tally.recognised);
    assert!(tally.recognised.contains("NetworkPolicy"), "{:?}", tally.recognised);
}

/// What the test found.
#[derive(Default)]
struct Tally {
    /// Kinds whose freshly applied object is proven by structure.
    recognised: BTreeSet<String>,
    claims: usize,
    /// Objects of the corpus that the server does not take.
    refused: Vec<String>,
    wrong: Vec<String>,
}

async fn check(client: &Client, corner: &Corner, base: Value) -> Tally {
    let mut tally = Tally::default();
    let api = api(&base).await;
    let kind = base["kind"].as_str().unwrap().to_owned();
    let base = object(corner, base);
    let name = base.reference.name.clone();
    let mut live = match client.apply(&base, &ApplyOptions::default()).await {
        Ok(live) => live,
        Err(error) => {
            tally.refused.push(format!("{}: {error:?}", base.reference));
            return tally;
        }
    };
    if proof(corner, &base, &live).is_some() {
        tally.recognised.insert(kind);
    }
    let edits = edits::all(&base.body, &live.0);
    // Emptied maps and written-out defaults leave the most to be misunderstood.
    let is_telling = |label: &str| label.starts_with("empty") || label.starts_with("default");
    let (telling, plain): (Vec<_>, Vec<_>) = edits.iter().partition(|(label, _)| is_telling(label));
    let some = |edits: Vec<&'_ _>| -> Vec<_> {
        let stride = edits.len().div_ceil(PRIORS).max(1);
        edits.into_iter().step_by(stride).cloned().collect::<Vec<(String, Value)>>()
    };
    let priors = some(telling).into_iter().chain(some(plain));
    ask_all(client, corner, &api, &base, &edits, &live, "as applied", &mut tally).await;
    for (index, (label, prior)) in priors.enumerate() {
        let prior = DesiredObject { body: prior, ..base.clone() };
        let Ok(after) = client.apply(&prior, &ApplyOptions::default()).await else { continue };
        live = after;
        ask_all(client, corner, &api, &base, &edits, &live, &format!("after {label}"), &mut tally).await;
        if index % 2 == 0
            && let Some(touched) = touch(&api, &name, &base).await
        {
            let when = format!("after {label} and an edit by hand");
            ask_all(client, corner, &api, &base, &edits, &touched, &when, &mut tally).await;
        }
    }
    let _ = api.delete(&name, &DeleteParams::background()).await;
    tally
}

/// Another manager writes the values of the base once more, and something of its own.
async fn touch(api: &Api<DynamicObject>, name: &str, base: &DesiredObject) -> Option<Live> {
    let mut body = base.body.clone();
    body["metadata"]["annotations"]["example.org/by-hand"] = "yes".into();
    let parameters = PatchParams { field_manager: Some("by-hand".into()), ..PatchParams::default() };
    let touched = api.patch(name, &parameters, &Patch::Merge(&body)).await.ok()?;
    Some(Live(serde_json::to_value(touched).unwrap()))
}

/// Asks the server about everything that is claimed to be unchanged on `live`.
#[expect(clippy::too_many_arguments, reason = "one loop of one test, taken out of `check`")]
async fn ask_all(
    client: &Client,
    corner: &Corner,
    api: &Api<DynamicObject>,
    base: &DesiredObject,
    edits: &[(String, Value)],
    live: &Live,
    when: &str,
    tally: &mut Tally,
) {
    let itself = ("itself".to_owned(), base.body.clone());
    let mut claimed: Vec<(&str, DesiredObject)> = Vec::new();
    let observation = cluster_with(corner, base, live);
    for (label, body) in edits.iter().chain([&itself]) {
        let wanted = DesiredObject { body: body.clone(), ..base.clone() };
        if proof_in(&observation, corner, &wanted).is_some() {
            claimed.push((label, wanted));
        }
    }
    let asked: Vec<_> =
        claimed.iter().map(|(_, wanted)| ask(client, corner, api, wanted, live.clone())).collect();
    for ((label, wanted), answer) in claimed.iter().zip(futures::future::join_all(asked).await) {
        tally.claims += 1;
        if let Err(change) = answer {
            tally.wrong.push(format!("{}: {label}, {when}: {change}", wanted.reference));
        }
    }
}

/// Asks the server whether `wanted` leaves `live` as it is; says what would change.
async fn ask(
    client: &Client,
    corner: &Corner,
    api: &Api<DynamicObject>,
    wanted: &DesiredObject,
    mut live: Live,
) -> Result<(), String> {
    for _ in 0..5 {
        let answer = client.dry_run(&[wanted]).await.unwrap().remove(&wanted.reference).unwrap();
        let DryRun::Applied(after) = answer else { return Err(format!("refused: {answer:?}")) };
        let (one, other) = (timeless(&live), timeless(&after));
        if one == other {
            return Ok(());
        }
        // A controller may have been faster: then the claim was about another object.
        let current = api.get(&wanted.reference.name).await.unwrap();
        let current = Live(serde_json::to_value(current).unwrap());
        if current.resource_version() == live.resource_version() {
            return Err(json_patch::diff(&one, &other).to_string());
        }
        if proof(corner, wanted, &current).is_none() {
            return Ok(());
        }
        live = current;
    }
    Ok(())
}

/// The object without what a write that changes nothing may still move. A generation alone says nothing: the server
/// raises it for a `NetworkPolicy` with an empty `ingress` at every write, since it stores that as absent.
fn timeless(live: &Live) -> Value {
    let mut object = live.0.clone();
    object.as_object_mut().unwrap().remove("status");
    let metadata = object["metadata"].as_object_mut().unwrap();
    metadata.remove("resourceVersion");
    metadata.remove("generation");
    for entry in metadata["managedFields"].as_array_mut().unwrap() {
        entry.as_object_mut().unwrap().remove("time");
    }
    object
}

fn proof(corner: &Corner, object: &DesiredObject, live: &Live) -> Option<Proof> {
    proof_in(&cluster_with(corner, object, live), corner, object)
}

/// A cluster that holds just this object.
fn cluster_with(corner: &Corner, object: &DesiredObject, live: &Live) -> Observation {
    Observation {
        cluster_uid: "u".into(),
        discovery: corpus::discovery(&object.gvk),
        namespaces: BTreeMap::from([(corner.namespace.clone(), Terminating(false))]),
        identity: None,
        inventories: BTreeMap::new(),
        live: BTreeMap::from([(object.reference.clone(), live.clone())]),
        unreadable: BTreeMap::new(),
        incomplete: Vec::new(),
    }
}

fn proof_in(observation: &Observation, corner: &Corner, object: &DesiredObject) -> Option<Proof> {
    triage(&desired(corner, object), observation, 0).unchanged.get(&object.reference).copied()
}

fn desired(corner: &Corner, object: &DesiredObject) -> Desired {
    Desired {
        landscape: corner.landscape.clone(),
        origin: String::new(),
        cluster: "c".into(),
        revision: None,
        limits: Limits { components: 1, objects: 0.3 },
        components: vec![DesiredComponent {
            name: "proof".into(),
            namespace: corner.namespace.clone(),
            after: BTreeSet::new(),
            formerly: Vec::new(),
            adopt: Adopt::None,
            suspended: None,
            timeout: std::time::Duration::ZERO,
            ignore_differences: Vec::new(),
            health: Vec::new(),
            objects: vec![object.clone()],
        }],
        not_installed: BTreeSet::new(),
        absent: BTreeMap::new(),
        namespaces: BTreeMap::new(),
        incomplete: Vec::new(),
    }
}

/// The object with our marks.
fn object(corner: &Corner, mut body: Value) -> DesiredObject {
    body["metadata"]["labels"] = json!({
        "landskap.io/landscape": corner.landscape, "landskap.io/component": "proof",
    });
    let reference = ObjectRef::of(&body).unwrap();
    let gvk = GroupVersionKind::from_api_version(body["apiVersion"].as_str().unwrap(), &reference.kind);
    let file = Files::new().add("test.yaml", "", false);
    let origin =
        Origin { component: "proof".into(), template: "test.yaml".into(), span: Span::new(file, 0..0) };
    DesiredObject { sensitive: reference.is("", "Secret"), reference, gvk, body, origin }
}

async fn api(body: &Value) -> Api<DynamicObject> {
    let (api_version, kind) = (body["apiVersion"].as_str().unwrap(), body["kind"].as_str().unwrap());
    let (group, version) = api_version.rsplit_once('/').unwrap_or(("", api_version));
    let resource = ApiResource::from_gvk_with_plural(&Gvk::gvk(group, version, kind), &corpus::plural(kind));
    match body["metadata"]["namespace"].as_str() {
        Some(namespace) => Api::namespaced_with(admin().await, namespace, &resource),
        None => Api::all_with(admin().await, &resource),
    }
}
