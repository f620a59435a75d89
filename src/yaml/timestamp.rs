//! Which texts are timestamps to go-yaml v2.
//!
//! A timestamp stays a string when it is read, but a string that looks like one is quoted when it is written. The
//! rules are those of go-yaml's `resolve.go` (four layouts) and of Go's `time.Parse`, which takes one or two digits
//! for every part but the year, any fraction of a second, and refuses dates that do not exist.

/// Whether `text` is one of: a date; date and time after `T` or `t` with a zone; date and time after spaces.
pub(super) fn is_timestamp(text: &str) -> bool {
    let bytes = text.as_bytes();
    if bytes.len() < 5 || !bytes[..4].iter().all(u8::is_ascii_digit) || bytes[4] != b'-' {
        return false;
    }
    let Some(rest) = date(text) else { return false };
    match rest.as_bytes().first() {
        None => true,
        Some(b'T' | b't') => time(&rest[1..]).is_some_and(zone),
        Some(b' ') => time(rest.trim_start_matches(' ')).is_some_and(str::is_empty),
        Some(_) => false,
    }
}

/// Takes one or two digits.
fn number(text: &str) -> Option<(u32, &str)> {
    let digits = text.bytes().take(2).take_while(u8::is_ascii_digit).count();
    Some((text[..digits].parse().ok()?, &text[digits..]))
}

/// Takes a date that exists; returns what follows.
fn date(text: &str) -> Option<&str> {
    let year: u32 = text[..4].parse().ok()?;
    let (month, rest) = number(&text[5..])?;
    let (day, rest) = number(rest.strip_prefix('-')?)?;
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return None,
    };
    (1..=days).contains(&day).then_some(rest)
}

/// Takes hour, minute, second and an optional fraction; returns what follows.
fn time(text: &str) -> Option<&str> {
    let (hour, rest) = number(text)?;
    let (minute, rest) = number(rest.strip_prefix(':')?)?;
    let (second, rest) = number(rest.strip_prefix(':')?)?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let fraction =
        rest.strip_prefix(['.', ',']).map(|r| (r, r.trim_start_matches(|c: char| c.is_ascii_digit())));
    Some(match fraction {
        Some((digits, after)) if after.len() < digits.len() => after,
        _ => rest,
    })
}

/// Whether `text` is `Z` or an offset such as `+01:00`. Go takes hours to 24 and minutes to 60.
fn zone(text: &str) -> bool {
    match text.as_bytes() {
        [b'Z'] => true,
        [b'+' | b'-', h1, h2, b':', m1, m2] if [h1, h2, m1, m2].iter().all(|d| d.is_ascii_digit()) => {
            (h1 - b'0') * 10 + (h2 - b'0') <= 24 && (m1 - b'0') * 10 + (m2 - b'0') <= 60
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_timestamp;

    #[test]
    fn dates_and_times_as_go_parses_them() {
        for yes in [
            "2001-01-01",
            "2001-1-1",
            "2000-02-29",
            "2001-01-01T1:2:3Z",
            "2001-01-01t01:02:03.5+01:00",
            "2001-01-01  01:02:03,25",
            "2001-01-01T01:02:03+24:60",
        ] {
            assert!(is_timestamp(yes), "{yes}");
        }
        for no in [
            "2001",
            "2001-",
            "2001-13-01",
            "2001-02-29",
            "2001-01-01T",
            "2001-01-01T01:02:03",
            "2001-01-01 01:02:03Z",
            "2001-01-01T24:00:00Z",
            "2001-01-01T01:02:03.Z",
            "2001-01-01x",
            "2001-01-01T01:02:03+1:00",
        ] {
            assert!(!is_timestamp(no), "{no}");
        }
    }
}
