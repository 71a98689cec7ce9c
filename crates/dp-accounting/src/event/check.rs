//! The range of every parameter of an event.

use super::Event;
use crate::error::{AccountingError, Result, non_negative, out_of_range, positive, probability};

/// Deepest nesting that is accepted.
const DEPTH: usize = 64;

/// Checks a whole tree.
pub(super) fn check(event: &Event, depth: usize) -> Result<()> {
    if depth > DEPTH {
        return Err(AccountingError::TooDeep { limit: DEPTH });
    }
    check_one(event)?;
    match event {
        Event::PoissonSampled { inner, .. }
        | Event::FixedSizeSampled { inner, .. }
        | Event::RepeatAndSelect { inner, .. }
        | Event::Repeated { inner, .. } => check(inner, depth + 1),
        Event::Composed { events } => events.iter().try_for_each(|e| check(e, depth + 1)),
        _ => Ok(()),
    }
}

/// Checks the parameters of the event itself.
pub(super) fn check_one(event: &Event) -> Result<()> {
    let whole = |parameter, value: u32| {
        if value >= 1 {
            Ok(())
        } else {
            Err(out_of_range(parameter, f64::from(value), "1 or more"))
        }
    };
    match event {
        Event::NoOp | Event::NonPrivate | Event::Composed { .. } | Event::Repeated { .. } => Ok(()),
        Event::Laplace { noise_multiplier } | Event::Gaussian { noise_multiplier } => {
            positive("noise_multiplier", *noise_multiplier).map(drop)
        }
        Event::DiscreteLaplace { scale, sensitivity } => {
            positive("scale", *scale)?;
            whole("sensitivity", *sensitivity)
        }
        Event::DiscreteGaussian { sigma, sensitivity } => {
            positive("sigma", *sigma)?;
            whole("sensitivity", *sensitivity)
        }
        Event::RandomizedResponse { epsilon, categories } => {
            non_negative("epsilon", *epsilon)?;
            if *categories < 2 {
                return Err(out_of_range("categories", f64::from(*categories), "2 or more"));
            }
            Ok(())
        }
        Event::ExponentialMechanism { epsilon }
        | Event::PermuteAndFlip { epsilon }
        | Event::ReportNoisyMax { epsilon }
        | Event::SparseVector { epsilon }
        | Event::PureDp { epsilon } => non_negative("epsilon", *epsilon).map(drop),
        Event::ApproxDp { epsilon, delta } => {
            non_negative("epsilon", *epsilon)?;
            probability("delta", *delta).map(drop)
        }
        Event::Zcdp { rho } => non_negative("rho", *rho).map(drop),
        Event::Shuffled { epsilon, reports } => {
            non_negative("epsilon", *epsilon)?;
            if *reports == 0 {
                return Err(out_of_range("reports", 0.0, "1 or more"));
            }
            Ok(())
        }
        Event::RandomAllocation { noise_multiplier, steps } => {
            positive("noise_multiplier", *noise_multiplier)?;
            if *steps == 0 {
                return Err(out_of_range("steps", 0.0, "1 or more"));
            }
            Ok(())
        }
        Event::PoissonSampled { rate, .. } => probability("rate", *rate).map(drop),
        Event::FixedSizeSampled { sample, population, .. } => {
            if *population == 0 {
                return Err(out_of_range("population", 0.0, "1 or more"));
            }
            if sample > population {
                return Err(out_of_range("sample", *sample as f64, "at most the population"));
            }
            Ok(())
        }
        Event::RepeatAndSelect { mean, shape, .. } => {
            positive("mean", *mean)?;
            if *mean < 1.0 {
                return Err(out_of_range("mean", *mean, "1 or more"));
            }
            non_negative("shape", *shape).map(drop)
        }
    }
}
