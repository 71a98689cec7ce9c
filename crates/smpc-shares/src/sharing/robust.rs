//! Reconstruction that corrects wrong shares and names who gave them (Gao 2003).
//!
//! With m shares of degree t, up to e ≤ (m - t - 1)/2 wrong ones are corrected. More liars than that
//! can, if they conspire, make a wrong secret look right with other parties as the liars: the radius
//! is the caller's assumption.

use super::{Shamir, ShareVec};
use crate::error::{Error, Result};
use crate::field::Field;

/// The result of a robust reconstruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Corrected<F> {
    /// The secrets.
    pub secrets: Vec<F>,
    /// The parties (ids from 1) that gave at least one wrong share, in ascending order.
    pub wrong: Vec<usize>,
}

impl Shamir {
    /// The secrets in spite of up to `radius` parties whose shares are wrong, and who they are.
    ///
    /// # Security
    ///
    /// Right if at most `radius` parties lie. Wrong shares of e parties are corrected and of d more
    /// are noticed where e + d ≤ shares - threshold - 1.
    ///
    /// # Errors
    ///
    /// As [`Shamir::reconstruct`]; [`Error::Parameter`] if `radius` is more than
    /// (shares - threshold - 1)/2; [`Error::TooManyWrong`] if no polynomial is that near.
    pub fn reconstruct_robust<F: Field>(
        &self,
        shares: &[ShareVec<F>],
        radius: usize,
    ) -> Result<Corrected<F>> {
        let (points, values) = self.examine(shares)?;
        let degree = self.threshold();
        if 2 * radius + degree + 1 > points.len() {
            return Err(Error::Parameter {
                parameter: "the radius",
                requirement: "at most half of the shares beyond the threshold + 1",
                given: radius as u64,
            });
        }
        let mut wrong = vec![false; points.len()];
        let mut decoder = Decoder::new(&points, &wrong, degree);
        let length = values.first().map_or(0, |values| values.len());
        let mut secrets = Vec::with_capacity(length);
        let too_many = || Error::TooManyWrong { radius, shares: points.len() };
        for i in 0..length {
            let word: Vec<F> = values.iter().map(|values| values[i]).collect();
            if let Some(secret) = decoder.secret(&word) {
                secrets.push(secret);
                continue;
            }
            let polynomial = gao(&points, &word, degree, radius).ok_or_else(too_many)?;
            for (j, point) in points.iter().enumerate() {
                wrong[j] |= evaluate(&polynomial, *point) != word[j];
            }
            if wrong.iter().filter(|wrong| **wrong).count() > radius {
                return Err(too_many());
            }
            secrets.push(polynomial.first().copied().unwrap_or_default());
            decoder = Decoder::new(&points, &wrong, degree);
        }
        let liars = shares.iter().zip(&wrong).filter(|(_, wrong)| **wrong);
        let mut liars: Vec<usize> = liars.map(|(share, _)| share.party()).collect();
        liars.sort_unstable();
        Ok(Corrected { secrets, wrong: liars })
    }
}

/// Reads codewords in which only the parties found so far lie.
struct Decoder<F> {
    used: Vec<usize>,
    at_zero: Vec<F>,
    /// For each other honest share: its place and the coefficients that predict it.
    checks: Vec<(usize, Vec<F>)>,
}

impl<F: Field> Decoder<F> {
    fn new(points: &[F], wrong: &[bool], degree: usize) -> Self {
        let honest: Vec<usize> = (0..points.len()).filter(|i| !wrong[*i]).collect();
        let (used, rest) = honest.split_at(honest.len().min(degree + 1));
        let base: Vec<F> = used.iter().map(|i| points[*i]).collect();
        Decoder {
            used: used.to_vec(),
            at_zero: F::lagrange(&base, F::ZERO),
            checks: rest.iter().map(|i| (*i, F::lagrange(&base, points[*i]))).collect(),
        }
    }

