//! Which types an auditor can look at.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt::Display;
use std::hash::{BuildHasher, Hash};
use std::rc::Rc;
use std::sync::Arc;

use privacy_core::release::Release;

use super::sight::Sight;
use crate::hash::stable_hasher;
use crate::session::GroupedRelease;

/// An output that an auditor can look at.
///
/// Implemented for numbers, flags, text, options, results (a failure is an observation), tuples,
/// lists, sets and maps of such, and for releases. For a type of one's own, show what an
/// attacker sees:
///
/// ```
/// use dp_mechanisms::audit::{Observe, Sight};
///
/// struct Winner { index: usize, gap: f64 }
///
/// impl Observe for Winner {
///     fn observe(&self, sight: &mut Sight) {
///         sight.field("index", |sight| self.index.observe(sight));
///         sight.field("gap", |sight| self.gap.observe(sight));
///     }
/// }
/// ```
pub trait Observe {
    /// Shows the features of the output.
    fn observe(&self, sight: &mut Sight);

    /// The output as one number, where it is one: lists show the sum, the ends and the differences of
    /// theirs.
    fn magnitude(&self) -> Option<f64> {
        None
    }
}

macro_rules! integers {
    ($($integer:ty),*) => {
        $(
            impl Observe for $integer {
                fn observe(&self, sight: &mut Sight) {
                    sight.integer(*self as i128);
                }

                fn magnitude(&self) -> Option<f64> {
                    Some(*self as f64)
                }
            }
        )*
    };
}
integers!(u8, u16, u32, u64, usize, i8, i16, i32, i64, i128, isize);

impl Observe for u128 {
    fn observe(&self, sight: &mut Sight) {
        // The order is kept: the range is moved down by half of it.
        sight.integer((*self ^ (1 << 127)) as i128);
    }

    fn magnitude(&self) -> Option<f64> {
        Some(*self as f64)
    }
}

impl Observe for f64 {
    fn observe(&self, sight: &mut Sight) {
        sight.number(*self);
    }

    fn magnitude(&self) -> Option<f64> {
        Some(*self)
    }
}

impl Observe for f32 {
    fn observe(&self, sight: &mut Sight) {
        sight.number(f64::from(*self));
    }

    fn magnitude(&self) -> Option<f64> {
        Some(f64::from(*self))
    }
}

impl Observe for bool {
    fn observe(&self, sight: &mut Sight) {
        sight.integer(i128::from(*self));
    }

    fn magnitude(&self) -> Option<f64> {
        Some(f64::from(u8::from(*self)))
    }
}

impl Observe for char {
    fn observe(&self, sight: &mut Sight) {
        sight.integer(i128::from(u32::from(*self)));
    }
}

impl Observe for () {
    fn observe(&self, _: &mut Sight) {}
}

impl Observe for str {
    fn observe(&self, sight: &mut Sight) {
        sight.category(self);
    }
}

impl Observe for String {
    fn observe(&self, sight: &mut Sight) {
        sight.category(self.as_str());
    }
}

macro_rules! pointers {
    ($($pointer:ty),*) => {
        $(
            impl<T: Observe + ?Sized> Observe for $pointer {
                fn observe(&self, sight: &mut Sight) {
                    (**self).observe(sight);
                }

                fn magnitude(&self) -> Option<f64> {
                    (**self).magnitude()
                }
            }
        )*
    };
}
pointers!(&T, Box<T>, Rc<T>, Arc<T>);

impl<T: Observe> Observe for Option<T> {
    fn observe(&self, sight: &mut Sight) {
        sight.field("is some", |sight| sight.integer(i128::from(self.is_some())));
        if let Some(value) = self {
            value.observe(sight);
        }
    }

    fn magnitude(&self) -> Option<f64> {
        self.as_ref()?.magnitude()
    }
}

impl<T: Observe, E: Display> Observe for Result<T, E> {
    fn observe(&self, sight: &mut Sight) {
        match self {
            Ok(value) => value.observe(sight),
            Err(error) => sight.failure(&error.to_string()),
        }
    }

    fn magnitude(&self) -> Option<f64> {
        self.as_ref().ok()?.magnitude()
    }
}

/// Up to this many numbers all differences are shown; of more, those of neighbours in the list.
const FEW: usize = 6;

/// Differences shown at most.
const DIFFERENCES: usize = 48;

