//! Which API groups are Kubernetes' own: their objects pass through Go types, which drop zero values and rewrite
//! quantities. Objects of any other group are kept as written.

/// Groups served by kube-apiserver itself, its two extension servers included.
const GROUPS: [&str; 24] = [
    "",
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "apiregistration.k8s.io",
    "apps",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "autoscaling",
    "batch",
    "certificates.k8s.io",
    "coordination.k8s.io",
    "discovery.k8s.io",
    "events.k8s.io",
    "extensions",
    "flowcontrol.apiserver.k8s.io",
    "internal.apiserver.k8s.io",
    "networking.k8s.io",
    "node.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "resource.k8s.io",
    "scheduling.k8s.io",
    "storage.k8s.io",
    "storagemigration.k8s.io",
];

/// Whether `group` is one of Kubernetes' own.
pub(super) fn is_builtin(group: &str) -> bool {
    GROUPS.contains(&group)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_of_definitions_are_not_built_in() {
        assert!(is_builtin("") && is_builtin("networking.k8s.io"));
        assert!(!is_builtin("gateway.networking.k8s.io") && !is_builtin("snapshot.storage.k8s.io"));
        assert!(!is_builtin("metrics.k8s.io"));
    }
}
