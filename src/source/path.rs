//! Paths that stay beneath their root, on disk and in git trees alike.
//!
//! [`resolve`] follows a path name by name and reads every symbolic link itself, so that one rule serves both
//! backings and nothing outside the root is ever asked for: a link that climbs above the root, or is absolute,
//! is refused before anything is known about its target.

use super::Error;

/// How many symbolic links one path may pass, as in Linux.
const MOST_LINKS: usize = 40;

/// What stands at a path, links not followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Entry {
    /// A regular file.
    File,
    /// A folder.
    Directory,
    /// A symbolic link with its target.
    Link(String),
    /// A submodule, or a folder with a repository of its own.
    Repository,
    /// A device, socket or pipe.
    Special,
}

/// Splits a path into names. Empty names and `.` are left out, so that `a//b/.` is `a/b` and
/// the empty path is the root.
///
/// # Errors
/// [`Error::Path`] for anything that is not plainly relative and beneath: absolute paths, `..`, backslashes,
/// control characters, and `.git`, whose configuration often holds the token of a CI job.
pub(super) fn names(path: &str) -> Result<Vec<String>, Error> {
    let refuse = |reason| Err(Error::Path { path: path.escape_debug().to_string(), reason });
    if path.starts_with('/') {
        return refuse("it is absolute");
    }
    if path.contains('\\') {
        return refuse("it contains a backslash");
    }
    if path.chars().any(char::is_control) {
        return refuse("it contains control characters");
    }
    let names: Vec<_> = path.split('/').filter(|n| !n.is_empty() && *n != ".").collect();
    if names.contains(&"..") {
        return refuse("it contains `..`");
    }
    if names.iter().any(|n| is_git(n)) {
        return refuse("`.git` is not part of a landscape");
    }
    Ok(names.into_iter().map(str::to_owned).collect())
}

/// Whether `name` is Git's own folder, also on file systems that ignore case.
pub(super) fn is_git(name: &str) -> bool {
    name.eq_ignore_ascii_case(".git")
}

/// What stands at a path; `None` if nothing does.
pub(super) type Look<'a> = dyn Fn(&[String]) -> Result<Option<Entry>, Error> + 'a;

