//! From a composed loss to the other measures: trade-off function, Rényi curve, pure epsilon.

use super::atoms::{ATOM_ERROR, Atom};
use super::density::Density;
use super::distribution::LossDistribution;
use super::pair::Pair;
use super::spread::excess;
use super::tilt::Target;
use crate::error::{Result, probability};
use crate::numeric::{U, down, up};
use crate::renyi::RenyiCurve;

/// Relative tolerance of the deltas a trade-off function is made of.
const DELTA_TOLERANCE: f64 = 1e-6;
/// Cells on which the moments of a bounded density are bounded.
const CELLS: usize = 4096;

impl LossDistribution {
    /// The trade-off function at a type I error: a lower bound, rounded down, on the type II error
    /// of every test that tells two neighbours apart with `false_positives` or fewer false alarms.
    ///
    /// The higher, the more private; 1 - `false_positives` is perfect privacy. The bound holds
    /// whichever of the two neighbours is the null hypothesis, and is the best one that the curve
    /// delta(epsilon), the larger of both directions, implies.
    ///
    /// # Privacy
    ///
    /// An (epsilon, delta) guarantee means `f(a) >= max(0, 1 - delta - e^epsilon a,
    /// e^-epsilon (1 - delta - a))` ([Wasserman, Zhou 2010](https://arxiv.org/abs/0811.2501);
    /// [Dong, Roth, Su 2019](https://arxiv.org/abs/1905.02383), Proposition 2.5), and the largest
    /// over all epsilon is taken, with upper bounds of delta. A search that stops short of the
    /// largest gives a smaller bound, never a wrong one.
    ///
    /// # Errors
    ///
    /// `OutOfRange` unless the argument is a probability.
    ///
    /// # Example
    ///
    /// ```
    /// use dp_accounting::loss::LossDistribution;
    ///
    /// let year = LossDistribution::laplace(100.0)?.repeat(52);
    /// // Whoever accuses 5% of the innocent misses at least 93% of the others.
    /// assert!(year.trade_off(0.05)? > 0.93);
    /// # Ok::<(), dp_accounting::AccountingError>(())
    /// ```
    pub fn trade_off(&self, false_positives: f64) -> Result<f64> {
        let level = probability("false_positives", false_positives)?;
        if level >= 1.0 {
            return Ok(0.0);
        }
        if level == 0.0 {
            // As epsilon grows, delta falls to the probability of an unbounded loss.
            return Ok((1.0 - self.unbounded()).next_down().max(0.0));
        }
        let power = 1.0 - level;
        // Concave in e^epsilon; no more than 0 where e^epsilon exceeds 1 / level.
        let steep = |epsilon: f64, delta: f64| 1.0 - delta - up(epsilon.exp(), 4.0 * U) * level;
        // A concave function of e^epsilon over e^epsilon, so with one peak; past the epsilon at
        // which half of the power is left, another ln 2 outweighs all that delta can still fall.
        let flat = |epsilon: f64, delta: f64| (power - delta) * down((-epsilon).exp(), 4.0 * U);
        let mut best = self.largest(-level.ln(), steep);
        let half = self.epsilon_upper(0.5 * power, 1e-3)?;
        if half.is_finite() {
            best = best.max(self.largest(half + 0.7, flat));
        }
        // Three operations on numbers of at most 1.
        Ok((best - 4.0 * U).clamp(0.0, power))
    }

    /// The largest value seen of a function of (epsilon, delta) with one peak in `[0, high]`.
    fn largest(&self, high: f64, value: impl Fn(f64, f64) -> f64) -> f64 {
        const RATIO: f64 = 0.618_033_988_749_894_9;
        let at = |epsilon: f64| value(epsilon, self.delta_upper(epsilon));
        let mut best = at(0.0);
        let (mut low, mut high) = (0.0, high);
        let (mut a, mut b) = (high - RATIO * (high - low), low + RATIO * (high - low));
        let (mut fa, mut fb) = (at(a), at(b));
        // The peak is flat: a distance of 1e-5 costs some 1e-10.
        while high - low > 1e-5 {
            best = best.max(fa).max(fb);
            if fa >= fb {
                (high, b, fb) = (b, a, fa);
                a = high - RATIO * (high - low);
                fa = at(a);
            } else {
                (low, a, fa) = (a, b, fb);
                b = low + RATIO * (high - low);
                fb = at(b);
            }
        }
        best.max(fa).max(fb)
    }

