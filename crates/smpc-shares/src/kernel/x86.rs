//! The kernels with GFNI on 64 bytes, and with AVX2 on 32.

use std::arch::x86_64::{
    __m256i, __m512i, _mm_loadu_si128, _mm256_and_si256, _mm256_broadcastsi128_si256,
    _mm256_loadu_si256, _mm256_set1_epi8, _mm256_shuffle_epi8, _mm256_srli_epi16,
    _mm256_storeu_si256, _mm256_xor_si256, _mm512_gf2p8mul_epi8, _mm512_loadu_si512,
    _mm512_set1_epi8, _mm512_storeu_si512, _mm512_xor_si512,
};

use super::portable;
use crate::field::Gf256;

/// Instructions that this processor was seen to have.
#[derive(Clone, Copy, Debug)]
pub(super) enum Way {
    Gfni,
    Avx2,
}

/// The ways of this processor, the fastest first.
pub(super) fn ways() -> impl Iterator<Item = Way> {
    let gfni = is_x86_feature_detected!("gfni") && is_x86_feature_detected!("avx512f");
    let avx2 = is_x86_feature_detected!("avx2");
    [gfni.then_some(Way::Gfni), avx2.then_some(Way::Avx2)].into_iter().flatten()
}

/// False where the processor has none of the instructions.
pub(super) fn scaled_plus(out: &mut [u8], values: &[u8], factor: u8, next: &[u8]) -> bool {
    ways().next().map(|way| way.scaled_plus(out, values, factor, next)).is_some()
}

/// False where the processor has none of the instructions.
pub(super) fn scale_add(sum: &mut [u8], factor: u8, next: &[u8]) -> bool {
    ways().next().map(|way| way.scale_add(sum, factor, next)).is_some()
}

/// False where the processor has none of the instructions.
pub(super) fn add_scaled(sum: &mut [u8], factor: u8, values: &[u8]) -> bool {
    ways().next().map(|way| way.add_scaled(sum, factor, values)).is_some()
}

impl Way {
    pub(super) fn scaled_plus(self, out: &mut [u8], values: &[u8], factor: u8, next: &[u8]) {
        match self {
            // SAFETY: a `Way` is only made by `ways`, where the processor has its instructions.
            Way::Gfni => unsafe { scaled_plus_gfni(out, values, factor, next) },
            // SAFETY: as above.
            Way::Avx2 => unsafe { scaled_plus_avx2(out, values, factor, next) },
        }
    }

    pub(super) fn scale_add(self, sum: &mut [u8], factor: u8, next: &[u8]) {
        match self {
            // SAFETY: a `Way` is only made by `ways`, where the processor has its instructions.
            Way::Gfni => unsafe { scale_add_gfni(sum, factor, next) },
            // SAFETY: as above.
            Way::Avx2 => unsafe { scale_add_avx2(sum, factor, next) },
        }
    }

