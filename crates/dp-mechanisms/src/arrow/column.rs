//! Columns of a table, read by row.

use std::fmt;

use arrow_array::cast::AsArray;
use arrow_array::{
    Array, ArrayRef, ArrowPrimitiveType, BooleanArray, LargeStringArray, PrimitiveArray,
    StringArray, StringViewArray,
};
use arrow_schema::DataType;

use super::Row;

/// A column of numbers, dates or times.
pub struct Primitives<'a, T: ArrowPrimitiveType> {
    chunks: Vec<&'a PrimitiveArray<T>>,
    instead: T::Native,
}

/// A column of text.
pub struct Texts<'a> {
    chunks: Vec<Chunk<'a>>,
    instead: &'a str,
}

/// A column of flags.
pub struct Flags<'a> {
    chunks: Vec<&'a BooleanArray>,
    instead: bool,
}

impl<'a, T: ArrowPrimitiveType> Primitives<'a, T> {
    pub(super) fn new(chunks: Vec<&'a PrimitiveArray<T>>, instead: Option<T::Native>) -> Self {
        Primitives { chunks, instead: instead.unwrap_or_default() }
    }

    /// The value in `row`, or what was to stand in for a null.
    ///
    /// Rows of the column's own table have one or the other. What another table's rows get is
    /// unspecified; it is no error, and no other memory is read.
    #[inline]
    #[must_use]
    pub fn get(&self, row: &Row) -> T::Native {
        let value = self.chunks.get(row.batch as usize).and_then(|chunk| {
            let index = row.index as usize;
            let value = *chunk.values().get(index)?;
            chunk.is_valid(index).then_some(value)
        });
        value.unwrap_or(self.instead)
    }
}

impl<'a> Texts<'a> {
    pub(super) fn new(chunks: Vec<Chunk<'a>>, instead: Option<&'a str>) -> Self {
        Texts { chunks, instead: instead.unwrap_or_default() }
    }

    /// The text in `row`, or what was to stand in for a null; see [`Primitives::get`].
    #[inline]
    #[must_use]
    pub fn get(&self, row: &Row) -> &'a str {
        let chunk = self.chunks.get(row.batch as usize);
        chunk.and_then(|chunk| chunk.get(row.index as usize)).unwrap_or(self.instead)
    }
}

impl<'a> Flags<'a> {
    pub(super) fn new(chunks: Vec<&'a BooleanArray>, instead: Option<bool>) -> Self {
        Flags { chunks, instead: instead.unwrap_or_default() }
    }

    /// The flag in `row`, or what was to stand in for a null; see [`Primitives::get`].
    #[inline]
    #[must_use]
    pub fn get(&self, row: &Row) -> bool {
        let index = row.index as usize;
        match self.chunks.get(row.batch as usize) {
            Some(chunk) if index < chunk.len() && chunk.is_valid(index) => chunk.value(index),
            _ => self.instead,
        }
    }
}

/// The text of one batch.
pub(super) enum Chunk<'a> {
    Short(&'a StringArray),
    Large(&'a LargeStringArray),
    View(&'a StringViewArray),
    /// Positions in `texts`, which is not empty where there are any.
    Dictionary {
        keys: Vec<usize>,
        mask: &'a dyn Array,
        texts: Box<Chunk<'a>>,
    },
}

impl<'a> Chunk<'a> {
    pub(super) fn of(array: &'a ArrayRef) -> Option<Self> {
        match array.data_type() {
            DataType::Utf8 => array.as_string_opt().map(Chunk::Short),
            DataType::LargeUtf8 => array.as_string_opt().map(Chunk::Large),
            DataType::Utf8View => array.as_string_view_opt().map(Chunk::View),
            DataType::Dictionary(_, _) => {
                let dictionary = array.as_any_dictionary_opt()?;
                let texts = dictionary.values();
                // A dictionary without entries has only nulls.
                let keys = match texts.is_empty() {
                    true => Vec::new(),
                    false => dictionary.normalized_keys(),
                };
                let mask = dictionary.keys();
                Some(Chunk::Dictionary { keys, mask, texts: Box::new(Chunk::of(texts)?) })
            }
            _ => None,
        }
    }

    fn get(&self, index: usize) -> Option<&'a str> {
        match self {
            Chunk::Short(array) => {
                (index < array.len() && array.is_valid(index)).then(|| array.value(index))
            }
            Chunk::Large(array) => {
                (index < array.len() && array.is_valid(index)).then(|| array.value(index))
            }
            Chunk::View(array) => {
                (index < array.len() && array.is_valid(index)).then(|| array.value(index))
            }
            Chunk::Dictionary { keys, mask, texts } => {
                let key = keys.get(index).filter(|_| mask.is_valid(index))?;
                texts.get(*key)
            }
        }
    }
}

impl<T: ArrowPrimitiveType> fmt::Debug for Primitives<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Primitives").finish_non_exhaustive()
    }
}

impl fmt::Debug for Texts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Texts").finish_non_exhaustive()
    }
}

impl fmt::Debug for Flags<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flags").finish_non_exhaustive()
    }
}
