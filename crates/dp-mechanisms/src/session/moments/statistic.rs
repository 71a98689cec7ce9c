//! The statistics of a query that are moments of its values.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use privacy_core::params::{Bounds, Confidence};
use privacy_core::release::{ErrorLaw, Interval};

use super::super::aggregate::Rows;
use super::super::statistic::{Filtered, NeedsBounds, Statistic};
use super::axis::Axis;
use super::basis::Basis;
use super::estimate::Estimate;
use super::reading::Reading;
use crate::additive::{Noise, NoiseLaw};
use crate::bound::Shape;
use crate::grid::{Grid, Value};

/// Binary digits of the grid that values are rounded to, by the sum of the degrees: what a row
/// adds stays below 2^82, so that sums of any number of rows fit.
const DIGITS: [u32; 5] = [41, 41, 41, 27, 20];

/// A value and the public bounds it is clamped into.
#[derive(Clone, Copy)]
struct Clamped<F, V> {
    value: F,
    bounds: Bounds<V>,
    grid: Grid,
    axis: Axis,
}

impl<F, V: Value> Clamped<F, V> {
    fn new(
        value: F,
        bounds: Bounds<V>,
        exponent: Option<i32>,
        degrees: [usize; 2],
    ) -> privacy_core::Result<Self> {
        let grid = V::grid(&bounds, exponent)?;
        let axis = Axis::new(&bounds, grid, DIGITS[degrees[0] + degrees[1]]);
        Ok(Clamped { value, bounds, grid, axis })
    }

    #[inline]
    fn position<'a, T>(&self, row: &'a T) -> Option<u64>
    where
        F: Fn(&'a T) -> V,
    {
        Some(self.axis.position((self.value)(row).to_grid(&self.bounds, &self.grid)?))
    }
}

/// A moment of one value that has no bounds yet; see [`Query::bounds`](super::super::Query::bounds).
#[derive(Clone, Copy)]
pub struct OfOneValue<F, R> {
    value: F,
    reading: PhantomData<R>,
}

impl<F, R> OfOneValue<F, R> {
    pub(in super::super) fn new(value: F) -> Self {
        OfOneValue { value, reading: PhantomData }
    }
}

/// A moment of one clamped value.
#[derive(Clone, Copy)]
pub struct OfOne<F, V, R> {
    clamped: Clamped<F, V>,
    reading: PhantomData<R>,
}

impl<F, V: Value, R: Reading> NeedsBounds<V> for OfOneValue<F, R> {
    type Bounded = OfOne<F, V, R>;

    fn bounded(
        self,
        bounds: Bounds<V>,
        exponent: Option<i32>,
    ) -> privacy_core::Result<Self::Bounded> {
        let clamped = Clamped::new(self.value, bounds, exponent, R::DEGREES)?;
        Ok(OfOne { clamped, reading: PhantomData })
    }
}

/// A moment of two values that have no bounds yet; see
/// [`Query::bounds_of_both`](super::super::Query::bounds_of_both).
#[derive(Clone, Copy)]
pub struct OfTwoValues<F, G, R> {
    first: F,
    second: G,
    reading: PhantomData<R>,
}

impl<F, G, R> OfTwoValues<F, G, R> {
    pub(in super::super) fn new(first: F, second: G) -> Self {
        OfTwoValues { first, second, reading: PhantomData }
    }
}

/// A moment of two clamped values.
#[derive(Clone, Copy)]
pub struct OfTwo<F, V, G, W, R> {
    first: Clamped<F, V>,
    second: Clamped<G, W>,
    reading: PhantomData<R>,
}

/// A statistic of two values, both of which need public bounds before it can be priced.
pub trait NeedsBothBounds<V, W>: Sized {
    /// The statistic once its bounds are known.
    type Bounded;

    /// Gives the bounds of the first and of the second value.
    ///
    /// # Errors
    ///
    /// As [`NeedsBounds::bounded`].
    fn bounded(self, first: Bounds<V>, second: Bounds<W>) -> privacy_core::Result<Self::Bounded>;
}

impl<F, V: Value, G, W: Value, R: Reading> NeedsBothBounds<V, W> for OfTwoValues<F, G, R> {
    type Bounded = OfTwo<F, V, G, W, R>;

    fn bounded(self, first: Bounds<V>, second: Bounds<W>) -> privacy_core::Result<Self::Bounded> {
        Ok(OfTwo {
            first: Clamped::new(self.first, first, None, R::DEGREES)?,
            second: Clamped::new(self.second, second, None, R::DEGREES)?,
            reading: PhantomData,
        })
    }
}

impl<S: NeedsBothBounds<V, W>, P, V, W> NeedsBothBounds<V, W> for Filtered<S, P> {
    type Bounded = Filtered<S::Bounded, P>;

    fn bounded(self, first: Bounds<V>, second: Bounds<W>) -> privacy_core::Result<Self::Bounded> {
        self.try_map(|statistic| statistic.bounded(first, second))
    }
}

/// The law of a moment's error: that of the noisy aggregate it is read from.
struct ReadingLaw<R> {
    estimate: Estimate,
    noise: Noise,
    reading: PhantomData<R>,
}

impl<R> fmt::Debug for ReadingLaw<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadingLaw").field("noise", &self.noise).finish_non_exhaustive()
    }
}

