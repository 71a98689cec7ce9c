//! The largest gap between an empirical and a stated distribution function.

/// The largest distance between the empirical distribution function of `samples` and `cdf`.
///
/// `cdf` must be continuous for the distance to be exact; sorts the samples.
#[must_use]
pub fn kolmogorov_distance(samples: &mut [f64], cdf: impl Fn(f64) -> f64) -> f64 {
    samples.sort_by(f64::total_cmp);
    let n = samples.len() as f64;
    samples
        .iter()
        .enumerate()
        .map(|(i, &x)| {
            let stated = cdf(x);
            (stated - i as f64 / n).max((i + 1) as f64 / n - stated)
        })
        .fold(0.0, f64::max)
}

/// Checks that samples come from the continuous law with distribution function `cdf`, alarming
/// wrongly with probability at most `false_alarm`.
///
/// The threshold is the Dvoretzky-Kiefer-Wolfowitz inequality with Massart's constant,
/// P(D > e) <= 2 exp(-2 n e^2), which holds for every sample size.
///
/// # Panics
///
/// If the distance is above the threshold.
///
/// # Example
///
/// ```
/// use privacy_testing::statistics::check_kolmogorov_smirnov;
///
/// let mut grid: Vec<f64> = (0..1000).map(|i| (f64::from(i) + 0.5) / 1000.0).collect();
/// check_kolmogorov_smirnov(&mut grid, |x| x.clamp(0.0, 1.0), 1e-9);
/// ```
pub fn check_kolmogorov_smirnov(samples: &mut [f64], cdf: impl Fn(f64) -> f64, false_alarm: f64) {
    let distance = kolmogorov_distance(samples, cdf);
    let threshold = ((2.0 / false_alarm).ln() / (2.0 * samples.len() as f64)).sqrt();
    assert!(
        distance <= threshold,
        "the samples do not follow the law: distance {distance:.4} above {threshold:.4}, the \
         threshold for {} samples and the false-alarm probability {false_alarm:.0e}",
        samples.len()
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(n: u32) -> Vec<f64> {
        (0..n).map(|i| (f64::from(i) + 0.5) / f64::from(n)).collect()
    }

    #[test]
    fn the_distance_of_a_midpoint_grid_is_half_a_step() {
        assert!((kolmogorov_distance(&mut grid(50), |x| x) - 0.01).abs() < 1e-12);
    }

    #[test]
    #[should_panic(expected = "do not follow the law")]
    fn a_shifted_law_is_rejected() {
        check_kolmogorov_smirnov(&mut grid(10_000), |x| (x + 0.05).clamp(0.0, 1.0), 1e-9);
    }

    #[test]
    #[should_panic(expected = "do not follow the law")]
    fn a_wider_law_is_rejected() {
        check_kolmogorov_smirnov(&mut grid(10_000), |x| (x / 1.2).clamp(0.0, 1.0), 1e-9);
    }
}
