//! The driver: starts what the machine says, tells the machine what happened, and reports.
//!
//! Everything runs in one task; requests are concurrent, decisions are not. The state of a component
//! ([`Work`]) travels with its running step, so that nothing is locked.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use jiff::Timestamp;

use super::event::{Event, ObjectEvent, Phase};
use super::machine::{Command, End, Input, Machine, Step};
use super::outcome::{ComponentOutcome, ComponentResult, Counts, Interruption, Outcome};
use super::{Options, begin, masking, memory, parts, remove, settle, wait, write};
use crate::cluster::Client;
use crate::landscape::HealthRule;
use crate::object::ObjectRef;
use crate::plan::{
    ComponentPlan, Desired, DesiredObject, Inventory, Live, Observation, Operation, Plan, Presence,
};

/// Why a step did not end well.
#[derive(Debug)]
pub enum Stopped {
    /// Something went wrong, one sentence each.
    Failed(Vec<String>),
    /// The run is being stopped; what was in flight is recorded.
    Cut,
}

impl Stopped {
    /// With one reason.
    pub fn because(reason: impl Into<String>) -> Self {
        Self::Failed(vec![reason.into()])
    }
}

/// What all steps share.
pub struct Run<'a> {
    pub client: &'a Client,
    pub plan: &'a Plan,
    pub desired: BTreeMap<&'a ObjectRef, &'a DesiredObject>,
    /// By component.
    rules: BTreeMap<&'a str, &'a [HealthRule]>,
    pub observation: &'a Observation,
    pub options: &'a Options,
    pub masks: masking::Masks,
    events: &'a (dyn Fn(Event) + Sync),
    writes: AtomicU64,
    /// Objects that carry the mark of the component that wants them.
    taken: Mutex<BTreeSet<&'a ObjectRef>>,
    /// One discovery at a time.
    pub discovering: tokio::sync::Mutex<()>,
}

/// The state of one component in the run.
pub struct Work<'a> {
    pub component: &'a ComponentPlan,
    /// As it is to be written next.
    pub inventory: Inventory,
    /// What objects were when last seen.
    pub live: BTreeMap<&'a ObjectRef, Live>,
    /// When objects were written in this run.
    pub written: BTreeMap<&'a ObjectRef, Timestamp>,
    /// Whether the next step is to settle, which will record this one too.
    pub settles_next: bool,
    /// Whether an earlier step failed.
    pub has_failed: bool,
    pub counts: Counts,
}

impl<'a> Run<'a> {
    pub fn new(
        client: &'a Client,
        plan: &'a Plan,
        desired: &'a Desired,
        observation: &'a Observation,
        options: &'a Options,
        events: &'a (dyn Fn(Event) + Sync),
    ) -> Self {
        let objects = || desired.components.iter().flat_map(|component| &component.objects);
        Self {
            client,
            plan,
            desired: objects().map(|object| (&object.reference, object)).collect(),
            rules: desired.components.iter().map(|c| (c.name.as_str(), c.health.as_slice())).collect(),
            observation,
            options,
            masks: masking::Masks::of(objects(), observation.live.iter()),
            events,
            writes: AtomicU64::new(0),
            taken: Mutex::new(already_taken(plan)),
            discovering: tokio::sync::Mutex::default(),
        }
    }

