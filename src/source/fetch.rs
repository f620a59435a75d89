//! Talking to a remote repository: which commit a revision is there, and fetching what is missing of it.
//!
//! Credentials go only to the host and port of the URL that the user gave. Host keys must be in the user's
//! `known_hosts` and //! certificates be signed by an authority of the system: libgit2 checks both, and nothing here overrules it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;
use std::sync::Once;

use git2::{
    AutotagOption, Config, Cred, CredentialType, Direction, ErrorClass, ErrorCode, FetchOptions, Oid,
    ProxyOptions, RemoteCallbacks, RemoteRedirect, Repository,
};
use url::Url;
use zeroize::Zeroizing;

use super::Error;
use super::cache::key;
use super::history::{self, Spec};
use super::location::Remote;
use super::scrub::scrub;

/// Milliseconds without an answer after which a server is given up. Servers that prepare a large pack say so
/// every few seconds.
const PATIENCE: i32 = 60_000;

/// Credentials for remote repositories. Tried in this order: those in the URL, `token`, the credential helpers of
/// the user's git configuration; for ssh `ssh_key`, then the ssh agent.
#[derive(Clone, Default)]
pub struct Credentials {
    /// For http(s): given as password. The user name is the URL's, else `x-access-token`, then `oauth2`.
    pub token: Option<Zeroizing<String>>,
    /// A private key file.
    pub ssh_key: Option<PathBuf>,
    /// What the key file is encrypted with.
    pub ssh_passphrase: Option<Zeroizing<String>>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("token", &self.token.is_some())
            .field("ssh_key", &self.ssh_key)
            .finish_non_exhaustive()
    }
}

/// A commit and the reference that led to it.
pub(super) type Resolved = (Oid, Option<String>);

/// Why a revision could not be had.
pub(super) enum Failure {
    /// A finished answer.
    Said(Error),
    /// libgit2's error, not yet scrubbed.
    Git(git2::Error),
}

impl From<git2::Error> for Failure {
    fn from(error: git2::Error) -> Self {
        Self::Git(error)
    }
}

impl Failure {
    /// The error for the user.
    pub(super) fn into_error(self, remote: &Remote, credentials: &Credentials) -> Error {
        let error = match self {
            Self::Said(error) => return error,
            Self::Git(error) => error,
        };
        let mut secrets: Vec<&str> = Vec::new();
        secrets.extend(credentials.token.as_ref().map(|t| t.as_str()));
        secrets.extend(credentials.ssh_passphrase.as_ref().map(|t| t.as_str()));
        secrets.extend(remote.userinfo.as_ref().map(|(_, password)| password.as_str()));
        Error::Fetch {
            origin: remote.url().to_owned(),
            detail: scrub(error.message(), &secrets),
            advice: match (error.code(), error.class()) {
                (ErrorCode::Auth, _) => {
                    "give a token or an ssh key that may read the repository, or set up a git credential helper"
                }
                (ErrorCode::Certificate, ErrorClass::Ssh) => {
                    "check the server's host key and add it to your `known_hosts`; unknown hosts are never trusted"
                }
                (ErrorCode::Certificate, _) | (_, ErrorClass::Ssl) => {
                    "add the authority that signed the server's certificate to those of the system"
                }
                _ => "check the URL, the network, and that the repository exists and may be read",
            },
        }
    }
}

/// One advertised reference.
struct Head {
    name: String,
    id: Oid,
    /// What a symbolic reference points to.
    target: Option<String>,
}

