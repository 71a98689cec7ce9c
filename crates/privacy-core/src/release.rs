//! What comes out: a value, how far it may be off, what it cost and where that is recorded.

use std::fmt;
use std::sync::Arc;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use crate::audit::RecordId;
use crate::measure::Charge;
use crate::params::Confidence;

/// A released value with the law of its noise, its price and its place in the audit trail.
///
/// # Privacy
///
/// Everything in it is safe to publish: the value is the output of the mechanism that was charged,
/// and all the rest is public or computed from it.
#[derive(Clone, Debug)]
#[must_use = "a release was paid for"]
pub struct Release<V> {
    value: V,
    law: Arc<dyn ErrorLaw<V>>,
    charge: Charge,
    record: RecordId,
}

impl<V> Release<V> {
    /// A release of `value`; for mechanisms and sessions.
    pub fn new(value: V, law: Arc<dyn ErrorLaw<V>>, charge: Charge, record: RecordId) -> Self {
        Release { value, law, charge, record }
    }

    /// The released value.
    pub fn value(&self) -> &V {
        &self.value
    }

    /// The released value, unwrapped.
    pub fn into_value(self) -> V {
        self.value
    }

    /// The law of the error between the released value and the bounded, clamped truth.
    pub fn law(&self) -> &dyn ErrorLaw<V> {
        &*self.law
    }

    /// What the release cost.
    pub fn charge(&self) -> &Charge {
        &self.charge
    }

    /// Where the release stands in the audit trail.
    pub fn record(&self) -> RecordId {
        self.record
    }

    /// An interval that covers the truth with at least the given confidence.
    ///
    /// The truth is the exact aggregate of the values that were used: after contribution bounding,
    /// clamping, and rounding to the public grid. What those left out is not covered.
    pub fn interval(&self, confidence: &Confidence) -> Interval {
        self.law.interval(&self.value, confidence)
    }

    /// Half the width of the 95 % interval: the ± of the displayed release.
    pub fn margin(&self) -> f64 {
        self.interval(&Confidence::default()).margin()
    }
}

/// How far a released value of type `V` may be from the truth it stands for.
pub trait ErrorLaw<V>: fmt::Debug + Send + Sync {
    /// The law in words and numbers, such as `discrete Laplace, scale 100`.
    fn describe(&self) -> String;

    /// An interval around `value` that covers the truth with at least the given confidence.
    fn interval(&self, value: &V, confidence: &Confidence) -> Interval;

    /// The standard deviation of the noise, where it has a closed form.
    fn standard_deviation(&self) -> Option<f64> {
        None
    }
}

/// The law of a mechanism that states none: its intervals are the whole line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UnknownLaw;

impl<V> ErrorLaw<V> for UnknownLaw {
    fn describe(&self) -> String {
        "not stated".to_owned()
    }

    fn interval(&self, _: &V, _: &Confidence) -> Interval {
        Interval { lower: f64::NEG_INFINITY, upper: f64::INFINITY }
    }
}

/// A closed interval of the real line.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Interval {
    /// The lower end.
    pub lower: f64,
    /// The upper end.
    pub upper: f64,
}

impl Interval {
    /// The interval `center ± margin`, its ends rounded outwards.
    #[must_use]
    pub fn around(center: f64, margin: f64) -> Self {
        let (lower, above) = exact_sum(center, -margin);
        let (upper, below) = exact_sum(center, margin);
        Interval {
            lower: if above < 0.0 { lower.next_down() } else { lower },
            upper: if below > 0.0 { upper.next_up() } else { upper },
        }
    }

    /// Half the width.
    #[must_use]
    pub fn margin(&self) -> f64 {
        (self.upper - self.lower) / 2.0
    }

    /// Whether `x` lies in the interval.
    #[must_use]
    pub fn contains(&self, x: f64) -> bool {
        self.lower <= x && x <= self.upper
    }
}

/// The rounded sum of two floats and what rounding took away (Knuth 1969, TwoSum).
fn exact_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let b_part = sum - a;
    (sum, (a - (sum - b_part)) + (b - b_part))
}

/// A number that people read, grouped in threes: `41 873`.
///
/// Implemented for the number types that are released.
pub trait Readable {
    /// The text, with about as many decimals as `margin` leaves meaningful.
    fn readable(&self, margin: f64) -> String;
}

macro_rules! readable_integer {
    ($($integer:ty),*) => {
        $(
            impl Readable for $integer {
                fn readable(&self, _: f64) -> String {
                    grouped(&self.to_string())
                }
            }
        )*
    };
}
readable_integer!(i64, i128, u64);

