//! One quantile, by the exponential mechanism or by permute-and-flip.

use std::marker::PhantomData;

use privacy_core::error::Result;
use privacy_core::measure::{Charge, PureCost, PureDp};
use privacy_core::mechanism::Mechanism;
use privacy_core::params::{Amount, Bounds, Confidence, Epsilon, Rho};
use privacy_core::random::{RandomBuffer, SecureRng};
use privacy_core::space::{Changes, Rows};
use privacy_core::unit::{AddRemove, Adjacency, Record, Relation};

use super::rank::{Position, Ranked, sorted};
use crate::select::{PermuteAndFlip, Scores, bounded_range, bounded_range_epsilon, logarithm};

/// Draws a grid point whose rank among the values is close to that of a quantile.
///
/// Values are clamped into the bounds, both included. A grid point v covers the ranks from the
/// number of values below v to the number of values not above v; its distance is that from q·n to
/// those ranks, and it is drawn with probability proportional to exp(−rate · distance) (Smith 2011,
/// <https://doi.org/10.1145/1993636.1993743>, with ranks of duplicates as intervals: where half of
/// the rows are 0, the median is 0).
///
/// # Privacy
///
/// The exponential mechanism. Adding or removing a record changes a distance by at most
/// max(q, 1 − q), replacing one by at most 1; with Δ that number, and d changes between
/// neighbours, ε = 2·rate·Δ·d, and ε²/8-zCDP as for every exponential mechanism (Cesar and Rogers
/// 2021, <https://arxiv.org/abs/2004.07223>). Bounds and grid are public. Draws have exactly the
/// stated law, also where it is far below what floating point can tell from 0.
///
/// [`permute_and_flip`](Quantile::permute_and_flip) draws by [`PermuteAndFlip`] instead, with the
/// same rate: the same ε between neighbours and never a larger distance on average, but ε²/2-zCDP.
/// It gains where each point has many rows, and a grid of many points per row would gain nothing:
/// so it is for grids of up to 4096 points.
///
/// # Ranges
///
/// q from 0 to 1, a fraction with a denominator of at most 2^32; any bounds of `i64`. Without rows
/// the draw is uniform over the grid. For q = 0 every point up to the smallest value has distance
/// 0, so that the draw says little: see [minimum and maximum](crate::quantile#minimum-and-maximum).
///
/// # Example
///
/// ```
/// use dp_mechanisms::quantile::Quantile;
/// use privacy_core::prelude::*;
///
/// let ages = [31i64, 25, 44, 38, 31, 29, 52, 60, 33, 47];
/// let median: Quantile = Quantile::median(Bounds::new(0, 120)?, &Epsilon::new(1.0)?)?;
/// assert_eq!(median.cost(Changes::NEIGHBOURS)?.epsilon, Amount::from_integer(1));
/// let age = median.draw(&ages, &mut SystemRng::new()?)?;
/// assert!((0..=120).contains(&age));
/// // Its rank is within 8 of the median's in 95 of 100 draws, whatever the data.
/// assert!(median.rank_error(&Confidence::default()) < 8.0);
/// # Ok::<(), privacy_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Quantile<A = AddRemove> {
    position: Position,
    bounds: Bounds<i64>,
    /// For each 1/b of a rank, where q = a/b.
    rate: Amount,
    flips: bool,
    adjacency: PhantomData<fn() -> A>,
}

/// The most grid points that are visited one by one.
const FEW_POINTS: u64 = 4096;

impl<A: Adjacency> Quantile<A> {
    /// The quantile `q` that costs `epsilon` between neighbours.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`](privacy_core::Error::Parameter) unless `q` is in its range.
    pub fn new(q: &Amount, bounds: Bounds<i64>, epsilon: &Epsilon) -> Result<Self> {
        let position = Position::new(q)?;
        let moves = Amount::from_integer(2 * sensitivity::<A>(position));
        // The sensitivity is at least 1: one of a and b - a is.
        let rate = epsilon.amount().checked_div(&moves).unwrap_or(Amount::ZERO);
        Ok(Quantile { position, bounds, rate, flips: false, adjacency: PhantomData })
    }

