//! Kubernetes quantities (`500m`, `1Gi`, `1e3`), compared by value where a built-in kind holds one.
//!
//! The server rewrites quantities of built-in kinds to a canonical form (`1000m` becomes `1`), so that what was sent
//! and what is stored differ as text. Format: `resource.Quantity` of apimachinery. What cannot be read exactly is
//! never equal to anything.

use serde_json::Value;

/// Quantities are compared in units of 10^-9, the server's own finest.
const NANO: i128 = 1_000_000_000;

/// Whether both are quantities of one value.
pub(in crate::plan) fn equal(one: &Value, other: &Value) -> bool {
    match (nanos(one), nanos(other)) {
        (Some(one), Some(other)) => one == other,
        _ => false,
    }
}

/// Whether a scalar at `path` (map keys only, list items have none) is a quantity.
pub(in crate::plan) fn is_quantity(group: &str, kind: &str, path: &[&str]) -> bool {
    let last =
        |n: usize| path.len().checked_sub(n).and_then(|index| path.get(index)).copied().unwrap_or_default();
    match (last(3), last(2), last(1)) {
        ("resources", "limits" | "requests", _)
        | (_, _, "sizeLimit")
        | (_, "resourceFieldRef", "divisor") => true,
        ("spec", "hard", _) => kind == "ResourceQuota",
        ("spec", "capacity", _) => kind == "PersistentVolume",
        ("overhead", "podFixed", _) => kind == "RuntimeClass",
        ("limits", "max" | "min" | "default" | "defaultRequest" | "maxLimitRequestRatio", _) => {
            kind == "LimitRange"
        }
        (_, "target", "averageValue" | "value") => group == "autoscaling",
        _ => false,
    }
}

/// The value in units of 10^-9, if it is one exactly.
fn nanos(value: &Value) -> Option<i128> {
    match value {
        Value::String(text) => parse(text),
        Value::Number(number) => parse(&number.to_string()),
        _ => None,
    }
}

fn parse(text: &str) -> Option<i128> {
    let (sign, rest) = match text.as_bytes().first()? {
        b'-' => (-1, &text[1..]),
        b'+' => (1, &text[1..]),
        _ => (1, text),
    };
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
    let (number, suffix) = rest.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.len() + fraction.len() == 0 || fraction.contains('.') {
        return None;
    }
    let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
    let divisor = 10_i128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let (multiplier, scale) = unit(suffix)?;
    let numerator = digits.checked_mul(NANO)?.checked_mul(multiplier)?;
    let denominator = divisor.checked_mul(scale)?;
    (numerator % denominator == 0).then_some(sign * (numerator / denominator))
}

/// A suffix as (multiplier, divisor).
fn unit(suffix: &str) -> Option<(i128, i128)> {
    let power = |base: i128, exponent: u32| base.checked_pow(exponent);
    Some(match suffix {
        "" => (1, 1),
        "n" => (1, NANO),
        "u" => (1, 1_000_000),
        "m" => (1, 1_000),
        "k" => (power(1000, 1)?, 1),
        "M" => (power(1000, 2)?, 1),
        "G" => (power(1000, 3)?, 1),
        "T" => (power(1000, 4)?, 1),
        "P" => (power(1000, 5)?, 1),
        "E" => (power(1000, 6)?, 1),
        "Ki" => (power(1024, 1)?, 1),
        "Mi" => (power(1024, 2)?, 1),
        "Gi" => (power(1024, 3)?, 1),
        "Ti" => (power(1024, 4)?, 1),
        "Pi" => (power(1024, 5)?, 1),
        "Ei" => (power(1024, 6)?, 1),
        _ => {
            let exponent: i32 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
            let factor = power(10, exponent.unsigned_abs())?;
            if exponent < 0 { (1, factor) } else { (factor, 1) }
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn equal_by_value() {
        for (one, other) in [
            (json!("1000m"), json!("1")),
            (json!("0.5"), json!("500m")),
            (json!(1), json!("1")),
            (json!(0.5), json!("500m")),
            (json!("1024Mi"), json!("1Gi")),
            (json!("1e3"), json!("1k")),
            (json!("1E3"), json!("1k")),
            (json!("1E"), json!("1000P")),
            (json!("0"), json!("0Mi")),
            (json!("-1500m"), json!("-1.5")),
            (json!("128974848"), json!("123Mi")),
            (json!(".5"), json!("500m")),
            (json!("5."), json!("5")),
        ] {
            assert!(equal(&one, &other), "{one} {other}");
        }
    }

    #[test]
    fn unequal_or_unreadable() {
        for (one, other) in [
            (json!("1"), json!("1m")),
            (json!("1G"), json!("1Gi")),
            (json!(""), json!("")),
            (json!("."), json!(".")),
            (json!("abc"), json!("abc")),
            (json!("1 "), json!("1")),
            (json!("1e"), json!("1e")),
            (json!("0.1n"), json!("0.1n")),
            (json!("1.2.3"), json!("1.2.3")),
            (json!(true), json!(true)),
            (
                json!("99999999999999999999999999999999999999"),
                json!("99999999999999999999999999999999999999"),
            ),
        ] {
            assert!(!equal(&one, &other), "{one} {other}");
        }
    }

    #[test]
    fn only_known_paths_hold_quantities() {
        let pod = ["spec", "template", "spec", "containers", "resources", "limits", "cpu"];
        assert!(is_quantity("apps", "Deployment", &pod));
        assert!(is_quantity("", "ResourceQuota", &["spec", "hard", "pods"]));
        assert!(!is_quantity("", "ConfigMap", &["data", "cpu"]));
        assert!(!is_quantity("", "Service", &["spec", "hard", "pods"]));
    }
}
