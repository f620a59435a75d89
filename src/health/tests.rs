//! kstatus' own scenarios (H1) and ours, as YAML-like data: an object in, a status and a reason out.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Context, Evidence, Health, Related, Status, assess, explain};

const NOW: &str = "2026-01-01T12:00:00Z";

fn now() -> Timestamp {
    NOW.parse().expect("a time")
}

/// `seconds` before [`NOW`].
fn ago(seconds: i64) -> String {
    Timestamp::from_second(now().as_second() - seconds).expect("a time").to_string()
}

fn health(object: &Value) -> Health {
    let related = Related::default();
    assess(
        Some(object),
        &Context { now: now(), written: None, has_status: None, related: &related, rules: &[] },
    )
}

#[track_caller]
fn check(object: &Value, status: Status, reason: &str) {
    let health = health(object);
    assert_eq!((health.status, health.reason.as_str()), (status, reason), "{object:#}");
}

/// An object of a kind, observed at generation 1.
fn object(api_version: &str, kind: &str, spec: &Value, status: Value) -> Value {
    let mut status = status;
    if status.get("unobserved").is_some() {
        status.as_object_mut().expect("a map").remove("unobserved");
    } else {
        status["observedGeneration"] = json!(1);
    }
    json!({
        "apiVersion": api_version, "kind": kind,
        "metadata": {"name": "a", "namespace": "n", "generation": 1, "uid": "u"},
        "spec": spec, "status": status,
    })
}

fn condition(kind: &str, status: &str, reason: &str, message: &str, since: i64) -> Value {
    json!({"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": ago(since)})
}

#[test]
fn general_rules_come_before_the_kind() {
    let related = Related::default();
    let context = Context { now: now(), written: None, has_status: None, related: &related, rules: &[] };
    assert_eq!(assess(None, &context).status, Status::NotFound);

    let mut map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}});
    check(&map, Status::Current, "");
    map["metadata"]["deletionTimestamp"] = json!(NOW);
    map["metadata"]["finalizers"] = json!(["a.example/b", "c"]);
    check(&map, Status::Terminating, "held by finalizers a.example/b, c");

    let conditions = |list: Value| object("example.com/v1", "Thing", &json!({}), json!({"conditions": list}));
    let reconciling = condition("Reconciling", "True", "", "making things", 1);
    check(&conditions(json!([reconciling])), Status::InProgress, "making things");
    let stalled = condition("Stalled", "True", "Broken", "", 1);
    check(&conditions(json!([stalled])), Status::Failed, "Broken");
    let mut behind = conditions(json!([stalled]));
    behind["metadata"]["generation"] = json!(2);
    check(&behind, Status::InProgress, "its controller has not seen the last change yet");
}

fn deployment(status: Value) -> Value {
    object("apps/v1", "Deployment", &json!({"replicas": 2, "progressDeadlineSeconds": 600}), status)
}

#[test]
fn deployments() {
    check(&deployment(json!({"unobserved": true})), Status::InProgress, "its controller has not seen it yet");
    let late = condition("Progressing", "False", "ProgressDeadlineExceeded", "took too long", 1);
    check(&deployment(json!({"conditions": [late]})), Status::Failed, "took too long");
    check(&deployment(json!({"replicas": 1})), Status::InProgress, "1 of 2 replicas are created");
    let counts = |updated: i64, all: i64, available: i64, ready: i64| json!({"replicas": all, "updatedReplicas": updated, "availableReplicas": available, "readyReplicas": ready});
    check(&deployment(counts(1, 2, 2, 2)), Status::InProgress, "1 of 2 replicas are updated");
    check(&deployment(counts(2, 3, 2, 2)), Status::InProgress, "1 old replica has still to go");
    check(&deployment(counts(2, 2, 1, 2)), Status::InProgress, "1 of 2 replicas are available");
    check(&deployment(counts(2, 2, 2, 1)), Status::InProgress, "1 of 2 replicas are ready");

    let mut status = counts(2, 2, 2, 2);
    check(&deployment(status.clone()), Status::InProgress, "its new ReplicaSet is not complete yet");
    let complete = condition("Progressing", "True", "NewReplicaSetAvailable", "", 1);
    status["conditions"] = json!([complete, condition("Available", "False", "", "too few", 1)]);
    check(&deployment(status.clone()), Status::InProgress, "too few");
    status["conditions"] = json!([complete, condition("Available", "True", "", "", 1)]);
    check(&deployment(status.clone()), Status::Current, "");

    let mut without_deadline = deployment(status.clone());
    without_deadline["spec"]["progressDeadlineSeconds"] = json!(2_147_483_647_i64);
    without_deadline["status"]["conditions"] = json!([condition("Available", "True", "", "", 1)]);
    check(&without_deadline, Status::Current, "");

    let mut paused = deployment(json!({}));
    paused["spec"]["paused"] = json!(true);
    check(&paused, Status::Paused, "its rollout is paused");
    let mut zero = deployment(json!({}));
    zero["spec"]["replicas"] = json!(0);
    check(&zero, Status::Current, "scaled to zero");
}

