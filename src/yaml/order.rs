//! The order in which go-yaml v2 writes the keys of a map.
//!
//! Runs of digits count by value (`a2` before `a10`), letters come after everything else, and letters among
//! themselves by code point.

use unicode_general_category::{GeneralCategory, get_general_category};

/// Sorts by key. Go's comparison goes round in circles for some keys (`a2`, `a11`, `a1x`), where Go's result changes
/// from run to run and Rust's own sort may panic. A merge sort takes it as it comes; as it begins with the keys in
/// order of their bytes, its result depends on the keys alone.
pub(super) fn sort<T: Copy>(mut entries: Vec<(&str, T)>) -> Vec<(&str, T)> {
    entries.sort_unstable_by_key(|(key, _)| *key);
    merge_sort(entries)
}

fn merge_sort<T: Copy>(entries: Vec<(&str, T)>) -> Vec<(&str, T)> {
    if entries.len() < 2 {
        return entries;
    }
    let right = merge_sort(entries[entries.len() / 2..].to_vec());
    let left = merge_sort(entries[..entries.len() / 2].to_vec());
    let mut sorted = Vec::with_capacity(entries.len());
    let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
    while let (Some(l), Some(r)) = (left.peek(), right.peek()) {
        let next = if less(r.0, l.0) { right.next() } else { left.next() };
        sorted.extend(next);
    }
    sorted.extend(left);
    sorted.extend(right);
    sorted
}

fn less(a: &str, b: &str) -> bool {
    let same = a.chars().zip(b.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum();
    let (common, a_rest) = a.split_at(same);
    let b_rest = &b[same..];
    let (Some(x), Some(y)) = (a_rest.chars().next(), b_rest.chars().next()) else {
        return a_rest.len() < b_rest.len();
    };
    match (is_letter(x), is_letter(y)) {
        (true, true) => return x < y,
        (true, false) | (false, true) => return is_letter(y),
        (false, false) => {}
    }
    // A zero that differs within a number continues it: 1 stands for the digits before.
    let within =
        (x == '0' || y == '0') && common.chars().rev().take_while(|c| is_digit(*c)).any(|c| c != '0');
    let start = i64::from(within);
    let (a_number, a_length) = digits(a_rest, start);
    let (b_number, b_length) = digits(b_rest, start);
    if a_number != b_number {
        a_number < b_number
    } else if a_length != b_length {
        a_length < b_length
    } else {
        x < y
    }
}

/// The value of the digits that `text` begins with, after `start`, and how many they are. Overflows as Go does.
fn digits(text: &str, start: i64) -> (i64, usize) {
    text.chars().take_while(|c| is_digit(*c)).fold((start, 0), |(number, length), c| {
        (number.wrapping_mul(10).wrapping_add(i64::from(u32::from(c)) - i64::from(b'0')), length + 1)
    })
}

/// Go's `unicode.IsDigit`.
fn is_digit(c: char) -> bool {
    if c.is_ascii() { c.is_ascii_digit() } else { get_general_category(c) == GeneralCategory::DecimalNumber }
}

/// Go's `unicode.IsLetter`.
fn is_letter(c: char) -> bool {
    use GeneralCategory::{LowercaseLetter, ModifierLetter, OtherLetter, TitlecaseLetter, UppercaseLetter};
    if c.is_ascii() {
        return c.is_ascii_alphabetic();
    }
    let letters = [UppercaseLetter, LowercaseLetter, TitlecaseLetter, ModifierLetter, OtherLetter];
    letters.contains(&get_general_category(c))
}

#[cfg(test)]
mod tests {
    use super::sort;

    #[test]
    fn natural_order() {
        let expected = [
            "-", "1", "2", "10", "A", "B", "a", "a-b", "a.", "a1", "a01", "a2", "a10", "a12", "a100", "ab",
            "b", "æ",
        ];
        let mut shuffled: Vec<_> = expected.iter().rev().map(|k| (*k, ())).collect();
        shuffled.swap(1, 9);
        assert_eq!(sort(shuffled).iter().map(|(k, ())| *k).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn circles_have_one_result() {
        let orders = [["a2", "a11", "a1x"], ["a11", "a1x", "a2"], ["a1x", "a2", "a11"]];
        let sorted = orders.map(|keys| sort(keys.map(|k| (k, ())).to_vec()));
        assert!(sorted.iter().all(|s| *s == sorted[0]), "{sorted:?}");
    }
}
