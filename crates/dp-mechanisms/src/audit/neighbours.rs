//! Neighbouring tables to audit on: the awkward ones first, then random ones.

use privacy_core::error::{Error, Result};
use privacy_core::random::{RandomBuffer, SecureRng};

/// Two neighbouring tables.
pub type TablePair<T> = (Vec<T>, Vec<T>);

/// Values that have broken implementations before: ends of the range, zeros of either sign,
/// infinities, not-a-number, the smallest and the largest magnitudes.
pub trait Extremes: Sized {
    /// The values, each once.
    fn extremes() -> Vec<Self>;
}

macro_rules! integer_extremes {
    ($($integer:ty),*) => {
        $(
            impl Extremes for $integer {
                fn extremes() -> Vec<Self> {
                    let mut values = vec![<$integer>::MIN, <$integer>::MIN + 1, 0, 1];
                    values.extend([<$integer>::MAX / 2, <$integer>::MAX - 1, <$integer>::MAX]);
                    values.sort_unstable();
                    values.dedup();
                    values
                }
            }
        )*
    };
}
integer_extremes!(u8, u16, u32, u64, usize, i8, i16, i32, i64, i128, isize);

macro_rules! float_extremes {
    ($($float:ty),*) => {
        $(
            impl Extremes for $float {
                fn extremes() -> Vec<Self> {
                    const MAX: $float = <$float>::MAX;
                    const INFINITY: $float = <$float>::INFINITY;
                    let subnormal = <$float>::MIN_POSITIVE / 4.0;
                    let fine = 1.0 + <$float>::EPSILON;
                    vec![<$float>::NAN, -INFINITY, -MAX, -0.0, 0.0, subnormal, fine, MAX, INFINITY]
                }
            }
        )*
    };
}
float_extremes!(f32, f64);

impl Extremes for bool {
    fn extremes() -> Vec<Self> {
        vec![false, true]
    }
}

/// Makes neighbouring tables whose rows come from a palette of interesting values.
///
/// The directed pairs are: a lone row and none; rows that are all equal; the whole palette once,
/// twice, and without one of its values; huge and small values in turn. Random pairs draw the length
/// and the rows. The row that differs stands at the front, in the middle and at the end.
///
/// # Example
///
/// ```
/// use dp_mechanisms::audit::Neighbours;
/// use privacy_core::random::SystemRng;
///
/// let palette = Neighbours::<f64>::extreme().with([0.5, 3.0]);
/// let pairs = palette.add_remove(20, &mut SystemRng::new()?)?;
/// assert!(pairs.iter().all(|(with, without)| with.len() == without.len() + 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Neighbours<T> {
    palette: Vec<T>,
    longest: u64,
}

impl<T: Extremes> Neighbours<T> {
    /// A palette of the type's extremes.
    #[must_use]
    pub fn extreme() -> Self {
        Neighbours { palette: T::extremes(), longest: 12 }
    }
}

impl<T> Neighbours<T> {
    /// A palette of the given values.
    #[must_use]
    pub fn of(values: impl IntoIterator<Item = T>) -> Self {
        Neighbours { palette: values.into_iter().collect(), longest: 12 }
    }

    /// More values.
    #[must_use]
    pub fn with(mut self, values: impl IntoIterator<Item = T>) -> Self {
        self.palette.extend(values);
        self
    }

    /// The most rows of a random table (12 unless said otherwise).
    #[must_use]
    pub fn up_to_rows(mut self, rows: u32) -> Self {
        self.longest = u64::from(rows.max(1));
        self
    }
}

impl<T: Clone> Neighbours<T> {
    /// Pairs of which the second lacks one row of the first.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] without values, [`Error::Entropy`].
    pub fn add_remove(&self, random: u32, rng: &mut dyn SecureRng) -> Result<Vec<TablePair<T>>> {
        let without = |table: &[T], position: usize| {
            let mut rest = table.to_vec();
            rest.remove(position);
            (table.to_vec(), rest)
        };
        let mut pairs = Vec::new();
        for table in self.tables(random, rng)? {
            let at = RandomBuffer::new(rng).below(table.len() as u64)?;
            pairs.push(without(&table, at as usize));
        }
        for position in 0..self.palette.len() {
            pairs.push(without(&self.palette, position));
        }
        Ok(pairs)
    }

