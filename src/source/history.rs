//! Commits: what a revision's name stands for, and which commit contains which.

use git2::{ErrorCode, ObjectType, Oid, Repository};

use super::Error;
use super::scrub::scrub;

/// A revision as typed, split into what is looked up and the steps back from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spec {
    /// A branch, tag, `refs/…` name, commit, or `HEAD`.
    pub(super) base: String,
    /// `~N` and `^N`, or empty.
    pub(super) steps: String,
}

impl Spec {
    /// Reads the revision. Of gitrevisions(7) only the forms that mean the same in every clone are taken.
    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        let refuse = |reason| Err(Error::RevisionForm { revision: text.escape_debug().to_string(), reason });
        if text.is_empty() {
            return refuse("it is empty");
        }
        if text.starts_with('-') {
            return refuse("it starts with `-`");
        }
        if text.contains("..") || text.contains("@{") || text.contains(':') {
            return refuse("ranges, `@{…}` and `:` are not taken");
        }
        let (base, steps) = text.split_at(text.find(['~', '^']).unwrap_or(text.len()));
        if !steps.chars().all(|c| matches!(c, '~' | '^' | '0'..='9')) {
            return refuse("only `~N` and `^N` may follow a name");
        }
        // Deeper than any history, and beyond what libgit2 reads as a number.
        if steps.split(['~', '^']).any(|n| n.len() > 6) {
            return refuse("it goes back too far");
        }
        let base = if base == "@" { "HEAD" } else { base };
        if base != "HEAD" && !is_hex(base) && !git2::Reference::is_valid_name(&format!("refs/heads/{base}")) {
            return refuse("it is not a valid name");
        }
        Ok(Self { base: base.to_owned(), steps: steps.to_owned() })
    }

    /// The base as a whole commit id.
    pub(super) fn whole_commit(&self) -> Option<Oid> {
        if self.base.len() == 40 && is_hex(&self.base) { Oid::from_str(&self.base).ok() } else { None }
    }
}

