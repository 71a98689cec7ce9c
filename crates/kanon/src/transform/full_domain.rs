//! From a node of the lattice to groups of rows.

use std::collections::HashMap;

use crate::dataset::Dataset;
use crate::release::Group;
use crate::table::Value;

/// Pairs of a class and a group are numbered in a table if there can be at most so many, by hash
/// otherwise.
const MOST_PAIRS: usize = 1 << 20;

/// The groups of all rows at the given levels.
pub(crate) fn groups(data: &Dataset, levels: &[usize]) -> Vec<Group> {
    let quasi: Vec<_> = data.quasi().collect();
    let n = data.table().rows();
    // Classes are refined column by column: (class so far, group of the next column) to a number.
    let mut class = vec![0u32; n];
    let mut firsts: Vec<u32> = if n > 0 { vec![0] } else { Vec::new() };
    for (q, &level) in quasi.iter().zip(levels) {
        let groups = q.levels.groups(level);
        let width = q.levels.labels(level).len();
        let pairs = firsts.len().saturating_mul(width);
        firsts.clear();
        if pairs <= MOST_PAIRS {
            let mut numbers = vec![u32::MAX; pairs];
            q.column.codes().for_each(0..n, |row, entry| {
                let pair = class[row] as usize * width + groups[entry as usize] as usize;
                if numbers[pair] == u32::MAX {
                    numbers[pair] = firsts.len() as u32;
                    firsts.push(row as u32);
                }
                class[row] = numbers[pair];
            });
            continue;
        }
        let mut numbers: HashMap<(u32, u32), u32, foldhash::fast::RandomState> = HashMap::default();
        q.column.codes().for_each(0..n, |row, entry| {
            let next = numbers.len() as u32;
            let number = *numbers.entry((class[row], groups[entry as usize])).or_insert(next);
            if number == next {
                firsts.push(row as u32);
            }
            class[row] = number;
        });
    }
    let mut all: Vec<Group> = firsts
        .iter()
        .map(|&row| {
            let cell = |(q, &level): (&crate::dataset::Quasi<'_>, &usize)| -> Value {
                q.levels.label(level, q.column.codes().get(row as usize)).clone()
            };
            Group { rows: Vec::new(), cells: quasi.iter().zip(levels).map(cell).collect() }
        })
        .collect();
    for (row, &class) in class.iter().enumerate() {
        all[class as usize].rows.push(row as u32);
    }
    all
}
