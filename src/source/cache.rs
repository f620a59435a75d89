//! Remote repositories, kept as bare repositories in a cache that processes share.
//!
//! One folder per URL (named by its hash) and one lock file beside it, held while fetching. A process may be
//! killed at any time: a repository appears by a rename, packs are complete or temporary, and what a killed fetch
//! leaves behind is swept away by the next. Objects are never removed, so readers need no lock.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use git2::{ErrorClass, Repository, RepositoryInitOptions};
use sha2::{Digest, Sha256};

use super::fetch::{self, Credentials, Failure};
use super::history::Spec;
use super::location::{Location, Remote};
use super::{Error, Revision, Tree, local};

/// What reading remote repositories needs to know about the machine.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Where clones are kept; made when missing, readable by the user only.
    pub cache_dir: PathBuf,
    /// For remote repositories.
    pub credentials: Credentials,
}

/// The tree of `remote` at `revision`, by default its default branch.
pub(super) fn load(remote: &Remote, revision: Option<&str>, options: &Options) -> Result<Tree, Error> {
    let spec = Spec::parse(revision.unwrap_or("HEAD"))?;
    let place = Place::new(&options.cache_dir, remote.url());
    let lock = place.lock()?;
    let (repository, is_new) = place.open()?;
    let found = match fetch::resolve(&repository, remote, &spec, &options.credentials) {
        Err(Failure::Git(error)) if !is_new && may_be_damage(&error) => {
            place.discard()?;
            return load_anew(&place, remote, &spec, options, lock);
        }
        found => found,
    };
    finish(repository, found, remote, options, lock)
}

/// The second and last attempt, with an empty cache.
fn load_anew(
    place: &Place,
    remote: &Remote,
    spec: &Spec,
    options: &Options,
    lock: File,
) -> Result<Tree, Error> {
    let (repository, _) = place.open()?;
    let found = fetch::resolve(&repository, remote, spec, &options.credentials);
    finish(repository, found, remote, options, lock)
}

fn finish(
    repository: Repository,
    found: Result<fetch::Resolved, Failure>,
    remote: &Remote,
    options: &Options,
    lock: File,
) -> Result<Tree, Error> {
    drop(lock);
    let (commit, reference) = found.map_err(|failure| failure.into_error(remote, &options.credentials))?;
    let origin = Some(remote.url().to_owned());
    let revision = Revision { commit: commit.to_string(), reference, dirty: false, origin };
    local::at_commit(repository, revision, &remote.folder, &Location::Git(remote.clone()).to_string())
}

/// Whether an error may come from the cache itself rather than from the remote.
fn may_be_damage(error: &git2::Error) -> bool {
    matches!(
        error.class(),
        ErrorClass::Odb | ErrorClass::Object | ErrorClass::Zlib | ErrorClass::Reference | ErrorClass::Indexer
    )
}

/// Where one remote repository is kept.
struct Place {
    repository: PathBuf,
    /// Beside it, so that the repository can be replaced while the lock is held.
    lock: PathBuf,
}

impl Place {
    fn new(cache: &Path, url: &str) -> Self {
        let folder = cache.join("git");
        let key = key(url);
        Self { repository: folder.join(&key), lock: folder.join(format!("{key}.lock")) }
    }

    /// Waits for other processes and threads that fetch the same URL. Released when dropped or killed.
    fn lock(&self) -> Result<File, Error> {
        let failed = |source| Error::Cache { path: self.lock.clone(), source };
        if let Some(folder) = self.lock.parent() {
            private_folder(folder).map_err(failed)?;
        }
        let file =
            File::options().create(true).truncate(false).write(true).open(&self.lock).map_err(failed)?;
        file.lock().map_err(failed)?;
        Ok(file)
    }

    /// Opens the repository, or makes it; says whether it is new. Needs the lock.
    fn open(&self) -> Result<(Repository, bool), Error> {
        let failed = |source| Error::Cache { path: self.repository.clone(), source };
        if self.repository.exists() {
            sweep(&self.repository).map_err(failed)?;
            match Repository::open_bare(&self.repository) {
                Ok(repository) if is_whole(&repository) => return Ok((repository, false)),
                _ => self.discard()?,
            }
        }
        let new = self.repository.with_extension("new");
        remove(&new).map_err(failed)?;
        make(&new).map_err(|e| failed(io::Error::other(e.message().to_owned())))?;
        fs::rename(&new, &self.repository).map_err(failed)?;
        let repository = Repository::open_bare(&self.repository);
        Ok((repository.map_err(|e| failed(io::Error::other(e.message().to_owned())))?, true))
    }

    /// Takes the repository out of the way. Needs the lock.
    fn discard(&self) -> Result<(), Error> {
        let failed = |source| Error::Cache { path: self.repository.clone(), source };
        let old = self.repository.with_extension("old");
        remove(&old)
            .and_then(|()| fs::rename(&self.repository, &old))
            .and_then(|()| remove(&old))
            .map_err(failed)
    }
}

fn make(path: &Path) -> Result<(), git2::Error> {
    let mut options = RepositoryInitOptions::new();
    options.bare(true).mkpath(true).external_template(false);
    let repository = Repository::init_opts(path, &options)?;
    // libgit2 would follow the first redirect to another host, and take the credentials along.
    repository.config()?.set_bool("http.followRedirects", false)
}

/// Whether the commits that references claim to have are there. The remote is told of them and sends only what
/// is missing besides, so a lost pack would never come back.
fn is_whole(repository: &Repository) -> bool {
    let (Ok(references), Ok(objects)) = (repository.references(), repository.odb()) else { return false };
    references.flatten().filter_map(|reference| reference.target()).all(|id| objects.exists(id))
}

/// Removes what a killed fetch leaves: lock files of references, unfinished packs.
fn sweep(repository: &Path) -> io::Result<()> {
    let locks = |name: &str| Path::new(name).extension().is_some_and(|e| e == "lock");
    remove_files(repository, &locks)?;
    remove_files(&repository.join("refs").join("landskap"), &locks)?;
    remove_files(&repository.join("objects").join("pack"), &|name| name.starts_with("pack_"))
}

fn remove_files(folder: &Path, which: &dyn Fn(&str) -> bool) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_file() && entry.file_name().to_str().is_some_and(which) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

/// Makes the folder and its parents, for the user only: it holds the content of private repositories.
fn private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder)
}

/// A name for `url` that is safe in a file system.
pub(super) fn key(url: &str) -> String {
    use std::fmt::Write as _;
    Sha256::digest(url.as_bytes())[..16].iter().fold(String::with_capacity(32), |mut key, byte| {
        let _ = write!(key, "{byte:02x}");
        key
    })
}
