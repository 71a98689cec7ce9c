//! Numbers as words on the way into a ring and out of it.

use super::super::nat::{self, Nat};
use super::super::words::Words;
use super::{Ring, Scratch};

impl Ring {
    /// Writes the words of a number into a component of a lane; what does not fit is cut off.
    pub(super) fn put(&self, element: &mut [u64], component: usize, lane: usize, words: &[u64]) {
        let radix = self.backend.radix();
        for j in 0..self.digits {
            let digit = if radix == 64 {
                words.get(j).copied().unwrap_or(0)
            } else {
                nat::bits_at(words, 52 * j, 52)
            };
            element[self.position(lane, component * self.digits + j)] = digit;
        }
    }

    /// The words of a component of a lane, at least as many as the modulus has.
    fn take(&self, element: &[u64], component: usize, lane: usize) -> Nat {
        let radix = self.backend.radix();
        let words = (self.digits * radix).div_ceil(64).max(self.modulus(lane).len());
        let mut out = Nat::zero(words);
        for j in 0..self.digits {
            let digit = element[self.position(lane, component * self.digits + j)];
            let (at, shift) = (j * radix / 64, j * radix % 64);
            out[at] |= digit << shift;
            if shift > 64 - radix && at + 1 < words {
                out[at + 1] |= digit >> (64 - shift);
            }
        }
        out
    }

    /// The element of the given numbers, one for each lane; lanes without one hold 0.
    ///
    /// Numbers may be longer than the modulus, up to the width that the ring was made for.
    pub(crate) fn load(&self, numbers: &[&[u64]], scratch: &mut Scratch) -> Words {
        debug_assert!(numbers.len() <= self.lanes);
        let chunk_bits = self.digits * self.backend.radix();
        let mut sum = self.zeroed();
        for (i, power) in self.chunks.iter().enumerate() {
            let mut chunk = self.zeroed();
            let mut any = false;
            for (lane, number) in numbers.iter().enumerate() {
                if number.len() * 64 > i * chunk_bits {
                    self.put_chunk(&mut chunk, lane, number, i * chunk_bits);
                    any = true;
                }
            }
            if any {
                self.mul_assign(&mut chunk, power, scratch);
                self.add_assign(&mut sum, &chunk);
            }
        }
        self.mul_assign(&mut sum, &self.one, scratch);
        sum
    }

    fn put_chunk(&self, element: &mut [u64], lane: usize, words: &[u64], from: usize) {
        let radix = self.backend.radix();
        for j in 0..self.digits {
            let at = from + radix * j;
            let digit = if radix == 64 {
                words.get(at / 64).copied().unwrap_or(0)
            } else {
                nat::bits_at(words, at, 52)
            };
            element[self.position(lane, j)] = digit;
        }
    }

    /// `a += b`, digit by digit with carries; the caller keeps to the bounds.
    pub(crate) fn add_assign(&self, a: &mut [u64], b: &[u64]) {
        for component in 0..self.components() {
            for lane in 0..self.lanes {
                let mut carry = 0u128;
                for j in 0..self.digits {
                    let at = self.position(lane, component * self.digits + j);
                    let sum = u128::from(a[at]) + u128::from(b[at]) + carry;
                    let radix = self.backend.radix();
                    a[at] = if radix == 64 { sum as u64 } else { sum as u64 & ((1 << 52) - 1) };
                    carry = sum >> radix;
                }
            }
        }
    }

    /// Numbers below N as the first components of an element, not in Montgomery form.
    pub(crate) fn raw(&self, numbers: &[&[u64]]) -> Words {
        let mut out = self.zeroed();
        for (lane, number) in numbers.iter().enumerate() {
            self.put(&mut out, 0, lane, number);
        }
        out
    }

    /// R² (for [`Ring::raw`] numbers that should be in Montgomery form).
    pub(crate) fn to_montgomery(&self) -> &Words {
        &self.chunks[0]
    }

    /// The components of every lane, out of Montgomery form and below N: `(x₀, x₁)` with the value
    /// `x₀ - x₁·N`; the second is 0 in a plain ring.
    pub(crate) fn parts(&self, element: &[u64], scratch: &mut Scratch) -> Vec<(Nat, Nat)> {
        let mut unit = self.zeroed();
        for lane in 0..self.lanes {
            self.put(&mut unit, 0, lane, &[1]);
        }
        let mut out = self.zeroed();
        self.mul(&mut out, element, &unit, scratch);
        let canonical = |component, lane| {
            // With b = 1 the product's bounds are N and N + 2.
            let n = self.modulus(lane);
            let mut x = self.take(&out, component, lane);
            nat::reduce_once(&mut x, 0, n);
            x.resized(n.len())
        };
        (0..self.lanes)
            .map(|lane| {
                let high = if self.pair { canonical(1, lane) } else { Nat::zero(1) };
                (canonical(0, lane), high)
            })
            .collect()
    }

    /// The first components of every lane as they are, below N: for products of a number in
    /// Montgomery form with one that is not.
    pub(crate) fn residues(&self, element: &[u64]) -> Vec<Nat> {
        let canonical = |lane| {
            let n = self.modulus(lane);
            let mut x = self.take(element, 0, lane);
            nat::reduce_once(&mut x, 0, n);
            x.resized(n.len())
        };
        (0..self.lanes).map(canonical).collect()
    }

    /// The numbers in the lanes, as long as N or N².
    pub(crate) fn store(&self, element: &[u64], scratch: &mut Scratch) -> Vec<Nat> {
        let parts = self.parts(element, scratch);
        if !self.pair {
            return parts.into_iter().map(|(low, _)| low).collect();
        }
        let join = |(lane, (low, mut high)): (usize, (Nat, Nat))| {
            let n = self.modulus(lane);
            nat::negate_mod(&mut high, n);
            let mut value = high.mul(n);
            nat::add_assign(&mut value, &low);
            value
        };
        parts.into_iter().enumerate().map(join).collect()
    }
}
