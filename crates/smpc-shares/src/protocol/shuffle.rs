//! Shuffling: a uniform permutation that nobody knows (Laur, Willemson, Zhang 2011).
//!
//! For each set of n - t parties in turn: they permute by their common key what they hold additively,
//! and share it again. Any t parties miss the permutation of one set.

use crate::engine::{Engine, subsets};
use crate::error::{Error, Result};
use crate::field::Ring;
use crate::party::Party;
use crate::protocol::base::Base;
use crate::security::Scheme;
use crate::sharing::{Raw, ShareVec};
use crate::stream::Stream;

/// A uniform integer below `bound` > 0, the same at all holders of the stream's key.
fn below(stream: &mut Stream, bound: u64) -> u64 {
    let mask = u64::MAX >> (bound - 1).leading_zeros().min(63);
    loop {
        let candidate = stream.word() & mask;
        if candidate < bound {
            return candidate;
        }
    }
}

/// A uniform permutation (Fisher, Yates).
fn permutation(stream: &mut Stream, length: usize) -> Vec<usize> {
    let mut places: Vec<usize> = (0..length).collect();
    for i in (1..length).rev() {
        places.swap(i, below(stream, i as u64 + 1) as usize);
    }
    places
}

/// One step: who knows the permutation, and which of them hold the secret additively.
struct Step {
    members: Vec<usize>,
    dealers: Vec<usize>,
}

fn steps(core: &Engine, replicated: bool) -> Vec<Step> {
    let n = core.parties();
    if replicated {
        return (0..3)
            .map(|i| vec![i, (i + 1) % 3])
            .map(|members| Step { dealers: members.clone(), members })
            .collect();
    }
    let t = core.scheme.threshold();
    subsets(n, n - t)
        .into_iter()
        .map(|members| Step { dealers: members.iter().copied().take(t + 1).collect(), members })
        .collect()
}

impl<R: Ring, S: Scheme<R>> Party<R, S> {
    /// The rows of the columns in a uniformly random order that nobody knows.
    ///
    /// One round for each set of parties - threshold parties: three for three parties.
    ///
    /// # Security
    ///
    /// Passive. In active security a dealer could replace rows, so it is refused there, where
    /// [`shuffle_by_sorting`](Party::shuffle_by_sorting) stands in.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] in active security or without an honest majority;
    /// [`Error::LengthMismatch`] for columns of different length; those of the session.
    pub async fn shuffle(&mut self, columns: &[ShareVec<R, S>]) -> Result<Vec<ShareVec<R, S>>> {
        if S::ACTIVE {
            return Err(Error::Parameter {
                parameter: "the security of a shuffle",
                requirement: "passive; in active security use shuffle_by_sorting",
                given: 1,
            });
        }
        crate::security::needs_majority(&self.core)?;
        let Some(first) = columns.first() else { return Ok(Vec::new()) };
        let rows = first.len();
        let mut all = Raw::empty();
        for column in columns {
            if column.checked()?.len() != rows {
                return Err(Error::LengthMismatch { left: rows, right: column.len() });
            }
            all.append(&column.raw);
        }
        let me = self.core.me();
        for step in steps(&self.core, S::Base::REPLICATED) {
            let context = self.core.fresh();
            let mut mine = Vec::new();
            if step.dealers.contains(&me) {
                let mut stream = self.core.common_stream(&step.members, context)?;
                let order = permutation(&mut stream, rows);
                let parts = S::Base::additive(&mut self.core, &all, &step.dealers);
                for column in parts.chunks(rows.max(1)) {
                    mine.extend(order.iter().map(|row| column[*row]));
                }
            }
            let dealers: Vec<_> = step.dealers.iter().map(|party| (*party, all.len())).collect();
            let mut dealt = S::Base::deal(&mut self.core, &dealers, &mine).await?.into_iter();
            let mut sum = dealt.next().ok_or(Error::Poisoned)?;
            for part in dealt {
                sum.add_assign(&part);
            }
            all = sum;
        }
        let column = |i: usize| self.wrap(all.range(i * rows..(i + 1) * rows), Raw::empty());
        Ok((0..columns.len()).map(column).collect())
    }
}
