//! The ledger's time: milliseconds since 1970 in UTC, clocks, and the periods budgets renew in.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

const DAY: u64 = 86_400_000;

/// A moment, in milliseconds since 1970-01-01 00:00 UTC.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The moment `millis` milliseconds after 1970-01-01 00:00 UTC.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Timestamp(millis)
    }

    /// Midnight UTC at the start of a day of the Gregorian calendar; `None` before 1970, after the
    /// year 9999, or where there is no such day.
    ///
    /// # Example
    ///
    /// ```
    /// use privacy_ledger::Timestamp;
    ///
    /// assert_eq!(Timestamp::from_date(2026, 11, 22).unwrap().to_string(), "2026-11-22T00:00:00Z");
    /// assert_eq!(Timestamp::from_date(2026, 2, 29), None);
    /// ```
    #[must_use]
    pub fn from_date(year: u32, month: u32, day: u32) -> Option<Self> {
        if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) {
            return None;
        }
        let first = days_to_month(months_since_1970(year, month));
        let next = days_to_month(months_since_1970(year, month) + 1);
        let days = first + u64::from(day.checked_sub(1)?);
        (days < next).then_some(Timestamp(days * DAY))
    }

    /// Milliseconds since 1970-01-01 00:00 UTC.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// This moment and `duration` on; the last moment there is where that would overflow.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Timestamp(self.0.saturating_add(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)))
    }

    /// How long after `earlier` this is; zero if it is not.
    #[must_use]
    pub fn since(self, earlier: Timestamp) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    fn day(self) -> u64 {
        self.0 / DAY
    }
}

impl fmt::Display for Timestamp {
    /// The moment in the notation of RFC 3339, in UTC.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, rest) = (self.0 / DAY, self.0 % DAY);
        let month = month_of(days);
        let (year, month_of_year) = (1970 + month / 12, month % 12 + 1);
        let day = days - days_to_month(month) + 1;
        let (hours, minutes) = (rest / 3_600_000, rest / 60_000 % 60);
        let (seconds, millis) = (rest / 1000 % 60, rest % 1000);
        write!(f, "{year:04}-{month_of_year:02}-{day:02}T{hours:02}:{minutes:02}:{seconds:02}")?;
        if millis > 0 {
            write!(f, ".{millis:03}")?;
        }
        f.write_str("Z")
    }
}

fn months_since_1970(year: u32, month: u32) -> u64 {
    u64::from(year - 1970) * 12 + u64::from(month - 1)
}

/// Days from 1970-01-01 to the first day of the month that is `months` after January 1970.
fn days_to_month(months: u64) -> u64 {
    const BEFORE: [u64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    let (year, month) = (1970 + months / 12, (months % 12) as usize);
    // Leap days in the years before this one, less those before 1970.
    let leaps = |year: u64| year / 4 - year / 100 + year / 400;
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let leap_days = leaps(year - 1) - leaps(1969) + u64::from(is_leap && month >= 2);
    (year - 1970) * 365 + leap_days + BEFORE[month]
}

/// The month, counted from January 1970, in which the day lies.
fn month_of(days: u64) -> u64 {
    // A month has at most 31 days and on average more than 30.4, so the guess is at most the
    // month sought and not far below.
    let mut month = days / 31;
    let far = (days as f64 / 30.436_875) as u64;
    month = month.max(far.saturating_sub(2));
    while days_to_month(month + 1) <= days {
        month += 1;
    }
    month
}

/// How often an account's budget starts anew. Periods begin at midnight UTC.
///
/// # Privacy
///
/// A renewal is a policy, not a theorem: what is known about a person after `n` periods is bounded
/// by `n` limits together. Put an account without renewal above it to bound that sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Renewal {
    /// Every day.
    Daily,
    /// Every Monday.
    Weekly,
    /// On the first day of each month.
    Monthly,
    /// On the first of January.
    Yearly,
}

impl Renewal {
    /// Which period `at` lies in; periods are numbered in order.
    pub(crate) fn period(self, at: Timestamp) -> u64 {
        match self {
            Renewal::Daily => at.day(),
            // 1970-01-01 was a Thursday.
            Renewal::Weekly => (at.day() + 3) / 7,
            Renewal::Monthly => month_of(at.day()),
            Renewal::Yearly => month_of(at.day()) / 12,
        }
    }

