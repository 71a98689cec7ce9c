//! Roll-up: the classes of a node from those of a node below it.
//!
//! Where the keys there can be are few, sums are taken by a key's place among all of them; otherwise a
//! class is found by hash. Large sources are first partitioned by hash, for tables that stay in cache
//! and for threads to share. The order of the classes is that of their places or of their first
//! occurrence (within partitions, where there are any), whatever the number of threads.

use std::ops::Range;
use std::sync::Arc;

use super::crew::Crew;
use super::lift::{Lifts, all_keys};
use super::partition::{CHUNK, Chunk, Entry, PARTITIONS, gather};
use super::share::Roll;
use super::slots::{BLOCK, Slots};
use super::{Classes, Field, SHARED};
use crate::search::problem::{Axis, Problem};

/// Sums are taken by place for at most so many places, which a cache of the second level holds.
const MOST_PLACES: usize = 1 << 18;

/// Memory that a thread uses again from roll to roll.
#[derive(Debug)]
pub(crate) struct Room<const N: usize> {
    pub(super) slots: Slots,
    /// Keys above a part of the source, and their places or their classes.
    keys: Vec<[u64; N]>,
    places: Vec<u32>,
    chunks: Vec<Chunk<Entry<N>>>,
}

impl<const N: usize> Room<N> {
    pub(crate) fn new(seed: u64) -> Self {
        let (keys, places, chunks) = (Vec::new(), Vec::new(), Vec::new());
        Room { slots: Slots::seeded(seed), keys, places, chunks }
    }
}

/// Classes to roll up, which threads may share.
#[derive(Clone, Debug)]
pub(crate) enum Source<'p, const N: usize> {
    Tuples(&'p Classes<N>),
    Kept(Arc<Classes<N>>),
}

impl<const N: usize> Source<'_, N> {
    pub(super) fn classes(&self) -> &Classes<N> {
        match self {
            Source::Tuples(classes) => classes,
            Source::Kept(classes) => classes,
        }
    }
}

/// How classes are found.
#[derive(Clone, Copy, Debug)]
pub(super) enum Way {
    /// By place among so many keys.
    Places(usize),
    Hash,
}

/// Rolls classes up.
pub(crate) struct Roller<'p, const N: usize> {
    problem: &'p Problem<'p>,
    fields: Vec<Field>,
    width: usize,
    lifts: Lifts,
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
        let (width, lifts) = (problem.requirements.width, Lifts::default());
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
        let way = self.way(classes.len(), to);
        let steps = || {
            let nodes = from.iter().zip(to);
            let axes = self.problem.axes.iter().zip(&self.fields).zip(nodes);
            axes.map(|((axis, &field), (&from, &to))| (axis, field, from, to))
        };
        self.lifts.prepare(steps(), classes.len(), matches!(way, Way::Places(_)));
        match &self.crew {
            Some(crew) if classes.len() >= SHARED => {
                let roll = Roll::new(source.clone(), self.lifts.clone(), way, width);
                crew.share(roll, &mut self.room, target);
            }
            _ => {
                let lifting = Lifting { source: classes, lifts: &self.lifts, width };
                match way {
                    Way::Places(places) => {
                        target.resize_sums(places, classes, width);
                        lifting.by_place(0..classes.len(), &mut self.room, target);
                    }
                    Way::Hash if classes.len() < SHARED => lifting.hashed(&mut self.room, target),
                    Way::Hash => lifting.partitioned(&mut self.room, target),
                }
            }
        }
        if let Way::Places(_) = way {
            all_keys(steps(), &mut target.keys);
            target.compact(width);
        }
    }

    /// By place where there are not many more than classes of the source, so that sums of places that
    /// nobody has cost little.
    fn way(&self, source: usize, to: &[u8]) -> Way {
        let codes = |(axis, &level): (&Axis, &u8)| axis.levels[level as usize].rows.len();
        let sizes = self.problem.axes.iter().zip(to).map(codes);
        let places = sizes.fold(1usize, usize::saturating_mul);
        let cost = places.saturating_mul(1 + self.width / 8);
        if cost <= (source * 2).min(MOST_PLACES) { Way::Places(places) } else { Way::Hash }
    }
}

