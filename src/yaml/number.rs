//! Numbers as Go writes them.
//!
//! kubectl and Helm turn YAML into JSON and JSON into YAML with Go's `encoding/json` and `strconv`; a number passes
//! through both texts. The thresholds here are theirs.

use super::node::Value;

/// What remains of `float` after a pass through Go's JSON, which writes a whole number without a point: an integer
/// where the shortest digits, filled up with zeros, fit into 64 bits. `None` for infinities and NaN, which JSON lacks.
pub(super) fn through_json(float: f64) -> Option<Value> {
    if !float.is_finite() {
        return None;
    }
    let digits = float.to_string();
    Some(match (digits.parse(), digits.parse()) {
        (Ok(int), _) => Value::Int(int),
        (Err(_), Ok(uint)) => Value::UInt(uint),
        (Err(_), Err(_)) => Value::Float(float),
    })
}

/// Go's `FormatFloat(float, 'g', -1, 64)`: the shortest digits, with an exponent below -4 and from 6 on.
pub(super) fn shortest(float: f64) -> String {
    general(&format!("{float:e}"))
}

/// Go's `FormatFloat(float, 'g', -1, 32)`, by which sigs.k8s.io/yaml names keys that are floats.
#[expect(clippy::cast_possible_truncation, reason = "rounding to 32 bits is what the rule asks for")]
pub(super) fn shortest_32(float: f64) -> String {
    general(&format!("{:e}", float as f32))
}

/// Lays out Rust's shortest `1.25e-7` as Go's `%g` does.
fn general(scientific: &str) -> String {
    let Some((mantissa, exponent)) = scientific.split_once('e') else {
        return scientific.to_owned();
    };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if !(-4..6).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{mantissa}e{sign}{:02}", exponent.abs());
    }
    let (sign, mantissa) = mantissa.strip_prefix('-').map_or(("", mantissa), |m| ("-", m));
    let digits = mantissa.replace('.', "");
    match usize::try_from(exponent) {
        Err(_) => format!("{sign}0.{}{digits}", "0".repeat(exponent.unsigned_abs() as usize - 1)),
        Ok(exponent) if digits.len() <= exponent + 1 => {
            format!("{sign}{digits}{}", "0".repeat(exponent + 1 - digits.len()))
        }
        Ok(exponent) => format!("{sign}{}.{}", &digits[..=exponent], &digits[exponent + 1..]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layout_of_go() {
        for (float, text) in [
            (0.5, "0.5"),
            (-0.0001, "-0.0001"),
            (0.000_012_5, "1.25e-05"),
            (100_000.5, "100000.5"),
            (1_234_567.5, "1.2345675e+06"),
            (1e20, "1e+20"),
            (1e100, "1e+100"),
            (5e-324, "5e-324"),
            (100.0, "100"),
        ] {
            assert_eq!(shortest(float), text);
        }
        assert_eq!(shortest_32(2.236_067_977_499_79), "2.236068");
    }

    #[test]
    fn whole_numbers_become_integers() {
        assert_eq!(through_json(1e3), Some(Value::Int(1000)));
        assert_eq!(through_json(-0.0), Some(Value::Int(0)));
        assert_eq!(through_json(9_223_372_036_854_775_808.0), Some(Value::UInt(9_223_372_036_854_776_000)));
        assert_eq!(through_json(1e20), Some(Value::Float(1e20)));
        assert_eq!(through_json(1.5), Some(Value::Float(1.5)));
        assert_eq!(through_json(f64::NAN), None);
    }
}
