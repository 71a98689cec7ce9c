//! The noisy normal equations and their solution.

/// The moments of (1, features, target), as a symmetric matrix.
pub(super) struct Normal {
    features: usize,
    /// The upper triangle by rows.
    entries: Vec<f64>,
}

/// A solution on the scale of the moments.
pub(super) struct Fit {
    pub(super) constant: f64,
    pub(super) slopes: Vec<f64>,
    /// The standard deviation that the noise gives each slope, to first order.
    pub(super) deviations: Vec<f64>,
}

impl Normal {
    /// The number of products of two of (1, features, target).
    pub(super) fn entries(features: usize) -> usize {
        (features + 2) * (features + 3) / 2
    }

    /// `None` unless there are as many entries as the features need.
    pub(super) fn new(features: usize, entries: &[f64]) -> Option<Self> {
        (entries.len() == Normal::entries(features))
            .then(|| Normal { features, entries: entries.to_vec() })
    }

    fn at(&self, i: usize, j: usize) -> f64 {
        let (i, j) = (i.min(j), i.max(j));
        let width = self.features + 2;
        // Rows before i are shorter by one each.
        self.entries[i * width - i * i.saturating_sub(1) / 2 + (j - i)]
    }

    /// Solves for the target, where every entry has noise of the given standard deviation.
    ///
    /// The noise of the matrix has a spectral norm of about `2 deviation sqrt(size)` (a symmetric
    /// random matrix, Wigner 1955). A pivot below that is not told apart from 0, so the diagonal is
    /// raised until all pivots are above it.
    pub(super) fn solve(&self, deviation: f64) -> Fit {
        let size = self.features + 1;
        let floor = (2.0 * deviation * (size as f64).sqrt()).max(f64::MIN_POSITIVE);
        let right: Vec<f64> = (0..size).map(|i| self.at(i, size)).collect();
        let mut ridge = 0.0;
        let factor = loop {
            let entry = |i: usize, j: usize| self.at(i, j) + if i == j { ridge } else { 0.0 };
            if let Some(factor) = Cholesky::new(size, entry, floor) {
                break factor;
            }
            // A ridge above the sum of all magnitudes makes any matrix positive, so this ends.
            ridge = if ridge == 0.0 { floor } else { ridge * 2.0 };
            if !ridge.is_finite() {
                return Fit::level(self.features);
            }
        };
        let solution = factor.solve(&right);
        if solution.iter().any(|x| !x.is_finite()) {
            return Fit::level(self.features);
        }
        // To first order the solution moves by G⁻¹(noise of the right side − noise of G · it).
        let spread = deviation * (1.0 + solution.iter().map(|x| x * x).sum::<f64>()).sqrt();
        let deviations = (1..size).map(|i| {
            let mut unit = vec![0.0; size];
            unit[i] = 1.0;
            let row = factor.solve(&unit);
            spread * row.iter().map(|x| x * x).sum::<f64>().sqrt()
        });
        Fit {
            constant: solution.first().copied().unwrap_or(0.0),
            slopes: solution.iter().skip(1).copied().collect(),
            deviations: deviations.collect(),
        }
    }
}

impl Fit {
    /// A fit that claims nothing.
    fn level(features: usize) -> Self {
        Fit {
            constant: 0.0,
            slopes: vec![0.0; features],
            deviations: vec![f64::INFINITY; features],
        }
    }
}

/// The lower triangular L with L Lᵀ the matrix.
struct Cholesky {
    size: usize,
    lower: Vec<f64>,
}

impl Cholesky {
    /// `None` where a pivot is below `floor`.
    fn new(size: usize, entry: impl Fn(usize, usize) -> f64, floor: f64) -> Option<Self> {
        let mut lower = vec![0.0; size * size];
        for i in 0..size {
            for j in 0..=i {
                let dot: f64 = (0..j).map(|k| lower[i * size + k] * lower[j * size + k]).sum();
                let rest = entry(i, j) - dot;
                if i == j {
                    // NaN is not above either.
                    if !(rest >= floor && rest.is_finite()) {
                        return None;
                    }
                    lower[i * size + i] = rest.sqrt();
                } else {
                    lower[i * size + j] = rest / lower[j * size + j];
                }
            }
        }
        Some(Cholesky { size, lower })
    }

    fn solve(&self, right: &[f64]) -> Vec<f64> {
        let n = self.size;
        let mut x = right.to_vec();
        for i in 0..n {
            let dot: f64 = (0..i).map(|k| self.lower[i * n + k] * x[k]).sum();
            x[i] = (x[i] - dot) / self.lower[i * n + i];
        }
        for i in (0..n).rev() {
            let dot: f64 = (i + 1..n).map(|k| self.lower[k * n + i] * x[k]).sum();
            x[i] = (x[i] - dot) / self.lower[i * n + i];
        }
        x
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The moments of rows (x₁, x₂, y).
    fn moments(rows: &[[f64; 3]]) -> Vec<f64> {
        let mut entries = vec![0.0; Normal::entries(2)];
        for [x1, x2, y] in rows {
            let values = [1.0, *x1, *x2, *y];
            let mut slots = entries.iter_mut();
            for (i, a) in values.iter().enumerate() {
                for (b, slot) in values[i..].iter().zip(&mut slots) {
                    *slot += a * b;
                }
            }
        }
        entries
    }

    #[test]
    fn an_exact_plane_is_found() {
        let rows: Vec<[f64; 3]> = (0..20)
            .map(|i| {
                let (a, b) = (f64::from(i % 5) / 5.0, f64::from(i % 7) / 7.0);
                [a, b, 0.25 - 0.5 * a + 0.75 * b]
            })
            .collect();
        let fit = Normal::new(2, &moments(&rows)).unwrap().solve(0.0);
        assert!((fit.constant - 0.25).abs() < 1e-12);
        assert!((fit.slopes[0] + 0.5).abs() < 1e-12 && (fit.slopes[1] - 0.75).abs() < 1e-12);
        assert_eq!(fit.deviations, [0.0, 0.0]);
    }

    #[test]
    fn matrices_that_noise_made_singular_or_negative_still_have_a_finite_fit() {
        let collinear: Vec<[f64; 3]> = (0..20).map(|i| [f64::from(i), f64::from(i), 1.0]).collect();
        let negative = vec![-3.0; Normal::entries(2)];
        for entries in [moments(&collinear), negative, vec![0.0; Normal::entries(2)]] {
            let fit = Normal::new(2, &entries).unwrap().solve(0.5);
            assert!(fit.slopes.iter().all(|slope| slope.is_finite()));
            assert!(fit.deviations.iter().all(|deviation| *deviation > 0.0));
        }
    }

    #[test]
    fn too_few_entries_are_no_equations() {
        assert!(Normal::new(2, &[1.0; 9]).is_none());
    }
}
