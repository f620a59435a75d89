//! What one cluster should hold: every object of every component, complete and marked.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use serde_json::Value;

use crate::landscape::{Adopt, HealthRule, IgnoreDifference, Limits, NamespaceMetadata};
use crate::object::{GroupVersionKind, ObjectRef, Origin};

/// What one cluster should hold.
#[derive(Debug, Clone)]
pub struct Desired {
    /// The landscape's name.
    pub landscape: String,
    /// Where the landscape comes from: a git URL without credentials, or a directory.
    pub origin: String,
    /// The cluster's name in the landscape.
    pub cluster: String,
    /// The git commit, when it is in git.
    pub revision: Option<String>,
    /// Removals that need no word.
    pub limits: Limits,
    /// Components in contract order. Suspended ones are here too.
    pub components: Vec<DesiredComponent>,
    /// Components that git keeps out of this cluster by `installed: false`: their removal is always meant.
    pub not_installed: BTreeSet<String>,
    /// Why other components are not here, for the diff ("its selector does not match").
    pub absent: BTreeMap<String, String>,
    /// Labels and annotations of namespaces that are made only because a component says `namespace:`.
    pub namespaces: BTreeMap<String, NamespaceMetadata>,
    /// Why not all of the desired state is known (a file, a chart that could not be read); non-empty switches
    /// removal off (I7).
    pub incomplete: Vec<String>,
}

/// One component with its objects.
#[derive(Debug, Clone)]
pub struct DesiredComponent {
    /// Its name.
    pub name: String,
    /// Its namespace: made when missing, never pruned.
    pub namespace: String,
    /// Components that must be healthy first.
    pub after: BTreeSet<String>,
    /// Names it had: their inventories are handed over.
    pub formerly: Vec<String>,
    /// Whether existing unowned objects may be taken.
    pub adopt: Adopt,
    /// Why it is paused.
    pub suspended: Option<String>,
    /// How long health may take.
    pub timeout: Duration,
    /// Fields that others may change.
    pub ignore_differences: Vec<IgnoreDifference>,
    /// Health rules that stand in place of the built-in ones; the last for a kind holds.
    pub health: Vec<HealthRule>,
    /// Every object, each identity once.
    pub objects: Vec<DesiredObject>,
}

/// One object exactly as it is to be sent.
#[derive(Clone)]
pub struct DesiredObject {
    /// Who it is.
    pub reference: ObjectRef,
    /// At which version it is written.
    pub gvk: GroupVersionKind,
    /// The body of the apply request: normalised, marked with labels, Secret values filled in.
    pub body: Value,
    /// Its data must never be shown (Secrets).
    pub sensitive: bool,
    /// Where it comes from.
    pub origin: Origin,
}

impl fmt::Debug for DesiredObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DesiredObject")
            .field("reference", &self.reference)
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}
