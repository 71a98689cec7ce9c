//! What an auditor sees of an output: a row of named features.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash};

use crate::hash::{TableHasher, stable_hasher};

/// Stands where an output has no such feature; below every value.
pub(super) const ABSENT: i128 = i128::MIN;

/// Features beyond this many are not looked at one by one (they still enter the fingerprint).
pub(super) const MAX_FEATURES: usize = 256;

/// One output as a row of features; [`Observe`](super::Observe) fills it.
///
/// Each feature has a place (`[3].value`), and its value there is an integer, a number or a
/// category. The auditor looks for the ranges and sets of values, and for the combinations, that
/// are likelier on one of two neighbours.
#[derive(Debug, Default)]
pub struct Sight {
    features: Vec<Feature>,
    index: HashMap<u64, usize, TableHasher>,
    /// The features of the row before, in order: rows mostly look alike.
    recent: Vec<(u64, usize)>,
    cursor: usize,
    row: Vec<i128>,
    path: Vec<(u64, Step)>,
    fingerprint: u64,
    /// No new features: the row is to be read by events that know the ones there are.
    closed: bool,
    failed: bool,
}

/// A place that outputs have a value at.
#[derive(Clone, Debug)]
pub(super) struct Feature {
    pub(super) label: String,
    pub(super) kind: Kind,
    /// Whether it enters combinations, rather than being computed from features that do.
    pub(super) primary: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Integer,
    Number,
    Category,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Field(&'static str),
    Element(usize),
    Entry(u64),
}

impl Sight {
    /// An integer at the current place.
    pub fn integer(&mut self, value: i128) {
        self.put("", Kind::Integer, true, value.max(ABSENT + 1));
    }

    /// A number at the current place. Beside its value, its lowest set bit is a feature: noise that
    /// was added in floating point shows there what it was added to (Mironov 2012).
    pub fn number(&mut self, value: f64) {
        self.put("", Kind::Number, true, number_key(value));
        if value.is_finite() && value != 0.0 {
            self.put("lowest bit", Kind::Integer, false, lowest_bit(value));
        }
    }

    /// A value without an order at the current place.
    pub fn category<T: Hash + ?Sized>(&mut self, value: &T) {
        self.put("", Kind::Category, true, category_key(value));
    }

    /// A number computed from features that were seen already, such as a sum of them.
    pub fn projection(&mut self, name: &'static str, value: f64) {
        self.put(name, Kind::Number, false, number_key(value));
    }

    /// Looks at a named part of the output.
    pub fn field(&mut self, name: &'static str, look: impl FnOnce(&mut Sight)) {
        self.at(Step::Field(name), look);
    }

    /// Looks at an element of the output, by position.
    pub fn element(&mut self, position: usize, look: impl FnOnce(&mut Sight)) {
        self.at(Step::Element(position), look);
    }

    /// Looks at an entry of the output, by a key whose presence is information too.
    pub fn entry<K: Hash + ?Sized>(&mut self, key: &K, look: impl FnOnce(&mut Sight)) {
        self.at(Step::Entry(stable_hasher().hash_one(key)), |sight| {
            sight.put("is there", Kind::Integer, true, 1);
            look(sight);
        });
    }

    /// A failure of the whole output, or of the part at the current place.
    pub fn failure(&mut self, text: &str) {
        self.failed |= self.path.is_empty();
        self.put("failure", Kind::Category, true, category_key(text));
    }

    pub(super) fn begin(&mut self) {
        self.row.clear();
        self.row.resize(self.features.len(), ABSENT);
        self.path.clear();
        self.cursor = 0;
        self.fingerprint = 0;
        self.failed = false;
    }

    /// Ends the row; it can be read with [`Sight::row`].
    pub(super) fn end(&mut self) {
        self.path.clear();
        if self.cursor > 1 {
            let fingerprint = i128::from(self.fingerprint);
            self.put("whole output", Kind::Category, false, fingerprint);
        }
    }

    /// From now on, features not seen before are left out.
    pub(super) fn close(&mut self) {
        self.closed = true;
    }

    pub(super) fn row(&self) -> &[i128] {
        &self.row
    }

    pub(super) fn failed(&self) -> bool {
        self.failed
    }

    pub(super) fn features(&self) -> &[Feature] {
        &self.features
    }

    fn at(&mut self, step: Step, look: impl FnOnce(&mut Sight)) {
        let code = match step {
            Step::Field(name) => name.bytes().fold(1, |code, byte| mix(code, u64::from(byte))),
            Step::Element(position) => mix(2, position as u64),
            Step::Entry(key) => mix(3, key),
        };
        self.path.push((mix(self.place(), code), step));
        look(self);
        self.path.pop();
    }

    fn place(&self) -> u64 {
        self.path.last().map_or(0, |(place, _)| *place)
    }

