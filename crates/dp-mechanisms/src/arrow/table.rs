//! Record batches as rows.

use std::fmt;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type, Int32Type, Int64Type, UInt32Type, UInt64Type};
use arrow_array::{Array, ArrayRef, ArrowPrimitiveType, RecordBatch};
use arrow_schema::DataType;

use super::column::{Chunk, Flags, Primitives, Texts};
use super::{Nulls, TableError};

/// The place of a row: a batch, and a position in it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Row {
    pub(super) batch: u32,
    pub(super) index: u32,
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Row")
    }
}

/// Record batches of one schema, read by column.
///
/// Look up the columns first, each with its answer to nulls; then
/// [`into_rows`](ArrowTable::into_rows) gives the rows that all of them answer for. See the
/// [module](super) for an example.
pub struct ArrowTable<'a> {
    batches: &'a [RecordBatch],
    /// The arrays whose nulls leave a row out, one list for each such column.
    dropping: Vec<Vec<&'a ArrayRef>>,
}

impl<'a> ArrowTable<'a> {
    /// A table of all rows of `batches`. Without batches it has neither rows nor columns.
    ///
    /// # Errors
    ///
    /// [`TableError::Schema`] if names, types or nullability differ between batches;
    /// [`TableError::TooLarge`].
    pub fn new(batches: &'a [RecordBatch]) -> Result<Self, TableError> {
        if let Some(first) = batches.first() {
            let first = first.schema_ref().fields();
            let other = |batch: &RecordBatch| batch.schema_ref().fields() != first;
            if let Some(batch) = batches.iter().position(other) {
                return Err(TableError::Schema { batch });
            }
        }
        let limit = u32::MAX as usize;
        if batches.len() > limit || batches.iter().any(|batch| batch.num_rows() > limit) {
            return Err(TableError::TooLarge);
        }
        Ok(ArrowTable { batches, dropping: Vec::new() })
    }

    /// A column of numbers, dates or times of the Arrow type `T`, in their native form.
    ///
    /// # Errors
    ///
    /// [`TableError::NoColumn`], [`TableError::WrongType`]; [`TableError::Nullable`] for
    /// [`Nulls::Refuse`].
    pub fn primitive<T: ArrowPrimitiveType>(
        &mut self,
        column: &str,
        nulls: Nulls<T::Native>,
    ) -> Result<Primitives<'a, T>, TableError> {
        let wrong = |found: &DataType| TableError::WrongType {
            column: column.to_owned(),
            expected: T::DATA_TYPE.to_string(),
            found: found.to_string(),
        };
        let arrays = self.arrays(column, &nulls)?;
        let chunks = arrays
            .iter()
            .map(|array| array.as_primitive_opt::<T>().ok_or_else(|| wrong(array.data_type())));
        let chunks = chunks.collect::<Result<Vec<_>, _>>()?;
        Ok(Primitives::new(chunks, self.answer(nulls, arrays)))
    }

    /// A column of text: `Utf8`, `LargeUtf8`, `Utf8View`, or a dictionary of one of them.
    ///
    /// # Errors
    ///
    /// As [`ArrowTable::primitive`].
    pub fn text(&mut self, column: &str, nulls: Nulls<&'a str>) -> Result<Texts<'a>, TableError> {
        let wrong = |found: &DataType| TableError::WrongType {
            column: column.to_owned(),
            expected: "text".to_owned(),
            found: found.to_string(),
        };
        let arrays = self.arrays(column, &nulls)?;
        let chunks =
            arrays.iter().map(|array| Chunk::of(array).ok_or_else(|| wrong(array.data_type())));
        let chunks = chunks.collect::<Result<Vec<_>, _>>()?;
        Ok(Texts::new(chunks, self.answer(nulls, arrays)))
    }

    /// A column of flags.
    ///
    /// # Errors
    ///
    /// As [`ArrowTable::primitive`].
    pub fn flag(&mut self, column: &str, nulls: Nulls<bool>) -> Result<Flags<'a>, TableError> {
        let wrong = |found: &DataType| TableError::WrongType {
            column: column.to_owned(),
            expected: DataType::Boolean.to_string(),
            found: found.to_string(),
        };
        let arrays = self.arrays(column, &nulls)?;
        let chunks = arrays
            .iter()
            .map(|array| array.as_boolean_opt().ok_or_else(|| wrong(array.data_type())));
        let chunks = chunks.collect::<Result<Vec<_>, _>>()?;
        Ok(Flags::new(chunks, self.answer(nulls, arrays)))
    }

    /// The rows that have a value, or a stand-in for it, in every column that was looked up, in
    /// the order of the batches. Takes 8 bytes for each.
    #[must_use]
    pub fn into_rows(self) -> Vec<Row> {
        let mut rows = Vec::with_capacity(self.batches.iter().map(RecordBatch::num_rows).sum());
        for (number, batch) in self.batches.iter().enumerate() {
            let masks: Vec<_> = self
                .dropping
                .iter()
                .filter_map(|arrays| arrays.get(number).and_then(|array| array.logical_nulls()))
                .collect();
            let all = (0..batch.num_rows()).map(|index| Row {
                // `new` has checked both.
                batch: number as u32,
                index: index as u32,
            });
            rows.extend(
                all.filter(|row| masks.iter().all(|mask| mask.is_valid(row.index as usize))),
            );
        }
        rows
    }

    fn arrays<T>(&self, column: &str, nulls: &Nulls<T>) -> Result<Vec<&'a ArrayRef>, TableError> {
        let missing = || TableError::NoColumn { column: column.to_owned() };
        let schema = self.batches.first().ok_or_else(missing)?.schema_ref();
        let field = schema.field_with_name(column).map_err(|_| missing())?;
        if matches!(nulls, Nulls::Refuse) && field.is_nullable() {
            return Err(TableError::Nullable { column: column.to_owned() });
        }
        let arrays = self.batches.iter().map(|batch| batch.column_by_name(column));
        arrays.collect::<Option<Vec<_>>>().ok_or_else(missing)
    }

    /// What stands in for a null; where nothing does, rows with a null are left out.
    fn answer<T>(&mut self, nulls: Nulls<T>, arrays: Vec<&'a ArrayRef>) -> Option<T> {
        match nulls {
            Nulls::Impute(value) => Some(value),
            // Batches that were built without checks may hold nulls where the schema has none.
            Nulls::Drop | Nulls::Refuse => {
                self.dropping.push(arrays);
                None
            }
        }
    }
}

macro_rules! shortcuts {
    ($($name:ident: $native:ty = $arrow:ident),* $(,)?) => {
        impl<'a> ArrowTable<'a> {
            $(
                #[doc = concat!("A column of `", stringify!($native), "`.")]
                ///
                /// # Errors
                ///
                /// As [`ArrowTable::primitive`].
                pub fn $name(
                    &mut self,
                    column: &str,
                    nulls: Nulls<$native>,
                ) -> Result<Primitives<'a, $arrow>, TableError> {
                    self.primitive(column, nulls)
                }
            )*
        }
    };
}
shortcuts! {
    i32: i32 = Int32Type,
    i64: i64 = Int64Type,
    u32: u32 = UInt32Type,
    u64: u64 = UInt64Type,
    f32: f32 = Float32Type,
    f64: f64 = Float64Type,
}

impl fmt::Debug for ArrowTable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ArrowTable").finish_non_exhaustive()
    }
}
