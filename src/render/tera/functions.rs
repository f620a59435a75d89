//! Functions and tests of our templates, beside those of Tera.

// The engine hands arguments over by value.
#![allow(clippy::needless_pass_by_value)]

use tera::{Error, Kwargs, State, Tera, TeraResult};

/// Most numbers that one `range` gives.
const LONGEST_RANGE: usize = 10_000;

pub(super) fn register(tera: &mut Tera) {
    tera.register_function("range", range);
    tera.register_test("version_at_least", version_at_least);
}

/// `range(end=3)`: 0, 1, 2; also `start` and `step_by`. Shorter than Tera's own.
fn range(kwargs: Kwargs, _: &State) -> TeraResult<Vec<i64>> {
    let start = kwargs.get::<i64>("start")?.unwrap_or(0);
    let end = kwargs.must_get::<i64>("end")?;
    let step = kwargs.get::<i64>("step_by")?.unwrap_or(1);
    if step == 0 {
        return Err(Error::message("`range` needs a `step_by` other than 0"));
    }
    let mut numbers = Vec::new();
    let mut next = Some(start);
    while let Some(number) = next.filter(|n| if step > 0 { *n < end } else { *n > end }) {
        if numbers.len() >= LONGEST_RANGE {
            return Err(Error::message(format!("`range` gives at most {LONGEST_RANGE} numbers")));
        }
        numbers.push(number);
        next = number.checked_add(step);
    }
    Ok(numbers)
}

/// `capabilities.kubernetesVersion is version_at_least(version="1.34")`: compares numbers between dots, a
/// missing one being 0; a leading `v` and what follows the digits of a part are passed over.
fn version_at_least(value: &str, kwargs: Kwargs, _: &State) -> TeraResult<bool> {
    let wanted = kwargs.must_get::<&str>("version")?;
    Ok(parts(value)? >= parts(wanted)?)
}

fn parts(version: &str) -> TeraResult<[u64; 3]> {
    let mut parts = [0; 3];
    for (part, text) in parts.iter_mut().zip(version.trim_start_matches('v').split('.')) {
        let digits = text.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
        *part = digits.parse().map_err(|_| Error::message(format!("`{version}` is not a version")))?;
    }
    Ok(parts)
}
