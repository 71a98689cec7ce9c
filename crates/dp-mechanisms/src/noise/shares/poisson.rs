//! The Poisson law for rational means.

use num_bigint::BigUint;
use num_rational::Ratio;
use num_traits::{One, Zero};
use privacy_core::random::EntropyError;

use super::super::bracket::{Bracket, Uniform};
use super::super::choices::Choices;
use super::super::error::NoiseError;
use super::super::fixed::{SPAN_BITS, SPAN_ONE, Span};
use super::super::lazy::Lazy;
use super::super::table::{Place, Table};

/// Binary logarithm of the largest mean of one table.
const TABLE_MEAN_BITS: u32 = 18;

/// Binary logarithm of the largest mean.
const MAX_MEAN_BITS: u32 = 29;

/// Draws by a table of the cumulative law around the mean; large means are sums of equal parts.
#[derive(Debug, Clone)]
pub(super) struct Poisson {
    part: Ratio<BigUint>,
    parts: u32,
    table: Lazy<Around>,
}

/// The cumulative law in 64-bit words. The first cell is all that lies below `first`.
#[derive(Debug, Clone)]
struct Around {
    first: u64,
    table: Table,
}

const WORD_BITS: u32 = 63;

impl Poisson {
    pub(super) fn new(mean: Ratio<BigUint>) -> Result<Self, NoiseError> {
        let bits = mean.to_integer().bits() as u32;
        if bits > MAX_MEAN_BITS {
            return Err(NoiseError::ScaleTooLarge { limit_bits: MAX_MEAN_BITS + 1 });
        }
        let parts = 1 << bits.saturating_sub(TABLE_MEAN_BITS);
        let part = mean / Ratio::from(BigUint::from(parts));
        Ok(Poisson { part, parts, table: Lazy::new() })
    }

    pub(super) fn draw<C: Choices + ?Sized>(&self, choices: &mut C) -> Result<i128, EntropyError> {
        let mut sum = 0;
        for _ in 0..self.parts {
            sum += i128::from(self.draw_part(choices)?);
        }
        Ok(sum)
    }

    fn draw_part<C: Choices + ?Sized>(&self, choices: &mut C) -> Result<u64, EntropyError> {
        let word = choices.bits(WORD_BITS)?;
        // Without a table a draw takes a search: the table pays at once.
        let Some(around) = self.table.after(usize::MAX, || self.around(WORD_BITS)) else {
            return self.search(choices, Uniform::starting(word, WORD_BITS), 0);
        };
        self.place(choices, around, word, WORD_BITS)
    }

    fn place<C: Choices + ?Sized>(
        &self,
        choices: &mut C,
        around: &Around,
        word: u64,
        bits: u32,
    ) -> Result<u64, EntropyError> {
        match around.table.find(word) {
            Place::Cell(cell) if cell > 0 => Ok(around.first + cell - 1),
            Place::Cell(_) | Place::Border(0) => {
                self.search(choices, Uniform::starting(word, bits), 0)
            }
            Place::Border(cell) => {
                self.search(choices, Uniform::starting(word, bits), around.first + cell - 1)
            }
        }
    }

    /// The least value from `first` on whose cumulative probability lies above the uniform number.
    #[cold]
    fn search<C: Choices + ?Sized>(
        &self,
        choices: &mut C,
        mut uniform: Uniform,
        first: u64,
    ) -> Result<u64, EntropyError> {
        let mut is_above =
            |value: u64| uniform.is_below(choices, |precision| self.cumulative(value, precision));
        let (mut low, mut step) = (first, 1);
        while !is_above(low + step - 1)? {
            low += step;
            step *= 2;
        }
        // The value lies in low..low + step.
        while step > 1 {
            step /= 2;
            if !is_above(low + step - 1)? {
                low += step;
            }
        }
        Ok(low)
    }

