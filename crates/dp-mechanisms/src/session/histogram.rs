//! Histograms of several dimensions whose cells and margins agree.
//!
//! # The aggregate
//!
//! A row adds 1 to its cell of the full table and, with two dimensions or more, to its bin of each
//! dimension's own histogram. Noise goes on all of these counts: their L1 sensitivity for one row
//! is the number of tables measured.
//!
//! # The fit
//!
//! The noisy tables contradict each other; the release is the least-squares fit of one table to
//! all of them (post-processing), so that every margin is the sum of its cells, and each number is
//! estimated from all that was measured: of the smallest variance that any linear unbiased reading
//! has (Gauss-Markov). A margin is not the sum of many noisy cells, whose noise would add up.

mod axes;
mod fit;

use std::fmt;
use std::sync::Arc;

use privacy_core::params::Confidence;
use privacy_core::release::{ErrorLaw, Interval};
use serde::Serialize;

pub use axes::Axes;
use fit::Fit;

use super::Session;
use super::aggregate::Rows;
use super::grouping::Whole;
use super::query::Query;
use super::statistic::Statistic;
use crate::additive::{Noise, NoiseLaw};
use crate::bound::Shape;
use crate::stream::PrefixLaw;

impl<'a, T, U, A> Session<'a, T, U, A> {
    /// A histogram of several dimensions whose cells and margins agree.
    ///
    /// # Example
    ///
    /// ```
    /// use dp_mechanisms::prelude::*;
    /// use dp_mechanisms::session::histogram::Axes;
    ///
    /// struct Login { country: &'static str, hour: u32 }
    /// # let logins: Vec<Login> = (0..3000)
    /// #     .map(|i| Login { country: ["de", "fr"][i as usize % 2], hour: i * i % 24 })
    /// #     .collect();
    /// let session = Session::over(&logins).budget(Epsilon::new(1.0)?).open()?;
    /// let axes = Axes::new()
    ///     .groups("country", |l: &Login| l.country, &["de", "fr"])?
    ///     .bins("hour", |l: &Login| l.hour, &[0, 8, 16, 24])?;
    /// let table = session.histogram(axes).epsilon(0.5)?.release()?.into_value();
    /// let morning_de = table.count(&[0, 0]).unwrap();
    /// let by_country = table.margin(&[0]).unwrap();
    /// println!("{morning_de:.0} of {:.0} ± {:.0}", by_country[0], table.deviation(&[0]).unwrap());
    /// # Ok::<(), dp_mechanisms::Error>(())
    /// ```
    pub fn histogram(&self, axes: Axes<'a, T>) -> Query<'_, 'a, T, U, A, Histogram<'a, T>, Whole> {
        Query::new(self, Histogram::over(axes), Whole)
    }
}

/// The counts of rows by several dimensions.
#[derive(Debug)]
pub struct Histogram<'a, T> {
    axes: Axes<'a, T>,
}

impl<'a, T> Histogram<'a, T> {
    pub(super) fn over(axes: Axes<'a, T>) -> Self {
        Histogram { axes }
    }
}

/// A released table of counts: a number for each combination of bins, estimated so that margins
/// are sums of cells. Counts are estimates: they may be fractions, and below 0.
#[derive(Clone, Debug, Serialize)]
pub struct HistogramTable {
    names: Vec<String>,
    labels: Vec<Vec<String>>,
    counts: Vec<f64>,
    #[serde(skip)]
    fit: Fit,
    /// The noise on each measured count.
    #[serde(skip)]
    noise: Noise,
    /// Its standard deviation.
    noise_deviation: f64,
}

impl HistogramTable {
    /// The names of the dimensions.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The labels of a dimension's bins.
    #[must_use]
    pub fn labels(&self, dimension: usize) -> Option<&[String]> {
        self.labels.get(dimension).map(Vec::as_slice)
    }

    /// The count of the cell at the given bins, one for each dimension.
    #[must_use]
    pub fn count(&self, bins: &[usize]) -> Option<f64> {
        self.counts.get(self.fit.cell(bins)?).copied()
    }

    /// The counts by the given dimensions alone, in increasing order of dimensions, the last one
    /// running fastest; the total for none.
    ///
    /// `None` for a dimension that does not exist.
    #[must_use]
    pub fn margin(&self, dimensions: &[usize]) -> Option<Vec<f64>> {
        Some(self.fit.margin(&self.counts, self.fit.subset(dimensions)?))
    }

    /// The number of rows.
    #[must_use]
    pub fn total(&self) -> f64 {
        self.counts.iter().sum()
    }

