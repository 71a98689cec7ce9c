//! Rows that may be each other if a blank stands for any value.

use std::collections::{BTreeMap, HashMap};

use foldhash::quality::RandomState;

use crate::error::{Error, Result};
use crate::table::{Table, Value};

/// Pairs of patterns times tuples, at most.
const MOST_WORK: u64 = 1 << 32;

/// For each row how many rows agree with it wherever neither has a blank (a suppressed or missing
/// cell): the size of its "class" where a blank matches anything. The row counts itself.
///
/// # Privacy
///
/// These counts are never below the sizes of [`Classes`](super::Classes), where a blank is a value of
/// its own, and they are **no protection**. Take the releases `(a, ✱)` and `(✱, b)` of the people (a, c)
/// and (d, b): each row may be the other, so both counts are 2; but whoever knows that a person is
/// (a, c) finds one row alone that fits. What does hold: rows of one class have the same blanks, so
/// that each fits everyone of the class, and k rows fit a person whose class has k rows. The models and
/// the verifier therefore count a blank as a value of its own, and nothing is released by these counts.
///
/// # Errors
///
/// [`Error::UnknownColumn`], or [`Error::TooLarge`] where blanks stand in so many different patterns
/// that pairs of them cannot be compared in reasonable time.
///
/// # Example
///
/// ```
/// use kanon::risk::{Classes, compatible};
///
/// let text = "age,zip\n30,\n30,1\n30,1\n,2\n";
/// let table = kanon::table::CsvOptions::new().read(text.as_bytes())?;
/// assert_eq!(compatible(&table, &["age", "zip"])?, [4, 3, 3, 2]);
/// assert_eq!(Classes::of(&table, &["age", "zip"])?.sizes().iter().min(), Some(&1));
/// # Ok::<(), kanon::Error>(())
/// ```
pub fn compatible(table: &Table, columns: &[&str]) -> Result<Vec<u64>> {
    let columns = columns.iter().map(|name| table.column(name)).collect::<Result<Vec<_>>>()?;
    let q = columns.len();
    // Equal texts have equal codes already; every kind of blank has one.
    let blank: Vec<Vec<bool>> = columns
        .iter()
        .map(|c| c.dictionary().iter().map(|v| !matches!(v, Value::Text(_))).collect())
        .collect();
    let mut number: HashMap<Vec<u32>, usize, RandomState> = HashMap::default();
    let mut tuples: Vec<(Vec<u32>, u64)> = Vec::new();
    let mut of_row = Vec::with_capacity(table.rows());
    for row in 0..table.rows() {
        let cell = |(column, blank): (&&crate::table::Column, &Vec<bool>)| {
            let code = column.codes().get(row);
            if blank[code as usize] { u32::MAX } else { code }
        };
        let tuple: Vec<u32> = columns.iter().zip(&blank).map(cell).collect();
        let place = *number.entry(tuple).or_insert_with_key(|tuple| {
            tuples.push((tuple.clone(), 0));
            tuples.len() - 1
        });
        tuples[place].1 += 1;
        of_row.push(place);
    }
    let mut patterns: BTreeMap<Vec<bool>, Vec<usize>> = BTreeMap::new();
    for (place, (tuple, _)) in tuples.iter().enumerate() {
        let pattern = tuple.iter().map(|&code| code == u32::MAX).collect();
        patterns.entry(pattern).or_default().push(place);
    }
    if patterns.len() as u64 * tuples.len() as u64 > MOST_WORK {
        return Err(Error::TooLarge {
            what: "patterns of blanks times different rows",
            limit: MOST_WORK,
        });
    }
    let mut found = vec![0u64; tuples.len()];
    let mut counts: HashMap<Vec<u32>, u64, RandomState> = HashMap::default();
    for (theirs, others) in &patterns {
        // Patterns that leave the same columns to compare share a table.
        let mut by_columns: BTreeMap<Vec<usize>, Vec<&Vec<usize>>> = BTreeMap::new();
        for (ours, members) in &patterns {
            let both = (0..q).filter(|&axis| !ours[axis] && !theirs[axis]).collect();
            by_columns.entry(both).or_default().push(members);
        }
        for (both, groups) in by_columns {
            let part =
                |place: usize| -> Vec<u32> { both.iter().map(|&i| tuples[place].0[i]).collect() };
            counts.clear();
            for &other in others {
                *counts.entry(part(other)).or_insert(0) += tuples[other].1;
            }
            for &place in groups.into_iter().flatten() {
                found[place] += counts.get(&part(place)).copied().unwrap_or(0);
            }
        }
    }
    Ok(of_row.into_iter().map(|place| found[place]).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::risk::Classes;
    use crate::table::Column;

    fn table(rows: &[[u8; 3]]) -> Table {
        let value = |code: u8| match code {
            0 => Value::Missing,
            1 => Value::Suppressed,
            code => Value::from(code.to_string().as_str()),
        };
        let column = |i: usize| Column::new(["x", "y", "z"][i], rows.iter().map(|r| value(r[i])));
        Table::new((0..3).map(column).collect()).unwrap()
    }

    proptest! {
        #[test]
        fn each_pair_is_compared(rows in prop::collection::vec([0u8..5, 0u8..5, 0u8..4], 0..40)) {
            let table = table(&rows);
            let fits = |a: &[u8; 3], b: &[u8; 3]| (0..3).all(|i| a[i] < 2 || b[i] < 2 || a[i] == b[i]);
            let naive: Vec<u64> = rows
                .iter()
                .map(|a| rows.iter().filter(|b| fits(a, b)).count() as u64)
                .collect();
            let names = ["x", "y", "z"];
            let found = compatible(&table, &names).unwrap();
            prop_assert_eq!(&found, &naive);
            let classes = Classes::of(&table, &names).unwrap();
            for (row, &count) in found.iter().enumerate() {
                prop_assert!(classes.sizes()[classes.of_rows()[row] as usize] <= count);
            }
        }
    }

    #[test]
    fn two_blanks_that_match_each_other_hide_nobody() {
        let column = |name: &str, values: [&str; 2]| {
            Column::new(name, values.map(|v| if v == "✱" { Value::Suppressed } else { v.into() }))
        };
        let release = Table::new(vec![column("x", ["a", "✱"]), column("y", ["✱", "b"])]).unwrap();
        assert_eq!(compatible(&release, &["x", "y"]).unwrap(), [2, 2]);
        // The person (a, c) fits the first row alone.
        let fits = |row: usize| {
            let cell = |name| release.column(name).unwrap().value(row).unwrap().clone();
            let fits = |cell: Value, own: &str| cell == Value::Suppressed || cell == own.into();
            fits(cell("x"), "a") && fits(cell("y"), "c")
        };
        assert_eq!((0..2).filter(|&row| fits(row)).count(), 1);
    }
}
