//! Outliers that refute nodes without rolling up classes.
//!
//! Without suppression a node is acceptable only if no class is smaller than k. For a tuple whose
//! class was too small elsewhere, the size of its class at another node is the sum over an
//! intersection of bitmaps, one for each axis: far less work than making all classes.

use super::packed::{Classes, layout};
use super::problem::Problem;
use crate::model::class::Rule;

/// Above this many words of bitmaps, none are made.
const MOST_WORDS: usize = 1 << 23;
/// Outliers kept.
const MOST_WITNESSES: usize = 64;

/// For each axis, level and code the tuples that have it.
pub(crate) struct Bitmaps {
    /// Words of a bitmap.
    words: usize,
    /// For each axis and level the bitmaps of all codes, one after another.
    of: Vec<Vec<Vec<u64>>>,
    least: u64,
}

impl Bitmaps {
    /// Bitmaps for a problem in which one small class suffices to fail; `None` for others, and where
    /// they would be too large.
    pub(crate) fn build<const N: usize>(
        problem: &Problem<'_>,
        tuples: &Classes<N>,
    ) -> Option<Bitmaps> {
        let sizes = problem.requirements.rules.iter().filter_map(|bound| match bound.rule {
            Rule::Size(k) => Some(k),
            _ => None,
        });
        let least = sizes.max().unwrap_or(0);
        let words = tuples.len().div_ceil(64);
        let codes: usize =
            problem.axes.iter().flat_map(|axis| &axis.levels).map(|level| level.rows.len()).sum();
        if problem.limit > 0 || least < 2 || codes.saturating_mul(words) > MOST_WORDS {
            return None;
        }
        let (fields, _) = layout(problem);
        let maps = problem.axes.iter().zip(fields).map(|(axis, field)| {
            let mut levels: Vec<Vec<u64>> = Vec::with_capacity(axis.levels.len());
            for level in &axis.levels {
                let mut maps = vec![0u64; level.rows.len() * words];
                match levels.first() {
                    None => {
                        for (tuple, key) in tuples.keys.iter().enumerate() {
                            let code = level.map[field.get(key)] as usize;
                            maps[code * words + tuple / 64] |= 1 << (tuple % 64);
                        }
                    }
                    Some(lowest) => {
                        let first = &axis.levels[0];
                        for (from, &to) in first.map.iter().zip(&level.map) {
                            let from = &lowest[*from as usize * words..][..words];
                            let to = &mut maps[to as usize * words..][..words];
                            to.iter_mut().zip(from).for_each(|(to, from)| *to |= from);
                        }
                    }
                }
                levels.push(maps);
            }
            levels
        });
        Some(Bitmaps { words, of: maps.collect(), least })
    }
}

/// Tuples known to be outliers, those that refuted last first.
pub(crate) struct Witnesses<'a, const N: usize> {
    maps: &'a Bitmaps,
    problem: &'a Problem<'a>,
    counts: &'a [u32],
    keys: &'a [[u64; N]],
    /// For each witness its codes at the lowest levels.
    known: Vec<Box<[u32]>>,
}

impl<'a, const N: usize> Witnesses<'a, N> {
    pub(crate) fn new(maps: &'a Bitmaps, problem: &'a Problem<'a>, tuples: &'a Classes<N>) -> Self {
        let (counts, keys) = (&*tuples.counts, &*tuples.keys);
        Witnesses { maps, problem, counts, keys, known: Vec::new() }
    }

    fn map(&self, axis: usize, level: u8, code: u32) -> &'a [u64] {
        let words = self.maps.words;
        &self.maps.of[axis][level as usize][code as usize * words..][..words]
    }

    /// The bitmaps of a class, those with the fewest rows first.
    fn maps_of(&self, node: &[u8], code: impl Fn(usize) -> u32) -> Vec<&'a [u64]> {
        let axes = self.problem.axes.iter().enumerate();
        let mut maps: Vec<(u64, &[u64])> = axes
            .map(|(axis, of)| (of, axis, code(axis)))
            .filter(|(of, axis, _)| of.levels[node[*axis] as usize].rows.len() > 1)
            .map(|(of, axis, code)| {
                let rows = of.levels[node[axis] as usize].rows[code as usize];
                (rows, self.map(axis, node[axis], code))
            })
            .collect();
        maps.sort_unstable_by_key(|(rows, _)| *rows);
        maps.into_iter().map(|(_, map)| map).collect()
    }

    /// Whether a witness's class at a node is too small.
    pub(crate) fn refute(&mut self, node: &[u8]) -> bool {
        let found = (0..self.known.len()).find(|&place| {
            let codes = &self.known[place];
            let lift = |axis: usize| {
                self.problem.axes[axis].levels[node[axis] as usize].map[codes[axis] as usize]
            };
            let maps = self.maps_of(node, lift);
            let mut size = 0;
            for word in 0..self.maps.words {
                let mut both = maps.iter().fold(u64::MAX, |all, map| all & map[word]);
                while both != 0 {
                    let tuple = word * 64 + both.trailing_zeros() as usize;
                    size += self.counts.get(tuple).copied().map_or(0, u64::from);
                    if size >= self.maps.least {
                        return false;
                    }
                    both &= both - 1;
                }
            }
            size > 0
        });
        if let Some(place) = found {
            self.known[..=place].rotate_right(1);
        }
        found.is_some()
    }

    /// Remembers a tuple of each failed class, given by its codes at the node.
    pub(crate) fn learn(&mut self, node: &[u8], failed: Vec<Vec<u32>>) {
        let (fields, _) = layout(self.problem);
        for codes in failed {
            let maps = self.maps_of(node, |axis| codes[axis]);
            let tuple = (0..self.maps.words).find_map(|word| {
                let both = maps.iter().fold(u64::MAX, |all, map| all & map[word]);
                (both != 0).then(|| word * 64 + both.trailing_zeros() as usize)
            });
            let Some(key) = tuple.and_then(|tuple| self.keys.get(tuple)) else { continue };
            let codes = fields.iter().map(|field| field.get(key) as u32).collect();
            self.known.insert(0, codes);
        }
        self.known.truncate(MOST_WITNESSES);
    }
}
