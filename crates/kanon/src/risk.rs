//! How much risk a table carries, without changing it.
//!
//! [`Classes`] groups a table by any columns; from its sizes follow the prosecutor's, journalist's
//! and marketer's risk, uniqueness in the sample and the population, and which sets of columns tell
//! people apart. [`measure()`] tells which parameters of each privacy model a table satisfies, and
//! [`compatible`] how many rows each row may be if blanks match anything.
//!
//! Reports hold counts below k and are as confidential as the table, unless they are rounded.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use crate::error::{Error, Result};
use crate::model::PopulationEstimator;
use crate::table::{Table, Value};

pub mod identifiers;
pub mod measure;
pub mod special;
pub(crate) mod uniqueness;
mod wildcard;

pub use measure::{Measured, measure};
pub use special::SpecialUniques;
pub use wildcard::compatible;

/// The classes of a table: rows that agree on some columns.
///
/// # Example
///
/// ```
/// use kanon::{Table, risk::Classes};
///
/// let table = kanon::table::CsvOptions::new().read("age,zip\n30,1\n30,1\n40,2\n".as_bytes())?;
/// let classes = Classes::of(&table, &["age", "zip"])?;
/// let risk = classes.prosecutor(0.5)?;
/// assert_eq!((risk.highest, risk.average), (1.0, 2.0 / 3.0));
/// # Ok::<(), kanon::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Classes {
    /// The class of each row.
    of_row: Vec<u32>,
    sizes: Vec<u64>,
    /// A row of each class.
    first: Vec<u32>,
    columns: Vec<String>,
}

/// The risk that rows are re-identified.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Risk {
    /// Of the row most at risk.
    pub highest: f64,
    /// On average over rows.
    pub average: f64,
    /// The share of rows above the threshold.
    pub at_risk: f64,
}

/// How many people are unique in a population, by each estimator; `None` where one does not
/// converge, which is no sign of safety.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
#[allow(missing_docs, reason = "named after the estimators of `PopulationEstimator`")]
pub struct Uniques {
    pub zayatz: Option<f64>,
    pub pitman: Option<f64>,
    pub slide_negative_binomial: Option<f64>,
    pub dankar: Option<f64>,
}

/// How well a set of columns tells rows apart.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Separation {
    /// The columns.
    pub columns: Vec<String>,
    /// Classes per row.
    pub distinction: f64,
    /// The share of pairs of rows that differ.
    pub separation: f64,
}

impl Classes {
    /// Groups rows by the given columns. Missing values equal each other alone.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownColumn`].
    pub fn of(table: &Table, columns: &[&str]) -> Result<Self> {
        let mut all = Classes {
            of_row: vec![0; table.rows()],
            sizes: Vec::new(),
            first: Vec::new(),
            columns: columns.iter().map(|&c| c.into()).collect(),
        };
        all.renumber(|_| 0);
        for &name in columns {
            let column = table.column(name)?;
            all.renumber(|row| column.codes().get(row));
        }
        Ok(all)
    }

    /// Splits each class by a code.
    fn renumber(&mut self, code: impl Fn(usize) -> u32) {
        let mut numbers: HashMap<(u32, u32), u32, foldhash::quality::RandomState> =
            HashMap::default();
        (self.sizes, self.first) = (Vec::new(), Vec::new());
        for (row, class) in self.of_row.iter_mut().enumerate() {
            let next = self.sizes.len() as u32;
            *class = *numbers.entry((*class, code(row))).or_insert(next);
            if *class == next {
                self.sizes.push(0);
                self.first.push(row as u32);
            }
            self.sizes[*class as usize] += 1;
        }
    }

    /// How many classes.
    #[must_use]
    pub fn count(&self) -> usize {
        self.sizes.len()
    }

    /// Rows of each class.
    #[must_use]
    pub fn sizes(&self) -> &[u64] {
        &self.sizes
    }

    /// The class of each row.
    #[must_use]
    pub fn of_rows(&self) -> &[u32] {
        &self.of_row
    }

    /// How many classes there are of each size.
    #[must_use]
    pub fn histogram(&self) -> BTreeMap<u64, u64> {
        let mut all = BTreeMap::new();
        for &size in &self.sizes {
            *all.entry(size).or_insert(0) += 1;
        }
        all
    }

    fn rows(&self) -> f64 {
        self.of_row.len() as f64
    }

