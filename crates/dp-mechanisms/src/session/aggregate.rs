//! The exact integer aggregate of a query: rows bounded by unit, clamped, summed by group.
//!
//! Without groups, one pass over the rows finds how much each unit has; units within the limits are
//! summed as they are, and only the rows of the others are gathered, cut to the limits and added.
//! With groups, rows are sorted by unit first.

use std::collections::HashSet;
use std::hash::{BuildHasher, Hash};
use std::marker::PhantomData;

use privacy_core::error::Result;
use privacy_core::space::{Changes, Vector};
use privacy_core::transformation::Transformation;
use privacy_core::unit::{Adjacency, PrivacyUnit};

use super::grouping::Grouping;
use super::statistic::Statistic;
use super::table::{Table, UnitIndex};
use crate::bound::{Contribution, Entry, NoiseNorm, Selection};
use crate::hash::{TableHasher, stable_hasher};

/// The exact aggregate of a query as a transformation: from a table to integers, one or two for
/// each group.
///
/// # Privacy
///
/// Its stability is the sensitivity of [`Contribution`] times the number of changed units.
#[derive(Debug)]
pub struct Aggregate<'q, 'a, T, U, A, S, G, N> {
    statistic: &'q S,
    grouping: &'q G,
    bound: Contribution,
    claim: PhantomData<fn() -> (&'a T, U, A, N)>,
}

impl<'q, 'a, T, U, A, S, G, N> Aggregate<'q, 'a, T, U, A, S, G, N> {
    pub(super) fn new(statistic: &'q S, grouping: &'q G, bound: Contribution) -> Self {
        Aggregate { statistic, grouping, bound, claim: PhantomData }
    }
}

impl<'a, T, U, A, S, G, N> Transformation for Aggregate<'_, 'a, T, U, A, S, G, N>
where
    T: 'a,
    U: PrivacyUnit,
    A: Adjacency,
    S: Statistic<'a, T>,
    G: Grouping<'a, T>,
    N: NoiseNorm,
{
    type Input = Table<'a, T, U, A>;
    type Output = Vector<i128, N>;

    fn apply(&self, table: &Table<'a, T, U, A>) -> Result<Vec<i128>> {
        Ok(self.statistic.aggregate(
            Rows { rows: table.rows(), units: table.units(), bound: self.bound },
            self.grouping.groups(),
            |row| self.grouping.group(row),
            |row| self.statistic.item(row),
        ))
    }

    fn stability(&self, d_in: Changes) -> Result<N::Distance> {
        let once = N::sensitivity(&self.bound, &self.statistic.shape(), A::RELATION);
        Ok(N::times(&once, d_in.0))
    }
}

/// What the kept rows of one group add up to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cell {
    /// How many rows.
    pub(super) rows: i128,
    /// The sum of their items.
    pub(super) sum: i128,
}

impl Cell {
    fn add(&mut self, item: i64) {
        self.rows += 1;
        self.sum += i128::from(item);
    }
}

/// Rows with their units and the limits that hold for them.
#[doc(hidden)]
#[derive(Clone, Copy)]
#[expect(missing_debug_implementations, reason = "holds raw rows; never leaves a query")]
pub struct Rows<'r, 'a, T> {
    pub(super) rows: &'a [T],
    pub(super) units: Option<&'r UnitIndex>,
    pub(super) bound: Contribution,
}

/// How large an item can be in magnitude, and whether all items are 1.
#[derive(Clone, Copy, Debug)]
pub(super) enum Items {
    Ones,
    UpTo(u64),
}

