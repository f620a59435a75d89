//! A tree of git objects as the backing of a tree: nothing is checked out, so no filter, hook or file mode of
//! the repository matters.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use git2::{ObjectType, Oid, Repository};

use super::Error;
use super::path::Entry;
use super::scrub::scrub;

/// An open repository that threads share.
pub(super) struct Shared(Mutex<Repository>);

impl Shared {
    pub(super) fn new(repository: Repository) -> Self {
        Self(Mutex::new(repository))
    }

    /// A poisoned lock is taken all the same: libgit2's objects are immutable.
    pub(super) fn lock(&self) -> MutexGuard<'_, Repository> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// File modes of tree entries, the type bits only (gitformat-index).
const LINK: i32 = 0o120_000;
const DIRECTORY: i32 = 0o040_000;
const SUBMODULE: i32 = 0o160_000;
const TYPE_BITS: i32 = 0o170_000;

/// What stands at `names` in the tree `root`, links not followed; `None` if nothing.
pub(super) fn look(repository: &Repository, root: Oid, names: &[String]) -> Result<Option<Entry>, Error> {
    let Some((id, mode)) = entry(repository, root, names)? else {
        return Ok(None);
    };
    Ok(Some(match mode & TYPE_BITS {
        DIRECTORY => Entry::Directory,
        SUBMODULE => Entry::Repository,
        LINK => {
            let target = blob(repository, id, names, 4096)?;
            let not_text =
                |_| Error::NotText { what: "the target of the symbolic link", path: names.join("/") };
            Entry::Link(String::from_utf8(target).map_err(not_text)?)
        }
        _ => Entry::File,
    }))
}

/// Names in a folder, unsorted, at most `limit` of them.
pub(super) fn list(
    repository: &Repository,
    root: Oid,
    names: &[String],
    limit: usize,
) -> Result<Vec<String>, Error> {
    let id = folder(repository, root, names)?;
    let tree = repository.find_tree(id).map_err(|e| broken(names, &e))?;
    if tree.len() > limit {
        return Err(Error::TooMany { path: names.join("/"), limit });
    }
    tree.iter()
        .map(|entry| {
            let name = String::from_utf8(entry.name_bytes().to_vec());
            name.map_err(|e| Error::NotText {
                what: "the name of",
                path: format!("{}/{}", names.join("/"), String::from_utf8_lossy(e.as_bytes()).escape_debug()),
            })
        })
        .collect()
}

/// The bytes of a file, at most `limit` of them.
pub(super) fn read(
    repository: &Repository,
    root: Oid,
    names: &[String],
    limit: u64,
) -> Result<Vec<u8>, Error> {
    match entry(repository, root, names)? {
        Some((id, _)) => blob(repository, id, names, limit),
        None => Err(Error::Kind { path: names.join("/"), wanted: "a file" }),
    }
}

/// The id of the folder at `names`.
pub(super) fn folder(repository: &Repository, root: Oid, names: &[String]) -> Result<Oid, Error> {
    match entry(repository, root, names)? {
        Some((id, mode)) if mode & TYPE_BITS == DIRECTORY => Ok(id),
        _ => Err(Error::Kind { path: names.join("/"), wanted: "a directory" }),
    }
}

fn entry(repository: &Repository, root: Oid, names: &[String]) -> Result<Option<(Oid, i32)>, Error> {
    if names.is_empty() {
        return Ok(Some((root, DIRECTORY)));
    }
    let tree = repository.find_tree(root).map_err(|e| broken(names, &e))?;
    match tree.get_path(Path::new(&names.join("/"))) {
        Ok(entry) => Ok(Some((entry.id(), entry.filemode_raw()))),
        Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(None),
        Err(error) => Err(broken(names, &error)),
    }
}

/// A blob whose size is checked before it is unpacked.
fn blob(repository: &Repository, id: Oid, names: &[String], limit: u64) -> Result<Vec<u8>, Error> {
    let database = repository.odb().map_err(|e| broken(names, &e))?;
    let (size, kind) = database.read_header(id).map_err(|e| broken(names, &e))?;
    if kind != ObjectType::Blob {
        return Err(Error::Kind { path: names.join("/"), wanted: "a file" });
    }
    if size as u64 > limit {
        return Err(Error::TooLarge { path: names.join("/"), limit });
    }
    let blob = repository.find_blob(id).map_err(|e| broken(names, &e))?;
    Ok(blob.content().to_vec())
}

fn broken(names: &[String], error: &git2::Error) -> Error {
    let source = std::io::Error::other(scrub(error.message(), &[]));
    Error::Unreadable { path: names.join("/"), source }
}