    fn risk(&self, threshold: f64, risk: impl Fn(usize) -> f64) -> Result<Risk> {
        if !(0.0..=1.0).contains(&threshold) {
            return Err(Error::Parameter { parameter: "a risk", requirement: "within 0 to 1" });
        }
        let (mut highest, mut sum, mut above) = (0.0f64, 0.0, 0.0);
        for (class, &size) in self.sizes.iter().enumerate() {
            let risk = risk(class);
            highest = highest.max(risk);
            sum += risk * size as f64;
            above += if risk > threshold { size as f64 } else { 0.0 };
        }
        let rows = self.rows().max(1.0);
        Ok(Risk { highest, average: sum / rows, at_risk: above / rows })
    }

    /// Against someone who knows that the person is in the table: 1 / class size.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for a threshold outside 0 to 1.
    pub fn prosecutor(&self, threshold: f64) -> Result<Risk> {
        self.risk(threshold, |class| 1.0 / self.sizes[class] as f64)
    }

    /// The population's class sizes for each class; the class's own size where it has none.
    fn people(&self, table: &Table, population: &Table) -> Result<Vec<u64>> {
        let mut known: HashMap<Vec<&Value>, u64> = HashMap::new();
        let columns = |table: &'_ Table| -> Result<Vec<usize>> {
            self.columns.iter().map(|name| table.position(name)).collect()
        };
        let (ours, theirs) = (columns(table)?, columns(population)?);
        for row in 0..population.rows() {
            let key = theirs.iter().map(|&place| population.columns()[place].at(row)).collect();
            *known.entry(key).or_insert(0) += 1;
        }
        let people = |(class, &size): (usize, &u64)| {
            let row = self.first[class] as usize;
            let key: Vec<&Value> = ours.iter().map(|&p| table.columns()[p].at(row)).collect();
            known.get(&key).copied().unwrap_or(size)
        };
        Ok(self.sizes.iter().enumerate().map(people).collect())
    }

    /// Against someone who knows the population and not who is in the table: 1 / the class's size
    /// in the population. The average is the larger of its two forms.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownColumn`] or [`Error::Parameter`].
    pub fn journalist(&self, table: &Table, population: &Table, threshold: f64) -> Result<Risk> {
        let people = self.people(table, population)?;
        let risk = self.risk(threshold, |class| 1.0 / people[class] as f64)?;
        let all: u64 = people.iter().sum();
        let other = self.count() as f64 / (all as f64).max(1.0);
        Ok(Risk { average: risk.average.max(other), ..risk })
    }

    /// Against someone who links everyone: the expected share of right links, (1/n) Σ f/F.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownColumn`].
    pub fn marketer(&self, table: &Table, population: &Table) -> Result<f64> {
        let people = self.people(table, population)?;
        Ok(self.risk(1.0, |class| 1.0 / people[class] as f64)?.average)
    }

    /// The share of rows that are alone in their class.
    #[must_use]
    pub fn sample_uniqueness(&self) -> f64 {
        self.sizes.iter().filter(|&&size| size == 1).count() as f64 / self.rows().max(1.0)
    }

    /// How many of `population` people are unique in it, estimated.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for a population smaller than the table.
    pub fn population_uniques(&self, population: u64) -> Result<Uniques> {
        if population < self.of_row.len() as u64 {
            return Err(Error::Parameter {
                parameter: "a population",
                requirement: "at least as large as the table",
            });
        }
        let sizes = self.histogram();
        let by = |estimator| uniqueness::estimate(estimator, &sizes, population);
        Ok(Uniques {
            zayatz: by(PopulationEstimator::Zayatz),
            pitman: by(PopulationEstimator::Pitman),
            slide_negative_binomial: by(PopulationEstimator::SlideNegativeBinomial),
            dankar: by(PopulationEstimator::Dankar),
        })
    }

    /// The share of unique matches that are right, estimated, where the table is a random sample that
    /// holds the share `sampled` of a population: someone who finds a person of the population to match
    /// exactly one row has that person's row with this chance. `None` without unique rows.
    ///
    /// This is data intrusion simulation: π f₁ / (π f₁ + 2 (1 − π) f₂) for f₁ rows that are unique and
    /// f₂ pairs (Skinner and Elliot 2002, "A measure of disclosure risk for microdata",
    /// <https://doi.org/10.1111/1467-9868.00365>). Where each person is sampled with chance π, the people
    /// outside that match unique rows are expected to be Σ F (F − 1) π (1 − π)^(F − 1) over classes of F
    /// people, and so many are 2 (1 − π) / π times the pairs that are expected.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for a share that is not above 0 and at most 1.
    ///
    /// # Example
    ///
    /// ```
    /// use kanon::{risk::Classes, table::CsvOptions};
    ///
    /// let table = CsvOptions::new().read("age\n30\n30\n40\n50\n".as_bytes())?;
    /// let classes = Classes::of(&table, &["age"])?;
    /// // Two unique rows and one pair: 0.5 · 2 / (0.5 · 2 + 2 · 0.5 · 1).
    /// assert_eq!(classes.unique_matches(0.5)?, Some(0.5));
    /// # Ok::<(), kanon::Error>(())
    /// ```
    pub fn unique_matches(&self, sampled: f64) -> Result<Option<f64>> {
        if !(sampled > 0.0 && sampled <= 1.0) {
            let requirement = "above 0 and at most 1";
            return Err(Error::Parameter { parameter: "the share that is sampled", requirement });
        }
        let of_size = |wanted| self.sizes.iter().filter(|&&size| size == wanted).count() as f64;
        let right = sampled * of_size(1);
        let wrong = 2.0 * (1.0 - sampled) * of_size(2);
        Ok((right > 0.0).then(|| right / (right + wrong)))
    }

    /// Distinction and separation, from whole pair counts.
    #[must_use]
    pub fn separation(&self) -> Separation {
        let n = self.of_row.len() as u128;
        let same: u128 =
            self.sizes.iter().map(|&s| u128::from(s) * u128::from(s.saturating_sub(1))).sum();
        let pairs = n * n.saturating_sub(1);
        let separation = if pairs == 0 { 0.0 } else { (pairs - same) as f64 / pairs as f64 };
        let distinction = self.count() as f64 / self.rows().max(1.0);
        Separation { columns: self.columns.clone(), distinction, separation }
    }
}

