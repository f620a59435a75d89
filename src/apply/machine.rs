//! Which component may do what next: the order of an apply as a pure state machine.
//!
//! Every component is a [`Part`] with a list of [`Step`]s. The machine takes what happened ([`Input`]) and answers
//! with what to start ([`Command`]); it makes no request and keeps no clock, so that every rule of order is tested
//! as data. The rules:
//!
//! - definitions and namespaces of all components go first, after all write-aheads; everything else waits for them;
//! - a component writes only when all that it stands `after` are healthy;
//! - a component that fails stops its dependents, transitively, and nobody else (I11);
//! - what leaves the cluster is removed last, dependents first;
//! - a component that has announced its intent settles its record, whatever became of it;
//! - the record of a component that hands objects over is settled only once their heirs have written.

use crate::plan::Stage;

/// One step of one component.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Write the inventory ahead.
    Intend,
    /// Write the objects of a stage.
    Write(Stage),
    /// Wait until every object is healthy.
    Wait,
    /// Delete what is no longer wanted.
    Remove,
    /// Write the inventory as things are now.
    Settle,
}

impl Step {
    /// Whether all components do this before any goes on by itself.
    fn is_shared(self) -> bool {
        matches!(self, Self::Intend | Self::Write(Stage::Definitions | Stage::Namespaces))
    }
}

/// One component as the machine sees it. Other components are named by their position.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Part {
    /// Its name.
    pub name: String,
    /// What it does, in order; empty when it is left alone.
    pub steps: Vec<Step>,
    /// Components that must be healthy (or, when leaving, gone) first.
    pub after: Vec<usize>,
    /// Components that take objects over from this one.
    pub heirs: Vec<usize>,
    /// Whether it leaves the cluster.
    pub leaving: bool,
    /// Why it cannot even start.
    pub blocked: Vec<String>,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A step went well.
    Done {
        /// Whose.
        part: usize,
    },
    /// A step did not.
    Failed {
        /// Whose.
        part: usize,
        /// Why.
        reasons: Vec<String>,
    },
    /// Start nothing more: a signal, or a lost Lease.
    Stop,
    /// A running step ended early because of the stop.
    Cut {
        /// Whose.
        part: usize,
    },
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Start a step; its end is to be told by an [`Input`].
    Run {
        /// Whose.
        part: usize,
        /// Which.
        step: Step,
    },
    /// It will not be written in this run.
    Skip {
        /// Who.
        part: usize,
        /// `grafana` failed.
        because: String,
    },
    /// It cannot start.
    Fail {
        /// Who.
        part: usize,
        /// Why.
        reasons: Vec<String>,
    },
}

/// How a component came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// All its steps went well.
    Done,
    /// A step failed.
    Failed(Vec<String>),
    /// A component that it needs failed.
    Skipped(String),
    /// The run was stopped before it was through.
    Cut,
}

#[derive(Debug, Default)]
struct Progress {
    /// Position of the next (or running) step.
    next: usize,
    running: bool,
    failed: Vec<String>,
    skipped: Option<String>,
    /// Whether dependents can no longer rely on it.
    lost: bool,
}

/// The state of a run. See the module's documentation.
#[derive(Debug)]
pub struct Machine {
    parts: Vec<Part>,
    progress: Vec<Progress>,
    stopped: bool,
}

impl Machine {
    /// A machine over components in the order of the plan.
    pub fn new(parts: Vec<Part>) -> Self {
        let progress = parts.iter().map(|_| Progress::default()).collect();
        Self { parts, progress, stopped: false }
    }

    /// What to do first.
    pub fn start(&mut self) -> Vec<Command> {
        let mut commands = Vec::new();
        for part in 0..self.parts.len() {
            if !self.parts[part].blocked.is_empty() {
                let reasons = self.parts[part].blocked.clone();
                self.fail(part, reasons.clone());
                commands.push(Command::Fail { part, reasons });
            }
        }
        commands.extend(self.advance());
        commands
    }

    /// What to do after something happened.
    pub fn handle(&mut self, input: Input) -> Vec<Command> {
        match input {
            Input::Done { part } => {
                self.progress[part].running = false;
                self.progress[part].next += 1;
            }
            Input::Failed { part, reasons } => {
                self.progress[part].running = false;
                self.fail(part, reasons);
            }
            Input::Stop => self.stopped = true,
            Input::Cut { part } => {
                self.stopped = true;
                self.progress[part].running = false;
            }
        }
        self.advance()
    }

    /// Whether nothing runs and nothing more will.
    pub fn is_over(&self) -> bool {
        let parts = 0..self.parts.len();
        self.progress.iter().all(|p| !p.running)
            && (self.stopped || parts.into_iter().all(|part| self.has_ended(part)))
    }

