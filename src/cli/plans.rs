//! Plans of several clusters side by side: what `diff`, `apply`, `delete` and `status` begin with.

use std::ffi::OsString;

use futures::future::join_all;

use super::args::{ConnectionArgs, LandscapeArgs, MeantArgs};
use super::exit::Exit;
use super::failure::{Failure, chain};
use super::session::{Loaded, Session};
use crate::cluster::{LeaseError, Target};
use crate::diagnostic::has_errors;
use crate::landscape::Cluster;
use crate::plan::{Intent, Mode};
use crate::reconcile::{self, Charts, Error, Prepared, Proof, Request, Walk, open_charts};

/// A landscape whose charts are open.
pub struct Ground {
    /// The landscape.
    pub loaded: Loaded,
    /// Its charts.
    pub charts: Charts,
}

impl Ground {
    /// Loads the landscape and opens its charts; problems are told here, errors end the command.
    pub fn prepare(session: &Session, arguments: &LandscapeArgs) -> Result<Self, Failure> {
        let mut loaded = session.load(arguments)?;
        let (charts, problems) = open_charts(&loaded.tree, &loaded.landscape, &session.files);
        let mut diagnostics = std::mem::take(&mut loaded.warnings);
        diagnostics.extend(problems);
        let failed = has_errors(&diagnostics);
        session.tell(&mut diagnostics);
        if failed { Err(Failure::Told(Exit::Failed)) } else { Ok(Self { loaded, charts }) }
    }

    /// The walk of one cluster.
    pub fn walk<'a>(&'a self, session: &'a Session, cluster: &'a Cluster) -> Walk<'a> {
        Walk {
            tree: &self.loaded.tree,
            landscape: &self.loaded.landscape,
            cluster,
            charts: &self.charts,
            files: &session.files,
        }
    }
}

/// One cluster of a command.
pub struct Job<'a> {
    /// The cluster.
    pub cluster: &'a Cluster,
    /// How it is reached.
    pub target: Target,
    /// What is asked for and allowed.
    pub intent: Intent,
    /// How what has not changed is told.
    pub proof: Proof,
}

impl<'a> Job<'a> {
    /// The jobs of `clusters`, all with the same intent.
    pub fn all(
        session: &Session,
        ground: &Ground,
        clusters: &[&'a Cluster],
        connection: &ConnectionArgs,
        intent: &Intent,
    ) -> Vec<Self> {
        clusters
            .iter()
            .map(|cluster| Job {
                cluster,
                target: session.target(&ground.loaded.tree, cluster, connection),
                intent: intent.clone(),
                proof: Proof::Quick,
            })
            .collect()
    }

    /// Plans this cluster. What goes wrong is told, and is the `Err`.
    pub async fn prepare(&self, session: &Session, ground: &Ground) -> Result<Prepared, Exit> {
        let variable =
            |name: &str| -> Option<OsString> { session.environment.as_given(name).map(ToOwned::to_owned) };
        let request = Request {
            target: &self.target,
            intent: self.intent.clone(),
            variable: &variable,
            now: session.now(),
            proof: self.proof,
        };
        let walk = ground.walk(session, self.cluster);
        Box::pin(reconcile::prepare(&walk, &request))
            .await
            .map_err(|error| tell(session, &self.cluster.name, error))
    }
}

/// Plans every job side by side, in order.
pub async fn prepare_all(
    session: &Session,
    ground: &Ground,
    jobs: &[Job<'_>],
) -> Vec<Result<Prepared, Exit>> {
    let mut prepared = join_all(jobs.iter().map(|job| job.prepare(session, ground))).await;
    let mut warnings: Vec<_> =
        prepared.iter_mut().flatten().flat_map(|prepared| std::mem::take(&mut prepared.warnings)).collect();
    session.tell(&mut warnings);
    prepared
}

/// What the arguments allow.
pub fn intent(
    session: &Session,
    meant: &MeantArgs,
    selected: Option<std::collections::BTreeSet<String>>,
) -> Result<Intent, Failure> {
    Ok(Intent {
        mode: Mode::Apply,
        selected,
        new_cluster: meant.new_cluster,
        allow_removal: meant.allow_removal.iter().cloned().collect(),
        allow_recreate: meant.allow_recreate.iter().cloned().collect(),
        allow_rewind: meant.allow_rewind,
        allow_dirty: meant.allow_dirty,
        no_prune: meant.no_prune,
        salt: session.salt()?,
        ..Intent::default()
    })
}

/// Tells why a cluster's walk ended early.
pub fn tell(session: &Session, cluster: &str, error: Error) -> Exit {
    match error {
        Error::Problems(mut diagnostics) => session.tell(&mut diagnostics),
        Error::Lease(held @ LeaseError::HeldBy(_)) => {
            session.terminal.say(&format!(
                "cluster `{cluster}`: refused[locked]: {held}; nothing was written to it\n\
                 hint: wait for it to end, or give a longer `--lock-timeout`\n"
            ));
            return Exit::Refused;
        }
        error => {
            session
                .terminal
                .say(&format!("error: cluster `{cluster}`: {}\n", chain(&anyhow::Error::new(error))));
        }
    }
    Exit::Failed
}
