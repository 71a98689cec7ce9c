//! Continual sums with the noise of the square-root factorization.

use std::fmt;
use std::sync::Arc;

use privacy_core::measure::Charge;
use privacy_core::params::{Amount, Rho};
use privacy_core::random::SecureRng;
use privacy_core::space::L2Distance;

use super::contribution::Contribution;
use super::law::PrefixLaw;
use super::pool::Pool;
use super::toeplitz::{DIGITS, Factor};
use super::{Continual, checked_steps};
use crate::additive::{GaussianNoise, Noise};
use crate::error::{Error, Result};
use crate::noise::NoiseError;

/// The most steps: a stream remembers 16 bytes of each.
const LONGEST_IN_MEMORY: u64 = 1 << 24;

/// Above this sigma (in units of 2^-24) intermediate results might leave 128 bits.
const MAX_SIGMA_BITS: u32 = 96;

/// The square-root factorization over a known number of steps: its noise, its price, its error.
///
/// Of all ways in this module the lowest error; Gaussian noise only. Over n steps the standard
/// deviation of each prefix is at most Δ/√(2ρ) times 1.0663 + ln(n)/π.
///
/// # Privacy
///
/// Let K be the integer factor of 24 binary digits (see [`square_root_error_factor`]). The vector
/// y = K x + z with discrete Gaussian z has ρ = Δ² max‖K v‖² / (2σ²), where v runs over the vectors
/// that a unit can change x by, in units of its magnitude Δ (Canonne, Kamath, Steinke 2020, on
/// integer vectors). No entry is rounded: K and x are integers.
///
/// What is released is a function of y. With R(a) = ⌊a + 1/2⌋ let
/// W_t(y) = y_t - R(2^-24 Σ_(j>=1) K_j W_(t-j)(y)), an integer. Then W(K x + z) = 2^24 x + W(z):
/// by induction the sum in R moves by the integer Σ_(j>=1) K_j x_(t-j), and R commutes with
/// integers. The partial sums of W(y) are therefore 2^24 times the exact prefix plus those of
/// W(z), and this is how they are computed: the recursion runs over the noise alone, in integers.
///
/// [`square_root_error_factor`]: super::square_root_error_factor
///
/// # Example
///
/// ```
/// use dp_mechanisms::stream::{Contribution, SquareRootPlan, TreePlan};
/// use privacy_core::params::Rho;
///
/// let (n, rho) = (1 << 12, Rho::new(0.5)?);
/// let root = SquareRootPlan::new(n, Contribution::ONE_RECORD, &rho)?;
/// let tree = TreePlan::gaussian(n, Contribution::ONE_RECORD, &rho)?;
/// assert!(tree.law(n - 1).std_dev() > 3.0 * root.law(n - 1).std_dev());
/// # Ok::<(), dp_mechanisms::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a plan is opened"]
pub struct SquareRootPlan {
    horizon: u64,
    factor: Arc<Factor>,
    noise: Noise,
    charge: Charge,
}

impl SquareRootPlan {
    /// For `horizon` steps (at most 2^24) at the price `rho`.
    ///
    /// # Errors
    ///
    /// [`privacy_core::Error::Parameter`] for a horizon out of range, [`NoiseError`] if the noise
    /// would be too large to draw.
    pub fn new(horizon: u64, unit: Contribution, rho: &Rho) -> Result<Self> {
        checked_steps("the horizon of the stream", horizon, LONGEST_IN_MEMORY)?;
        let factor = Factor::new(horizon);
        let norm = factor.squared_norm(u64::from(unit.steps()).min(horizon));
        let magnitude = Amount::from_integer(unit.magnitude()).squared();
        let squared = &Amount::from_fraction(norm, 1u8)? * &magnitude;
        // An integer variance, rounded up, keeps the sampler on short integers.
        let doubled = rho.amount().scaled_by_power_of_two(1);
        let variance = squared.checked_div(&doubled).unwrap_or(Amount::ZERO);
        let rounded = Amount::from_fraction(variance.as_ratio().ceil().to_integer(), 1u8)?;
        let least = GaussianNoise::<()>::calibrated(&L2Distance::from_squared(squared), rho)?;
        let noise = GaussianNoise::<()>::with_variance(rounded)?;
        debug_assert!(noise.variance() >= least.variance());
        if noise.noise().standard_deviation() > 2f64.powi(MAX_SIGMA_BITS as i32) {
            return Err(NoiseError::ScaleTooLarge { limit_bits: MAX_SIGMA_BITS }.into());
        }
        let charge = Charge::from(rho.clone());
        Ok(SquareRootPlan { horizon, factor: Arc::new(factor), noise: noise.noise(), charge })
    }

