//! What a server serves.
//!
//! One request for the core group and one for all others (aggregated discovery, served since 1.26). kube's
//! `Discovery::run` gives up at the first broken group, and `run_aggregated` believes a group that is marked
//! stale, whose list may be empty: here such groups end in [`Discovery::failed`], since absence from them proves
//! nothing (I7).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};

use futures::future::join_all;
use kube::client::{APIGroupDiscovery, APIResourceDiscovery};
use serde::Deserialize;

use super::Client;
use super::error::Error;
use super::request::{Answer, Call};
use crate::object::{ApiResource, Discovery, GroupKind, KubernetesVersion, Scope};

/// The oldest server that is supported.
pub const OLDEST: KubernetesVersion = KubernetesVersion { major: 1, minor: 29 };

const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,\
                          application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,\
                          application/json";

#[derive(Deserialize)]
struct Aggregated {
    kind: String,
    #[serde(default)]
    items: Vec<APIGroupDiscovery>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct VersionInfo {
    git_version: String,
}

/// `APIGroupList` of apimachinery.
#[derive(Deserialize)]
struct GroupList {
    #[serde(default)]
    groups: Vec<Group>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Group {
    name: String,
    #[serde(default)]
    versions: Vec<GroupVersion>,
    preferred_version: Option<GroupVersion>,
}

#[derive(Deserialize)]
struct GroupVersion {
    version: String,
}

/// `APIResourceList` of apimachinery.
#[derive(Deserialize)]
struct ResourceList {
    #[serde(default)]
    resources: Vec<LegacyResource>,
}

#[derive(Deserialize)]
struct LegacyResource {
    name: String,
    kind: String,
    namespaced: bool,
    #[serde(default)]
    verbs: Vec<String>,
}

impl Client {
    /// Asks the server for its version and all kinds that it serves. The client keeps the answer for the URLs of
    /// later requests; call it again after definitions of kinds have changed.
    pub async fn discover(&self) -> Result<Discovery, Error> {
        let (version, core, groups) =
            futures::join!(self.version(), self.document("/api"), self.document("/apis"));
        let (git_version, version) = version?;
        let mut found = Found::default();
        match (aggregated(&core?), aggregated(&groups?)) {
            (Some(core), Some(groups)) => core.iter().chain(&groups).for_each(|group| found.group(group)),
            _ => self.discover_one_by_one(&mut found).await?,
        }
        if !found.resources.contains_key(&GroupKind::new("", "ConfigMap")) {
            let reason = "it serves no ConfigMaps".into();
            return Err(Error::NotKubernetes { url: self.url().into(), reason });
        }
        let Found { resources, failed } = found;
        let discovery = Discovery { version, git_version, resources, failed };
        *self.inner.discovery.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(discovery.clone());
        Ok(discovery)
    }

    async fn version(&self) -> Result<(String, KubernetesVersion), Error> {
        let url = || self.url().to_owned();
        let answer =
            self.call(Call::get("/version")).await.map_err(|f| f.reading("read the server's version"))?;
        let info: VersionInfo = answer.json().map_err(|_| Error::NotKubernetes {
            url: url(),
            reason: "it does not state its version".into(),
        })?;
        let version: KubernetesVersion =
            info.git_version.parse().map_err(|reason| Error::NotKubernetes { url: url(), reason })?;
        if version < OLDEST {
            return Err(Error::TooOld { url: url(), version, oldest: OLDEST });
        }
        Ok((info.git_version, version))
    }

    async fn document(&self, path: &str) -> Result<Answer, Error> {
        self.call(Call::get(path).accept(AGGREGATED))
            .await
            .map_err(|f| f.reading("read what the server serves"))
    }

    /// The way of old: one request per group version. A group that does not answer is noted as failed.
    async fn discover_one_by_one(&self, found: &mut Found) -> Result<(), Error> {
        let nonsense = |source| Error::Nonsense { action: "read what the server serves".into(), source };
        let groups: GroupList = self.document("/apis").await?.json().map_err(nonsense)?;
        let mut wanted = vec![(String::new(), "v1".to_owned())];
        for group in groups.groups {
            let preferred = group.preferred_version.map(|v| v.version);
            let others =
                group.versions.into_iter().map(|v| v.version).filter(|v| Some(v) != preferred.as_ref());
            wanted.extend(preferred.clone().into_iter().chain(others).map(|v| (group.name.clone(), v)));
        }
        let lists = join_all(wanted.iter().map(|(group, version)| async move {
            let path =
                if group.is_empty() { format!("/api/{version}") } else { format!("/apis/{group}/{version}") };
            self.call(Call::get(path)).await.ok().and_then(|answer| answer.json::<ResourceList>().ok())
        }))
        .await;
        for ((group, version), list) in wanted.iter().zip(lists) {
            match list {
                Some(list) => list.resources.iter().for_each(|r| found.legacy(group, version, r)),
                None => found.fail(group, version),
            }
        }
        Ok(())
    }
}

/// The groups of an aggregated document; `None` if it is not one.
fn aggregated(answer: &Answer) -> Option<Vec<APIGroupDiscovery>> {
    let document: Aggregated = answer.json().ok()?;
    (document.kind == "APIGroupDiscoveryList" && !document.items.is_empty()).then_some(document.items)
}

#[derive(Default)]
struct Found {
    resources: BTreeMap<GroupKind, ApiResource>,
    failed: BTreeSet<String>,
}

impl Found {
    fn fail(&mut self, group: &str, version: &str) {
        self.failed.insert(if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") });
    }

    fn group(&mut self, group: &APIGroupDiscovery) {
        let name = group.metadata.as_ref().and_then(|m| m.name.as_deref()).unwrap_or_default();
        for version in &group.versions {
            let text = version.version.as_deref().unwrap_or_default();
            if version.freshness.as_deref() == Some("Stale") {
                self.fail(name, text);
            }
            for resource in &version.resources {
                self.aggregated(name, text, resource);
            }
        }
    }

    fn aggregated(&mut self, group: &str, version: &str, resource: &APIResourceDiscovery) {
        let kind = resource.response_kind.as_ref().and_then(|k| k.kind.as_deref());
        let (Some(kind), Some(plural)) = (kind, resource.resource.as_deref()) else { return };
        let namespaced = resource.scope.as_deref() == Some("Namespaced");
        self.add(group, version, kind, plural, namespaced, &resource.verbs);
    }

    fn legacy(&mut self, group: &str, version: &str, resource: &LegacyResource) {
        if !resource.name.contains('/') {
            let LegacyResource { name, kind, namespaced, verbs } = resource;
            self.add(group, version, kind, name, *namespaced, verbs);
        }
    }

    /// Versions arrive in the server's order of preference.
    fn add(
        &mut self,
        group: &str,
        version: &str,
        kind: &str,
        plural: &str,
        namespaced: bool,
        verbs: &[String],
    ) {
        let scope = if namespaced { Scope::Namespaced } else { Scope::Cluster };
        let found = self.resources.entry(GroupKind::new(group, kind)).or_insert_with(|| ApiResource {
            versions: Vec::new(),
            plural: plural.into(),
            scope,
            verbs: verbs.iter().cloned().collect(),
        });
        // A second resource of the same kind and version (a view of it) is not how objects of it are written.
        if found.plural == plural && !found.versions.iter().any(|v| v == version) {
            found.versions.push(version.into());
        }
    }
}