    /// The health rules of a component.
    pub fn rules(&self, component: &str) -> &'a [HealthRule] {
        self.rules.get(component).copied().unwrap_or_default()
    }

    /// Tells that something happened.
    pub fn tell(&self, event: Event) {
        (self.events)(event);
    }

    pub fn phase(&self, component: &str, phase: Phase) {
        self.tell(Event::Component { component: component.to_owned(), phase });
    }

    pub fn object(&self, component: &str, object: &ObjectRef, what: ObjectEvent) {
        self.tell(Event::Object { component: Some(component.to_owned()), object: object.clone(), what });
    }

    /// Counts one write request.
    pub fn count_write(&self) {
        self.writes.fetch_add(1, Ordering::Relaxed);
    }

    /// Notes that an object carries the mark of the component that wants it.
    pub fn take(&self, reference: &'a ObjectRef) {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).insert(reference);
    }

    pub fn is_taken(&self, reference: &ObjectRef) -> bool {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).contains(reference)
    }

    /// Whether nothing new may be written.
    pub fn is_stopping(&self) -> bool {
        self.options.stop.borrow().is_some()
    }

    /// Sleeps, but not through a stop.
    pub async fn sleep(&self, duration: Duration) -> Result<(), Stopped> {
        tokio::select! {
            () = tokio::time::sleep(duration) => Ok(()),
            _ = stopped(self.options) => Err(Stopped::Cut),
        }
    }

    /// How long a component may take to become healthy or to go away.
    pub fn timeout(&self, component: &ComponentPlan) -> Duration {
        self.options.timeout.unwrap_or(Duration::from_secs(component.timeout_seconds))
    }

    /// Carries the plan out.
    pub async fn carry_out(&'a self) -> Outcome {
        let parts = parts::parts(self.plan, self.observation, self.options);
        let changes = parts::changes(&parts);
        let mut outcome = Outcome {
            components: Vec::new(),
            errors: Vec::new(),
            writes: 0,
            interrupted: *self.options.stop.borrow(),
        };
        begin::announce(self, &parts);
        if outcome.interrupted.is_none()
            && let Err(reason) = begin::prepare(self, changes).await
        {
            outcome.errors.push(reason);
        }
        let mut machine = Machine::new(parts);
        let mut work: Vec<Option<Work<'a>>> =
            self.plan.components.iter().map(|c| Some(self.work(c))).collect();
        if outcome.errors.is_empty() && outcome.interrupted.is_none() {
            outcome.interrupted = self.drive(&mut machine, &mut work).await;
        } else {
            machine.handle(Input::Stop);
        }
        for (position, component) in self.plan.components.iter().enumerate() {
            let counts = work[position].as_ref().map(|work| work.counts).unwrap_or_default();
            let result = result(component, machine.end(position), !machine.writes(position), counts);
            outcome.components.push(ComponentOutcome { component: component.name.clone(), result, counts });
        }
        if outcome.is_success()
            && let Err(reason) = begin::conclude(self, changes).await
        {
            outcome.errors.push(reason);
        }
        outcome.writes = self.writes.load(Ordering::Relaxed);
        outcome
    }

    fn work(&'a self, component: &'a ComponentPlan) -> Work<'a> {
        let previous = self.observation.inventories.get(&component.name);
        Work {
            component,
            inventory: settle::first(self, previous, component),
            live: BTreeMap::new(),
            written: BTreeMap::new(),
            settles_next: false,
            has_failed: false,
            counts: Counts::default(),
        }
    }

    /// Runs the machine to its end. Returns why it was stopped, if it was.
    async fn drive(&'a self, machine: &mut Machine, work: &mut [Option<Work<'a>>]) -> Option<Interruption> {
        let mut running = FuturesUnordered::new();
        let mut commands = machine.start();
        let mut interrupted = None;
        loop {
            for command in commands.drain(..) {
                match command {
                    Command::Run { part, step } => {
                        let Some(mut work) = work[part].take() else { continue };
                        work.settles_next = machine.settles_after(part);
                        work.has_failed = machine.has_failed(part);
                        running.push(async move {
                            let result = self.step(&mut work, step).await;
                            (part, work, result)
                        });
                    }
                    Command::Skip { part, because } => {
                        self.phase(self.name(part), Phase::Skipped { because });
                    }
                    Command::Fail { part, reasons } => self.phase(self.name(part), Phase::Failed { reasons }),
                }
            }
            if machine.is_over() {
                return interrupted;
            }
            tokio::select! {
                Some((part, done, result)) = running.next() => {
                    work[part] = Some(done);
                    commands = machine.handle(match result {
                        Ok(()) => Input::Done { part },
                        Err(Stopped::Cut) => {
                            interrupted = interrupted.or(*self.options.stop.borrow());
                            Input::Cut { part }
                        }
                        Err(Stopped::Failed(reasons)) => {
                            let reasons: Vec<_> = reasons.iter().map(|r| self.masks.mask(r)).collect();
                            self.phase(self.name(part), Phase::Failed { reasons: reasons.clone() });
                            Input::Failed { part, reasons }
                        }
                    });
                    if machine.end(part) == End::Done {
                        self.phase(self.name(part), Phase::Done);
                    }
                }
                why = stopped(self.options), if interrupted.is_none() => {
                    interrupted = Some(why);
                    commands = machine.handle(Input::Stop);
                }
            }
        }
    }

    fn name(&self, part: usize) -> &str {
        &self.plan.components[part].name
    }

    async fn step(&'a self, work: &mut Work<'a>, step: Step) -> Result<(), Stopped> {
        match step {
            Step::Intend => settle::intend(self, work).await,
            Step::Write(stage) => write::stage(self, work, stage).await,
            Step::Wait => wait::healthy(self, work).await,
            Step::Remove => remove::remove(self, work).await,
            Step::Settle => {
                memory::prove(self, work).await;
                settle::settle(self, work).await
            }
        }
    }
}

/// Objects that already carry the mark of the component that wants them: nothing in them changes.
fn already_taken(plan: &Plan) -> BTreeSet<&ObjectRef> {
    let installed = plan.components.iter().filter(|component| component.presence == Presence::Installed);
    installed
        .flat_map(|component| &component.actions)
        .filter(|action| matches!(action.operation, Operation::Unchanged(_)))
        .map(|action| &action.reference)
        .collect()
}

/// Waits for a stop; for ever if there is none.
async fn stopped(options: &Options) -> Interruption {
    let mut stop = options.stop.clone();
    loop {
        if let Some(why) = *stop.borrow_and_update() {
            return why;
        }
        if stop.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// What became of a component.
fn result(component: &ComponentPlan, end: End, quiet: bool, counts: Counts) -> ComponentResult {
    match (&component.presence, end) {
        (Presence::Suspended(reason), _) => ComponentResult::Suspended { reason: reason.clone() },
        (Presence::NotSelected, _) => ComponentResult::NotSelected,
        (_, End::Failed(reasons)) => ComponentResult::Failed { reasons },
        (_, End::Skipped(because)) => ComponentResult::Skipped { because },
        (_, End::Cut) => ComponentResult::Interrupted,
        (Presence::Leaving(_), End::Done) => ComponentResult::Removed,
        (Presence::Installed, End::Done) if quiet || counts == Counts::default() => {
            ComponentResult::Unchanged
        }
        (Presence::Installed, End::Done) => ComponentResult::Applied,
    }
}

#[cfg(test)]
mod tests {
    /// A run can be a task of its own.
    #[test]
    fn a_run_is_send() {
        fn is_send<T: Send>(_: impl Fn(&'static super::Run<'static>) -> T) {}
        is_send(super::Run::carry_out);
    }
}
