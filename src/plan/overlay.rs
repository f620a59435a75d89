//! What an object would be after an apply that the server can't be asked about, since the user may not `patch` it.
//!
//! The desired fields laid on the live object, without the fields that are ours by managedFields and no longer
//! desired. It knows no defaults, webhooks or validation, so what rests on it is marked as unverified and never
//! written.

use serde_json::{Map, Value};

use super::builtin::is_builtin;
use super::desired::DesiredObject;
use super::observation::{Live, Rejection};
use super::proof::fields_v1::{self, Fields, Shape};
use super::proof::quantity;
use super::proof::structure::is_zero;

/// Whether the user lacks the right to ask, as opposed to a policy that refuses the object. The text is the API
/// server's own for authorization (`k8s.io/apiserver` `responsewriters.Forbidden`).
pub(super) fn may_not_ask(rejection: &Rejection) -> bool {
    rejection.code == 403
        && rejection.reason == "Forbidden"
        && rejection.message.contains("is forbidden: User \"")
        && rejection.message.contains(" cannot ")
}

/// `object` laid on `live`.
pub(super) fn overlay(object: &DesiredObject, live: &Live) -> Live {
    let entries = fields_v1::entries(live);
    let place = Place {
        ours: entries.iter().filter(|entry| entry.ours).map(|entry| entry.fields).collect(),
        others: entries.iter().filter(|entry| !entry.ours).map(|entry| entry.fields).collect(),
    };
    let kind = Kind {
        group: &object.reference.group,
        name: &object.reference.kind,
        builtin: is_builtin(&object.reference.group),
    };
    Live(kind.lay(&live.0, &object.body, &place, &mut Vec::new()))
}

struct Kind<'a> {
    group: &'a str,
    name: &'a str,
    builtin: bool,
}

/// What managedFields says about one place.
struct Place<'a> {
    ours: Vec<&'a Fields>,
    others: Vec<&'a Fields>,
}

impl<'a> Place<'a> {
    fn step(&self, child: &str) -> Self {
        let down = |fields: &[&'a Fields]| -> Vec<&'a Fields> {
            fields.iter().filter_map(|fields| fields.get(child)?.as_object()).collect()
        };
        Self { ours: down(&self.ours), others: down(&self.others) }
    }

    /// Ours alone, so that it goes when we no longer want it.
    fn goes(&self) -> bool {
        !self.ours.is_empty() && self.others.is_empty()
    }

    /// The items that managedFields names of a keyed list here.
    fn items(&self) -> Vec<&'a str> {
        self.ours
            .iter()
            .chain(&self.others)
            .filter(|fields| fields_v1::shape(fields) == Some(Shape::Keyed))
            .flat_map(|fields| fields_v1::children(fields).map(|(name, _)| name))
            .collect()
    }
}

