//! From limits on rows and groups to the sensitivity of an aggregate.

use privacy_core::params::{Amount, ContributionLimits};
use privacy_core::space::{L1, L2, L2Distance, Linf, Norm};
use privacy_core::unit::{Relation, UnitKind};

use super::totals::{Norms, whole as whole_of};

/// What one unit can contribute at most, after bounding, to a query over `groups` groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contribution {
    /// Rows in the whole query.
    rows: u64,
    /// Groups with at least one row.
    groups: u64,
    /// Rows in one group.
    rows_per_group: u64,
    /// Groups the query has.
    all_groups: u64,
}

impl Contribution {
    /// What follows from `limits` for a query over `groups` groups; `None` if there are none, or
    /// if a user's contribution stays unlimited.
    #[must_use]
    pub fn new(unit: UnitKind, limits: &ContributionLimits, groups: u64) -> Option<Self> {
        let limit = |value: Option<privacy_core::params::RowLimit>| {
            value.map_or(u64::MAX, |limit| limit.value().into())
        };
        let (rows, most_groups, per_group) = match unit {
            UnitKind::Record => (1, 1, 1),
            _ => (limit(limits.rows), limit(limits.groups), limit(limits.rows_per_group)),
        };
        if groups == 0 {
            return None;
        }
        let most_groups = most_groups.min(groups);
        let rows = rows.min(most_groups.saturating_mul(per_group));
        (rows < u64::MAX).then(|| Contribution {
            rows,
            groups: most_groups.min(rows),
            rows_per_group: per_group.min(rows),
            all_groups: groups,
        })
    }

    /// The most rows of one unit in the whole query.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The most groups of one unit.
    #[must_use]
    pub fn groups(&self) -> u64 {
        self.groups
    }

    /// The most rows of one unit in one group.
    #[must_use]
    pub fn rows_per_group(&self) -> u64 {
        self.rows_per_group
    }

    /// Every unit with at most this many rows is within all limits, wherever the rows are.
    pub(crate) fn always_within(&self) -> u64 {
        // Where all groups are allowed, nobody can be in too many.
        let groups = if self.groups < self.all_groups { self.groups } else { u64::MAX };
        self.rows.min(self.rows_per_group).min(groups)
    }

    /// The largest sum of squares of row counts over groups: full groups first.
    fn squared_rows(&self) -> Amount {
        let full = (self.rows / self.rows_per_group).min(self.groups);
        let rest = match full < self.groups {
            true => (self.rows - full * self.rows_per_group).min(self.rows_per_group),
            false => 0,
        };
        let square = |rows: u64| Amount::from_integer(rows).squared();
        &(&Amount::from_integer(full) * &square(self.rows_per_group)) + &square(rest)
    }

    /// The L1 sensitivity of a query with the given shape: how far neighbours can be apart.
    #[must_use]
    pub fn l1(&self, shape: &Shape, relation: Relation) -> Amount {
        let rows = Amount::from_integer(self.rows);
        let once = match shape.norms() {
            Some((norms, magnitude)) => whole_of(norms.largest_l1(self.rows, magnitude)),
            None => &rows * &shape.magnitude(),
        };
        let twice = once.scaled_by_power_of_two(1);
        match relation {
            Relation::AddRemove => once,
            // One unit's rows are exchanged for others. In a single number what leaves and what
            // enters partly cancel; elsewhere they may fall into different coordinates.
            _ if self.all_groups == 1 && shape.coordinates() == 1 => {
                (&rows * &shape.span()).min(twice)
            }
            _ => twice,
        }
    }

    /// The L∞ sensitivity of a query with the given shape: how far one coordinate can move.
    #[must_use]
    pub fn linf(&self, shape: &Shape, relation: Relation) -> Amount {
        let once = &Amount::from_integer(self.rows_per_group) * &shape.magnitude();
        match relation {
            Relation::AddRemove => once,
            // What leaves a coordinate and what enters it are of one sign and partly cancel.
            _ if shape.one_sign() => once,
            _ => once.scaled_by_power_of_two(1),
        }
    }

