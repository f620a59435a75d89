//! What happened in a pass, put into lines for a log. Pure; holds no value of an object.

use super::schedule::Reason;
use crate::apply::{ComponentResult, Interruption, ObjectEvent, Outcome};
use crate::object::ObjectRef;
use crate::plan::{Change, Refusal};

/// How many fields of an object are named.
const NAMED: usize = 5;

/// What happened to an object; `None` for what is told elsewhere or needs no word.
pub fn object(object: &ObjectRef, what: &ObjectEvent, changes: &[Change], reason: Reason) -> Option<String> {
    let corrected = reason != Reason::Landscape;
    Some(match what {
        ObjectEvent::Created if corrected => format!("created {object} again, it was missing"),
        ObjectEvent::Created => format!("created {object}"),
        ObjectEvent::Updated if corrected => format!("corrected {object}{}", fields(changes)),
        ObjectEvent::Updated => format!("updated {object}{}", fields(changes)),
        ObjectEvent::Recreated => format!("deleted and created {object} again{}", fields(changes)),
        ObjectEvent::Deleted => format!("deleted {object}"),
        ObjectEvent::Released => format!("let go of {object}"),
        ObjectEvent::Kept { reason } => format!("kept {object}: {}", one_line(reason)),
        ObjectEvent::Unknown { reason } => format!("maybe wrote {object}: {}", one_line(reason)),
        ObjectEvent::Held { reason } => format!("{object} is still being deleted: {}", one_line(reason)),
        ObjectEvent::Failed { .. } | ObjectEvent::Healthy => return None,
    })
}

/// `: .data.a (changed by kubectl-edit), .data.b`.
fn fields(changes: &[Change]) -> String {
    let field = |change: &Change| match change.managers.as_slice() {
        [] => change.path.clone(),
        managers => format!("{} (changed by {})", change.path, managers.join(", ")),
    };
    let mut fields: Vec<String> = changes.iter().take(NAMED).map(field).collect();
    if changes.len() > NAMED {
        fields.push(format!("{} more", changes.len() - NAMED));
    }
    if fields.is_empty() { String::new() } else { format!(": {}", fields.join(", ")) }
}

/// A refusal with the way to mean it.
pub fn refusal(refusal: &Refusal) -> String {
    let hint = if refusal.hint.is_empty() { String::new() } else { format!("; {}", refusal.hint) };
    format!("refused[{}]: {}{hint}", refusal.code, one_line(&refusal.message))
}

/// What went wrong in a run, one line each.
pub fn problems(outcome: &Outcome) -> Vec<String> {
    let mut lines: Vec<String> =
        outcome.errors.iter().map(|error| format!("error: {}", one_line(error))).collect();
    for component in &outcome.components {
        let name = &component.component;
        match &component.result {
            ComponentResult::Failed { reasons } => {
                lines.extend(reasons.iter().map(|reason| format!("{name}: failed: {}", one_line(reason))));
            }
            ComponentResult::Skipped { because } => lines.push(format!("{name}: skipped, {because}")),
            _ => {}
        }
    }
    if outcome.interrupted == Some(Interruption::LeaseLost) {
        lines.push("stopped: the Lease was lost, another run may be writing now".into());
    }
    lines
}

fn one_line(text: &str) -> String {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config_map() -> ObjectRef {
        let (group, namespace) = (String::new(), Some("monitoring".into()));
        ObjectRef { group, kind: "ConfigMap".into(), namespace, name: "rules".into() }
    }

    fn change(path: &str, managers: &[&str]) -> Change {
        let managers = managers.iter().map(|&manager| manager.to_owned()).collect();
        Change {
            path: path.into(),
            before: Some("secret-1".into()),
            after: Some("secret-2".into()),
            managers,
        }
    }

    #[test]
    fn a_correction_names_fields_and_managers_but_no_values() {
        let changes = [change(".data.a", &["kubectl-edit"]), change(".data.b", &[])];
        let line = |reason| object(&config_map(), &ObjectEvent::Updated, &changes, reason).unwrap();
        let corrected = line(Reason::Change);
        assert!(corrected.starts_with("corrected "), "{corrected}");
        assert!(corrected.ends_with(": .data.a (changed by kubectl-edit), .data.b"), "{corrected}");
        assert!(!corrected.contains("secret"), "{corrected}");
        assert!(line(Reason::Landscape).starts_with("updated "));
    }

    #[test]
    fn many_fields_are_counted() {
        let changes: Vec<Change> = (0..8).map(|n| change(&format!(".data.k{n}"), &[])).collect();
        let line = object(&config_map(), &ObjectEvent::Updated, &changes, Reason::Interval).unwrap();
        assert!(line.ends_with(".data.k4, 3 more"), "{line}");
    }
}
