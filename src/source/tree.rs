//! A read-only tree of files, whatever it is backed by.

use std::collections::HashSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use git2::Oid;

use super::objects::Shared;
use super::path::{self, Entry};
use super::{Error, disk, history, objects};

/// Largest file that is read, in bytes. The same as Helm's limit for a file of a chart.
pub const LARGEST_FILE: u64 = 5 * 1024 * 1024;
/// All different files that are read from one tree together, in bytes.
pub const LARGEST_SUM: u64 = 100 * 1024 * 1024;
/// Most entries of one folder, and most files of one [`Tree::walk`].
pub const MOST_ENTRIES: usize = 20_000;

/// How many folders deep [`Tree::walk`] goes.
const DEEPEST: usize = 128;

/// Which commit a tree was read at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// The commit, 40 hex digits.
    pub commit: String,
    /// The branch or tag that was asked for, or that HEAD is on, without `refs/heads/` and `refs/tags/`. None
    /// for a commit.
    pub reference: Option<String>,
    /// The directory has changes below the root that are not committed (untracked files that are not ignored
    /// count). Never for a tree read from git objects.
    pub dirty: bool,
    /// The remote's URL without credentials, else the repository's path. Compare with
    /// [`same_origin`](super::same_origin).
    pub origin: Option<String>,
}

/// One entry of a folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Item {
    /// Its name, without a path.
    pub name: String,
    /// What it is.
    pub kind: Kind,
}

/// What an entry is, symbolic links followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A file; also a link to nowhere and a device, which give an error when read.
    File,
    /// A folder; also a submodule, which gives an error when read.
    Directory,
}

/// Where the files are.
#[derive(Clone)]
pub(super) enum Backing {
    /// A directory by its canonical path.
    Disk(PathBuf),
    /// A tree object.
    Objects(Oid),
}

/// A read-only tree of files. Cheap to clone; threads may share it.
///
/// Paths are relative to its root, `/` between names, no `..`. Links are followed as long as they stay beneath
/// the root. `.git` is not part of it. A directory is read when asked, so files that change during a run are
/// seen as they are then; a git revision never changes.
#[derive(Clone)]
pub struct Tree {
    pub(super) backing: Backing,
    pub(super) repository: Option<Arc<Shared>>,
    pub(super) revision: Option<Arc<Revision>>,
    pub(super) origin: Arc<str>,
    pub(super) read: Arc<Mutex<Budget>>,
}

/// What has been read so far.
#[derive(Default)]
pub(super) struct Budget {
    paths: HashSet<String>,
    bytes: u64,
}

impl fmt::Debug for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tree")
            .field("origin", &self.origin)
            .field("revision", &self.revision)
            .finish_non_exhaustive()
    }
}

impl Tree {
    /// The files of a directory, whether it is in git or not: without a revision.
    ///
    /// # Errors
    /// A directory that is missing, cannot be read, or is none.
    pub fn directory(directory: &Path) -> Result<Self, Error> {
        let origin = directory.display().to_string();
        let root =
            directory.canonicalize().map_err(|source| Error::Unreadable { path: origin.clone(), source })?;
        if !root.is_dir() {
            return Err(Error::Kind { path: origin, wanted: "a directory" });
        }
        Ok(Self {
            backing: Backing::Disk(root),
            repository: None,
            revision: None,
            origin: origin.into(),
            read: Arc::default(),
        })
    }

    /// The bytes of the file at `path`.
    ///
    /// # Errors
    /// A path that is bad, leads out of the root, is missing or not a file; a file over [`LARGEST_FILE`]; all
    /// different files together over [`LARGEST_SUM`].
    pub fn read(&self, path: &str) -> Result<Vec<u8>, Error> {
        let (names, entry) = self.resolve(path)?;
        if entry != Entry::File {
            return Err(Error::Kind { path: path.to_owned(), wanted: "a file" });
        }
        let bytes = match &self.backing {
            Backing::Disk(root) => disk::read(root, &names, LARGEST_FILE),
            Backing::Objects(root) => {
                self.in_repository(|repository| objects::read(repository, *root, &names, LARGEST_FILE))
            }
        }?;
        let mut budget = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if budget.paths.insert(names.join("/")) {
            budget.bytes += bytes.len() as u64;
        }
        if budget.bytes > LARGEST_SUM {
            return Err(Error::TooLargeTogether { origin: self.origin.to_string(), limit: LARGEST_SUM });
        }
        Ok(bytes)
    }

    /// The text of the file at `path`, which must be UTF-8.
    ///
    /// # Errors
    /// As [`read`](Self::read), and [`Error::NotText`].
    pub fn read_text(&self, path: &str) -> Result<String, Error> {
        String::from_utf8(self.read(path)?)
            .map_err(|_| Error::NotText { what: "the file", path: path.to_owned() })
    }

    /// The entries of the folder at `path` (empty or `.` for the root), sorted by name, without `.git`.
    ///
    /// # Errors
    /// A path that is bad, missing or not a folder; an entry that is a link which leads out of the root: nothing
    /// is left out silently.
    pub fn list(&self, path: &str) -> Result<Vec<Item>, Error> {
        let (folder, entry) = self.resolve(path)?;
        if entry != Entry::Directory {
            return Err(Error::Kind { path: path.to_owned(), wanted: "a directory" });
        }
        let mut items = Vec::new();
        for name in self.names(&folder)?.into_iter().filter(|name| !path::is_git(name)) {
            let mut names = folder.clone();
            names.push(name.clone());
            items.push(Item { name, kind: self.kind(&names)? });
        }
        items.sort();
        Ok(items)
    }

