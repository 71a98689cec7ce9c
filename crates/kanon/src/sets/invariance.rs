//! m-invariance: releases of a table that changes, none of which says more about a person than the
//! first (Xiao and Tao 2007, <https://doi.org/10.1145/1247480.1247556>).

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use privacy_core::random::{RandomBuffer, SecureRng};

use crate::error::{Error, Result};
use crate::random::shuffle;

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

/// The next release of a sequence, in classes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub struct Republished {
    /// The classes. In each the counterfeits stand at the end: shuffle the values before they leave.
    pub buckets: Vec<Bucket>,
    /// Rows that stand for nobody. Their number is to be published with the release.
    pub counterfeits: u64,
}

/// Divides the people of a new release into classes, so that with the releases before it is
/// m-invariant.
///
/// Whoever was released before stays with the set of values of that class; where somebody has left,
/// a newcomer with the value takes the place, or a counterfeit. The other newcomers make classes of
/// their own with at least m values. Classes are filled in the order of `people`: if neighbours there
/// are alike, the classes generalize little.
///
/// # Privacy
///
/// Nobody's value can be told with more than 1/m from all releases together, by somebody who knows
/// who is in which release and no values (Xiao and Tao), as long as values of people do not
/// change.
///
/// # Errors
///
/// [`Error::Parameter`] if the history is not m-invariant, if somebody is listed twice or with
/// another value than before, or if there are fewer than m values in all;
/// [`Error::Entropy`] if the random source fails.
///
/// # Example
///
/// ```
/// use kanon::sets::{check_invariance, republish};
/// use privacy_core::random::SystemRng;
///
/// let people = |all: &[(u64, &str)]| all.iter().map(|&(p, v)| (p, v.to_owned())).collect::<Vec<_>>();
/// let mut random = SystemRng::new()?;
/// let first = people(&[(1, "flu"), (2, "cold"), (3, "flu"), (4, "asthma")]);
/// let first = republish(&[], &first, 2, &mut random)?;
/// // Two leave, one comes.
/// let second = people(&[(1, "flu"), (4, "asthma"), (5, "cold")]);
/// let second = republish(&[first.buckets.clone()], &second, 2, &mut random)?;
/// assert!(check_invariance(&[first.buckets, second.buckets], 2).is_ok());
/// # Ok::<(), kanon::Error>(())
/// ```
pub fn republish(
    history: &[Vec<Bucket>],
    people: &[(u64, String)],
    m: usize,
    rng: &mut dyn SecureRng,
) -> Result<Republished> {
    let refuse = |parameter, requirement| Err(Error::Parameter { parameter, requirement });
    if m == 0 || check_invariance(history, m).is_err() {
        return refuse("the earlier releases", "m-invariant for an m of at least 1");
    }
    let earlier = history.iter().flatten();
    let values: BTreeSet<&str> = (people.iter().map(|(_, value)| value.as_str()))
        .chain(earlier.clone().flat_map(|bucket| bucket.values.iter().map(String::as_str)))
        .collect();
    if !people.is_empty() && values.len() < m {
        return refuse("the sensitive column", "of at least m different values");
    }
    let signature = |bucket: &Bucket| bucket.values.iter().cloned().collect::<BTreeSet<String>>();
    let mut known: BTreeMap<u64, (&str, BTreeSet<String>)> = BTreeMap::new();
    for bucket in earlier {
        let rows = bucket.people.iter().zip(&bucket.values);
        known.extend(rows.map(|(&person, value)| (person, (value.as_str(), signature(bucket)))));
    }
    let mut stay: BTreeMap<&BTreeSet<String>, Waiting<'_>> = BTreeMap::new();
    let mut come = Waiting::default();
    let mut seen = BTreeSet::new();
    for (person, value) in people {
        if !seen.insert(person) {
            return refuse("the people of a release", "listed once each");
        }
        match known.get(person) {
            Some((before, signature)) if before == value => {
                stay.entry(signature).or_default().push(value, *person);
            }
            Some(_) => return refuse("the value of a person", "the same in all releases"),
            None => come.push(value, *person),
        }
    }
    let mut random = RandomBuffer::new(rng);
    let mut made = Republished { buckets: Vec::new(), counterfeits: 0 };
    for (signature, mut group) in stay {
        let count = group.most();
        for value in signature {
            while group.count(value) < count
                && let Some(person) = come.spare(value, m)
            {
                group.push(value, person);
            }
        }
        for _ in 0..count {
            let rows: Vec<_> =
                signature.iter().map(|value| (value.as_str(), group.take(value))).collect();
            made.push(rows);
        }
    }
    let first_new = made.buckets.len();
    while let Some(chosen) = come.most_frequent(m, &mut random)? {
        made.push(chosen.into_iter().map(|value| (value, come.take(value))).collect());
    }
    for (value, person) in come.rest() {
        // The values of a class of newcomers may still grow.
        let without = |bucket: &usize| made.buckets[*bucket].values.iter().all(|v| v != value);
        let mut fitting: Vec<usize> = (first_new..made.buckets.len()).filter(without).collect();
        shuffle(&mut fitting, &mut random)?;
        if let Some(&place) = fitting.first() {
            let bucket = &mut made.buckets[place];
            let at = bucket.people.len();
            bucket.people.push(person);
            bucket.values.insert(at, value.to_owned());
            continue;
        }
        let mut others: Vec<&str> = values.iter().copied().filter(|v| *v != value).collect();
        shuffle(&mut others, &mut random)?;
        let invented = others.into_iter().take(m - 1).map(|other| (other, None));
        made.push([(value, Some(person))].into_iter().chain(invented).collect());
    }
    Ok(made)
}

