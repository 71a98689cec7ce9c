//! The filter that counts Rényi divergence at one order.

use privacy_core::budget::{Accounts, Budget, Purse, Refusal, RequestId, Reservation};
use privacy_core::measure::{Allowance, Charge};
use privacy_core::params::{Amount, Delta, Epsilon};
use privacy_core::unit::Scope;

use crate::error::{AccountingError, Result, out_of_range};
use crate::numeric::U;
use crate::renyi::RenyiCurve;

type CoreResult<T> = std::result::Result<T, privacy_core::Error>;

/// An (epsilon, delta) budget that is spent in Rényi divergence at an order fixed in advance.
///
/// # Privacy
///
/// The Rényi filter of Feldman and Zrnic 2021 (<https://arxiv.org/abs/2008.11193>), with the conversion of
/// Canonne, Kamath, Steinke 2020, Proposition 12.
///
/// # Example
///
/// ```
/// use dp_accounting::filter::RenyiFilter;
/// use dp_accounting::renyi::RenyiCurve;
/// use privacy_core::budget::{Budget, RequestId};
/// use privacy_core::params::{Delta, Epsilon};
/// use privacy_core::unit::{AddRemove, Scope, User};
///
/// let (epsilon, delta) = (Epsilon::new(2.0)?, Delta::new(1e-6)?);
/// let query = RenyiCurve::sampled_gaussian(1.0, 0.01)?;
/// let filter = RenyiFilter::for_queries_like(&query, &epsilon, &delta)?;
/// let charge = query.charge()?;
/// let users = Scope::of::<User, AddRemove>();
/// assert!(filter.reserve(&RequestId::new("first"), &charge, users).is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct RenyiFilter {
    order: f64,
    exact_order: Amount,
    limit: Divergence,
    accounts: Accounts<Divergence>,
}

#[derive(Debug, Clone)]
struct Divergence(Amount);

impl Purse for Divergence {
    fn take(&self, asked: &Self) -> Option<Self> {
        self.0.checked_sub(&asked.0).map(|left| Divergence(left.compacted_down()))
    }

    fn give(&self, returned: &Self) -> Option<Self> {
        Some(Divergence(&self.0 + &returned.0))
    }
}

/// The divergence of order `order` that (epsilon, delta) allows, rounded down.
fn allowed(order: f64, epsilon: f64, delta: f64) -> f64 {
    let t = order - 1.0;
    let (gain, cost) = ((1.0 / t).ln_1p(), (-delta.ln() - order.ln()) / t);
    let size = epsilon + gain + (-delta.ln() + order.ln()) / t;
    epsilon + gain - cost - 16.0 * U * size
}

impl RenyiFilter {
    /// A filter at `order`.
    ///
    /// # Errors
    ///
    /// `OutOfRange` unless `order` is finite and above 1 and `delta` above 0;
    /// `TargetUnreachable` if the target allows nothing at this order (take a larger one).
    pub fn at_order(order: f64, epsilon: &Epsilon, delta: &Delta) -> Result<Self> {
        if !(order.is_finite() && order > 1.0) {
            return Err(out_of_range("order", order, "finite and above 1"));
        }
        let (e, d) = (epsilon.to_f64_down(), delta.to_f64_down());
        if d <= 0.0 {
            return Err(out_of_range("delta", d, "above 0"));
        }
        let unreachable = AccountingError::TargetUnreachable {
            parameter: "order",
            low: order,
            high: order,
            epsilon: e,
            delta: d,
        };
        let limit = allowed(order, e, d);
        let amount = Amount::from_binary(limit).map_err(|_| unreachable)?;
        // Without its exact value no charge could be converted to it.
        let exact_order = Amount::from_decimal(order)
            .map_err(|_| out_of_range("order", order, "finite and above 1"))?;
        let limit = Divergence(amount);
        let accounts = Accounts::new(limit.clone(), None);
        Ok(RenyiFilter { order, exact_order, limit, accounts })
    }

    /// A filter at the order that allows the most queries with this curve.
    ///
    /// # Errors
    ///
    /// `TargetUnreachable` if the target allows nothing at any order of the curve.
    pub fn for_queries_like(curve: &RenyiCurve, epsilon: &Epsilon, delta: &Delta) -> Result<Self> {
        let (e, d) = (epsilon.to_f64_down(), delta.to_f64_down().max(f64::MIN_POSITIVE));
        let mut best = (0.0, f64::NAN);
        for (order, divergence) in curve.points() {
            let queries = allowed(order, e, d) / divergence.max(f64::MIN_POSITIVE);
            if queries > best.0 {
                best = (queries, order);
            }
        }
        if best.1.is_nan() {
            return Err(AccountingError::TargetUnreachable {
                parameter: "order",
                low: 1.0,
                high: curve.points().last().map_or(1.0, |(order, _)| order),
                epsilon: e,
                delta: d,
            });
        }
        Self::at_order(best.1, epsilon, delta)
    }

