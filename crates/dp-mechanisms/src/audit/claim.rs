//! What is claimed of a mechanism, and what an event says about it.

use std::fmt;

use privacy_core::measure::Charge;
use privacy_core::params::{Amount, Delta, Epsilon, Rho};

use super::normal;

/// Bounds on the privacy loss that an audit tries to refute; all of them are claimed.
///
/// # Example
///
/// ```
/// use dp_mechanisms::audit::Claim;
/// use privacy_core::params::{Delta, Epsilon};
///
/// let claim = Claim::approximate(Epsilon::new(1.0)?, Delta::new(1e-6)?);
/// assert_eq!(claim.to_string(), "ε = 1 at δ = 0.000001");
/// # Ok::<(), privacy_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    bounds: Vec<Bound>,
}

/// One bound on the privacy loss of a mechanism for neighbours.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Bound {
    /// (ε, δ)-differential privacy; pure where δ is 0.
    Approximate {
        /// ε; infinite where it is only to be measured.
        epsilon: f64,
        /// δ.
        delta: f64,
    },
    /// ρ-zero-concentrated differential privacy.
    Zcdp {
        /// ρ.
        rho: f64,
    },
    /// A Rényi divergence of one order.
    Renyi {
        /// The order α, above 1.
        order: f64,
        /// The divergence.
        epsilon: f64,
    },
    /// μ-Gaussian differential privacy: no easier to tell apart than N(0, 1) and N(μ, 1).
    Gaussian {
        /// μ.
        mu: f64,
    },
}

impl Claim {
    /// Pure ε-differential privacy.
    #[must_use]
    pub fn pure(epsilon: Epsilon) -> Self {
        Claim::one(Bound::Approximate { epsilon: epsilon.to_f64_up(), delta: 0.0 })
    }

    /// (ε, δ)-differential privacy.
    #[must_use]
    pub fn approximate(epsilon: Epsilon, delta: Delta) -> Self {
        Claim::one(Bound::Approximate { epsilon: epsilon.to_f64_up(), delta: delta.to_f64_up() })
    }

    /// ρ-zero-concentrated differential privacy.
    #[must_use]
    pub fn zcdp(rho: Rho) -> Self {
        Claim::one(Bound::Zcdp { rho: rho.to_f64_up() })
    }

    /// μ-Gaussian differential privacy (Dong, Roth, Su 2022): the exact privacy profile of
    /// continuous Gaussian noise with standard deviation 1/μ times the sensitivity. Discrete
    /// Gaussian noise is close to it but not within it; claim ρ-zCDP for that.
    #[must_use]
    pub fn gaussian(mu: Amount) -> Self {
        Claim::one(Bound::Gaussian { mu: mu.to_f64_up() })
    }

    /// No claim: nothing can be refuted, and ε is measured at `delta` (`None` for pure ε).
    #[must_use]
    pub fn none_at(delta: Option<Delta>) -> Self {
        let delta = delta.map_or(0.0, |delta| delta.to_f64_up());
        Claim::one(Bound::Approximate { epsilon: f64::INFINITY, delta })
    }

    /// This and the bounds of another claim.
    #[must_use]
    pub fn and(mut self, other: Claim) -> Self {
        self.bounds.extend(other.bounds);
        self
    }

    /// The bounds.
    #[must_use]
    pub fn bounds(&self) -> &[Bound] {
        &self.bounds
    }

    fn one(bound: Bound) -> Self {
        Claim { bounds: vec![bound] }
    }
}

impl From<&Charge> for Claim {
    /// Every bound that the price states and that does not follow from another one of it.
    fn from(charge: &Charge) -> Self {
        let mut bounds = Vec::new();
        let pure = charge.in_pure().map(|cost| cost.epsilon);
        if let Some(epsilon) = &pure {
            bounds.push(Bound::Approximate { epsilon: epsilon.to_f64_up(), delta: 0.0 });
        }
        if let Some(cost) = charge.in_approximate()
            && pure.as_ref().is_none_or(|epsilon| cost.epsilon < *epsilon)
        {
            bounds.push(Bound::Approximate {
                epsilon: cost.epsilon.to_f64_up(),
                delta: cost.delta.to_f64_up(),
            });
        }
        // Pure ε is ε²/2-zCDP.
        let implied = pure.map(|epsilon| epsilon.squared().scaled_by_power_of_two(-1));
        if let Some(cost) = charge.in_zcdp()
            && implied.is_none_or(|implied| cost.rho < implied)
        {
            bounds.push(Bound::Zcdp { rho: cost.rho.to_f64_up() });
        }
        for point in charge.in_renyi().map(|curve| curve.points()).unwrap_or_default() {
            bounds.push(Bound::Renyi {
                order: point.order.to_f64_down(),
                epsilon: point.epsilon.to_f64_up(),
            });
        }
        Claim { bounds }
    }
}

impl From<Charge> for Claim {
    fn from(charge: Charge) -> Self {
        Claim::from(&charge)
    }
}

impl From<Epsilon> for Claim {
    fn from(epsilon: Epsilon) -> Self {
        Claim::pure(epsilon)
    }
}

impl Bound {
    /// What is claimed: ε, ρ or μ.
    #[must_use]
    pub fn claimed(&self) -> f64 {
        match *self {
            Bound::Approximate { epsilon, .. } | Bound::Renyi { epsilon, .. } => epsilon,
            Bound::Zcdp { rho } => rho,
            Bound::Gaussian { mu } => mu,
        }
    }

