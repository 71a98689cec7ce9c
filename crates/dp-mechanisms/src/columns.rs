//! Columns as rows: slices of equal length, side by side.
//!
//! Everything here reads rows: slices of your own types, or of references into columns. What comes from
//! an iterator is collected first (`let rows: Vec<_> = iterator.collect()`), or sampled within a limit
//! of rows of each unit while it passes by ([`Reservoirs::sample`](crate::bound::Reservoirs::sample)).

use crate::error::{Error, Result};

/// Slices of equal length, which [`zip`] puts side by side: pairs to sixes of slices.
pub trait Columns: sealed::Sealed {
    /// A reference to one value of each.
    type Row;

    #[doc(hidden)]
    fn zip(self) -> Result<Vec<Self::Row>>;
}

mod sealed {
    pub trait Sealed {}
}

/// The rows of columns, for a [`Session`](crate::session::Session).
///
/// # Errors
///
/// [`Error::UnequalColumns`] unless all have the same length; none is cut short silently.
///
/// # Example
///
/// ```
/// use dp_mechanisms::columns;
/// use dp_mechanisms::prelude::*;
///
/// let (users, wards) = ([1u32, 1, 2, 3], ["surgery", "surgery", "maternity", "surgery"]);
/// let rows = columns::zip((&users[..], &wards[..]))?;
/// let session = Session::over(&rows)
///     .unit(|(user, _)| **user)
///     .max_rows_per_unit(2)
///     .budget(Epsilon::new(1.0)?)
///     .open()?;
/// let by_ward = session.count().by(|(_, ward)| **ward, &["surgery", "maternity"]);
/// println!("{}", by_ward.epsilon(0.5)?.release()?);
///
/// assert!(columns::zip((&users[..], &wards[..3])).is_err());
/// # Ok::<(), dp_mechanisms::Error>(())
/// ```
pub fn zip<C: Columns>(columns: C) -> Result<Vec<C::Row>> {
    columns.zip()
}

macro_rules! columns {
    ($($value:ident $slice:ident $position:tt),*) => {
        impl<'a, $($value),*> sealed::Sealed for ($(&'a [$value],)*) {}

        impl<'a, $($value),*> Columns for ($(&'a [$value],)*) {
            type Row = ($(&'a $value,)*);

            fn zip(self) -> Result<Vec<Self::Row>> {
                let rows = self.0.len();
                $(
                    if self.$position.len() != rows {
                        return Err(Error::UnequalColumns { position: $position });
                    }
                    let mut $slice = self.$position.iter();
                )*
                // All end together.
                Ok(std::iter::from_fn(|| Some(($($slice.next()?,)*))).collect())
            }
        }
    };
}
columns!(A a 0, B b 1);
columns!(A a 0, B b 1, C c 2);
columns!(A a 0, B b 1, C c 2, D d 3);
columns!(A a 0, B b 1, C c 2, D d 3, E e 4);
columns!(A a 0, B b 1, C c 2, D d 3, E e 4, F f 5);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_hold_one_value_of_each_column() {
        let (a, b, c) = ([1u8, 2], ["x", "y"], [0.5, f64::NAN]);
        let rows = zip((&a[..], &b[..], &c[..])).unwrap();
        assert_eq!((rows.len(), *rows[1].0, *rows[1].1), (2, 2, "y"));
        assert!(zip::<(&[u8], &[u8])>((&[], &[])).unwrap().is_empty());
        for (a, b, c) in [(1, 2, 2), (2, 1, 2), (2, 2, 1)] {
            let columns = ([0u8; 2], [0u8; 2], [0u8; 2]);
            let unequal = zip((&columns.0[..a], &columns.1[..b], &columns.2[..c]));
            assert!(matches!(unequal, Err(Error::UnequalColumns { .. })));
        }
    }
}
