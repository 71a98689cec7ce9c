//! The verifier: looks at the released table alone, groups its rows, and recomputes every claim.
//!
//! It shares no code with the searches: rows are sorted into classes where the searches hash packed
//! keys, thresholds are compared in big integers, and each requirement is written down a second
//! time from its definition. It needs the original only for what the models themselves refer to
//! (the distribution of sensitive values) and to see that rows are truthful.
//!
//! What whole numbers cannot decide (logarithms of δ-disclosure, entropies and β-likeness that lie
//! within rounding of their thresholds) is refused. Estimates of population uniqueness are those of
//! [`risk`](crate::risk): there is one definition of an estimate.

use num_bigint::BigUint;

use crate::dataset::{Dataset, Role};
use crate::fraction::Fraction;
use crate::model::Model;
use crate::release::{Certificate, Release, Scheme};
use crate::table::Table;
use class::Sensitive;
use group::{Grouping, Ids};

mod class;
mod group;
#[cfg(test)]
mod mutants;
mod origin;
mod whole;

/// Why a release is refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Finding {
    /// Other columns than the input's without the identifying ones.
    #[error("the columns of the release are not those of the input without the identifying ones")]
    Columns,
    /// A class does not satisfy a requirement.
    #[error("row {row} lies in a class of {size} rows that does not satisfy {model}")]
    Class {
        /// The requirement.
        model: String,
        /// Rows of the class.
        size: u64,
        /// One of its rows in the release, counted from 1.
        row: u64,
    },
    /// The table as a whole does not satisfy a requirement.
    #[error("the release as a whole does not satisfy {model}")]
    Whole {
        /// The requirement.
        model: String,
    },
    /// Levels that the hierarchies do not have.
    #[error("the scheme has other levels than one existing level for each quasi-identifier")]
    Levels,
    /// A requirement cannot be checked here.
    #[error("{model} cannot be checked: {reason}")]
    Unchecked {
        /// The requirement.
        model: String,
        /// Why.
        reason: &'static str,
    },
    /// A cell is no generalization of the row it is said to come from.
    #[error("row {row}, column `{column}`: the value is not that of its row, or no group of it")]
    Untrue {
        /// The row in the release, counted from 1.
        row: u64,
        /// The column.
        column: String,
    },
    /// A row that cannot come from the input.
    #[error("row {row} comes from no row of the input that is not used already")]
    Foreign {
        /// The row in the release, counted from 1.
        row: u64,
    },
    /// A class was released in part.
    #[error("the class of row {row} was released in part: {released} of {all} rows")]
    Partial {
        /// One of its rows, counted from 1.
        row: u64,
        /// Rows released.
        released: u64,
        /// Rows of the class in the generalized input.
        all: u64,
    },
    /// A number of the certificate is wrong.
    #[error("the certificate's {what} is {claimed}, the release's {found}")]
    Certificate {
        /// Which number.
        what: &'static str,
        /// What it says.
        claimed: u64,
        /// What was counted.
        found: u64,
    },
}

/// Checks a release against its own certificate and origin.
///
/// # Errors
///
/// The first [`Finding`].
pub fn verify(
    data: &Dataset,
    release: &Release,
    population: Option<&Table>,
) -> Result<(), Finding> {
    let Certificate { models, scheme, rows, suppressed, classes, smallest_class, .. } =
        release.certificate();
    // Rows that are known are compared one by one, those that are not as a multiset.
    origin::check(data, release.table(), release.origin())?;
    let census = Census::take(data, release.table(), Some(scheme), population)?;
    census.check(models)?;
    let all = data.table().rows() as u64;
    let claims = [
        ("number of rows", *rows, release.table().rows() as u64),
        ("number of suppressed rows", *suppressed, all - release.table().rows() as u64),
        ("number of classes", *classes, census.classes().count() as u64),
        ("smallest class", *smallest_class, census.smallest()),
    ];
    for (what, claimed, found) in claims {
        if claimed != found {
            return Err(Finding::Certificate { what, claimed, found });
        }
    }
    Ok(())
}

/// Checks a table that is handed out without its origin: the requirements, and, for full-domain
/// generalization, that it consists of whole classes of the generalized input.
///
/// # Errors
///
/// The first [`Finding`].
pub fn verify_table(
    data: &Dataset,
    table: &Table,
    models: &[Model],
    scheme: Option<&Scheme>,
    population: Option<&Table>,
) -> Result<(), Finding> {
    let census = Census::take(data, table, scheme, population)?;
    if let Some(Scheme::FullDomain { levels }) = scheme {
        origin::check_multiset(data, table, levels)?;
    }
    census.check(models)
}

/// The places of the columns that are released, in order.
fn released(data: &Dataset) -> impl Iterator<Item = usize> + '_ {
    let all = 0..data.table().columns().len();
    all.filter(|&place| data.role(place) != Some(Role::Identifying))
}

/// Rows of the release, and of the input and the population where these are generalized by known
/// levels, grouped by the quasi-identifiers.
struct Census<'a> {
    data: &'a Dataset,
    table: &'a Table,
    groups: Grouping,
    /// Rows below this number are the release's, those from there to `inputs` the input's, and those
    /// from there on the population's.
    rows: usize,
    inputs: usize,
    has_population: bool,
}