    fn secret(&self, word: &[F]) -> Option<F> {
        let base: Vec<F> = self.used.iter().map(|i| word[*i]).collect();
        let consistent = self.checks.iter().all(|(i, row)| F::dot(row, &base) == word[*i]);
        consistent.then(|| F::dot(&self.at_zero, &base))
    }
}

/// The polynomial of `degree` that differs from the word in at most `radius` places.
fn gao<F: Field>(points: &[F], word: &[F], degree: usize, radius: usize) -> Option<Vec<F>> {
    let mut product = vec![F::ONE];
    for point in points {
        product = multiply(&product, &[-*point, F::ONE]);
    }
    let mut interpolant = Vec::new();
    for (i, value) in word.iter().enumerate() {
        let (quotient, _) = divide(&product, &[-points[i], F::ONE]);
        let scale = *value * evaluate(&quotient, points[i]).inverse();
        add_scaled(&mut interpolant, &quotient, scale);
    }
    trim(&mut interpolant);
    // Extended Euclid until the remainder is short: r = u·product + v·interpolant.
    let stop = (points.len() + degree + 1).div_ceil(2);
    let (mut previous, mut current) = (product, interpolant);
    let (mut before, mut factor) = (Vec::new(), vec![F::ONE]);
    while current.len() > stop {
        let (quotient, remainder) = divide(&previous, &current);
        let mut next = before;
        let step = multiply(&quotient, &factor);
        add_scaled(&mut next, &step, -F::ONE);
        trim(&mut next);
        (previous, current) = (current, remainder);
        (before, factor) = (factor, next);
    }
    let (mut polynomial, remainder) = divide(&current, &factor);
    trim(&mut polynomial);
    let errors = points.iter().zip(word).filter(|(x, y)| evaluate(&polynomial, **x) != **y).count();
    (remainder.is_empty() && polynomial.len() <= degree + 1 && errors <= radius)
        .then_some(polynomial)
}

pub(crate) fn evaluate<F: Field>(polynomial: &[F], x: F) -> F {
    polynomial.iter().rev().fold(F::ZERO, |sum, coefficient| sum * x + *coefficient)
}

fn trim<F: Field>(polynomial: &mut Vec<F>) {
    while polynomial.last() == Some(&F::ZERO) {
        polynomial.pop();
    }
}

fn add_scaled<F: Field>(sum: &mut Vec<F>, other: &[F], factor: F) {
    sum.resize(sum.len().max(other.len()), F::ZERO);
    for (sum, other) in sum.iter_mut().zip(other) {
        *sum += *other * factor;
    }
}

fn multiply<F: Field>(a: &[F], b: &[F]) -> Vec<F> {
    let mut product = vec![F::ZERO; (a.len() + b.len()).saturating_sub(1)];
    for (i, a) in a.iter().enumerate() {
        for (j, b) in b.iter().enumerate() {
            product[i + j] += *a * *b;
        }
    }
    product
}

/// Quotient and remainder, both without leading zeros; the divisor must not be empty.
fn divide<F: Field>(dividend: &[F], divisor: &[F]) -> (Vec<F>, Vec<F>) {
    let mut remainder = dividend.to_vec();
    trim(&mut remainder);
    let Some(leading) = divisor.last() else { return (Vec::new(), remainder) };
    let inverse = leading.inverse();
    let mut quotient = vec![F::ZERO; (remainder.len() + 1).saturating_sub(divisor.len())];
    for shift in (0..quotient.len()).rev() {
        let Some(top) = remainder.get(shift + divisor.len() - 1) else { continue };
        let factor = *top * inverse;
        quotient[shift] = factor;
        for (i, coefficient) in divisor.iter().enumerate() {
            remainder[shift + i] -= factor * *coefficient;
        }
    }
    trim(&mut remainder);
    trim(&mut quotient);
    (quotient, remainder)
}
