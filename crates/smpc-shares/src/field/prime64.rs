//! Prime fields below 2^63 with the modulus in the type, and the same with the modulus as a value.

use num_bigint::BigUint;

use super::domain::Domain;
use super::montgomery::{Montgomery, is_prime};
use super::{Field, PrimeField, Ring, centered, conversions, operators};
use crate::error::{Error, Result};
use crate::stream::Stream;

/// An integer modulo the odd prime `P` < 2^63.
///
/// ```
/// use smpc_shares::field::{Prime64, Ring};
///
/// type F = Prime64<257>;
/// assert_eq!((F::from(200) + F::from(110)).to_u128(), 53);
/// ```
///
/// A modulus that is no odd prime below 2^63 does not compile:
///
/// ```compile_fail,E0080
/// use smpc_shares::field::{Prime64, Ring};
///
/// let _ = Prime64::<255>::from_u128(1);
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Prime64<const P: u64>(u64);

impl<const P: u64> Prime64<P> {
    const FORM: Montgomery = {
        assert!(
            P % 2 == 1 && P < 1 << 63 && is_prime(P),
            "the modulus must be an odd prime < 2^63"
        );
        Montgomery::new(P)
    };

    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        Prime64(Self::FORM.add(self.0, other.0))
    }

    #[inline(always)]
    fn minus(self, other: Self) -> Self {
        Prime64(Self::FORM.sub(self.0, other.0))
    }

    #[inline(always)]
    fn times(self, other: Self) -> Self {
        Prime64(Self::FORM.mul(self.0, other.0))
    }
}

operators!([const P: u64] Prime64<P>);
conversions!([const P: u64] Prime64<P>);

impl<const P: u64> std::fmt::Debug for Prime64<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Prime64<{P}>({})", self.to_u128())
    }
}

/// A uniform integer below `modulus`, by rejection.
#[inline]
fn below(modulus: u64, stream: &mut Stream) -> u64 {
    let mask = u64::MAX >> (modulus - 1).leading_zeros();
    loop {
        let candidate = stream.word() & mask;
        if candidate < modulus {
            return candidate;
        }
    }
}

impl<const P: u64> Ring for Prime64<P> {
    const ZERO: Self = Prime64(0);
    const ONE: Self = Prime64(Self::FORM.one);
    const BYTES: usize = 8;
    const NAME: &'static str = "prime64";
    const BITS: u32 = 64 - P.leading_zeros();

    #[inline]
    fn from_u128(value: u128) -> Self {
        Prime64(Self::FORM.enter(value))
    }

    #[inline]
    fn to_u128(self) -> u128 {
        u128::from(Self::FORM.leave(self.0))
    }

    fn to_i128(self) -> i128 {
        centered(self.to_u128(), u128::from(P))
    }

    #[inline]
    fn sample(stream: &mut Stream) -> Self {
        Prime64(below(P, stream))
    }

    #[inline]
    fn encode(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&Self::FORM.leave(self.0).to_le_bytes());
    }

    #[inline]
    fn decode(bytes: &[u8]) -> Option<Self> {
        let value = u64::from_le_bytes(bytes.try_into().ok()?);
        (value < P).then(|| Self::from_u128(u128::from(value)))
    }
}

impl<const P: u64> Field for Prime64<P> {
    const POINTS: u64 = P - 1;

    fn order() -> BigUint {
        P.into()
    }

    fn inverse(self) -> Self {
        self.pow_vartime(u128::from(P - 2))
    }
}

impl<const P: u64> PrimeField for Prime64<P> {
    const MODULUS: u128 = P as u128;
}

/// A prime field below 2^63 whose modulus is known at run time only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RuntimePrime(Montgomery);

impl RuntimePrime {
    /// The field of integers modulo `modulus`.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] unless `modulus` is an odd prime below 2^63.
    pub fn new(modulus: u64) -> Result<Self> {
        if modulus % 2 == 1 && modulus < 1 << 63 && is_prime(modulus) {
            Ok(RuntimePrime(Montgomery::new(modulus)))
        } else {
            Err(Error::Parameter {
                parameter: "modulus",
                requirement: "an odd prime below 2^63",
                given: modulus,
            })
        }
    }
}

impl Domain for RuntimePrime {
    /// In Montgomery form.
    type Element = u64;

    fn order(&self) -> BigUint {
        self.0.modulus.into()
    }

    fn integer(&self, value: u64) -> u64 {
        self.0.enter(u128::from(value))
    }

    fn add(&self, a: &u64, b: &u64) -> u64 {
        self.0.add(*a, *b)
    }

    fn sub(&self, a: &u64, b: &u64) -> u64 {
        self.0.sub(*a, *b)
    }

    fn mul(&self, a: &u64, b: &u64) -> u64 {
        self.0.mul(*a, *b)
    }

    fn inverse(&self, a: &u64) -> u64 {
        let mut power = self.0.one;
        let mut base = *a;
        let mut exponent = self.0.modulus - 2;
        while exponent > 0 {
            if exponent & 1 == 1 {
                power = self.0.mul(power, base);
            }
            base = self.0.mul(base, base);
            exponent >>= 1;
        }
        power
    }

    fn sample(&self, stream: &mut Stream) -> u64 {
        below(self.0.modulus, stream)
    }

    fn encode(&self, a: &u64) -> Vec<u8> {
        self.0.leave(*a).to_le_bytes().to_vec()
    }

    fn decode(&self, bytes: &[u8]) -> Option<u64> {
        let value = u64::from_le_bytes(bytes.try_into().ok()?);
        (value < self.0.modulus).then(|| self.0.enter(u128::from(value)))
    }
}
