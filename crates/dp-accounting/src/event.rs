//! What was done, as plain data: the event tree and the plan.
//!
//! An [`Event`] says which mechanism ran and with which parameters, and how it was repeated,
//! sampled or composed. A [`Plan`] is an event together with the neighbouring relation it is
//! measured by. Both are plain values with a serialized form that can be stored, hashed, reviewed
//! and priced before any data are touched. Deserialization validates: a plan that exists is valid.
//!
//! **Noise is counted per unit of sensitivity** under the plan's relation: noise multiplier = scale
//! (or standard deviation) / sensitivity. Inside a Poisson-sampling event the sensitivity is what
//! one record contributes when it is present (its add/remove sensitivity), also under replacement,
//! since there the sample may hold the old record, the new one, both at different times or neither.

mod build;
mod check;
mod leaf;
mod plan;

use serde::{Deserialize, Serialize};

pub use plan::Plan;
pub use privacy_core::unit::Relation;

pub(crate) use leaf::leaves;

/// One mechanism, or a tree of them.
///
/// Build events with the constructors, which check their parameters; a deserialized [`Plan`] is
/// checked as a whole.
///
/// # Example
///
/// ```
/// use dp_accounting::event::{Event, Plan, Relation};
///
/// let training = Event::gaussian(1.1)?.poisson_sampled(256.0 / 60_000.0)?.repeat(14_062);
/// let report = Event::laplace(20.0)?;
/// let plan = Plan::new(Relation::AddRemove, training.and(report))?;
/// let stored = serde_json::to_string(&plan).unwrap();
/// assert_eq!(serde_json::from_str::<Plan>(&stored).unwrap(), plan);
/// # Ok::<(), dp_accounting::AccountingError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// Nothing that depends on the data.
    NoOp,
    /// A release without any privacy.
    NonPrivate,
    /// Laplace noise on one value (or on a vector, by L1 sensitivity: pure accounting only).
    Laplace {
        /// Scale / L1 sensitivity, above 0.
        #[serde(with = "crate::exact")]
        noise_multiplier: f64,
    },
    /// Discrete Laplace (two-sided geometric) noise on an integer.
    DiscreteLaplace {
        /// `P(x)` is proportional to `e^(-|x|/scale)`.
        #[serde(with = "crate::exact")]
        scale: f64,
        /// Integer sensitivity, 1 or more.
        sensitivity: u32,
    },
    /// Gaussian noise.
    Gaussian {
        /// Standard deviation / L2 sensitivity, above 0.
        #[serde(with = "crate::exact")]
        noise_multiplier: f64,
    },
    /// Discrete Gaussian noise on an integer.
    DiscreteGaussian {
        /// `P(x)` is proportional to `e^(-x^2/(2 sigma^2))`.
        #[serde(with = "crate::exact")]
        sigma: f64,
        /// Integer sensitivity, 1 or more.
        sensitivity: u32,
    },
    /// k-ary randomized response by every unit (replacement only: who takes part is visible).
    RandomizedResponse {
        /// Log-odds of the truth against one other category.
        #[serde(with = "crate::exact")]
        epsilon: f64,
        /// Number of categories, 2 or more.
        categories: u32,
    },
    /// The exponential mechanism at `epsilon` (a bounded-range mechanism), and report-noisy-max
    /// with Gumbel noise, which is the same.
    ExponentialMechanism {
        /// Its epsilon.
        #[serde(with = "crate::exact")]
        epsilon: f64,
    },
    /// Permute-and-flip, and report-noisy-max with exponential noise, which is the same.
    PermuteAndFlip {
        /// Its epsilon.
        #[serde(with = "crate::exact")]
        epsilon: f64,
    },
    /// Report-noisy-max with Laplace noise.
    ReportNoisyMax {
        /// Its epsilon.
        #[serde(with = "crate::exact")]
        epsilon: f64,
    },
    /// The sparse vector technique, all queries up to its cut-off, charged once.
    SparseVector {
        /// Threshold and query shares together.
        #[serde(with = "crate::exact")]
        epsilon: f64,
    },
    /// Any epsilon-DP mechanism.
    PureDp {
        /// Its epsilon.
        #[serde(with = "crate::exact")]
        epsilon: f64,
    },
    /// Any (epsilon, delta)-DP mechanism.
    ApproxDp {
        /// Its epsilon.
        #[serde(with = "crate::exact")]
        epsilon: f64,
        /// Its delta.
        #[serde(with = "crate::exact")]
        delta: f64,
    },
    /// Any rho-zCDP mechanism.
    Zcdp {
        /// Its rho.
        #[serde(with = "crate::exact")]
        rho: f64,
    },
    /// Reports of `reports` users, each by an `epsilon`-DP local randomizer, shuffled uniformly
    /// (replacement of one user's value).
    Shuffled {
        /// Epsilon of the local randomizer.
        #[serde(with = "crate::exact")]
        epsilon: f64,
        /// Number of users.
        reports: u64,
    },
    /// Gaussian noise in each of `steps` steps; every record takes part in exactly one, chosen
    /// uniformly and independently.
    RandomAllocation {
        /// Standard deviation / L2 contribution of one record.
        #[serde(with = "crate::exact")]
        noise_multiplier: f64,
        /// Number of steps.
        steps: u64,
    },
    /// An event on a Poisson sample: each record takes part independently with probability `rate`.
    PoissonSampled {
        /// Probability of taking part.
        #[serde(with = "crate::exact")]
        rate: f64,
        /// What runs on the sample.
        inner: Box<Event>,
    },
    /// An event on `sample` of `population` records, drawn uniformly without replacement.
    FixedSizeSampled {
        /// Size of the sample.
        sample: u64,
        /// Size of the population, public.
        population: u64,
        /// What runs on the sample.
        inner: Box<Event>,
    },
    /// Candidates tried a random number of times, the best one returned: the number of runs has the
    /// geometric distribution (`shape` 1) or another truncated negative binomial one.
    RepeatAndSelect {
        /// Mean number of runs, 1 or more.
        #[serde(with = "crate::exact")]
        mean: f64,
        /// Shape of the truncated negative binomial distribution: 0 logarithmic, 1 geometric.
        #[serde(with = "crate::exact")]
        shape: f64,
        /// One run.
        inner: Box<Event>,
    },
    /// Several events from the same data, each possibly chosen after the earlier outputs.
    Composed {
        /// The events.
        events: Vec<Event>,
    },
    /// One event `count` times.
    Repeated {
        /// How often.
        count: u64,
        /// The event.
        inner: Box<Event>,
    },
}
