//! Writing objects: server-side apply, as a dry run or for good, and deletion.
//!
//! Dry run and apply share one request and differ in one parameter, so that what was shown is what happens.
//! Both are safe to repeat: an apply states the whole of what we want, a deletion names the object by UID.

use futures::{StreamExt as _, TryStreamExt as _};
use http::Method;
use serde_json::{Value, json};

use super::Client;
use super::body::json_in_yaml;
use super::error::{Error, Failure, WriteError};
use super::limit::IN_FLIGHT;
use super::path::{Resource, query};
use super::request::{Call, JSON};
use crate::object::{GroupVersionKind, ObjectRef};
use crate::plan::inventory::FIELD_MANAGER;
use crate::plan::{DesiredObject, DryRun, DryRuns, Live};

/// Server-side apply: the body is YAML, of which JSON is a part.
const APPLY: &str = "application/apply-patch+yaml";

/// What must be true of the live object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApplyOptions {
    /// It exists with this UID: corrects, never brings back. A 409 if it is absent, a 422 if it is another one.
    pub uid: Option<String>,
    /// It exists in this version. A 409 if it changed since. Does not by itself keep an absent object from being
    /// made: give the UID too.
    pub resource_version: Option<String>,
}

/// What happens to what an object owns when it is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Propagation {
    /// It is deleted afterwards.
    Background,
    /// It is deleted first.
    Foreground,
    /// It stays.
    Orphan,
}

impl Propagation {
    fn name(self) -> &'static str {
        match self {
            Self::Background => "Background",
            Self::Foreground => "Foreground",
            Self::Orphan => "Orphan",
        }
    }
}

/// What a deletion found or did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deleted {
    /// It is gone.
    Gone,
    /// It is being deleted: finalizers or a grace period hold it.
    Terminating,
    /// Under this name there is now another object, which was left alone.
    OtherUid,
}

impl Client {
    /// Asks what each object would become, with all of admission. Nothing is written. A refusal is an answer; only
    /// when the server does not answer at all is it an error.
    pub async fn dry_run(&self, objects: &[&DesiredObject]) -> Result<DryRuns, Error> {
        // Twice as many as are in flight, so that none waits for a body to be written; more only cost memory.
        let requests: Vec<_> = objects.iter().map(|object| self.dry_run_named(object)).collect();
        futures::stream::iter(requests).buffer_unordered(2 * IN_FLIGHT).try_collect().await
    }

    /// The answer with the object that it is about. Not a closure above: such a future is not known to be [`Send`].
    async fn dry_run_named(&self, object: &DesiredObject) -> Result<(ObjectRef, DryRun), Error> {
        Ok((object.reference.clone(), self.dry_run_one(object).await?))
    }

    async fn dry_run_one(&self, object: &DesiredObject) -> Result<DryRun, Error> {
        let call = self.apply_call(object, &ApplyOptions::default(), true)?;
        let action = || format!("dry-run `{}`", object.reference);
        match self.call(call).await {
            Ok(answer) => match answer.json() {
                Ok(value) => Ok(DryRun::Applied(Live(value))),
                Err(source) => Err(Error::Nonsense { action: action(), source }),
            },
            Err(Failure::Refused(refused) | Failure::Unknown { answer: Some(refused), .. }) => {
                Ok(DryRun::Rejected(refused.rejection))
            }
            Err(failure) => Err(failure.reading(action())),
        }
    }

    /// Applies an object for good and returns what it became.
    pub async fn apply(&self, object: &DesiredObject, options: &ApplyOptions) -> Result<Live, WriteError> {
        let call = self.apply_call(object, options, false)?;
        self.call(call).await?.json().map(Live).map_err(WriteError::Nonsense)
    }