#[test]
fn refused_pods_fail_after_a_while() {
    for (kind, api) in [("Deployment", "apps/v1"), ("ReplicaSet", "apps/v1"), ("ReplicationController", "v1")]
    {
        let refused = |since| condition("ReplicaFailure", "True", "FailedCreate", "exceeded quota", since);
        let of = |since| object(api, kind, &json!({"replicas": 1}), json!({"conditions": [refused(since)]}));
        check(&of(10), Status::InProgress, "exceeded quota");
        check(&of(31), Status::Failed, "exceeded quota");
    }
}

#[test]
fn replica_sets() {
    let of = |labelled: i64, available: i64, ready: i64, all: i64| {
        let status = json!({"fullyLabeledReplicas": labelled, "availableReplicas": available,
            "readyReplicas": ready, "replicas": all});
        object("apps/v1", "ReplicaSet", &json!({"replicas": 2}), status)
    };
    check(&of(1, 2, 2, 2), Status::InProgress, "1 of 2 replicas are labelled");
    check(&of(2, 1, 2, 2), Status::InProgress, "1 of 2 replicas are available");
    check(&of(2, 2, 1, 2), Status::InProgress, "1 of 2 replicas are ready");
    check(&of(4, 4, 4, 4), Status::InProgress, "2 old replicas have still to go");
    check(&of(2, 2, 2, 2), Status::Current, "");
}

#[test]
fn stateful_sets() {
    let of = |spec: Value, status: Value| object("apps/v1", "StatefulSet", &spec, status);
    let on_delete = json!({"updateStrategy": {"type": "OnDelete"}});
    assert_eq!(health(&of(on_delete, json!({}))).status, Status::Current);
    let two = json!({"replicas": 2});
    check(
        &of(two.clone(), json!({"unobserved": 1})),
        Status::InProgress,
        "its controller has not seen it yet",
    );
    check(&of(two.clone(), json!({"replicas": 1})), Status::InProgress, "1 of 2 replicas are created");
    check(
        &of(two.clone(), json!({"replicas": 2, "readyReplicas": 1})),
        Status::InProgress,
        "1 of 2 replicas are ready",
    );
    let status = |current: i64, revision: &str| {
        json!({"replicas": 2, "readyReplicas": 2, "currentReplicas": current, "updatedReplicas": 1,
            "availableReplicas": 1, "currentRevision": revision, "updateRevision": "r2"})
    };
    check(
        &of(two.clone(), status(1, "r1")),
        Status::InProgress,
        "1 of 2 replicas are at the current revision",
    );
    check(
        &of(two.clone(), status(2, "r1")),
        Status::InProgress,
        "its Pods are not all at the new revision yet",
    );
    check(&of(two, status(2, "r2")), Status::Current, "");
    let patient = json!({"replicas": 2, "minReadySeconds": 5});
    check(&of(patient, status(2, "r2")), Status::InProgress, "1 of 2 replicas are available");
    let partition = |p: i64| json!({"replicas": 2, "updateStrategy": {"rollingUpdate": {"partition": p}}});
    check(&of(partition(1), status(1, "r1")), Status::Current, "updated down to partition 1");
    let mut behind = of(partition(1), status(1, "r1"));
    behind["status"]["updatedReplicas"] = json!(0);
    check(&behind, Status::InProgress, "0 of 1 replica is updated");
}