/// Finds the commit of `spec` in `remote`, fetching into `repository` what is missing. A whole commit that is
/// there already needs no network.
pub(super) fn resolve(
    repository: &Repository,
    remote: &Remote,
    spec: &Spec,
    credentials: &Credentials,
) -> Result<Resolved, Failure> {
    let unknown = || {
        let revision = format!("{}{}", spec.base, spec.steps);
        Failure::Said(Error::Revision { revision, origin: remote.url().to_owned() })
    };
    if let Some(id) = spec.whole_commit() {
        if let Some(commit) = history::step(repository, id, &spec.steps) {
            return Ok((commit, None));
        }
        // Many servers give a commit by its id; the others are asked for everything.
        let exact = transfer(repository, remote, credentials, &mut |_| Ok(vec![kept(&id.to_string())]));
        if exact.is_err() || history::step(repository, id, &spec.steps).is_none() {
            transfer(repository, remote, credentials, &mut |heads| Ok(everything(repository, heads)))?;
        }
        return Ok((history::step(repository, id, &spec.steps).ok_or_else(unknown)?, None));
    }
    let mut found = None;
    transfer(repository, remote, credentials, &mut |heads| {
        found = pick(heads, &spec.base, remote.url())?;
        Ok(match &found {
            Some((_, id)) if has(repository, *id) => Vec::new(),
            Some((name, _)) => vec![kept(name)],
            None if spec.base == "HEAD" => Vec::new(),
            None => everything(repository, heads),
        })
    })?;
    if let Some((name, id)) = found {
        let reference = Some(history::short(&name)).filter(|name| spec.steps.is_empty() && name != "HEAD");
        return Ok((history::step(repository, id, &spec.steps).ok_or_else(unknown)?, reference));
    }
    let id = history::by_prefix(repository, &spec.base, remote.url())
        .map_err(Failure::Said)?
        .ok_or_else(unknown)?;
    Ok((history::step(repository, id, &spec.steps).ok_or_else(unknown)?, None))
}

/// The advertised reference that `base` names.
fn pick(heads: &[Head], base: &str, origin: &str) -> Result<Option<history::Found>, Failure> {
    let by_name: BTreeMap<&str, &Head> = heads.iter().map(|head| (head.name.as_str(), head)).collect();
    if base == "HEAD" {
        return Ok(by_name
            .get("HEAD")
            .map(|head| (head.target.clone().unwrap_or("HEAD".to_owned()), head.id)));
    }
    // The commit of an annotated tag is advertised under the tag's name with `^{}`.
    let commit = |id: Oid| {
        let tag = heads
            .iter()
            .find(|head| head.id == id && by_name.contains_key(format!("{}^{{}}", head.name).as_str()));
        tag.and_then(|tag| by_name.get(format!("{}^{{}}", tag.name).as_str())).map_or(id, |head| head.id)
    };
    let find = |name: &str| by_name.get(name).map(|head| head.id);
    history::choose(base, origin, find, |a, b| commit(a) == commit(b)).map_err(Failure::Said)
}

/// Refspecs of all branches and tags that are not here yet.
fn everything(repository: &Repository, heads: &[Head]) -> Vec<String> {
    heads
        .iter()
        .filter(|head| head.name.starts_with("refs/heads/") || head.name.starts_with("refs/tags/"))
        .filter(|head| !head.name.ends_with("^{}") && !has(repository, head.id))
        .map(|head| kept(&head.name))
        .collect()
}

/// A refspec that keeps `name` under a name of our own. The names are flat hashes: a branch `a` that becomes
/// `a/b` could not be stored under its own name while the old one is there.
fn kept(name: &str) -> String {
    format!("+{name}:refs/landskap/{}", key(name))
}

fn has(repository: &Repository, id: Oid) -> bool {
    repository.odb().is_ok_and(|database| database.exists(id))
}

/// Says which refspecs to fetch, given what the remote advertises.
type Want<'a> = dyn FnMut(&[Head]) -> Result<Vec<String>, Failure> + 'a;

/// Connects, lists the references, and fetches the refspecs that `want` asks for.
fn transfer(
    repository: &Repository,
    remote: &Remote,
    credentials: &Credentials,
    want: &mut Want<'_>,
) -> Result<(), Failure> {
    limit_patience();
    let mut git = repository.remote_anonymous(&remote.fetched)?;
    let mut connection =
        git.connect_auth(Direction::Fetch, Some(callbacks(remote, credentials)), Some(proxy()))?;
    let heads: Vec<Head> = connection
        .list()?
        .iter()
        .map(|head| Head {
            name: head.name().to_owned(),
            id: head.oid(),
            target: head.symref_target().map(str::to_owned),
        })
        .collect();
    let refspecs = want(&heads)?;
    if refspecs.is_empty() {
        return Ok(());
    }
    let mut options = FetchOptions::new();
    options
        .remote_callbacks(callbacks(remote, credentials))
        .proxy_options(proxy())
        .download_tags(AutotagOption::None)
        .follow_redirects(RemoteRedirect::None)
        .update_fetchhead(false);
    connection.remote().fetch(&refspecs, Some(&mut options), None)?;
    Ok(())
}

