//! Noise drawn inside the computation: discrete Laplace noise that no party knows.
//!
//! The difference of two geometric variables with ratio q. The bits of a geometric variable are
//! independent, bit i being 1 with probability q^(2^i)/(1 + q^(2^i)) (Dwork et al. 2006,
//! <https://doi.org/10.1007/11761679_29>); each is one comparison of shared random bits with a public
//! threshold.

use privacy_core::budget::RequestId;
use privacy_core::measure::Charge;
use privacy_core::params::{Amount, Delta, Epsilon};
use privacy_core::unit::Scope;

use crate::error::{Error, Result};
use crate::field::Ring;
use crate::opening::Price;
use crate::party::Party;
use crate::security::Scheme;
use crate::sharing::ShareVec;

/// Bits of the thresholds.
const PRECISION: u32 = 48;
/// The tail that is cut off has the mass of fewer than so many bits.
const TAIL_BITS: f64 = 48.0;

/// Shared noise and how far its law is from the discrete Laplace law.
#[derive(Debug)]
#[must_use]
pub struct SharedNoise<R: Ring, S> {
    /// The noise, one value for each element.
    pub noise: ShareVec<R, S>,
    /// A bound on the total variation distance of each value from discrete Laplace noise.
    pub distance: f64,
    scale: f64,
}

impl<R: Ring, S> SharedNoise<R, S> {
    /// What it costs to release integers of this L1 sensitivity, all together, with this noise added.
    ///
    /// # Privacy
    ///
    /// (ε, δ) with ε = sensitivity/scale (Ghosh, Roughgarden, Sundararajan 2012) and δ = (1 + e^ε)·d for
    /// the total variation distance d of all values together: a law within d of one that is ε-differentially
    /// private gives P(S) ≤ e^ε·(P'(S) + d) + d.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for a sensitivity of 0, or one so large that ε is above 700.
    pub fn charge(&self, sensitivity: u64) -> Result<Charge> {
        price(sensitivity, self.scale, self.distance * self.noise.len() as f64)
    }
}

/// (ε, δ) with ε = sensitivity/scale and δ = (1 + e^ε)·distance.
pub(super) fn price(sensitivity: u64, scale: f64, distance: f64) -> Result<Charge> {
    let refused = |_| Error::Parameter {
        parameter: "the sensitivity",
        requirement: "at least 1, and at most 700 times the scale",
        given: sensitivity,
    };
    let scale = Amount::from_binary(scale).map_err(refused)?;
    let epsilon = Amount::from_integer(sensitivity).checked_div(&scale);
    let epsilon = epsilon.unwrap_or(Amount::ZERO).compacted_up();
    let epsilon = Epsilon::from_amount(epsilon).map_err(refused)?;
    let factor = 1.0 + epsilon.to_f64_up().exp();
    // Six units in the last place cover the rounding of five operations, the caller's among them.
    let delta = Amount::from_binary(factor * distance * (1.0 + 6.0 * f64::EPSILON));
    let delta = Delta::from_amount(delta.map_err(refused)?).map_err(refused)?;
    Ok(Charge::from((epsilon, delta)))
}

/// A release of integers with noise drawn inside the computation.
#[derive(Clone, Debug, PartialEq)]
pub struct NoisyOpening {
    /// Names it; a budget accepts each name once.
    pub request: RequestId,
    /// The most by which one unit changes the values, in sum of magnitudes (L1).
    pub sensitivity: u64,
    /// The scale of the noise, 1/8 to 2^24: ε is sensitivity/scale.
    pub scale: f64,
    /// Whose privacy, and which data sets are neighbours.
    pub scope: Scope,
}

/// The number of bits of each geometric variable.
fn bits(scale: f64) -> u32 {
    // q^(2^m) = exp(-2^m/scale) ≤ 2^-TAIL_BITS.
    (scale * TAIL_BITS * std::f64::consts::LN_2).log2().ceil().max(1.0) as u32
}

/// For each bit of a geometric variable the probability that it is 1, times 2^PRECISION.
fn thresholds(scale: f64) -> Vec<u64> {
    let threshold = |bit: u32| {
        let power = (-f64::from(bit).exp2() / scale).exp();
        (power / (1.0 + power) * f64::from(PRECISION).exp2()).round() as u64
    };
    (0..bits(scale)).map(threshold).collect()
}

/// A bound on the total variation distance from discrete Laplace noise: the rounding of the thresholds
/// of two variables, and their tails.
fn distance(scale: f64) -> f64 {
    let count = bits(scale);
    let rounding = f64::from(2 * count) * f64::from(-(PRECISION as i32)).exp2();
    rounding + 2.0 * (-f64::from(count).exp2() / scale).exp()
}

