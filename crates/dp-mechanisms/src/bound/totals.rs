//! Totals of each user by group, clamped in up to four norms at once.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::BuildHasher;
use std::marker::PhantomData;

use num_bigint::BigUint;
use num_traits::ToPrimitive;
use privacy_core::error::{Error, Result};
use privacy_core::params::{Amount, RowLimit};
use privacy_core::space::{Changes, L1, L2, L2Distance, Norm, Rows, Vector};
use privacy_core::transformation::Transformation;
use privacy_core::unit::{AddRemove, HasUnit, User};

use super::limits::NoiseNorm;
use super::select::mix;
use crate::hash::stable_hasher;

/// How large the vector of one user's totals may be.
///
/// A user may appear in `groups` groups (L0) with a total of magnitude up to `magnitude` in each
/// (L∞); the vector's L1 and L2 norms may be limited on top. A vector beyond a norm is shrunk to it,
/// which keeps its direction up to rounding towards 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TotalLimits {
    groups: RowLimit,
    magnitude: u64,
    norms: Norms,
}

/// Limits on the norms of a unit's vector of totals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Norms {
    pub(crate) l1: Option<u64>,
    pub(crate) l2: Option<u64>,
}

impl Norms {
    /// The largest L1 norm of a vector with at most `groups` entries of at most `magnitude`: the
    /// least of L0 L∞, the L1 limit, and √L0 times the L2 limit, rounded up (Cauchy and Schwarz).
    pub(crate) fn largest_l1(&self, groups: u64, magnitude: u64) -> BigUint {
        let groups = BigUint::from(groups);
        let mut least = &groups * magnitude;
        if let Some(l1) = self.l1 {
            least = least.min(l1.into());
        }
        if let Some(l2) = self.l2 {
            least = least.min(root_up(&(groups * l2 * l2)));
        }
        least
    }

    /// The square of its largest L2 norm: the least of L0 L∞², the square of the L2 limit, and L∞
    /// times the L1 limit (Hölder).
    pub(crate) fn largest_squared_l2(&self, groups: u64, magnitude: u64) -> BigUint {
        let magnitude = BigUint::from(magnitude);
        let mut least = &magnitude * &magnitude * groups;
        if let Some(l1) = self.l1 {
            let l1 = BigUint::from(l1);
            least = least.min(&magnitude * &l1).min(&l1 * &l1);
        }
        if let Some(l2) = self.l2 {
            least = least.min(BigUint::from(l2) * l2);
        }
        least
    }

    /// Shrinks a vector that is beyond a norm; entries keep their sign and become no larger.
    pub(crate) fn shrink(&self, totals: &mut [i128]) {
        if let Some(l1) = self.l1 {
            let norm = totals.iter().map(|x| BigUint::from(x.unsigned_abs())).sum();
            shrink(totals, l1, &norm);
        }
        if let Some(l2) = self.l2 {
            let squares = totals.iter().map(|x| BigUint::from(x.unsigned_abs()).pow(2));
            shrink(totals, l2, &root_up(&squares.sum()));
        }
    }
}

impl TotalLimits {
    /// At most `groups` groups with totals from −`magnitude` to `magnitude` each.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] if `groups` is 0, or `magnitude` 0 or above 2^63 − 1.
    pub fn new(groups: u32, magnitude: u64) -> Result<Self> {
        let groups = RowLimit::new("the limit of groups per user", groups)?;
        positive("the largest total of a user in a group", magnitude)?;
        Ok(TotalLimits { groups, magnitude, norms: Norms::default() })
    }

    /// Totals whose magnitudes sum to at most `norm`.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] if `norm` is 0 or above 2^63 − 1.
    pub fn with_l1(mut self, norm: u64) -> Result<Self> {
        self.norms.l1 = Some(positive("the L1 norm of a user's totals", norm)?);
        Ok(self)
    }

    /// Totals whose squares sum to at most `norm` squared.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] if `norm` is 0 or above 2^63 − 1.
    pub fn with_l2(mut self, norm: u64) -> Result<Self> {
        self.norms.l2 = Some(positive("the L2 norm of a user's totals", norm)?);
        Ok(self)
    }

    /// The largest L1 norm that the limits leave: the least of L0 L∞, the L1 limit, and √L0 times the
    /// L2 limit, rounded up (Cauchy and Schwarz).
    #[must_use]
    pub fn l1(&self) -> Amount {
        whole(self.norms.largest_l1(self.groups.value().into(), self.magnitude))
    }

