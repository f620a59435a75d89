//! One call: a request with a deadline, repeated as far as that is safe.
//!
//! What is repeated (semantics §7): an answer that says "not now" (429, a quota's conflict, a webhook that is
//! not up yet) always; an answer or a silence that leaves open whether it was done (503, 504, a reset) only when
//! doing it twice equals doing it once. kube's own retry layer is off: it repeats POST and DELETE, up to 15
//! times with pauses of up to 1000 s, and never a transport error.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, header};
use http_body_util::BodyExt as _;
use tokio::time::Instant;

use super::Client;
use super::connect::{self, ConnectError};
use super::error::{Failure, Refused, printable, refused};

/// One request that asks for JSON.
#[derive(Debug, Clone)]
pub(super) struct Call {
    /// The method.
    pub method: Method,
    /// Path and query.
    pub path: String,
    /// Of the body.
    pub content_type: &'static str,
    /// What is asked for.
    pub accept: &'static str,
    /// The body; may hold Secret values.
    pub body: Bytes,
    /// Whether doing it twice equals doing it once.
    pub repeatable: bool,
    /// Its body or a refusal of it may hold Secret values.
    pub sensitive: bool,
    /// How patient.
    pub patience: Patience,
}

/// How long a call may take, and whether it waits for its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Patience {
    /// The usual deadline.
    Usual,
    /// A page of a list.
    List,
    /// One try with this deadline, past the limit of requests in flight: renewing a Lease cannot wait.
    Once(Duration),
}

/// JSON.
pub(super) const JSON: &str = "application/json";
/// A list of metadata only.
pub(super) const METADATA_LIST: &str =
    "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";

impl Call {
    /// A GET.
    pub fn get(path: impl Into<String>) -> Self {
        Self {
            method: Method::GET,
            path: path.into(),
            content_type: JSON,
            accept: JSON,
            body: Bytes::new(),
            repeatable: true,
            sensitive: false,
            patience: Patience::Usual,
        }
    }

    /// A request with a body.
    pub fn send(
        method: Method,
        path: impl Into<String>,
        content_type: &'static str,
        body: &serde_json::Value,
    ) -> Self {
        Self {
            method,
            content_type,
            body: Bytes::from(body.to_string()),
            repeatable: false,
            ..Self::get(path)
        }
    }

    /// Doing it twice equals doing it once.
    pub fn repeatable(self) -> Self {
        Self { repeatable: true, ..self }
    }

    /// Its content must not be shown.
    pub fn sensitive(self, sensitive: bool) -> Self {
        Self { sensitive, ..self }
    }

    /// With another patience.
    pub fn patience(self, patience: Patience) -> Self {
        Self { patience, ..self }
    }

    /// Asking for another form.
    pub fn accept(self, accept: &'static str) -> Self {
        Self { accept, ..self }
    }
}

/// A good answer.
pub(super) struct Answer {
    /// Its body.
    pub body: Bytes,
}

impl Answer {
    /// The body as JSON.
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_slice(&self.body)
    }
}

/// What to do about a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// Final.
    Final,
    /// Not done for now: ask again.
    NotNow,
    /// Perhaps done: ask again if that is safe.
    Perhaps,
}

