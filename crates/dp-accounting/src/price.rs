//! What one leaf of an event tree costs in each measure: the only place where a mechanism is tied
//! to its theorem.

use crate::amplify::curves;
use crate::error::{AccountingError, Result};
use crate::event::{Event, Relation, leaves};
use crate::gaussian::GaussianDp;
use crate::loss::LossDistribution;
use crate::numeric::{U, up};
use crate::pure;
use crate::renyi::RenyiCurve;
use crate::zcdp;

pub(crate) fn adjacency_name(relation: Relation) -> &'static str {
    match relation {
        Relation::AddRemove => "add/remove",
        Relation::Replace => "replace",
        _ => "another",
    }
}

fn unsupported(accountant: &'static str, event: &Event, relation: Relation) -> AccountingError {
    AccountingError::Unsupported {
        accountant,
        event: event.kind(),
        adjacency: adjacency_name(relation),
    }
}

/// (epsilon, delta) of a leaf whose privacy is pure or approximate by nature.
pub(crate) fn approximate(
    accountant: &'static str,
    leaf: &Event,
    relation: Relation,
) -> Result<(f64, f64)> {
    if let Event::ApproxDp { epsilon, delta } = leaf {
        return Ok((*epsilon, *delta));
    }
    if let Event::NonPrivate = leaf {
        return Ok((0.0, 1.0));
    }
    epsilon(leaf, relation)?
        .map(|e| (e, 0.0))
        .ok_or_else(|| unsupported(accountant, leaf, relation))
}

/// The pure epsilon of a leaf, rounded up, if it has one.
pub(crate) fn epsilon(leaf: &Event, relation: Relation) -> Result<Option<f64>> {
    Ok(match leaf {
        Event::NoOp => Some(0.0),
        Event::Laplace { noise_multiplier } => Some(up(1.0 / noise_multiplier, U)),
        Event::DiscreteLaplace { scale, sensitivity } => {
            Some(up(f64::from(*sensitivity) / scale, U))
        }
        Event::RandomizedResponse { epsilon, .. } | Event::Shuffled { epsilon, .. } => {
            (relation == Relation::Replace).then_some(*epsilon)
        }
        Event::ExponentialMechanism { epsilon }
        | Event::PermuteAndFlip { epsilon }
        | Event::ReportNoisyMax { epsilon }
        | Event::SparseVector { epsilon }
        | Event::PureDp { epsilon } => Some(*epsilon),
        Event::ApproxDp { epsilon, delta } => (*delta == 0.0).then_some(*epsilon),
        Event::PoissonSampled { rate, inner } => {
            // Balle, Barthe, Gaboardi 2018, on Poisson subsampling; a replacement is two steps of
            // add/remove.
            let steps = if relation == Relation::Replace { 2 } else { 1 };
            let inner = pure_sum(inner, Relation::AddRemove)?;
            inner.map(|epsilon| pure::times(curves::amplified(epsilon, *rate), steps))
        }
        Event::FixedSizeSampled { sample, population, inner } => {
            // The same paper, on subsampling without replacement: one record replaced.
            let rate = sample_rate(*sample, *population);
            match relation {
                Relation::Replace => {
                    pure_sum(inner, relation)?.map(|epsilon| curves::amplified(epsilon, rate))
                }
                _ => None,
            }
        }
        Event::RepeatAndSelect { shape, inner, .. } => {
            // Papernot, Steinke 2022, the pure case of their theorem: (2 + shape) epsilon.
            pure_sum(inner, relation)?.map(|epsilon| up((2.0 + shape) * epsilon, 4.0 * U))
        }
        _ => None,
    })
}

/// The share of a sample, rounded up: two conversions and a division round once each.
fn sample_rate(sample: u64, population: u64) -> f64 {
    if sample == 0 {
        return 0.0;
    }
    up(sample as f64 / population as f64, 3.0 * U).min(1.0)
}

fn pure_sum(event: &Event, relation: Relation) -> Result<Option<f64>> {
    let mut total = 0.0;
    for (leaf, count) in leaves(event)? {
        match epsilon(&leaf, relation)? {
            Some(epsilon) => total = up(total + pure::times(epsilon, count), U),
            None => return Ok(None),
        }
    }
    Ok(Some(total))
}

/// The rho of a leaf.
pub(crate) fn rho(leaf: &Event, relation: Relation) -> Result<f64> {
    let rho = match leaf {
        Event::Gaussian { noise_multiplier } => zcdp::rho_of_gaussian(*noise_multiplier)?,
        Event::DiscreteGaussian { sigma, sensitivity } => {
            zcdp::rho_of_gaussian((sigma / f64::from(*sensitivity)).next_down())?
        }
        Event::ExponentialMechanism { epsilon } => zcdp::rho_of_bounded_range(*epsilon)?,
        Event::Zcdp { rho } => *rho,
        other => match epsilon(other, relation)? {
            Some(epsilon) if epsilon.is_finite() => zcdp::rho_of_pure(epsilon)?,
            _ => return Err(unsupported("zCDP", leaf, relation)),
        },
    };
    Ok(rho)
}

