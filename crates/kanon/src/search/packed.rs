//! Classes under exact packed keys, and their roll-up.
//!
//! Each axis has a bit field that is wide enough for its codes at the lowest level; fields do not
//! cross words. Equality of keys is equality of tuples, so no two classes are ever merged by a hash.

mod crew;
mod lift;
mod partition;
mod pieces;
mod roll;
mod share;
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

    /// Gives so many classes sums like those of `source`, 0 where they have none yet.
    fn resize_sums(&mut self, len: usize, source: &Classes<N>, width: usize) {
        self.counts.resize(len, 0);
        if !source.population.is_empty() {
            self.population.resize(len, 0);
        }
        if !source.squares.is_empty() {
            self.squares.resize(len, 0);
        }
        self.histogram.resize(len * width, 0);
    }

    /// Adds the sums of a class of `source` to those of a class.
    fn add(&mut self, class: usize, source: &Classes<N>, from: usize, width: usize) {
        self.counts[class] += source.counts[from];
        if !source.population.is_empty() {
            self.population[class] += source.population[from];
        }
        if !source.squares.is_empty() {
            self.squares[class] += source.squares[from];
        }
        let sums = &mut self.histogram[class * width..(class + 1) * width];
        let more = &source.histogram[from * width..(from + 1) * width];
        sums.iter_mut().zip(more).for_each(|(sum, &more)| *sum += more);
    }

    /// Adds the sums of consecutive classes of `source` to those of the classes given.
    fn add_all(&mut self, classes: &[u32], source: &Classes<N>, first: usize, width: usize) {
        if source.are_counts_alone(width) {
            let counts = &source.counts[first..first + classes.len()];
            for (&class, &count) in classes.iter().zip(counts) {
                self.counts[class as usize] += count;
            }
        } else {
            for (&class, from) in classes.iter().zip(first..) {
                self.add(class as usize, source, from, width);
            }
        }
    }

    /// Adds the sums of other classes with the same keys in the same order.
    fn add_same(&mut self, other: &Classes<N>) {
        self.counts.iter_mut().zip(&other.counts).for_each(|(sum, more)| *sum += more);
        self.population.iter_mut().zip(&other.population).for_each(|(sum, more)| *sum += more);
        self.squares.iter_mut().zip(&other.squares).for_each(|(sum, more)| *sum += more);
        self.histogram.iter_mut().zip(&other.histogram).for_each(|(sum, more)| *sum += more);
    }

    /// Drops the classes that nobody is in.
    fn compact(&mut self, width: usize) {
        let mut len = 0;
        if self.population.is_empty() && self.squares.is_empty() && width == 0 {
            for place in 0..self.counts.len() {
                self.keys[len] = self.keys[place];
                self.counts[len] = self.counts[place];
                len += usize::from(self.counts[place] > 0);
            }
        } else {
            for place in 0..self.counts.len() {
                let people = self.population.get(place).copied().unwrap_or(0);
                if self.counts[place] == 0 && people == 0 {
                    continue;
                }
                self.keys[len] = self.keys[place];
                self.counts[len] = self.counts[place];
                if let Some(to) = self.population.get_mut(len) {
                    *to = people;
                }
                if !self.squares.is_empty() {
                    self.squares[len] = self.squares[place];
                }
                self.histogram.copy_within(place * width..(place + 1) * width, len * width);
                len += 1;
            }
        }
        self.keys.truncate(len);
        self.counts.truncate(len);
        self.population.truncate(len);
        self.squares.truncate(len);
        self.histogram.truncate(len * width);
    }

    /// Whether only rows are counted.
    fn are_counts_alone(&self, width: usize) -> bool {
        width == 0 && self.population.is_empty() && self.squares.is_empty()
    }

    /// Appends classes that are none of these, and of which none are twice.
    fn append_all<'c>(&mut self, others: impl Iterator<Item = &'c Classes<N>> + Clone) {
        self.keys.reserve_exact(others.clone().map(Classes::len).sum());
        self.counts.reserve_exact(others.clone().map(Classes::len).sum());
        self.histogram.reserve_exact(others.clone().map(|all| all.histogram.len()).sum());
        others.for_each(|classes| self.append(classes));
    }

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
