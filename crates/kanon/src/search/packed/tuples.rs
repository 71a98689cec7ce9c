//! The distinct tuples of a table.

use std::ops::Range;
use std::sync::OnceLock;

use super::partition::{CHUNK, Chunk, Entry, Keyed, PARTITIONS, gather};
use super::pieces::Pieces;
use super::slots::{BLOCK, Slots};
use super::{Classes, Field, SHARED};
use crate::search::problem::{Axis, Problem};
use crate::table::codes::Codes;

/// The distinct tuples of the table at the lowest levels, with their counts. Their order does not
/// depend on the number of threads.
pub(crate) fn tuples<const N: usize>(
    problem: &Problem<'_>,
    fields: &[Field],
    seed: u64,
    squares: bool,
    threads: usize,
) -> Classes<N> {
    let rows = problem.rows as usize;
    let mut slots: Vec<Slots> = (0..threads.max(1)).map(|_| Slots::seeded(seed)).collect();
    let mut all = if rows < SHARED {
        together(problem, fields, &mut slots[0])
    } else {
        match problem.requirements.width {
            0 => apart(problem, fields, seed, &mut slots, |key, _| *key),
            _ => apart(problem, fields, seed, &mut slots, |key, row| Entry {
                key: *key,
                number: row,
            }),
        }
    };
    if squares {
        all.squares = all.counts.iter().map(|&c| u64::from(c) * u64::from(c)).collect();
    }
    if let Some(table) = problem.population {
        add_population(problem, table, fields, &mut slots[0], &mut all);
    }
    all
}

/// Makes the keys of rows.
struct Keys<'a, const N: usize> {
    /// For each axis its column, its field, and what each entry of the dictionary adds to a key.
    parts: Vec<(&'a Codes, Field, Vec<u64>)>,
}

impl<'a, const N: usize> Keys<'a, N> {
    fn new(problem: &'a Problem<'_>, fields: &[Field]) -> Self {
        let columns = problem.data.table().columns();
        let part = |(axis, &field): (&Axis, &Field)| {
            let part = |&code: &u32| u64::from(code) << field.shift;
            (columns[axis.place].codes(), field, axis.of_entry.iter().map(part).collect())
        };
        Keys { parts: problem.axes.iter().zip(fields).map(part).collect() }
    }

    fn of(&self, rows: Range<usize>, keys: &mut Vec<[u64; N]>) {
        keys.clear();
        keys.resize(rows.len(), [0; N]);
        for (codes, field, parts) in &self.parts {
            codes.visit_with(rows.start, keys, |key, entry| {
                key[field.word & (N - 1)] |= parts[entry as usize];
            });
        }
    }
}

/// A chunk of rows.
fn chunk(number: usize, rows: usize) -> Range<usize> {
    number * CHUNK..((number + 1) * CHUNK).min(rows)
}

fn together<const N: usize>(
    problem: &Problem<'_>,
    fields: &[Field],
    slots: &mut Slots,
) -> Classes<N> {
    let width = problem.requirements.width;
    let columns = problem.data.table().columns();
    let rows = problem.rows as usize;
    let source = Keys::new(problem, fields);
    let (mut all, mut keys, mut classes) = (Classes::default(), Vec::new(), vec![0u32; CHUNK]);
    slots.reset(0, rows, 0);
    for range in (0..rows.div_ceil(CHUNK)).map(|number| chunk(number, rows)) {
        source.of(range.clone(), &mut keys);
        for (keys, classes) in keys.chunks(BLOCK).zip(classes.chunks_mut(BLOCK)) {
            slots.find(&mut all.keys, keys, classes);
        }
        all.counts.resize(all.keys.len(), 0);
        for &class in &classes[..keys.len()] {
            all.counts[class as usize] += 1;
        }
        all.histogram.resize(all.keys.len() * width, 0);
        let attributes = &problem.requirements.attributes;
        for ((place, slot), attribute) in problem.requirements.sources.iter().zip(attributes) {
            columns[*place].codes().for_each(range.clone(), |row, entry| {
                let class = classes[row - range.start] as usize;
                let slot = attribute.offset + slot[entry as usize] as usize;
                all.histogram[class * width + slot] += 1;
            });
        }
    }
    all
}