    /// P(X <= value): terms relative to that of the mode, until they and their tails vanish.
    fn cumulative(&self, value: u64, precision: u64) -> Bracket {
        // Some thousand terms, each a few units wide for each step from the mode.
        let inside = precision + 64;
        let mode = self.mode();
        let mean = &self.part;
        let times = |term: &Bracket, numer: &BigUint, denom: &BigUint| Bracket {
            low: &term.low * numer / denom,
            high: &term.high * numer / denom + 1u8,
        };
        let mut total = Bracket { low: BigUint::zero(), high: BigUint::zero() };
        let mut up_to_value = total.clone();
        let mut add = |at: u64, term: &Bracket| {
            total = total.plus(term);
            if at <= value {
                up_to_value = up_to_value.plus(term);
            }
        };
        let one = Bracket::one(inside);
        add(mode, &one);
        // Steps after which a term of a few units has a tail of at most as many times as many.
        let vanished = BigUint::from(16u8);
        let (mut term, mut at) = (one.clone(), mode);
        while term.high > vanished {
            at += 1;
            term = times(&term, mean.numer(), &(mean.denom() * at));
            add(at, &term);
        }
        // term (ratio + ratio^2 + ...) with ratio = mean / (at + 1) < 1.
        let ratio = mean / Ratio::from(BigUint::from(at + 1));
        let above = tail(&term.high, &ratio);
        let (mut term, mut at) = (one, mode);
        while term.high > vanished && at > 0 {
            term = times(&term, &(mean.denom() * at), mean.numer());
            at -= 1;
            add(at, &term);
        }
        let below = if at == 0 {
            BigUint::zero()
        } else {
            tail(&term.high, &(Ratio::from(BigUint::from(at)) / mean))
        };
        total.high += &above + &below;
        up_to_value.high += below;
        if value > mode {
            up_to_value.high += above;
        }
        let share = up_to_value.over(&total, inside);
        let one = BigUint::one() << inside;
        Bracket { high: share.high.min(one), low: share.low }.shortened(inside - precision)
    }

    fn mode(&self) -> u64 {
        u64::try_from(self.part.to_integer()).unwrap_or(u64::MAX)
    }

    fn around(&self, bits: u32) -> Around {
        let mode = self.mode();
        // Terms sum to about 2.5 sqrt(mean): start so low that the sum stays below 1.
        let small = 2 + (64 - mode.leading_zeros()).div_ceil(2);
        let start = Span { low: SPAN_ONE >> small, high: SPAN_ONE >> small };
        let gone = SPAN_ONE >> 100;
        // mean in units of 2^-100, below 2^19.
        let mean = (self.part.numer() << 100u8) / self.part.denom();
        let mean = u128::try_from(&mean).unwrap_or(u128::MAX);
        let mut above = Vec::new();
        let (mut term, mut at) = (start, mode);
        while term.high > gone {
            at += 1;
            let ratio = mean / u128::from(at);
            let ratio = Span { low: ratio << 20, high: (ratio + 2) << 20 };
            term = term.times(ratio);
            above.push(term);
        }
        let ratio = &self.part / Ratio::from(BigUint::from(at + 1));
        let rest_above = u128::try_from(tail(&term.high.into(), &ratio)).unwrap_or(SPAN_ONE);
        let inverse = Span::from_bracket(|precision| {
            let low = (self.part.denom() << precision) / self.part.numer();
            Bracket { high: &low + 1u8, low }
        });
        let mut below = Vec::new();
        let (mut term, mut at) = (start, mode);
        while term.high > gone && at > 0 {
            let ratio = Span {
                low: inverse.low * u128::from(at),
                high: (inverse.high * u128::from(at)).min(SPAN_ONE),
            };
            term = term.times(ratio);
            at -= 1;
            below.push(term);
        }
        let rest_below = if at == 0 {
            0
        } else {
            let ratio = Ratio::from(BigUint::from(at)) / &self.part;
            u128::try_from(tail(&term.high.into(), &ratio)).unwrap_or(SPAN_ONE)
        };
        let mut sum = Span { low: 0, high: rest_below };
        let mut sums = vec![sum];
        for term in below.iter().rev().chain([&start]).chain(&above) {
            sum = sum.plus(*term);
            sums.push(sum);
        }
        let total = Span { low: sum.low, high: sum.high + rest_above };
        let inverse = total.reciprocal();
        Around { first: at, table: Table::new(bits, sums.into_iter().map(|s| s.times(inverse))) }
    }
}

/// An upper bound of term (ratio + ratio^2 + ...) for ratio < 1.
fn tail(term: &BigUint, ratio: &Ratio<BigUint>) -> BigUint {
    term * ratio.numer() / (ratio.denom() - ratio.numer()) + 1u8
}

const _: () = assert!(SPAN_BITS == 120);

#[cfg(test)]
mod tests {
    use privacy_core::random::{InsecureTestRng, RandomBuffer};
    use privacy_testing::enumerate::enumerate;
    use privacy_testing::interval::Interval;
    use privacy_testing::statistics::check_chi_square;

    use super::super::super::choices::told::Plain;
    use super::*;

