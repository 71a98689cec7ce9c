//! Butterflies over the field of 2^64 - 2^32 + 1 elements, eight at a time where the processor has AVX-512.
//!
//! Times depend on lengths alone.
//!
//! With e = 2^32 - 1 the field has 2^64 = e and 2^96 = -1. A product hi·2^64 + lo, hi = t·2^32 + m,
//! is lo - t + m·e. Bounds of the steps in `times`, for any 64-bit factors:
//!
//! - al·bl, ah·bl, al·bh, ah·bh ≤ (2^32 - 1)² = 2^64 - 2^33 + 1, so that each has room for two more
//!   numbers below 2^32;
//! - lo - t with a borrow is at least 2^64 - 2^32 + 1 after it, so that e can be taken off;
//! - that plus m·e with a carry is at most 2^64 - 2^33, so that e can be added.

use crate::field::{Goldilocks, portable};

/// Functions that go to those of the same name in `x86` where the processor can run them, and else to those
/// of `field::portable`.
macro_rules! dispatched {
    ($($name:ident($($argument:ident: $type:ty),*);)*) => {$(
        pub(crate) fn $name($($argument: $type),*) {
            #[cfg(target_arch = "x86_64")]
            if is_x86_feature_detected!("avx512f") {
                // SAFETY: the processor has AVX-512F.
                #[allow(unsafe_code)]
                unsafe {
                    x86::$name($($argument),*);
                }
                return;
            }
            portable::$name($($argument),*);
        }
    )*};
}

dispatched! {
    in_frequency(low: &mut [Goldilocks], high: &mut [Goldilocks], root: Option<Goldilocks>);
    in_time(low: &mut [Goldilocks], high: &mut [Goldilocks], root: Option<Goldilocks>);
    in_frequency_each(low: &mut [Goldilocks], high: &mut [Goldilocks], roots: &[Goldilocks]);
    in_time_each(low: &mut [Goldilocks], high: &mut [Goldilocks], roots: &[Goldilocks]);
    last_in_frequency(values: &mut [Goldilocks], roots: &[Goldilocks]);
    first_in_time(values: &mut [Goldilocks], roots: &[Goldilocks]);
    scale(values: &mut [Goldilocks], factor: Goldilocks);
    scale_each(values: &mut [Goldilocks], factors: &[Goldilocks]);
}

#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
mod x86 {
    use std::arch::x86_64::{
        __m512i, __mmask8, _mm512_add_epi64, _mm512_and_si512, _mm512_cmplt_epu64_mask,
        _mm512_loadu_si512, _mm512_mask_add_epi64, _mm512_mask_blend_epi64,
        _mm512_mask_storeu_epi64, _mm512_mask_sub_epi64, _mm512_maskz_loadu_epi64,
        _mm512_min_epu64, _mm512_mul_epu32, _mm512_or_si512, _mm512_permutexvar_epi64,
        _mm512_set1_epi64, _mm512_slli_epi64, _mm512_srli_epi64, _mm512_sub_epi64,
    };

    use crate::field::{Goldilocks, PrimeField, Ring, portable};

    const LANES: usize = 8;

    /// The lanes of the next values, of which there are `left`.
    fn lanes(left: usize) -> __mmask8 {
        if left >= LANES { __mmask8::MAX } else { (1 << left) - 1 }
    }

    struct Constants {
        p: __m512i,
        e: __m512i,
    }

    impl Constants {
        #[inline]
        #[target_feature(enable = "avx512f")]
        fn new() -> Self {
            Constants {
                p: _mm512_set1_epi64((Goldilocks::MODULUS as u64).cast_signed()),
                e: _mm512_set1_epi64(0xffff_ffff),
            }
        }

        #[inline]
        #[target_feature(enable = "avx512f")]
        fn plus(&self, a: __m512i, b: __m512i) -> __m512i {
            // a - (P - b) never overflows upwards; the borrow says that a + b is below P.
            let complement = _mm512_sub_epi64(self.p, b);
            let less = _mm512_sub_epi64(a, complement);
            let borrow = _mm512_cmplt_epu64_mask(a, complement);
            _mm512_mask_add_epi64(less, borrow, less, self.p)
        }

