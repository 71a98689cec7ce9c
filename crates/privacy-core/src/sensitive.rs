//! Sensitive values: how sensitive a thing is, and a wrapper that does not print.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How sensitive data is. Ordered: [`Public`](SensitivityLevel::Public) is the lowest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SensitivityLevel {
    /// Anyone may see it.
    Public,
    /// Anyone inside the organization may see it.
    Internal,
    /// Only those whose task needs it may see it: most personal data.
    Confidential,
    /// Its disclosure does grave harm: health, credentials, payment data.
    Restricted,
}

impl fmt::Display for SensitivityLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            SensitivityLevel::Public => "public",
            SensitivityLevel::Internal => "internal",
            SensitivityLevel::Confidential => "confidential",
            SensitivityLevel::Restricted => "restricted",
        })
    }
}

/// A value that does not print: neither `Debug` nor `Display` nor serialization shows it.
///
/// Raw data travels in it through pipelines, so that a log line cannot leak it by accident and so
/// that a stage which reads raw data can be told from one that works on releases.
///
/// # Example
///
/// ```
/// use privacy_core::sensitive::Sensitive;
///
/// let email = Sensitive::new("ana@example.org");
/// assert_eq!(format!("{email:?}"), "Sensitive(..)");
/// assert_eq!(email.expose().len(), 15);
/// ```
///
/// ```compile_fail,E0277
/// # use privacy_core::sensitive::Sensitive;
/// println!("{}", Sensitive::new("ana@example.org"));
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Sensitive<T>(T);

impl<T> Sensitive<T> {
    /// Wraps a value.
    pub const fn new(value: T) -> Self {
        Sensitive(value)
    }

    /// The value, for code that works on it.
    pub const fn expose(&self) -> &T {
        &self.0
    }

    /// The value, unwrapped.
    pub fn into_exposed(self) -> T {
        self.0
    }

    /// The result of `f`, as sensitive as the value it came from.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Sensitive<U> {
        Sensitive(f(self.0))
    }
}

impl<T> From<T> for Sensitive<T> {
    fn from(value: T) -> Self {
        Sensitive(value)
    }
}

impl<T> fmt::Debug for Sensitive<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sensitive(..)")
    }
}
