//! Who an object is. Identity is group, kind, namespace and name; never the version.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An API group and kind, e.g. `apps` and `Deployment`; the core group is empty.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct GroupKind {
    /// The API group; empty for core.
    pub group: String,
    /// The kind, e.g. `Deployment`.
    pub kind: String,
}

impl GroupKind {
    /// A group (empty for core) and a kind.
    pub fn new(group: impl Into<String>, kind: impl Into<String>) -> Self {
        Self { group: group.into(), kind: kind.into() }
    }

    /// Whether this is `kind` in `group`.
    pub fn is(&self, group: &str, kind: &str) -> bool {
        self.group == group && self.kind == kind
    }
}

/// `Kind.group`, or only `Kind` for the core group: the form of ApplySet annotations (KEP-3659).
impl fmt::Display for GroupKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kind)?;
        if self.group.is_empty() { Ok(()) } else { write!(f, ".{}", self.group) }
    }
}

/// A group, version and kind.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct GroupVersionKind {
    /// The API group; empty for core.
    pub group: String,
    /// The version, e.g. `v1`.
    pub version: String,
    /// The kind.
    pub kind: String,
}

impl GroupVersionKind {
    /// From the `apiVersion` and `kind` of an object.
    pub fn from_api_version(api_version: &str, kind: &str) -> Self {
        let (group, version) = api_version.rsplit_once('/').unwrap_or(("", api_version));
        Self { group: group.into(), version: version.into(), kind: kind.into() }
    }

    /// The `apiVersion`: `v1`, `apps/v1`.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }

    /// Without the version.
    pub fn group_kind(&self) -> GroupKind {
        GroupKind::new(&self.group, &self.kind)
    }
}

/// The identity of one object in one cluster.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ObjectRef {
    /// The API group; empty for core.
    pub group: String,
    /// The kind.
    pub kind: String,
    /// The namespace; `None` for cluster-scoped kinds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The name.
    pub name: String,
}

impl ObjectRef {
    /// Group and kind.
    pub fn group_kind(&self) -> GroupKind {
        GroupKind::new(&self.group, &self.kind)
    }

    /// Whether it is of `kind` in `group`.
    pub fn is(&self, group: &str, kind: &str) -> bool {
        self.group == group && self.kind == kind
    }

    /// Reads the identity that `object` itself states; `None` without kind or name.
    pub fn of(object: &serde_json::Value) -> Option<Self> {
        let text = |pointer: &str| object.pointer(pointer).and_then(serde_json::Value::as_str);
        let gvk = GroupVersionKind::from_api_version(text("/apiVersion")?, text("/kind")?);
        Some(Self {
            group: gvk.group,
            kind: gvk.kind,
            namespace: text("/metadata/namespace").filter(|s| !s.is_empty()).map(Into::into),
            name: text("/metadata/name").filter(|s| !s.is_empty())?.into(),
        })
    }
}

/// `Deployment.apps monitoring/prometheus`, `Namespace monitoring`.
impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.group_kind())?;
        if let Some(namespace) = &self.namespace {
            write!(f, "{namespace}/")?;
        }
        f.write_str(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identity_ignores_the_version() {
        let of = |api_version: &str| {
            ObjectRef::of(&serde_json::json!({
                "apiVersion": api_version, "kind": "HorizontalPodAutoscaler",
                "metadata": {"name": "a", "namespace": "b"},
            }))
        };
        assert_eq!(of("autoscaling/v1"), of("autoscaling/v2"));
        assert_eq!(
            of("autoscaling/v1").map(|r| r.to_string()).as_deref(),
            Some("HorizontalPodAutoscaler.autoscaling b/a")
        );
    }

    #[test]
    fn without_a_name_there_is_no_identity() {
        assert_eq!(
            ObjectRef::of(
                &serde_json::json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"generateName": "x"}})
            ),
            None
        );
    }
}