/// The smallest sets of at most `most_columns` columns whose distinction reaches the threshold.
///
/// Sets grow level by level; supersets of a found set are left out, since both measures only grow.
///
/// # Errors
///
/// [`Error::UnknownColumn`], or [`Error::TooLarge`] above 200,000 sets on one level.
pub fn discover(
    table: &Table,
    columns: &[&str],
    most_columns: usize,
    threshold: f64,
) -> Result<Vec<Separation>> {
    let mut found: Vec<(Vec<usize>, Separation)> = Vec::new();
    let mut level: Vec<(Vec<usize>, Classes)> = vec![(Vec::new(), Classes::of(table, &[])?)];
    for _ in 0..most_columns.min(columns.len()) {
        let mut next = Vec::new();
        for (set, classes) in &level {
            let from = set.last().map_or(0, |&last| last + 1);
            for (place, &name) in columns.iter().enumerate().skip(from) {
                let mut larger = set.clone();
                larger.push(place);
                let known = |(smaller, _): &(Vec<usize>, Separation)| {
                    smaller.iter().all(|place| larger.contains(place))
                };
                if found.iter().any(known) {
                    continue;
                }
                let column = table.column(name)?;
                let mut split = classes.clone();
                split.columns.push(name.into());
                split.renumber(|row| column.codes().get(row));
                let separation = split.separation();
                if separation.distinction >= threshold {
                    found.push((larger, separation));
                } else {
                    next.push((larger, split));
                }
                if next.len() > 200_000 {
                    return Err(Error::TooLarge { what: "sets of columns", limit: 200_000 });
                }
            }
        }
        level = next;
    }
    let mut all: Vec<Separation> = found.into_iter().map(|(_, separation)| separation).collect();
    all.sort_by(|a, b| {
        a.columns.len().cmp(&b.columns.len()).then(b.distinction.total_cmp(&a.distinction))
    });
    Ok(all)
}

