//! What only all components of a cluster together can get wrong.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::RenderedComponent;
use super::trace::trace_span;
use crate::diagnostic::{Diagnostic, Files};
use crate::landscape::{Cluster, Component};
use crate::object::{FieldPath, ObjectRef};

/// Objects of two components, and contracts that promise a Service which is not there.
pub(super) fn check(cluster: &Cluster, components: &[RenderedComponent], files: &Files) -> Vec<Diagnostic> {
    let mut diagnostics = two_owners(components, files);
    let namespaces: BTreeSet<&str> = cluster.components.iter().map(|c| c.namespace.as_str()).collect();
    for component in &cluster.components {
        if let Some(rendered) = components.iter().find(|r| r.name == component.name) {
            diagnostics.extend(contract_hosts(component, rendered, &namespaces, files));
        }
    }
    diagnostics
}

fn two_owners(components: &[RenderedComponent], files: &Files) -> Vec<Diagnostic> {
    let mut owners: BTreeMap<&ObjectRef, &crate::object::Manifest> = BTreeMap::new();
    let mut diagnostics = Vec::new();
    let name = FieldPath::default().key("metadata").key("name");
    for manifest in components.iter().flat_map(|c| &c.manifests) {
        let Some(first) = owners.get(&manifest.reference) else {
            owners.insert(&manifest.reference, manifest);
            continue;
        };
        let (one, other) = (&first.origin.component, &manifest.origin.component);
        let message = format!("the components `{one}` and `{other}` both render `{}`", manifest.reference);
        let diagnostic = Diagnostic::error("duplicate-object", message)
            .at(trace_span(manifest.origin.span, &name, files), format!("by `{other}`"))
            .also(trace_span(first.origin.span, &name, files), format!("by `{one}`"));
        diagnostics.push(if manifest.reference.kind == "CustomResourceDefinition" {
            diagnostic.help("say `crds: skip` in one of them when both ship it in `crds/`")
        } else {
            diagnostic.help("an object belongs to one component: remove it from one of them, or rename it")
        });
    }
    diagnostics
}

/// A host that a contract offers.
struct Host {
    service: String,
    namespace: String,
    port: Option<u64>,
}

/// Hosts `NAME.NAMESPACE` of offered contracts that are no Service, or lack the port. A host counts only
/// when its second part is the namespace of a component or of one of the provider's objects: `example.com`
/// lies elsewhere.
fn contract_hosts(
    component: &Component,
    rendered: &RenderedComponent,
    namespaces: &BTreeSet<&str>,
    files: &Files,
) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    let name_path = FieldPath::default().key("metadata").key("name");
    let own = |namespace: &str| {
        rendered.manifests.iter().any(|m| m.reference.namespace.as_deref() == Some(namespace))
    };
    for (contract, provided) in &component.provides {
        let mut hosts = Vec::new();
        collect(&provided.values, None, &mut hosts);
        for host in hosts.iter().filter(|h| namespaces.contains(h.namespace.as_str()) || own(&h.namespace)) {
            let name = format!("{}.{}", host.service, host.namespace);
            let service = rendered.manifests.iter().find(|m| {
                m.reference.is("", "Service")
                    && m.reference.name == host.service
                    && m.reference.namespace.as_deref() == Some(&host.namespace)
            });
            let problem = match service {
                None => Some(format!("the contract `{contract}` names the host `{name}`, but `{}` renders no such Service", component.name)),
                Some(service) => host.port.filter(|port| !has_port(&service.object, *port)).map(|port| {
                    format!("the contract `{contract}` names port {port} of `{name}`, which that Service does not have")
                }),
            };
            let Some(problem) = problem else { continue };
            let mut diagnostic = Diagnostic::error("contract-host", problem).at(provided.span, "");
            if let Some(service) = service {
                diagnostic =
                    diagnostic.also(trace_span(service.origin.span, &name_path, files), "the Service");
            }
            let services = rendered.manifests.iter().filter(|m| m.reference.is("", "Service"));
            let services: Vec<_> = services.map(|m| described(&m.reference, &m.object)).collect();
            diagnostics.push(if services.is_empty() {
                diagnostic.help(format!("`{}` renders no Service at all", component.name))
            } else {
                diagnostic.help(format!("its Services are: {}", services.join(", ")))
            });
        }
    }
    diagnostics
}

fn described(reference: &ObjectRef, object: &Json) -> String {
    let ports: Vec<_> = ports(object).map(|port| port.to_string()).collect();
    format!(
        "`{}.{}` with port {}",
        reference.name,
        reference.namespace.as_deref().unwrap_or_default(),
        ports.join(" and ")
    )
}

fn ports(service: &Json) -> impl Iterator<Item = u64> {
    service["spec"]["ports"].as_array().into_iter().flatten().filter_map(|port| port["port"].as_u64())
}

fn has_port(service: &Json, port: u64) -> bool {
    service["spec"]["type"] == "ExternalName" || ports(service).any(|p| p == port)
}

/// Every text of `value` that reads as a host in the cluster. `sibling` is a `port` beside it.
fn collect(value: &Json, sibling: Option<u64>, hosts: &mut Vec<Host>) {
    match value {
        Json::String(text) => hosts.extend(host(text, sibling)),
        Json::Array(items) => items.iter().for_each(|item| collect(item, None, hosts)),
        Json::Object(map) => {
            let port = map.get("port").and_then(|p| p.as_u64().or_else(|| p.as_str()?.parse().ok()));
            map.values().for_each(|value| collect(value, port, hosts));
        }
        _ => (),
    }
}

fn host(text: &str, sibling: Option<u64>) -> Option<Host> {
    let (name, port) = match text.split_once("://") {
        Some((scheme, _)) => {
            let url = url::Url::parse(text).ok()?;
            let port = url.port_or_known_default().map(u64::from);
            let port = port.or(match scheme {
                "http" | "ws" => Some(80),
                "https" | "wss" => Some(443),
                _ => sibling,
            });
            (url.host_str()?.to_owned(), port)
        }
        None => match text.split_once(':') {
            Some((name, port)) => (name.to_owned(), Some(port.parse().ok()?)),
            None => (text.to_owned(), sibling),
        },
    };
    let is_label = |label: &str| {
        !label.is_empty() && label.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
    };
    let name = name.trim_end_matches('.');
    let short = name.strip_suffix(".cluster.local").unwrap_or(name);
    let bare = short.strip_suffix(".svc");
    let labels: Vec<&str> = bare.unwrap_or(short).split('.').collect();
    let (service, namespace) = match labels.as_slice() {
        [service, namespace] => (*service, *namespace),
        // A pod of a StatefulSet behind its headless Service.
        [_, service, namespace] if bare.is_some() => (*service, *namespace),
        _ => return None,
    };
    (is_label(service) && is_label(namespace)).then(|| Host {
        service: service.into(),
        namespace: namespace.into(),
        port,
    })
}
