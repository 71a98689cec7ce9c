//! Columnar input (feature `arrow`): the rows of Arrow record batches as the table of a
//! [`Session`](crate::session::Session), and Arrow arrays as values.
//!
//! Nothing is copied: a [`Row`] is a position, and a column reads the batch at that position. Each
//! column says what a null means ([`Nulls`]) when it is looked up, once, and only then are there
//! rows to ask about.
//!
//! # Example
//!
//! ```
//! use std::sync::Arc;
//!
//! use arrow_array::{ArrayRef, Float64Array, RecordBatch, StringArray, UInt64Array};
//! use dp_mechanisms::arrow::{ArrowTable, Nulls};
//! use dp_mechanisms::prelude::*;
//!
//! let batch = RecordBatch::try_from_iter([
//!     ("user", Arc::new(UInt64Array::from(vec![1, 1, 2, 3])) as ArrayRef),
//!     ("country", Arc::new(StringArray::from(vec![Some("de"), Some("fr"), None, Some("de")]))),
//!     ("seconds", Arc::new(Float64Array::from(vec![Some(3.5), None, Some(60.0), Some(7.0)]))),
//! ])?;
//! let batches = [batch];
//!
//! let mut table = ArrowTable::new(&batches)?;
//! let user = table.primitive::<arrow_array::types::UInt64Type>("user", Nulls::Refuse)?;
//! let country = table.text("country", Nulls::Impute("unknown"))?;
//! let seconds = table.f64("seconds", Nulls::Drop)?;
//! let rows = table.into_rows(); // three: one lacks its seconds
//!
//! let session = Session::over(&rows)
//!     .unit(|row| user.get(row))
//!     .max_rows_per_unit(20)
//!     .budget(Epsilon::new(1.0)?)
//!     .open()?;
//! let mean = session.mean(|row| seconds.get(row)).bounds(0.0..=3600.0)?.epsilon(0.5)?.release()?;
//! let groups = ["de", "fr", "unknown"];
//! let counts = session.count().by(|row| country.get(row), &groups).epsilon(0.5)?.release()?;
//! println!("{mean}\n{counts}");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod column;
mod table;

use std::borrow::Cow;

use arrow_array::{Array, ArrowPrimitiveType, PrimitiveArray};

pub use column::{Flags, Primitives, Texts};
pub use table::{ArrowTable, Row};

/// What a null in a column means. There is no default: each answer changes what is counted.
///
/// # Privacy
///
/// Each treats a row by itself, so none changes a sensitivity, and none fails because of the data.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Nulls<T> {
    /// Rows with a null in the column are left out of the whole table, as
    /// [`filter`](crate::session::Query::filter) would leave them out of each query.
    Drop,
    /// A null counts as this value, which is chosen without looking at the data.
    Impute(T),
    /// A column that may hold nulls is refused, whether it holds any or not: the schema decides,
    /// so that the answer says nothing about the rows.
    Refuse,
}

/// Why a table cannot be read. Names columns and types of the schema, never values.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TableError {
    /// The batches have no such column.
    #[error("there is no column `{column}`")]
    NoColumn {
        /// The name that was asked for.
        column: String,
    },
    /// The column has another type.
    #[error("column `{column}` holds {found}, not {expected}; cast it, or read it as what it is")]
    WrongType {
        /// The column.
        column: String,
        /// The type that was asked for.
        expected: String,
        /// The type in the schema.
        found: String,
    },
    /// The column may hold nulls, which were to be refused.
    #[error("column `{column}` may hold nulls; choose Nulls::Drop or Nulls::Impute for it")]
    Nullable {
        /// The column.
        column: String,
    },
    /// An array has a validity mask, and nulls were to be refused.
    #[error("the array may hold nulls; choose Nulls::Drop or Nulls::Impute for it")]
    NullableArray,
    /// A batch has another schema than the first.
    #[error("batch {batch} has another schema than the first; bring them to one")]
    Schema {
        /// Its position, counted from 0.
        batch: usize,
    },
    /// There are more batches, or rows of a batch, than a [`Row`] can name.
    #[error("a table holds at most 2^32 − 1 batches of at most 2^32 − 1 rows each; split them")]
    TooLarge,
}

impl From<TableError> for crate::Error {
    fn from(error: TableError) -> Self {
        crate::Error::Core(privacy_core::Error::technique(error))
    }
}

/// The values of an array as a slice, for [`sum`](crate::sum), [`mean`](crate::mean) and whatever else
/// takes slices. Borrows them where the array has no validity mask.
///
/// # Errors
///
/// [`TableError::NullableArray`] for [`Nulls::Refuse`] and an array with a validity mask.
///
/// # Example
///
/// ```
/// use arrow_array::Int64Array;
/// use dp_mechanisms::arrow::{Nulls, values};
/// use dp_mechanisms::prelude::*;
///
/// let seconds = Int64Array::from(vec![Some(30), None, Some(45)]);
/// let total = dp_mechanisms::sum(values(&seconds, Nulls::Drop)?.iter(), 0..=60, Epsilon::new(0.5)?)?;
/// # Ok::<(), dp_mechanisms::Error>(())
/// ```
pub fn values<T: ArrowPrimitiveType>(
    array: &PrimitiveArray<T>,
    nulls: Nulls<T::Native>,
) -> Result<Cow<'_, [T::Native]>, TableError> {
    if array.nulls().is_none() {
        return Ok(Cow::Borrowed(array.values()));
    }
    match nulls {
        Nulls::Refuse => Err(TableError::NullableArray),
        Nulls::Drop => Ok(array.iter().flatten().collect()),
        Nulls::Impute(value) => Ok(array.iter().map(|x| x.unwrap_or(value)).collect()),
    }
}