/// The Rényi curve of a leaf.
pub(crate) fn curve(leaf: &Event, relation: Relation) -> Result<RenyiCurve> {
    let fail = || unsupported("Rényi", leaf, relation);
    match leaf {
        Event::NoOp => Ok(RenyiCurve::zero()),
        Event::Laplace { noise_multiplier } => RenyiCurve::laplace(*noise_multiplier),
        Event::Gaussian { noise_multiplier } => RenyiCurve::gaussian(*noise_multiplier),
        Event::RandomizedResponse { epsilon, categories } if relation == Relation::Replace => {
            RenyiCurve::randomized_response(*epsilon, *categories)
        }
        Event::ExponentialMechanism { epsilon } => RenyiCurve::bounded_range(*epsilon),
        Event::DiscreteGaussian { .. } | Event::Zcdp { .. } => {
            RenyiCurve::zcdp(rho(leaf, relation)?)
        }
        Event::RandomAllocation { noise_multiplier, steps } if relation == Relation::AddRemove => {
            curves::random_allocation(*noise_multiplier, *steps)
        }
        Event::PoissonSampled { rate, inner } if relation == Relation::AddRemove => {
            match single_gaussian(inner)? {
                Some(gaussian) => {
                    RenyiCurve::sampled_gaussian((1.0 / gaussian.mu()).next_down(), *rate)
                }
                None => total_curve(inner, relation)?.poisson_sampled(*rate),
            }
        }
        Event::RepeatAndSelect { mean, shape, inner } => {
            curves::repeat_and_select(&total_curve(inner, relation)?, *mean, *shape)
        }
        other => match epsilon(other, relation)? {
            Some(epsilon) if epsilon.is_finite() => RenyiCurve::pure(epsilon),
            _ => Err(fail()),
        },
    }
}

fn total_curve(event: &Event, relation: Relation) -> Result<RenyiCurve> {
    leaves(event)?.iter().try_fold(RenyiCurve::zero(), |sum, (leaf, count)| {
        sum.and(&curve(leaf, relation)?.repeat(*count))
    })
}

/// The Gaussian that an event of Gaussian leaves alone amounts to.
fn single_gaussian(event: &Event) -> Result<Option<GaussianDp>> {
    let mut total = GaussianDp::new(0.0)?;
    for (leaf, count) in leaves(event)? {
        match leaf {
            Event::Gaussian { noise_multiplier } => {
                total =
                    total.and(GaussianDp::from_noise_multiplier(noise_multiplier)?.repeat(count));
            }
            _ => return Ok(None),
        }
    }
    Ok((total.mu() > 0.0).then_some(total))
}

/// The loss distribution of a leaf.
pub(crate) fn loss(leaf: &Event, relation: Relation) -> Result<LossDistribution> {
    match leaf {
        Event::NoOp => Ok(LossDistribution::zero()),
        Event::NonPrivate => LossDistribution::approximate(0.0, 1.0),
        Event::Laplace { noise_multiplier } => LossDistribution::laplace(*noise_multiplier),
        Event::DiscreteLaplace { scale, sensitivity } => {
            LossDistribution::discrete_laplace(*scale, *sensitivity)
        }
        Event::Gaussian { noise_multiplier } => LossDistribution::gaussian(*noise_multiplier),
        Event::DiscreteGaussian { sigma, sensitivity } => {
            LossDistribution::discrete_gaussian(*sigma, *sensitivity)
        }
        Event::RandomizedResponse { epsilon, categories } if relation == Relation::Replace => {
            LossDistribution::randomized_response(*epsilon, *categories)
        }
        Event::ExponentialMechanism { epsilon } if *epsilon > 0.0 => {
            LossDistribution::bounded_range(*epsilon)
        }
        Event::ApproxDp { epsilon, delta } => LossDistribution::approximate(*epsilon, *delta),
        Event::Shuffled { epsilon, reports } if relation == Relation::Replace => {
            LossDistribution::shuffled(*epsilon, *reports)
        }
        Event::PoissonSampled { rate, inner } => {
            let gaussian = single_gaussian(inner)?;
            match (relation, gaussian, single_leaf(inner)?) {
                (Relation::AddRemove, Some(gaussian), _) => {
                    LossDistribution::of_gaussian(gaussian).poisson_sampled(*rate)
                }
                // Of several Gaussians on one sample the worst replacement is not known here.
                (Relation::Replace, _, Some(Event::Gaussian { noise_multiplier })) => {
                    LossDistribution::poisson_sampled_gaussian_replace(noise_multiplier, *rate)
                }
                (Relation::AddRemove, None, Some(one)) => {
                    match loss(&one, relation).and_then(|inner| inner.poisson_sampled(*rate)) {
                        Ok(sampled) => Ok(sampled),
                        Err(_) => black_box(leaf, relation),
                    }
                }
                _ => black_box(leaf, relation),
            }
        }
        Event::FixedSizeSampled { sample, population, inner } if relation == Relation::Replace => {
            let rate = sample_rate(*sample, *population);
            let gaussian = single_gaussian(inner)?.map(LossDistribution::of_gaussian);
            let one = match (gaussian, single_leaf(inner)?) {
                (Some(gaussian), _) => Some(gaussian),
                (None, Some(one)) => loss(&one, relation).ok(),
                (None, None) => None,
            };
            match one.and_then(|one| one.sampled_without_replacement(rate).ok()) {
                Some(sampled) => Ok(sampled),
                None => black_box(leaf, relation),
            }
        }
        other => black_box(other, relation),
    }
}

fn black_box(leaf: &Event, relation: Relation) -> Result<LossDistribution> {
    match epsilon(leaf, relation)? {
        Some(epsilon) if epsilon.is_finite() => LossDistribution::pure(epsilon),
        _ => Err(unsupported("loss-distribution", leaf, relation)),
    }
}

fn single_leaf(event: &Event) -> Result<Option<Event>> {
    Ok(match leaves(event)?.as_slice() {
        [(leaf, 1)] => Some(leaf.clone()),
        _ => None,
    })
}
