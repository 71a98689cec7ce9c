//! Set-valued data: k^m-anonymity (Terrovitis et al. 2008), and m-invariance across releases (Xiao,
//! Tao 2007).

use std::collections::{BTreeMap, BTreeSet};

use crate::error::{Error, Result};

mod invariance;

pub use invariance::{Bucket, InvarianceFault, Republished, check_invariance, republish};

/// Item sets generalized so that every set of at most m items that occurs, occurs k times.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct KmRelease {
    /// The generalized records, in the order of the input.
    pub records: Vec<BTreeSet<String>>,
    /// For each item what it became; `None` if it was suppressed.
    pub mapping: BTreeMap<String, Option<String>>,
}

/// The first set of at most m items that occurs in fewer than k records, if there is one.
#[must_use]
pub fn km_violation<S: AsRef<str> + Ord>(
    records: &[BTreeSet<S>],
    k: u64,
    m: usize,
) -> Option<Vec<String>> {
    for size in 1..=m {
        let mut counts: BTreeMap<Vec<&str>, u64> = BTreeMap::new();
        for record in records {
            let items: Vec<&str> = record.iter().map(AsRef::as_ref).collect();
            subsets(&items, size, &mut |set| *counts.entry(set.to_vec()).or_insert(0) += 1);
        }
        if let Some((set, _)) = counts.into_iter().find(|(_, count)| *count < k) {
            return Some(set.into_iter().map(str::to_owned).collect());
        }
    }
    None
}

fn subsets<'a>(items: &[&'a str], size: usize, visit: &mut impl FnMut(&[&'a str])) {
    fn grow<'a>(
        items: &[&'a str],
        size: usize,
        from: usize,
        set: &mut Vec<&'a str>,
        visit: &mut impl FnMut(&[&'a str]),
    ) {
        if set.len() == size {
            return visit(set);
        }
        for i in from..items.len() {
            set.push(items[i]);
            grow(items, size, i + 1, set, visit);
            set.pop();
        }
    }
    grow(items, size, 0, &mut Vec::new(), visit);
}

/// Makes records k^m-anonymous by raising items in a hierarchy given as rows from the item to its
/// most general group, and by suppressing what cannot be raised further.
///
/// For sizes 1 to m the rarest violating set is repaired by raising its item of fewest
/// occurrences (with all its siblings, so that records stay comparable) until nothing is violated.
///
/// # Errors
///
/// [`Error::Parameter`] for k or m of 0; [`Error::Uncovered`] for an item that the hierarchy does
/// not list.
pub fn km_anonymize(
    records: &[BTreeSet<String>],
    hierarchy: &[Vec<String>],
    k: u64,
    m: usize,
) -> Result<KmRelease> {
    if k == 0 || m == 0 {
        return Err(Error::Parameter { parameter: "k and m", requirement: "at least 1" });
    }
    let chains: BTreeMap<&str, &Vec<String>> =
        hierarchy.iter().filter_map(|row| Some((row.first()?.as_str(), row))).collect();
    let mut level: BTreeMap<&str, usize> = BTreeMap::new();
    for (row, record) in records.iter().enumerate() {
        for item in record {
            if !chains.contains_key(item.as_str()) {
                return Err(Error::Uncovered {
                    column: "items".into(),
                    row: row as u64 + 1,
                    value: crate::error::DataValue::new(item),
                });
            }
            level.insert(item, 0);
        }
    }
    let now = |level: &BTreeMap<&str, usize>, item: &str| -> Option<String> {
        chains.get(item).and_then(|chain| chain.get(*level.get(item)?)).cloned()
    };
    loop {
        let generalized: Vec<BTreeSet<String>> = records
            .iter()
            .map(|record| record.iter().filter_map(|item| now(&level, item)).collect())
            .collect();
        let Some(set) = km_violation(&generalized, k, m) else {
            let mapping = level.keys().map(|&item| (item.to_owned(), now(&level, item))).collect();
            return Ok(KmRelease { records: generalized, mapping });
        };
        let count =
            |group: &String| generalized.iter().filter(|record| record.contains(group)).count();
        let Some(rarest) = set.iter().min_by_key(|group| count(group)) else { continue };
        let parent = level.keys().find_map(|&item| {
            (now(&level, item).as_ref() == Some(rarest))
                .then(|| chains.get(item).and_then(|chain| chain.get(level[item] + 1)).cloned())
        });
        match parent.flatten() {
            // All that lies below the parent is raised to it: the result stays a cut of the tree.
            Some(parent) => {
                let members: Vec<&str> = level.keys().copied().collect();
                for item in members {
                    let place =
                        chains.get(item).and_then(|chain| chain.iter().position(|g| *g == parent));
                    if let (Some(place), Some(at)) = (place, level.get_mut(item)) {
                        *at = (*at).max(place);
                    }
                }
            }
            None => {
                let gone: Vec<&str> = level
                    .keys()
                    .copied()
                    .filter(|item| now(&level, item).as_ref() == Some(rarest))
                    .collect();
                for item in gone {
                    level.insert(item, usize::MAX);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(text: &[&[&str]]) -> Vec<BTreeSet<String>> {
        text.iter().map(|r| r.iter().map(|&i| i.to_owned()).collect()).collect()
    }

    #[test]
    fn sets_are_raised_until_each_combination_is_common() {
        let rows = ["a1 A *", "a2 A *", "b1 B *", "b2 B *"];
        let hierarchy: Vec<Vec<String>> =
            rows.iter().map(|r| r.split(' ').map(str::to_owned).collect()).collect();
        let data = records(&[
            &["a1", "b1", "b2"],
            &["a2", "b1"],
            &["a2", "b1", "b2"],
            &["a1", "a2", "b2"],
        ]);
        for (k, m) in [(2, 1), (2, 2), (3, 2), (4, 3), (5, 2)] {
            let release = km_anonymize(&data, &hierarchy, k, m).unwrap();
            assert_eq!(km_violation(&release.records, k, m), None, "{k} {m}");
        }
        assert!(km_violation(&data, 2, 2).is_some());
        assert!(matches!(
            km_anonymize(&records(&[&["x"]]), &hierarchy, 2, 2),
            Err(Error::Uncovered { row: 1, .. })
        ));
    }
}
