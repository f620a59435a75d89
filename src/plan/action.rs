//! What happens to each object that a component wants.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::desired::{Desired, DesiredComponent, DesiredObject};
use super::diff;
use super::digest::body_digest;
use super::guard;
use super::immutable;
use super::intent::Intent;
use super::marks;
use super::model::{Action, Change, Operation, Proof, Refusal};
use super::observation::{DryRun, DryRuns, Live, Observation, Rejection};
use super::order;
use super::overlay;
use super::ownership::{Owner, owner};
use super::proof::memory;
use super::removal::version_of;
use super::triage::{Triage, crd_generation, left_alone};
use crate::landscape::Adopt;
use crate::object::{GroupVersionKind, ObjectRef};

/// What actions are decided by.
pub(super) struct Actions<'a> {
    pub(super) desired: &'a Desired,
    pub(super) observation: &'a Observation,
    pub(super) triage: &'a Triage,
    pub(super) dry_runs: &'a DryRuns,
    pub(super) intent: &'a Intent,
    /// Namespaces that this plan brings, declared or made.
    pub(super) namespaces: &'a BTreeSet<&'a str>,
    /// `CustomResourceDefinitions` that this plan brings, by kind and served version.
    pub(super) definitions: &'a BTreeMap<GroupVersionKind, &'a ObjectRef>,
    /// Unix seconds.
    pub(super) now: i64,
}

/// The actions of one component, and what must not be done.
pub(super) struct Decided {
    pub(super) actions: Vec<Action>,
    pub(super) refusals: Vec<Refusal>,
}

/// What happens to an object.
struct Verdict {
    operation: Operation,
    changes: Vec<Change>,
    forbidden: Option<String>,
}

impl From<Operation> for Verdict {
    fn from(operation: Operation) -> Self {
        Self { operation, changes: Vec::new(), forbidden: None }
    }
}

impl Actions<'_> {
    /// Decides about every object of `component`.
    pub(super) fn decide(&self, component: &DesiredComponent) -> Decided {
        let mut robbed: Vec<(ObjectRef, String)> = Vec::new();
        let actions = component
            .objects
            .iter()
            .map(|object| {
                let live = self.observation.live.get(&object.reference);
                let whose = live
                    .map(|live| owner(self.desired, component, self.observation, &object.reference, live));
                match &whose {
                    Some(Owner::Foreign(other)) => {
                        robbed.push((object.reference.clone(), format!("belongs to {other}")));
                    }
                    Some(Owner::Nobody) if component.adopt == Adopt::None => {
                        robbed.push((object.reference.clone(), "exists already and is not ours".into()));
                    }
                    _ => {}
                }
                self.action(component, object, live, whose)
            })
            .collect();
        let refusals = guard::not_owned(component, robbed).into_iter().collect();
        Decided { actions, refusals }
    }

    fn action(
        &self,
        component: &DesiredComponent,
        object: &DesiredObject,
        live: Option<&Live>,
        whose: Option<Owner>,
    ) -> Action {
        let Verdict { operation, changes, forbidden } = self.verdict(component, object, live);
        let learned = match (&operation, live) {
            (Operation::Unchanged(Proof::DryRun), Some(live)) => {
                crd_generation(self.observation, &object.reference.group_kind())
                    .and_then(|generation| memory::remember(object, live, generation, self.now))
            }
            _ => None,
        };
        Action {
            reference: object.reference.clone(),
            version: object.gvk.version.clone(),
            stage: order::stage(&object.reference),
            operation,
            changes,
            digest: body_digest(object, &self.intent.salt),
            live: live.map(version_of),
            handed_over_from: match whose {
                Some(Owner::Component(other)) => Some(other),
                _ => None,
            },
            origin: object.origin.template.clone(),
            sensitive: object.sensitive,
            forbidden,
            memory: learned,
        }
    }

    fn verdict(&self, component: &DesiredComponent, object: &DesiredObject, live: Option<&Live>) -> Verdict {
        let reference = &object.reference;
        if let Some(reason) = left_alone(object, live) {
            return Operation::Skipped { reason }.into();
        }
        if let Some(proof) = self.triage.unchanged.get(reference) {
            return Operation::Unchanged(*proof).into();
        }
        if let Some(reason) = self.triage.unverified.get(reference) {
            return self.unverified(object, live, reason).into();
        }
        match (self.dry_runs.get(reference), live) {
            (None, _) => blocked("no dry run has said what would happen").into(),
            (Some(DryRun::Applied(_)), None) => Operation::Create { unverified: None }.into(),
            (Some(DryRun::Applied(after)), Some(live)) => {
                let difference = diff::compare(live, after, object.sensitive);
                if difference.same {
                    Operation::Unchanged(Proof::DryRun).into()
                } else {
                    Verdict { changes: difference.changes, ..Operation::Update.into() }
                }
            }
            (Some(DryRun::Rejected(rejection)), live) if overlay::may_not_ask(rejection) => {
                by_structure(object, live, rejection)
            }
            (Some(DryRun::Rejected(rejection)), live) => {
                self.rejected(component, object, live, rejection).into()
            }
        }
    }

    /// What can't be dry-run yet is made unverified if this plan brings what it waits for.
    fn unverified(&self, object: &DesiredObject, live: Option<&Live>, reason: &str) -> Operation {
        if self.observation.unreadable.contains_key(&object.reference)
            || live.is_some_and(Live::is_terminating)
        {
            return blocked(reason);
        }
        if !self.observation.discovery.serves(&object.gvk) {
            return match self.definitions.get(&object.gvk) {
                Some(definition) => pending(live, format!("its kind comes with {definition}")),
                None => blocked(reason),
            };
        }
        let namespace = object.reference.namespace.as_deref().unwrap_or_default();
        if !self.observation.namespaces.contains_key(namespace) && self.namespaces.contains(namespace) {
            return pending(live, format!("the namespace `{namespace}` comes with this plan"));
        }
        blocked(reason)
    }

    fn rejected(
        &self,
        component: &DesiredComponent,
        object: &DesiredObject,
        live: Option<&Live>,
        rejection: &Rejection,
    ) -> Operation {
        match immutable::fields(rejection) {
            Some(fields) if self.may_recreate(component, object) => {
                match live.map(|live| undeletable(live, &self.desired.landscape)) {
                    Some(None) => Operation::Recreate { fields },
                    Some(Some(reason)) => {
                        let refused = explain(object, rejection);
                        blocked(&format!("{refused}; it is not deleted to be made again: {reason}"))
                    }
                    None => blocked(&explain(object, rejection)),
                }
            }
            _ => blocked(&explain(object, rejection)),
        }
    }

    /// Whether the object says that it may be made again, or its component is named; of kinds that hold data or
    /// much else, both.
    fn may_recreate(&self, component: &DesiredComponent, object: &DesiredObject) -> bool {
        let marked = object
            .body
            .pointer("/metadata/annotations")
            .and_then(|annotations| annotations.get(marks::RECREATE))
            .is_some_and(|value| value == "allowed");
        let named = self.intent.allow_recreate.contains(&component.name);
        if immutable::is_precious(&object.reference) { marked && named } else { marked || named }
    }
}

