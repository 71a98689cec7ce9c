//! The law of the fast samplers, by enumeration of all words of a few bits, by certified borders of
//! the real tables, and against the slow samplers.

use num_traits::One;
use privacy_core::random::{InsecureTestRng, RandomBuffer};
use privacy_testing::enumerate::enumerate;
use privacy_testing::interval::Interval;

use super::super::choices::told::Plain;
use super::super::fixed::{SPAN_BITS, SPAN_ONE};
use super::*;

fn ratio(a: u64, b: u64) -> Ratio<BigUint> {
    Ratio::new(a.into(), b.into())
}

fn two_to(bits: u32) -> BigUint {
    BigUint::one() << bits
}

/// exp(-g) of the oracle, which shares no code with the samplers.
fn exp(g: &Ratio<BigUint>) -> Interval {
    Interval::exp_neg(g, 200)
}

/// The exact mass of each magnitude up to `count`, relative to one another, without a sampler.
fn weights(exponent: impl Fn(u64) -> Ratio<BigUint>, doubled: bool, count: u64) -> Vec<Interval> {
    let weight = |m| {
        let weight = exp(&exponent(m));
        if doubled && m > 0 { weight.plus(&weight) } else { weight }
    };
    (0..count).map(weight).collect()
}

/// What the first weights, up to each, add up to.
fn sums(weights: &[Interval]) -> Vec<Interval> {
    let add = |sum: &mut Interval, weight: &Interval| {
        *sum = sum.plus(weight).rounded(220);
        Some(sum.clone())
    };
    weights.iter().scan(Interval::exact(ratio(0, 1)), add).collect()
}

/// Fails unless one round of the sampler draws each magnitude with exactly its mass, given that
/// the round draws at all. `weights` covers all but 2^-40 of the law.
fn check_law<S: Shape, const WIDTH: u32>(
    sampler: &Stepped<S, WIDTH>,
    weights: &[Interval],
    cut: u32,
    open: Ratio<BigUint>,
) {
    let law = enumerate(cut, |c| sampler.attempt(&mut Plain(c)));
    assert!(law.unexplored < open, "{}", law.unexplored);
    let mut total = sums(weights).pop().unwrap();
    total.high += Ratio::new(BigUint::one(), two_to(40));
    for (m, weight) in weights.iter().enumerate().take(30) {
        for bit in [false, true] {
            let drawn = law.probability_given(&Some((m as u128, bit)), Option::is_some);
            let truth = weight.divided_by(&total).times(&Interval::exact(ratio(1, 2)));
            assert!(drawn.meets(&truth), "magnitude {m}");
        }
    }
}

#[test]
fn laplace_laws_are_exact_in_single_cells() {
    for (a, b) in [(1, 3), (1, 1), (3, 1), (7, 5), (1, 100)] {
        let scale = ratio(a, b);
        for two_sided in [true, false] {
            let weights = weights(|m| scale.recip() * ratio(m, 1), two_sided, 40 * a + 8);
            let shape = || LaplaceShape::with_shift(&scale, two_sided, 0);
            check_law::<_, 5>(&Stepped::new(shape()), &weights, 16, ratio(1, 200));
            check_law::<_, 11>(&Stepped::new(shape()), &weights, 16, ratio(1, 200));
        }
    }
}

#[test]
fn laplace_laws_are_exact_in_wider_cells() {
    // Cells as wide as the scale, narrower, and with offsets wider than half a word or a word.
    let scale = ratio(5, 2);
    for shift in [1, 2] {
        let weights = weights(|m| scale.recip() * ratio(m, 1), false, 100);
        let shape = || LaplaceShape::with_shift(&scale, true, shift);
        check_law::<_, 4>(&Stepped::new(shape()), &weights, 16, ratio(1, 100));
        check_law::<_, 3>(&Stepped::new(shape()), &weights, 16, ratio(1, 100));
        check_law::<_, 2>(&Stepped::new(shape()), &weights, 16, ratio(1, 100));
        check_law::<_, 7>(&Stepped::new(shape()), &weights, 17, ratio(1, 50));
    }
    let weights = weights(|m| scale.recip() * ratio(m, 1), false, 100);
    let sampler = Stepped::<_, 2>::new(LaplaceShape::with_shift(&scale, true, 3));
    check_law(&sampler, &weights, 17, ratio(1, 100));
}

