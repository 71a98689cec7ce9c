//! The discrete Fourier transform of real sequences, radix 2, with a proved error.
//!
//! A sequence of length N is transformed as one of N/2 complex numbers and untangled. Forward is
//! decimation in frequency and leaves the coefficients in bit-reversed order; back is decimation in
//! time and takes them so; the order in between does not matter to a convolution.
//!
//! **Error.** With unit roundoff u, a computed product of complex numbers is off by `2 sqrt(2) u` of
//! itself, a sum by u (Higham, *Accuracy and Stability of Numerical Algorithms*, 2nd ed., Lemma
//! 3.5). Factors are sines and cosines of angles up to pi/4, whose rounding and whose function's
//! two units in the last place put them off by at most 4 u. A stage `(a, b) -> (a + b, (a - b) w)`
//! is therefore off by at most `(1 + 4 + 2.83 + 0.1) u < 8 u` of the length of what it returns; a
//! stage `(a, b) -> (a + w b, a - w b)` by as much. Stages multiply all lengths by sqrt 2 exactly, so
//! that errors add up: `log2(N/2)` stages and the untangling, which is one more stage after another
//! sum, leave a relative error in the 2-norm of at most [`relative_error`]. (Compare Higham, Theorem
//! 24.2.)

use std::sync::OnceLock;

use crate::numeric::U;

/// Coefficients 0 to N/2 of the transform of N real numbers, in an order of their own; the first
/// and the last entry are those that stand for themselves alone, the others stand for two.
#[derive(Debug, Clone)]
pub(super) struct Spectrum {
    pub(super) re: Vec<f64>,
    pub(super) im: Vec<f64>,
}

/// Bound on the error of a transform of `length` numbers, either way, relative in the 2-norm.
pub(super) fn relative_error(length: usize) -> f64 {
    let stages = f64::from(length.max(2).ilog2());
    (8.0 * stages + 2.0) * U * (1.0 + 1e-9)
}

/// `e^(-i pi j / half)` for `j` below `half`: cosines, then sines.
type Factors = (Vec<f64>, Vec<f64>);

/// Tables up to this many factors are kept.
const KEPT: usize = 18;

fn make_factors(half: usize) -> Factors {
    let angle = |j: usize| std::f64::consts::PI * (j as f64 / half as f64);
    // By symmetry from the first eighth of the circle.
    let at = |j: usize| -> (f64, f64) {
        let (quarter, second) = (half / 2, 2 * j >= half && half > 1);
        let k = if second { j - quarter } else { j };
        let (cos, sin) = if 4 * k <= half {
            (angle(k).cos(), angle(k).sin())
        } else {
            (angle(quarter - k).sin(), angle(quarter - k).cos())
        };
        if second { (-sin, -cos) } else { (cos, -sin) }
    };
    (0..half).map(at).unzip()
}

fn with_factors<T>(half: usize, run: impl FnOnce(&Factors) -> T) -> T {
    static TABLES: [OnceLock<Factors>; KEPT] = [const { OnceLock::new() }; KEPT];
    match TABLES.get(half.ilog2() as usize) {
        Some(table) => run(table.get_or_init(|| make_factors(half))),
        None => run(&make_factors(half)),
    }
}

impl Spectrum {
    /// The transform of `values`, whose length is a power of two, 4 or more.
    pub(super) fn of(values: &[f64]) -> Self {
        let n = values.len() / 2;
        let (mut re, mut im): (Vec<f64>, Vec<f64>) =
            values.chunks_exact(2).map(|pair| (pair[0], pair[1])).unzip();
        forward(&mut re, &mut im);
        let (first, second) = (re[0], im[0]);
        re[0] = first + second;
        im[0] = 0.0;
        re.push(first - second);
        im.push(0.0);
        with_factors(n, |(cos, sin)| {
            for_pairs(n, |k, p, q| {
                let even = (0.5 * (re[p] + re[q]), 0.5 * (im[p] - im[q]));
                let odd = (0.5 * (im[p] + im[q]), 0.5 * (re[q] - re[p]));
                let turned = (odd.0 * cos[k] - odd.1 * sin[k], odd.0 * sin[k] + odd.1 * cos[k]);
                (re[p], im[p]) = (even.0 + turned.0, even.1 + turned.1);
                (re[q], im[q]) = (even.0 - turned.0, turned.1 - even.1);
            });
        });
        Spectrum { re, im }
    }

    /// The real numbers whose transform this is.
    pub(super) fn into_values(mut self) -> Vec<f64> {
        let n = self.re.len() - 1;
        let (re, im) = (&mut self.re, &mut self.im);
        let (first, second) = (re[0], re[n]);
        (re[0], im[0]) = (0.5 * (first + second), 0.5 * (first - second));
        re.truncate(n);
        im.truncate(n);
        with_factors(n, |(cos, sin)| {
            for_pairs(n, |k, p, q| {
                let even = (0.5 * (re[p] + re[q]), 0.5 * (im[p] - im[q]));
                let half = (0.5 * (re[p] - re[q]), 0.5 * (im[p] + im[q]));
                let odd = (half.0 * cos[k] + half.1 * sin[k], half.1 * cos[k] - half.0 * sin[k]);
                (re[p], im[p]) = (even.0 - odd.1, even.1 + odd.0);
                (re[q], im[q]) = (even.0 + odd.1, odd.0 - even.1);
            });
        });
        back(re, im);
        let scale = 1.0 / n as f64;
        re.iter().zip(im.iter()).flat_map(|(a, b)| [a * scale, b * scale]).collect()
    }
}

