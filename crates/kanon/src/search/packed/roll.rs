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

/// Neighbouring fields of a key are looked up together in tables of at most so many entries.
const MOST_LOOK_UP: usize = 1 << 10;

/// What the codes of some neighbouring fields add to the key above, and to its place in a table of all
/// keys there.
#[derive(Clone, Debug, Default)]
struct Lift {
    word: usize,
    shift: u32,
    mask: u64,
    parts: Vec<Part>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Part {
    key: u64,
    place: u32,
}

impl Lift {
    /// Becomes the look-up of one field: for each code what it adds.
    fn start(&mut self, field: Field, parts: impl Iterator<Item = Part>) {
        (self.word, self.shift, self.mask) = (field.word, field.shift, field.mask);
        self.parts.clear();
        self.parts.extend(parts);
    }

    /// Entries if a field above is looked up together with these.
    fn extended(&self, field: Field, codes: usize) -> usize {
        codes << (field.shift - self.shift)
    }

    /// Looks up a field above together with these.
    fn extend(&mut self, field: Field, parts: impl ExactSizeIterator<Item = Part>) {
        let (below, bits) = (self.parts.len(), field.shift - self.shift);
        self.parts.resize(parts.len() << bits, Part::default());
        self.mask |= field.mask << bits;
        let (lowest, others) = self.parts.split_at_mut(1 << bits);
        let mut first = Part::default();
        for (code, part) in parts.enumerate() {
            if code == 0 {
                first = part;
                continue;
            }
            let start = (code - 1) << bits;
            for (to, from) in others[start..start + below].iter_mut().zip(&*lowest) {
                *to = Part { key: from.key | part.key, place: from.place + part.place };
            }
        }
        for part in &mut lowest[..below] {
            *part = Part { key: part.key | first.key, place: part.place + first.place };
        }
    }
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
    lifts: Vec<Lift>,
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
        let (width, lifts) = (problem.requirements.width, Vec::new());
        Roller { problem, fields, width, lifts, room: Room::new(seed), crew }
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
        let (classes, width) = (source.classes(), self.width);
        let places = self.look_ups(classes.len(), from, to);
        let way = match places {
            Some(places) => Way::Direct { places },
            None => Way::Partitions,
        };
        if let Some(crew) = &self.crew
            && classes.len() >= SHARED
            && crew.idle() > 0
        {
            let roll = Roll::new(source.clone(), self.lifts.clone(), way, width, 1 + crew.idle());
            return crew.share(&Arc::new(roll), &mut self.room, target);
        }
        let lifting = Lifting { source: classes, lifts: &self.lifts, width };
        let all = 0..classes.len();
        match way {
            Way::Direct { places } => {
                lifting.direct(all, places, &mut self.room, target, |_| {});
            }
            Way::Partitions if classes.len() < SHARED => lifting.hashed(&mut self.room, target),
            Way::Partitions => lifting.partitions(0..PARTITIONS, &mut self.room, target),
        }
    }

    /// Prepares the look-ups from one node to another; how many keys there can be at `to`, if they are
    /// few enough for a source of this size.
    fn look_ups(&mut self, source: usize, from: &[u8], to: &[u8]) -> Option<usize> {
        let most = (source * 32).clamp(1 << 12, MOST_DIRECT);
        let most_looked_up = (source / 16).clamp(16, MOST_LOOK_UP);
        let codes = |axis: &Axis, level: u8| axis.levels[level as usize].rows.len();
        let (mut places, mut maps) = (Some(1usize), 0usize);
        for (axis, (&from, &to)) in self.problem.axes.iter().zip(from.iter().zip(to)) {
            places = places.and_then(|all| all.checked_mul(codes(axis, to)));
            places = places.filter(|&all| all <= most);
            maps += codes(axis, from);
        }
        let places = places.filter(|_| maps <= most);
        let (mut used, mut stride) = (0, 1u32);
        // Whether only zeros lie between the last look-up and the next field.
        let mut is_near = false;
        for (i, (axis, (&from, &to))) in
            self.problem.axes.iter().zip(from.iter().zip(to)).enumerate()
        {
            let (before, after) = (codes(axis, from), codes(axis, to));
            if after <= 1 {
                is_near &= before <= 1;
                continue;
            }
            let field = self.fields[i];
            let part = |code: u32| Part {
                key: u64::from(code) << field.shift,
                place: if places.is_some() { code * stride } else { 0 },
            };
            let same: Vec<u32>;
            let map = if from == to {
                same = (0..before as u32).collect();
                &same
            } else {
                axis.lift(from, to)
            };
            let parts = map.iter().map(|&code| part(code));
            match self.lifts.get_mut(used.max(1) - 1) {
                Some(last)
                    if is_near
                        && last.word == field.word
                        && last.shift < field.shift
                        && last.extended(field, before) <= most_looked_up =>
                {
                    last.extend(field, parts);
                }
                _ => {
                    if used == self.lifts.len() {
                        self.lifts.push(Lift::default());
                    }
                    self.lifts[used].start(field, parts);
                    used += 1;
                }
            }
            is_near = true;
            if places.is_some() {
                stride *= after as u32;
            }
        }
        self.lifts.truncate(used);
        places
    }
}

