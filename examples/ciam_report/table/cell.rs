//! What a question needs of a field, and how it is read.

use std::collections::HashMap;

use crate::config::{Bins, Groups, Range};
use crate::error::DataProblem;

/// What a question needs of a field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell {
    /// The position of the known key, or of the bin.
    Group(u32),
    /// A whole number.
    Whole(i64),
    /// A number with decimals.
    Real(f64),
    /// A value that is missing, or in none of the groups.
    Missing,
}

impl Cell {
    /// The group; a number that no list of groups reaches where there is none.
    pub fn group(self) -> u32 {
        match self {
            Cell::Group(group) => group,
            _ => u32::MAX,
        }
    }

    /// The whole number, if it is one.
    pub fn whole(self) -> Option<i64> {
        match self {
            Cell::Whole(number) => Some(number),
            _ => None,
        }
    }

    /// The number with decimals, if it is one.
    pub fn real(self) -> Option<f64> {
        match self {
            Cell::Real(number) => Some(number),
            _ => None,
        }
    }
}

/// How a field becomes a cell.
#[derive(Debug, PartialEq)]
pub enum Format {
    /// One of known keys.
    Key(HashMap<String, u32>),
    /// A number, put into a bin.
    Bin(Bins),
    /// A whole number.
    Whole,
    /// A number with decimals.
    Real,
}

impl Format {
    /// Looks up one of the known keys.
    pub fn key(groups: &Groups) -> Format {
        Format::Key(groups.keys.iter().cloned().zip(0..).collect())
    }

    /// Reads a number as its bounds are written.
    pub fn number(range: &Range) -> Format {
        match range {
            Range::Whole(..) => Format::Whole,
            Range::Real(..) => Format::Real,
        }
    }

    /// Reads a field; `missing` lists texts that mean "no value".
    pub fn read(&self, field: &[u8], missing: &[String]) -> Result<Cell, Bad> {
        // The record was checked to be UTF-8.
        let text = std::str::from_utf8(field).map_err(|_| Bad::NotANumber)?;
        if let Format::Key(keys) = self {
            return Ok(keys.get(text).map_or(Cell::Missing, |group| Cell::Group(*group)));
        }
        if missing.iter().any(|missing| missing == text) {
            return Ok(Cell::Missing);
        }
        if text.is_empty() {
            return Err(Bad::NoNumber);
        }
        if matches!(self, Format::Whole)
            && let Ok(number) = text.parse()
        {
            return Ok(Cell::Whole(number));
        }
        let number: f64 = text.parse().map_err(|_| Bad::NotANumber)?;
        if !number.is_finite() {
            return Err(Bad::NotANumber);
        }
        match self {
            Format::Bin(bins) => {
                let bin = bins.position(number).and_then(|bin| u32::try_from(bin).ok());
                Ok(bin.map_or(Cell::Missing, Cell::Group))
            }
            Format::Real => Ok(Cell::Real(number)),
            // A whole number beyond 64 bits is as good as the largest: bounds are smaller.
            _ if text.bytes().all(|byte| byte.is_ascii_digit() || b"+-".contains(&byte)) => {
                Ok(Cell::Whole(if number < 0.0 { i64::MIN } else { i64::MAX }))
            }
            _ => Err(Bad::NotWhole),
        }
    }
}

/// Why a field cannot be read.
#[derive(Debug, PartialEq)]
pub enum Bad {
    NoNumber,
    NotANumber,
    NotWhole,
}

impl Bad {
    /// The problem, with the name of the column.
    pub fn of(self, column: &str) -> DataProblem {
        let column = column.to_owned();
        match self {
            Bad::NoNumber => DataProblem::NoNumber { column },
            Bad::NotANumber => DataProblem::NotANumber { column },
            Bad::NotWhole => DataProblem::NotWhole { column },
        }
    }
}

/// The columns that the questions need, each format of a column once.
#[derive(Debug, Default)]
pub struct Layout {
    fields: Vec<(String, Format)>,
}

impl Layout {
    /// The position at which rows will hold `column` in `format`.
    pub fn add(&mut self, column: &str, format: Format) -> usize {
        let same = |(name, other): &(String, Format)| name == column && *other == format;
        self.fields.iter().position(same).unwrap_or_else(|| {
            self.fields.push((column.to_owned(), format));
            self.fields.len() - 1
        })
    }

    /// The columns in order.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(|(column, _)| column.as_str())
    }

    /// The formats in order.
    pub fn formats(&self) -> impl Iterator<Item = &Format> {
        self.fields.iter().map(|(_, format)| format)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(format: &Format, field: &str) -> Result<Cell, Bad> {
        format.read(field.as_bytes(), &["?".to_owned()])
    }

    #[test]
    fn numbers_are_read_as_their_bounds_are_written() {
        assert_eq!(read(&Format::Whole, "-39"), Ok(Cell::Whole(-39)));
        assert_eq!(read(&Format::Whole, "39.5"), Err(Bad::NotWhole));
        assert_eq!(read(&Format::Real, "39.5"), Ok(Cell::Real(39.5)));
        assert_eq!(read(&Format::Real, "1e3"), Ok(Cell::Real(1000.0)));
        assert_eq!(read(&Format::Whole, "99999999999999999999"), Ok(Cell::Whole(i64::MAX)));
        assert_eq!(read(&Format::Whole, "-99999999999999999999"), Ok(Cell::Whole(i64::MIN)));
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for format in [Format::Whole, Format::Real] {
            for field in ["x", "1,5", "NaN", "inf", "0x1", "1 2", "--1"] {
                assert_eq!(read(&format, field), Err(Bad::NotANumber), "{field}");
            }
            assert_eq!(read(&format, ""), Err(Bad::NoNumber));
            assert_eq!(read(&format, "?"), Ok(Cell::Missing));
        }
    }

    #[test]
    fn unknown_keys_belong_to_no_group() {
        let keys = ["a".to_owned(), "b".to_owned()].to_vec();
        let format = Format::key(&Groups { column: "c".to_owned(), keys });
        assert_eq!(read(&format, "b"), Ok(Cell::Group(1)));
        assert_eq!(read(&format, "x").map(Cell::group), Ok(u32::MAX));
    }

    #[test]
    fn a_layout_holds_each_format_of_a_column_once() {
        let mut layout = Layout::default();
        assert_eq!(layout.add("age", Format::Whole), 0);
        assert_eq!(layout.add("age", Format::Real), 1);
        assert_eq!(layout.add("age", Format::Whole), 0);
        assert_eq!(layout.columns().count(), 2);
    }
}
