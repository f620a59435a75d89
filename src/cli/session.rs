//! Arguments as meant: which landscape, which clusters, in which environment.

use std::collections::BTreeSet;
use std::time::SystemTime;

use anyhow::Context;

use super::args::{ClusterArgs, ConnectionArgs, LandscapeArgs};
use super::environment::Environment;
use super::exit::Exit;
use super::failure::Failure;
use super::selector::Selector;
use crate::cluster::Target;
use crate::diagnostic::{Diagnostic, Files, has_errors, nearest};
use crate::landscape::{self, Cluster, Connection, Landscape};
use crate::report::{Terminal, problems};
use crate::source::{self, Location, Tree};

/// What every command works with.
pub struct Session {
    /// Where it writes.
    pub terminal: Terminal,
    /// What it knows of the process.
    pub environment: Environment,
    /// `-v`, counted.
    pub verbose: u8,
    /// Every file that a message may point to.
    pub files: Files,
}

/// A landscape that loaded without errors.
pub struct Loaded {
    /// Its files.
    pub tree: Tree,
    /// What they say.
    pub landscape: Landscape,
    /// Warnings of the load.
    pub warnings: Vec<Diagnostic>,
}

impl Session {
    /// A session in `environment`.
    pub fn new(terminal: Terminal, environment: Environment, verbose: u8) -> Self {
        Self { terminal, environment, verbose, files: Files::new() }
    }

    /// Runs a future to its end on a runtime of its own.
    pub fn block_on<T>(&self, future: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .context("the asynchronous runtime cannot be started")?
            .block_on(future)
    }

    /// Where the landscape is.
    pub fn location(&self, arguments: &LandscapeArgs) -> Result<Location, Failure> {
        match &arguments.landscape {
            Some(text) => Ok(Location::parse(text)?),
            None => {
                Ok(Location::Directory(source::discover(&self.environment.directory).ok_or_else(|| {
                    Failure::Usage(
                    "there is no landscape.yaml here or in a folder above".into(),
                    "name a landscape with --landscape PATH-OR-GIT-URL, or begin one with `landskap init`"
                        .into(),
                )
                })?))
            }
        }
    }

    /// Opens the tree of the landscape.
    pub fn open(&self, arguments: &LandscapeArgs) -> Result<Tree, Failure> {
        let location = self.location(arguments)?;
        Ok(source::load(&location, arguments.revision.as_deref(), &self.source_options())?)
    }

    /// What git needs to know of the machine.
    pub fn source_options(&self) -> source::Options {
        let environment = &self.environment;
        source::Options {
            cache_dir: environment.cache_directory(),
            credentials: source::Credentials {
                token: environment.text("LANDSKAP_GIT_TOKEN").map(|token| token.to_owned().into()),
                ssh_key: environment.variable("LANDSKAP_GIT_SSH_KEY").map(Into::into),
                ssh_passphrase: environment.text("LANDSKAP_GIT_SSH_PASSPHRASE").map(|p| p.to_owned().into()),
            },
        }
    }

    /// Opens and loads the landscape; its problems are told here, errors end the command.
    pub fn load(&self, arguments: &LandscapeArgs) -> Result<Loaded, Failure> {
        let tree = self.open(arguments)?;
        let (landscape, diagnostics) = landscape::load(&tree, &self.files);
        match landscape {
            Some(mut landscape) if !has_errors(&diagnostics) => {
                self.override_version(&mut landscape, arguments);
                Ok(Loaded { tree, landscape, warnings: diagnostics })
            }
            _ => {
                let mut diagnostics = diagnostics;
                self.tell(&mut diagnostics);
                Err(Failure::Told(Exit::Failed))
            }
        }
    }

    /// Renders for `--kube-version` in place of what the clusters say.
    pub fn override_version(&self, landscape: &mut Landscape, arguments: &LandscapeArgs) {
        override_version(landscape, arguments);
    }

    /// Tells problems in order of their places, with a summary.
    pub fn tell(&self, diagnostics: &mut Vec<Diagnostic>) {
        self.files.sort(diagnostics);
        diagnostics.dedup();
        if diagnostics.is_empty() {
            return;
        }
        let terminal = &self.terminal;
        terminal.say(&problems::text(diagnostics, &self.files, terminal.err_paint, terminal.width));
        terminal.say(&format!("{}\n", problems::summary(diagnostics)));
    }