    pub(super) fn add_scaled(self, sum: &mut [u8], factor: u8, values: &[u8]) {
        match self {
            // SAFETY: a `Way` is only made by `ways`, where the processor has its instructions.
            Way::Gfni => unsafe { add_scaled_gfni(sum, factor, values) },
            // SAFETY: as above.
            Way::Avx2 => unsafe { add_scaled_avx2(sum, factor, values) },
        }
    }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn load_64(bytes: &[u8; 64]) -> __m512i {
    // SAFETY: 64 bytes are readable, and the load needs no alignment.
    unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn store_64(bytes: &mut [u8; 64], value: __m512i) {
    // SAFETY: 64 bytes are writable, and the store needs no alignment.
    unsafe { _mm512_storeu_si512(bytes.as_mut_ptr().cast(), value) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn load_32(bytes: &[u8; 32]) -> __m256i {
    // SAFETY: 32 bytes are readable, and the load needs no alignment.
    unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn store_32(bytes: &mut [u8; 32], value: __m256i) {
    // SAFETY: 32 bytes are writable, and the store needs no alignment.
    unsafe { _mm256_storeu_si256(bytes.as_mut_ptr().cast(), value) }
}

#[target_feature(enable = "avx512f,gfni")]
fn scaled_plus_gfni(out: &mut [u8], values: &[u8], factor: u8, next: &[u8]) {
    let length = out.len().min(values.len()).min(next.len());
    let (blocks, rest) = out[..length].as_chunks_mut::<64>();
    let (others, other_rest) = values[..length].as_chunks::<64>();
    let (nexts, next_rest) = next[..length].as_chunks::<64>();
    let by = _mm512_set1_epi8(factor.cast_signed());
    for ((block, other), next) in blocks.iter_mut().zip(others).zip(nexts) {
        let scaled = _mm512_gf2p8mul_epi8(load_64(other), by);
        store_64(block, _mm512_xor_si512(scaled, load_64(next)));
    }
    portable::scaled_plus(rest, other_rest, factor, next_rest);
}

#[target_feature(enable = "avx512f,gfni")]
fn scale_add_gfni(sum: &mut [u8], factor: u8, next: &[u8]) {
    let length = sum.len().min(next.len());
    let (blocks, rest) = sum[..length].as_chunks_mut::<64>();
    let (others, other_rest) = next[..length].as_chunks::<64>();
    let by = _mm512_set1_epi8(factor.cast_signed());
    for (block, other) in blocks.iter_mut().zip(others) {
        let scaled = _mm512_gf2p8mul_epi8(load_64(block), by);
        store_64(block, _mm512_xor_si512(scaled, load_64(other)));
    }
    portable::scale_add(rest, factor, other_rest);
}

#[target_feature(enable = "avx512f,gfni")]
fn add_scaled_gfni(sum: &mut [u8], factor: u8, values: &[u8]) {
    let length = sum.len().min(values.len());
    let (blocks, rest) = sum[..length].as_chunks_mut::<64>();
    let (others, other_rest) = values[..length].as_chunks::<64>();
    let by = _mm512_set1_epi8(factor.cast_signed());
    for (block, other) in blocks.iter_mut().zip(others) {
        let scaled = _mm512_gf2p8mul_epi8(load_64(other), by);
        store_64(block, _mm512_xor_si512(scaled, load_64(block)));
    }
    portable::add_scaled(rest, factor, other_rest);
}

/// The factor's multiples of 0, 1, …, 15 and of 0, 16, …, 240, in both halves of a register.
struct Multiples {
    low: __m256i,
    high: __m256i,
    nibble: __m256i,
}

impl Multiples {
    #[inline]
    #[target_feature(enable = "avx2")]
    fn of(factor: u8) -> Self {
        let table = |step: u8| -> [u8; 16] {
            std::array::from_fn(|i| (Gf256(factor) * Gf256(step * i as u8)).0)
        };
        let spread = |table: [u8; 16]| {
            // SAFETY: 16 bytes are readable, and the load needs no alignment.
            _mm256_broadcastsi128_si256(unsafe { _mm_loadu_si128(table.as_ptr().cast()) })
        };
        Multiples { low: spread(table(1)), high: spread(table(16)), nibble: _mm256_set1_epi8(15) }
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn times(&self, values: __m256i) -> __m256i {
        let low = _mm256_and_si256(values, self.nibble);
        let high = _mm256_and_si256(_mm256_srli_epi16::<4>(values), self.nibble);
        _mm256_xor_si256(_mm256_shuffle_epi8(self.low, low), _mm256_shuffle_epi8(self.high, high))
    }
}

#[target_feature(enable = "avx2")]
fn scaled_plus_avx2(out: &mut [u8], values: &[u8], factor: u8, next: &[u8]) {
    let length = out.len().min(values.len()).min(next.len());
    let (blocks, rest) = out[..length].as_chunks_mut::<32>();
    let (others, other_rest) = values[..length].as_chunks::<32>();
    let (nexts, next_rest) = next[..length].as_chunks::<32>();
    let multiples = Multiples::of(factor);
    for ((block, other), next) in blocks.iter_mut().zip(others).zip(nexts) {
        let scaled = multiples.times(load_32(other));
        store_32(block, _mm256_xor_si256(scaled, load_32(next)));
    }
    portable::scaled_plus(rest, other_rest, factor, next_rest);
}

#[target_feature(enable = "avx2")]
fn scale_add_avx2(sum: &mut [u8], factor: u8, next: &[u8]) {
    let length = sum.len().min(next.len());
    let (blocks, rest) = sum[..length].as_chunks_mut::<32>();
    let (others, other_rest) = next[..length].as_chunks::<32>();
    let multiples = Multiples::of(factor);
    for (block, other) in blocks.iter_mut().zip(others) {
        let scaled = multiples.times(load_32(block));
        store_32(block, _mm256_xor_si256(scaled, load_32(other)));
    }
    portable::scale_add(rest, factor, other_rest);
}

#[target_feature(enable = "avx2")]
fn add_scaled_avx2(sum: &mut [u8], factor: u8, values: &[u8]) {
    let length = sum.len().min(values.len());
    let (blocks, rest) = sum[..length].as_chunks_mut::<32>();
    let (others, other_rest) = values[..length].as_chunks::<32>();
    let multiples = Multiples::of(factor);
    for (block, other) in blocks.iter_mut().zip(others) {
        let scaled = multiples.times(load_32(other));
        store_32(block, _mm256_xor_si256(scaled, load_32(block)));
    }
    portable::add_scaled(rest, factor, other_rest);
}