    /// The upper end of delta alone.
    fn delta_upper(&self, epsilon: f64) -> f64 {
        if let Some((_, high)) = self.as_gaussian() {
            return crate::gaussian::delta_up(high.mu(), epsilon);
        }
        self.settle(Target::Epsilon(epsilon), |_| DELTA_TOLERANCE, false).upper.min(1.0)
    }

    /// The probability of an unbounded loss, rounded up.
    fn unbounded(&self) -> f64 {
        let one = |parts: &Vec<(std::sync::Arc<Pair>, u64)>| {
            let log = |(pair, count): &(std::sync::Arc<Pair>, u64)| {
                (-pair.infinity.min(1.0)).ln_1p() * *count as f64
            };
            -parts.iter().filter(|(pair, _)| pair.infinity > 0.0).map(log).sum::<f64>().exp_m1()
        };
        let most = one(&self.directions[0]).max(one(&self.directions[1]));
        if most > 0.0 { up(most, 1e-12).min(1.0) } else { 0.0 }
    }

    /// The smallest pure epsilon, rounded up: the largest loss in either direction; `None` if it is
    /// not bounded, as for Gaussian noise and wherever there is a probability of an unbounded loss.
    #[must_use]
    pub fn pure_epsilon(&self) -> Option<f64> {
        let most = self.support_bracket().upper;
        most.is_finite().then_some(most)
    }

    /// Upper bounds on the Rényi divergence, the larger of both directions, at the default orders.
    ///
    /// Divergences of a composition add, so that each mechanism is bounded alone: a loss that is
    /// bounded by the moments of its law, rounded up on a grid (to about one part in 1000, and
    /// never above the pure epsilon); Gaussian noise, discrete Gaussian noise and Poisson-sampled
    /// Gaussian noise under add/remove by their theorems; other samples of these by the divergence
    /// of what is sampled, without amplification.
    ///
    /// The curve is infinite at every order if an unbounded loss has a probability above 0, as an
    /// (epsilon, delta) guarantee with delta > 0 does: no Rényi divergence is finite then.
    #[must_use]
    pub fn renyi_curve(&self) -> RenyiCurve {
        let one = |i: usize| {
            self.directions[i].iter().fold(RenyiCurve::zero(), |sum, (pair, count)| {
                let part = curve_of(pair).repeat(*count);
                sum.and(&part).unwrap_or_else(|_| RenyiCurve::from_bound(|_| f64::INFINITY))
            })
        };
        if self.symmetric { one(0) } else { one(0).pointwise(&one(1), f64::max) }
    }
}

/// The best bound there is for one pair.
fn curve_of(pair: &Pair) -> RenyiCurve {
    if pair.is_trivial() {
        return RenyiCurve::zero();
    }
    let mut best = RenyiCurve::from_bound(|_| f64::INFINITY);
    let mut improve = |curve: RenyiCurve| best = best.pointwise(&curve, f64::min);
    if let Some(rho) = pair.rho {
        RenyiCurve::zcdp(rho).into_iter().for_each(&mut improve);
    }
    if let Some(Density::Sampled { inner, rate, .. }) = &pair.density
        && let (Density::Gaussian { mu }, true) = (inner.as_ref(), pair.atoms.is_empty())
    {
        let noise = down(1.0 / mu, U);
        RenyiCurve::sampled_gaussian(noise, *rate).into_iter().for_each(&mut improve);
    }
    let lowest = pair.density.as_ref().map_or(0.0, |density| density.support().0);
    if pair.infinity == 0.0 && pair.highest().is_finite() && lowest.is_finite() {
        RenyiCurve::pure(pair.highest().max(0.0)).into_iter().for_each(&mut improve);
        improve(moments(pair));
    }
    best
}

