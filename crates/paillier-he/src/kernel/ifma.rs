//! The backend for processors with AVX-512 IFMA: digits of 52 bits, eight lanes side by side.
//!
//! Digit `j` of the eight lanes fills the vector `j` of a component. Columns of a product are sums
//! of 64 bits that are carried once, at the end: with L digits a column holds at most 8L halves
//! of products below 2^52 each, so L ≤ 511 leaves no overflow. A product is taken four multiplier
//! digits at a time: each digit of the other factor is loaded once for the eight multiplications
//! it takes part in.
//!
//! Bounds are those of the [ring](super::ring): R = 2^(52L) ≥ 16N and operands at most 2N + 2.

#![allow(unsafe_code, reason = "vector loads and stores")]

use std::arch::x86_64::*;

use super::words::Words;

/// Digits of a multiplier that are taken together; the number of digits is a multiple.
pub(super) const BLOCK: usize = 4;

/// The most digits whose columns cannot overflow.
pub(super) const MOST_DIGITS: usize = 508;

const MASK: i64 = (1 << 52) - 1;

/// The proof that the processor has the instructions.
#[derive(Clone, Copy)]
pub(crate) struct Ifma(());

impl Ifma {
    /// The proof, if the processor has the instructions.
    pub(crate) fn detect() -> Option<Self> {
        let found = is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512ifma");
        found.then_some(Ifma(()))
    }
}

/// Eight moduli of `digits` digits, and the space to multiply in.
pub(super) struct Lanes<'a> {
    pub(super) ifma: Ifma,
    pub(super) digits: usize,
    /// `8·digits` words.
    pub(super) n: &'a [u64],
    /// `-n⁻¹ mod 2^52` of each lane.
    pub(super) k0: &'a [u64],
    /// At least `16·digits` words.
    pub(super) t: &'a mut [u64],
    /// At least `8·digits` words: the quotient of the last reduction.
    pub(super) q: &'a mut [u64],
}

type V = __m512i;

impl Lanes<'_> {
    /// Panics unless every slice is as long as the kernels read or write it.
    fn check(&self, operands: &[&[u64]]) {
        let Ifma(()) = self.ifma;
        let (digits, words) = (self.digits, self.digits * 8);
        assert!(digits.is_multiple_of(BLOCK) && (2 * BLOCK..=MOST_DIGITS).contains(&digits));
        assert!(self.n.len() >= words && self.k0.len() >= 8);
        assert!(self.t.len() >= 2 * words && self.q.len() >= words);
        assert!(operands.iter().all(|operand| operand.len() >= words));
    }

    /// `out = a·b/R mod n`; leaves the quotient.
    pub(super) fn mul(&mut self, out: &mut [u64], a: &[u64], b: &[u64]) {
        self.check(&[out, a, b]);
        self.t[..8 * self.digits].fill(0);
        // SAFETY: `self.ifma` proves the instructions, `check` the lengths.
        unsafe {
            let t = self.t.as_mut_ptr().cast();
            multiply::<true>(t, a.as_ptr().cast(), b.as_ptr().cast(), self.digits);
            self.reduce(out.as_mut_ptr().cast());
        }
    }

    /// `out = a²/R mod n`; leaves the quotient.
    pub(super) fn square(&mut self, out: &mut [u64], a: &[u64]) {
        self.check(&[out, a]);
        self.t[..16 * self.digits].fill(0);
        // SAFETY: as in `mul`.
        unsafe {
            square(self.t.as_mut_ptr().cast(), a.as_ptr().cast(), self.digits);
            self.reduce(out.as_mut_ptr().cast());
        }
    }

    /// `out = (a·b + c·d + q)/R mod n`, where `q` is the quotient left before.
    pub(super) fn cross(&mut self, out: &mut [u64], [a, b, c, d]: [&[u64]; 4]) {
        self.check(&[out, a, b, c, d]);
        let words = 8 * self.digits;
        self.t[..words].copy_from_slice(&self.q[..words]);
        // SAFETY: as in `mul`.
        unsafe {
            let t = self.t.as_mut_ptr().cast();
            multiply::<true>(t, a.as_ptr().cast(), b.as_ptr().cast(), self.digits);
            multiply::<false>(t, c.as_ptr().cast(), d.as_ptr().cast(), self.digits);
            self.reduce(out.as_mut_ptr().cast());
        }
    }

    /// `out = (2a·b + q)/R mod n`, where `q` is the quotient left before; `doubled` is space for
    /// `2a`.
    pub(super) fn cross_doubled(
        &mut self,
        out: &mut [u64],
        a: &[u64],
        b: &[u64],
        doubled: &mut [u64],
    ) {
        self.check(&[out, a, b, doubled]);
        let words = 8 * self.digits;
        self.t[..words].copy_from_slice(&self.q[..words]);
        // SAFETY: as in `mul`.
        unsafe {
            let t = self.t.as_mut_ptr().cast();
            double(doubled.as_mut_ptr().cast(), a.as_ptr().cast(), self.digits);
            multiply::<true>(t, b.as_ptr().cast(), doubled.as_ptr().cast(), self.digits);
            self.reduce(out.as_mut_ptr().cast());
        }
    }

    /// # Safety
    ///
    /// `out` has `digits` vectors, and `check` has passed.
    unsafe fn reduce(&mut self, out: *mut V) {
        // SAFETY: the caller's promise; `self.ifma` proves the instructions.
        unsafe {
            reduce(
                out,
                self.q.as_mut_ptr().cast(),
                self.t.as_mut_ptr().cast(),
                self.n.as_ptr().cast(),
                _mm512_loadu_si512(self.k0.as_ptr().cast()),
                self.digits,
            );
        }
    }
}

