//! The Pólya law: negative binomial of shape 1/n, n of which sum to a geometric variable.

use num_bigint::BigUint;
use num_rational::Ratio;
use privacy_core::random::EntropyError;

use super::super::bracket::{Bracket, Uniform};
use super::super::choices::Choices;
use super::log_series::{LogSeries, log_weight};

/// P(k) proportional to r^k Γ(k + 1/n) / k!, as a sum of logarithmic-series variables whose number
/// is Poisson with mean -ln(1-r)/n (Quenouille 1949).
#[derive(Debug, Clone)]
pub(super) struct Polya {
    scale: Ratio<BigUint>,
    parties: u32,
    series: LogSeries,
}

impl Polya {
    pub(super) fn new(scale: &Ratio<BigUint>, parties: u32) -> Self {
        Polya { scale: scale.clone(), parties, series: LogSeries::new(scale) }
    }

    /// Saturates at 2^126, beyond which it is with probability below exp(-2^25).
    pub(super) fn draw<C: Choices + ?Sized>(&self, choices: &mut C) -> Result<i128, EntropyError> {
        let mut sum = 0u128;
        for _ in 0..self.count(choices)? {
            sum = sum.saturating_add(self.series.draw(choices)?);
        }
        Ok(sum.min(1 << 126) as i128)
    }

    /// The Poisson number of terms, by comparing one uniform number with the cumulative law: its
    /// mean is at most 70.
    fn count<C: Choices + ?Sized>(&self, choices: &mut C) -> Result<u64, EntropyError> {
        let mut uniform = Uniform::starting(0, 0);
        let mut count = 0;
        while !uniform.is_below(choices, |precision| self.cumulative(count, precision))? {
            count += 1;
        }
        Ok(count)
    }

    /// P(number of terms <= count).
    fn cumulative(&self, count: u64, precision: u64) -> Bracket {
        // The mean is below 2^7, and so is the sum of mean^i / i! below 2^(7 count).
        let inside = precision + 32 + 7 * count;
        let mean = log_weight(&self.scale, inside);
        let mean = Bracket { low: mean.low / self.parties, high: mean.high / self.parties + 1u8 };
        let one = BigUint::from(1u8) << inside;
        let none = Bracket {
            low: Bracket::exp_neg(&mean.high, &one, inside).low,
            high: Bracket::exp_neg(&mean.low, &one, inside).high,
        };
        let (mut term, mut sum) = (none.clone(), none);
        for i in 1..=count {
            term = term.times(&mean, inside);
            term = Bracket { low: term.low / i, high: term.high / i + 1u8 };
            sum = sum.plus(&term);
        }
        Bracket { high: sum.high.min(one), low: sum.low }.shortened(inside - precision)
    }
}

#[cfg(test)]
mod tests {
    use privacy_testing::enumerate::enumerate;
    use privacy_testing::interval::Interval;

    use super::super::super::choices::told::Merged;
    use super::*;

    #[test]
    fn the_sum_of_all_shares_is_geometric() {
        // Brackets of one share's law, convolved, must meet (1-r) r^k.
        for (a, b, parties) in [(1u64, 2u64, 2u32), (1, 2, 3), (1, 1, 2)] {
            let scale = Ratio::new(BigUint::from(a), BigUint::from(b));
            let polya = Polya::new(&scale, parties);
            let law = enumerate(12, |c| polya.draw(&mut Merged(c)));
            assert!(law.unexplored < Ratio::new(1u8.into(), 4u8.into()), "{}", law.unexplored);
            let share: Vec<Interval> = (0..5).map(|k| law.probability(&k)).collect();
            let zero = || Interval::exact(Ratio::from(BigUint::ZERO));
            let mut sum = share.clone();
            for _ in 1..parties {
                sum = (0..5)
                    .map(|k| {
                        (0..=k)
                            .fold(zero(), |s, i| s.plus(&sum[i].times(&share[k - i])).rounded(90))
                    })
                    .collect();
            }
            let power =
                |k: u64| Interval::exp_neg(&(scale.recip() * Ratio::from(BigUint::from(k))), 100);
            for (k, mass) in sum.iter().enumerate() {
                let truth = power(1).complement().times(&power(k as u64));
                assert!(mass.meets(&truth), "scale {a}/{b}, {parties} parties, {k}");
            }
            // Not so for a share of another size.
            let wrong = Polya::new(&scale, parties + 1);
            let law = enumerate(12, |c| wrong.draw(&mut Merged(c)));
            let zero_mass = law.probability(&0);
            let product = (1..parties).fold(zero_mass.clone(), |p, _| p.times(&zero_mass));
            assert!(!product.meets(&power(1).complement()));
        }
    }
}
