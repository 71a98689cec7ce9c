//! Binary circuits on replicated shares of Z/2^64.
//!
//! Of x = x₀ + x₁ + x₂, party 0 knows u = x₀ + x₁ and parties 1 and 2 know v = x₂: everything about
//! order and bits of x is a question about the carries of u + v. Party 0 inputs each block of four bits
//! of u as a thermometer (the fifteen bits [u ≥ k]). Whether the block carries, [u ≥ 16 - v], is then
//! an inner product with a unit vector that parties 1 and 2 both know, which costs one reshare; so is
//! whether it propagates. A tree over sixteen blocks follows: six rounds for a carry instead of the
//! eight of an adder on bits. Values are bitsliced, 64 to a word.

use super::base::Base;
use crate::engine::Engine;
use crate::error::Result;
use crate::field::{Bits64, Ring, Z64};
use crate::sharing::{Raw, Replicated};

const BLOCKS: usize = 16;
/// Bits of the thermometer of a block.
const MARKS: usize = 15;

/// Rows and columns of a 64×64 matrix of bits exchanged.
fn transpose(block: &mut [u64; 64]) {
    let mut width = 32;
    let mut mask = u64::MAX >> 32;
    while width != 0 {
        let mut row = 0;
        while row < 64 {
            let swap = ((block[row] >> width) ^ block[row + width]) & mask;
            block[row] ^= swap << width;
            block[row + width] ^= swap;
            row = (row + width + 1) & !width;
        }
        width >>= 1;
        mask ^= mask << width;
    }
}

/// Planes of bits: plane i has bit i of each value, 64 values to a word.
struct Planes {
    words: usize,
    bits: Vec<u64>,
}

impl Planes {
    fn of(values: &[u64]) -> Self {
        let words = values.len().div_ceil(64);
        let mut bits = vec![0; 64 * words];
        for (word, chunk) in values.chunks(64).enumerate() {
            let mut block = [0; 64];
            block[..chunk.len()].copy_from_slice(chunk);
            transpose(&mut block);
            for (plane, row) in block.iter().enumerate() {
                bits[plane * words + word] = *row;
            }
        }
        Planes { words, bits }
    }

    fn plane(&self, index: usize) -> &[u64] {
        &self.bits[index * self.words..(index + 1) * self.words]
    }
}

/// What this party knows of x = u + v.
enum Known {
    /// Party 0: x₀ + x₁.
    Left(Vec<u64>),
    /// Parties 1 and 2: x₂.
    Right(Vec<u64>),
}

impl Known {
    fn of(core: &Engine, x: &Raw<Z64>) -> Self {
        match core.me() {
            0 => {
                Known::Left(x.own.iter().zip(&x.next).map(|(a, b)| a.0.wrapping_add(b.0)).collect())
            }
            1 => Known::Right(x.next.iter().map(|v| v.0).collect()),
            _ => Known::Right(x.own.iter().map(|v| v.0).collect()),
        }
    }

    fn map(&self, left: impl Fn(u64) -> u64, right: impl Fn(u64) -> u64) -> Self {
        match self {
            Known::Left(u) => Known::Left(u.iter().map(|u| left(*u)).collect()),
            Known::Right(v) => Known::Right(v.iter().map(|v| right(*v)).collect()),
        }
    }

    fn chain(mut self, other: Self) -> Self {
        match (&mut self, other) {
            (Known::Left(a), Known::Left(b)) | (Known::Right(a), Known::Right(b)) => a.extend(b),
            _ => {}
        }
        self
    }
}

/// Words filled to whole ones, so that halves of a chained vector start at a word.
fn padded(length: usize) -> usize {
    length.div_ceil(64) * 64
}

/// Shares of u's planes (thermometers of blocks), dealt by party 0: one round.
async fn deal(core: &mut Engine, planes: Option<Vec<Bits64>>, count: usize) -> Result<Raw<Bits64>> {
    let dealt = Replicated::deal(core, &[(0, count)], &planes.unwrap_or_default()).await?.pop();
    Ok(dealt.unwrap_or_else(Raw::empty))
}