    /// The quantile `q` that costs `epsilon` between neighbours, by permute-and-flip: closer to its
    /// rank under ε, dearer under ρ.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`](privacy_core::Error::Parameter) unless `q` is in its range, and if the
    /// bounds hold more than 4096 points.
    ///
    /// # Example
    ///
    /// ```
    /// use dp_mechanisms::quantile::Quantile;
    /// use privacy_core::prelude::*;
    ///
    /// let ages: Vec<i64> = (0..1000).map(|i| 18 + i * i % 60).collect();
    /// let (bounds, epsilon) = (Bounds::new(0, 120)?, Epsilon::new(0.1)?);
    /// let median: Quantile = Quantile::permute_and_flip(&Amount::from_percent(50), bounds, &epsilon)?;
    /// assert!((0..=120).contains(&median.draw(&ages, &mut SystemRng::new()?)?));
    /// # Ok::<(), privacy_core::Error>(())
    /// ```
    pub fn permute_and_flip(q: &Amount, bounds: Bounds<i64>, epsilon: &Epsilon) -> Result<Self> {
        if !Self::is_small(&bounds) {
            return Err(privacy_core::Error::Parameter {
                parameter: "the number of grid points",
                requirement: "at most 4096 for permute-and-flip",
                given: bounds.lower().abs_diff(bounds.upper()) as f64 + 1.0,
            });
        }
        Ok(Quantile { flips: true, ..Self::new(q, bounds, epsilon)? })
    }

    /// Whether [`permute_and_flip`](Self::permute_and_flip) takes these bounds.
    pub(crate) fn is_small(bounds: &Bounds<i64>) -> bool {
        bounds.lower().abs_diff(bounds.upper()) < FEW_POINTS
    }

    /// The quantile `q` that costs at most `rho`-zCDP between neighbours.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`](privacy_core::Error::Parameter) unless `q` is in its range, or if ρ is
    /// below 2^-131.
    pub fn zcdp(q: &Amount, bounds: Bounds<i64>, rho: &Rho) -> Result<Self> {
        Self::new(q, bounds, &bounded_range_epsilon(rho)?)
    }

    /// The median that costs `epsilon` between neighbours.
    ///
    /// # Errors
    ///
    /// None at present.
    pub fn median(bounds: Bounds<i64>, epsilon: &Epsilon) -> Result<Self> {
        Self::new(&Amount::from_percent(50), bounds, epsilon)
    }

    /// The bounds.
    #[must_use]
    pub fn bounds(&self) -> &Bounds<i64> {
        &self.bounds
    }

    /// The distance of the drawn point is at most this many ranks, with at least the given
    /// confidence, for any data.
    ///
    /// ln(grid points / (1 − confidence)) / rate, rounded up: some grid point has distance 0, and
    /// all those further away weigh together at most grid points · exp(−rate · distance) of it
    /// (Dwork and Roth 2014, Theorem 3.11; for permute-and-flip see
    /// [`PermuteAndFlip::shortfall`]).
    #[must_use]
    pub fn rank_error(&self, confidence: &Confidence) -> f64 {
        let points = self.bounds.lower().abs_diff(self.bounds.upper()).saturating_add(1);
        let per_rank = &self.rate * &self.position.denom.into();
        logarithm(points, confidence) / per_rank.to_f64_down() * (1.0 + 1e-14)
    }
}

fn sensitivity<A: Adjacency>(position: Position) -> u64 {
    match A::RELATION {
        Relation::AddRemove => position.add_remove(),
        // Also right for any relation to come whose neighbours are two steps of add/remove apart.
        _ => position.replace().max(position.add_remove()),
    }
}

impl<A: Adjacency> Mechanism for Quantile<A> {
    type Input = Rows<i64, Record, A>;
    type Measure = PureDp;
    type Output = i64;

    fn draw(&self, values: &[i64], rng: &mut dyn SecureRng) -> Result<i64> {
        let ranked = Ranked {
            sorted: &sorted(values, &self.bounds),
            lower: self.bounds.lower(),
            upper: self.bounds.upper(),
            position: self.position,
            rate: self.rate.as_ratio(),
        };
        if self.flips {
            let flip = PermuteAndFlip::with_rate(self.rate.clone(), Scores::Any);
            let index = flip.draw(&ranked.scores(), rng)?;
            // One of the points of the grid.
            return Ok(self.bounds.lower().saturating_add_unsigned(index as u64));
        }
        Ok(ranked.draw(&mut RandomBuffer::new(rng))?)
    }

    fn cost(&self, d_in: Changes) -> Result<PureCost> {
        let moves = &Amount::from_integer(2 * sensitivity::<A>(self.position)) * &d_in.0.into();
        Ok(PureCost { epsilon: &self.rate * &moves })
    }

    fn charge(&self, d_in: Changes) -> Result<Charge> {
        if self.flips {
            return Ok(Charge::pure(self.cost(d_in)?.epsilon));
        }
        Ok(bounded_range(&self.cost(d_in)?.epsilon))
    }
}

