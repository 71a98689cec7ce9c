//! Roll-up: the classes of a node from those of a node below it.
//!
//! Where the keys there can be are few, a class is found by its place in a table of all of them;
//! otherwise by hash. Large sources are first partitioned by hash, so that each thread makes the
//! classes of its own partitions and nothing needs to be joined. The order of the classes is that of
//! their first occurrence (within partitions, where there are any), whatever the number of threads.

use std::ops::Range;

use super::slots::{Slots, hash};
use super::{Classes, Field, SHARED};
use crate::search::problem::{Axis, Problem};

/// Partitions of a large source, as bits of the hash.
const PARTITION_BITS: u32 = 6;
const PARTITIONS: usize = 1 << PARTITION_BITS;
/// Tables of all keys have at most so many entries, which a cache of the second level holds.
const MOST_DIRECT: usize = 1 << 18;

/// A level's map for one axis.
#[derive(Clone, Copy, Debug)]
struct Step<'a> {
    field: Field,
    map: &'a [u32],
}

/// What an axis adds to a key's place in a table of all keys, for each code.
#[derive(Clone, Debug)]
struct Digit {
    field: Field,
    places: Vec<u32>,
}

/// A key on its way to its partition, and where it comes from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry<const N: usize> {
    pub(super) key: [u64; N],
    pub(super) from: u32,
}

/// The entries of one stretch of the source, by partition.
pub(super) type Parts<const N: usize> = Vec<Vec<Entry<N>>>;

/// Room for rolling up, kept between rolls.
#[derive(Debug)]
pub(crate) struct Roller<'p, const N: usize> {
    problem: &'p Problem<'p>,
    fields: Vec<Field>,
    width: usize,
    digits: Vec<Digit>,
    slots: Vec<Slots>,
    /// For each thread a table of all keys, and all but the first's classes.
    direct: Vec<Vec<u32>>,
    others: Vec<Classes<N>>,
    parts: Vec<Parts<N>>,
}

impl<'p, const N: usize> Roller<'p, N> {
    pub(crate) fn new(
        problem: &'p Problem<'p>,
        fields: Vec<Field>,
        seed: u64,
        threads: usize,
    ) -> Self {
        let threads = threads.max(1);
        Roller {
            problem,
            fields,
            width: problem.requirements.width,
            digits: Vec::new(),
            slots: (0..threads).map(|_| Slots::seeded(seed)).collect(),
            direct: vec![Vec::new(); threads],
            others: (1..threads).map(|_| Classes::default()).collect(),
            parts: vec![Vec::new(); threads],
        }
    }

    /// Unites the classes of `source`, which is of the node `from`, as they are at the node `to`.
    pub(crate) fn roll(
        &mut self,
        source: &Classes<N>,
        from: &[u8],
        to: &[u8],
        target: &mut Classes<N>,
    ) {
        target.clear();
        let problem = self.problem;
        let changed = (0..to.len()).filter(|&axis| to[axis] > from[axis]);
        let lift = |axis: usize| problem.axes[axis].lift(from[axis], to[axis]);
        let steps: Vec<Step<'p>> =
            changed.map(|axis| Step { field: self.fields[axis], map: lift(axis) }).collect();
        if let Some(places) = self.number(source.len(), from, to) {
            self.roll_direct(source, &steps, places, target);
        } else if source.len() < SHARED {
            hashed(source, &steps, target, &mut self.slots[0], self.width);
        } else {
            self.roll_parts(source, &steps, target);
        }
    }

