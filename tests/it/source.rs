//! Trees from real directories and real git repositories (made with the `git` command).

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use landskap::source::{Credentials, Error, Item, Kind, Location, Options, Tree, discover, load};
use tempfile::TempDir;

/// A repository in a temporary folder, and a cache beside it.
struct World {
    folder: TempDir,
}

impl World {
    /// `repo` with one commit, tagged `v1`, on `main`.
    fn new() -> Self {
        let world = Self { folder: TempDir::new().unwrap() };
        fs::create_dir(world.repo()).unwrap();
        world.git(&["init", "--quiet", "--initial-branch=main"]);
        world.write("landscape.yaml", "name: one\n");
        world.write("components/a.yaml", "name: a\n");
        world.commit("one");
        world.git(&["tag", "v1"]);
        world
    }

    fn repo(&self) -> PathBuf {
        self.folder.path().join("repo")
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.repo().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn link(&self, path: &str, target: &str) {
        let path = self.repo().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        symlink(target, path).unwrap();
    }

    fn git(&self, args: &[&str]) -> String {
        git(&self.repo(), args)
    }

    /// Commits everything and returns the commit.
    fn commit(&self, message: &str) -> String {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "-m", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    fn options(&self) -> Options {
        Options { cache_dir: self.folder.path().join("cache"), credentials: Credentials::default() }
    }

    fn url(&self) -> String {
        format!("file://{}", self.repo().display())
    }

    fn here(&self) -> Tree {
        load(&Location::Directory(self.repo()), None, &self.options()).unwrap()
    }

    fn at(&self, revision: &str) -> Result<Tree, Error> {
        load(&Location::Directory(self.repo()), Some(revision), &self.options())
    }

    fn remote(&self, revision: Option<&str>) -> Result<Tree, Error> {
        load(&Location::parse(&self.url()).unwrap(), revision, &self.options())
    }

    /// The bare repositories in the cache.
    fn cached(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.folder.path().join("cache/git")).unwrap();
        entries.map(|e| e.unwrap().path()).filter(|p| p.is_dir()).collect()
    }
}

fn git(folder: &Path, args: &[&str]) -> String {
    let out = Command::new("git")
        .args([
            "-c",
            "user.name=Test",
            "-c",
            "user.email=test@example.com",
            "-c",
            "protocol.file.allow=always",
        ])
        .args(args)
        .current_dir(folder)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .unwrap();
    assert!(out.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap().trim().to_owned()
}

fn commit_of(tree: &Tree) -> &str {
    &tree.revision().unwrap().commit
}

fn reference_of(tree: &Tree) -> Option<&str> {
    tree.revision().unwrap().reference.as_deref()
}

fn code<T>(result: Result<T, Error>) -> Option<&'static str> {
    result.err().map(|e| e.code())
}

/// The same tree three ways: the directory, its revision, and a clone of it.
fn every_way(world: &World) -> [(&'static str, Tree); 3] {
    [
        ("directory", world.here()),
        ("revision", world.at("HEAD").unwrap()),
        ("url", world.remote(None).unwrap()),
    ]
}

#[test]
fn files_are_the_same_every_way() {
    let world = World::new();
    world.write("components/sub/b.yaml", "name: b\n");
    world.link("components/linked", "../charts/x");
    world.write("charts/x/Chart.yaml", "name: x\n");
    world.commit("two");
    for (way, tree) in every_way(&world) {
        let item = |name: &str, kind| Item { name: name.to_owned(), kind };
        let expected =
            [item("a.yaml", Kind::File), item("linked", Kind::Directory), item("sub", Kind::Directory)];
        assert_eq!(tree.list("components").unwrap(), expected, "{way}");
        assert_eq!(tree.list("").unwrap().len(), 3, "{way}: .git is not listed");
        assert_eq!(
            tree.walk("components/").unwrap(),
            ["components/a.yaml", "components/linked/Chart.yaml", "components/sub/b.yaml"],
            "{way}"
        );
        assert_eq!(tree.read_text("components/linked/Chart.yaml").unwrap(), "name: x\n", "{way}");
        assert!(tree.is_file("landscape.yaml") && !tree.is_file("components"), "{way}");
        assert!(tree.is_directory("charts") && !tree.is_directory("nothing"), "{way}");
        assert_eq!(code(tree.read("nothing.yaml")), Some("source-not-found"), "{way}");
        assert_eq!(code(tree.read("components")), Some("source-kind"), "{way}");
        assert_eq!(code(tree.list("landscape.yaml")), Some("source-kind"), "{way}");
        assert_eq!(code(tree.read(".git/config")), Some("source-path"), "{way}");

        let charts = tree.subtree("charts").unwrap();
        assert_eq!(charts.walk("").unwrap(), ["x/Chart.yaml"], "{way}");
        assert_eq!(charts.revision(), tree.revision(), "{way}");
    }
}

#[test]
fn links_that_leave_are_refused_every_way() {
    let world = World::new();
    let outside = world.folder.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("secret.yaml"), "password: hunter2\n").unwrap();
    world.link("links/relative", "../../outside/secret.yaml");
    world.link("links/missing", "../../outside/missing.yaml");
    world.link("links/absolute", outside.join("secret.yaml").to_str().unwrap());
    world.link("links/environment", "/proc/self/environ");
    world.link("links/chained", "relative");
    world.link("links/folder", "../../outside");
    world.link("inner/out", "../components/a.yaml");
    world.commit("links");
    for (way, tree) in every_way(&world) {
        for path in ["relative", "missing", "absolute", "environment", "chained", "folder/secret.yaml"] {
            let error = tree.read(&format!("links/{path}")).unwrap_err();
            assert_eq!(error.code(), "source-outside", "{way} {path}");
            let text = error.to_string();
            assert!(!text.contains("hunter2") && !text.contains("outside/"), "{way}: {text}");
        }
        // Whether the target exists does not show.
        let text = |path: &str| tree.read(path).unwrap_err().to_string().replace("missing", "relative");
        assert_eq!(text("links/missing"), text("links/relative"), "{way}");
        assert_eq!(code(tree.list("links")), Some("source-outside"), "{way}");
        assert_eq!(code(tree.walk("")), Some("source-outside"), "{way}");
        assert!(!tree.is_file("links/relative") && !tree.is_directory("links/folder"), "{way}");
        // A subtree has a root of its own.
        assert!(tree.read("inner/out").is_ok(), "{way}");
        assert_eq!(code(tree.subtree("inner").unwrap().read("out")), Some("source-outside"), "{way}");
    }
}

#[test]
fn loops_and_folders_inside_themselves_end() {
    let world = World::new();
    world.link("loop", "loop");
    world.link("again/up", "..");
    world.commit("loops");
    for (way, tree) in every_way(&world) {
        assert_eq!(code(tree.read("loop")), Some("source-link-loop"), "{way}");
        assert_eq!(code(tree.walk("again")), Some("source-link-loop"), "{way}");
    }
}

#[test]
fn submodules_are_refused_every_way() {
    let world = World::new();
    let other = World::new();
    world.git(&["submodule", "--quiet", "add", &other.url(), "charts/sub"]);
    world.commit("submodule");
    for (way, tree) in every_way(&world) {
        let error = tree.read("charts/sub/landscape.yaml").unwrap_err();
        assert_eq!(error.code(), "source-nested-repository", "{way}");
        assert!(error.to_string().contains("`charts/sub` is a submodule"), "{way}: {error}");
        assert_eq!(code(tree.walk("charts")), Some("source-nested-repository"), "{way}");
        assert_eq!(tree.list("charts").unwrap()[0].kind, Kind::Directory, "{way}");
        assert_eq!(tree.walk("components").unwrap(), ["components/a.yaml"], "{way}");
    }
}

#[test]
fn large_files_devices_and_odd_bytes_are_errors() {
    let world = World::new();
    fs::write(world.repo().join("large"), vec![b'x'; 5 * 1024 * 1024 + 1]).unwrap();
    fs::write(world.repo().join("limit"), vec![b'x'; 5 * 1024 * 1024]).unwrap();
    fs::write(world.repo().join("latin"), [b'n', 0xe6]).unwrap();
    world.commit("large");
    for (way, tree) in every_way(&world) {
        assert_eq!(code(tree.read("large")), Some("source-too-large"), "{way}");
        assert_eq!(tree.read("limit").unwrap().len(), 5 * 1024 * 1024, "{way}");
        assert_eq!(code(tree.read_text("latin")), Some("source-not-text"), "{way}");
    }
    // Reading it would wait for ever.
    assert!(Command::new("mkfifo").arg(world.repo().join("pipe")).status().unwrap().success());
    assert_eq!(code(world.here().read("pipe")), Some("source-kind"));
}

#[test]
fn all_files_together_are_limited_and_counted_once() {
    let world = World::new();
    for n in 0..21 {
        let file = fs::File::create(world.repo().join(format!("f{n:02}"))).unwrap();
        file.set_len(5 * 1024 * 1024).unwrap();
    }
    let tree = world.here();
    for n in 0..20 {
        assert!(tree.read(&format!("f{n:02}")).is_ok(), "{n}");
        assert!(tree.read("f00").is_ok());
    }
    assert_eq!(code(tree.read("f20")), Some("source-too-large"));
}

#[test]
fn revisions_are_found_by_every_name() {
    let world = World::new();
    let one = world.git(&["rev-parse", "HEAD"]);
    world.git(&["tag", "-a", "v1-annotated", "-m", "annotated"]);
    world.git(&["branch", "old"]);
    world.write("landscape.yaml", "name: two\n");
    let two = world.commit("two");
    world.git(&["branch", "feature/x"]);
    for (way, get) in [
        ("local", &(|r: &str| world.at(r)) as &dyn Fn(&str) -> Result<Tree, Error>),
        ("url", &|r: &str| world.remote(Some(r))),
    ] {
        for (revision, commit, reference) in [
            ("HEAD", &two, Some("main")),
            ("main", &two, Some("main")),
            ("refs/heads/main", &two, Some("main")),
            ("feature/x", &two, Some("feature/x")),
            ("old", &one, Some("old")),
            ("v1", &one, Some("v1")),
            ("v1-annotated", &one, Some("v1-annotated")),
            ("HEAD~1", &one, None),
            ("main^", &one, None),
            (&one, &one, None),
            (&one[..9], &one, None),
            (&format!("{}~1", &two[..9]), &one, None),
        ] {
            let tree = get(revision).unwrap_or_else(|e| panic!("{way} {revision}: {e}"));
            assert_eq!(commit_of(&tree), commit, "{way} {revision}");
            assert_eq!(reference_of(&tree), reference, "{way} {revision}");
            assert!(!tree.revision().unwrap().dirty);
            let name = if *commit == one { "name: one\n" } else { "name: two\n" };
            assert_eq!(tree.read_text("landscape.yaml").unwrap(), name, "{way} {revision}");
        }
        for unknown in ["nothing", "main~7", "0123456789", &"0".repeat(40), "refs/heads/nothing"] {
            assert_eq!(code(get(unknown)), Some("source-revision"), "{way} {unknown}");
        }
    }
    // A tag and a branch of one name.
    world.git(&["tag", "old", &two]);
    assert_eq!(code(world.at("old")), Some("source-ambiguous-revision"));
    assert_eq!(code(world.remote(Some("old"))), Some("source-ambiguous-revision"));
    assert_eq!(commit_of(&world.remote(Some("refs/heads/old")).unwrap()), one);
}

#[test]
fn uncommitted_changes_below_the_root_are_dirty() {
    let world = World::new();
    world.write("platform/landscape.yaml", "name: p\n");
    world.write(".gitignore", "*.tmp\n");
    world.commit("platform");
    let dirty = |folder: &str| {
        let location = Location::Directory(world.repo().join(folder));
        load(&location, None, &world.options()).unwrap().revision().unwrap().dirty
    };
    assert!(!dirty("") && !dirty("platform"));
    world.write("platform/ignored.tmp", "x");
    assert!(!dirty("platform"), "ignored files do not count");
    world.write("components/a.yaml", "name: changed\n");
    assert!(dirty("") && !dirty("platform"), "changes elsewhere do not count");
    world.git(&["checkout", "--quiet", "."]);
    world.write("platform/new/file.yaml", "x");
    assert!(dirty("platform"), "untracked files count");
    world.git(&["add", "."]);
    assert!(dirty("platform"), "staged files count");
    world.commit("new");
    assert!(!dirty("platform"));
    fs::remove_file(world.repo().join("platform/landscape.yaml")).unwrap();
    assert!(dirty("platform"), "removed files count");
}

#[test]
fn a_directory_knows_its_branch_and_origin() {
    let world = World::new();
    let here = world.here();
    assert_eq!(reference_of(&here), Some("main"));
    assert_eq!(here.origin(), world.repo().canonicalize().unwrap().to_str().unwrap());
    world.git(&["remote", "add", "origin", "https://bot:hunter2@git.example/o/x.git"]);
    world.git(&["checkout", "--quiet", "--detach"]);
    let here = world.here();
    assert_eq!(reference_of(&here), None);
    assert_eq!(here.origin(), "https://git.example/o/x.git");
    assert_eq!(here.revision().unwrap().origin.as_deref(), Some("https://git.example/o/x.git"));
    assert!(!format!("{here:?}").contains("hunter2"));
}

#[test]
fn a_directory_outside_git_has_no_revision() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("landscape.yaml"), "name: x\n").unwrap();
    let location = Location::Directory(folder.path().to_owned());
    let tree = load(&location, None, &Options::default()).unwrap();
    assert_eq!(tree.revision(), None);
    assert_eq!(tree.read_text("landscape.yaml").unwrap(), "name: x\n");
    assert_eq!(code(tree.contains(&"0".repeat(40))), Some("source-not-git"));
    assert_eq!(code(load(&location, Some("main"), &Options::default())), Some("source-not-git"));
    let missing = Location::Directory(folder.path().join("missing"));
    assert_eq!(code(load(&missing, None, &Options::default())), Some("source-unreadable"));

    // Before its first commit, and where the repository around it ignores it, there is nothing to compare with.
    git(folder.path(), &["init", "--quiet"]);
    assert_eq!(load(&location, None, &Options::default()).unwrap().revision(), None);
    let world = World::new();
    world.write(".gitignore", "scratch/\n");
    world.write("scratch/landscape.yaml", "name: x\n");
    world.commit("ignore");
    let ignored = Location::Directory(world.repo().join("scratch"));
    assert_eq!(load(&ignored, None, &Options::default()).unwrap().revision(), None);
}

