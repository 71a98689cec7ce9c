//! How much of a stream one privacy unit accounts for, and what follows for the sums of a tree.

use num_bigint::BigUint;
use privacy_core::error::Error;
use privacy_core::params::Amount;

use crate::error::Result;

/// What one privacy unit can change in a stream: at most so many steps, each by at most so much.
///
/// # Privacy
///
/// The caller's promise, from which the noise follows. Adding or removing one record of value v
/// changes one step by |v|; replacing a record by another of the same step changes it by the
/// difference; moving a record to another step changes two. Bound values and records per unit
/// before they reach the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "Raw")]
pub struct Contribution {
    steps: u32,
    magnitude: u64,
}

#[derive(serde::Deserialize)]
struct Raw {
    steps: u32,
    magnitude: u64,
}

impl TryFrom<Raw> for Contribution {
    type Error = crate::Error;

    fn try_from(raw: Raw) -> Result<Self> {
        Contribution::new(raw.steps, raw.magnitude)
    }
}

impl Contribution {
    /// One record, counted as 1, in one step.
    pub const ONE_RECORD: Contribution = Contribution { steps: 1, magnitude: 1 };

    /// Up to `steps` steps, each changed by at most `magnitude`.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] unless both are at least 1 and `steps` at most 2^20.
    pub fn new(steps: u32, magnitude: u64) -> Result<Self> {
        let refused =
            |parameter, requirement, given| Error::Parameter { parameter, requirement, given };
        if steps == 0 || steps > 1 << 20 {
            let given = f64::from(steps);
            return Err(refused("the steps of one unit", "from 1 to 2^20", given).into());
        }
        if magnitude == 0 {
            return Err(refused("the magnitude of one unit in a step", "at least 1", 0.0).into());
        }
        Ok(Contribution { steps, magnitude })
    }

    /// The most steps that one unit changes.
    #[must_use]
    pub fn steps(&self) -> u32 {
        self.steps
    }

    /// The most that one unit changes a step by.
    #[must_use]
    pub fn magnitude(&self) -> u64 {
        self.magnitude
    }

    /// The L1 sensitivity of all node sums of a tree of `levels` levels: each changed step is in
    /// at most one node of each level.
    pub(super) fn tree_l1(&self, levels: u32) -> Amount {
        let nodes = u64::from(self.steps) * u64::from(levels);
        &Amount::from_integer(nodes) * &Amount::from_integer(self.magnitude)
    }

    /// The square of the L2 sensitivity of all node sums of a tree of `levels` levels.
    ///
    /// With k changed steps among the 2^j of a node its sum changes by at most k times the
    /// magnitude. For the m changed steps, the sum of squares over the nodes of level j is
    /// convex in how they are spread over nodes, hence largest where nodes are full: m div 2^j
    /// full ones and one with the rest. The first m steps attain it on all levels at once.
    pub(super) fn tree_l2_squared(&self, levels: u32) -> Amount {
        let m = u64::from(self.steps);
        let nodes: BigUint = (0..levels)
            .map(|level| {
                let size = 1u64 << level;
                let (full, rest) = (BigUint::from(m / size), BigUint::from(m % size));
                full * size * size + &rest * &rest
            })
            .sum();
        let magnitude = BigUint::from(self.magnitude);
        // The denominator is not 0.
        Amount::from_fraction(nodes * &magnitude * &magnitude, 1u8).unwrap_or(Amount::ZERO)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_contributions_are_refused() {
        assert!(Contribution::new(0, 1).is_err());
        assert!(Contribution::new(1, 0).is_err());
        assert!(Contribution::new((1 << 20) + 1, 1).is_err());
        assert!(Contribution::new(1 << 20, u64::MAX).is_ok());
        assert!(serde_json::from_str::<Contribution>(r#"{"steps":0,"magnitude":1}"#).is_err());
    }

    /// All complete nodes of the tree over `horizon` steps, as the number of steps of `changed`
    /// that each holds.
    fn node_changes(horizon: u64, changed: u64) -> Vec<u64> {
        let mut nodes = Vec::new();
        for level in 0..64 {
            let size = 1u64 << level;
            if size > horizon {
                break;
            }
            for node in 0..horizon / size {
                let mask = ((1u64 << size) - 1) << (node * size);
                nodes.push(u64::from((changed & mask).count_ones()));
            }
        }
        nodes
    }

    #[test]
    fn tree_sensitivities_are_those_of_the_worst_neighbours() {
        // Every set of m changed steps among 12: the largest norms of the node sums.
        for horizon in [1u64, 2, 3, 7, 8, 12] {
            let levels = 64 - horizon.leading_zeros();
            for m in 1..=4u32.min(horizon as u32) {
                let worst = |power: u32| -> u64 {
                    (0u64..1 << horizon)
                        .filter(|set| set.count_ones() <= m)
                        .map(|set| node_changes(horizon, set).iter().map(|k| k.pow(power)).sum())
                        .max()
                        .unwrap()
                };
                let unit = Contribution::new(m, 3).unwrap();
                let l1 = unit.tree_l1(levels);
                let l2 = unit.tree_l2_squared(levels);
                assert!(l1 >= (3 * worst(1)).into(), "{horizon} {m}");
                assert!(l2 >= (9 * worst(2)).into(), "{horizon} {m}");
                if m == 1 || horizon.is_power_of_two() {
                    assert_eq!(l1, (3 * worst(1)).into(), "{horizon} {m}");
                    assert_eq!(l2, (9 * worst(2)).into(), "{horizon} {m}");
                }
            }
        }
    }
}
