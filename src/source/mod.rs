//! Where files come from: a directory or a git revision, as a read-only tree.
//!
//! [`load`] turns a [`Location`] and a revision into a [`Tree`]. Revisions are read from git objects without a
//! checkout; remote repositories are kept in a bare cache that several processes share. Whatever a repository
//! holds, no path of it reaches outside the tree's root, and nothing of its configuration is obeyed.
//!
//! Nothing here knows what the files mean. The process environment is not read: the caller says where the
//! cache is and which credentials there are (libgit2 itself finds the user's git configuration and ssh agent).

mod cache;
mod disk;
mod error;
mod fetch;
mod history;
mod local;
mod location;
mod objects;
mod path;
mod scrub;
mod tree;

use std::path::{Path, PathBuf};

pub use cache::Options;
pub use error::Error;
pub use fetch::Credentials;
pub use location::{Location, Remote, same_origin};
pub use tree::{Item, Kind, LARGEST_FILE, LARGEST_SUM, MOST_ENTRIES, Revision, Tree};

/// Opens the landscape at `location`: as it is, or at `revision` (a branch, a tag, a commit of at least 4 digits,
/// `HEAD~1`). A repository reached by URL is read at its default branch when no revision is given.
///
/// # Errors
/// Locations, revisions and repositories that cannot be used; see [`Error`].
pub fn load(location: &Location, revision: Option<&str>, options: &Options) -> Result<Tree, Error> {
    match location {
        Location::Directory(directory) => local::load(directory, revision),
        Location::Git(remote) => cache::load(remote, revision, options),
    }
}

/// The nearest folder, from `start` upwards, that holds a `landscape.yaml`.
pub fn discover(start: &Path) -> Option<PathBuf> {
    let start = start.canonicalize().ok()?;
    start.ancestors().find(|folder| folder.join("landscape.yaml").is_file()).map(Path::to_path_buf)
}