/// The risk of a record in a class of f rows with survey weights that sum to w (Benedetti,
/// Franconi 1998): (P^f / f) ₂F₁(f, f; f + 1; 1 − P), P = f / w; `None` unless w ≥ f > 0.
#[must_use]
pub fn individual_risk(rows: u64, weight: f64) -> Option<f64> {
    let f = rows as f64;
    if rows == 0 || !weight.is_finite() || weight < f {
        return None;
    }
    let p = f / weight;
    // Euler's transformation: P^f ₂F₁(f, f; f+1; x) = P ₂F₁(1, 1; f+1; x) · … with x = 1 − P,
    // since ₂F₁(a, b; c; x) = (1−x)^(c−a−b) ₂F₁(c−a, c−b; c; x) and c − a − b = 1 − f.
    let x = 1.0 - p;
    let (mut term, mut sum) = (1.0, 1.0);
    for i in 0..1_000_000u32 {
        let i = f64::from(i);
        term *= (1.0 + i) * x / (f + 1.0 + i);
        sum += term;
        if term < sum * 1e-16 {
            break;
        }
    }
    Some(p / f * sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(sizes: &[usize]) -> Table {
        let values = sizes.iter().enumerate().flat_map(|(value, &count)| {
            std::iter::repeat_n(Value::from(format!("v{value}").as_str()), count)
        });
        Table::new(vec![crate::table::Column::new("q", values)]).unwrap()
    }

    #[test]
    fn the_small_example() {
        // f = (1,2,2,5), F = (4,2,10,50).
        let (sample, population) = (table(&[1, 2, 2, 5]), table(&[4, 2, 10, 50]));
        let classes = Classes::of(&sample, &["q"]).unwrap();
        let risk = classes.prosecutor(0.3).unwrap();
        assert_eq!((risk.highest, risk.average, risk.at_risk), (1.0, 0.4, 0.5));
        let risk = classes.journalist(&sample, &population, 0.3).unwrap();
        assert!(risk.highest == 0.5 && (risk.average - 0.155).abs() < 1e-12);
        assert!((classes.marketer(&sample, &population).unwrap() - 0.155).abs() < 1e-12);
        let separation = classes.separation();
        assert_eq!((separation.distinction, separation.separation), (0.4, 33.0 / 45.0));
    }

    #[test]
    fn wrong_unique_matches_are_as_many_as_expected() {
        // All samples of classes of 1, 2, 3 and 4 people, and one more person in all of them, who is
        // unique and keeps the estimate defined.
        let (people, sampled) = ([1usize, 2, 3, 4], 0.3f64);
        let (mut expected, mut estimated) = (0.0, 0.0);
        for sample in 0u32..1 << 10 {
            let (mut start, mut sizes, mut wrong) = (0, vec![1], 0.0);
            for all in people {
                let drawn = (sample >> start & ((1 << all) - 1)).count_ones() as usize;
                sizes.extend((drawn > 0).then_some(drawn));
                wrong += if drawn == 1 { (all - 1) as f64 } else { 0.0 };
                start += all;
            }
            let (drawn, unique) = (sample.count_ones(), sizes.iter().filter(|&&f| f == 1).count());
            let chance = sampled.powi(drawn as i32) * (1.0 - sampled).powi(10 - drawn as i32);
            let classes = Classes::of(&table(&sizes), &["q"]).unwrap();
            let right = classes.unique_matches(sampled).unwrap().unwrap();
            expected += chance * wrong;
            estimated += chance * unique as f64 * (1.0 / right - 1.0);
        }
        assert!((expected - estimated).abs() < 1e-12, "{expected} {estimated}");
    }

    #[test]
    fn unique_matches_need_unique_rows_and_a_share() {
        let of = |sizes: &[usize]| Classes::of(&table(sizes), &["q"]).unwrap();
        // Four unique rows and three pairs in a sample of 1 %.
        let found = of(&[1, 1, 1, 1, 2, 2, 2]).unique_matches(0.01).unwrap().unwrap();
        assert!((found - 0.04 / 5.98).abs() < 1e-15);
        assert_eq!(of(&[1, 2, 2]).unique_matches(1.0), Ok(Some(1.0)));
        assert_eq!(of(&[2, 3]).unique_matches(0.5), Ok(None));
        for sampled in [0.0, -0.1, 1.1, f64::NAN] {
            let refused = of(&[1, 2]).unique_matches(sampled);
            assert!(matches!(refused, Err(Error::Parameter { .. })));
        }
    }

    #[test]
    fn individual_risk_has_its_closed_forms() {
        for (f, expected) in [(1, 0.255_842_788_1), (2, 0.082_684_134_7), (3, 0.046_368_429_5)] {
            let risk = individual_risk(f, 10.0 * f as f64).unwrap();
            assert!((risk - expected).abs() < 1e-9, "{f}: {risk}");
        }
        assert_eq!(individual_risk(0, 1.0), None);
        assert_eq!(individual_risk(5, 5.0), Some(0.2));
    }

    #[test]
    fn minimal_sets_are_found_once() {
        let text = "a,b,c\n1,1,1\n1,2,1\n2,1,1\n2,2,1\n";
        let table = crate::table::CsvOptions::new().read(text.as_bytes()).unwrap();
        let found = discover(&table, &["a", "b", "c"], 3, 1.0).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].columns, ["a", "b"]);
    }

    #[test]
    fn empty_tables_have_no_risk() {
        let classes = Classes::of(&table(&[]), &["q"]).unwrap();
        let risk = classes.prosecutor(0.1).unwrap();
        assert_eq!((risk.highest, risk.average, risk.at_risk), (0.0, 0.0, 0.0));
        assert_eq!(classes.separation().separation, 0.0);
    }
}
