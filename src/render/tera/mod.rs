//! The Tera engine: templates and a context into texts, within limits.
//!
//! Templates cannot read files or the environment, and know neither time nor chance: Tera 2 has no function
//! for these, and none is added. Undefined variables are errors, but for `{% if x %}` and `x is defined`.
//! Maps are walked in the order of their keys.
//!
//! **Limits.** `range` gives at most 10,000 numbers, all templates of a component together at most 16 MiB,
//! within 10 s. The engine runs in a thread of its own; one that is late is left behind, and goes on until the
//! process ends. Not bounded in process is a template that makes a string ever longer without printing it, or
//! nests loops that print nothing: it is caught by the clock only, and may use all memory before. The charts
//! of a landscape are trusted that far; anything from elsewhere must be rendered in a process of its own.

mod filters;
mod functions;
mod report;
#[cfg(test)]
mod tests;

use std::io::Write;
use std::sync::{Arc, mpsc};
use std::time::Duration;

pub(super) use report::{Place, diagnostics};
use tera::{Context, Tera};

use crate::yaml::{Node, Value};

/// Bounds of one component's render.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Wall time.
    pub time: Duration,
    /// Bytes that all templates print together.
    pub bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { time: Duration::from_secs(10), bytes: 16 * 1024 * 1024 }
    }
}

/// Templates that see each other, and what each of them is rendered with: all of them once per context.
pub(super) struct Job {
    /// Name and text; names beginning with `_` (after the last `/`) are partials and not rendered.
    pub templates: Vec<(String, Arc<str>)>,
    /// What templates see.
    pub contexts: Vec<Context>,
}

/// What became of a [`Job`].
pub(super) enum Outcome {
    /// The templates do not compile.
    Broken(Vec<tera::Error>),
    /// By template name: one text per context, or the first error.
    Rendered(Vec<(String, Result<Vec<String>, tera::Error>)>),
}

/// Why a render was given up.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(super) enum Halt {
    /// The clock.
    #[error("its templates took longer than {} s", .0.as_secs_f32())]
    Time(Duration),
    /// The output.
    #[error("its templates printed more than {} MiB", .0 / 1024 / 1024)]
    Size(usize),
    /// A panic in the engine.
    #[error("the template engine failed on its templates")]
    Engine,
    /// No thread could be had.
    #[error("no thread could be started")]
    Thread,
}

/// Runs the jobs of one component, in order.
pub(super) fn render(jobs: Vec<Job>, limits: Limits) -> Result<Vec<Outcome>, Halt> {
    let (sender, receiver) = mpsc::channel();
    std::thread::Builder::new()
        .name("render".into())
        .stack_size(16 * 1024 * 1024)
        .spawn(move || {
            let mut left = limits.bytes;
            let outcomes =
                jobs.iter().map(|job| run(job, &mut left).map_err(|TooLong| Halt::Size(limits.bytes)));
            // Nobody listens any more when the clock was faster.
            _ = sender.send(outcomes.collect());
        })
        .map_err(|_| Halt::Thread)?;
    match receiver.recv_timeout(limits.time) {
        Ok(outcomes) => outcomes,
        Err(mpsc::RecvTimeoutError::Timeout) => Err(Halt::Time(limits.time)),
        Err(mpsc::RecvTimeoutError::Disconnected) => Err(Halt::Engine),
    }
}

/// The output is longer than allowed.
struct TooLong;

fn run(job: &Job, left: &mut usize) -> Result<Outcome, TooLong> {
    let tera = match instance(&job.templates) {
        Ok(tera) => tera,
        Err(errors) => return Ok(Outcome::Broken(errors)),
    };
    let mut rendered = Vec::new();
    for (name, _) in job.templates.iter().filter(|(name, _)| !is_partial(name)) {
        let mut texts = Ok(Vec::new());
        for context in &job.contexts {
            let mut output = Bounded { text: Vec::new(), left, exceeded: false };
            let result = tera.render_to(name, context, &mut output);
            if output.exceeded {
                return Err(TooLong);
            }
            let text = String::from_utf8(output.text).map_err(tera::Error::from);
            match (result.and(text), &mut texts) {
                (Ok(text), Ok(texts)) => texts.push(text),
                (Err(error), _) => texts = Err(error),
                (Ok(_), Err(_)) => (),
            }
            if texts.is_err() {
                break;
            }
        }
        rendered.push((name.clone(), texts));
    }
    Ok(Outcome::Rendered(rendered))
}

/// Whether a template is only there to be included.
pub(super) fn is_partial(name: &str) -> bool {
    name.rsplit('/').next().is_some_and(|name| name.starts_with('_'))
}

/// An engine with our filters and these templates. All syntax errors at once.
fn instance(templates: &[(String, Arc<str>)]) -> Result<Tera, Vec<tera::Error>> {
    let empty = || {
        let mut tera = Tera::new();
        tera.autoescape_on(Vec::<&str>::new());
        filters::register(&mut tera);
        functions::register(&mut tera);
        tera
    };
    let mut tera = empty();
    match tera.add_raw_templates(templates.iter().map(|(name, text)| (name.as_str(), &**text))) {
        Ok(()) => Ok(tera),
        Err(error) => {
            // Tera stops at the first file that does not parse: look into each of them.
            let each = templates.iter().filter_map(|(name, text)| empty().add_raw_template(name, text).err());
            let syntax: Vec<_> =
                each.filter(|e| matches!(e.kind(), tera::ErrorKind::SyntaxError(_))).collect();
            Err(if syntax.is_empty() { vec![error] } else { syntax })
        }
    }
}

/// A buffer that refuses to grow beyond what is left.
struct Bounded<'a> {
    text: Vec<u8>,
    left: &'a mut usize,
    exceeded: bool,
}

impl Write for Bounded<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let Some(left) = self.left.checked_sub(bytes.len()) else {
            self.exceeded = true;
            return Err(std::io::ErrorKind::OutOfMemory.into());
        };
        *self.left = left;
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A value as templates see it, keys in their order. `tagged` gives the text of a tagged scalar (`!secret`).
pub(super) fn value(node: &Node, tagged: &dyn Fn(&Node) -> Option<String>) -> tera::Value {
    if let Some(text) = tagged(node) {
        return text.into();
    }
    match &node.value {
        Value::Null => tera::Value::none(),
        Value::Bool(b) => (*b).into(),
        Value::Int(i) => (*i).into(),
        Value::UInt(u) => (*u).into(),
        Value::Float(f) => (*f).into(),
        Value::String(s) => s.as_str().into(),
        Value::Sequence(items) => items.iter().map(|item| value(item, tagged)).collect::<Vec<_>>().into(),
        Value::Mapping(mapping) => {
            let mut entries: Vec<_> = mapping.iter().collect();
            entries.sort_by(|a, b| a.key.cmp(&b.key));
            let entries = entries.into_iter().map(|e| (e.key.clone().into(), value(&e.value, tagged)));
            entries.collect::<tera::Map>().into()
        }
    }
}