    /// The square of the largest L2 norm that the limits leave: the least of L0 L∞², the square of
    /// the L2 limit, and L∞ times the L1 limit (Hölder).
    #[must_use]
    pub fn squared_l2(&self) -> Amount {
        whole(self.norms.largest_squared_l2(self.groups.value().into(), self.magnitude))
    }

    /// Brings a vector within the limits on magnitudes and norms.
    fn clamp(&self, totals: &mut [i128]) {
        let magnitude = i128::from(self.magnitude);
        for total in &mut *totals {
            *total = (*total).clamp(-magnitude, magnitude);
        }
        self.norms.shrink(totals);
    }
}

pub(crate) fn positive(parameter: &'static str, value: u64) -> Result<u64> {
    match i64::try_from(value) {
        Ok(1..) => Ok(value),
        _ => Err(Error::Parameter {
            parameter,
            requirement: "from 1 to 2^63 - 1",
            given: value as f64,
        }),
    }
}

pub(super) fn whole(number: BigUint) -> Amount {
    // The denominator is not 0.
    Amount::from_fraction(number, 1u8).unwrap_or(Amount::ZERO)
}

/// The least integer whose square is at least `square`.
fn root_up(square: &BigUint) -> BigUint {
    let root = square.sqrt();
    if &root * &root < *square { root + 1u8 } else { root }
}

/// Multiplies by limit/norm, towards 0, where the norm is above the limit. Every magnitude is then
/// at most the exact product, and so is the norm.
fn shrink(totals: &mut [i128], limit: u64, norm: &BigUint) {
    if *norm <= BigUint::from(limit) {
        return;
    }
    for total in totals {
        let shrunk = BigUint::from(total.unsigned_abs()) * limit / norm;
        *total = total.signum() * shrunk.to_i128().unwrap_or(0);
    }
}

/// Sums by known group, where the vector of each user's totals is clamped to [`TotalLimits`].
///
/// All rows of a user are read, once, in any order. Of a user in too many groups a pseudo-random
/// choice of them counts, which depends on the user and its groups alone.
///
/// # Privacy
///
/// Adding or removing a user changes the sums by a vector within the limits: by at most
/// [`TotalLimits::l1`] in L1 and [`TotalLimits::squared_l2`] in squared L2 norm.
///
/// # Example
///
/// ```
/// use dp_mechanisms::bound::{TotalLimits, UnitTotals};
/// use privacy_core::prelude::*;
/// use privacy_core::space::L1;
///
/// // (user, (shop, cents)), two shops; totals of a user up to 50 a shop and 60 in both.
/// let limits = TotalLimits::new(2, 50)?.with_l1(60)?;
/// let sums = UnitTotals::<_, _, L1>::new(limits, 2, |row: &(u8, (u32, i64))| row.1);
/// let rows = [(1, (0, 30)), (1, (0, 45)), (1, (1, 40)), (2, (1, 7))];
/// // User 1 has 75 and 40, clamped to 50 and 40, shrunk to 33 and 26.
/// assert_eq!(sums.apply(&rows)?, [33, 26 + 7]);
/// assert_eq!(sums.stability(Changes(1))?, Amount::from_integer(60));
/// # Ok::<(), privacy_core::Error>(())
/// ```
pub struct UnitTotals<T, F, N> {
    limits: TotalLimits,
    groups: u32,
    read: F,
    claim: PhantomData<fn() -> (T, N)>,
}

impl<T, F, N> UnitTotals<T, F, N> {
    /// Sums over `groups` groups of what `read` says of a row: its group, counted from 0, and its
    /// value. Rows of other groups are left out.
    pub fn new(limits: TotalLimits, groups: u32, read: F) -> Self {
        UnitTotals { limits, groups, read, claim: PhantomData }
    }
}

/// A norm in which limited totals have a largest vector.
#[doc(hidden)]
pub trait LimitedNorm: Norm {
    fn largest(limits: &TotalLimits) -> Self::Distance;
    fn times(distance: &Self::Distance, changes: u64) -> Self::Distance;
}

impl LimitedNorm for L1 {
    fn largest(limits: &TotalLimits) -> Amount {
        limits.l1()
    }

    fn times(distance: &Amount, changes: u64) -> Amount {
        <L1 as NoiseNorm>::times(distance, changes)
    }
}

impl LimitedNorm for L2 {
    fn largest(limits: &TotalLimits) -> L2Distance {
        L2Distance::from_squared(limits.squared_l2())
    }

    fn times(distance: &L2Distance, changes: u64) -> L2Distance {
        <L2 as NoiseNorm>::times(distance, changes)
    }
}