/// In each lane the entry whose number the lane's index names; every entry is read.
///
/// `table` holds the entries one after another, each as long as `out`.
pub(super) fn select(_: Ifma, out: &mut [u64], table: &[u64], index: &[u64; 8]) {
    assert!(out.len().is_multiple_of(8) && table.len().is_multiple_of(out.len()));
    // SAFETY: the token proves the instructions, the assertion the lengths.
    unsafe { select_entries(out, table, index) }
}

/// In each lane the entry whose number the lane's index names, from a table that all lanes share
/// in the layout of [`shared_table`].
pub(super) fn select_shared(_: Ifma, out: &mut [u64], table: &[u64], index: &[u64; 8]) {
    assert!(out.len().is_multiple_of(8) && table.len().is_multiple_of(2 * out.len()));
    // SAFETY: the token proves the instructions, the assertion the lengths.
    unsafe { select_shared_entries(out, table, index) }
}

/// Entries of `digits` words each, in groups of sixteen and digit by digit within a group, as
/// [`select_shared`] reads them. Entries that are missing in the last group are zero.
pub(super) fn shared_table(entries: &[Vec<u64>], digits: usize) -> Words {
    let mut table = Words::zeroed(entries.len().div_ceil(16) * 16 * digits);
    for (i, entry) in entries.iter().enumerate() {
        for (j, digit) in entry.iter().enumerate() {
            table[((i / 16) * digits + j) * 16 + i % 16] = *digit;
        }
    }
    table
}

#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn lo(sum: V, a: V, b: V) -> V {
    _mm512_madd52lo_epu64(sum, a, b)
}

#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn hi(sum: V, a: V, b: V) -> V {
    _mm512_madd52hi_epu64(sum, a, b)
}

#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
unsafe fn load(at: *const V) -> V {
    // SAFETY: the caller's promise.
    unsafe { _mm512_loadu_si512(at) }
}

#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
unsafe fn store(at: *mut V, v: V) {
    // SAFETY: the caller's promise.
    unsafe { _mm512_storeu_si512(at, v) }
}

/// Sums the products into one accumulator.
macro_rules! column {
    ($acc:expr; $($part:ident($a:expr, $b:expr)),*) => {{
        let mut acc = $acc;
        $(acc = $part(acc, $a, $b);)*
        acc
    }};
}

/// `t += a·b`; with `FRESH` the upper half of `t` is written instead of added to.
///
/// # Safety
///
/// `a` and `b` have `len` vectors, `t` twice as many; `len` is a multiple of [`BLOCK`].
#[target_feature(enable = "avx512f,avx512ifma")]
unsafe fn multiply<const FRESH: bool>(t: *mut V, a: *const V, b: *const V, len: usize) {
    let mut i = 0;
    while i < len {
        // SAFETY: i + 3 < len; rows write t[i..i + len + 4], and i + 4 ≤ len.
        unsafe {
            let b = [load(b.add(i)), load(b.add(i + 1)), load(b.add(i + 2)), load(b.add(i + 3))];
            rows::<FRESH>(t.add(i), a, len, b);
        }
        i += BLOCK;
    }
}