#[test]
fn a_folder_of_a_repository_is_a_root_every_way() {
    let world = World::new();
    world.write("platform/eu/landscape.yaml", "name: eu\n");
    world.link("platform/eu/up", "../../landscape.yaml");
    world.commit("eu");
    let folder = Location::Directory(world.repo().join("platform/eu"));
    let url = Location::parse(&format!("{}//platform/eu", world.url())).unwrap();
    for tree in [
        load(&folder, None, &world.options()).unwrap(),
        load(&folder, Some("main"), &world.options()).unwrap(),
        load(&url, None, &world.options()).unwrap(),
    ] {
        assert_eq!(tree.read_text("landscape.yaml").unwrap(), "name: eu\n");
        assert_eq!(code(tree.read("up")), Some("source-outside"));
    }
    let missing = Location::parse(&format!("{}//platform/us", world.url())).unwrap();
    assert_eq!(code(load(&missing, None, &world.options())), Some("source-not-found"));
    assert_eq!(code(load(&folder, Some("v1"), &world.options())), Some("source-not-found"));
    let nested = world.repo().join("platform/eu");
    fs::create_dir(nested.join("components")).unwrap();
    assert_eq!(discover(&nested.join("components")), Some(nested.canonicalize().unwrap()));
    assert_eq!(discover(Path::new("/proc")), None);
}

