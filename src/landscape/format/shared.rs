//! Pieces that several kinds of files have.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value as Json;

/// A map of anything: values, which this format does not look into.
pub(in crate::landscape) type Free = serde_json::Map<String, Json>;

/// A DNS label (RFC 1123).
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(
    title = "a DNS label: at most 63 lower-case letters, digits and `-`",
    extend("pattern" = "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")
)]
pub(in crate::landscape) struct DnsLabel(pub String);

/// A label value of Kubernetes.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(
    title = "a label value: at most 63 letters, digits, `-`, `_` and `.`, with a letter or digit at both ends",
    extend("pattern" = "^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$")
)]
pub(in crate::landscape) struct LabelValue(pub String);

/// A duration in hours, minutes and seconds.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(
    title = "a duration such as `5m`, `90s` or `1h30m`",
    extend("pattern" = "^(?=.)([0-9]{1,6}h)?([0-9]{1,6}m)?([0-9]{1,6}s)?$")
)]
pub(in crate::landscape) struct Duration(pub String);

impl Duration {
    /// The duration itself; text that the schema accepts always has one.
    pub fn get(&self) -> std::time::Duration {
        let (mut seconds, mut number) = (0, 0);
        for c in self.0.chars() {
            let unit = match c {
                'h' => 3600,
                'm' => 60,
                's' => 1,
                _ => {
                    number = number * 10 + u64::from(c.to_digit(10).unwrap_or_default());
                    continue;
                }
            };
            seconds += number * unit;
            number = 0;
        }
        std::time::Duration::from_secs(seconds)
    }
}

/// Health wait.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::landscape) struct WaitFields {
    /// How long objects may take to become healthy.
    pub timeout: Option<Duration>,
}

/// A label selector of Kubernetes. `{}` selects everything.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::landscape) struct LabelSelector {
    /// Labels that must have exactly these values.
    #[serde(default)]
    pub match_labels: BTreeMap<String, String>,
    /// Further conditions; all must hold.
    #[serde(default)]
    pub match_expressions: Vec<MatchExpression>,
}

/// One condition on one label.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::landscape) struct MatchExpression {
    /// The label.
    pub key: String,
    /// How it is compared.
    pub operator: Operator,
    /// With what: for `In` and `NotIn`.
    #[serde(default)]
    pub values: Vec<String>,
}

/// How a label is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
pub(in crate::landscape) enum Operator {
    /// Has one of the values.
    In,
    /// Has none of the values; or no such label.
    NotIn,
    /// Has the label.
    Exists,
    /// Does not have the label.
    DoesNotExist,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_add_up() {
        for (text, seconds) in [("5m", 300), ("90s", 90), ("1h30m", 5400), ("2h0m5s", 7205)] {
            assert_eq!(Duration(text.into()).get().as_secs(), seconds, "{text}");
        }
    }
}
