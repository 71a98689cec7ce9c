//! Classes under exact packed keys, and their roll-up.
//!
//! Each axis has a bit field that is wide enough for its codes at the lowest level; fields do not
//! cross words. Equality of keys is equality of tuples, so no two classes are ever merged by a hash.

mod crew;
mod roll;
mod slots;
mod tuples;

pub(crate) use crew::Crew;
pub(crate) use roll::{Roller, Room, Source};
pub(crate) use tuples::tuples;

use super::problem::Problem;

/// Sources of at least this many classes or rows are partitioned by key, for threads to share and
/// for tables that stay in cache.
pub(crate) const SHARED: usize = 1 << 15;

/// Where an axis's code lies in a key. The number of words of a key is a power of two.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field {
    pub(crate) word: usize,
    pub(crate) shift: u32,
    pub(crate) mask: u64,
}

impl Field {
    #[inline]
    pub(crate) fn get<const N: usize>(self, key: &[u64; N]) -> usize {
        ((key[self.word & (N - 1)] >> self.shift) & self.mask) as usize
    }
}

/// Fields for all axes, and how many words they take.
pub(crate) fn layout(problem: &Problem<'_>) -> (Vec<Field>, usize) {
    let mut free: Vec<u32> = Vec::new();
    let mut fields = Vec::new();
    for axis in &problem.axes {
        let bits = usize::BITS - axis.codes().saturating_sub(1).leading_zeros();
        let word = match free.iter().position(|&left| left >= bits) {
            Some(word) => word,
            None => {
                free.push(64);
                free.len() - 1
            }
        };
        fields.push(Field { word, shift: (64 - free[word]) % 64, mask: (1u64 << bits) - 1 });
        free[word] -= bits;
    }
    (fields, free.len().max(1))
}

/// Classes: keys, and sums over their rows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Classes<const N: usize> {
    pub(crate) keys: Vec<[u64; N]>,
    pub(crate) counts: Vec<u32>,
    /// People of the population; empty if not needed.
    pub(crate) population: Vec<u64>,
    /// Σ over distinct tuples of count²; empty if not needed.
    pub(crate) squares: Vec<u64>,
    /// `width` counts of sensitive values for each class.
    pub(crate) histogram: Vec<u32>,
}

impl<const N: usize> Classes<N> {
    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.keys.len() * (N * 8 + 4)
            + (self.population.len() + self.squares.len()) * 8
            + self.histogram.len() * 4
    }

    pub(crate) fn shrink(&mut self) {
        self.keys.shrink_to_fit();
        self.counts.shrink_to_fit();
        self.population.shrink_to_fit();
        self.squares.shrink_to_fit();
        self.histogram.shrink_to_fit();
    }

    /// As [`add`](Self::add), where classes have a count and nothing else.
    #[inline(always)]
    fn add_count(&mut self, class: usize, new: bool, count: u32) {
        match new {
            true => self.counts.push(count),
            false => self.counts[class] += count,
        }
    }

    /// Adds the sums of a class of `source` to a class whose key is there already.
    #[inline(always)]
    fn add(&mut self, class: usize, new: bool, source: &Classes<N>, from: usize, width: usize) {
        let histogram = &source.histogram[from * width..(from + 1) * width];
        if new {
            self.counts.push(source.counts[from]);
            if !source.population.is_empty() {
                self.population.push(source.population[from]);
            }
            if !source.squares.is_empty() {
                self.squares.push(source.squares[from]);
            }
            if width > 0 {
                self.histogram.extend_from_slice(histogram);
            }
            return;
        }
        self.counts[class] += source.counts[from];
        if !source.population.is_empty() {
            self.population[class] += source.population[from];
        }
        if !source.squares.is_empty() {
            self.squares[class] += source.squares[from];
        }
        if width > 0 {
            let sums = &mut self.histogram[class * width..(class + 1) * width];
            sums.iter_mut().zip(histogram).for_each(|(sum, &more)| *sum += more);
        }
    }

    /// Whether only rows are counted.
    fn are_counts_alone(&self, width: usize) -> bool {
        width == 0 && self.population.is_empty() && self.squares.is_empty()
    }

    /// Appends classes that are none of these.
    fn append(&mut self, other: &Classes<N>) {
        self.keys.extend_from_slice(&other.keys);
        self.counts.extend_from_slice(&other.counts);
        self.population.extend_from_slice(&other.population);
        self.squares.extend_from_slice(&other.squares);
        self.histogram.extend_from_slice(&other.histogram);
    }

    pub(crate) fn clear(&mut self) {
        self.keys.clear();
        self.counts.clear();
        self.population.clear();
        self.squares.clear();
        self.histogram.clear();
    }
}
