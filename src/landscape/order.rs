//! The order of components: who waits for whom, providers first, names breaking ties; and cycles as paths.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Who waits for whom: name to the names it waits for.
pub(super) type Edges = BTreeMap<String, BTreeSet<String>>;

/// All names of `edges`, each after those it waits for, the alphabet deciding where they don't. Names on a
/// cycle and behind one come last.
pub(super) fn sort(edges: &Edges) -> Vec<String> {
    let mut sorted: Vec<String> = Vec::new();
    let mut left: BTreeMap<&str, BTreeSet<&str>> = edges
        .iter()
        .map(|(name, after)| {
            let known = after.iter().filter(|a| edges.contains_key(*a)).map(String::as_str);
            (name.as_str(), known.collect())
        })
        .collect();
    while let Some(next) = left.iter().find(|(_, after)| after.is_empty()).map(|(name, _)| *name) {
        left.remove(next);
        for after in left.values_mut() {
            after.remove(next);
        }
        sorted.push(next.to_owned());
    }
    sorted.extend(left.into_keys().map(str::to_owned));
    sorted
}

/// The cycles, each as a path without its end repeated (`a`, `b` for `a → b → a`), the shortest through its
/// first name; enough of them that every name on a cycle is named.
pub(super) fn cycles(edges: &Edges) -> Vec<Vec<String>> {
    let mut named: BTreeSet<String> = BTreeSet::new();
    let mut found = Vec::new();
    for name in edges.keys() {
        if named.contains(name) {
            continue;
        }
        if let Some(cycle) = shortest(edges, name) {
            named.extend(cycle.iter().cloned());
            found.push(cycle);
        }
    }
    found
}

/// The shortest way from `start` back to it.
fn shortest(edges: &Edges, start: &str) -> Option<Vec<String>> {
    let mut queue = VecDeque::from([start.to_owned()]);
    let mut from: BTreeMap<String, String> = BTreeMap::new();
    while let Some(name) = queue.pop_front() {
        for next in edges.get(&name).into_iter().flatten() {
            if next == start {
                let mut path = vec![name.clone()];
                while let Some(before) = path.last().and_then(|last| from.get(last)) {
                    path.push(before.clone());
                }
                path.reverse();
                return Some(path);
            }
            if !from.contains_key(next) {
                from.insert(next.clone(), name.clone());
                queue.push_back(next.clone());
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn edges(text: &str) -> Edges {
        let mut edges = Edges::new();
        for (from, to) in text.split_whitespace().filter_map(|edge| edge.split_once('>')) {
            edges.entry(from.into()).or_default().extend((!to.is_empty()).then(|| to.to_owned()));
            if !to.is_empty() {
                edges.entry(to.into()).or_default();
            }
        }
        edges
    }

    #[test]
    fn providers_come_first_then_names() {
        assert_eq!(sort(&edges("a>c b> c>d d>")).join(""), "bdca");
    }

    #[test]
    fn cycles_are_paths() {
        let shown = |text: &str| cycles(&edges(text)).iter().map(|c| c.join("")).collect::<Vec<_>>();
        assert_eq!(shown("a>b b>c c>a x>a"), ["abc"]);
        assert_eq!(shown("a>a b>"), ["a"]);
        assert_eq!(shown("a>b b>c c>b"), ["bc"]);
        assert_eq!(shown("a>b b>a c>d d>c"), ["ab", "cd"]);
        assert_eq!(shown("a>b b>c a>c"), [""; 0]);
    }

    proptest! {
        #[test]
        fn without_cycles_everything_comes_after_what_it_waits_for(
            pairs in prop::collection::vec((0..8u8, 0..8u8), 0..20)
        ) {
            let mut edges = Edges::new();
            for (a, b) in pairs {
                // Only towards smaller numbers: no cycle.
                let (low, high) = (a.min(b), a.max(b));
                edges.entry(low.to_string()).or_default();
                if low != high {
                    edges.entry(high.to_string()).or_default().insert(low.to_string());
                }
            }
            prop_assert!(cycles(&edges).is_empty());
            let sorted = sort(&edges);
            prop_assert_eq!(sorted.len(), edges.len());
            for (name, after) in &edges {
                let at = |n: &String| sorted.iter().position(|s| s == n);
                prop_assert!(after.iter().all(|a| at(a) < at(name)));
            }
        }
    }
}
