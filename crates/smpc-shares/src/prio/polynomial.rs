//! Polynomials by their values at roots of unity.

use crate::field::NttField;

/// Up to this p weights are cheaper by a transform than by an inversion.
const MOST_TRANSFORMED: usize = 64;

/// From here on butterflies are whole registers apart.
const WITHIN: usize = 8;

/// Tables for polynomials with values at the p-th and the 2p-th roots of unity.
#[derive(Clone, Debug)]
pub(super) struct Domain<F> {
    /// p, a power of two.
    pub(super) size: usize,
    /// The powers 0, …, 2p - 1 of a primitive 2p-th root of unity.
    roots: Vec<F>,
    /// The roots of each stage of a transform, forwards and backwards: those of butterflies h apart
    /// are the powers 0, …, h - 1 of a 2h-th root, from place h - 1.
    forwards: Vec<F>,
    backwards: Vec<F>,
    /// 1/p.
    inverse: F,
    /// Power i of the 2p-th root over p, for i with its bits reversed.
    turned: Vec<F>,
    /// 1/2.
    half: F,
}

impl<F: NttField> Domain<F> {
    pub(super) fn new(size: usize) -> Self {
        let log = size.trailing_zeros();
        let root = F::root_of(log + 1);
        let mut power = F::ONE;
        let roots: Vec<F> = (0..2 * size)
            .map(|_| {
                let current = power;
                power *= root;
                current
            })
            .collect();
        let stages = || (0..=log).map(|log| 1usize << log);
        let powers = |half: usize| (0..half).map(move |i| i * (size / half));
        let forwards = stages().flat_map(powers).map(|i| roots[i]).collect();
        let backwards =
            stages().flat_map(powers).map(|i| roots[(2 * size - i) & (2 * size - 1)]).collect();
        let inverse = F::from_u128(size as u128).inverse();
        let reversed =
            |i: usize| if log == 0 { 0 } else { i.reverse_bits() >> (usize::BITS - log) };
        let turned = (0..size).map(|i| roots[reversed(i)] * inverse).collect();
        let half = F::from_u128(2).inverse();
        Domain { size, turned, roots, forwards, backwards, inverse, half }
    }

    /// From values at the p-th roots to values at the odd powers of the 2p-th root, of `width` polynomials
    /// at once: row i of `rows` has the values of all at root i.
    ///
    /// Interpolation by decimation in frequency leaves coefficients in bit-reversed order, evaluation by
    /// decimation in time takes them so (Cooley, Tukey 1965; Gentleman, Sande 1966).
    pub(super) fn to_odd(&self, rows: &mut [F], width: usize) {
        self.interpolate(rows, width);
        for (row, factor) in rows.chunks_exact_mut(width).zip(&self.turned) {
            F::scale(row, *factor);
        }
        let mut half = 1;
        while half < self.size {
            let roots = &self.forwards[half - 1..2 * half - 1];
            for block in rows.chunks_exact_mut(2 * half * width) {
                let (low, high) = block.split_at_mut(half * width);
                let pairs = low.chunks_exact_mut(width).zip(high.chunks_exact_mut(width));
                for (i, (low, high)) in pairs.enumerate() {
                    F::in_time(low, high, (i > 0).then(|| roots[i]));
                }
            }
            half *= 2;
        }
    }

    /// [`to_odd`](Self::to_odd) of one polynomial.
    pub(super) fn to_odd_alone(&self, values: &mut [F]) {
        self.interpolate_alone(values);
        F::scale_each(values, &self.turned);
        F::first_in_time(values, &self.forwards);
        let mut half = WITHIN;
        while half < self.size {
            let roots = &self.forwards[half - 1..2 * half - 1];
            for block in values.chunks_exact_mut(2 * half) {
                let (low, high) = block.split_at_mut(half);
                F::in_time_each(low, high, roots);
            }
            half *= 2;
        }
    }

    /// From values at roots of unity to as many times the coefficients, in bit-reversed order.
    fn interpolate(&self, rows: &mut [F], width: usize) {
        let mut half = self.size / 2;
        while half > 0 {
            let roots = &self.backwards[half - 1..2 * half - 1];
            for block in rows.chunks_exact_mut(2 * half * width) {
                let (low, high) = block.split_at_mut(half * width);
                let pairs = low.chunks_exact_mut(width).zip(high.chunks_exact_mut(width));
                for (i, (low, high)) in pairs.enumerate() {
                    F::in_frequency(low, high, (i > 0).then(|| roots[i]));
                }
            }
            half /= 2;
        }
    }

    /// [`interpolate`](Self::interpolate) of one polynomial, with values at p or 2p roots.
    fn interpolate_alone(&self, values: &mut [F]) {
        let mut half = values.len() / 2;
        while half >= WITHIN {
            let roots = &self.backwards[half - 1..2 * half - 1];
            for block in values.chunks_exact_mut(2 * half) {
                let (low, high) = block.split_at_mut(half);
                F::in_frequency_each(low, high, roots);
            }
            half /= 2;
        }
        F::last_in_frequency(values, &self.backwards);
    }

