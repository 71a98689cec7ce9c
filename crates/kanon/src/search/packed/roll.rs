//! Roll-up: the classes of a node from those of a node below it.
//!
//! Where the keys there can be are few, a class is found by its place in a table of all of them;
//! otherwise by hash. Large sources are first partitioned by hash, for tables that stay in cache; each
//! thread makes the classes of its own partitions, so that nothing needs to be joined. The order of the
//! classes is that of their first occurrence (within partitions, where there are any), whatever the
//! number of threads.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::crew::Crew;
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

/// A key on its way to its partition, with a number that goes with it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry<const N: usize> {
    pub(super) key: [u64; N],
    pub(super) number: u32,
}

/// What is partitioned by a key.
pub(super) trait Keyed<const N: usize>: Copy + Send + Sync {
    fn key(&self) -> &[u64; N];
    /// The number that goes with it, if any does.
    fn number(&self) -> u32;
}

impl<const N: usize> Keyed<N> for Entry<N> {
    fn key(&self) -> &[u64; N] {
        &self.key
    }

    fn number(&self) -> u32 {
        self.number
    }
}

impl<const N: usize> Keyed<N> for [u64; N] {
    fn key(&self) -> &[u64; N] {
        self
    }

    fn number(&self) -> u32 {
        0
    }
}

/// The entries of one stretch of the source, by partition.
pub(super) type Parts<E> = Vec<Vec<E>>;

/// Tables that a thread fills, kept between rolls.
#[derive(Debug)]
pub(crate) struct Room<const N: usize> {
    slots: Slots,
    /// A table of all keys.
    table: Vec<u32>,
    parts: Parts<Entry<N>>,
}

impl<const N: usize> Room<N> {
    pub(crate) fn new(seed: u64) -> Self {
        Room { slots: Slots::seeded(seed), table: Vec::new(), parts: Vec::new() }
    }
}

/// Classes to roll up, which threads may share.
#[derive(Clone, Debug)]
pub(crate) enum Source<'p, const N: usize> {
    Tuples(&'p Classes<N>),
    Kept(Arc<Classes<N>>),
}

impl<const N: usize> Source<'_, N> {
    fn classes(&self) -> &Classes<N> {
        match self {
            Source::Tuples(classes) => classes,
            Source::Kept(classes) => classes,
        }
    }
}

/// Rolls classes up.
pub(crate) struct Roller<'p, const N: usize> {
    problem: &'p Problem<'p>,
    fields: Vec<Field>,
    width: usize,
    digits: Vec<Digit>,
    room: Room<N>,
    crew: Option<Arc<Crew<'p, N>>>,
}

impl<'p, const N: usize> Roller<'p, N> {
    /// With the help of a crew where it is idle and sources are large.
    pub(crate) fn new(
        problem: &'p Problem<'p>,
        fields: Vec<Field>,
        seed: u64,
        crew: Option<Arc<Crew<'p, N>>>,
    ) -> Self {
        let (width, digits) = (problem.requirements.width, Vec::new());
        Roller { problem, fields, width, digits, room: Room::new(seed), crew }
    }

    /// For helping others.
    pub(crate) fn room(&mut self) -> &mut Room<N> {
        &mut self.room
    }

