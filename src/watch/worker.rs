//! The loop of one cluster: waits for what is due, makes passes, keeps the watches. The only writer there.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep_until};

use super::index::{Index, News};
use super::input::{Ground, Input};
use super::pass::{self, About, Activity, Passed};
use super::schedule::{Ending, Pass, Schedule};
use super::watches::{Told, Watches};
use super::{Shared, jitter, stopped};
use crate::cluster::{Changed, Client};
use crate::object::{GroupVersionKind, ObjectRef};

/// How long a pass must have written nothing before a change cuts its waiting short.
const IDLE: Duration = Duration::from_secs(5);
/// How many events may be waiting; watches wait for room.
const QUEUE: usize = 1024;

/// One cluster being watched.
struct Worker {
    name: String,
    shared: Arc<Shared>,
    begin: Instant,
    schedule: Schedule,
    index: Index,
    watches: Watches,
    events: mpsc::Receiver<Told>,
    ground: Option<Arc<Ground>>,
    client: Option<Client>,
    said: Said,
}

/// What has been said and still holds, so that it is not said again.
#[derive(Default)]
struct Said {
    problems: Vec<String>,
    notes: Vec<String>,
    components: BTreeSet<String>,
    contested: bool,
}

/// Watches one cluster until `stop`. A landscape that does not load suspends it.
pub async fn work(
    name: String,
    shared: Arc<Shared>,
    mut input: watch::Receiver<Input>,
    mut stop: watch::Receiver<bool>,
) {
    let (sender, events) = mpsc::channel(QUEUE);
    let begin = Instant::now();
    shared.board.add(&name, begin.into_std());
    let schedule = Schedule::new(shared.settings.interval);
    let mut worker = Worker {
        name,
        shared,
        begin,
        schedule,
        index: Index::default(),
        watches: Watches::new(sender),
        events,
        ground: None,
        client: None,
        said: Said::default(),
    };
    worker.take(&input.borrow_and_update().clone());
    loop {
        let due = worker.schedule.next().map(|due| begin + due);
        tokio::select! {
            biased;
            () = stopped(&mut stop) => return,
            Ok(()) = input.changed() => {
                let seen = input.borrow_and_update().clone();
                worker.take(&seen);
            }
            Some((kind, changed)) = worker.events.recv() => {
                worker.note(&kind, changed);
            }
            () = until(due) => Box::pin(worker.pass(&mut input, &mut stop)).await,
        }
    }
}

/// For ever without a time.
async fn until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}

impl Worker {
    fn now(&self) -> Duration {
        self.begin.elapsed()
    }

    fn say(&self, text: &str) {
        self.shared.say(format!("{}: {text}", self.name));
    }

    /// Another state of the landscape.
    fn take(&mut self, input: &Input) {
        match input {
            Input::Unknown => {}
            Input::Broken => {
                self.schedule.landscape_lost();
                self.ground = None;
            }
            Input::Known(ground) => {
                self.ground = Some(Arc::clone(ground));
                self.schedule.landscape_changed(self.now());
            }
        }
    }

    /// Something that the watches told. Returns the object if it is a known one that was changed.
    fn note(&mut self, kind: &GroupVersionKind, changed: Changed) -> Option<ObjectRef> {
        let news = self.index.take(kind, changed)?;
        self.schedule.object_changed(self.now());
        match news {
            News::Found => None,
            News::Object(object) => Some(object),
            News::Broken(reason) => {
                self.say(&format!("the watch of {} does not work for now: {reason}", kind.kind));
                None
            }
        }
    }

    /// Watches what a plan is about.
    fn cover(&mut self, ground: &Ground, (client, kinds): &About) {
        for kind in self.watches.cover(client, &ground.landscape.name, kinds) {
            self.index.forget(&kind);
        }
    }

