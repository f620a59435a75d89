//! Letting go of an object: our labels are taken off, everything else stays as it is.

use http::Method;
use serde_json::json;

use super::Client;
use super::error::WriteError;
use super::path::query;
use super::records::MERGE;
use super::request::Call;
use crate::object::{GroupVersionKind, ObjectRef};
use crate::plan::inventory::{COMPONENT_LABEL, LANDSCAPE_LABEL, PART_OF_LABEL, RECORD_MANAGER};

impl Client {
    /// Takes our labels off the object with this UID. An object that is gone is let go already.
    pub async fn release(&self, reference: &ObjectRef, version: &str, uid: &str) -> Result<(), WriteError> {
        let ObjectRef { group, kind, namespace, name } = reference;
        let gvk = GroupVersionKind { group: group.clone(), version: version.into(), kind: kind.clone() };
        let resource = self.resource(&gvk)?;
        let labels = json!({LANDSCAPE_LABEL: null, COMPONENT_LABEL: null, PART_OF_LABEL: null});
        let body = json!({"metadata": {"uid": uid, "labels": labels}});
        let path = query(&resource.object(namespace.as_deref(), name), &[("fieldManager", RECORD_MANAGER)]);
        let sensitive = reference.is("", "Secret");
        match self.call(Call::send(Method::PATCH, path, MERGE, &body).repeatable().sensitive(sensitive)).await
        {
            Ok(_) => Ok(()),
            Err(failure) if failure.is(404) => Ok(()),
            Err(failure) => Err(failure.into()),
        }
    }
}
