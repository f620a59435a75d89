//! One metadata watch per kind that a cluster's plan is about.

use std::collections::{BTreeMap, BTreeSet};

use futures::StreamExt as _;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::cluster::{Changed, Client};
use crate::object::GroupVersionKind;

/// After how many failures in a row a watch ends. The next pass begins it anew, maybe with newer credentials.
const ATTEMPTS: u32 = 5;

/// What a watch of a kind has told.
pub type Told = (GroupVersionKind, Changed);

/// The running watches of one cluster. They end with it.
pub struct Watches {
    sender: mpsc::Sender<Told>,
    running: BTreeMap<GroupVersionKind, JoinHandle<()>>,
}

impl Watches {
    /// None yet. What they tell goes to `sender`.
    pub fn new(sender: mpsc::Sender<Told>) -> Self {
        Self { sender, running: BTreeMap::new() }
    }

    /// Begins and ends watches so that exactly `kinds` are watched. Returns those that no longer are.
    pub fn cover(
        &mut self,
        client: &Client,
        landscape: &str,
        kinds: &BTreeSet<GroupVersionKind>,
    ) -> Vec<GroupVersionKind> {
        self.running.retain(|_, task| !task.is_finished());
        let superfluous: Vec<_> = self.running.keys().filter(|kind| !kinds.contains(kind)).cloned().collect();
        for kind in &superfluous {
            if let Some(task) = self.running.remove(kind) {
                task.abort();
            }
        }
        for kind in kinds {
            if self.running.contains_key(kind) {
                continue;
            }
            // A kind that is not served (yet) is looked at again after the next pass.
            let Ok(stream) = client.watch_metadata(kind, landscape) else { continue };
            let (sender, watched) = (self.sender.clone(), kind.clone());
            let task = tokio::spawn(async move {
                let mut stream = std::pin::pin!(stream);
                let mut failures = 0;
                while let Some(changed) = stream.next().await {
                    failures = if matches!(changed, Changed::Interrupted(_)) { failures + 1 } else { 0 };
                    if sender.send((watched.clone(), changed)).await.is_err() || failures == ATTEMPTS {
                        return;
                    }
                }
            });
            self.running.insert(kind.clone(), task);
        }
        superfluous
    }

    /// Ends all: there is another connection.
    pub fn clear(&mut self) {
        for (_, task) in std::mem::take(&mut self.running) {
            task.abort();
        }
    }
}

impl Drop for Watches {
    fn drop(&mut self) {
        self.clear();
    }
}
