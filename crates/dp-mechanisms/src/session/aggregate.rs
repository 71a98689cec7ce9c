//! The exact integer aggregate of a query: rows bounded by unit, clamped, summed by group.
//!
//! Where rows belong to units, they are handed out unit by unit: units within the limits are summed
//! as they are, the rows of the others are cut to the limits first. Only a count in one group needs
//! no more than the number of each unit's rows.

mod by_group;
mod by_unit;
mod distinct;
mod entries;
mod tally;
mod totals;

#[cfg(test)]
mod sensitivity;

use std::marker::PhantomData;
use std::ops::AddAssign;

use privacy_core::error::Result;
use privacy_core::space::{Changes, Vector};
use privacy_core::transformation::Transformation;
use privacy_core::unit::{Adjacency, PrivacyUnit};

pub(super) use self::totals::LimitedTotals;
use super::grouping::Grouping;
use super::statistic::Statistic;
use super::table::{Table, UnitIndex};
use crate::bound::{Contribution, NoiseNorm};

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
    T: Sync + 'a,
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

impl AddAssign for Cell {
    fn add_assign(&mut self, other: Cell) {
        self.rows += other.rows;
        self.sum += other.sum;
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

impl<'a, T: Sync> Rows<'_, 'a, T> {
    /// The cells of all groups, where each row has an integer item.
    pub(super) fn sum(
        &self,
        items: Items,
        groups: usize,
        group: impl Fn(&'a T) -> Option<u32> + Sync,
        item: impl Fn(&'a T) -> Option<i64> + Sync,
    ) -> Vec<Cell> {
        let mut cells = vec![Cell::default(); groups];
        match (self.units, cells.as_mut_slice()) {
            (None, [cell]) => *cell = self.sum_all(items, group, item),
            (None, cells) => {
                for (group, item) in self.entries(group, item).flatten() {
                    cells[group as usize].add(item);
                }
            }
            (Some(units), [cell]) => {
                let item = |row| group(row).and(item(row));
                *cell = match items {
                    Items::Ones => self.count_by_unit(units, item),
                    Items::UpTo(largest) => self.sum_by_unit(units, largest, item),
                };
            }
            (Some(units), cells) => match items {
                Items::Ones => self.count_by_unit_and_group(units, cells, group, item),
                Items::UpTo(_) => self.sum_by_unit_and_group(units, cells, group, item),
            },
        }
        cells
    }

    /// The group and the item of each row; `None` for one that is left out.
    fn entries<I>(
        &self,
        group: impl Fn(&'a T) -> Option<u32>,
        item: impl Fn(&'a T) -> Option<I>,
    ) -> impl Iterator<Item = Option<(u32, I)>> {
        self.rows.iter().map(move |row| Some((group(row)?, item(row)?)))
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
                for (_, item) in self.entries(group, item).flatten() {
                    cell.add(item);
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
}