/// The `CustomResourceDefinitions` among the desired objects, by what they bring.
pub(super) fn definitions(desired: &Desired) -> BTreeMap<GroupVersionKind, &ObjectRef> {
    let definitions =
        desired.objects().filter(|o| o.reference.is("apiextensions.k8s.io", "CustomResourceDefinition"));
    definitions
        .flat_map(|definition| {
            let spec = &definition.body["spec"];
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let (group, kind) = (text(&spec["group"]), text(&spec["names"]["kind"]));
            let versions = spec["versions"].as_array().into_iter().flatten();
            versions.filter(|version| version["served"] == true).map(move |version| {
                let gvk = GroupVersionKind {
                    group: group.clone(),
                    version: text(&version["name"]),
                    kind: kind.clone(),
                };
                (gvk, &definition.reference)
            })
        })
        .collect()
}

/// Why `live` must not be deleted, not even to be made again (I2): it is not ours, or asks to stay.
fn undeletable(live: &Live, landscape: &str) -> Option<String> {
    if marks::marked_component(live, landscape).is_none() {
        return Some("it does not carry our mark".into());
    }
    marks::owner(live).map(|owner| format!("{owner} owns it")).or_else(|| marks::keep_mark(live))
}

/// What would happen as far as the fields tell, to an object that the user may only read.
fn by_structure(object: &DesiredObject, live: Option<&Live>, rejection: &Rejection) -> Verdict {
    let forbidden = Some(rejection.message.clone());
    let Some(live) = live else {
        return Verdict { forbidden, ..Operation::Create { unverified: None }.into() };
    };
    let changes = diff::declared(live, &overlay::overlay(object, live), object.sensitive);
    if changes.is_empty() {
        return Operation::Unchanged(Proof::Declared).into();
    }
    Verdict { operation: Operation::Update, changes, forbidden }
}

fn pending(live: Option<&Live>, reason: String) -> Operation {
    match live {
        Some(_) => Operation::Update,
        None => Operation::Create { unverified: Some(reason) },
    }
}

fn blocked(reason: &str) -> Operation {
    Operation::Blocked { reason: reason.into() }
}

/// Why the server refuses; for Secrets only the fields, since messages repeat values.
fn explain(object: &DesiredObject, rejection: &Rejection) -> String {
    let hint = if immutable::fields(rejection).is_some() {
        format!(
            "; to delete and make it again, use `--allow-recreate {}` {} its annotation `{}: allowed`",
            object.origin.component,
            if immutable::is_precious(&object.reference) { "and" } else { "or" },
            marks::RECREATE
        )
    } else {
        String::new()
    };
    if object.sensitive {
        let fields: Vec<&str> = rejection
            .causes
            .iter()
            .map(|cause| cause.field.as_str())
            .filter(|field| !field.is_empty())
            .collect();
        let place =
            if fields.is_empty() { String::new() } else { format!(" because of `{}`", fields.join("`, `")) };
        return format!("the server refuses it ({} {}){place}{hint}", rejection.code, rejection.reason);
    }
    format!("the server refuses it: {}{hint}", rejection.message)
}
