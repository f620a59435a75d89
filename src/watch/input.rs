//! What the clusters should be: the landscape, looked at again and again.
//!
//! A git revision is another one when its commit is; a directory when its files or its HEAD are. Files that change
//! while they are read are read again, so that half of a change is never applied.

use std::sync::Arc;

use tokio::sync::watch;

use super::stamp::stamp;
use super::{Shared, jitter, stopped};
use crate::diagnostic::{Diagnostic, Files, has_errors};
use crate::landscape::{self, Cluster, Landscape};
use crate::reconcile::{Charts, open_charts};
use crate::source::{self, Location, Tree};

/// How often files that keep changing are read again at once.
const ATTEMPTS: usize = 3;

/// What is known of the landscape.
#[derive(Clone)]
pub enum Input {
    /// Nothing yet.
    Unknown,
    /// It loads.
    Known(Arc<Ground>),
    /// It does not.
    Broken,
}

/// A landscape that loaded without errors, with its charts.
pub struct Ground {
    /// The files.
    pub tree: Tree,
    /// What they say.
    pub landscape: Landscape,
    /// The charts of its components.
    pub charts: Charts,
    /// Where spans point to. To be cloned for each pass, which adds to it.
    pub files: Files,
    /// What tells this state from others.
    stamp: String,
}

impl Ground {
    /// A cluster by its name.
    pub fn cluster(&self, name: &str) -> Option<&Cluster> {
        self.landscape.clusters.iter().find(|cluster| cluster.name == name)
    }

    /// `1234567890`, or where the files are.
    pub fn revision(&self) -> String {
        match self.tree.revision() {
            Some(revision) => {
                let dirty = if revision.dirty { " with uncommitted changes" } else { "" };
                format!("{}{dirty}", &revision.commit[..revision.commit.len().min(10)])
            }
            None => self.tree.origin(),
        }
    }
}

/// Why there is no new ground.
enum Problem {
    /// The repository cannot be reached: what was found there last still holds.
    Unreachable(String),
    /// The landscape is not sound.
    Broken(Vec<String>),
}

