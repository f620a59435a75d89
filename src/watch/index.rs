//! What is known of the objects that one cluster's watches see: whether an event is news. Pure.
//!
//! A watch tells every object again when it begins, and tells of our own writes as of any other. An object is news
//! when what concerns its owner is not what was seen last; a watch that breaks is news once, since what happens
//! meanwhile is not told.

use std::collections::{BTreeMap, BTreeSet};

use crate::cluster::Changed;
use crate::object::{GroupVersionKind, ObjectRef};

/// What the watches have told so far.
#[derive(Debug, Default)]
pub struct Index {
    seen: BTreeMap<ObjectRef, String>,
    broken: BTreeSet<GroupVersionKind>,
}

/// Something that a pass should look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// An object that was not known: it was made, or its kind is watched anew.
    Found,
    /// A known object was changed or deleted.
    Object(ObjectRef),
    /// The watch of a kind does not work, for this reason.
    Broken(String),
}

impl Index {
    /// Takes one event of the watch of `kind`.
    pub fn take(&mut self, kind: &GroupVersionKind, changed: Changed) -> Option<News> {
        match changed {
            Changed::Seen { object, ours, .. } => {
                self.broken.remove(kind);
                match self.seen.insert(object.clone(), ours.clone()) {
                    None => Some(News::Found),
                    Some(before) => (before != ours).then_some(News::Object(object)),
                }
            }
            Changed::Gone(object) => {
                self.broken.remove(kind);
                self.seen.remove(&object).map(|_| News::Object(object))
            }
            Changed::Interrupted(reason) => self.broken.insert(kind.clone()).then_some(News::Broken(reason)),
        }
    }

    /// A kind is not watched any more.
    pub fn forget(&mut self, kind: &GroupVersionKind) {
        self.broken.remove(kind);
        self.seen.retain(|object, _| object.group_kind() != kind.group_kind());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind() -> GroupVersionKind {
        GroupVersionKind { group: String::new(), version: "v1".into(), kind: "ConfigMap".into() }
    }

    fn object() -> ObjectRef {
        ObjectRef {
            group: String::new(),
            kind: "ConfigMap".into(),
            namespace: Some("a".into()),
            name: "b".into(),
        }
    }

    fn seen(version: &str, ours: &str) -> Changed {
        Changed::Seen { object: object(), version: version.into(), ours: ours.into() }
    }

    #[test]
    fn only_what_concerns_the_owner_is_news() {
        let mut index = Index::default();
        assert_eq!(index.take(&kind(), seen("1", "x")), Some(News::Found));
        assert_eq!(index.take(&kind(), seen("2", "x")), None);
        assert_eq!(index.take(&kind(), seen("3", "y")), Some(News::Object(object())));
        assert_eq!(index.take(&kind(), Changed::Gone(object())), Some(News::Object(object())));
        assert_eq!(index.take(&kind(), Changed::Gone(object())), None);
    }

    #[test]
    fn a_broken_watch_is_news_once() {
        let mut index = Index::default();
        let broken = || Changed::Interrupted("no route".into());
        assert_eq!(index.take(&kind(), broken()), Some(News::Broken("no route".into())));
        assert_eq!(index.take(&kind(), broken()), None);
        assert_eq!(index.take(&kind(), seen("1", "x")), Some(News::Found));
        assert!(index.take(&kind(), broken()).is_some(), "it worked in between");
    }

    #[test]
    fn a_forgotten_kind_is_new_again() {
        let mut index = Index::default();
        index.take(&kind(), seen("1", "x"));
        index.forget(&kind());
        assert_eq!(index.take(&kind(), seen("1", "x")), Some(News::Found));
    }
}
