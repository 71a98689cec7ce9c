//! A table whose every column has a role.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::hierarchy::{Hierarchy, Levels};
use crate::table::{Column, Missing, Table, Value};

/// What a column is to an attacker and to the people in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Role {
    /// Names a person: never released.
    Identifying,
    /// Known from elsewhere, and identifying together with others: generalized.
    Quasi,
    /// What must not be learned about a person: kept, and protected by models.
    Sensitive,
    /// Neither: kept as it is.
    Insensitive,
}

#[derive(Clone, Debug)]
struct Declared {
    column: String,
    role: Role,
    hierarchy: Option<Hierarchy>,
    min: usize,
    max: Option<usize>,
    missing: Missing,
}

/// A role for each column. Every column must be named; one that is not is an error.
///
/// # Example
///
/// ```
/// use kanon::{Hierarchy, Roles, Table};
///
/// let table = kanon::table::CsvOptions::new().read("name,age\nAda,36\nAlan,41\n".as_bytes())?;
/// let roles = Roles::new().identifying("name");
/// let error = roles.bind(&table).unwrap_err();
/// assert!(error.to_string().starts_with("column `age` has no role"));
/// # Ok::<(), kanon::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Roles {
    declared: Vec<Declared>,
}

impl Roles {
    /// No roles yet.
    pub fn new() -> Self {
        Roles::default()
    }

    fn with(mut self, column: impl Into<String>, role: Role, hierarchy: Option<Hierarchy>) -> Self {
        let column = column.into();
        let (min, max, missing) = (0, None, Missing::OwnCategory);
        self.declared.push(Declared { column, role, hierarchy, min, max, missing });
        self
    }

    /// A column that names people; it is dropped.
    pub fn identifying(self, column: impl Into<String>) -> Self {
        self.with(column, Role::Identifying, None)
    }

    /// A quasi-identifier and how it may be generalized.
    pub fn quasi(self, column: impl Into<String>, hierarchy: impl Into<Hierarchy>) -> Self {
        self.with(column, Role::Quasi, Some(hierarchy.into()))
    }

    /// A sensitive column.
    pub fn sensitive(self, column: impl Into<String>) -> Self {
        self.with(column, Role::Sensitive, None)
    }

    /// A sensitive column with the hierarchy that the hierarchical distance uses.
    pub fn sensitive_with(
        self,
        column: impl Into<String>,
        hierarchy: impl Into<Hierarchy>,
    ) -> Self {
        self.with(column, Role::Sensitive, Some(hierarchy.into()))
    }

    /// A column that is released as it is.
    pub fn insensitive(self, column: impl Into<String>) -> Self {
        self.with(column, Role::Insensitive, None)
    }

    /// Limits the levels of the quasi-identifier declared last.
    pub fn levels(mut self, levels: std::ops::RangeInclusive<usize>) -> Self {
        if let Some(last) = self.declared.last_mut() {
            (last.min, last.max) = (*levels.start(), Some(*levels.end()));
        }
        self
    }

    /// What a missing value means in the column declared last.
    pub fn missing(mut self, missing: Missing) -> Self {
        if let Some(last) = self.declared.last_mut() {
            last.missing = missing;
        }
        self
    }

    /// The table with these roles, its hierarchies applied and checked.
    ///
    /// # Errors
    ///
    /// [`Error::UndeclaredColumn`], [`Error::UnknownColumn`], [`Error::DuplicateColumn`],
    /// [`Error::Levels`], [`Error::MissingValue`], and what [`Hierarchy::levels`] returns.
    pub fn bind(&self, table: &Table) -> Result<Dataset> {
        for (i, declared) in self.declared.iter().enumerate() {
            table.position(&declared.column)?;
            if self.declared[..i].iter().any(|earlier| earlier.column == declared.column) {
                return Err(Error::DuplicateColumn { column: declared.column.clone() });
            }
        }
        let find = |column: &Column| {
            let found = self.declared.iter().find(|d| d.column == column.name());
            found.ok_or_else(|| Error::UndeclaredColumn { column: column.name().into() })
        };
        let declared = table.columns().iter().map(find).collect::<Result<Vec<_>>>()?;
        let (table, kept) = without_missing(table, &declared)?;
        let mut columns = Vec::new();
        for (column, declared) in table.columns().iter().zip(declared) {
            let levels = declared.hierarchy.as_ref().map(|h| named(h.levels(column), column));
            let levels = levels.transpose()?;
            let (mut min, mut max) = (0, 0);
            if let (Role::Quasi, Some(levels)) = (declared.role, &levels) {
                let highest = levels.highest();
                (min, max) = (declared.min, declared.max.unwrap_or(highest));
                if min > max || max > highest {
                    let column = column.name().into();
                    return Err(Error::Levels { column, min, max, highest });
                }
            }
            let data_dependent =
                declared.hierarchy.as_ref().is_some_and(Hierarchy::depends_on_data);
            let hierarchy = declared.hierarchy.clone();
            let role = declared.role;
            columns.push(Bound { role, hierarchy, levels, min, max, data_dependent });
        }
        Ok(Dataset { table, columns, kept })
    }
}

