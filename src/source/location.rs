//! Where a landscape is, as a user writes it.
//!
//! A directory, or a git URL of an allowed kind: `https://`, `ssh://`, `git@host:path`, `file://` (and `http://`
//! on the loopback interface only). Credentials written into a URL are taken out here, once, so that no later
//! stage holds a text that it may not show.

use std::fmt;
use std::path::PathBuf;

use url::Url;
use zeroize::Zeroizing;

use super::scrub::without_userinfo;
use super::{Error, path};

/// Where a landscape is.
#[derive(Debug, Clone)]
pub enum Location {
    /// A directory, in a git working tree or not; a bare repository where a revision is asked for.
    Directory(PathBuf),
    /// A git repository reached by URL.
    Git(Remote),
}

/// A git repository reached by URL.
#[derive(Clone)]
pub struct Remote {
    /// For libgit2: without user information, but for the user name of ssh.
    pub(super) fetched: String,
    /// The same without any user information.
    shown: String,
    /// Of http(s): user name and password of the URL.
    pub(super) userinfo: Option<(String, Zeroizing<String>)>,
    /// Host name; empty for `file://`.
    pub(super) host: String,
    /// Of https and http.
    pub(super) port: Option<u16>,
    /// A folder within the repository (`//folder` at the URL's end); empty for its root.
    pub(super) folder: String,
}

impl Remote {
    /// The URL without user information and without the folder within the repository.
    pub fn url(&self) -> &str {
        &self.shown
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote")
            .field("url", &self.shown)
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Location {
    /// Without credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory(path) => path.display().fmt(f),
            Self::Git(Remote { shown, folder, .. }) if folder.is_empty() => f.write_str(shown),
            Self::Git(Remote { shown, folder, .. }) => write!(f, "{shown}//{folder}"),
        }
    }
}

impl Location {
    /// Reads a location as typed. Looks at no file and no network.
    ///
    /// `URL//folder` names a folder within the repository. `git+https://` is taken for `https://`, likewise for
    /// the other schemes.
    ///
    /// # Errors
    /// [`Error::Location`] for anything else, in particular for a text that starts with `-`, which another
    /// program could take for an option.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let refuse = |reason| {
            Err(Error::Location { text: without_userinfo(&text.escape_debug().to_string()), reason })
        };
        if text.is_empty() {
            return refuse("it is empty");
        }
        if text.starts_with('-') {
            return refuse("it starts with `-`");
        }
        if text.chars().any(char::is_control) {
            return refuse("it contains control characters");
        }
        let plain = text.strip_prefix("git+").unwrap_or(text);
        let Some((scheme, rest)) = plain.split_once("://") else {
            return match scp(text) {
                Some(Ok(remote)) => Ok(Self::Git(remote)),
                Some(Err(reason)) => refuse(reason),
                None => Ok(Self::Directory(PathBuf::from(text))),
            };
        };
        // A folder stands behind `//`; the first `//` of `file:///x` is the scheme's and already gone.
        let (rest, folder) = rest.split_once("//").unwrap_or((rest, ""));
        match remote(&format!("{}://{rest}", scheme.to_ascii_lowercase()), folder) {
            Ok(remote) => Ok(Self::Git(remote)),
            Err(reason) => refuse(reason),
        }
    }
}

fn remote(text: &str, folder: &str) -> Result<Remote, &'static str> {
    let mut url = Url::parse(text).map_err(|_| "it is not a URL")?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err("it has a query or a fragment; a revision is given with `--revision`");
    }
    let host = url.host_str().unwrap_or_default().to_owned();
    match url.scheme() {
        "https" | "ssh" if host.is_empty() => return Err("it has no host"),
        "https" | "ssh" => {}
        "http" if ["localhost", "127.0.0.1", "[::1]"].contains(&host.as_str()) => {}
        "http" => return Err("`http` is not encrypted; use `https`"),
        "file" if host.is_empty() => {}
        "file" => return Err("a `file` URL has no host: it starts with `file:///`"),
        _ => return Err("its scheme is not one of `https`, `ssh` and `file`"),
    }
    if host.starts_with('-') || url.username().starts_with('-') || url.path().starts_with("/-") {
        return Err("a part of it starts with `-`");
    }
    let mut userinfo = None;
    if url.scheme() != "ssh" && (!url.username().is_empty() || url.password().is_some()) {
        userinfo =
            Some((decoded(url.username()), Zeroizing::new(decoded(url.password().unwrap_or_default()))));
        let _ = url.set_username("");
    }
    let _ = url.set_password(None);
    Ok(Remote {
        shown: without_userinfo(url.as_str()).trim_end_matches('/').to_owned(),
        fetched: url.to_string(),
        userinfo,
        host,
        port: url.port_or_known_default(),
        folder: folder_names(folder)?,
    })
}

/// `user@host:path`, Git's short form of ssh. `None` if the text is not of that form.
fn scp(text: &str) -> Option<Result<Remote, &'static str>> {
    let (before, path) = text.split_once(':')?;
    let (user, host) = before.split_once('@')?;
    if before.contains('/') {
        return None;
    }
    let (path, folder) = path.split_once("//").unwrap_or((path, ""));
    if user.is_empty() || host.is_empty() || path.is_empty() {
        return Some(Err("it lacks a user, host or path"));
    }
    if host.starts_with('-') || path.starts_with('-') {
        return Some(Err("a part of it starts with `-`"));
    }
    Some(folder_names(folder).map(|folder| Remote {
        fetched: format!("{user}@{host}:{path}"),
        shown: format!("{host}:{path}"),
        userinfo: None,
        host: host.to_owned(),
        port: None,
        folder,
    }))
}

