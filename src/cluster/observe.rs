//! What a cluster holds, as far as a landscape is concerned.
//!
//! One list per kind finds everything that carries the landscape's mark; what is wanted and was not among it is
//! read one by one. That costs a handful of requests when nothing changed, however many objects there are. What
//! may not be read is said, never guessed: it is neither present nor absent, and removal is off (I7).

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;
use serde_json::Value;

use super::Client;
use super::error::{Error, Failure};
use super::list::{ListFailure, Selection};
use super::path::Resource;
use super::records::Records;
use super::request::Call;
use crate::object::{Discovery, GroupVersionKind, ObjectRef, Scope};
use crate::plan::inventory::LANDSCAPE_LABEL;
use crate::plan::{Live, Observation, Query, Terminating};

/// From how many missing objects of one kind in one namespace on a list of names is cheaper than asking for each
/// (a first apply of 1,000 objects in 10 namespaces: 40 lists instead of 600 reads).
const MANY: usize = 4;

/// What was found so far.
#[derive(Default)]
struct Found {
    live: BTreeMap<ObjectRef, Live>,
    unreadable: BTreeMap<ObjectRef, String>,
    incomplete: Vec<String>,
}

/// The outcome of one list.
enum Listed {
    /// Everything.
    Objects(Vec<Value>),
    /// Not allowed or not possible, and why.
    Closed(String),
}

impl Client {
    /// Reads what `query` asks for, with the namespaces. `discovery` and `records` are passed on.
    pub async fn observe(
        &self,
        landscape: &str,
        query: &Query,
        discovery: Discovery,
        records: Records,
    ) -> Result<Observation, Error> {
        let (namespaces, listed) =
            futures::join!(self.namespaces(query), self.list_marked(landscape, query, &discovery));
        let (namespaces, why_not_all) = namespaces?;
        let mut found = listed?;
        found.incomplete.extend(why_not_all);
        self.read_missing(query, &discovery, &namespaces, &mut found).await?;
        found.incomplete.sort();
        found.incomplete.dedup();
        let Records { cluster_uid, identity, inventories, mac_key: _ } = records;
        let Found { live, unreadable, incomplete } = found;
        Ok(Observation {
            cluster_uid,
            discovery,
            namespaces,
            identity,
            inventories,
            live,
            unreadable,
            incomplete,
        })
    }

    /// All namespaces; without the right to list them, those that the query names, and what that leaves open.
    async fn namespaces(
        &self,
        query: &Query,
    ) -> Result<(BTreeMap<String, Terminating>, Option<String>), Error> {
        let resource = Resource::built_in("", "v1", "Namespace", "namespaces", Scope::Cluster);
        let selection = Selection { metadata_only: true, ..Selection::default() };
        let state = |object: Value| {
            let live = Live(object);
            let name = live.0.pointer("/metadata/name").and_then(Value::as_str)?.to_owned();
            Some((name, Terminating(live.is_terminating())))
        };
        match self.list(&resource, selection).await {
            Ok(objects) => return Ok((objects.into_iter().filter_map(state).collect(), None)),
            Err(ListFailure::Call(failure)) if failure.is(403) => {}
            Err(failure) => return Err(failure.reading("list namespaces".into())),
        }
        let names: BTreeSet<_> = query.objects.keys().filter_map(|r| r.namespace.as_deref()).collect();
        let mut found = BTreeMap::new();
        let mut why = None;
        let answers = join_all(names.iter().map(|name| self.get_at(&resource, None, name, false))).await;
        for (name, answer) in names.iter().zip(answers) {
            match answer {
                Ok(Some(live)) => drop(found.insert((*name).to_owned(), Terminating(live.is_terminating()))),
                Ok(None) => {}
                Err(GetFailure::Call(failure)) if failure.is(403) => {
                    // Whether it exists shows when its objects are read.
                    found.insert((*name).to_owned(), Terminating(false));
                    why = Some(format!("may not read the namespace `{name}`"));
                }
                Err(failure) => return Err(failure.reading(format!("read the namespace `{name}`"))),
            }
        }
        Ok((found, why))
    }

