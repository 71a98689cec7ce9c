//! What making a key needs beyond fixed-length arithmetic, on words that are wiped.
//!
//! Differences, greatest common divisors, exact quotients and bytes of [`Nat`]s, so that no secret
//! passes through a big integer whose memory is left as it is.

use zeroize::Zeroizing;

use super::nat::{self, Nat};

impl Nat {
    /// `|self - other|`.
    pub(crate) fn distance(&self, other: &Nat) -> Nat {
        let (small, large) =
            if nat::less(self, other) == 1 { (self, other) } else { (other, self) };
        let mut out = large.resized(large.len().max(small.len()));
        nat::sub_masked(&mut out, small, u64::MAX);
        out
    }

    /// `self / divisor` for an odd divisor that divides, from the lowest word up.
    pub(crate) fn divided_exactly(&self, divisor: &Nat) -> Nat {
        let inverse = nat::negated_inverse(divisor[0]).wrapping_neg();
        let mut rest = self.clone();
        let mut quotient = Nat::zero(self.len());
        for i in 0..self.len() {
            quotient[i] = rest[i].wrapping_mul(inverse);
            let product = divisor.mul(&Nat::from_words(&[quotient[i]]));
            let length = product.len().min(rest.len() - i);
            nat::sub_masked(&mut rest[i..], &product[..length], u64::MAX);
        }
        quotient
    }

    /// The greatest common divisor, by subtraction and halving.
    ///
    /// # Timing
    ///
    /// Depends on both numbers.
    pub(crate) fn gcd_vartime(&self, other: &Nat) -> Nat {
        let words = self.len().max(other.len());
        let (mut a, mut b) = (self.resized(words), other.resized(words));
        if nat::is_zero(&a) == 1 {
            return b;
        }
        let mut twos = 0;
        while nat::is_zero(&b) == 0 {
            match (a[0] & 1, b[0] & 1) {
                (0, 0) => {
                    (a, b) = (a.shifted_right(1), b.shifted_right(1));
                    twos += 1;
                }
                (0, _) => a = a.shifted_right(1),
                (_, 0) => b = b.shifted_right(1),
                _ if nat::less(&a, &b) == 1 => {
                    nat::sub_masked(&mut b, &a, u64::MAX);
                }
                _ => {
                    nat::sub_masked(&mut a, &b, u64::MAX);
                    std::mem::swap(&mut a, &mut b);
                }
            }
        }
        for _ in 0..twos {
            a = a.mul(&Nat::from_words(&[2])).resized(words);
        }
        a
    }

    /// Whether the number is `value`.
    pub(crate) fn is(&self, value: u64) -> bool {
        self.first() == Some(&value) && self[1..].iter().all(|word| *word == 0)
    }

    /// The number with the given big-endian bytes.
    pub(crate) fn from_be_bytes(bytes: &[u8]) -> Nat {
        let mut out = Nat::zero(bytes.len().div_ceil(8).max(1));
        for (i, byte) in bytes.iter().rev().enumerate() {
            out[i / 8] |= u64::from(*byte) << (8 * (i % 8));
        }
        out
    }

    /// The big-endian bytes without leading zeros.
    pub(crate) fn to_be_bytes_vartime(&self) -> Zeroizing<Vec<u8>> {
        let count = self.bits_vartime().div_ceil(8) as usize;
        let byte = |i: usize| (self[i / 8] >> (8 * (i % 8))) as u8;
        Zeroizing::new((0..count).rev().map(byte).collect())
    }
}

#[cfg(test)]
mod tests {
    use num_bigint::BigUint;
    use num_integer::Integer;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn arithmetic_agrees_with_big_integers(
            a in prop::collection::vec(any::<u64>(), 1..7),
            b in prop::collection::vec(any::<u64>(), 1..7),
            common in 1u64..,
        ) {
            let mut b = b;
            b[0] |= 1;
            let common = Nat::from_words(&[common]);
            let (x, y) = (Nat::from_words(&a).mul(&common), Nat::from_words(&b).mul(&common));
            let (bx, by) = (x.to_big(), y.to_big());
            prop_assert_eq!(x.gcd_vartime(&y).to_big(), bx.gcd(&by));
            let larger = if bx > by { &bx - &by } else { &by - &bx };
            prop_assert_eq!(x.distance(&y).to_big(), larger);
            let odd = Nat::from_words(&b);
            prop_assert_eq!(x.mul(&odd).divided_exactly(&odd).to_big(), bx.clone());
            let bytes = x.to_be_bytes_vartime();
            prop_assert_eq!(&bytes[..], if bx == BigUint::ZERO { vec![] } else { bx.to_bytes_be() });
            prop_assert_eq!(Nat::from_be_bytes(&bytes).to_big(), bx);
        }
    }
}
