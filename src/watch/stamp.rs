//! Whether the files of a directory have changed, without reading them.
//!
//! A digest of every file's place, inode, size and times. Links are followed, as [`crate::source::Tree`] follows
//! them; `.git` is left out: what matters of it is HEAD, which the tree's revision tells.

use std::collections::HashSet;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

/// The digest of the directory at `root`. What cannot be read counts as such.
pub fn stamp(root: &Path) -> String {
    let mut digest = Sha256::new();
    let mut entered = HashSet::new();
    let mut folders: Vec<PathBuf> = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let mut paths: Vec<PathBuf> = match std::fs::read_dir(&folder) {
            Ok(entries) => entries.flatten().map(|entry| entry.path()).collect(),
            Err(error) => {
                digest.update(format!("{}\0{error}\n", folder.display()));
                continue;
            }
        };
        paths.sort();
        for path in paths.into_iter().filter(|path| path.file_name().is_none_or(|name| name != ".git")) {
            match std::fs::metadata(&path) {
                Ok(seen) if seen.is_dir() => {
                    digest.update(format!("{}\0folder\n", path.display()));
                    // A folder that contains itself through a link is entered once.
                    if entered.insert((seen.dev(), seen.ino())) {
                        folders.push(path);
                    }
                }
                Ok(seen) => {
                    let times = (seen.mtime(), seen.mtime_nsec(), seen.ctime(), seen.ctime_nsec());
                    digest.update(format!(
                        "{}\0{}\0{}\0{times:?}\n",
                        path.display(),
                        seen.ino(),
                        seen.size()
                    ));
                }
                Err(error) => digest.update(format!("{}\0{error}\n", path.display())),
            }
        }
    }
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_change_of_a_file_is_seen_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        std::fs::create_dir_all(root.join("a/.git")).unwrap();
        std::fs::write(root.join("a/x"), "1").unwrap();
        std::os::unix::fs::symlink(root, root.join("a/loop")).unwrap();
        let mut last = stamp(root);
        assert_eq!(stamp(root), last);
        std::fs::write(root.join("a/.git/HEAD"), "1").unwrap();
        assert_eq!(stamp(root), last, "git's own files are no files of the landscape");
        let mut changed = |what: &str| {
            let now = stamp(root);
            assert_ne!(now, last, "{what}");
            last = now;
        };
        std::fs::write(root.join("a/y"), "1").unwrap();
        changed("a new file");
        std::fs::write(root.join("a/y"), "12").unwrap();
        changed("another text");
        std::fs::write(root.join("a/z"), "12").unwrap();
        std::fs::rename(root.join("a/z"), root.join("a/y")).unwrap();
        changed("another file of the same size");
        std::fs::remove_file(root.join("a/y")).unwrap();
        changed("a file gone");
    }
}