/// `t[0..len + 4] += a[0..len]·b`; with `FRESH` the last four columns are written.
///
/// # Safety
///
/// `a` has `len` vectors, a positive multiple of 4, and `t` four more.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
unsafe fn rows<const FRESH: bool>(t: *mut V, a: *const V, len: usize, b: [V; 4]) {
    let [b0, b1, b2, b3] = b;
    // SAFETY: the first four columns exist.
    unsafe {
        let (x0, x1, x2, x3) = (load(a), load(a.add(1)), load(a.add(2)), load(a.add(3)));
        let c0 = column!(load(t); lo(x0, b0));
        let c1 = column!(load(t.add(1)); lo(x1, b0), hi(x0, b0), lo(x0, b1));
        let c2 =
            column!(load(t.add(2)); lo(x2, b0), hi(x1, b0), lo(x1, b1), hi(x0, b1), lo(x0, b2));
        let c3 = column!(load(t.add(3)); lo(x3, b0), hi(x2, b0), lo(x2, b1), hi(x1, b1), lo(x1, b2),
            hi(x0, b2), lo(x0, b3));
        store(t, c0);
        store(t.add(1), c1);
        store(t.add(2), c2);
        store(t.add(3), c3);
        columns::<FRESH>(t, a, 4, len, b, [x0, x1, x2, x3]);
    }
}

/// The columns of [`rows`] from `from` on, given the four digits of `a` before it.
///
/// # Safety
///
/// As for [`rows`], with `from` a multiple of 4, at most `len`.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
unsafe fn columns<const FRESH: bool>(
    t: *mut V,
    a: *const V,
    from: usize,
    len: usize,
    [b0, b1, b2, b3]: [V; 4],
    [mut p0, mut p1, mut p2, mut p3]: [V; 4],
) {
    let mut c = from;
    while c < len {
        // SAFETY: c + 3 < len.
        unsafe {
            let (a, t) = (a.add(c), t.add(c));
            let (x0, x1, x2, x3) = (load(a), load(a.add(1)), load(a.add(2)), load(a.add(3)));
            let (mut c0, mut c1) = (load(t), load(t.add(1)));
            let (mut c2, mut c3) = (load(t.add(2)), load(t.add(3)));
            // Four columns side by side, so that no sum waits for itself.
            macro_rules! step {
                ($part:ident, $b:expr, $w:expr, $x:expr, $y:expr, $z:expr) => {
                    c0 = $part(c0, $w, $b);
                    c1 = $part(c1, $x, $b);
                    c2 = $part(c2, $y, $b);
                    c3 = $part(c3, $z, $b);
                };
            }
            step!(hi, b3, p0, p1, p2, p3);
            step!(lo, b3, p1, p2, p3, x0);
            step!(hi, b2, p1, p2, p3, x0);
            step!(lo, b2, p2, p3, x0, x1);
            step!(hi, b1, p2, p3, x0, x1);
            step!(lo, b1, p3, x0, x1, x2);
            step!(hi, b0, p3, x0, x1, x2);
            step!(lo, b0, x0, x1, x2, x3);
            store(t, c0);
            store(t.add(1), c1);
            store(t.add(2), c2);
            store(t.add(3), c3);
            (p0, p1, p2, p3) = (x0, x1, x2, x3);
        }
        c += 4;
    }
    // SAFETY: the last four columns exist.
    unsafe {
        let t = t.add(len);
        let zero = _mm512_setzero_si512();
        let before = |i: usize| if FRESH { zero } else { load(t.add(i)) };
        let c0 = column!(before(0); hi(p3, b0), lo(p3, b1), hi(p2, b1), lo(p2, b2), hi(p1, b2),
            lo(p1, b3), hi(p0, b3));
        let c1 = column!(before(1); hi(p3, b1), lo(p3, b2), hi(p2, b2), lo(p2, b3), hi(p1, b3));
        let c2 = column!(before(2); hi(p3, b2), lo(p3, b3), hi(p2, b3));
        let c3 = column!(before(3); hi(p3, b3));
        store(t, c0);
        store(t.add(1), c1);
        store(t.add(2), c2);
        store(t.add(3), c3);
    }
}

