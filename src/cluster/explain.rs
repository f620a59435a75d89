//! What explains a failure: pods, `ReplicaSet`s, events, logs.

use serde_json::Value;

use super::Client;
use super::error::Error;
use super::list::Selection;
use super::path::{Resource, query, segment};
use super::request::Call;
use crate::object::Scope;
use crate::plan::Live;

/// The most bytes of a log that are read.
const LOG_BYTES: &str = "65536";

/// Which lines of a container's log.
#[derive(Debug, Clone, Copy)]
pub struct LogRequest<'a> {
    /// The pod's namespace.
    pub namespace: &'a str,
    /// The pod.
    pub pod: &'a str,
    /// The container.
    pub container: &'a str,
    /// Of the run before the last restart.
    pub previous: bool,
    /// How many lines from the end.
    pub lines: u32,
}

impl Client {
    /// The pods of a namespace that a label selector matches.
    pub async fn list_pods(&self, namespace: &str, selector: &str) -> Result<Vec<Live>, Error> {
        let pods = Resource::built_in("", "v1", "Pod", "pods", Scope::Namespaced);
        self.list_for(
            &pods,
            Selection { namespace: Some(namespace), labels: Some(selector), ..Selection::default() },
        )
        .await
    }

    /// The `ReplicaSet`s of a namespace that a label selector matches.
    pub async fn list_replicasets(&self, namespace: &str, selector: &str) -> Result<Vec<Live>, Error> {
        let sets = Resource::built_in("apps", "v1", "ReplicaSet", "replicasets", Scope::Namespaced);
        self.list_for(
            &sets,
            Selection { namespace: Some(namespace), labels: Some(selector), ..Selection::default() },
        )
        .await
    }

    /// The events about the object with this UID, the oldest first. Events about cluster-scoped objects are in the
    /// namespace `default`.
    pub async fn list_events(&self, namespace: Option<&str>, uid: &str) -> Result<Vec<Live>, Error> {
        let events = Resource::built_in("", "v1", "Event", "events", Scope::Namespaced);
        let fields = format!("involvedObject.uid={uid}");
        let namespace = Some(namespace.unwrap_or("default"));
        let mut events = self
            .list_for(&events, Selection { namespace, fields: Some(&fields), ..Selection::default() })
            .await?;
        events.sort_by_cached_key(time_of);
        Ok(events)
    }

    async fn list_for(&self, resource: &Resource, selection: Selection<'_>) -> Result<Vec<Live>, Error> {
        let place = selection.namespace.unwrap_or_default();
        let objects = self.list(resource, selection).await;
        let objects = objects
            .map_err(|failure| failure.reading(format!("list {} in namespace `{place}`", resource.plural)))?;
        Ok(objects.into_iter().map(Live).collect())
    }

    /// The last lines of a container's log, without control characters. Whatever a program prints may be in it.
    pub async fn pod_logs(&self, request: LogRequest<'_>) -> Result<Vec<String>, Error> {
        let LogRequest { namespace, pod, container, previous, lines } = request;
        let path = format!("/api/v1/namespaces/{}/pods/{}/log", segment(namespace), segment(pod));
        let lines = lines.to_string();
        let previous = if previous { "true" } else { "false" };
        let pairs = [
            ("container", container),
            ("previous", previous),
            ("tailLines", &lines),
            ("limitBytes", LOG_BYTES),
        ];
        let answer = self
            .call(Call::get(query(&path, &pairs)).accept("*/*"))
            .await
            .map_err(|failure| failure.reading(format!("read the log of pod `{namespace}/{pod}`")))?;
        Ok(plain_lines(&answer.body))
    }
}

/// When an event last happened: events of two APIs keep it in different fields.
fn time_of(event: &Live) -> String {
    let text = |pointer: &str| event.0.pointer(pointer).and_then(Value::as_str).filter(|t| !t.is_empty());
    ["/series/lastObservedTime", "/lastTimestamp", "/eventTime", "/metadata/creationTimestamp"]
        .into_iter()
        .find_map(text)
        .unwrap_or_default()
        .to_owned()
}

/// Lines without escape sequences and other control characters, each at most 500 characters long.
fn plain_lines(bytes: &[u8]) -> Vec<String> {
    String::from_utf8_lossy(bytes)
        .lines()
        .map(|line| super::error::printable(&without_escapes(line), 500))
        .collect()
}

/// Without ANSI control sequences: ESC `[` parameters final-byte, ESC `]` … BEL, and other two-character ones.
fn without_escapes(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        if c != '\u{1b}' {
            plain.push(c);
            continue;
        }
        match chars.next() {
            Some('[') => drop(chars.find(|c| ('\u{40}'..='\u{7e}').contains(c))),
            Some(']') => drop(chars.find(|c| *c == '\u{7}')),
            _ => {}
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_are_plain_text() {
        assert_eq!(
            plain_lines(b"\x1b[31mred\x1b[0m\ttab\r\n\x1b]0;title\x07next \x08\xff"),
            ["red tab", "next  \u{fffd}"]
        );
        assert_eq!(plain_lines("x".repeat(600).as_bytes())[0].chars().count(), 501);
    }
}
