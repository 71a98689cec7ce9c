//! Products of many numbers: sums, groups and weighted sums of ciphertexts.
//!
//! [`products`] multiplies any lists of numbers with all lanes busy. [`weighted_vartime`] is
//! Pippenger's bucket method on top of it (SIAM J. Comput. 9, 1980), [`weighted`] is Straus's
//! interleaved windows (1964) with masked table scans, whose time is independent of the weights.

use super::lanes::Batch;
use super::nat;
use super::ring::Ring;
use super::words::Words;

/// The product of all numbers, as a batch of one.
pub(crate) fn product(ring: &Ring, numbers: &Batch) -> Batch {
    let lanes = ring.lanes();
    let mut scratch = ring.scratch();
    let mut acc = ring.one().clone();
    let whole = numbers.len() / lanes;
    for block in numbers.blocks().take(whole) {
        ring.mul_assign(&mut acc, block, &mut scratch);
    }
    if let Some(last) = numbers.blocks().nth(whole) {
        let mut rest = ring.one().clone();
        for lane in 0..numbers.len() % lanes {
            ring.copy_lane(&mut rest, lane, last, lane);
        }
        ring.mul_assign(&mut acc, &rest, &mut scratch);
    }
    fold(ring, acc)
}

/// The product of all lanes of an element, as a batch of one.
fn fold(ring: &Ring, mut acc: Words) -> Batch {
    let mut scratch = ring.scratch();
    let mut width = ring.lanes();
    while width > 1 {
        let mut half = ring.one().clone();
        for lane in 0..width / 2 {
            ring.copy_lane(&mut half, lane, &acc, lane + width.div_ceil(2));
        }
        ring.mul_assign(&mut acc, &half, &mut scratch);
        width = width.div_ceil(2);
    }
    let mut out = Batch::zeroed(ring, 1);
    if let Some(block) = out.blocks_mut().next() {
        ring.copy_lane(block, 0, &acc, 0);
    }
    out
}

/// The product of each list of positions in `numbers`; 1 for an empty list.
///
/// # Timing
///
/// Depends on the lists, not on the numbers.
pub(crate) fn products(ring: &Ring, numbers: &Batch, lists: &[Vec<u32>]) -> Batch {
    let lanes = ring.lanes();
    // Long lists are cut, so that the lanes end together.
    let total: usize = lists.iter().map(Vec::len).sum();
    let most = (total / (4 * lanes)).max(4);
    if lists.iter().any(|list| list.len() > 2 * most) {
        let mut parts = Vec::new();
        let mut joins = Vec::new();
        for list in lists {
            let start = parts.len() as u32;
            parts.extend(list.chunks(most).map(<[u32]>::to_vec));
            joins.push((start..parts.len() as u32).collect());
        }
        let parts = products(ring, numbers, &parts);
        return products(ring, &parts, &joins);
    }
    let mut out = Batch::ones(ring, lists.len());
    let mut order: Vec<usize> = (0..lists.len()).filter(|i| !lists[*i].is_empty()).collect();
    order.sort_by_key(|i| std::cmp::Reverse(lists[*i].len()));
    let mut scratch = ring.scratch();
    let mut holder = Batch::zeroed(ring, lanes);
    for group in order.chunks(lanes) {
        let longest = group.first().map_or(0, |i| lists[*i].len());
        let mut acc = Batch::ones(ring, lanes);
        for step in 0..longest {
            let mut factor = Batch::ones(ring, lanes);
            for (lane, list) in group.iter().enumerate() {
                if let Some(from) = lists[*list].get(step) {
                    let to = if step == 0 { &mut acc } else { &mut factor };
                    to.copy_from(ring, lane, numbers, *from as usize);
                }
            }
            if step > 0 {
                let (Some(a), Some(b)) = (acc.blocks_mut().next(), factor.blocks().next()) else {
                    continue;
                };
                ring.mul_assign(a, b, &mut scratch);
            }
        }
        std::mem::swap(&mut holder, &mut acc);
        for (lane, list) in group.iter().enumerate() {
            out.copy_from(ring, *list, &holder, lane);
        }
    }
    out
}

