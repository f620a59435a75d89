//! What can go wrong with a request, and what the server's refusals say.
//!
//! A refusal about a Secret may repeat its values (`Invalid value: "hunter2"`, `expected map, got "hunter2"`):
//! `rejection` keeps only what cannot hold one. Nothing here ever holds a credential.

use serde::Deserialize;

use super::connect::ConnectError;
use crate::object::{GroupKind, KubernetesVersion};
use crate::plan::{Cause, Rejection};

/// Why something could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The server could not be reached or does not know us.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The server refuses.
    #[error("cannot {action}: {} ({}{})", .rejection.message, .rejection.code, reason_suffix(.rejection))]
    Refused {
        /// What was tried, e.g. `list deployments.apps`.
        action: String,
        /// The answer.
        rejection: Rejection,
    },
    /// No answer, or one that does not say whether it worked.
    #[error("cannot {action}: {reason}")]
    NoAnswer {
        /// What was tried.
        action: String,
        /// Why there is no answer.
        reason: String,
    },
    /// An answer that is not what the API promises.
    #[error("cannot {action}: the API server's answer makes no sense")]
    Nonsense {
        /// What was tried.
        action: String,
        /// Where it makes no sense.
        #[source]
        source: serde_json::Error,
    },
    /// The server is older than what we are tested with.
    #[error("the API server at `{url}` is Kubernetes {version}; the oldest that is supported is {oldest}")]
    TooOld {
        /// The server's address.
        url: String,
        /// Its version.
        version: KubernetesVersion,
        /// The oldest supported version.
        oldest: KubernetesVersion,
    },
    /// The server did not say which version it is or what it serves.
    #[error("the server at `{url}` does not look like a Kubernetes API server: {reason}")]
    NotKubernetes {
        /// The server's address.
        url: String,
        /// What is missing.
        reason: String,
    },
    /// The server does not serve a kind.
    #[error("the API server does not serve `{kind}` at version `{version}`")]
    UnknownKind {
        /// The kind.
        kind: GroupKind,
        /// The version.
        version: String,
    },
    /// A record of ours that cannot be understood.
    #[error("cannot understand the record `{name}` in namespace `landskap`: {reason}")]
    Record {
        /// Name of the ConfigMap or Secret.
        name: String,
        /// Why.
        reason: String,
    },
}

/// Why something was not written, or may not have been.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The server could not be reached or does not know us: nothing was written.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The server refuses: nothing was written.
    #[error("{} ({}{})", .0.message, .0.code, reason_suffix(.0))]
    Rejected(Rejection),
    /// The request left, and no answer says whether it was carried out (I3).
    #[error("the outcome is unknown: {reason}")]
    Unknown {
        /// Why.
        reason: String,
    },
    /// Another run wrote the record since it was read.
    #[error("the record `{name}` in namespace `landskap` was changed by another run")]
    RecordChanged {
        /// The record's name.
        name: String,
    },
    /// The server does not serve the kind.
    #[error("the API server does not serve `{kind}` at version `{version}`")]
    UnknownKind {
        /// The kind.
        kind: GroupKind,
        /// The version.
        version: String,
    },
    /// An answer that is not what the API promises. The write itself was accepted.
    #[error("the API server's answer makes no sense")]
    Nonsense(#[source] serde_json::Error),
}

fn reason_suffix(rejection: &Rejection) -> String {
    if rejection.reason.is_empty() { String::new() } else { format!(" {}", rejection.reason) }
}

/// How one call ended badly: the common root of [`Error`] and [`WriteError`].
#[derive(Debug)]
pub(super) enum Failure {
    /// Never reached the server, or was not let in.
    Connect(ConnectError),
    /// Refused: nothing was done.
    Refused(Refused),
    /// May have been done.
    Unknown {
        /// Why that is not known.
        reason: String,
        /// The answer, if there was one.
        answer: Option<Refused>,
    },
}

/// A refusal with what only this room needs.
#[derive(Debug, Clone)]
pub(super) struct Refused {
    /// What the rest of the program sees.
    pub rejection: Rejection,
    /// When the server wants to be asked again, in seconds.
    pub retry_after: Option<u64>,
}

impl Refused {
    /// HTTP status.
    pub fn code(&self) -> u16 {
        self.rejection.code
    }
}

impl Failure {
    /// As the failure to read something.
    pub fn reading(self, action: impl Into<String>) -> Error {
        let action = action.into();
        match self {
            Self::Connect(error) => Error::Connect(error),
            Self::Refused(refused) | Self::Unknown { answer: Some(refused), .. } => {
                Error::Refused { action, rejection: refused.rejection }
            }
            Self::Unknown { reason, answer: None } => Error::NoAnswer { action, reason },
        }
    }

    /// Whether the last answer had this HTTP status.
    pub fn is(&self, code: u16) -> bool {
        match self {
            Self::Refused(refused) | Self::Unknown { answer: Some(refused), .. } => refused.code() == code,
            _ => false,
        }
    }
}

impl From<Failure> for WriteError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Connect(error) => Self::Connect(error),
            Failure::Refused(refused) => Self::Rejected(refused.rejection),
            Failure::Unknown { reason, .. } => Self::Unknown { reason },
        }
    }
}

