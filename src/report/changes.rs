//! A [`Plan`] as text: what would be made, changed and removed, component by component.

use std::fmt::Write as _;

use serde_json::Value;
use similar::{ChangeTag, TextDiff};

use super::style::{ADDED, CHANGED, HEADING, Paint, QUIET, REMOVED};
use crate::plan::{Action, Change, ComponentPlan, Decision, Operation, Plan, Presence, Proof, Removal};

/// How many lines of a changed text are shown around a change.
const CONTEXT: usize = 2;

/// How much there is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Objects to make.
    pub create: usize,
    /// Objects to change.
    pub change: usize,
    /// Objects to delete and make again.
    pub recreate: usize,
    /// Objects to delete.
    pub delete: usize,
    /// Objects to let go of.
    pub release: usize,
    /// Objects that the server would refuse.
    pub blocked: usize,
    /// Objects that are as they should be.
    pub unchanged: usize,
}

impl Counts {
    /// What a whole plan has to do; components that are suspended or not selected count nothing.
    pub fn of(plan: &Plan) -> Self {
        let written = plan
            .components
            .iter()
            .filter(|c| !matches!(c.presence, Presence::Suspended(_) | Presence::NotSelected));
        let mut counts = written.map(Self::of_component).fold(Self::default(), Self::plus);
        counts.create += plan.namespaces.len();
        counts
    }

    /// What one component has to do, written or not.
    pub fn of_component(component: &ComponentPlan) -> Self {
        let mut counts = Self::default();
        for action in &component.actions {
            match &action.operation {
                Operation::Create { .. } => counts.create += 1,
                Operation::Update => counts.change += 1,
                Operation::Recreate { .. } => counts.recreate += 1,
                Operation::Blocked { .. } => counts.blocked += 1,
                Operation::Unchanged(_) | Operation::Skipped { .. } => counts.unchanged += 1,
            }
        }
        counts.delete = component.removals.iter().filter(|r| r.decision == Decision::Delete).count();
        counts.release = component.removals.iter().filter(|r| r.decision == Decision::Release).count();
        counts
    }

    fn plus(self, other: Self) -> Self {
        Self {
            create: self.create + other.create,
            change: self.change + other.change,
            recreate: self.recreate + other.recreate,
            delete: self.delete + other.delete,
            release: self.release + other.release,
            blocked: self.blocked + other.blocked,
            unchanged: self.unchanged + other.unchanged,
        }
    }

    /// Whether an apply would write anything.
    pub fn any(self) -> bool {
        self.create + self.change + self.recreate + self.delete + self.release + self.blocked > 0
    }
}

/// `3 to create, 1 to change`, or `no changes`.
impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let parts: Vec<_> = [
            (self.create, "to create"),
            (self.change, "to change"),
            (self.recreate, "to recreate"),
            (self.delete, "to delete"),
            (self.release, "to let go"),
            (self.blocked, "blocked"),
        ]
        .into_iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, what)| format!("{n} {what}"))
        .collect();
        f.write_str(&if parts.is_empty() { "no changes".to_owned() } else { parts.join(", ") })
    }
}

/// The whole plan. With `verbose`, unchanged objects are listed too, with how that is known.
pub fn text(plan: &Plan, paint: Paint, verbose: bool) -> String {
    let mut out = String::new();
    let heading = match &plan.revision {
        Some(revision) => {
            format!("cluster {} at {}", plan.cluster, revision.chars().take(10).collect::<String>())
        }
        None => format!("cluster {}", plan.cluster),
    };
    line(&mut out, 0, &paint.paint(HEADING, &heading));
    for name in plan.namespaces.keys() {
        line(&mut out, 1, &paint.paint(ADDED, &format!("+ Namespace {name}")));
    }
    for component in &plan.components {
        component_text(&mut out, component, paint, verbose);
    }
    for reason in &plan.removal_off {
        line(&mut out, 1, &paint.paint(CHANGED, &format!("! nothing is removed in this run: {reason}")));
    }
    for warning in &plan.warnings {
        line(&mut out, 1, &paint.paint(CHANGED, &format!("! {warning}")));
    }
    let counts = Counts::of(plan);
    line(&mut out, 1, &format!("{counts} ({} unchanged)", counts.unchanged));
    for refusal in &plan.refusals {
        line(&mut out, 1, &paint.paint(REMOVED, &format!("refused[{}]: {}", refusal.code, refusal.message)));
        for object in &refusal.objects {
            line(&mut out, 2, &object.to_string());
        }
        line(&mut out, 2, &format!("to mean it: {}", refusal.hint));
    }
    out
}

