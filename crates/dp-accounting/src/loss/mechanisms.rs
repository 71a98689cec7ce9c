//! The loss distributions of single mechanisms.

use super::distribution::LossDistribution;
use super::pair::Pair;
use crate::error::{Result, out_of_range, probability};
use crate::gaussian::GaussianDp;
use crate::numeric::{U, up};

impl LossDistribution {
    /// Gaussian noise of `noise_multiplier` standard deviations per unit of L2 sensitivity.
    ///
    /// # Errors
    ///
    /// `OutOfRange` unless the multiplier is finite and its inverse, too.
    pub fn gaussian(noise_multiplier: f64) -> Result<Self> {
        Ok(Self::symmetric(Pair::gaussian(
            GaussianDp::from_noise_multiplier(noise_multiplier)?.mu(),
        )))
    }

    /// Laplace noise of `noise_multiplier` scales per unit of L1 sensitivity, one value.
    ///
    /// # Errors
    ///
    /// `OutOfRange` unless the multiplier is between 1e-6 and 1e15.
    pub fn laplace(noise_multiplier: f64) -> Result<Self> {
        let b = in_range("noise_multiplier", noise_multiplier, &SCALES)?;
        Ok(Self::symmetric(Pair::laplace(up(1.0 / b, U))))
    }

    /// Discrete Laplace (two-sided geometric) noise of `scale`, `P(x)` proportional to
    /// `e^(-|x|/scale)`, on an integer of sensitivity `sensitivity`.
    ///
    /// # Errors
    ///
    /// `OutOfRange` unless `scale` is between 1e-6 and 1e15 and the sensitivity between 1 and 10^6.
    pub fn discrete_laplace(scale: f64, sensitivity: u32) -> Result<Self> {
        let scale = in_range("scale", scale, &SCALES)?;
        let d = in_range("sensitivity", f64::from(sensitivity), &SENSITIVITIES)? as u32;
        Ok(Self::symmetric(Pair::discrete_laplace(up(1.0 / scale, U), d)))
    }

    /// Discrete Gaussian noise of parameter `sigma`, `P(x)` proportional to
    /// `e^(-x^2/(2 sigma^2))`, on one integer of sensitivity `sensitivity`.
    ///
    /// # Errors
    ///
    /// `OutOfRange` unless `sigma` is between 0.02 and 20,000 and the sensitivity between 1 and
    /// 10^6. Larger noise is priced by its zCDP.
    pub fn discrete_gaussian(sigma: f64, sensitivity: u32) -> Result<Self> {
        let sigma = in_range("sigma", sigma, &DISCRETE_SIGMAS)?;
        let d = in_range("sensitivity", f64::from(sensitivity), &SENSITIVITIES)? as u32;
        Ok(Self::symmetric(Pair::discrete_gaussian(sigma, d)))
    }

    /// k-ary randomized response, one report replaced: the truth has odds `e^epsilon` to 1 against
    /// each of the other categories.
    ///
    /// # Errors
    ///
    /// `OutOfRange` unless `epsilon` is between 0 and 1e6 and there are two categories or more.
    pub fn randomized_response(epsilon: f64, categories: u32) -> Result<Self> {
        let epsilon = in_range("epsilon", epsilon, &EPSILONS)?;
        if categories < 2 {
            return Err(out_of_range("categories", f64::from(categories), "2 or more"));
        }
        if epsilon == 0.0 {
            return Ok(Self::zero());
        }
        Ok(Self::symmetric(Pair::randomized_response(epsilon, categories)))
    }

    /// The exponential mechanism, or any mechanism whose loss stays in an interval of length
    /// `epsilon`: the pair whose curve is `(e^(epsilon/2) - e^(g/2))^2 / (e^epsilon - 1)`, the
    /// largest over the family of [Dong, Durfee, Rogers 2020](https://arxiv.org/abs/1909.13830).
    ///
    /// # Errors
    ///
    /// `OutOfRange` unless `epsilon` is between 1e-15 and 1e6.
    pub fn bounded_range(epsilon: f64) -> Result<Self> {
        Ok(Self::symmetric(Pair::bounded_range(in_range("epsilon", epsilon, &RANGES)?)))
    }

