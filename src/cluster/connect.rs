//! From a kubeconfig to a [`Client`], and what goes wrong on the way.
//!
//! Each failure is one sentence with what to do about it. kube's own errors repeat their sources, and may quote
//! the kubeconfig or the output of a credential plugin: none of their text is passed on unseen.

use std::error::Error as StdError;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use kube::client::AuthError;
use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};

use super::error::printable;
use super::limit::IN_FLIGHT;
use super::{Client, Timing};
use crate::diagnostic::nearest;

/// How to reach a cluster. The environment comes in as values: nothing is read from it here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Target {
    /// A kubeconfig given by name; then no other is read.
    pub kubeconfig: Option<PathBuf>,
    /// The context; `None`: the kubeconfig's current one.
    pub context: Option<String>,
    /// Use the service account of the pod that this process runs in.
    pub in_cluster: bool,
    /// The value of `KUBECONFIG`: a list of files, of which the first to say something wins.
    pub kubeconfig_variable: Option<OsString>,
    /// The user's home directory, where `.kube/config` is looked for last.
    pub home: Option<PathBuf>,
    /// The most requests in flight; `None`: 32.
    pub concurrency: Option<usize>,
}

/// Why a cluster cannot be reached.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// No kubeconfig at all.
    #[error("no kubeconfig found: looked at {}; name one with `--kubeconfig` or `KUBECONFIG`", list(.looked_at))]
    NoKubeconfig {
        /// Where it was looked for.
        looked_at: Vec<String>,
    },
    /// A kubeconfig that cannot be used.
    #[error("cannot use the kubeconfig `{}`: {reason}", .path.display())]
    Kubeconfig {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// No context given, and the kubeconfig has no current one.
    #[error("the kubeconfig has no current context; name one with `--context`: {}", list(.known))]
    NoContext {
        /// The contexts that it has.
        known: Vec<String>,
    },
    /// A context that the kubeconfig does not have.
    #[error("the kubeconfig has no context `{context}`{}; it has {}", did_you_mean(.context, .known), list(.known))]
    ContextNotFound {
        /// The context asked for.
        context: String,
        /// The contexts that it has.
        known: Vec<String>,
    },
    /// The pod's service account cannot be used.
    #[error("cannot use the service account of this pod: {reason}")]
    InCluster {
        /// Why.
        reason: String,
    },
    /// The credential plugin failed.
    #[error("the credential plugin `{command}` of the kubeconfig failed: {reason}")]
    Plugin {
        /// Its command, without arguments.
        command: String,
        /// How it failed; never its output.
        reason: String,
    },
    /// Credentials of the kubeconfig that cannot be used.
    #[error("cannot use the credentials of the kubeconfig: {reason}")]
    Credentials {
        /// Why.
        reason: String,
    },
    /// A proxy that cannot be used.
    #[error(
        "cannot reach `{url}` through a proxy: proxies are not supported (kubeconfig `proxy-url` or `HTTPS_PROXY`)"
    )]
    Proxy {
        /// The server's address.
        url: String,
    },
    /// Nobody answers at the address.
    #[error("cannot reach the API server at `{url}`: {reason}")]
    Unreachable {
        /// The server's address.
        url: String,
        /// Why.
        reason: String,
    },
    /// The server's certificate, or ours, is not accepted.
    #[error("cannot trust the API server at `{url}`: {reason}")]
    Tls {
        /// The server's address.
        url: String,
        /// Why.
        reason: String,
    },
    /// The server does not know who we are: expired, revoked or wrong credentials.
    #[error(
        "the API server at `{url}` does not accept the credentials (401): they are wrong or have expired; log in again"
    )]
    Unauthorized {
        /// The server's address.
        url: String,
    },
}

impl ConnectError {
    /// Whether waiting may help.
    pub(super) fn may_pass(&self) -> bool {
        matches!(self, Self::Unreachable { .. })
    }
}

fn list(names: &[String]) -> String {
    const SHOWN: usize = 10;
    if names.is_empty() {
        return "none".into();
    }
    let more = names.len().saturating_sub(SHOWN);
    let shown: Vec<_> = names.iter().take(SHOWN).map(|n| format!("`{n}`")).collect();
    if more > 0 { format!("{} and {more} more", shown.join(", ")) } else { shown.join(", ") }
}