    /// The standard deviation of each count of [`margin`](HistogramTable::margin): of a cell, if
    /// all dimensions are given.
    #[must_use]
    pub fn deviation(&self, dimensions: &[usize]) -> Option<f64> {
        Some(self.noise_deviation * self.fit.variance(self.fit.subset(dimensions)?).sqrt())
    }

    /// Half the width of the interval of each count of [`margin`](HistogramTable::margin), at the
    /// confidence: of a cell, if all dimensions are given.
    ///
    /// From the law of the weighted sum of noise that a count is off by (see
    /// [`PrefixLaw`]).
    #[must_use]
    pub fn half_width(&self, dimensions: &[usize], confidence: &Confidence) -> Option<f64> {
        let subset = self.fit.subset(dimensions)?;
        Some(half_width(&self.fit, subset, &self.noise, confidence))
    }
}

/// For the weighted sum that a count of the margin over `subset` is off by: the half-width of its
/// law, or Chebyshev's where many narrow draws make that of the law wide.
fn half_width(fit: &Fit, subset: usize, noise: &Noise, confidence: &Confidence) -> f64 {
    let miss = confidence.miss_probability();
    let weights = fit.weights(subset);
    let law = weights.into_iter().fold(PrefixLaw::default(), |law, (weight, count)| {
        law.plus(noise, weight, count.into(), 0.0)
    });
    let chebyshev = noise.standard_deviation() * (fit.variance(subset) / miss).sqrt();
    // The rounding of weights and of the fit.
    law.half_width(miss).min(chebyshev) * (1.0 + 1e-8)
}

/// The law of a fitted table: the noise of what was measured is known, and from it the standard
/// deviation of each number.
#[derive(Debug)]
struct TableLaw {
    noise: Noise,
}

impl ErrorLaw<HistogramTable> for TableLaw {
    fn describe(&self) -> String {
        let noise = NoiseLaw::new(self.noise.clone(), 0);
        format!("least-squares fit to noisy counts, each with {noise}")
    }

    /// The interval of the total; for other counts see [`HistogramTable::half_width`].
    fn interval(&self, table: &HistogramTable, confidence: &Confidence) -> Interval {
        Interval::around(table.total(), half_width(&table.fit, 0, &self.noise, confidence))
    }
}

impl<'a, T: Sync> Statistic<'a, T> for Histogram<'a, T> {
    type Item = u32;
    type Value = HistogramTable;

    /// The cell of the full table; rows outside any dimension's bins are left out.
    #[inline]
    fn item(&self, row: &'a T) -> Option<u32> {
        self.axes.cell(row)
    }

    fn aggregate(
        &self,
        rows: Rows<'_, 'a, T>,
        groups: usize,
        group: impl Fn(&'a T) -> Option<u32> + Sync,
        item: impl Fn(&'a T) -> Option<u32> + Sync,
    ) -> Vec<i128> {
        let fit = self.axes.fit();
        let coordinates = fit.coordinates();
        let cells = fit.cells();
        let mut counts = rows.tally(groups, coordinates, group, item, |cell, counts| {
            counts[cell as usize] += 1;
        });
        // The measured margins follow from the exact cells.
        for of_group in counts.chunks_mut(coordinates) {
            let (table, margins) = of_group.split_at_mut(cells);
            fit.fill_margins(table, margins);
        }
        counts
    }

    fn shape(&self) -> Shape {
        let fit = self.axes.fit();
        Shape::Indicators { coordinates: fit.coordinates(), ones: fit.measured() as u64 }
    }

    fn release(
        &self,
        noisy: &[i128],
        noise: &Noise,
    ) -> Option<(HistogramTable, Arc<dyn ErrorLaw<HistogramTable>>)> {
        let fit = self.axes.fit();
        let measured: Vec<f64> = noisy.iter().map(|count| *count as f64).collect();
        let table = HistogramTable {
            names: self.axes.names(),
            labels: self.axes.labels(),
            counts: fit.solve(&measured)?,
            fit,
            noise: noise.clone(),
            noise_deviation: noise.standard_deviation(),
        };
        Some((table, Arc::new(TableLaw { noise: noise.clone() })))
    }

    /// Of a cell.
    fn expected_error(&self, noise: &Noise, _: u64, confidence: &Confidence) -> f64 {
        let fit = self.axes.fit();
        half_width(&fit, fit.all(), noise, confidence)
    }

    fn describe(&self) -> String {
        format!("histogram by {}", self.axes.names().join(", "))
    }
}

impl<T> fmt::Display for Histogram<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "histogram by {}", self.axes.names().join(", "))
    }
}
