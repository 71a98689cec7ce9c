//! Noise drawn inside the computation: discrete Laplace noise that no party knows.
//!
//! The difference of two geometric variables with ratio q. The bits of a geometric variable are
//! independent, bit i being 1 with probability q^(2^i)/(1 + q^(2^i)) (Dwork et al. 2006,
//! <https://doi.org/10.1007/11761679_29>); each is one comparison of shared random bits with a public
//! threshold.

use crate::error::{Error, Result};
use crate::field::Ring;
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
    /// A bound on the total variation distance of each value from discrete Laplace noise, to be
    /// added to δ for each value released.
    pub distance: f64,
}

/// The number of bits of each geometric variable.
fn bits(scale: f64) -> u32 {
    // q^(2^m) = exp(-2^m/scale) ≤ 2^-TAIL_BITS.
    (scale * TAIL_BITS * std::f64::consts::LN_2).log2().ceil().max(1.0) as u32
}

impl<R: Ring, S: Scheme<R>> Party<R, S> {
    /// Discrete Laplace noise of this scale, probability proportional to exp(-|x|/scale), that nobody
    /// knows.
    ///
    /// # Privacy
    ///
    /// Added to a count or sum of sensitivity D before it is opened, the release is (D/scale, δ)
    /// differentially private with δ from [`SharedNoise::distance`]: rounding of each threshold to
    /// 2^-48 (and of its floating-point computation, at most 2^-49 with a mathematical library of
    /// four units in the last place) and the cut tail. The noise fits into some scale·34 in magnitude;
    /// value and noise must not wrap around in the ring.
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
        let thresholds: Vec<u64> = (0..count)
            .map(|bit| {
                let power = (-f64::from(bit).exp2() / scale).exp();
                (power / (1.0 + power) * f64::from(PRECISION).exp2()).round() as u64
            })
            .collect();
        let (mut generate, mut propagate) = (Vec::new(), Vec::new());
        for place in 0..PRECISION as usize {
            let fair = random.slice(place * width..(place + 1) * width);
            // [fair < threshold] is a borrow: generated where the threshold's bit is 1 and the fair
            // one 0, passed on where they are equal.
            let threshold: Vec<R> = thresholds
                .iter()
                .flat_map(|threshold| {
                    std::iter::repeat_n(R::from_u128((threshold >> place & 1).into()), 2 * length)
                })
                .collect();
            let negated: Vec<R> = threshold.iter().map(|bit| -*bit).collect();
            generate.push(fair.times_public(&negated).plus_public(&threshold));
            // equal = 1 - fair - bit + 2·bit·fair.
            let sign: Vec<R> = threshold.iter().map(|bit| *bit + *bit - R::ONE).collect();
            let rest: Vec<R> = threshold.iter().map(|bit| R::ONE - *bit).collect();
            propagate.push(fair.times_public(&sign).plus_public(&rest));
        }
        let biased = super::compare::carry(self, generate, propagate).await?;
        let biased = biased.ok_or(Error::Poisoned)?;
        let mut noise = self.public(&vec![R::ZERO; length]);
        for bit in 0..count as usize {
            let start = 2 * bit * length;
            let plus = biased.slice(start..start + length);
            let minus = biased.slice(start + length..start + 2 * length);
            noise += &(plus - minus).scaled(R::from_u128(1 << bit));
        }
        let rounding = f64::from(2 * count) * f64::from(-(PRECISION as i32)).exp2();
        let cut = 2.0 * (-f64::from(count).exp2() / scale).exp();
        Ok(SharedNoise { noise, distance: rounding + cut })
    }
}