/// Proxies as the user's git configuration says.
fn proxy<'a>() -> ProxyOptions<'a> {
    let mut proxy = ProxyOptions::new();
    proxy.auto();
    proxy
}

fn callbacks<'a>(remote: &'a Remote, credentials: &'a Credentials) -> RemoteCallbacks<'a> {
    let mut callbacks = RemoteCallbacks::new();
    let mut tried = BTreeSet::new();
    callbacks.credentials(move |url, user, allowed| {
        next(remote, credentials, &mut tried, (url, user, allowed)).unwrap_or_else(|| {
            let message = "the server asks for credentials and accepted none of those that there are";
            Err(git2::Error::new(ErrorCode::Auth, ErrorClass::Callback, message))
        })
    });
    callbacks
}

/// The next credential that has not been tried. libgit2 asks again after each refusal.
fn next(
    remote: &Remote,
    credentials: &Credentials,
    tried: &mut BTreeSet<&'static str>,
    (url, user, allowed): (&str, Option<&str>, CredentialType),
) -> Option<Result<Cred, git2::Error>> {
    if allowed.contains(CredentialType::USERNAME) {
        return tried.insert("name").then(|| Cred::username(user.unwrap_or("git")));
    }
    if allowed.contains(CredentialType::SSH_KEY) {
        let user = user.unwrap_or("git");
        if let Some(key) = &credentials.ssh_key
            && tried.insert("key")
        {
            let passphrase = credentials.ssh_passphrase.as_ref().map(|p| p.as_str());
            return Some(Cred::ssh_key(user, None, key, passphrase));
        }
        return tried.insert("agent").then(|| Cred::ssh_key_from_agent(user));
    }
    let parsed = Url::parse(url).ok()?;
    if !allowed.contains(CredentialType::USER_PASS_PLAINTEXT) || !parsed.scheme().starts_with("http") {
        return None;
    }
    if parsed.host_str() == Some(&remote.host) && parsed.port_or_known_default() == remote.port {
        let (name, password) = match &remote.userinfo {
            Some((name, password)) => (name.as_str(), password.as_str()),
            None => ("", ""),
        };
        // `https://NAME@host` with a token means: this name, that token. Alone it is a token itself.
        let lone_name = password.is_empty() && credentials.token.is_some();
        if remote.userinfo.is_some() && !lone_name && tried.insert("url") {
            return Some(Cred::userpass_plaintext(name, password));
        }
        if let Some(token) = &credentials.token {
            let default = if name.is_empty() || !lone_name { "x-access-token" } else { name };
            if tried.insert("token") {
                return Some(Cred::userpass_plaintext(default, token));
            }
            if tried.insert("oauth2") {
                return Some(Cred::userpass_plaintext("oauth2", token));
            }
        }
    }
    if !tried.insert("helper") {
        return None;
    }
    // Only the user's own configuration: `open_default` reads no repository's.
    Config::open_default().and_then(|config| Cred::credential_helper(&config, url, user)).ok().map(Ok)
}

/// Makes libgit2 give up on servers that fall silent; its default is to wait for ever.
#[allow(unsafe_code, reason = "libgit2 keeps its timeouts in two global integers")]
fn limit_patience() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: the integers are read only by libgit2's network code, which runs only after this call: every
        // network operation of the program passes through `transfer`, and `Once` orders the threads.
        let set = unsafe {
            git2::opts::set_server_connect_timeout_in_milliseconds(PATIENCE)
                .and_then(|()| git2::opts::set_server_timeout_in_milliseconds(PATIENCE))
        };
        if set.is_err() {
            tracing::warn!("cannot set the timeout of git servers; one that falls silent is waited for");
        }
    });
}