    /// The one request of dry run and apply. Forced: `plan` has shown whose fields are taken.
    fn apply_call(
        &self,
        object: &DesiredObject,
        options: &ApplyOptions,
        dry_run: bool,
    ) -> Result<Call, Error> {
        let resource = self.resource(&object.gvk)?;
        let mut body = object.body.clone();
        if let Some(metadata) = body.get_mut("metadata").and_then(Value::as_object_mut) {
            for (field, value) in [("uid", &options.uid), ("resourceVersion", &options.resource_version)] {
                if let Some(value) = value {
                    metadata.insert(field.into(), Value::String(value.clone()));
                }
            }
        }
        let ObjectRef { namespace, name, .. } = &object.reference;
        Ok(apply_request(&resource, namespace.as_deref(), name, FIELD_MANAGER, &body, dry_run)
            .sensitive(object.sensitive || object.reference.is("", "Secret")))
    }

    /// Deletes an object if it still has this UID.
    pub async fn delete(
        &self,
        reference: &ObjectRef,
        version: &str,
        uid: &str,
        propagation: Propagation,
    ) -> Result<Deleted, WriteError> {
        let ObjectRef { group, kind, namespace, name } = reference;
        let gvk = GroupVersionKind { group: group.clone(), version: version.into(), kind: kind.clone() };
        let resource = self.resource(&gvk)?;
        self.delete_at(&resource, namespace.as_deref(), name, &json!({"uid": uid}), propagation, |live| {
            live.uid() == uid
        })
        .await
    }

    /// Deletes what meets `preconditions`; on a conflict `is_meant` tells from the live object whether it is still
    /// the one that was meant.
    pub(super) async fn delete_at(
        &self,
        resource: &Resource,
        namespace: Option<&str>,
        name: &str,
        preconditions: &Value,
        propagation: Propagation,
        is_meant: impl Fn(&Live) -> bool,
    ) -> Result<Deleted, WriteError> {
        let body = json!({
            "apiVersion": "v1", "kind": "DeleteOptions",
            "preconditions": preconditions, "propagationPolicy": propagation.name(),
        });
        let sensitive = resource.group.is_empty() && resource.kind == "Secret";
        let call = Call::send(Method::DELETE, resource.object(namespace, name), JSON, &body);
        match self.call(call.repeatable().sensitive(sensitive)).await {
            Ok(answer) => {
                let answer: Value = answer.json().map_err(WriteError::Nonsense)?;
                // A Status says that it is gone, the object itself that something holds it.
                let gone = answer.get("kind").and_then(Value::as_str) == Some("Status");
                Ok(if gone { Deleted::Gone } else { Deleted::Terminating })
            }
            Err(failure) if failure.is(404) => Ok(Deleted::Gone),
            Err(failure) if failure.is(409) => {
                match self.get_at(resource, namespace, name, sensitive).await {
                    Ok(None) => Ok(Deleted::Gone),
                    Ok(Some(live)) if !is_meant(&live) => Ok(Deleted::OtherUid),
                    Ok(Some(live)) if live.is_terminating() => Ok(Deleted::Terminating),
                    _ => Err(failure.into()),
                }
            }
            Err(failure) => Err(failure.into()),
        }
    }
}

/// A server-side apply of `body`.
pub(super) fn apply_request(
    resource: &Resource,
    namespace: Option<&str>,
    name: &str,
    manager: &str,
    body: &Value,
    dry_run: bool,
) -> Call {
    let mut pairs = vec![("fieldManager", manager), ("force", "true"), ("fieldValidation", "Strict")];
    if dry_run {
        pairs.push(("dryRun", "All"));
    }
    let path = query(&resource.object(namespace, name), &pairs);
    Call {
        body: json_in_yaml(body).into(),
        ..Call::send(Method::PATCH, path, APPLY, &Value::Null).repeatable()
    }
}

/// Only [`Error::UnknownKind`] can come up before a request.
impl From<Error> for WriteError {
    fn from(error: Error) -> Self {
        match error {
            Error::Connect(error) => Self::Connect(error),
            Error::UnknownKind { kind, version } => Self::UnknownKind { kind, version },
            Error::Refused { rejection, .. } => Self::Rejected(rejection),
            Error::Nonsense { source, .. } => Self::Nonsense(source),
            other => Self::Unknown { reason: other.to_string() },
        }
    }
}
