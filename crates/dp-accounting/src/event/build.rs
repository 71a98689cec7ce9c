//! Constructors of events, and how they are shown.

use super::{Event, check};
use crate::error::Result;

macro_rules! checked {
    ($event:expr) => {{
        let event = $event;
        check::check_one(&event)?;
        Ok(event)
    }};
}

/// Constructors. Each fails with `OutOfRange` if a parameter is out of the range its variant states.
#[allow(clippy::missing_errors_doc)]
impl Event {
    /// See [`Event::Laplace`].
    pub fn laplace(noise_multiplier: f64) -> Result<Self> {
        checked!(Event::Laplace { noise_multiplier })
    }

    /// See [`Event::DiscreteLaplace`].
    pub fn discrete_laplace(scale: f64, sensitivity: u32) -> Result<Self> {
        checked!(Event::DiscreteLaplace { scale, sensitivity })
    }

    /// See [`Event::Gaussian`].
    pub fn gaussian(noise_multiplier: f64) -> Result<Self> {
        checked!(Event::Gaussian { noise_multiplier })
    }

    /// See [`Event::DiscreteGaussian`].
    pub fn discrete_gaussian(sigma: f64, sensitivity: u32) -> Result<Self> {
        checked!(Event::DiscreteGaussian { sigma, sensitivity })
    }

    /// See [`Event::RandomizedResponse`].
    pub fn randomized_response(epsilon: f64, categories: u32) -> Result<Self> {
        checked!(Event::RandomizedResponse { epsilon, categories })
    }

    /// See [`Event::ExponentialMechanism`].
    pub fn exponential_mechanism(epsilon: f64) -> Result<Self> {
        checked!(Event::ExponentialMechanism { epsilon })
    }

    /// See [`Event::PermuteAndFlip`].
    pub fn permute_and_flip(epsilon: f64) -> Result<Self> {
        checked!(Event::PermuteAndFlip { epsilon })
    }

    /// See [`Event::ReportNoisyMax`].
    pub fn report_noisy_max(epsilon: f64) -> Result<Self> {
        checked!(Event::ReportNoisyMax { epsilon })
    }

    /// See [`Event::SparseVector`].
    pub fn sparse_vector(epsilon: f64) -> Result<Self> {
        checked!(Event::SparseVector { epsilon })
    }

    /// See [`Event::PureDp`].
    pub fn pure_dp(epsilon: f64) -> Result<Self> {
        checked!(Event::PureDp { epsilon })
    }

    /// See [`Event::ApproxDp`].
    pub fn approx_dp(epsilon: f64, delta: f64) -> Result<Self> {
        checked!(Event::ApproxDp { epsilon, delta })
    }

    /// See [`Event::Zcdp`].
    pub fn zcdp(rho: f64) -> Result<Self> {
        checked!(Event::Zcdp { rho })
    }

    /// See [`Event::Shuffled`].
    pub fn shuffled(epsilon: f64, reports: u64) -> Result<Self> {
        checked!(Event::Shuffled { epsilon, reports })
    }

    /// See [`Event::RandomAllocation`].
    pub fn random_allocation(noise_multiplier: f64, steps: u64) -> Result<Self> {
        checked!(Event::RandomAllocation { noise_multiplier, steps })
    }

    /// This event on a Poisson sample. See [`Event::PoissonSampled`].
    pub fn poisson_sampled(self, rate: f64) -> Result<Self> {
        checked!(Event::PoissonSampled { rate, inner: Box::new(self) })
    }

    /// This event on a sample without replacement. See [`Event::FixedSizeSampled`].
    pub fn fixed_size_sampled(self, sample: u64, population: u64) -> Result<Self> {
        checked!(Event::FixedSizeSampled { sample, population, inner: Box::new(self) })
    }

    /// This event as one run of a selection. See [`Event::RepeatAndSelect`].
    pub fn repeat_and_select(self, mean: f64, shape: f64) -> Result<Self> {
        checked!(Event::RepeatAndSelect { mean, shape, inner: Box::new(self) })
    }

