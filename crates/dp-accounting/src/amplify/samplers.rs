//! Four ways to choose who takes part.

use privacy_core::random::{RandomBuffer, SecureRng};

use crate::error::{AccountingError, Result, out_of_range};
use crate::event::Event;
use crate::numeric::{U, up};

/// Most lists or records that are drawn at once.
const MOST_DRAWN: u64 = 1 << 24;

/// Each record takes part independently with probability `numerator / denominator`.
///
/// # Privacy
///
/// Add/remove adjacency, and replacement for Gaussian noise. The size of the batch is not to be
/// published exactly; the batch must be used as a whole by the event that is charged.
///
/// # Example
///
/// ```
/// use dp_accounting::amplify::PoissonSampler;
/// use dp_accounting::event::{Event, Plan, Relation};
/// use privacy_core::random::SystemRng;
///
/// let sampler = PoissonSampler::new(256, 60_000)?;
/// let batch = sampler.draw(60_000, &mut SystemRng::new()?)?;
/// assert!(batch.len() > 100 && batch.len() < 500);
/// let step = sampler.event(Event::gaussian(1.1)?)?;
/// let plan = Plan::new(Relation::AddRemove, step.repeat(14_062))?;
/// assert!(plan.epsilon(1e-5)? < 2.3817);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoissonSampler {
    numerator: u64,
    denominator: u64,
}

impl PoissonSampler {
    /// A sampler of rate `numerator / denominator`, exactly.
    ///
    /// # Errors
    ///
    /// `OutOfRange` unless the denominator is 1 or more and the numerator at most as large.
    pub fn new(numerator: u64, denominator: u64) -> Result<Self> {
        if denominator == 0 {
            return Err(out_of_range("denominator", 0.0, "1 or more"));
        }
        if numerator > denominator {
            return Err(out_of_range("numerator", numerator as f64, "at most the denominator"));
        }
        Ok(PoissonSampler { numerator, denominator })
    }

    /// The rate, rounded up.
    #[must_use]
    pub fn rate(&self) -> f64 {
        if self.numerator == self.denominator {
            return 1.0;
        }
        up(self.numerator as f64 / self.denominator as f64, 2.0 * U).min(1.0)
    }

    /// Draws the batch: the places, in increasing order, of the records among `records` that take
    /// part.
    ///
    /// # Errors
    ///
    /// `Entropy` if the source fails.
    ///
    /// # Timing
    ///
    /// One draw for each record; the memory written depends on the size of the batch.
    pub fn draw(&self, records: usize, rng: &mut dyn SecureRng) -> Result<Vec<usize>> {
        let mut buffer = RandomBuffer::new(rng);
        let mut batch = Vec::new();
        for place in 0..records {
            if buffer.below(self.denominator)? < self.numerator {
                batch.push(place);
            }
        }
        Ok(batch)
    }

    /// The event of running `inner` on a batch of this sampler.
    ///
    /// # Errors
    ///
    /// As [`Event::poisson_sampled`].
    pub fn event(&self, inner: Event) -> Result<Event> {
        inner.poisson_sampled(self.rate())
    }
}

/// `sample` of `population` records, uniformly without replacement.
///
/// # Privacy
///
/// Replacement adjacency: the size of the population is public.
///
/// # Example
///
/// ```
/// use dp_accounting::amplify::FixedSizeSampler;
/// use dp_accounting::event::Event;
/// use privacy_core::random::SystemRng;
///
/// let sampler = FixedSizeSampler::new(10, 1000)?;
/// assert_eq!(sampler.draw(&mut SystemRng::new()?)?.len(), 10);
/// let step = sampler.event(Event::gaussian(2.0)?)?;
/// # let _ = step;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FixedSizeSampler {
    sample: u64,
    population: u64,
}

impl FixedSizeSampler {
    /// A sampler of `sample` out of `population`.
    ///
    /// # Errors
    ///
    /// `OutOfRange` unless 0 <= `sample` <= `population` and the population has a record.
    pub fn new(sample: u64, population: u64) -> Result<Self> {
        if population == 0 {
            return Err(out_of_range("population", 0.0, "1 or more"));
        }
        if sample > population {
            return Err(out_of_range("sample", sample as f64, "at most the population"));
        }
        Ok(FixedSizeSampler { sample, population })
    }

    /// Draws the batch: the places of its records, in increasing order (Floyd's method).
    ///
    /// # Errors
    ///
    /// `TooLarge` for a sample of more than 2^24 records; `Entropy` if the source fails.
    pub fn draw(&self, rng: &mut dyn SecureRng) -> Result<Vec<u64>> {
        if self.sample > MOST_DRAWN {
            return Err(AccountingError::TooLarge { what: "records to draw", limit: MOST_DRAWN });
        }
        let mut buffer = RandomBuffer::new(rng);
        let mut chosen = std::collections::BTreeSet::new();
        for last in self.population - self.sample..self.population {
            let place = buffer.below(last + 1)?;
            if !chosen.insert(place) {
                chosen.insert(last);
            }
        }
        Ok(chosen.into_iter().collect())
    }

