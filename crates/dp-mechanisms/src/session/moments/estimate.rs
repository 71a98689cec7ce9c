//! What a noisy aggregate of Bernstein polynomials says about moments.

use super::basis::{Basis, ONE, from, from_squared};
use crate::additive::Noise;

/// Noisy coordinates with the law of their noise. All answers are fractions of the axes.
#[derive(Clone, Debug)]
pub(super) struct Estimate {
    pub(super) basis: Basis,
    /// In rows: the sum of the polynomials themselves.
    coordinates: Vec<f64>,
    pub(super) noise: Noise,
}

impl Estimate {
    pub(super) fn new(basis: Basis, noisy: &[i128], noise: Noise) -> Self {
        let total = basis.total() as f64;
        Estimate { coordinates: noisy.iter().map(|c| *c as f64 / total).collect(), basis, noise }
    }

    /// The estimate to expect where `rows` rows are spread evenly over the axes: each Bernstein
    /// polynomial has the same integral.
    pub(super) fn expected(basis: Basis, rows: u64, noise: Noise) -> Self {
        let coordinates = vec![rows as f64 / basis.coordinates() as f64; basis.coordinates()];
        Estimate { basis, coordinates, noise }
    }

    pub(super) fn rows(&self) -> f64 {
        self.coordinates.iter().sum()
    }

    /// The average of a polynomial over rows; `None` where noise leaves nothing to divide by.
    pub(super) fn average(&self, weights: &[f64]) -> Option<f64> {
        let rows = self.rows();
        let sum: f64 = weights.iter().zip(&self.coordinates).map(|(w, c)| w * c).sum();
        (rows > 0.0).then(|| sum / rows)
    }

    /// The weights of a polynomial in one value.
    pub(super) fn along(&self, axis: usize, f: [f64; 3]) -> Vec<f64> {
        if axis == 0 { self.basis.weights(f, ONE) } else { self.basis.weights(ONE, f) }
    }

    /// The mean; the middle where there is none.
    pub(super) fn mean(&self, axis: usize) -> f64 {
        self.average(&self.along(axis, from(0.0))).map_or(0.5, |mean| mean.clamp(0.0, 1.0))
    }

    /// The variance, from 0 to 1/4; 0 where there is none.
    pub(super) fn variance(&self, axis: usize) -> f64 {
        let mean = self.mean(axis);
        self.average(&self.along(axis, from_squared(mean))).map_or(0.0, |v| v.clamp(0.0, 0.25))
    }

    pub(super) fn covariance(&self) -> f64 {
        let (s, t) = (self.mean(0), self.mean(1));
        let average = self.average(&self.basis.weights(from(s), from(t)));
        average.map_or(0.0, |covariance| covariance.clamp(-0.25, 0.25))
    }
}
