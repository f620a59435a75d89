//! What an apply tells while it runs: a closed set of events, for progress lines and for `-o json`.
//!
//! [`Event::Announced`] comes first and names every component, so that a printer can lay out its lines. No event
//! holds a value of an object.

use serde::Serialize;

use crate::object::ObjectRef;

/// Something that happened during an apply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Event {
    /// What is about to happen, in order. The first event.
    Announced {
        /// Every component that is not left alone.
        components: Vec<Announcement>,
    },
    /// A component is somewhere else now.
    Component {
        /// Its name.
        component: String,
        /// Where.
        phase: Phase,
    },
    /// Something happened to an object.
    Object {
        /// Its component; `None` for namespaces made for `namespace:`.
        #[serde(skip_serializing_if = "Option::is_none")]
        component: Option<String>,
        /// Which.
        object: ObjectRef,
        /// What.
        what: ObjectEvent,
    },
    /// For the user to know.
    Warning {
        /// The component, if it concerns one.
        #[serde(skip_serializing_if = "Option::is_none")]
        component: Option<String>,
        /// One sentence.
        message: String,
    },
}

/// What will happen to one component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Announcement {
    /// Its name.
    pub component: String,
    /// How many objects it wants.
    pub objects: usize,
    /// How many of them are written.
    pub writes: usize,
    /// How many objects are deleted.
    pub removals: usize,
    /// Whether it leaves the cluster.
    pub leaving: bool,
}

/// Where a component is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "phase", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Phase {
    /// Waits for its turn.
    Pending {
        /// The components that it waits for.
        after: Vec<String>,
    },
    /// Writes objects.
    Applying {
        /// How many are written.
        written: usize,
        /// Of how many.
        total: usize,
    },
    /// Waits for objects to become healthy.
    Waiting {
        /// How many are healthy.
        healthy: usize,
        /// Of how many.
        total: usize,
        /// The others, and why.
        objects: Vec<Unhealthy>,
    },
    /// Deletes objects.
    Removing {
        /// How many are gone.
        gone: usize,
        /// Of how many.
        total: usize,
        /// Those that are still there, and why.
        objects: Vec<Unhealthy>,
    },
    /// All went well.
    Done,
    /// It did not.
    Failed {
        /// Why, one sentence each.
        reasons: Vec<String>,
    },
    /// Not written, since a component that it needs failed.
    Skipped {
        /// `` `grafana` failed ``.
        because: String,
    },
}

/// An object that is waited for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Unhealthy {
    /// Which.
    pub object: ObjectRef,
    /// Why it is not there yet.
    pub reason: String,
}

/// What happened to an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum ObjectEvent {
    /// Made.
    Created,
    /// Changed.
    Updated,
    /// Deleted and made again.
    Recreated,
    /// Gone.
    Deleted,
    /// No longer ours, still there.
    Released,
    /// Not deleted after all.
    Kept {
        /// Why.
        reason: String,
    },
    /// Not written.
    Failed {
        /// Why.
        reason: String,
    },
    /// Maybe written (I3).
    Unknown {
        /// Why that is not known.
        reason: String,
    },
    /// Being deleted, but something holds it.
    Held {
        /// What.
        reason: String,
    },
    /// As wanted.
    Healthy,
}