impl Kind<'_> {
    /// `path` has the keys of maps; items of lists have none.
    fn lay<'v>(&self, live: &Value, desired: &'v Value, place: &Place<'_>, path: &mut Vec<&'v str>) -> Value {
        match (live, desired) {
            (Value::Object(live), Value::Object(desired)) => {
                Value::Object(self.maps(live, desired, place, path))
            }
            (Value::Array(live), Value::Array(desired)) => {
                Value::Array(self.lists(live, desired, place, path))
            }
            _ if self.builtin
                && quantity::is_quantity(self.group, self.name, path)
                && quantity::equal(live, desired) =>
            {
                live.clone()
            }
            _ => desired.clone(),
        }
    }

    fn maps<'v>(
        &self,
        live: &Map<String, Value>,
        desired: &'v Map<String, Value>,
        place: &Place<'_>,
        path: &mut Vec<&'v str>,
    ) -> Map<String, Value> {
        let mut laid = live.clone();
        laid.retain(|key, _| desired.contains_key(key) || !place.step(&format!("f:{key}")).goes());
        for (key, value) in desired {
            path.push(key);
            let after = match live.get(key) {
                Some(before) => Some(self.lay(before, value, &place.step(&format!("f:{key}")), path)),
                None if self.builtin && is_zero(value) => None,
                None => Some(value.clone()),
            };
            path.pop();
            if let Some(after) = after {
                laid.insert(key.clone(), after);
            }
        }
        laid
    }

    /// Items of a keyed list by key, in the order of the live list; of any other list by position.
    fn lists<'v>(
        &self,
        live: &[Value],
        desired: &'v [Value],
        place: &Place<'_>,
        path: &mut Vec<&'v str>,
    ) -> Vec<Value> {
        let names = place.items();
        if names.is_empty() {
            let empty = Place { ours: Vec::new(), others: Vec::new() };
            return desired
                .iter()
                .enumerate()
                .map(|(index, value)| match live.get(index) {
                    Some(before) if live.len() == desired.len() => self.lay(before, value, &empty, path),
                    _ => value.clone(),
                })
                .collect();
        }
        let mut laid: Vec<Option<Value>> = live.iter().cloned().map(Some).collect();
        let mut met = vec![false; desired.len()];
        for name in names {
            let Some(key) = fields_v1::key_fields(name) else { continue };
            let Some(at) = fields_v1::position(live, &key) else { continue };
            match fields_v1::position(desired, &key) {
                Some(wanted) => {
                    met[wanted] = true;
                    laid[at] = Some(self.lay(&live[at], &desired[wanted], &place.step(name), path));
                }
                None if place.step(name).goes() => laid[at] = None,
                None => {}
            }
        }
        let new = desired.iter().zip(met).filter(|(_, met)| !met).map(|(value, _)| value.clone());
        laid.into_iter().flatten().chain(new).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::fixture::{applied, config_map, marked};
    use super::*;

    fn rejection(code: u16, message: &str) -> Rejection {
        Rejection { code, reason: "Forbidden".into(), message: message.into(), causes: Vec::new() }
    }

    #[test]
    fn a_missing_right_is_told_from_a_policy() {
        let right = "deployments.apps \"a\" is forbidden: User \"u\" cannot patch resource \"deployments\"";
        assert!(may_not_ask(&rejection(403, right)));
        assert!(!may_not_ask(&rejection(404, right)));
        assert!(!may_not_ask(&rejection(403, "pods \"a\" is forbidden: exceeded quota: q")));
        let escalation = "roles \"a\" is forbidden: user \"u\" is attempting to grant RBAC permissions";
        assert!(!may_not_ask(&rejection(403, escalation)));
    }

    #[test]
    fn what_we_declare_wins_what_we_gave_up_goes_and_the_rest_stays() {
        let before = applied(&config_map("a", "m", json!({"same": "1", "changed": "1", "gone": "1"})));
        let mut live = before.clone();
        live.0["data"]["theirs"] = json!("1");
        let after = overlay(&config_map("a", "m", json!({"same": "1", "changed": "2", "new": "1"})), &live);
        assert_eq!(after.0["data"], json!({"same": "1", "changed": "2", "new": "1", "theirs": "1"}));
        assert_eq!(after.0["metadata"], live.0["metadata"]);
        let same = overlay(&config_map("a", "m", json!({"same": "1", "changed": "1", "gone": "1"})), &live);
        assert_eq!(same, live);
    }

    #[test]
    fn lists_keep_defaults_of_their_items() {
        let pods = |containers: Value| {
            marked(
                "a",
                json!({
                    "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d", "namespace": "n"},
                    "spec": {"paused": false, "template": {"spec": {"containers": containers}}},
                }),
            )
        };
        let stored = |name: &str, cpu: &str| json!({"name": name, "imagePullPolicy": "Always", "resources": {"limits": {"cpu": cpu}}});
        let wanted = |name: &str, cpu: &str| json!({"name": name, "resources": {"limits": {"cpu": cpu}}});
        let mut live = applied(&pods(json!([])));
        live.0["spec"].as_object_mut().unwrap().remove("paused");
        live.0["spec"]["template"]["spec"]["containers"] =
            json!([stored("kept", "1"), stored("theirs", "1"), stored("gone", "1")]);
        let owned = json!({"k:{\"name\":\"kept\"}": {".": {}}, "k:{\"name\":\"gone\"}": {".": {}}});
        live.0["metadata"]["managedFields"][0]["fieldsV1"]["f:spec"] =
            json!({"f:template": {"f:spec": {"f:containers": owned}}});
        let after = overlay(&pods(json!([wanted("new", "2"), wanted("kept", "1000m")])), &live);
        assert_eq!(
            after.0["spec"],
            json!({"template": {"spec": {"containers": [stored("kept", "1"), stored("theirs", "1"), wanted("new", "2")]}}})
        );
    }
}