    /// The missing last of 2p values of a polynomial of degree at most 2p - 2.
    pub(super) fn last_value(&self, values: &[F]) -> F {
        -(F::dot(values, &self.roots) * self.roots[1])
    }

    /// Weights that turn values at the p-th roots, and at the 2p-th roots, into the value at `t`;
    /// `None` if `t` is a p-th root of unity.
    pub(super) fn weights(&self, t: F) -> Option<(Vec<F>, Vec<F>)> {
        let mut power = t;
        for _ in 0..self.size.trailing_zeros() {
            power *= power;
        }
        if power == F::ONE {
            return None;
        }
        if self.size <= MOST_TRANSFORMED {
            let narrow = self.transformed_powers(t, self.size, self.inverse);
            return Some((
                narrow,
                self.transformed_powers(t, 2 * self.size, self.inverse * self.half),
            ));
        }
        let double = power * power;
        if double == F::ONE {
            // A 2p-th root itself: the polynomial's value there is known.
            let wide =
                self.roots.iter().map(|root| if *root == t { F::ONE } else { F::ZERO }).collect();
            let narrow = self.barycentric(t, (power - F::ONE) * self.inverse, 2);
            return Some((narrow, wide));
        }
        // The even powers with another scale: (t^p - 1)/p and (t^2p - 1)/2p = (t^p - 1)·(t^p + 1)/2p.
        let scale = (power - F::ONE) * self.inverse;
        let wide = self.barycentric(t, scale * self.half, 1);
        let narrow = wide.iter().step_by(2).map(|weight| *weight + *weight).collect();
        let wide = wide.into_iter().map(|weight| weight * (power + F::ONE)).collect();
        Some((narrow, wide))
    }

    /// scale·Σ (t/r)^k, k below `count`, for each of as many roots r of unity: with scale 1/count the weight
    /// of the value at r, for a sum of powers is what a transform makes.
    fn transformed_powers(&self, t: F, count: usize, scale: F) -> Vec<F> {
        let mut power = scale;
        let mut weights = Vec::with_capacity(count);
        for _ in 0..count {
            weights.push(power);
            power *= t;
        }
        self.interpolate_alone(&mut weights);
        let shift = usize::BITS - count.trailing_zeros();
        for i in 0..count {
            let j = if count > 1 { i.reverse_bits() >> shift } else { 0 };
            if i < j {
                weights.swap(i, j);
            }
        }
        weights
    }

    /// scale·r/(t - r) for every `step`-th root r, with one inversion (Montgomery 1987).
    fn barycentric(&self, t: F, scale: F, step: usize) -> Vec<F> {
        let mut product = F::ONE;
        let mut before = Vec::with_capacity(self.roots.len() / step);
        for root in self.roots.iter().step_by(step) {
            before.push(product);
            product *= t - *root;
        }
        let mut inverse = product.inverse() * scale;
        let mut weights = before;
        for (weight, root) in weights.iter_mut().zip(self.roots.iter().step_by(step)).rev() {
            let own = inverse * *weight;
            inverse *= t - *root;
            *weight = own * *root;
        }
        weights
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::{Field128, Goldilocks, Ring};

    fn evaluate<F: Ring>(coefficients: &[F], x: F) -> F {
        coefficients.iter().rev().fold(F::ZERO, |sum, c| sum * x + *c)
    }

    fn check<F: NttField>() {
        for size in [1usize, 2, 4, 16, 64, 256] {
            let domain = Domain::<F>::new(size);
            let coefficients: Vec<F> =
                (0..size as u128).map(|i| F::from_u128(i * i * 77 + 5)).collect();
            let values: Vec<F> =
                (0..size).map(|i| evaluate(&coefficients, domain.roots[2 * i])).collect();
            // Beside each other the polynomial and three times it.
            let mut odd: Vec<F> = values.iter().flat_map(|v| [*v, *v + *v + *v]).collect();
            domain.to_odd(&mut odd, 2);
            for (i, odd) in odd.as_chunks::<2>().0.iter().enumerate() {
                let expected = evaluate(&coefficients, domain.roots[2 * i + 1]);
                assert_eq!(*odd, [expected, expected + expected + expected]);
            }
            let mut alone = values.clone();
            domain.to_odd_alone(&mut alone);
            assert!(alone.iter().eq(odd.iter().step_by(2)));
            let wide: Vec<F> =
                domain.roots.iter().map(|root| evaluate(&coefficients, *root)).collect();
            if size > 1 {
                assert_eq!(domain.last_value(&wide[..2 * size - 1]), wide[2 * size - 1]);
            }
            for t in [F::from_u128(3), F::from_u128(1 << 40), domain.roots[2 * size - 1]] {
                let (narrow, double) = domain.weights(t).unwrap();
                assert_eq!(F::dot(&narrow, &values), evaluate(&coefficients, t));
                assert_eq!(F::dot(&double, &wide), evaluate(&coefficients, t));
            }
            assert!(domain.weights(F::ONE).is_none());
        }
    }

    #[test]
    fn values_stand_for_polynomials() {
        check::<Goldilocks>();
        check::<Field128>();
    }
}