    /// The clusters meant by a command that needs none to be reachable: all by default.
    pub fn clusters<'a>(
        &self,
        landscape: &'a Landscape,
        arguments: &ClusterArgs,
    ) -> Result<Vec<&'a Cluster>, Failure> {
        if arguments.clusters.is_empty() && arguments.selector.is_none() {
            return Ok(landscape.clusters.iter().collect());
        }
        selected(landscape, arguments)
    }

    /// As [`reachable_clusters`].
    #[allow(clippy::unused_self, reason = "reads as what a session does with its arguments")]
    pub fn reachable_clusters<'a>(
        &self,
        landscape: &'a Landscape,
        arguments: &ClusterArgs,
    ) -> Result<Vec<&'a Cluster>, Failure> {
        reachable_clusters(landscape, arguments)
    }

    /// As [`target`].
    pub fn target(&self, tree: &Tree, cluster: &Cluster, arguments: &ConnectionArgs) -> Target {
        target(&self.environment, tree, cluster, arguments)
    }

    /// Whether every named component is installed in one of `clusters`; the names as a set.
    pub fn components(
        &self,
        names: &[String],
        clusters: &[&Cluster],
    ) -> Result<Option<BTreeSet<String>>, Failure> {
        let known: BTreeSet<&str> = clusters
            .iter()
            .flat_map(|c| c.components.iter().map(|component| component.name.as_str()))
            .collect();
        match names.iter().find(|name| !known.contains(name.as_str())) {
            Some(unknown) => Err(Failure::Usage(
                format!("no component `{unknown}` is installed there"),
                match nearest(unknown, known.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("there are {}", known.into_iter().collect::<Vec<_>>().join(", ")),
                },
            )),
            None if names.is_empty() => Ok(None),
            None => Ok(Some(names.iter().cloned().collect())),
        }
    }

    /// 128 random bits as hex.
    pub fn salt(&self) -> Result<String, Failure> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).context("the system gives no random bytes")?;
        Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// Seconds since 1970.
    #[allow(clippy::disallowed_methods, reason = "cli reads the clock for all")]
    pub fn now(&self) -> i64 {
        SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
    }
}

/// Renders for `--kube-version` in place of what the clusters say.
pub fn override_version(landscape: &mut Landscape, arguments: &LandscapeArgs) {
    if let Some(version) = arguments.kube_version {
        for cluster in &mut landscape.clusters {
            cluster.kubernetes_version = Some(version);
        }
    }
}

/// The clusters meant by a command that reaches them: where there are several, they must be named.
pub fn reachable_clusters<'a>(
    landscape: &'a Landscape,
    arguments: &ClusterArgs,
) -> Result<Vec<&'a Cluster>, Failure> {
    let chosen = arguments.all_clusters || !arguments.clusters.is_empty() || arguments.selector.is_some();
    match landscape.clusters.as_slice() {
        [only] if !chosen => Ok(vec![only]),
        several if !chosen => Err(Failure::Usage(
            format!("the landscape has {} clusters; say which", several.len()),
            format!("--cluster NAME, -l SELECTOR or --all-clusters; there are {}", names(landscape)),
        )),
        _ if arguments.all_clusters => Ok(landscape.clusters.iter().collect()),
        _ => selected(landscape, arguments),
    }
}

/// How a cluster is reached: the command line, then cluster.yaml, then the user's kubeconfig. A pod without
/// any kubeconfig uses its service account.
pub fn target(
    environment: &Environment,
    tree: &Tree,
    cluster: &Cluster,
    arguments: &ConnectionArgs,
) -> Target {
    let mut target = Target {
        kubeconfig_variable: environment.variable("KUBECONFIG").map(ToOwned::to_owned),
        home: environment.home(),
        concurrency: Some(usize::from(arguments.concurrency)),
        ..Target::default()
    };
    match &cluster.connection {
        Connection::Unspecified => {}
        Connection::Context(context) => target.context = Some(context.clone()),
        Connection::Kubeconfig { path, context } => {
            let base = tree.on_disk().unwrap_or(&environment.directory);
            target.kubeconfig = Some(base.join(path));
            target.context.clone_from(context);
        }
        Connection::InCluster => target.in_cluster = true,
    }
    if let Some(path) = &arguments.kubeconfig {
        target.kubeconfig = Some(environment.directory.join(path));
        target.in_cluster = false;
    }
    if let Some(context) = &arguments.context {
        target.context = Some(context.clone());
        target.in_cluster = false;
    }
    let says_nothing =
        target.kubeconfig.is_none() && target.context.is_none() && target.kubeconfig_variable.is_none();
    target.in_cluster |= says_nothing && environment.variable("KUBERNETES_SERVICE_HOST").is_some();
    target
}

fn names(landscape: &Landscape) -> String {
    landscape.clusters.iter().map(|c| c.name.as_str()).collect::<Vec<_>>().join(", ")
}

fn selected<'a>(landscape: &'a Landscape, arguments: &ClusterArgs) -> Result<Vec<&'a Cluster>, Failure> {
    if let Some(text) = &arguments.selector {
        let selector: Selector = text.parse().map_err(|message| Failure::Usage(message, String::new()))?;
        let matching: Vec<_> = landscape.clusters.iter().filter(|c| selector.matches(&c.labels)).collect();
        if matching.is_empty() {
            return Err(Failure::Usage(
                format!("no cluster matches `{text}`"),
                "`landskap list` shows clusters with their labels".into(),
            ));
        }
        return Ok(matching);
    }
    let find = |name: &String| {
        landscape.clusters.iter().find(|c| c.name == *name).ok_or_else(|| {
            let near = nearest(name, landscape.clusters.iter().map(|c| c.name.as_str()));
            Failure::Usage(
                format!("the landscape has no cluster `{name}`"),
                near.map_or_else(
                    || format!("there are {}", names(landscape)),
                    |near| format!("did you mean `{near}`?"),
                ),
            )
        })
    };
    arguments.clusters.iter().collect::<BTreeSet<_>>().into_iter().map(find).collect()
}