/// By partitions of the rows, of which `entry` says what is needed.
fn apart<E: Keyed<N>, const N: usize>(
    problem: &Problem<'_>,
    fields: &[Field],
    seed: u64,
    slots: &mut [Slots],
    entry: impl Fn(&[u64; N], u32) -> E + Sync,
) -> Classes<N> {
    let rows = problem.rows as usize;
    let width = problem.requirements.width;
    let columns = problem.data.table().columns();
    let attributes: Vec<_> = problem
        .requirements
        .sources
        .iter()
        .zip(&problem.requirements.attributes)
        .map(|((place, slot), attribute)| (columns[*place].codes(), slot, attribute.offset))
        .collect();
    let source = Keys::new(problem, fields);
    let count = rows.div_ceil(CHUNK);
    // Threads partition chunks of the rows, and once all are, they gather partitions.
    let chunks: Vec<OnceLock<Chunk<E>>> = (0..count).map(|_| OnceLock::new()).collect();
    let made: Vec<OnceLock<Classes<N>>> = (0..PARTITIONS).map(|_| OnceLock::new()).collect();
    let (first, second) = (Pieces::new(count), Pieces::new(PARTITIONS));
    let work = |slots: &mut Slots| {
        let mut keys = Vec::new();
        while let Some(piece) = first.take() {
            let range = chunk(piece.number, rows);
            source.of(range.clone(), &mut keys);
            let mut chunk = Chunk::default();
            chunk.fill(&keys, seed, |i, key| entry(key, (range.start + i) as u32));
            let _ = chunks[piece.number].set(chunk);
        }
        first.wait();
        while let Some(piece) = second.take() {
            let mut classes = Classes::default();
            let partitions = piece.number..piece.number + 1;
            let chunks = || chunks.iter().filter_map(OnceLock::get);
            gather(chunks, partitions, slots, &mut classes, |all, found, entries| {
                all.counts.resize(all.keys.len(), 0);
                all.histogram.resize(all.keys.len() * width, 0);
                for (&class, entry) in found.iter().zip(entries) {
                    let class = class as usize;
                    all.counts[class] += 1;
                    for (codes, slot, offset) in &attributes {
                        let entry = codes.get(entry.number() as usize);
                        let slot = offset + slot[entry as usize] as usize;
                        all.histogram[class * width + slot] += 1;
                    }
                }
            });
            let _ = made[piece.number].set(classes);
        }
    };
    std::thread::scope(|scope| {
        let mut slots = slots.iter_mut();
        let own = slots.next();
        for slots in slots {
            scope.spawn(|| work(slots));
        }
        own.into_iter().for_each(&work);
    });
    drop(chunks);
    let mut all = Classes::default();
    all.append_all(made.iter().filter_map(OnceLock::get));
    all
}

fn add_population<const N: usize>(
    problem: &Problem<'_>,
    table: &crate::table::Table,
    fields: &[Field],
    slots: &mut Slots,
    all: &mut Classes<N>,
) {
    let width = problem.requirements.width;
    slots.fill(&all.keys, 0, 0);
    all.population = vec![0; all.len()];
    let columns: Vec<_> =
        problem.axes.iter().filter_map(|axis| table.column(&axis.name).ok()).collect();
    let key = |row: usize| {
        let mut key = [0u64; N];
        for ((axis, field), column) in problem.axes.iter().zip(fields).zip(&columns) {
            let code = axis.of_population[column.codes().get(row) as usize];
            key[field.word] |= u64::from(code) << field.shift;
        }
        key
    };
    let mut found = [0; BLOCK];
    for start in (0..table.rows()).step_by(BLOCK) {
        let keys: Vec<[u64; N]> = (start..(start + BLOCK).min(table.rows())).map(key).collect();
        slots.find(&mut all.keys, &keys, &mut found);
        all.counts.resize(all.keys.len(), 0);
        all.population.resize(all.keys.len(), 0);
        if !all.squares.is_empty() {
            all.squares.resize(all.keys.len(), 0);
        }
        all.histogram.resize(all.keys.len() * width, 0);
        for &class in &found[..keys.len()] {
            all.population[class as usize] += 1;
        }
    }
}