fn thermometers(u: &[u64]) -> Vec<Bits64> {
    let planes = Planes::of(u);
    let mut out = Vec::with_capacity(BLOCKS * MARKS * planes.words);
    for block in 0..BLOCKS {
        let bit = |i: usize| planes.plane(4 * block + i);
        let (b0, b1, b2, b3) = (bit(0), bit(1), bit(2), bit(3));
        for mark in 1..=MARKS {
            // [b ≥ mark] = [b > mark - 1]: from the lowest bit up, compared with mark - 1.
            let below = mark - 1;
            out.extend((0..planes.words).map(|w| {
                let step = |greater: u64, bit: u64, index: usize| {
                    if below >> index & 1 == 1 { bit & greater } else { bit | greater }
                };
                let greater = step(0, b0[w], 0);
                let greater = step(greater, b1[w], 1);
                let greater = step(greater, b2[w], 2);
                Bits64(step(greater, b3[w], 3))
            }));
        }
    }
    out
}

/// Of each block of v the sixteen words [v = k].
fn units(planes: &Planes, block: usize, word: usize) -> [u64; 16] {
    let bit = |i: usize| planes.plane(4 * block + i)[word];
    let bits = [bit(0), bit(1), bit(2), bit(3)];
    std::array::from_fn(|k| {
        (0..4).fold(u64::MAX, |all, i| all & if k >> i & 1 == 1 { bits[i] } else { !bits[i] })
    })
}

/// Shares of f(u, v) = constant(v) xor XOR_k [u ≥ k]·factor_k(v) for each block, and several such f.
/// Two rounds: the input of u and one reshare.
async fn block_functions<const F: usize>(
    core: &mut Engine,
    known: &Known,
    f: impl Fn(&[u64; 16]) -> [(u64, [u64; 16]); F],
) -> Result<[Raw<Bits64>; F]> {
    let (marks, length) = match known {
        Known::Left(u) => (Some(thermometers(u)), u.len()),
        Known::Right(v) => (None, v.len()),
    };
    let words = length.div_ceil(64);
    let dealt = deal(core, marks, BLOCKS * MARKS * words).await?;
    let size = BLOCKS * words;
    let mut parts = vec![Bits64(0); F * size];
    if let Known::Right(v) = known {
        // Party 1 has the component that was sent as its own, party 2 the derived one as its next.
        let marks = if core.me() == 1 { &dealt.own } else { &dealt.next };
        let planes = Planes::of(v);
        for block in 0..BLOCKS {
            for word in 0..words {
                let functions = f(&units(&planes, block, word));
                for (i, (constant, factors)) in functions.iter().enumerate() {
                    let mut sum = if core.me() == 1 { *constant } else { 0 };
                    for (mark, factor) in factors[1..].iter().enumerate() {
                        let place = (block * MARKS + mark) * words + word;
                        sum ^= marks[place].0 & factor;
                    }
                    parts[i * size + block * words + word] = Bits64(sum);
                }
            }
        }
    }
    let shared = Replicated::reshare(core, parts).await?;
    Ok(std::array::from_fn(|i| shared.range(i * size..(i + 1) * size)))
}

/// One element of a replicated vector from its halves: even and odd blocks.
fn halves(raw: &Raw<Bits64>, words: usize) -> (Raw<Bits64>, Raw<Bits64>) {
    let pick = |odd: usize| -> Vec<usize> {
        let blocks = raw.len() / words.max(1);
        (0..blocks / 2).flat_map(|b| (2 * b + odd) * words..(2 * b + odd + 1) * words).collect()
    };
    (raw.gather(&pick(0)), raw.gather(&pick(1)))
}

async fn products(
    core: &mut Engine,
    pairs: &[(&Raw<Bits64>, &Raw<Bits64>)],
) -> Result<Vec<Raw<Bits64>>> {
    let mut parts = Vec::new();
    for (a, b) in pairs {
        parts.extend(<Replicated as Base<Bits64>>::products(a, b));
    }
    let shared = Replicated::reshare(core, parts).await?;
    let mut start = 0;
    let mut out = Vec::new();
    for (a, _) in pairs {
        out.push(shared.range(start..start + a.len()));
        start += a.len();
    }
    Ok(out)
}

