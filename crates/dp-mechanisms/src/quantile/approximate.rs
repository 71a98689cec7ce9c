//! Several quantiles at once, by recursion.

use std::marker::PhantomData;

use num_integer::Integer;
use privacy_core::error::{Error, Result};
use privacy_core::measure::{Charge, PureCost, PureDp};
use privacy_core::mechanism::Mechanism;
use privacy_core::params::{Amount, Bounds, Epsilon, Rho};
use privacy_core::random::{EntropyError, RandomBuffer, SecureRng};
use privacy_core::space::{Changes, Rows};
use privacy_core::unit::{AddRemove, Adjacency, Record, Relation};

use super::rank::{Position, Ranked, out_of_range, sorted};
use crate::noise::Choices;
use crate::select::{bounded_range, bounded_range_epsilon};

/// Draws several quantiles, in order, at the price of log₂ of their number.
///
/// The middle quantile is drawn first, from all values; those below it and those above it then
/// are problems of half the size, on data, ranks and bounds of their own (Kaplan, Schnapp and
/// Stemmer 2022, <https://arxiv.org/abs/2110.05429>). Values equal to the drawn point are dealt to
/// the two sides by independent coins with the share of quantiles on each side, so that data with
/// many equal values keeps its quantiles.
///
/// # Privacy
///
/// Each of ⌊log₂ m⌋ + 1 levels is a set of [`Quantile`](super::Quantile)s on disjoint parts of the
/// data. Given the draws of the levels before and the coins of the other records, which part a
/// record belongs to depends on this record alone: adding or removing it changes one part, so that
/// a level costs what one quantile costs, ε₁ = ε/levels, and ε₁²/8-zCDP; levels add up. d changes
/// cost d times as much ε (d² times as much ρ), and a replaced record counts as one removed and
/// one added.
///
/// # Example
///
/// ```
/// use dp_mechanisms::quantile::ApproxQuantiles;
/// use privacy_core::prelude::*;
///
/// let spent: Vec<i64> = (0..5000).map(|i| (i * 7919) % 10_007).collect(); // cents
/// let wanted: Vec<Amount> = ["0.1", "0.5", "0.9"].iter().map(|q| q.parse()).collect::<Result<_>>()?;
/// let bounds = Bounds::new(0, 100_000)?;
/// let deciles: ApproxQuantiles = ApproxQuantiles::new(&wanted, bounds, &Epsilon::new(0.4)?)?;
/// let charge = deciles.charge(Changes::NEIGHBOURS)?;
/// assert_eq!(charge.in_zcdp().unwrap().rho, "0.01".parse()?); // two levels of 0.2
/// let drawn = deciles.draw(&spent, &mut SystemRng::new()?)?;
/// assert!(drawn[0] <= drawn[1] && drawn[1] <= drawn[2]);
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ApproxQuantiles<A = AddRemove> {
    /// The quantiles are these over `denom`, increasing.
    numers: Vec<u64>,
    denom: u64,
    bounds: Bounds<i64>,
    /// ε of each level.
    epsilon: Amount,
    adjacency: PhantomData<fn() -> A>,
}

impl<A: Adjacency> ApproxQuantiles<A> {
    /// The given quantiles, which cost `epsilon` all together between neighbours.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] unless the quantiles increase, lie between 0 and 1, and have a common
    /// denominator of at most 2^32; [`Error::Missing`] if there are none.
    pub fn new(quantiles: &[Amount], bounds: Bounds<i64>, epsilon: &Epsilon) -> Result<Self> {
        let mut denom = 1u64;
        let mut before: Option<&Amount> = None;
        for quantile in quantiles {
            let position = Position::new(quantile)?;
            if before.is_some_and(|before| before >= quantile) {
                return Err(Error::Parameter {
                    parameter: "each quantile",
                    requirement: "larger than the one before",
                    given: quantile.to_f64_up(),
                });
            }
            before = Some(quantile);
            // At most 2^32 · 2^32 / gcd; the check below leaves room for the next.
            denom = denom.checked_mul(position.denom / denom.gcd(&position.denom)).unwrap_or(0);
            if denom == 0 || denom > 1 << 32 {
                return Err(out_of_range(quantile));
            }
        }
        let numers = quantiles
            .iter()
            .map(|q| Position::new(q).map(|p| p.numer * (denom / p.denom)))
            .collect::<Result<Vec<u64>>>()?;
        if numers.is_empty() {
            return Err(Error::Missing {
                setting: "the list of quantiles",
                remedy: "give at least one quantile",
            });
        }
        let neighbours = Amount::from_integer(levels(numers.len()) * steps::<A>());
        let epsilon = epsilon.amount().checked_div(&neighbours).unwrap_or(Amount::ZERO);
        Ok(ApproxQuantiles { numers, denom, bounds, epsilon, adjacency: PhantomData })
    }