    fn put(&mut self, name: &'static str, kind: Kind, primary: bool, key: i128) {
        let place = self.place();
        let id = name.bytes().fold(mix(place, 4), |id, byte| mix(id, u64::from(byte)));
        if primary {
            let low = mix(id, key as u64);
            self.fingerprint = self.fingerprint.wrapping_add(mix(low, (key >> 64) as u64));
        }
        let index = match self.recent.get(self.cursor) {
            Some(&(known, index)) if known == id => Some(index),
            _ => self.find(id, name, kind, primary),
        };
        self.cursor += 1;
        if let Some(slot) = index.and_then(|index| self.row.get_mut(index)) {
            *slot = key;
        }
    }

    #[cold]
    fn find(&mut self, id: u64, name: &str, kind: Kind, primary: bool) -> Option<usize> {
        let index = match self.index.get(&id) {
            Some(&index) => index,
            None if self.closed || self.features.len() >= MAX_FEATURES => return None,
            None => {
                let index = self.features.len();
                self.features.push(Feature { label: self.label(name), kind, primary });
                self.index.insert(id, index);
                self.row.push(ABSENT);
                index
            }
        };
        if self.recent.len() <= self.cursor {
            // An id that no place has, so that a gap is looked up.
            self.recent.resize(self.cursor + 1, (u64::MAX, usize::MAX));
        }
        if let Some(recent) = self.recent.get_mut(self.cursor) {
            *recent = (id, index);
        }
        Some(index)
    }

    fn label(&self, name: &str) -> String {
        let mut label = String::new();
        for (_, step) in &self.path {
            match step {
                Step::Field(name) => label.push_str(&format!(".{name}")),
                Step::Element(position) => label.push_str(&format!("[{position}]")),
                Step::Entry(key) => label.push_str(&format!("[key #{key:016x}]")),
            }
        }
        match (label.is_empty(), name.is_empty()) {
            (true, true) => "output".to_owned(),
            (true, false) => name.to_owned(),
            (false, true) => format!("output{label}"),
            (false, false) => format!("{name} of output{label}"),
        }
    }
}

/// One round of a 64-bit mixer (Steele, Lea, Flood 2014).
fn mix(a: u64, b: u64) -> u64 {
    let mut z = (a ^ b.rotate_left(32)).wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(b);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z ^ (z >> 31)
}

fn category_key<T: Hash + ?Sized>(value: &T) -> i128 {
    i128::from(stable_hasher().hash_one(value))
}

/// The order of [`f64::total_cmp`] as an integer.
pub(super) fn number_key(value: f64) -> i128 {
    let bits = value.to_bits() as i64;
    i128::from(bits ^ (((bits >> 63) as u64) >> 1) as i64)
}

pub(super) fn number_of_key(key: i128) -> f64 {
    let bits = key as i64;
    f64::from_bits((bits ^ (((bits >> 63) as u64) >> 1) as i64) as u64)
}

/// The binary exponent of the lowest set bit of a finite number that is not 0.
fn lowest_bit(value: f64) -> i128 {
    let bits = value.to_bits();
    let (exponent, fraction) = ((bits >> 52) & 0x7ff, bits & ((1 << 52) - 1));
    let significand = if exponent == 0 { fraction } else { fraction | 1 << 52 };
    i128::from(exponent.max(1)) - 1075 + i128::from(significand.trailing_zeros())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_keep_the_order_of_numbers() {
        let numbers = [f64::NEG_INFINITY, -1e300, -1.5, -0.0, 0.0, 5e-324, 2.5, f64::INFINITY];
        let keys = numbers.map(number_key);
        assert!(keys.is_sorted() && keys.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(numbers.iter().zip(keys).all(|(x, key)| number_of_key(key).total_cmp(x).is_eq()));
    }

    #[test]
    fn lowest_bits() {
        for (value, bit) in [(1.0, 0), (6.0, 1), (-0.75, -2), (5e-324, -1074), (0.1, -55)] {
            assert_eq!(lowest_bit(value), bit, "{value}");
        }
    }

    #[test]
    fn places_are_found_again_in_any_order() {
        let mut sight = Sight::default();
        for order in [[1usize, 2, 3], [3, 1, 2], [2, 3, 1]] {
            sight.begin();
            for key in order {
                sight.entry(&key, |sight| sight.integer(key as i128));
            }
            sight.end();
            let values: Vec<i128> =
                sight.row().iter().copied().filter(|v| (2..4).contains(v)).collect();
            assert_eq!(values, [2, 3]);
        }
        assert_eq!(sight.features().len(), 7);
        sight.close();
        sight.begin();
        sight.entry(&9, |sight| sight.integer(9));
        sight.end();
        assert!(sight.row()[..6].iter().all(|value| *value == ABSENT));
    }
}
