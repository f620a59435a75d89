//! landscapes/broken/: one folder for each problem, named like its code.
//!
//! Every folder reports its own code and nothing else, with a place, and the code is documented. Problems that
//! only rendering finds are checked by `check`'s own test; here their landscapes must load without an error.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use landskap::diagnostic::{Diagnostic, Files};
use landskap::landscape::{self, Landscape};
use landskap::source::{self, Credentials, Location, Options};

/// Codes that are found after loading.
const LATER: [&str; 7] = [
    "contract-host",
    "duplicate-object",
    "missing-chart",
    "patch-without-target",
    "remote-chart",
    "values-schema",
    "version-mismatch",
];

/// Codes that this room raises where no folder can show them, with the reason.
const NOT_SHOWN: [&str; 0] = [];

fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn folders() -> BTreeSet<String> {
    let entries = std::fs::read_dir(root("landscapes/broken")).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

fn load(folder: &str) -> (Files, Option<Landscape>, Vec<Diagnostic>) {
    let cache = tempfile::tempdir().unwrap();
    let options = Options { cache_dir: cache.path().into(), credentials: Credentials::default() };
    let location = Location::Directory(root("landscapes/broken").join(folder));
    let tree = source::load(&location, None, &options).unwrap();
    let files = Files::new();
    let (landscape, problems) = landscape::load(&tree, &files);
    (files, landscape, problems)
}

#[test]
fn each_folder_shows_its_problem_and_no_other() {
    let mut wrong = Vec::new();
    for folder in folders() {
        let (files, landscape, problems) = load(&folder);
        let said: Vec<String> = problems
            .iter()
            .map(|p| format!("{} {:?} {}", p.code, p.labels.first().map(|l| files.place(l.span)), p.message))
            .collect();
        let expected = if LATER.contains(&folder.as_str()) {
            problems.is_empty() && landscape.is_some()
        } else {
            !problems.is_empty()
                && problems.iter().all(|p| p.code == folder && p.is_error() && !p.labels.is_empty())
        };
        if !expected {
            wrong.push(format!("{folder}: {said:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_folder_is_documented() {
    let text = std::fs::read_to_string(root("docs/errors.md")).unwrap();
    let documented: BTreeSet<&str> = text.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    let missing: Vec<String> = folders().into_iter().filter(|f| !documented.contains(f.as_str())).collect();
    assert_eq!(missing, [""; 0]);
}

#[test]
fn each_code_of_loading_has_a_folder() {
    let mut codes = BTreeSet::new();
    collect(&root("src/landscape"), &mut codes);
    assert!(codes.len() > 20, "{codes:?}");
    let folders = folders();
    let missing: Vec<&String> =
        codes.iter().filter(|code| !folders.contains(*code) && !NOT_SHOWN.contains(&code.as_str())).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// The codes in the sources: the string behind `Diagnostic::error(` or `warning(`, and `let code = "…"`.
fn collect(folder: &Path, codes: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, codes);
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        for opening in ["Diagnostic::error(", "Diagnostic::warning(", "let code =", "Some(("] {
            for (at, _) in text.match_indices(opening) {
                let rest = text[at + opening.len()..].trim_start();
                if let Some(code) = rest.strip_prefix('"').and_then(|r| r.split('"').next()) {
                    let kebab =
                        code.contains('-') && code.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
                    codes.extend((kebab || code == "cycle").then(|| code.to_owned()));
                }
            }
        }
    }
}