    /// The L2 sensitivity of a query with the given shape.
    #[must_use]
    pub fn l2(&self, shape: &Shape, relation: Relation) -> L2Distance {
        let once = match shape.norms() {
            Some((norms, magnitude)) => whole_of(norms.largest_squared_l2(self.rows, magnitude)),
            None => &self.squared_rows() * &shape.squared_l2(),
        };
        L2Distance::from_squared(match relation {
            Relation::AddRemove => once,
            _ if self.all_groups == 1 && shape.coordinates() == 1 => {
                let span = (&Amount::from_integer(self.rows) * &shape.span()).squared();
                span.min(once.scaled_by_power_of_two(2))
            }
            // Contributions of one sign: |a − b|² ≤ |a|² + |b|².
            _ if shape.one_sign() => once.scaled_by_power_of_two(1),
            // Otherwise |a − b|² ≤ (|a| + |b|)².
            _ => once.scaled_by_power_of_two(2),
        })
    }
}

/// How one row changes the aggregate of its group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Shape {
    /// Adds 1.
    Count,
    /// Adds a value between `lower` and `upper`.
    Sum {
        /// The smallest value of a row.
        lower: i64,
        /// The largest value of a row.
        upper: i64,
    },
    /// Adds, once in each group of a unit, a total between `lower` and `upper`; the totals of a unit
    /// in all its groups have limited norms.
    Totals {
        /// The smallest total of a unit in a group.
        lower: i64,
        /// The largest total of a unit in a group.
        upper: i64,
        /// The largest sum of magnitudes, if limited.
        l1: Option<u64>,
        /// The largest root of the sum of squares, if limited.
        l2: Option<u64>,
    },
    /// Adds coordinates of 0 or more that sum to exactly `total`: a bounded value and its
    /// complement, or a basis of polynomials that sum to one.
    Simplex {
        /// How many coordinates.
        coordinates: usize,
        /// What they sum to.
        total: u128,
    },
    /// Adds 1 to some of the coordinates.
    Indicators {
        /// How many coordinates.
        coordinates: usize,
        /// To how many of them a row adds.
        ones: u64,
    },
    /// Adds a vector of any signs.
    Vector {
        /// How many coordinates.
        coordinates: usize,
        /// The largest L1 norm.
        l1: u128,
        /// The square of the largest L2 norm.
        squared_l2: u128,
    },
}

impl Shape {
    /// Coordinates of each group.
    #[must_use]
    pub fn coordinates(&self) -> usize {
        match self {
            Shape::Count | Shape::Sum { .. } | Shape::Totals { .. } => 1,
            Shape::Simplex { coordinates, .. }
            | Shape::Indicators { coordinates, .. }
            | Shape::Vector { coordinates, .. } => *coordinates,
        }
    }

    /// The largest L1 norm of what one row adds.
    fn magnitude(&self) -> Amount {
        match self {
            Shape::Count => 1.into(),
            Shape::Sum { lower, upper } | Shape::Totals { lower, upper, .. } => {
                lower.unsigned_abs().max(upper.unsigned_abs()).into()
            }
            Shape::Simplex { total, .. } => whole(*total),
            Shape::Indicators { ones, .. } => (*ones).into(),
            Shape::Vector { l1, .. } => whole(*l1),
        }
    }

    /// Limits on norms over all groups, and the largest magnitude in one.
    fn norms(&self) -> Option<(Norms, u64)> {
        match self {
            Shape::Totals { lower, upper, l1, l2 } => {
                let magnitude = lower.unsigned_abs().max(upper.unsigned_abs());
                Some((Norms { l1: *l1, l2: *l2 }, magnitude))
            }
            _ => None,
        }
    }

    /// The square of the largest L2 norm of what one row adds.
    fn squared_l2(&self) -> Amount {
        match self {
            Shape::Vector { squared_l2, .. } => whole(*squared_l2),
            Shape::Indicators { ones, .. } => (*ones).into(),
            // One coordinate, or all of the total in one of several.
            _ => self.magnitude().squared(),
        }
    }

