//! What `/metrics` shows, in the `OpenMetrics` text format. Names of clusters and components only: no values.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// Upper bounds in seconds.
const BUCKETS: [f64; 10] = [0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 900.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfCluster {
    cluster: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfRun {
    cluster: String,
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfComponent {
    cluster: String,
    component: String,
}

type Durations = Family<OfCluster, Histogram, fn() -> Histogram>;

/// All metrics.
pub struct Metrics {
    registry: Registry,
    landscape: Gauge,
    last_success: Family<OfCluster, Gauge>,
    durations: Durations,
    runs: Family<OfRun, Counter>,
    failures: Family<OfCluster, Gauge>,
    changed: Family<OfComponent, Counter>,
    deleted: Family<OfComponent, Counter>,
    pending: Family<OfComponent, Gauge>,
    suspended: Family<OfComponent, Gauge>,
}

impl Metrics {
    /// All of them, empty.
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("landskap");
        let durations = Durations::new_with_constructor(|| Histogram::new(BUCKETS));
        let metrics = Self {
            landscape: Gauge::default(),
            last_success: Family::default(),
            durations,
            runs: Family::default(),
            failures: Family::default(),
            changed: Family::default(),
            deleted: Family::default(),
            pending: Family::default(),
            suspended: Family::default(),
            registry: Registry::default(),
        };
        registry.register(
            "landscape_ok",
            "Whether the landscape could be read when last looked at",
            metrics.landscape.clone(),
        );
        registry.register(
            "last_success_timestamp_seconds",
            "When a run last ended with the cluster as wanted",
            metrics.last_success.clone(),
        );
        registry.register("run_duration_seconds", "How long runs took", metrics.durations.clone());
        registry.register("runs", "Runs by result", metrics.runs.clone());
        registry.register(
            "consecutive_failures",
            "Runs that failed or were refused in a row",
            metrics.failures.clone(),
        );
        registry.register("objects_changed", "Objects made or changed", metrics.changed.clone());
        registry.register("objects_deleted", "Objects deleted", metrics.deleted.clone());
        registry.register(
            "pending_changes",
            "Objects that differ from what is wanted and were left so by the last run",
            metrics.pending.clone(),
        );
        registry.register(
            "component_suspended",
            "1 for components that are paused",
            metrics.suspended.clone(),
        );
        Self { registry, ..metrics }
    }

    /// Whether the landscape could be read.
    pub fn landscape(&self, ok: bool) {
        self.landscape.set(i64::from(ok));
    }

    /// A run ended. `result` is one of few words; `success` holds the time, in seconds since 1970.
    pub fn ran(
        &self,
        cluster: &str,
        result: &'static str,
        seconds: f64,
        success: Option<i64>,
        failures: u32,
    ) {
        let of_cluster = OfCluster { cluster: cluster.to_owned() };
        self.durations.get_or_create(&of_cluster).observe(seconds);
        self.runs.get_or_create(&OfRun { cluster: cluster.to_owned(), result }).inc();
        self.failures.get_or_create(&of_cluster).set(i64::from(failures));
        if let Some(at) = success {
            self.last_success.get_or_create(&of_cluster).set(at);
        }
    }

    /// An object was written.
    pub fn object_changed(&self, cluster: &str, component: &str) {
        self.changed.get_or_create(&of(cluster, component)).inc();
    }

    /// An object was deleted.
    pub fn object_deleted(&self, cluster: &str, component: &str) {
        self.deleted.get_or_create(&of(cluster, component)).inc();
    }

    /// What is left to do in a component.
    pub fn component(&self, cluster: &str, component: &str, pending: usize, suspended: bool) {
        let labels = of(cluster, component);
        self.pending.get_or_create(&labels).set(i64::try_from(pending).unwrap_or(i64::MAX));
        if suspended {
            self.suspended.get_or_create(&labels).set(1);
        } else {
            self.suspended.remove(&labels);
        }
    }

    /// A component is not there any more.
    pub fn component_gone(&self, cluster: &str, component: &str) {
        let labels = of(cluster, component);
        self.pending.remove(&labels);
        self.suspended.remove(&labels);
    }

    /// In the `OpenMetrics` text format.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

fn of(cluster: &str, component: &str) -> OfComponent {
    OfComponent { cluster: cluster.to_owned(), component: component.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_is_shown() {
        let metrics = Metrics::new();
        metrics.landscape(true);
        metrics.ran("dev", "changed", 0.2, Some(1_700_000_000), 0);
        metrics.object_changed("dev", "grafana");
        metrics.component("dev", "grafana", 3, true);
        let text = metrics.text();
        for line in [
            "landskap_landscape_ok 1",
            "landskap_last_success_timestamp_seconds{cluster=\"dev\"} 1700000000",
            "landskap_run_duration_seconds_bucket{le=\"0.25\",cluster=\"dev\"} 1",
            "landskap_runs_total{cluster=\"dev\",result=\"changed\"} 1",
            "landskap_objects_changed_total{cluster=\"dev\",component=\"grafana\"} 1",
            "landskap_pending_changes{cluster=\"dev\",component=\"grafana\"} 3",
            "landskap_component_suspended{cluster=\"dev\",component=\"grafana\"} 1",
        ] {
            assert!(text.lines().any(|shown| shown == line), "{line} is not in\n{text}");
        }
        metrics.component("dev", "grafana", 0, false);
        assert!(
            !metrics.text().contains("component_suspended{"),
            "a component that goes on is no longer listed"
        );
        metrics.component_gone("dev", "grafana");
        assert!(!metrics.text().contains("pending_changes{"));
    }
}
