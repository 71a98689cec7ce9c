//! Modular powers in batches: the kernels of this crate without the encryption.

use num_bigint::BigUint;
use num_integer::Integer;

use crate::error::{Error, Result};
use crate::kernel::{Backend, Batch, Nat, Ring, Scratch, Words};

/// Arithmetic modulo an odd number, many numbers at once.
///
/// # Example
///
/// ```
/// use num_bigint::BigUint;
/// use paillier_he::arithmetic::ModulusBatch;
///
/// let modulus = ModulusBatch::new(&BigUint::from(1009u32))?;
/// let squares = modulus.pow(&[3u32.into(), 1000u32.into()], &2u32.into());
/// assert_eq!(squares, [9u32.into(), 81u32.into()]);
/// let modulus = ModulusBatch::squared(&BigUint::from(1009u32))?;
/// assert_eq!(modulus.pow(&[1010u32.into()], &2u32.into()), [2019u32.into()]);
/// # Ok::<(), paillier_he::Error>(())
/// ```
#[derive(Clone)]
pub struct ModulusBatch {
    n: BigUint,
    ring: Ring,
}

impl ModulusBatch {
    /// Arithmetic modulo `n` with the fastest instructions of this processor.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] unless `n` is odd, above 1 and of at most 24,576 bits.
    pub fn new(n: &BigUint) -> Result<Self> {
        Self::with(n, Backend::best(), false)
    }

    /// The same without vector instructions.
    ///
    /// # Errors
    ///
    /// As [`ModulusBatch::new`].
    pub fn portable(n: &BigUint) -> Result<Self> {
        Self::with(n, Backend::Portable, false)
    }

    /// Arithmetic modulo `n²`, faster than modulo a number of that length whose root is unknown.
    ///
    /// # Errors
    ///
    /// As [`ModulusBatch::new`].
    pub fn squared(n: &BigUint) -> Result<Self> {
        Self::with(n, Backend::best(), true)
    }

    /// The same without vector instructions.
    ///
    /// # Errors
    ///
    /// As [`ModulusBatch::new`].
    pub fn squared_portable(n: &BigUint) -> Result<Self> {
        Self::with(n, Backend::Portable, true)
    }

    fn with(n: &BigUint, backend: Backend, pair: bool) -> Result<Self> {
        if n.is_even() || n.bits() < 2 || n.bits() > 24_576 {
            let requirement = "odd, above 1 and of at most 24576 bits";
            return Err(Error::Parameter { parameter: "the modulus", requirement });
        }
        let ring = Ring::new(backend, &[&Nat::from_big(n)], pair, 2 * n.bits() as usize);
        Ok(ModulusBatch { n: if pair { n * n } else { n.clone() }, ring })
    }

    /// The power of each base with one exponent.
    ///
    /// # Timing
    ///
    /// Depends on the number of bases and the lengths of exponent and modulus (in words of 64
    /// bits), and on whether a base exceeds the modulus.
    #[must_use]
    pub fn pow(&self, bases: &[BigUint], exponent: &BigUint) -> Vec<BigUint> {
        let exponent = Nat::from_big(exponent);
        self.each(bases, |block, scratch| {
            self.ring.pow(block, &[&exponent], exponent.len() * 64, scratch)
        })
    }

    /// The power of each base with one public exponent.
    ///
    /// # Timing
    ///
    /// Depends on the exponent, and otherwise as [`ModulusBatch::pow`].
    #[must_use]
    pub fn pow_vartime(&self, bases: &[BigUint], exponent: &BigUint) -> Vec<BigUint> {
        let exponent = Nat::from_big(exponent);
        self.each(bases, |block, scratch| self.ring.pow_vartime(block, &exponent, scratch))
    }

    fn each(
        &self,
        bases: &[BigUint],
        power: impl Fn(&[u64], &mut Scratch) -> Words + Sync,
    ) -> Vec<BigUint> {
        let reduce =
            |b: &BigUint| Nat::from_big(&if *b < self.n { b.clone() } else { b % &self.n });
        let bases: Vec<Nat> = bases.iter().map(reduce).collect();
        let bases: Vec<&[u64]> = bases.iter().map(|b| &b[..]).collect();
        let mut batch = Batch::load(&self.ring, &bases);
        crate::kernel::lanes::for_each_block(&self.ring, &mut batch, |_, block, scratch| {
            let power = power(block, scratch);
            block.copy_from_slice(&power);
        });
        batch.store(&self.ring).iter().map(Nat::to_big).collect()
    }
}

impl std::fmt::Debug for ModulusBatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ModulusBatch").field("bits", &self.n.bits()).finish_non_exhaustive()
    }
}
