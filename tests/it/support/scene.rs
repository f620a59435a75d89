//! A landscape made of objects, without files: planned and applied on the real API server by the library's own walk.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Duration;

use landskap::apply::{ComponentResult, Event, Interruption, Options, Outcome};
use landskap::cluster::Client;
use landskap::diagnostic::{Files, Span};
use landskap::landscape::{Adopt, Limits};
use landskap::object::{GroupVersionKind, ObjectRef, Origin};
use landskap::plan::{self, Desired, DesiredComponent, DesiredObject, Intent, Inventory, Observation, Plan};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::cluster::{self, Corner};

/// A cluster and what it should hold.
pub struct Scene {
    pub corner: Corner,
    pub client: Client,
    pub components: Vec<DesiredComponent>,
    pub options: Options,
    pub intent: Intent,
    pub stop: watch::Sender<Option<Interruption>>,
}

/// A plan with what it was made from.
pub struct Planned {
    pub desired: Desired,
    pub observation: Observation,
    pub plan: Plan,
}

/// What an apply said and did.
#[derive(Debug)]
pub struct Ran {
    pub outcome: Outcome,
    pub events: Vec<Event>,
}

impl Ran {
    /// How a component came out.
    pub fn of(&self, component: &str) -> &ComponentResult {
        let found = self.outcome.components.iter().find(|c| c.component == component);
        &found.unwrap_or_else(|| panic!("no component {component}: {:?}", self.outcome)).result
    }

    /// Panics unless all went well.
    #[track_caller]
    pub fn well(self) -> Self {
        assert!(self.outcome.is_success(), "{:#?}", self.outcome);
        self
    }

    /// The reasons of a component that failed.
    #[track_caller]
    pub fn reasons(&self, component: &str) -> String {
        match self.of(component) {
            ComponentResult::Failed { reasons } => reasons.join("\n"),
            other => panic!("{component} did not fail: {other:?}"),
        }
    }
}

impl Scene {
    pub async fn new(name: &str) -> Self {
        Self::over(Corner::new(name).await, cluster::connect().await)
    }

    /// In `corner`, through `client`.
    pub fn over(corner: Corner, client: Client) -> Self {
        let (stop, receiver) = watch::channel(None);
        let options =
            Options { wait: true, timeout: Some(Duration::from_secs(20)), learn: false, stop: receiver };
        let intent = Intent { new_cluster: true, salt: "5a".repeat(16), ..Intent::default() };
        Self { corner, client, components: Vec::new(), options, intent, stop }
    }

    /// Sets the objects of a component; one of that name is replaced.
    pub fn component(&mut self, name: &str, objects: Vec<Value>) -> &mut DesiredComponent {
        let objects = objects.into_iter().map(|body| marked(&self.corner.landscape, name, body)).collect();
        let component = DesiredComponent {
            name: name.into(),
            namespace: self.corner.namespace.clone(),
            after: BTreeSet::new(),
            formerly: Vec::new(),
            adopt: Adopt::None,
            suspended: None,
            timeout: Duration::from_secs(60),
            ignore_differences: Vec::new(),
            health: Vec::new(),
            objects,
        };
        self.remove(name);
        self.intent.allow_removal.insert(name.into());
        self.components.push(component);
        self.components.last_mut().unwrap()
    }

    /// Takes a component out.
    pub fn remove(&mut self, name: &str) {
        self.components.retain(|component| component.name != name);
    }

    /// A `ConfigMap` of this scene's namespace.
    pub fn config_map(&self, name: &str, data: &str) -> Value {
        json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": name, "namespace": self.corner.namespace}, "data": {"data": data},
        })
    }

    /// A Deployment of this scene's namespace; `node` goes into its node selector.
    pub fn deployment(&self, name: &str, node: Option<&str>) -> Value {
        let mut spec = json!({"containers": [{"name": "app", "image": "example.test/app:1"}]});
        if let Some(node) = node {
            spec["nodeSelector"] = json!({"kubernetes.io/hostname": node});
        }
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": name, "namespace": self.corner.namespace},
            "spec": {
                "replicas": 1, "selector": {"matchLabels": {"app": name}},
                "template": {"metadata": {"labels": {"app": name}}, "spec": spec},
            },
        })
    }

    /// Reads the cluster and makes a plan, as a run does.
    pub async fn plan(&self) -> Planned {
        let mut desired = Desired {
            landscape: self.corner.landscape.clone(),
            origin: "https://git.example/platform".into(),
            cluster: "test".into(),
            revision: Some("a".repeat(40)),
            limits: Limits { components: 10, objects: 1.0 },
            components: self.components.clone(),
            not_installed: BTreeSet::new(),
            absent: BTreeMap::new(),
            namespaces: BTreeMap::new(),
            incomplete: Vec::new(),
        };
        let discovery = self.client.discover().await.unwrap();
        let records = self.client.read_records(&desired.landscape).await.unwrap();
        let query = plan::query(&desired, &records.inventories, &discovery);
        let observation = self.client.observe(&desired.landscape, &query, discovery, records).await.unwrap();
        plan::settle(&mut desired, &observation);
        let now = jiff::Timestamp::now().as_second();
        let triage = plan::triage(&desired, &observation, now);
        let objects: Vec<&DesiredObject> = desired
            .components
            .iter()
            .flat_map(|component| &component.objects)
            .filter(|object| triage.to_dry_run.contains(&object.reference))
            .collect();
        let dry_runs = self.client.dry_run(&objects).await.unwrap();
        let plan = plan::plan(&desired, &observation, &triage, &dry_runs, &self.intent, now);
        Planned { desired, observation, plan }
    }

    /// Carries out a plan.
    pub async fn carry_out(&self, planned: &Planned) -> Ran {
        let events = Mutex::new(Vec::new());
        let note = |event| events.lock().unwrap().push(event);
        let Planned { desired, observation, plan } = planned;
        assert_eq!(plan.refusals, [], "the plan is refused");
        let outcome =
            landskap::apply::apply(&self.client, plan, desired, observation, &self.options, &note).await;
        Ran { outcome, events: events.into_inner().unwrap() }
    }

    /// Plans and applies.
    pub async fn apply(&self) -> Ran {
        self.carry_out(&self.plan().await).await
    }

    /// The stored inventories.
    pub async fn inventories(&self) -> BTreeMap<String, Inventory> {
        self.client.read_records(&self.corner.landscape).await.unwrap().inventories
    }

    /// The live object, if it is there.
    pub async fn live(&self, object: &Value) -> Option<Value> {
        let reference = ObjectRef::of(object).unwrap();
        let gvk = GroupVersionKind::from_api_version(object["apiVersion"].as_str().unwrap(), &reference.kind);
        self.client.get(&reference, &gvk.version).await.unwrap().map(|live| live.0)
    }
}

/// `body` with the labels that `desire` would give it.
fn marked(landscape: &str, component: &str, mut body: Value) -> DesiredObject {
    body["metadata"]["labels"] = json!({
        "landskap.io/landscape": landscape, "landskap.io/component": component,
        "applyset.kubernetes.io/part-of": plan::applyset_id(landscape, component),
    });
    let reference = ObjectRef::of(&body).unwrap();
    let gvk = GroupVersionKind::from_api_version(body["apiVersion"].as_str().unwrap(), &reference.kind);
    let span = Span::new(Files::new().add("test", "", false), 0..0);
    let origin = Origin { component: component.into(), template: "test".into(), span };
    DesiredObject { sensitive: reference.is("", "Secret"), reference, gvk, body, origin }
}