    /// The distance between the least and the most a row, present or absent, can add.
    fn span(&self) -> Amount {
        match self {
            Shape::Sum { lower, upper } | Shape::Totals { lower, upper, .. } => {
                let (lower, upper) = (i128::from((*lower).min(0)), i128::from((*upper).max(0)));
                whole(upper.abs_diff(lower))
            }
            _ => self.magnitude(),
        }
    }

    fn one_sign(&self) -> bool {
        match self {
            Shape::Sum { lower, upper } | Shape::Totals { lower, upper, .. } => {
                *lower >= 0 || *upper <= 0
            }
            Shape::Vector { .. } => false,
            Shape::Count | Shape::Simplex { .. } | Shape::Indicators { .. } => true,
        }
    }
}

fn whole(number: u128) -> Amount {
    // The denominator is not 0.
    Amount::from_fraction(number, 1u8).unwrap_or(Amount::ZERO)
}

/// A norm that a mechanism is calibrated to: [`L1`] for Laplace noise, [`L2`] for Gaussian noise,
/// [`Linf`] for selection.
pub trait NoiseNorm: Norm {
    /// How far neighbours can be apart in this norm.
    fn sensitivity(bound: &Contribution, shape: &Shape, relation: Relation) -> Self::Distance;
    /// The distance of inputs that are `changes` neighbouring steps apart.
    fn times(distance: &Self::Distance, changes: u64) -> Self::Distance;
}

impl NoiseNorm for L1 {
    fn sensitivity(bound: &Contribution, shape: &Shape, relation: Relation) -> Amount {
        bound.l1(shape, relation)
    }

    fn times(distance: &Amount, changes: u64) -> Amount {
        distance * &changes.into()
    }
}

impl NoiseNorm for Linf {
    fn sensitivity(bound: &Contribution, shape: &Shape, relation: Relation) -> Amount {
        bound.linf(shape, relation)
    }

    fn times(distance: &Amount, changes: u64) -> Amount {
        distance * &changes.into()
    }
}

impl NoiseNorm for L2 {
    fn sensitivity(bound: &Contribution, shape: &Shape, relation: Relation) -> L2Distance {
        bound.l2(shape, relation)
    }

