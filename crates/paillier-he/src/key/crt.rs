//! What the factors make possible: opening, and powers by the Chinese remainder theorem.
//!
//! Powers modulo p² and q² run side by side in the lanes of one [ring](crate::kernel::ring). With
//! pairs `u = u₀ - u₁p`, a power that is 1 modulo p has `u₀ = 1`, and Paillier's function
//! `L(u) = (u - 1)/p` is `-u₁`: there is no division. That `u₀ = 1` in both halves also shows that
//! the ciphertext was a unit, and catches most faults of the computation.

use super::PrivateKey;
use crate::error::{Error, Result};
use crate::kernel::lanes::map_chunks;
use crate::kernel::ring::Scratch;
use crate::kernel::{Nat, nat};

impl PrivateKey {
    /// The residues modulo n that numbers modulo n² encrypt, or one opaque refusal.
    pub(crate) fn open(&self, ciphertexts: &[Nat]) -> Result<Vec<Nat>> {
        let ring = &self.ring;
        let half = ring.lanes() / 2;
        let [e, f] = &self.exponents;
        let bits = e.bits_vartime().max(f.bits_vartime()) as usize;
        let chunks = map_chunks(ring, ciphertexts.len().div_ceil(half), |chunk, scratch| {
            let mine = &ciphertexts[chunk * half..ciphertexts.len().min((chunk + 1) * half)];
            // Few numbers fill the lanes several times over.
            let spread = 1 << (half / mine.len().max(1)).max(1).ilog2();
            let one: &[u64] = &[1];
            let lane = |i: usize| mine.get(i % half / spread).map_or(one, |c| &c[..]);
            let numbers: Vec<&[u64]> = (0..2 * half).map(lane).collect();
            let element = ring.load(&numbers, scratch);
            let power = ring.pow_spread(&element, &[e, f], bits, spread, scratch);
            let parts = ring.parts(&power, scratch);
            let mut refused = 0;
            for (low, _) in &parts {
                refused |= (low[0] ^ 1) | low[1..].iter().fold(0, |all, w| all | w);
            }
            let high: Vec<&[u64]> = parts.iter().map(|(_, high)| &high[..]).collect();
            let mut shares = ring.zeroed();
            ring.mul_low(&mut shares, &ring.raw(&high), &self.openers, scratch);
            let opened = self.join_lanes(&ring.residues(&shares), scratch);
            let opened: Vec<Nat> = opened.into_iter().step_by(spread).take(mine.len()).collect();
            (refused, opened)
        });
        let refused = chunks.iter().fold(0, |all, (refused, _)| all | refused);
        if refused != 0 {
            return Err(Error::Decryption);
        }
        Ok(chunks.into_iter().flat_map(|(_, values)| values).collect())
    }

    /// Numbers modulo n from their residues modulo p (the first half) and q (the second half), as
    /// many as the ring has lanes: m = m_p + p·((m_q - m_p)·p⁻¹ mod q).
    fn join_lanes(&self, residues: &[Nat], scratch: &mut Scratch) -> Vec<Nat> {
        let ring = &self.ring;
        let half = ring.lanes() / 2;
        let mut differences = vec![Nat::zero(1); half];
        for i in 0..half {
            let mut low = residues[i].resized(self.q.len());
            nat::reduce_once(&mut low, 0, &self.q);
            let mut difference = residues[half + i].resized(self.q.len());
            let borrow = nat::sub_masked(&mut difference, &low, u64::MAX);
            nat::add_masked(&mut difference, &self.q, nat::mask(borrow));
            differences.push(difference);
        }
        let differences: Vec<&[u64]> = differences.iter().map(|d| &d[..]).collect();
        let mut quotients = ring.zeroed();
        ring.mul_low(&mut quotients, &ring.raw(&differences), &self.p_inverse, scratch);
        let quotients = ring.residues(&quotients);
        let join = |i: usize| {
            let mut m = quotients[half + i].mul(&self.p);
            nat::add_assign(&mut m, &residues[i]);
            m.resized(self.public.n().len())
        };
        (0..half).map(join).collect()
    }

    /// The numbers modulo n with the given residues modulo p and q.
    pub(crate) fn join(&self, residues: &[[Nat; 2]]) -> Vec<Nat> {
        let half = self.ring.lanes() / 2;
        let mut scratch = self.ring.scratch();
        let mut out = Vec::with_capacity(residues.len());
        for mine in residues.chunks(half) {
            let lanes: Vec<Nat> = (0..2 * half)
                .map(|lane| mine.get(lane % half).map_or(Nat::zero(1), |r| r[lane / half].clone()))
                .collect();
            out.extend(self.join_lanes(&lanes, &mut scratch).into_iter().take(mine.len()));
        }
        out
    }

    /// Powers of numbers below n² modulo p and modulo q, with an exponent for each.
    pub(crate) fn powers(&self, bases: &[Nat], [e, f]: [&Nat; 2]) -> Vec<[Nat; 2]> {
        let ring = &self.ring;
        let half = ring.lanes() / 2;
        let bits = 64 * e.len().max(f.len());
        let chunks = map_chunks(ring, bases.len().div_ceil(half), |chunk, scratch| {
            let mine = &bases[chunk * half..bases.len().min((chunk + 1) * half)];
            let one: &[u64] = &[1];
            let lane = |i: usize| mine.get(i % half).map_or(one, |c| &c[..]);
            let numbers: Vec<&[u64]> = (0..2 * half).map(lane).collect();
            let element = ring.load(&numbers, scratch);
            let power = ring.pow(&element, &[e, f], bits, scratch);
            let parts = ring.parts(&power, scratch);
            let low = |lane: usize| parts[lane].0.clone();
            (0..mine.len()).map(|i| [low(i), low(half + i)]).collect::<Vec<_>>()
        });
        chunks.into_iter().flatten().collect()
    }

    /// The n-th roots modulo n of numbers below n² (of n-th powers their nonces).
    pub(crate) fn roots(&self, numbers: &[Nat]) -> Vec<Nat> {
        let [e, f] = [(&self.p, &self.q), (&self.q, &self.p)].map(|(p, q)| {
            // n ≡ q modulo p - 1. From u = (p - 1)⁻¹ mod q follows q⁻¹ ≡ -((p - 1)·u - 1)/q.
            let order = p.minus_small(1);
            let u = inverse_modulo_prime(&order, q);
            let quotient = order.mul(&u).minus_small(1).divided_exactly(q);
            order.distance(&quotient).resized(p.len())
        });
        self.join(&self.powers(numbers, [&e, &f]))
    }
}

/// `x⁻¹ mod q` for a prime q that does not divide x, as a power.
pub(crate) fn inverse_modulo_prime(x: &Nat, q: &Nat) -> Nat {
    use crate::kernel::{Backend, Ring};
    let ring = Ring::new(Backend::best(), &[q], false, 64 * x.len());
    ring.pow_each(&[x], &[&q.minus_small(2)]).swap_remove(0)
}
