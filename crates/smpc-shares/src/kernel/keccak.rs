//! Keccak-p[1600, 12], the permutation of TurboSHAKE (RFC 9861): one state, in vector registers where the
//! processor has AVX-512.
//!
//! Lane (x, y) is word 5y + x. With vectors, a register holds the row of one y; after rho each row is
//! permuted so that chi works across registers, which leaves columns, and those are transposed back.

/// Rotations of rho, row by row; the last three lanes of a register are idle.
const ROTATIONS: [[i64; 8]; 5] = [
    [0, 1, 62, 28, 27, 0, 0, 0],
    [36, 44, 6, 55, 20, 0, 0, 0],
    [3, 10, 43, 25, 39, 0, 0, 0],
    [41, 45, 15, 21, 8, 0, 0, 0],
    [18, 2, 61, 56, 14, 0, 0, 0],
];

/// The last twelve of the constants of iota (FIPS 202, algorithm 5: a linear feedback shift register).
const CONSTANTS: [u64; 12] = {
    let mut out = [0; 12];
    let mut register: u8 = 1;
    let mut round = 0;
    while round < 24 {
        let mut bit = 0;
        while bit < 7 {
            if register & 1 == 1 && round >= 12 {
                out[round - 12] |= 1 << ((1u32 << bit) - 1);
            }
            register = (register << 1) ^ (0x71 & (register >> 7).wrapping_neg());
            bit += 1;
        }
        round += 1;
    }
    out
};

/// The permutation.
pub(crate) fn keccak(state: &mut [u64; 25]) {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx512f") {
        // SAFETY: the processor has AVX-512F.
        #[allow(unsafe_code)]
        unsafe {
            x86::keccak(state);
        }
        return;
    }
    portable(state);
}

fn portable(state: &mut [u64; 25]) {
    for constant in CONSTANTS {
        let parity: [u64; 5] = std::array::from_fn(|x| (0..5).fold(0, |p, y| p ^ state[5 * y + x]));
        let mut turned = [0; 25];
        for y in 0..5 {
            for x in 0..5 {
                let theta = parity[(x + 4) % 5] ^ parity[(x + 1) % 5].rotate_left(1);
                let lane = (state[5 * y + x] ^ theta).rotate_left(ROTATIONS[y][x] as u32);
                turned[5 * ((2 * x + 3 * y) % 5) + y] = lane;
            }
        }
        for y in 0..5 {
            let row = &turned[5 * y..5 * y + 5];
            for x in 0..5 {
                state[5 * y + x] = row[x] ^ (!row[(x + 1) % 5] & row[(x + 2) % 5]);
            }
        }
        state[0] ^= constant;
    }
}

#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
mod x86 {
    use std::arch::x86_64::{
        __m512i, _mm512_loadu_si512, _mm512_mask_blend_epi64, _mm512_mask_storeu_epi64,
        _mm512_maskz_loadu_epi64, _mm512_maskz_set1_epi64, _mm512_permutex2var_epi64,
        _mm512_permutexvar_epi64, _mm512_rol_epi64, _mm512_rolv_epi64, _mm512_set1_epi64,
        _mm512_ternarylogic_epi64, _mm512_unpackhi_epi64, _mm512_unpacklo_epi64, _mm512_xor_si512,
    };

    use super::{CONSTANTS, ROTATIONS};

    /// The five lanes of a row.
    const ROW: u8 = 0b1_1111;
    /// a ^ b ^ c as a truth table, and a ^ (!b & c).
    const XOR3: i32 = 0x96;
    const CHI: i32 = 0xd2;

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn lanes(values: [i64; 8]) -> __m512i {
        // SAFETY: 64 bytes are readable, and the load needs no alignment.
        unsafe { _mm512_loadu_si512(values.as_ptr().cast()) }
    }

    #[target_feature(enable = "avx512f")]
    pub(super) fn keccak(state: &mut [u64; 25]) {
        let rows = state.as_chunks_mut::<5>().0;
        let mut r: [__m512i; 5] = std::array::from_fn(|y| {
            // SAFETY: the mask admits the five words of the row alone.
            unsafe { _mm512_maskz_loadu_epi64(ROW, rows[y].as_ptr().cast()) }
        });
        let before = lanes([4, 0, 1, 2, 3, 5, 6, 7]);
        let after = lanes([1, 2, 3, 4, 0, 5, 6, 7]);
        let rotations: [__m512i; 5] = std::array::from_fn(|y| lanes(ROTATIONS[y]));
        // Lane j of row y goes to column y, row j: it comes from x = y + 3j.
        let places: [__m512i; 5] = std::array::from_fn(|y| {
            lanes(std::array::from_fn(|j| if j < 5 { ((y + 3 * j) % 5) as i64 } else { j as i64 }))
        });
        let pairs: [__m512i; 3] = std::array::from_fn(|k| 2 * k as i64)
            .map(|k| lanes([k, k + 1, k + 8, k + 9, 0, 0, 0, 0]));
        for constant in CONSTANTS {
            let parity = _mm512_ternarylogic_epi64::<XOR3>(
                _mm512_ternarylogic_epi64::<XOR3>(r[0], r[1], r[2]),
                r[3],
                r[4],
            );
            let left = _mm512_permutexvar_epi64(before, parity);
            let right = _mm512_rol_epi64::<1>(_mm512_permutexvar_epi64(after, parity));
            let mut c = r;
            for y in 0..5 {
                let row = _mm512_ternarylogic_epi64::<XOR3>(r[y], left, right);
                c[y] = _mm512_permutexvar_epi64(places[y], _mm512_rolv_epi64(row, rotations[y]));
            }
            let mut e = c;
            for x in 0..5 {
                let (next, second) = (c[(x + 1) % 5], c[(x + 2) % 5]);
                e[x] = _mm512_ternarylogic_epi64::<CHI>(c[x], next, second);
            }
            // Columns to rows: even and odd rows of the columns by twos, and column 4 beside them.
            let even = [_mm512_unpacklo_epi64(e[0], e[1]), _mm512_unpacklo_epi64(e[2], e[3])];
            let odd = [_mm512_unpackhi_epi64(e[0], e[1]), _mm512_unpackhi_epi64(e[2], e[3])];
            for y in 0..5 {
                let [a, b] = if y % 2 == 0 { even } else { odd };
                let four = _mm512_permutex2var_epi64(a, pairs[y / 2], b);
                let last = _mm512_permutexvar_epi64(_mm512_set1_epi64(y as i64), e[4]);
                r[y] = _mm512_mask_blend_epi64(1 << 4, four, last);
            }
            let constant = _mm512_maskz_set1_epi64(1, constant.cast_signed());
            r[0] = _mm512_xor_si512(r[0], constant);
        }
        for (row, r) in rows.iter_mut().zip(r) {
            // SAFETY: the mask admits the five words of the row alone.
            unsafe { _mm512_mask_storeu_epi64(row.as_mut_ptr().cast(), ROW, r) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first and the last constant of the twelve, from FIPS 202's rule by hand.
    #[test]
    fn the_constants_are_those_of_the_standard() {
        assert_eq!(CONSTANTS[0], 0x0000_0000_8000_808b);
        assert_eq!(CONSTANTS[11], 0x8000_0000_8000_8008);
    }

    #[test]
    fn vectors_and_words_make_the_same_permutation() {
        let mut left: [u64; 25] = std::array::from_fn(|i| (i as u64).wrapping_mul(0x9e37_79b9));
        let mut right = left;
        for _ in 0..100 {
            keccak(&mut left);
            portable(&mut right);
            assert_eq!(left, right);
        }
    }
}