    /// This event `count` times.
    #[must_use]
    pub fn repeat(self, count: u64) -> Self {
        Event::Repeated { count, inner: Box::new(self) }
    }

    /// This event and then `other`.
    #[must_use]
    pub fn and(self, other: Event) -> Self {
        match self {
            Event::Composed { mut events } => {
                events.push(other);
                Event::Composed { events }
            }
            first => Event::Composed { events: vec![first, other] },
        }
    }

    /// The kind of event, for reports and errors.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Event::NoOp => "no-op",
            Event::NonPrivate => "non-private release",
            Event::Laplace { .. } => "Laplace noise",
            Event::DiscreteLaplace { .. } => "discrete Laplace noise",
            Event::Gaussian { .. } => "Gaussian noise",
            Event::DiscreteGaussian { .. } => "discrete Gaussian noise",
            Event::RandomizedResponse { .. } => "randomized response",
            Event::ExponentialMechanism { .. } => "exponential mechanism",
            Event::PermuteAndFlip { .. } => "permute-and-flip",
            Event::ReportNoisyMax { .. } => "report noisy max",
            Event::SparseVector { .. } => "sparse vector",
            Event::PureDp { .. } => "pure DP mechanism",
            Event::ApproxDp { .. } => "approximate DP mechanism",
            Event::Zcdp { .. } => "zCDP mechanism",
            Event::Shuffled { .. } => "shuffled local reports",
            Event::RandomAllocation { .. } => "random allocation",
            Event::PoissonSampled { .. } => "Poisson-sampled event",
            Event::FixedSizeSampled { .. } => "fixed-size-sampled event",
            Event::RepeatAndSelect { .. } => "repeat-and-select",
            Event::Composed { .. } => "composition",
            Event::Repeated { .. } => "repetition",
        }
    }
}

impl std::fmt::Display for Event {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.kind())?;
        match self {
            Event::Laplace { noise_multiplier } | Event::Gaussian { noise_multiplier } => {
                write!(f, " (z = {noise_multiplier})")
            }
            Event::DiscreteLaplace { scale, sensitivity } => {
                write!(f, " (scale {scale}, sensitivity {sensitivity})")
            }
            Event::DiscreteGaussian { sigma, sensitivity } => {
                write!(f, " (sigma {sigma}, sensitivity {sensitivity})")
            }
            Event::RandomizedResponse { epsilon, categories } => {
                write!(f, " (epsilon {epsilon}, {categories} categories)")
            }
            Event::ExponentialMechanism { epsilon }
            | Event::PermuteAndFlip { epsilon }
            | Event::ReportNoisyMax { epsilon }
            | Event::SparseVector { epsilon }
            | Event::PureDp { epsilon } => write!(f, " (epsilon {epsilon})"),
            Event::ApproxDp { epsilon, delta } => {
                write!(f, " (epsilon {epsilon}, delta {delta:e})")
            }
            Event::Zcdp { rho } => write!(f, " (rho {rho})"),
            Event::Shuffled { epsilon, reports } => {
                write!(f, " (local epsilon {epsilon}, {reports} reports)")
            }
            Event::RandomAllocation { noise_multiplier, steps } => {
                write!(f, " (z = {noise_multiplier}, {steps} steps)")
            }
            Event::PoissonSampled { rate, inner } => write!(f, " (rate {rate:.4e}: {inner})"),
            Event::FixedSizeSampled { sample, population, inner } => {
                write!(f, " ({sample} of {population}: {inner})")
            }
            Event::RepeatAndSelect { mean, shape, inner } => {
                write!(f, " (mean {mean}, shape {shape}: {inner})")
            }
            Event::Composed { events } => write!(f, " of {} events", events.len()),
            Event::Repeated { count, inner } => write!(f, " ({count} times: {inner})"),
            Event::NoOp | Event::NonPrivate => Ok(()),
        }
    }
}
