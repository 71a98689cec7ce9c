//! Natural numbers as little-endian words of 64 bits that are wiped when dropped: what keys are
//! kept in and what enters and leaves the kernels.
//!
//! The functions work on slices of given lengths, and their time depends on the lengths alone.

use std::fmt;

use num_bigint::BigUint;
use zeroize::Zeroizing;

/// A natural number of a fixed number of words, wiped on drop; prints nothing of its value.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Nat(Zeroizing<Vec<u64>>);

impl Nat {
    /// Zero in `words` words.
    pub(crate) fn zero(words: usize) -> Self {
        Nat(Zeroizing::new(vec![0; words]))
    }

    /// The number with the given words.
    pub(crate) fn from_words(words: &[u64]) -> Self {
        Nat(Zeroizing::new(words.to_vec()))
    }

    /// The number in as many words as it needs, at least one.
    pub(crate) fn from_big(value: &BigUint) -> Self {
        let mut words = value.to_u64_digits();
        if words.is_empty() {
            words.push(0);
        }
        Nat(Zeroizing::new(words))
    }

    /// The number for the edges of the crate, where it is no longer secret.
    pub(crate) fn to_big(&self) -> BigUint {
        words_to_big(self)
    }

    /// The number of bits up to the highest set one.
    pub(crate) fn bits_vartime(&self) -> u64 {
        bits(self)
    }

    /// The number cut or extended to `words` words.
    pub(crate) fn resized(&self, words: usize) -> Self {
        let mut out = Nat::zero(words);
        for (to, from) in out.iter_mut().zip(self.iter()) {
            *to = *from;
        }
        out
    }

    /// The product, as long as both factors together.
    pub(crate) fn mul(&self, other: &Nat) -> Nat {
        let mut out = Nat::zero(self.len() + other.len());
        mul_into(&mut out, self, other);
        out
    }

    /// `self - small`; the caller knows that it is not negative.
    pub(crate) fn minus_small(&self, small: u64) -> Nat {
        let mut out = self.clone();
        let mut borrow = small;
        for word in out.iter_mut() {
            let (rest, under) = word.overflowing_sub(borrow);
            *word = rest;
            borrow = u64::from(under);
        }
        out
    }

    /// `self >> count`, for `count` below 64.
    pub(crate) fn shifted_right(&self, count: u32) -> Nat {
        let mut out = self.clone();
        if count == 0 {
            return out;
        }
        let mut high = 0;
        for word in out.iter_mut().rev() {
            let low = *word;
            *word = (low >> count) | (high << (64 - count));
            high = low;
        }
        out
    }

    /// The remainder of a division by a small number.
    pub(crate) fn rem_small_vartime(&self, divisor: u64) -> u64 {
        let divisor = u128::from(divisor);
        let rem = self.iter().rev().fold(0u128, |rem, &w| ((rem << 64) | u128::from(w)) % divisor);
        rem as u64
    }
}

impl std::ops::Deref for Nat {
    type Target = [u64];

    fn deref(&self) -> &[u64] {
        &self.0
    }
}

impl std::ops::DerefMut for Nat {
    fn deref_mut(&mut self) -> &mut [u64] {
        &mut self.0
    }
}

impl fmt::Debug for Nat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Nat(..)")
    }
}

/// The number that words stand for.
pub(crate) fn words_to_big(words: &[u64]) -> BigUint {
    BigUint::new(words.iter().flat_map(|w| [*w as u32, (*w >> 32) as u32]).collect())
}

/// Bits up to the highest set one.
pub(crate) fn bits(words: &[u64]) -> u64 {
    let top = words.iter().rposition(|w| *w != 0);
    top.map_or(0, |i| i as u64 * 64 + u64::from(64 - words[i].leading_zeros()))
}

/// All ones if `bit` is 1, zero if it is 0.
#[inline]
pub(crate) fn mask(bit: u64) -> u64 {
    std::hint::black_box(bit).wrapping_neg()
}

/// 1 if `a == b`, else 0.
#[inline]
pub(crate) fn equal(a: u64, b: u64) -> u64 {
    let difference = a ^ b;
    1 ^ ((difference | difference.wrapping_neg()) >> 63)
}

/// 1 if all words are zero, else 0.
pub(crate) fn is_zero(words: &[u64]) -> u64 {
    equal(words.iter().fold(0, |all, w| all | w), 0)
}

/// `a += b`; the carry out. `b` may be shorter.
pub(crate) fn add_assign(a: &mut [u64], b: &[u64]) -> u64 {
    let mut carry = 0;
    for (i, word) in a.iter_mut().enumerate() {
        let sum = u128::from(*word) + u128::from(b.get(i).copied().unwrap_or(0)) + carry;
        *word = sum as u64;
        carry = sum >> 64;
    }
    carry as u64
}

/// `a -= b & mask`; the borrow out (0 or 1). `b` may be shorter.
pub(crate) fn sub_masked(a: &mut [u64], b: &[u64], mask: u64) -> u64 {
    let mut borrow = 0;
    for (i, word) in a.iter_mut().enumerate() {
        let (rest, first) = word.overflowing_sub(b.get(i).copied().unwrap_or(0) & mask);
        let (rest, second) = rest.overflowing_sub(borrow);
        *word = rest;
        borrow = u64::from(first | second);
    }
    borrow
}

