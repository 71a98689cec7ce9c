//! Montgomery multiplication with R = 2^64 for odd moduli below 2^63.

/// What multiplication modulo `modulus` needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Montgomery {
    pub(super) modulus: u64,
    /// -1/modulus modulo 2^64.
    negated_inverse: u64,
    /// 2^64 modulo the modulus, the form of one.
    pub(super) one: u64,
    /// 2^128 modulo the modulus.
    square: u64,
}

impl Montgomery {
    /// `modulus` must be odd and below 2^63.
    pub(super) const fn new(modulus: u64) -> Self {
        let mut inverse: u64 = 1;
        let mut i = 0;
        while i < 6 {
            // Newton doubles the number of correct bits.
            inverse = inverse.wrapping_mul(2u64.wrapping_sub(modulus.wrapping_mul(inverse)));
            i += 1;
        }
        let one = ((1u128 << 64) % modulus as u128) as u64;
        let square = ((one as u128 * one as u128) % modulus as u128) as u64;
        Montgomery { modulus, negated_inverse: inverse.wrapping_neg(), one, square }
    }

    #[inline(always)]
    pub(super) const fn subtract_once(&self, value: u64) -> u64 {
        let (less, borrow) = value.overflowing_sub(self.modulus);
        less.wrapping_add(self.modulus & (borrow as u64).wrapping_neg())
    }

    #[inline(always)]
    pub(super) const fn add(&self, a: u64, b: u64) -> u64 {
        self.subtract_once(a + b)
    }

    #[inline(always)]
    pub(super) const fn sub(&self, a: u64, b: u64) -> u64 {
        self.subtract_once(a + self.modulus - b)
    }

    #[inline(always)]
    pub(super) const fn reduce(&self, value: u128) -> u64 {
        let m = (value as u64).wrapping_mul(self.negated_inverse);
        // Below 2^64·modulus + 2^64·modulus < 2^128, and below 2·modulus after the shift.
        self.subtract_once(((value + m as u128 * self.modulus as u128) >> 64) as u64)
    }

    #[inline(always)]
    pub(super) const fn mul(&self, a: u64, b: u64) -> u64 {
        self.reduce(a as u128 * b as u128)
    }

    /// The form of any integer.
    #[inline]
    pub(super) const fn enter(&self, value: u128) -> u64 {
        // Two halves, each below 2^64, times 2^128/R and (high) once more times 2^64.
        let low = self.mul(self.subtract_fully(value as u64), self.square);
        let high = self.mul(self.subtract_fully((value >> 64) as u64), self.square);
        self.add(low, self.mul(high, self.square))
    }

    /// A residue below the modulus in constant time, through two Montgomery steps.
    #[inline]
    const fn subtract_fully(&self, value: u64) -> u64 {
        // reduce(value) = value/R below the modulus; times R² reduced is value again.
        self.mul(self.reduce(value as u128), self.square)
    }

    #[inline(always)]
    pub(super) const fn leave(&self, value: u64) -> u64 {
        self.reduce(value as u128)
    }
}

/// Whether `candidate` is prime (Miller and Rabin with the twelve bases that decide all 64-bit
/// numbers; Sorenson, Webster 2015).
pub(super) const fn is_prime(candidate: u64) -> bool {
    const BASES: [u64; 12] = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37];
    if candidate < 2 {
        return false;
    }
    let mut i = 0;
    while i < BASES.len() {
        if candidate.is_multiple_of(BASES[i]) {
            return candidate == BASES[i];
        }
        i += 1;
    }
    let twos = (candidate - 1).trailing_zeros();
    let odd = (candidate - 1) >> twos;
    let mut i = 0;
    while i < BASES.len() {
        let modulus = candidate as u128;
        let mut power: u128 = 1;
        let mut base = BASES[i] as u128 % modulus;
        let mut exponent = odd;
        while exponent > 0 {
            if exponent & 1 == 1 {
                power = power * base % modulus;
            }
            base = base * base % modulus;
            exponent >>= 1;
        }
        let mut round = 1;
        while power != 1 && power != modulus - 1 && round < twos {
            power = power * power % modulus;
            round += 1;
        }
        if power != modulus - 1 && !(power == 1 && round == 1) {
            return false;
        }
        i += 1;
    }
    true
}