    /// Every file below the folder at `path`, as paths from the root, sorted. Linked folders are entered.
    ///
    /// # Errors
    /// As [`list`](Self::list); a submodule below; a folder that contains itself through a link; more than
    /// [`MOST_ENTRIES`] files.
    pub fn walk(&self, path: &str) -> Result<Vec<String>, Error> {
        let start = path::names(path)?.join("/");
        let mut files = Vec::new();
        self.descend(&start, &mut Vec::new(), &mut files)?;
        files.sort();
        Ok(files)
    }

    /// Whether a file is at `path` (links followed). A link that leads out, or a bad path, is none.
    pub fn is_file(&self, path: &str) -> bool {
        matches!(self.resolve(path), Ok((_, Entry::File)))
    }

    /// Whether a folder is at `path` (links followed). A link that leads out, a submodule, a bad path is none.
    pub fn is_directory(&self, path: &str) -> bool {
        matches!(self.resolve(path), Ok((_, Entry::Directory)))
    }

    /// The same revision with the folder at `path` as its root. Links may not leave that folder any more. The
    /// revision's `dirty` stays that of the whole tree.
    ///
    /// # Errors
    /// A path that is bad, missing or not a folder.
    pub fn subtree(&self, path: &str) -> Result<Self, Error> {
        let (names, entry) = self.resolve(path)?;
        if entry != Entry::Directory {
            return Err(Error::Kind { path: path.to_owned(), wanted: "a directory" });
        }
        let backing = match &self.backing {
            Backing::Disk(root) => {
                Backing::Disk(names.iter().fold(root.clone(), |root, name| root.join(name)))
            }
            Backing::Objects(root) => {
                Backing::Objects(self.in_repository(|repository| objects::folder(repository, *root, &names))?)
            }
        };
        Ok(Self { backing, read: Arc::default(), ..self.clone() })
    }

    /// Its directory on disk; `None` for a git revision.
    pub fn on_disk(&self) -> Option<&std::path::Path> {
        match &self.backing {
            Backing::Disk(root) => Some(root),
            Backing::Objects(_) => None,
        }
    }

    /// The commit; `None` for a directory that is not in git (or in a repository without commits).
    pub fn revision(&self) -> Option<&Revision> {
        self.revision.as_deref()
    }

    /// Whether `commit` (40 hex digits) is this tree's commit or an ancestor of it: whether a change from there
    /// to here goes forward. A commit that the repository does not have is none.
    ///
    /// # Errors
    /// [`Error::NotGit`] without a revision; [`Error::Shallow`] when the history that would tell is missing.
    pub fn contains(&self, commit: &str) -> Result<bool, Error> {
        let (Some(revision), Some(repository)) = (&self.revision, &self.repository) else {
            return Err(Error::NotGit { origin: self.origin.to_string() });
        };
        history::contains(&repository.lock(), &revision.commit, commit, &self.origin)
    }

    /// Where the tree comes from, for output and comparison: the remote's URL without credentials, else the
    /// repository's path, else the directory.
    pub fn origin(&self) -> String {
        self.revision.as_ref().and_then(|r| r.origin.clone()).unwrap_or_else(|| self.origin.to_string())
    }

    fn resolve(&self, path: &str) -> Result<(Vec<String>, Entry), Error> {
        path::resolve(&path::names(path)?, &self.origin, &|names| self.look(names))
    }

    fn look(&self, names: &[String]) -> Result<Option<Entry>, Error> {
        match &self.backing {
            Backing::Disk(root) => disk::look(root, names),
            Backing::Objects(root) => {
                self.in_repository(|repository| objects::look(repository, *root, names))
            }
        }
    }

    fn names(&self, folder: &[String]) -> Result<Vec<String>, Error> {
        match &self.backing {
            Backing::Disk(root) => disk::list(root, folder, MOST_ENTRIES),
            Backing::Objects(root) => {
                self.in_repository(|repository| objects::list(repository, *root, folder, MOST_ENTRIES))
            }
        }
    }

    fn kind(&self, names: &[String]) -> Result<Kind, Error> {
        match path::resolve(names, &self.origin, &|names| self.look(names)) {
            Ok((_, Entry::Directory)) | Err(Error::NestedRepository { .. }) => Ok(Kind::Directory),
            Ok(_) | Err(Error::NotFound { .. }) => Ok(Kind::File),
            Err(error) => Err(error),
        }
    }

    /// `above` are the resolved folders on the way here, so that a folder inside itself is noticed.
    fn descend(
        &self,
        path: &str,
        above: &mut Vec<Vec<String>>,
        files: &mut Vec<String>,
    ) -> Result<(), Error> {
        let (here, _) = self.resolve(path)?;
        if above.contains(&here) || above.len() > DEEPEST {
            return Err(Error::LinkLoop { path: path.to_owned() });
        }
        above.push(here);
        for Item { name, kind } in self.list(path)? {
            let path = if path.is_empty() { name } else { format!("{path}/{name}") };
            match kind {
                Kind::Directory => self.descend(&path, above, files)?,
                Kind::File if files.len() == MOST_ENTRIES => {
                    return Err(Error::TooMany { path, limit: MOST_ENTRIES });
                }
                Kind::File => files.push(path),
            }
        }
        above.pop();
        Ok(())
    }

    fn in_repository<T>(&self, with: impl FnOnce(&git2::Repository) -> Result<T, Error>) -> Result<T, Error> {
        match &self.repository {
            Some(repository) => with(&repository.lock()),
            None => Err(Error::NotGit { origin: self.origin.to_string() }),
        }
    }
}

/// Compile-time proof of what the rest of the program relies on.
const _: fn() = || {
    fn shared<T: Send + Sync + Clone>() {}
    shared::<Tree>();
};
