//! Ranges of the lattice that wait for a thread.
//!
//! A walk that splits a range leaves its parts here and takes the highest of them; a walk without work
//! takes the highest of the largest parts that another one has left, with the classes that this has
//! rolled up for it. What is higher is looked at first, since it may refute what is below.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use super::walk::lock;
use crate::search::check::Entered;
use crate::search::packed::{Crew, Room};

/// Nodes that share the levels of the first `depth` axes.
pub(super) struct Span<const N: usize> {
    pub(super) from: usize,
    pub(super) size: usize,
    pub(super) depth: usize,
    /// What is rolled up from there.
    pub(super) entered: Vec<Entered<N>>,
}

struct Waiting<const N: usize> {
    /// For each walk what it has left, from the lowest to the highest, larger ranges first.
    spans: Vec<VecDeque<Span<N>>>,
    /// Walks that may still leave some.
    busy: usize,
}

pub(super) struct Pool<'p, const N: usize> {
    waiting: Mutex<Waiting<N>>,
    pub(super) crew: Arc<Crew<'p, N>>,
    /// Ranges of fewer axes are left here when they are split.
    pub(super) depth: usize,
}

/// A walk that may still leave spans.
pub(super) struct Busy<'a, 'p, const N: usize>(&'a Pool<'p, N>);

impl<const N: usize> Drop for Busy<'_, '_, N> {
    fn drop(&mut self) {
        let mut waiting = lock(&self.0.waiting);
        waiting.busy -= 1;
        let is_end = waiting.busy == 0;
        drop(waiting);
        if is_end {
            self.0.crew.wake();
        }
    }
}

/// Takes out the highest of the largest ranges.
fn largest<const N: usize>(spans: &mut VecDeque<Span<N>>) -> Option<Span<N>> {
    let depth = spans.front()?.depth;
    let as_large = spans.iter().take_while(|span| span.depth == depth).count();
    spans.remove(as_large - 1)
}

impl<'p, const N: usize> Pool<'p, N> {
    pub(super) fn new(walks: usize, depth: usize, crew: Arc<Crew<'p, N>>) -> Self {
        let spans = (0..walks).map(|_| VecDeque::new()).collect();
        Pool { waiting: Mutex::new(Waiting { spans, busy: 0 }), crew, depth }
    }

    /// Keeps the others waiting for what this walk will leave.
    pub(super) fn begin(&self) -> Busy<'_, 'p, N> {
        lock(&self.waiting).busy += 1;
        Busy(self)
    }

    /// Leaves spans of one walk, from the lowest to the highest.
    pub(super) fn leave(&self, walk: usize, spans: impl Iterator<Item = Span<N>>) {
        if let Some(own) = lock(&self.waiting).spans.get_mut(walk) {
            own.extend(spans);
        }
        self.crew.wake();
    }

    /// The next span for a walk, which helps others while there is none; `None` if none will come.
    pub(super) fn take(
        &self,
        walk: usize,
        room: &mut Room<N>,
    ) -> Option<(Span<N>, Busy<'_, 'p, N>)> {
        loop {
            let seen = self.crew.version();
            let mut waiting = lock(&self.waiting);
            let walks = waiting.spans.len();
            let own = waiting.spans.get_mut(walk).and_then(VecDeque::pop_back);
            let found = own.or_else(|| {
                let mut others = (1..walks).map(|i| (walk + i) % walks);
                others.find_map(|other| largest(&mut waiting.spans[other]))
            });
            if let Some(span) = found {
                waiting.busy += 1;
                return Some((span, Busy(self)));
            }
            if waiting.busy == 0 {
                return None;
            }
            drop(waiting);
            self.crew.wait(seen, room);
        }
    }
}
