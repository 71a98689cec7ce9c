//! Hierarchies by rule: intervals of numbers, masked characters, units of dates.

use super::build::{join_at_top, problem};
use super::{ANY, Levels, uncovered};
use crate::error::{DataValue, Error, HierarchyProblem, Result};
use crate::table::{Column, Kind, Value, civil_from_days, parse_date, parse_number};

/// Intervals of equal width over a public range of whole numbers.
///
/// Level 0 is the number, level i the interval of the i-th width, and the highest everything.
/// Numbers below or above the range are an error unless [`open_ended`](Intervals::open_ended).
///
/// # Example
///
/// ```
/// use kanon::{Hierarchy, hierarchy::Intervals};
///
/// let ages = Hierarchy::from(Intervals::new(0, 100).widths([5, 10, 20]).open_ended());
/// # let _ = ages;
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Intervals {
    lower: i64,
    upper: i64,
    widths: Vec<u64>,
    open_ended: bool,
    pub(super) from_data: bool,
}

impl Intervals {
    /// The range from `lower` to below `upper`.
    pub fn new(lower: i64, upper: i64) -> Self {
        Intervals { lower, upper, widths: Vec::new(), open_ended: false, from_data: false }
    }

    /// Widths from the finest level to the coarsest, each a multiple of the one before.
    pub fn widths(self, widths: impl IntoIterator<Item = u64>) -> Self {
        Intervals { widths: widths.into_iter().collect(), ..self }
    }

    /// Numbers outside the range go into one group below and one above it, from level 1.
    pub fn open_ended(self) -> Self {
        Intervals { open_ended: true, ..self }
    }

    /// Levels above the number itself.
    pub(super) fn count(&self) -> usize {
        self.widths.len() + 1
    }

    pub(super) fn levels(&self, column: &Column) -> Result<Levels> {
        let wrong = |what| Err(problem(0, HierarchyProblem::Builder(what)));
        let span = self.upper.checked_sub(self.lower).filter(|&span| span > 0);
        let Some(span) = span else {
            return wrong("the lower bound must be below the upper");
        };
        if self.widths.contains(&0) || self.widths.iter().any(|&w| i64::try_from(w).is_err()) {
            return wrong("a width must be above 0 and below 2^63");
        }
        if self.widths.windows(2).any(|pair| pair[1] % pair[0] != 0) {
            return wrong("each width must be a multiple of the one before");
        }
        let (mut chains, mut shares) = (Vec::new(), Vec::new());
        for (entry, value) in column.dictionary().iter().enumerate() {
            let Some(text) = value.text() else {
                let mut chain = vec![value.clone(); self.widths.len() + 1];
                chain.push(ANY.into());
                chains.push(chain);
                let mut row = vec![1.0 / span as f64; self.widths.len() + 1];
                row.push(1.0);
                shares.push(row);
                continue;
            };
            let Some(number) = parse_number(text) else {
                return Err(Error::Type {
                    column: column.name().into(),
                    row: column.first_row(entry as u32),
                    value: DataValue::new(text),
                    expected: "a number, as intervals need",
                });
            };
            let outside = number < self.lower as f64 || number >= self.upper as f64;
            if outside && !self.open_ended {
                return Err(uncovered(column, entry));
            }
            let (mut chain, mut row) = (vec![value.clone()], vec![1.0 / span as f64]);
            for &width in &self.widths {
                let (label, covered) = self.group(number, width, column.kind());
                chain.push(label.as_str().into());
                row.push((covered / span as f64).min(1.0));
            }
            chain.push(ANY.into());
            row.push(1.0);
            chains.push(chain);
            shares.push(row);
        }
        Levels::assemble(column.name(), &chains, None, Some((shares, span as f64)))
    }

    /// The label of the interval of a width, and how much of the range it covers.
    fn group(&self, number: f64, width: u64, kind: Kind) -> (String, f64) {
        if number < self.lower as f64 {
            return (format!("<{}", self.lower), width as f64);
        }
        if number >= self.upper as f64 {
            return (format!(">={}", self.upper), width as f64);
        }
        let width = width as i64;
        let place = ((number - self.lower as f64) / width as f64).floor() as i64;
        let start = self.lower.saturating_add(place.saturating_mul(width));
        let end = start.saturating_add(width).min(self.upper);
        let covered = end.saturating_sub(start) as f64;
        let label = match kind {
            _ if start == self.lower && end == self.upper => ANY.to_owned(),
            Kind::Integer if end - start == 1 => format!("{start}"),
            Kind::Integer => format!("{start}-{}", end - 1),
            _ => format!("[{start}, {end})"),
        };
        (label, covered)
    }
}

/// Characters replaced one by one, from the right or the left; for postcodes and other codes.
///
/// Level i masks i characters; the highest level is everything.
#[derive(Clone, Debug)]
#[must_use]
pub struct Masking {
    length: Option<usize>,
    alphabet: u64,
    domain: Option<u64>,
    from_left: bool,
    mask: char,
}

