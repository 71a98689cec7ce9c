//! Point masses of a privacy loss.

use crate::numeric::U;

/// Relative error bound of an atom's masses.
///
/// Exponents reach 750 (masses down to the smallest float) and err by two ulp of themselves.
pub(super) const ATOM_ERROR: f64 = 4096.0 * U;

/// An outcome with its loss and the larger of its two masses: P's where the loss is positive, Q's
/// where it is negative.
///
/// The other mass is smaller by `e^-|loss|`. Stored so, neither is lost where the other underflows,
/// and sampling, which mixes the two, sees both.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Atom {
    pub(super) loss: f64,
    pub(super) mass: f64,
}

impl Atom {
    pub(super) fn new(loss: f64, mass: f64) -> Self {
        Atom { loss, mass }
    }

    pub(super) fn p(&self) -> f64 {
        self.mass * self.loss.min(0.0).exp()
    }

    /// `ln` of the P-mass, also where that underflows.
    pub(super) fn ln_p(&self) -> f64 {
        self.mass.ln() + self.loss.min(0.0)
    }

    /// How far the stored loss may be from the exact one: small losses keep their digits, too.
    pub(super) fn slip(&self) -> f64 {
        32.0 * U * self.loss.abs()
    }
}

/// Atoms sorted by loss, with sums over the atoms at and above each.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scattered {
    losses: Vec<f64>,
    sums: Vec<Sums>,
}

#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Sums {
    p: f64,
    /// Q-mass times `e^loss` of the atom, for a positive loss; plain Q-mass else.
    q: f64,
    /// The hockey stick at the atom's loss.
    stick: f64,
}

impl Scattered {
    pub(super) fn new(mut atoms: Vec<Atom>) -> Self {
        atoms.sort_by(|a, b| a.loss.total_cmp(&b.loss));
        let mut sums = vec![Sums::default(); atoms.len()];
        let mut above = (f64::MAX, Sums::default());
        for (atom, sum) in atoms.iter().zip(&mut sums).rev() {
            let (next, last) = above;
            // Of a positive loss the scaled Q-mass is the P-mass.
            let fall = (atom.loss.max(0.0) - next.max(0.0)).exp();
            *sum = Sums {
                p: last.p + atom.p(),
                q: last.q * fall + atom.mass,
                stick: last.stick + tilt(last.q, next, next - atom.loss),
            };
            above = (atom.loss, *sum);
        }
        Scattered { losses: atoms.into_iter().map(|atom| atom.loss).collect(), sums }
    }

    /// The first atom above `y`.
    fn first(&self, y: f64) -> Option<(f64, Sums)> {
        let i = self.losses.partition_point(|loss| *loss <= y);
        Some((*self.losses.get(i)?, *self.sums.get(i)?))
    }

    fn relative_error(&self) -> f64 {
        4.0 * (self.losses.len() as f64 + 8.0) * U + ATOM_ERROR
    }

    /// P- and Q-mass above `y`, the second times `e^max(y, 0)`, and their relative error.
    pub(super) fn above(&self, y: f64) -> (f64, f64, f64) {
        let Some((loss, sums)) = self.first(y) else { return (0.0, 0.0, 0.0) };
        let q = sums.q * (y.max(0.0) - loss.max(0.0)).exp();
        (sums.p, q, self.relative_error() + 2.0 * U * y.abs())
    }

    /// The hockey stick at `y`, a sum of non-negative terms, and its error.
    pub(super) fn stick(&self, y: f64) -> (f64, f64) {
        let Some((loss, sums)) = self.first(y) else { return (0.0, 0.0) };
        let value = sums.stick + tilt(sums.q, loss, loss - y);
        let slip = 64.0 * U * self.losses.last().map_or(0.0, |loss| loss.abs());
        (value, value * self.relative_error() + slip * sums.p)
    }

    /// The interval of its losses.
    pub(super) fn support(&self) -> (f64, f64) {
        (
            self.losses.first().map_or(0.0, |loss| loss.next_down()),
            self.losses.last().map_or(0.0, |loss| loss.next_up()),
        )
    }
}

/// What the hockey stick grows by over `gap` below an atom at `loss` with scaled Q-mass `q`.
fn tilt(q: f64, loss: f64, gap: f64) -> f64 {
    if q > 0.0 { q * loss.min(0.0).exp() * -(-gap).exp_m1() } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_mass_is_lost_at_large_losses() {
        let atoms = vec![Atom::new(-2000.0, 0.25), Atom::new(0.0, 0.5), Atom::new(2000.0, 0.25)];
        assert_eq!(atoms.iter().map(Atom::p).collect::<Vec<_>>(), [0.0, 0.5, 0.25]);
        let all = Scattered::new(atoms);
        let (p, q, _) = all.above(1990.0);
        assert!(p == 0.25 && (q / (0.25 * (-10f64).exp()) - 1.0).abs() < 1e-12);
        let (p, q, _) = all.above(-3000.0);
        assert!((p, q) == (0.75, 0.75));
        assert_eq!(all.above(2000.0), (0.0, 0.0, 0.0));
        let (stick, error) = all.stick(1990.0);
        assert!((stick + 0.25 * (-10f64).exp_m1()).abs() <= error + 1e-15);
    }
}