/// What a cell adds to a moment: its lower end, its width, its mass at most, and the part of it
/// that moves to the upper end.
struct Cell {
    low: f64,
    width: f64,
    mass: f64,
    moved: f64,
}

/// `ln E e^((a-1) L) / (a-1)` from above, for a loss of finite support.
///
/// In a cell with masses P and Q, `e^(tL)` is convex in `dQ/dP = e^-L`, so that its integral is
/// largest with all of the mass at the ends: `(P - e^low Q) / (1 - e^-width)` at the upper one.
fn moments(pair: &Pair) -> RenyiCurve {
    let cells = pair.density.as_ref().map(cells).unwrap_or_default();
    let top = pair.highest();
    let lowest = pair.atoms.first().map(|atom| atom.loss).into_iter();
    let reach =
        lowest.chain(cells.first().map(|cell| cell.low)).fold(top.abs(), |r, y| r.max(y.abs()));
    let terms = (cells.len() + pair.atoms.len()) as f64;
    RenyiCurve::from_bound(|order| {
        let t = order - 1.0;
        let atom = |atom: &Atom| {
            let mass = atom.p() * (1.0 + ATOM_ERROR) + pair.room + f64::MIN_POSITIVE;
            mass * (t * (atom.loss - top)).exp()
        };
        let cell = |cell: &Cell| {
            let (low, high) = (t * (cell.low - top), t * (cell.low + cell.width - top));
            (cell.mass - cell.moved) * low.exp() + cell.moved * high.min(0.0).exp()
        };
        let sum = pair.atoms.iter().map(atom).sum::<f64>() + cells.iter().map(cell).sum::<f64>();
        let error = U * (2.0 * terms + 16.0 * (1.0 + order * reach));
        (sum.ln() + t * top + error) / t * (1.0 + 4.0 * U)
    })
}

