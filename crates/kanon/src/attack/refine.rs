//! Undoing minimal generalization: what follows from the fact that a group was not made smaller.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::dataset::Dataset;
use crate::error::Result;
use crate::model::Model;
use crate::release::{Release, Scheme};
use crate::risk::Classes;
use crate::table::Value;

/// What refinement tells about a release.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Refined {
    /// Generalized cells that were looked at.
    pub cells: u64,
    /// Cells in classes for which only one choice of finer values is consistent: the class can be
    /// replaced by one with more detail (downcoding).
    pub determined: u64,
    /// Those of them for which that choice is the truth.
    pub right: u64,
    /// The information that an attacker gains on average about the finer values of a class in one
    /// column, in bits.
    pub bits: f64,
}

/// Classes above this size are left out: what is excluded of them is next to nothing.
const MOST_ROWS: usize = 2048;

/// Downcoding and refinement (Cohen 2022, <https://arxiv.org/abs/2103.17109>; combinatorial
/// refinement, <https://arxiv.org/abs/2509.03350>) against local recoding and Mondrian: the attacker
/// knows the hierarchies, which values occur, k, and that each algorithm would have released more
/// detail if it could have.
///
/// Local recoding settles a group as soon as it has k rows, so that in a class with a generalized
/// cell each finer value has at most k − 1 rows. Mondrian does not cut a box along a hierarchy only if
/// a side would have fewer than k rows. Of the ways to distribute the rows of a class over the finer
/// values these are left; where one is left, the class is undone.
///
/// This counts what single columns of single classes tell, which is less than what the whole release
/// does; it is a warning and no bound. It is exact for k-anonymity alone. Full-domain generalization
/// gives 0: one level for all rows tells nothing about a single class.
///
/// # Errors
///
/// [`Error::UnknownColumn`](crate::Error::UnknownColumn) if the release is of another dataset.
pub fn refine(data: &Dataset, release: &Release) -> Result<Refined> {
    let certificate = release.certificate();
    let local = match certificate.scheme {
        Scheme::LocalRecoding => true,
        Scheme::Mondrian { relaxed: false } => false,
        _ => return Ok(Refined::default()),
    };
    let size = |model: &Model| match model {
        Model::KAnonymity { k } => Some(k.get()),
        _ => None,
    };
    let k = certificate.models.iter().filter_map(size).max();
    let k = usize::try_from(k.unwrap_or(certificate.smallest_class)).unwrap_or(usize::MAX);
    let table = release.table();
    let names: Vec<&str> = data.quasi().map(|quasi| quasi.column.name()).collect();
    let classes = Classes::of(table, &names)?;
    let mut members: Vec<Vec<u32>> = vec![Vec::new(); classes.count()];
    for (row, &class) in classes.of_rows().iter().enumerate() {
        members[class as usize].push(row as u32);
    }
    let mut found = Refined::default();
    let (mut gained, mut looked) = (0.0, 0u64);
    for quasi in data.quasi() {
        let column = table.column(quasi.column.name())?;
        let counts = quasi.column.counts();
        let mut finer: BTreeMap<&Value, Option<Finer<'_>>> = BTreeMap::new();
        for rows in members.iter().filter(|rows| (k..=MOST_ROWS).contains(&rows.len())) {
            let Some(cell) = rows.first().and_then(|&row| column.value(row as usize)) else {
                continue;
            };
            let entry = finer.entry(cell).or_insert_with(|| Finer::of(&quasi, counts, cell));
            let Some(finer) = entry else { continue };
            let s = rows.len();
            found.cells += s as u64;
            looked += 1;
            let parts = finer.values.len();
            let all = distributions(s, parts, |_| true);
            let left = match local {
                true => distributions(s, parts, |rows| rows < k),
                false => all - distributions(s, parts, |rows| rows == 0 || rows >= k),
            };
            // None is left where other models than k-anonymity held the algorithm back.
            gained += if left >= 1.0 { (all / left).log2() } else { 0.0 };
            if left != 1.0 {
                continue;
            }
            found.determined += s as u64;
            let mut truth: BTreeMap<&Value, usize> = BTreeMap::new();
            for &row in rows {
                let Some(&from) = release.origin().get(row as usize) else { continue };
                let value =
                    quasi.levels.label(finer.level, quasi.column.codes().get(from as usize));
                *truth.entry(value).or_insert(0) += 1;
            }
            // The one that is left is even: by symmetry, nothing else can be alone.
            let even = finer.values.iter().all(|value| truth.get(value) == Some(&(s / parts)));
            found.right += if even { s as u64 } else { 0 };
        }
    }
    found.bits = if looked > 0 { gained / looked as f64 } else { 0.0 };
    Ok(found)
}