/// The carry out of the 64-bit addition u + v. Six rounds.
async fn carries(core: &mut Engine, known: &Known) -> Result<Raw<Bits64>> {
    let words = match known {
        Known::Left(values) | Known::Right(values) => values.len().div_ceil(64),
    };
    let [mut generate, mut propagate] = block_functions(core, known, |unit| {
        // [u + v ≥ 16] = [u ≥ 16 - v], and [u + v ≥ 15] = [u ≥ 15 - v], 1 where v = 15.
        let carry: [u64; 16] = std::array::from_fn(|k| if k == 0 { 0 } else { unit[16 - k] });
        let full: [u64; 16] = std::array::from_fn(|k| unit[15 - k]);
        let equal = std::array::from_fn(|k| carry[k] ^ full[k]);
        [(0, carry), (unit[15], equal)]
    })
    .await?;
    while generate.len() > words {
        let (low_g, high_g) = halves(&generate, words);
        let (low_p, high_p) = halves(&propagate, words);
        let mut both = products(core, &[(&high_p, &low_g), (&high_p, &low_p)]).await?.into_iter();
        generate = both.next().unwrap_or_else(Raw::empty).add(&high_g);
        propagate = both.next().unwrap_or_else(Raw::empty);
    }
    Ok(generate)
}

/// Bits as integers 0 and 1: b = y + b₂ - 2·y·b₂ with y = b₀ xor b₁. Two rounds.
async fn to_integers(core: &mut Engine, bits: &Raw<Bits64>, length: usize) -> Result<Raw<Z64>> {
    let spread = |words: &[u64]| -> Vec<Z64> {
        let bits = words.iter().flat_map(|word| (0..64).map(move |i| Z64(word >> i & 1)));
        bits.take(length).collect()
    };
    let known: Vec<u64> = match core.me() {
        0 => bits.own.iter().zip(&bits.next).map(|(a, b)| a.0 ^ b.0).collect(),
        1 => bits.next.iter().map(|b| b.0).collect(),
        _ => bits.own.iter().map(|b| b.0).collect(),
    };
    let known = spread(&known);
    let mine: &[Z64] = if core.me() == 0 { &known } else { &[] };
    let left = Replicated::deal(core, &[(0, length)], mine).await?.pop();
    let left = left.unwrap_or_else(Raw::empty);
    let right = component_two(core, known);
    let parts = <Replicated as Base<Z64>>::products(&left, &right);
    let product = Replicated::reshare(core, parts).await?;
    Ok(left.add(&right).sub(&product.map(|value| value + value)))
}

/// Values that parties 1 and 2 know, as component 2 of a sharing.
fn component_two<R: Ring>(core: &Engine, values: Vec<R>) -> Raw<R> {
    let zeros = vec![R::ZERO; values.len()];
    match core.me() {
        0 => Raw { own: zeros.clone(), next: zeros },
        1 => Raw { own: zeros, next: values },
        _ => Raw { own: values, next: zeros },
    }
}

fn whole(mut known: Known) -> (Known, usize) {
    let (Known::Left(values) | Known::Right(values)) = &mut known;
    let length = values.len();
    values.resize(padded(length), 0);
    (known, length)
}

/// 1 where x is negative. Eight rounds.
pub(super) async fn negative(core: &mut Engine, x: &Raw<Z64>) -> Result<Raw<Z64>> {
    // The sign is u₆₃ xor v₆₃ xor the carry into bit 63, which is the carry out of 2u + 2v. Party 0
    // flips what it inputs instead of sharing u₆₃ apart: with u' = u modulo 2^63, the sum u' + v' + s
    // carries. Here the signs are added as further shared bits.
    let (known, length) = whole(Known::of(core, x));
    let carry = carries(core, &known.map(|u| u << 1, |v| v << 1)).await?;
    let signs = sign_planes(&known);
    let raw = match core.me() {
        // u₆₃ is known to party 0 alone, who adds it to what it holds of the result when that is
        // turned to integers; v₆₃ is component 2.
        0 => carry,
        1 => Raw { own: carry.own.clone(), next: xor(&carry.next, &signs) },
        _ => Raw { own: xor(&carry.own, &signs), next: carry.next.clone() },
    };
    to_integers_flipped(core, &raw, length, &signs).await
}

fn xor(a: &[Bits64], b: &[u64]) -> Vec<Bits64> {
    a.iter().zip(b).map(|(a, b)| Bits64(a.0 ^ b)).collect()
}

fn sign_planes(known: &Known) -> Vec<u64> {
    let (Known::Left(values) | Known::Right(values)) = known;
    values
        .chunks(64)
        .map(|chunk| chunk.iter().enumerate().fold(0, |word, (i, value)| word | (value >> 63) << i))
        .collect()
}