    /// The quantiles 1/(m+1), 2/(m+1), ..., m/(m+1), which cost `epsilon` all together.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] if `m` is 0; [`Error::Parameter`] above 2^32 − 1.
    pub fn evenly(m: u32, bounds: Bounds<i64>, epsilon: &Epsilon) -> Result<Self> {
        let parts = u64::from(m) + 1;
        let quantiles: Result<Vec<Amount>> =
            (1..parts).map(|i| Amount::from_fraction(i, parts)).collect();
        Self::new(&quantiles?, bounds, epsilon)
    }

    /// The given quantiles, which cost at most `rho`-zCDP all together between neighbours.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new), and [`Error::Parameter`] if ρ is too small for the levels.
    pub fn zcdp(quantiles: &[Amount], bounds: Bounds<i64>, rho: &Rho) -> Result<Self> {
        let levels = levels(quantiles.len().max(1));
        let parts = Amount::from_integer(levels * steps::<A>() * steps::<A>());
        let share = rho.amount().checked_div(&parts).unwrap_or(Amount::ZERO);
        let level = bounded_range_epsilon(&Rho::from_amount(share)?)?;
        let all = level.amount() * &Amount::from_integer(levels * steps::<A>());
        Self::new(quantiles, bounds, &Epsilon::from_amount(all)?)
    }

    /// How many quantiles there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.numers.len()
    }

    /// How many levels the recursion has.
    #[must_use]
    pub fn levels(&self) -> u64 {
        levels(self.numers.len())
    }

    fn draw_all<C: Choices + ?Sized>(
        &self,
        values: &[i64],
        choices: &mut C,
    ) -> Result<Vec<i64>, EntropyError> {
        let sorted = sorted(values, &self.bounds);
        let mut drawn = vec![self.bounds.lower(); self.numers.len()];
        let all = Part {
            sorted: &sorted,
            numers: &self.numers,
            between: (0, self.denom),
            range: (self.bounds.lower(), self.bounds.upper()),
        };
        all.draw(&self.epsilon, &mut drawn, choices)?;
        Ok(drawn)
    }
}

/// ⌊log₂ m⌋ + 1.
fn levels(quantiles: usize) -> u64 {
    u64::from(quantiles.max(1).ilog2()) + 1
}

/// How many records are added or removed between neighbours.
fn steps<A: Adjacency>() -> u64 {
    match A::RELATION {
        Relation::AddRemove => 1,
        _ => 2,
    }
}

/// The quantiles `numers` that lie between two others, and the values that belong to them.
struct Part<'a> {
    sorted: &'a [i64],
    numers: &'a [u64],
    /// The quantiles that the lowest and the highest of the values stand for.
    between: (u64, u64),
    range: (i64, i64),
}

