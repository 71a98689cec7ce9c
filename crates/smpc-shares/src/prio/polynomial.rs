//! Polynomials by their values at roots of unity.

use crate::field::NttField;

/// Tables for polynomials with values at the p-th and the 2p-th roots of unity.
#[derive(Clone, Debug)]
pub(super) struct Domain<F> {
    /// p, a power of two.
    pub(super) size: usize,
    /// The powers 0, …, 2p - 1 of a primitive 2p-th root of unity.
    roots: Vec<F>,
    /// 1/p.
    inverse: F,
    /// 1/2.
    half: F,
}

impl<F: NttField> Domain<F> {
    pub(super) fn new(size: usize) -> Self {
        let log = size.trailing_zeros();
        let root = F::root_of(log + 1);
        let mut power = F::ONE;
        let roots = (0..2 * size)
            .map(|_| {
                let current = power;
                power *= root;
                current
            })
            .collect();
        let inverse = |number: u128| F::from_u128(number).inverse();
        Domain { size, roots, inverse: inverse(size as u128), half: inverse(2) }
    }

    /// Values at the p-th roots from coefficients, in place (Cooley, Tukey); with `inverted`, p times
    /// the coefficients from values.
    fn transform(&self, values: &mut [F], inverted: bool) {
        let n = self.size;
        let shift = usize::BITS - n.trailing_zeros();
        for i in 0..n {
            let j = if n > 1 { i.reverse_bits() >> shift } else { 0 };
            if i < j {
                values.swap(i, j);
            }
        }
        let mut half = 1;
        while half < n {
            let stride = n / half;
            for block in values.chunks_exact_mut(2 * half) {
                let (low, high) = block.split_at_mut(half);
                for (i, (low, high)) in low.iter_mut().zip(high).enumerate() {
                    let turned = *high * self.root(i * stride, inverted);
                    (*low, *high) = (*low + turned, *low - turned);
                }
            }
            half *= 2;
        }
    }

    #[inline]
    fn root(&self, power: usize, inverted: bool) -> F {
        let count = 2 * self.size;
        self.roots[if inverted { (count - power) & (count - 1) } else { power }]
    }

    /// From values at the p-th roots to values at the odd powers of the 2p-th root, in place.
    pub(super) fn to_odd(&self, values: &mut [F]) {
        self.transform(values, true);
        for (value, root) in values.iter_mut().zip(&self.roots) {
            *value *= *root * self.inverse;
        }
        self.transform(values, false);
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
        for size in [1usize, 2, 4, 16, 64] {
            let domain = Domain::<F>::new(size);
            let coefficients: Vec<F> =
                (0..size as u128).map(|i| F::from_u128(i * i * 77 + 5)).collect();
            let values: Vec<F> =
                (0..size).map(|i| evaluate(&coefficients, domain.roots[2 * i])).collect();
            let mut odd = values.clone();
            domain.to_odd(&mut odd);
            for (i, odd) in odd.iter().enumerate() {
                assert_eq!(*odd, evaluate(&coefficients, domain.roots[2 * i + 1]));
            }
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
