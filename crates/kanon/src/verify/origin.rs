//! Whether each released row is what its row of the input says.

use std::collections::HashMap;

use foldhash::quality::RandomState;

use super::group::{Grouping, Ids};
use super::{Finding, released};
use crate::dataset::{Dataset, Role};
use crate::hierarchy::Levels;
use crate::table::{Table, Value, parse_number};

/// Whether there is one existing level for each quasi-identifier.
pub(super) fn fits(data: &Dataset, levels: &[usize]) -> bool {
    data.quasi().count() == levels.len()
        && data.quasi().zip(levels).all(|(quasi, &level)| level <= quasi.levels.highest())
}

/// Each row comes from a row of its own, and each cell is that row's or a group of it.
pub(super) fn check(data: &Dataset, table: &Table, origin: &[u32]) -> Result<(), Finding> {
    let original = data.table();
    if origin.len() != table.rows() {
        return Err(Finding::Foreign { row: origin.len().min(table.rows()) as u64 + 1 });
    }
    let mut used = vec![false; original.rows()];
    for (row, &from) in origin.iter().enumerate() {
        match used.get_mut(from as usize) {
            Some(used) if !*used => *used = true,
            _ => return Err(Finding::Foreign { row: row as u64 + 1 }),
        }
    }
    for column in table.columns() {
        let Ok(place) = original.position(column.name()) else { return Err(Finding::Columns) };
        let source = &original.columns()[place];
        let levels = data.levels(place).filter(|_| data.role(place) == Some(Role::Quasi));
        // Each pair of a cell and a value is compared once.
        let mut known = Known::new(column.dictionary().len(), source.dictionary().len());
        for (row, &from) in origin.iter().enumerate() {
            let (code, entry) = (column.codes().get(row), source.codes().get(from as usize));
            let truthful = known.get(code, entry, || {
                let cell = &column.dictionary()[code as usize];
                let value = &source.dictionary()[entry as usize];
                match levels {
                    None => cell == value,
                    Some(levels) => covers(cell, value, entry as usize, levels),
                }
            });
            if !truthful {
                let column = column.name().into();
                return Err(Finding::Untrue { row: row as u64 + 1, column });
            }
        }
    }
    Ok(())
}

/// Answers about pairs of codes.
enum Known {
    /// 0 for unknown, otherwise 1 + the answer.
    Dense(Vec<u8>, usize),
    Sparse(HashMap<(u32, u32), bool, RandomState>),
}

impl Known {
    fn new(ours: usize, theirs: usize) -> Self {
        match ours.checked_mul(theirs) {
            Some(pairs) if pairs <= 1 << 22 => Known::Dense(vec![0; pairs], theirs),
            _ => Known::Sparse(HashMap::default()),
        }
    }

    fn get(&mut self, ours: u32, theirs: u32, answer: impl Fn() -> bool) -> bool {
        match self {
            Known::Dense(all, width) => {
                let known = &mut all[ours as usize * *width + theirs as usize];
                if *known == 0 {
                    *known = 1 + u8::from(answer());
                }
                *known == 2
            }
            Known::Sparse(all) => *all.entry((ours, theirs)).or_insert_with(answer),
        }
    }
}

/// Every row is one of the generalized input, as often as it is there at most.
pub(super) fn check_multiset(
    data: &Dataset,
    table: &Table,
    levels: &[usize],
) -> Result<(), Finding> {
    let mut level = levels.iter();
    let mut columns = Vec::new();
    for (place, column) in released(data).zip(table.columns()) {
        let source = &data.table().columns()[place];
        let mut ids = Ids::of(column);
        match (data.role(place), data.levels(place)) {
            (Some(Role::Quasi), Some(applied)) => {
                let Some(&level) = level.next() else { return Err(Finding::Levels) };
                ids.join_generalized(source, applied, level);
            }
            _ => ids.join(source),
        }
        columns.push(ids);
    }
    let rows = table.rows();
    for group in Grouping::of(&columns, rows + data.table().rows()).iter() {
        let ours = group.partition_point(|&row| (row as usize) < rows);
        if let Some(&row) = group.first()
            && ours > group.len() - ours
        {
            return Err(Finding::Foreign { row: u64::from(row) + 1 });
        }
    }
    Ok(())
}

/// Whether a released cell is a group of a value: a label of its hierarchy, or a range around it.
fn covers(cell: &Value, value: &Value, entry: usize, levels: &Levels) -> bool {
    let listed = (0..levels.count()).any(|level| {
        let group = levels.groups(level).get(entry).copied();
        group.and_then(|group| levels.labels(level).get(group as usize)) == Some(cell)
    });
    if listed || *cell == Value::Suppressed {
        return true;
    }
    let Some(text) = cell.text() else { return false };
    if text == "*" {
        return true;
    }
    let Some(value) = value.text() else { return false };
    let number = |text: &str| parse_number(text).or_else(|| crate::table::parse_date(text));
    let Some(x) = number(value) else { return text == value };
    if let Some(bound) = text.strip_prefix("<=") {
        return number(bound).is_some_and(|bound| x <= bound);
    }
    if let Some(bound) = text.strip_prefix(">=") {
        return number(bound).is_some_and(|bound| x >= bound);
    }
    if let Some((low, high)) =
        text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).and_then(|t| t.split_once(", "))
    {
        let (low, high) = (number(low), number(high));
        return low.is_some_and(|low| low <= x) && high.is_some_and(|high| x <= high);
    }
    // `a-b`, where both may be negative: try each hyphen.
    text.match_indices('-').any(|(at, _)| {
        let (low, high) = (number(&text[..at]), number(&text[at + 1..]));
        matches!((low, high), (Some(low), Some(high)) if low <= x && x <= high)
    })
}
