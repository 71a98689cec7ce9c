//! The backend for every processor: limbs of 64 bits, one lane after the other.
//!
//! Lane `l` of a component with `k` limbs lies in the words `l·k..(l+1)·k`. Bounds are those of
//! the [ring](super::ring): R = 2^(64k) ≥ 16N and operands at most 2N + 2, so that no sum of
//! products leaves 2k limbs.

/// `t += a · b`. With `FRESH` the upper half of `t` is written instead of added to.
#[inline]
fn multiply<const FRESH: bool>(t: &mut [u64], a: &[u64], b: &[u64]) {
    let k = a.len();
    let mut extra = 0;
    for (i, &y) in b.iter().enumerate() {
        let row = &mut t[i..=i + k];
        let carry = add_row(row, a, y);
        if FRESH {
            row[k] = carry;
        } else {
            extra = add_top(&mut row[k], carry, extra);
        }
    }
}

/// `t[..k] += a · y`; the word that belongs at `t[k]`.
#[inline(always)]
fn add_row(t: &mut [u64], a: &[u64], y: u64) -> u64 {
    let mut carry = 0u64;
    for (t, &x) in t.iter_mut().zip(a) {
        // (2^64 - 1)² + 2(2^64 - 1) = 2^128 - 1: never an overflow.
        let sum = u128::from(x) * u128::from(y) + u128::from(*t) + u128::from(carry);
        *t = sum as u64;
        carry = (sum >> 64) as u64;
    }
    carry
}

/// Adds a row's top word and the bit that the row before left over; the bit left over now.
#[inline(always)]
fn add_top(top: &mut u64, carry: u64, extra: u64) -> u64 {
    let sum = u128::from(*top) + u128::from(carry) + u128::from(extra);
    *top = sum as u64;
    (sum >> 64) as u64
}

/// `t = a²`.
fn square(t: &mut [u64], a: &[u64]) {
    let k = a.len();
    t[..2 * k].fill(0);
    for (i, &y) in a.iter().enumerate() {
        let carry = add_row(&mut t[2 * i + 1..i + k], &a[i + 1..], y);
        t[i + k] = carry;
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
    for (i, quotient) in q.iter_mut().enumerate() {
        *quotient = t[i].wrapping_mul(k0);
        let row = &mut t[i..=i + k];
        let carry = add_row(row, n, *quotient);
        extra = add_top(&mut row[k], carry, extra);
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
