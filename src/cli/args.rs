//! Arguments as typed. What they mean in this environment is worked out in `session`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Keeps the platform layer of many Kubernetes clusters equal to what a git repository says
#[derive(Debug, Parser)]
#[command(
    name = "landskap",
    version,
    propagate_version = true,
    max_term_width = 100,
    arg_required_else_help = true
)]
pub struct Arguments {
    /// When to use colour
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, value_name = "WHEN")]
    pub color: Color,
    /// Say more: -v requests, -vv details, -vvv everything but secrets
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a small landscape to start from
    Init(Init),
    /// Load, validate and render every cluster, and report every problem with its place
    Check(Check),
    /// Print the manifests, Secrets masked
    Render(Render),
    /// List clusters and what is installed where
    List(List),
    /// Show where each value comes from, and where it goes
    Explain(Explain),
    /// Show what an apply would do now
    Diff(Diff),
    /// Make clusters equal to the landscape: diff, ask, apply, prune, wait
    Apply(Apply),
    /// Show components with their health, revision and drift
    Status(Status),
    /// Remove components from a cluster
    Delete(Delete),
    /// Keep clusters equal to the landscape until stopped
    Watch(Watch),
    /// Print a JSON Schema for editors
    Schema(Schema),
    /// Print a shell completion script
    Completions(Completions),
    /// Print or write man pages
    Man(Man),
    /// Print the version
    Version,
}

/// Which landscape.
#[derive(Debug, Clone, Args)]
pub struct LandscapeArgs {
    /// The landscape: a directory or a git URL [default: the one that holds the working directory]
    #[arg(long, value_name = "PATH-OR-GIT-URL", env = "LANDSKAP_LANDSCAPE", help_heading = "Landscape")]
    pub landscape: Option<String>,
    /// The git revision to read: a branch, tag or commit [default: the files as they are]
    #[arg(long, value_name = "REV", help_heading = "Landscape")]
    pub revision: Option<String>,
    /// The Kubernetes version to render for, in place of the cluster's `kubernetesVersion`
    #[arg(long, value_name = "VERSION", help_heading = "Landscape")]
    pub kube_version: Option<crate::object::KubernetesVersion>,
}

/// Which clusters.
#[derive(Debug, Clone, Args)]
pub struct ClusterArgs {
    /// A cluster of the landscape (repeatable)
    #[arg(long = "cluster", value_name = "NAME", help_heading = "Clusters")]
    pub clusters: Vec<String>,
    /// Clusters whose labels match, e.g. `zone=fss,ring!=dev`
    #[arg(
        short = 'l',
        long,
        value_name = "SELECTOR",
        conflicts_with = "clusters",
        help_heading = "Clusters"
    )]
    pub selector: Option<String>,
    /// Every cluster of the landscape
    #[arg(long, conflicts_with_all = ["clusters", "selector"], help_heading = "Clusters")]
    pub all_clusters: bool,
}

/// How a cluster is reached; never which one it is.
#[derive(Debug, Clone, Args)]
pub struct ConnectionArgs {
    /// The kubeconfig file, in place of what cluster.yaml and KUBECONFIG say
    #[arg(long, value_name = "FILE", help_heading = "Connection")]
    pub kubeconfig: Option<PathBuf>,
    /// The context of the kubeconfig, in place of what cluster.yaml says
    #[arg(long, value_name = "NAME", help_heading = "Connection")]
    pub context: Option<String>,
    /// How long any component may take to become healthy, in place of its `wait.timeout`, e.g. `10m`
    #[arg(long, value_name = "DURATION", value_parser = duration, help_heading = "Connection")]
    pub timeout: Option<Duration>,
    /// How many requests may be in flight per cluster
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=256), help_heading = "Connection")]
    pub concurrency: u16,
}

/// The form of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people
    Text,
    /// For programs: versioned and documented
    Json,
}

/// The form of the output.
#[derive(Debug, Clone, Copy, Args)]
pub struct OutputArgs {
    /// The form of the output
    #[arg(short, long, value_enum, default_value_t = Output::Text, value_name = "FORM")]
    pub output: Output,
}

/// What a user means although it is refused otherwise. None of them is lifted by `--yes`.
#[derive(Debug, Clone, Default, Args)]
pub struct MeantArgs {
    /// Write to a cluster that has no record of this landscape yet
    #[arg(long, help_heading = "What is meant")]
    pub new_cluster: bool,
    /// Remove this component or many objects of it (repeatable)
    #[arg(long = "allow-removal", value_name = "COMPONENT", help_heading = "What is meant")]
    pub allow_removal: Vec<String>,
    /// Delete and create again objects of this component whose immutable fields change (repeatable)
    #[arg(long = "allow-recreate", value_name = "COMPONENT", help_heading = "What is meant")]
    pub allow_recreate: Vec<String>,
    /// Apply a revision that does not contain the one applied last
    #[arg(long, help_heading = "What is meant")]
    pub allow_rewind: bool,
    /// Apply uncommitted changes
    #[arg(long, help_heading = "What is meant")]
    pub allow_dirty: bool,
    /// Remove nothing in this run
    #[arg(long, help_heading = "What is meant")]
    pub no_prune: bool,
}

/// `landskap init`.
#[derive(Debug, Args)]
pub struct Init {
    /// Where to write it
    #[arg(default_value = ".", value_name = "DIRECTORY")]
    pub directory: PathBuf,
}

/// `landskap check`.
#[derive(Debug, Args)]
pub struct Check {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub landscape: LandscapeArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub clusters: ClusterArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub output: OutputArgs,
}