    /// The least ε, ρ or μ with which an event can have probability `p` or more on one of two
    /// neighbours and `q` or less on the other; rounded down.
    ///
    /// An event is post-processing, so the loss between the two coins it makes bounds that of the
    /// mechanism: by the definition of (ε, δ), by the data processing inequality of Rényi
    /// divergences (van Erven, Harremoës 2014, Theorem 9), and by the trade-off function of the
    /// Gaussian. All of them grow as `p` and `q` move apart.
    #[must_use]
    pub fn least(&self, p: f64, q: f64) -> f64 {
        if p.is_nan() || q.is_nan() || p <= q {
            return 0.0;
        }
        let least = match *self {
            Bound::Approximate { delta, .. } => match p - delta {
                above if above <= 0.0 => 0.0,
                above => (above / q).ln(),
            },
            Bound::Zcdp { .. } => {
                ORDERS.iter().map(|&order| renyi(order, p, q) / order).fold(0.0, f64::max)
            }
            Bound::Renyi { order, .. } => renyi(order, p, q),
            Bound::Gaussian { .. } => normal::quantile(p) - normal::quantile(q),
        };
        // Logarithms and powers of the platform are good to a few units in the last place.
        (least * (1.0 - 1e-9) - 1e-11).max(0.0)
    }
}

/// Orders at which a zCDP claim is tried; as many as there are, each gives a valid bound.
const ORDERS: [f64; 22] = [
    1.05, 1.1, 1.2, 1.35, 1.5, 1.75, 2.0, 2.5, 3.0, 4.0, 5.0, 7.0, 10.0, 14.0, 20.0, 30.0, 50.0,
    80.0, 130.0, 250.0, 500.0, 1000.0,
];

/// The Rényi divergence of order `order` of a coin of bias `p` from one of bias `q`.
fn renyi(order: f64, p: f64, q: f64) -> f64 {
    let term = |p: f64, q: f64| {
        if p > 0.0 { order * p.ln() + (1.0 - order) * q.ln() } else { f64::NEG_INFINITY }
    };
    let (a, b) = (term(p, q), term(1.0 - p, 1.0 - q));
    let (high, low) = (a.max(b), a.min(b));
    (high + (low - high).exp().ln_1p()) / (order - 1.0)
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(self, self.claimed(), "=", f)
    }
}

/// `bound` with another number in place of what it claims.
pub(super) fn show(
    bound: &Bound,
    value: f64,
    relation: &str,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    let value = brief(value);
    match bound {
        Bound::Approximate { delta, .. } => {
            write!(f, "ε {relation} {value} at δ = {}", brief(*delta))
        }
        Bound::Zcdp { .. } => write!(f, "ρ {relation} {value}"),
        Bound::Renyi { order, .. } => write!(f, "ε {relation} {value} at Rényi order {order}"),
        Bound::Gaussian { .. } => write!(f, "μ {relation} {value}"),
    }
}

/// Six significant digits: what floats were rounded up by is no news to a reader.
pub(super) fn brief(value: f64) -> f64 {
    format!("{value:.5e}").parse().unwrap_or(value)
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, bound) in self.bounds.iter().enumerate() {
            if i > 0 {
                f.write_str(", ")?;
            }
            bound.fmt(f)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn randomized_response_is_measured_at_its_epsilon() {
        let epsilon = 1.25f64;
        let p = epsilon.exp() / (1.0 + epsilon.exp());
        let pure = Bound::Approximate { epsilon, delta: 0.0 };
        let least = pure.least(p, 1.0 - p);
        assert!(least <= epsilon && least > epsilon - 1e-8);
        // Its Rényi divergence in closed form.
        let order = 3.0;
        let exact = ((order * epsilon).exp() + ((1.0 - order) * epsilon).exp()).ln()
            - (1.0 + epsilon.exp()).ln();
        let least = Bound::Renyi { order, epsilon: 9.0 }.least(p, 1.0 - p);
        assert!((least - exact / (order - 1.0)).abs() < 1e-8);
        // It keeps the zCDP bound of pure privacy.
        let rho = Bound::Zcdp { rho: 1.0 }.least(p, 1.0 - p);
        assert!(rho <= epsilon * epsilon / 2.0 && rho > 0.1 * epsilon * epsilon);
    }

    #[test]
    fn gaussians_are_measured_at_their_mean_and_below_their_rho() {
        let (mu, gaussian) = (0.7, Bound::Gaussian { mu: 0.7 });
        for cut in [-2.0, -0.3, 0.0, 0.4, 1.5] {
            let (p, q) = (normal::upper_tail(cut - mu), normal::upper_tail(cut));
            let least = gaussian.least(p, q);
            assert!(least <= mu && least > mu - 1e-7, "{least}");
            assert!(Bound::Zcdp { rho: 0.0 }.least(p, q) <= mu * mu / 2.0);
        }
    }

    #[test]
    fn delta_is_taken_off_first_and_nothing_follows_from_the_wrong_order() {
        let bound = Bound::Approximate { epsilon: 0.1, delta: 0.01 };
        assert!((bound.least(0.21, 0.1) - 2f64.ln()).abs() < 1e-8);
        assert!(bound.least(0.01, 1e-9) <= 0.0);
        assert!(bound.least(0.1, 0.21) <= 0.0);
    }

    #[test]
    fn a_price_claims_what_it_states_and_no_more() {
        let epsilon = Epsilon::new(0.5).unwrap();
        let charge = Charge::from(epsilon);
        assert_eq!(Claim::from(&charge).bounds().len(), 1);
        let tighter = charge.or(Charge::zcdp("0.01".parse().unwrap()));
        assert_eq!(Claim::from(&tighter).to_string(), "ε = 0.5 at δ = 0, ρ = 0.01");
    }
}