#[test]
fn daemon_sets() {
    let of = |spec: Value, status: Value| object("apps/v1", "DaemonSet", &spec, status);
    check(&of(json!({}), json!({"unobserved": 1})), Status::InProgress, "its controller has not seen it yet");
    check(&of(json!({}), json!({})), Status::InProgress, "its controller has not counted nodes yet");
    check(&of(json!({}), json!({"desiredNumberScheduled": 0})), Status::Current, "no node matches");
    let counts = |current: i64, updated: i64, available: i64, ready: i64| {
        json!({"desiredNumberScheduled": 3, "currentNumberScheduled": current, "updatedNumberScheduled": updated,
            "numberAvailable": available, "numberReady": ready})
    };
    check(&of(json!({}), counts(2, 3, 3, 3)), Status::InProgress, "2 of 3 replicas are scheduled");
    check(&of(json!({}), counts(3, 2, 3, 3)), Status::InProgress, "2 of 3 replicas are updated");
    check(&of(json!({}), counts(3, 3, 2, 3)), Status::InProgress, "2 of 3 replicas are available");
    check(&of(json!({}), counts(3, 3, 3, 2)), Status::InProgress, "2 of 3 replicas are ready");
    check(&of(json!({}), counts(3, 3, 3, 3)), Status::Current, "");
    check(&of(json!({"updateStrategy": {"type": "OnDelete"}}), counts(3, 0, 3, 3)), Status::Current, "");
}

#[test]
fn pods() {
    let of = |status: Value| json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "status": status});
    check(&of(json!({})), Status::InProgress, "its phase is not known yet");
    check(&of(json!({"phase": "Succeeded"})), Status::Current, "has completed");
    check(&of(json!({"phase": "Failed", "message": "evicted"})), Status::Failed, "evicted");
    let ended = json!([{"name": "c", "state": {"terminated": {"exitCode": 3}}}]);
    let failed = of(json!({"phase": "Failed", "containerStatuses": ended}));
    check(&failed, Status::Failed, "container c ended with exit code 3");
    let ready =
        |status: &str| of(json!({"phase": "Running", "conditions": [condition("Ready", status, "", "", 1)]}));
    check(&ready("True"), Status::Current, "");
    check(&ready("False"), Status::InProgress, "is running but not ready");
    let init = json!([{"name": "i", "state": {"waiting": {"reason": "ImagePullBackOff"}}}]);
    let waiting = of(json!({"phase": "Pending", "initContainerStatuses": init}));
    check(&waiting, Status::InProgress, "container i: ImagePullBackOff");
    let scheduled = condition("PodScheduled", "False", "Unschedulable", "0/3 nodes fit", 1);
    check(&of(json!({"phase": "Pending", "conditions": [scheduled]})), Status::InProgress, "0/3 nodes fit");
}

#[test]
fn jobs() {
    let of = |spec: Value, status: Value| json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "a"}, "spec": spec, "status": status});
    let done = |kind| json!({"conditions": [condition(kind, "True", "", "ended", 1)]});
    check(&of(json!({}), json!({})), Status::InProgress, "has not started yet");
    check(&of(json!({}), json!({"active": 1})), Status::InProgress, "is running (1 active)");
    check(
        &of(json!({}), json!({"active": 1, "failed": 2})),
        Status::InProgress,
        "is running (1 active, 2 failed)",
    );
    check(&of(json!({}), done("Complete")), Status::Current, "has completed");
    check(&of(json!({}), done("Failed")), Status::Failed, "ended");
    check(&of(json!({"suspend": true}), json!({})), Status::Paused, "is suspended");
    assert!(super::may_vanish(&of(json!({"ttlSecondsAfterFinished": 0}), json!({}))));
    assert!(!super::may_vanish(&of(json!({}), json!({}))));
}

