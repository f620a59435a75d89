//! Whether something is allowed, asked of the server itself.

use http::Method;
use serde_json::{Value, json};

use super::Client;
use super::error::Error;
use super::request::{Call, JSON};
use crate::object::GroupVersionKind;

impl Client {
    /// Whether this user may `verb` (`list`, `patch`, …) objects of a kind, in a namespace or everywhere.
    pub async fn access_review(
        &self,
        verb: &str,
        gvk: &GroupVersionKind,
        namespace: Option<&str>,
    ) -> Result<bool, Error> {
        let resource = self.resource(gvk)?;
        let body = json!({
            "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": {
                "verb": verb, "group": resource.group, "version": resource.version, "resource": resource.plural,
                "namespace": namespace.unwrap_or_default(),
            }},
        });
        // A review stores nothing, so it may be asked twice.
        let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
        let action = || format!("ask whether this user may {verb} `{}`", gvk.group_kind());
        let answer = self
            .call(Call::send(Method::POST, path, JSON, &body).repeatable())
            .await
            .map_err(|failure| failure.reading(action()))?;
        let answer: Value = answer.json().map_err(|source| Error::Nonsense { action: action(), source })?;
        Ok(answer.pointer("/status/allowed").and_then(Value::as_bool).unwrap_or_default())
    }
}
