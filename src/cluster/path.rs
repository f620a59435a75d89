//! Where things are on an API server: paths and queries.

use std::fmt::Write as _;

use crate::object::{Discovery, GroupVersionKind, Scope};

/// One served version of a kind, with its name in URLs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// The API group; empty for core.
    pub group: String,
    /// The version.
    pub version: String,
    /// The kind.
    pub kind: String,
    /// The name in URLs.
    pub plural: String,
    /// Namespaced or not.
    pub scope: Scope,
}

impl Resource {
    /// The kind at the wanted version, or at the preferred one when that is not served; `None` when the kind is
    /// not served at all.
    pub fn find(discovery: &Discovery, gvk: &GroupVersionKind) -> Option<Self> {
        let served = discovery.get(&gvk.group_kind())?;
        let version = served.versions.iter().find(|v| **v == gvk.version).or(served.versions.first())?;
        Some(Self {
            group: gvk.group.clone(),
            version: version.clone(),
            kind: gvk.kind.clone(),
            plural: served.plural.clone(),
            scope: served.scope,
        })
    }

    /// A kind that every server serves.
    pub fn built_in(group: &str, version: &str, kind: &str, plural: &str, scope: Scope) -> Self {
        Self { group: group.into(), version: version.into(), kind: kind.into(), plural: plural.into(), scope }
    }

    /// Group, version and kind.
    pub fn gvk(&self) -> GroupVersionKind {
        GroupVersionKind { group: self.group.clone(), version: self.version.clone(), kind: self.kind.clone() }
    }

    /// All objects, or those of one namespace.
    pub fn collection(&self, namespace: Option<&str>) -> String {
        let root = if self.group.is_empty() {
            format!("/api/{}", self.version)
        } else {
            format!("/apis/{}/{}", self.group, self.version)
        };
        match namespace {
            Some(namespace) if self.scope == Scope::Namespaced => {
                format!("{root}/namespaces/{}/{}", segment(namespace), self.plural)
            }
            _ => format!("{root}/{}", self.plural),
        }
    }

    /// One object.
    pub fn object(&self, namespace: Option<&str>, name: &str) -> String {
        format!("{}/{}", self.collection(namespace), segment(name))
    }
}

/// One segment of a path, percent-encoded where RFC 3986 wants it.
pub fn segment(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:@!$&'()*+,;=".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// A path with a query of these pairs.
pub fn query(path: &str, pairs: &[(&str, &str)]) -> String {
    if pairs.is_empty() {
        return path.to_owned();
    }
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    format!("{path}?{query}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_of_kubernetes() {
        let role = Resource::built_in("rbac.authorization.k8s.io", "v1", "Role", "roles", Scope::Namespaced);
        assert_eq!(
            role.object(Some("a"), "system:x/y%"),
            "/apis/rbac.authorization.k8s.io/v1/namespaces/a/roles/system:x%2Fy%25"
        );
        assert_eq!(role.collection(None), "/apis/rbac.authorization.k8s.io/v1/roles");
        let node = Resource::built_in("", "v1", "Node", "nodes", Scope::Cluster);
        assert_eq!(node.object(Some("ignored"), "n"), "/api/v1/nodes/n");
        assert_eq!(query("/a", &[("labelSelector", "a/b=c")]), "/a?labelSelector=a%2Fb%3Dc");
    }
}