impl Default for Masking {
    fn default() -> Self {
        Masking::new()
    }
}

impl Masking {
    /// Masks from the right with `*`, for an alphabet of ten digits.
    pub fn new() -> Self {
        Masking { length: None, alphabet: 10, domain: None, from_left: false, mask: '*' }
    }

    /// The public length of the longest code; shorter ones are padded. By default the longest
    /// of the data.
    pub fn length(self, length: usize) -> Self {
        Masking { length: Some(length), ..self }
    }

    /// How many characters there are to choose from, at least 2.
    pub fn alphabet(self, alphabet: u64) -> Self {
        Masking { alphabet, ..self }
    }

    /// How many codes are in use. By default the distinct values of the data.
    pub fn domain(self, domain: u64) -> Self {
        Masking { domain: Some(domain), ..self }
    }

    /// Masks from the left instead of the right.
    pub fn from_left(self) -> Self {
        Masking { from_left: true, ..self }
    }

    pub(super) fn depends_on_data(&self) -> bool {
        self.length.is_none() || self.domain.is_none()
    }

    pub(super) fn levels(&self, column: &Column) -> Result<Levels> {
        let wrong = |what| Err(problem(0, HierarchyProblem::Builder(what)));
        if self.alphabet < 2 {
            return wrong("an alphabet has at least 2 characters");
        }
        let texts = || column.dictionary().iter().filter_map(Value::text);
        let longest = texts().map(|text| text.chars().count()).max().unwrap_or(0);
        let length = self.length.unwrap_or(longest);
        if length > 64 {
            return wrong("at most 64 characters can be masked; use another rule for longer texts");
        }
        let domain = self.domain.unwrap_or(texts().count() as u64).max(1) as f64;
        let base = self.alphabet as f64;
        let least = base.powi(-(length as i32));
        // From [alphabet^-length, 1] linearly onto [1 / domain, 1].
        let share = |masked: usize| {
            let raw = base.powi(masked as i32 - length as i32);
            let slope = if least < 1.0 { (raw - least) / (1.0 - least) } else { 1.0 };
            1.0 / domain + slope * (1.0 - 1.0 / domain)
        };
        let (mut chains, mut shares) = (Vec::new(), Vec::new());
        for (entry, value) in column.dictionary().iter().enumerate() {
            let Some(text) = value.text() else {
                chains.push(vec![value.clone(); length + 1]);
                shares.push((0..=length).map(share).collect());
                continue;
            };
            let mut chars: Vec<char> = text.chars().collect();
            if chars.len() > length {
                return Err(uncovered(column, entry));
            }
            while chars.len() < length {
                let place = if self.from_left { 0 } else { chars.len() };
                chars.insert(place, ' ');
            }
            let mut chain = vec![value.clone()];
            for masked in 1..length {
                let place = if self.from_left { masked - 1 } else { length - masked };
                chars[place] = self.mask;
                chain.push(chars.iter().collect::<String>().as_str().into());
            }
            if length > 0 {
                chain.push(ANY.into());
            }
            chains.push(chain);
            shares.push((0..=length).map(share).collect());
        }
        join_at_top(&mut chains);
        Levels::assemble(column.name(), &chains, None, Some((shares, domain)))
    }
}

/// A unit that dates are cut to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DateUnit {
    /// `2026-11-22T13h`.
    Hour,
    /// `2026-11-22`.
    Day,
    /// The Monday that begins the week. Weeks nest in no larger unit.
    Week,
    /// `2026-11`.
    Month,
    /// `2026-Q4`.
    Quarter,
    /// `2026`.
    Year,
    /// `2020s`.
    Decade,
    /// `2000-2099`.
    Century,
}

impl DateUnit {
    fn nests_in(self, next: DateUnit) -> bool {
        let order = [
            DateUnit::Hour,
            DateUnit::Day,
            DateUnit::Month,
            DateUnit::Quarter,
            DateUnit::Year,
            DateUnit::Decade,
            DateUnit::Century,
        ];
        let place = |unit| order.iter().position(|&u| u == unit);
        match (self, next) {
            (DateUnit::Hour | DateUnit::Day, DateUnit::Week) => true,
            (DateUnit::Week, _) | (_, DateUnit::Week) => false,
            _ => place(self) < place(next),
        }
    }

