//! Telling "this field can't change" from every other refusal (I6).
//!
//! A 422 alone says nothing: a typo in a Service's type is a 422 too, and recreating it would delete a Service that
//! can't be made again. Only when **every** cause matches a wording of immutability is recreation thinkable.

use super::observation::Rejection;
use crate::object::ObjectRef;

/// How the API server's validation says that a field can't change (pkg/apis/*/validation of Kubernetes).
const WORDINGS: [&str; 9] = [
    "field is immutable",
    "is immutable after creation",
    "may not change once set",
    "may not be changed in an update",
    "cannot change roleref",
    "updates to statefulset spec for fields other than",
    "updates to parameters are forbidden",
    "updates to provisioner are forbidden",
    "pod updates may not change fields other than",
];

/// The immutable fields that a rejection names; `None` if it is about anything else as well.
pub(super) fn fields(rejection: &Rejection) -> Option<Vec<String>> {
    let immutable = rejection.code == 422
        && !rejection.causes.is_empty()
        && rejection.causes.iter().all(|cause| {
            let message = cause.message.to_lowercase();
            WORDINGS.iter().any(|wording| message.contains(wording))
        });
    immutable.then(|| {
        let mut fields: Vec<String> = rejection.causes.iter().map(|cause| cause.field.clone()).collect();
        fields.sort();
        fields.dedup();
        fields
    })
}

/// Kinds that are made again only if the object and the command line both say so: data or much else hangs on them.
pub(super) fn is_precious(reference: &ObjectRef) -> bool {
    super::marks::protected_kind(reference).is_some() || reference.is("apps", "StatefulSet")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::observation::Cause;

    fn rejection(code: u16, messages: &[&str]) -> Rejection {
        let cause = |message: &&str| Cause {
            reason: "FieldValueInvalid".into(),
            field: "spec.x".into(),
            message: (*message).into(),
        };
        Rejection {
            code,
            reason: "Invalid".into(),
            message: String::new(),
            causes: messages.iter().map(cause).collect(),
        }
    }

    #[test]
    fn every_cause_must_be_about_immutability() {
        let immutable = "Invalid value: {\"a\":\"b\"}: field is immutable";
        assert_eq!(fields(&rejection(422, &[immutable])), Some(vec!["spec.x".to_owned()]));
        assert_eq!(fields(&rejection(422, &[immutable, "Unsupported value: \"ClusterIPSS\""])), None);
        assert_eq!(fields(&rejection(422, &["Unsupported value: \"ClusterIPSS\""])), None);
        assert_eq!(fields(&rejection(422, &[])), None);
        assert_eq!(fields(&rejection(409, &[immutable])), None);
    }
}