/// `t = a²`, where `t` is zero before: the products of different digits, doubled, and the squares.
///
/// # Safety
///
/// `a` has `len` vectors, `t` twice as many; `len` is a multiple of 4.
#[target_feature(enable = "avx512f,avx512ifma")]
unsafe fn square(t: *mut V, a: *const V, len: usize) {
    let mut i = 0;
    while i < len {
        // SAFETY: i + 3 < len; the triangle ends at column 2i + 6 < 2·len, and the rows write
        // t[2i + 4..i + len + 4].
        unsafe {
            let (x0, x1) = (load(a.add(i)), load(a.add(i + 1)));
            let (x2, x3) = (load(a.add(i + 2)), load(a.add(i + 3)));
            let u = t.add(2 * i);
            store(u.add(1), column!(load(u.add(1)); lo(x0, x1)));
            store(u.add(2), column!(load(u.add(2)); hi(x0, x1), lo(x0, x2)));
            store(u.add(3), column!(load(u.add(3)); hi(x0, x2), lo(x0, x3), lo(x1, x2)));
            store(u.add(4), column!(load(u.add(4)); hi(x0, x3), hi(x1, x2), lo(x1, x3)));
            store(u.add(5), column!(load(u.add(5)); hi(x1, x3), lo(x2, x3)));
            store(u.add(6), column!(load(u.add(6)); hi(x2, x3)));
            if i + 4 < len {
                rows::<false>(u.add(4), a.add(i + 4), len - i - 4, [x0, x1, x2, x3]);
            }
        }
        i += BLOCK;
    }
    for i in 0..len {
        // SAFETY: 2i + 1 < 2·len.
        unsafe {
            let (x, u) = (load(a.add(i)), t.add(2 * i));
            let (even, odd) = (load(u), load(u.add(1)));
            store(u, lo(_mm512_add_epi64(even, even), x, x));
            store(u.add(1), hi(_mm512_add_epi64(odd, odd), x, x));
        }
    }
}

/// `out = 2a`, with digits below 2^52; the caller's bounds leave no carry at the end.
///
/// # Safety
///
/// `a` and `out` have `len` vectors.
#[target_feature(enable = "avx512f,avx512ifma")]
unsafe fn double(out: *mut V, a: *const V, len: usize) {
    let mask = _mm512_set1_epi64(MASK);
    let mut below = _mm512_setzero_si512();
    for j in 0..len {
        // SAFETY: j < len.
        unsafe {
            let x = load(a.add(j));
            let doubled =
                _mm512_or_si512(_mm512_slli_epi64::<1>(x), _mm512_srli_epi64::<51>(below));
            store(out.add(j), _mm512_and_si512(doubled, mask));
            below = x;
        }
    }
}

/// `out = (t + q·n)/R` with digits below 2^52, for the quotient `q` that makes it exact.
///
/// The quotient digits of a block are found from its first four columns; those of the next block
/// as soon as its columns are ready, so that the long chain behind a quotient digit runs beside
/// the remaining columns.
///
/// # Safety
///
/// `out`, `q` and `n` have `len` vectors, `t` twice as many; `len` is a multiple of 4, at least 8.
#[target_feature(enable = "avx512f,avx512ifma")]
unsafe fn reduce(out: *mut V, q: *mut V, t: *mut V, n: *const V, k0: V, len: usize) {
    // SAFETY: len ≥ 8.
    let (low, next) = unsafe {
        let low = [load(n), load(n.add(1)), load(n.add(2)), load(n.add(3))];
        (low, [load(n.add(4)), load(n.add(5)), load(n.add(6)), load(n.add(7))])
    };
    let [p0, p1, p2, p3] = low;
    let [x0, x1, x2, x3] = next;
    // SAFETY: the first four columns exist.
    let (mut quotients, mut carry) =
        unsafe { quotients([load(t), load(t.add(1)), load(t.add(2)), load(t.add(3))], low, k0) };
    let mut i = 0;
    while i < len {
        let b = quotients;
        let [b0, b1, b2, b3] = b;
        // SAFETY: i + 7 < 2·len for the columns read here; `columns` works on t[i + 8..i + len + 4]
        // and i + 4 ≤ len.
        unsafe {
            store(q.add(i), b0);
            store(q.add(i + 1), b1);
            store(q.add(i + 2), b2);
            store(q.add(i + 3), b3);
            let u = t.add(i + 4);
            let c0 = column!(_mm512_add_epi64(load(u), carry); hi(p3, b0), lo(p3, b1), hi(p2, b1),
                lo(p2, b2), hi(p1, b2), lo(p1, b3), hi(p0, b3), lo(x0, b0));
            let c1 = column!(load(u.add(1)); hi(p3, b1), lo(p3, b2), hi(p2, b2), lo(p2, b3),
                hi(p1, b3), hi(x0, b0), lo(x0, b1), lo(x1, b0));
            let c2 = column!(load(u.add(2)); hi(p3, b2), lo(p3, b3), hi(p2, b3), hi(x0, b1),
                lo(x0, b2), hi(x1, b0), lo(x1, b1), lo(x2, b0));
            let c3 = column!(load(u.add(3)); hi(p3, b3), hi(x0, b2), lo(x0, b3), hi(x1, b1),
                lo(x1, b2), hi(x2, b0), lo(x2, b1), lo(x3, b0));
            if i + 4 < len {
                (quotients, carry) = self::quotients([c0, c1, c2, c3], low, k0);
            } else {
                store(u, c0);
                store(u.add(1), c1);
                store(u.add(2), c2);
                store(u.add(3), c3);
            }
            columns::<false>(t.add(i), n, 8, len, b, next);
        }
        i += BLOCK;
    }
    let mask = _mm512_set1_epi64(MASK);
    let mut carry = _mm512_setzero_si512();
    for j in 0..len {
        // SAFETY: j < len.
        unsafe {
            let sum = _mm512_add_epi64(load(t.add(len + j)), carry);
            store(out.add(j), _mm512_and_si512(sum, mask));
            carry = _mm512_srli_epi64::<52>(sum);
        }
    }
}