#[test]
fn volumes() {
    let claim = |phase: &str| {
        json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "a"},
            "spec": {"storageClassName": "slow"}, "status": {"phase": phase}})
    };
    check(&claim("Bound"), Status::Current, "");
    check(&claim("Lost"), Status::Failed, "its volume is lost");
    check(&claim("Pending"), Status::InProgress, "is not bound yet");
    assert_eq!(super::relations(&claim("Pending")), [super::Relation::StorageClass { name: "slow".into() }]);
    let related = Related {
        binding_modes: [("slow".into(), "WaitForFirstConsumer".into())].into(),
        ..Related::default()
    };
    let context = Context { now: now(), written: None, has_status: None, related: &related, rules: &[] };
    assert_eq!(assess(Some(&claim("Pending")), &context).status, Status::Current);
    let mut consumed = claim("Pending");
    consumed["metadata"]["annotations"] = json!({"volume.kubernetes.io/selected-node": "n1"});
    assert_eq!(assess(Some(&consumed), &context).status, Status::InProgress);

    let volume = |phase: &str| json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "a"}, "status": {"phase": phase}});
    check(&volume("Available"), Status::Current, "");
    check(&volume("Pending"), Status::InProgress, "is not available yet");
    check(&volume("Failed"), Status::Failed, "its reclamation has failed");
}

#[test]
fn services_and_ingresses_never_wait() {
    let of = |spec: Value, status: Value| json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}, "spec": spec, "status": status});
    check(&of(json!({"type": "ExternalName"}), json!({})), Status::Current, "");
    check(&of(json!({"type": "ClusterIP"}), json!({})), Status::Current, "");
    let balanced = json!({"type": "LoadBalancer"});
    check(&of(balanced.clone(), json!({})), Status::Current, "has no load balancer address yet");
    let addressed = json!({"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}});
    check(&of(balanced, addressed), Status::Current, "");
    let ingress = json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "a"}});
    check(&ingress, Status::Current, "has no address yet");
}

#[test]
fn definitions() {
    let of = |conditions: Value| {
        json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": "a"}, "status": {"conditions": conditions}})
    };
    check(&of(json!([])), Status::InProgress, "is not established yet");
    let refused = condition("NamesAccepted", "False", "", "kind in use", 1);
    check(&of(json!([refused])), Status::Failed, "kind in use");
    let established = |status, reason| json!([condition("Established", status, reason, "", 1)]);
    check(&of(established("False", "Installing")), Status::InProgress, "is not established yet");
    check(&of(established("False", "Other")), Status::Failed, "Other");
    check(&of(established("True", "")), Status::Current, "");
}

#[test]
fn aggregated_apis() {
    let of = |conditions: Value| {
        json!({"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": {"name": "a"},
            "status": {"conditions": conditions}})
    };
    check(&of(json!([])), Status::InProgress, "is not available yet");
    let missing = condition("Available", "False", "MissingEndpoints", "no endpoints", 1);
    check(&of(json!([missing])), Status::InProgress, "no endpoints");
    check(&of(json!([condition("Available", "True", "", "", 1)])), Status::Current, "");
}

#[test]
fn webhooks_need_their_backend() {
    let of = |ca: &str| {
        json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "a"}, "webhooks": [
            {"name": "u", "clientConfig": {"url": "https://example"}},
            {"name": "w", "clientConfig": {"caBundle": ca, "service": {"namespace": "n", "name": "s"}}},
        ]})
    };
    check(&of(""), Status::InProgress, "webhook w has no caBundle yet");
    check(&of("eA=="), Status::Current, "");
    let wanted = super::Relation::Endpoints { namespace: "n".into(), name: "s".into() };
    assert_eq!(super::relations(&of("eA==")), [wanted]);
    let related =
        Related { ready_endpoints: [(("n".into(), "s".into()), false)].into(), ..Related::default() };
    let context = Context { now: now(), written: None, has_status: None, related: &related, rules: &[] };
    let health = assess(Some(&of("eA==")), &context);
    assert_eq!(health.reason, "webhook w: Service n/s has no ready endpoint");
    assert_eq!(health.status, Status::InProgress);
}