/// `a += b & mask`; the carry out.
pub(crate) fn add_masked(a: &mut [u64], b: &[u64], mask: u64) -> u64 {
    let mut carry = 0;
    for (i, word) in a.iter_mut().enumerate() {
        let sum = u128::from(*word) + u128::from(b.get(i).copied().unwrap_or(0) & mask) + carry;
        *word = sum as u64;
        carry = sum >> 64;
    }
    carry as u64
}

/// 1 if `a < b`, else 0; missing words count as zero.
pub(crate) fn less(a: &[u64], b: &[u64]) -> u64 {
    let mut borrow = 0;
    for i in 0..a.len().max(b.len()) {
        let (x, y) = (a.get(i).copied().unwrap_or(0), b.get(i).copied().unwrap_or(0));
        let (rest, first) = x.overflowing_sub(y);
        borrow = u64::from(first | rest.overflowing_sub(borrow).1);
    }
    borrow
}

/// Subtracts `n` from `a` if `a` (with `carry` above it) is at least `n`; whether it did.
pub(crate) fn reduce_once(a: &mut [u64], carry: u64, n: &[u64]) -> u64 {
    let due = carry | (1 ^ less(a, n));
    sub_masked(a, n, mask(due));
    due
}

/// `a = 2a mod n` for `a < n`; whether `n` was subtracted.
pub(crate) fn double_mod(a: &mut [u64], n: &[u64]) -> u64 {
    let mut carry = 0;
    for word in a.iter_mut() {
        let high = *word >> 63;
        *word = (*word << 1) | carry;
        carry = high;
    }
    reduce_once(a, carry, n)
}

/// `a = (n - a) mod n` for `a < n`.
pub(crate) fn negate_mod(a: &mut [u64], n: &[u64]) {
    let keep = mask(1 ^ is_zero(a));
    let mut borrow = 0;
    for (i, word) in a.iter_mut().enumerate() {
        let (rest, first) = n.get(i).copied().unwrap_or(0).overflowing_sub(*word);
        let (rest, second) = rest.overflowing_sub(borrow);
        *word = rest & keep;
        borrow = u64::from(first | second);
    }
}

/// `out = a * b`, where `out` is as long as both.
pub(crate) fn mul_into(out: &mut [u64], a: &[u64], b: &[u64]) {
    out.fill(0);
    for (i, &y) in b.iter().enumerate() {
        let mut carry = 0;
        for (j, &x) in a.iter().enumerate() {
            let sum = u128::from(x) * u128::from(y) + u128::from(out[i + j]) + carry;
            out[i + j] = sum as u64;
            carry = sum >> 64;
        }
        out[i + a.len()] = carry as u64;
    }
}

/// The bits `at..at + count` as a word; zeros beyond the end. `count` is at most 52.
#[inline]
pub(crate) fn bits_at(words: &[u64], at: usize, count: usize) -> u64 {
    let (i, shift) = (at / 64, at % 64);
    let low = words.get(i).copied().unwrap_or(0) >> shift;
    let high = words.get(i + 1).copied().unwrap_or(0);
    // Two shifts, as one by 64 would be no shift.
    (low | (high << 1 << (63 - shift))) & ((1 << count) - 1)
}

/// `-n⁻¹ mod 2^64` for odd `n`, by Newton's iteration.
pub(crate) fn negated_inverse(n: u64) -> u64 {
    let mut inverse = n;
    for _ in 0..5 {
        inverse = inverse.wrapping_mul(2u64.wrapping_sub(n.wrapping_mul(inverse)));
    }
    inverse.wrapping_neg()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn arithmetic_agrees_with_big_integers(
            a in prop::collection::vec(any::<u64>(), 1..9),
            b in prop::collection::vec(any::<u64>(), 1..9),
            small in 1u64..,
        ) {
            let (x, y) = (Nat::from_words(&a), Nat::from_words(&b));
            let (bx, by) = (x.to_big(), y.to_big());
            prop_assert_eq!(x.mul(&y).to_big(), &bx * &by);
            prop_assert_eq!(x.rem_small_vartime(small), u64::try_from(&bx % small).unwrap());
            prop_assert_eq!(less(&a, &b), u64::from(bx < by));
            prop_assert_eq!(x.bits_vartime(), bx.bits());
            prop_assert_eq!(x.shifted_right(13).to_big(), &bx >> 13u32);
            let at = (small % 700) as usize;
            let expected = (&bx >> at) & BigUint::from((1u64 << 52) - 1);
            prop_assert_eq!(BigUint::from(bits_at(&a, at, 52)), expected);
        }

        #[test]
        fn modular_helpers_agree_with_big_integers(
            n in prop::collection::vec(any::<u64>(), 1..6),
            a in prop::collection::vec(any::<u64>(), 6),
        ) {
            let mut n = n;
            n[0] |= 1;
            let big = words_to_big(&n);
            let value = words_to_big(&a) % &big;
            let mut x = Nat::from_big(&value).resized(n.len());
            double_mod(&mut x, &n);
            prop_assert_eq!(x.to_big(), (&value * 2u8) % &big);
            let mut x = Nat::from_big(&value).resized(n.len());
            negate_mod(&mut x, &n);
            prop_assert_eq!(x.to_big(), (&big - &value) % &big);
            prop_assert_eq!(negated_inverse(n[0]).wrapping_mul(n[0]), u64::MAX);
        }
    }
}
