//! The backend for every processor: limbs of 64 bits, one lane after the other.
//!
//! Lane `l` of a component with `k` limbs lies in the words `l·k..(l+1)·k`. Bounds are those of
//! the [ring](super::ring): R = 2^(64k) ≥ 16N and operands at most 2N + 2, so that no sum of
//! products leaves 2k limbs.

/// `t += a · b`. With `FRESH` the upper half of `t` is written instead of added to.
///
/// Two multiplier limbs are taken together, so that each limb of `a` and `t` is loaded once for
/// both.
#[inline]
fn multiply<const FRESH: bool>(t: &mut [u64], a: &[u64], b: &[u64]) {
    let k = a.len();
    let mut extra = 0;
    let mut pairs = b.chunks_exact(2);
    let mut at = 0;
    for pair in pairs.by_ref() {
        let row = &mut t[at..at + k + 2];
        let top = add_two_rows(row, a, [pair[0], pair[1]], 0);
        extra = put_top::<FRESH, 2>(&mut row[k..], top, extra);
        at += 2;
    }
    if let [last] = pairs.remainder() {
        let row = &mut t[at..=at + k];
        let carry = add_row(row, a, *last);
        put_top::<FRESH, 1>(&mut row[k..], [carry], extra);
    }
}

/// `t[..k] += a · y`; the word that belongs at `t[k]`.
#[inline(always)]
fn add_row(t: &mut [u64], a: &[u64], y: u64) -> u64 {
    t.iter_mut().zip(a).fold(0, |carry, (t, &x)| multiply_add(t, x, y, carry))
}

/// `t[..k] += a · (y₀ + 2^64·y₁) + carry`; the words that belong at `t[k]` and `t[k + 1]`.
#[inline(always)]
fn add_two_rows(t: &mut [u64], a: &[u64], [y0, y1]: [u64; 2], carry: u64) -> [u64; 2] {
    let (Some((&first, rest)), Some((low, t))) = (a.split_first(), t.split_first_mut()) else {
        return [carry, 0];
    };
    let mut below = first;
    let mut carries = [multiply_add(low, first, y0, carry), 0];
    for (t, &x) in t.iter_mut().zip(rest) {
        carries[0] = multiply_add(t, x, y0, carries[0]);
        carries[1] = multiply_add(t, below, y1, carries[1]);
        below = x;
    }
    let mut last = carries[0];
    let top = multiply_add(&mut last, below, y1, carries[1]);
    [last, top]
}

/// `t += x·y + carry`; the carry out.
#[inline(always)]
fn multiply_add(t: &mut u64, x: u64, y: u64, carry: u64) -> u64 {
    // (2^64 - 1)² + 2(2^64 - 1) = 2^128 - 1: never an overflow.
    let sum = u128::from(x) * u128::from(y) + u128::from(*t) + u128::from(carry);
    *t = sum as u64;
    (sum >> 64) as u64
}

/// Writes a row's top words, or adds them and the bit that the row before left over; the bit left
/// over now.
#[inline(always)]
fn put_top<const FRESH: bool, const N: usize>(t: &mut [u64], top: [u64; N], extra: u64) -> u64 {
    if FRESH {
        t[..N].copy_from_slice(&top);
        return 0;
    }
    t.iter_mut().zip(top).fold(extra, |carry, (t, word)| {
        let sum = u128::from(*t) + u128::from(word) + u128::from(carry);
        *t = sum as u64;
        (sum >> 64) as u64
    })
}

/// `t = a²`: the products of different limbs once, doubled, and the squares.
fn square(t: &mut [u64], a: &[u64]) {
    let k = a.len();
    t[..2 * k].fill(0);
    for i in (0..k - 1).step_by(2) {
        // Row i without its first product and row i + 1 lie as two rows of one product.
        let (x, y) = (a[i], a[i + 1]);
        let carry = multiply_add(&mut t[2 * i + 1], x, y, 0);
        let row = &mut t[2 * i + 2..i + k + 2];
        let top = add_two_rows(row, &a[i + 2..], [x, y], carry);
        row[k - i - 2..].copy_from_slice(&top);
    }
    let (mut shifted, mut carry) = (0, 0u128);
    for (i, &x) in a.iter().enumerate() {
        let diagonal = u128::from(x) * u128::from(x);
        for (at, part) in [(2 * i, diagonal as u64), (2 * i + 1, (diagonal >> 64) as u64)] {
            let doubled = (t[at] << 1) | shifted;
            shifted = t[at] >> 63;
            let sum = u128::from(doubled) + u128::from(part) + carry;
            t[at] = sum as u64;
            carry = sum >> 64;
        }
    }
}

/// `out = (t + q·n) / R` for the quotient `q` that makes it exact.
fn reduce(out: &mut [u64], q: &mut [u64], t: &mut [u64], n: &[u64], k0: u64) {
    let k = n.len();
    let mut extra = 0;
    let mut at = 0;
    while at + 1 < k {
        let row = &mut t[at..at + k + 2];
        // The second quotient limb depends on the second limb after the first was taken in.
        let first = row[0].wrapping_mul(k0);
        let mut low = row[0];
        let carry = multiply_add(&mut low, n[0], first, 0);
        let second = row[1].wrapping_add(n[1].wrapping_mul(first)).wrapping_add(carry);
        let quotients = [first, second.wrapping_mul(k0)];
        let top = add_two_rows(row, n, quotients, 0);
        extra = put_top::<false, 2>(&mut row[k..], top, extra);
        q[at..at + 2].copy_from_slice(&quotients);
        at += 2;
    }
    if at < k {
        let row = &mut t[at..=at + k];
        q[at] = row[0].wrapping_mul(k0);
        let carry = add_row(row, n, q[at]);
        put_top::<false, 1>(&mut row[k..], [carry], extra);
    }
    out.copy_from_slice(&t[k..2 * k]);
}

/// The words of one lane that a product works on.
pub(super) struct Lane<'a> {
    pub(super) n: &'a [u64],
    pub(super) k0: u64,
    /// At least 2k words.
    pub(super) t: &'a mut [u64],
    /// k words: the quotient of the last reduction.
    pub(super) q: &'a mut [u64],
}

impl Lane<'_> {
    /// `out = a·b/R mod n`; leaves the quotient.
    pub(super) fn mul(&mut self, out: &mut [u64], a: &[u64], b: &[u64]) {
        self.t[..a.len()].fill(0);
        multiply::<true>(self.t, a, b);
        reduce(out, self.q, self.t, self.n, self.k0);
    }

    /// `out = a²/R mod n`; leaves the quotient.
    pub(super) fn square(&mut self, out: &mut [u64], a: &[u64]) {
        square(self.t, a);
        reduce(out, self.q, self.t, self.n, self.k0);
    }

    /// `out = (a·b + c·d + q)/R mod n`, where `q` is the quotient left before.
    pub(super) fn cross(&mut self, out: &mut [u64], [a, b, c, d]: [&[u64]; 4]) {
        self.t[..a.len()].copy_from_slice(self.q);
        multiply::<true>(self.t, a, b);
        multiply::<false>(self.t, c, d);
        reduce(out, self.q, self.t, self.n, self.k0);
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
        let mut carry = 0;
        for (to, &x) in doubled.iter_mut().zip(a) {
            *to = (x << 1) | carry;
            carry = x >> 63;
        }
        self.t[..a.len()].copy_from_slice(self.q);
        multiply::<true>(self.t, b, doubled);
        reduce(out, self.q, self.t, self.n, self.k0);
    }
}
