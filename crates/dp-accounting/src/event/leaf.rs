//! Flattening: a tree as a list of different leaves with multiplicities.

use std::collections::HashMap;

use super::Event;
use crate::error::{AccountingError, Result};

/// The leaves of a tree, equal ones merged, in the order of their first occurrence. A sampling or
/// selection event is a leaf with whatever it contains.
pub(crate) fn leaves(event: &Event) -> Result<Vec<(Event, u64)>> {
    let mut leaves = Leaves::default();
    leaves.collect(event, 1)?;
    Ok(leaves.list)
}

#[derive(Default)]
struct Leaves {
    list: Vec<(Event, u64)>,
    places: HashMap<Vec<u64>, usize>,
}

impl Leaves {
    fn collect(&mut self, event: &Event, times: u64) -> Result<()> {
        match event {
            Event::NoOp => Ok(()),
            Event::Composed { events } => events.iter().try_for_each(|e| self.collect(e, times)),
            Event::Repeated { count, inner } => {
                let times = times.checked_mul(*count).ok_or(AccountingError::TooManySteps)?;
                if times == 0 { Ok(()) } else { self.collect(inner, times) }
            }
            leaf => self.merge(leaf, times),
        }
    }

    /// Adds a leaf to the list.
    fn merge(&mut self, leaf: &Event, times: u64) -> Result<()> {
        let mut key = Vec::new();
        write(leaf, &mut key);
        let place = *self.places.entry(key).or_insert(self.list.len());
        match self.list.get_mut(place) {
            Some((_, count)) => {
                *count = count.checked_add(times).ok_or(AccountingError::TooManySteps)?;
            }
            None => self.list.push((leaf.clone(), times)),
        }
        Ok(())
    }
}

/// A word for the kind and one for each parameter: equal words, equal events.
fn write(event: &Event, key: &mut Vec<u64>) {
    let mut put = |kind: u64, words: &[u64]| {
        key.push(kind);
        key.extend_from_slice(words);
    };
    let bits = |value: &f64| value.to_bits();
    match event {
        Event::NoOp => put(0, &[]),
        Event::NonPrivate => put(1, &[]),
        Event::Laplace { noise_multiplier } => put(2, &[bits(noise_multiplier)]),
        Event::DiscreteLaplace { scale, sensitivity } => {
            put(3, &[bits(scale), u64::from(*sensitivity)]);
        }
        Event::Gaussian { noise_multiplier } => put(4, &[bits(noise_multiplier)]),
        Event::DiscreteGaussian { sigma, sensitivity } => {
            put(5, &[bits(sigma), u64::from(*sensitivity)]);
        }
        Event::RandomizedResponse { epsilon, categories } => {
            put(6, &[bits(epsilon), u64::from(*categories)]);
        }
        Event::ExponentialMechanism { epsilon } => put(7, &[bits(epsilon)]),
        Event::PermuteAndFlip { epsilon } => put(8, &[bits(epsilon)]),
        Event::ReportNoisyMax { epsilon } => put(9, &[bits(epsilon)]),
        Event::SparseVector { epsilon } => put(10, &[bits(epsilon)]),
        Event::PureDp { epsilon } => put(11, &[bits(epsilon)]),
        Event::ApproxDp { epsilon, delta } => put(12, &[bits(epsilon), bits(delta)]),
        Event::Zcdp { rho } => put(13, &[bits(rho)]),
        Event::Shuffled { epsilon, reports } => put(14, &[bits(epsilon), *reports]),
        Event::RandomAllocation { noise_multiplier, steps } => {
            put(15, &[bits(noise_multiplier), *steps]);
        }
        Event::PoissonSampled { rate, inner } => {
            put(16, &[bits(rate)]);
            write(inner, key);
        }
        Event::FixedSizeSampled { sample, population, inner } => {
            put(17, &[*sample, *population]);
            write(inner, key);
        }
        Event::RepeatAndSelect { mean, shape, inner } => {
            put(18, &[bits(mean), bits(shape)]);
            write(inner, key);
        }
        Event::Composed { events } => {
            put(19, &[events.len() as u64]);
            events.iter().for_each(|event| write(event, key));
        }
        Event::Repeated { count, inner } => {
            put(20, &[*count]);
            write(inner, key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_leaves_merge_and_different_ones_do_not() {
        let a = Event::laplace(1.0).unwrap();
        let b = Event::gaussian(1.0).unwrap();
        let sampled = a.clone().poisson_sampled(0.5).unwrap();
        let tree = a.clone().repeat(3).and(b.clone()).and(sampled.clone()).and(a.clone());
        let found = leaves(&tree).unwrap();
        assert_eq!(found, [(a, 4), (b, 1), (sampled, 1)]);
    }

    #[test]
    fn many_different_leaves_take_time_in_proportion() {
        // A quadratic merge compares 10^10 pairs here.
        let events = (0..100_000).map(|i| Event::Laplace { noise_multiplier: 1.0 + f64::from(i) });
        let tree = Event::Composed { events: events.collect() };
        assert_eq!(leaves(&tree).unwrap().len(), 100_000);
    }
}