    /// Numbers all keys there can be at `to`, if they are few enough for a source of this size.
    fn number(&mut self, source: usize, from: &[u8], to: &[u8]) -> Option<usize> {
        let most = (source * 32).clamp(1 << 12, MOST_DIRECT);
        let codes = |axis: &Axis, level: u8| axis.levels[level as usize].rows.len();
        let (mut places, mut maps) = (1usize, 0usize);
        for (axis, (&from, &to)) in self.problem.axes.iter().zip(from.iter().zip(to)) {
            places = places.checked_mul(codes(axis, to)).filter(|&places| places <= most)?;
            maps += codes(axis, from);
        }
        if maps > most {
            return None;
        }
        let mut stride = 1;
        let mut used = 0;
        for (i, (axis, (&from, &to))) in
            self.problem.axes.iter().zip(from.iter().zip(to)).enumerate()
        {
            let count = codes(axis, to);
            if count <= 1 {
                continue;
            }
            if used == self.digits.len() {
                self.digits.push(Digit { field: self.fields[i], places: Vec::new() });
            }
            let digit = &mut self.digits[used];
            used += 1;
            digit.field = self.fields[i];
            digit.places.clear();
            if from == to {
                digit.places.extend((0..count as u32).map(|code| code * stride));
            } else {
                digit.places.extend(axis.lift(from, to).iter().map(|&code| code * stride));
            }
            stride *= count as u32;
        }
        self.digits.truncate(used);
        Some(places)
    }

