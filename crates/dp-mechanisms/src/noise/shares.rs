//! Noise in shares: each of several parties draws one, and what is sent to the aggregator sums to
//! the wanted noise.
//!
//! Nobody knows the noise, and parties that drop out or lie take only their shares with them. A
//! [`NoiseShares`] is made for the number of parties whose shares the noise must consist of; with
//! more, there is more noise than needed, and with fewer less, which
//! [`NoiseShares::charge_with`] prices.
//!
//! | noise | one of n shares | the sum of n shares | price |
//! |---|---|---|---|
//! | Laplace | difference of two Pólya draws of shape 1/n | exactly discrete Laplace | pure |
//! | Skellam | difference of two Poisson draws | exactly Skellam | Rényi |
//! | Gaussian | discrete Gaussian of variance σ²/n | nearly discrete Gaussian | zCDP |
//!
//! Shares are added to integers: what is a float goes through a public [grid](crate::grid) first.

mod log_series;
mod poisson;
mod polya;

use num_bigint::BigUint;
use num_rational::Ratio;
use privacy_core::measure::{Charge, Measure, RenyiCost, RenyiDp, RenyiPoint};
use privacy_core::params::Amount;
use privacy_core::random::{EntropyError, RandomBuffer, SecureRng};

use self::poisson::Poisson;
use self::polya::Polya;
use super::discrete_gaussian::DiscreteGaussian;
use super::error::NoiseError;

/// Orders at which Skellam noise is priced; the theorem is about integers.
const ORDERS: [u64; 22] =
    [2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 16, 20, 24, 28, 32, 48, 64, 96, 128, 192, 256];

/// The law of each party's share of a noise.
///
/// # Privacy
///
/// Neighbouring inputs of an integer query whose sum (with all shares) is released and whose
/// sensitivity is a given number of steps are priced by [`charge_with`](Self::charge_with), from
/// the shares of honest parties alone: what others send is post-processing, as long as it does
/// not depend on the honest shares.
///
/// # Timing
///
/// Draws take a time that depends on the share; see the [module](crate::noise).
///
/// # Example
///
/// ```
/// use dp_mechanisms::noise::shares::NoiseShares;
/// use num_rational::Ratio;
/// use privacy_core::params::Amount;
/// use privacy_core::random::SystemRng;
///
/// // Five parties, whose shares sum to discrete Laplace noise of scale 10.
/// let shares = NoiseShares::laplace(Ratio::from_integer(10u8.into()), 5)?;
/// let mut rng = SystemRng::new()?;
/// let counts = [12i128, 7, 30, 1, 9];
/// let mut sent = Vec::new();
/// for count in counts {
///     sent.push(count + shares.sample(&mut rng)?);
/// }
/// let released: i128 = sent.iter().sum();
/// # let _ = released;
/// // One step of sensitivity costs 1/10 if all five contributed.
/// assert_eq!(shares.charge_with(5, 1)?.in_pure().map(|cost| cost.epsilon), Some(Amount::from_decimal(0.1)?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct NoiseShares {
    parties: u32,
    law: Law,
}

#[derive(Debug, Clone)]
enum Law {
    Laplace { scale: Ratio<BigUint>, share: Polya },
    Skellam { variance: Ratio<BigUint>, share: Poisson },
    Gaussian { share: DiscreteGaussian },
}

impl NoiseShares {
    /// Shares of discrete Laplace noise of the given scale, up to 2^100.
    ///
    /// A geometric variable is the sum of n independent Pólya (negative binomial) variables of shape
    /// 1/n and the same ratio, and the discrete Laplace law is the difference of two geometric ones.
    ///
    /// # Errors
    ///
    /// [`NoiseError::NoParties`] for 0 parties, and as
    /// [`DiscreteLaplace::new`](crate::noise::DiscreteLaplace::new).
    pub fn laplace(scale: Ratio<BigUint>, parties: u32) -> Result<Self, NoiseError> {
        if parties == 0 {
            return Err(NoiseError::NoParties);
        }
        let scale = super::natural::checked_scale(scale, 1)?;
        let share = Polya::new(&scale, parties);
        Ok(NoiseShares { parties, law: Law::Laplace { scale, share } })
    }