/// The sum and the ends of numbers that are seen together: a largest answer shows there, whichever
/// it is.
fn summary(magnitudes: &[Option<f64>], sight: &mut Sight) {
    let there = || magnitudes.iter().flatten().copied();
    let Some(most) = there().reduce(f64::max) else { return };
    if magnitudes.iter().all(Option::is_some) {
        sight.projection("sum", there().sum());
    }
    if magnitudes.len() > 1 {
        sight.projection("most", most);
        sight.projection("least", there().fold(most, f64::min));
    }
}

/// Differences between numbers that are seen together: noise that they share is not in them.
fn differences(magnitudes: &[Option<f64>], sight: &mut Sight) {
    let reach = if magnitudes.len() <= FEW { FEW } else { 1 };
    let pairs = (0..magnitudes.len()).flat_map(|i| (i + 1..=i + reach).map(move |j| (i, j)));
    let pairs = pairs.filter(|(_, j)| *j < magnitudes.len()).take(DIFFERENCES);
    sight.field("difference", |sight| {
        for (i, j) in pairs {
            if let (Some(Some(x)), Some(Some(y))) = (magnitudes.get(i), magnitudes.get(j)) {
                let difference = y - x;
                sight.element(i, |sight| {
                    sight.element(j, |sight| sight.projection("", difference));
                });
            }
        }
    });
}

impl<T: Observe> Observe for [T] {
    fn observe(&self, sight: &mut Sight) {
        let mut magnitudes = Vec::with_capacity(self.len());
        for (position, value) in self.iter().enumerate() {
            sight.element(position, |sight| value.observe(sight));
            magnitudes.push(value.magnitude());
        }
        sight.field("len", |sight| sight.integer(self.len() as i128));
        summary(&magnitudes, sight);
        differences(&magnitudes, sight);
    }
}

impl<T: Observe> Observe for Vec<T> {
    fn observe(&self, sight: &mut Sight) {
        self.as_slice().observe(sight);
    }
}

impl<T: Observe, const N: usize> Observe for [T; N] {
    fn observe(&self, sight: &mut Sight) {
        self.as_slice().observe(sight);
    }
}

macro_rules! tuples {
    ($($name:ident $position:tt),*) => {
        impl<$($name: Observe),*> Observe for ($($name,)*) {
            fn observe(&self, sight: &mut Sight) {
                $(sight.field(stringify!($position), |sight| self.$position.observe(sight));)*
                let magnitudes = [$(self.$position.magnitude()),*];
                summary(&magnitudes, sight);
                differences(&magnitudes, sight);
            }
        }
    };
}
tuples!(A 0);
tuples!(A 0, B 1);
tuples!(A 0, B 1, C 2);
tuples!(A 0, B 1, C 2, D 3);
tuples!(A 0, B 1, C 2, D 3, E 4);
tuples!(A 0, B 1, C 2, D 3, E 4, F 5);

/// Shows entries by key, in an order that does not depend on the table they come from.
fn entries<K: Hash, V: Observe>(entries: impl Iterator<Item = (K, V)>, sight: &mut Sight) {
    let mut entries: Vec<(u64, V)> =
        entries.map(|(key, value)| (stable_hasher().hash_one(&key), value)).collect();
    entries.sort_by_key(|(key, _)| *key);
    for (key, value) in &entries {
        sight.entry(key, |sight| value.observe(sight));
    }
    sight.field("len", |sight| sight.integer(entries.len() as i128));
    let magnitudes: Vec<Option<f64>> = entries.iter().map(|(_, value)| value.magnitude()).collect();
    summary(&magnitudes, sight);
}

impl<K: Hash, V: Observe> Observe for BTreeMap<K, V> {
    fn observe(&self, sight: &mut Sight) {
        entries(self.iter(), sight);
    }
}

impl<K: Hash, V: Observe, S: BuildHasher> Observe for HashMap<K, V, S> {
    fn observe(&self, sight: &mut Sight) {
        entries(self.iter(), sight);
    }
}

impl<K: Hash> Observe for BTreeSet<K> {
    fn observe(&self, sight: &mut Sight) {
        entries(self.iter().map(|key| (key, ())), sight);
    }
}

impl<K: Hash, S: BuildHasher> Observe for HashSet<K, S> {
    fn observe(&self, sight: &mut Sight) {
        entries(self.iter().map(|key| (key, ())), sight);
    }
}

impl<V: Observe> Observe for Release<V> {
    fn observe(&self, sight: &mut Sight) {
        self.value().observe(sight);
    }

    fn magnitude(&self) -> Option<f64> {
        self.value().magnitude()
    }
}

impl<K, V: Observe> Observe for GroupedRelease<K, V> {
    fn observe(&self, sight: &mut Sight) {
        let values: Vec<&V> = self.iter().map(|(_, release)| release.value()).collect();
        values.observe(sight);
    }
}
