//! A directory of this machine: its files as they are, or a revision of the repository around it.

use std::path::Path;
use std::sync::Arc;

use git2::{ErrorCode, Repository, StatusOptions};

use super::history::{self, Spec};
use super::location::shown;
use super::objects::Shared;
use super::scrub::scrub;
use super::tree::Backing;
use super::{Error, Revision, Tree, objects, path};

/// The files of `directory`, or of it at `revision`.
pub(super) fn load(directory: &Path, revision: Option<&str>) -> Result<Tree, Error> {
    let tree = Tree::directory(directory)?;
    let origin = tree.origin.to_string();
    let Backing::Disk(root) = &tree.backing else { return Ok(tree) };
    match (revision, surrounding(root, &origin)?) {
        (Some(revision), Some((repository, below))) => at_revision(repository, &below, revision, &origin),
        (Some(_), None) => Err(Error::NotGit { origin }),
        (None, Some((repository, below))) if !repository.is_bare() => {
            as_it_is(tree, repository, &below, &origin)
        }
        (None, _) => Ok(tree),
    }
}

/// The repository that `root` lies in, with the path from its top to `root`.
fn surrounding(root: &Path, origin: &str) -> Result<Option<(Repository, String)>, Error> {
    let repository = match Repository::discover(root) {
        Ok(repository) => repository,
        Err(error) if error.code() == ErrorCode::NotFound => return Ok(None),
        Err(error) => return Err(unusable(origin, &error)),
    };
    let top = repository.workdir().unwrap_or(repository.path());
    let top = top.canonicalize().map_err(|source| Error::Unreadable { path: origin.to_owned(), source })?;
    // Inside `.git` itself there are no files of a landscape.
    let Ok(below) = root.strip_prefix(&top) else { return Ok(None) };
    let Some(below) = below.to_str().map(str::to_owned) else {
        return Err(Error::NotText { what: "the name of", path: below.to_string_lossy().into_owned() });
    };
    if repository.is_bare() && !below.is_empty() {
        return Ok(None);
    }
    Ok(Some((repository, below)))
}

fn as_it_is(tree: Tree, repository: Repository, below: &str, origin: &str) -> Result<Tree, Error> {
    let Some(revision) = head(&repository, below, origin)? else { return Ok(tree) };
    let repository = Some(Arc::new(Shared::new(repository)));
    Ok(Tree { repository, revision: Some(Arc::new(revision)), ..tree })
}

/// HEAD and whether anything below differs from it. None before the first commit, and where the surrounding
/// repository ignores the directory: its commits say nothing about it.
fn head(repository: &Repository, below: &str, origin: &str) -> Result<Option<Revision>, Error> {
    let head = match repository.head() {
        Ok(head) => head,
        Err(error) if matches!(error.code(), ErrorCode::UnbornBranch | ErrorCode::NotFound) => {
            return Ok(None);
        }
        Err(error) => return Err(unusable(origin, &error)),
    };
    let commit = head.peel_to_commit().map_err(|e| unusable(origin, &e))?;
    if !below.is_empty() {
        let tree = commit.tree().map_err(|e| unusable(origin, &e))?;
        let tracked = tree.get_path(Path::new(below)).is_ok();
        if !tracked && repository.is_path_ignored(format!("{below}/")).map_err(|e| unusable(origin, &e))? {
            return Ok(None);
        }
    }
    let mut options = StatusOptions::new();
    options
        .include_untracked(true)
        .exclude_submodules(true)
        .include_ignored(false)
        .disable_pathspec_match(true);
    if !below.is_empty() {
        options.pathspec(below);
    }
    let dirty = !repository.statuses(Some(&mut options)).map_err(|e| unusable(origin, &e))?.is_empty();
    let reference = if head.is_branch() { head.name().ok().map(history::short) } else { None };
    Ok(Some(Revision {
        commit: commit.id().to_string(),
        reference,
        dirty,
        origin: Some(repository_origin(repository)),
    }))
}

fn at_revision(repository: Repository, below: &str, revision: &str, origin: &str) -> Result<Tree, Error> {
    let (commit, reference) = history::find(&repository, &Spec::parse(revision)?, origin)?;
    let revision = Revision {
        commit: commit.to_string(),
        reference,
        dirty: false,
        origin: Some(repository_origin(&repository)),
    };
    at_commit(repository, revision, below, origin)
}

/// The tree of the folder `below` at `revision`'s commit.
pub(super) fn at_commit(
    repository: Repository,
    revision: Revision,
    below: &str,
    origin: &str,
) -> Result<Tree, Error> {
    let root = git2::Oid::from_str(&revision.commit)
        .and_then(|id| repository.find_commit(id))
        .map(|commit| commit.tree_id())
        .map_err(|e| unusable(origin, &e))?;
    let root = match path::names(below)? {
        names if names.is_empty() => root,
        names => {
            let look = |names: &[String]| objects::look(&repository, root, names);
            let (names, _) = path::resolve(&names, origin, &look)?;
            objects::folder(&repository, root, &names)?
        }
    };
    Ok(Tree {
        backing: Backing::Objects(root),
        repository: Some(Arc::new(Shared::new(repository))),
        revision: Some(Arc::new(revision)),
        origin: origin.into(),
        read: Arc::default(),
    })
}

/// The URL of the remote `origin`, else of the only remote, without credentials; else the repository's path.
fn repository_origin(repository: &Repository) -> String {
    let url = |name: &str| Some(shown(repository.find_remote(name).ok()?.url().ok()?));
    url("origin")
        .or_else(|| {
            let remotes = repository.remotes().ok()?;
            if remotes.len() == 1 { url(remotes.get(0).ok()??) } else { None }
        })
        .unwrap_or_else(|| {
            let path = repository.workdir().unwrap_or(repository.path());
            path.canonicalize().unwrap_or_else(|_| path.to_path_buf()).display().to_string()
        })
}

pub(super) fn unusable(origin: &str, error: &git2::Error) -> Error {
    Error::Repository { origin: origin.to_owned(), detail: scrub(error.message(), &[]) }
}
