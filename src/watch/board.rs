//! How the loop is doing, for `/healthz`. Plain data behind a lock; the judgement is pure.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How many intervals may go by without a pass.
const PATIENCE: u32 = 3;

/// How the loop is doing.
#[derive(Debug)]
pub struct Board {
    interval: Duration,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    began: Instant,
    /// Why there is no landscape to go by.
    landscape: Option<String>,
    clusters: BTreeMap<String, Cluster>,
}

/// How one cluster is doing.
#[derive(Debug, Clone)]
struct Cluster {
    /// When the last pass ended, or, before the first, when the cluster was first heard of.
    at: Instant,
    /// How long the next may be put off after failures.
    pause: Duration,
    /// In a few words.
    says: String,
}

impl Board {
    /// An empty board of a loop with passes every `interval`, which begins at `now`.
    pub fn new(interval: Duration, now: Instant) -> Self {
        let state = State { began: now, landscape: None, clusters: BTreeMap::new() };
        Self { interval, state: Mutex::new(state) }
    }

    /// Why there is no landscape to go by, if so.
    pub fn landscape(&self, problem: Option<String>) {
        self.state().landscape = problem;
    }

    /// A pass over a cluster ended at `now`, and the next is at most `pause` away if it has failed. One that is not
    /// on the board any more stays away.
    pub fn passed(&self, cluster: &str, now: Instant, pause: Duration, says: String) {
        if let Some(entry) = self.state().clusters.get_mut(cluster) {
            *entry = Cluster { at: now, pause, says };
        }
    }

    /// A cluster is being watched from `now` on.
    pub fn add(&self, cluster: &str, now: Instant) {
        let entry = Cluster { at: now, pause: Duration::ZERO, says: "no pass yet".into() };
        self.state().clusters.entry(cluster.to_owned()).or_insert(entry);
    }

    /// A cluster is not watched any more.
    pub fn remove(&self, cluster: &str) {
        self.state().clusters.remove(cluster);
    }

    /// Whether all is alive at `now`, with a line for each part.
    pub fn judge(&self, now: Instant) -> (bool, String) {
        let state = self.state();
        let mut text = String::new();
        let mut alive = true;
        let overdue = |since: Instant, pause: Duration| {
            now.saturating_duration_since(since) > self.interval.max(pause) * PATIENCE
        };
        if let Some(problem) = &state.landscape {
            let _ = writeln!(text, "landscape: {problem}");
        }
        if state.clusters.is_empty() && overdue(state.began, Duration::ZERO) {
            alive = false;
            text.push_str("no cluster could be watched yet\n");
        }
        for (name, cluster) in &state.clusters {
            let age = now.saturating_duration_since(cluster.at).as_secs();
            let late = overdue(cluster.at, cluster.pause);
            alive &= !late;
            let word = if late { "overdue: " } else { "" };
            let _ = writeln!(text, "{name}: {word}{}, {age} s ago", cluster.says);
        }
        (alive, format!("{}\n{text}", if alive { "ok" } else { "not alive" }))
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_without_a_pass_for_three_intervals_is_told() {
        let (begin, minute) = (Instant::now(), Duration::from_mins(1));
        let board = Board::new(minute, begin);
        assert!(board.judge(begin + 3 * minute).0);
        assert!(!board.judge(begin + 4 * minute).0, "nothing has ever been watched");
        board.add("dev", begin);
        board.add("prod", begin);
        board.passed("dev", begin + 3 * minute, Duration::ZERO, "unchanged".into());
        let (alive, text) = board.judge(begin + 4 * minute);
        assert!(!alive && text.contains("prod: overdue: no pass yet, 240 s ago"), "{text}");
        board.remove("prod");
        let (alive, text) = board.judge(begin + 4 * minute);
        assert_eq!((alive, text.as_str()), (true, "ok\ndev: unchanged, 60 s ago\n"));
    }

    #[test]
    fn a_pause_after_failures_is_no_death() {
        let (begin, minute) = (Instant::now(), Duration::from_mins(1));
        let board = Board::new(minute, begin);
        board.add("dev", begin);
        board.passed("dev", begin, 15 * minute, "failed".into());
        board.passed("gone", begin, minute, "failed".into());
        assert!(board.judge(begin + 40 * minute).0);
        assert!(!board.judge(begin + 46 * minute).0);
    }
}