impl Readable for f64 {
    fn readable(&self, margin: f64) -> String {
        readable_float(*self, margin)
    }
}

/// Two significant digits of the margin decide how many decimals mean something.
fn readable_float(value: f64, margin: f64) -> String {
    let decimals = if margin > 0.0 && margin.is_finite() {
        (1 - margin.log10().floor() as i32).clamp(0, 12) as usize
    } else {
        3
    };
    grouped(&format!("{value:.decimals$}"))
}

/// A margin as people read it: with the given number of decimals, rounded up.
#[must_use]
pub fn readable_up(margin: f64, decimals: usize) -> String {
    let unit = 10f64.powi(decimals as i32);
    grouped(&format!("{:.decimals$}", (margin * unit).ceil() / unit))
}

/// Separates thousands by a thin no-break space.
fn grouped(number: &str) -> String {
    let (sign, digits) = number.strip_prefix('-').map_or(("", number), |rest| ("−", rest));
    let (integer, fraction) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
    let mut text = String::from(sign);
    for (i, digit) in integer.chars().enumerate() {
        if i > 0 && (integer.len() - i) % 3 == 0 && integer.chars().all(|c| c.is_ascii_digit()) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text.push_str(fraction);
    text
}

impl<V: Readable> Release<V> {
    /// The released value as people read it, with the decimals that its margin leaves meaningful.
    #[must_use]
    pub fn value_text(&self) -> String {
        self.value.readable(self.margin())
    }

    /// Half the width of the 95 % interval as people read it, rounded up.
    #[must_use]
    pub fn margin_text(&self) -> String {
        let margin = self.margin();
        // An integer's margin is an integer; a real's is shown with the value's decimals.
        let decimals = self.value.readable(margin).split_once('.').map_or(0, |(_, f)| f.len());
        readable_up(margin, decimals)
    }
}

impl<V: Readable> fmt::Display for Release<V> {
    /// `41 873 ± 61 (95 %)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{} ± {} (95\u{a0}%)", self.value_text(), self.margin_text()))
    }
}

impl<V: Serialize> Serialize for Release<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut state = serializer.serialize_struct("Release", 5)?;
        state.serialize_field("value", &self.value)?;
        state.serialize_field("interval_95", &self.interval(&Confidence::default()))?;
        state.serialize_field("noise", &self.law.describe())?;
        state.serialize_field("charge", &self.charge)?;
        state.serialize_field("record", &self.record)?;
        state.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params::Amount;

    #[derive(Debug)]
    struct PlusMinus(f64);

    impl ErrorLaw<i64> for PlusMinus {
        fn describe(&self) -> String {
            format!("within {}", self.0)
        }

        fn interval(&self, value: &i64, _: &Confidence) -> Interval {
            Interval::around(*value as f64, self.0)
        }
    }

    impl ErrorLaw<f64> for PlusMinus {
        fn describe(&self) -> String {
            format!("within {}", self.0)
        }

        fn interval(&self, value: &f64, _: &Confidence) -> Interval {
            Interval::around(*value, self.0)
        }
    }

    fn release<V>(value: V, margin: f64) -> Release<V>
    where
        PlusMinus: ErrorLaw<V>,
    {
        let charge = Charge::pure(Amount::from_integer(1));
        Release::new(value, Arc::new(PlusMinus(margin)), charge, RecordId(0))
    }

    #[test]
    fn releases_read_like_a_sentence() {
        let shown = |text: &str| text.replace(['\u{202f}', '\u{a0}'], " ");
        assert_eq!(shown(&release(41_873i64, 60.2).to_string()), "41 873 ± 61 (95 %)");
        assert_eq!(shown(&release(-1_234_567i64, 0.0).to_string()), "−1 234 567 ± 0 (95 %)");
        assert_eq!(shown(&release(38.437_921, 0.0312).to_string()), "38.438 ± 0.032 (95 %)");
        assert_eq!(shown(&release(12_345.678, 240.0).to_string()), "12 346 ± 240 (95 %)");
        assert_eq!(shown(&release(7i64, 1.0).to_string()), "7 ± 1 (95 %)");
    }

    #[test]
    fn interval_ends_round_outwards() {
        let interval = Interval::around(0.1, 0.2);
        assert!(interval.upper >= 0.1 + 0.2 && interval.lower <= 0.1 - 0.2);
        assert!(Interval::around(-1e-20, 1.0).lower < -1.0);
        assert_eq!(Interval::around(10.0, 2.0), Interval { lower: 8.0, upper: 12.0 });
    }
}
