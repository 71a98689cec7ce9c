//! Classes under exact packed keys, and their roll-up.
//!
//! Each axis has a bit field that is wide enough for its codes at the lowest level; fields do not
//! cross words. Equality of keys is equality of tuples, so no two classes are ever merged by a hash.

use super::problem::Problem;

/// Where an axis's code lies in a key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field {
    pub(crate) word: usize,
    pub(crate) shift: u32,
    pub(crate) mask: u64,
}

impl Field {
    #[inline]
    pub(crate) fn get<const N: usize>(self, key: &[u64; N]) -> usize {
        ((key[self.word] >> self.shift) & self.mask) as usize
    }
}

/// Fields for all axes, and how many words they take.
pub(crate) fn layout(problem: &Problem<'_>) -> (Vec<Field>, usize) {
    let mut free: Vec<u32> = Vec::new();
    let mut fields = Vec::new();
    for axis in &problem.axes {
        let bits = usize::BITS - axis.codes().saturating_sub(1).leading_zeros();
        let word = match free.iter().position(|&left| left >= bits) {
            Some(word) => word,
            None => {
                free.push(64);
                free.len() - 1
            }
        };
        fields.push(Field { word, shift: (64 - free[word]) % 64, mask: (1u64 << bits) - 1 });
        free[word] -= bits;
    }
    (fields, free.len().max(1))
}

/// Classes: keys, and sums over their rows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Classes<const N: usize> {
    pub(crate) keys: Vec<[u64; N]>,
    pub(crate) counts: Vec<u32>,
    /// People of the population; empty if not needed.
    pub(crate) population: Vec<u64>,
    /// Σ over distinct tuples of count²; empty if not needed.
    pub(crate) squares: Vec<u64>,
    /// `width` counts of sensitive values for each class.
    pub(crate) histogram: Vec<u32>,
}

impl<const N: usize> Classes<N> {
    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.keys.len() * (N * 8 + 4)
            + (self.population.len() + self.squares.len()) * 8
            + self.histogram.len() * 4
    }

    pub(crate) fn shrink(&mut self) {
        self.keys.shrink_to_fit();
        self.counts.shrink_to_fit();
        self.population.shrink_to_fit();
        self.squares.shrink_to_fit();
        self.histogram.shrink_to_fit();
    }

    pub(crate) fn clear(&mut self) {
        self.keys.clear();
        self.counts.clear();
        self.population.clear();
        self.squares.clear();
        self.histogram.clear();
    }
}

/// A level's map for one axis.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step<'a> {
    pub(crate) field: Field,
    pub(crate) map: &'a [u32],
}

#[inline]
fn hash<const N: usize>(key: &[u64; N], seed: u64) -> u64 {
    let mut all = seed;
    for &word in key {
        let wide = u128::from(word ^ all) * u128::from(0x9e37_79b9_7f4a_7c15_u64);
        all = (wide as u64) ^ ((wide >> 64) as u64);
    }
    all
}

/// Finds or makes the class of a key.
#[derive(Debug, Default)]
pub(crate) struct Slots {
    slots: Vec<u32>,
    shift: u32,
    seed: u64,
}

impl Slots {
    /// Keys are hashed under `seed`, so that nobody can choose colliding rows.
    pub(crate) fn seeded(seed: u64) -> Self {
        Slots { slots: Vec::new(), shift: 0, seed }
    }

    /// Empties the table and makes room for `classes`.
    fn reset(&mut self, classes: usize) {
        let size = (classes * 2).next_power_of_two().max(16);
        self.slots.clear();
        self.slots.resize(size, 0);
        self.shift = 64 - size.trailing_zeros();
    }

    /// The class of `key`, appended to `keys` if it is new.
    #[inline]
    fn find<const N: usize>(&mut self, keys: &mut Vec<[u64; N]>, key: &[u64; N]) -> (usize, bool) {
        let mask = self.slots.len() - 1;
        let mut slot = (hash(key, self.seed) >> self.shift) as usize;
        loop {
            match self.slots[slot & mask] {
                0 => {
                    keys.push(*key);
                    self.slots[slot & mask] = keys.len() as u32;
                    return (keys.len() - 1, true);
                }
                class if keys[class as usize - 1] == *key => return (class as usize - 1, false),
                _ => slot += 1,
            }
        }
    }

    /// Doubles the table once it is half full.
    fn grow<const N: usize>(&mut self, keys: &[[u64; N]]) {
        if keys.len() * 2 < self.slots.len() {
            return;
        }
        self.reset(keys.len() * 2);
        let mask = self.slots.len() - 1;
        for (class, key) in keys.iter().enumerate() {
            let mut slot = (hash(key, self.seed) >> self.shift) as usize;
            while self.slots[slot & mask] != 0 {
                slot += 1;
            }
            self.slots[slot & mask] = class as u32 + 1;
        }
    }
}

