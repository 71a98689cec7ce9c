//! What each unit has in each of its first few groups: a flat table with a few slots for each unit.
//!
//! Most units of most tables appear in few groups. Where a unit's groups fit its slots, one pass
//! over the rows says all there is to know of it: whether it is within its limits, and what it adds
//! to each group. One access to memory for each row is what the pass costs.

use super::{Accumulator, Cell};

/// What a unit has in one group.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Slot<Sum> {
    /// The group plus 1; 0 while the slot is free.
    tag: u32,
    pub(super) rows: u32,
    pub(super) sum: Sum,
}

impl<Sum> Slot<Sum> {
    pub(super) fn group(&self) -> u32 {
        self.tag.wrapping_sub(1)
    }
}

/// A tag that no group has: the unit has more groups than slots.
const SPILLED: u32 = u32::MAX;

/// Groups are numbered below this.
pub(super) const MOST_GROUPS: usize = u32::MAX as usize - 1;

/// A row that is used: unit, group, item.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Used {
    pub(super) unit: u32,
    pub(super) group: u32,
    pub(super) item: i64,
}

/// The slots of all units, `width` for each.
pub(super) struct Slots<Sum> {
    width: usize,
    slots: Vec<Slot<Sum>>,
}

impl<Sum: Accumulator> Slots<Sum> {
    pub(super) fn new(units: usize, width: usize) -> Self {
        Slots { width, slots: vec![Slot::default(); units * width] }
    }

    pub(super) fn add(&mut self, rows: &[Used]) {
        match self.width {
            1 => self.add_to::<1>(rows),
            2 => self.add_to::<2>(rows),
            4 => self.add_to::<4>(rows),
            _ => self.add_to::<8>(rows),
        }
    }

    fn add_to<const WIDTH: usize>(&mut self, rows: &[Used]) {
        let (units, _) = self.slots.as_chunks_mut::<WIDTH>();
        // Loads that depend on nothing overlap: the slots of all rows are fetched before the first
        // is looked at.
        let fetch = |row: &Used| units.get(row.unit as usize).map_or(0, |slots| slots[0].tag);
        std::hint::black_box(rows.iter().fold(0, |tags, row| tags ^ fetch(row)));
        for row in rows {
            let Some(slots) = units.get_mut(row.unit as usize) else { continue };
            let tag = row.group + 1;
            // The first slot that is free or the group's, without a branch for each.
            let mut fits = 0u32;
            for (i, slot) in slots.iter().enumerate() {
                fits |= u32::from((slot.tag == tag) | (slot.tag == 0)) << i;
            }
            match slots.get_mut(fits.trailing_zeros() as usize) {
                Some(slot) => {
                    slot.tag = tag;
                    slot.rows += 1;
                    slot.sum = slot.sum.add_wrapping(row.item);
                }
                // Rows are still counted, so that there is room to gather them.
                None => {
                    slots[0].tag = SPILLED;
                    slots[0].rows += 1;
                }
            }
        }
    }

    /// The slots in use of each unit, with the number of the unit, or all its rows where it has
    /// more groups than slots.
    pub(super) fn units(&self) -> impl Iterator<Item = Result<&[Slot<Sum>], u32>> {
        self.slots.chunks(self.width).map(|slots| match slots.first() {
            Some(first) if first.tag == SPILLED => Err(slots.iter().map(|slot| slot.rows).sum()),
            _ => Ok(&slots[..slots.iter().take_while(|slot| slot.tag != 0).count()]),
        })
    }
}

impl<Sum: Accumulator> Slot<Sum> {
    /// Adds all rows of the slot to its group.
    #[inline]
    pub(super) fn add_to(&self, cells: &mut [Cell]) {
        let cell = &mut cells[self.group() as usize];
        cell.rows += i128::from(self.rows);
        cell.sum += self.sum.into();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_with_more_groups_than_slots_keep_their_number_of_rows() {
        for width in [1, 2, 4, 8] {
            let mut slots = Slots::<i64>::new(2, width);
            let rows: Vec<Used> = (0..90u32)
                .map(|i| Used { unit: i % 2, group: if i % 2 == 0 { 0 } else { i % 9 }, item: 2 })
                .collect();
            slots.add(&rows);
            let units: Vec<_> = slots.units().collect();
            let [Ok([only]), Err(45)] = units[..] else { panic!("{width}") };
            assert_eq!((only.group(), only.rows, only.sum), (0, 45, 90));
        }
    }
}
