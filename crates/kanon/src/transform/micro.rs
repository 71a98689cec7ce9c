//! Microaggregation: numbers replaced by the aggregate of k similar rows (MDAV; Domingo-Ferrer,
//! Mateo-Sanz 2002), and the optimal grouping of one column (Hansen, Mukherjee 2003).
//!
//! # Privacy
//!
//! Aggregated columns are k-anonymous as a set of quasi-identifiers. An aggregate is computed from
//! original values, so extreme rows still show in it.

use crate::error::{Error, Result};

/// How the values of a group become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Average {
    /// Arithmetic mean.
    Mean,
    /// Geometric mean of value + 1, less 1; for values of at least 0.
    GeometricMean,
    /// Middle value, or the mean of the two middle ones.
    Median,
    /// Most frequent value; the smallest of several.
    Mode,
}

impl Average {
    /// The aggregate; `None` of nothing, or of a negative number for the geometric mean.
    #[must_use]
    pub fn of(self, values: &[f64]) -> Option<f64> {
        if values.is_empty() {
            return None;
        }
        let n = values.len() as f64;
        Some(match self {
            Average::Mean => values.iter().sum::<f64>() / n,
            Average::GeometricMean => {
                if values.iter().any(|&v| v < 0.0) {
                    return None;
                }
                (values.iter().map(|v| v.ln_1p()).sum::<f64>() / n).exp_m1()
            }
            Average::Median => {
                let mut sorted = values.to_vec();
                sorted.sort_by(f64::total_cmp);
                let middle = sorted.len() / 2;
                match sorted.len() % 2 {
                    0 => (sorted[middle - 1] + sorted[middle]) / 2.0,
                    _ => sorted[middle],
                }
            }
            Average::Mode => {
                let mut sorted = values.to_vec();
                sorted.sort_by(f64::total_cmp);
                let mut best = (0, sorted[0]);
                for run in sorted.chunk_by(|a, b| a == b) {
                    if run.len() > best.0 {
                        best = (run.len(), run[0]);
                    }
                }
                best.1
            }
        })
    }
}

fn check(rows: usize, k: usize) -> Result<()> {
    if k == 0 || k > rows {
        return Err(Error::Parameter {
            parameter: "k",
            requirement: "at least 1 and at most the number of rows",
        });
    }
    Ok(())
}

/// Groups of k to 2k − 1 rows that are near each other: MDAV over standardized columns.
///
/// # Errors
///
/// [`Error::Parameter`] for a k that is 0 or above the number of rows, values that are not finite,
/// or columns of different lengths.
///
/// # Example
///
/// ```
/// use kanon::transform::micro::{Average, groups};
///
/// let ages = [21.0, 22.0, 23.0, 60.0, 61.0, 62.0];
/// let groups = groups(&[&ages], 3)?;
/// let means: Vec<_> = groups.iter().map(|rows| {
///     Average::Mean.of(&rows.iter().map(|&row| ages[row]).collect::<Vec<_>>())
/// }).collect();
/// assert!(means.contains(&Some(22.0)) && means.contains(&Some(61.0)));
/// # Ok::<(), kanon::Error>(())
/// ```
pub fn groups(columns: &[&[f64]], k: usize) -> Result<Vec<Vec<usize>>> {
    let rows = columns.first().map_or(0, |column| column.len());
    check(rows, k)?;
    let sound = |column: &&[f64]| column.len() == rows && column.iter().all(|v| v.is_finite());
    if !columns.iter().all(sound) {
        return Err(Error::Parameter {
            parameter: "a column to aggregate",
            requirement: "as long as the others, all its values finite",
        });
    }
    let d = columns.len();
    let mut points = vec![0.0; rows * d];
    for (j, column) in columns.iter().enumerate() {
        let mean = column.iter().sum::<f64>() / rows as f64;
        let variance = column.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / rows as f64;
        let scale = if variance > 0.0 { variance.sqrt() } else { 1.0 };
        for (i, value) in column.iter().enumerate() {
            points[i * d + j] = (value - mean) / scale;
        }
    }
    let point = |row: usize| &points[row * d..(row + 1) * d];
    let distance =
        |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| (x - y) * (x - y)).sum::<f64>();
    let mut left: Vec<usize> = (0..rows).collect();
    let mut all = Vec::new();
    let farthest = |left: &[usize], from: &[f64]| {
        let by = |&&a: &&usize, &&b: &&usize| {
            distance(point(a), from).total_cmp(&distance(point(b), from)).then(b.cmp(&a))
        };
        left.iter().max_by(by).copied().unwrap_or(0)
    };
    // Takes the k rows nearest to `center` out of `left`.
    let take = |left: &mut Vec<usize>, center: usize| {
        let by = |&a: &usize, &b: &usize| {
            let to = |x| distance(point(x), point(center));
            to(a).total_cmp(&to(b)).then(a.cmp(&b))
        };
        if k < left.len() {
            left.select_nth_unstable_by(k - 1, by);
        }
        let rest = left.split_off(k.min(left.len()));
        std::mem::replace(left, rest)
    };
    let centroid = |left: &[usize]| -> Vec<f64> {
        let mut sum = vec![0.0; d];
        for &row in left {
            sum.iter_mut().zip(point(row)).for_each(|(s, x)| *s += x);
        }
        sum.iter().map(|s| s / left.len() as f64).collect()
    };
    while left.len() >= 3 * k {
        let r = farthest(&left, &centroid(&left));
        all.push(take(&mut left, r));
        let s = farthest(&left, point(r));
        all.push(take(&mut left, s));
    }
    if left.len() >= 2 * k {
        let r = farthest(&left, &centroid(&left));
        all.push(take(&mut left, r));
    }
    all.push(left);
    Ok(all)
}