    /// The order.
    #[must_use]
    pub fn order(&self) -> f64 {
        self.order
    }

    /// The divergence that can still be reserved, rounded down.
    #[must_use]
    pub fn remaining_divergence(&self) -> f64 {
        self.accounts.remaining().0.to_f64_down()
    }

    /// Divergences grow with the order, so that a point at a larger order is a bound here.
    fn asked(&self, charge: &Charge) -> Option<Divergence> {
        let point = charge
            .in_renyi()
            .and_then(|curve| curve.points().iter().find(|point| point.order >= self.exact_order));
        let renyi = point.map(|point| point.epsilon.clone());
        let zcdp = charge.in_zcdp().map(|cost| &cost.rho * &self.exact_order);
        let pure = charge.in_pure().map(|cost| cost.epsilon);
        [renyi, zcdp, pure].into_iter().flatten().min().map(Divergence)
    }
}

impl Budget for RenyiFilter {
    fn reserve(
        &self,
        request: &RequestId,
        charge: &Charge,
        scope: Scope,
    ) -> CoreResult<Reservation> {
        let asked =
            self.asked(charge).ok_or(Refusal::OtherMeasure { budget: "Rényi divergence" })?;
        self.accounts.reserve(request, asked, scope, |asked, remaining| {
            Refusal::exhausted(self.allowance(&asked), self.allowance(remaining))
        })
    }

    fn commit(&self, reservation: Reservation) -> CoreResult<()> {
        self.accounts.commit(&reservation)
    }

    fn roll_back(&self, reservation: Reservation) -> CoreResult<()> {
        self.accounts.roll_back(&reservation)
    }

    /// The rho whose divergence at the filter's order is the limit.
    fn limit(&self) -> Allowance {
        self.allowance(&self.limit)
    }

    fn remaining(&self) -> CoreResult<Allowance> {
        Ok(self.allowance(&self.accounts.remaining()))
    }
}

impl RenyiFilter {
    /// Allowances have no Rényi measure; a divergence d at order a is what d/a-zCDP would take.
    fn allowance(&self, divergence: &Divergence) -> Allowance {
        let rho = divergence.0.checked_div(&self.exact_order).unwrap_or(Amount::ZERO);
        Allowance::Zcdp { rho }
    }
}

#[cfg(test)]
mod tests {
    use privacy_core::unit::{Relation, UnitKind};

    use super::*;

    const USERS: Scope = Scope { unit: UnitKind::User, relation: Relation::AddRemove };

    #[test]
    fn the_filter_grants_what_the_curve_allows_at_its_order() {
        let (epsilon, delta) = (Epsilon::new(2.0).unwrap(), Delta::new(1e-6).unwrap());
        let query = RenyiCurve::sampled_gaussian(1.0, 0.05).unwrap();
        let filter = RenyiFilter::for_queries_like(&query, &epsilon, &delta).unwrap();
        let charge = query.charge().unwrap();
        let mut granted = 0u64;
        while filter.reserve(&RequestId::new(format!("{granted}")), &charge, USERS).is_ok() {
            granted += 1;
        }
        assert!(query.repeat(granted).epsilon(1e-6).unwrap() <= 2.0 + 1e-12);
        assert!(query.repeat(granted + 1).epsilon(1e-6).unwrap() > 2.0);
        // A refusal leaves room for something smaller.
        let small = RenyiCurve::gaussian(1e6).unwrap().charge().unwrap();
        assert!(filter.reserve(&RequestId::new("small"), &small, USERS).is_ok());
    }

    #[test]
    fn an_order_without_room_is_refused() {
        let (epsilon, delta) = (Epsilon::new(0.1).unwrap(), Delta::new(1e-9).unwrap());
        assert!(RenyiFilter::at_order(1.5, &epsilon, &delta).is_err());
        assert!(RenyiFilter::at_order(1.0, &epsilon, &delta).is_err());
        assert!(RenyiFilter::at_order(1000.0, &epsilon, &delta).is_ok());
    }
}
