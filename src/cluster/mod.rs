//! The only door to the API server.
//!
//! Requests go out through one [`Client`] per cluster and come back as plain JSON: objects are read into
//! [`serde_json::Value`] exactly as the server sent them, since a detour through typed structs would lose
//! fields. The client owns what every request needs: a deadline, a retry policy that knows what is safe to
//! repeat (`request`), a limit of requests in flight that yields to a busy server (`limit`), and errors that
//! speak for themselves and never hold a credential or a Secret's value (`error`).
//!
//! Nothing here knows why an object is wanted or what a difference means; that is for `plan` and `apply`.

mod access;
mod body;
mod changes;
mod connect;
mod discover;
mod error;
mod explain;
mod lease;
mod limit;
mod list;
mod observe;
mod path;
mod records;
mod release;
mod request;
mod write;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use crate::object::{Discovery, GroupVersionKind};

pub use changes::Changed;
pub use connect::{ConnectError, Target, connect, install_crypto_provider};
pub use error::{Error, WriteError};
pub use explain::LogRequest;
pub use lease::{Holder, LeaseError, RunLease, Waiting};
pub use records::{Key, Records};
pub use write::{ApplyOptions, Deleted, Propagation};

/// One API server. Cheap to clone; clones share the connections, the limit and what was discovered.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    http: RwLock<kube::Client>,
    /// How to get new credentials when the server rejects those we have, if there is a way.
    renewal: Option<connect::Renewal>,
    url: String,
    timing: Timing,
    limit: Arc<limit::Limit>,
    /// Whether the server has ever answered: an unknown address fails at once, a known server may restart.
    answered: std::sync::atomic::AtomicBool,
    warnings: Mutex<BTreeSet<String>>,
    /// What [`Client::discover`] found last: the names in URLs of all kinds.
    discovery: RwLock<Arc<Discovery>>,
}

/// How long things may take. Constant but for tests of faults.
#[derive(Debug, Clone)]
pub(crate) struct Timing {
    /// One attempt.
    pub attempt: Duration,
    /// One attempt at a page of a list.
    pub list: Duration,
    /// No attempt begins later than this after the first.
    pub total: Duration,
    /// Pauses between attempts, before jitter.
    pub pauses: Vec<Duration>,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            attempt: Duration::from_secs(30),
            list: Duration::from_mins(1),
            total: Duration::from_secs(30),
            pauses: [200, 800, 2500, 6000].map(Duration::from_millis).to_vec(),
        }
    }
}

impl Client {
    fn new(
        http: kube::Client,
        renewal: Option<connect::Renewal>,
        url: String,
        timing: Timing,
        in_flight: usize,
    ) -> Self {
        let discovery = Discovery {
            version: crate::object::KubernetesVersion { major: 0, minor: 0 },
            git_version: String::new(),
            resources: std::collections::BTreeMap::new(),
            failed: BTreeSet::new(),
        };
        Self {
            inner: Arc::new(Inner {
                http: RwLock::new(http),
                renewal,
                url,
                timing,
                limit: limit::Limit::new(in_flight),
                answered: std::sync::atomic::AtomicBool::new(false),
                warnings: Mutex::new(BTreeSet::new()),
                discovery: RwLock::new(Arc::new(discovery)),
            }),
        }
    }

    fn http(&self) -> kube::Client {
        self.inner.http.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The server's address, without credentials.
    pub fn url(&self) -> &str {
        &self.inner.url
    }

    /// The warnings that the server sent since the last call (deprecated versions and the like), each once.
    pub fn take_warnings(&self) -> BTreeSet<String> {
        std::mem::take(&mut *self.inner.warnings.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What [`Client::discover`] found last; empty before.
    pub fn discovered(&self) -> Arc<Discovery> {
        Arc::clone(&self.inner.discovery.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Where objects of a kind live. A version that is not served gives way to the preferred one.
    fn resource(&self, gvk: &GroupVersionKind) -> Result<path::Resource, Error> {
        path::Resource::find(&self.discovered(), gvk)
            .ok_or_else(|| Error::UnknownKind { kind: gvk.group_kind(), version: gvk.version.clone() })
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("url", &self.inner.url).finish_non_exhaustive()
    }
}
