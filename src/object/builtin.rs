//! The kinds that Kubernetes serves by itself, by version.
//!
//! Rendering needs scopes (is this kind namespaced?) and capabilities also when no server can be asked. The
//! facts are those of the API server's own discovery with default settings: APIs that a feature gate or
//! `--runtime-config` must switch on (alpha, and beta since Kubernetes 1.24) are not served here, but their
//! scope is known. Kinds of custom resource definitions are added with [`Discovery::with_definitions`].
//! Nothing here knows a server.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{ApiResource, Discovery, GroupKind, KubernetesVersion, Manifest, Scope};

/// A version with the first minor release that serves it by default and the first that no longer does.
type Served = (&'static str, u32, u32);

/// Until further notice.
const OPEN: u32 = u32::MAX;
/// Never served by default.
const OFF: u32 = 0;
/// The oldest supported minor release: what it serves has been there always.
const OLDEST: u32 = 29;

/// What may be done with a kind.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verbs {
    /// Everything.
    All,
    /// Only `create`: reviews and bindings, which are never stored.
    Create,
    /// Only `get` and `list`.
    Read,
}

/// One kind: group, kind, plural, scope, verbs, versions with the preferred one first.
struct Builtin(&'static str, &'static str, &'static str, Scope, Verbs, &'static [Served]);

use Scope::{Cluster as C, Namespaced as N};
use Verbs::{All, Create, Read};

const V1: &[Served] = &[("v1", OLDEST, OPEN)];
const REGISTRATION: &str = "admissionregistration.k8s.io";
const FLOW: &str = "flowcontrol.apiserver.k8s.io";

