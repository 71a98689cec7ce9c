//! The distinct tuples of a table.

use std::ops::Range;
use std::sync::{Barrier, OnceLock};

use super::roll::{Entry, Keyed, Parts, empty, gather, partition, shared_out};
use super::slots::Slots;
use super::{Classes, Field, SHARED};
use crate::search::problem::{Axis, Problem};

/// Rows read at a time.
const CHUNK: usize = 1 << 12;

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

/// Visits the keys of rows in order.
fn keys<const N: usize>(
    problem: &Problem<'_>,
    fields: &[Field],
    rows: Range<usize>,
    mut visit: impl FnMut(Range<usize>, &[[u64; N]]),
) {
    let columns = problem.data.table().columns();
    let mut keys: Vec<[u64; N]> = std::iter::repeat_n([0u64; N], CHUNK).collect();
    // What each entry of a dictionary adds to a key.
    let part = |(axis, field): (&Axis, &Field)| -> Vec<u64> {
        axis.of_entry.iter().map(|&code| u64::from(code) << field.shift).collect()
    };
    let parts: Vec<Vec<u64>> = problem.axes.iter().zip(fields).map(part).collect();
    let mut start = rows.start;
    while start < rows.end {
        let end = (start + CHUNK).min(rows.end);
        let keys = &mut keys[..end - start];
        keys.fill([0; N]);
        for ((axis, field), part) in problem.axes.iter().zip(fields).zip(&parts) {
            columns[axis.place].codes().visit_with(start, keys, |key, entry| {
                key[field.word & (N - 1)] |= part[entry as usize];
            });
        }
        visit(start..end, keys);
        start = end;
    }
}

fn together<const N: usize>(
    problem: &Problem<'_>,
    fields: &[Field],
    slots: &mut Slots,
) -> Classes<N> {
    let width = problem.requirements.width;
    let columns = problem.data.table().columns();
    let mut all = Classes::default();
    let mut classes = vec![0u32; CHUNK];
    slots.reset(0, problem.rows as usize, 0);
    keys(problem, fields, 0..problem.rows as usize, |rows, keys| {
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
            columns[*place].codes().for_each(rows.clone(), |row, entry| {
                let class = classes[row - rows.start] as usize;
                let slot = attribute.offset + slot[entry as usize] as usize;
                all.histogram[class * width + slot] += 1;
            });
        }
    });
    all
}

/// Meets the other threads at a barrier, also in a panic: nobody waits for a thread that is gone.
struct Arrival<'b>(&'b Barrier);

impl Drop for Arrival<'_> {
    fn drop(&mut self) {
        self.0.wait();
    }
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
    let threads = slots.len();
    let size = rows.div_ceil(threads);
    let width = problem.requirements.width;
    let columns = problem.data.table().columns();
    let attributes: Vec<_> = problem
        .requirements
        .sources
        .iter()
        .zip(&problem.requirements.attributes)
        .map(|((place, slot), attribute)| (columns[*place].codes(), slot, attribute.offset))
        .collect();
    // Each thread partitions a stretch of the rows, and once all have, it gathers some partitions.
    let stretches: Vec<OnceLock<Parts<E>>> = (0..threads).map(|_| OnceLock::new()).collect();
    let barrier = Barrier::new(threads);
    let work = |thread: usize, slots: &mut Slots| {
        let range = (thread * size).min(rows)..((thread + 1) * size).min(rows);
        let arrival = Arrival(&barrier);
        let mut parts = Vec::new();
        empty(&mut parts, range.len());
        keys(problem, fields, range, |rows, keys| {
            for (key, row) in keys.iter().zip(rows.start as u32..) {
                parts[partition(key, seed)].push(entry(key, row));
            }
        });
        let _ = stretches[thread].set(parts);
        drop(arrival);
        let stretches: Vec<&Parts<E>> = stretches.iter().filter_map(OnceLock::get).collect();
        let partitions = shared_out(&stretches, threads)[thread].clone();
        let mut classes = Classes::default();
        gather(&stretches, partitions, slots, &mut classes, |all, class, new, entry| {
            if new {
                all.counts.push(0);
                all.histogram.resize(all.keys.len() * width, 0);
            }
            all.counts[class] += 1;
            for (codes, slot, offset) in &attributes {
                let slot = offset + slot[codes.get(entry.number() as usize) as usize] as usize;
                all.histogram[class * width + slot] += 1;
            }
        });
        classes
    };
    let (first, others) = slots.split_at_mut(1);
    let mut all = std::thread::scope(|scope| {
        let work = &work;
        let spawn = |(i, slots)| scope.spawn(move || work(i + 1, slots));
        let running: Vec<_> = others.iter_mut().enumerate().map(spawn).collect();
        let mut all = work(0, &mut first[0]);
        for thread in running {
            match thread.join() {
                Ok(classes) => all.append(&classes),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        all
    });
    drop(stretches);
    all.shrink();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_waits_for_a_thread_that_panicked() {
        let barrier = Barrier::new(2);
        let (arrived, left) = std::thread::scope(|scope| {
            let left = scope.spawn(|| {
                let _arrival = Arrival(&barrier);
                panic!("the thread is gone");
            });
            drop(Arrival(&barrier));
            (true, left.join().is_err())
        });
        assert!(arrived && left);
    }
}