    /// Shares of Skellam noise of the given variance, up to 2^30 a party: the difference of two
    /// Poisson variables of half the variance, which is closed under addition.
    ///
    /// # Errors
    ///
    /// [`NoiseError::NoParties`] for 0 parties, [`NoiseError::ZeroScale`],
    /// [`NoiseError::ScaleTooLarge`] or [`NoiseError::ZeroDenominator`].
    pub fn skellam(variance: Ratio<BigUint>, parties: u32) -> Result<Self, NoiseError> {
        if parties == 0 {
            return Err(NoiseError::NoParties);
        }
        let variance = super::natural::checked_scale(variance, 1)?;
        let mean = &variance / Ratio::from(BigUint::from(u64::from(parties) * 2));
        let share = Poisson::new(mean)?;
        Ok(NoiseShares { parties, law: Law::Skellam { variance, share } })
    }

    /// Shares of discrete Gaussian noise: each has the parameter `sigma_squared` / `parties`, which
    /// must be at least 1/4 for the price to be proven.
    ///
    /// # Errors
    ///
    /// [`NoiseError::NoParties`] for 0 parties, [`NoiseError::ShareTooSmall`], and as
    /// [`DiscreteGaussian::new`].
    pub fn gaussian(sigma_squared: Ratio<BigUint>, parties: u32) -> Result<Self, NoiseError> {
        if parties == 0 {
            return Err(NoiseError::NoParties);
        }
        let sigma_squared = super::natural::checked_scale(sigma_squared, 2)?;
        let of_one = &sigma_squared / Ratio::from(BigUint::from(parties));
        if of_one < Ratio::new(1u8.into(), 4u8.into()) {
            return Err(NoiseError::ShareTooSmall);
        }
        let share = DiscreteGaussian::new(of_one)?;
        Ok(NoiseShares { parties, law: Law::Gaussian { share } })
    }

    /// How many parties' shares sum to the noise that was asked for.
    #[must_use]
    pub fn parties(&self) -> u32 {
        self.parties
    }

    /// One party's share.
    ///
    /// # Errors
    ///
    /// [`EntropyError`] if the random source fails.
    pub fn sample(&self, rng: &mut dyn SecureRng) -> Result<i128, EntropyError> {
        match &self.law {
            Law::Gaussian { share } => share.sample(rng),
            Law::Laplace { share, .. } => {
                let random = &mut RandomBuffer::new(rng);
                Ok(share.draw(random)? - share.draw(random)?)
            }
            Law::Skellam { share, .. } => {
                let random = &mut RandomBuffer::new(rng);
                Ok(share.draw(random)? - share.draw(random)?)
            }
        }
    }

