//! Pearson's goodness of fit.

use super::upper_gamma;

/// The smallest expected count of a cell: rarer neighbours are pooled, so that the chi-square law
/// describes the statistic also far in its tail.
pub const MIN_EXPECTED: f64 = 50.0;

/// The chance that a chi-square variable with `degrees` degrees of freedom is at least `statistic`.
///
/// # Example
///
/// ```
/// use privacy_testing::statistics::chi_square_p_value;
///
/// // Two degrees of freedom: an exponential variable of mean 2.
/// assert!((chi_square_p_value(6.0, 2) - (-3f64).exp()).abs() < 1e-15);
/// ```
#[must_use]
pub fn chi_square_p_value(statistic: f64, degrees: usize) -> f64 {
    upper_gamma(degrees as f64 / 2.0, statistic / 2.0)
}

/// Checks that counts come from a law, alarming wrongly with probability about `false_alarm`.
///
/// `observed[i]` outcomes fell into cell i, which has probability `probabilities[i]`. The cells
/// must cover everything: add the two tails as cells of their own. Neighbours are pooled up to
/// [`MIN_EXPECTED`] expected outcomes.
///
/// # Panics
///
/// If the p-value is below `false_alarm`, if something fell into a cell of probability zero, if
/// the probabilities do not sum to 1 within 1e-9, or if fewer than two cells are left.
pub fn check_chi_square(observed: &[u64], probabilities: &[f64], false_alarm: f64) {
    assert_eq!(observed.len(), probabilities.len(), "each cell has a count and a probability");
    let total: f64 = probabilities.iter().sum();
    assert!(
        (total - 1.0).abs() < 1e-9,
        "the cells have probability {total}, not 1: are the tails missing?"
    );
    let draws: u64 = observed.iter().sum();
    let cells = pool(observed, probabilities, draws as f64);
    assert!(cells.len() >= 2, "{draws} draws leave {} cell: draw more", cells.len());
    let statistic: f64 =
        cells.iter().map(|&(seen, expected)| (seen - expected).powi(2) / expected).sum();
    let p_value = chi_square_p_value(statistic, cells.len() - 1);
    assert!(
        p_value >= false_alarm,
        "the counts do not follow the law: chi-square {statistic:.1} with {} degrees of freedom, \
         p-value {p_value:.3e} below the false-alarm probability {false_alarm:.0e}",
        cells.len() - 1
    );
}

/// Pooled (observed, expected) counts.
fn pool(observed: &[u64], probabilities: &[f64], draws: f64) -> Vec<(f64, f64)> {
    let mut cells: Vec<(f64, f64)> = Vec::new();
    let mut open = (0.0, 0.0);
    for (&seen, &probability) in observed.iter().zip(probabilities) {
        assert!(
            seen == 0 || probability > 0.0,
            "an outcome of probability zero occurred {seen} times"
        );
        open = (open.0 + seen as f64, open.1 + probability * draws);
        if open.1 >= MIN_EXPECTED {
            cells.push(open);
            open = (0.0, 0.0);
        }
    }
    if let Some(last) = cells.last_mut() {
        *last = (last.0 + open.0, last.1 + open.1);
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p_values_with_even_degrees_have_closed_forms() {
        for x in [0.5f64, 3.0, 20.0, 80.0] {
            let exact = (-x / 2.0).exp() * (1.0 + x / 2.0);
            assert!((chi_square_p_value(x, 4) / exact - 1.0).abs() < 1e-12);
        }
        assert!((chi_square_p_value(3.841_458_820_694_124, 1) - 0.05).abs() < 1e-12);
    }

    #[test]
    fn exact_counts_pass() {
        check_chi_square(&[500, 250, 250], &[0.5, 0.25, 0.25], 0.9);
    }

    #[test]
    fn rare_cells_are_pooled() {
        let cells = pool(&[60, 1, 2, 97, 3], &[0.4, 0.01, 0.01, 0.57, 0.01], 163.0);
        assert_eq!(cells.len(), 2);
        assert!((cells.iter().map(|c| c.0).sum::<f64>() - 163.0).abs() < 1e-9);
    }

    #[test]
    #[should_panic(expected = "do not follow the law")]
    fn a_bias_of_one_percent_is_noticed_in_a_million_draws() {
        check_chi_square(&[505_000, 495_000], &[0.5, 0.5], 1e-9);
    }

    #[test]
    #[should_panic(expected = "probability zero")]
    fn impossible_outcomes_are_noticed() {
        check_chi_square(&[500, 1, 500], &[0.5, 0.0, 0.5], 1e-9);
    }

    #[test]
    #[should_panic(expected = "are the tails missing")]
    fn a_law_without_its_tails_is_refused() {
        check_chi_square(&[500, 500], &[0.5, 0.4], 1e-9);
    }
}
