//! The predicate that releases a key: its noisy count is at least a threshold.

use num_bigint::BigUint;
use num_rational::Ratio;
use privacy_core::error::Error;
use privacy_core::random::SecureRng;

use super::counts::KeyCounts;
use super::rare::Rare;
use crate::noise::{BernoulliExp, DiscreteGaussian, DiscreteLaplace};

/// What every selection by a threshold on counts with noise says in the same words. Its fields
/// `threshold` and `least_units` are those of [`Tested`].
macro_rules! by_threshold {
    ($selection:ident, Noise::$noise:ident) => {
        impl<K, A> $selection<K, A> {
            /// Keys of fewer than `units` units are never released.
            ///
            /// The threshold then applies to what the count exceeds `units − 1` by, so it grows by
            /// as much.
            #[must_use]
            pub fn with_least_units(mut self, units: u64) -> Self {
                self.least_units = units.max(1);
                self
            }

            /// The least noisy count that is released.
            #[must_use]
            pub fn threshold(&self) -> i128 {
                self.threshold + i128::from(self.least_units - 1)
            }

            /// The noise on each count.
            #[must_use]
            pub fn noise(&self) -> Noise {
                Noise::$noise(self.noise.clone())
            }

            fn tested(&self) -> Tested {
                Tested { threshold: self.threshold, least_units: self.least_units }
            }
        }

        impl<K, A> fmt::Debug for $selection<K, A> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($selection))
                    .field("noise", &self.noise)
                    .field("threshold", &self.threshold)
                    .field("least_units", &self.least_units)
                    .finish_non_exhaustive()
            }
        }
    };
}
pub(super) use by_threshold;

/// The least integer above `dear` for which `is_cheap` is true, as it is for all higher ones; the
/// search ends some 2^110 above.
pub(super) fn least_above(mut dear: i128, mut is_cheap: impl FnMut(i128) -> bool) -> i128 {
    let mut step = 1;
    while !is_cheap(dear + step) && step < 1 << 110 {
        dear += step;
        step *= 2;
    }
    let mut cheap = dear + step;
    while cheap - dear > 1 {
        let middle = dear + (cheap - dear) / 2;
        if is_cheap(middle) { cheap = middle } else { dear = middle }
    }
    cheap
}

/// A law that fills a slice with independent draws.
pub(super) trait Fill {
    fn fill(&self, out: &mut [i128], rng: &mut dyn SecureRng) -> privacy_core::Result<()>;
}

impl Fill for DiscreteLaplace {
    fn fill(&self, out: &mut [i128], rng: &mut dyn SecureRng) -> privacy_core::Result<()> {
        Ok(DiscreteLaplace::fill(self, out, rng)?)
    }
}

impl Fill for DiscreteGaussian {
    fn fill(&self, out: &mut [i128], rng: &mut dyn SecureRng) -> privacy_core::Result<()> {
        Ok(DiscreteGaussian::fill(self, out, rng)?)
    }
}

/// With fewer counts noise is simply drawn for each.
const MANY: usize = 256;

/// The predicate that releases, for every kind of noise.
pub(super) struct Tested {
    /// The least sum of noise and what a count exceeds `least_units − 1` by that is released.
    pub(super) threshold: i128,
    /// Counts below this, at least 1, are never released.
    pub(super) least_units: u64,
}

impl Tested {
    /// What the noise on a count must reach for its key to be released; `None` if nothing helps.
    pub(super) fn noise_needed(&self, count: u64) -> Option<i128> {
        let shifted = count.checked_sub(self.least_units - 1).filter(|shifted| *shifted > 0)?;
        Some(self.threshold - i128::from(shifted))
    }

    pub(super) fn draw<K: Clone + Ord>(
        &self,
        counts: &KeyCounts<K>,
        noise: &impl Fill,
        rng: &mut dyn SecureRng,
    ) -> privacy_core::Result<Vec<(K, i128)>> {
        let all = counts.as_slice();
        let mut released = Vec::new();
        self.draw_each(all, 0..all.len(), noise, rng, &mut released)?;
        Ok(released.into_iter().map(|(index, noisy)| (all[index].0.clone(), noisy)).collect())
    }

