//! What an operator can't do by mistake: the reasons why a plan must not be carried out.
//!
//! Every refusal has a stable code (documented in docs/errors.md) and says how to mean it. Nothing here changes what
//! the plan would do.

pub(super) mod forward;
pub(super) mod identity;
pub(super) mod inventories;
pub(super) mod recreation;
pub(super) mod removals;

use super::desired::DesiredComponent;
use super::model::Refusal;
use crate::landscape::Adopt;
use crate::object::ObjectRef;

/// `not-owned`: objects of a component that exist and are somebody else's.
pub(super) fn not_owned(component: &DesiredComponent, objects: Vec<(ObjectRef, String)>) -> Option<Refusal> {
    let (first, why) = objects.first()?;
    let more = match objects.len() - 1 {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    let hint = match component.adopt {
        Adopt::None => {
            format!("`adopt: unowned` in `{}` takes objects without another tool's marks", component.name)
        }
        Adopt::Unowned => "take the other tool's marks off the object, or leave it out".to_owned(),
    };
    Some(Refusal {
        code: "not-owned".into(),
        message: format!(
            "the component `{}` would take what it does not own: {first} {why}{more}",
            component.name
        ),
        hint,
        objects: objects.into_iter().map(|(reference, _)| reference).collect(),
    })
}
