//! When the next pass over one cluster is due, and of what kind. Pure.
//!
//! What has happened comes in with the time at which it happened; [`Schedule::next`] says what follows. Time is a
//! [`Duration`] since the loop began, jitter a number in 0..1, so that every rule is tested without waiting. Nothing
//! here knows clusters, git or tasks.

use std::collections::VecDeque;
use std::time::Duration;

/// How long after a change of an object the pass begins, so that changes that come together are seen together.
const DEBOUNCE: Duration = Duration::from_secs(2);
/// How long changes that keep coming can put it off.
const LONGEST_DEBOUNCE: Duration = Duration::from_secs(5);
/// How often, at least, every object is proven by the server's dry run: defaults and webhooks move without us.
const FULL: Duration = Duration::from_hours(1);
/// The first pause after a failure; it doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause after a failure.
const LONGEST_PAUSE: Duration = Duration::from_mins(15);
/// Over which time corrections are counted.
const CONTEST_WINDOW: Duration = Duration::from_mins(10);
/// How many corrections within it are made without delay. What comes beyond is somebody who changes things back.
const CONTEST_FREE: usize = 5;

/// Why a pass begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// The landscape is new, or another one than before.
    Landscape,
    /// An object that we own was changed.
    Change,
    /// The last pass did not succeed.
    Retry,
    /// It is time.
    Interval,
}

/// One pass over a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pass {
    /// Why.
    pub reason: Reason,
    /// Whether every object goes to the server's dry run.
    pub full: bool,
    /// Whether health is waited for: until the landscape as it is now has been applied once with success. Later
    /// passes only correct, and must not be held up by a pod that does not start.
    pub wait: bool,
}

/// How a pass ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Nothing was to be done.
    Unchanged,
    /// Something was done, all of it.
    Changed,
    /// Something went wrong.
    Failed,
    /// It was refused for safety.
    Refused,
    /// It was cut off, since there is something newer to look at.
    Cut,
    /// Another run wrote meanwhile.
    Moved,
}

/// The schedule of one cluster.
#[derive(Debug)]
pub struct Schedule {
    interval: Duration,
    /// Whether there is a landscape that loads.
    usable: bool,
    landscape: Option<Duration>,
    /// The first change that no pass has looked at yet, and when one will.
    change: Option<(Duration, Duration)>,
    retry: Option<Duration>,
    periodic: Duration,
    full: Duration,
    failures: u32,
    settled: bool,
    current: Option<Pass>,
    corrections: VecDeque<Duration>,
}

impl Schedule {
    /// A schedule for passes every `interval`; nothing is due before [`Schedule::landscape_changed`].
    pub fn new(interval: Duration) -> Self {
        Self {
            interval,
            usable: false,
            landscape: None,
            change: None,
            retry: None,
            periodic: interval,
            full: Duration::ZERO,
            failures: 0,
            settled: false,
            current: None,
            corrections: VecDeque::new(),
        }
    }

    /// There is another landscape now. What has failed before may succeed.
    pub fn landscape_changed(&mut self, now: Duration) {
        self.usable = true;
        self.landscape = Some(now);
        self.failures = 0;
        self.retry = None;
        self.settled = false;
    }

    /// The landscape does not load: what should be is unknown, so nothing is done until it is known again.
    pub fn landscape_lost(&mut self) {
        self.usable = false;
    }

    /// An object that we own was changed.
    pub fn object_changed(&mut self, now: Duration) {
        let debounce = self.debounce(now);
        let first = self.change.map_or(now, |(first, _)| first);
        let latest = first + debounce.max(LONGEST_DEBOUNCE);
        self.change = Some((first, (now + debounce).min(latest)));
    }

    /// When a change is to be looked at; `None` without one.
    pub fn change_due(&self) -> Option<Duration> {
        self.change.map(|(_, due)| due)
    }

    /// When the next pass is due; `None` while there is nothing to go by.
    pub fn next(&self) -> Option<Duration> {
        if !self.usable {
            return None;
        }
        let due = [self.landscape, self.change_due(), self.retry, Some(self.periodic), Some(self.full)];
        due.into_iter().flatten().min()
    }

    /// Begins the pass that is due at `now`. It will see all that has happened so far.
    pub fn begin(&mut self, now: Duration) -> Pass {
        let is_due = |due: Option<Duration>| due.is_some_and(|due| due <= now);
        let reason = if is_due(self.landscape) {
            Reason::Landscape
        } else if is_due(self.change_due()) {
            Reason::Change
        } else if is_due(self.retry) {
            Reason::Retry
        } else {
            Reason::Interval
        };
        let pass = Pass { reason, full: self.full <= now, wait: !self.settled };
        (self.landscape, self.change, self.retry) = (None, None, None);
        self.current = Some(pass);
        pass
    }

