//! Counts of rows, of units and of distinct values.

use std::fmt;
use std::hash::Hash;
use std::sync::Arc;

use privacy_core::params::{Confidence, ContributionLimits, RowLimit};
use privacy_core::release::ErrorLaw;
use privacy_core::unit::UnitKind;

use super::Statistic;
use crate::additive::{Noise, NoiseLaw};
use crate::bound::Shape;
use crate::session::aggregate::{Items, Rows};

fn saturated(value: i128) -> i64 {
    value.clamp(i64::MIN.into(), i64::MAX.into()) as i64
}

/// What all counts have in common: a noisy integer.
macro_rules! counting {
    () => {
        type Value = i64;

        fn shape(&self) -> Shape {
            Shape::Count
        }

        fn release(&self, noisy: &[i128], noise: &Noise) -> Option<(i64, Arc<dyn ErrorLaw<i64>>)> {
            let law = NoiseLaw::new(noise.clone(), 0);
            Some((saturated(*noisy.first()?), Arc::new(law)))
        }

        fn expected_error(&self, noise: &Noise, _: u64, confidence: &Confidence) -> f64 {
            NoiseLaw::new(noise.clone(), 0).half_width(confidence)
        }
    };
}

/// What counts of rows have in common: every row is worth 1.
macro_rules! counting_rows {
    ($lifetime:lifetime, $row:ident) => {
        type Item = i64;
        counting!();

        #[inline]
        fn item(&self, _: &$lifetime $row) -> Option<i64> {
            Some(1)
        }

        fn aggregate(
            &self,
            rows: Rows<'_, $lifetime, $row>,
            groups: usize,
            group: impl Fn(&$lifetime $row) -> Option<u32> + Sync,
            item: impl Fn(&$lifetime $row) -> Option<i64> + Sync,
        ) -> Vec<i128> {
            rows.sum(Items::Ones, groups, group, item).iter().map(|cell| cell.rows).collect()
        }
    };
}

/// The number of rows.
#[derive(Clone, Copy, Debug, Default)]
pub struct Count;

impl<'a, T: Sync> Statistic<'a, T> for Count {
    counting_rows!('a, T);

    fn counts_units(&self, unit: UnitKind) -> bool {
        unit == UnitKind::Record
    }

    fn describe(&self) -> String {
        "count".to_owned()
    }
}

/// The number of units with a row.
#[derive(Clone, Copy, Debug, Default)]
pub struct CountUnits;

impl<'a, T: Sync> Statistic<'a, T> for CountUnits {
    counting_rows!('a, T);

    fn limits(&self, limits: ContributionLimits) -> ContributionLimits {
        let mut once = limits;
        once.rows_per_group = Some(RowLimit::ONE);
        once
    }

    fn counts_units(&self, _: UnitKind) -> bool {
        true
    }

    fn describe(&self) -> String {
        "count of units".to_owned()
    }
}

/// The number of distinct values that rows name.
#[derive(Clone, Copy)]
pub struct CountDistinct<F> {
    value: F,
}

impl<F> CountDistinct<F> {
    pub(in super::super) fn new(value: F) -> Self {
        CountDistinct { value }
    }
}

impl<'a, T, F, V> Statistic<'a, T> for CountDistinct<F>
where
    T: Sync + 'a,
    F: Fn(&'a T) -> V + Send + Sync,
    V: Eq + Hash,
{
    type Item = V;
    counting!();

    #[inline]
    fn item(&self, row: &'a T) -> Option<V> {
        Some((self.value)(row))
    }

    fn aggregate(
        &self,
        rows: Rows<'_, 'a, T>,
        groups: usize,
        group: impl Fn(&'a T) -> Option<u32> + Sync,
        item: impl Fn(&'a T) -> Option<V> + Sync,
    ) -> Vec<i128> {
        rows.distinct(groups, group, item).iter().map(|cell| cell.rows).collect()
    }

    fn describe(&self) -> String {
        "count of distinct values".to_owned()
    }
}

opaque_debug!(CountDistinct<F>);
