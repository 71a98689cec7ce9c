//! Prime fields of any size, on num-bigint.

use num_bigint::BigUint;
use num_traits::{One, Zero};

use super::domain::Domain;
use crate::error::{Error, Result};
use crate::stream::Stream;

/// A prime field of any size, for compatibility with systems that choose large primes.
///
/// # Timing
///
/// Not constant-time: num-bigint takes longer for larger numbers. Prefer [`Mersenne127`] or
/// [`Field128`] where another party can measure you.
///
/// [`Mersenne127`]: super::Mersenne127
/// [`Field128`]: super::Field128
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BigPrime {
    modulus: BigUint,
}

/// Rounds of the primality test: 64 fixed pseudo-random bases.
const ROUNDS: u64 = 64;

impl BigPrime {
    /// The field of integers modulo `modulus`.
    ///
    /// # Security
    ///
    /// Primality is tested with 64 fixed pseudo-random bases (Miller and Rabin): a modulus chosen
    /// at random passes wrongly with probability below 2^-128; one made to deceive may pass.
    ///
    /// # Errors
    ///
    /// [`Error::Composite`] unless `modulus` is an odd prime.
    pub fn new(modulus: BigUint) -> Result<Self> {
        if modulus.bit(0) && modulus > BigUint::one() && probably_prime(&modulus) {
            Ok(BigPrime { modulus })
        } else {
            Err(Error::Composite)
        }
    }

    fn bytes(&self) -> usize {
        self.modulus.bits().div_ceil(8) as usize
    }
}

fn probably_prime(candidate: &BigUint) -> bool {
    let one = BigUint::one();
    let less = candidate - &one;
    let twos = less.trailing_zeros().unwrap_or(0);
    let odd = &less >> twos;
    let mut stream = Stream::derive(&[0; 32], "smpc-shares/primality", &[]);
    (0..ROUNDS).all(|_| {
        let words: Vec<u32> =
            (0..candidate.bits().div_ceil(32) + 1).map(|_| stream.word() as u32).collect();
        let base = BigUint::new(words) % candidate;
        if base <= one {
            return true;
        }
        let mut power = base.modpow(&odd, candidate);
        if power == one || power == less {
            return true;
        }
        (1..twos).any(|_| {
            power = &power * &power % candidate;
            power == less
        })
    })
}

impl Domain for BigPrime {
    type Element = BigUint;

    fn order(&self) -> BigUint {
        self.modulus.clone()
    }

    fn integer(&self, value: u64) -> BigUint {
        BigUint::from(value) % &self.modulus
    }

    fn add(&self, a: &BigUint, b: &BigUint) -> BigUint {
        (a + b) % &self.modulus
    }

    fn sub(&self, a: &BigUint, b: &BigUint) -> BigUint {
        (a + &self.modulus - b) % &self.modulus
    }

    fn mul(&self, a: &BigUint, b: &BigUint) -> BigUint {
        a * b % &self.modulus
    }

    fn inverse(&self, a: &BigUint) -> BigUint {
        if a.is_zero() {
            return BigUint::zero();
        }
        a.modpow(&(&self.modulus - 2u8), &self.modulus)
    }

    fn sample(&self, stream: &mut Stream) -> BigUint {
        let bits = self.modulus.bits();
        loop {
            let mut words: Vec<u32> =
                (0..bits.div_ceil(32)).map(|_| (stream.word() >> 32) as u32).collect();
            if let Some(top) = words.last_mut() {
                *top &= u32::MAX >> ((32 - bits % 32) % 32);
            }
            let candidate = BigUint::new(words);
            if candidate < self.modulus {
                return candidate;
            }
        }
    }

    fn encode(&self, a: &BigUint) -> Vec<u8> {
        let mut bytes = a.to_bytes_le();
        bytes.resize(self.bytes(), 0);
        bytes
    }

    fn decode(&self, bytes: &[u8]) -> Option<BigUint> {
        if bytes.len() != self.bytes() {
            return None;
        }
        let value = BigUint::from_bytes_le(bytes);
        (value < self.modulus).then_some(value)
    }
}