    /// Any `epsilon`-DP mechanism: randomized response is the worst
    /// ([Kairouz, Oh, Viswanath 2015](https://arxiv.org/abs/1311.0776), Theorem 3.2).
    ///
    /// # Errors
    ///
    /// `OutOfRange` unless `epsilon` is between 0 and 1e6.
    pub fn pure(epsilon: f64) -> Result<Self> {
        Self::randomized_response(epsilon, 2)
    }

    /// Any (`epsilon`, `delta`)-DP mechanism, by the same theorem.
    ///
    /// # Errors
    ///
    /// `OutOfRange` unless `epsilon` is between 0 and 1e6 and `delta` is a probability.
    pub fn approximate(epsilon: f64, delta: f64) -> Result<Self> {
        let epsilon = in_range("epsilon", epsilon, &EPSILONS)?;
        let delta = probability("delta", delta)?;
        if epsilon == 0.0 && delta == 0.0 {
            return Ok(Self::zero());
        }
        Ok(Self::symmetric(Pair::black_box(epsilon, delta)))
    }

    /// The Gaussian guarantee as a loss distribution.
    #[must_use]
    pub fn of_gaussian(guarantee: GaussianDp) -> Self {
        if guarantee.mu() == 0.0 {
            return Self::zero();
        }
        Self::symmetric(Pair::gaussian(guarantee.mu()))
    }

    /// Shuffled reports of `reports` users, each by an `epsilon`-DP local randomizer, one user's
    /// value replaced: [Feldman, McMillan, Talwar 2021](https://arxiv.org/abs/2012.12803), Theorem
    /// 3.2, whatever the randomizer. The pair is an upper bound, rounded up; the lower end of a
    /// bracket is that of the pair, not of a particular randomizer.
    ///
    /// # Errors
    ///
    /// `OutOfRange` unless `epsilon` is between 0 and 1e6.
    pub fn shuffled(epsilon: f64, reports: u64) -> Result<Self> {
        let epsilon = in_range("epsilon", epsilon, &EPSILONS)?;
        match super::shuffle::pair(epsilon, reports) {
            Some(pair) if epsilon > 0.0 => Ok(Self::symmetric(pair)),
            _ => Self::pure(epsilon),
        }
    }

    /// Poisson-sampled Gaussian noise, one record replaced by another: the records contribute up
    /// to 1 each (L2), noise is `noise_multiplier`, and the pair is
    /// ((1-q)N(0) + qN(-1), (1-q)N(0) + qN(1)).
    ///
    /// # Errors
    ///
    /// `OutOfRange` unless the multiplier is between 1e-3 and 1e15 and `rate` is a probability.
    pub fn poisson_sampled_gaussian_replace(noise_multiplier: f64, rate: f64) -> Result<Self> {
        let sigma = in_range("noise_multiplier", noise_multiplier, &SIGMAS)?;
        let q = probability("rate", rate)?;
        if q == 0.0 {
            return Ok(Self::zero());
        }
        if q >= 1.0 {
            return Self::gaussian(0.5 * sigma);
        }
        Ok(Self::symmetric(Pair::replace_gaussian(sigma, q)))
    }
}

/// Limits of a parameter, with their text.
struct Limits(f64, f64, &'static str);

const SCALES: Limits = Limits(1e-6, 1e15, "between 1e-6 and 1e15");
const SIGMAS: Limits = Limits(1e-3, 1e15, "between 1e-3 and 1e15");
const DISCRETE_SIGMAS: Limits = Limits(0.02, 2e4, "between 0.02 and 20,000");
const SENSITIVITIES: Limits = Limits(1.0, 1e6, "between 1 and 10^6");
const EPSILONS: Limits = Limits(0.0, 1e6, "between 0 and 1e6");
const RANGES: Limits = Limits(1e-15, 1e6, "between 1e-15 and 1e6");

fn in_range(parameter: &'static str, value: f64, limits: &Limits) -> Result<f64> {
    let Limits(low, high, range) = *limits;
    if value >= low && value <= high {
        return Ok(value);
    }
    Err(out_of_range(parameter, value, range))
}
