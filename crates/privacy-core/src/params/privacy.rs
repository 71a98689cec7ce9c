//! The privacy parameters ε, δ and ρ, and the confidence of an interval.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Amount;
use crate::error::{Error, Result};

/// Defines a newtype over [`Amount`] with one range, checked in one place.
macro_rules! amount_newtype {
    (
        $(#[$meta:meta])*
        $name:ident, $parameter:literal, $requirement:literal, $valid:expr
    ) => {
        $(#[$meta])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Amount);

        impl $name {
            /// The value that `value` is written as: `new(0.1)` is exactly one tenth.
            ///
            /// # Errors
            ///
            #[doc = concat!("[`Error::Parameter`] unless the value is ", $requirement, ".")]
            pub fn new(value: f64) -> Result<Self> {
                match Amount::from_decimal(value) {
                    Ok(amount) => Self::from_amount(amount),
                    Err(_) => Err(Self::out_of_range(value)),
                }
            }

            /// The exact fraction `numerator / denominator`.
            ///
            /// # Errors
            ///
            #[doc = concat!("[`Error::Parameter`] unless the value is ", $requirement, ".")]
            pub fn from_fraction(numerator: u64, denominator: u64) -> Result<Self> {
                Self::from_amount(Amount::from_fraction(numerator, denominator)?)
            }

            /// The value of an exact amount.
            ///
            /// # Errors
            ///
            #[doc = concat!("[`Error::Parameter`] unless the value is ", $requirement, ".")]
            pub fn from_amount(amount: Amount) -> Result<Self> {
                let valid: fn(&Amount) -> bool = $valid;
                if valid(&amount) {
                    Ok(Self(amount))
                } else {
                    Err(Self::out_of_range(amount.to_f64_up()))
                }
            }

            fn out_of_range(given: f64) -> Error {
                Error::Parameter { parameter: $parameter, requirement: $requirement, given }
            }

            /// The exact value.
            #[must_use]
            pub fn amount(&self) -> &Amount {
                &self.0
            }

            /// The exact value, by value.
            #[must_use]
            pub fn into_amount(self) -> Amount {
                self.0
            }

            /// The smallest float not below the value.
            #[must_use]
            pub fn to_f64_up(&self) -> f64 {
                self.0.to_f64_up()
            }

            /// The largest float not above the value.
            #[must_use]
            pub fn to_f64_down(&self) -> f64 {
                self.0.to_f64_down()
            }
        }

        impl FromStr for $name {
            type Err = Error;

            /// Reads a decimal (`0.1`, `1e-6`) or a fraction (`1/3`).
            fn from_str(text: &str) -> Result<Self> {
                let amount = text
                    .parse()
                    .map_err(|_| Error::Notation { parameter: $parameter })?;
                Self::from_amount(amount)
            }
        }

        impl TryFrom<f64> for $name {
            type Error = Error;

            fn try_from(value: f64) -> Result<Self> {
                Self::new(value)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(
                &self,
                serializer: S,
            ) -> std::result::Result<S::Ok, S::Error> {
                self.0.serialize(serializer)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(
                deserializer: D,
            ) -> std::result::Result<Self, D::Error> {
                Self::from_amount(Amount::deserialize(deserializer)?)
                    .map_err(serde::de::Error::custom)
            }
        }
    };
}

amount_newtype! {
    /// The parameter ε of pure and approximate differential privacy: finite and above 0.
    ///
    /// Releasing with ε bounds by e^ε the factor by which one unit's presence changes the
    /// probability of any result (Dwork, McSherry, Nissim, Smith 2006).
    ///
    /// # Example
    ///
    /// ```
    /// use privacy_core::params::Epsilon;
    ///
    /// assert_eq!(Epsilon::new(0.1)?, Epsilon::from_fraction(1, 10)?);
    /// assert!(Epsilon::new(f64::NAN).is_err());
    /// assert!(Epsilon::new(0.0).is_err());
    /// # Ok::<(), privacy_core::Error>(())
    /// ```
    Epsilon, "epsilon", "finite and above 0", |amount| !amount.is_zero()
}

amount_newtype! {
    /// The parameter δ of approximate differential privacy: at least 0 and below 1.
    ///
    /// δ bounds the probability mass on which the e^ε bound may fail; it should be far below one
    /// over the number of people (for example 1e-6 or less).
    Delta, "delta", "at least 0 and below 1", |amount| *amount < Amount::from_integer(1)
}

amount_newtype! {
    /// The parameter ρ of zero-concentrated differential privacy (zCDP): finite and above 0.
    ///
    /// ρ-zCDP bounds the Rényi divergence of every order α by ρα (Bun, Steinke 2016,
    /// <https://arxiv.org/abs/1605.02065>).
    Rho, "rho", "finite and above 0", |amount| !amount.is_zero()
}

amount_newtype! {
    /// The confidence level of an interval, above 0 and below 1: 0.95 means 95 %.
    Confidence, "confidence", "above 0 and below 1",
    |amount| !amount.is_zero() && *amount < Amount::from_integer(1)
}

impl Confidence {
    /// The probability that the interval misses, `1 - confidence`, rounded down.
    #[must_use]
    pub fn miss_probability(&self) -> f64 {
        Amount::from_integer(1).checked_sub(&self.0).map_or(0.0, |miss| miss.to_f64_down())
    }
}

impl Default for Confidence {
    /// 95 %.
    fn default() -> Self {
        Confidence(Amount::from_percent(95))
    }
}
