//! Which parameters of each model a table satisfies.

use serde::Serialize;

use super::Classes;
use crate::error::Result;
use crate::table::Table;

/// The strictest parameters that a table satisfies for one sensitive column.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Measured {
    /// The column.
    pub column: String,
    /// Least number of different values in a class.
    pub distinct_l: u64,
    /// Least exp(entropy) of a class.
    pub entropy_l: f64,
    /// Largest share of one value in a class.
    pub alpha: f64,
    /// Largest distance of a class from the table, equal distance.
    pub equal_t: f64,
    /// Largest distance of a class from the table, ordered distance.
    pub ordered_t: f64,
    /// Largest |log2(q/p)|; infinite if a value is absent from a class. δ must be above it.
    pub delta: f64,
    /// Least β of basic β-likeness.
    pub beta: f64,
}

/// What a table satisfies, given its quasi-identifiers and sensitive columns.
///
/// # Errors
///
/// [`Error::UnknownColumn`](crate::Error::UnknownColumn).
///
/// # Example
///
/// ```
/// let text = "age,zip,illness\n30,1,flu\n30,1,cold\n40,2,flu\n40,2,flu\n";
/// let table = kanon::table::CsvOptions::new().read(text.as_bytes())?;
/// let (k, measured) = kanon::risk::measure(&table, &["age", "zip"], &["illness"])?;
/// assert_eq!((k, measured[0].distinct_l, measured[0].equal_t), (2, 1, 0.25));
/// # Ok::<(), kanon::Error>(())
/// ```
pub fn measure(table: &Table, quasi: &[&str], sensitive: &[&str]) -> Result<(u64, Vec<Measured>)> {
    let classes = Classes::of(table, quasi)?;
    let k = classes.sizes().iter().copied().min().unwrap_or(0);
    let n = table.rows() as f64;
    let mut all = Vec::new();
    for &name in sensitive {
        let column = table.column(name)?;
        let (totals, ranks) = (column.counts(), column.ranks());
        let mut order: Vec<usize> = (0..totals.len()).filter(|&i| totals[i] > 0).collect();
        order.sort_by_key(|&entry| ranks[entry]);
        let m = order.len();
        let mut place = vec![0; totals.len()];
        for (i, &entry) in order.iter().enumerate() {
            place[entry] = i;
        }
        let mut counts = vec![0u64; classes.count() * m];
        column.codes().for_each(0..table.rows(), |row, entry| {
            counts[classes.of_rows()[row] as usize * m + place[entry as usize]] += 1;
        });
        let mut found = Measured {
            column: name.into(),
            distinct_l: if classes.count() == 0 { 0 } else { u64::MAX },
            entropy_l: if classes.count() == 0 { 0.0 } else { f64::INFINITY },
            alpha: 0.0,
            equal_t: 0.0,
            ordered_t: 0.0,
            delta: 0.0,
            beta: 0.0,
        };
        for (class, &size) in classes.sizes().iter().enumerate() {
            let (mut distinct, mut entropy, mut equal) = (0, 0.0, 0.0);
            let (mut cumulated, mut ordered) = (0.0f64, 0.0);
            for (i, &entry) in order.iter().enumerate() {
                let count = counts[class * m + i];
                let (q, p) = (count as f64 / size as f64, totals[entry] as f64 / n);
                distinct += u64::from(count > 0);
                entropy -= if count > 0 { q * q.ln() } else { 0.0 };
                equal += (q - p).abs() / 2.0;
                cumulated += q - p;
                ordered += cumulated.abs();
                found.alpha = found.alpha.max(q);
                found.delta = found.delta.max((q / p).log2().abs());
                found.beta = found.beta.max((q - p) / p);
            }
            found.distinct_l = found.distinct_l.min(distinct);
            found.entropy_l = found.entropy_l.min(f64::exp(entropy));
            found.equal_t = found.equal_t.max(equal);
            found.ordered_t = found.ordered_t.max(ordered / (m.max(2) - 1) as f64);
        }
        all.push(found);
    }
    Ok((k, all))
}
