//! The rooms of the house: a module imports only what stands before it in the walk.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The modules in the order of the walk, as `src/lib.rs` lists them.
const ROOMS: [&str; 16] = [
    "diagnostic",
    "yaml",
    "object",
    "source",
    "landscape",
    "chart",
    "secret",
    "render",
    "health",
    "plan",
    "cluster",
    "apply",
    "reconcile",
    "watch",
    "report",
    "cli",
];

/// Rooms that do no input or output.
const PURE: [&str; 8] = ["diagnostic", "yaml", "object", "landscape", "render", "health", "plan", "report"];

fn sources(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).expect("src is readable").flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Every source file by room, without its tests, comments and strings' contents being told apart: a mention of
/// `crate::room::` counts wherever it stands outside comments.
fn by_room() -> BTreeMap<String, Vec<(PathBuf, String)>> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&src, &mut files);
    let mut rooms: BTreeMap<String, Vec<(PathBuf, String)>> = BTreeMap::new();
    for path in files {
        let room = path.strip_prefix(&src).expect("below src").components().next().expect("not empty");
        let room = room.as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned();
        let text = std::fs::read_to_string(&path).expect("a source file is text");
        let product = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let code: String = product
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .fold(String::new(), |code, line| code + line + "\n");
        if !path.ends_with("tests.rs") && !path.components().any(|c| c.as_os_str() == "tests") {
            rooms.entry(room).or_default().push((path, code));
        }
    }
    rooms
}

#[test]
fn a_room_imports_only_what_stands_before_it() {
    let mut wrong = Vec::new();
    for (room, files) in by_room() {
        let Some(position) = ROOMS.iter().position(|r| *r == room) else {
            assert!(room == "lib" || room == "main", "`{room}` is not on the map");
            continue;
        };
        for later in &ROOMS[position + 1..] {
            // Drawing is for the two doors to people only.
            for (path, code) in &files {
                if code.contains(&format!("crate::{later}")) && !(room == "watch" && *later == "report") {
                    wrong.push(format!("{} imports crate::{later}", path.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn pure_rooms_touch_nothing() {
    let mut wrong = Vec::new();
    for (room, files) in by_room().into_iter().filter(|(room, _)| PURE.contains(&room.as_str())) {
        for (path, code) in files.into_iter().filter(|(path, _)| !path.ends_with("report/terminal.rs")) {
            for door in
                ["std::fs::", "std::net::", "std::env::", "tokio::", "SystemTime::now", "Instant::now"]
            {
                if code.contains(door) {
                    wrong.push(format!("{room}: {} uses {door}", path.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_map_in_lib_names_every_room_in_order() {
    let text =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).expect("lib.rs");
    let modules: Vec<_> =
        text.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    assert_eq!(modules, ROOMS);
}
