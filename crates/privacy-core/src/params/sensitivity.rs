//! How far one unit can move an aggregate.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Amount;
use crate::error::{Error, Result};

/// The sensitivity of an aggregate: finite and above 0.
///
/// The largest distance, in the metric of the aggregate's space, between the aggregates of two
/// neighbouring data sets.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Amount", into = "Amount")]
pub struct Sensitivity(Amount);

impl Sensitivity {
    /// A sensitivity of `value`.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] unless the value is above 0.
    pub fn new(value: impl Into<Amount>) -> Result<Self> {
        let amount = value.into();
        if amount.is_zero() {
            return Err(Error::Parameter {
                parameter: "sensitivity",
                requirement: "above 0",
                given: 0.0,
            });
        }
        Ok(Sensitivity(amount))
    }

    /// The exact value.
    #[must_use]
    pub fn amount(&self) -> &Amount {
        &self.0
    }
}

impl TryFrom<Amount> for Sensitivity {
    type Error = Error;

    fn try_from(amount: Amount) -> Result<Self> {
        Sensitivity::new(amount)
    }
}

impl From<Sensitivity> for Amount {
    fn from(sensitivity: Sensitivity) -> Amount {
        sensitivity.0
    }
}

impl fmt::Display for Sensitivity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Sensitivity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sensitivity({})", self.0)
    }
}