fn is_hex(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// What a name found among references: the reference's full name and its object.
pub(super) type Found = (String, Oid);

/// Chooses the reference that `base` names, by `find` (full name → object).
///
/// Git prefers tags over branches with a warning; here a name that is both, with different commits, is an error,
/// because a deployment must not depend on a warning.
///
/// # Errors
/// [`Error::Ambiguous`].
pub(super) fn choose(
    base: &str,
    origin: &str,
    find: impl Fn(&str) -> Option<Oid>,
    same: impl Fn(Oid, Oid) -> bool,
) -> Result<Option<Found>, Error> {
    let get = |name: String| find(&name).map(|id| (name, id));
    if base.starts_with("refs/") {
        return Ok(get(base.to_owned()));
    }
    match (get(format!("refs/tags/{base}")), get(format!("refs/heads/{base}"))) {
        (Some((_, tag)), Some((_, branch))) if !same(tag, branch) => Err(Error::Ambiguous {
            revision: base.to_owned(),
            origin: origin.to_owned(),
            detail: "it is a branch and a tag, at different commits".to_owned(),
        }),
        (tag, branch) => Ok(tag.or(branch).or_else(|| get(format!("refs/remotes/{base}")))),
    }
}

/// A reference's name as shown: `refs/heads/main` → `main`.
pub(super) fn short(reference: &str) -> String {
    let strip = |prefix| reference.strip_prefix(prefix);
    strip("refs/heads/")
        .or_else(|| strip("refs/tags/"))
        .or_else(|| strip("refs/remotes/"))
        .unwrap_or(reference)
        .into()
}

/// The commit that `spec` stands for in a local repository, with the reference that led there.
pub(super) fn find(
    repository: &Repository,
    spec: &Spec,
    origin: &str,
) -> Result<(Oid, Option<String>), Error> {
    let unknown =
        || Error::Revision { revision: format!("{}{}", spec.base, spec.steps), origin: origin.to_owned() };
    if spec.whole_commit().is_none() {
        let same = |a, b| peel(repository, a) == peel(repository, b);
        let find = |name: &str| repository.find_reference(name).ok()?.resolve().ok()?.target();
        let found = match spec.base.as_str() {
            "HEAD" => {
                repository.head().ok().and_then(|head| Some((head.name().ok()?.to_owned(), head.target()?)))
            }
            base => choose(base, origin, find, same)?,
        };
        if let Some((reference, id)) = found {
            let reference = Some(short(&reference)).filter(|name| spec.steps.is_empty() && name != "HEAD");
            return Ok((step(repository, id, &spec.steps).ok_or_else(unknown)?, reference));
        }
    }
    let id = by_prefix(repository, &spec.base, origin)?.ok_or_else(unknown)?;
    Ok((step(repository, id, &spec.steps).ok_or_else(unknown)?, None))
}

/// The commit whose id starts with `hex` (4 to 40 digits).
pub(super) fn by_prefix(repository: &Repository, hex: &str, origin: &str) -> Result<Option<Oid>, Error> {
    if !is_hex(hex) || !(4..=40).contains(&hex.len()) {
        return Ok(None);
    }
    match repository.find_object_by_prefix(hex, Some(ObjectType::Commit)) {
        Ok(object) => Ok(Some(object.id())),
        Err(error) if error.code() == ErrorCode::Ambiguous => Err(Error::Ambiguous {
            revision: hex.to_owned(),
            origin: origin.to_owned(),
            detail: "several objects start with these digits".to_owned(),
        }),
        Err(_) => Ok(None),
    }
}

/// The commit `steps` before the commit of `id` (a commit or a tag).
pub(super) fn step(repository: &Repository, id: Oid, steps: &str) -> Option<Oid> {
    let commit = peel(repository, id)?;
    if steps.is_empty() {
        return Some(commit);
    }
    let object = repository.revparse_single(&format!("{commit}{steps}")).ok()?;
    peel(repository, object.id())
}

fn peel(repository: &Repository, id: Oid) -> Option<Oid> {
    Some(repository.find_object(id, None).ok()?.peel(ObjectType::Commit).ok()?.id())
}

/// Whether `ancestor` is `commit` or one of its ancestors.
pub(super) fn contains(
    repository: &Repository,
    commit: &str,
    ancestor: &str,
    origin: &str,
) -> Result<bool, Error> {
    let unusable =
        |e: git2::Error| Error::Repository { origin: origin.to_owned(), detail: scrub(e.message(), &[]) };
    let whole = |text: &str| Spec { base: text.to_owned(), steps: String::new() }.whole_commit();
    let (Some(tip), Some(ancestor)) = (whole(commit), whole(ancestor)) else {
        let reason = "a whole commit of 40 hex digits is needed";
        return Err(Error::RevisionForm { revision: ancestor.escape_debug().to_string(), reason });
    };
    if tip == ancestor {
        return Ok(true);
    }
    let known = repository.find_commit(ancestor).is_ok();
    if known && repository.graph_descendant_of(tip, ancestor).map_err(unusable)? {
        return Ok(true);
    }
    if repository.is_shallow() {
        return Err(Error::Shallow { origin: origin.to_owned(), commit: ancestor.to_string() });
    }
    Ok(false)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests end by panicking")]
mod tests {
    use super::*;

    #[test]
    fn forms_of_a_revision() {
        let spec = |base: &str, steps: &str| Some(Spec { base: base.into(), steps: steps.into() });
        assert_eq!(Spec::parse("main").ok(), spec("main", ""));
        assert_eq!(Spec::parse("@~2^1").ok(), spec("HEAD", "~2^1"));
        assert_eq!(Spec::parse("feature/x").ok(), spec("feature/x", ""));
        for bad in
            ["", "-x", "a..b", "main@{1}", "main:file", ":/text", "x^{tree}", "a b", "x~99999999999", "x^-1"]
        {
            assert_eq!(Spec::parse(bad).map_err(|e| e.code()), Err("source-revision"), "{bad}");
        }
    }

    #[test]
    fn a_name_that_is_branch_and_tag_is_refused_unless_equal() {
        let (a, b) = (Oid::from_bytes(&[1; 20]).unwrap(), Oid::from_bytes(&[2; 20]).unwrap());
        let find = |name: &str| match name {
            "refs/tags/x" | "refs/heads/same" | "refs/tags/same" => Some(a),
            "refs/heads/x" => Some(b),
            _ => None,
        };
        let same = |a, b| a == b;
        assert_eq!(choose("x", "o", find, same).map_err(|e| e.code()), Err("source-ambiguous-revision"));
        assert_eq!(choose("refs/heads/x", "o", find, same).ok(), Some(Some(("refs/heads/x".into(), b))));
        assert_eq!(choose("same", "o", find, same).ok(), Some(Some(("refs/tags/same".into(), a))));
        assert_eq!(choose("y", "o", find, same).ok(), Some(None));
    }
}
