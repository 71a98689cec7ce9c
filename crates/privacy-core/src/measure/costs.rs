//! The cost of a release, one type for each measure.

use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::params::Amount;

/// A cost in pure differential privacy. Zero where the release does not depend on the data.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PureCost {
    /// ε.
    pub epsilon: Amount,
}

impl fmt::Display for PureCost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ε = {}", self.epsilon.display_up())
    }
}

/// A cost in zero-concentrated differential privacy.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ZcdpCost {
    /// ρ.
    pub rho: Amount,
}

impl fmt::Display for ZcdpCost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ρ = {}", self.rho.display_up())
    }
}

/// A cost in approximate differential privacy.
///
/// Ordered component by component: a cost with a smaller ε and a larger δ is neither above nor
/// below.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ApproxCost {
    /// ε.
    pub epsilon: Amount,
    /// δ. A bound of 1 or more claims nothing.
    pub delta: Amount,
}

impl ApproxCost {
    /// Group privacy: gε and δ(e^(gε) − 1)/(e^ε − 1), rounded up (Vadhan 2017, Lemma 2.2).
    pub(super) fn group(&self, size: u64) -> ApproxCost {
        let epsilon = &self.epsilon * &size.into();
        let delta = if self.delta.is_zero() || self.epsilon.is_zero() || size <= 1 {
            &self.delta * &size.into()
        } else {
            let one = self.epsilon.to_f64_up();
            // exp_m1 is accurate to a few units in the last place; 1e-12 covers the quotient. The
            // quotient grows with ε and with the size, so rounding them up is safe.
            let size = (size as f64).next_up();
            let factor = (one * size).next_up().exp_m1() / one.exp_m1() * (1.0 + 1e-12);
            // Beyond the floats the bound is vacuous anyway.
            Amount::from_binary(factor)
                .map_or_else(|_| Amount::from_integer(1), |factor| &self.delta * &factor)
        };
        ApproxCost { epsilon, delta }
    }
}

impl PartialOrd for ApproxCost {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (self.epsilon.cmp(&other.epsilon), self.delta.cmp(&other.delta)) {
            (a, b) if a == b => Some(a),
            (Ordering::Equal, b) => Some(b),
            (a, Ordering::Equal) => Some(a),
            _ => None,
        }
    }
}

impl fmt::Display for ApproxCost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ε = {}, δ = {}", self.epsilon.display_up(), self.delta.display_up())
    }
}

/// One point of a Rényi curve: ε at an order α.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RenyiPoint {
    /// The order α, above 1.
    pub order: Amount,
    /// An upper bound of the Rényi divergence of that order.
    pub epsilon: Amount,
}

/// A cost in Rényi differential privacy: bounds for several orders, in increasing order.
///
/// Ordered point by point where both curves have the same orders.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Vec<RenyiPoint>", into = "Vec<RenyiPoint>")]
pub struct RenyiCost {
    points: Vec<RenyiPoint>,
}

/// More orders than any conversion profits from.
const MAX_ORDERS: usize = 1024;

impl RenyiCost {
    /// A curve through the given points.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Parameter`] unless the orders increase from above 1 and are at most 1024;
    /// [`crate::Error::Missing`] if there are none.
    pub fn new(points: Vec<RenyiPoint>) -> crate::Result<Self> {
        if points.len() > MAX_ORDERS {
            return Err(crate::Error::Parameter {
                parameter: "the number of orders of a Rényi curve",
                requirement: "at most 1024",
                given: points.len() as f64,
            });
        }
        let mut above = Amount::from_integer(1);
        for point in &points {
            if point.order <= above {
                return Err(crate::Error::Parameter {
                    parameter: "the orders of a Rényi curve",
                    requirement: "above 1 and strictly increasing",
                    given: point.order.to_f64_down(),
                });
            }
            above = point.order.clone();
        }
        if points.is_empty() {
            return Err(crate::Error::Missing {
                setting: "the Rényi curve",
                remedy: "give at least one order",
            });
        }
        Ok(RenyiCost { points })
    }

    /// The points, in increasing order of α.
    #[must_use]
    pub fn points(&self) -> &[RenyiPoint] {
        &self.points
    }

    /// Bounds add at each order both curves have; an order only one has is dropped.
    pub(super) fn compose(&self, other: &RenyiCost) -> RenyiCost {
        let mut theirs = other.points.iter().peekable();
        let mut points = Vec::new();
        for a in &self.points {
            while theirs.next_if(|b| b.order < a.order).is_some() {}
            if let Some(b) = theirs.next_if(|b| b.order == a.order) {
                let epsilon = (&a.epsilon + &b.epsilon).compacted_up();
                points.push(RenyiPoint { order: a.order.clone(), epsilon });
            }
        }
        RenyiCost { points }
    }

