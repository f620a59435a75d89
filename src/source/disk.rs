//! A directory as the backing of a tree: read when asked, never written.
//!
//! Between the look at a path and the opening of its file the directory may change; what protects against a
//! hostile *repository* is that links are read and judged before they are followed. A hostile local user who
//! swaps files during a run is not defended against.

use std::fs;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use super::Error;
use super::path::Entry;

/// What stands at `names` below `root`, links not followed; `None` if nothing.
pub(super) fn look(root: &Path, names: &[String]) -> Result<Option<Entry>, Error> {
    let path = join(root, names);
    let kind = match fs::symlink_metadata(&path) {
        Ok(metadata) => metadata.file_type(),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(source) => return Err(unreadable(names, source)),
    };
    Ok(Some(if kind.is_symlink() {
        let target = fs::read_link(&path).map_err(|e| unreadable(names, e))?;
        Entry::Link(target.into_os_string().into_string().map_err(|_| not_text(&names.join("/")))?)
    } else if kind.is_file() {
        Entry::File
    } else if !kind.is_dir() {
        Entry::Special
    } else if !names.is_empty() && fs::symlink_metadata(path.join(".git")).is_ok() {
        Entry::Repository
    } else {
        Entry::Directory
    }))
}

/// Names in a folder, unsorted, at most `limit` of them.
pub(super) fn list(root: &Path, names: &[String], limit: usize) -> Result<Vec<String>, Error> {
    let mut found = Vec::new();
    for entry in fs::read_dir(join(root, names)).map_err(|e| unreadable(names, e))? {
        let name = entry.map_err(|e| unreadable(names, e))?.file_name();
        if found.len() == limit {
            return Err(Error::TooMany { path: names.join("/"), limit });
        }
        let name = name.into_string().map_err(|name| {
            not_text(&join(Path::new(""), names).join(&name).to_string_lossy().escape_debug().to_string())
        })?;
        found.push(name);
    }
    Ok(found)
}

/// The bytes of a file, at most `limit` of them.
pub(super) fn read(root: &Path, names: &[String], limit: u64) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    fs::File::open(join(root, names))
        .and_then(|file| file.take(limit + 1).read_to_end(&mut bytes))
        .map_err(|e| unreadable(names, e))?;
    if bytes.len() as u64 > limit {
        return Err(Error::TooLarge { path: names.join("/"), limit });
    }
    Ok(bytes)
}

fn join(root: &Path, names: &[String]) -> PathBuf {
    names.iter().fold(root.to_path_buf(), |path, name| path.join(name))
}

fn unreadable(names: &[String], source: std::io::Error) -> Error {
    let path = if names.is_empty() { ".".to_owned() } else { names.join("/") };
    Error::Unreadable { path, source }
}

fn not_text(path: &str) -> Error {
    Error::NotText { what: "the name of", path: path.to_owned() }
}