/// Follows `names` from the root through all symbolic links.
///
/// `look` says what stands at a path without links in it (none of its names is a link but perhaps the last),
/// `None` if nothing does. The result is such a path, and what is there: never a link.
///
/// # Errors
/// [`Error::Outside`], [`Error::LinkLoop`], [`Error::NotFound`], [`Error::NestedRepository`], or what `look`
/// says.
pub(super) fn resolve(
    names: &[String],
    origin: &str,
    look: &Look<'_>,
) -> Result<(Vec<String>, Entry), Error> {
    let asked = || names.join("/");
    let missing = || Error::NotFound { path: asked(), origin: origin.to_owned() };
    let mut todo: Vec<String> = names.iter().rev().cloned().collect();
    let mut done: Vec<String> = Vec::new();
    let mut here = Entry::Directory;
    let mut links = 0;
    // The link that brought us where we are, for the error.
    let mut link = String::new();
    while let Some(name) = todo.pop() {
        if here != Entry::Directory {
            return Err(missing());
        }
        if name == ".." {
            if done.pop().is_none() {
                return Err(Error::Outside { path: asked(), link, origin: origin.to_owned() });
            }
            continue;
        }
        if is_git(&name) {
            return Err(Error::Path { path: asked(), reason: "`.git` is not part of a landscape" });
        }
        done.push(name);
        match look(&done)?.ok_or_else(missing)? {
            Entry::Link(target) => {
                link = done.join("/");
                done.pop();
                links += 1;
                if links > MOST_LINKS {
                    return Err(Error::LinkLoop { path: asked() });
                }
                if target.starts_with('/') || target.contains(['\\', '\0']) {
                    return Err(Error::Outside { path: asked(), link, origin: origin.to_owned() });
                }
                let parts = target.split('/').rev().filter(|n| !n.is_empty() && *n != ".");
                todo.extend(parts.map(str::to_owned));
            }
            Entry::Repository => {
                return Err(Error::NestedRepository { path: asked(), repository: done.join("/") });
            }
            entry => here = entry,
        }
    }
    Ok((done, here))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests end by panicking")]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    /// `path` → what is there; parents of entries are folders.
    fn world(entries: &[(&str, Entry)]) -> BTreeMap<String, Entry> {
        let mut world = BTreeMap::new();
        for (path, entry) in entries {
            for (i, _) in path.match_indices('/') {
                world.insert(path[..i].to_owned(), Entry::Directory);
            }
            world.insert((*path).to_owned(), entry.clone());
        }
        world
    }

    fn link(target: &str) -> Entry {
        Entry::Link(target.to_owned())
    }

    fn check(world: &BTreeMap<String, Entry>, path: &str) -> Result<String, &'static str> {
        let look = |names: &[String]| Ok(world.get(&names.join("/")).cloned());
        names(path)
            .and_then(|names| resolve(&names, "here", &look))
            .map(|(done, _)| done.join("/"))
            .map_err(|e| e.code())
    }

    #[test]
    fn only_plain_relative_paths() {
        assert_eq!(names("a//b/./c/").ok(), Some(vec!["a".into(), "b".into(), "c".into()]));
        assert_eq!(names("").ok(), Some(vec![]));
        for bad in ["/a", "..", "a/../b", "a\\b", "a\0b", "a\nb", ".git/config", "a/.GIT"] {
            assert_eq!(names(bad).map_err(|e| e.code()), Err("source-path"), "{bad:?}");
        }
        assert!(names("a/..b/.github").is_ok());
    }

    #[test]
    fn links_within_are_followed() {
        let world = world(&[
            ("charts/a/Chart.yaml", Entry::File),
            ("components/a", link("../charts/a")),
            ("twice", link("components/a")),
            ("up", link("charts/a/../../charts/./a")),
        ]);
        for path in ["components/a/Chart.yaml", "twice/Chart.yaml", "up/Chart.yaml"] {
            assert_eq!(check(&world, path), Ok("charts/a/Chart.yaml".into()), "{path}");
        }
    }

    #[test]
    fn links_that_leave_are_refused_alike_whatever_they_point_to() {
        let world = world(&[
            ("absolute", link("/etc/passwd")),
            ("relative", link("../../etc/passwd")),
            ("deep/relative", link("../../x")),
            ("chained", link("deep/relative")),
            ("through", link("nowhere/../../..")),
            ("git", link(".git/config")),
        ]);
        for path in ["absolute", "relative", "deep/relative", "chained", "absolute/more"] {
            assert_eq!(check(&world, path), Err("source-outside"), "{path}");
        }
        assert_eq!(check(&world, "through"), Err("source-not-found"));
        assert_eq!(check(&world, "git"), Err("source-path"));
    }

    #[test]
    fn loops_and_files_in_the_way() {
        let world =
            world(&[("a", link("b")), ("b", link("a")), ("f", Entry::File), ("s", Entry::Repository)]);
        assert_eq!(check(&world, "a"), Err("source-link-loop"));
        assert_eq!(check(&world, "f/x"), Err("source-not-found"));
        assert_eq!(check(&world, "s"), Err("source-nested-repository"));
        assert_eq!(check(&world, "s/x"), Err("source-nested-repository"));
    }

    proptest! {
        /// Whatever the links say, only paths beneath the root are looked at.
        #[test]
        fn nothing_outside_is_asked_for(
            targets in prop::collection::vec("(/|\\.\\./|a/|b/|c/|\\./){0,4}(a|b|c|\\.\\.)", 3),
            path in "(a/|b/|c/){0,3}(a|b|c)",
        ) {
            let world: BTreeMap<_, _> = ["a", "b", "c"].into_iter().zip(targets).collect();
            let look = |names: &[String]| {
                assert!(!names.is_empty() && names.iter().all(|n| n != ".." && n != "." && !n.contains('/')));
                let name = names[names.len() - 1].as_str();
                Ok(match world.get(name).filter(|_| names.len() < 5) {
                    // Some are folders, so that links are met below folders too.
                    Some(target) if target.starts_with("./") => Some(Entry::Directory),
                    target => target.map(|t| link(t)),
                })
            };
            let _ = resolve(&names(&path).unwrap(), "here", &look);
        }
    }
}
