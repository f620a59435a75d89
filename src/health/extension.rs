//! What extends the API server: definitions, aggregated APIs, webhooks. A definition is only usable when discovery
//! serves it, which the caller checks besides.

use serde_json::Value;

use super::fields::{condition, list, text};
use super::{Context, Health, Relation};

pub fn definition(object: &Value) -> Health {
    if let Some(names) = condition(object, "NamesAccepted").filter(|c| c.status == "False") {
        return Health::failed(names.explained("its names are not accepted"));
    }
    match condition(object, "Established") {
        Some(established) if established.status == "True" => Health::current(),
        Some(established) if established.status == "False" && established.reason != "Installing" => {
            Health::failed(established.explained("is not established"))
        }
        _ => Health::in_progress("is not established yet"),
    }
}

pub fn api_service(object: &Value) -> Health {
    match condition(object, "Available") {
        Some(available) if available.status == "True" => Health::current(),
        Some(available) => Health::in_progress(available.explained("is not available yet")),
        None => Health::in_progress("is not available yet"),
    }
}

/// Namespace and name of the Service behind a webhook, if it is a Service.
fn service_of(webhook: &Value) -> Option<(String, String)> {
    let service = webhook.pointer("/clientConfig/service")?;
    Some((text(service, "/namespace").to_owned(), text(service, "/name").to_owned()))
}

/// A webhook that cannot be called blocks what it guards: its Service needs an endpoint, and a certificate
/// authority must be known (injected later by many operators).
pub fn webhooks(object: &Value, context: &Context) -> Health {
    for webhook in list(object, "/webhooks") {
        let Some(service) = service_of(webhook) else { continue };
        let name = text(webhook, "/name");
        if text(webhook, "/clientConfig/caBundle").is_empty() {
            return Health::in_progress(format!("webhook {name} has no caBundle yet"));
        }
        if context.related.ready_endpoints.get(&service) == Some(&false) {
            let (namespace, service) = service;
            return Health::in_progress(format!(
                "webhook {name}: Service {namespace}/{service} has no ready endpoint"
            ));
        }
    }
    Health::current()
}

pub fn webhook_relations(kind: &str, object: &Value) -> Vec<Relation> {
    if !kind.ends_with("WebhookConfiguration") {
        return Vec::new();
    }
    let mut relations: Vec<_> = list(object, "/webhooks")
        .iter()
        .filter_map(service_of)
        .map(|(namespace, name)| Relation::Endpoints { namespace, name })
        .collect();
    relations.sort();
    relations.dedup();
    relations
}