        #[inline]
        #[target_feature(enable = "avx512f")]
        fn minus(&self, a: __m512i, b: __m512i) -> __m512i {
            let less = _mm512_sub_epi64(a, b);
            let borrow = _mm512_cmplt_epu64_mask(a, b);
            _mm512_mask_add_epi64(less, borrow, less, self.p)
        }

        #[inline]
        #[target_feature(enable = "avx512f")]
        fn times(&self, a: __m512i, b: __m512i) -> __m512i {
            let (a_high, b_high) = (_mm512_srli_epi64::<32>(a), _mm512_srli_epi64::<32>(b));
            let bottom = _mm512_mul_epu32(a, b);
            let left = _mm512_mul_epu32(a_high, b);
            let right = _mm512_mul_epu32(a, b_high);
            let top = _mm512_mul_epu32(a_high, b_high);
            let left = _mm512_add_epi64(left, _mm512_srli_epi64::<32>(bottom));
            let right = _mm512_add_epi64(right, _mm512_and_si512(left, self.e));
            let low =
                _mm512_or_si512(_mm512_slli_epi64::<32>(right), _mm512_and_si512(bottom, self.e));
            let high = _mm512_add_epi64(
                _mm512_add_epi64(top, _mm512_srli_epi64::<32>(left)),
                _mm512_srli_epi64::<32>(right),
            );
            let t = _mm512_srli_epi64::<32>(high);
            let borrow = _mm512_cmplt_epu64_mask(low, t);
            let sum = _mm512_sub_epi64(low, t);
            let sum = _mm512_mask_sub_epi64(sum, borrow, sum, self.e);
            let middle = _mm512_mul_epu32(high, self.e);
            let sum = _mm512_add_epi64(sum, middle);
            let carry = _mm512_cmplt_epu64_mask(sum, middle);
            let sum = _mm512_mask_add_epi64(sum, carry, sum, self.e);
            // Below P the difference wraps to more than the sum.
            _mm512_min_epu64(sum, _mm512_sub_epi64(sum, self.p))
        }
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn all(value: Goldilocks) -> __m512i {
        _mm512_set1_epi64((value.to_u128() as u64).cast_signed())
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn load(values: &[Goldilocks]) -> __m512i {
        // SAFETY: the mask admits as many words as there are values, which are words (transparent).
        unsafe { _mm512_maskz_loadu_epi64(lanes(values.len()), values.as_ptr().cast()) }
    }

    /// Stores lanes that are below the prime.
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn store(values: &mut [Goldilocks], value: __m512i) {
        // SAFETY: the mask admits as many words as there are values, which are words (transparent).
        unsafe { _mm512_mask_storeu_epi64(values.as_mut_ptr().cast(), lanes(values.len()), value) }
    }

    #[target_feature(enable = "avx512f")]
    pub(super) fn in_frequency(
        low: &mut [Goldilocks],
        high: &mut [Goldilocks],
        root: Option<Goldilocks>,
    ) {
        let Some(root) = root else { return sum_and_difference(low, high) };
        let (field, root) = (Constants::new(), all(root));
        for (low, high) in low.chunks_mut(LANES).zip(high.chunks_mut(LANES)) {
            let (a, b) = (load(low), load(high));
            store(low, field.plus(a, b));
            store(high, field.times(field.minus(a, b), root));
        }
    }

    #[target_feature(enable = "avx512f")]
    pub(super) fn in_time(
        low: &mut [Goldilocks],
        high: &mut [Goldilocks],
        root: Option<Goldilocks>,
    ) {
        let Some(root) = root else { return sum_and_difference(low, high) };
        let (field, root) = (Constants::new(), all(root));
        for (low, high) in low.chunks_mut(LANES).zip(high.chunks_mut(LANES)) {
            let (a, b) = (load(low), field.times(load(high), root));
            store(low, field.plus(a, b));
            store(high, field.minus(a, b));
        }
    }

    #[target_feature(enable = "avx512f")]
    fn sum_and_difference(low: &mut [Goldilocks], high: &mut [Goldilocks]) {
        let field = Constants::new();
        for (low, high) in low.chunks_mut(LANES).zip(high.chunks_mut(LANES)) {
            let (a, b) = (load(low), load(high));
            store(low, field.plus(a, b));
            store(high, field.minus(a, b));
        }
    }

    #[target_feature(enable = "avx512f")]
    pub(super) fn in_frequency_each(
        low: &mut [Goldilocks],
        high: &mut [Goldilocks],
        roots: &[Goldilocks],
    ) {
        let field = Constants::new();
        let pairs = low.chunks_mut(LANES).zip(high.chunks_mut(LANES));
        for ((low, high), roots) in pairs.zip(roots.chunks(LANES)) {
            let (a, b) = (load(low), load(high));
            store(low, field.plus(a, b));
            store(high, field.times(field.minus(a, b), load(roots)));
        }
    }

    #[target_feature(enable = "avx512f")]
    pub(super) fn in_time_each(
        low: &mut [Goldilocks],
        high: &mut [Goldilocks],
        roots: &[Goldilocks],
    ) {
        let field = Constants::new();
        let pairs = low.chunks_mut(LANES).zip(high.chunks_mut(LANES));
        for ((low, high), roots) in pairs.zip(roots.chunks(LANES)) {
            let (a, b) = (load(low), field.times(load(high), load(roots)));
            store(low, field.plus(a, b));
            store(high, field.minus(a, b));
        }
    }

    /// The butterflies within a register that are so many lanes apart: the lanes of the upper halves,
    /// the way to each lane's partner, and the roots of the upper halves.
    struct Within {
        upper: __mmask8,
        partners: __m512i,
        roots: __m512i,
    }

    impl Within {
        #[inline]
        #[target_feature(enable = "avx512f")]
        fn new(half: usize, roots: &[Goldilocks]) -> Self {
            let upper = (0..LANES).fold(0, |mask, i| mask | __mmask8::from(i & half != 0) << i);
            let partners: [u64; LANES] = std::array::from_fn(|i| (i ^ half) as u64);
            let roots: [Goldilocks; LANES] = std::array::from_fn(|i| roots[half - 1 + i % half]);
            // SAFETY: 64 bytes are readable, and the load needs no alignment.
            let partners = unsafe { _mm512_loadu_si512(partners.as_ptr().cast()) };
            Within { upper, partners, roots: load(&roots) }
        }
    }

    #[target_feature(enable = "avx512f")]
    pub(super) fn last_in_frequency(values: &mut [Goldilocks], roots: &[Goldilocks]) {
        if values.len() < LANES {
            return portable::last_in_frequency(values, roots);
        }
        let field = Constants::new();
        let stages = [Within::new(4, roots), Within::new(2, roots), Within::new(1, roots)];
        for values in values.chunks_exact_mut(LANES) {
            let mut own = load(values);
            for Within { upper, partners, roots } in &stages {
                let other = _mm512_permutexvar_epi64(*partners, own);
                let turned = field.times(field.minus(other, own), *roots);
                own = _mm512_mask_blend_epi64(*upper, field.plus(own, other), turned);
            }
            store(values, own);
        }
    }

    #[target_feature(enable = "avx512f")]
    pub(super) fn first_in_time(values: &mut [Goldilocks], roots: &[Goldilocks]) {
        if values.len() < LANES {
            return portable::first_in_time(values, roots);
        }
        let field = Constants::new();
        let stages = [Within::new(1, roots), Within::new(2, roots), Within::new(4, roots)];
        for values in values.chunks_exact_mut(LANES) {
            let mut own = load(values);
            for Within { upper, partners, roots } in &stages {
                // The upper halves turned, the lower ones as they are.
                own = _mm512_mask_blend_epi64(*upper, own, field.times(own, *roots));
                let other = _mm512_permutexvar_epi64(*partners, own);
                let (sum, difference) = (field.plus(own, other), field.minus(other, own));
                own = _mm512_mask_blend_epi64(*upper, sum, difference);
            }
            store(values, own);
        }
    }

    #[target_feature(enable = "avx512f")]
    pub(super) fn scale(values: &mut [Goldilocks], factor: Goldilocks) {
        let (field, factor) = (Constants::new(), all(factor));
        for values in values.chunks_mut(LANES) {
            store(values, field.times(load(values), factor));
        }
    }

    #[target_feature(enable = "avx512f")]
    pub(super) fn scale_each(values: &mut [Goldilocks], factors: &[Goldilocks]) {
        let field = Constants::new();
        for (values, factors) in values.chunks_mut(LANES).zip(factors.chunks(LANES)) {
            store(values, field.times(load(values), load(factors)));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::field::{NttField, PrimeField, Ring};

    /// Elements, of which many are where carries happen.
    fn element() -> impl Strategy<Value = Goldilocks> {
        let edges = [0u64, 1, 0xffff_fffe, 0xffff_ffff, 1 << 32, (1 << 32) + 1, 1 << 63];
        let edge = proptest::sample::select(edges.to_vec());
        let top = (0u64..5).prop_map(|k| Goldilocks::MODULUS as u64 - 1 - k);
        prop_oneof![any::<u64>(), edge, top].prop_map(|value| Goldilocks::from_u128(value.into()))
    }

    proptest! {
        #[test]
        fn vectors_and_words_make_the_same_butterflies(
            pairs in proptest::collection::vec((element(), element()), 0..40),
            root in element(),
        ) {
            let (low, high): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
            type Butterfly = fn(&mut [Goldilocks], &mut [Goldilocks], Option<Goldilocks>);
            let both: [[Butterfly; 2]; 2] = [
                [Goldilocks::in_frequency, portable::in_frequency],
                [Goldilocks::in_time, portable::in_time],
            ];
            for ([dispatched, plain], root) in
                both.into_iter().flat_map(|both| [(both, Some(root)), (both, None)])
            {
                let (mut left, mut right) = ((low.clone(), high.clone()), (low.clone(), high.clone()));
                dispatched(&mut left.0, &mut left.1, root);
                plain(&mut right.0, &mut right.1, root);
                prop_assert_eq!(left, right);
            }
            type Each = fn(&mut [Goldilocks], &mut [Goldilocks], &[Goldilocks]);
            let both: [[Each; 2]; 2] = [
                [Goldilocks::in_frequency_each, portable::in_frequency_each],
                [Goldilocks::in_time_each, portable::in_time_each],
            ];
            let roots: Vec<_> = low.iter().map(|value| *value * root).collect();
            for [dispatched, plain] in both {
                let (mut left, mut right) = ((low.clone(), high.clone()), (low.clone(), high.clone()));
                dispatched(&mut left.0, &mut left.1, &roots);
                plain(&mut right.0, &mut right.1, &roots);
                prop_assert_eq!(left, right);
            }
            let (mut left, mut right) = (low.clone(), low);
            Goldilocks::scale(&mut left, root);
            portable::scale(&mut right, root);
            prop_assert_eq!(&left, &right);
            Goldilocks::scale_each(&mut left, &high);
            portable::scale_each(&mut right, &high);
            prop_assert_eq!(left, right);
        }

        #[test]
        fn vectors_and_words_make_the_same_short_stages(
            values in proptest::collection::vec(element(), 64),
            mut roots in proptest::collection::vec(element(), 7),
        ) {
            roots[0] = Goldilocks::ONE;
            for length in [1, 2, 4, 8, 16, 64] {
                let (mut left, mut right) = (values[..length].to_vec(), values[..length].to_vec());
                Goldilocks::last_in_frequency(&mut left, &roots);
                portable::last_in_frequency(&mut right, &roots);
                prop_assert_eq!(&left, &right);
                Goldilocks::first_in_time(&mut left, &roots);
                portable::first_in_time(&mut right, &roots);
                prop_assert_eq!(left, right);
            }
        }
    }
}