fn folder_names(folder: &str) -> Result<String, &'static str> {
    match path::names(folder) {
        Ok(names) => Ok(names.join("/")),
        Err(Error::Path { reason, .. }) => Err(reason),
        Err(_) => Err("its folder is not a path"),
    }
}

/// Percent-decoding of user information.
fn decoded(text: &str) -> String {
    url::form_urlencoded::parse(format!("={}", text.replace('+', "%2B").replace('&', "%26")).as_bytes())
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

/// `url` as it may be shown and stored: without user information.
pub(super) fn shown(url: &str) -> String {
    match Location::parse(url) {
        Ok(Location::Git(remote)) => remote.shown,
        _ => without_userinfo(url),
    }
}

/// Whether two origins name the same repository, however it is reached: `git@host:a/b.git`,
/// `ssh://git@host/a/b` and `https://host/a/b/` do.
///
/// For the identity record of a cluster, which CI may write over https and `watch` compare over ssh.
pub fn same_origin(one: &str, other: &str) -> bool {
    comparable(one) == comparable(other)
}

fn comparable(origin: &str) -> String {
    let text = shown(origin);
    let plain = match text.split_once("://") {
        Some(("file", path)) => return path.trim_end_matches('/').to_owned(),
        Some((_, rest)) => rest.to_owned(),
        None if scp(&format!("git@{text}")).is_some() => text.replacen(':', "/", 1),
        None => return text.trim_end_matches('/').to_owned(),
    };
    let plain = plain.trim_end_matches('/').trim_end_matches(".git");
    let (host, path) = plain.split_once('/').unwrap_or((plain, ""));
    let host = host.to_ascii_lowercase();
    let host = host.trim_end_matches(":22").trim_end_matches(":443");
    format!("{host}/{}", path.trim_start_matches('/'))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "tests end by panicking")]
mod tests {
    use super::*;

    fn git(text: &str) -> Remote {
        match Location::parse(text) {
            Ok(Location::Git(remote)) => remote,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn directories_and_urls_are_told_apart() {
        for text in [".", "/srv/x", "a/b@c:d", "platform", "C:x"] {
            assert!(matches!(Location::parse(text), Ok(Location::Directory(_))), "{text}");
        }
        for text in
            ["https://h/x", "ssh://git@h/x", "git@h:o/x.git", "file:///srv/x", "HTTPS://h/x", "git+ssh://h/x"]
        {
            assert!(matches!(Location::parse(text), Ok(Location::Git(_))), "{text}");
        }
    }

    #[test]
    fn unsafe_locations_are_refused() {
        for text in [
            "",
            "-x",
            "--upload-pack=x",
            "git@h:-x",
            "git@-h:x",
            "ssh://-oProxyCommand=x/y",
            "ext::sh -c x",
            "https://",
            "ext://x/y",
            "git://h/x",
            "http://h/x",
            "file://h/x",
            "https://h/x?ref=y",
            "https://h/x#y",
            "https://h/x//../y",
            "a\nb",
            "ssh://h/-x",
        ] {
            let location = Location::parse(text);
            // Not a URL for us: no program is ever started with it.
            let directory = matches!(&location, Ok(Location::Directory(_)));
            assert!(
                matches!(location, Err(Error::Location { .. })) || (directory && text.starts_with("ext::")),
                "{text}"
            );
        }
    }

    #[test]
    fn credentials_are_taken_out() {
        let remote = git("https://bot:s3cr%40t@git.example:8443/o/x.git//platform/");
        assert_eq!(remote.fetched, "https://git.example:8443/o/x.git");
        assert_eq!(remote.folder, "platform");
        let (user, password) = remote.userinfo.clone().unwrap();
        assert_eq!((user.as_str(), password.as_str()), ("bot", "s3cr@t"));
        let debug = format!("{remote:?} {}", Location::Git(remote.clone()));
        assert!(!debug.contains("s3cr") && !debug.contains("bot"), "{debug}");

        let refused = Location::parse("https://bot:hunter2@git.example/x?y").unwrap_err().to_string();
        assert!(!refused.contains("hunter2") && !refused.contains("bot"), "{refused}");
    }

    #[test]
    fn folders_follow_a_double_slash() {
        assert_eq!(git("file:///srv/x.git//a/b").folder, "a/b");
        assert_eq!(git("file:///srv/x.git//a/b").fetched, "file:///srv/x.git");
        assert_eq!(git("git@h:o/x.git//a").folder, "a");
        assert_eq!(Location::parse("git@h:o/x.git//a").unwrap().to_string(), "h:o/x.git//a");
    }

    #[test]
    fn one_repository_has_one_origin() {
        for other in [
            "git@Host:a/b.git",
            "ssh://git@host/a/b",
            "https://u:p@host/a/b/",
            "host:a/b",
            "https://host:443/a/b",
        ] {
            assert!(same_origin("https://host/a/b.git", other), "{other}");
        }
        for other in ["https://host/a/B", "https://other/a/b", "/a/b", "https://host/a"] {
            assert!(!same_origin("https://host/a/b.git", other), "{other}");
        }
        assert!(same_origin("file:///srv/x", "/srv/x/"));
    }
}