    /// How a component came out, once [`Machine::is_over`].
    pub fn end(&self, part: usize) -> End {
        let progress = &self.progress[part];
        if !progress.failed.is_empty() {
            End::Failed(progress.failed.clone())
        } else if let Some(because) = &progress.skipped {
            End::Skipped(because.clone())
        } else if self.has_ended(part) {
            End::Done
        } else {
            End::Cut
        }
    }

    /// Whether a component has any step that writes.
    pub fn writes(&self, part: usize) -> bool {
        self.parts[part].steps.iter().any(|step| *step != Step::Wait)
    }

    /// Whether the step after the one that runs is to settle, and may start at once.
    pub fn settles_after(&self, part: usize) -> bool {
        let next = self.parts[part].steps.get(self.progress[part].next + 1);
        next == Some(&Step::Settle) && self.may_start(part, Step::Settle)
    }

    /// Whether a step of the component has failed, or it is skipped.
    pub fn has_failed(&self, part: usize) -> bool {
        !self.progress[part].failed.is_empty() || self.progress[part].skipped.is_some()
    }

    /// Marks a failure and goes to what has still to be done: settling, if there was an intent.
    fn fail(&mut self, part: usize, reasons: Vec<String>) {
        let step = self.next_step(part);
        let leaving = self.parts[part].leaving;
        let blocked = !self.parts[part].blocked.is_empty();
        let progress = &mut self.progress[part];
        progress.lost |= !matches!(step, Some(Step::Remove | Step::Settle)) || leaving;
        progress.failed.extend(reasons);
        self.give_up(part, !blocked && !matches!(step, Some(Step::Intend | Step::Settle)));
    }

    /// Leaves out all further steps, but for settling if `settle`.
    fn give_up(&mut self, part: usize, settle: bool) {
        let steps = &self.parts[part].steps;
        let settling = steps.iter().position(|step| *step == Step::Settle).filter(|_| settle);
        self.progress[part].next = settling.unwrap_or(steps.len());
    }

    /// Skips and starts whatever can be.
    fn advance(&mut self) -> Vec<Command> {
        let mut commands = Vec::new();
        if self.stopped {
            return commands;
        }
        while let Some((part, because)) = self.next_skip() {
            self.progress[part].skipped = Some(because.clone());
            self.progress[part].lost = true;
            self.give_up(part, self.progress[part].next > 0);
            commands.push(Command::Skip { part, because });
        }
        for part in 0..self.parts.len() {
            let Some(step) = self.next_step(part) else { continue };
            if !self.progress[part].running && self.may_start(part, step) {
                self.progress[part].running = true;
                commands.push(Command::Run { part, step });
            }
        }
        commands
    }

    /// A component that can no longer do its own part because one that it needs is lost.
    fn next_skip(&self) -> Option<(usize, String)> {
        (0..self.parts.len()).find_map(|part| {
            let progress = &self.progress[part];
            let step = self.next_step(part)?;
            if progress.lost || progress.running || matches!(step, Step::Settle) {
                return None;
            }
            let lost = self.parts[part].after.iter().copied().find(|needed| self.progress[*needed].lost)?;
            let name = &self.parts[lost].name;
            let skipped = self.progress[lost].skipped.is_some();
            Some((part, format!("`{name}` {}", if skipped { "was skipped" } else { "failed" })))
        })
    }

    fn next_step(&self, part: usize) -> Option<Step> {
        self.parts[part].steps.get(self.progress[part].next).copied()
    }

    fn may_start(&self, part: usize, step: Step) -> bool {
        let parts = || 0..self.parts.len();
        let Part { after, heirs, leaving, .. } = &self.parts[part];
        match step {
            Step::Intend => true,
            Step::Write(Stage::Definitions | Stage::Namespaces) => {
                parts().all(|other| self.next_step(other) != Some(Step::Intend))
            }
            Step::Remove if *leaving => {
                parts().all(|other| self.parts[other].leaving || self.has_ended(other))
                    && after.iter().all(|needed| self.has_ended(*needed))
            }
            Step::Write(_) | Step::Wait | Step::Remove => {
                parts().all(|other| !self.next_step(other).is_some_and(Step::is_shared))
                    && after.iter().all(|needed| self.is_healthy(*needed))
            }
            Step::Settle => heirs.iter().all(|heir| self.has_written(*heir)),
        }
    }

    /// Whether dependents may rely on it: everything up to the wait went well.
    fn is_healthy(&self, part: usize) -> bool {
        !self.progress[part].lost
            && !matches!(self.next_step(part), Some(Step::Intend | Step::Write(_) | Step::Wait))
    }

    /// Whether it writes no more objects, well or not.
    fn has_written(&self, part: usize) -> bool {
        !matches!(self.next_step(part), Some(Step::Intend | Step::Write(_)))
    }

    fn has_ended(&self, part: usize) -> bool {
        self.next_step(part).is_none()
    }
}

#[cfg(test)]
#[path = "machine_tests.rs"]
mod tests;