    /// Pairs of equal length that differ in one row.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] without values, [`Error::Entropy`].
    pub fn replace(&self, random: u32, rng: &mut dyn SecureRng) -> Result<Vec<TablePair<T>>> {
        let mut pairs = Vec::new();
        for table in self.tables(random, rng)? {
            let mut other = table.clone();
            let mut random = RandomBuffer::new(rng);
            let at = random.below(table.len() as u64)? as usize;
            let value = random.below(self.palette.len() as u64)? as usize;
            other[at] = self.palette[value].clone();
            pairs.push((table, other));
        }
        for other in &self.palette {
            for end in [self.palette.first(), self.palette.last()].into_iter().flatten() {
                pairs.push((vec![end.clone()], vec![other.clone()]));
            }
        }
        Ok(pairs)
    }

    /// Pairs of tables with users, of which the second lacks one user of the first: one with a
    /// single row, with the whole palette, with many equal rows; alone and among others.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] without values, [`Error::Entropy`].
    pub fn users(&self, random: u32, rng: &mut dyn SecureRng) -> Result<Vec<TablePair<(u64, T)>>> {
        let mut pairs = Vec::new();
        for (i, rows) in self.tables(random, rng)?.into_iter().enumerate() {
            let others = match i % 3 {
                0 => Vec::new(),
                _ => self.table(rng)?,
            };
            let mut without: Vec<(u64, T)> = Vec::new();
            for (j, value) in others.into_iter().enumerate() {
                without.push((1 + j as u64 % 3, value));
            }
            let mut with: Vec<(u64, T)> = without.clone();
            // In between the rows of others.
            for (j, value) in rows.into_iter().enumerate() {
                with.insert((2 * j).min(with.len()), (0, value));
            }
            pairs.push((with, without));
        }
        Ok(pairs)
    }

    /// Tables with at least one row each.
    fn tables(&self, random: u32, rng: &mut dyn SecureRng) -> Result<Vec<Vec<T>>> {
        let (Some(first), Some(last)) = (self.palette.first(), self.palette.last()) else {
            return Err(Error::Missing {
                setting: "the palette of values",
                remedy: "give Neighbours at least one value",
            });
        };
        let mut tables: Vec<Vec<T>> = Vec::new();
        tables.extend(self.palette.iter().map(|value| vec![value.clone()]));
        tables.extend([first, last].map(|value| vec![value.clone(); 8]));
        tables.push([self.palette.as_slice(); 2].concat());
        tables.push([first, last].into_iter().cycle().take(8).cloned().collect());
        for _ in 0..random {
            tables.push(self.table(rng)?);
        }
        Ok(tables)
    }

    fn table(&self, rng: &mut dyn SecureRng) -> Result<Vec<T>> {
        let mut random = RandomBuffer::new(rng);
        let mut table = Vec::new();
        for _ in 0..=random.below(self.longest)? {
            let value = random.below(self.palette.len() as u64)? as usize;
            table.extend(self.palette.get(value).cloned());
        }
        Ok(table)
    }
}

#[cfg(test)]
mod tests {
    use privacy_core::random::InsecureTestRng;
    use privacy_core::space::{Changes, Measurable, Rows};
    use privacy_core::unit::{AddRemove, Record, Replace, User};

    use super::*;

    #[test]
    fn pairs_are_neighbours() {
        let mut rng = InsecureTestRng::from_seed(5);
        let palette = Neighbours::<i64>::extreme().with([7]);
        for (a, b) in palette.add_remove(30, &mut rng).unwrap() {
            assert_eq!(Rows::<i64, Record, AddRemove>::distance(&a, &b), Some(Changes(1)));
        }
        for (a, b) in palette.replace(30, &mut rng).unwrap() {
            let distance = Rows::<i64, Record, Replace>::distance(&a, &b).unwrap();
            assert!(distance <= Changes(1));
        }
        for (a, b) in palette.users(30, &mut rng).unwrap() {
            type Users = Rows<(u64, i64), User, AddRemove>;
            assert_eq!(Users::distance(&a, &b), Some(Changes(1)));
        }
        assert!(Neighbours::<u8>::of([]).add_remove(3, &mut rng).is_err());
    }

    #[test]
    fn extremes_are_distinct() {
        assert_eq!(u8::extremes(), [0, 1, 127, 254, 255]);
        assert_eq!(f64::extremes().len(), 9);
    }
}
