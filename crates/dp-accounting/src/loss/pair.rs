//! Pairs of distributions that dominate a mechanism's outputs on neighbours.

use super::atoms::{Atom, Scattered};
use super::density::{Density, Direction, through};
use crate::numeric::{U, up};
use std::sync::Arc;

/// One ordered pair (P, Q), as the law of its loss under P.
///
/// The masses of `atoms` and of `density` together with `infinity` add to 1. `minus_infinity` is
/// the mass of Q where P has none; no (epsilon, delta) depends on it until the pair is sampled.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pair {
    pub(super) infinity: f64,
    pub(super) minus_infinity: f64,
    /// By increasing loss; masses have relative error at most `ATOM_ERROR`.
    pub(super) atoms: Vec<Atom>,
    /// All atoms lie on `offset + i gap`.
    pub(super) lattice: Option<(f64, f64)>,
    /// Absolute error of an atom's mass, besides the relative one.
    pub(super) room: f64,
    pub(super) density: Option<Density>,
    /// The mechanism's Rényi divergence of order `a` is at most `a rho`, by a theorem; sampling
    /// does not raise it (joint quasi-convexity).
    pub(super) rho: Option<f64>,
    /// A pair that this one dominates, if this one is itself a bound on the pair in question: what
    /// lower ends are computed from.
    pub(super) below: Option<Arc<Pair>>,
}

impl Pair {
    fn of_atoms(atoms: Vec<Atom>, lattice: Option<(f64, f64)>) -> Self {
        Pair {
            infinity: 0.0,
            minus_infinity: 0.0,
            atoms,
            lattice,
            room: 0.0,
            density: None,
            rho: None,
            below: None,
        }
    }

    fn of_density(density: Density) -> Self {
        Pair { density: Some(density), ..Pair::of_atoms(Vec::new(), None) }
    }

    pub(super) fn gaussian(mu: f64) -> Self {
        Pair { rho: Some(up(0.5 * mu * mu, U)), ..Pair::of_density(Density::Gaussian { mu }) }
    }

    pub(super) fn bounded_range(epsilon: f64) -> Self {
        Pair::of_density(Density::BoundedRange { epsilon })
    }

    pub(super) fn replace_gaussian(sigma: f64, rate: f64) -> Self {
        // At most that of the components a distance of 2 apart.
        let rho = Some(up(2.0 / sigma / sigma, 2.0 * U));
        Pair { rho, ..Pair::of_density(Density::ReplaceGaussian { sigma, rate }) }
    }

    /// Laplace noise, sensitivity `rate` scales.
    pub(super) fn laplace(rate: f64) -> Self {
        let atoms = vec![Atom::new(-rate, 0.5), Atom::new(rate, 0.5)];
        Pair {
            density: Some(Density::Laplace { rate }),
            ..Pair::of_atoms(atoms, Some((-rate, 2.0 * rate)))
        }
    }

    /// Discrete Laplace noise of `rate` = 1/scale, integer sensitivity `d`.
    pub(super) fn discrete_laplace(rate: f64, d: u32) -> Self {
        let end = 1.0 / (1.0 + (-rate).exp());
        let peak = -(-rate).exp_m1() * end;
        let size = f64::from(d);
        let mut atoms = vec![Atom::new(-rate * size, end)];
        for x in (1..d).rev() {
            let x = f64::from(x);
            // At distance x from P's centre and d - x from Q's.
            let mass = peak * (-rate * x.min(size - x)).exp();
            atoms.push(Atom::new(rate * (size - 2.0 * x), mass));
        }
        atoms.push(Atom::new(rate * size, end));
        Pair::of_atoms(atoms, Some((-rate * size, 2.0 * rate)))
    }