#[test]
fn only_forward_is_known() {
    let world = World::new();
    let one = world.git(&["rev-parse", "HEAD"]);
    let two = world.commit("two");
    let ways = || [world.here(), world.at("main").unwrap(), world.remote(Some("main")).unwrap()];
    for tree in ways() {
        assert!(tree.contains(&one).unwrap() && tree.contains(&two).unwrap());
        assert!(!tree.contains(&"1".repeat(40)).unwrap());
        assert_eq!(code(tree.contains(&one[..9])), Some("source-revision"));
    }
    assert!(
        !world.at("v1").unwrap().contains(&two).unwrap(),
        "an older revision does not contain a newer one"
    );
    // A force-push: the branch goes back and on another way.
    world.git(&["reset", "--quiet", "--hard", &one]);
    world.write("landscape.yaml", "name: other\n");
    let other = world.commit("other");
    for tree in ways() {
        assert_eq!(commit_of(&tree), other);
        assert!(!tree.contains(&two).unwrap() && tree.contains(&one).unwrap());
    }
}

#[test]
fn a_shallow_clone_says_that_it_cannot_tell() {
    let world = World::new();
    let one = world.git(&["rev-parse", "HEAD"]);
    let two = world.commit("two");
    let shallow = world.folder.path().join("shallow");
    git(world.folder.path(), &["clone", "--quiet", "--depth=1", &world.url(), shallow.to_str().unwrap()]);
    let tree = load(&Location::Directory(shallow), None, &Options::default()).unwrap();
    assert!(tree.contains(&two).unwrap());
    assert_eq!(code(tree.contains(&one)), Some("source-shallow"));
}