    /// The price of releasing a sum that `honest` parties added their shares to, for one integer
    /// query of sensitivity `distance`.
    ///
    /// - Laplace: with all parties, ε = distance/scale. With a fraction β of them the noise is the
    ///   difference of two Pólya variables of shape β; from one integer to the next its mass falls by
    ///   at most the factor r (β + m)/(m + 1) of a term with m >= the distance from 0, so that
    ///   ε = distance/scale + ln(distance/β) (the product of the factors from 0 to distance - 1 is at
    ///   least β/distance).
    /// - Skellam of variance μ: ε(α) = αD²/(2μ) + min(((2α-1)D² + 6D)/(4μ²), 3D/(2μ)) for integers
    ///   α > 1 (Agarwal, Kairouz, Liu 2021, Corollary 4.1 with scale 1,
    ///   <https://arxiv.org/abs/2110.04995>); μ shrinks with the parties.
    /// - Gaussian, k shares of parameter s each: ρ = D²/(2ks) + τ/4 with
    ///   τ = 10 (exp(-2π²s 1/2) + exp(-2π²s 2/3) + ... + exp(-2π²s (k-1)/k)) (Kairouz, Liu, Steinke
    ///   2021, Theorem 1 in one dimension, <https://arxiv.org/abs/2102.06387>).
    ///
    /// # Errors
    ///
    /// [`NoiseError::NoParties`] for 0 honest parties. More than
    /// [`parties`](Self::parties) count as that many for Laplace shares.
    pub fn charge_with(&self, honest: u32, distance: u64) -> Result<Charge, NoiseError> {
        if honest == 0 {
            return Err(NoiseError::NoParties);
        }
        let steps = Amount::from_integer(distance);
        Ok(match &self.law {
            Law::Laplace { scale, .. } => {
                let full = over(&steps, scale);
                let epsilon = if honest >= self.parties || distance == 0 {
                    full
                } else {
                    // distance parties / honest, whose logarithm is rounded up; two floats are
                    // exact to 2^-52, and the logarithm grows by as much.
                    let factor = distance as f64 * f64::from(self.parties) / f64::from(honest);
                    &full + &float_up(factor.ln() * (1.0 + 1e-14) + 1e-14)
                };
                Charge::pure(epsilon)
            }
            Law::Skellam { variance, .. } => {
                let share = Ratio::new(BigUint::from(honest), BigUint::from(self.parties));
                let points = ORDERS.map(|order| RenyiPoint {
                    order: order.into(),
                    epsilon: skellam_epsilon(order, &steps, &(variance * &share)),
                });
                let curve = RenyiCost::new(points.to_vec())
                    .map_err(|_| NoiseError::ScaleTooLarge { limit_bits: 30 })?;
                RenyiDp::charge(&curve)
            }
            Law::Gaussian { share } => {
                let doubled =
                    share.sigma_squared() * Ratio::from(BigUint::from(u64::from(honest) * 2));
                let base = over(&steps.squared(), &doubled);
                let quarter = closeness(share.sigma_squared(), honest).scaled_by_power_of_two(-2);
                Charge::zcdp(if distance == 0 { Amount::ZERO } else { &base + &quarter })
            }
        })
    }
}

/// `amount / ratio`, exactly; the constructors refuse ratio 0.
fn over(amount: &Amount, ratio: &Ratio<BigUint>) -> Amount {
    Amount::from_fraction(ratio.numer().clone(), ratio.denom().clone())
        .ok()
        .and_then(|ratio| amount.checked_div(&ratio))
        .unwrap_or(Amount::ZERO)
}

/// The float, or what no budget allows if it is none.
fn float_up(x: f64) -> Amount {
    Amount::from_binary(x).unwrap_or_else(|_| Amount::from_integer(u64::MAX))
}

fn skellam_epsilon(order: u64, steps: &Amount, variance: &Ratio<BigUint>) -> Amount {
    let integer = Amount::from_integer;
    let squared = steps.squared();
    let main = over(&(&integer(order) * &squared), &(variance * Ratio::from(BigUint::from(2u8))));
    let narrow = &(&integer(2 * order - 1) * &squared) + &(&integer(6) * steps);
    let narrow = over(&narrow, &(variance * variance * Ratio::from(BigUint::from(4u8))));
    let wide = over(&(&integer(3) * steps), &(variance * Ratio::from(BigUint::from(2u8))));
    &main + &narrow.min(wide)
}

/// τ, rounded up.
fn closeness(share: &Ratio<BigUint>, honest: u32) -> Amount {
    const TERMS: u32 = 64;
    let share = over(&Amount::from_integer(1), &share.recip()).to_f64_down();
    let term = |k: u32| {
        let fraction = f64::from(k) / (f64::from(k) + 1.0);
        (-2.0 * std::f64::consts::PI.powi(2) * share * fraction).exp()
    };
    // Terms fall with k: those beyond the first are at most the next one.
    let first: f64 = (1..honest.min(TERMS)).map(term).sum();
    let others = f64::from(honest.saturating_sub(TERMS)) * term(TERMS);
    // The exponent errs by some 2^-50 of itself, which is below 750 where the term is not 0.
    float_up(if honest == 1 { 0.0 } else { 10.0 * (first + others) * (1.0 + 1e-11) + 1e-300 })
}

#[cfg(test)]
mod tests;
