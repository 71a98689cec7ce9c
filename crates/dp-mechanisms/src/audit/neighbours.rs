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

/// A table before its rows are made: positions in the palette.
type Recipe = Vec<usize>;

impl<T: Clone> Neighbours<T> {
    /// Pairs of which the second lacks one row of the first.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] without values, [`Error::Entropy`].
    pub fn add_remove(&self, random: u32, rng: &mut dyn SecureRng) -> Result<Vec<TablePair<T>>> {
        let mut pairs = Vec::new();
        for recipe in self.recipes(random, rng)? {
            pairs.push((recipe.clone(), RandomBuffer::new(rng).below(recipe.len() as u64)?));
        }
        let whole: Recipe = (0..self.palette.len()).collect();
        pairs.extend((0..whole.len() as u64).map(|position| (whole.clone(), position)));
        let pair = |(with, position): (Recipe, u64)| {
            let mut without = with.clone();
            without.remove(position as usize);
            (self.table(&with), self.table(&without))
        };
        Ok(pairs.into_iter().map(pair).collect())
    }

    /// Pairs of equal length that differ in one row; of a palette with one value, in none.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] without values, [`Error::Entropy`].
    pub fn replace(&self, random: u32, rng: &mut dyn SecureRng) -> Result<Vec<TablePair<T>>> {
        let values = self.palette.len();
        let mut pairs = Vec::new();
        for recipe in self.recipes(random, rng)? {
            let mut draw = RandomBuffer::new(rng);
            let at = draw.below(recipe.len() as u64)? as usize;
            let step = draw.below((values as u64).saturating_sub(1))? as usize + 1;
            let mut other = recipe.clone();
            if let Some(row) = other.get_mut(at) {
                *row = (*row + step) % values;
            }
            pairs.push((self.table(&recipe), self.table(&other)));
        }
        for i in 1..values {
            pairs.push((self.table(&[0]), self.table(&[i])));
            pairs.push((self.table(&[values - 1]), self.table(&[i - 1])));
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
        for (i, recipe) in self.recipes(random, rng)?.into_iter().enumerate() {
            let others = if i % 3 == 0 { Vec::new() } else { self.recipe(rng)? };
            let others = self.table(&others).into_iter().enumerate();
            let without: Vec<(u64, T)> = others.map(|(j, x)| (1 + j as u64 % 3, x)).collect();
            let mut with = without.clone();
            // In between the rows of others.
            for (j, value) in self.table(&recipe).into_iter().enumerate() {
                with.insert((2 * j).min(with.len()), (0, value));
            }
            pairs.push((with, without));
        }
        Ok(pairs)
    }

    fn table(&self, recipe: &[usize]) -> Vec<T> {
        recipe.iter().filter_map(|&i| self.palette.get(i).cloned()).collect()
    }

    /// Tables with at least one row each.
    fn recipes(&self, random: u32, rng: &mut dyn SecureRng) -> Result<Vec<Recipe>> {
        let values = self.palette.len();
        let Some(last) = values.checked_sub(1) else {
            return Err(Error::Missing {
                setting: "the palette of values",
                remedy: "give Neighbours at least one value",
            });
        };
        let mut recipes: Vec<Recipe> = (0..values).map(|i| vec![i]).collect();
        recipes.extend([vec![0; 8], vec![last; 8], (0..2 * values).map(|i| i % values).collect()]);
        recipes.push([0, last].repeat(4));
        for _ in 0..random {
            recipes.push(self.recipe(rng)?);
        }
        Ok(recipes)
    }

    fn recipe(&self, rng: &mut dyn SecureRng) -> Result<Recipe> {
        let mut draw = RandomBuffer::new(rng);
        let mut recipe = Vec::new();
        for _ in 0..=draw.below(self.longest)? {
            recipe.push(draw.below(self.palette.len() as u64)? as usize);
        }
        Ok(recipe)
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
            assert_eq!(distance, Changes(1));
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