/// Classes, and what becomes of their keys.
pub(super) struct Lifting<'a, const N: usize> {
    pub(super) source: &'a Classes<N>,
    pub(super) lifts: &'a Lifts,
    pub(super) width: usize,
}

impl<const N: usize> Lifting<'_, N> {
    /// Adds a range of the source to the sums of all places.
    pub(super) fn by_place(
        &self,
        range: Range<usize>,
        room: &mut Room<N>,
        target: &mut Classes<N>,
    ) {
        let Lifting { source, lifts, width } = *self;
        let starts = range.clone().step_by(BLOCK);
        for start in starts {
            let block = start..(start + BLOCK).min(range.end);
            lifts.places(&source.keys[block], &mut room.places);
            target.add_all(&room.places, source, start, width);
        }
    }

    fn hashed(&self, room: &mut Room<N>, target: &mut Classes<N>) {
        let Lifting { source, lifts, width } = *self;
        room.slots.reset(0, source.len(), 0);
        room.places.resize(BLOCK, 0);
        for (number, keys) in source.keys.chunks(BLOCK).enumerate() {
            lifts.keys(keys, &mut room.keys);
            let found = &mut room.places[..keys.len()];
            room.slots.find(&mut target.keys, &room.keys, found);
            target.resize_sums(target.len(), source, width);
            target.add_all(found, source, number * BLOCK, width);
        }
    }

    fn partitioned(&self, room: &mut Room<N>, target: &mut Classes<N>) {
        let count = self.source.len().div_ceil(CHUNK);
        let mut chunks = std::mem::take(&mut room.chunks);
        chunks.resize_with(count.max(chunks.len()), Chunk::default);
        for (number, chunk) in chunks.iter_mut().enumerate().take(count) {
            self.partition(number, room, chunk);
        }
        self.gather(|| chunks[..count].iter(), 0..PARTITIONS, room, target);
        room.chunks = chunks;
    }

    /// Partitions a chunk of the source. An entry takes its count along, or else the place of all that
    /// belongs to it.
    pub(super) fn partition(&self, number: usize, room: &mut Room<N>, chunk: &mut Chunk<Entry<N>>) {
        let source = self.source;
        let range = number * CHUNK..((number + 1) * CHUNK).min(source.len());
        self.lifts.keys(&source.keys[range.clone()], &mut room.keys);
        let seed = room.slots.seed;
        if source.are_counts_alone(self.width) {
            let counts = &source.counts[range];
            chunk.fill(&room.keys, seed, |i, key| Entry { key: *key, number: counts[i] });
        } else {
            let place = |i| (range.start + i) as u32;
            chunk.fill(&room.keys, seed, |i, key| Entry { key: *key, number: place(i) });
        }
    }

    /// Adds the classes of some partitions.
    pub(super) fn gather<'c, C: Iterator<Item = &'c Chunk<Entry<N>>>>(
        &self,
        chunks: impl Fn() -> C,
        partitions: Range<usize>,
        room: &mut Room<N>,
        target: &mut Classes<N>,
    ) {
        let Lifting { source, width, .. } = *self;
        if source.are_counts_alone(width) {
            gather(chunks, partitions, &mut room.slots, target, |all, found, entries| {
                all.counts.resize(all.keys.len(), 0);
                for (&class, entry) in found.iter().zip(entries) {
                    all.counts[class as usize] += entry.number;
                }
            });
        } else {
            gather(chunks, partitions, &mut room.slots, target, |all, found, entries| {
                all.resize_sums(all.len(), source, width);
                for (&class, entry) in found.iter().zip(entries) {
                    all.add(class as usize, source, entry.number as usize, width);
                }
            });
        }
    }
}