fn did_you_mean(word: &str, known: &[String]) -> String {
    nearest(word, known.iter().map(String::as_str))
        .map(|n| format!(" (did you mean `{n}`?)"))
        .unwrap_or_default()
}

/// Makes rustls use aws-lc-rs. With two providers compiled in (kube, git's and others' libraries) rustls picks
/// none and panics at the first connection, so `main` calls this first. Calling it twice is harmless.
pub fn install_crypto_provider() {
    // An error means that a provider is installed, which is all we want.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}

/// How long a credential plugin may take, a browser login included.
const PLUGIN_PATIENCE: Duration = Duration::from_mins(2);

/// Reads the kubeconfig and makes a client of it. Runs the kubeconfig's credential plugin, if it has one; makes
/// no connection yet.
pub async fn connect(target: &Target) -> Result<Client, ConnectError> {
    install_crypto_provider();
    let mut config = configure(target).await?;
    let url = config.cluster_url.to_string().trim_end_matches('/').to_owned();
    let url = without_credentials(&url);
    config.default_retry = false;
    config.connect_timeout = Some(Duration::from_secs(10));
    // Longer than any watch is quiet; calls have deadlines of their own.
    config.read_timeout = Some(Duration::from_secs(295));
    config.write_timeout = Some(Duration::from_mins(1));
    let agent = concat!("landskap/", env!("CARGO_PKG_VERSION"));
    config.headers.push((http::header::USER_AGENT, http::HeaderValue::from_static(agent)));
    if is_loopback(&config.cluster_url) {
        // Nothing to save but CPU time; and no proxy stands between a machine and itself.
        config.disable_compression = true;
        config.proxy_url = None;
    }
    let in_flight = target.concurrency.unwrap_or(IN_FLIGHT).max(1);
    let http = build(config.clone(), &url).await?;
    // A static credential stays what it is; a token file is read again by itself.
    let renewal = config.auth_info.exec.is_some().then(|| Renewal::new(config));
    Ok(Client::new(http, renewal, url, Timing::default(), in_flight))
}

/// Makes kube's client, which runs the credential plugin and blocks meanwhile.
async fn build(config: kube::Config, url: &str) -> Result<kube::Client, ConnectError> {
    let command = config.auth_info.exec.as_ref().and_then(|e| e.command.clone()).unwrap_or_default();
    let build = tokio::task::spawn_blocking(move || kube::Client::try_from(config));
    let built = match tokio::time::timeout(PLUGIN_PATIENCE, build).await {
        Ok(Ok(built)) => built,
        Ok(Err(_)) => return Err(ConnectError::Credentials { reason: "reading them was cut off".into() }),
        Err(_) => {
            let reason = format!("no credentials within {} s", PLUGIN_PATIENCE.as_secs());
            return Err(ConnectError::Plugin { command, reason });
        }
    };
    built.map_err(|error| match &error {
        kube::Error::Auth(error) => auth_error(error, &command),
        kube::Error::ProxyProtocolDisabled { .. } | kube::Error::ProxyProtocolUnsupported { .. } => {
            ConnectError::Proxy { url: url.to_owned() }
        }
        // Certificates and keys: rustls names what is wrong and quotes nothing.
        other => ConnectError::Credentials { reason: root_cause(other) },
    })
}

/// Runs the credential plugin again when the server no longer accepts what it gave.
pub(super) struct Renewal {
    config: kube::Config,
    /// How often it was done. One at a time: 32 rejected requests ask for one new credential.
    done: tokio::sync::Mutex<u64>,
    seen: AtomicU64,
}

impl Renewal {
    fn new(config: kube::Config) -> Self {
        Self { config, done: tokio::sync::Mutex::new(0), seen: AtomicU64::new(0) }
    }

    /// Which credential is in use: how many there were before.
    pub(super) fn current(&self) -> u64 {
        self.seen.load(Ordering::Acquire)
    }
}

impl Client {
    /// New credentials in place of the `rejected`th, if there is a way to get some. Whether it is worth asking
    /// again.
    pub(super) async fn renew_credentials(&self, rejected: Option<u64>) -> Result<bool, ConnectError> {
        let (Some(renewal), Some(rejected)) = (&self.inner.renewal, rejected) else { return Ok(false) };
        let mut done = renewal.done.lock().await;
        if *done == rejected {
            let http = build(renewal.config.clone(), self.url()).await?;
            *self.inner.http.write().unwrap_or_else(PoisonError::into_inner) = http;
            *done += 1;
            renewal.seen.store(*done, Ordering::Release);
        }
        Ok(true)
    }

    /// Which credential requests are sent with now, if it can be renewed.
    pub(super) fn credential(&self) -> Option<u64> {
        self.inner.renewal.as_ref().map(Renewal::current)
    }
}

async fn configure(target: &Target) -> Result<kube::Config, ConnectError> {
    if target.in_cluster {
        // A pod finds its API server by variables that the kubelet sets; kube reads them itself.
        return kube::Config::incluster_env()
            .map_err(|error| ConnectError::InCluster { reason: root_cause(&error) });
    }
    let files = kubeconfig_files(target)?;
    let mut merged = Kubeconfig::default();
    for path in &files {
        let read = Kubeconfig::read_from(path).and_then(|next| merged.merge(next));
        merged = read.map_err(|error| ConnectError::Kubeconfig {
            path: path.clone(),
            reason: kubeconfig_reason(&error),
        })?;
    }
    let known: Vec<_> = merged.contexts.iter().map(|c| c.name.clone()).collect();
    let current = merged.current_context.clone().filter(|c| !c.is_empty());
    let Some(context) = target.context.clone().or(current) else {
        return Err(ConnectError::NoContext { known });
    };
    if !known.contains(&context) {
        return Err(ConnectError::ContextNotFound { context, known });
    }
    let options = KubeConfigOptions { context: Some(context), ..KubeConfigOptions::default() };
    let first = files.first().cloned().unwrap_or_default();
    kube::Config::from_custom_kubeconfig(merged, &options)
        .await
        .map_err(|error| ConnectError::Kubeconfig { path: first, reason: kubeconfig_reason(&error) })
}

/// Which files make up the kubeconfig, by kubectl's rules: one that is given must exist, of a list those that do.
fn kubeconfig_files(target: &Target) -> Result<Vec<PathBuf>, ConnectError> {
    if let Some(path) = &target.kubeconfig {
        return Ok(vec![path.clone()]);
    }
    let variable = target.kubeconfig_variable.as_ref().filter(|v| !v.is_empty());
    let candidates: Vec<PathBuf> = match variable {
        Some(paths) => std::env::split_paths(paths).filter(|p| !p.as_os_str().is_empty()).collect(),
        None => target.home.iter().map(|home| home.join(".kube/config")).collect(),
    };
    let found: Vec<_> = candidates.iter().filter(|p| Path::exists(p)).cloned().collect();
    if found.is_empty() {
        let looked_at = candidates.iter().map(|p| p.display().to_string()).collect();
        return Err(ConnectError::NoKubeconfig { looked_at });
    }
    Ok(found)
}

/// kube's text quotes the file where it cannot be parsed, and so perhaps a token.
fn kubeconfig_reason(error: &KubeconfigError) -> String {
    match error {
        KubeconfigError::ReadConfig(source, _) => source.to_string(),
        KubeconfigError::Parse(source) => match source.location() {
            Some(location) => format!("not a kubeconfig, at line {}", location.line()),
            None => "not a kubeconfig".into(),
        },
        KubeconfigError::LoadClusterOfContext(cluster) => {
            format!("it has no cluster `{cluster}`, which the context names")
        }
        KubeconfigError::MissingClusterUrl => "the cluster has no `server`".into(),
        KubeconfigError::ParseClusterUrl(_) => "the cluster's `server` is not a URL".into(),
        KubeconfigError::ParseProxyUrl(_) => "the proxy is not a URL".into(),
        KubeconfigError::LoadCertificateAuthority(source) => {
            format!("certificate authority: {}", root_cause(source))
        }
        KubeconfigError::LoadClientCertificate(source) => {
            format!("client certificate: {}", root_cause(source))
        }
        KubeconfigError::LoadClientKey(_) => "the client key cannot be read".into(),
        KubeconfigError::ParseCertificates(_) => "the certificate authority is not PEM".into(),
        KubeconfigError::KindMismatch | KubeconfigError::ApiVersionMismatch => {
            "its kind or version differs from that of the files before it".into()
        }
        _ => "it is not complete".into(),
    }
}

fn auth_error(error: &AuthError, command: &str) -> ConnectError {
    let plugin = |reason: String| ConnectError::Plugin { command: command.to_owned(), reason };
    match error {
        AuthError::AuthExecStart(source) => plugin(source.to_string()),
        // The output may hold a token. What it says on stderr is for the user, and is often there already.
        AuthError::AuthExecRun { out, .. } => {
            let said = String::from_utf8_lossy(&out.stderr);
            let said = said.trim().lines().last().map(|line| printable(line, 200)).unwrap_or_default();
            plugin(if said.is_empty() { out.status.to_string() } else { format!("{}: {said}", out.status) })
        }
        AuthError::AuthExecParse(_) => plugin("what it printed is not an ExecCredential".into()),
        AuthError::ExecPluginFailed => plugin("it gave no credentials".into()),
        AuthError::MissingCommand => plugin("it has no command".into()),
        AuthError::MalformedTokenExpirationDate(_) => plugin("its expiry is not a time".into()),
        AuthError::ReadTokenFile(source, path) => ConnectError::Credentials {
            reason: format!("cannot read the token file `{}`: {source}", path.display()),
        },
        AuthError::InvalidBearerToken(_) | AuthError::InvalidBasicAuth(_) => ConnectError::Credentials {
            reason: "the token or password holds characters that HTTP does not allow".into(),
        },
        _ => ConnectError::Credentials { reason: "the authentication provider failed".into() },
    }
}

fn is_loopback(url: &http::Uri) -> bool {
    let host = url.host().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// `https://user:password@host` without the user information.
fn without_credentials(url: &str) -> String {
    match url.split_once("://").and_then(|(scheme, rest)| Some((scheme, rest.rsplit_once('@')?.1))) {
        Some((scheme, rest)) => format!("{scheme}://{rest}"),
        None => url.to_owned(),
    }
}

/// The error that says why a request never left, if that is known: no connection, no trust, no credentials.
pub(super) fn never_sent(error: &kube::Error, url: &str) -> Option<ConnectError> {
    let chain = || chain(error);
    if let Some(auth) = chain().find_map(|e| e.downcast_ref::<AuthError>()) {
        return Some(auth_error(auth, "of the kubeconfig"));
    }
    let connecting = chain().find_map(|e| e.downcast_ref::<hyper_util::client::legacy::Error>());
    if !connecting.is_some_and(hyper_util::client::legacy::Error::is_connect) {
        return None;
    }
    let url = url.to_owned();
    if let Some(tls) = chain().find_map(|e| e.downcast_ref::<rustls::Error>()) {
        return Some(ConnectError::Tls { url, reason: tls_reason(tls) });
    }
    Some(ConnectError::Unreachable { url, reason: root_cause(error) })
}

fn tls_reason(error: &rustls::Error) -> String {
    use rustls::CertificateError as C;
    match error {
        rustls::Error::InvalidCertificate(C::UnknownIssuer) => {
            "its certificate is not signed by the authority that the kubeconfig names".into()
        }
        rustls::Error::InvalidCertificate(C::Expired | C::ExpiredContext { .. }) => {
            "its certificate has expired".into()
        }
        rustls::Error::InvalidCertificate(C::NotValidForName | C::NotValidForNameContext { .. }) => {
            "its certificate is for another name".into()
        }
        rustls::Error::AlertReceived(alert) => format!("it refuses our certificate ({alert:?})"),
        other => other.to_string(),
    }
}

/// All errors from `error` down to its root. An `io::Error` hides the one it wraps from `source`.
fn chain<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    const DEEPEST: usize = 32;
    std::iter::successors(Some(error), |error: &&'a (dyn StdError + 'static)| deeper(*error)).take(DEEPEST)
}

