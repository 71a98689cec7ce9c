//! A hierarchy as it is for one column.

use std::collections::HashMap;
use std::fmt;

use crate::error::{DataValue, Error, HierarchyProblem, Result};
use crate::table::Value;

/// A hierarchy applied to one column: the group of each dictionary entry at each level, and the
/// share of the domain that each group covers.
#[derive(Clone)]
pub struct Levels {
    /// Groups of each level.
    labels: Vec<Vec<Value>>,
    /// For each level the group of each entry of the column's dictionary.
    groups: Vec<Vec<u32>>,
    /// For each level the share of the domain in each group.
    shares: Vec<Vec<f64>>,
    /// How many values the domain has (or its width).
    domain: f64,
}

impl Levels {
    /// How many levels, at least 1.
    #[must_use]
    pub fn count(&self) -> usize {
        self.labels.len()
    }

    /// The highest level.
    #[must_use]
    pub fn highest(&self) -> usize {
        self.labels.len() - 1
    }

    /// The size of the domain: values, or the width of its range.
    #[must_use]
    pub fn domain(&self) -> f64 {
        self.domain
    }

    /// The groups of a level; none beyond the highest.
    #[must_use]
    pub fn labels(&self, level: usize) -> &[Value] {
        self.labels.get(level).map_or(&[], Vec::as_slice)
    }

    /// The group of each entry of the column's dictionary at a level.
    #[must_use]
    pub fn groups(&self, level: usize) -> &[u32] {
        self.groups.get(level).map_or(&[], Vec::as_slice)
    }

    /// The share of the domain in each group of a level, above 0 and at most 1.
    #[must_use]
    pub fn shares(&self, level: usize) -> &[f64] {
        self.shares.get(level).map_or(&[], Vec::as_slice)
    }

    /// The label of a dictionary entry at a level.
    pub(crate) fn label(&self, level: usize, entry: u32) -> &Value {
        &self.labels[level][self.groups[level][entry as usize] as usize]
    }

    pub(crate) fn share(&self, level: usize, entry: u32) -> f64 {
        self.shares[level][self.groups[level][entry as usize] as usize]
    }

    /// Numbers the chains and checks that they nest. `chains` holds the labels of each dictionary
    /// entry; `domain` further chains of values that do not occur; shares by counting, unless given.
    pub(super) fn assemble(
        column: &str,
        chains: &[Vec<Value>],
        counted: Option<&[Vec<Value>]>,
        given: Option<(Vec<Vec<f64>>, f64)>,
    ) -> Result<Levels> {
        let count = chains.first().or(counted.and_then(<[_]>::first)).map_or(1, Vec::len);
        let mut levels = Levels {
            labels: vec![Vec::new(); count],
            groups: vec![vec![0; chains.len()]; count],
            shares: vec![Vec::new(); count],
            domain: 1.0,
        };
        let all = counted.unwrap_or(chains);
        let mut parents: Vec<HashMap<Value, (u32, Value)>> = vec![HashMap::new(); count];
        let mut sizes: Vec<Vec<u64>> = vec![Vec::new(); count];
        for (place, chain) in all.iter().chain(counted.map_or(&[][..], |_| chains)).enumerate() {
            for level in 0..count {
                let up = chain.get(level + 1).unwrap_or(&Value::Suppressed);
                let next = levels.labels[level].len() as u32;
                let (group, parent) = parents[level]
                    .entry(chain[level].clone())
                    .or_insert_with(|| (next, up.clone()));
                if parent != up {
                    let value = DataValue::new(chain[level].text().unwrap_or(""));
                    let problem = HierarchyProblem::TwoParents { value, level };
                    return Err(Error::Hierarchy {
                        column: column.into(),
                        line: place as u64 + 1,
                        problem,
                    });
                }
                if *group == next {
                    levels.labels[level].push(chain[level].clone());
                    sizes[level].push(0);
                }
                if place < all.len() {
                    sizes[level][*group as usize] += 1;
                }
            }
        }
        for (entry, chain) in chains.iter().enumerate() {
            for level in 0..count {
                levels.groups[level][entry] =
                    parents[level].get(&chain[level]).map_or(0, |(group, _)| *group);
            }
        }
        match given {
            Some((shares, domain)) => {
                levels.domain = domain;
                for level in 0..count {
                    levels.shares[level] = vec![1.0; levels.labels[level].len()];
                    for (entry, row) in shares.iter().enumerate() {
                        let group = levels.groups[level][entry] as usize;
                        levels.shares[level][group] = row[level];
                    }
                }
            }
            None => {
                let total = all.len().max(1) as f64;
                levels.domain = total;
                for (shares, sizes) in levels.shares.iter_mut().zip(&sizes) {
                    *shares = sizes.iter().map(|&size| size as f64 / total).collect();
                }
            }
        }
        Ok(levels)
    }
}

impl fmt::Debug for Levels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sizes: Vec<usize> = self.labels.iter().map(Vec::len).collect();
        f.debug_struct("Levels").field("groups", &sizes).field("domain", &self.domain).finish()
    }
}