#[test]
fn budgets_and_autoscalers() {
    let budget = object("policy/v1", "PodDisruptionBudget", &json!({}), json!({"disruptionsAllowed": 0}));
    check(&budget, Status::Current, "");
    let mut behind = budget;
    behind["metadata"]["generation"] = json!(2);
    assert_eq!(health(&behind).status, Status::InProgress);

    let scaler = |c: Value| {
        json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "a"},
            "status": {"conditions": [c]}})
    };
    let inactive = |reason, since| scaler(condition("ScalingActive", "False", reason, "why", since));
    check(&inactive("FailedGetResourceMetric", 100), Status::Current, "");
    check(&inactive("FailedGetResourceMetric", 121), Status::Degraded, "why");
    check(&inactive("ScalingDisabled", 1000), Status::Current, "");
    check(
        &scaler(condition("AbleToScale", "False", "FailedGetScale", "gone", 200)),
        Status::Degraded,
        "gone",
    );
}

#[test]
fn namespaces() {
    let of = |phase: &str| json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a"}, "status": {"phase": phase}});
    check(&of("Active"), Status::Current, "");
    check(&of(""), Status::InProgress, "is not active yet");
    let mut stuck = of("Terminating");
    stuck["metadata"]["deletionTimestamp"] = json!(NOW);
    stuck["spec"] = json!({"finalizers": ["kubernetes"]});
    let remaining = condition("NamespaceContentRemaining", "True", "", "pods. has 1 resource instances", 1);
    stuck["status"]["conditions"] = json!([remaining]);
    let reason = "pods. has 1 resource instances; held by finalizers kubernetes";
    check(&stuck, Status::Terminating, reason);
}

#[test]
fn custom_resources_get_a_grace_before_their_first_status() {
    let of = |age: i64, status: Value| {
        let mut thing = json!({"apiVersion": "example.com/v1", "kind": "Thing",
            "metadata": {"name": "a", "creationTimestamp": ago(age)}});
        if !status.is_null() {
            thing["status"] = status;
        }
        thing
    };
    check(&of(5, json!(null)), Status::InProgress, "its controller has not reported a status yet");
    check(&of(31, json!(null)), Status::Current, "has no status");
    check(&of(5, json!({"phase": "ok"})), Status::Current, "");
    let ready = |status| json!({"conditions": [condition("Ready", status, "", "waiting for disk", 1)]});
    check(&of(5, ready("True")), Status::Current, "");
    check(&of(500, ready("False")), Status::InProgress, "waiting for disk");
    check(&of(500, ready("Unknown")), Status::InProgress, "waiting for disk");

    let related = Related::default();
    let judge = |object: &Value, written: Option<i64>, has_status| {
        let written = written.map(|s| ago(s).parse().expect("a time"));
        assess(Some(object), &Context { now: now(), written, has_status, related: &related, rules: &[] })
            .status
    };
    let old = of(500, json!(null));
    assert_eq!(judge(&old, Some(3), Some(true)), Status::InProgress, "written just now");
    assert_eq!(judge(&old, Some(3), Some(false)), Status::Current, "its definition has no status");
    assert_eq!(judge(&old, Some(31), Some(true)), Status::Current);
}

#[test]
fn foreign_texts_are_made_plain() {
    assert_eq!(super::fields::plain("a\x1b[31mb\n\tc"), "a [31mb c");
    assert_eq!(super::fields::plain(&"x".repeat(500)).chars().count(), 401);
}

mod explained {
    use super::*;