/// Four quotient digits from four columns, and the carry into the column after them.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn quotients([t0, t1, t2, t3]: [V; 4], [n0, n1, n2, n3]: [V; 4], k0: V) -> ([V; 4], V) {
    let zero = _mm512_setzero_si512();
    let add = |a, b| _mm512_add_epi64(a, b);
    let carry = |v| _mm512_srli_epi64::<52>(v);

    let q0 = lo(zero, t0, k0);
    let c = carry(lo(t0, n0, q0));
    let t1 = add(column!(t1; lo(n1, q0), hi(n0, q0)), c);
    let t2 = column!(t2; lo(n2, q0), hi(n1, q0));
    let t3 = column!(t3; lo(n3, q0), hi(n2, q0));

    let q1 = lo(zero, t1, k0);
    let c = carry(lo(t1, n0, q1));
    let t2 = add(column!(t2; lo(n1, q1), hi(n0, q1)), c);
    let t3 = column!(t3; lo(n2, q1), hi(n1, q1));

    let q2 = lo(zero, t2, k0);
    let c = carry(lo(t2, n0, q2));
    let t3 = add(column!(t3; lo(n1, q2), hi(n0, q2)), c);

    let q3 = lo(zero, t3, k0);
    ([q0, q1, q2, q3], carry(lo(t3, n0, q3)))
}

#[target_feature(enable = "avx512f,avx512ifma")]
unsafe fn select_entries(out: &mut [u64], table: &[u64], index: &[u64; 8]) {
    const AT_ONCE: usize = 8;
    // SAFETY: eight words.
    let index = unsafe { load(index.as_ptr().cast()) };
    let (len, entries) = (out.len() / 8, table.len() / out.len());
    let mut j = 0;
    while j < len {
        let mut picked = [_mm512_setzero_si512(); AT_ONCE];
        for entry in 0..entries {
            let chosen = _mm512_cmpeq_epi64_mask(index, _mm512_set1_epi64(entry as i64));
            for (k, picked) in picked.iter_mut().enumerate() {
                // The last step goes back over vectors of the step before.
                let at = entry * len + (j + k).min(len - 1);
                // SAFETY: at < entries·len.
                let value = unsafe { load(table.as_ptr().cast::<V>().add(at)) };
                *picked = _mm512_mask_mov_epi64(*picked, chosen, value);
            }
        }
        for (k, picked) in picked.iter().enumerate() {
            // SAFETY: below len.
            unsafe { store(out.as_mut_ptr().cast::<V>().add((j + k).min(len - 1)), *picked) };
        }
        j += AT_ONCE;
    }
}

#[target_feature(enable = "avx512f,avx512ifma")]
unsafe fn select_shared_entries(out: &mut [u64], table: &[u64], index: &[u64; 8]) {
    // SAFETY: eight words.
    let index = unsafe { load(index.as_ptr().cast()) };
    let group = _mm512_srli_epi64::<4>(index);
    let len = out.len() / 8;
    let groups = table.len() / (16 * len);
    for j in 0..len {
        let mut picked = _mm512_setzero_si512();
        for g in 0..groups {
            let chosen = _mm512_cmpeq_epi64_mask(group, _mm512_set1_epi64(g as i64));
            // SAFETY: 2(g·len + j) + 1 < 2·groups·len vectors.
            let value = unsafe {
                let at = table.as_ptr().cast::<V>().add(2 * (g * len + j));
                // The low four bits of the index pick among the sixteen digits.
                _mm512_permutex2var_epi64(load(at), index, load(at.add(1)))
            };
            picked = _mm512_mask_mov_epi64(picked, chosen, value);
        }
        // SAFETY: j < len.
        unsafe { store(out.as_mut_ptr().cast::<V>().add(j), picked) };
    }
}