    fn ratio(a: u64, b: u64) -> Ratio<BigUint> {
        Ratio::new(a.into(), b.into())
    }

    /// P(X = k) without rounding errors.
    fn truth(mean: &Ratio<BigUint>, k: u64) -> Interval {
        let power = (1..=k).fold(ratio(1, 1), |p, i| p * mean / ratio(i, 1));
        Interval::exp_neg(mean, 200).times(&Interval::exact(power))
    }

    #[test]
    fn the_law_is_exact() {
        for (a, b) in [(1, 3), (1, 1), (7, 2), (1, 1000)] {
            let mean = ratio(a, b);
            let poisson = Poisson::new(mean.clone()).unwrap();
            let around = poisson.around(6);
            let law = enumerate(14, |c| {
                let mut choices = Plain(c);
                let word = choices.bits(6)?;
                poisson.place(&mut choices, &around, word, 6)
            });
            assert!(law.unexplored < ratio(1, 200), "mean {a}/{b}: {}", law.unexplored);
            for k in 0..12 {
                assert!(law.probability(&k).meets(&truth(&mean, k)), "mean {a}/{b}, {k}");
            }
        }
    }

    #[test]
    fn brackets_of_the_cumulative_law_enclose_the_truth() {
        for (a, b) in [(1, 3), (9, 2), (70, 1)] {
            let mean = ratio(a, b);
            let poisson = Poisson::new(mean.clone()).unwrap();
            let mut sum = Interval::exact(ratio(0, 1));
            for k in 0..120 {
                sum = sum.plus(&truth(&mean, k)).rounded(180);
                let bracket = poisson.cumulative(k, 90);
                let unit = BigUint::one() << 90u8;
                assert!(Ratio::new(bracket.low.clone(), unit.clone()) <= sum.high, "{k}");
                assert!(Ratio::new(bracket.high.clone(), unit) >= sum.low, "{k}");
                assert!(bracket.high - bracket.low <= 4u8.into(), "{k}");
            }
        }
    }

    #[test]
    fn words_below_the_table_are_searched_from_zero() {
        let poisson = Poisson::new(ratio(100_000, 1)).unwrap();
        let around = poisson.around(WORD_BITS);
        assert!(around.first > 90_000);
        let mut rng = InsecureTestRng::from_seed(2);
        let mut random = RandomBuffer::new(&mut rng);
        let drawn = poisson.place(&mut random, &around, 0, WORD_BITS).unwrap();
        assert!(drawn < 100_000 - 8 * 316 && drawn > 90_000, "{drawn}");
    }

    #[test]
    fn means_of_all_sizes_have_the_moments_of_the_law() {
        // Mean and variance of 20,000 draws within six standard errors; seed fixed.
        let mut rng = InsecureTestRng::from_seed(3);
        for mean in [0.25f64, 12.5, 40_000.0, 3e6] {
            let exact = ratio((mean * 4.0) as u64, 4);
            let poisson = Poisson::new(exact).unwrap();
            let random = &mut RandomBuffer::new(&mut rng);
            let draws: Vec<f64> =
                (0..20_000).map(|_| poisson.draw(random).unwrap() as f64).collect();
            let average = draws.iter().sum::<f64>() / 2e4;
            assert!((average - mean).abs() < 6.0 * (mean / 2e4).sqrt(), "{mean}: {average}");
            let variance = draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 2e4;
            let error = ((1.0 + 2.0 * mean) * mean / 2e4).sqrt();
            assert!((variance - mean).abs() < 6.0 * error, "{mean}: {variance}");
        }
        assert!(Poisson::new(Ratio::from(BigUint::one() << 29u8)).is_err());
    }

    #[test]
    fn draws_follow_the_law() {
        // False-alarm probability 1e-9, seed fixed.
        let poisson = Poisson::new(ratio(20, 1)).unwrap();
        let mut rng = InsecureTestRng::from_seed(4);
        let random = &mut RandomBuffer::new(&mut rng);
        let mut counts = vec![0; 62];
        for _ in 0..100_000 {
            counts[poisson.draw(random).unwrap().min(61) as usize] += 1;
        }
        let mut expected: Vec<f64> = Vec::new();
        let mut mass = (-20f64).exp();
        for k in 0..61 {
            expected.push(mass);
            mass *= 20.0 / f64::from(k + 1);
        }
        expected.push(1.0 - expected.iter().sum::<f64>());
        check_chi_square(&counts, &expected, 1e-9);
    }
}
