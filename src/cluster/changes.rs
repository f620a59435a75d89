//! What changes among a landscape's objects, as a stream: a hint for the controller that something is to be
//! looked at. Only metadata travels. The stream survives lost connections and expired versions by itself; what
//! happened meanwhile shows as [`Changed::Seen`].

use futures::{Stream, StreamExt as _};
use kube::api::DynamicObject;
use kube::core::{ApiResource, PartialObjectMeta};
use kube::runtime::{WatchStreamExt as _, watcher};

use super::Client;
use super::error::Error;
use crate::object::{GroupVersionKind, ObjectRef};
use crate::plan::inventory::LANDSCAPE_LABEL;

/// One observation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changed {
    /// The object exists in this version: it was there at the start (again), made or changed.
    Seen(ObjectRef, String),
    /// It was deleted, or lost the landscape's mark.
    Gone(ObjectRef),
    /// The watch does not work for now; it is tried again by itself.
    Interrupted(String),
}

impl Client {
    /// Watches the objects of one kind that carry the landscape's mark, in all namespaces. Endless.
    pub fn watch_metadata(
        &self,
        gvk: &GroupVersionKind,
        landscape: &str,
    ) -> Result<impl Stream<Item = Changed> + Send + use<>, Error> {
        let resource = self.resource(gvk)?;
        let api_resource = ApiResource {
            group: resource.group.clone(),
            version: resource.version.clone(),
            api_version: resource.gvk().api_version(),
            kind: resource.kind.clone(),
            plural: resource.plural.clone(),
        };
        let api = kube::Api::<PartialObjectMeta<DynamicObject>>::all_with(self.http(), &api_resource);
        let config = watcher::Config::default().labels(&format!("{LANDSCAPE_LABEL}={landscape}"));
        let reference = move |metadata: &kube::core::ObjectMeta| ObjectRef {
            group: resource.group.clone(),
            kind: resource.kind.clone(),
            namespace: metadata.namespace.clone(),
            name: metadata.name.clone().unwrap_or_default(),
        };
        let stream = watcher(api, config).default_backoff();
        Ok(stream.filter_map(move |event| {
            let changed = match event {
                Ok(watcher::Event::Apply(object) | watcher::Event::InitApply(object)) => {
                    let version = object.metadata.resource_version.clone().unwrap_or_default();
                    Some(Changed::Seen(reference(&object.metadata), version))
                }
                Ok(watcher::Event::Delete(object)) => Some(Changed::Gone(reference(&object.metadata))),
                Ok(watcher::Event::Init | watcher::Event::InitDone) => None,
                Err(error) => Some(Changed::Interrupted(super::connect::root_cause(&error))),
            };
            std::future::ready(changed)
        }))
    }
}
