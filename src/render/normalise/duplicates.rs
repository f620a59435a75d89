//! N4: lists whose items are told apart by keys must not have two items of one key. The server answers a bare
//! 500 to that, which clients would repeat forever.

use serde_json::Value;

use super::{Fault, pods};
use crate::object::{FieldPath, Segment};

/// Keyed lists of a pod's spec.
const POD: &[(&str, &[&str])] = &[
    ("initContainers", &["name"]),
    ("containers", &["name"]),
    ("ephemeralContainers", &["name"]),
    ("volumes", &["name"]),
    ("imagePullSecrets", &["name"]),
    ("hostAliases", &["ip"]),
    ("topologySpreadConstraints", &["topologyKey", "whenUnsatisfiable"]),
    ("resourceClaims", &["name"]),
];

/// Keyed lists of a container.
const CONTAINER: &[(&str, &[&str])] = &[
    ("env", &["name"]),
    ("ports", &["containerPort", "protocol"]),
    ("volumeMounts", &["mountPath"]),
    ("volumeDevices", &["devicePath"]),
];

/// Keyed lists elsewhere: group, kind, keys that lead to the list, key fields.
const OTHER: &[(&str, &str, &[&str], &[&str])] = &[
    ("", "Service", &["spec", "ports"], &["port", "protocol"]),
    ("", "ServiceAccount", &["secrets"], &["name"]),
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration", &["webhooks"], &["name"]),
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration", &["webhooks"], &["name"]),
];

/// Every item whose key an earlier item of its list has.
pub(super) fn check(object: &Value) -> Vec<Fault> {
    let mut faults = Vec::new();
    let gvk = pods::gvk(object);
    for (group, kind, keys, fields) in OTHER {
        if gvk.group == *group && gvk.kind == *kind {
            let path = FieldPath(keys.iter().map(|key| Segment::Key((*key).into())).collect());
            list(object, &path, fields, &mut faults);
        }
    }
    list(object, &FieldPath::default().key("metadata").key("ownerReferences"), &["uid"], &mut faults);
    if let Some(pod) = pods::spec_path(object) {
        for (name, fields) in POD {
            list(object, &pod.key(name), fields, &mut faults);
        }
        for containers in pods::CONTAINERS {
            let path = pod.key(containers);
            let count = pods::at(object, &path).and_then(Value::as_array).map_or(0, Vec::len);
            for index in 0..count {
                for (name, fields) in CONTAINER {
                    list(object, &path.then(Segment::Index(index)).key(name), fields, &mut faults);
                }
            }
        }
    }
    faults
}

fn list(object: &Value, path: &FieldPath, fields: &[&str], faults: &mut Vec<Fault>) {
    let Some(items) = pods::at(object, path).and_then(Value::as_array) else { return };
    let key = |item: &Value| fields.iter().map(|field| item.get(*field).cloned()).collect::<Vec<_>>();
    for (index, item) in items.iter().enumerate() {
        let this = key(item);
        if this.iter().any(Option::is_some) && items[..index].iter().any(|earlier| key(earlier) == this) {
            let named: Vec<_> =
                fields.iter().zip(&this).filter_map(|(f, v)| Some(format!("{f} {}", v.as_ref()?))).collect();
            let message = format!("`{path}` has two items with {}", named.join(" and "));
            let fault = Fault::new("duplicate-list-key", path.then(Segment::Index(index)), message);
            faults
                .push(fault.help("the server tells the items of this list apart by that: keep one of them"));
        }
    }
}