/// Looks at the landscape until nobody cares any more; a new state goes to `sender`.
pub async fn follow(shared: Arc<Shared>, sender: watch::Sender<Input>, mut stop: watch::Receiver<bool>) {
    let mut last: Option<Arc<Ground>> = None;
    let mut told: Vec<String> = Vec::new();
    loop {
        let (context, known) = (Arc::clone(&shared), last.clone());
        let looked = tokio::task::spawn_blocking(move || look(&context, known.as_deref())).await;
        match looked
            .unwrap_or_else(|_| Err(Problem::Broken(vec!["landscape: loading it has crashed".into()])))
        {
            Ok(None) => {
                if !told.is_empty() {
                    told.clear();
                    shared.say("landscape: it can be reached again".into());
                }
                shared.metrics.landscape(true);
            }
            Ok(Some((ground, warnings))) => {
                told.clear();
                shared.say(format!("landscape: `{}` at {}", ground.landscape.name, ground.revision()));
                for warning in warnings {
                    shared.say(warning);
                }
                shared.metrics.landscape(true);
                shared.board.landscape(None);
                let ground = Arc::new(ground);
                last = Some(Arc::clone(&ground));
                let _ = sender.send(Input::Known(ground));
            }
            Err(Problem::Unreachable(why)) if last.is_some() => {
                shared.metrics.landscape(false);
                let lines = vec![format!("landscape: {why}; going on with what is known")];
                tell(&shared, &mut told, lines);
            }
            Err(Problem::Unreachable(why)) => {
                shared.metrics.landscape(false);
                shared.board.landscape(Some(why.clone()));
                tell(&shared, &mut told, vec![format!("landscape: {why}")]);
            }
            Err(Problem::Broken(lines)) => {
                shared.metrics.landscape(false);
                shared.board.landscape(Some("it does not load".into()));
                let said = tell(&shared, &mut told, lines);
                if said {
                    shared.say("landscape: it does not load; nothing is changed until it does".into());
                }
                last = None;
                let _ = sender.send(Input::Broken);
            }
        }
        let pause = shared.settings.look.mul_f64(0.9 + 0.2 * jitter());
        tokio::select! {
            () = stopped(&mut stop) => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Says `lines` unless they were said last; says whether it did.
fn tell(shared: &Shared, told: &mut Vec<String>, lines: Vec<String>) -> bool {
    if *told == lines {
        return false;
    }
    for line in &lines {
        shared.say(line.clone());
    }
    *told = lines;
    true
}

/// The landscape with its warnings, when it is not the known one.
fn look(shared: &Shared, known: Option<&Ground>) -> Result<Option<(Ground, Vec<String>)>, Problem> {
    for _ in 0..ATTEMPTS {
        let tree = open(shared)?;
        let stamp = identity(&tree);
        if known.is_some_and(|known| known.stamp == stamp) {
            return Ok(None);
        }
        let loaded = load(shared, tree, stamp.clone());
        if open(shared).is_ok_and(|tree| identity(&tree) == stamp) {
            return loaded.map(Some);
        }
    }
    Err(Problem::Broken(vec!["landscape: its files keep changing while they are read".into()]))
}

fn open(shared: &Shared) -> Result<Tree, Problem> {
    let settings = &shared.settings;
    source::load(&settings.location, settings.revision.as_deref(), &settings.source).map_err(|error| {
        let text = chain(&error);
        match (&settings.location, &error) {
            (Location::Git(_), source::Error::Fetch { .. }) => Problem::Unreachable(text),
            _ => Problem::Broken(vec![format!("landscape: {text}")]),
        }
    })
}

fn load(shared: &Shared, tree: Tree, stamp: String) -> Result<(Ground, Vec<String>), Problem> {
    let files = Files::new();
    let (landscape, mut diagnostics) = landscape::load(&tree, &files);
    let Some(mut landscape) = landscape.filter(|_| !has_errors(&diagnostics)) else {
        return Err(Problem::Broken(lines("landscape", diagnostics, &files)));
    };
    (shared.settings.amend)(&mut landscape);
    let (charts, problems) = open_charts(&tree, &landscape, &files);
    diagnostics.extend(problems);
    if has_errors(&diagnostics) {
        return Err(Problem::Broken(lines("landscape", diagnostics, &files)));
    }
    let warnings = lines("landscape", diagnostics, &files);
    Ok((Ground { tree, landscape, charts, files, stamp }, warnings))
}

/// What tells one state of the files from another.
fn identity(tree: &Tree) -> String {
    let revision = tree.revision().map(|revision| revision.commit.as_str()).unwrap_or_default();
    match tree.on_disk() {
        Some(directory) => {
            let dirty = tree.revision().is_some_and(|revision| revision.dirty);
            format!("{revision} {dirty} {} {}", directory.display(), stamp(directory))
        }
        None => revision.to_owned(),
    }
}

/// Problems, each in one line: `subject: error[code]: message (file:line:column); hint`.
pub fn lines(subject: &str, mut diagnostics: Vec<Diagnostic>, files: &Files) -> Vec<String> {
    files.sort(&mut diagnostics);
    diagnostics.dedup();
    let line = |diagnostic: &Diagnostic| {
        let word = if diagnostic.is_error() { "error" } else { "warning" };
        let place = diagnostic.labels.first().map(|label| format!(" ({})", files.place(label.span)));
        let help: String = diagnostic.help.iter().map(|help| format!("; {help}")).collect();
        let Diagnostic { code, message, .. } = diagnostic;
        format!("{subject}: {word}[{code}]: {message}{}{help}", place.unwrap_or_default())
    };
    diagnostics.iter().map(line).collect()
}

/// An error and its causes, each text once.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut texts = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !texts.iter().any(|told| told.contains(&text)) {
            texts.push(text);
        }
        cause = error.source();
    }
    texts.join(": ")
}
