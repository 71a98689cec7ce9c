//! From keys of one node to keys of a node above, or to their places in a table of all keys there.

use super::Field;
use crate::search::problem::Axis;

/// Neighbouring fields of a key are looked up together in tables of at most so many entries.
const MOST_LOOK_UP: usize = 1 << 10;

/// What the codes of some neighbouring fields add to the key above, or to its place.
#[derive(Clone, Debug, Default)]
pub(super) struct Lift {
    word: usize,
    shift: u32,
    mask: u64,
    parts: Vec<u64>,
}

impl Lift {
    /// Becomes the look-up of one field: for each code what it adds.
    fn start(&mut self, field: Field, parts: impl Iterator<Item = u64>) {
        (self.word, self.shift, self.mask) = (field.word, field.shift, field.mask);
        self.parts.clear();
        self.parts.extend(parts);
    }

    /// Whether a field can be looked up together with these in so many entries.
    fn can_take(&self, field: Field, codes: usize, most: usize) -> bool {
        self.word == field.word
            && self.shift < field.shift
            && codes << (field.shift - self.shift) <= most
    }

    /// Looks up a field above together with these.
    fn extend(&mut self, field: Field, parts: impl ExactSizeIterator<Item = u64>) {
        let (below, bits) = (self.parts.len(), field.shift - self.shift);
        self.parts.resize(parts.len() << bits, 0);
        self.mask |= field.mask << bits;
        let (lowest, others) = self.parts.split_at_mut(1 << bits);
        let mut first = 0;
        for (code, part) in parts.enumerate() {
            if code == 0 {
                first = part;
                continue;
            }
            let start = (code - 1) << bits;
            for (to, from) in others[start..start + below].iter_mut().zip(&*lowest) {
                *to = from + part;
            }
        }
        lowest[..below].iter_mut().for_each(|part| *part += first);
    }

    #[inline(always)]
    fn part<const N: usize>(&self, key: &[u64; N]) -> u64 {
        self.parts[((key[self.word & (N - 1)] >> self.shift) & self.mask) as usize]
    }
}

/// Look-ups for a whole key.
#[derive(Clone, Debug, Default)]
pub(super) struct Lifts {
    /// The first `used` of these, and memory to be used again.
    all: Vec<Lift>,
    used: usize,
}

impl Lifts {
    /// Prepares the look-ups for the codes of all axes. For `places` a key is a number in mixed radix,
    /// the first axis lowest, in which axes with one code above have no part. Sources of so many
    /// classes are worth tables of a part of that.
    pub(super) fn prepare<'a>(
        &mut self,
        steps: impl Iterator<Item = (&'a Axis, Field, u8, u8)>,
        source: usize,
        places: bool,
    ) {
        let most = (source / 16).clamp(16, MOST_LOOK_UP);
        let (mut used, mut stride) = (0, 1u64);
        // Whether only zeros lie between the last look-up and the next field.
        let mut is_near = false;
        for (axis, field, from, to) in steps {
            let codes = |level: u8| axis.levels[level as usize].rows.len();
            let (before, after) = (codes(from), codes(to));
            if after <= 1 {
                is_near &= before <= 1;
                continue;
            }
            let map = (from != to).then(|| axis.lift(from, to));
            let unit = if places { stride } else { 1 << field.shift };
            let part = |code: usize| u64::from(map.map_or(code as u32, |above| above[code])) * unit;
            let parts = (0..before).map(part);
            match self.all.get_mut(used.max(1) - 1) {
                Some(last) if is_near && last.can_take(field, before, most) => {
                    last.extend(field, parts);
                }
                _ => {
                    if used == self.all.len() {
                        self.all.push(Lift::default());
                    }
                    self.all[used].start(field, parts);
                    used += 1;
                }
            }
            is_near = true;
            if places {
                stride *= after as u64;
            }
        }
        self.used = used;
    }

    /// The keys above some keys.
    pub(super) fn keys<const N: usize>(&self, keys: &[[u64; N]], above: &mut Vec<[u64; N]>) {
        above.clear();
        above.resize(keys.len(), [0; N]);
        for lift in &self.all[..self.used] {
            let word = lift.word & (N - 1);
            above.iter_mut().zip(keys).for_each(|(above, key)| above[word] += lift.part(key));
        }
    }

    /// The places of the keys above some keys.
    pub(super) fn places<const N: usize>(&self, keys: &[[u64; N]], places: &mut Vec<u32>) {
        places.clear();
        places.resize(keys.len(), 0);
        for lift in &self.all[..self.used] {
            places.iter_mut().zip(keys).for_each(|(place, key)| *place += lift.part(key) as u32);
        }
    }
}

/// All keys there can be above, in the order of their places.
pub(super) fn all_keys<'a, const N: usize>(
    steps: impl Iterator<Item = (&'a Axis, Field, u8, u8)>,
    keys: &mut Vec<[u64; N]>,
) {
    keys.clear();
    keys.push([0; N]);
    for (axis, field, _, to) in steps {
        let below = keys.len();
        for code in 1..axis.levels[to as usize].rows.len() {
            let part = (code as u64) << field.shift;
            keys.extend_from_within(..below);
            keys[code * below..].iter_mut().for_each(|key| key[field.word & (N - 1)] |= part);
        }
    }
}