#[test]
fn gaussian_laws_are_exact() {
    for (a, b) in [(1, 1), (1, 4), (9, 4), (25, 3), (1, 1000)] {
        let variance = ratio(a, b);
        let exponent = |m| ratio(m * m, 2) / &variance;
        let narrow = weights(exponent, true, 30);
        let shape = |shift| GaussianShape::with_shift(&variance, shift);
        check_law::<_, 5>(&Stepped::new(shape(0)), &narrow, 16, ratio(1, 200));
        check_law::<_, 11>(&Stepped::new(shape(0)), &narrow, 16, ratio(1, 200));
        let wide = weights(exponent, false, 30);
        for shift in [1, 2] {
            check_law::<_, 4>(&Stepped::new(shape(shift)), &wide, 16, ratio(1, 100));
            check_law::<_, 2>(&Stepped::new(shape(shift)), &wide, 16, ratio(1, 100));
        }
    }
}

#[test]
fn a_wrong_scale_is_told_apart() {
    let sampler = Stepped::<_, 5>::new(LaplaceShape::with_shift(&ratio(31, 10), true, 0));
    let weights = weights(|m| ratio(m, 3), true, 130);
    let check = || check_law(&sampler, &weights, 16, ratio(1, 200));
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(check)).is_err());
}

/// Fails unless each bracket that the table of 64-bit words is made from encloses the oracle's
/// value, is narrow beside a word, and agrees with the slow bracket of the exact search.
fn check_table(shape: &impl Shape, truth: impl Fn(u64) -> Interval, step: usize) {
    let spans: Vec<Span> =
        shape.cumulatives().take_while(|s| s.low < SPAN_ONE - 1).take(2000).collect();
    assert!(spans.last().unwrap().low > SPAN_ONE - (1 << 60), "the table ends too early");
    let unit = two_to(SPAN_BITS);
    for (cell, span) in spans.iter().enumerate().step_by(step) {
        let truth = truth(cell as u64);
        let (low, high) =
            (Ratio::new(span.low.into(), unit.clone()), Ratio::new(span.high.into(), unit.clone()));
        assert!(low <= truth.low && truth.high <= high, "cell {cell}");
        assert!(span.high - span.low < 1 << 40, "cell {cell}");
        let exact = shape.cumulative(cell as u64, 160);
        let unit = two_to(160);
        assert!(Ratio::new(exact.low.clone(), unit.clone()) <= truth.low, "cell {cell}");
        assert!(Ratio::new(exact.high.clone(), unit) >= truth.high, "cell {cell}");
        assert!(exact.high - exact.low <= 4u8.into(), "cell {cell}");
    }
}

#[test]
fn laplace_tables_hold_the_cumulative_law() {
    for scale in
        [ratio(1, 3), ratio(3, 1), ratio(31, 1), ratio(100, 1), ratio(1 << 20, 1), ratio(355, 113)]
    {
        let shape = LaplaceShape::new(&scale, true);
        let r = exp(&scale.recip());
        let one = Interval::exact(ratio(1, 1));
        let weight =
            if shape.shift() == 0 { one.plus(&one).divided_by(&one.plus(&r)) } else { one };
        let beyond = |cell: u64| {
            exp(&(scale.recip() * Ratio::from(BigUint::from(cell + 1) << shape.shift())))
                .times(&weight)
        };
        check_table(&shape, |cell| beyond(cell).complement(), 7);
    }
}

#[test]
fn gaussian_tables_hold_the_cumulative_law() {
    for variance in [ratio(1, 3), ratio(9, 1), ratio(961, 1), ratio(10_000, 1), ratio(1 << 40, 1)] {
        let shape = GaussianShape::new(&variance);
        let exponent = |cell: u64| {
            Ratio::from(BigUint::from(cell * cell) << (2 * shape.shift()))
                / (&variance * ratio(2, 1))
        };
        let weights = weights(exponent, shape.shift() == 0, 700);
        let sums = sums(&weights);
        let mut total = sums.last().unwrap().clone();
        total.high += Ratio::new(BigUint::one(), two_to(190));
        let truth = |cell: u64| sums[cell as usize].divided_by(&total);
        check_table(&shape, truth, 29);
    }
}

