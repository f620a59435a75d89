//! Objects of many kinds, written as charts write them: zero values, quantities, order, and all sorts of lists.

use std::collections::{BTreeMap, BTreeSet};

use landskap::object::{ApiResource, Discovery, GroupVersionKind, KubernetesVersion, Scope};
use serde_json::{Value, json};

/// A discovery that serves just this kind.
pub fn discovery(gvk: &GroupVersionKind) -> Discovery {
    let resource = ApiResource {
        versions: vec![gvk.version.clone()],
        plural: plural(&gvk.kind),
        scope: Scope::Namespaced,
        verbs: BTreeSet::new(),
    };
    Discovery {
        version: KubernetesVersion { major: 1, minor: 36 },
        git_version: "v1.36.3".into(),
        resources: BTreeMap::from([(gvk.group_kind(), resource)]),
        failed: BTreeSet::new(),
    }
}

/// The name of a kind in URLs.
pub fn plural(kind: &str) -> String {
    let lower = kind.to_lowercase();
    match lower.as_str() {
        "networkpolicy" => "networkpolicies".into(),
        _ if lower.ends_with('s') => format!("{lower}es"),
        _ => format!("{lower}s"),
    }
}

/// A CustomResourceDefinition of `Widget`, with every kind of list and map, and defaults.
pub fn definition(namespace: &str) -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("widgets.{namespace}.example.org")},
        "spec": {
            "group": format!("{namespace}.example.org"), "scope": "Namespaced",
            "names": {"kind": "Widget", "plural": "widgets"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {
                "type": "object", "properties": {"spec": {"type": "object", "properties": fields()}}}}}],
        },
    })
}

fn fields() -> Value {
    let text = || json!({"type": "string"});
    let defaulted = |value: &str| json!({"type": "string", "default": value});
    let object = |properties: Value| json!({"type": "object", "properties": properties});
    let list = |keys: Value, item: Value| json!({"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": keys, "items": item});
    let port = json!({"type": "object", "required": ["number"], "properties": {"number": {"type": "integer"}, "protocol": defaulted("TCP")}});
    let item = json!({"type": "object", "required": ["name"], "properties": {
        "name": text(), "value": text(), "level": {"type": "integer", "default": 3}, "ports": list(json!(["number", "protocol"]), port)}});
    json!({
        "text": text(), "count": {"type": "integer"}, "flag": {"type": "boolean", "default": true}, "cpu": text(),
        "port": {"x-kubernetes-int-or-string": true}, "mode": defaulted("auto"),
        "items": list(json!(["name"]), item),
        "set": {"type": "array", "x-kubernetes-list-type": "set", "items": text()},
        "atomic": {"type": "array", "items": object(json!({"a": text(), "b": defaulted("b")}))},
        "whole": {"type": "object", "x-kubernetes-map-type": "atomic", "additionalProperties": text()},
        "open": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
        "map": {"type": "object", "additionalProperties": object(json!({"a": text(), "b": defaulted("x")}))},
        "nested": object(json!({"a": {"type": "object", "default": {}, "properties": {"b": {"type": "integer", "default": 1}}}})),
    })
}

fn container() -> Value {
    json!({
        "name": "app", "image": "example.test/app:1", "args": ["--a", "--b"], "command": [],
        "ports": [
            {"name": "http", "containerPort": 80, "protocol": "TCP"},
            {"name": "dns", "containerPort": 53, "protocol": "UDP"},
            {"name": "dns-tcp", "containerPort": 53, "protocol": "TCP"},
        ],
        "env": [
            {"name": "A", "value": ""},
            {"name": "B", "value": "$(A)"},
            {"name": "C", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
            {"name": "D", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
            {"name": "E", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}},
        ],
        "envFrom": [{"secretRef": {"name": "s"}}, {"configMapRef": {"name": "c"}}],
        "resources": {"limits": {"cpu": "1000m", "memory": "1024Mi"}, "requests": {"cpu": 0.5}},
        "securityContext": {"runAsNonRoot": true, "privileged": false, "capabilities": {"drop": ["ALL"], "add": []}},
        "readinessProbe": {"httpGet": {"path": "/", "port": "http", "httpHeaders": [{"name": "H", "value": "v"}]}, "periodSeconds": 10},
        "volumeMounts": [{"name": "data", "mountPath": "/data", "readOnly": false}, {"name": "tmp", "mountPath": "/tmp"}],
    })
}

fn pod_spec() -> Value {
    json!({
        "serviceAccountName": "default", "hostNetwork": false, "nodeSelector": {}, "securityContext": {},
        "imagePullSecrets": [{"name": "b"}, {"name": "a"}],
        "initContainers": [{"name": "one", "image": "example.test/one:1"}, {"name": "two", "image": "example.test/two:1"}],
        "containers": [container()],
        "tolerations": [{"key": "a", "operator": "Exists"}, {"key": "b", "value": "x", "effect": "NoSchedule"}],
        "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
            {"matchExpressions": [{"key": "zone", "operator": "In", "values": ["a", "b"]}]},
        ]}}},
        "topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": {"app": "a"}}}],
        "volumes": [
            {"name": "data", "emptyDir": {}},
            {"name": "tmp", "emptyDir": {"sizeLimit": "1000Mi"}},
            {"name": "token", "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}, {"configMap": {"name": "c"}}]}},
            {"name": "config", "configMap": {"name": "c", "items": [{"key": "a", "path": "a"}]}},
        ],
    })
}

