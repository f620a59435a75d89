//! Proof by memory: the server said "nothing changes" about exactly these inputs not long ago.
//!
//! Three digests say that the inputs are the same: of the desired object, of the live object without status and
//! metadata counters, and of all managedFields entries without their times. Never for Secrets: a bare digest of a
//! short value can be reversed. The caller voids memory when the server's version changes; here it ends with an
//! hour, and with a new generation of the kind's CustomResourceDefinition.

use serde_json::Value;

use crate::plan::desired::DesiredObject;
use crate::plan::digest::digest;
use crate::plan::inventory::Memory;
use crate::plan::observation::Live;

/// How long memory lasts, in seconds: defaults and webhooks move without us.
const LIFETIME: i64 = 3600;

/// What to remember once applying `object` is known to leave `live` as it is: a dry run said so, or `live` is what
/// the server just answered to a real apply of the same body (see docs/decisions/proofs.md for why that is enough).
/// `now` in Unix seconds; `crd_generation` 0 for built-in kinds. `None` for Secrets.
pub fn remember(object: &DesiredObject, live: &Live, crd_generation: i64, now: i64) -> Option<Memory> {
    (!object.sensitive).then(|| Memory {
        desired: digest(&object.body),
        live: digest(&settled(&live.0)),
        managers: digest(&timeless(&live.0)),
        crd_generation,
        at: now,
    })
}

/// Whether `memory` still holds for `object` and `live`.
pub(in crate::plan) fn proves(
    memory: &Memory,
    object: &DesiredObject,
    live: &Live,
    crd_generation: i64,
    now: i64,
) -> bool {
    let age = now - memory.at;
    (0..=LIFETIME).contains(&age)
        && remember(object, live, crd_generation, memory.at).is_some_and(|current| current == *memory)
}

/// Without status and metadata counters. The UID stays: another object is not the one remembered.
fn settled(live: &Value) -> Value {
    let mut live = live.clone();
    if let Some(object) = live.as_object_mut() {
        object.remove("status");
    }
    if let Some(metadata) = live.get_mut("metadata").and_then(Value::as_object_mut) {
        for counter in ["managedFields", "resourceVersion", "generation"] {
            metadata.remove(counter);
        }
    }
    live
}

/// All managedFields entries without times, in an order that times do not decide.
fn timeless(live: &Value) -> Value {
    let entries = live.pointer("/metadata/managedFields").and_then(Value::as_array);
    let mut digests: Vec<String> = entries
        .into_iter()
        .flatten()
        .map(|entry| {
            let mut entry = entry.clone();
            if let Some(entry) = entry.as_object_mut() {
                entry.remove("time");
            }
            digest(&entry)
        })
        .collect();
    digests.sort();
    digests.into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::plan::fixture::desired_object;

    fn live() -> Live {
        Live(json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {
                "name": "a", "namespace": "n", "uid": "u", "resourceVersion": "1", "generation": 1,
                "managedFields": [
                    {"manager": "landskap", "operation": "Apply", "time": "t1", "fieldsV1": {"f:spec": {}}},
                    {"manager": "kcm", "operation": "Update", "time": "t2", "subresource": "status", "fieldsV1": {}},
                ],
            },
            "spec": {"replicas": 1}, "status": {"replicas": 1},
        }))
    }

    fn changed(pointer: &str, value: Value) -> Live {
        let mut live = live();
        *live.0.pointer_mut(pointer).unwrap() = value;
        live
    }

    #[test]
    fn holds_while_nothing_that_matters_changes() {
        let object = desired_object(
            "web",
            json!({
                "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a", "namespace": "n"},
                "spec": {"replicas": 1},
            }),
        );
        let memory = remember(&object, &live(), 0, 1000).unwrap();
        let holds = |live: &Live| proves(&memory, &object, live, 0, 1001);
        assert!(holds(&live()));
        assert!(holds(&changed("/status", json!({"replicas": 2}))));
        assert!(holds(&changed("/metadata/resourceVersion", json!("9"))));
        assert!(holds(&changed("/metadata/generation", json!(9))));
        assert!(holds(&changed("/metadata/managedFields/0/time", json!("t9"))));
        assert!(!holds(&changed("/spec/replicas", json!(2))));
        assert!(!holds(&changed("/metadata/uid", json!("v"))));
        assert!(!holds(&changed("/metadata/managedFields/1/manager", json!("kubectl"))));
        assert!(!holds(&changed("/metadata/managedFields/0/fieldsV1", json!({}))));

        let mut other = object.clone();
        other.body["spec"]["replicas"] = json!(2);
        assert!(!proves(&memory, &other, &live(), 0, 1001), "another body");
        assert!(!proves(&memory, &object, &live(), 1, 1001), "another CRD generation");
        assert!(proves(&memory, &object, &live(), 0, 4600));
        assert!(!proves(&memory, &object, &live(), 0, 4601), "after an hour");
        assert!(!proves(&memory, &object, &live(), 0, 999), "from the future");
    }

    #[test]
    fn nothing_is_remembered_of_a_secret() {
        let object = desired_object(
            "web",
            json!({
                "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a", "namespace": "n"}, "data": {"k": "djE="},
            }),
        );
        assert_eq!(remember(&object, &live(), 0, 0), None);
    }
}