/// As [`to_integers`], of the bits xor bits that party 0 alone knows.
async fn to_integers_flipped(
    core: &mut Engine,
    bits: &Raw<Bits64>,
    length: usize,
    flips: &[u64],
) -> Result<Raw<Z64>> {
    if core.me() != 0 {
        return to_integers(core, bits, length).await;
    }
    // Party 0 inputs b₀ xor b₁ xor flip; nobody else uses its components after that.
    let flipped = Raw { own: xor(&bits.own, flips), next: bits.next.clone() };
    to_integers(core, &flipped, length).await
}

/// 1 where x is zero: u equals -v. Eight rounds.
pub(super) async fn zero(core: &mut Engine, x: &Raw<Z64>) -> Result<Raw<Z64>> {
    let (known, length) = whole(Known::of(core, x));
    let known = known.map(|u| u, u64::wrapping_neg);
    let words = padded(length) / 64;
    let [mut equal] = block_functions(core, &known, |unit| {
        // [u = w] = [u ≥ w] xor [u ≥ w + 1], and [u ≥ 0] = 1.
        let factors = std::array::from_fn(|k| if k == 0 { 0 } else { unit[k] ^ unit[k - 1] });
        [(unit[0], factors)]
    })
    .await?;
    while equal.len() > words {
        let (low, high) = halves(&equal, words);
        equal = products(core, &[(&low, &high)]).await?.pop().unwrap_or_else(Raw::empty);
    }
    to_integers(core, &equal, length).await
}

/// x / 2^by rounded down, as a signed integer, 0 < by < 64. Nine rounds.
pub(super) async fn shifted(core: &mut Engine, x: &Raw<Z64>, by: u32) -> Result<Raw<Z64>> {
    // With the offset 2^63 the number is u + v - 2^64·(carry out), and its quotient is
    // (u >> by) + (v >> by) + (carry of the lower bits) - 2^(64-by)·(carry out) - 2^(63-by).
    let (known, length) = whole(Known::of(core, x));
    let known = known.map(|u| u.wrapping_add(1 << 63), |v| v);
    let lower = known.map(|u| u << (64 - by), |v| v << (64 - by));
    let both = known.map(|u| u, |v| v).chain(lower);
    let carry = carries(core, &both).await?;
    let carry = to_integers(core, &carry, 2 * padded(length)).await?;
    let out = carry.range(0..length).map(|carry| carry * Z64(1 << (64 - by)));
    let low = carry.range(padded(length)..padded(length) + length);
    let (Known::Left(mut values) | Known::Right(mut values)) = known;
    values.truncate(length);
    let upper: Vec<Z64> = values.iter().map(|value| Z64(value >> by)).collect();
    // u >> by is known to party 0 as a whole: components 0 and 1 are its own to choose, but parties
    // 1 and 2 hold copies. It is dealt.
    let mine: &[Z64] = if core.me() == 0 { &upper } else { &[] };
    let left = Replicated::deal(core, &[(0, length)], mine).await?.pop();
    let left = left.unwrap_or_else(Raw::empty);
    let right = component_two(core, upper);
    let mut sum = left.add(&right).add(&low).sub(&out);
    sum.add_assign(&constant(core, -Z64(1 << (63 - by)), length));
    Ok(sum)
}

/// A public number as component 0.
fn constant(core: &Engine, value: Z64, length: usize) -> Raw<Z64> {
    let (values, zeros) = (vec![value; length], vec![Z64(0); length]);
    match core.me() {
        0 => Raw { own: values, next: zeros },
        2 => Raw { own: zeros, next: values },
        _ => Raw { own: zeros.clone(), next: zeros },
    }
}

