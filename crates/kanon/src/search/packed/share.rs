//! A roll that threads make together.

use std::sync::{Mutex, OnceLock, PoisonError};

use super::Classes;
use super::crew::Crew;
use super::lift::Lifts;
use super::partition::{CHUNK, Chunk, Entry, PARTITIONS};
use super::pieces::Pieces;
use super::roll::{Lifting, Room, Source, Way};

/// Neighbouring partitions that are one piece of work.
const TOGETHER: usize = 4;

/// A roll in pieces: chunks of the source, and where classes are found by hash then partitions.
pub(crate) struct Roll<'p, const N: usize> {
    source: Source<'p, N>,
    lifts: Lifts,
    way: Way,
    width: usize,
    chunks: Pieces,
    partitions: Pieces,
    /// What the chunks of the source have become.
    partitioned: Vec<OnceLock<Chunk<Entry<N>>>>,
    /// The classes of pieces of partitions, with their number, or sums over some chunks each.
    made: Mutex<Vec<(usize, Classes<N>)>>,
}

impl<'p, const N: usize> Roll<'p, N> {
    pub(super) fn new(source: Source<'p, N>, lifts: Lifts, way: Way, width: usize) -> Self {
        let count = source.classes().len().div_ceil(CHUNK);
        let (partitions, partitioned) = match way {
            Way::Places(_) => (0, 0),
            Way::Hash => (PARTITIONS / TOGETHER, count),
        };
        Roll {
            source,
            lifts,
            way,
            width,
            chunks: Pieces::new(count),
            partitions: Pieces::new(partitions),
            partitioned: (0..partitioned).map(|_| OnceLock::new()).collect(),
            made: Mutex::new(Vec::new()),
        }
    }

    /// Makes pieces until none are left, with memory that the crew keeps.
    pub(super) fn help(&self, room: &mut Room<N>, crew: &Crew<'p, N>) {
        let source = self.source.classes();
        let lifting = Lifting { source, lifts: &self.lifts, width: self.width };
        let keep = |number, classes| {
            self.made.lock().unwrap_or_else(PoisonError::into_inner).push((number, classes));
        };
        if let Way::Places(places) = self.way {
            let mut pieces = Vec::new();
            let mut sums = Classes::default();
            while let Some(piece) = self.chunks.take() {
                if pieces.is_empty() {
                    sums = crew.spare();
                    sums.resize_sums(places, source, self.width);
                }
                let range = piece.number * CHUNK..((piece.number + 1) * CHUNK).min(source.len());
                lifting.by_place(range, room, &mut sums);
                pieces.push(piece);
            }
            // Done is what has been handed over.
            if !pieces.is_empty() {
                keep(0, sums);
            }
            return;
        }
        while let Some(piece) = self.chunks.take() {
            let mut chunk = crew.chunk();
            lifting.partition(piece.number, room, &mut chunk);
            let _ = self.partitioned[piece.number].set(chunk);
        }
        self.chunks.wait();
        while let Some(piece) = self.partitions.take() {
            let mut classes = crew.spare();
            let partitions = piece.number * TOGETHER..(piece.number + 1) * TOGETHER;
            let chunks = || self.partitioned.iter().filter_map(OnceLock::get);
            lifting.gather(chunks, partitions, room, &mut classes);
            keep(piece.number, classes);
        }
    }

    /// All together in `target`, once everything is made.
    pub(super) fn finish(&self, target: &mut Classes<N>, crew: &Crew<'p, N>) {
        self.chunks.wait();
        self.partitions.wait();
        let mut made =
            std::mem::take(&mut *self.made.lock().unwrap_or_else(PoisonError::into_inner));
        made.sort_unstable_by_key(|(number, _)| *number);
        match self.way {
            Way::Places(places) => {
                target.resize_sums(places, self.source.classes(), self.width);
                made.iter().for_each(|(_, sums)| target.add_same(sums));
            }
            Way::Hash => target.append_all(made.iter().map(|(_, classes)| classes)),
        }
        crew.keep_classes(made.into_iter().map(|(_, classes)| classes));
    }

    /// The memory of its chunks.
    pub(super) fn into_chunks(self) -> impl Iterator<Item = Chunk<Entry<N>>> {
        self.partitioned.into_iter().filter_map(OnceLock::into_inner)
    }
}