impl Client {
    /// Sends a call and repeats it as far as that is safe. At most one attempt more than there are pauses.
    pub(super) async fn call(&self, call: Call) -> Result<Answer, Failure> {
        let timing = &self.inner.timing;
        let begin = Instant::now();
        let mut pauses = timing.pauses.iter();
        let mut perhaps_done = false;
        let mut renewed = false;
        loop {
            let credential = self.credential();
            let (failure, verdict) = match self.attempt(&call).await {
                Ok(answer) => return Ok(answer),
                Err(failed) => failed,
            };
            if matches!(failure, Failure::Connect(ConnectError::Unauthorized { .. })) && !renewed {
                renewed = true;
                match self.renew_credentials(credential).await {
                    Ok(true) => continue,
                    Ok(false) => {}
                    Err(error) => return Err(Failure::Connect(error)),
                }
            }
            let failure = if perhaps_done { doubted(failure) } else { failure };
            perhaps_done |= verdict == Verdict::Perhaps && call.method != Method::GET;
            let repeat = match verdict {
                Verdict::Final => false,
                Verdict::NotNow => true,
                Verdict::Perhaps => call.repeatable,
            };
            let pause =
                pauses.next().copied().filter(|_| repeat && !matches!(call.patience, Patience::Once(_)));
            let Some(pause) = pause else { return Err(failure) };
            let pause = match wanted_pause(&failure) {
                Some(wanted) => wanted.max(jittered(pause)),
                None => jittered(pause),
            };
            if begin.elapsed() + pause > timing.total {
                return Err(failure);
            }
            tracing::debug!(method = %call.method, path = %call.path, ?pause, "asking again");
            tokio::time::sleep(pause).await;
        }
    }

    /// Sends a call once.
    async fn attempt(&self, call: &Call) -> Result<Answer, (Failure, Verdict)> {
        let (deadline, slot) = match call.patience {
            Patience::Once(deadline) => (deadline, None),
            Patience::Usual => (self.inner.timing.attempt, Some(self.inner.limit.enter().await)),
            Patience::List => (self.inner.timing.list, Some(self.inner.limit.enter().await)),
        };
        let request = Request::builder()
            .method(call.method.clone())
            .uri(&call.path)
            .header(header::ACCEPT, call.accept)
            .header(header::CONTENT_TYPE, call.content_type)
            .body(kube::client::Body::from(call.body.clone()))
            .map_err(|error| (unknown(error.to_string()), Verdict::Final))?;
        let exchange = async {
            let response = self.http().send(request).await.map_err(|error| self.classify(&error))?;
            let (parts, body) = response.into_parts();
            let body = body.collect().await.map_err(|error| self.classify(&error))?.to_bytes();
            Ok::<_, (Failure, Verdict)>((parts, body))
        };
        let Ok(outcome) = tokio::time::timeout(deadline, exchange).await else {
            let reason = format!("no answer from `{}` within {} s", self.url(), deadline.as_secs_f32());
            return Err((unknown(reason), Verdict::Perhaps));
        };
        let (parts, body) = outcome?;
        self.inner.answered.store(true, Ordering::Relaxed);
        if !call.sensitive {
            self.note_warnings(&parts.headers);
        }
        let status = parts.status.as_u16();
        if let Some(slot) = slot {
            if status == 429 { slot.refused() } else { slot.accepted() }
        }
        if parts.status.is_success() {
            return Ok(Answer { body });
        }
        let retry_after = parts.headers.get(header::RETRY_AFTER);
        let retry_after = retry_after.and_then(|v| v.to_str().ok()).and_then(|v| v.trim().parse().ok());
        let plain = refused(status, retry_after, &body, false);
        let verdict = judge(&plain);
        if status == 401 {
            let error = ConnectError::Unauthorized { url: self.url().to_owned() };
            return Err((Failure::Connect(error), Verdict::Final));
        }
        let refused = if call.sensitive { refused(status, retry_after, &body, true) } else { plain };
        let failure = if verdict == Verdict::Perhaps {
            Failure::Unknown { reason: refused.rejection.message.clone(), answer: Some(refused) }
        } else {
            Failure::Refused(refused)
        };
        Err((failure, verdict))
    }

    /// Why a request got no answer.
    fn classify(&self, error: &kube::Error) -> (Failure, Verdict) {
        match connect::never_sent(error, self.url()) {
            // An address that never answered is wrong; a server that did may be restarting.
            Some(error) if self.inner.answered.load(Ordering::Relaxed) && error.may_pass() => {
                (Failure::Connect(error), Verdict::NotNow)
            }
            Some(error) => (Failure::Connect(error), Verdict::Final),
            None => {
                let reason =
                    format!("the connection to `{}` broke: {}", self.url(), connect::root_cause(error));
                (unknown(reason), Verdict::Perhaps)
            }
        }
    }

