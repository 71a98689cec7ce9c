//! Modular arithmetic of fixed length in constant time, eight numbers at once where the processor
//! can.
//!
//! Everything above this module speaks of [`Ring`]s and elements: flat words whose layout only the
//! backend knows. Two backends exist. [`portable`] works on limbs of 64 bits, one number after
//! another; [`ifma`] works on digits of 52 bits, eight numbers side by side in vector registers.
//! Both are held to the same results by tests. The theory is in `docs/kernels.md`.
//!
//! Unless a name ends in `_vartime`, time and memory accesses depend on lengths alone, never on
//! values. This covers operands, moduli and exponents.

pub(crate) mod comb;
#[cfg(target_arch = "x86_64")]
mod ifma;
mod integer;
pub(crate) mod invert;
pub(crate) mod lanes;
pub(crate) mod multiexp;
pub(crate) mod nat;
mod portable;
pub(crate) mod pow;
pub(crate) mod ring;
mod words;

pub(crate) use lanes::Batch;
pub(crate) use nat::Nat;
pub(crate) use ring::{Backend, Ring, Scratch};
pub(crate) use words::Words;
