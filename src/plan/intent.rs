//! What the user asks for and allows: the only input of a plan that is neither git nor the cluster.

use std::collections::BTreeSet;

/// What the user asks for and allows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line of its own")]
pub struct Intent {
    /// What to do.
    pub mode: Mode,
    /// The components to write; `None` for all. The whole landscape is planned all the same.
    pub selected: Option<BTreeSet<String>>,
    /// A cluster without an identity record may be written (`--new-cluster`, or its name was typed).
    pub new_cluster: bool,
    /// Components whose removals are meant (`--allow-removal`).
    pub allow_removal: BTreeSet<String>,
    /// Components whose objects may be deleted and made again (`--allow-recreate`).
    pub allow_recreate: BTreeSet<String>,
    /// Whether the desired revision contains the one applied last; `None` when that can't be told.
    pub contains_applied: Option<bool>,
    /// An older revision is meant (`--allow-rewind`).
    pub allow_rewind: bool,
    /// There are uncommitted changes.
    pub dirty: bool,
    /// They are meant (`--allow-dirty`).
    pub allow_dirty: bool,
    /// Nothing is to be removed (`--no-prune`).
    pub no_prune: bool,
    /// Random hex for [`super::Plan::salt`]; at least 128 bits.
    pub salt: String,
}

/// What to do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Mode {
    /// Make the cluster as desired.
    #[default]
    Apply,
    /// Remove components, whatever is desired.
    Delete {
        /// Their names; `None` for all (`delete --all`).
        components: Option<BTreeSet<String>>,
        /// Only let go of their objects.
        keep_objects: bool,
    },
}

impl Intent {
    /// Whether the component is among those to write.
    pub(super) fn selects(&self, component: &str) -> bool {
        self.selected.as_ref().is_none_or(|selected| selected.contains(component))
    }
}