/// Calls `visit(k, place of k, place of n - k)` for `k` from 1 to n/2 in bit-reversed order.
fn for_pairs(n: usize, mut visit: impl FnMut(usize, usize, usize)) {
    let shift = usize::BITS - n.ilog2();
    for k in 1..=n / 2 {
        visit(k, k.reverse_bits() >> shift, (n - k).reverse_bits() >> shift);
    }
}

fn forward(re: &mut [f64], im: &mut [f64]) {
    let half = re.len() / 2;
    if half == 0 {
        return;
    }
    let ((re_low, re_high), (im_low, im_high)) = (re.split_at_mut(half), im.split_at_mut(half));
    let low = re_low.iter_mut().zip(im_low.iter_mut());
    let high = re_high.iter_mut().zip(im_high.iter_mut());
    if half == 1 {
        for ((a, b), (c, d)) in low.zip(high) {
            (*a, *b, *c, *d) = (*a + *c, *b + *d, *a - *c, *b - *d);
        }
        return;
    }
    with_factors(half, |(cos, sin)| {
        for (((a, b), (c, d)), (cos, sin)) in low.zip(high).zip(cos.iter().zip(sin)) {
            let (x, y) = (*a - *c, *b - *d);
            (*a, *b) = (*a + *c, *b + *d);
            (*c, *d) = (x * cos - y * sin, x * sin + y * cos);
        }
    });
    forward(re_low, im_low);
    forward(re_high, im_high);
}

fn back(re: &mut [f64], im: &mut [f64]) {
    let half = re.len() / 2;
    if half == 0 {
        return;
    }
    let ((re_low, re_high), (im_low, im_high)) = (re.split_at_mut(half), im.split_at_mut(half));
    if half > 1 {
        back(re_low, im_low);
        back(re_high, im_high);
    }
    let low = re_low.iter_mut().zip(im_low.iter_mut());
    let high = re_high.iter_mut().zip(im_high.iter_mut());
    with_factors(half, |(cos, sin)| {
        for (((a, b), (c, d)), (cos, sin)) in low.zip(high).zip(cos.iter().zip(sin)) {
            let (x, y) = (*c * cos + *d * sin, *d * cos - *c * sin);
            (*a, *b, *c, *d) = (*a + x, *b + y, *a - x, *b - y);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sequence(length: usize) -> Vec<f64> {
        (0..length).map(|i| ((i * i % 97) as f64 - 31.0) * (-(i as f64) / 7.0).exp2()).collect()
    }

    #[test]
    fn coefficients_are_the_sums_they_stand_for() {
        for length in [4usize, 8, 64, 256] {
            let values = sequence(length);
            let spectrum = Spectrum::of(&values);
            let norm = values.iter().map(|v| v * v).sum::<f64>().sqrt();
            let n = length / 2;
            let place = |k: usize| match k {
                0 => 0,
                k if k == n => n,
                k => k.reverse_bits() >> (usize::BITS - n.ilog2()),
            };
            for k in 0..=n {
                let angle =
                    |i: usize| std::f64::consts::TAU * ((i * k % length) as f64 / length as f64);
                let re: f64 = values.iter().enumerate().map(|(i, v)| v * angle(i).cos()).sum();
                let im: f64 = values.iter().enumerate().map(|(i, v)| -v * angle(i).sin()).sum();
                let (found_re, found_im) = (spectrum.re[place(k)], spectrum.im[place(k)]);
                let off = (found_re - re).hypot(found_im - im);
                assert!(off <= 1e-14 * norm * (length as f64).sqrt(), "{length} {k}: {off:e}");
            }
        }
    }

    #[test]
    fn there_and_back_stays_within_the_bound() {
        for exponent in 2..16 {
            let values = sequence(1 << exponent);
            let found = Spectrum::of(&values).into_values();
            let square = |v: &[f64]| v.iter().map(|v| v * v).sum::<f64>().sqrt();
            let off: Vec<f64> = values.iter().zip(&found).map(|(a, b)| a - b).collect();
            let bound = 2.0 * relative_error(values.len()) * square(&values);
            assert!(square(&off) <= bound, "{exponent}: {:e} {bound:e}", square(&off));
        }
    }

    #[test]
    fn factors_lie_within_four_roundoffs() {
        // Against the angle sum in steps whose factors are known to be good: w^j w^-j = 1, and the
        // factors of a table twice as fine.
        for half in [2usize, 16, 1 << 12] {
            let (coarse, fine) = (make_factors(half), make_factors(2 * half));
            for j in 0..half {
                assert_eq!((coarse.0[j], coarse.1[j]), (fine.0[2 * j], fine.1[2 * j]));
                let length = coarse.0[j].hypot(coarse.1[j]);
                assert!((length - 1.0).abs() <= 5.0 * U, "{half} {j}: {length}");
            }
        }
    }
}