fn template(restart: Option<&str>) -> Value {
    let mut spec = pod_spec();
    if let Some(restart) = restart {
        spec["restartPolicy"] = restart.into();
    }
    json!({"metadata": {"labels": {"app": "a"}, "annotations": {"a": ""}}, "spec": spec})
}

/// One object of each kind. Those outside the namespace bear its name, and touch nothing of others.
pub fn objects(namespace: &str) -> Vec<Value> {
    let meta = |name: &str| json!({"name": name, "namespace": namespace, "annotations": {"example.org/a": "", "example.org/b": "b"}});
    let global = || json!({"name": namespace});
    let rbac = "rbac.authorization.k8s.io/v1";
    let rules = json!([
        {"apiGroups": [""], "resources": ["pods", "services"], "verbs": ["get", "list"]},
        {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get"], "resourceNames": []},
    ]);
    let plain_rules = json!([
        {"apiGroups": [""], "resources": ["pods", "services"], "verbs": ["get", "list"]},
        {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get"]},
    ]);
    vec![
        json!({"apiVersion": format!("{namespace}.example.org/v1"), "kind": "Widget", "metadata": meta("w"), "spec": {
            "text": "", "count": 0, "flag": false, "port": "80", "cpu": "1000m",
            "items": [{"name": "b", "value": ""}, {"name": "a", "ports": [{"number": 1}, {"number": 2}]}],
            "set": ["b", "a"], "atomic": [{"a": "1"}, {}], "whole": {"a": "", "b": "c"}, "open": {"x": {"y": []}, "z": {}},
            "map": {"k": {"a": "1"}, "l": {}}, "nested": {}}}),
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta("c"), "data": {"a": "1", "b": "", "c": "\u{2028}\u{1}æ🎉"}, "immutable": false}),
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": meta("s"), "type": "Opaque", "data": {"k": "djE=", "e": ""}}),
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta("sa"), "automountServiceAccountToken": false,
            "imagePullSecrets": [{"name": "b"}, {"name": "a"}]}),
        json!({"apiVersion": "v1", "kind": "Service", "metadata": meta("svc"), "spec": {
        "type": "ClusterIP", "selector": {"app": "a", "tier": "b"}, "publishNotReadyAddresses": false, "sessionAffinity": "None",
        "ports": [
            {"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP"},
            {"name": "dns", "port": 53, "targetPort": 53, "protocol": "UDP"},
            {"name": "dns-tcp", "port": 53, "targetPort": 53, "protocol": "TCP"},
        ]}}),
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta("d"), "spec": {
            "replicas": 0, "paused": false, "selector": {"matchLabels": {"app": "a"}}, "template": template(None)}}),
        json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": meta("ss"), "spec": {
            "replicas": 0, "serviceName": "svc", "updateStrategy": {}, "selector": {"matchLabels": {"app": "a"}}, "template": template(None),
            "volumeClaimTemplates": [{"metadata": {"name": "v"}, "spec": {"accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": "1024Mi"}}}}]}}),
        json!({"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": meta("ds"), "spec": {
            "selector": {"matchLabels": {"app": "a"}}, "updateStrategy": {"type": "RollingUpdate"},
            "template": {"metadata": {"labels": {"app": "a"}}, "spec": {"nodeSelector": {"none": "such"}, "containers": [container()],
                "volumes": [{"name": "data", "emptyDir": {}}, {"name": "tmp", "emptyDir": {}}]}}}}),
        json!({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": meta("cj"), "spec": {
            "schedule": "0 0 1 1 *", "suspend": true, "successfulJobsHistoryLimit": 0,
            "jobTemplate": {"spec": {"template": template(Some("Never"))}}}}),
        json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": meta("j"), "spec": {
            "suspend": true, "backoffLimit": 0, "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "a", "image": "example.test/a:1"}]}}}}),
        json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": meta("np"), "spec": {
            "podSelector": {"matchLabels": {"app": "a"}}, "policyTypes": ["Ingress", "Egress"],
            "ingress": [
                {"from": [{"podSelector": {"matchLabels": {"app": "b"}}}, {"namespaceSelector": {}}], "ports": [{"port": 80}]},
                {"from": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16", "10.2.0.0/16"]}}]},
            ],
            "egress": [{"to": [], "ports": [{"port": 53, "protocol": "UDP"}]}, {}]}}),
        json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": meta("np-plain"), "spec": {
            "podSelector": {}, "policyTypes": ["Ingress"],
            "ingress": [{"from": [{"podSelector": {"matchLabels": {"app": "b"}}}], "ports": [{"port": 80}]}]}}),
        json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": meta("i"), "spec": {
            "ingressClassName": "none", "tls": [{"hosts": ["a.example", "b.example"], "secretName": "s"}],
            "rules": [{"host": "a.example", "http": {"paths": [
                {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "svc", "port": {"number": 80}}}},
                {"path": "/b", "pathType": "Prefix", "backend": {"service": {"name": "svc", "port": {"name": "http"}}}}]}}]}}),
        json!({"apiVersion": rbac, "kind": "Role", "metadata": meta("r"), "rules": plain_rules}),
        json!({"apiVersion": rbac, "kind": "Role", "metadata": meta("r2"), "rules": rules}),
        json!({"apiVersion": rbac, "kind": "RoleBinding", "metadata": meta("rb"),
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "r"},
            "subjects": [{"kind": "ServiceAccount", "name": "sa", "namespace": namespace}, {"kind": "User", "name": "u"}]}),
        json!({"apiVersion": rbac, "kind": "ClusterRole", "metadata": global(), "rules": [
            {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]}, {"nonResourceURLs": ["/metrics"], "verbs": ["get"]}]}),
        json!({"apiVersion": rbac, "kind": "ClusterRoleBinding", "metadata": global(),
            "roleRef": {"kind": "ClusterRole", "name": namespace}, "subjects": [{"kind": "Group", "name": "nobody"}]}),
        json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": meta("h"), "spec": {
            "minReplicas": 1, "maxReplicas": 3, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "none"},
            "behavior": {"scaleDown": {"stabilizationWindowSeconds": 0, "policies": [{"type": "Pods", "value": 1, "periodSeconds": 60}]}},
            "metrics": [
                {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}},
                {"type": "Resource", "resource": {"name": "memory", "target": {"type": "AverageValue", "averageValue": "1024Mi"}}}]}}),
        json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": meta("pdb"), "spec": {
            "minAvailable": 0, "selector": {"matchLabels": {"app": "a"}, "matchExpressions": [{"key": "t", "operator": "In", "values": ["x", "y"]}]}}}),
        json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": meta("q"), "spec": {
            "hard": {"cpu": "100000m", "pods": 1000, "memory": "1000Gi"}, "scopes": ["NotTerminating"]}}),
        json!({"apiVersion": "v1", "kind": "LimitRange", "metadata": meta("l"), "spec": {"limits": [
            {"type": "Container", "default": {"cpu": "1000m"}, "defaultRequest": {"cpu": "500m"}, "max": {"cpu": 64}}]}}),
        json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": meta("pvc"), "spec": {
            "accessModes": ["ReadWriteOnce"], "storageClassName": "", "volumeName": "", "resources": {"requests": {"storage": "1024Mi"}}}}),
        json!({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": meta("es"), "addressType": "IPv4",
            "endpoints": [{"addresses": ["10.0.0.1"], "conditions": {"ready": true}}, {"addresses": ["10.0.0.2"]}],
            "ports": [{"name": "http", "port": 80, "protocol": "TCP"}, {"name": "x", "port": 81}]}),
        json!({"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": global(), "value": 0, "globalDefault": false, "description": ""}),
        json!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": global(), "provisioner": "example.org/none",
            "parameters": {"a": "b", "c": ""}, "mountOptions": ["a", "b"], "allowVolumeExpansion": false}),
        json!({"apiVersion": "networking.k8s.io/v1", "kind": "IngressClass", "metadata": global(), "spec": {"controller": "example.org/none"}}),
        json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration", "metadata": global(), "webhooks": [
            {"name": "a.example.org", "sideEffects": "None", "admissionReviewVersions": ["v1", "v1beta1"], "failurePolicy": "Ignore",
             "clientConfig": {"service": {"name": "none", "namespace": namespace}}, "namespaceSelector": {"matchLabels": {"none": "such"}},
             "objectSelector": {}, "rules": [{"apiGroups": ["none.example.org"], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["nones"]}]}]}),
    ]
}