    /// Unites the classes of `source`, which is of the node `from`, as they are at the node `to`.
    pub(crate) fn roll(
        &mut self,
        source: &Source<'p, N>,
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
        let (classes, width) = (source.classes(), self.width);
        let places = self.number(classes.len(), from, to);
        if let Some(crew) = &self.crew
            && classes.len() >= SHARED
            && crew.idle() > 0
        {
            let shares = 1 + crew.idle();
            let way = match places {
                Some(places) => Way::Direct { digits: self.digits.clone(), places },
                None => Way::Partitions,
            };
            let roll = Roll::new(source.clone(), steps, way, width, shares);
            return crew.share(&Arc::new(roll), &mut self.room, target);
        }
        let lifting = Lifting { source: classes, steps: &steps, width };
        let all = 0..classes.len();
        match places {
            Some(places) => {
                lifting.direct(all, &self.digits, places, &mut self.room, target, |_| {});
            }
            None if classes.len() < SHARED => lifting.hashed(&mut self.room, target),
            None => lifting.partitions(0..PARTITIONS, &mut self.room, target),
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
}

/// How classes are found.
enum Way {
    Direct { digits: Vec<Digit>, places: usize },
    Partitions,
}

/// What one thread has made of its share, and for direct tables the place of each class.
struct Made<const N: usize> {
    classes: Classes<N>,
    places: Vec<u32>,
}

/// A roll in as many shares as threads may take part; whoever comes first takes the next.
pub(crate) struct Roll<'p, const N: usize> {
    source: Source<'p, N>,
    steps: Vec<Step<'p>>,
    way: Way,
    width: usize,
    shares: usize,
    next: AtomicUsize,
    made: Mutex<Vec<Option<Made<N>>>>,
    finished: Condvar,
}

impl<'p, const N: usize> Roll<'p, N> {
    fn new(
        source: Source<'p, N>,
        steps: Vec<Step<'p>>,
        way: Way,
        width: usize,
        shares: usize,
    ) -> Self {
        let made = Mutex::new((0..shares).map(|_| None).collect());
        let (next, finished) = (AtomicUsize::new(0), Condvar::new());
        Roll { source, steps, way, width, shares, next, made, finished }
    }

    pub(super) fn shares(&self) -> usize {
        self.shares
    }

    /// Makes shares until none are left.
    pub(super) fn help(&self, room: &mut Room<N>, spare: impl Fn() -> Classes<N>) {
        loop {
            let share = self.next.fetch_add(1, Ordering::Relaxed);
            if share >= self.shares {
                return;
            }
            let (mut classes, mut places) = (spare(), Vec::new());
            classes.clear();
            let source = self.source.classes();
            let lifting = Lifting { source, steps: &self.steps, width: self.width };
            let part = |all: usize| all * share / self.shares..all * (share + 1) / self.shares;
            match &self.way {
                Way::Direct { digits, places: all } => {
                    let range = part(source.len());
                    let seen = |place| places.push(place);
                    lifting.direct(range, digits, *all, room, &mut classes, seen);
                }
                Way::Partitions => lifting.partitions(part(PARTITIONS), room, &mut classes),
            }
            self.lock()[share] = Some(Made { classes, places });
            self.finished.notify_all();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Option<Made<N>>>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All shares together, once they are made; what is left of them is handed to `spare`.
    pub(super) fn finish(
        &self,
        room: &mut Room<N>,
        target: &mut Classes<N>,
        mut spare: impl FnMut(Classes<N>),
    ) {
        let mut made = self.lock();
        while made.iter().any(Option::is_none) {
            made = self.finished.wait(made).unwrap_or_else(PoisonError::into_inner);
        }
        let mut all = std::mem::take(&mut *made).into_iter().flatten();
        drop(made);
        let Some(mut first) = all.next() else { return };
        std::mem::swap(target, &mut first.classes);
        spare(first.classes);
        if let Way::Direct { places, .. } = self.way {
            room.table.clear();
            room.table.resize(places, 0);
            for (class, &place) in (1..).zip(&first.places) {
                room.table[place as usize] = class;
            }
        }
        for Made { classes, places } in all {
            match self.way {
                Way::Partitions => target.append(&classes),
                Way::Direct { .. } => {
                    for (i, &place) in places.iter().enumerate() {
                        let class = &mut room.table[place as usize];
                        let new = *class == 0;
                        if new {
                            target.keys.push(classes.keys[i]);
                            *class = target.keys.len() as u32;
                        }
                        target.add(*class as usize - 1, new, &classes, i, self.width);
                    }
                }
            }
            spare(classes);
        }
    }
}

/// Makes room for about `rows` entries.
pub(super) fn empty<E>(parts: &mut Parts<E>, rows: usize) {
    parts.resize_with(PARTITIONS, Vec::new);
    for part in parts {
        part.clear();
        part.reserve(rows / PARTITIONS + rows / (8 * PARTITIONS));
    }
}

/// Where a key belongs.
#[inline]
pub(super) fn partition<const N: usize>(key: &[u64; N], seed: u64) -> usize {
    (hash(key, seed) >> (64 - PARTITION_BITS)) as usize
}

/// Adds the classes of some partitions to `target` in order, each from all stretches in order.
pub(super) fn gather<E: Keyed<N>, const N: usize>(
    stretches: &[&Parts<E>],
    partitions: Range<usize>,
    slots: &mut Slots,
    target: &mut Classes<N>,
    add: impl Fn(&mut Classes<N>, usize, bool, &E),
) {
    for partition in partitions {
        let parts = || stretches.iter().filter_map(|parts| parts.get(partition));
        let entries = parts().map(Vec::len).sum::<usize>();
        slots.reset(target.len(), entries.min(1 << 10), PARTITION_BITS);
        for entry in parts().flatten() {
            let (class, new) = slots.find(&mut target.keys, entry.key());
            add(target, class, new, entry);
            if new {
                slots.grow(&target.keys);
            }
        }
    }
}

/// Neighbouring partitions for each of some threads, about as many entries for all.
pub(super) fn shared_out<E>(stretches: &[&Parts<E>], threads: usize) -> Vec<Range<usize>> {
    let entries = |partition: usize| -> usize {
        stretches.iter().filter_map(|parts| parts.get(partition)).map(Vec::len).sum()
    };
    let all: usize = (0..PARTITIONS).map(entries).sum();
    let (mut ends, mut sum) = (vec![0], 0);
    for partition in 0..PARTITIONS {
        while sum * threads >= all * ends.len() && ends.len() < threads {
            ends.push(partition);
        }
        sum += entries(partition);
    }
    ends.resize(threads, PARTITIONS);
    ends.push(PARTITIONS);
    ends.windows(2).map(|pair| pair[0]..pair[1]).collect()
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

/// Classes, and what becomes of their keys.
struct Lifting<'a, const N: usize> {
    source: &'a Classes<N>,
    steps: &'a [Step<'a>],
    width: usize,
}

impl<const N: usize> Lifting<'_, N> {
    fn hashed(&self, room: &mut Room<N>, target: &mut Classes<N>) {
        let Lifting { source, steps, width } = *self;
        room.slots.reset(0, source.len(), 0);
        let counts_alone = source.are_counts_alone(width);
        for (i, key) in source.keys.iter().enumerate() {
            let (class, new) = room.slots.find(&mut target.keys, &lifted(key, steps));
            match counts_alone {
                true => target.add_count(class, new, source.counts[i]),
                false => target.add(class, new, source, i, width),
            }
        }
    }