/// Puts the column's name into an error about a hierarchy.
fn named(levels: Result<Levels>, column: &Column) -> Result<Levels> {
    levels.map_err(|error| match error {
        Error::Hierarchy { line, problem, .. } => {
            Error::Hierarchy { column: column.name().into(), line, problem }
        }
        other => other,
    })
}

fn without_missing(table: &Table, declared: &[&Declared]) -> Result<(Table, Option<Vec<u32>>)> {
    let mut dropped = vec![false; table.rows()];
    let mut any = false;
    for (column, declared) in table.columns().iter().zip(declared) {
        if declared.missing == Missing::OwnCategory {
            continue;
        }
        let missing = column.dictionary().iter().position(|v| *v == Value::Missing);
        let Some(missing) = missing else { continue };
        for (row, code) in column.codes().iter().enumerate() {
            if code as usize != missing {
                continue;
            }
            if declared.missing == Missing::Refuse {
                let (column, row) = (column.name().into(), row as u64 + 1);
                return Err(Error::MissingValue { column, row });
            }
            (dropped[row], any) = (true, true);
        }
    }
    if !any {
        return Ok((table.clone(), None));
    }
    let kept: Vec<u32> = (0..table.rows() as u32).filter(|&row| !dropped[row as usize]).collect();
    Ok((table.take(&kept)?, Some(kept)))
}

#[derive(Clone, Debug)]
struct Bound {
    role: Role,
    hierarchy: Option<Hierarchy>,
    levels: Option<Levels>,
    min: usize,
    max: usize,
    data_dependent: bool,
}

/// A table with roles and applied hierarchies, ready to be measured or anonymized.
#[derive(Clone, Debug)]
pub struct Dataset {
    table: Table,
    columns: Vec<Bound>,
    kept: Option<Vec<u32>>,
}

/// A quasi-identifier of a dataset.
#[derive(Clone, Copy, Debug)]
pub struct Quasi<'a> {
    /// Its place in the table.
    pub place: usize,
    /// The column.
    pub column: &'a Column,
    /// Its hierarchy.
    pub levels: &'a Levels,
    /// The lowest level allowed.
    pub min: usize,
    /// The highest level allowed.
    pub max: usize,
}

impl Dataset {
    /// The table, without the rows that a missing value drops.
    #[must_use]
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// The numbers that its rows have in the table that was bound; `None` if it has all of them.
    #[must_use]
    pub fn kept_rows(&self) -> Option<&[u32]> {
        self.kept.as_deref()
    }

    /// The role of a column by its place.
    #[must_use]
    pub fn role(&self, place: usize) -> Option<Role> {
        self.columns.get(place).map(|bound| bound.role)
    }

    /// The quasi-identifiers in order.
    pub fn quasi(&self) -> impl Iterator<Item = Quasi<'_>> {
        self.columns.iter().enumerate().filter_map(|(place, bound)| {
            let levels = bound.levels.as_ref().filter(|_| bound.role == Role::Quasi)?;
            let column = self.table.columns().get(place)?;
            Some(Quasi { place, column, levels, min: bound.min, max: bound.max })
        })
    }

    /// The places of the columns with a role.
    pub fn with_role(&self, role: Role) -> impl Iterator<Item = usize> + '_ {
        let has = move |(place, bound): (usize, &Bound)| (bound.role == role).then_some(place);
        self.columns.iter().enumerate().filter_map(has)
    }

    /// The hierarchy of a column, by its place.
    #[must_use]
    pub fn levels(&self, place: usize) -> Option<&Levels> {
        self.columns.get(place)?.levels.as_ref()
    }

    /// The hierarchy of a quasi-identifier applied to the population's column.
    pub(crate) fn population_levels(&self, place: usize, column: &Column) -> Result<Levels> {
        let bound = self.columns.get(place).and_then(|bound| bound.hierarchy.as_ref());
        let hierarchy = bound.ok_or_else(|| Error::unknown(column.name(), std::iter::empty()))?;
        named(hierarchy.levels(column), column)
    }

    /// Whether any hierarchy was built from the data.
    #[must_use]
    pub fn depends_on_data(&self) -> bool {
        self.columns.iter().any(|bound| bound.data_dependent)
    }

    /// The place of a sensitive column.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownColumn`], or [`Error::Role`] if it is not sensitive.
    pub fn sensitive(&self, name: &str) -> Result<usize> {
        let place = self.table.position(name)?;
        match self.columns[place].role {
            Role::Sensitive => Ok(place),
            Role::Quasi => Err(Error::Role {
                column: name.into(),
                problem: "is a quasi-identifier and cannot be the sensitive column of a model; declare it sensitive",
            }),
            _ => Err(Error::Role {
                column: name.into(),
                problem: "is the sensitive column of a model; declare it sensitive",
            }),
        }
    }
}