    /// Everything that carries the landscape's mark, kind by kind side by side.
    async fn list_marked(
        &self,
        landscape: &str,
        query: &Query,
        discovery: &Discovery,
    ) -> Result<Found, Error> {
        let mut found = Found::default();
        let mut resources = Vec::new();
        for gvk in &query.lists {
            let lists = discovery.get(&gvk.group_kind()).is_some_and(|served| served.verbs.contains("list"));
            match Resource::find(discovery, gvk) {
                Some(resource) if lists && !resources.contains(&resource) => resources.push(resource),
                // A kind that is not served, or only answers (a review), has no objects; what a failed group hides is in `discovery.failed`.
                _ => {}
            }
        }
        let lists =
            join_all(resources.iter().map(|resource| self.list_kind(landscape, query, resource))).await;
        for (resource, lists) in resources.iter().zip(lists) {
            for listed in lists? {
                match listed {
                    Listed::Objects(objects) => {
                        for object in objects {
                            found.keep(object, landscape, query, discovery, resource);
                        }
                    }
                    Listed::Closed(why) => found.incomplete.push(why),
                }
            }
        }
        Ok(found)
    }

    /// One kind in all namespaces, or in those where the query wants objects of it.
    async fn list_kind(
        &self,
        landscape: &str,
        query: &Query,
        resource: &Resource,
    ) -> Result<Vec<Listed>, Error> {
        let kind = resource.gvk().group_kind();
        let labels = format!("{LANDSCAPE_LABEL}={landscape}");
        let all = Selection { labels: Some(&labels), ..Selection::default() };
        let failure = match self.list(resource, all).await {
            Ok(objects) => return Ok(vec![Listed::Objects(objects)]),
            Err(failure) => failure,
        };
        let in_all = if resource.scope == Scope::Cluster { "" } else { " in all namespaces" };
        let failure = closed(failure, &format!("list `{kind}`{in_all}"))?;
        let namespaces: BTreeSet<_> = query
            .objects
            .keys()
            .filter(|r| r.group_kind() == kind)
            .filter_map(|r| r.namespace.as_deref())
            .collect();
        if !failure.forbidden || namespaces.is_empty() {
            return Ok(vec![Listed::Closed(failure.why)]);
        }
        join_all(namespaces.into_iter().map(|namespace| {
            let here = Selection { namespace: Some(namespace), ..all };
            let kind = &kind;
            async move {
                match self.list(resource, here).await {
                    Ok(objects) => Ok(Listed::Objects(objects)),
                    Err(failure) => Ok(Listed::Closed(
                        closed(failure, &format!("list `{kind}` in namespace `{namespace}`"))?.why,
                    )),
                }
            }
        }))
        .await
        .into_iter()
        .collect()
    }

    /// Reads what the query names and no list returned.
    async fn read_missing(
        &self,
        query: &Query,
        discovery: &Discovery,
        namespaces: &BTreeMap<String, Terminating>,
        found: &mut Found,
    ) -> Result<(), Error> {
        let mut missing: BTreeMap<(Option<&str>, &GroupVersionKind), Vec<&ObjectRef>> = BTreeMap::new();
        for (reference, gvk) in &query.objects {
            let namespace = reference.namespace.as_deref();
            if !found.live.contains_key(reference) && namespace.is_none_or(|n| namespaces.contains_key(n)) {
                missing.entry((namespace, gvk)).or_default().push(reference);
            }
        }
        let reads = join_all(missing.into_iter().map(|((namespace, gvk), references)| async move {
            let Some(resource) = Resource::find(discovery, gvk) else {
                return Ok(unserved(discovery, gvk, &references));
            };
            let references = self.narrowed(&resource, namespace, references).await?;
            let reads =
                references.iter().map(|r| self.get_at(&resource, namespace, &r.name, r.is("", "Secret")));
            let answers = join_all(reads).await;
            Ok::<_, Error>(
                references.into_iter().zip(answers.into_iter().map(Read::Answer)).collect::<Vec<_>>(),
            )
        }))
        .await;
        for group in reads {
            for (reference, read) in group? {
                match read {
                    Read::Answer(Ok(Some(live))) => drop(found.live.insert(reference.clone(), live)),
                    Read::Answer(Ok(None)) => {}
                    Read::Answer(Err(GetFailure::Call(failure))) => {
                        let why = closed(ListFailure::Call(failure), &format!("read `{reference}`"))?.why;
                        found.unreadable.insert(reference.clone(), why);
                    }
                    Read::Answer(Err(failure)) => return Err(failure.reading(format!("read `{reference}`"))),
                    Read::Hidden(why) => drop(found.unreadable.insert(reference.clone(), why)),
                }
            }
        }
        Ok(())
    }

