//! Attacks on a released table, run by its holder: singling out, linkage, inference.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

mod refine;

use crate::dataset::Dataset;
use crate::error::Result;
use crate::hierarchy::range;
use crate::risk::Classes;
use crate::table::{Table, Value};

pub use refine::{Refined, refine};

/// The three questions of the Article 29 Working Party's opinion 05/2014, answered by attacks.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Answers {
    /// The share of rows alone in their class.
    pub singled_out: f64,
    /// The expected share of right links by someone who knows all quasi-identifiers, given that
    /// they know who is in the table.
    pub linked: f64,
    /// The share of rows whose class has one sensitive value only (the worst column).
    pub inferred: f64,
    /// The largest gain in certainty about a sensitive value over its frequency in the table.
    pub skewed: f64,
}

/// Runs the attacks on a released table.
///
/// # Errors
///
/// [`Error::UnknownColumn`](crate::Error::UnknownColumn).
pub fn answer(table: &Table, quasi: &[&str], sensitive: &[&str]) -> Result<Answers> {
    let classes = Classes::of(table, quasi)?;
    let n = table.rows().max(1) as f64;
    let (mut inferred, mut skewed) = (0.0f64, 0.0f64);
    for &name in sensitive {
        let column = table.column(name)?;
        let totals = column.counts();
        let mut seen: BTreeMap<(u32, u32), u64> = BTreeMap::new();
        column.codes().for_each(0..table.rows(), |row, value| {
            *seen.entry((classes.of_rows()[row], value)).or_insert(0) += 1;
        });
        let mut sure = 0u64;
        for (&(class, value), &count) in &seen {
            let size = classes.sizes()[class as usize];
            sure += if count == size { count } else { 0 };
            let gain = count as f64 / size as f64 - totals[value as usize] as f64 / n;
            skewed = skewed.max(gain);
        }
        inferred = inferred.max(sure as f64 / n);
    }
    Ok(Answers {
        singled_out: classes.sample_uniqueness(),
        linked: classes.count() as f64 / n,
        inferred,
        skewed,
    })
}

/// What someone with a table of known people learns from two releases about overlapping people:
/// the share of those people for whom only one sensitive value is possible (intersection attack;
/// Ganta et al. 2008, <https://arxiv.org/abs/0803.0032>).
///
/// `candidates` gives, for each person and each release, the class that the person must be in as
/// the sensitive values of that class.
#[must_use]
pub fn intersection(candidates: &[Vec<BTreeSet<Value>>]) -> f64 {
    let known = |releases: &&Vec<BTreeSet<Value>>| {
        let mut sets = releases.iter();
        let Some(first) = sets.next() else { return false };
        let common = sets.fold(first.clone(), |all, set| &all & set);
        common.len() == 1
    };
    let broken = candidates.iter().filter(known).count();
    broken as f64 / candidates.len().max(1) as f64
}

/// A table that was or will be handed out, with an internal number for the person of each row.
#[derive(Clone, Copy, Debug)]
pub struct Published<'a> {
    /// The table.
    pub table: &'a Table,
    /// For each row the person, by a number that stays the same across tables.
    pub people: &'a [u64],
}