/// `∏ numbers[i]^weights[i]`, as a batch of one, for weights of any number of words.
///
/// # Timing
///
/// Depends on the weights, which must be public.
pub(crate) fn weighted_vartime(ring: &Ring, numbers: &Batch, weights: &[&[u64]]) -> Batch {
    let bits = weights.iter().map(|w| nat::bits(w)).max().unwrap_or(0) as usize;
    let used = weights.iter().filter(|w| nat::bits(w) != 0).count();
    let lanes = ring.lanes();
    // Products: those into buckets, and two for each bucket, of all windows.
    let cost = |w: usize| bits.div_ceil(w) * (used + (2 << w) + 3 * lanes * w);
    let window = (1..=12).min_by_key(|w| cost(*w)).unwrap_or(1);
    let windows = bits.div_ceil(window).max(1);
    let buckets = (1usize << window) - 1;

    let mut lists = vec![Vec::new(); windows * buckets];
    for (i, weight) in weights.iter().enumerate() {
        for w in 0..windows {
            let digit = nat::bits_at(weight, w * window, window) as usize;
            if digit != 0 {
                lists[w * buckets + digit - 1].push(i as u32);
            }
        }
    }
    let filled = products(ring, numbers, &lists);

    // ∏ bucket[d]^d of each window. The buckets of a window are cut into segments that lanes work
    // on side by side: within a segment from the top, run ← run·bucket and sum ← sum·run; the
    // segment that starts at bucket s counts sum·run^s.
    let segments = windows * lanes;
    let length = buckets.div_ceil(lanes);
    let mut run = Batch::ones(ring, segments);
    let mut sum = Batch::ones(ring, segments);
    for step in (0..length).rev() {
        let mut next = Batch::ones(ring, segments);
        for segment in 0..segments {
            let (w, at) = (segment / lanes, segment % lanes * length + step);
            if at < buckets {
                next.copy_from(ring, segment, &filled, w * buckets + at);
            }
        }
        run.mul_assign(ring, &next);
        sum.mul_assign(ring, &run);
    }
    let offsets: Vec<u64> = (0..segments).map(|s| (s % lanes * length) as u64).collect();
    let offset_bits = (64 - ((lanes * length) as u64).leading_zeros()) as usize;
    let mut shifted = Batch::ones(ring, segments);
    for bit in (0..offset_bits).rev() {
        let again = shifted.clone();
        shifted.mul_assign(ring, &again);
        let mut next = Batch::ones(ring, segments);
        for (segment, offset) in offsets.iter().enumerate() {
            if offset >> bit & 1 == 1 {
                next.copy_from(ring, segment, &run, segment);
            }
        }
        shifted.mul_assign(ring, &next);
    }
    sum.mul_assign(ring, &shifted);
    let joins: Vec<Vec<u32>> =
        (0..windows).map(|w| (0..lanes).map(|l| (w * lanes + l) as u32).collect()).collect();
    let of_window = products(ring, &sum, &joins);

    let mut acc = Batch::ones(ring, 1);
    for w in (0..windows).rev() {
        if w + 1 < windows {
            for _ in 0..window {
                let again = acc.clone();
                acc.mul_assign(ring, &again);
            }
        }
        acc.mul_assign(ring, &of_window.gather(ring, [w].into_iter()));
    }
    acc
}

/// `∏ numbers[i]^weights[i]`, as a batch of one, for weights of up to `bits` bits.
///
/// # Timing
///
/// Depends on the number of weights and on `bits` alone.
pub(crate) fn weighted(ring: &Ring, numbers: &Batch, weights: &[u64], bits: usize) -> Batch {
    let lanes = ring.lanes();
    let window = if bits <= 8 { 2 } else { 3 };
    let mut scratch = ring.scratch();
    let stride = ring.element_words();
    let tables: Vec<Words> =
        numbers.blocks().map(|block| ring.powers(block, 1 << window, &mut scratch)).collect();
    let mut acc = ring.one().clone();
    let mut factor = Words::zeroed(stride);
    let windows = bits.div_ceil(window);
    for w in (0..windows).rev() {
        if w + 1 < windows {
            for _ in 0..window {
                ring.square_assign(&mut acc, &mut scratch);
            }
        }
        for (block, table) in tables.iter().enumerate() {
            let mut index = [0; 8];
            for (lane, index) in index.iter_mut().enumerate().take(lanes) {
                // A lane without a number takes the entry 0, which is 1.
                let weight = weights.get(block * lanes + lane).copied().unwrap_or(0);
                *index = nat::bits_at(&[weight], w * window, window);
            }
            ring.select(&mut factor, table, &index);
            ring.mul_assign(&mut acc, &factor, &mut scratch);
        }
    }
    fold(ring, acc)
}

#[cfg(test)]
mod tests {
    use num_bigint::BigUint;
    use proptest::prelude::*;

    use super::super::comb::Comb;
    use super::super::invert;
    use super::super::{Backend, Nat};
    use super::*;

    fn load(ring: &Ring, values: &[BigUint]) -> Batch {
        let values: Vec<Nat> = values.iter().map(Nat::from_big).collect();
        Batch::load(ring, &values.iter().map(|x| &x[..]).collect::<Vec<_>>())
    }

