//! A plan: an event and the relation between neighbours.

use serde::{Deserialize, Serialize};

use super::{Event, Relation, check, leaves};
use crate::error::Result;

/// An event and the relation between neighbours that it is measured by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawPlan")]
pub struct Plan {
    adjacency: Relation,
    #[serde(flatten)]
    event: Event,
}

#[derive(Deserialize)]
struct RawPlan {
    adjacency: Relation,
    #[serde(flatten)]
    event: Event,
}

impl TryFrom<RawPlan> for Plan {
    type Error = crate::AccountingError;

    fn try_from(raw: RawPlan) -> Result<Self> {
        Plan::new(raw.adjacency, raw.event)
    }
}

impl Plan {
    /// The plan of `event`, with neighbours under `adjacency`.
    ///
    /// # Errors
    ///
    /// `OutOfRange` if a parameter in the tree is out of its range, `TooDeep` beyond 64 levels,
    /// `TooManySteps` if the number of steps does not fit in 64 bits.
    pub fn new(adjacency: Relation, event: Event) -> Result<Self> {
        check::check(&event, 0)?;
        let plan = Plan { adjacency, event };
        leaves(&plan.event)?;
        Ok(plan)
    }

    /// The relation between neighbours.
    #[must_use]
    pub fn adjacency(&self) -> Relation {
        self.adjacency
    }

    /// What is done.
    #[must_use]
    pub fn event(&self) -> &Event {
        &self.event
    }

    /// The smallest epsilon at `delta` that an accountant of this crate proves, rounded up.
    ///
    /// # Errors
    ///
    /// `OutOfRange` unless `delta` is a probability; `Unsupported` if no accountant has a rule.
    ///
    /// # Example
    ///
    /// ```
    /// use dp_accounting::event::{Event, Plan, Relation};
    ///
    /// let weekly = Event::gaussian(20.0)?.repeat(52);
    /// let year = Plan::new(Relation::AddRemove, weekly)?;
    /// assert!(year.epsilon(1e-6)? < 1.75);
    /// # Ok::<(), dp_accounting::AccountingError>(())
    /// ```
    pub fn epsilon(&self, delta: f64) -> Result<f64> {
        use crate::account::Accountant;
        crate::account::Best::default().epsilon(self, delta)
    }

    /// The smallest delta at `epsilon` that an accountant of this crate proves, rounded up.
    ///
    /// # Errors
    ///
    /// `OutOfRange` unless `epsilon` is finite and 0 or more; `Unsupported` if no accountant has a
    /// rule.
    pub fn delta(&self, epsilon: f64) -> Result<f64> {
        use crate::account::Accountant;
        crate::account::Best::default().delta(self, epsilon)
    }
}
