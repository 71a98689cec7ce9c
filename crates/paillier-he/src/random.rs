//! Random natural numbers, drawn into memory that is wiped.

use privacy_core::random::SecureRng;

use crate::error::Result;
use crate::kernel::Nat;
use crate::kernel::nat;

/// A uniform number of `bits` bits (the highest may be 0).
pub(crate) fn bits(rng: &mut dyn SecureRng, bits: usize) -> Result<Nat> {
    let mut out = Nat::zero(bits.div_ceil(64).max(1));
    rng.fill_words(&mut out)?;
    let spare = out.len() * 64 - bits;
    let top = out.len() - 1;
    out[top] = if spare == 64 { 0 } else { out[top] << spare >> spare };
    Ok(out)
}

/// A uniform number in `1..n`, in as many words as `n`.
///
/// Draws again what is too large: the time depends on what was thrown away alone.
pub(crate) fn below(rng: &mut dyn SecureRng, n: &Nat) -> Result<Nat> {
    let length = n.bits_vartime() as usize;
    loop {
        let candidate = bits(rng, length)?;
        if nat::less(&candidate, n) == 1 && nat::is_zero(&candidate) == 0 {
            return Ok(candidate.resized(n.len()));
        }
    }
}
