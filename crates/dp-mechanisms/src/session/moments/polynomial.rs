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

/// The smallest and the largest average of `weights` over all masses between `lower` and `upper`.
///
/// The extreme average gives every weight above it the most mass and every weight below it the
/// least, so it is among the averages that cut the sorted weights at some place. Without any mass
/// for sure, the averages reach from the least weight to the largest.
pub(super) fn average_range(weights: &[f64], lower: &[f64], upper: &[f64]) -> (f64, f64) {
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by(|&a, &b| weights[a].total_cmp(&weights[b]));
    let ends = order.first().zip(order.last()).map(|(&a, &b)| (weights[a], weights[b]));
    let Some((least, most)) = ends else { return (0.0, 0.0) };
    // Average where the first `cut` in order have the masses of one side, the others of the other.
    let average = |cut: usize, first: &[f64], others: &[f64]| {
        let mass = |place: usize, i: usize| if place < cut { first[i] } else { others[i] };
        let total: f64 = order.iter().enumerate().map(|(place, &i)| mass(place, i)).sum();
        let weighted: f64 =
            order.iter().enumerate().map(|(place, &i)| mass(place, i) * weights[i]).sum();
        (total > 0.0).then(|| weighted / total)
    };
    if lower.iter().sum::<f64>() <= 0.0 {
        return (least, most);
    }
    let cuts = || 0..=weights.len();
    let low = cuts().filter_map(|cut| average(cut, upper, lower)).fold(most, f64::min);
    let high = cuts().filter_map(|cut| average(cut, lower, upper)).fold(least, f64::max);
    (low.max(least), high.min(most))
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

    #[test]
    fn averages_over_a_box_are_those_of_its_corners() {
        let weights = [0.3, -1.0, 0.9, 0.3];
        let lower = [1.0, 0.0, 2.0, 0.5];
        let upper = [3.0, 4.0, 2.5, 0.6];
        let corners = (0..16u32).map(|corner| {
            let mass = |i: usize| if corner >> i & 1 == 1 { upper[i] } else { lower[i] };
            let total: f64 = (0..4).map(mass).sum();
            (0..4).map(|i| mass(i) * weights[i]).sum::<f64>() / total
        });
        let (low, high) = corners
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), average| {
                (low.min(average), high.max(average))
            });
        let (found_low, found_high) = average_range(&weights, &lower, &upper);
        assert!((found_low - low).abs() < 1e-15 && (found_high - high).abs() < 1e-15);
    }

    #[test]
    fn without_any_mass_for_sure_every_average_is_possible() {
        let (low, high) = average_range(&[0.0, 0.5, 1.0], &[0.0; 3], &[1.0, 0.0, 2.0]);
        assert_eq!((low, high), (0.0, 1.0));
    }
}