/// How classes are found.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// In a table of so many keys.
    Direct {
        places: usize,
    },
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
    lifts: Vec<Lift>,
    way: Way,
    width: usize,
    shares: usize,
    next: AtomicUsize,
    made: Mutex<Vec<Option<Made<N>>>>,
    finished: Condvar,
}

impl<'p, const N: usize> Roll<'p, N> {
    fn new(source: Source<'p, N>, lifts: Vec<Lift>, way: Way, width: usize, shares: usize) -> Self {
        let made = Mutex::new((0..shares).map(|_| None).collect());
        let (next, finished) = (AtomicUsize::new(0), Condvar::new());
        Roll { source, lifts, way, width, shares, next, made, finished }
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
            let lifting = Lifting { source, lifts: &self.lifts, width: self.width };
            let part = |all: usize| all * share / self.shares..all * (share + 1) / self.shares;
            match self.way {
                Way::Direct { places: all } => {
                    let range = part(source.len());
                    let seen = |place| places.push(place);
                    lifting.direct(range, all, room, &mut classes, seen);
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
        if let Way::Direct { places } = self.way {
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

/// Classes, and what becomes of their keys.
struct Lifting<'a, const N: usize> {
    source: &'a Classes<N>,
    lifts: &'a [Lift],
    width: usize,
}

impl<const N: usize> Lifting<'_, N> {
    /// The key above a key, and its place.
    #[inline(always)]
    fn lifted(&self, key: &[u64; N]) -> ([u64; N], u32) {
        let (mut above, mut place) = ([0u64; N], 0);
        for lift in self.lifts {
            let word = lift.word & (N - 1);
            let part = lift.parts[((key[word] >> lift.shift) & lift.mask) as usize];
            above[word] |= part.key;
            place += part.place;
        }
        (above, place)
    }

    fn hashed(&self, room: &mut Room<N>, target: &mut Classes<N>) {
        let Lifting { source, width, .. } = *self;
        room.slots.reset(0, source.len(), 0);
        let counts_alone = source.are_counts_alone(width);
        for (i, key) in source.keys.iter().enumerate() {
            let (class, new) = room.slots.find(&mut target.keys, &self.lifted(key).0);
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
        places: usize,
        room: &mut Room<N>,
        target: &mut Classes<N>,
        mut seen: impl FnMut(u32),
    ) {
        let Lifting { source, width, .. } = *self;
        let table = &mut room.table;
        table.clear();
        table.resize(places, 0);
        let counts_alone = source.are_counts_alone(width);
        for i in range {
            let (above, place) = self.lifted(&source.keys[i]);
            let class = table[place as usize];
            let (class, new) = match class {
                0 => {
                    target.keys.push(above);
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
        let Lifting { source, width, .. } = *self;
        let (counts_alone, seed) = (source.are_counts_alone(width), room.slots.seed);
        empty(&mut room.parts, source.len());
        // An entry takes its count along, or else the place of all that belongs to it.
        for (place, key) in source.keys.iter().enumerate() {
            let (key, _) = self.lifted(key);
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