    fn replica_set(uid: &str, revision: &str) -> Value {
        json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": uid, "uid": uid, "generation": 1,
            "annotations": {"deployment.kubernetes.io/revision": revision}, "ownerReferences": [{"uid": "u"}]},
            "status": {"observedGeneration": 1}})
    }

    fn pod(owner: &str, age: i64, container: Value) -> Value {
        json!({"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": format!("pod-{owner}"), "uid": format!("pod-{owner}"), "ownerReferences": [{"uid": owner}]},
            "status": {"conditions": [condition("PodScheduled", "True", "", "", age)], "containerStatuses": [container]}})
    }

    fn waiting(reason: &str, restarts: i64) -> Value {
        json!({"name": "c", "image": "x:1", "restartCount": restarts, "state": {"waiting": {"reason": reason}},
            "lastState": {"terminated": {"exitCode": 1, "reason": "Error"}}})
    }

    fn of(sets: &[Value], pods: &[Value], events: &[Value]) -> super::super::Explanation {
        let workload = deployment(json!({}));
        explain(&Evidence { workload: &workload, replica_sets: sets, pods, events }, now())
    }

    #[test]
    fn only_pods_of_the_newest_replica_set_count() {
        let sets = [replica_set("old", "9"), replica_set("new", "10")];
        let crash = |owner| pod(owner, 5, waiting("CrashLoopBackOff", 7));
        let good = pod("new", 5, json!({"name": "c", "ready": true, "state": {"running": {}}}));
        assert_eq!(of(&sets, &[crash("old"), good], &[]), crate::health::Explanation::default());
        let explanation = of(&sets, &[crash("old"), crash("new")], &[]);
        let line = "Pod pod-new, container c crashes again and again (7 restarts, exit code 1)";
        assert_eq!(explanation.lines, [line]);
        assert_eq!(explanation.failure.as_deref(), Some(line));
        assert_eq!(explanation.crashed, [("pod-new".to_owned(), "c".to_owned())]);
    }

    #[test]
    fn failures_are_early_only_after_samples_or_time() {
        let sets = [replica_set("new", "1")];
        let fails = |age, container| of(&sets, &[pod("new", age, container)], &[]).failure.is_some();
        assert!(!fails(500, waiting("CrashLoopBackOff", 2)));
        assert!(fails(5, waiting("CrashLoopBackOff", 3)));
        assert!(!fails(60, waiting("ImagePullBackOff", 0)));
        assert!(fails(61, waiting("ErrImagePull", 0)));
        assert!(!fails(30, waiting("CreateContainerConfigError", 0)));
        assert!(fails(31, waiting("CreateContainerConfigError", 0)));
        assert!(fails(31, waiting("InvalidImageName", 0)));
        assert!(!fails(5000, waiting("ContainerCreating", 0)));
    }

    #[test]
    fn an_autoscaler_buys_time() {
        let sets = [replica_set("new", "1")];
        let mut pending = pod("new", 1, json!({"name": "c"}));
        pending["status"]["conditions"] =
            json!([condition("PodScheduled", "False", "Unschedulable", "no cpu", 61)]);
        let pods = [pending];
        assert_eq!(of(&sets, &pods, &[]).failure.as_deref(), Some("Pod pod-new is unschedulable: no cpu"));
        let scaling = json!({"type": "Normal", "reason": "TriggeredScaleUp", "involvedObject": {"uid": "pod-new"},
            "lastTimestamp": ago(5)});
        assert_eq!(of(&sets, &pods, &[scaling]).failure, None);
    }

    #[test]
    fn refused_pods_and_the_last_events_are_told() {
        let sets = [replica_set("new", "1")];
        let event = |reason: &str, first: i64, message: &str| {
            json!({"type": "Warning", "reason": reason, "message": message, "count": 2, "firstTimestamp": ago(first),
                "lastTimestamp": ago(1), "involvedObject": {"uid": "new", "kind": "ReplicaSet", "name": "new"}})
        };
        let quota = "ReplicaSet new cannot create Pods: exceeded quota";
        assert_eq!(of(&sets, &[], &[event("FailedCreate", 10, "exceeded quota")]).failure, None);
        let late = of(&sets, &[], &[event("FailedCreate", 31, "exceeded quota")]);
        assert_eq!(late.failure.as_deref(), Some(quota));
        assert_eq!(late.lines, ["FailedCreate of ReplicaSet new: exceeded quota (2 times)"]);
        let many: Vec<_> = (0..9).map(|i| event("Odd", i, &i.to_string())).collect();
        assert_eq!(of(&sets, &[], &many).lines.len(), 5);
    }
}
