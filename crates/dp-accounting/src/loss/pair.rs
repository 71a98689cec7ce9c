//! Pairs of distributions that dominate a mechanism's outputs on neighbours.

use super::density::{Density, Direction, Scattered, through};
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
    /// (loss, P-mass), by increasing loss; masses have relative error at most `ATOM_ERROR`.
    pub(super) atoms: Vec<(f64, f64)>,
    /// All atoms lie on `offset + i gap`.
    pub(super) lattice: Option<(f64, f64)>,
    /// Absolute error of an atom's mass, besides the relative one.
    pub(super) room: f64,
    pub(super) density: Option<Density>,
    /// The mechanism's Rényi divergence of order `a` is at most `a rho`, by a theorem; sampling
    /// does not raise it (joint quasi-convexity).
    pub(super) rho: Option<f64>,
}

/// Relative error bound of an atom's mass.
///
/// Exponents reach 750 (masses down to the smallest float) and err by two ulp of themselves.
pub(super) const ATOM_ERROR: f64 = 4096.0 * U;

impl Pair {
    fn of_atoms(atoms: Vec<(f64, f64)>, lattice: Option<(f64, f64)>) -> Self {
        Pair {
            infinity: 0.0,
            minus_infinity: 0.0,
            atoms,
            lattice,
            room: 0.0,
            density: None,
            rho: None,
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
        Pair {
            density: Some(Density::Laplace { rate }),
            ..Pair::of_atoms(
                vec![(-rate, 0.5 * (-rate).exp()), (rate, 0.5)],
                Some((-rate, 2.0 * rate)),
            )
        }
    }

    /// Discrete Laplace noise of `rate` = 1/scale, integer sensitivity `d`.
    pub(super) fn discrete_laplace(rate: f64, d: u32) -> Self {
        let r = (-rate).exp();
        let size = f64::from(d);
        let mut atoms = vec![(-rate * size, (-rate * size).exp() / (1.0 + r))];
        for x in (1..d).rev() {
            let x = f64::from(x);
            let mass = -(-rate).exp_m1() / (1.0 + r) * (-rate * x).exp();
            atoms.push((rate * (size - 2.0 * x), mass));
        }
        atoms.push((rate * size, 1.0 / (1.0 + r)));
        Pair::of_atoms(atoms, Some((-rate * size, 2.0 * rate)))
    }

    /// Discrete Gaussian noise of parameter `sigma`, integer sensitivity `d`.
    pub(super) fn discrete_gaussian(sigma: f64, d: u32) -> Self {
        let variance = sigma * sigma;
        let reach = (38.0 * sigma).ceil() as i64 + 1;
        let weight = |x: i64| (-0.5 * (x as f64) * (x as f64) / variance).exp();
        // Compensated, so that a million terms err no more than a few.
        let (mut norm, mut carry) = (0.0f64, 0.0f64);
        for x in (0..=reach).rev() {
            let term = if x == 0 { 1.0 } else { 2.0 * weight(x) } - carry;
            let next = norm + term;
            carry = (next - norm) - term;
            norm = next;
        }
        let size = f64::from(d);
        let atoms = (-reach..=reach)
            .rev()
            .map(|x| ((0.5 * size - x as f64) * size / variance, weight(x) / norm))
            .filter(|(_, mass)| *mass > 0.0)
            .collect::<Vec<_>>();
        let lattice = atoms.first().map(|(loss, _)| (*loss, size / variance));
        let mut pair = Pair::of_atoms(atoms, lattice);
        // What lies beyond the reach is less than this.
        pair.infinity = 1e-300;
        // Canonne, Kamath, Steinke 2020, Theorem 4 (<https://arxiv.org/abs/2004.00010>).
        pair.rho = Some(up(0.5 * (size / sigma) * (size / sigma), 4.0 * U));
        pair
    }

    /// k-ary randomized response, one report replaced.
    pub(super) fn randomized_response(epsilon: f64, categories: u32) -> Self {
        let others = f64::from(categories.saturating_sub(2));
        let low = (-epsilon).exp();
        let total = 1.0 + (others + 1.0) * low;
        let mut atoms = vec![(-epsilon, low / total)];
        if others > 0.0 {
            atoms.push((0.0, others * low / total));
        }
        atoms.push((epsilon, 1.0 / total));
        let gap = if others > 0.0 { epsilon } else { 2.0 * epsilon };
        Pair::of_atoms(atoms, Some((-epsilon, gap)))
    }

    /// The worst (epsilon, delta) mechanism (Kairouz, Oh, Viswanath 2015, Theorem 3.2).
    pub(super) fn black_box(epsilon: f64, delta: f64) -> Self {
        let mut pair = if epsilon == 0.0 {
            Pair::of_atoms(vec![(0.0, 1.0)], Some((0.0, 0.0)))
        } else {
            Pair::randomized_response(epsilon, 2)
        };
        for atom in &mut pair.atoms {
            atom.1 *= 1.0 - delta;
        }
        pair.infinity = delta;
        pair.minus_infinity = delta;
        pair
    }

    /// The pair after Poisson sampling with `rate` in (0, 1), add/remove.
    pub(super) fn poisson(&self, rate: f64, direction: Direction) -> Self {
        let keep = 1.0 - rate;
        let mut atoms: Vec<(f64, f64)> = self
            .atoms
            .iter()
            .map(|&(loss, mass)| {
                let moved = through(loss, rate, direction);
                match direction {
                    Direction::Remove => (moved, keep * mass * (-loss).exp() + rate * mass),
                    Direction::Add => (moved, mass),
                }
            })
            .collect();
        let (mut infinity, mut minus_infinity) = (0.0, 0.0);
        match direction {
            Direction::Remove => {
                infinity = share(rate, self.infinity);
                if self.minus_infinity > 0.0 {
                    atoms.insert(0, ((-rate).ln_1p(), keep * self.minus_infinity));
                }
            }
            Direction::Add => {
                minus_infinity = rate * self.minus_infinity;
                if self.infinity > 0.0 {
                    atoms.push((-(-rate).ln_1p(), self.infinity));
                }
            }
        }
        let density = self.density.as_ref().map(|inner| Density::Sampled {
            inner: Box::new(inner.clone()),
            rate,
            direction,
        });
        Pair { infinity, minus_infinity, atoms, lattice: None, room: 0.0, density, rho: self.rho }
            .settle()
    }

    /// The pair after sampling a fraction `rate` in (0, 1) without replacement, one record
    /// replaced; `self` must be the pair of a symmetric mechanism under replacement.
    ///
    /// Zhu, Dong, Wang 2022, Theorem 11 (<https://arxiv.org/abs/2106.08567>): the hockey-stick
    /// divergence is at most that of the removal pair above order 1, of the addition pair below.
    pub(super) fn without_replacement(&self, rate: f64) -> Self {
        let keep = 1.0 - rate;
        let mut atoms = Vec::new();
        let (mut zero, mut room) = (0.0, 0.0);
        for &(loss, mass) in &self.atoms {
            if loss > 0.0 {
                let shared = keep * mass * (-loss).exp();
                atoms.push((through(loss, rate, Direction::Remove), shared + rate * mass));
                zero += keep * mass * -(-loss).exp_m1();
            } else {
                atoms.push((through(loss, rate, Direction::Add), mass));
            }
        }
        zero += keep * self.infinity;
        let density = self.density.as_ref().map(|inner| {
            let (mass, error) = Density::zero_atom(inner, rate);
            zero += mass;
            room = 2.0 * error;
            Density::WithoutReplacement { inner: Box::new(inner.clone()), rate }
        });
        atoms.push((0.0, zero));
        atoms.sort_by(|a, b| a.0.total_cmp(&b.0));
        Pair {
            infinity: share(rate, self.infinity),
            minus_infinity: 0.0,
            atoms,
            lattice: None,
            room,
            density,
            rho: self.rho,
        }
        .settle()
    }

    /// Many atoms, and the mass that is missing from them.
    pub(super) fn scattered(atoms: Vec<(f64, f64)>, infinity: f64) -> Self {
        let mut pair = Pair::of_density(Density::Scattered(Arc::new(Scattered::new(atoms))));
        pair.infinity = infinity;
        pair
    }

    /// Restores the lattice of few atoms, and turns many irregular ones into a density.
    fn settle(mut self) -> Self {
        match self.atoms.as_slice() {
            [] => {}
            [only] => self.lattice = Some((only.0, 0.0)),
            [low, high] => self.lattice = Some((low.0, high.0 - low.0)),
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
        let atom = self.atoms.last().map_or(f64::NEG_INFINITY, |(loss, _)| *loss);
        let density = self.density.as_ref().map_or(f64::NEG_INFINITY, |d| d.support().1);
        atom.max(density)
    }

    /// True if the loss is zero with certainty.
    pub(super) fn is_trivial(&self) -> bool {
        self.infinity == 0.0 && self.density.is_none() && self.atoms.iter().all(|a| a.0 == 0.0)
    }
}

/// `rate` of a mass, rounded up; none of none.
fn share(rate: f64, mass: f64) -> f64 {
    if mass > 0.0 { up(rate * mass, U) } else { 0.0 }
}