/// Unites the classes of `source` that agree after `steps`.
pub(crate) fn roll<const N: usize>(
    source: &Classes<N>,
    steps: &[Step<'_>],
    target: &mut Classes<N>,
    slots: &mut Slots,
    width: usize,
) {
    target.clear();
    slots.reset(source.len());
    let with_population = !source.population.is_empty();
    let with_squares = !source.squares.is_empty();
    for (i, key) in source.keys.iter().enumerate() {
        let mut key = *key;
        for step in steps {
            let Field { word, shift, mask } = step.field;
            let code = step.map[((key[word] >> shift) & mask) as usize];
            key[word] = (key[word] & !(mask << shift)) | (u64::from(code) << shift);
        }
        let (class, new) = slots.find(&mut target.keys, &key);
        if new {
            target.counts.push(source.counts[i]);
            if with_population {
                target.population.push(source.population[i]);
            }
            if with_squares {
                target.squares.push(source.squares[i]);
            }
            if width > 0 {
                target.histogram.extend_from_slice(&source.histogram[i * width..(i + 1) * width]);
            }
            continue;
        }
        target.counts[class] += source.counts[i];
        if with_population {
            target.population[class] += source.population[i];
        }
        if with_squares {
            target.squares[class] += source.squares[i];
        }
        if width > 0 {
            let sums = &mut target.histogram[class * width..(class + 1) * width];
            for (sum, &more) in sums.iter_mut().zip(&source.histogram[i * width..(i + 1) * width]) {
                *sum += more;
            }
        }
    }
}

/// Rows read at a time.
const CHUNK: usize = 1 << 13;

/// The distinct tuples of the table at the lowest levels, with their counts.
pub(crate) fn tuples<const N: usize>(
    problem: &Problem<'_>,
    fields: &[Field],
    slots: &mut Slots,
    squares: bool,
    threads: usize,
) -> Classes<N> {
    let rows = problem.rows as usize;
    let threads = threads.min(rows / (8 * CHUNK)).max(1);
    let mut all = if threads == 1 {
        part(problem, fields, slots, 0..rows)
    } else {
        let size = rows.div_ceil(threads);
        let seed = slots.seed;
        let mut parts: Vec<Classes<N>> = std::thread::scope(|scope| {
            let work = (0..threads).map(|i| {
                let range = i * size..((i + 1) * size).min(rows);
                scope.spawn(move || part(problem, fields, &mut Slots::seeded(seed), range))
            });
            let running: Vec<_> = work.collect();
            running.into_iter().filter_map(|thread| thread.join().ok()).collect()
        });
        let mut joined = parts.remove(0);
        for part in &parts {
            join(&mut joined, part, slots, problem.requirements.width);
        }
        joined
    };
    if squares {
        all.squares = all.counts.iter().map(|&c| u64::from(c) * u64::from(c)).collect();
    }
    if let Some(table) = problem.population {
        add_population(problem, table, fields, slots, &mut all);
    }
    all
}

fn part<const N: usize>(
    problem: &Problem<'_>,
    fields: &[Field],
    slots: &mut Slots,
    rows: std::ops::Range<usize>,
) -> Classes<N> {
    let width = problem.requirements.width;
    let columns = problem.data.table().columns();
    let mut all = Classes::default();
    slots.reset(1024);
    let mut keys: Vec<[u64; N]> = std::iter::repeat_n([0u64; N], CHUNK).collect();
    let mut classes = vec![0u32; CHUNK];
    let mut start = rows.start;
    while start < rows.end {
        let end = (start + CHUNK).min(rows.end);
        let keys = &mut keys[..end - start];
        keys.fill([0; N]);
        for (axis, field) in problem.axes.iter().zip(fields) {
            let of_entry = &axis.of_entry;
            columns[axis.place].codes().for_each(start..end, |row, entry| {
                keys[row - start][field.word] |= u64::from(of_entry[entry as usize]) << field.shift;
            });
        }
        for (key, class_of) in keys.iter().zip(&mut classes) {
            let (class, new) = slots.find(&mut all.keys, key);
            if new {
                all.counts.push(0);
                slots.grow(&all.keys);
            }
            all.counts[class] += 1;
            *class_of = class as u32;
        }
        all.histogram.resize(all.keys.len() * width, 0);
        let attributes = &problem.requirements.attributes;
        for ((place, slot), attribute) in problem.requirements.sources.iter().zip(attributes) {
            columns[*place].codes().for_each(start..end, |row, entry| {
                let class = classes[row - start] as usize;
                let slot = attribute.offset + slot[entry as usize] as usize;
                all.histogram[class * width + slot] += 1;
            });
        }
        start = end;
    }
    all
}

/// Adds the classes of `part` to `all`.
fn join<const N: usize>(all: &mut Classes<N>, part: &Classes<N>, slots: &mut Slots, width: usize) {
    slots.reset(0);
    slots.grow(&all.keys);
    for (i, key) in part.keys.iter().enumerate() {
        let (class, new) = slots.find(&mut all.keys, key);
        let histogram = &part.histogram[i * width..(i + 1) * width];
        if new {
            all.counts.push(part.counts[i]);
            all.histogram.extend_from_slice(histogram);
            slots.grow(&all.keys);
            continue;
        }
        all.counts[class] += part.counts[i];
        let sums = &mut all.histogram[class * width..(class + 1) * width];
        sums.iter_mut().zip(histogram).for_each(|(sum, &more)| *sum += more);
    }
}

fn add_population<const N: usize>(
    problem: &Problem<'_>,
    table: &crate::table::Table,
    fields: &[Field],
    slots: &mut Slots,
    all: &mut Classes<N>,
) {
    let width = problem.requirements.width;
    slots.reset(0);
    slots.grow(&all.keys);
    all.population = vec![0; all.len()];
    let columns: Vec<_> =
        problem.axes.iter().filter_map(|axis| table.column(&axis.name).ok()).collect();
    for row in 0..table.rows() {
        let mut key = [0u64; N];
        for ((axis, field), column) in problem.axes.iter().zip(fields).zip(&columns) {
            let code = axis.of_population[column.codes().get(row) as usize];
            key[field.word] |= u64::from(code) << field.shift;
        }
        let (class, new) = slots.find(&mut all.keys, &key);
        if new {
            all.counts.push(0);
            all.population.push(0);
            if !all.squares.is_empty() {
                all.squares.push(0);
            }
            all.histogram.resize(all.keys.len() * width, 0);
            slots.grow(&all.keys);
        }
        all.population[class] += 1;
    }
}