impl Republished {
    /// A class of these rows; those of nobody are counterfeits.
    fn push(&mut self, mut rows: Vec<(&str, Option<u64>)>) {
        rows.sort_by_key(|(_, person)| person.is_none());
        self.counterfeits += rows.iter().filter(|(_, person)| person.is_none()).count() as u64;
        self.buckets.push(Bucket {
            people: rows.iter().filter_map(|(_, person)| *person).collect(),
            values: rows.iter().map(|(value, _)| (*value).to_owned()).collect(),
        });
    }
}

/// People without a class yet, by value, in their order.
#[derive(Default)]
struct Waiting<'a> {
    of: BTreeMap<&'a str, VecDeque<u64>>,
    total: usize,
}

impl<'a> Waiting<'a> {
    fn push(&mut self, value: &'a str, person: u64) {
        self.of.entry(value).or_default().push_back(person);
        self.total += 1;
    }

    fn count(&self, value: &str) -> usize {
        self.of.get(value).map_or(0, VecDeque::len)
    }

    fn most(&self) -> usize {
        self.of.values().map(VecDeque::len).max().unwrap_or(0)
    }

    fn take(&mut self, value: &str) -> Option<u64> {
        let person = self.of.get_mut(value)?.pop_front()?;
        self.total -= 1;
        Some(person)
    }

    /// One with this value, if the others can still be divided into classes of m values: no value may
    /// be that of more than one in m.
    fn spare(&mut self, value: &str, m: usize) -> Option<u64> {
        let others = self.of.iter().filter(|(other, _)| **other != value);
        let most_other = others.map(|(_, people)| people.len()).max().unwrap_or(0);
        let divides = most_other.saturating_mul(m) < self.total;
        if divides || self.count(value) > most_other { self.take(value) } else { None }
    }

    /// The m values that most people wait with, ties by chance; `None` if there are fewer.
    fn most_frequent(
        &self,
        m: usize,
        random: &mut RandomBuffer<'_>,
    ) -> Result<Option<Vec<&'a str>>> {
        let waiting = self.of.iter().filter(|(_, people)| !people.is_empty());
        let mut values: Vec<(usize, &'a str)> =
            waiting.map(|(&value, people)| (people.len(), value)).collect();
        if values.len() < m {
            return Ok(None);
        }
        shuffle(&mut values, random)?;
        values.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
        Ok(Some(values.into_iter().take(m).map(|(_, value)| value).collect()))
    }

    fn rest(self) -> impl Iterator<Item = (&'a str, u64)> {
        self.of.into_iter().flat_map(|(value, people)| people.into_iter().map(move |p| (value, p)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