/// `Status` of apimachinery, as far as it matters.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Status {
    kind: String,
    message: String,
    reason: String,
    details: Option<Details>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Details {
    causes: Vec<StatusCause>,
    retry_after_seconds: u64,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct StatusCause {
    reason: String,
    field: String,
    message: String,
}

/// Reads an answer of 4xx or 5xx. What is not a `Status` (a proxy, a path that is not served) is quoted in part.
pub(super) fn refused(code: u16, retry_after: Option<u64>, body: &[u8], sensitive: bool) -> Refused {
    let status = serde_json::from_slice::<Status>(body).ok().filter(|s| s.kind == "Status");
    let status = status.unwrap_or_else(|| Status {
        message: if sensitive { String::new() } else { printable(&String::from_utf8_lossy(body), 200) },
        ..Status::default()
    });
    let details = status.details.unwrap_or_default();
    let hint = Some(details.retry_after_seconds).filter(|seconds| *seconds > 0);
    let causes =
        details.causes.into_iter().map(|c| Cause { reason: c.reason, field: c.field, message: c.message });
    let mut rejection =
        Rejection { code, reason: status.reason, message: status.message, causes: causes.collect() };
    if sensitive {
        strip(&mut rejection);
    }
    if rejection.message.is_empty() {
        rejection.message = format!("the API server answered with status {code}");
    }
    Refused { rejection, retry_after: retry_after.or(hint) }
}

/// Removes what may hold a Secret's value: all free text but forms that are known to hold none.
fn strip(rejection: &mut Rejection) {
    for cause in &mut rejection.causes {
        if cause.reason != "FieldManagerConflict" {
            cause.message.clone_from(&cause.reason);
        }
        if !cause.field.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-[]/=,".contains(&b)) {
            cause.field = "(hidden)".into();
        }
    }
    if is_harmless(rejection) {
        return;
    }
    let webhook = rejection
        .message
        .strip_prefix("admission webhook \"")
        .and_then(|rest| rest.split_once('"'))
        .map(|(name, _)| format!("admission webhook `{name}` refused it; its text is hidden"));
    let fields: Vec<_> = rejection.causes.iter().map(|c| format!("`{}` ({})", c.field, c.reason)).collect();
    rejection.message = match webhook {
        Some(webhook) => webhook,
        None if fields.is_empty() => {
            "the API server refused this Secret; its text is hidden because it may repeat values".into()
        }
        None => format!("the API server refused this Secret at {}", fields.join(", ")),
    };
}

/// Whether the message of a refusal has a form that never repeats an object's content.
fn is_harmless(rejection: &Rejection) -> bool {
    let message = rejection.message.as_str();
    match rejection.reason.as_str() {
        "Forbidden" => {
            message.contains("is forbidden: User \"")
                || message.contains("is forbidden: exceeded quota")
                || message.contains("because it is being terminated")
        }
        "NotFound" | "AlreadyExists" | "Conflict" | "TooManyRequests" | "Unauthorized" => true,
        _ => false,
    }
}

/// Text of the world for the eyes of people: control characters as spaces, cut after `limit` characters.
pub(super) fn printable(text: &str, limit: usize) -> String {
    let mut cut: String =
        text.trim().chars().take(limit).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.trim().chars().count() > limit {
        cut.push('…');
    }
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(reason: &str, message: &str, causes: &serde_json::Value) -> Vec<u8> {
        serde_json::json!({
            "kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "message": message,
            "details": {"kind": "secrets", "name": "s", "causes": causes},
        })
        .to_string()
        .into_bytes()
    }

    #[test]
    fn a_secrets_value_never_survives() {
        let secret = "aHVudGVyMg";
        let bodies = [
            status(
                "Invalid",
                &format!("Secret \"s\" is invalid: data[a]: Invalid value: \"{secret}\": bad"),
                &serde_json::json!([{"reason": "FieldValueInvalid", "field": "data[a]", "message": format!("Invalid value: \"{secret}\"")}]),
            ),
            status(
                "BadRequest",
                &format!("failed to create typed patch: expected map, got {secret}"),
                &serde_json::json!([]),
            ),
            status(
                "Forbidden",
                &format!("secrets \"s\" is forbidden: policy said {secret}"),
                &serde_json::json!([]),
            ),
            status(
                "",
                &format!("admission webhook \"w.example\" denied the request: {secret}"),
                &serde_json::json!([]),
            ),
            status(
                "Invalid",
                "x",
                &serde_json::json!([{"reason": "FieldValueInvalid", "field": format!("data[{secret} ]"), "message": ""}]),
            ),
            secret.as_bytes().to_vec(),
        ];
        for body in bodies {
            let refused = refused(422, None, &body, true);
            assert!(!format!("{refused:?}").contains(secret), "{refused:?}");
            assert!(!refused.rejection.message.is_empty());
        }
    }

    #[test]
    fn what_helps_survives() {
        let body = status(
            "Forbidden",
            "secrets \"s\" is forbidden: User \"u\" cannot patch resource \"secrets\"",
            &serde_json::json!([]),
        );
        assert!(refused(403, None, &body, true).rejection.message.contains("cannot patch"));
        let body = status(
            "Invalid",
            "secret: Invalid value: x",
            &serde_json::json!([{"reason": "FieldValueInvalid", "field": "data[a]", "message": "x"}]),
        );
        let refused = refused(422, None, &body, true);
        assert_eq!(
            refused.rejection.message,
            "the API server refused this Secret at `data[a]` (FieldValueInvalid)"
        );
    }

    #[test]
    fn an_answer_that_is_no_status_is_quoted_without_control_characters() {
        let refused = refused(404, None, b"404 page\x1b[31m not found\n", false);
        assert_eq!(refused.rejection.message, "404 page [31m not found");
    }
}