#[rustfmt::skip]
const BUILTIN: &[Builtin] = &[
    Builtin("", "Binding", "bindings", N, Create, V1),
    Builtin("", "ComponentStatus", "componentstatuses", C, Read, V1),
    Builtin("", "ConfigMap", "configmaps", N, All, V1),
    Builtin("", "Endpoints", "endpoints", N, All, V1),
    Builtin("", "Event", "events", N, All, V1),
    Builtin("", "LimitRange", "limitranges", N, All, V1),
    Builtin("", "Namespace", "namespaces", C, All, V1),
    Builtin("", "Node", "nodes", C, All, V1),
    Builtin("", "PersistentVolume", "persistentvolumes", C, All, V1),
    Builtin("", "PersistentVolumeClaim", "persistentvolumeclaims", N, All, V1),
    Builtin("", "Pod", "pods", N, All, V1),
    Builtin("", "PodTemplate", "podtemplates", N, All, V1),
    Builtin("", "ReplicationController", "replicationcontrollers", N, All, V1),
    Builtin("", "ResourceQuota", "resourcequotas", N, All, V1),
    Builtin("", "Secret", "secrets", N, All, V1),
    Builtin("", "Service", "services", N, All, V1),
    Builtin("", "ServiceAccount", "serviceaccounts", N, All, V1),
    Builtin(REGISTRATION, "MutatingAdmissionPolicy", "mutatingadmissionpolicies", C, All, &[("v1", 36, OPEN), ("v1beta1", OFF, OFF), ("v1alpha1", OFF, OFF)]),
    Builtin(REGISTRATION, "MutatingAdmissionPolicyBinding", "mutatingadmissionpolicybindings", C, All, &[("v1", 36, OPEN), ("v1beta1", OFF, OFF), ("v1alpha1", OFF, OFF)]),
    Builtin(REGISTRATION, "MutatingWebhookConfiguration", "mutatingwebhookconfigurations", C, All, V1),
    Builtin(REGISTRATION, "ValidatingAdmissionPolicy", "validatingadmissionpolicies", C, All, &[("v1", 30, OPEN), ("v1beta1", OFF, OFF), ("v1alpha1", OFF, OFF)]),
    Builtin(REGISTRATION, "ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings", C, All, &[("v1", 30, OPEN), ("v1beta1", OFF, OFF), ("v1alpha1", OFF, OFF)]),
    Builtin(REGISTRATION, "ValidatingWebhookConfiguration", "validatingwebhookconfigurations", C, All, V1),
    Builtin("apiextensions.k8s.io", "CustomResourceDefinition", "customresourcedefinitions", C, All, V1),
    Builtin("apiregistration.k8s.io", "APIService", "apiservices", C, All, V1),
    Builtin("apps", "ControllerRevision", "controllerrevisions", N, All, V1),
    Builtin("apps", "DaemonSet", "daemonsets", N, All, V1),
    Builtin("apps", "Deployment", "deployments", N, All, V1),
    Builtin("apps", "ReplicaSet", "replicasets", N, All, V1),
    Builtin("apps", "StatefulSet", "statefulsets", N, All, V1),
    Builtin("authentication.k8s.io", "SelfSubjectReview", "selfsubjectreviews", C, Create, V1),
    Builtin("authentication.k8s.io", "TokenReview", "tokenreviews", C, Create, V1),
    Builtin("authorization.k8s.io", "LocalSubjectAccessReview", "localsubjectaccessreviews", N, Create, V1),
    Builtin("authorization.k8s.io", "SelfSubjectAccessReview", "selfsubjectaccessreviews", C, Create, V1),
    Builtin("authorization.k8s.io", "SelfSubjectRulesReview", "selfsubjectrulesreviews", C, Create, V1),
    Builtin("authorization.k8s.io", "SubjectAccessReview", "subjectaccessreviews", C, Create, V1),
    Builtin("autoscaling", "HorizontalPodAutoscaler", "horizontalpodautoscalers", N, All, &[("v2", OLDEST, OPEN), ("v1", OLDEST, OPEN)]),
    Builtin("batch", "CronJob", "cronjobs", N, All, V1),
    Builtin("batch", "Job", "jobs", N, All, V1),
    Builtin("certificates.k8s.io", "CertificateSigningRequest", "certificatesigningrequests", C, All, V1),
    Builtin("certificates.k8s.io", "ClusterTrustBundle", "clustertrustbundles", C, All, &[("v1", 37, OPEN), ("v1beta1", OFF, OFF), ("v1alpha1", OFF, OFF)]),
    Builtin("certificates.k8s.io", "PodCertificateRequest", "podcertificaterequests", N, All, &[("v1", 37, OPEN), ("v1beta1", OFF, OFF), ("v1alpha1", OFF, OFF)]),
    Builtin("coordination.k8s.io", "Lease", "leases", N, All, V1),
    Builtin("coordination.k8s.io", "LeaseCandidate", "leasecandidates", N, All, &[("v1beta1", OFF, OFF), ("v1alpha2", OFF, OFF)]),
    Builtin("discovery.k8s.io", "EndpointSlice", "endpointslices", N, All, V1),
    Builtin("events.k8s.io", "Event", "events", N, All, V1),
    Builtin(FLOW, "FlowSchema", "flowschemas", C, All, &[("v1", OLDEST, OPEN), ("v1beta3", OLDEST, 32)]),
    Builtin(FLOW, "PriorityLevelConfiguration", "prioritylevelconfigurations", C, All, &[("v1", OLDEST, OPEN), ("v1beta3", OLDEST, 32)]),
    Builtin("internal.apiserver.k8s.io", "StorageVersion", "storageversions", C, All, &[("v1alpha1", OFF, OFF)]),
    Builtin("lifecycle.k8s.io", "Eviction", "evictions", N, All, &[("v1alpha1", OFF, OFF)]),
    Builtin("lifecycle.k8s.io", "EvictionRequest", "evictionrequests", N, All, &[("v1alpha1", OFF, OFF)]),
    Builtin("networking.k8s.io", "IPAddress", "ipaddresses", C, All, &[("v1", 33, OPEN), ("v1beta1", OFF, OFF), ("v1alpha1", OFF, OFF)]),
    Builtin("networking.k8s.io", "Ingress", "ingresses", N, All, V1),
    Builtin("networking.k8s.io", "IngressClass", "ingressclasses", C, All, V1),
    Builtin("networking.k8s.io", "NetworkPolicy", "networkpolicies", N, All, V1),
    Builtin("networking.k8s.io", "ServiceCIDR", "servicecidrs", C, All, &[("v1", 33, OPEN), ("v1beta1", OFF, OFF), ("v1alpha1", OFF, OFF)]),
    Builtin("node.k8s.io", "RuntimeClass", "runtimeclasses", C, All, V1),
    Builtin("policy", "PodDisruptionBudget", "poddisruptionbudgets", N, All, V1),
    Builtin("rbac.authorization.k8s.io", "ClusterRole", "clusterroles", C, All, V1),
    Builtin("rbac.authorization.k8s.io", "ClusterRoleBinding", "clusterrolebindings", C, All, V1),
    Builtin("rbac.authorization.k8s.io", "Role", "roles", N, All, V1),
    Builtin("rbac.authorization.k8s.io", "RoleBinding", "rolebindings", N, All, V1),
    Builtin("resource.k8s.io", "DeviceClass", "deviceclasses", C, All, &[("v1", 34, OPEN), ("v1beta2", OFF, OFF), ("v1beta1", OFF, OFF), ("v1alpha3", OFF, OFF)]),
    Builtin("resource.k8s.io", "DeviceTaintRule", "devicetaintrules", C, All, &[("v1", 37, OPEN), ("v1beta2", OFF, OFF), ("v1alpha3", OFF, OFF)]),
    Builtin("resource.k8s.io", "ResourceClaim", "resourceclaims", N, All, &[("v1", 34, OPEN), ("v1beta2", OFF, OFF), ("v1beta1", OFF, OFF), ("v1alpha3", OFF, OFF)]),
    Builtin("resource.k8s.io", "ResourceClaimTemplate", "resourceclaimtemplates", N, All, &[("v1", 34, OPEN), ("v1beta2", OFF, OFF), ("v1beta1", OFF, OFF), ("v1alpha3", OFF, OFF)]),
    Builtin("resource.k8s.io", "ResourcePoolStatusRequest", "resourcepoolstatusrequests", C, All, &[("v1alpha3", OFF, OFF)]),
    Builtin("resource.k8s.io", "ResourceSlice", "resourceslices", C, All, &[("v1", 34, OPEN), ("v1beta2", OFF, OFF), ("v1beta1", OFF, OFF), ("v1alpha3", OFF, OFF)]),
    Builtin("scheduling.k8s.io", "CompositePodGroup", "compositepodgroups", N, All, &[("v1alpha3", OFF, OFF)]),
    Builtin("scheduling.k8s.io", "PodGroup", "podgroups", N, All, &[("v1beta1", OFF, OFF), ("v1alpha3", OFF, OFF), ("v1alpha2", OFF, OFF)]),
    Builtin("scheduling.k8s.io", "PriorityClass", "priorityclasses", C, All, V1),
    Builtin("scheduling.k8s.io", "Workload", "workloads", N, All, &[("v1beta1", OFF, OFF), ("v1alpha3", OFF, OFF), ("v1alpha2", OFF, OFF), ("v1alpha1", OFF, OFF)]),
    Builtin("storage.k8s.io", "CSIDriver", "csidrivers", C, All, V1),
    Builtin("storage.k8s.io", "CSINode", "csinodes", C, All, V1),
    Builtin("storage.k8s.io", "CSIStorageCapacity", "csistoragecapacities", N, All, V1),
    Builtin("storage.k8s.io", "StorageClass", "storageclasses", C, All, V1),
    Builtin("storage.k8s.io", "VolumeAttachment", "volumeattachments", C, All, V1),
    Builtin("storage.k8s.io", "VolumeAttributesClass", "volumeattributesclasses", C, All, &[("v1", 34, OPEN), ("v1beta1", OFF, OFF), ("v1alpha1", OFF, OFF)]),
    Builtin("storagemigration.k8s.io", "StorageVersionMigration", "storageversionmigrations", C, All, &[("v1", 37, OPEN), ("v1beta1", OFF, OFF), ("v1alpha1", OFF, OFF)]),
];