    /// Makes the pass that is due. What happens meanwhile is taken in; what makes the pass pointless cuts it off.
    async fn pass(&mut self, input: &mut watch::Receiver<Input>, stop: &mut watch::Receiver<bool>) {
        let Some(ground) = self.ground.clone() else { return };
        let Some(cluster) = ground.cluster(&self.name) else {
            // It is about to be ended from outside.
            self.schedule.landscape_lost();
            return;
        };
        let pass = self.schedule.begin(self.now());
        let began = Instant::now();
        let activity = Activity::default();
        let (cut, is_cut) = watch::channel(false);
        let shared = Arc::clone(&self.shared);
        let client = self.client.take();
        let (about, mut planned) = oneshot::channel();
        let running = pass::pass(&shared, &ground, cluster, pass, client, &activity, about, is_cut);
        let mut running = std::pin::pin!(running);
        let (mut stopping, mut watching) = (false, false);
        // Changes that came during this pass: echoes of its own writes, unless nothing explains them.
        let mut changes: Vec<(ObjectRef, Instant)> = Vec::new();
        let passed = loop {
            let idle = activity.idle_since().filter(|_| !changes.is_empty());
            let doubtful =
                idle.zip(self.schedule.change_due()).map(|(idle, due)| (self.begin + due).max(idle + IDLE));
            tokio::select! {
                biased;
                passed = &mut running => break passed,
                () = stopped(stop), if !stopping => {
                    stopping = true;
                    let _ = cut.send(true);
                }
                Ok(()) = input.changed() => {
                    let seen = input.borrow_and_update().clone();
                    self.take(&seen);
                    let _ = cut.send(true);
                }
                about = &mut planned, if !watching => {
                    watching = true;
                    if let Ok(about) = about {
                        self.cover(&ground, &about);
                    }
                }
                Some((kind, changed)) = self.events.recv() => {
                    changes.extend(self.note(&kind, changed).map(|object| (object, Instant::now())));
                }
                () = until(doubtful) => {
                    if activity.idle_since().is_some_and(|idle| idle.elapsed() >= IDLE) {
                        let mut changes = changes.drain(..);
                        if !changes.all(|(object, seen)| activity.explains(&object, seen)) {
                            let _ = cut.send(true);
                        }
                    }
                }
            }
        };
        self.ended(&ground, pass, passed, began);
    }

    /// Takes in how a pass came out.
    fn ended(&mut self, ground: &Ground, pass: Pass, passed: Passed, began: Instant) {
        let now = self.now();
        self.schedule.end(now, passed.ending, jitter());
        let failures = self.schedule.failures();
        let (result, success) = match passed.ending {
            Ending::Unchanged => ("unchanged", true),
            Ending::Changed => ("changed", true),
            Ending::Failed => ("failed", false),
            Ending::Refused => ("refused", false),
            Ending::Cut | Ending::Moved => ("cut", false),
        };
        let at = success.then(pass::now);
        self.shared.metrics.ran(&self.name, result, began.elapsed().as_secs_f64(), at, failures);
        tracing::debug!(cluster = self.name, ?pass, result, "pass");

        if !matches!(passed.ending, Ending::Cut | Ending::Moved) {
            for problem in &passed.problems {
                if !self.said.problems.contains(problem) {
                    self.say(problem);
                }
            }
            if success && !self.said.problems.is_empty() {
                self.say("as wanted again");
            }
            let first = passed.problems.first().map_or(String::new(), |problem| format!(", {problem}"));
            let says = format!("{result} at {}{first}", ground.revision());
            self.shared.board.passed(&self.name, Instant::now().into_std(), self.schedule.pause(), says);
            self.said.problems = passed.problems;
        }
        if let Some(components) = passed.components {
            for note in &passed.notes {
                if !self.said.notes.contains(note) {
                    self.say(note);
                }
            }
            self.said.notes = passed.notes;
            for gone in self.said.components.difference(&components) {
                self.shared.metrics.component_gone(&self.name, gone);
            }
            self.said.components = components;
        }
        if passed.client.is_none() {
            self.watches.clear();
        }
        self.client = passed.client;
        let contested = self.schedule.is_contested(now);
        if contested && !self.said.contested {
            self.say("what is corrected keeps being changed back; corrections are made less often now");
        }
        self.said.contested = contested;
    }
}
