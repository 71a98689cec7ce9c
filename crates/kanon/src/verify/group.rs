//! Equal rows side by side, by sorting.

use std::collections::HashMap;

use foldhash::quality::RandomState;

use crate::hierarchy::Levels;
use crate::table::{Codes, Column, Value};

/// Values that a pass of sorting tells apart.
const MOST_DIGIT: usize = 1 << 16;

/// Numbers for the values of a column in several tables; equal texts have equal numbers.
pub(super) struct Ids<'a> {
    numbers: HashMap<Value, u32, RandomState>,
    /// For each table its codes, and the number of each code.
    parts: Vec<(&'a Codes, Vec<u32>)>,
}

impl<'a> Ids<'a> {
    pub(super) fn of(column: &'a Column) -> Self {
        let mut ids = Ids { numbers: HashMap::default(), parts: Vec::new() };
        ids.join(column);
        ids
    }

    fn number(&mut self, value: &Value) -> u32 {
        if let Some(&number) = self.numbers.get(value) {
            return number;
        }
        let next = self.numbers.len() as u32;
        self.numbers.insert(value.clone(), next);
        next
    }

    /// Appends the rows of a column as they are.
    pub(super) fn join(&mut self, column: &'a Column) {
        let numbers = column.dictionary().iter().map(|value| self.number(value)).collect();
        self.parts.push((column.codes(), numbers));
    }

    /// Appends the rows of a column, generalized to a level.
    pub(super) fn join_generalized(&mut self, column: &'a Column, levels: &Levels, level: usize) {
        let absent = Value::Missing;
        let groups = levels.groups(level);
        let entries = 0..column.dictionary().len();
        let numbers = entries
            .map(|entry| {
                let label = groups.get(entry).and_then(|&g| levels.labels(level).get(g as usize));
                self.number(label.unwrap_or(&absent))
            })
            .collect();
        self.parts.push((column.codes(), numbers));
    }

    /// Adds a multiple of each row's number to its place.
    fn add(&self, digit: &mut [u32], factor: u32) {
        let mut start = 0;
        for (codes, numbers) in &self.parts {
            codes.for_each(0..codes.len(), |row, code| {
                digit[start + row] += numbers[code as usize] * factor;
            });
            start += codes.len();
        }
    }
}

/// Rows in an order in which equal ones are neighbours, in ascending order among themselves.
pub(super) struct Grouping {
    order: Vec<u32>,
    /// Where each group ends.
    ends: Vec<usize>,
}

impl Grouping {
    /// Groups the rows of all tables by all columns.
    pub(super) fn of(columns: &[Ids<'_>], rows: usize) -> Self {
        // Several columns of few values are one digit.
        let mut digits: Vec<(Vec<u32>, usize)> = Vec::new();
        for column in columns {
            let values = column.numbers.len().max(1);
            match digits.last_mut() {
                Some((digit, size)) if *size * values <= MOST_DIGIT => {
                    column.add(digit, *size as u32);
                    *size *= values;
                }
                _ => {
                    let mut digit = vec![0; rows];
                    column.add(&mut digit, 1);
                    digits.push((digit, values));
                }
            }
        }
        let mut order: Vec<u32> = (0..rows as u32).collect();
        let mut spare = vec![0u32; rows];
        for (digit, size) in &digits {
            let mut next = vec![0usize; size + 1];
            digit.iter().for_each(|&value| next[value as usize + 1] += 1);
            for value in 1..next.len() {
                next[value] += next[value - 1];
            }
            for &row in &order {
                let place = &mut next[digit[row as usize] as usize];
                spare[*place] = row;
                *place += 1;
            }
            std::mem::swap(&mut order, &mut spare);
        }
        let differ =
            |a: u32, b: u32| digits.iter().any(|(digit, _)| digit[a as usize] != digit[b as usize]);
        let inner = order.windows(2).enumerate().filter(|(_, pair)| differ(pair[0], pair[1]));
        let mut ends: Vec<usize> = inner.map(|(place, _)| place + 1).collect();
        if rows > 0 {
            ends.push(rows);
        }
        Grouping { order, ends }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &[u32]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| &self.order[start..end])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_grouped_by_all_columns() {
        let column = |values: &[u32]| {
            Column::new("x", values.iter().map(|v| Value::from(v.to_string().as_str())))
        };
        let (a, b) = (column(&[1, 2, 1, 2, 1]), column(&[7, 7, 7, 8, 9]));
        let columns = [Ids::of(&a), Ids::of(&b)];
        let mut groups: Vec<Vec<u32>> =
            Grouping::of(&columns, 5).iter().map(<[u32]>::to_vec).collect();
        groups.sort();
        assert_eq!(groups, [vec![0, 2], vec![1], vec![3], vec![4]]);
        assert_eq!(Grouping::of(&[], 3).iter().count(), 1);
        assert_eq!(Grouping::of(&[], 0).iter().count(), 0);
    }
}
