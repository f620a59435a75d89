//! A component's `patches`: JSON Patch (RFC 6902) or merge patch (RFC 7396) over rendered objects, so that no
//! chart needs a fork.

use serde_json::Value as Json;

use super::document::Draft;
use crate::diagnostic::{Diagnostic, Span, nearest};
use crate::landscape::{Patch, PatchTarget};
use crate::object::{GroupVersionKind, ObjectRef};
use crate::yaml::{Node, Value};

/// Applies `patches` in order to what they hit.
pub(super) fn apply(patches: &[Patch], drafts: &mut [Draft]) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    for patch in patches {
        let mut hits = 0;
        for draft in drafts.iter_mut().filter(|draft| is_hit(&patch.target, &draft.object)) {
            hits += 1;
            if let Err(diagnostic) = one(patch, draft) {
                diagnostics.push(diagnostic);
                break;
            }
        }
        if hits == 0 {
            diagnostics.push(without_target(patch, drafts));
        }
    }
    diagnostics
}

/// Whether `object` is what a target describes. Used for `ignoreDifferences` alike.
pub fn is_hit(target: &PatchTarget, object: &Json) -> bool {
    let text = |pointer: &str| object.pointer(pointer).and_then(Json::as_str).unwrap_or_default();
    let group = GroupVersionKind::from_api_version(text("/apiVersion"), text("/kind")).group;
    let matches =
        |wanted: &Option<String>, actual: &str| wanted.as_ref().is_none_or(|wanted| wanted == actual);
    matches(&target.group, &group)
        && matches(&target.kind, text("/kind"))
        && matches(&target.name, text("/metadata/name"))
        && matches(&target.namespace, text("/metadata/namespace"))
}

fn one(patch: &Patch, draft: &mut Draft) -> Result<(), Diagnostic> {
    let what = ObjectRef::of(&draft.object).map(|r| r.to_string()).unwrap_or_default();
    let failed = |why: String, span: Span| {
        Diagnostic::error("patch-failed", format!("the patch of `{what}` failed: {why}")).at(span, "")
    };
    match &patch.body.value {
        Value::Mapping(_) => json_patch::merge(&mut draft.object, &patch.body.to_json()),
        Value::Sequence(operations) => {
            // One at a time, so that the one that fails can be shown.
            for operation in operations {
                let parsed: json_patch::PatchOperation = serde_json::from_value(operation.to_json())
                    .map_err(|error| failed(error.to_string(), operation.span))?;
                json_patch::patch(&mut draft.object, &[parsed]).map_err(|error| {
                    let place = operation.get("path").map_or(operation.span, |path| path.span);
                    match nearest_path(&draft.object, operation) {
                        Some(help) => failed(error.kind.to_string(), place).help(help),
                        None => failed(error.kind.to_string(), place),
                    }
                })?;
            }
        }
        _ => return Err(failed("it is neither a list of operations nor a map".into(), patch.body.span)),
    }
    if ObjectRef::of(&draft.object).is_none() {
        return Err(failed("the object has no kind or name any more".into(), patch.span));
    }
    Ok(())
}

/// Where on the way to the path of an operation the object ends, and what is there instead.
fn nearest_path(object: &Json, operation: &Node) -> Option<String> {
    let path = operation.get("path")?.as_str()?;
    let mut at = String::new();
    for segment in path.split('/').skip(1) {
        let next = format!("{at}/{segment}");
        if object.pointer(&next).is_none() {
            let keys: Vec<_> = object.pointer(&at)?.as_object()?.keys().map(String::as_str).collect();
            let place = if at.is_empty() { "the object".to_owned() } else { format!("`{at}`") };
            return Some(match nearest(segment, keys.iter().copied()) {
                Some(near) => format!("{place} has no `{segment}`: did you mean `{near}`?"),
                None if keys.is_empty() => format!("{place} is empty"),
                None => format!("{place} has: {}", keys.join(", ")),
            });
        }
        at = next;
    }
    None
}

fn without_target(patch: &Patch, drafts: &[Draft]) -> Diagnostic {
    let target = &patch.target;
    let parts = [
        ("group", &target.group),
        ("kind", &target.kind),
        ("namespace", &target.namespace),
        ("name", &target.name),
    ];
    let wanted: Vec<_> =
        parts.iter().filter_map(|(key, value)| Some(format!("{key} `{}`", value.as_ref()?))).collect();
    let diagnostic = Diagnostic::error(
        "patch-without-target",
        format!("no object with {} is rendered", wanted.join(", ")),
    )
    .at(patch.span, "");
    let same_kind = PatchTarget { kind: target.kind.clone(), ..PatchTarget::default() };
    let names: Vec<_> = drafts
        .iter()
        .filter(|draft| is_hit(&same_kind, &draft.object))
        .filter_map(|draft| ObjectRef::of(&draft.object).map(|r| r.name))
        .collect();
    match (&target.kind, names.as_slice()) {
        (Some(kind), []) => {
            let kinds: std::collections::BTreeSet<_> =
                drafts.iter().filter_map(|d| d.object["kind"].as_str()).collect();
            match nearest(kind, kinds.iter().copied()) {
                Some(near) => diagnostic.help(format!("did you mean kind `{near}`?")),
                None => diagnostic
                    .help(format!("rendered kinds: {}", kinds.into_iter().collect::<Vec<_>>().join(", "))),
            }
        }
        (_, names) => {
            let near = target.name.as_ref().and_then(|name| nearest(name, names.iter().map(String::as_str)));
            match near {
                Some(near) => diagnostic.help(format!("did you mean name `{near}`?")),
                None => diagnostic.help(format!("rendered names: {}", names.join(", "))),
            }
        }
    }
}
