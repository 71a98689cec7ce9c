//! Drawing a cell from a law on 0, 1, 2, ... with one random word.

use super::fixed::{SPAN_BITS, SPAN_ONE, Span};

/// Bits of a word that lead into the table.
const GUIDE_BITS: u32 = 10;

/// Cumulative probabilities of cells, in units of 2^-bits.
///
/// A word w stands for the uniform numbers in [w, w + 1) 2^-bits. Most words lie between the
/// cumulative probabilities of two neighbouring cells, and tell the cell. A word that may hold a
/// border itself tells nothing, however the table was rounded: the caller then compares exactly.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    /// For each cell, the least word that certainly lies beyond it; the last is beyond all words.
    ends: Vec<u64>,
    /// The largest distance from such a word down to the least one that may hold the border.
    slack: u64,
    /// For the first bits of a word, the first cell it may fall into.
    guide: Vec<u16>,
    guide_shift: u32,
}

/// Where a word falls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Cell(u64),
    /// In this cell or in one after it.
    Border(u64),
}

impl Table {
    /// The table for words of `bits` bits (at most 63) of the law with these cumulative
    /// probabilities, which must come within 2^-bits of 1.
    pub(crate) fn new(bits: u32, cumulative: impl Iterator<Item = Span>) -> Self {
        let unit = SPAN_BITS - bits;
        let beyond = 1u64 << bits;
        let (mut ends, mut slack) = (Vec::new(), 0);
        for span in cumulative {
            let certain = (span.low >> unit) as u64;
            let end = (span.high.min(SPAN_ONE).div_ceil(1 << unit) as u64).min(beyond);
            slack = slack.max(end - certain);
            ends.push(end);
            if end == beyond || ends.len() == usize::from(u16::MAX) {
                break;
            }
        }
        // A border beyond the last cell is in the last word.
        slack = slack.max(1);
        if let Some(last) = ends.last_mut() {
            slack = slack.max(beyond - *last + 1);
            *last = beyond;
        }
        let guide_shift = bits.saturating_sub(GUIDE_BITS);
        let mut cell = 0;
        let guide = (0..beyond >> guide_shift)
            .map(|prefix| {
                while ends.get(cell).is_some_and(|end| *end <= prefix << guide_shift) {
                    cell += 1;
                }
                cell as u16
            })
            .collect();
        Table { ends, slack, guide, guide_shift }
    }

    /// Where a word below 2^bits falls.
    #[inline]
    pub(crate) fn find(&self, word: u64) -> Place {
        let start = self.guide.get((word >> self.guide_shift) as usize).copied().unwrap_or(0);
        let mut cell = usize::from(start);
        // The last end is beyond every word.
        let end = loop {
            match self.ends.get(cell) {
                Some(end) if *end <= word => cell += 1,
                Some(end) => break *end,
                None => return Place::Border(0),
            }
        };
        if word + self.slack >= end { Place::Border(cell as u64) } else { Place::Cell(cell as u64) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Cumulative probabilities known up to the given number of units.
    fn table(bits: u32, numerators: &[u128], denominator: u128, error: u128) -> Table {
        let spans = numerators.iter().map(|n| {
            let exact = n * (SPAN_ONE / denominator);
            Span { low: exact.saturating_sub(error), high: exact + error }
        });
        Table::new(bits, spans)
    }

    #[test]
    fn words_fall_into_the_cell_that_holds_all_their_numbers() {
        // Borders at words 85 and 171, each known up to half a word.
        let table = table(8, &[85, 171, 255], 256, 1 << 111);
        for word in 0..256 {
            let place = match word {
                0..=83 => Place::Cell(0),
                84..=85 => Place::Border(0),
                86..=169 => Place::Cell(1),
                170..=171 => Place::Border(1),
                172..=253 => Place::Cell(2),
                _ => Place::Border(2),
            };
            assert_eq!(table.find(word), place, "{word}");
        }
    }

    #[test]
    fn many_cells_in_one_word_are_left_open() {
        let table = table(3, &[600, 1000, 1010, 1020, 1022, 1023], 1024, 0);
        assert_eq!(table.find(3), Place::Cell(0));
        assert_eq!(table.find(4), Place::Border(0));
        assert_eq!(table.find(5), Place::Cell(1));
        assert_eq!(table.find(7), Place::Border(1));
    }

    #[test]
    fn a_law_that_is_cut_short_leaves_open_what_it_does_not_say() {
        let table = table(8, &[128], 256, 0);
        for word in 0..256 {
            let certain = word < 127;
            let place = if certain { Place::Cell(0) } else { Place::Border(0) };
            assert_eq!(table.find(word), place, "{word}");
        }
    }
}