    fn cut(self, moment: f64) -> String {
        let days = moment.floor() as i64;
        let (year, month, day) = civil_from_days(days);
        match self {
            DateUnit::Hour => {
                let seconds = ((moment - days as f64) * 86_400.0).round() as i64;
                format!("{year:04}-{month:02}-{day:02}T{:02}h", (seconds / 3600).min(23))
            }
            DateUnit::Day => format!("{year:04}-{month:02}-{day:02}"),
            DateUnit::Week => {
                // Day 0 was a Thursday.
                let (year, month, day) = civil_from_days(days - (days + 3).rem_euclid(7));
                format!("week of {year:04}-{month:02}-{day:02}")
            }
            DateUnit::Month => format!("{year:04}-{month:02}"),
            DateUnit::Quarter => format!("{year:04}-Q{}", (month - 1) / 3 + 1),
            DateUnit::Year => format!("{year:04}"),
            DateUnit::Decade => format!("{:04}s", year.div_euclid(10) * 10),
            DateUnit::Century => {
                let start = year.div_euclid(100) * 100;
                format!("{start:04}-{:04}", start + 99)
            }
        }
    }
}

pub(super) fn check_units(units: &[DateUnit]) -> Result<()> {
    if units.windows(2).all(|pair| pair[0].nests_in(pair[1])) {
        return Ok(());
    }
    let what = "each unit of a date must nest in the next; weeks nest in nothing larger";
    Err(problem(0, HierarchyProblem::Builder(what)))
}

pub(super) fn date_levels(units: &[DateUnit], column: &Column) -> Result<Levels> {
    for (entry, value) in column.dictionary().iter().enumerate() {
        if let Some(text) = value.text()
            && parse_date(text).is_none()
        {
            return Err(Error::Type {
                column: column.name().into(),
                row: column.first_row(entry as u32),
                value: DataValue::new(text),
                expected: Kind::Date.article(),
            });
        }
    }
    super::build::by_value(column, units.len() + 1, |text, level| {
        match (units.get(level - 1), parse_date(text)) {
            (Some(unit), Some(moment)) => unit.cut(moment),
            _ => ANY.to_owned(),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hierarchy::Hierarchy;

    fn column(values: &[&str]) -> Column {
        Column::new("x", values.iter().map(|&v| Value::from(v)))
    }

    fn chain(hierarchy: &Hierarchy, values: &[&str], entry: u32) -> Vec<String> {
        let levels = hierarchy.levels(&column(values)).unwrap();
        let label = |level| levels.label(level, entry).text().unwrap().to_owned();
        (0..levels.count()).map(label).collect()
    }

    #[test]
    fn intervals_nest_and_cover_their_share() {
        let ages = Hierarchy::from(Intervals::new(0, 95).widths([5, 10]).open_ended());
        assert_eq!(chain(&ages, &["37"], 0), ["37", "35-39", "30-39", "*"]);
        assert_eq!(chain(&ages, &["92"], 0), ["92", "90-94", "90-94", "*"]);
        assert_eq!(chain(&ages, &["120"], 0), ["120", ">=95", ">=95", "*"]);
        let levels = ages.levels(&column(&["37"])).unwrap();
        assert_eq!(levels.share(2, 0), 10.0 / 95.0);
        let closed = Hierarchy::from(Intervals::new(0, 95).widths([5]));
        assert!(matches!(closed.levels(&column(&["95"])), Err(Error::Uncovered { .. })));
        for wrong in [Intervals::new(3, 3), Intervals::new(0, 9).widths([2, 3])] {
            assert!(Hierarchy::from(wrong).levels(&column(&["1"])).is_err());
        }
        assert!(matches!(closed.levels(&column(&["x"])), Err(Error::Type { row: 1, .. })));
        let wide = Hierarchy::from(Intervals::new(i64::MIN, i64::MAX));
        assert!(wide.levels(&column(&["1"])).is_err());
    }

    #[test]
    fn masking_hides_one_character_a_level() {
        let zip = Hierarchy::from(Masking::new());
        assert_eq!(chain(&zip, &["8053"], 0), ["8053", "805*", "80**", "8***", "*"]);
        let left = Hierarchy::from(Masking::new().from_left());
        assert_eq!(chain(&left, &["123"], 0), ["123", "*23", "**3", "*"]);
        let levels = zip.levels(&column(&["8053", "8001"])).unwrap();
        assert_eq!((levels.share(0, 0), levels.share(4, 0)), (0.5, 1.0));
    }

    #[test]
    fn dates_are_cut_to_units_that_nest() {
        let units = [DateUnit::Day, DateUnit::Month, DateUnit::Quarter, DateUnit::Decade];
        let dates = Hierarchy::dates(&units).unwrap();
        let expected = ["2026-11-22T23:59:59", "2026-11-22", "2026-11", "2026-Q4", "2020s", "*"];
        assert_eq!(chain(&dates, &["2026-11-22T23:59:59"], 0), expected);
        let weeks = Hierarchy::dates(&[DateUnit::Week]).unwrap();
        assert_eq!(chain(&weeks, &["2026-11-22"], 0)[1], "week of 2026-11-16");
        assert!(Hierarchy::dates(&[DateUnit::Week, DateUnit::Month]).is_err());
        assert!(Hierarchy::dates(&[DateUnit::Year, DateUnit::Month]).is_err());
        assert!(matches!(weeks.levels(&column(&["soon"])), Err(Error::Type { .. })));
    }
}