impl Part<'_> {
    fn draw<C: Choices + ?Sized>(
        &self,
        epsilon: &Amount,
        out: &mut [i64],
        choices: &mut C,
    ) -> Result<(), EntropyError> {
        let middle = self.numers.len() / 2;
        let Some(&numer) = self.numers.get(middle) else {
            return Ok(());
        };
        let (low, high) = self.between;
        // Quantiles increase, so the two are apart.
        let position = Position { numer: numer - low, denom: high - low };
        let moves = Amount::from_integer(2 * position.add_remove());
        let rate = epsilon.checked_div(&moves).unwrap_or(Amount::ZERO);
        let (lower, upper) = self.range;
        let ranked = Ranked { sorted: self.sorted, lower, upper, position, rate: rate.as_ratio() };
        let point = ranked.draw(choices)?;
        out[middle] = point;
        if self.numers.len() == 1 {
            return Ok(());
        }
        let below = self.sorted.partition_point(|&value| value < point);
        let tied = self.sorted[below..].partition_point(|&value| value <= point);
        let cut = below + heads(tied, position, choices)?;
        let left = Part {
            sorted: &self.sorted[..cut],
            numers: &self.numers[..middle],
            between: (low, numer),
            range: (lower, point),
        };
        left.draw(epsilon, &mut out[..middle], choices)?;
        let right = Part {
            sorted: &self.sorted[cut..],
            numers: &self.numers[middle + 1..],
            between: (numer, high),
            range: (point, upper),
        };
        right.draw(epsilon, &mut out[middle + 1..], choices)
    }
}

/// How many of `coins` coins of a/b show heads.
fn heads<C: Choices + ?Sized>(
    coins: usize,
    position: Position,
    choices: &mut C,
) -> Result<usize, EntropyError> {
    let mut heads = 0;
    for _ in 0..coins {
        heads += usize::from(choices.chance(&position.numer, &position.denom)?);
    }
    Ok(heads)
}

impl<A: Adjacency> Mechanism for ApproxQuantiles<A> {
    type Input = Rows<i64, Record, A>;
    type Measure = PureDp;
    type Output = Vec<i64>;

    fn draw(&self, values: &[i64], rng: &mut dyn SecureRng) -> Result<Vec<i64>> {
        Ok(self.draw_all(values, &mut RandomBuffer::new(rng))?)
    }

    fn cost(&self, d_in: Changes) -> Result<PureCost> {
        let steps = Amount::from_integer(self.levels() * steps::<A>());
        Ok(PureCost { epsilon: &(&self.epsilon * &steps) * &d_in.0.into() })
    }