    /// Those of many references that exist. Few are not worth a list, nor is a list that is not allowed.
    async fn narrowed<'a>(
        &self,
        resource: &Resource,
        namespace: Option<&str>,
        references: Vec<&'a ObjectRef>,
    ) -> Result<Vec<&'a ObjectRef>, Error> {
        if references.len() <= MANY {
            return Ok(references);
        }
        let selection = Selection { namespace, metadata_only: true, ..Selection::default() };
        match self.list(resource, selection).await {
            Ok(objects) => {
                let names: BTreeSet<_> = objects
                    .iter()
                    .filter_map(|o| o.pointer("/metadata/name").and_then(Value::as_str))
                    .collect();
                Ok(references.into_iter().filter(|r| names.contains(r.name.as_str())).collect())
            }
            Err(failure) => {
                closed(failure, "list names")?;
                Ok(references)
            }
        }
    }

    /// One object at the given version of its kind; `None` if it does not exist.
    pub(super) async fn get_at(
        &self,
        resource: &Resource,
        namespace: Option<&str>,
        name: &str,
        sensitive: bool,
    ) -> Result<Option<Live>, GetFailure> {
        match self.call(Call::get(resource.object(namespace, name)).sensitive(sensitive)).await {
            Ok(answer) => answer.json().map(|value| Some(Live(value))).map_err(GetFailure::Nonsense),
            Err(failure) if failure.is(404) => Ok(None),
            Err(failure) => Err(GetFailure::Call(failure)),
        }
    }

    /// One object, read at `version` or else at the preferred one; `None` if it or its namespace does not exist.
    pub async fn get(&self, reference: &ObjectRef, version: &str) -> Result<Option<Live>, Error> {
        let ObjectRef { group, kind, namespace, name } = reference;
        let gvk = GroupVersionKind { group: group.clone(), version: version.into(), kind: kind.clone() };
        let resource = self.resource(&gvk)?;
        self.get_at(&resource, namespace.as_deref(), name, reference.is("", "Secret"))
            .await
            .map_err(|failure| failure.reading(format!("read `{reference}`")))
    }
}

enum Read {
    Answer(Result<Option<Live>, GetFailure>),
    Hidden(String),
}

/// How a GET ended badly. The same two ways as a list.
pub(super) type GetFailure = ListFailure;

/// A failure that closes one kind or object but not the whole cluster.
struct Closed {
    why: String,
    forbidden: bool,
}

/// A refusal closes what was asked for (a missing right, a broken conversion webhook, a dead aggregated API);
/// without any answer nothing else will work either.
fn closed(failure: ListFailure, action: &str) -> Result<Closed, Error> {
    match failure {
        ListFailure::Call(Failure::Refused(refused)) if refused.code() == 403 => {
            Ok(Closed { why: format!("may not {action}"), forbidden: true })
        }
        ListFailure::Call(Failure::Refused(refused) | Failure::Unknown { answer: Some(refused), .. }) => {
            let why = format!("cannot {action}: {} ({})", refused.rejection.message, refused.code());
            Ok(Closed { why, forbidden: false })
        }
        other => Err(other.reading(action.to_owned())),
    }
}

/// References of a kind that is not served: absent, unless a group that could not be read hides it.
fn unserved<'a>(
    discovery: &Discovery,
    gvk: &GroupVersionKind,
    references: &[&'a ObjectRef],
) -> Vec<(&'a ObjectRef, Read)> {
    let hidden = |failed: &&String| GroupVersionKind::from_api_version(failed, "").group == gvk.group;
    let Some(failed) = discovery.failed.iter().find(hidden) else { return Vec::new() };
    references
        .iter()
        .map(|r| (*r, Read::Hidden(format!("the API group `{failed}` does not answer"))))
        .collect()
}

impl Found {
    /// Keeps a listed object if it carries the mark (some aggregated servers ignore selectors) and was read at the
    /// version that is wanted; else it is read again by name.
    fn keep(
        &mut self,
        object: Value,
        landscape: &str,
        query: &Query,
        discovery: &Discovery,
        resource: &Resource,
    ) {
        let live = Live(object);
        let Some(reference) = ObjectRef::of(&live.0) else { return };
        let wanted = query.objects.get(&reference).and_then(|gvk| Resource::find(discovery, gvk));
        if live.label(LANDSCAPE_LABEL) == Some(landscape)
            && wanted.is_none_or(|w| w.version == resource.version)
        {
            self.live.insert(reference, live);
        }
    }
}