    /// The event of running `inner` on a batch of this sampler.
    ///
    /// # Errors
    ///
    /// As [`Event::fixed_size_sampled`].
    pub fn event(&self, inner: Event) -> Result<Event> {
        inner.fixed_size_sampled(self.sample, self.population)
    }
}

/// Every record takes part in exactly one of `steps` steps, chosen uniformly and independently
/// (also called balls and bins).
///
/// # Privacy
///
/// Add/remove adjacency, Gaussian noise in every step, also in steps without a record.
///
/// # Example
///
/// ```
/// use dp_accounting::amplify::RandomAllocation;
/// use dp_accounting::event::{Plan, Relation};
/// use privacy_core::random::SystemRng;
///
/// let epoch = RandomAllocation::new(100)?;
/// let batches = epoch.draw(5_000, &mut SystemRng::new()?)?;
/// assert_eq!(batches.iter().map(Vec::len).sum::<usize>(), 5_000);
/// let plan = Plan::new(Relation::AddRemove, epoch.event(1.0)?)?;
/// assert!(plan.epsilon(1e-6)? < 3.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RandomAllocation {
    steps: u64,
}

impl RandomAllocation {
    /// An allocation to `steps` steps.
    ///
    /// # Errors
    ///
    /// `OutOfRange` unless there are between 1 and 2^32 steps.
    pub fn new(steps: u64) -> Result<Self> {
        if (1..=1 << 32).contains(&steps) {
            Ok(RandomAllocation { steps })
        } else {
            Err(out_of_range("steps", steps as f64, "between 1 and 2^32"))
        }
    }

    /// Draws all batches: for each step the places of its records, in increasing order.
    ///
    /// # Errors
    ///
    /// `TooLarge` for more than 2^24 steps, whose lists would not be held in memory; `Entropy` if
    /// the source fails.
    pub fn draw(&self, records: usize, rng: &mut dyn SecureRng) -> Result<Vec<Vec<usize>>> {
        if self.steps > MOST_DRAWN {
            return Err(AccountingError::TooLarge { what: "steps to draw", limit: MOST_DRAWN });
        }
        let mut buffer = RandomBuffer::new(rng);
        let mut batches = vec![Vec::new(); self.steps as usize];
        for place in 0..records {
            let step = buffer.below(self.steps)? as usize;
            if let Some(batch) = batches.get_mut(step) {
                batch.push(place);
            }
        }
        Ok(batches)
    }

    /// The event of Gaussian noise of `noise_multiplier` in each of the steps.
    ///
    /// # Errors
    ///
    /// As [`Event::random_allocation`].
    pub fn event(&self, noise_multiplier: f64) -> Result<Event> {
        Event::random_allocation(noise_multiplier, self.steps)
    }
}

/// Puts local reports into a uniformly random order.
///
/// # Privacy
///
/// Replacement of one user's value; every user reports through the same local randomizer, and only
/// the shuffled reports are seen.
///
/// # Example
///
/// ```
/// use dp_accounting::amplify::Shuffler;
/// use dp_accounting::event::{Plan, Relation};
/// use privacy_core::random::SystemRng;
///
/// let shuffler = Shuffler::new(10_000)?;
/// let mut reports = vec![0u8; 10_000];
/// shuffler.shuffle(&mut reports, &mut SystemRng::new()?)?;
/// let plan = Plan::new(Relation::Replace, shuffler.event(1.0)?)?;
/// assert!(plan.epsilon(1e-6)? < 0.15);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shuffler {
    reports: u64,
}

impl Shuffler {
    /// A shuffler that hands out only when it holds `reports` reports.
    ///
    /// # Errors
    ///
    /// `OutOfRange` unless there is a report.
    pub fn new(reports: u64) -> Result<Self> {
        if reports == 0 {
            return Err(out_of_range("reports", 0.0, "1 or more"));
        }
        Ok(Shuffler { reports })
    }

    /// Shuffles in place (Fisher and Yates, exactly uniform integers).
    ///
    /// # Errors
    ///
    /// `OutOfRange` if there are fewer reports than the shuffler was made for: the guarantee rests
    /// on their number. `Entropy` if the source fails; the reports must not be used then.
    pub fn shuffle<T>(&self, reports: &mut [T], rng: &mut dyn SecureRng) -> Result<()> {
        if (reports.len() as u64) < self.reports {
            let range = "as many as the shuffler was made for, or more";
            return Err(out_of_range("reports", reports.len() as f64, range));
        }
        let mut buffer = RandomBuffer::new(rng);
        for last in (1..reports.len()).rev() {
            let other = buffer.below(last as u64 + 1)? as usize;
            reports.swap(last, other);
        }
        Ok(())
    }