#[test]
fn exponents_in_words_enclose_the_exact_ones() {
    fn check(shape: &impl Shape, cell: u64, place: u64) {
        let Some((low, high)) = shape.exponent_words(cell, place) else { return };
        let shift = shape.shift();
        assert!(0 < high && low <= high && high - low <= 1 << 20);
        // The first and the last offset that begin so.
        let first = (u128::from(place) << 64) >> (128 - shift);
        let rest = shift.saturating_sub(64);
        for offset in [first, first | ((1u128 << rest) - 1)] {
            let exact = shape.exponent(cell, offset) * Ratio::from(two_to(64));
            assert!(Ratio::from(BigUint::from(low)) <= exact, "{cell} {place}");
            assert!(exact <= Ratio::from(BigUint::from(high)), "{cell} {place}");
        }
    }
    for bits in [5u32, 6, 10, 20, 40, 63, 70, 100] {
        for scale in [two_to(bits), two_to(bits) * 3u8 / 2u8 + 1u8, two_to(bits + 1) - 1u8] {
            let (laplace, gaussian) = (
                LaplaceShape::new(&Ratio::from(scale.clone()), true),
                GaussianShape::new(&Ratio::from(&scale * &scale)),
            );
            for i in 0..200u64 {
                let spare = 64u32.saturating_sub(laplace.shift());
                let place = i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> spare << spare;
                for place in [place, 0, u64::MAX >> spare << spare] {
                    check(&laplace, i, place);
                    check(&gaussian, i * 2, place);
                }
            }
        }
    }
}

/// Words told in turn, and after them a generator's.
struct Told<'a>(Vec<u64>, RandomBuffer<'a>);

impl Choices for Told<'_> {
    fn bit(&mut self) -> Result<bool, EntropyError> {
        self.1.bit()
    }
    fn bits(&mut self, count: u32) -> Result<u64, EntropyError> {
        match self.0.pop() {
            Some(word) => Ok(word >> (64 - count)),
            None => Ok(self.1.word()? >> (64 - count)),
        }
    }
    fn below_u64(&mut self, bound: u64) -> Result<u64, EntropyError> {
        self.1.below(bound)
    }
    fn below_u128(&mut self, bound: u128) -> Result<u128, EntropyError> {
        self.1.below_u128(bound)
    }
    fn below_big(&mut self, bound: &BigUint) -> Result<BigUint, EntropyError> {
        self.1.below_big(bound)
    }
}

#[test]
fn words_that_hold_a_border_are_decided_by_further_bits() {
    // The word that holds the border after magnitude 0 of scale 3 goes to 0 as often as the border
    // cuts it: 2000 trials, false-alarm probability 1e-9, seed fixed.
    let scale = ratio(3, 1);
    let shape = LaplaceShape::new(&scale, true);
    let bracket = shape.cumulative(0, 63 + 30);
    let word = u64::try_from(&bracket.low >> 30u8).unwrap();
    let share = (u64::try_from(bracket.low & (two_to(30) - 1u8)).unwrap() as f64) / 2f64.powi(30);
    let sampler = Stepped::<_, 64>::new(shape);
    let mut rng = InsecureTestRng::from_seed(11);
    let (mut zeros, trials) = (0, 2000);
    for _ in 0..trials {
        let mut told = Told(vec![word << 1], RandomBuffer::new(&mut rng));
        let (magnitude, _) = sampler.attempt(&mut told).unwrap().unwrap();
        assert!(magnitude <= 1);
        zeros += u64::from(magnitude == 0);
    }
    privacy_testing::statistics::check_binomial(zeros, trials, share, 1e-9);
    // The neighbouring words are certain.
    let mut draw = |word: u64| {
        let mut told = Told(vec![word << 1], RandomBuffer::new(&mut rng));
        sampler.attempt(&mut told).unwrap().unwrap().0
    };
    assert_eq!((draw(word - 2), draw(word + 2)), (0, 1));
    // The last word stands for all that lies beyond the table.
    for _ in 0..50 {
        assert!(draw(u64::MAX >> 1) > 3 * 40);
    }
}