    /// Mironov 2017, Proposition 2: a group of 2^c costs 3^c ε at the order α/2^c, for α ≥ 2^(c+1).
    pub(super) fn group(&self, size: u64) -> RenyiCost {
        if size <= 1 {
            let keep = size == 1;
            let epsilon = |e: &Amount| if keep { e.clone() } else { Amount::ZERO };
            let point = |p: &RenyiPoint| RenyiPoint {
                order: p.order.clone(),
                epsilon: epsilon(&p.epsilon),
            };
            return RenyiCost { points: self.points.iter().map(point).collect() };
        }
        let doublings = u64::BITS - (size - 1).leading_zeros();
        let growth = (0..doublings).fold(Amount::from_integer(1), |g, _| &g * &3.into());
        let points = self
            .points
            .iter()
            .filter(|p| p.order >= Amount::from_integer(2).scaled_by_power_of_two(doublings as i32))
            .map(|p| RenyiPoint {
                order: p.order.scaled_by_power_of_two(-(doublings as i32)),
                epsilon: &p.epsilon * &growth,
            })
            .collect();
        RenyiCost { points }
    }
}

impl TryFrom<Vec<RenyiPoint>> for RenyiCost {
    type Error = crate::Error;

    fn try_from(points: Vec<RenyiPoint>) -> crate::Result<Self> {
        RenyiCost::new(points)
    }
}

impl From<RenyiCost> for Vec<RenyiPoint> {
    fn from(cost: RenyiCost) -> Self {
        cost.points
    }
}

impl PartialOrd for RenyiCost {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        let same_orders = self.points.len() == other.points.len()
            && self.points.iter().zip(&other.points).all(|(a, b)| a.order == b.order);
        if !same_orders {
            return None;
        }
        let mut result = Ordering::Equal;
        for (a, b) in self.points.iter().zip(&other.points) {
            match (result, a.epsilon.cmp(&b.epsilon)) {
                (_, Ordering::Equal) => {}
                (Ordering::Equal, order) => result = order,
                (before, order) if before == order => {}
                _ => return None,
            }
        }
        Some(result)
    }
}

impl fmt::Display for RenyiCost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rényi")?;
        for point in &self.points {
            write!(f, " ε({}) = {}", point.order, point.epsilon.display_up())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::{ApproxDp, Measure, PureDp, RenyiDp, Zcdp};

    fn amount(text: &str) -> Amount {
        text.parse().unwrap()
    }

    #[test]
    fn composition_adds_and_groups_follow_their_theorems() {
        let pure = PureCost { epsilon: amount("0.1") };
        assert_eq!(PureDp::compose(&pure, &pure).epsilon, amount("0.2"));
        assert_eq!(PureDp::group(&pure, 7).epsilon, amount("0.7"));
        let zcdp = ZcdpCost { rho: amount("0.1") };
        assert_eq!(Zcdp::compose(&zcdp, &zcdp).rho, amount("0.2"));
        assert_eq!(Zcdp::group(&zcdp, 3).rho, amount("0.9"));
    }

    #[test]
    fn the_group_delta_is_a_geometric_sum_rounded_up() {
        let cost = ApproxCost { epsilon: amount("0.5"), delta: amount("1e-6") };
        let group = ApproxDp::group(&cost, 3);
        assert_eq!(group.epsilon, amount("1.5"));
        let truth = 1e-6 * (1.0 + 0.5f64.exp() + 1f64.exp());
        let delta = group.delta.to_f64_up();
        assert!(delta >= truth && delta < truth * (1.0 + 1e-11), "{delta} against {truth}");
        // Where e^(gε) leaves the floats the bound claims nothing instead of something false.
        let huge = ApproxCost { epsilon: amount("800"), delta: amount("1e-300") };
        assert_eq!(ApproxDp::group(&huge, 2).delta, Amount::from_integer(1));
        // A single neighbour step changes nothing.
        assert_eq!(ApproxDp::group(&cost, 1), cost);
    }

    #[test]
    fn approximate_costs_are_ordered_component_by_component() {
        let cost = |e: &str, d: &str| ApproxCost { epsilon: amount(e), delta: amount(d) };
        assert!(cost("1", "0.1") < cost("2", "0.1"));
        assert!(cost("1", "0.1") < cost("2", "0.2"));
        assert_eq!(cost("1", "0.2").partial_cmp(&cost("2", "0.1")), None);
    }

    #[test]
    fn renyi_curves_compose_at_common_orders_and_shrink_under_groups() {
        let point = |order: u64, epsilon: &str| RenyiPoint {
            order: order.into(),
            epsilon: amount(epsilon),
        };
        let a = RenyiCost::new(vec![point(2, "0.1"), point(4, "0.2"), point(8, "0.4")]).unwrap();
        let b = RenyiCost::new(vec![point(4, "0.3"), point(8, "0.5"), point(9, "1")]).unwrap();
        assert_eq!(RenyiDp::compose(&a, &b).points(), [point(4, "0.5"), point(8, "0.9")]);
        assert_eq!(RenyiDp::group(&a, 2).points(), [point(2, "0.6"), point(4, "1.2")]);
        // Three is charged as four: the next power of two.
        assert_eq!(RenyiDp::group(&a, 3).points(), [point(2, "3.6")]);
        assert!(RenyiCost::new(vec![point(4, "1"), point(2, "1")]).is_err());
        assert!(RenyiCost::new(vec![point(1, "1")]).is_err());
        assert!(RenyiCost::new(vec![]).is_err());
    }
}
