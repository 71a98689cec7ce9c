//! Special uniques: rows that few columns suffice to single out.
//!
//! A minimal sample unique of a row is a set of columns on which the row is unique and no part of
//! which has this property (Elliot, Manning and Ford 2002, "A computational algorithm for handling the
//! special uniques problem", <https://doi.org/10.1142/S0218488502001600>). The fewer columns it needs, and the more such sets a
//! row has, the likelier it is unique in the population, too.

use std::collections::HashMap;

use foldhash::quality::RandomState;
use serde::Serialize;

use crate::error::{Error, Result};
use crate::table::Table;

/// Sets of columns on one level, at most.
const MOST_SETS: usize = 200_000;
/// Words of marks for rows on one level, at most.
const MOST_WORDS: usize = 1 << 28;

/// The special uniques of a table.
///
/// With A columns and sets of at most M, a minimal sample unique of i columns scores
/// (A − i)(A − i − 1)…(A − M), as in SUDA (Elliot, Manning, Mayes, Gurd and Bane 2005, "SUDA: a program for
/// detecting special uniques") and its successor SUDA2 (Manning, Haglin and Keane 2008, "A recursive
/// search algorithm for statistical disclosure assessment", Data Mining and Knowledge Discovery 16,
/// <https://doi.org/10.1007/s10618-007-0078-6>); a row scores the sum over its sets. Scores rank rows; for
/// a probability see [`Classes::unique_matches`](super::Classes::unique_matches).
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SpecialUniques {
    /// The score of each row; 0 for rows without a minimal sample unique.
    pub scores: Vec<f64>,
    /// How many minimal sample uniques have 1, 2, … columns, over all rows.
    pub by_size: Vec<u64>,
    /// For each column the share of all scores that is due to sets with it, 0 to 1.
    pub shares: Vec<(String, f64)>,
}

impl SpecialUniques {
    /// Finds the minimal sample uniques of at most `most` of the columns.
    ///
    /// Scores tell which people stand out, and are as confidential as the table.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownColumn`]; [`Error::Parameter`] unless `most` is at least 1 and below the number
    /// of columns, which are at most 64; [`Error::TooLarge`] above 200,000 sets of one size, or 2 GB of
    /// marks for them.
    ///
    /// # Example
    ///
    /// ```
    /// use kanon::{Table, risk::SpecialUniques, table::CsvOptions};
    ///
    /// let text = "age,sex,job\n30,f,nurse\n30,m,nurse\n30,m,judge\n40,m,nurse\n30,f,judge\n";
    /// let table = CsvOptions::new().read(text.as_bytes())?;
    /// let found = SpecialUniques::of(&table, &["age", "sex", "job"], 2)?;
    /// // Age alone singles out the fourth row: (3 − 1)(3 − 2); pairs score 3 − 2.
    /// assert_eq!(found.scores, [1.0, 0.0, 1.0, 2.0, 1.0]);
    /// # Ok::<(), kanon::Error>(())
    /// ```
    pub fn of(table: &Table, columns: &[&str], most: usize) -> Result<Self> {
        let codes = columns
            .iter()
            .map(|name| Ok(table.column(name)?.codes()))
            .collect::<Result<Vec<_>>>()?;
        if most == 0 || most >= columns.len() || columns.len() > 64 {
            return Err(Error::Parameter {
                parameter: "the size of special uniques",
                requirement: "at least 1 and below the number of columns, which are at most 64",
            });
        }
        let rows = table.rows();
        let words = rows.div_ceil(64);
        let mut found = SpecialUniques {
            scores: vec![0.0; rows],
            by_size: vec![0; most],
            shares: columns.iter().map(|&name| (name.to_owned(), 0.0)).collect(),
        };
        let mut total = 0.0;
        // The rows that are unique on each set of the level below.
        let mut below: HashMap<u64, Vec<u64>> =
            HashMap::from([(0, vec![u64::from(rows == 1); words])]);
        for size in 1..=most {
            let score: f64 = (size..=most).map(|i| (columns.len() - i) as f64).product();
            let mut level = HashMap::new();
            for set in subsets(columns.len(), size) {
                if level.len() >= MOST_SETS {
                    return Err(Error::TooLarge {
                        what: "sets of columns",
                        limit: MOST_SETS as u64,
                    });
                }
                if level.len().saturating_mul(words) > MOST_WORDS {
                    return Err(Error::TooLarge { what: "marks", limit: MOST_WORDS as u64 });
                }
                // What is unique on a part is unique here, and not minimal.
                let mut unique = vec![0u64; words];
                for place in members(set) {
                    if let Some(part) = below.get(&(set & !(1 << place))) {
                        unique.iter_mut().zip(part).for_each(|(all, word)| *all |= word);
                    }
                }
                let known = |row: usize| unique[row / 64] >> (row % 64) & 1 == 1;
                let open: Vec<u32> = (0..rows as u32).filter(|&row| !known(row as usize)).collect();
                let alone = alone(&open, members(set).map(|place| codes[place]));
                for &row in &alone {
                    unique[row as usize / 64] |= 1 << (row % 64);
                    found.scores[row as usize] += score;
                }
                let sum = score * alone.len() as f64;
                members(set).for_each(|place| found.shares[place].1 += sum);
                total += sum;
                found.by_size[size - 1] += alone.len() as u64;
                level.insert(set, unique);
            }
            below = level;
        }
        if total > 0.0 {
            found.shares.iter_mut().for_each(|(_, share)| *share /= total);
        }
        Ok(found)
    }
}

