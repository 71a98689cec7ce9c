//! Bernstein polynomials: what a row adds, and how other polynomials are written in them.

/// The Bernstein polynomials of the given degree at `position / steps`, times `steps^degree`.
///
/// They sum to `steps^degree`. Degrees above 2 are not used.
#[inline]
pub(super) fn bernstein(degree: usize, position: u64, steps: u64) -> [i128; 3] {
    let (x, rest) = (i128::from(position), i128::from(steps - position));
    match degree {
        0 => [1, 0, 0],
        1 => [rest, x, 0],
        _ => [rest * rest, 2 * x * rest, x * x],
    }
}

/// The polynomial c₀ + c₁x + c₂x² in Bernstein form: its weight for each basis polynomial.
///
/// x is the sum of (i/d) Bᵢ and x² that of i(i − 1)/(d(d − 1)) Bᵢ. A term above the degree must
/// have the coefficient 0.
pub(super) fn in_bernstein(degree: usize, coefficients: [f64; 3]) -> Vec<f64> {
    let [constant, linear, square] = coefficients;
    (0..=degree)
        .map(|i| {
            let x = if degree > 0 { i as f64 / degree as f64 } else { 0.0 };
            let x_squared = if degree > 1 && i > 1 { 1.0 } else { 0.0 };
            constant + linear * x + square * x_squared
        })
        .collect()
}

/// The weights of the product f(x)g(y), for f and g in Bernstein form.
pub(super) fn product(f: &[f64], g: &[f64]) -> Vec<f64> {
    f.iter().flat_map(|a| g.iter().map(move |b| a * b)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_basis_sums_to_one_and_holds_the_moments() {
        for degree in 0..=2usize {
            for position in 0..=7 {
                let basis = bernstein(degree, position, 7);
                let total = 7i128.pow(degree as u32);
                assert_eq!(basis.iter().sum::<i128>(), total);
                assert!(basis.iter().all(|b| *b >= 0));
                let x = position as f64 / 7.0;
                for coefficients in [[2.0, 0.0, 0.0], [1.0, -3.0, 0.0], [0.5, 1.0, -2.0]] {
                    let used = coefficients.iter().rposition(|c| *c != 0.0).unwrap();
                    if used > degree {
                        continue;
                    }
                    let weights = in_bernstein(degree, coefficients);
                    let value: f64 =
                        weights.iter().zip(basis).map(|(w, b)| w * b as f64 / total as f64).sum();
                    let [c0, c1, c2] = coefficients;
                    assert!((value - (c0 + c1 * x + c2 * x * x)).abs() < 1e-14);
                }
            }
        }
    }
}
