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

    /// Adds the sums of a class of `source` to a class whose key is there already.
    #[inline(always)]
    fn add(&mut self, class: usize, new: bool, source: &Classes<N>, from: usize, width: usize) {
        let histogram = &source.histogram[from * width..(from + 1) * width];
        if new {
            self.counts.push(source.counts[from]);
            if !source.population.is_empty() {
                self.population.push(source.population[from]);
            }
            if !source.squares.is_empty() {
                self.squares.push(source.squares[from]);
            }
            if width > 0 {
                self.histogram.extend_from_slice(histogram);
            }
            return;
        }
        self.counts[class] += source.counts[from];
        if !source.population.is_empty() {
            self.population[class] += source.population[from];
        }
        if !source.squares.is_empty() {
            self.squares[class] += source.squares[from];
        }
        if width > 0 {
            let sums = &mut self.histogram[class * width..(class + 1) * width];
            sums.iter_mut().zip(histogram).for_each(|(sum, &more)| *sum += more);
        }
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

/// Room for rolling up: a table for each thread, and classes for all but the first.
#[derive(Debug)]
pub(crate) struct Roller<const N: usize> {
    slots: Vec<Slots>,
    parts: Vec<Classes<N>>,
    width: usize,
}

/// Sources of fewer classes are rolled up by one thread.
pub(crate) const SHARED: usize = 1 << 15;

impl<const N: usize> Roller<N> {
    pub(crate) fn new(seed: u64, threads: usize, width: usize) -> Self {
        let slots = (0..threads.max(1)).map(|_| Slots::seeded(seed)).collect();
        Roller { slots, parts: (1..threads).map(|_| Classes::default()).collect(), width }
    }

    /// Unites the classes of `source` that agree after `steps`, in order of first occurrence,
    /// whatever the number of threads.
    pub(crate) fn roll(
        &mut self,
        source: &Classes<N>,
        steps: &[Step<'_>],
        target: &mut Classes<N>,
    ) {
        let (width, threads) = (self.width, self.slots.len());
        if threads == 1 || source.len() < SHARED {
            return roll(source, 0..source.len(), steps, target, &mut self.slots[0], width);
        }
        let size = source.len().div_ceil(threads);
        let range = |i: usize| i * size..((i + 1) * size).min(source.len());
        let (first, others) = self.slots.split_at_mut(1);
        std::thread::scope(|scope| {
            for (i, (slots, part)) in others.iter_mut().zip(&mut self.parts).enumerate() {
                scope.spawn(move || roll(source, range(i + 1), steps, part, slots, width));
            }
            roll(source, range(0), steps, target, &mut first[0], width);
        });
        for part in &self.parts {
            join(target, part, &mut first[0], width);
        }
    }
}

fn roll<const N: usize>(
    source: &Classes<N>,
    range: std::ops::Range<usize>,
    steps: &[Step<'_>],
    target: &mut Classes<N>,
    slots: &mut Slots,
    width: usize,
) {
    target.clear();
    slots.reset(range.len());
    let counts_alone = width == 0 && source.population.is_empty() && source.squares.is_empty();
    for i in range {
        let mut key = source.keys[i];
        for step in steps {
            let Field { word, shift, mask } = step.field;
            let code = step.map[((key[word] >> shift) & mask) as usize];
            key[word] = (key[word] & !(mask << shift)) | (u64::from(code) << shift);
        }
        let (class, new) = slots.find(&mut target.keys, &key);
        if !counts_alone {
            target.add(class, new, source, i, width);
        } else if new {
            target.counts.push(source.counts[i]);
        } else {
            target.counts[class] += source.counts[i];
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
        let range = |i: usize| i * size..((i + 1) * size).min(rows);
        let (mut joined, parts) = std::thread::scope(|scope| {
            let work = (1..threads).map(|i| {
                scope.spawn(move || part(problem, fields, &mut Slots::seeded(seed), range(i)))
            });
            let running: Vec<_> = work.collect();
            let first: Classes<N> = part(problem, fields, slots, range(0));
            let others = running.into_iter().filter_map(|thread| thread.join().ok());
            (first, others.collect::<Vec<_>>())
        });
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

/// Adds the classes of `part` to `all`, whose classes `slots` knows.
fn join<const N: usize>(all: &mut Classes<N>, part: &Classes<N>, slots: &mut Slots, width: usize) {
    slots.grow(&all.keys);
    for (i, key) in part.keys.iter().enumerate() {
        let (class, new) = slots.find(&mut all.keys, key);
        all.add(class, new, part, i, width);
        if new {
            slots.grow(&all.keys);
        }
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