fn deeper<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a (dyn StdError + 'static)> {
    match error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
        Some(wrapped) => Some(wrapped),
        None => error.source(),
    }
}

/// The text of the innermost error: the one that was not written to repeat another.
pub(super) fn root_cause(error: &(dyn StdError + 'static)) -> String {
    let root = chain(error).last().unwrap_or(error);
    if let Some(io) = root.downcast_ref::<std::io::Error>() {
        match io.kind() {
            std::io::ErrorKind::ConnectionRefused => return "connection refused".into(),
            std::io::ErrorKind::TimedOut => return "no answer in time".into(),
            _ => {}
        }
    }
    printable(&root.to_string(), 300)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kubeconfig(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        file
    }

    fn named(server: &str, user: &str) -> tempfile::NamedTempFile {
        kubeconfig(&format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: one\n\
             clusters: [{{name: c, cluster: {{server: \"{server}\"}}}}]\n\
             contexts: [{{name: one, context: {{cluster: c, user: u}}}}, {{name: prod-fss, context: {{cluster: c, user: u}}}}]\n\
             users: [{{name: u, user: {user}}}]\n"
        ))
    }

    async fn fails(target: Target) -> String {
        connect(&target).await.err().map(|e| e.to_string()).unwrap_or_default()
    }

    #[tokio::test]
    async fn a_wrong_context_lists_those_there_are() {
        let file = named("https://127.0.0.1:1", "{}");
        let target = Target {
            kubeconfig: Some(file.path().into()),
            context: Some("prod-fs".into()),
            ..Target::default()
        };
        assert_eq!(
            fails(target).await,
            "the kubeconfig has no context `prod-fs` (did you mean `prod-fss`?); it has `one`, `prod-fss`"
        );
    }

    #[tokio::test]
    async fn no_kubeconfig_says_where_it_looked() {
        let target = Target { home: Some("/nowhere".into()), ..Target::default() };
        assert!(fails(target).await.starts_with("no kubeconfig found: looked at `/nowhere/.kube/config`;"));
        let target =
            Target { kubeconfig_variable: Some("/a:/b".into()), home: Some("/".into()), ..Target::default() };
        assert!(fails(target).await.starts_with("no kubeconfig found: looked at `/a`, `/b`;"));
        let target = Target { kubeconfig: Some("/nowhere".into()), ..Target::default() };
        assert_eq!(
            fails(target).await,
            "cannot use the kubeconfig `/nowhere`: No such file or directory (os error 2)"
        );
    }

    #[tokio::test]
    async fn the_first_file_of_a_list_wins_and_missing_ones_are_skipped() {
        let (first, second) = (named("https://127.0.0.1:1", "{}"), named("https://127.0.0.1:2", "{}"));
        let paths = std::env::join_paths([Path::new("/nowhere"), first.path(), second.path()]).unwrap();
        let client =
            connect(&Target { kubeconfig_variable: Some(paths), ..Target::default() }).await.unwrap();
        assert_eq!(client.url(), "https://127.0.0.1:1");
    }

    #[tokio::test]
    async fn a_broken_kubeconfig_is_not_quoted() {
        let file = kubeconfig("users:\n- name: u\n  user: {token: s3cr3t-token, token: [\n");
        let text = fails(Target { kubeconfig: Some(file.path().into()), ..Target::default() }).await;
        assert!(
            text.starts_with("cannot use the kubeconfig `") && text.contains("not a kubeconfig"),
            "{text}"
        );
        assert!(!text.contains("s3cr3t"), "{text}");
    }

    #[tokio::test]
    async fn a_failing_plugin_is_named_without_its_output() {
        let plugin = |script: &str| {
            format!(
                "{{exec: {{apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, command: sh, args: [-c, '{script}']}}}}"
            )
        };
        let file = named("https://127.0.0.1:1", &plugin("echo s3cr3t; echo login first >&2; exit 3"));
        let text = fails(Target { kubeconfig: Some(file.path().into()), ..Target::default() }).await;
        assert_eq!(text, "the credential plugin `sh` of the kubeconfig failed: exit status: 3: login first");
        let file = named("https://127.0.0.1:1", &plugin("echo s3cr3t"));
        let text = fails(Target { kubeconfig: Some(file.path().into()), ..Target::default() }).await;
        assert_eq!(
            text,
            "the credential plugin `sh` of the kubeconfig failed: what it printed is not an ExecCredential"
        );
    }

    #[test]
    fn a_url_is_shown_without_credentials() {
        assert_eq!(without_credentials("https://u:p@host:1/x"), "https://host:1/x");
        assert_eq!(without_credentials("https://host"), "https://host");
    }
}
