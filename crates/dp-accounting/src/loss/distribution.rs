//! The public face: a loss distribution, and what is built from others by sampling and composing.

use std::sync::Arc;

use super::density::Direction;
use super::pair::Pair;
use crate::error::{Result, out_of_range, probability};

/// The privacy loss of a mechanism, or of a composition of them, in both directions of the
/// neighbouring relation.
///
/// # Privacy
///
/// Each constructor names the pair it uses. A composition of dominating pairs dominates the
/// composition ([Zhu, Dong, Wang 2022](https://arxiv.org/abs/2106.08567), their theorem on composition), and the
/// answers bracket the exact curve of that composition of pairs. For Laplace, Gaussian, discrete
/// noise and randomized response the pairs are the mechanisms themselves, and the curve is theirs
/// (with the noise multiplier's inverse rounded up by an ulp or two).
///
/// # Example
///
/// ```
/// use dp_accounting::loss::LossDistribution;
///
/// let step = LossDistribution::laplace(10.0)?;
/// let answer = step.repeat(100).epsilon(1e-6)?;
/// // The plain sum is 10.
/// assert!(answer.upper < 4.6928 && answer.lower > 4.6924);
/// # Ok::<(), dp_accounting::AccountingError>(())
/// ```
#[derive(Debug, Clone)]
pub struct LossDistribution {
    /// Pairs with multiplicity: the record is in P's data (first) or in Q's (second).
    pub(super) directions: [Vec<(Arc<Pair>, u64)>; 2],
    pub(super) symmetric: bool,
}

impl LossDistribution {
    /// Doing nothing.
    #[must_use]
    pub fn zero() -> Self {
        LossDistribution { directions: [Vec::new(), Vec::new()], symmetric: true }
    }

    pub(super) fn symmetric(pair: Pair) -> Self {
        let pair = Arc::new(pair);
        LossDistribution {
            directions: [vec![(Arc::clone(&pair), 1)], vec![(pair, 1)]],
            symmetric: true,
        }
    }

    /// This mechanism on a Poisson sample under add/remove: each record takes part independently
    /// with probability `rate`. Pairs ((1-q)Q + qP, Q) and (P, (1-q)P + qQ), by the
    /// theorem of Zhu, Dong, Wang 2022 on amplification by sampling; `self` must be one mechanism, measured by add/remove, and not sampled yet.
    ///
    /// # Errors
    ///
    /// `OutOfRange` if `rate` is no probability or `self` is a composition.
    pub fn poisson_sampled(&self, rate: f64) -> Result<Self> {
        let q = probability("rate", rate)?;
        let pair = self.single()?;
        if q == 0.0 {
            return Ok(Self::zero());
        }
        if q >= 1.0 {
            return Ok(self.clone());
        }
        let remove = Arc::new(pair.poisson(q, Direction::Remove));
        let add = Arc::new(pair.poisson(q, Direction::Add));
        Ok(LossDistribution { directions: [vec![(remove, 1)], vec![(add, 1)]], symmetric: false })
    }

    /// This mechanism on `rate` of the records, drawn without replacement, one record replaced:
    /// the theorem of Zhu, Dong, Wang 2022 on amplification by sampling. `self` must be one mechanism, measured by replacement.
    ///
    /// # Errors
    ///
    /// `OutOfRange` if `rate` is no probability or `self` is a composition.
    pub fn sampled_without_replacement(&self, rate: f64) -> Result<Self> {
        let q = probability("rate", rate)?;
        let pair = self.single()?;
        if q == 0.0 {
            return Ok(Self::zero());
        }
        if q >= 1.0 {
            return Ok(self.clone());
        }
        Ok(Self::symmetric(pair.without_replacement(q)))
    }

    fn single(&self) -> Result<&Pair> {
        match (&self.symmetric, self.directions[0].as_slice()) {
            (true, [(pair, 1)]) => Ok(pair),
            (_, parts) => Err(out_of_range(
                "mechanism",
                parts.len() as f64,
                "a single mechanism that is not sampled yet",
            )),
        }
    }

    /// This and `other` one after the other.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        let join = |a: &[(Arc<Pair>, u64)], b: &[(Arc<Pair>, u64)]| {
            let mut all = a.to_vec();
            for (pair, count) in b {
                match all.iter_mut().find(|(known, _)| known == pair) {
                    Some(known) => known.1 = known.1.saturating_add(*count),
                    None => all.push((Arc::clone(pair), *count)),
                }
            }
            all
        };
        let directions = [0, 1].map(|i| join(&self.directions[i], &other.directions[i]));
        LossDistribution { directions, symmetric: self.symmetric && other.symmetric }
    }

    /// All of these, each as often as its count says, without a search for equal ones.
    pub(crate) fn composition(parts: impl IntoIterator<Item = (Self, u64)>) -> Self {
        let mut total = LossDistribution::zero();
        for (part, count) in parts {
            let part = part.repeat(count);
            total.symmetric &= part.symmetric;
            for (all, own) in total.directions.iter_mut().zip(part.directions) {
                all.extend(own);
            }
        }
        total
    }

    /// This `times` times over.
    #[must_use]
    pub fn repeat(&self, times: u64) -> Self {
        if times == 0 {
            return Self::zero();
        }
        let scale = |parts: &Vec<(Arc<Pair>, u64)>| {
            parts
                .iter()
                .map(|(pair, count)| (Arc::clone(pair), count.saturating_mul(times)))
                .collect()
        };
        let directions = [scale(&self.directions[0]), scale(&self.directions[1])];
        LossDistribution { directions, symmetric: self.symmetric }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compositions_with_themselves_are_refused_as_samples() {
        let twice = LossDistribution::laplace(1.0).unwrap().repeat(2);
        assert!(twice.poisson_sampled(0.1).is_err());
        let sampled = LossDistribution::laplace(1.0).unwrap().poisson_sampled(0.1).unwrap();
        assert!(sampled.poisson_sampled(0.5).is_err());
    }
}