#[test]
fn a_second_load_sees_what_was_pushed_and_keeps_what_it_has() {
    let world = World::new();
    let one = world.remote(None).unwrap();
    let old = commit_of(&one).to_owned();
    world.write("landscape.yaml", "name: two\n");
    let two = world.commit("two");
    assert_eq!(commit_of(&world.remote(None).unwrap()), two);
    assert_eq!(world.cached().len(), 1, "one clone per URL");
    assert_eq!(one.read_text("landscape.yaml").unwrap(), "name: one\n", "a loaded tree never changes");

    // A branch that becomes a folder of branches.
    world.git(&["branch", "a"]);
    world.remote(Some("a")).unwrap();
    world.git(&["branch", "-D", "a"]);
    world.git(&["branch", "a/b"]);
    world.remote(Some("a/b")).unwrap();

    // What is there needs no remote; what may have moved does.
    fs::rename(world.repo(), world.folder.path().join("gone")).unwrap();
    assert_eq!(world.remote(Some(&old)).unwrap().read_text("landscape.yaml").unwrap(), "name: one\n");
    assert_eq!(code(world.remote(Some("main"))), Some("source-fetch"));
    assert_eq!(code(world.remote(None)), Some("source-fetch"));
}

#[test]
fn what_a_killed_fetch_leaves_is_swept_away() {
    let world = World::new();
    world.remote(None).unwrap();
    let cache = world.cached().remove(0);
    let references = cache.join("refs/landskap");
    let reference = fs::read_dir(&references).unwrap().next().unwrap().unwrap().path();
    fs::write(reference.with_extension("lock"), "").unwrap();
    fs::write(cache.join("config.lock"), "").unwrap();
    fs::write(cache.join("objects/pack/pack_git2_abc"), "half").unwrap();
    // And a clone that died before it had its name.
    fs::create_dir(cache.with_extension("new")).unwrap();
    let two = world.commit("two");
    assert_eq!(commit_of(&world.remote(None).unwrap()), two);
    assert!(!cache.join("objects/pack/pack_git2_abc").exists());
    assert!(!reference.with_extension("lock").exists());
}