    fn charge(&self, d_in: Changes) -> Result<Charge> {
        let pure = Charge::pure(self.cost(d_in)?.epsilon);
        let steps = &Amount::from_integer(steps::<A>()) * &d_in.0.into();
        let level = bounded_range(&(&self.epsilon * &steps)).in_zcdp();
        let zcdp = level.map(|cost| Charge::zcdp(&cost.rho * &self.levels().into()));
        Ok(zcdp.map_or(pure.clone(), |zcdp| pure.or(zcdp)))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use num_bigint::BigUint;
    use num_rational::Ratio;
    use privacy_core::conformance;
    use privacy_core::random::InsecureTestRng;
    use privacy_core::unit::Replace;
    use privacy_testing::enumerate::enumerate;

    use super::*;
    use crate::noise::told::Merged;

    fn evenly<A: Adjacency>(m: u32, upper: i64, epsilon: f64) -> ApproxQuantiles<A> {
        let bounds = Bounds::new(0, upper).unwrap();
        ApproxQuantiles::evenly(m, bounds, &Epsilon::new(epsilon).unwrap()).unwrap()
    }

    fn number(p: &Ratio<BigUint>) -> f64 {
        Amount::from_fraction(p.numer().clone(), p.denom().clone()).unwrap().to_f64_up()
    }

    #[test]
    fn neighbours_differ_by_no_more_than_the_price() {
        let mut laws: BTreeMap<Vec<i64>, BTreeMap<Vec<i64>, f64>> = BTreeMap::new();
        let quantiles = evenly::<AddRemove>(2, 1, 2.0);
        let mut law = |values: &[i64]| {
            let mut key = values.to_vec();
            key.sort_unstable();
            let law = laws.entry(key).or_insert_with(|| {
                let law = enumerate(26, |c| quantiles.draw_all(values, &mut Merged(c)));
                assert!(law.unexplored < Ratio::new(1u8.into(), 1000u32.into()));
                law.explored.iter().map(|(k, p)| (k.clone(), number(p))).collect()
            });
            law.clone()
        };
        let mut worst = 0.0f64;
        for values in [&[][..], &[0], &[1], &[0, 0], &[0, 1], &[1, 1]] {
            for new in [0, 1] {
                let (a, b) = (law(values), law(&[values, &[new]].concat()));
                assert_eq!(a.len(), 3, "all increasing pairs");
                for (outcome, p) in &a {
                    worst = worst.max((p / b[outcome]).ln().abs());
                }
            }
        }
        assert!(worst <= 2.0 * 1.01 && worst > 0.5, "{worst}");
    }

    #[test]
    fn prices_are_those_of_the_levels() {
        let seven = evenly::<AddRemove>(7, 9, 0.6);
        assert_eq!((seven.levels(), evenly::<AddRemove>(8, 9, 1.0).levels()), (3, 4));
        let charge = seven.charge(Changes::NEIGHBOURS).unwrap();
        assert_eq!(charge.in_pure().unwrap().epsilon, "0.6".parse().unwrap());
        assert_eq!(charge.in_zcdp().unwrap().rho, "0.015".parse().unwrap());
        let replaced = evenly::<Replace>(7, 9, 0.6).charge(Changes::NEIGHBOURS).unwrap();
        assert_eq!(replaced, charge);
        conformance::monotone_cost(&seven, &[Changes(1), Changes(3)]).unwrap();
        let rho = Rho::new(0.3).unwrap();
        let bounds = Bounds::new(0, 9).unwrap();
        let q: Vec<Amount> = (1..6).map(|i| Amount::from_fraction(i as u8, 6u8).unwrap()).collect();
        let charges = [
            ApproxQuantiles::<AddRemove>::zcdp(&q, bounds, &rho).unwrap().charge(Changes(1)),
            ApproxQuantiles::<Replace>::zcdp(&q, bounds, &rho).unwrap().charge(Changes(1)),
        ];
        for charge in charges {
            let asked = charge.unwrap().in_zcdp().unwrap().rho;
            assert!(asked <= *rho.amount() && asked.to_f64_up() > 0.299_999);
        }
    }

    #[test]
    fn every_input_has_an_ordered_draw_within_the_bounds() {
        let mut rng = InsecureTestRng::from_seed(31);
        let bounds = Bounds::new(i64::MIN, i64::MAX).unwrap();
        let inputs: [&[i64]; 4] = [&[], &[i64::MIN], &[i64::MIN, i64::MAX, 0], &[5; 300]];
        for m in [1, 2, 9, 100] {
            for epsilon in [1e-3, 10.0] {
                let epsilon = Epsilon::new(epsilon).unwrap();
                let quantiles = ApproxQuantiles::<AddRemove>::evenly(m, bounds, &epsilon).unwrap();
                for input in inputs {
                    let drawn = quantiles.draw(input, &mut rng).unwrap();
                    assert!(drawn.len() == m as usize && drawn.is_sorted());
                }
            }
        }
    }

    #[test]
    fn ranks_are_close_and_equal_values_keep_their_quantiles() {
        let mut rng = InsecureTestRng::from_seed(32);
        let values: Vec<i64> = (0..20_000).map(|i| i * 7919 % 20_000).collect();
        let drawn = evenly::<AddRemove>(9, 19_999, 1.0).draw(&values, &mut rng).unwrap();
        for (i, point) in drawn.iter().enumerate() {
            assert!((point - 2000 * (i as i64 + 1)).abs() < 200, "decile {i}");
        }
        let equal = evenly::<AddRemove>(9, 1_000_000, 1.0).draw(&[777; 5000], &mut rng).unwrap();
        assert_eq!(equal, [777; 9]);
    }

    #[test]
    fn lists_that_make_no_sense_are_refused() {
        let bounds = Bounds::new(0, 9).unwrap();
        let epsilon = Epsilon::new(1.0).unwrap();
        let list = |texts: &[&str]| -> Vec<Amount> {
            texts.iter().map(|text| text.parse().unwrap()).collect()
        };
        for bad in [&[][..], &["0.5", "0.5"], &["0.5", "0.2"], &["1.2"], &["1/4294967291", "1/7"]] {
            let refused = ApproxQuantiles::<AddRemove>::new(&list(bad), bounds, &epsilon);
            assert!(refused.unwrap_err().is_parameter());
        }
        assert!(ApproxQuantiles::<AddRemove>::new(&list(&["0", "1"]), bounds, &epsilon).is_ok());
    }
}