    /// The event of shuffling the reports of an `epsilon`-DP local randomizer.
    ///
    /// # Errors
    ///
    /// As [`Event::shuffled`].
    pub fn event(&self, epsilon: f64) -> Result<Event> {
        Event::shuffled(epsilon, self.reports)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use privacy_core::random::InsecureTestRng;

    #[test]
    fn poisson_batches_have_the_right_size_and_order() {
        let mut rng = InsecureTestRng::from_seed(1);
        let sampler = PoissonSampler::new(1, 10).unwrap();
        let batch = sampler.draw(100_000, &mut rng).unwrap();
        // 10 standard deviations: false alarm below 1e-22.
        assert!((batch.len() as f64 - 10_000.0).abs() < 10.0 * 9000f64.sqrt());
        assert!(batch.windows(2).all(|w| w[0] < w[1]));
        assert!(sampler.rate() >= 0.1 && sampler.rate() < 0.1 + 1e-15);
        assert!(PoissonSampler::new(0, 5).unwrap().draw(100, &mut rng).unwrap().is_empty());
        assert_eq!(PoissonSampler::new(5, 5).unwrap().draw(7, &mut rng).unwrap().len(), 7);
        assert!(PoissonSampler::new(2, 1).is_err() && PoissonSampler::new(0, 0).is_err());
    }

    #[test]
    fn every_fixed_size_subset_is_equally_likely() {
        let mut rng = InsecureTestRng::from_seed(2);
        let sampler = FixedSizeSampler::new(2, 5).unwrap();
        let mut counts = std::collections::BTreeMap::new();
        for _ in 0..20_000 {
            *counts.entry(sampler.draw(&mut rng).unwrap()).or_insert(0u32) += 1;
        }
        assert_eq!(counts.len(), 10);
        // 8 standard deviations of a count: false alarm below 1e-13 over ten counts.
        assert!(counts.values().all(|c| (f64::from(*c) - 2000.0).abs() < 8.0 * 1800f64.sqrt()));
        assert!(FixedSizeSampler::new(6, 5).is_err());
        let huge = FixedSizeSampler::new(1 << 40, 1 << 41).unwrap();
        assert!(matches!(huge.draw(&mut rng), Err(AccountingError::TooLarge { .. })));
        let huge = RandomAllocation::new(1 << 32).unwrap();
        assert!(matches!(huge.draw(1, &mut rng), Err(AccountingError::TooLarge { .. })));
    }

    #[test]
    fn allocation_places_everyone_once_and_shuffling_keeps_everyone() {
        let mut rng = InsecureTestRng::from_seed(3);
        let mut seen: Vec<usize> =
            RandomAllocation::new(7).unwrap().draw(1000, &mut rng).unwrap().concat();
        seen.sort_unstable();
        assert!(seen.iter().copied().eq(0..1000));
        let mut reports: Vec<u32> = (0..50).collect();
        let shuffler = Shuffler::new(50).unwrap();
        shuffler.shuffle(&mut reports, &mut rng).unwrap();
        assert!(!reports.iter().copied().eq(0..50));
        reports.sort_unstable();
        assert!(reports.iter().copied().eq(0..50));
        assert!(shuffler.shuffle(&mut reports[..49], &mut rng).is_err());
    }

    #[test]
    fn shuffling_never_undercuts_exact_binary_responses() {
        // The exact law of shuffled binary randomized responses of n users, all others holding 0:
        // the number of ones. An upper bound for any randomizer must cover this one.
        for (epsilon, n) in [(0.5f64, 30u64), (1.0, 100), (2.0, 400)] {
            let flip = 1.0 / (1.0 + epsilon.exp());
            let choose = |n: u64, k: u64| crate::numeric::ln_binomial(n, k).exp();
            let others = |k: u64| {
                choose(n - 1, k) * flip.powi(k as i32) * (1.0 - flip).powi((n - 1 - k) as i32)
            };
            let law = |own: f64, k: u64| {
                let one = if k > 0 { own * others(k - 1) } else { 0.0 };
                let zero = if k < n { (1.0 - own) * others(k) } else { 0.0 };
                one + zero
            };
            let loss = crate::loss::LossDistribution::shuffled(epsilon, n).unwrap();
            for target in [0.0f64, 0.1, 0.3] {
                let exact: f64 = (0..=n)
                    .map(|k| (law(1.0 - flip, k) - target.exp() * law(flip, k)).max(0.0))
                    .sum();
                let bound = loss.delta(target).unwrap().upper;
                assert!(bound >= exact * (1.0 - 1e-9), "{epsilon} {n} {target}: {bound} {exact}");
            }
            // And it does amplify once there are some clones.
            assert!(n < 100 || loss.epsilon(1e-4).unwrap().upper < epsilon);
        }
    }
}