    /// The pass that was begun last has ended.
    pub fn end(&mut self, now: Duration, ending: Ending, jitter: f64) {
        let Some(pass) = self.current.take() else { return };
        self.periodic = now + self.interval.mul_f64(0.9 + 0.2 * jitter);
        match ending {
            Ending::Unchanged | Ending::Changed => self.succeeded(now, pass, ending, jitter),
            Ending::Failed | Ending::Refused => {
                self.failures += 1;
                let retry = now + self.pause().mul_f64(0.9 + 0.2 * jitter);
                self.retry = Some(retry);
                self.full = self.full.max(retry);
            }
            Ending::Cut | Ending::Moved => {
                let retry = now + FIRST_PAUSE.mul_f64(0.5 + jitter);
                self.retry = Some(retry);
                self.full = self.full.max(retry);
            }
        }
        // What our own writes did arrives about now.
        if let Some((first, due)) = self.change {
            self.change = Some((first, due.max(now + FIRST_PAUSE)));
        }
    }

    fn succeeded(&mut self, now: Duration, pass: Pass, ending: Ending, jitter: f64) {
        self.failures = 0;
        if pass.full {
            self.full = now + FULL.mul_f64(0.95 - 0.1 * jitter);
        }
        // A landscape that arrived during the pass is not applied yet.
        if self.landscape.is_none() {
            self.settled = true;
        }
        if ending == Ending::Changed {
            if pass.wait {
                // What was applied anew is confirmed once by the server, which is then remembered.
                self.full = now + DEBOUNCE;
            } else {
                self.corrections.push_back(now);
            }
        }
    }

