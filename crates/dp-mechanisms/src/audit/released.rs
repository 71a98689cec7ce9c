//! What an attacker sees of the types that this crate releases.

use privacy_core::params::{Bounds, Numeric};

use super::observe::Observe;
use super::sight::Sight;
use crate::grid::Value;
use crate::local::{BitReport, HadamardReport, HashReport, HybridReport, SubsetReport};
use crate::quantile::{FoundBounds, NoisyTree};
use crate::select::Answer;
use crate::session::histogram::HistogramTable;
use crate::session::moments::{JointMoments, Line, Moments};
use crate::session::order::Distribution;
use crate::session::regression::LinearModel;
use crate::sketch::{PrivateDistinctSketch, PrivateFrequencySketch};

impl Observe for Answer {
    /// Below is a gap below all others, so that gaps keep their order.
    fn observe(&self, sight: &mut Sight) {
        let gap = match self {
            Answer::Below => None,
            Answer::Above { gap } => Some(gap.unwrap_or_default()),
        };
        gap.observe(sight);
    }

    fn magnitude(&self) -> Option<f64> {
        Some(f64::from(u8::from(*self != Answer::Below)))
    }
}

impl<T: Observe + Numeric> Observe for Bounds<T> {
    fn observe(&self, sight: &mut Sight) {
        sight.field("lower", |sight| self.lower().observe(sight));
        sight.field("upper", |sight| self.upper().observe(sight));
    }
}

impl Observe for FoundBounds {
    fn observe(&self, sight: &mut Sight) {
        self.found().observe(sight);
    }
}

impl Observe for NoisyTree {
    fn observe(&self, sight: &mut Sight) {
        self.levels().observe(sight);
        sight.projection("total", self.total());
    }
}

impl<V: Value> Observe for Distribution<V> {
    fn observe(&self, sight: &mut Sight) {
        self.tree().observe(sight);
    }
}

impl Observe for HistogramTable {
    fn observe(&self, sight: &mut Sight) {
        let dimensions: Vec<usize> = (0..self.names().len()).collect();
        self.margin(&dimensions).observe(sight);
        for dimension in dimensions.iter().filter(|_| dimensions.len() > 1) {
            sight.field("margin", |sight| {
                sight.element(*dimension, |sight| self.margin(&[*dimension]).observe(sight));
            });
        }
    }
}

impl Observe for Moments {
    fn observe(&self, sight: &mut Sight) {
        sight.field("rows", |sight| self.rows().observe(sight));
        sight.field("mean", |sight| self.mean().observe(sight));
        sight.field("variance", |sight| self.variance().observe(sight));
    }
}

impl Observe for JointMoments {
    fn observe(&self, sight: &mut Sight) {
        sight.field("rows", |sight| self.rows().observe(sight));
        sight.field("means", |sight| self.means().observe(sight));
        sight.field("variances", |sight| self.variances().observe(sight));
        sight.field("covariance", |sight| self.covariance().observe(sight));
    }
}

impl Observe for Line {
    fn observe(&self, sight: &mut Sight) {
        sight.field("slope", |sight| self.slope.observe(sight));
        sight.field("intercept", |sight| self.intercept.observe(sight));
    }
}

impl Observe for LinearModel {
    fn observe(&self, sight: &mut Sight) {
        sight.field("coefficients", |sight| self.coefficients.observe(sight));
        sight.field("intercept", |sight| self.intercept.observe(sight));
        sight.field("noise deviations", |sight| self.noise_deviations.observe(sight));
    }
}

impl Observe for BitReport {
    fn observe(&self, sight: &mut Sight) {
        (0..self.length()).map(|bit| self.get(bit)).collect::<Vec<bool>>().observe(sight);
    }
}

impl Observe for HadamardReport {
    fn observe(&self, sight: &mut Sight) {
        sight.field("row", |sight| self.row.observe(sight));
        sight.field("positive", |sight| self.positive.observe(sight));
    }
}

impl Observe for HashReport {
    fn observe(&self, sight: &mut Sight) {
        sight.field("coefficients", |sight| self.coefficients().observe(sight));
        sight.field("answer", |sight| self.answer().observe(sight));
    }
}

impl Observe for HybridReport {
    fn observe(&self, sight: &mut Sight) {
        match self {
            HybridReport::Bit(bit) => sight.field("bit", |sight| bit.observe(sight)),
            HybridReport::Piecewise(number) => {
                sight.field("piecewise", |sight| number.observe(sight));
            }
        }
    }
}

impl Observe for SubsetReport {
    fn observe(&self, sight: &mut Sight) {
        for category in self.categories() {
            sight.entry(category, |_| ());
        }
    }
}

impl Observe for PrivateFrequencySketch {
    fn observe(&self, sight: &mut Sight) {
        self.counters().observe(sight);
    }
}

impl Observe for PrivateDistinctSketch {
    /// Level by level: the bits of the lower levels are those that items mostly fall on.
    fn observe(&self, sight: &mut Sight) {
        for level in 0..u32::BITS {
            for (position, word) in self.words().enumerate() {
                let place = level as usize * self.buckets() + position;
                sight.element(place, |sight| (word >> level & 1).observe(sight));
            }
        }
    }
}
