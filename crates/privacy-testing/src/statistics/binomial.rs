//! How often something happened, against how often it should.

use super::regularized_beta;

/// The exact (Clopper-Pearson) two-sided confidence interval for a success probability.
///
/// Covers the truth with probability at least 1 - `alpha`, for any number of trials.
///
/// # Panics
///
/// If there are more successes than trials.
///
/// # Example
///
/// ```
/// let (low, high) = privacy_testing::statistics::clopper_pearson(0, 100, 0.05);
/// assert!(low == 0.0 && (high - 0.0362).abs() < 1e-4);
/// ```
#[must_use]
pub fn clopper_pearson(successes: u64, trials: u64, alpha: f64) -> (f64, f64) {
    assert!(successes <= trials, "more successes than trials");
    let (k, n) = (successes as f64, trials as f64);
    let low = if successes == 0 {
        0.0
    } else {
        // P(Bin(n, low) >= k) = alpha / 2.
        bisect(|p| regularized_beta(k, n - k + 1.0, p) < alpha / 2.0)
    };
    let high = if successes == trials {
        1.0
    } else {
        // P(Bin(n, high) <= k) = alpha / 2, as the small tail so that nothing cancels.
        bisect(|p| regularized_beta(n - k, k + 1.0, 1.0 - p) > alpha / 2.0)
    };
    (low, high)
}

/// The point of [0, 1] where `below` turns from true to false.
fn bisect(below: impl Fn(f64) -> bool) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..100 {
        let middle = 0.5 * (low + high);
        if below(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

/// Checks that `successes` of `trials` fit the success probability `probability`, alarming wrongly
/// with probability at most `false_alarm`.
///
/// # Panics
///
/// If `probability` lies outside the Clopper-Pearson interval of level 1 - `false_alarm`.
pub fn check_binomial(successes: u64, trials: u64, probability: f64, false_alarm: f64) {
    let (low, high) = clopper_pearson(successes, trials, false_alarm);
    assert!(
        low <= probability && probability <= high,
        "{successes} successes in {trials} trials point to a probability in [{low:.6e}, \
         {high:.6e}] at false-alarm probability {false_alarm:.0e}, not to {probability:.6e}"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_solve_their_equations() {
        // No success: (1 - high)^n = alpha / 2.
        let (low, high) = clopper_pearson(0, 20, 0.1);
        assert!(low.abs() < 1e-300);
        assert!((high - (1.0 - 0.05f64.powf(0.05))).abs() < 1e-12);
        // All successes: the mirror image.
        let (low, high) = clopper_pearson(20, 20, 0.1);
        assert!((low - 0.05f64.powf(0.05)).abs() < 1e-12);
        assert!((high - 1.0).abs() < 1e-12);
        // One success in two: 1 - (1-low)^2 = alpha/2, 1 - high^2 = alpha/2.
        let (low, high) = clopper_pearson(1, 2, 0.1);
        assert!((low - (1.0 - 0.95f64.sqrt())).abs() < 1e-12);
        assert!((high - 0.95f64.sqrt()).abs() < 1e-12);
    }

    #[test]
    fn large_counts_have_a_narrow_interval_around_the_share() {
        let (low, high) = clopper_pearson(300_000, 1_000_000, 1e-9);
        // 6.1 standard deviations of 0.000458.
        assert!((0.3 - low - 0.0028).abs() < 1e-4 && (high - 0.3 - 0.0028).abs() < 1e-4);
    }

    #[test]
    fn a_fair_count_passes() {
        check_binomial(500_900, 1_000_000, 0.5, 1e-9);
    }

    #[test]
    #[should_panic(expected = "point to a probability")]
    fn a_biased_coin_is_rejected() {
        check_binomial(504_000, 1_000_000, 0.5, 1e-9);
    }

    #[test]
    #[should_panic(expected = "point to a probability")]
    fn too_few_rare_events_are_rejected() {
        check_binomial(0, 1_000_000, 1e-4, 1e-9);
    }
}