    /// When the period after the one of `at` begins.
    #[must_use]
    pub fn next(self, at: Timestamp) -> Timestamp {
        let next = self.period(at) + 1;
        Timestamp(
            DAY * match self {
                Renewal::Daily => next,
                Renewal::Weekly => next * 7 - 3,
                Renewal::Monthly => days_to_month(next),
                Renewal::Yearly => days_to_month(next * 12),
            },
        )
    }
}

impl fmt::Display for Renewal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Renewal::Daily => "daily",
            Renewal::Weekly => "weekly",
            Renewal::Monthly => "monthly",
            Renewal::Yearly => "yearly",
        })
    }
}

/// Where a ledger reads the time.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The time now.
    ///
    /// # Errors
    ///
    /// [`Error::ClockUnset`] if the clock cannot say.
    fn now(&self) -> Result<Timestamp>;
}

impl<C: Clock + ?Sized> Clock for Arc<C> {
    fn now(&self) -> Result<Timestamp> {
        (**self).now()
    }
}

/// The operating system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Result<Timestamp> {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).map_err(|_| Error::ClockUnset)?;
        u64::try_from(since.as_millis()).map(Timestamp).map_err(|_| Error::ClockUnset)
    }
}

/// A clock that stands still until it is moved: for tests and for replays.
#[derive(Debug, Default)]
pub struct ManualClock(AtomicU64);

impl ManualClock {
    /// A clock that stands at `now`.
    #[must_use]
    pub fn at(now: Timestamp) -> Arc<Self> {
        Arc::new(ManualClock(AtomicU64::new(now.0)))
    }

    /// Moves the clock to `now`, forwards or backwards.
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.0, Ordering::SeqCst);
    }

    /// Moves the clock on.
    pub fn advance(&self, by: Duration) {
        let millis = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        self.0.fetch_add(millis, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Result<Timestamp> {
        Ok(Timestamp(self.0.load(Ordering::SeqCst)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(year: u32, month: u32, day: u32) -> Timestamp {
        Timestamp::from_date(year, month, day).unwrap()
    }

    #[test]
    fn the_calendar_agrees_with_counting_days_one_by_one() {
        // Counts from 1970-01-01 to 2400 and beyond, the long way round.
        let (mut year, mut month, mut day) = (1970, 1, 1);
        for days in 0..160_000u64 {
            assert_eq!(date(year, month, day), Timestamp(days * DAY));
            let shown = format!("{year:04}-{month:02}-{day:02}T00:00:00Z");
            assert_eq!(Timestamp(days * DAY).to_string(), shown);
            let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
            let length = match month {
                4 | 6 | 9 | 11 => 30,
                2 => 28 + u32::from(leap),
                _ => 31,
            };
            day += 1;
            if day > length {
                (month, day) = (month + 1, 1);
            }
            if month > 12 {
                (year, month) = (year + 1, 1);
            }
        }
    }

    #[test]
    fn periods_begin_when_they_should_and_next_is_the_first_moment_of_the_next() {
        for renewal in [Renewal::Daily, Renewal::Weekly, Renewal::Monthly, Renewal::Yearly] {
            for start in [0, DAY - 1, 59 * DAY, 11_000 * DAY + 7, 20_779 * DAY] {
                let next = renewal.next(Timestamp(start));
                assert_eq!(renewal.period(next), renewal.period(Timestamp(start)) + 1);
                assert_eq!(renewal.period(Timestamp(next.0 - 1)), renewal.period(Timestamp(start)));
            }
        }
        // 2026-11-23 is a Monday.
        assert_eq!(Renewal::Weekly.next(date(2026, 11, 22)), date(2026, 11, 23));
        assert_eq!(Renewal::Monthly.next(date(2026, 12, 31)), date(2027, 1, 1));
        assert_eq!(Renewal::Yearly.next(date(2026, 11, 22)), date(2027, 1, 1));
    }

    #[test]
    fn days_that_do_not_exist_are_refused() {
        for (year, month, day) in [(2026, 2, 29), (2100, 2, 29), (2026, 0, 1), (2026, 13, 1)] {
            assert_eq!(Timestamp::from_date(year, month, day), None);
        }
        assert_eq!(Timestamp::from_date(2026, 1, 0), None);
        assert_eq!(Timestamp::from_date(1969, 12, 31), None);
        assert!(Timestamp::from_date(2024, 2, 29).is_some());
    }
}