impl<R: Reading> ErrorLaw<R::Value> for ReadingLaw<R> {
    fn describe(&self) -> String {
        let noise = NoiseLaw::new(self.noise.clone(), 0);
        format!("{} of noisy sums of polynomials, each with {noise}", R::NAME)
    }

    fn interval(&self, _: &R::Value, confidence: &Confidence) -> Interval {
        R::interval(&self.estimate, confidence)
    }
}

/// What the statistics of one and of two values have in common.
macro_rules! moment_statistic {
    ($row:lifetime) => {
        type Value = R::Value;

        fn shape(&self) -> Shape {
            let basis = self.basis();
            Shape::Simplex { coordinates: basis.coordinates(), total: basis.total() }
        }

        fn release(
            &self,
            noisy: &[i128],
            noise: &Noise,
        ) -> Option<(R::Value, Arc<dyn ErrorLaw<R::Value>>)> {
            let basis = self.basis();
            (noisy.len() == basis.coordinates()).then(|| {
                let estimate = Estimate::new(basis, noisy, noise.clone());
                let law = ReadingLaw::<R> {
                    estimate: estimate.clone(),
                    noise: noise.clone(),
                    reading: PhantomData,
                };
                (R::value(&estimate), Arc::new(law) as Arc<dyn ErrorLaw<R::Value>>)
            })
        }

        /// For values that are spread evenly between their bounds.
        fn expected_error(&self, noise: &Noise, rows: u64, confidence: &Confidence) -> f64 {
            let estimate = Estimate::expected(self.basis(), rows, noise.clone());
            R::interval(&estimate, confidence).margin()
        }
    };
}

impl<F, V: Value, R: Reading> OfOne<F, V, R> {
    fn basis(&self) -> Basis {
        Basis { axes: [self.clamped.axis; 2], degrees: R::DEGREES }
    }
}

impl<'a, T, F, V, R> Statistic<'a, T> for OfOne<F, V, R>
where
    T: Sync + 'a,
    F: Fn(&'a T) -> V + Send + Sync,
    V: Value,
    R: Reading,
{
    type Item = u64;
    moment_statistic!('a);

    #[inline]
    fn item(&self, row: &'a T) -> Option<u64> {
        self.clamped.position(row)
    }

    fn aggregate(
        &self,
        rows: Rows<'_, 'a, T>,
        groups: usize,
        group: impl Fn(&'a T) -> Option<u32> + Sync,
        item: impl Fn(&'a T) -> Option<u64> + Sync,
    ) -> Vec<i128> {
        let basis = self.basis();
        if rows.units.is_none() && groups == 1 {
            let powers = rows.power_sums(self.clamped.axis.steps(), group, item);
            return basis.refine(basis.of_powers(powers));
        }
        let add = |position: u64, cell: &mut [i128]| basis.add([position, 0], cell);
        basis.refine(rows.tally(groups, basis.coordinates(), group, item, add))
    }

    fn describe(&self) -> String {
        let bounds = &self.clamped.bounds;
        format!("{} of values in {:?}..={:?}", R::NAME, bounds.lower(), bounds.upper())
    }
}

impl<F, V: Value, G, W: Value, R: Reading> OfTwo<F, V, G, W, R> {
    fn basis(&self) -> Basis {
        Basis { axes: [self.first.axis, self.second.axis], degrees: R::DEGREES }
    }
}

impl<'a, T, F, V, G, W, R> Statistic<'a, T> for OfTwo<F, V, G, W, R>
where
    T: Sync + 'a,
    F: Fn(&'a T) -> V + Send + Sync,
    V: Value,
    G: Fn(&'a T) -> W + Send + Sync,
    W: Value,
    R: Reading,
{
    type Item = [u64; 2];
    moment_statistic!('a);

    /// A row counts where both of its values are numbers.
    #[inline]
    fn item(&self, row: &'a T) -> Option<[u64; 2]> {
        Some([self.first.position(row)?, self.second.position(row)?])
    }

    fn aggregate(
        &self,
        rows: Rows<'_, 'a, T>,
        groups: usize,
        group: impl Fn(&'a T) -> Option<u32> + Sync,
        item: impl Fn(&'a T) -> Option<[u64; 2]> + Sync,
    ) -> Vec<i128> {
        let basis = self.basis();
        let add = |positions: [u64; 2], cell: &mut [i128]| basis.add(positions, cell);
        basis.refine(rows.tally(groups, basis.coordinates(), group, item, add))
    }

    fn describe(&self) -> String {
        let (x, y) = (&self.first.bounds, &self.second.bounds);
        format!(
            "{} of values in {:?}..={:?} and {:?}..={:?}",
            R::NAME,
            x.lower(),
            x.upper(),
            y.lower(),
            y.upper()
        )
    }
}

macro_rules! opaque_debug {
    ($($name:ident<$($parameter:ident),*>),* $(,)?) => {
        $(
            impl<$($parameter),*> fmt::Debug for $name<$($parameter),*> {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str(stringify!($name))
                }
            }
        )*
    };
}
opaque_debug!(OfOneValue<F, R>, OfOne<F, V, R>, OfTwoValues<F, G, R>, OfTwo<F, V, G, W, R>);
