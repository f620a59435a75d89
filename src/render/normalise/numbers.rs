//! N8: whole numbers that YAML reads as floats (`3.0`, `1e3`) where the schema says integer. No built-in kind
//! but CustomResourceDefinition has a field for floats, so in these a whole number is an integer; custom
//! resources and definitions are left as written, since their schemas may say `number`.

use serde_json::Value;

use super::pods;
use crate::object::builtin;

/// Beyond this a float cannot tell neighbouring whole numbers apart.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Turns whole floats of built-in kinds into integers.
pub(super) fn whole(object: &mut Value) {
    let kind = pods::gvk(object).group_kind();
    if builtin::is_builtin(&kind) && kind.kind != "CustomResourceDefinition" {
        descend(object);
    }
}

fn descend(value: &mut Value) {
    match value {
        Value::Object(map) => map.values_mut().for_each(descend),
        Value::Array(items) => items.iter_mut().for_each(descend),
        Value::Number(number) if number.is_f64() => {
            let float = number.as_f64().filter(|f| f.fract() == 0.0 && f.abs() <= EXACT);
            // The range is checked above, so the cast is exact.
            #[allow(clippy::cast_possible_truncation)]
            if let Some(float) = float {
                *value = (float as i64).into();
            }
        }
        _ => (),
    }
}