/// Checks releases against each other: for each person the sensitive values that all classes they
/// were in have in common; the size of the smallest such set, 0 without anybody.
///
/// A 1 means that someone who knows of a person that they are in these releases learns their value.
///
/// # Errors
///
/// [`Error::UnknownColumn`](crate::Error::UnknownColumn), or [`Error::Ragged`](crate::Error::Ragged)
/// for other than one person a row.
pub fn weakest_intersection(
    releases: &[Published<'_>],
    quasi: &[&str],
    sensitive: &str,
) -> Result<u64> {
    let mut common: BTreeMap<u64, BTreeSet<Value>> = BTreeMap::new();
    for release in releases {
        let (expected, found) = (release.table.rows() as u64, release.people.len() as u64);
        if expected != found {
            return Err(crate::Error::Ragged { line: 0, expected, found });
        }
        let classes = Classes::of(release.table, quasi)?;
        let column = release.table.column(sensitive)?;
        let mut values: Vec<BTreeSet<Value>> = vec![BTreeSet::new(); classes.count()];
        for (row, &class) in classes.of_rows().iter().enumerate() {
            values[class as usize].insert(column.at(row).clone());
        }
        for (&person, &class) in release.people.iter().zip(classes.of_rows()) {
            let seen = &values[class as usize];
            let left = common.get(&person).map_or_else(|| seen.clone(), |known| known & seen);
            common.insert(person, left);
        }
    }
    Ok(common.values().map(|set| set.len() as u64).min().unwrap_or(0))
}

/// How many of e1's k rows are left after the forward crack of Fung et al. (2008) for a release R1
/// of T1 and R2 of T1 ∪ T2, with compatible classes e1 and e2 and the counts of one sensitive value
/// in each: those of its rows that cannot be matched are removed. The cross and backward cracks of
/// the same paper, which may leave fewer, are not counted.
#[must_use]
pub fn uncracked(rows: u64, in_first: u64, in_second: u64) -> u64 {
    rows - (in_first - in_first.min(in_second)).min(rows)
}

/// Linkage with what an adversary knows of people: for each row of `known` how many rows of the release
/// it could be, by the named columns. A released cell fits a known value if it is that value, a group
/// of it in the column's hierarchy, a range around it, suppressed or `*`.
///
/// Columns without a hierarchy fit if they are equal. A 1 is a person found; a 0 is one who is not in
/// the table, or was suppressed.
///
/// # Errors
///
/// [`Error::UnknownColumn`](crate::Error::UnknownColumn), or
/// [`Error::Uncovered`](crate::Error::Uncovered) for a known value outside the hierarchy.
pub fn link(data: &Dataset, release: &Table, known: &Table, columns: &[&str]) -> Result<Vec<u64>> {
    // For each column and entry of the adversary's dictionary the entries of the release's that fit.
    let mut fits: Vec<Vec<Vec<bool>>> = Vec::new();
    let mut places = Vec::new();
    for &name in columns {
        let (ours, theirs) = (release.column(name)?, known.column(name)?);
        let place = data.table().position(name)?;
        let levels =
            data.levels(place).map(|_| data.population_levels(place, theirs)).transpose()?;
        let numbers = theirs.numbers();
        let fit = |entry: usize, cell: &Value| {
            let open = *cell == Value::Suppressed || cell.text() == Some("*");
            let grouped = levels.as_ref().is_some_and(|levels| {
                (0..levels.count()).any(|level| levels.label(level, entry as u32) == cell)
            });
            let around = || {
                let (low, high) = range(cell.text()?)?;
                numbers[entry].map(|x| low <= x && x <= high)
            };
            open || grouped || theirs.dictionary()[entry] == *cell || around() == Some(true)
        };
        let entries = 0..theirs.dictionary().len();
        let row = |entry| ours.dictionary().iter().map(|cell| fit(entry, cell)).collect();
        fits.push(entries.map(row).collect());
        places.push((release.position(name)?, known.position(name)?));
    }
    let codes = |table: &Table, place: usize, row: usize| table.columns()[place].codes().get(row);
    let mut classes: BTreeMap<Vec<u32>, u64> = BTreeMap::new();
    for row in 0..release.rows() {
        let key = places.iter().map(|&(place, _)| codes(release, place, row)).collect();
        *classes.entry(key).or_insert(0) += 1;
    }
    // People who are known to be alike are looked for once.
    let mut answers: BTreeMap<Vec<u32>, u64> = BTreeMap::new();
    let mut matches = |row: usize| {
        let person: Vec<u32> = places.iter().map(|&(_, p)| codes(known, p, row)).collect();
        *answers.entry(person).or_insert_with_key(|person| {
            let fit = |key: &[u32]| {
                let cells = key.iter().zip(person).zip(&fits);
                cells.into_iter().all(|((&c, &v), fits)| fits[v as usize][c as usize])
            };
            classes.iter().filter(|(key, _)| fit(key)).map(|(_, count)| count).sum()
        })
    };
    Ok((0..known.rows()).map(&mut matches).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn homogeneity_and_skew_are_found() {
        let text = "q,s\n1,flu\n1,flu\n2,flu\n2,cold\n";
        let table = crate::table::CsvOptions::new().read(text.as_bytes()).unwrap();
        let answers = answer(&table, &["q"], &["s"]).unwrap();
        assert_eq!((answers.singled_out, answers.linked, answers.inferred), (0.0, 0.5, 0.5));
        assert_eq!(answers.skewed, 0.25);
        let roles = crate::Roles::new().quasi("q", crate::Hierarchy::suppress()).sensitive("s");
        let data = roles.bind(&table).unwrap();
        let counts = link(&data, &table, &table, &["q"]).unwrap();
        assert_eq!(counts, [2, 2, 2, 2]);
    }

    #[test]
    fn people_are_looked_for_behind_groups_and_ranges() {
        use crate::prelude::*;
        let read = |text: &str| CsvOptions::new().read(text.as_bytes()).unwrap();
        let table = read("age,zip\n31,8001\n34,8002\n52,8001\n55,9005\n");
        let roles = Roles::new()
            .quasi("age", Intervals::new(0, 100).widths([10]))
            .quasi("zip", Masking::new().length(4).domain(10_000));
        let data = roles.bind(&table).unwrap();
        let release = read("age,zip\n30-39,800*\n30-39,800*\n>=50,8001\n*,9***\n");
        let known = read("age,zip\n31,8002\n52,8001\n55,9005\n70,7000\n");
        assert_eq!(link(&data, &release, &known, &["age", "zip"]).unwrap(), [2, 1, 1, 0]);
        assert_eq!(link(&data, &release, &known, &["age"]).unwrap(), [3, 2, 2, 2]);
        assert!(link(&data, &release, &known, &["name"]).is_err());
    }

    #[test]
    fn two_releases_intersect() {
        let set = |values: &[&str]| values.iter().map(|&v| Value::from(v)).collect();
        let people = [
            vec![set(&["flu", "cold"]), set(&["flu", "asthma"])],
            vec![set(&["flu", "cold"]), set(&["flu", "cold"])],
        ];
        assert_eq!(intersection(&people), 0.5);
        let read = |text: &str| crate::table::CsvOptions::new().read(text.as_bytes()).unwrap();
        let (one, two) = (read("q,s\na,flu\na,cold\n"), read("q,s\nb,flu\nb,asthma\n"));
        let published = |table, people| Published { table, people };
        let weakest = |releases: &[Published<'_>]| weakest_intersection(releases, &["q"], "s");
        assert_eq!(weakest(&[published(&one, &[1, 2])]).unwrap(), 2);
        assert_eq!(weakest(&[published(&one, &[1, 2]), published(&two, &[1, 3])]).unwrap(), 1);
        assert!(weakest(&[published(&one, &[1])]).is_err());
        assert_eq!((uncracked(5, 3, 1), uncracked(5, 1, 3), uncracked(2, 9, 0)), (3, 5, 0));
    }
}
