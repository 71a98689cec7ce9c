//! Set-valued data: k^m-anonymity (Terrovitis et al. 2008), and m-invariance across releases (Xiao,
//! Tao 2007).

use std::collections::{BTreeMap, BTreeSet};

use crate::error::{Error, Result};

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

/// A class of one release: who is in it (by an internal number) and with which sensitive values.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Bucket {
    /// The people, by numbers that stay the same across releases.
    pub people: Vec<u64>,
    /// The sensitive value of each, in the same order; counterfeits may stand at the end.
    pub values: Vec<String>,
}

/// Why a sequence of releases is not m-invariant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvarianceFault {
    /// A class has fewer than m values, or one twice.
    #[error("a class of release {release} does not have m rows with different values")]
    NotUnique {
        /// The release, counted from 0.
        release: usize,
    },
    /// Someone's classes have different sets of values.
    #[error("someone's classes in releases {earlier} and {later} have different sets of values")]
    Changed {
        /// The earlier release, counted from 0.
        earlier: usize,
        /// The later one.
        later: usize,
    },
}

/// Whether releases, oldest first, are m-invariant: each class has at least m rows with different
/// values, and everybody's classes have the same set of values as long as they are there.
///
/// # Errors
///
/// The first fault.
pub fn check_invariance(releases: &[Vec<Bucket>], m: usize) -> Result<(), InvarianceFault> {
    let mut signatures: BTreeMap<u64, (usize, BTreeSet<&str>)> = BTreeMap::new();
    for (release, buckets) in releases.iter().enumerate() {
        for bucket in buckets {
            let signature: BTreeSet<&str> = bucket.values.iter().map(String::as_str).collect();
            let short = signature.len() < m || signature.len() != bucket.values.len();
            if short || bucket.people.len() > bucket.values.len() {
                return Err(InvarianceFault::NotUnique { release });
            }
            for &person in &bucket.people {
                match signatures.get(&person) {
                    Some((earlier, before)) if *before != signature => {
                        return Err(InvarianceFault::Changed { earlier: *earlier, later: release });
                    }
                    _ => signatures.insert(person, (release, signature.clone())),
                };
            }
        }
    }
    Ok(())
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

    #[test]
    fn invariance_is_about_the_values_a_person_is_seen_with() {
        let bucket = |people: &[u64], values: &[&str]| Bucket {
            people: people.to_vec(),
            values: values.iter().map(|&v| v.to_owned()).collect(),
        };
        let first = vec![bucket(&[1, 2], &["flu", "cold"])];
        assert!(check_invariance(&[first.clone(), first.clone()], 2).is_ok());
        // Person 2 left; a counterfeit keeps the signature.
        let kept = vec![bucket(&[1], &["flu", "cold"])];
        assert!(check_invariance(&[first.clone(), kept], 2).is_ok());
        let changed = vec![bucket(&[1, 3], &["flu", "asthma"])];
        let fault = check_invariance(&[first, changed], 2).unwrap_err();
        assert_eq!(fault, InvarianceFault::Changed { earlier: 0, later: 1 });
        let same = vec![bucket(&[1, 2], &["flu", "flu"])];
        assert_eq!(check_invariance(&[same], 2), Err(InvarianceFault::NotUnique { release: 0 }));
    }
}