/// Whether `kind` is one of Kubernetes' own, in any supported version, switched on or not.
pub fn is_builtin(kind: &GroupKind) -> bool {
    scope(kind).is_some()
}

/// The scope of one of Kubernetes' own kinds, also of those that are not served by default.
pub fn scope(kind: &GroupKind) -> Option<Scope> {
    BUILTIN.iter().find(|b| kind.is(b.0, b.1)).map(|b| b.3)
}

impl Discovery {
    /// What Kubernetes `version` serves by itself with default settings. Versions outside 1.29 to 1.37 get
    /// what the nearest of these serves.
    pub fn of_version(version: KubernetesVersion) -> Self {
        let minor = version.minor.max(OLDEST);
        let resources = BUILTIN.iter().filter_map(|Builtin(group, kind, plural, scope, verbs, versions)| {
            let versions: Vec<_> = versions
                .iter()
                .filter(|(_, since, until)| (*since..*until).contains(&minor))
                .map(|(version, ..)| (*version).to_owned())
                .collect();
            let resource =
                ApiResource { versions, plural: (*plural).into(), scope: *scope, verbs: verb_names(*verbs) };
            (!resource.versions.is_empty()).then(|| (GroupKind::new(*group, *kind), resource))
        });
        Self {
            version,
            git_version: format!("v{version}.0"),
            resources: resources.collect(),
            failed: BTreeSet::new(),
        }
    }

    /// The same, and the kinds that the custom resource definitions among `manifests` define.
    #[must_use]
    pub fn with_definitions(&self, manifests: &[Manifest]) -> Self {
        let mut discovery = self.clone();
        discovery.resources.extend(definitions(manifests.iter().map(|m| &m.object)));
        discovery
    }

    /// Every served `group/version` and `group/version/Kind`, sorted: what Helm calls API versions.
    pub fn api_versions(&self) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        for (kind, resource) in &self.resources {
            for version in &resource.versions {
                let api_version =
                    if kind.group.is_empty() { version.clone() } else { format!("{}/{version}", kind.group) };
                names.insert(format!("{api_version}/{}", kind.kind));
                names.insert(api_version);
            }
        }
        names
    }
}