#[test]
fn offsets_next_to_the_border_of_acceptance_are_decided_by_further_bits() {
    // Scales whose offsets share a word with the cell, have one of their own, and have more bits.
    for bits in [20u32, 40, 80] {
        let scale = Ratio::from(two_to(bits));
        let sampler = Stepped::<_, 64>::new(LaplaceShape::new(&scale, true));
        let shift = sampler.shift;
        let place = 3u64 << 62;
        let exponent = sampler.shape.exponent(0, 3u128 << (shift - 2));
        let border = Bracket::exp_neg(exponent.numer(), exponent.denom(), 64).low;
        let border = u64::try_from(border).unwrap();
        let mut rng = InsecureTestRng::from_seed(12);
        // How a uniform number, told in as many words as it takes, is judged.
        let mut accepted = |uniform: u64| {
            let words = if shift <= 24 {
                let first = (place >> 32) | ((uniform >> (33 + shift)) << 1);
                vec![uniform << (31 - shift), first]
            } else if shift < 64 {
                vec![uniform << (64 - shift), place | (uniform >> shift), 0]
            } else {
                vec![0, uniform, place, 0]
            };
            let mut told = Told(words, RandomBuffer::new(&mut rng));
            sampler.attempt(&mut told).unwrap().is_some()
        };
        for distance in [3, 100, 1 << 20] {
            assert!(accepted(border - distance), "scale 2^{bits}");
            assert!(!accepted(border + distance), "scale 2^{bits}");
        }
        // The border itself is decided by bits that were not told.
        let both: Vec<bool> = (0..100).map(|_| accepted(border)).collect();
        assert!(shift >= 64 || (both.contains(&true) && both.contains(&false)), "2^{bits}");
    }
}

/// Fails unless the draws follow the law with these tails, in signed bins of the magnitude.
fn check_draws(draws: &[i128], edges: &[u128], tail: impl Fn(u128) -> f64) {
    // Bins: 0, then (edge, next edge] on each side, then beyond the last edge.
    let mut counts = vec![0u64; 2 * edges.len() + 1];
    for draw in draws {
        let bin = edges.partition_point(|edge| *edge < draw.unsigned_abs());
        counts[if bin == 0 { 0 } else { 2 * bin - usize::from(*draw < 0) }] += 1;
    }
    let mut expected = vec![(1.0 - tail(0)).max(0.0)];
    for (i, edge) in edges.iter().enumerate() {
        let next = edges.get(i + 1).map_or(0.0, |next| tail(*next));
        expected.extend([(tail(*edge) - next) / 2.0; 2]);
    }
    privacy_testing::statistics::check_chi_square(&counts, &expected, 1e-9);
}

#[test]
fn a_million_draws_follow_the_law_at_each_scale() {
    // False-alarm probability 1e-9 for each scale and law, seed fixed.
    let mut rng = InsecureTestRng::from_seed(13);
    let mut draws = vec![0i128; 1_000_000];
    let powers = [20u32, 40, 70].map(|bits| Ratio::from(two_to(bits)));
    let small = [ratio(1, 3), ratio(1, 1), ratio(3, 1), ratio(100, 1), ratio(1000, 7)];
    for scale in small.into_iter().chain(powers) {
        let unit = u128::try_from(scale.to_integer()).unwrap().max(1);
        let mut edges: Vec<u128> = (0..40).map(|i| unit * i / 4).collect();
        edges.dedup();
        let laplace = super::super::DiscreteLaplace::new(scale.clone()).unwrap();
        laplace.fill(&mut draws, &mut rng).unwrap();
        check_draws(&draws, &edges, |m| laplace.tail(m));
        edges.truncate(20);
        let gaussian = super::super::DiscreteGaussian::new(&scale * &scale).unwrap();
        gaussian.fill(&mut draws, &mut rng).unwrap();
        check_draws(&draws, &edges, |m| gaussian.tail(m));
    }
}

#[test]
fn batches_of_words_are_the_same_draws() {
    let noise = super::super::DiscreteLaplace::new(ratio(50, 1)).unwrap();
    let (mut wide, mut narrow) = (vec![0i128; 500], vec![0i64; 500]);
    noise.fill(&mut wide, &mut InsecureTestRng::from_seed(14)).unwrap();
    noise.fill_i64(&mut narrow, &mut InsecureTestRng::from_seed(14)).unwrap();
    assert!(wide.iter().zip(&narrow).all(|(a, b)| *a == i128::from(*b)));
}
