//! Releases of several groups, and the law of a mean.

use std::fmt;

use privacy_core::measure::Charge;
use privacy_core::params::Confidence;
use privacy_core::release::{ErrorLaw, Interval, Readable, Release};
use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};

use crate::additive::{Noise, NoiseLaw, continuous_scale, normal_quantile};
use crate::grid::Grid;

/// One release for each group: the known groups in the order they were listed, or the groups that
/// were selected in their own order.
///
/// All of them together cost one [`charge`](GroupedRelease::charge); each one's own charge is that
/// same charge. Each interval holds with its own confidence, not all at once.
#[derive(Clone, Debug)]
#[must_use = "a release was paid for"]
pub struct GroupedRelease<K, V> {
    groups: Vec<K>,
    releases: Vec<Release<V>>,
    charge: Charge,
}

impl<K, V> GroupedRelease<K, V> {
    pub(super) fn new(groups: Vec<K>, releases: Vec<Release<V>>, charge: Charge) -> Self {
        GroupedRelease { groups, releases, charge }
    }

    /// The groups with their releases.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&K, &Release<V>)> {
        self.groups.iter().zip(&self.releases)
    }

    /// The release of one group.
    pub fn get<Q>(&self, group: &Q) -> Option<&Release<V>>
    where
        K: std::borrow::Borrow<Q>,
        Q: Eq + ?Sized,
    {
        self.iter().find(|(listed, _)| (*listed).borrow() == group).map(|(_, release)| release)
    }

    /// The number of groups.
    #[must_use]
    pub fn len(&self) -> usize {
        self.groups.len()
    }

    /// Whether there are no groups: known groups always have one, a selection may be empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// What all groups together cost.
    pub fn charge(&self) -> &Charge {
        &self.charge
    }
}

impl<'r, K, V> IntoIterator for &'r GroupedRelease<K, V> {
    type Item = (&'r K, &'r Release<V>);
    type IntoIter = std::iter::Zip<std::slice::Iter<'r, K>, std::slice::Iter<'r, Release<V>>>;

    fn into_iter(self) -> Self::IntoIter {
        self.groups.iter().zip(&self.releases)
    }
}

impl<K: fmt::Display, V: Readable> fmt::Display for GroupedRelease<K, V> {
    /// One line for each group.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.groups.iter().map(|k| k.to_string().chars().count()).max().unwrap_or(0);
        for (i, (group, release)) in self.iter().enumerate() {
            if i > 0 {
                writeln!(f)?;
            }
            write!(f, "{:width$}  {release}", group.to_string())?;
        }
        Ok(())
    }
}

#[derive(Serialize)]
struct SerializedGroup<'r, K, V: Serialize> {
    group: &'r K,
    release: &'r Release<V>,
}

impl<K: Serialize, V: Serialize> Serialize for GroupedRelease<K, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut seq = serializer.serialize_seq(Some(self.len()))?;
        for (group, release) in self {
            seq.serialize_element(&SerializedGroup { group, release })?;
        }
        seq.end()
    }
}

/// The law of a mean's error, which follows from the two noisy integers it is made of.
///
/// With A the noisy sum of distances from the lower bound and B that of distances from the upper
/// bound, the estimate is at the fraction A/(A + B) of the interval. If t is the true fraction,
/// (1 − t)A − tB is the difference of the two noises with the weights 1 − t and t, of which the law
/// is known: the interval holds the t for which it is within the half-width of that law (Fieller
/// 1954): that of continuous draws, widened by one step for what discrete ones are off them. Where
/// noise leaves too little to divide by, both noises are taken to be within their half-widths instead
/// (a union bound). Half a step of the grid is added for the rounding of the values. The interval
/// covers the mean of the bounded, clamped values as often as it says, and more often where noise is
/// as large as the total or the mean lies at a bound.
#[derive(Clone, Debug)]
pub struct MeanLaw {
    from_lower: i128,
    from_upper: i128,
    grid: Grid,
    /// That of the steps that the integers count.
    exponent: i32,
    /// The caller's bounds, which the estimate never leaves.
    bounds: (f64, f64),
    noise: Noise,
}

impl MeanLaw {
    pub(super) fn new(
        from_lower: i128,
        from_upper: i128,
        grid: Grid,
        exponent: i32,
        bounds: (f64, f64),
        noise: Noise,
    ) -> Self {
        MeanLaw { from_lower, from_upper, grid, exponent, bounds, noise }
    }

    /// The point at a fraction of the grid's interval.
    fn at(&self, fraction: f64) -> f64 {
        let lower = self.grid.to_f64(self.grid.lower().into());
        let upper = self.grid.to_f64(self.grid.upper().into());
        lower * (1.0 - fraction) + upper * fraction
    }

    fn bounded(&self, value: f64) -> f64 {
        value.clamp(self.bounds.0, self.bounds.1)
    }

    /// A fraction with the noisy total below it; `None` where noise leaves nothing to divide by.
    fn fraction(&self, numerator: f64) -> Option<f64> {
        let total = self.from_lower.saturating_add(self.from_upper) as f64;
        (total > 0.0).then(|| (numerator / total).clamp(0.0, 1.0))
    }