/// The kinds that the custom resource definitions among `objects` define. Objects of other kinds, and
/// definitions without the required fields, are passed over: the server judges them.
pub fn definitions<'a>(objects: impl Iterator<Item = &'a Value>) -> BTreeMap<GroupKind, ApiResource> {
    objects.filter_map(definition).collect()
}

fn definition(object: &Value) -> Option<(GroupKind, ApiResource)> {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
    if text("/kind") != Some("CustomResourceDefinition")
        || !text("/apiVersion")?.starts_with("apiextensions.k8s.io/")
    {
        return None;
    }
    let scope = if text("/spec/scope")? == "Cluster" { Scope::Cluster } else { Scope::Namespaced };
    let mut versions: Vec<String> = object
        .pointer("/spec/versions")?
        .as_array()?
        .iter()
        .filter(|v| v["served"].as_bool() != Some(false))
        .filter_map(|v| v["name"].as_str().map(Into::into))
        .collect();
    versions.sort_by_key(|version| std::cmp::Reverse(priority(version)));
    let resource = ApiResource {
        versions,
        plural: text("/spec/names/plural")?.into(),
        scope,
        verbs: verb_names(Verbs::All),
    };
    Some((GroupKind::new(text("/spec/group")?, text("/spec/names/kind")?), resource))
}

fn verb_names(verbs: Verbs) -> BTreeSet<String> {
    let names: &[&str] = match verbs {
        Verbs::All => &["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"],
        Verbs::Create => &["create"],
        Verbs::Read => &["get", "list"],
    };
    names.iter().map(|name| (*name).into()).collect()
}

/// The order in which a server prefers the versions of a custom resource: stable over beta over alpha, then
/// the higher number; anything else last (apimachinery's `version.CompareKubeAwareVersionStrings`).
fn priority(version: &str) -> (u8, u32, u32) {
    let parse = || {
        let rest = version.strip_prefix('v')?;
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let major = rest[..digits].parse().ok()?;
        match &rest[digits..] {
            "" => Some((3, major, 0)),
            suffix => {
                let (stability, minor) = match (suffix.strip_prefix("beta"), suffix.strip_prefix("alpha")) {
                    (Some(minor), _) => (2, minor),
                    (_, Some(minor)) => (1, minor),
                    _ => return None,
                };
                Some((stability, major, minor.parse().ok()?))
            }
        }
    };
    parse().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(minor: u32) -> Discovery {
        Discovery::of_version(KubernetesVersion { major: 1, minor })
    }

    fn versions(discovery: &Discovery, group: &str, kind: &str) -> Vec<String> {
        discovery.get(&GroupKind::new(group, kind)).map(|r| r.versions.clone()).unwrap_or_default()
    }

    #[test]
    fn versions_come_and_go() {
        assert_eq!(versions(&of(31), FLOW, "FlowSchema"), ["v1", "v1beta3"]);
        assert_eq!(versions(&of(32), FLOW, "FlowSchema"), ["v1"]);
        assert!(versions(&of(29), REGISTRATION, "ValidatingAdmissionPolicy").is_empty());
        assert_eq!(versions(&of(30), REGISTRATION, "ValidatingAdmissionPolicy"), ["v1"]);
        assert_eq!(versions(&of(40), "resource.k8s.io", "ResourceClaim"), ["v1"]);
        assert_eq!(versions(&of(12), "apps", "Deployment"), ["v1"]);
    }

    #[test]
    fn kinds_that_are_off_have_a_scope_all_the_same() {
        let kind = GroupKind::new("internal.apiserver.k8s.io", "StorageVersion");
        assert_eq!(of(36).get(&kind), None);
        assert_eq!(scope(&kind), Some(Scope::Cluster));
        assert_eq!(scope(&GroupKind::new("example.com", "Widget")), None);
    }

    #[test]
    fn a_definition_adds_its_kind_with_the_preferred_version_first() {
        let crd = json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": "widgets.example.com"},
            "spec": {"group": "example.com", "scope": "Cluster", "names": {"kind": "Widget", "plural": "widgets"},
                "versions": [{"name": "v1beta2", "served": true}, {"name": "v1", "served": true},
                    {"name": "v2alpha1", "served": true}, {"name": "v1alpha1", "served": false}]},
        });
        let defined = definitions([&crd, &json!({"kind": "CustomResourceDefinition"})].into_iter());
        let widget = &defined[&GroupKind::new("example.com", "Widget")];
        assert_eq!(widget.versions, ["v1", "v1beta2", "v2alpha1"]);
        assert_eq!((widget.scope, widget.plural.as_str(), defined.len()), (Scope::Cluster, "widgets", 1));
    }

    #[test]
    fn api_versions_name_groups_and_kinds() {
        let names = of(34).api_versions();
        assert!(["v1", "v1/Pod", "apps/v1", "apps/v1/Deployment"].iter().all(|n| names.contains(*n)));
        assert!(!names.contains("policy/v1beta1"));
    }
}