impl<T, F, N> Transformation for UnitTotals<T, F, N>
where
    T: HasUnit,
    F: Fn(&T) -> (u32, i64) + Send + Sync,
    N: LimitedNorm,
{
    type Input = Rows<T, User, AddRemove>;
    type Output = Vector<i128, N>;

    fn apply(&self, rows: &[T]) -> Result<Vec<i128>> {
        let mut users: BTreeMap<T::Unit, BTreeMap<u32, i128>> = BTreeMap::new();
        for row in rows {
            let (group, value) = (self.read)(row);
            if group < self.groups {
                let total = users.entry(row.unit()).or_default().entry(group).or_default();
                *total = total.saturating_add(value.into());
            }
        }
        let hasher = stable_hasher();
        let limit = self.limits.groups.value() as usize;
        let mut sums = vec![0i128; self.groups as usize];
        for (user, of_user) in users {
            let identity = hasher.hash_one(&user);
            let mut groups: Vec<(u32, i128)> = of_user.into_iter().collect();
            // Distinct groups may tie only by a collision of 64-bit hashes; the group decides then.
            groups.sort_by_cached_key(|(group, _)| (mix(identity, u64::from(*group)), *group));
            groups.truncate(limit);
            let mut totals: Vec<i128> = groups.iter().map(|(_, total)| *total).collect();
            self.limits.clamp(&mut totals);
            for ((group, _), total) in groups.iter().zip(totals) {
                if let Some(sum) = sums.get_mut(*group as usize) {
                    *sum = sum.saturating_add(total);
                }
            }
        }
        Ok(sums)
    }

    fn stability(&self, d_in: Changes) -> Result<N::Distance> {
        Ok(N::times(&N::largest(&self.limits), d_in.0))
    }
}

impl<T, F, N> fmt::Debug for UnitTotals<T, F, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnitTotals").field("limits", &self.limits).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use privacy_core::space::Measurable;
    use proptest::prelude::*;

    use super::*;

    type Row = (u8, (u32, i64));

    proptest! {
        #[test]
        fn a_user_changes_sums_by_no_more_than_declared(
            rows in prop::collection::vec(
                (0u8..4, (0u32..6, prop_oneof![-40i64..40, Just(i64::MIN), Just(i64::MAX)])), 0..50),
            (groups, magnitude) in (1u32..6, 1u64..30),
            (l1, l2) in (prop::option::of(1u64..60), prop::option::of(1u64..40)),
        ) {
            let mut limits = TotalLimits::new(groups, magnitude).unwrap();
            if let Some(l1) = l1 {
                limits = limits.with_l1(l1).unwrap();
            }
            if let Some(l2) = l2 {
                limits = limits.with_l2(l2).unwrap();
            }
            let read = |row: &Row| row.1;
            let in_l1 = UnitTotals::<Row, _, L1>::new(limits, 5, read);
            let in_l2 = UnitTotals::<Row, _, L2>::new(limits, 5, read);
            let all = in_l1.apply(&rows).unwrap();
            for user in 0..4 {
                let without: Vec<Row> = rows.iter().copied().filter(|row| row.0 != user).collect();
                let rest = in_l1.apply(&without).unwrap();
                let far = Vector::<i128, L1>::distance(&all, &rest).unwrap();
                prop_assert!(far <= in_l1.stability(Changes(1)).unwrap());
                let far = Vector::<i128, L2>::distance(&all, &rest).unwrap();
                prop_assert!(far <= in_l2.stability(Changes(1)).unwrap());
            }
            let mut reversed = rows;
            reversed.reverse();
            prop_assert_eq!(in_l1.apply(&reversed).unwrap(), all);
        }
    }

    #[test]
    fn declared_norms_are_reached() {
        let limits = TotalLimits::new(3, 10).unwrap();
        assert_eq!((limits.l1(), limits.squared_l2()), (30.into(), 300.into()));
        let narrow = limits.with_l1(15).unwrap();
        assert_eq!((narrow.l1(), narrow.squared_l2()), (15.into(), 150.into()));
        let round = limits.with_l2(12).unwrap();
        // √3 · 12 = 20.78.
        assert_eq!((round.l1(), round.squared_l2()), (21.into(), 144.into()));
        let mut totals = [i128::MAX, i128::MIN, 4];
        limits.clamp(&mut totals);
        assert_eq!(totals, [10, -10, 4]);
        assert!(TotalLimits::new(0, 1).is_err() && TotalLimits::new(1, 0).is_err());
        assert!(limits.with_l1(u64::MAX).is_err() && limits.with_l2(0).is_err());
    }
}
