//! Fields that change hands though their value stays: taken over from another manager, or given up.

use std::collections::BTreeSet;

use serde_json::Value;

use super::walk::Found;
use crate::object::{FieldPath, Scalar, Segment};
use crate::plan::observation::Live;
use crate::plan::proof::fields_v1::{self, Fields};

/// Paths that only one of our two entries names, with the value that stays.
pub(super) fn moved(live: &Live, after: &Live, value: &Value) -> Vec<Found> {
    let leaves = |live: &Live| {
        let mut paths = BTreeSet::new();
        if let Some(entry) = fields_v1::our_entry(live) {
            collect(&FieldPath::default(), entry.fields, &mut paths);
        }
        paths
    };
    let (old, new) = (leaves(live), leaves(after));
    old.symmetric_difference(&new)
        .map(|path| {
            let stays = resolve(value, path).cloned();
            let managers: BTreeSet<String> = fields_v1::entries(live)
                .iter()
                .filter(|entry| !entry.ours && names(entry.fields, path))
                .map(|entry| entry.manager.to_owned())
                .collect();
            Found {
                path: path.clone(),
                before: stays.clone(),
                after: stays,
                managers: managers.into_iter().collect(),
                owned: true,
            }
        })
        .collect()
}

fn segment(child: &str) -> Option<Segment> {
    if let Some(key) = child.strip_prefix("f:") {
        return Some(Segment::Key(key.to_owned()));
    }
    if let Some(key) = fields_v1::key_fields(child) {
        return Some(Segment::Item(
            key.iter().map(|(name, value)| (name.clone(), Scalar::new(value))).collect(),
        ));
    }
    fields_v1::set_value(child).map(|value| Segment::Member(Scalar::new(&value)))
}

fn collect(path: &FieldPath, fields: &Fields, leaves: &mut BTreeSet<FieldPath>) {
    if fields_v1::is_leaf(fields) {
        leaves.insert(path.clone());
    }
    for (child, beneath) in fields_v1::children(fields) {
        if let (Some(segment), Some(beneath)) = (segment(child), beneath.as_object()) {
            collect(&path.then(segment), beneath, leaves);
        }
    }
}

fn names(fields: &Fields, path: &FieldPath) -> bool {
    let mut leaves = BTreeSet::new();
    collect(&FieldPath::default(), fields, &mut leaves);
    leaves.contains(path)
}

/// The value at a path.
fn resolve<'a>(value: &'a Value, path: &FieldPath) -> Option<&'a Value> {
    path.0.iter().try_fold(value, |value, segment| match segment {
        Segment::Key(key) => value.get(key),
        Segment::Index(index) => value.get(index),
        Segment::Item(keys) => value.as_array()?.iter().find(|item| {
            keys.iter().all(|(key, wanted)| item.get(key).is_some_and(|found| Scalar::new(found) == *wanted))
        }),
        Segment::Member(wanted) => value.as_array()?.iter().find(|item| Scalar::new(item) == *wanted),
    })
}
