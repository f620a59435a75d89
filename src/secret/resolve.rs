//! Finding each secret in the first source that has it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use zeroize::Zeroize;

use crate::diagnostic::Diagnostic;
use crate::landscape::{SecretSource, SecretUse};
use crate::source::{self, Tree};

use super::SecretValue;

/// Secrets that were read in the cluster: namespace and name to keys and values.
pub type ClusterSecrets = BTreeMap<(String, String), BTreeMap<String, SecretValue>>;

/// Where values may come from.
pub struct Lookup<'a> {
    /// The process environment.
    pub env: &'a dyn Fn(&str) -> Option<OsString>,
    /// The landscape: `files` with a relative directory are read from it.
    pub tree: &'a Tree,
    /// The Secrets named by `secret` sources, as far as they exist.
    pub cluster: &'a ClusterSecrets,
}

/// Finds the value of every lookup name in `wanted`, in the first of `sources` that has it. Without sources the
/// environment is asked, with no prefix, as Landscaper does.
///
/// - `env`: the prefix as it is, then the name in upper case, `-` as `_`. A variable that is unset or empty has no value.
/// - `files`: the bytes of the file called like the name, without one line end (`\n` or `\r\n`) at the end, which
///   editors add and nobody means. An empty file has no value.
/// - `secret`: the key called like the name; its bytes as they are.
///
/// Each name that is found nowhere, or cannot be read, is one error with every place that asks for it. A file
/// that is there but cannot be read stops the search: a later source might hold another value.
pub fn resolve<'a>(
    wanted: impl IntoIterator<Item = &'a SecretUse>,
    sources: &[SecretSource],
    from: &Lookup<'_>,
) -> (BTreeMap<String, SecretValue>, Vec<Diagnostic>) {
    let mut uses: BTreeMap<&str, Vec<&SecretUse>> = BTreeMap::new();
    for secret in wanted {
        uses.entry(&secret.lookup).or_default().push(secret);
    }
    let landscaper = [SecretSource::Env { prefix: String::new() }];
    let sources = if sources.is_empty() { &landscaper } else { sources };
    let mut values = BTreeMap::new();
    let mut diagnostics = Vec::new();
    for (name, uses) in uses {
        match find(name, sources, from) {
            Ok(value) => {
                values.insert(name.to_owned(), value);
            }
            Err(diagnostic) => {
                diagnostics.push(uses.iter().enumerate().fold(diagnostic, |d, (n, secret)| {
                    if n == 0 { d.at(secret.span, "asked for here") } else { d.also(secret.span, "and here") }
                }));
            }
        }
    }
    (values, diagnostics)
}

fn find(name: &str, sources: &[SecretSource], from: &Lookup<'_>) -> Result<SecretValue, Diagnostic> {
    let mut missed = Vec::new();
    for source in sources {
        let found = match source {
            SecretSource::Env { prefix } => variable(prefix, name, from.env),
            SecretSource::Files { directory } => file(name, directory, from.tree)?,
            SecretSource::Secret { namespace, name: secret } => key(name, namespace, secret, from.cluster),
        };
        match found {
            Ok(value) => return Ok(value),
            Err(why) => missed.push(why),
        }
    }
    Err(Diagnostic::error(
        "secret-not-found",
        format!("the secret `{name}` is not found: {}", missed.join(", ")),
    )
    .help("give it a value there, or correct its name"))
}

/// The outer error of [`file()`] ends the search; the inner one says why this source does not have it.
type Found = Result<SecretValue, String>;

fn variable(prefix: &str, name: &str, env: &dyn Fn(&str) -> Option<OsString>) -> Found {
    let variable = format!("{prefix}{}", name.to_uppercase().replace('-', "_"));
    match env(&variable) {
        None => Err(format!("the environment variable `{variable}` is not set")),
        Some(value) if value.is_empty() => Err(format!("the environment variable `{variable}` is empty")),
        Some(value) => Ok(SecretValue::new(value.into_encoded_bytes())),
    }
}

