//! Why a walk ended early.

use crate::cluster::{ConnectError, Error as ClusterError, LeaseError, WriteError};
use crate::diagnostic::Diagnostic;

/// Why a walk ended early.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The cluster cannot be reached.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The server did not answer as it should.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// The run Lease cannot be had.
    #[error(transparent)]
    Lease(#[from] LeaseError),
    /// A record cannot be written.
    #[error("cannot write the records of landskap")]
    Record(#[from] WriteError),
    /// What git says is wrong for this cluster.
    #[error("the landscape has problems")]
    Problems(Vec<Diagnostic>),
}