    /// Discrete Gaussian noise of parameter `sigma`, integer sensitivity `d`.
    pub(super) fn discrete_gaussian(sigma: f64, d: u32) -> Self {
        let variance = sigma * sigma;
        let reach = (38.0 * sigma).ceil() as i64 + 1;
        let weight = |x: f64| (-0.5 * x * x / variance).exp();
        // Compensated, so that a million terms err no more than a few.
        let (mut norm, mut carry) = (0.0f64, 0.0f64);
        for x in (0..=reach).rev() {
            let term = if x == 0 { 1.0 } else { 2.0 * weight(x as f64) } - carry;
            let next = norm + term;
            carry = (next - norm) - term;
            norm = next;
        }
        let size = f64::from(d);
        // P is centred at 0, Q at d; the nearer centre has the larger mass.
        let atom = |x: i64| {
            let x = x as f64;
            let near = if 2.0 * x < size { x } else { size - x };
            Atom::new((0.5 * size - x) * size / variance, weight(near) / norm)
        };
        // Between centres far apart both masses are below the smallest float.
        let atoms = (-reach..=i64::from(d) + reach).rev().map(atom);
        let atoms: Vec<Atom> = atoms.filter(|atom| atom.mass > 0.0).collect();
        let lattice = atoms.first().map(|atom| (atom.loss, size / variance));
        let mut pair = Pair::of_atoms(atoms, lattice);
        // What is left out is less than this, on either side.
        pair.infinity = 1e-300;
        pair.minus_infinity = 1e-300;
        // Canonne, Kamath, Steinke 2020, Theorem 4 (<https://arxiv.org/abs/2004.00010>).
        pair.rho = Some(up(0.5 * (size / sigma) * (size / sigma), 4.0 * U));
        pair
    }

    /// k-ary randomized response, one report replaced.
    pub(super) fn randomized_response(epsilon: f64, categories: u32) -> Self {
        let others = f64::from(categories.saturating_sub(2));
        let low = (-epsilon).exp();
        let total = 1.0 + (others + 1.0) * low;
        let mut atoms = vec![Atom::new(-epsilon, 1.0 / total)];
        if others > 0.0 {
            atoms.push(Atom::new(0.0, others * low / total));
        }
        atoms.push(Atom::new(epsilon, 1.0 / total));
        let gap = if others > 0.0 { epsilon } else { 2.0 * epsilon };
        Pair::of_atoms(atoms, Some((-epsilon, gap)))
    }

    /// The worst (epsilon, delta) mechanism (Kairouz, Oh, Viswanath 2015, Theorem 3.2).
    pub(super) fn black_box(epsilon: f64, delta: f64) -> Self {
        let mut pair = if epsilon == 0.0 {
            Pair::of_atoms(vec![Atom::new(0.0, 1.0)], Some((0.0, 0.0)))
        } else {
            Pair::randomized_response(epsilon, 2)
        };
        for atom in &mut pair.atoms {
            atom.mass *= 1.0 - delta;
        }
        pair.infinity = delta;
        pair.minus_infinity = delta;
        pair
    }

    /// The pair after Poisson sampling with `rate` in (0, 1), add/remove.
    pub(super) fn poisson(&self, rate: f64, direction: Direction) -> Self {
        let keep = 1.0 - rate;
        // What the two laws share is mixed with the larger mass of each atom.
        let mixed = |atom: &Atom| (keep * (-atom.loss.abs()).exp() + rate) * atom.mass;
        let mut atoms: Vec<Atom> = self
            .atoms
            .iter()
            .map(|atom| {
                // The mixture is P's (Remove) or Q's (Add), and larger than the other law where
                // the loss has the sign of that direction.
                let larger = match direction {
                    Direction::Remove => atom.loss > 0.0,
                    Direction::Add => atom.loss < 0.0,
                };
                let mass = if larger { mixed(atom) } else { atom.mass };
                Atom::new(through(atom.loss, rate, direction), mass)
            })
            .collect();
        let (mut infinity, mut minus_infinity) = (0.0, 0.0);
        match direction {
            Direction::Remove => {
                infinity = share(rate, self.infinity);
                if self.minus_infinity > 0.0 {
                    let loss = (-rate).ln_1p();
                    atoms.insert(0, Atom::new(loss, self.minus_infinity));
                }
            }
            Direction::Add => {
                minus_infinity = rate * self.minus_infinity;
                if self.infinity > 0.0 {
                    atoms.push(Atom::new(-(-rate).ln_1p(), self.infinity));
                }
            }
        }
        let below = self.below.as_ref().map(|below| Arc::new(below.poisson(rate, direction)));
        let density = self.density.as_ref().map(|inner| Density::Sampled {
            inner: Box::new(inner.clone()),
            rate,
            direction,
        });
        Pair {
            infinity,
            minus_infinity,
            atoms,
            lattice: None,
            room: 0.0,
            density,
            rho: self.rho,
            below,
        }
        .settle()
    }

