//! A hierarchy for a column from its type and values.

use super::{DateUnit, Hierarchy, Intervals, Masking};
use crate::table::{Column, Kind, Value};

pub(super) fn suggest(column: &Column) -> Hierarchy {
    match column.kind() {
        Kind::Integer | Kind::Decimal => numbers(column),
        Kind::Date => {
            let units = [DateUnit::Day, DateUnit::Month, DateUnit::Year, DateUnit::Decade];
            Hierarchy::dates(&units).unwrap_or_else(|_| Hierarchy::suppress())
        }
        Kind::Text => texts(column),
    }
}

/// A range rounded outwards to a power of ten, and widths of 1, 5, 10, 50 … of its step.
fn numbers(column: &Column) -> Hierarchy {
    let numbers: Vec<f64> = column.numbers().into_iter().flatten().collect();
    let least = numbers.iter().copied().fold(f64::INFINITY, f64::min);
    let most = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if !least.is_finite() || !most.is_finite() || least.abs().max(most.abs()) > 1e15 {
        return Hierarchy::suppress();
    }
    let span = (most - least).max(1.0);
    let step = 10f64.powf((span / 100.0).log10().ceil().max(0.0)) as i64;
    let coarse = step * 10;
    let lower = (least / coarse as f64).floor() as i64 * coarse;
    let upper = ((most / coarse as f64).floor() as i64 + 1) * coarse;
    let step = step as u64;
    let widths = [step * 5, step * 10, step * 50].into_iter();
    let widths = widths.filter(|&width| width < (upper - lower) as u64);
    let mut intervals = Intervals::new(lower, upper).widths(widths);
    intervals.from_data = true;
    Hierarchy::from(intervals)
}

/// Codes that start with digits and have one length are masked; other texts have two levels.
fn texts(column: &Column) -> Hierarchy {
    let texts: Vec<&str> = column.dictionary().iter().filter_map(Value::text).collect();
    let length = texts.first().map_or(0, |text| text.chars().count());
    let code = |text: &&str| {
        text.chars().count() == length && text.bytes().any(|byte| byte.is_ascii_digit())
    };
    if (2..=12).contains(&length) && texts.len() > 1 && texts.iter().all(code) {
        return Hierarchy::masked(Masking::new());
    }
    Hierarchy::suppress()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggestions_cover_the_column_they_were_made_for() {
        let columns: [&[&str]; 6] = [
            &["17", "90", "35"],
            &["-3.5", "1200.25"],
            &["01234", "99999"],
            &["2026-01-01", "1999-12-31"],
            &["red", "green"],
            &["5"],
        ];
        for values in columns {
            let column = Column::new("x", values.iter().map(|&v| Value::from(v)));
            let levels = Hierarchy::suggest(&column).levels(&column).unwrap();
            assert!(levels.count() >= 2, "{values:?}");
            assert_eq!(levels.labels(levels.highest()).len(), 1, "{values:?}");
        }
    }
}