    fn note_warnings(&self, headers: &HeaderMap) {
        let texts =
            headers.get_all(header::WARNING).iter().filter_map(|v| v.to_str().ok()).filter_map(warning_text);
        let mut warnings = self.inner.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        warnings.extend(texts.map(|text| printable(&text, 500)));
    }
}

/// What the last failure means when an attempt before it may have been carried out (I3). Only input that is wrong
/// by itself was wrong before, too; a conflict may be with our own first attempt.
fn doubted(failure: Failure) -> Failure {
    match failure {
        Failure::Refused(refused) if !matches!(refused.code(), 400 | 413 | 415 | 422) => {
            Failure::Unknown { reason: refused.rejection.message.clone(), answer: Some(refused) }
        }
        Failure::Connect(error) => unknown(error.to_string()),
        other => other,
    }
}

fn unknown(reason: String) -> Failure {
    Failure::Unknown { reason, answer: None }
}

/// What a refusal means for repeating.
fn judge(refused: &Refused) -> Verdict {
    let Refused { rejection, .. } = refused;
    let says = |text: &str| rejection.message.contains(text);
    match rejection.code {
        429 => Verdict::NotNow,
        409 if says("Operation cannot be fulfilled on resourcequotas") => Verdict::NotNow,
        500 if says("failed calling webhook") => Verdict::NotNow,
        // Wrong input in spite of its code: it stays wrong.
        500 if says("failed to create typed patch object") || says("field not declared in schema") => {
            Verdict::Final
        }
        500..=599 => Verdict::Perhaps,
        _ => Verdict::Final,
    }
}

fn wanted_pause(failure: &Failure) -> Option<Duration> {
    match failure {
        Failure::Refused(refused) | Failure::Unknown { answer: Some(refused), .. } => {
            refused.retry_after.map(Duration::from_secs)
        }
        _ => None,
    }
}

/// Between half and one and a half times as long, so that many clients do not come back at once.
fn jittered(pause: Duration) -> Duration {
    let random = getrandom::u32().unwrap_or(u32::MAX / 2);
    pause.mul_f64(0.5 + f64::from(random) / f64::from(u32::MAX))
}

/// The text of a `Warning` header (RFC 7234 §5.5): `299 - "text"`.
fn warning_text(header: &str) -> Option<String> {
    let quoted = header.strip_prefix("299 ")?.split_once('"')?.1;
    let mut text = String::new();
    let mut chars = quoted.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => return Some(text),
            '\\' => text.extend(chars.next()),
            c => text.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_is_unquoted() {
        assert_eq!(warning_text(r#"299 - "a \"b\" is old""#).as_deref(), Some("a \"b\" is old"));
        assert_eq!(warning_text(r#"199 - "other""#), None);
        assert_eq!(warning_text(r#"299 - "open"#), None);
    }

    #[test]
    fn jitter_stays_near() {
        for _ in 0..100 {
            let pause = jittered(Duration::from_secs(1));
            assert!(pause >= Duration::from_millis(500) && pause <= Duration::from_millis(1500));
        }
    }

    #[test]
    fn wrong_input_is_not_repeated_whatever_its_code() {
        let judge = |code, message: &str| {
            let body = serde_json::json!({"kind": "Status", "message": message}).to_string();
            super::judge(&refused(code, None, body.as_bytes(), false))
        };
        assert_eq!(
            judge(500, "failed to create typed patch object (a/b): duplicate entries"),
            Verdict::Final
        );
        assert_eq!(judge(500, "Internal error occurred: failed calling webhook \"w\""), Verdict::NotNow);
        assert_eq!(judge(500, "etcdserver: leader changed"), Verdict::Perhaps);
        assert_eq!(judge(409, "Operation cannot be fulfilled on resourcequotas \"q\""), Verdict::NotNow);
        assert_eq!(judge(409, "Operation cannot be fulfilled on configmaps \"q\""), Verdict::Final);
        assert_eq!(judge(422, "invalid"), Verdict::Final);
    }
}