impl<'a, T> Rows<'_, 'a, T> {
    /// The cells of all groups, where each row has an integer item.
    pub(super) fn sum(
        &self,
        items: Items,
        groups: usize,
        group: impl Fn(&'a T) -> Option<u32>,
        item: impl Fn(&'a T) -> Option<i64>,
    ) -> Vec<Cell> {
        let mut cells = vec![Cell::default(); groups];
        match (self.units, cells.as_mut_slice()) {
            (None, [cell]) => *cell = self.sum_all(items, group, item),
            (None, cells) => {
                for row in self.rows {
                    if let (Some(g), Some(x)) = (group(row), item(row)) {
                        cells[g as usize].add(x);
                    }
                }
            }
            (Some(units), [cell]) => {
                let item = |row| group(row).and(item(row));
                *cell = match items {
                    Items::Ones => self.count_by_unit(units, item),
                    // Sums of units beyond the limit are thrown away, so only sums of units
                    // within it must not wrap.
                    Items::UpTo(largest)
                        if u128::from(largest) * u128::from(self.bound.rows()) < 1 << 62 =>
                    {
                        self.sum_by_unit::<i64>(units, item)
                    }
                    Items::UpTo(_) => self.sum_by_unit::<i128>(units, item),
                };
            }
            (Some(units), cells) => self.sum_by_unit_and_group(items, units, cells, group, item),
        }
        cells
    }

    /// No units, one group: a plain loop.
    fn sum_all(
        &self,
        items: Items,
        group: impl Fn(&'a T) -> Option<u32>,
        item: impl Fn(&'a T) -> Option<i64>,
    ) -> Cell {
        const CHUNK: usize = 4096;
        let mut cell = Cell::default();
        match items {
            Items::UpTo(largest) if largest > i64::MAX as u64 / CHUNK as u64 => {
                for row in self.rows {
                    if let (Some(_), Some(x)) = (group(row), item(row)) {
                        cell.add(x);
                    }
                }
            }
            _ => {
                for chunk in self.rows.chunks(CHUNK) {
                    let (mut rows, mut sum) = (0u32, 0i64);
                    for row in chunk {
                        if let (Some(_), Some(x)) = (group(row), item(row)) {
                            rows += 1;
                            sum = sum.wrapping_add(x);
                        }
                    }
                    cell.rows += i128::from(rows);
                    cell.sum += i128::from(sum);
                }
            }
        }
        cell
    }

    /// Units, one group, items that are all 1: which rows are kept does not matter.
    fn count_by_unit(&self, units: &UnitIndex, item: impl Fn(&'a T) -> Option<i64>) -> Cell {
        let mut rows_of = vec![0u32; units.identities().len()];
        for (row, &id) in self.rows.iter().zip(units.ids()) {
            if item(row).is_some() {
                rows_of[id as usize] += 1;
            }
        }
        let limit = self.bound.rows();
        let rows = rows_of.iter().map(|&rows| i128::from(u64::from(rows).min(limit))).sum();
        Cell { rows, sum: rows }
    }

    /// Units, one group.
    fn sum_by_unit<Sum: Accumulator>(
        &self,
        units: &UnitIndex,
        item: impl Fn(&'a T) -> Option<i64>,
    ) -> Cell {
        let mut of_unit = vec![(Sum::default(), 0u32); units.identities().len()];
        for (row, &id) in self.rows.iter().zip(units.ids()) {
            if let Some(x) = item(row) {
                let (sum, rows) = &mut of_unit[id as usize];
                *sum = sum.add_wrapping(x);
                *rows += 1;
            }
        }
        let mut cell = Cell::default();
        let mut gather = Gather::new(of_unit.iter().map(|(_, rows)| *rows), self.bound.rows());
        for (sum, rows) in of_unit {
            if u64::from(rows) <= self.bound.rows() {
                cell.rows += i128::from(rows);
                cell.sum += sum.into();
            }
        }
        if gather.is_needed() {
            for (row, &id) in self.rows.iter().zip(units.ids()) {
                if gather.wants(id)
                    && let Some(value) = item(row)
                {
                    gather.push(id, Entry { group: 0, value });
                }
            }
            gather.select(units, self.bound, |value| value as u64, |entry| cell.add(entry.value));
        }
        cell
    }

    /// The cells of all groups, where each row names a value and each group counts the distinct
    /// ones.
    pub(super) fn distinct<V: Eq + Hash>(
        &self,
        groups: usize,
        group: impl Fn(&'a T) -> Option<u32>,
        item: impl Fn(&'a T) -> Option<V>,
    ) -> Vec<Cell> {
        let stable = stable_hasher();
        let mut numbers: std::collections::HashMap<V, i64, TableHasher> = Default::default();
        let mut contents = Vec::new();
        let mut number = |value: V| match numbers.entry(value) {
            std::collections::hash_map::Entry::Occupied(entry) => *entry.get(),
            std::collections::hash_map::Entry::Vacant(entry) => {
                contents.push(stable.hash_one(entry.key()));
                *entry.insert(contents.len() as i64 - 1)
            }
        };
        // One row of one unit for each value it names in each group.
        let ids = self.units.map(UnitIndex::ids);
        let mut named: Vec<(u32, Entry)> = Vec::new();
        for (i, row) in self.rows.iter().enumerate() {
            if let (Some(group), Some(value)) = (group(row), item(row)) {
                let unit = ids.map_or(0, |ids| ids[i]);
                named.push((unit, Entry { group, value: number(value) }));
            }
        }
        named.sort_unstable();
        named.dedup();

        let mut seen: HashSet<(u32, i64), TableHasher> = HashSet::default();
        let mut cells = vec![Cell::default(); groups];
        let mut add = |entry: Entry| {
            if seen.insert((entry.group, entry.value)) {
                cells[entry.group as usize].add(1);
            }
        };
        match self.units {
            None => named.iter().for_each(|(_, entry)| add(*entry)),
            Some(units) => {
                let mut selection = Selection::new(self.bound);
                let mut entries = Vec::new();
                for of_unit in named.chunk_by(|a, b| a.0 == b.0) {
                    let Some((id, _)) = of_unit.first() else { continue };
                    entries.clear();
                    entries.extend(of_unit.iter().map(|(_, entry)| *entry));
                    let identity = units.identities()[*id as usize];
                    let content = |value: i64| contents[value as usize];
                    selection.keep(identity, &mut entries, content, &mut add);
                }
            }
        }
        cells
    }
}

/// A sum that may wrap where it will be thrown away.
trait Accumulator: Copy + Default + Into<i128> {
    fn add_wrapping(self, item: i64) -> Self;
}

impl Accumulator for i64 {
    #[inline]
    fn add_wrapping(self, item: i64) -> i64 {
        self.wrapping_add(item)
    }
}

impl Accumulator for i128 {
    #[inline]
    fn add_wrapping(self, item: i64) -> i128 {
        self.wrapping_add(item.into())
    }
}

/// Rows of the units that have more than a limit, gathered unit by unit.
struct Gather {
    /// For each unit which of `units` it is, or `NOT_GATHERED`.
    slot: Vec<u32>,
    units: Vec<Gathered>,
    entries: Vec<Entry>,
}

/// Where the entries of one unit are.
struct Gathered {
    id: u32,
    start: usize,
    /// Where its next entry goes.
    next: usize,
    end: usize,
}

impl Gather {
    const NOT_GATHERED: u32 = u32::MAX;

    fn new(rows_of: impl Iterator<Item = u32>, limit: u64) -> Self {
        let (mut units, mut end) = (Vec::new(), 0);
        let slot = rows_of
            .enumerate()
            .map(|(id, rows)| {
                if u64::from(rows) <= limit {
                    return Gather::NOT_GATHERED;
                }
                let start = end;
                end += rows as usize;
                units.push(Gathered { id: id as u32, start, next: start, end });
                units.len() as u32 - 1
            })
            .collect();
        Gather { slot, units, entries: vec![Entry { group: 0, value: 0 }; end] }
    }

    fn is_needed(&self) -> bool {
        !self.units.is_empty()
    }

    #[inline]
    fn wants(&self, id: u32) -> bool {
        self.slot[id as usize] != Gather::NOT_GATHERED
    }

    fn push(&mut self, id: u32, entry: Entry) {
        let unit = &mut self.units[self.slot[id as usize] as usize];
        // A key or filter that answers differently the second time could offer more entries than
        // were counted; those are dropped.
        if unit.next < unit.end {
            self.entries[unit.next] = entry;
            unit.next += 1;
        }
    }

    fn select(
        mut self,
        units: &UnitIndex,
        bound: Contribution,
        content: impl Fn(i64) -> u64,
        mut add: impl FnMut(Entry),
    ) {
        let mut selection = Selection::new(bound);
        for unit in self.units {
            let entries = &mut self.entries[unit.start..unit.next];
            selection.keep(units.identities()[unit.id as usize], entries, &content, &mut add);
        }
    }
}

mod by_group;
mod sorted;
mod tally;
mod totals;

#[cfg(test)]
mod sensitivity;
