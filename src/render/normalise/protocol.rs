//! N3: the protocol of a port is part of its key, so it is written out: `TCP` where nothing is said
//! (structured-merge-diff#130 refuses a key field that is left out).

use serde_json::Value;

use super::pods;

/// Writes `protocol: TCP` into ports of Services and of all containers.
pub(super) fn default(object: &mut Value) {
    let gvk = pods::gvk(object);
    if gvk.group.is_empty() && gvk.kind == "Service" {
        object.get_mut("spec").into_iter().for_each(ports);
        return;
    }
    let Some(path) = pods::spec_path(object) else { return };
    let Some(pod) = pods::at_mut(object, &path) else { return };
    for list in pods::CONTAINERS {
        pod.get_mut(*list).and_then(Value::as_array_mut).into_iter().flatten().for_each(ports);
    }
}

fn ports(holder: &mut Value) {
    for port in holder.get_mut("ports").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(port) = port.as_object_mut()
            && port.get("protocol").is_none_or(|p| p.is_null() || p == "")
        {
            port.insert("protocol".into(), "TCP".into());
        }
    }
}