    /// How many steps the stream takes.
    #[must_use]
    pub fn horizon(&self) -> u64 {
        self.horizon
    }

    /// The noise on K x, in units of 2^-24.
    #[must_use]
    pub fn noise(&self) -> &Noise {
        &self.noise
    }

    /// What the whole stream costs, once.
    #[must_use]
    pub fn charge(&self) -> &Charge {
        &self.charge
    }

    /// The law of the error of the prefix after `step` steps, at most the horizon.
    ///
    /// The first question about a step takes time in proportion to its number; answers are
    /// remembered.
    #[must_use]
    pub fn law(&self, step: u64) -> PrefixLaw {
        law(&self.factor, &self.noise, step.min(self.horizon))
    }

    /// Opens the stream with a random source of its own. Pay the charge first, see
    /// [`open_paid`](super::open_paid).
    pub fn open<R: SecureRng>(&self, rng: R) -> SquareRootStream<R> {
        SquareRootStream {
            horizon: self.horizon,
            factor: Arc::clone(&self.factor),
            pool: Pool::new(self.noise.clone()),
            rng,
            exact: 0,
            carried: vec![0],
        }
    }
}

fn law(factor: &Factor, noise: &Noise, step: u64) -> PrefixLaw {
    let (norm, total) = factor.response(step);
    if step == 0 {
        return PrefixLaw::default();
    }
    let unit = 2f64.powi(-(DIGITS as i32));
    // Each step rounds once, by at most half a unit.
    PrefixLaw::gaussian(noise, norm * unit, 1.5 * total * unit)
}

/// The open stream; releases multiples of 2^-24.
pub struct SquareRootStream<R> {
    horizon: u64,
    factor: Arc<Factor>,
    pool: Pool,
    rng: R,
    exact: i128,
    /// Partial sums of W(z), after a 0: the noise of each prefix so far.
    carried: Vec<i128>,
}

impl<R: SecureRng> Continual for SquareRootStream<R> {
    fn advance(&mut self, increment: i64) -> Result<i128> {
        let t = self.steps();
        if t >= self.horizon {
            return Err(Error::StreamEnded { horizon: self.horizon });
        }
        let draw = self.pool.next(&mut self.rng)?;
        let next = carry(&self.factor, &self.carried, draw);
        self.carried.push(next);
        self.exact += i128::from(increment);
        // Below 2^(63 + 24 + 24) and, see `carry`, 2^126.
        Ok((self.exact << DIGITS).saturating_add(next))
    }

    fn exponent(&self) -> i32 {
        -(DIGITS as i32)
    }

    fn steps(&self) -> u64 {
        self.carried.len() as u64 - 1
    }

    fn law(&self) -> PrefixLaw {
        law(&self.factor, self.pool.noise(), self.steps())
    }
}

/// The next partial sum of W(z), from those so far and the next z.
///
/// The sum over lags is taken in two halves of 64 bits, so that no product leaves 128 bits:
/// K <= 2^24, at most 2^8 bins, sums below 2^126. The latter holds up to |z| = 2^112, since the
/// coefficients of A C⁻¹ sum up to less than 2^13; at the largest sigma, 2^96, a larger draw has
/// probability below exp(-2^30).
#[inline]
fn carry(factor: &Factor, carried: &[i128], draw: i128) -> i128 {
    let t = carried.len() - 1;
    let at = |index: usize| carried.get(index).copied().unwrap_or_default();
    let (mut low, mut high) = (0u128, 0i128);
    for bin in factor.bins().iter().skip(1) {
        if bin.from as usize > t {
            break;
        }
        let newest = at(t + 1 - bin.from as usize);
        let oldest = at((t + 1).saturating_sub(bin.to as usize));
        let sum = newest.wrapping_sub(oldest);
        low += u128::from(bin.factor) * u128::from(sum as u64);
        high += i128::from(bin.factor as i64) * i128::from((sum >> 64) as i64);
    }
    let half = 1u128 << (DIGITS - 1);
    let rounded = (high << (64 - DIGITS)).wrapping_add(((low + half) >> DIGITS) as i128);
    at(t).wrapping_add(draw).wrapping_sub(rounded)
}

impl<R> fmt::Debug for SquareRootStream<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SquareRootStream").field("horizon", &self.horizon).finish_non_exhaustive()
    }
}