fn component_text(out: &mut String, component: &ComponentPlan, paint: Paint, verbose: bool) {
    let mut body = String::new();
    for action in &component.actions {
        action_text(&mut body, action, paint, verbose);
    }
    for removal in &component.removals {
        removal_text(&mut body, removal, paint, verbose);
    }
    for former in &component.takes_over {
        line(&mut body, 2, &paint.paint(CHANGED, &format!("~ takes over the objects of `{former}`")));
    }
    let note = match &component.presence {
        Presence::Installed => String::new(),
        Presence::Suspended(reason) => format!(" (suspended: {reason})"),
        Presence::NotSelected if !verbose => return,
        Presence::NotSelected => " (not selected)".to_owned(),
        Presence::Leaving(reason) => format!(" (leaves: {reason})"),
    };
    if body.is_empty() && !verbose && note.is_empty() {
        return;
    }
    line(out, 1, &format!("{}{note}", paint.paint(HEADING, &component.name)));
    out.push_str(&body);
}

fn action_text(out: &mut String, action: &Action, paint: Paint, verbose: bool) {
    let reference = &action.reference;
    let from =
        action.handed_over_from.as_ref().map_or(String::new(), |c| format!(" (handed over from `{c}`)"));
    match &action.operation {
        Operation::Create { unverified } => {
            let why = unverified.as_ref().map_or(String::new(), |reason| format!(" (unverified: {reason})"));
            line(out, 2, &paint.paint(ADDED, &format!("+ {reference}{why}{from}")));
        }
        Operation::Update => line(out, 2, &paint.paint(CHANGED, &format!("~ {reference}{from}"))),
        Operation::Recreate { fields } => {
            let fields = fields.join(", ");
            line(out, 2, &paint.paint(REMOVED, &format!("-/+ {reference} (immutable: {fields}){from}")));
        }
        Operation::Blocked { reason } => {
            line(out, 2, &paint.paint(REMOVED, &format!("! {reference}{from}")));
            for text in reason.lines() {
                line(out, 4, text);
            }
            line(out, 4, &paint.paint(QUIET, &format!("from {}", action.origin)));
        }
        Operation::Skipped { reason } => {
            line(out, 2, &paint.paint(QUIET, &format!("= {reference} (left alone: {reason})")));
        }
        Operation::Unchanged(proof) if verbose => {
            let proof = match proof {
                Proof::Structure => "by structure",
                Proof::Memory => "by memory",
                Proof::DryRun => "by dry run",
                Proof::Declared => "by its declared fields, unverified",
            };
            line(out, 2, &paint.paint(QUIET, &format!("= {reference} ({proof})")));
        }
        Operation::Unchanged(_) => {}
    }
    if let Some(reason) = &action.forbidden {
        line(out, 4, &paint.paint(QUIET, &format!("unverified, and an apply would fail: {reason}")));
    }
    for change in &action.changes {
        change_text(out, change, paint);
    }
}

fn removal_text(out: &mut String, removal: &Removal, paint: Paint, verbose: bool) {
    let reference = &removal.reference;
    match &removal.decision {
        Decision::Delete => line(out, 2, &paint.paint(REMOVED, &format!("- {reference}"))),
        Decision::Keep(reason) => {
            line(out, 2, &paint.paint(CHANGED, &format!("= {reference} (kept: {reason})")));
        }
        Decision::Release => {
            line(
                out,
                2,
                &paint.paint(CHANGED, &format!("= {reference} (let go: stays, without our labels)")),
            );
        }
        Decision::Forget(reason) if verbose => {
            line(out, 2, &paint.paint(QUIET, &format!("= {reference} (forgotten: {reason})")));
        }
        Decision::Forget(_) => {}
    }
}