fn cells(density: &Density) -> Vec<Cell> {
    let (low, high) = density.support();
    let width = (high - low) / CELLS as f64;
    let at = |i: usize| if i == CELLS { high } else { low + i as f64 * width };
    let tail = |y: f64| density.tail(y, 4.0 * U * y.abs());
    let mut now = tail(low.next_down());
    let mut all = Vec::with_capacity(CELLS + 1);
    // What the first tail does not see, by rounding, is as low as it can be.
    all.push(Cell { low, width: 0.0, mass: now.p_error, moved: 0.0 });
    for i in 0..CELLS {
        let (y, end) = (at(i), at(i + 1));
        let next = if i + 1 == CELLS { super::density::Tail::default() } else { tail(end) };
        let fall = -(-(end - y)).exp_m1();
        let mass = ((now.p - next.p) + now.p_error + next.p_error) * (1.0 + 4.0 * U);
        let (excess, error) = excess((y, now), (end, next), y, fall, 0.0);
        let moved = ((excess + error) / fall * (1.0 + 8.0 * U)).max(0.0);
        let mass = mass.max(0.0);
        // Not a number: all of it, at the upper end.
        let moved = if moved < mass { moved } else { mass };
        all.push(Cell { low: y, width: end - y, mass, moved });
        now = next;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gaussian::GaussianDp;

    const LEVELS: [f64; 8] = [1e-9, 1e-4, 0.01, 0.05, 0.3, 0.5, 0.9, 0.9999];

    fn near(found: f64, truth: f64, below: f64) {
        assert!(found <= truth + 1e-13 && found >= truth - below, "{found:e} for {truth:e}");
    }

    #[test]
    fn the_trade_off_of_composed_gaussians_is_theirs() {
        for (noise, times) in [(20.0, 1), (2.0, 4), (2.0, 16), (0.5, 4)] {
            let loss = LossDistribution::gaussian(noise).unwrap().repeat(times);
            let exact = GaussianDp::from_noise_multiplier(noise).unwrap().repeat(times);
            for level in LEVELS {
                near(loss.trade_off(level).unwrap(), exact.trade_off(level).unwrap(), 1e-9);
            }
        }
    }

    #[test]
    fn the_trade_off_of_responses_is_that_of_the_best_tests() {
        let epsilon = 0.7f64;
        let one = LossDistribution::randomized_response(epsilon, 2).unwrap();
        for level in LEVELS {
            let truth = (1.0 - epsilon.exp() * level).max((-epsilon).exp() * (1.0 - level));
            near(one.trade_off(level).unwrap(), truth, 1e-5);
        }
        // Two responses: the best tests reject the null on 2, on 1 or 2, or on 0, 1 or 2 lies.
        let p = 1.0 / (1.0 + epsilon.exp());
        let null = [p * p, 2.0 * p * (1.0 - p), (1.0 - p) * (1.0 - p)];
        let exact = |level: f64| {
            let (mut left, mut missed) = (level, 1.0);
            for (mass, alarm) in null.iter().zip(null.iter().rev()) {
                let share = (left / mass).clamp(0.0, 1.0);
                left -= share * mass;
                missed -= share * alarm;
            }
            missed
        };
        let two = one.repeat(2);
        for level in LEVELS {
            near(two.trade_off(level).unwrap(), exact(level), 1e-5);
        }
    }

    #[test]
    fn the_trade_off_of_sampled_noise_lies_between_noise_and_its_own() {
        let (mu, q) = (1.0, 0.2);
        let exact = GaussianDp::new(mu).unwrap();
        let plain = LossDistribution::gaussian(1.0 / mu).unwrap();
        let sampled = plain.poisson_sampled(q).unwrap();
        for level in [1e-4, 0.01, 0.1, 0.5, 0.9] {
            let found = sampled.trade_off(level).unwrap();
            // N(0) against (1 - q) N(0) + q N(mu), and with the hypotheses exchanged.
            let own = |level: f64| (1.0 - q) * (1.0 - level) + q * exact.trade_off(level).unwrap();
            let inverse = crate::numeric::first_true(0.0, 1.0, 1e-14, |x| own(x) <= level);
            let worse = own(level).min(inverse.unwrap());
            assert!(found <= worse + 1e-12 && found > worse - 0.01, "{level} {found} {worse}");
            assert!(found > plain.trade_off(level).unwrap());
        }
        let many = sampled.repeat(20);
        assert!(many.trade_off(0.05).unwrap() < sampled.trade_off(0.05).unwrap());
    }

    #[test]
    fn the_trade_off_ends_where_it_must() {
        let box_of = LossDistribution::approximate(0.5, 1e-3).unwrap();
        near(box_of.trade_off(0.0).unwrap(), 0.999, 1e-12);
        near(box_of.repeat(2).trade_off(0.0).unwrap(), 0.999 * 0.999, 1e-11);
        assert_eq!(box_of.trade_off(1.0).unwrap(), 0.0);
        near(LossDistribution::zero().trade_off(0.3).unwrap(), 0.7, 1e-12);
        near(LossDistribution::gaussian(1.0).unwrap().trade_off(0.0).unwrap(), 1.0, 1e-12);
        assert_eq!(LossDistribution::approximate(0.0, 1.0).unwrap().trade_off(0.2).unwrap(), 0.0);
        assert!(box_of.trade_off(f64::NAN).is_err() && box_of.trade_off(-0.1).is_err());
    }

    /// The curve is above `truth` and close to it.
    fn covers(name: &str, curve: &RenyiCurve, truth: impl Fn(f64) -> f64) {
        for (order, bound) in curve.points() {
            let truth = truth(order);
            assert!(
                bound >= truth * (1.0 - 1e-9) - 1e-14 && bound <= truth * 1.001 + 1e-9,
                "{name} at {order}: {bound:e} for {truth:e}"
            );
        }
    }

    #[test]
    fn renyi_curves_cover_closed_forms() {
        let gaussian = LossDistribution::gaussian(2.0).unwrap().repeat(10);
        covers("Gaussian", &gaussian.renyi_curve(), |order| 10.0 * order / 8.0);
        let discrete = LossDistribution::discrete_gaussian(4.0, 2).unwrap().repeat(3);
        covers("discrete Gaussian", &discrete.renyi_curve(), |order| 3.0 * order / 8.0);
        for noise in [0.1, 1.0, 3.0, 50.0] {
            let exact = RenyiCurve::laplace(noise).unwrap().repeat(4);
            let laplace = LossDistribution::laplace(noise).unwrap().repeat(4);
            covers("Laplace", &laplace.renyi_curve(), |order| exact.at(order));
        }
        let sampled = LossDistribution::gaussian(1.5).unwrap().poisson_sampled(0.01).unwrap();
        let exact = RenyiCurve::sampled_gaussian(1.5, 0.01).unwrap();
        covers("sampled Gaussian", &sampled.renyi_curve(), |order| exact.at(order));
    }

    #[test]
    fn renyi_curves_of_finite_laws_are_their_moments() {
        // Under add/remove, a response sampled with rate q, in the worse direction.
        let (epsilon, q) = (1.2f64, 0.3);
        let loss = LossDistribution::pure(epsilon).unwrap().poisson_sampled(q).unwrap();
        let (hit, miss) = (1.0 / (1.0 + (-epsilon).exp()), 1.0 / (1.0 + epsilon.exp()));
        let mixed = [(1.0 - q) * miss + q * hit, (1.0 - q) * hit + q * miss];
        let divergence = |p: [f64; 2], r: [f64; 2], order: f64| {
            let part = |i: usize| order * p[i].ln() - (order - 1.0) * r[i].ln();
            crate::numeric::log_sum_exp(&[part(0), part(1)]) / (order - 1.0)
        };
        let truth = |order: f64| {
            divergence(mixed, [miss, hit], order).max(divergence([miss, hit], mixed, order))
        };
        covers("sampled response", &loss.renyi_curve(), truth);

        let (scale, d) = (3.0f64, 4u32);
        let loss = LossDistribution::discrete_laplace(scale, d).unwrap().repeat(6);
        let r = (-1.0 / scale).exp();
        let log_mass = |x: i32| ((1.0 - r) / (1.0 + r)).ln() - f64::from(x.abs()) / scale;
        let terms = |order: f64| -> Vec<f64> {
            let at = |x: i32| order * log_mass(x) - (order - 1.0) * log_mass(x - d as i32);
            (-400..400).map(at).collect()
        };
        let truth = |order: f64| 6.0 * crate::numeric::log_sum_exp(&terms(order)) / (order - 1.0);
        covers("discrete Laplace", &loss.renyi_curve(), truth);

        let range = LossDistribution::bounded_range(0.5).unwrap().renyi_curve();
        assert!(range.points().all(|(_, bound)| bound <= 0.5_f64.next_up()));
    }

    #[test]
    fn an_unbounded_loss_has_no_renyi_curve_and_no_pure_epsilon() {
        let loss = LossDistribution::laplace(10.0).unwrap().repeat(100);
        let epsilon = loss.pure_epsilon().unwrap();
        assert!((10.0..10.0 + 1e-9).contains(&epsilon));
        assert_eq!(LossDistribution::zero().pure_epsilon(), Some(0.0));
        assert_eq!(LossDistribution::gaussian(5.0).unwrap().pure_epsilon(), None);
        let leak = loss.and(&LossDistribution::approximate(0.1, 1e-9).unwrap());
        assert_eq!(leak.pure_epsilon(), None);
        assert!(leak.renyi_curve().points().all(|(_, bound)| bound == f64::INFINITY));
        // Without a theorem, what is sampled stands for the sample.
        let fixed =
            LossDistribution::gaussian(2.0).unwrap().sampled_without_replacement(0.1).unwrap();
        covers("fixed-size sample", &fixed.renyi_curve(), |order| order / 8.0);
    }
}