    /// The pair after sampling a fraction `rate` in (0, 1) without replacement, one record
    /// replaced; `self` must be the pair of a symmetric mechanism under replacement.
    ///
    /// Zhu, Dong, Wang 2022, on amplification by sampling (<https://arxiv.org/abs/2106.08567>): the hockey-stick
    /// divergence is at most that of the removal pair above order 1, of the addition pair below.
    pub(super) fn without_replacement(&self, rate: f64) -> Self {
        let keep = 1.0 - rate;
        let mut atoms = Vec::new();
        let (mut zero, mut room) = (0.0, 0.0);
        for atom in &self.atoms {
            let (direction, down) = if atom.loss > 0.0 {
                zero += keep * atom.mass * -(-atom.loss).exp_m1();
                (Direction::Remove, (-atom.loss).exp())
            } else {
                (Direction::Add, atom.loss.exp())
            };
            // P is mixed above loss 0, Q below: the larger one either way.
            let mass = (keep * down + rate) * atom.mass;
            atoms.push(Atom::new(through(atom.loss, rate, direction), mass));
        }
        zero += keep * self.infinity;
        let density = self.density.as_ref().map(|inner| {
            let (mass, error) = Density::zero_atom(inner, rate);
            zero += mass;
            room = 2.0 * error;
            Density::WithoutReplacement { inner: Box::new(inner.clone()), rate }
        });
        // An odd number of atoms has one at loss 0 already.
        match atoms.iter_mut().find(|atom| atom.loss == 0.0) {
            Some(atom) => atom.mass += zero,
            None => atoms.push(Atom::new(0.0, zero)),
        }
        atoms.sort_by(|a, b| a.loss.total_cmp(&b.loss));
        Pair {
            infinity: share(rate, self.infinity),
            minus_infinity: 0.0,
            atoms,
            lattice: None,
            room,
            density,
            rho: self.rho,
            below: self.below.as_ref().map(|below| Arc::new(below.without_replacement(rate))),
        }
        .settle()
    }

    /// Many atoms, and the mass that is missing from them.
    pub(super) fn scattered(atoms: Vec<Atom>, infinity: f64) -> Self {
        let mut pair = Pair::of_density(Density::Scattered(Arc::new(Scattered::new(atoms))));
        pair.infinity = infinity;
        pair
    }

    /// Restores the lattice of few atoms, and turns many irregular ones into a density.
    fn settle(mut self) -> Self {
        match self.atoms.as_slice() {
            [] => {}
            [only] => self.lattice = Some((only.loss, 0.0)),
            [low, high] => self.lattice = Some((low.loss, high.loss - low.loss)),
            [low, middle, high] if middle.loss == 0.0 && low.loss == -high.loss => {
                self.lattice = Some((low.loss, high.loss));
            }
            _ if self.density.is_none() => {
                let atoms = std::mem::take(&mut self.atoms);
                self.density = Some(Density::Scattered(Arc::new(Scattered::new(atoms))));
            }
            _ => {}
        }
        self
    }

    /// The largest finite loss.
    pub(super) fn highest(&self) -> f64 {
        let atom = self.atoms.last().map_or(f64::NEG_INFINITY, |atom| atom.loss);
        let density = self.density.as_ref().map_or(f64::NEG_INFINITY, |d| d.support().1);
        atom.max(density)
    }

    /// A loss that a grid should pass through: of the atoms, or where sampling crowds the losses.
    pub(super) fn anchor(&self) -> f64 {
        match (&self.lattice, &self.density) {
            (Some((offset, _)), _) => *offset,
            (None, Some(density @ Density::Sampled { direction, .. })) => {
                let (low, high) = density.support();
                let edge = if *direction == Direction::Remove { low } else { high };
                if edge.is_finite() { edge } else { 0.0 }
            }
            _ => 0.0,
        }
    }

    /// The distance between the first and the last atom.
    pub(super) fn width(&self) -> f64 {
        match (self.atoms.first(), self.atoms.last()) {
            (Some(first), Some(last)) => last.loss - first.loss,
            _ => 0.0,
        }
    }

    /// True if the loss is zero with certainty.
    pub(super) fn is_trivial(&self) -> bool {
        self.infinity == 0.0
            && self.density.is_none()
            && self.atoms.iter().all(|atom| atom.loss == 0.0)
    }
}

/// `rate` of a mass, rounded up; none of none.
fn share(rate: f64, mass: f64) -> f64 {
    if mass > 0.0 { up(rate * mass, U) } else { 0.0 }
}