/// x / 2^by, rounded up with the probability of the part cut off and else down, for |x| < 2^62 and
/// 0 < by < 62. Three rounds.
///
/// Party 0 draws a mask r. Parties 1 and 2 open c = x + 2^62 + r modulo 2^64: as r is uniform and unknown
/// to both, c is too. With a = x + 2^62 < 2^63 the addition wraps around exactly where r has its top bit
/// and c has not, and a / 2^by is (c >> by) - (r >> by) + 2^(64-by)·(wrapped around), or one less where
/// the lower part of c is below that of r.
pub(super) async fn truncated(core: &mut Engine, x: &Raw<Z64>, by: u32) -> Result<Raw<Z64>> {
    let length = x.len();
    let mut mine = Vec::new();
    if core.me() == 0 {
        let mut masks = vec![Z64(0); length];
        Z64::fill(&mut crate::stream::Stream::fresh(&mut *core.rng)?, &mut masks);
        mine.extend_from_slice(&masks);
        mine.extend(masks.iter().map(|mask| Z64(mask.0 >> by)));
        mine.extend(masks.iter().map(|mask| Z64(mask.0 >> 63)));
        crate::wipe::wipe(&mut masks);
    }
    let dealt = Replicated::deal(core, &[(0, 3 * length)], &mine).await?.pop();
    crate::wipe::wipe(&mut mine);
    let dealt = dealt.unwrap_or_else(Raw::empty);
    let (mask, shifted, top) = (
        dealt.range(0..length),
        dealt.range(length..2 * length),
        dealt.range(2 * length..3 * length),
    );
    let offset = constant(core, Z64(1 << 62), length);
    let opened = Replicated::open(core, &x.add(&offset).add(&mask), &[false, true, true]).await?;
    let opened = opened.unwrap_or_else(|| vec![Z64(0); length]);
    let not_top = opened.iter().map(|c| Z64(1 - (c.0 >> 63))).collect();
    let not_top = component_two(core, not_top);
    let parts = <Replicated as Base<Z64>>::products(&top, &not_top);
    let wrapped = Replicated::reshare(core, parts).await?;
    let quotient = component_two(core, opened.iter().map(|c| Z64(c.0 >> by)).collect());
    let scale = Z64(1 << (64 - by));
    let mut sum = quotient.sub(&shifted).add(&wrapped.map(|value| value * scale));
    sum.add_assign(&constant(core, -Z64(1 << (62 - by)), length));
    Ok(sum)
}

/// The lowest `count` bits of x as integers, each a vector. Ten rounds.
pub(super) async fn bits(core: &mut Engine, x: &Raw<Z64>, count: u32) -> Result<Vec<Raw<Z64>>> {
    let (known, length) = whole(Known::of(core, x));
    let words = padded(length) / 64;
    let size = 64 * words;
    let planes = match &known {
        Known::Left(values) | Known::Right(values) => Planes::of(values),
    };
    let planes: Vec<Bits64> = planes.bits.into_iter().map(Bits64).collect();
    let mine = if core.me() == 0 { Some(planes.clone()) } else { None };
    let left = deal(core, mine, size).await?;
    let right = component_two(core, planes);
    let sum = left.add(&right);
    // All carries by a prefix network (Kogge, Stone 1973).
    let parts = <Replicated as Base<Bits64>>::products(&left, &right);
    let mut generate = Replicated::reshare(core, parts).await?;
    let mut propagate = sum.clone();
    let mut reach = 1;
    while reach < 64 {
        let high = reach * words..size;
        let low = 0..size - reach * words;
        let (p, lower_g, lower_p) =
            (propagate.range(high.clone()), generate.range(low.clone()), propagate.range(low));
        let mut both = products(core, &[(&p, &lower_g), (&p, &lower_p)]).await?.into_iter();
        let carried = both.next().unwrap_or_else(Raw::empty);
        let mut next = generate.range(0..reach * words);
        next.append(&generate.range(high).add(&carried));
        generate = next;
        let mut next = propagate.range(0..reach * words);
        next.append(&both.next().unwrap_or_else(Raw::empty));
        propagate = next;
        reach *= 2;
    }
    let mut result = sum.range(0..words);
    result.append(&sum.range(words..size).add(&generate.range(0..size - words)));
    let count = count as usize;
    let integers =
        to_integers(core, &result.range(0..count * words), count * padded(length)).await?;
    let start = |bit: usize| bit * padded(length);
    Ok((0..count).map(|bit| integers.range(start(bit)..start(bit) + length)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planes_are_the_bits_of_the_values() {
        let values: Vec<u64> = (0..130u64).map(|i| i.wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect();
        let planes = Planes::of(&values);
        for (i, value) in values.iter().enumerate() {
            for bit in 0..64 {
                assert_eq!(planes.plane(bit)[i / 64] >> (i % 64) & 1, value >> bit & 1);
            }
        }
    }

    #[test]
    fn thermometers_count_up() {
        let values: Vec<u64> = (0..16).collect();
        let marks = thermometers(&values);
        for mark in 1..=MARKS {
            for value in 0..16 {
                let expected = u64::from(value >= mark);
                assert_eq!(marks[mark - 1].0 >> value & 1, expected, "[{value} >= {mark}]");
            }
        }
    }
}