fn change_text(out: &mut String, change: &Change, paint: Paint) {
    let path = change.path.trim_start_matches('.');
    let by = if change.managers.is_empty() {
        String::new()
    } else {
        paint.paint(QUIET, &format!("  (set by {})", change.managers.join(", ")))
    };
    match (&change.before, &change.after) {
        (Some(Value::String(before)), Some(Value::String(after)))
            if before.lines().count() > 1 || after.lines().count() > 1 =>
        {
            line(out, 4, &format!("{path}:{by}"));
            lines_text(out, before, after, paint);
        }
        (Some(before), Some(after)) => {
            let (before, after) = (paint.paint(REMOVED, &short(before)), paint.paint(ADDED, &short(after)));
            line(out, 4, &format!("{path}: {before} -> {after}{by}"));
        }
        (None, Some(after)) => line(out, 4, &paint.paint(ADDED, &format!("+ {path}: {}", short(after)))),
        (Some(before), None) => {
            line(out, 4, &format!("{}{by}", paint.paint(REMOVED, &format!("- {path}: {}", short(before)))));
        }
        (None, None) => line(out, 4, &format!("{path} changes owner{by}")),
    }
}

fn lines_text(out: &mut String, before: &str, after: &str, paint: Paint) {
    let diff = TextDiff::from_lines(before, after);
    for (index, group) in diff.grouped_ops(CONTEXT).iter().enumerate() {
        if index > 0 {
            line(out, 5, &paint.paint(QUIET, "..."));
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let text = visible(change.value().trim_end_matches('\n'));
            match change.tag() {
                ChangeTag::Delete => line(out, 5, &paint.paint(REMOVED, &format!("-{text}"))),
                ChangeTag::Insert => line(out, 5, &paint.paint(ADDED, &format!("+{text}"))),
                ChangeTag::Equal => line(out, 5, &format!(" {text}")),
            }
        }
    }
}

/// A value on one line: JSON, cut after 200 characters.
fn short(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(200) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// Control characters made visible: live objects may hold anything, a terminal must not obey it.
fn visible(text: &str) -> String {
    text.chars()
        .flat_map(
            |c| if c.is_control() && c != '\t' { c.escape_default().collect::<Vec<_>>() } else { vec![c] },
        )
        .collect()
}

fn line(out: &mut String, depth: usize, text: &str) {
    let _ = writeln!(out, "{:indent$}{text}", "", indent = depth * 2);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn change(before: Option<Value>, after: Option<Value>) -> String {
        let mut out = String::new();
        let change = Change { path: ".spec.x".into(), before, after, managers: vec!["kubectl-edit".into()] };
        change_text(&mut out, &change, Paint::Plain);
        out
    }

    #[test]
    fn a_scalar_is_shown_on_one_line_with_who_set_it() {
        assert_eq!(change(Some(json!(1)), Some(json!(2))), "        spec.x: 1 -> 2  (set by kubectl-edit)\n");
    }

    #[test]
    fn a_text_is_shown_by_its_changed_lines() {
        let shown = change(Some(json!("a\nb\nc\nd\ne\n")), Some(json!("a\nb\nc\nD\u{1b}\ne\n")));
        assert!(shown.contains("-d\n"), "{shown}");
        assert!(shown.contains("+D\\u{1b}\n"), "{shown}");
        assert!(!shown.contains(" a\n"), "{shown}");
    }

    #[test]
    fn letting_go_is_a_change() {
        let counts = Counts { release: 1, ..Counts::default() };
        assert!(counts.any(), "or nobody is asked");
        assert_eq!(counts.to_string(), "1 to let go");
    }

    #[test]
    fn nothing_to_do_is_said() {
        assert_eq!(Counts::default().to_string(), "no changes");
        assert_eq!(
            Counts { create: 2, delete: 1, ..Counts::default() }.to_string(),
            "2 to create, 1 to delete"
        );
    }
}