#[test]
fn a_damaged_cache_is_made_anew() {
    for damage in ["HEAD", "objects/pack"] {
        let world = World::new();
        world.remote(None).unwrap();
        let cache = world.cached().remove(0);
        if damage == "HEAD" {
            fs::remove_file(cache.join("HEAD")).unwrap();
        } else {
            for file in fs::read_dir(cache.join(damage)).unwrap() {
                let path = file.unwrap().path();
                fs::remove_file(&path).unwrap();
                fs::write(&path, "not a pack").unwrap();
            }
        }
        let two = world.commit("two");
        let tree = world.remote(None).unwrap_or_else(|e| panic!("{damage}: {e}"));
        assert_eq!(commit_of(&tree), two, "{damage}");
        assert_eq!(tree.read_text("landscape.yaml").unwrap(), "name: one\n");
    }
}

#[test]
fn many_may_load_at_once() {
    let world = World::new();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| world.remote(Some("main")))).collect();
        for thread in threads {
            assert_eq!(thread.join().unwrap().unwrap().read_text("landscape.yaml").unwrap(), "name: one\n");
        }
    });
    assert_eq!(world.cached().len(), 1);
}

#[test]
fn nothing_of_the_repository_is_run() {
    let world = World::new();
    let trace = world.folder.path().join("ran");
    let run = format!("touch {}", trace.display());
    world.write(".gitattributes", "* filter=evil diff=evil\n");
    world.commit("attributes");
    for key in
        ["filter.evil.clean", "filter.evil.smudge", "core.fsmonitor", "diff.evil.textconv", "core.sshCommand"]
    {
        world.git(&["config", key, &run]);
    }
    world.git(&["config", "credential.helper", &format!("!{run}")]);
    for hook in ["post-checkout", "post-index-change", "reference-transaction"] {
        let path = world.repo().join(".git/hooks").join(hook);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, format!("#!/bin/sh\n{run}\n")).unwrap();
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    }
    // Changed, so that the status has to look into it.
    fs::write(world.repo().join("landscape.yaml"), "name: two\n").unwrap();
    for (_, tree) in every_way(&world) {
        tree.read("landscape.yaml").unwrap();
    }
    assert!(!trace.exists());
}

#[test]
fn the_cache_is_private() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::new();
    world.remote(None).unwrap();
    let mode = fs::metadata(world.folder.path().join("cache/git")).unwrap().permissions().mode();
    assert_eq!(mode & 0o077, 0);
}