/// All sets of `size` of `count` columns, as bits, in ascending order.
fn subsets(count: usize, size: usize) -> impl Iterator<Item = u64> {
    let first = (size <= count && size < 64).then(|| (1u64 << size) - 1);
    let end = 1u128 << count;
    std::iter::successors(first, move |&set| {
        // The next number with as many bits.
        let low = set & set.wrapping_neg();
        let carried = set.checked_add(low)?;
        let next = carried | (((carried ^ set) >> 2) / low);
        (u128::from(next) < end).then_some(next)
    })
}

fn members(set: u64) -> impl Iterator<Item = usize> {
    (0..64).filter(move |place| set >> place & 1 == 1)
}

/// The rows that agree with no other on all columns.
fn alone<'a>(
    rows: &[u32],
    columns: impl Iterator<Item = &'a crate::table::codes::Codes>,
) -> Vec<u32> {
    let mut groups = vec![0u32; rows.len()];
    let mut sizes = vec![rows.len() as u32];
    for codes in columns {
        let mut numbers: HashMap<(u32, u32), u32, RandomState> = HashMap::default();
        sizes.clear();
        for (group, &row) in groups.iter_mut().zip(rows) {
            let next = sizes.len() as u32;
            *group = *numbers.entry((*group, codes.get(row as usize))).or_insert(next);
            if *group == next {
                sizes.push(0);
            }
            sizes[*group as usize] += 1;
        }
    }
    let single = groups.iter().zip(rows).filter(|(group, _)| sizes[**group as usize] == 1);
    single.map(|(_, &row)| row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{Column, Value};
    use proptest::prelude::*;

    #[test]
    fn subsets_are_all_sets_of_a_size() {
        for (count, size) in [(5, 1), (5, 3), (6, 6), (64, 1), (64, 2), (3, 4)] {
            let all: Vec<u64> = subsets(count, size).collect();
            let expected = (0..size).fold(1, |all, i| all * count.saturating_sub(i) / (i + 1));
            assert_eq!(all.len(), expected, "{count} {size}");
            assert!(all.is_sorted() && all.iter().all(|set| set.count_ones() as usize == size));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn scores_follow_from_the_definition(
            rows in prop::collection::vec(prop::array::uniform5(0u8..4), 0..25),
            most in 1usize..5,
        ) {
            let names = ["a", "b", "c", "d", "e"];
            let column = |place: usize| {
                let value = |row: &[u8; 5]| Value::from(row[place].to_string().as_str());
                Column::new(names[place], rows.iter().map(value).collect::<Vec<_>>())
            };
            let table = Table::new((0..5).map(column).collect()).unwrap();
            let found = SpecialUniques::of(&table, &names, most).unwrap();
            let unique = |row: usize, set: u64| {
                let same = |other: &[u8; 5]| members(set).all(|c| other[c] == rows[row][c]);
                rows.iter().filter(|other| same(other)).count() == 1
            };
            let mut by_size = vec![0; most];
            for row in 0..rows.len() {
                let mut score = 0.0;
                for set in 1u64..32 {
                    let size = set.count_ones() as usize;
                    let parts = |part: &u64| part & set == *part && *part != set;
                    if size <= most && unique(row, set) && !(0..32).filter(parts).any(|part| unique(row, part)) {
                        by_size[size - 1] += 1;
                        score += (size..=most).map(|i| (5 - i) as f64).product::<f64>();
                    }
                }
                prop_assert_eq!(found.scores[row], score);
            }
            prop_assert_eq!(found.by_size, by_size);
        }
    }

    #[test]
    fn sizes_without_meaning_are_refused() {
        let column = |name: &str| Column::new(name, vec![Value::from("x")]);
        let table = Table::new(vec![column("a"), column("b")]).unwrap();
        for most in [0, 2, 3] {
            let refused = SpecialUniques::of(&table, &["a", "b"], most);
            assert!(matches!(refused, Err(Error::Parameter { .. })));
        }
    }
}