    /// How many passes have failed in a row.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// How long a failure is left alone now, without jitter; zero without failures.
    pub fn pause(&self) -> Duration {
        match self.failures {
            0 => Duration::ZERO,
            n => FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(n - 1)).min(LONGEST_PAUSE),
        }
    }

    /// Whether what we correct keeps being changed back: corrections are made less and less often then, instead of
    /// fighting.
    pub fn is_contested(&self, now: Duration) -> bool {
        self.recent(now) > CONTEST_FREE
    }

    fn recent(&self, now: Duration) -> usize {
        self.corrections.iter().filter(|at| **at + CONTEST_WINDOW > now).count()
    }

    fn debounce(&mut self, now: Duration) -> Duration {
        while self.corrections.front().is_some_and(|at| *at + CONTEST_WINDOW <= now) {
            self.corrections.pop_front();
        }
        let excess = self.corrections.len().saturating_sub(CONTEST_FREE);
        let factor = 2_u32.saturating_pow(u32::try_from(excess).unwrap_or(u32::MAX));
        DEBOUNCE.saturating_mul(factor).min(CONTEST_WINDOW)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_mins(10);
    /// Jitter that changes nothing.
    const NONE: f64 = 0.5;

    fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// A schedule whose landscape is applied and confirmed; the last pass ended at second 10.
    fn settled() -> Schedule {
        let mut schedule = Schedule::new(INTERVAL);
        schedule.landscape_changed(s(0));
        schedule.begin(s(0));
        schedule.end(s(8), Ending::Changed, NONE);
        schedule.begin(s(10));
        schedule.end(s(10), Ending::Unchanged, NONE);
        schedule
    }

    #[test]
    fn nothing_is_due_without_a_landscape() {
        let mut schedule = Schedule::new(INTERVAL);
        schedule.object_changed(s(1));
        assert_eq!(schedule.next(), None);
        schedule.landscape_changed(s(5));
        assert!(schedule.next() <= Some(s(5)), "what was due before is due now");
        assert_eq!(schedule.begin(s(5)), Pass { reason: Reason::Landscape, full: true, wait: true });
        schedule.end(s(6), Ending::Unchanged, NONE);
        schedule.landscape_lost();
        schedule.object_changed(s(7));
        assert_eq!(schedule.next(), None, "unknown means stop");
        schedule.landscape_changed(s(60));
        assert_eq!(schedule.begin(s(60)).reason, Reason::Landscape);
    }

    #[test]
    fn what_was_applied_anew_is_confirmed_in_full_once() {
        let mut schedule = Schedule::new(INTERVAL);
        schedule.landscape_changed(s(0));
        schedule.begin(s(0));
        schedule.end(s(8), Ending::Changed, NONE);
        assert_eq!(schedule.next(), Some(s(10)));
        assert_eq!(schedule.begin(s(10)), Pass { reason: Reason::Interval, full: true, wait: false });
        schedule.end(s(10), Ending::Changed, NONE);
        assert_eq!(schedule.next(), Some(s(10) + INTERVAL), "what it learned is not confirmed again");
    }

    #[test]
    fn the_interval_is_kept_with_jitter() {
        let mut schedule = settled();
        assert_eq!(schedule.next(), Some(s(610)));
        for (jitter, seconds) in [(0.0, 540), (1.0, 660)] {
            let pass = schedule.begin(s(610));
            assert_eq!(pass, Pass { reason: Reason::Interval, full: false, wait: false });
            schedule.end(s(1000), Ending::Unchanged, jitter);
            assert_eq!(schedule.next(), Some(s(1000 + seconds)));
        }
    }

    #[test]
    fn a_full_pass_comes_every_hour_whatever_the_interval() {
        let mut schedule = Schedule::new(Duration::from_hours(5));
        schedule.landscape_changed(s(0));
        assert!(schedule.begin(s(0)).full);
        schedule.end(s(0), Ending::Unchanged, 0.0);
        let due = schedule.next().unwrap();
        assert!(due <= FULL && due > FULL / 2, "{due:?}");
        assert!(schedule.begin(due).full);
        schedule.end(due, Ending::Failed, NONE);
        assert_eq!(schedule.next(), Some(due + FIRST_PAUSE), "a full pass that fails is no busy loop");
        assert!(schedule.begin(due + FIRST_PAUSE).full);
    }

    #[test]
    fn changes_that_come_together_are_seen_together() {
        let mut schedule = settled();
        schedule.object_changed(s(100));
        assert_eq!(schedule.next(), Some(s(102)));
        schedule.object_changed(s(101));
        assert_eq!(schedule.next(), Some(s(103)));
        for second in 102..105 {
            schedule.object_changed(s(second));
        }
        assert_eq!(schedule.next(), Some(s(105)), "they cannot put it off for ever");
        assert_eq!(schedule.begin(s(105)).reason, Reason::Change);
        schedule.end(s(106), Ending::Unchanged, NONE);
        assert_eq!(schedule.next(), Some(s(106) + INTERVAL), "one pass for all");
    }

    #[test]
    fn a_change_during_a_pass_is_looked_at_after_it() {
        let mut schedule = settled();
        schedule.object_changed(s(100));
        schedule.begin(s(102));
        schedule.object_changed(s(103));
        schedule.end(s(130), Ending::Changed, NONE);
        assert_eq!(schedule.next(), Some(s(131)));
    }

    #[test]
    fn failures_are_left_alone_for_longer_and_longer() {
        let mut schedule = settled();
        let mut now = s(610);
        let mut pauses = Vec::new();
        for _ in 0..13 {
            schedule.begin(now);
            schedule.end(now, Ending::Failed, NONE);
            pauses.push(schedule.pause().as_secs());
            now = schedule.next().unwrap();
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]);
        assert_eq!(schedule.failures(), 13);
        schedule.landscape_changed(now);
        assert_eq!((schedule.next(), schedule.pause()), (Some(now), Duration::ZERO), "new input, new hope");
    }

    #[test]
    fn a_failing_cluster_is_still_corrected_at_once() {
        let mut schedule = settled();
        for _ in 0..9 {
            schedule.begin(s(700));
            schedule.end(s(700), Ending::Refused, NONE);
        }
        assert_eq!(schedule.next(), Some(s(700 + 256)));
        schedule.object_changed(s(800));
        assert_eq!(schedule.next(), Some(s(802)));
    }

    #[test]
    fn health_is_waited_for_until_the_landscape_is_applied() {
        let mut schedule = settled();
        schedule.landscape_changed(s(100));
        assert!(schedule.begin(s(100)).wait);
        schedule.end(s(400), Ending::Failed, NONE);
        assert!(
            schedule.begin(s(401)).wait,
            "a dependent must not be written before what it needs is healthy"
        );
        schedule.landscape_changed(s(402));
        schedule.end(s(410), Ending::Cut, NONE);
        assert_eq!(schedule.next(), Some(s(402)));
        assert!(schedule.begin(s(410)).wait);
        schedule.end(s(411), Ending::Unchanged, NONE);
        schedule.object_changed(s(500));
        assert!(!schedule.begin(s(502)).wait);
    }

    #[test]
    fn a_fight_is_slowed_down() {
        let mut schedule = settled();
        let mut now = s(100);
        let (mut corrections, mut contested) = (0, false);
        while now < s(3700) {
            schedule.object_changed(now);
            now = schedule.next().unwrap();
            schedule.begin(now);
            schedule.end(now, Ending::Changed, NONE);
            corrections += 1;
            contested |= schedule.is_contested(now);
        }
        assert!(contested);
        assert!((10..120).contains(&corrections), "{corrections}");
        let later = now + Duration::from_hours(1);
        assert!(!schedule.is_contested(later));
        schedule.begin(later);
        schedule.end(later, Ending::Unchanged, NONE);
        schedule.object_changed(later);
        assert_eq!(schedule.next(), Some(later + DEBOUNCE), "forgiven");
    }
}
