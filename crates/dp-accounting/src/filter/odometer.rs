//! The odometer: what was spent so far, at every moment.

use std::sync::{Mutex, PoisonError};

use privacy_core::measure::Charge;
use privacy_core::params::Amount;

use crate::error::{AccountingError, Result, out_of_range};
use crate::numeric::U;

/// Number of orders that are watched at once; each has an equal share of delta.
const ORDERS: usize = 48;

/// A running bound on the privacy loss of an open session.
///
/// # Privacy
///
/// With probability at least `1 - delta` the realized privacy loss never exceeds the reported
/// epsilon at any moment, for queries chosen adaptively and whenever one stops looking: for a fixed
/// order a, `e^((a-1) loss - (a-1) a rho)` is a supermartingale in the session (rho the running sum
/// of zCDP costs), so that by Ville's inequality `loss <= a rho + ln(1/d)/(a-1)` at all times but
/// for probability d; the odometer takes the smallest over a fixed list of orders, each with an
/// equal share d of delta. Adaptive rhos are covered as in Feldman and Zrnic 2021
/// (<https://arxiv.org/abs/2008.11193>).
///
/// # Example
///
/// ```
/// use dp_accounting::filter::Odometer;
/// use privacy_core::measure::Charge;
/// use privacy_core::params::{Delta, Rho};
///
/// let odometer = Odometer::new(&Delta::new(1e-6)?)?;
/// for _ in 0..100 {
///     odometer.record(&Charge::from(Rho::new(0.0002)?))?;
/// }
/// assert!(odometer.epsilon() < 1.25);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Odometer {
    /// (order, `ln(1/d) / (order - 1)`).
    orders: Vec<(f64, f64)>,
    spent: Mutex<Spent>,
}

#[derive(Debug)]
struct Spent {
    rho: Amount,
    rho_up: f64,
    events: u64,
}

impl Odometer {
    /// An odometer that is wrong with probability at most `delta`.
    ///
    /// # Errors
    ///
    /// `OutOfRange` unless `delta` is above 0 and below 1.
    pub fn new(delta: &privacy_core::params::Delta) -> Result<Self> {
        let delta = delta.to_f64_down();
        if !(delta > 0.0 && delta < 1.0) {
            return Err(out_of_range("delta", delta, "above 0 and below 1"));
        }
        let log = -(delta / ORDERS as f64).ln() * (1.0 + 8.0 * U);
        let orders = (0..ORDERS)
            .map(|i| {
                // t = order - 1 from 0.01 to about 10^4: the best for rho from 10^5 to 10^-7.
                let t = 0.01 * 1.35f64.powi(i as i32);
                (1.0 + t, log / t * (1.0 + 4.0 * U))
            })
            .collect();
        let spent = Mutex::new(Spent { rho: Amount::ZERO, rho_up: 0.0, events: 0 });
        Ok(Odometer { orders, spent })
    }

    /// Counts a release.
    ///
    /// # Errors
    ///
    /// `Unpriced` if the charge has no zCDP bound; nothing is counted then, and the release must not
    /// be made.
    pub fn record(&self, charge: &Charge) -> Result<()> {
        let Some(cost) = charge.in_zcdp() else {
            return Err(AccountingError::Unpriced { measure: "zCDP" });
        };
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        spent.rho = (&spent.rho + &cost.rho).compacted_up();
        spent.rho_up = spent.rho.to_f64_up();
        spent.events += 1;
        Ok(())
    }

    /// The sum of the rhos so far, exactly.
    #[must_use]
    pub fn rho(&self) -> Amount {
        self.spent.lock().unwrap_or_else(PoisonError::into_inner).rho.clone()
    }

    /// The number of releases so far.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.spent.lock().unwrap_or_else(PoisonError::into_inner).events
    }

    /// The epsilon so far, rounded up; its cost does not depend on the number of releases.
    #[must_use]
    pub fn epsilon(&self) -> f64 {
        let rho = self.spent.lock().unwrap_or_else(PoisonError::into_inner).rho_up;
        if rho == 0.0 {
            return 0.0;
        }
        let at = |&(order, rest): &(f64, f64)| (order * rho + rest) * (1.0 + 4.0 * U);
        self.orders.iter().map(at).fold(f64::INFINITY, f64::min)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use privacy_core::params::{Delta, Rho};

    #[test]
    fn the_odometer_grows_and_stays_near_the_fixed_time_bound() {
        let odometer = Odometer::new(&Delta::new(1e-6).unwrap()).unwrap();
        assert_eq!(odometer.epsilon(), 0.0);
        let charge = Charge::from(Rho::new(0.001).unwrap());
        let mut last = 0.0;
        for i in 1..=500 {
            odometer.record(&charge).unwrap();
            let now = odometer.epsilon();
            let rho = 0.001 * f64::from(i);
            let fixed = rho + 2.0 * (rho * 1e6f64.ln()).sqrt();
            assert!(now > last && now >= fixed * 0.999 && now < fixed * 1.25, "{i} {now} {fixed}");
            last = now;
        }
        assert_eq!(odometer.events(), 500);
        assert_eq!(odometer.rho(), Amount::from_fraction(1u8, 2u8).unwrap());
        let blind = Charge::approximate(Amount::from_integer(1), Amount::from_integer(0));
        let error = odometer.record(&blind).unwrap_err();
        assert_eq!(error, AccountingError::Unpriced { measure: "zCDP" });
        assert_eq!(odometer.events(), 500);
    }
}
