//! Inverses modulo N or N².
//!
//! Many are had for the price of one and three products each (Montgomery's trick). The one is
//! blinded with a random unit before a variable-time algorithm sees it.

use num_bigint::BigUint;

use super::lanes::Batch;
use super::nat::Nat;
use super::ring::Ring;

/// The inverse of each number in the lanes of a ring with one modulus; `None` if one of them has
/// none. `blind` is a random unit modulo N².
///
/// # Timing
///
/// Independent of the numbers, as what is inverted is uniformly random.
pub(crate) fn invert(ring: &Ring, numbers: &Batch, blind: &Nat) -> Option<Batch> {
    if numbers.len() == 0 {
        return Some(numbers.clone());
    }
    let lanes = ring.lanes();
    let mut scratch = ring.scratch();
    // Running products of whole elements, lane by lane.
    let blocks: Vec<&[u64]> = numbers.blocks().collect();
    let mut prefix = Vec::with_capacity(blocks.len());
    let mut acc = ring.load(&vec![&blind[..]; lanes], &mut scratch);
    for (i, block) in blocks.iter().enumerate() {
        prefix.push(acc.clone());
        let mut block = block.to_vec();
        fill_spare_lanes(ring, &mut block, numbers, i);
        ring.mul_assign(&mut acc, &block, &mut scratch);
        zeroize::Zeroize::zeroize(&mut block);
    }
    let totals = ring.store(&acc, &mut scratch);
    let inverses: Option<Vec<Nat>> =
        totals.iter().map(|total| invert_vartime(total, &square(ring.modulus(0)))).collect();
    let inverses = inverses?;
    let mut suffix = ring.load(&inverses.iter().map(|x| &x[..]).collect::<Vec<_>>(), &mut scratch);
    let mut out = Batch::zeroed(ring, numbers.len());
    for (i, to) in out.blocks_mut().enumerate().collect::<Vec<_>>().into_iter().rev() {
        ring.mul(to, &suffix, &prefix[i], &mut scratch);
        let mut block = blocks[i].to_vec();
        fill_spare_lanes(ring, &mut block, numbers, i);
        ring.mul_assign(&mut suffix, &block, &mut scratch);
        zeroize::Zeroize::zeroize(&mut block);
    }
    Some(out)
}

/// Puts 1 into the lanes of element `i` that hold no number.
fn fill_spare_lanes(ring: &Ring, block: &mut [u64], numbers: &Batch, i: usize) {
    let lanes = ring.lanes();
    for lane in 0..lanes {
        if i * lanes + lane >= numbers.len() {
            ring.copy_lane(block, lane, ring.one(), lane);
        }
    }
}

fn square(n: &Nat) -> BigUint {
    let n = n.to_big();
    &n * &n
}

/// The inverse of a number whose value may become known.
pub(crate) fn invert_vartime(x: &Nat, modulus: &BigUint) -> Option<Nat> {
    modular_inverse_vartime(&x.to_big(), modulus).map(|inverse| Nat::from_big(&inverse))
}

/// `x⁻¹ mod modulus`, if there is one.
pub(crate) fn modular_inverse_vartime(x: &BigUint, modulus: &BigUint) -> Option<BigUint> {
    x.modinv(modulus)
}
