//! Fights that nobody wants: fields that other controllers own by design.
//!
//! Most need no rule, since server-side apply leaves alone what we don't send (a Service's clusterIP, a claim's
//! volumeName, `restartedAt`). These are the ones that charts send all the same.

use std::collections::BTreeSet;

use serde_json::Value;

use super::text;
use crate::object::ObjectRef;
use crate::plan::desired::{Desired, DesiredObject};
use crate::plan::observation::{Live, Observation};
use crate::plan::proof::fields_v1;

/// Kind, namespace and name of everything whose replicas an autoscaler sets: `HorizontalPodAutoscalers` and KEDA's
/// `ScaledObjects`, wanted or live.
pub(super) fn scaled(desired: &Desired, observation: &Observation) -> BTreeSet<(String, String, String)> {
    let wanted = desired.objects().map(|object| (&object.reference, &object.body));
    let live = observation.live.iter().map(|(reference, live)| (reference, &live.0));
    wanted.chain(live).filter_map(|(reference, body)| target(reference, body)).collect()
}

fn target(reference: &ObjectRef, body: &Value) -> Option<(String, String, String)> {
    let is_scaler =
        reference.is("autoscaling", "HorizontalPodAutoscaler") || reference.is("keda.sh", "ScaledObject");
    if !is_scaler {
        return None;
    }
    let kind = text(body, "/spec/scaleTargetRef/kind").unwrap_or("Deployment");
    let name = text(body, "/spec/scaleTargetRef/name")?;
    Some((kind.to_owned(), reference.namespace.clone().unwrap_or_default(), name.to_owned()))
}

/// What is never sent, not even when the object is made: `rules` of an aggregated `ClusterRole` are the controller's.
pub(super) fn always(object: &mut DesiredObject) {
    let aggregated = object.reference.is("rbac.authorization.k8s.io", "ClusterRole")
        && object.body.get("aggregationRule").is_some_and(Value::is_object);
    if aggregated && let Some(body) = object.body.as_object_mut() {
        body.remove("rules");
    }
}

/// Pointers to ignore in an existing object.
pub(super) fn builtin(
    object: &DesiredObject,
    live: &Live,
    scaled: &BTreeSet<(String, String, String)>,
) -> Vec<String> {
    let reference = &object.reference;
    let identity =
        (reference.kind.clone(), reference.namespace.clone().unwrap_or_default(), reference.name.clone());
    if reference.group == "apps" && scaled.contains(&identity) {
        return vec!["/spec/replicas".into()];
    }
    let bundle = match (reference.group.as_str(), reference.kind.as_str()) {
        ("admissionregistration.k8s.io", _) => "/webhooks/*/clientConfig/caBundle",
        ("apiregistration.k8s.io", "APIService") => "/spec/caBundle",
        ("apiextensions.k8s.io", "CustomResourceDefinition") => {
            "/spec/conversion/webhook/clientConfig/caBundle"
        }
        _ => return Vec::new(),
    };
    if is_injected(live) { vec![bundle.into()] } else { Vec::new() }
}

/// Whether a CA injector takes care of the object: it says so, or an injector owns something in it.
fn is_injected(live: &Live) -> bool {
    const ANNOTATIONS: [&str; 3] = [
        "cert-manager.io/inject-ca-from",
        "cert-manager.io/inject-ca-from-secret",
        "cert-manager.io/inject-apiserver-ca",
    ];
    ANNOTATIONS.iter().any(|name| live.annotation(name).is_some())
        || fields_v1::entries(live).iter().any(|entry| entry.manager.contains("cainjector"))
}