#[cfg(test)]
mod tests {
    use num_bigint::BigUint;
    use num_rational::Ratio;
    use privacy_core::conformance;
    use privacy_core::random::InsecureTestRng;
    use privacy_core::unit::Replace;
    use privacy_testing::statistics::{check_binomial, check_chi_square};

    use super::super::rank::tests::law;
    use super::*;

    fn quantile<A: Adjacency>(a: u64, b: u64, epsilon: f64) -> Quantile<A> {
        let q = Amount::from_fraction(a, b).unwrap();
        Quantile::new(&q, Bounds::new(0, 3).unwrap(), &Epsilon::new(epsilon).unwrap()).unwrap()
    }

    fn number(p: &Ratio<BigUint>) -> f64 {
        Amount::from_fraction(p.numer().clone(), p.denom().clone()).unwrap().to_f64_up()
    }

    fn worst_at<A: Adjacency>(
        quantile: &Quantile<A>,
        (a, b): (u64, u64),
        pairs: &[(Vec<i64>, Vec<i64>)],
    ) -> f64 {
        let rate = &quantile.rate;
        let mut worst = 0.0f64;
        for (one, other) in pairs {
            let one = law(one, (0, 3), (a, b), rate.as_ratio()).explored;
            let other = law(other, (0, 3), (a, b), rate.as_ratio()).explored;
            for point in 0..=3 {
                worst = worst.max((number(&one[&point]) / number(&other[&point])).ln().abs());
            }
        }
        worst
    }

    fn data(longest: u32) -> Vec<Vec<i64>> {
        let all = (0..=longest).flat_map(|length| {
            (0..4i64.pow(length))
                .map(move |code| (0..length).map(|i| code / 4i64.pow(i) % 4).collect::<Vec<i64>>())
        });
        all.filter(|values| values.is_sorted()).collect()
    }

    #[test]
    fn neighbours_differ_by_no_more_than_the_price() {
        let (mut added, mut replaced) = (Vec::new(), Vec::new());
        for values in data(2) {
            for new in 0..4 {
                added.push((values.clone(), [values.clone(), vec![new]].concat()));
                for index in 0..values.len() {
                    let mut other = values.clone();
                    other[index] = new;
                    replaced.push((values.clone(), other));
                }
            }
        }
        for (a, b) in [(1, 2), (1, 4)] {
            let added = worst_at(&quantile::<AddRemove>(a, b, 1.0), (a, b), &added);
            let replaced = worst_at(&quantile::<Replace>(a, b, 1.0), (a, b), &replaced);
            assert!(added <= 1.0 + 1e-6 && added > 0.5, "{added}");
            assert!(replaced <= 1.0 + 1e-6 && replaced > 0.4, "{replaced}");
        }
        // The rate of add/remove would break the price of replacement: the check can fail.
        let wrong = worst_at(&quantile::<AddRemove>(1, 2, 1.0), (1, 2), &replaced);
        assert!(wrong > 1.05, "{wrong}");
    }

    #[test]
    fn permute_and_flip_draws_from_its_law_which_is_closer() {
        // 5 rows at each of the ages 0..=40. At 0.2 a rank, age 20 ± d, whose rows begin 5 d − 2.5
        // ranks off the middle, is accepted with probability exp(−0.2 (5 d − 2.5)).
        let values: Vec<i64> = (0..205).map(|i| i / 5).collect();
        let (half, bounds) = (Amount::from_percent(50), Bounds::new(0, 40).unwrap());
        let epsilon = Epsilon::new(0.2).unwrap();
        let flips: Quantile = Quantile::permute_and_flip(&half, bounds, &epsilon).unwrap();
        let coin = |age: u64| (0.5 - age.abs_diff(20) as f64).exp().min(1.0);
        // With arrival times uniform on 0..=1 for a permutation, an age wins if it is accepted and
        // none that came before is: the integral of its coin times all others' 1 − time · coin.
        let steps = 2000;
        let wins = |age: u64| -> f64 {
            let others = |time: f64| -> f64 {
                (0..=40).filter(|i| *i != age).map(|i| 1.0 - time * coin(i)).product()
            };
            let middles = (0..steps).map(|i| others((f64::from(i) + 0.5) / f64::from(steps)));
            coin(age) * middles.sum::<f64>() / f64::from(steps)
        };
        // Ages 5 off and more together.
        let mut law: Vec<f64> = (16..=24).map(wins).collect();
        law.push(1.0 - law.iter().sum::<f64>());
        let mut drawn = [0u64; 10];
        let mut rng = InsecureTestRng::from_seed(77);
        for _ in 0..20_000 {
            let age = flips.draw(&values, &mut rng).unwrap();
            drawn[usize::try_from(age - 16).unwrap_or(9).min(9)] += 1;
        }
        check_chi_square(&drawn, &law, 1e-9);
        // The exponential mechanism, with the same numbers as weights, is further off.
        let total: f64 = (0..=40).map(coin).sum();
        let off = |p: &dyn Fn(u64) -> f64| -> f64 {
            (0u64..=40).map(|age| age.abs_diff(20) as f64 * p(age)).sum()
        };
        assert!(off(&wins) < 0.91 * off(&|age| coin(age) / total));
        // The price is the same ε, and what any pure mechanism costs in ρ.
        let charge = flips.charge(Changes::NEIGHBOURS).unwrap();
        assert_eq!(charge.in_pure().unwrap().epsilon, "0.2".parse().unwrap());
        assert_eq!(charge.in_zcdp().unwrap().rho, "0.02".parse().unwrap());
        let wide = Bounds::new(0, 4096).unwrap();
        assert!(Quantile::<Replace>::permute_and_flip(&half, wide, &epsilon).is_err());
    }