/// The groups of the next level below a cell that has several.
struct Finer<'a> {
    level: usize,
    values: BTreeSet<&'a Value>,
}

impl<'a> Finer<'a> {
    fn of(quasi: &crate::dataset::Quasi<'a>, counts: &[u64], cell: &Value) -> Option<Self> {
        let levels = quasi.levels;
        let entries: Vec<u32> =
            (0..counts.len() as u32).filter(|&entry| counts[entry as usize] > 0).collect();
        // The lowest level with this label, so that what is below it has other labels.
        let level = (quasi.min..=quasi.max)
            .find(|&level| entries.iter().any(|&entry| levels.label(level, entry) == cell))?;
        let below = level.checked_sub(1).filter(|&below| below >= quasi.min)?;
        let inside = entries.iter().filter(|&&entry| levels.label(level, entry) == cell);
        let values: BTreeSet<&Value> = inside.map(|&entry| levels.label(below, entry)).collect();
        (values.len() > 1).then_some(Finer { level: below, values })
    }
}

/// In how many ways `rows` equal rows are distributed over `parts` values, each with an allowed number.
fn distributions(rows: usize, parts: usize, allowed: impl Fn(usize) -> bool) -> f64 {
    let mut ways = vec![0.0; rows + 1];
    ways[0] = 1.0;
    for _ in 0..parts.min(64) {
        let mut next = vec![0.0; rows + 1];
        for (used, &way) in ways.iter().enumerate().filter(|(_, way)| **way > 0.0) {
            for more in (0..=rows - used).filter(|&more| allowed(more)) {
                next[used + more] += way;
            }
        }
        ways = next;
    }
    ways[rows]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prelude::*;

    #[test]
    fn distributions_are_counted() {
        // Five rows over three values: C(7, 2) ways; with at most two each: 2+2+1 in three orders.
        assert_eq!(distributions(5, 3, |_| true), 21.0);
        assert_eq!(distributions(5, 3, |rows| rows <= 2), 3.0);
        assert_eq!(distributions(4, 2, |rows| rows <= 2), 1.0);
    }

    /// Two rows under `x` and two under `y`, each pair different below: local recoding joins each pair,
    /// and who knows that it is minimal splits both again.
    #[test]
    fn minimal_pairs_are_undone() {
        let table = CsvOptions::new().read("q\na\nb\nc\nd\n".as_bytes()).unwrap();
        let rows = [["a", "x", "*"], ["b", "x", "*"], ["c", "y", "*"], ["d", "y", "*"]];
        let work = |recoding| {
            let work = Anonymizer::builder(&table)
                .quasi("q", Hierarchy::from_rows(rows).unwrap())
                .require(Model::k_anonymity(2).unwrap())
                .recoding(recoding)
                .seed([3; 32]);
            refine(&work.dataset().unwrap(), &work.run().unwrap()).unwrap()
        };
        for recoding in [Recoding::Local, Recoding::Mondrian] {
            let found = work(recoding);
            assert_eq!((found.cells, found.determined, found.right), (4, 4, 4), "{recoding:?}");
            // Of 2+0, 1+1, 0+2 one is left.
            assert!((found.bits - 3f64.log2()).abs() < 1e-12);
        }
        assert_eq!(work(Recoding::FullDomain), Refined::default());
    }
}