    /// A range of the source, by a table of all keys; `seen` is told the place of each new class.
    fn direct(
        &self,
        range: Range<usize>,
        digits: &[Digit],
        places: usize,
        room: &mut Room<N>,
        target: &mut Classes<N>,
        mut seen: impl FnMut(u32),
    ) {
        let Lifting { source, steps, width } = *self;
        let table = &mut room.table;
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
                    seen(place);
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

    /// The classes of some partitions, in the order of these.
    fn partitions(&self, wanted: Range<usize>, room: &mut Room<N>, target: &mut Classes<N>) {
        let Lifting { source, steps, width } = *self;
        let (counts_alone, seed) = (source.are_counts_alone(width), room.slots.seed);
        empty(&mut room.parts, source.len());
        // An entry takes its count along, or else the place of all that belongs to it.
        for (place, key) in source.keys.iter().enumerate() {
            let key = lifted(key, steps);
            let partition = partition(&key, seed);
            if wanted.contains(&partition) {
                let number = if counts_alone { source.counts[place] } else { place as u32 };
                room.parts[partition].push(Entry { key, number });
            }
        }
        match counts_alone {
            true => {
                gather(&[&room.parts], wanted, &mut room.slots, target, |all, class, new, e| {
                    all.add_count(class, new, e.number);
                })
            }
            false => {
                gather(&[&room.parts], wanted, &mut room.slots, target, |all, class, new, e| {
                    all.add(class, new, source, e.number as usize, width);
                })
            }
        }
    }
}