impl<R: Ring, S: Scheme<R>> Party<R, S> {
    /// Discrete Laplace noise of this scale, probability proportional to exp(-|x|/scale), that nobody
    /// knows.
    ///
    /// # Privacy
    ///
    /// Added to integers of L1 sensitivity D before they are opened, the release is (D/scale, δ)
    /// differentially private; [`SharedNoise::charge`] has the price. Its δ covers the rounding of each
    /// threshold to 2^-48 (and of its floating-point computation, at most 2^-49 with a mathematical
    /// library of four units in the last place) and the cut tail. The noise is below 67·scale + 2 in
    /// magnitude; value and noise must not wrap around in the ring.
    ///
    /// [`open_with_noise`](Party::open_with_noise) draws, prices and opens in one.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] unless 1/8 ≤ scale ≤ 2^24; as [`multiply`](Party::multiply).
    pub async fn discrete_laplace(
        &mut self,
        length: usize,
        scale: f64,
    ) -> Result<SharedNoise<R, S>> {
        if !(0.125..=f64::from(1 << 24)).contains(&scale) {
            return Err(Error::Parameter {
                parameter: "the scale of the noise",
                requirement: "between 1/8 and 2^24",
                given: scale.clamp(0.0, 1e18) as u64,
            });
        }
        let count = bits(scale);
        // 2·count planes of `length` biased bits, each of PRECISION fair ones: bit j of all of them
        // together is one vector.
        let width = 2 * count as usize * length;
        let random = self.random_bits(PRECISION as usize * width).await?;
        let thresholds = thresholds(scale);
        let planes: Vec<_> = (0..PRECISION as usize)
            .map(|place| random.slice(place * width..(place + 1) * width))
            .collect();
        let each = |threshold| std::iter::repeat_n(threshold, 2 * length);
        let thresholds: Vec<u64> = thresholds.into_iter().flat_map(each).collect();
        let biased = super::random::below_public(self, &planes, &thresholds).await?;
        let mut noise = self.public(&vec![R::ZERO; length]);
        for bit in 0..count as usize {
            let start = 2 * bit * length;
            let plus = biased.slice(start..start + length);
            let minus = biased.slice(start + length..start + 2 * length);
            noise += &(plus - minus).scaled(R::from_u128(1 << bit));
        }
        Ok(SharedNoise { noise, distance: distance(scale), scale })
    }

    /// Opens integers with discrete Laplace noise that nobody knows, and declares the price to the
    /// [policy](Party::set_policy): with a budget, it is paid and recorded before a share leaves.
    ///
    /// # Privacy
    ///
    /// `release` says by how much one [unit](privacy_core::unit) changes all values together; the caller
    /// answers for that. What is opened has the price of [`SharedNoise::charge`].
    ///
    /// # Errors
    ///
    /// As [`discrete_laplace`](Party::discrete_laplace), [`SharedNoise::charge`] and
    /// [`open`](Party::open).
    ///
    /// # Example
    ///
    /// ```
    /// use std::sync::Arc;
    /// use privacy_core::prelude::*;
    /// use smpc_shares::opening::Policy;
    /// use smpc_shares::protocol::NoisyOpening;
    /// use smpc_shares::{Party, Replicated, field::Z64, net::{Config, simulate}};
    ///
    /// let limit = (Epsilon::new(1.0)?, Delta::new(1e-9)?);
    /// let opened = simulate(Config::replicated(), async |party: &mut Party<Z64, Replicated>| {
    ///     let budget = MemoryBudget::new(limit.clone());
    ///     party.set_policy(Policy::new().at_least(100).paid_from(Arc::new(budget)));
    ///     party.declare("visits", 300);
    ///     let [a, b, c] = party.input_from_all_as(&[Z64(100)]).await?;
    ///     let release = NoisyOpening {
    ///         request: RequestId::new("visits in week 47"),
    ///         sensitivity: 1,
    ///         scale: 2.0,
    ///         scope: Scope::of::<User, AddRemove>(),
    ///     };
    ///     party.open_with_noise(&(a + b + c), release).await
    /// })?;
    /// assert_eq!(opened[0], opened[1]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn open_with_noise(
        &mut self,
        values: &ShareVec<R, S>,
        release: NoisyOpening,
    ) -> Result<Vec<R>> {
        let drawn = self.discrete_laplace(values.checked()?.len(), release.scale).await?;
        let charge = drawn.charge(release.sensitivity)?;
        let values = self.renewed(values).await?;
        self.declare_price(Price { request: release.request, charge, scope: release.scope });
        self.open(&(values + &drawn.noise)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The law that the thresholds make, computed exactly up to rounding, beside the discrete Laplace law.
    #[test]
    fn the_thresholds_make_the_law_up_to_the_stated_distance() {
        for scale in [0.125, 0.7, 1.0, 3.0, 20.0] {
            let mut geometric = vec![1.0f64];
            for threshold in thresholds(scale) {
                let one = threshold as f64 / f64::from(PRECISION).exp2();
                let zeros = geometric.iter().map(|p| p * (1.0 - one));
                geometric = zeros.chain(geometric.iter().map(|p| p * one)).collect();
            }
            let n = geometric.len();
            let q = (-1.0 / scale).exp();
            let mut far = 0.0;
            let mut covered = 0.0;
            for x in 0..n {
                let same = geometric[x..].iter().zip(&geometric).map(|(a, b)| a * b).sum::<f64>();
                let law = (1.0 - q) / (1.0 + q) * q.powi(x as i32);
                let sides = if x == 0 { 1.0 } else { 2.0 };
                far += sides * (same - law).abs();
                covered += sides * law;
            }
            let total_variation = (far + (1.0 - covered)) / 2.0;
            assert!(total_variation <= distance(scale) + 1e-13, "{scale}: {total_variation}");
            assert!(distance(scale) < 1e-12);
        }
    }
}