    /// As [`draw`](Tested::draw), with the same law, but without drawing noise for each of the
    /// counts so far below the threshold that at most one in 256 passes.
    ///
    /// With C the largest such count and c ≤ C, P(Z ≥ T − c) = P(Z ≥ T − C) · e^(−(C − c)/t): which
    /// of them would pass from C is drawn by gaps, and each stays with the probability
    /// e^(−(C − c)/t). Given that a count passes, what it exceeds T by is geometric.
    pub(super) fn draw_laplace<K: Clone + Ord>(
        &self,
        counts: &KeyCounts<K>,
        noise: &DiscreteLaplace,
        rng: &mut dyn SecureRng,
    ) -> privacy_core::Result<Vec<(K, i128)>> {
        let shift = i128::from(self.least_units - 1);
        let all = counts.as_slice();
        let far = noise.half_width(1.0 / 128.0).unwrap_or(u128::MAX).saturating_add(1);
        let cut = i128::try_from(far).map_or(i128::MIN, |far| self.threshold.saturating_sub(far));
        let is_low = |count: u64| (1..=cut).contains(&(i128::from(count) - shift));
        let low: Vec<usize> = match all.len() < MANY || cut < 1 {
            true => Vec::new(),
            false => (0..all.len()).filter(|i| is_low(all[*i].1)).collect(),
        };
        if low.len() < MANY {
            return self.draw(counts, noise, rng);
        }
        let rare = Rare::new(noise, self.threshold - cut).map_err(Error::from)?;
        let mut released = Vec::new();
        let mut from = 0u128;
        while let Some(position) = rare.next(from, low.len() as u128, rng)? {
            from = position + 1;
            let index = low.get(position as usize).copied().unwrap_or(0);
            let Some((_, count)) = all.get(index) else { continue };
            let below = cut - (i128::from(*count) - shift);
            let exponent = Ratio::from(BigUint::from(below.unsigned_abs())) / noise.scale();
            let coin = BernoulliExp::new(exponent).map_err(Error::from)?;
            if coin.sample(rng)? {
                let noisy = self.threshold.saturating_add(rare.excess(rng)?);
                released.push((index, noisy.saturating_add(shift)));
            }
        }
        let rest = (0..all.len()).filter(|i| !is_low(all[*i].1));
        self.draw_each(all, rest, noise, rng, &mut released)?;
        released.sort_unstable_by_key(|(index, _)| *index);
        Ok(released.into_iter().map(|(index, noisy)| (all[index].0.clone(), noisy)).collect())
    }

    /// The predicate that releases, on the counts at the given positions.
    fn draw_each<K>(
        &self,
        all: &[(K, u64)],
        positions: impl Iterator<Item = usize>,
        noise: &impl Fill,
        rng: &mut dyn SecureRng,
        released: &mut Vec<(usize, i128)>,
    ) -> privacy_core::Result<()> {
        const BLOCK: usize = 1024;
        let shift = i128::from(self.least_units - 1);
        let mut draws = [0i128; BLOCK];
        let mut block = Vec::with_capacity(BLOCK);
        let mut positions = positions.peekable();
        while positions.peek().is_some() {
            block.clear();
            block.extend(positions.by_ref().take(BLOCK));
            let draws = &mut draws[..block.len()];
            noise.fill(draws, rng)?;
            for (index, draw) in block.iter().zip(draws) {
                // Counts that the shift leaves nothing of are absent.
                let shifted = i128::from(all[*index].1) - shift;
                let noisy = shifted.saturating_add(std::mem::take(draw));
                if shifted > 0 && noisy >= self.threshold {
                    released.push((*index, noisy.saturating_add(shift)));
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_search_finds_the_least() {
        for dear in [-5, 0, 7, 1 << 60] {
            for least in [dear + 1, dear + 2, dear + 77, dear + (1 << 40)] {
                assert_eq!(least_above(dear, |x| x >= least), least);
            }
        }
        assert!(least_above(0, |_| false) >= 1 << 110);
    }
}