fn file(name: &str, directory: &str, tree: &Tree) -> Result<Found, Diagnostic> {
    let shown = format!("{}/{name}", directory.trim_end_matches('/'));
    if name.is_empty()
        || name.starts_with('.')
        || name.contains(['/', '\\'])
        || name.chars().any(char::is_control)
    {
        return Err(Diagnostic::error(
            "secret-name",
            format!("the secret `{}` cannot be the name of a file", name.escape_debug()),
        )
        .help("use letters, digits, `-`, `_` and `.`"));
    }
    let missing = || Ok(Err(format!("the file `{shown}` does not exist")));
    let opened = if Path::new(directory).is_absolute() {
        Tree::directory(Path::new(directory))
    } else {
        tree.subtree(directory)
    };
    // A directory that is missing is one that does not have the secret; one that cannot be read is not.
    let read = match opened {
        Err(source::Error::Unreadable { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
            return missing();
        }
        opened => opened.and_then(|folder| folder.read(name)),
    };
    let mut bytes = match read {
        Ok(bytes) => bytes,
        Err(source::Error::NotFound { .. }) => return missing(),
        Err(error) => {
            let message =
                format!("the secret `{name}` cannot be read from `{directory}`: {}", error.summary());
            return Err(Diagnostic::error("secret-unreadable", message).help(error.advice()));
        }
    };
    for end in [b'\n', b'\r'] {
        if bytes.last() == Some(&end) {
            bytes.pop();
        } else {
            break;
        }
    }
    if bytes.is_empty() {
        bytes.zeroize();
        return Ok(Err(format!("the file `{shown}` is empty")));
    }
    Ok(Ok(SecretValue::new(bytes)))
}

fn key(name: &str, namespace: &str, secret: &str, cluster: &ClusterSecrets) -> Found {
    match cluster.get(&(namespace.to_owned(), secret.to_owned())) {
        None => Err(format!("the Secret `{namespace}/{secret}` does not exist in the cluster")),
        Some(keys) => match keys.get(name) {
            None => Err(format!("the Secret `{namespace}/{secret}` has no key `{name}`")),
            Some(value) if value.expose().is_empty() => {
                Err(format!("the key `{name}` of the Secret `{namespace}/{secret}` is empty"))
            }
            Some(value) => Ok(value.clone()),
        },
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests end by panicking")]
mod tests {
    use std::fs;

    use crate::diagnostic::{Files, Span};

    use super::*;

    struct World {
        folder: tempfile::TempDir,
        env: BTreeMap<String, String>,
        cluster: ClusterSecrets,
    }

    impl World {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            fs::create_dir(folder.path().join("secrets")).unwrap();
            Self { folder, env: BTreeMap::new(), cluster: BTreeMap::new() }
        }

        fn variable(mut self, name: &str, value: &str) -> Self {
            self.env.insert(name.to_owned(), value.to_owned());
            self
        }

        fn file(self, name: &str, bytes: &[u8]) -> Self {
            fs::write(self.folder.path().join("secrets").join(name), bytes).unwrap();
            self
        }

        fn key(mut self, key: &str, bytes: &[u8]) -> Self {
            let keys = self.cluster.entry(("ns".to_owned(), "store".to_owned())).or_default();
            keys.insert(key.to_owned(), SecretValue::new(bytes.to_vec()));
            self
        }

        /// The value of `name`, or code and message.
        fn check(&self, name: &str, sources: &[SecretSource]) -> Result<Vec<u8>, (&'static str, String)> {
            let files = Files::new();
            let span = Span::new(files.add("a.yaml", "secrets: [x]", false), 10..11);
            let wanted =
                [SecretUse { lookup: name.to_owned(), span }, SecretUse { lookup: name.to_owned(), span }];
            let tree = Tree::directory(self.folder.path()).unwrap();
            let env = |name: &str| self.env.get(name).map(OsString::from);
            let from = Lookup { env: &env, tree: &tree, cluster: &self.cluster };
            let (mut values, diagnostics) = resolve(&wanted, sources, &from);
            assert_eq!(values.len() + diagnostics.len(), 1);
            for diagnostic in &diagnostics {
                assert_eq!(diagnostic.labels.iter().filter(|l| l.primary).count(), 1);
                assert_eq!(diagnostic.labels.len(), 2, "every place that asks is named");
                assert!(!format!("{diagnostic:?}").contains("hunter2"));
            }
            match values.remove(name) {
                Some(value) => Ok(value.expose().to_vec()),
                None => Err((diagnostics[0].code, diagnostics[0].message.clone())),
            }
        }
    }

    fn env(prefix: &str) -> SecretSource {
        SecretSource::Env { prefix: prefix.to_owned() }
    }

    fn files() -> SecretSource {
        SecretSource::Files { directory: "secrets/".to_owned() }
    }

    fn store() -> SecretSource {
        SecretSource::Secret { namespace: "ns".to_owned(), name: "store".to_owned() }
    }

    fn missing(message: &str) -> Result<Vec<u8>, (&'static str, String)> {
        Err(("secret-not-found", message.to_owned()))
    }

    #[test]
    fn the_environment_is_asked_in_landscapers_way() {
        let world = World::new().variable("REMOTE_WRITE.PASSWORD", "hunter2").variable("EMPTY", "");
        assert_eq!(world.check("remote-write.password", &[]), Ok(b"hunter2".to_vec()));
        let unset = "the secret `not-set` is not found: the environment variable `NOT_SET` is not set";
        assert_eq!(world.check("not-set", &[]), missing(unset));
        let empty = "the secret `empty` is not found: the environment variable `EMPTY` is empty";
        assert_eq!(world.check("empty", &[]), missing(empty));
    }

    #[test]
    fn a_prefix_stands_before_the_name() {
        let world = World::new().variable("app_DB_PASSWORD", "hunter2").variable("DB_PASSWORD", "other");
        assert_eq!(world.check("db-password", &[env("app_")]), Ok(b"hunter2".to_vec()));
    }

    #[test]
    fn a_file_loses_one_line_end() {
        for (written, value) in [
            (&b"hunter2"[..], &b"hunter2"[..]),
            (b"hunter2\n", b"hunter2"),
            (b"hunter2\r\n", b"hunter2"),
            (b"hunter2\n\n", b"hunter2\n"),
            (b" hunter2\r", b" hunter2\r"),
            (b"\0\xff\n", b"\0\xff"),
        ] {
            let world = World::new().file("password", written);
            assert_eq!(world.check("password", &[files()]), Ok(value.to_vec()), "{written:?}");
        }
        let world = World::new().file("password", b"\n");
        let empty = "the secret `password` is not found: the file `secrets/password` is empty";
        assert_eq!(world.check("password", &[files()]), missing(empty));
    }

    #[test]
    fn files_are_read_as_kubernetes_mounts_them() {
        let world = World::new();
        let mount = world.folder.path().join("mount");
        fs::create_dir_all(mount.join("..2024")).unwrap();
        fs::write(mount.join("..2024/password"), "hunter2").unwrap();
        std::os::unix::fs::symlink("..2024", mount.join("..data")).unwrap();
        std::os::unix::fs::symlink("..data/password", mount.join("password")).unwrap();
        let absolute = SecretSource::Files { directory: mount.to_str().unwrap().to_owned() };
        assert_eq!(world.check("password", &[absolute]), Ok(b"hunter2".to_vec()));
        let nowhere = SecretSource::Files { directory: "/nowhere/at-all".to_owned() };
        let message = "the secret `x` is not found: the file `/nowhere/at-all/x` does not exist";
        assert_eq!(world.check("x", &[nowhere]), missing(message));
    }

    #[test]
    fn a_name_is_one_safe_file_name() {
        let world = World::new();
        fs::write(world.folder.path().join("landscape.yaml"), "hunter2").unwrap();
        for name in ["../landscape.yaml", "a/b", "..", ".hidden", "a\\b", "a\nb", ""] {
            let code = world.check(name, &[files(), env("")]).map_err(|(code, _)| code);
            assert_eq!(code, Err("secret-name"), "{name:?}");
        }
        let out = world.folder.path().join("secrets/out");
        std::os::unix::fs::symlink("../../elsewhere", out).unwrap();
        let refused = world.check("out", &[files(), env("")]).map_err(|(code, _)| code);
        assert_eq!(refused, Err("secret-unreadable"));
    }

    #[test]
    fn the_first_source_that_has_it_wins() {
        let world = World::new()
            .variable("A", "from env")
            .variable("EMPTY", "")
            .file("a", b"from file")
            .file("empty", b"from file")
            .key("a", b"from key")
            .key("b", b"from key\n");
        let check = |name: &str, sources: &[SecretSource]| world.check(name, sources).unwrap();
        assert_eq!(check("a", &[env(""), files(), store()]), b"from env");
        assert_eq!(check("a", &[files(), env("")]), b"from file");
        assert_eq!(check("a", &[store(), env("")]), b"from key");
        assert_eq!(check("empty", &[env(""), files()]), b"from file");
        assert_eq!(check("b", &[env(""), files(), store()]), b"from key\n");
        let everywhere = "the secret `c` is not found: the environment variable `C` is not set, the file \
                          `secrets/c` does not exist, the Secret `ns/store` has no key `c`";
        assert_eq!(world.check("c", &[env(""), files(), store()]), missing(everywhere));
        let absent = SecretSource::Secret { namespace: "ns".to_owned(), name: "other".to_owned() };
        let message = "the secret `a` is not found: the Secret `ns/other` does not exist in the cluster";
        assert_eq!(world.check("a", &[absent]), missing(message));
    }
}
