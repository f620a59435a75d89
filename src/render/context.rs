//! What a template sees: `values`, `release`, `chart`, `cluster`, `component`, `landscape`, `capabilities`,
//! `secretsRef`. Documented for users in docs/charts.md.

use serde_json::json;
use tera::{Context, Value};

use super::tera::value;
use super::values::Scoped;
use crate::landscape::{Cluster, Component};
use crate::object::Discovery;
use crate::yaml::Node;

/// What all components of a cluster see.
pub(super) struct Shared {
    cluster: Value,
    landscape: Value,
}

impl Shared {
    pub fn new(cluster: &Cluster, landscape_name: &str, discovery: &Discovery) -> Self {
        let fields = json!({
            "name": cluster.name,
            "environment": cluster.environment,
            "labels": cluster.labels,
            "values": cluster.values,
            "kubernetesVersion": discovery.version.to_string(),
        });
        Self {
            cluster: Value::from_serializable(&fields),
            landscape: Value::from_serializable(&json!({"name": landscape_name})),
        }
    }
}

/// `capabilities`: the version and every API version.
pub(super) fn capabilities(discovery: &Discovery) -> Value {
    Value::from_serializable(&json!({
        "kubernetesVersion": discovery.version.to_string(),
        "apiVersions": discovery.api_versions(),
    }))
}

/// The context of one chart of a component. `tagged` gives the text of `!secret` values.
pub(super) fn context(
    shared: &Shared,
    capabilities: &Value,
    component: &Component,
    scoped: &Scoped,
    tagged: &dyn Fn(&Node) -> Option<String>,
) -> Context {
    let mut context = Context::new();
    context.insert_value("values", value(&scoped.values, tagged));
    context.insert("release", &json!({"name": component.release_name, "namespace": component.namespace}));
    context.insert("component", &json!({"name": component.name, "namespace": component.namespace}));
    if !scoped.chart.name.is_empty() {
        let chart = json!({"name": scoped.chart.name, "version": scoped.chart.version, "appVersion": scoped.chart.app_version});
        context.insert("chart", &chart);
    }
    context.insert_value("cluster", shared.cluster.clone());
    context.insert_value("landscape", shared.landscape.clone());
    context.insert_value("capabilities", capabilities.clone());
    if !component.secrets.is_empty() {
        context.insert("secretsRef", &component.secret_name);
    }
    context
}