/// `landskap render`.
#[derive(Debug, Args)]
pub struct Render {
    /// Only these components
    #[arg(value_name = "COMPONENT")]
    pub components: Vec<String>,
    /// Write one file per object into this directory, one folder per cluster and component
    #[arg(long, value_name = "DIRECTORY")]
    pub output_dir: Option<PathBuf>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub landscape: LandscapeArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub clusters: ClusterArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub output: OutputArgs,
}

/// `landskap list`.
#[derive(Debug, Args)]
pub struct List {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub landscape: LandscapeArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub clusters: ClusterArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub output: OutputArgs,
}

/// `landskap explain`.
#[derive(Debug, Args)]
pub struct Explain {
    /// The component
    #[arg(value_name = "COMPONENT")]
    pub component: String,
    /// A value such as `retention`, or a field such as `Deployment/prometheus:spec.replicas`
    #[arg(value_name = "PATH")]
    pub path: Option<String>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub landscape: LandscapeArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub clusters: ClusterArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub output: OutputArgs,
}

/// `landskap diff`.
#[derive(Debug, Args)]
pub struct Diff {
    /// Only these components
    #[arg(value_name = "COMPONENT")]
    pub components: Vec<String>,
    /// End with 3 when changes are pending, with 4 when an apply would be refused
    #[arg(long)]
    pub exit_code: bool,
    /// Save the plan, to be carried out by `apply --plan`
    #[arg(long, value_name = "FILE")]
    pub plan_out: Option<PathBuf>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub landscape: LandscapeArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub clusters: ClusterArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub connection: ConnectionArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub meant: MeantArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub output: OutputArgs,
}

/// How a writing run goes.
#[derive(Debug, Clone, Args)]
pub struct WriteArgs {
    /// Don't ask. Lifts no refusal
    #[arg(short, long)]
    pub yes: bool,
    /// Don't wait for health
    #[arg(long)]
    pub no_wait: bool,
    /// How long to wait for another run to end
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "5m")]
    pub lock_timeout: Duration,
}

/// `landskap apply`.
#[derive(Debug, Args)]
pub struct Apply {
    /// Only these components
    #[arg(value_name = "COMPONENT")]
    pub components: Vec<String>,
    /// Carry out exactly this saved plan, or say what moved
    #[arg(long, value_name = "FILE", conflicts_with = "components")]
    pub plan: Option<PathBuf>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub write: WriteArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub landscape: LandscapeArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub clusters: ClusterArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub connection: ConnectionArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub meant: MeantArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub output: OutputArgs,
}

/// `landskap status`.
#[derive(Debug, Args)]
pub struct Status {
    /// Only these components
    #[arg(value_name = "COMPONENT")]
    pub components: Vec<String>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub landscape: LandscapeArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub clusters: ClusterArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub connection: ConnectionArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub output: OutputArgs,
}

/// `landskap delete`.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("what").required(true).args(["components", "all"]))]
pub struct Delete {
    /// The components to remove; git must not install them any more
    #[arg(value_name = "COMPONENT")]
    pub components: Vec<String>,
    /// Remove everything that this landscape owns in the cluster
    #[arg(long)]
    pub all: bool,
    /// With `--all` and without a terminal: the name of the cluster to empty
    #[arg(long, value_name = "CLUSTER", requires = "all")]
    pub confirm: Option<String>,
    /// Let go of the objects instead of deleting them
    #[arg(long)]
    pub keep_objects: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub write: WriteArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub landscape: LandscapeArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub clusters: ClusterArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub connection: ConnectionArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub output: OutputArgs,
}

/// `landskap watch`.
#[derive(Debug, Args)]
pub struct Watch {
    /// How often everything is reconciled, give or take 10 %
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "10m")]
    pub interval: Duration,
    /// How often git is asked for a new commit
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "1m")]
    pub git_interval: Duration,
    /// Where to serve /healthz and /metrics
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    pub listen: std::net::SocketAddr,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub landscape: LandscapeArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub clusters: ClusterArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub connection: ConnectionArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub meant: MeantArgs,
}

/// `landskap schema`.
#[derive(Debug, Args)]
pub struct Schema {
    /// Of which file
    #[arg(value_name = "FILE", value_parser = ["landscape", "cluster", "component"])]
    pub file: String,
}

/// `landskap completions`.
#[derive(Debug, Args)]
pub struct Completions {
    /// For which shell
    #[arg(value_name = "SHELL")]
    pub shell: clap_complete::Shell,
}

/// `landskap man`.
#[derive(Debug, Args)]
pub struct Man {
    /// Write one page per command into this directory [default: print the main page]
    #[arg(long, value_name = "DIRECTORY")]
    pub output_dir: Option<PathBuf>,
}

/// Reads `90s`, `5m`, `1h30m`, `2d`.
fn duration(text: &str) -> Result<Duration, String> {
    let span: jiff::SignedDuration =
        text.parse().map_err(|_| format!("`{text}` is not a duration like `90s`, `5m` or `1h30m`"))?;
    Duration::try_from(span).map_err(|_| format!("`{text}` is negative"))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn durations_are_read_as_people_write_them() {
        assert_eq!(duration("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("1h30m"), Ok(Duration::from_secs(5400)));
        assert!(duration("5").is_err());
        assert!(duration("-5m").is_err());
    }
}