/// The grouping of one column into groups of k to 2k − 1 with the least sum of squares: a shortest
/// path over the sorted values, in O(k n).
///
/// # Errors
///
/// [`Error::Parameter`] for a k that is 0 or above the number of rows, or values that are not finite.
pub fn optimal_groups(column: &[f64], k: usize) -> Result<Vec<Vec<usize>>> {
    check(column.len(), k)?;
    if column.iter().any(|v| !v.is_finite()) {
        return Err(Error::Parameter {
            parameter: "a column to aggregate",
            requirement: "of finite values",
        });
    }
    let n = column.len();
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&a, &b| column[a].total_cmp(&column[b]).then(a.cmp(&b)));
    let mean = column.iter().sum::<f64>() / n as f64;
    let (mut sums, mut squares) = (vec![0.0; n + 1], vec![0.0; n + 1]);
    for (i, &row) in order.iter().enumerate() {
        let value = column[row] - mean;
        sums[i + 1] = sums[i] + value;
        squares[i + 1] = squares[i] + value * value;
    }
    let cost = |from: usize, to: usize| {
        let sum: f64 = sums[to] - sums[from];
        squares[to] - squares[from] - sum * sum / (to - from) as f64
    };
    let mut best = vec![(f64::INFINITY, 0usize); n + 1];
    best[0].0 = 0.0;
    for to in k..=n {
        for from in to.saturating_sub(2 * k - 1)..=to - k {
            let total = best[from].0 + cost(from, to);
            if total < best[to].0 {
                best[to] = (total, from);
            }
        }
    }
    let mut all = Vec::new();
    let mut to = n;
    while to > 0 {
        let from = best[to].1;
        all.push(order[from..to].to_vec());
        to = from;
    }
    all.reverse();
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_have_k_to_2k_less_one_rows() {
        for n in 3..60usize {
            for k in 1..=n.min(7) {
                let a: Vec<f64> = (0..n).map(|i| ((i * 7919) % 101) as f64).collect();
                let b: Vec<f64> = (0..n).map(|i| ((i * 104_729) % 97) as f64).collect();
                for all in [groups(&[&a, &b], k).unwrap(), optimal_groups(&a, k).unwrap()] {
                    let mut rows: Vec<usize> = all.iter().flatten().copied().collect();
                    rows.sort_unstable();
                    assert_eq!(rows, (0..n).collect::<Vec<_>>());
                    assert!(all.iter().all(|g| g.len() >= k && g.len() < 2 * k), "{n} {k}");
                }
            }
        }
        assert!(groups(&[&[1.0]], 2).is_err() && optimal_groups(&[f64::NAN], 1).is_err());
    }

    #[test]
    fn the_optimal_grouping_beats_every_other_of_the_sorted_values() {
        let column = [1.0, 2.0, 2.5, 8.0, 8.5, 9.0, 20.0];
        let spread = |groups: &[Vec<usize>]| -> f64 {
            let of = |group: &Vec<usize>| {
                let mean = group.iter().map(|&i| column[i]).sum::<f64>() / group.len() as f64;
                group.iter().map(|&i| (column[i] - mean).powi(2)).sum::<f64>()
            };
            groups.iter().map(of).sum()
        };
        let found = spread(&optimal_groups(&column, 2).unwrap());
        // All ways to cut seven sorted values, as bits between neighbours.
        for cuts in 0..64u32 {
            let mut groups = vec![vec![0]];
            for i in 1..7 {
                if cuts >> (i - 1) & 1 == 1 {
                    groups.push(Vec::new());
                }
                groups.last_mut().unwrap().push(i);
            }
            if groups.iter().all(|g| g.len() >= 2) {
                assert!(found <= spread(&groups) + 1e-9);
            }
        }
    }

    #[test]
    fn averages() {
        assert_eq!(Average::Median.of(&[4.0, 1.0, 2.0, 9.0]), Some(3.0));
        assert_eq!(Average::Mode.of(&[4.0, 1.0, 4.0, 1.0]), Some(1.0));
        assert!((Average::GeometricMean.of(&[0.0, 3.0]).unwrap() - 1.0).abs() < 1e-12);
        assert_eq!(Average::GeometricMean.of(&[-1.0]), None);
        assert_eq!(Average::Mean.of(&[]), None);
    }
}
