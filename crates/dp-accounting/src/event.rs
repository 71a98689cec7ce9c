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

mod check;
mod leaf;

use serde::{Deserialize, Serialize};

pub use privacy_core::unit::Relation;

use crate::error::Result;

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

/// An event and the relation between neighbours that it is measured by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawPlan")]
pub struct Plan {
    adjacency: Relation,
    #[serde(flatten)]
    event: Event,
}

#[derive(Deserialize)]
struct RawPlan {
    adjacency: Relation,
    #[serde(flatten)]
    event: Event,
}

impl TryFrom<RawPlan> for Plan {
    type Error = crate::AccountingError;

    fn try_from(raw: RawPlan) -> Result<Self> {
        Plan::new(raw.adjacency, raw.event)
    }
}

impl Plan {
    /// The plan of `event`, with neighbours under `adjacency`.
    ///
    /// # Errors
    ///
    /// `OutOfRange` if a parameter in the tree is out of its range, `TooDeep` beyond 64 levels,
    /// `TooManySteps` if the number of steps does not fit in 64 bits.
    pub fn new(adjacency: Relation, event: Event) -> Result<Self> {
        check::check(&event, 0)?;
        let plan = Plan { adjacency, event };
        leaves(&plan.event)?;
        Ok(plan)
    }

    /// The relation between neighbours.
    #[must_use]
    pub fn adjacency(&self) -> Relation {
        self.adjacency
    }

    /// What is done.
    #[must_use]
    pub fn event(&self) -> &Event {
        &self.event
    }

    /// The smallest epsilon at `delta` that an accountant of this crate proves, rounded up.
    ///
    /// # Errors
    ///
    /// `OutOfRange` unless `delta` is a probability; `Unsupported` if no accountant has a rule.
    ///
    /// # Example
    ///
    /// ```
    /// use dp_accounting::event::{Event, Plan, Relation};
    ///
    /// let weekly = Event::gaussian(20.0)?.repeat(52);
    /// let year = Plan::new(Relation::AddRemove, weekly)?;
    /// assert!(year.epsilon(1e-6)? < 1.75);
    /// # Ok::<(), dp_accounting::AccountingError>(())
    /// ```
    pub fn epsilon(&self, delta: f64) -> Result<f64> {
        use crate::account::Accountant;
        crate::account::Best::default().epsilon(self, delta)
    }

    /// The smallest delta at `epsilon` that an accountant of this crate proves, rounded up.
    ///
    /// # Errors
    ///
    /// `OutOfRange` unless `epsilon` is finite and 0 or more; `Unsupported` if no accountant has a
    /// rule.
    pub fn delta(&self, epsilon: f64) -> Result<f64> {
        use crate::account::Accountant;
        crate::account::Best::default().delta(self, epsilon)
    }
}

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