    fn times(distance: &L2Distance, changes: u64) -> L2Distance {
        L2Distance::from_squared(distance.squared() * &Amount::from_integer(changes).squared())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use privacy_core::params::RowLimit;

    fn limits(
        rows: Option<u32>,
        groups: Option<u32>,
        per_group: Option<u32>,
    ) -> ContributionLimits {
        let limit = |value: Option<u32>| value.map(|v| RowLimit::new("limit", v).unwrap());
        let mut limits = ContributionLimits::default();
        (limits.rows, limits.groups, limits.rows_per_group) =
            (limit(rows), limit(groups), limit(per_group));
        limits
    }

    /// All ways to spread rows with extreme values over groups within the limits.
    fn contributions(
        groups: usize,
        bound: &ContributionLimits,
        values: &[i64],
    ) -> Vec<Vec<(u64, i64)>> {
        let cap = |limit: Option<RowLimit>| limit.map_or(u64::MAX, |l| l.value().into());
        let mut all = vec![vec![]];
        for _ in 0..groups {
            let mut longer = Vec::new();
            for prefix in &all {
                for n in 0..=3u64.min(cap(bound.rows_per_group)) {
                    // With n rows of extreme values the sum is any mix of the extremes.
                    for high in 0..=n {
                        let sum = high as i64 * values[1] + (n - high) as i64 * values[0];
                        let mut next: Vec<(u64, i64)> = prefix.clone();
                        next.push((n, sum));
                        longer.push(next);
                    }
                }
            }
            all = longer;
        }
        all.retain(|groups| {
            let rows: u64 = groups.iter().map(|g| g.0).sum();
            let used = groups.iter().filter(|g| g.0 > 0).count() as u64;
            rows <= cap(bound.rows) && used <= cap(bound.groups)
        });
        all.sort();
        all.dedup();
        all
    }

    fn coordinates(shape: &Shape, cells: &[(u64, i64)]) -> Vec<i64> {
        cells
            .iter()
            .flat_map(|&(n, sum)| match shape {
                Shape::Count => vec![n as i64],
                Shape::Sum { .. } | Shape::Totals { .. } => vec![sum],
                Shape::Simplex { total, .. } => vec![sum, n as i64 * *total as i64 - sum],
                // One of two bins, and the total.
                Shape::Indicators { .. } => vec![sum, n as i64 - sum, n as i64],
                // Features (1, x) of a value x.
                Shape::Vector { .. } => vec![n as i64, sum],
            })
            .collect()
    }

    /// The declared sensitivity against the largest distance over every pair of contributions.
    #[test]
    fn declared_sensitivity_is_never_below_the_largest_change_one_unit_can_make() {
        let shapes = [
            (Shape::Count, [1, 1]),
            (Shape::Sum { lower: 2, upper: 5 }, [2, 5]),
            (Shape::Sum { lower: -4, upper: 3 }, [-4, 3]),
            (Shape::Sum { lower: -4, upper: -1 }, [-4, -1]),
            (Shape::Simplex { coordinates: 2, total: 3 }, [0, 3]),
            (Shape::Indicators { coordinates: 3, ones: 2 }, [0, 1]),
            (Shape::Vector { coordinates: 2, l1: 4, squared_l2: 10 }, [-3, 3]),
        ];
        let limits = [
            limits(Some(1), None, None),
            limits(Some(3), None, None),
            limits(Some(3), Some(1), None),
            limits(Some(3), None, Some(1)),
            limits(None, Some(2), Some(1)),
            limits(Some(3), Some(2), Some(2)),
        ];
        let mut tight = 0;
        for (shape, values) in &shapes {
            for limits in &limits {
                for groups in 1..=3usize {
                    let bound = Contribution::new(UnitKind::User, limits, groups as u64).unwrap();
                    let all = contributions(groups, limits, values);
                    let vectors: Vec<_> = all.iter().map(|c| coordinates(shape, c)).collect();
                    let zero = vec![0; vectors[0].len()];
                    for relation in [Relation::AddRemove, Relation::Replace] {
                        let others = match relation {
                            Relation::AddRemove => std::slice::from_ref(&zero),
                            _ => &vectors[..],
                        };
                        let (mut l1, mut l2, mut linf) = (0, 0, 0);
                        for a in &vectors {
                            for b in others {
                                let changes = || a.iter().zip(b).map(|(a, b)| a.abs_diff(*b));
                                l1 = l1.max(changes().sum::<u64>());
                                l2 = l2.max(changes().map(|d| d * d).sum::<u64>());
                                linf = linf.max(changes().max().unwrap_or(0));
                            }
                        }
                        let declared = (bound.l1(shape, relation), bound.l2(shape, relation));
                        assert!(declared.0 >= l1.into(), "{shape:?} {limits:?} {relation}");
                        assert!(
                            *declared.1.squared() >= l2.into(),
                            "{shape:?} {limits:?} {relation}"
                        );
                        let declared_linf = bound.linf(shape, relation);
                        assert!(declared_linf >= linf.into(), "{shape:?} {limits:?} {relation}");
                        if relation == Relation::AddRemove {
                            assert_eq!(declared.0, l1.into(), "{shape:?} {limits:?}");
                            assert_eq!(*declared.1.squared(), l2.into(), "{shape:?} {limits:?}");
                            tight += 1;
                        }
                    }
                }
            }
        }
        assert_eq!(tight, shapes.len() * limits.len() * 3);
    }

    #[test]
    fn without_a_limit_there_is_no_sensitivity() {
        assert_eq!(Contribution::new(UnitKind::User, &limits(None, Some(3), None), 5), None);
        assert_eq!(Contribution::new(UnitKind::User, &limits(None, None, None), 1), None);
        assert_eq!(Contribution::new(UnitKind::Record, &limits(None, None, None), 0), None);
        assert!(Contribution::new(UnitKind::User, &limits(None, None, Some(2)), 5).is_some());
        assert!(Contribution::new(UnitKind::Record, &limits(None, None, None), 5).is_some());
    }
}