/// A class of the release.
struct Class<'a> {
    rows: &'a [u32],
    /// People of the population with the same values.
    around: u64,
}

impl<'a> Census<'a> {
    fn take(
        data: &'a Dataset,
        table: &'a Table,
        scheme: Option<&Scheme>,
        population: Option<&Table>,
    ) -> Result<Self, Finding> {
        let names = released(data).map(|place| data.table().columns()[place].name());
        if !names.eq(table.columns().iter().map(|column| column.name())) {
            return Err(Finding::Columns);
        }
        let levels = match scheme {
            Some(Scheme::FullDomain { levels }) => Some(levels.as_slice()),
            _ => None,
        };
        if levels.is_some_and(|levels| !origin::fits(data, levels)) {
            return Err(Finding::Levels);
        }
        let population = population.filter(|_| levels.is_some());
        let mut columns = Vec::new();
        for (i, quasi) in data.quasi().enumerate() {
            let name = quasi.column.name();
            let mut ids = Ids::of(table.column(name).map_err(|_| Finding::Columns)?);
            if let Some(&level) = levels.and_then(|levels| levels.get(i)) {
                ids.join_generalized(quasi.column, quasi.levels, level);
                if let Some(people) = population {
                    let column = people.column(name).map_err(|_| Finding::Columns)?;
                    let applied = data.population_levels(quasi.place, column);
                    ids.join_generalized(column, &applied.map_err(|_| Finding::Levels)?, level);
                }
            }
            columns.push(ids);
        }
        let rows = table.rows();
        let inputs = if levels.is_some() { rows + data.table().rows() } else { rows };
        let all = inputs + population.map_or(0, Table::rows);
        let groups = Grouping::of(&columns, all);
        let has_population = population.is_some();
        let census = Census { data, table, groups, rows, inputs, has_population };
        if levels.is_some() {
            census.check_whole_classes()?;
        }
        Ok(census)
    }

    /// Each group's rows of the release, of the input and of the population.
    fn parts(&self) -> impl Iterator<Item = [&[u32]; 3]> {
        self.groups.iter().map(|group| {
            let (ours, rest) = group.split_at(group.partition_point(|&r| (r as usize) < self.rows));
            let inputs = rest.partition_point(|&r| (r as usize) < self.inputs);
            let (input, people) = rest.split_at(inputs);
            [ours, input, people]
        })
    }

    fn classes(&self) -> impl Iterator<Item = Class<'_>> {
        let parts = self.parts().filter(|[rows, ..]| !rows.is_empty());
        parts.map(|[rows, _, people]| Class { rows, around: people.len() as u64 })
    }

    fn smallest(&self) -> u64 {
        self.classes().map(|class| class.rows.len() as u64).min().unwrap_or(0)
    }

    /// A class that is released in part shows which of its rows were special.
    fn check_whole_classes(&self) -> Result<(), Finding> {
        for [rows, input, _] in self.parts() {
            if let Some(&row) = rows.first()
                && rows.len() != input.len()
            {
                let (released, all) = (rows.len() as u64, input.len() as u64);
                return Err(Finding::Partial { row: u64::from(row) + 1, released, all });
            }
        }
        Ok(())
    }

    fn check(&self, models: &[Model]) -> Result<(), Finding> {
        models.iter().try_for_each(|model| self.check_model(model))
    }

    fn check_model(&self, model: &Model) -> Result<(), Finding> {
        let unchecked = |reason| Finding::Unchecked { model: model.to_string(), reason };
        let whole = || Finding::Whole { model: model.to_string() };
        if model.is_of_the_sample() {
            return match whole::holds(self, model) {
                true => Ok(()),
                false => Err(whole()),
            };
        }
        if model.needs_population() && !self.has_population {
            return Err(unchecked(
                "it needs the population and the levels of a full-domain scheme",
            ));
        }
        if let Model::DeltaPresence { min, .. } = model {
            // A class of the population without any row is as visible as one with rows.
            let mut parts = self.parts();
            let absent = parts.any(|[rows, _, people]| rows.is_empty() && !people.is_empty());
            if absent && *min > Fraction::ZERO {
                return Err(whole());
            }
        }
        let columns = model.columns().iter().map(|name| {
            Sensitive::of(self.data, self.table, name)
                .ok_or_else(|| unchecked("a column is missing"))
        });
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        let test = class::Test::new(self.data, self.table, model, &columns);
        for class in self.classes() {
            let counts: Option<Vec<Vec<u64>>> =
                columns.iter().map(|column| column.count(class.rows)).collect();
            // A value that the input does not have satisfies nothing.
            let holds = counts.is_some_and(|counts| test.holds(&class, &counts));
            if !holds {
                let row = class.rows.first().map_or(0, |&row| u64::from(row) + 1);
                let (model, size) = (model.to_string(), class.rows.len() as u64);
                return Err(Finding::Class { model, size, row });
            }
        }
        Ok(())
    }
}

fn big(x: u64) -> BigUint {
    BigUint::from(x)
}

/// Whether a/b ≤ f.
fn at_most(a: BigUint, b: BigUint, f: Fraction) -> bool {
    a * f.denominator() <= b * f.numerator()
}