    /// The fractions at which the noises are as the law of their weighted difference says with
    /// probability 1 − `miss`; `None` where noise leaves nothing to divide by.
    fn fractions(&self, miss: f64) -> Option<(f64, f64)> {
        let total = self.from_lower.saturating_add(self.from_upper) as f64;
        let (below, above) = (self.from_lower as f64, self.from_upper as f64);
        let difference = Difference::new(&self.noise, miss);
        if total > 2.0 * difference.most() {
            // t total + h(t) rises: h falls by at most 2 h(0) from 0 to 1/2.
            let low = beginning(1.0, |t| difference.reaches(t, below - t * total));
            let high = beginning(1.0, |t| difference.reaches(t, above - t * total));
            return Some((low, 1.0 - high));
        }
        let half_width = self.noise.half_width(miss / 2.0);
        self.fraction(below - half_width).zip(self.fraction(below + half_width))
    }

    /// The estimate; the middle of the bounds where noise leaves nothing to divide by.
    pub(super) fn mean(&self) -> f64 {
        self.bounded(self.at(self.fraction(self.from_lower as f64).unwrap_or(0.5)))
    }

    pub(super) fn expected_half_width(
        rows: u64,
        grid: &Grid,
        exponent: i32,
        noise: &Noise,
        confidence: &Confidence,
    ) -> f64 {
        let finer = 2f64.powi(grid.exponent() - exponent);
        let (rows, width) = (rows.max(1) as f64, grid.width() as f64 * finer);
        let difference = Difference::new(noise, confidence.miss_probability());
        let half_width = match rows * width > 2.0 * difference.most() {
            // A mean in the middle of the bounds.
            true => beginning(difference.most(), |x| !difference.reaches(0.5, x)),
            false => noise.half_width(confidence.miss_probability() / 2.0),
        };
        let steps = (half_width / rows).min(width);
        let rounding = if grid.exponent() == 0 { 0.0 } else { 0.5 * finer };
        (steps + rounding) * 2f64.powi(exponent)
    }
}

impl ErrorLaw<f64> for MeanLaw {
    fn describe(&self) -> String {
        let noise = NoiseLaw::new(self.noise.clone(), self.exponent);
        format!("quotient of noisy sums, each with {noise}")
    }

    fn interval(&self, _: &f64, confidence: &Confidence) -> Interval {
        let rounding = match self.grid.exponent() {
            0 => 0.0,
            exponent => 2f64.powi(exponent - 1),
        };
        // What floats lose between a fraction and a point of the interval.
        let slack = rounding + 8.0 * f64::EPSILON * self.bounds.0.abs().max(self.bounds.1.abs());
        match self.fractions(confidence.miss_probability()) {
            Some((lower, upper)) => Interval {
                lower: self.bounded(self.at(lower) - slack),
                upper: self.bounded(self.at(upper) + slack),
            },
            None => Interval { lower: self.bounds.0, upper: self.bounds.1 },
        }
    }
}

/// The difference of two independent noises of one law with the weights 1 − t and t: that of
/// continuous draws, and one step, since each draw is less than one from its continuous twin (see
/// [`PrefixLaw`](crate::stream::PrefixLaw)).
///
/// Its half-width falls up to t = 1/2 and rises from there (Proschan 1965, "Peakedness of
/// distributions of convex combinations", for symmetric log-concave densities).
struct Difference {
    laplace: bool,
    scale: f64,
    miss: f64,
    /// Of one noise, in units of its scale.
    quantile: f64,
}

impl Difference {
    fn new(noise: &Noise, miss: f64) -> Self {
        let laplace = matches!(noise, Noise::Laplace(_));
        let quantile = if laplace { -miss.ln() * (1.0 + 1e-12) } else { normal_quantile(miss) };
        Difference { laplace, scale: continuous_scale(noise), miss, quantile }
    }

    /// A bound of the half-width for any weights.
    fn most(&self) -> f64 {
        self.scale * self.quantile + 1.0
    }

    /// Whether the half-width for the weights 1 − t and t is at least `distance`.
    fn reaches(&self, t: f64, distance: f64) -> bool {
        let distance = (distance - 1.0) / self.scale;
        if distance <= 0.0 {
            return true;
        }
        if !self.laplace {
            return (1.0 - t).hypot(t) * self.quantile >= distance;
        }
        // Of Laplace draws of scales a and c by partial fractions of the characteristic function;
        // close scales count as equal ones.
        let (a, c) = (t.max(1.0 - t), t.min(1.0 - t));
        let tail = |scale: f64| if scale > 0.0 { (-distance / scale).exp() } else { 0.0 };
        let beyond = match a - c < 1e-5 {
            true => (1.0 + distance / (2.0 * a)) * tail(a),
            false => (a * a * tail(a) - c * c * tail(c)) / (a * a - c * c),
        };
        beyond * (1.0 + 1e-9) >= self.miss
    }
}

/// The x from 0 to `most` from which on `holds` holds, rounded down; 0 if it holds everywhere.
fn beginning(most: f64, holds: impl Fn(f64) -> bool) -> f64 {
    let (mut low, mut high) = (0.0, most);
    if holds(low) {
        return low;
    }
    for _ in 0..64 {
        let middle = 0.5 * (low + high);
        if holds(middle) { high = middle } else { low = middle }
    }
    low
}