    #[test]
    fn prices_follow_the_changes_and_the_measure() {
        let median = quantile::<AddRemove>(1, 2, 0.4);
        let charge = median.charge(Changes::NEIGHBOURS).unwrap();
        assert_eq!(charge.in_pure().unwrap().epsilon, "0.4".parse().unwrap());
        assert_eq!(charge.in_zcdp().unwrap().rho, "0.02".parse().unwrap());
        conformance::monotone_cost(&median, &[Changes(1), Changes(2), Changes(9)]).unwrap();
        for q in ["3/2", "0.3333333333333333"] {
            let epsilon = Epsilon::new(1.0).unwrap();
            let bounds = Bounds::new(0, 1).unwrap();
            assert!(Quantile::<AddRemove>::new(&q.parse().unwrap(), bounds, &epsilon).is_err());
        }
    }

    #[test]
    fn every_input_has_a_draw_on_the_grid() {
        let mut rng = InsecureTestRng::from_seed(21);
        let bounds = Bounds::new(i64::MIN, i64::MAX).unwrap();
        let inputs: [&[i64]; 5] =
            [&[], &[i64::MIN], &[i64::MAX; 5], &[i64::MIN, i64::MAX], &[0; 1000]];
        for epsilon in [1e-6, 1.0, 1e6] {
            for q in ["0", "1/2", "0.99", "1"] {
                let q = q.parse().unwrap();
                let epsilon = Epsilon::new(epsilon).unwrap();
                let quantile: Quantile = Quantile::new(&q, bounds, &epsilon).unwrap();
                let few = Bounds::new(i64::MAX - 4095, i64::MAX).unwrap();
                let flips: Quantile = Quantile::permute_and_flip(&q, few, &epsilon).unwrap();
                for input in inputs {
                    quantile.draw(input, &mut rng).unwrap();
                    assert!(flips.draw(input, &mut rng).unwrap() >= i64::MAX - 4095);
                }
            }
        }
        // Sharp enough to find the value that all rows share, on a grid of 2^64 points.
        let sharp: Quantile = Quantile::median(bounds, &Epsilon::new(1.0).unwrap()).unwrap();
        assert_eq!(sharp.draw(&[-77; 1000], &mut rng).unwrap(), -77);
        assert!(quantile::<Replace>(1, 2, 1.0).draw(&[900], &mut rng).unwrap() <= 3);
    }

    #[test]
    fn ranks_are_within_their_bound_as_often_as_stated() {
        // False-alarm probability below 1e-9, seed fixed.
        let values: Vec<i64> = (0..1000).collect();
        let median: Quantile =
            Quantile::median(Bounds::new(0, 999).unwrap(), &Epsilon::new(1.0).unwrap()).unwrap();
        let bound = median.rank_error(&Confidence::default());
        let mut rng = InsecureTestRng::from_seed(22);
        let trials = 2000;
        let draws: Vec<f64> = (0..trials)
            .map(|_| (median.draw(&values, &mut rng).unwrap() as f64 - 499.5).abs())
            .collect();
        let missed = draws.iter().filter(|error| **error > bound + 0.5).count();
        assert!(missed <= 20, "{missed}");
        // Distance k with probability about e^-k: within 3 ranks in 95 % of the draws.
        let near = draws.iter().filter(|error| **error < 3.0).count() as u64;
        // Points 497..=502 have distances 2, 1, 0, 0, 1, 2 (v covers ranks v to v + 1).
        let r = (-1f64).exp();
        check_binomial(near, trials, (1.0 + r + r * r) * (1.0 - r), 1e-9);
    }
}