    fn only(ring: &Ring, batch: &Batch) -> BigUint {
        assert_eq!(batch.len(), 1);
        batch.store(ring)[0].to_big()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]
        #[test]
        fn products_and_powers_agree_with_big_integers(
            values in prop::collection::vec(any::<[u64; 16]>(), 1..70),
            weights in prop::collection::vec(prop_oneof![Just(0u64), 0u64..1 << 16, any::<u64>()], 70),
            keys in prop::collection::vec(0usize..5, 70),
            portable in any::<bool>(),
        ) {
            let n = (BigUint::from(1u8) << 521u32) - 1u8;
            let square = &n * &n;
            let backend = if portable { Backend::Portable } else { Backend::best() };
            let ring = Ring::new(backend, &[&Nat::from_big(&n)], true, 1100);
            let values: Vec<BigUint> =
                values.iter().map(|v| nat::words_to_big(v) % &square + 1u8).collect();
            let batch = load(&ring, &values);
            let weights = &weights[..values.len()];
            let expected = values.iter().zip(weights).fold(BigUint::from(1u8), |p, (v, w)| {
                p * v.modpow(&BigUint::from(*w), &square) % &square
            });
            prop_assert_eq!(only(&ring, &weighted(&ring, &batch, weights, 64)), expected.clone());
            let each: Vec<&[u64]> = weights.iter().map(std::slice::from_ref).collect();
            prop_assert_eq!(only(&ring, &weighted_vartime(&ring, &batch, &each)), expected);
            let long: Vec<&[u64]> = weights.windows(3).collect();
            let first = batch.gather(&ring, 0..long.len());
            let expected = values.iter().zip(&long).fold(BigUint::from(1u8), |p, (v, w)| {
                p * v.modpow(&nat::words_to_big(w), &square) % &square
            });
            prop_assert_eq!(only(&ring, &weighted_vartime(&ring, &first, &long)), expected);
            let all = values.iter().fold(BigUint::from(1u8), |p, v| p * v % &square);
            prop_assert_eq!(only(&ring, &product(&ring, &batch)), all);

            let mut lists = vec![Vec::new(); 5];
            let mut groups = vec![BigUint::from(1u8); 5];
            for (i, v) in values.iter().enumerate() {
                lists[keys[i]].push(i as u32);
                groups[keys[i]] = &groups[keys[i]] * v % &square;
            }
            for (a, b) in products(&ring, &batch, &lists).store(&ring).iter().zip(groups) {
                prop_assert_eq!(a.to_big(), b);
            }

            let blind = Nat::from_big(&BigUint::from(weights[0] | 1));
            let inverse = invert::invert(&ring, &batch, &blind).unwrap();
            for (a, v) in inverse.store(&ring).iter().zip(&values) {
                prop_assert_eq!(a.to_big() * v % &square, BigUint::from(1u8));
            }
        }

        #[test]
        fn combs_agree_with_big_integers(
            exponents in prop::collection::vec(any::<[u64; 5]>(), 1..20),
            bits in prop_oneof![Just(320usize), 250usize..320],
            bytes in 0usize..600_000,
            portable in any::<bool>(),
        ) {
            let p = (BigUint::from(1u8) << 521u32) - 1u8;
            let q = (BigUint::from(1u8) << 607u32) - 1u8;
            let backend = if portable { Backend::Portable } else { Backend::best() };
            let moduli = [Nat::from_big(&p), Nat::from_big(&q)];
            let exponents: Vec<Nat> = exponents.iter().map(|e| {
                Nat::from_big(&(nat::words_to_big(e) % (BigUint::from(1u8) << bits)))
            }).collect();
            for pair in [false, true] {
                let ring = Ring::new(backend, &[&moduli[0], &moduli[1]], pair, 1300);
                let base = BigUint::from(3u8).pow(100);
                let base_nat = Nat::from_big(&base);
                let mut scratch = ring.scratch();
                let element = ring.load(&vec![&base_nat[..]; ring.lanes()], &mut scratch);
                let comb = Comb::new(&ring, &element, bits, bytes);
                let powers = comb.pow(&ring, exponents.len(), |i| &exponents[i]);
                for (i, power) in powers.store(&ring).iter().enumerate() {
                    let n = if ring.modulus_index(i % ring.lanes()) == 0 { &p } else { &q };
                    let m = if pair { n * n } else { n.clone() };
                    prop_assert_eq!(power.to_big(), base.modpow(&exponents[i].to_big(), &m));
                }
            }
        }
    }
}