    fn roll_direct(
        &mut self,
        source: &Classes<N>,
        steps: &[Step<'_>],
        places: usize,
        target: &mut Classes<N>,
    ) {
        let (width, digits) = (self.width, &self.digits);
        let all = 0..source.len();
        let (first, tables) = self.direct.split_at_mut(1);
        if tables.is_empty() || source.len() < SHARED {
            return direct(source, all, digits, steps, places, &mut first[0], target, width);
        }
        let size = source.len().div_ceil(tables.len() + 1);
        let range = |i: usize| (i * size).min(source.len())..((i + 1) * size).min(source.len());
        std::thread::scope(|scope| {
            for (i, (table, part)) in tables.iter_mut().zip(&mut self.others).enumerate() {
                scope.spawn(move || {
                    part.clear();
                    direct(source, range(i + 1), digits, steps, places, table, part, width);
                });
            }
            direct(source, range(0), digits, steps, places, &mut first[0], target, width);
        });
        let slots = &mut self.slots[0];
        slots.fill(&target.keys, 0);
        for part in &self.others {
            for (i, key) in part.keys.iter().enumerate() {
                let (class, new) = slots.find(&mut target.keys, key);
                target.add(class, new, part, i, width);
                if new {
                    slots.grow(&target.keys);
                }
            }
        }
    }

    fn roll_parts(&mut self, source: &Classes<N>, steps: &[Step<'_>], target: &mut Classes<N>) {
        let (width, seed) = (self.width, self.slots[0].seed);
        let size = source.len().div_ceil(self.parts.len());
        let range = |i: usize| (i * size).min(source.len())..((i + 1) * size).min(source.len());
        let scatter = |range: Range<usize>, parts: &mut Parts<N>| {
            empty(parts, range.len());
            for (key, from) in source.keys[range.clone()].iter().zip(range.start as u32..) {
                let key = lifted(key, steps);
                parts[partition(&key, seed)].push(Entry { key, from });
            }
        };
        let (first, others) = self.parts.split_at_mut(1);
        std::thread::scope(|scope| {
            for (i, parts) in others.iter_mut().enumerate() {
                scope.spawn(move || scatter(range(i + 1), parts));
            }
            scatter(range(0), &mut first[0]);
        });
        let add = |all: &mut Classes<N>, class: usize, new: bool, from: u32| {
            all.add(class, new, source, from as usize, width);
        };
        for part in gather(&self.parts, &mut self.slots, add) {
            target.append(&part);
        }
    }
}

/// Makes room for about `rows` entries.
pub(super) fn empty<const N: usize>(parts: &mut Parts<N>, rows: usize) {
    parts.resize_with(PARTITIONS, Vec::new);
    for part in parts {
        part.clear();
        part.reserve(rows / PARTITIONS + rows / (4 * PARTITIONS));
    }
}

/// Where a key belongs.
#[inline]
pub(super) fn partition<const N: usize>(key: &[u64; N], seed: u64) -> usize {
    (hash(key, seed) >> (64 - PARTITION_BITS)) as usize
}

/// The classes of all partitions in order, each made by one thread from all stretches in order.
pub(super) fn gather<const N: usize>(
    stretches: &[Parts<N>],
    slots: &mut [Slots],
    add: impl Fn(&mut Classes<N>, usize, bool, u32) + Sync,
) -> Vec<Classes<N>> {
    let make = |slots: &mut Slots, partition: usize| {
        let parts = || stretches.iter().filter_map(|parts| parts.get(partition));
        let mut classes = Classes::default();
        slots.reset(parts().map(Vec::len).sum::<usize>().min(1 << 10), PARTITION_BITS);
        for entry in parts().flatten() {
            let (class, new) = slots.find(&mut classes.keys, &entry.key);
            add(&mut classes, class, new, entry.from);
            if new {
                slots.grow(&classes.keys);
            }
        }
        classes
    };
    let threads = slots.len();
    let (first, others) = slots.split_at_mut(1);
    let make_all = |slots: &mut Slots, thread: usize| -> Vec<Classes<N>> {
        (thread..PARTITIONS).step_by(threads).map(|place| make(slots, place)).collect()
    };
    let made: Vec<Vec<Classes<N>>> = std::thread::scope(|scope| {
        let make_all = &make_all;
        let spawn = |(i, slots)| scope.spawn(move || make_all(slots, i + 1));
        let running: Vec<_> = others.iter_mut().enumerate().map(spawn).collect();
        let mut made = vec![make_all(&mut first[0], 0)];
        made.extend(running.into_iter().map(|thread| match thread.join() {
            Ok(made) => made,
            Err(panic) => std::panic::resume_unwind(panic),
        }));
        made
    });
    let mut made: Vec<_> = made.into_iter().map(Vec::into_iter).collect();
    (0..PARTITIONS).filter_map(|place| made[place % threads].next()).collect()
}

#[inline]
fn lifted<const N: usize>(key: &[u64; N], steps: &[Step<'_>]) -> [u64; N] {
    let mut key = *key;
    for step in steps {
        let code = step.map[step.field.get(&key)];
        step.field.set(&mut key, code);
    }
    key
}

fn hashed<const N: usize>(
    source: &Classes<N>,
    steps: &[Step<'_>],
    target: &mut Classes<N>,
    slots: &mut Slots,
    width: usize,
) {
    slots.reset(source.len(), 0);
    let counts_alone = source.are_counts_alone(width);
    for (i, key) in source.keys.iter().enumerate() {
        let (class, new) = slots.find(&mut target.keys, &lifted(key, steps));
        match counts_alone {
            true => target.add_count(class, new, source.counts[i]),
            false => target.add(class, new, source, i, width),
        }
    }
}

#[expect(clippy::too_many_arguments, reason = "the body of one loop, shared by threads")]
fn direct<const N: usize>(
    source: &Classes<N>,
    range: Range<usize>,
    digits: &[Digit],
    steps: &[Step<'_>],
    places: usize,
    table: &mut Vec<u32>,
    target: &mut Classes<N>,
    width: usize,
) {
    table.clear();
    table.resize(places, 0);
    let counts_alone = source.are_counts_alone(width);
    for i in range {
        let key = &source.keys[i];
        let place: u32 = digits.iter().map(|digit| digit.places[digit.field.get(key)]).sum();
        let class = table[place as usize];
        let (class, new) = match class {
            0 => {
                target.keys.push(lifted(key, steps));
                table[place as usize] = target.keys.len() as u32;
                (target.keys.len() - 1, true)
            }
            class => (class as usize - 1, false),
        };
        match counts_alone {
            true => target.add_count(class, new, source.counts[i]),
            false => target.add(class, new, source, i, width),
        }
    }
}
