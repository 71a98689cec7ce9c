//! Kernels with vector instructions where the processor has them; the only module with `unsafe`.
//!
//! Here slices of bytes times a public byte in GF(2^8), in `keccak` the permutation of Prio3's
//! hashing, in `goldilocks` the butterflies of its transforms. Each has a portable twin, which tests
//! hold it to.
//!
//! For bytes there are three ways to the same result, chosen once a call: GFNI has the product of this very field, 64 bytes
//! an instruction; AVX2 looks up both halves of each byte in tables of the factor's multiples, held in
//! registers; [`portable`] doubles eight bytes at a time in a word. None branches on the bytes or
//! addresses memory by them; all depend on the factor, which is public.

pub(crate) mod goldilocks;
#[cfg(feature = "prio")]
mod keccak;
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
mod x86;

#[cfg(feature = "prio")]
pub(crate) use keccak::keccak;

/// out = values·factor + next, byte by byte, up to the shortest length.
pub(crate) fn scaled_plus(out: &mut [u8], values: &[u8], factor: u8, next: &[u8]) {
    #[cfg(target_arch = "x86_64")]
    if x86::scaled_plus(out, values, factor, next) {
        return;
    }
    portable::scaled_plus(out, values, factor, next);
}

/// sum = sum·factor + next, byte by byte, up to the shorter length.
pub(crate) fn scale_add(sum: &mut [u8], factor: u8, next: &[u8]) {
    #[cfg(target_arch = "x86_64")]
    if x86::scale_add(sum, factor, next) {
        return;
    }
    portable::scale_add(sum, factor, next);
}

/// sum = sum + values·factor, byte by byte, up to the shorter length.
pub(crate) fn add_scaled(sum: &mut [u8], factor: u8, values: &[u8]) {
    #[cfg(target_arch = "x86_64")]
    if x86::add_scaled(sum, factor, values) {
        return;
    }
    portable::add_scaled(sum, factor, values);
}

mod portable {
    use crate::field::gf256_scale_packed as scale_packed;

    pub(super) fn scaled_plus(out: &mut [u8], values: &[u8], factor: u8, next: &[u8]) {
        let length = out.len().min(values.len()).min(next.len());
        out[..length].copy_from_slice(&values[..length]);
        scale_add(&mut out[..length], factor, next);
    }

    pub(super) fn scale_add(sum: &mut [u8], factor: u8, next: &[u8]) {
        each(sum, next, |sum, next| scale_packed(sum, factor) ^ next);
    }

    pub(super) fn add_scaled(sum: &mut [u8], factor: u8, values: &[u8]) {
        each(sum, values, |sum, value| sum ^ scale_packed(value, factor));
    }

    /// Eight bytes at a time; `op` keeps them apart.
    #[inline(always)]
    fn each(left: &mut [u8], right: &[u8], op: impl Fn(u64, u64) -> u64) {
        let length = left.len().min(right.len());
        let (words, rest) = left[..length].as_chunks_mut::<8>();
        let (others, other_rest) = right[..length].as_chunks::<8>();
        for (word, other) in words.iter_mut().zip(others) {
            *word = op(u64::from_le_bytes(*word), u64::from_le_bytes(*other)).to_le_bytes();
        }
        for (byte, other) in rest.iter_mut().zip(other_rest) {
            *byte = op(u64::from(*byte), u64::from(*other)) as u8;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::field::Gf256;

    proptest! {
        #[test]
        fn all_ways_are_the_product_of_the_field(
            left in proptest::collection::vec(any::<u8>(), 0..300),
            right in proptest::collection::vec(any::<u8>(), 0..300),
            factor in any::<u8>(),
        ) {
            let product = |a: u8, b: u8| (Gf256(a) * Gf256(b)).0;
            let both = |op: &dyn Fn(u8, u8) -> u8| -> Vec<u8> {
                let changed = left.iter().zip(&right).map(|(a, b)| op(*a, *b));
                changed.chain(left.iter().copied().skip(right.len())).collect()
            };
            let scaled = both(&|a, b| product(a, factor) ^ b);
            let added = both(&|a, b| a ^ product(b, factor));
            type Operation = fn(&mut [u8], u8, &[u8]);
            let scales: [Operation; 2] = [scale_add, portable::scale_add];
            let adds: [Operation; 2] = [add_scaled, portable::add_scaled];
            for (operation, expected) in
                scales.iter().map(|op| (op, &scaled)).chain(adds.iter().map(|op| (op, &added)))
            {
                let mut got = left.clone();
                operation(&mut got, factor, &right);
                prop_assert_eq!(&got, expected);
            }
            let mut out = vec![0; left.len().min(right.len())];
            scaled_plus(&mut out, &left, factor, &right);
            prop_assert_eq!(&out[..], &scaled[..out.len()]);
            #[cfg(target_arch = "x86_64")]
            for way in x86::ways() {
                way.scaled_plus(&mut out, &left, factor, &right);
                prop_assert_eq!(&out[..], &scaled[..out.len()]);
                let mut got = left.clone();
                way.scale_add(&mut got, factor, &right);
                prop_assert_eq!(&got, &scaled, "{:?}", way);
                let mut got = left.clone();
                way.add_scaled(&mut got, factor, &right);
                prop_assert_eq!(&got, &added, "{:?}", way);
            }
        }
    }
}
