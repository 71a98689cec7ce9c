//! The distinct tuples of a table.

use std::ops::Range;

use super::roll::{Entry, Parts, empty, gather, partition};
use super::slots::Slots;
use super::{Classes, Field, SHARED};
use crate::search::problem::Problem;

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
        apart(problem, fields, seed, &mut slots)
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
    let mut start = rows.start;
    while start < rows.end {
        let end = (start + CHUNK).min(rows.end);
        let keys = &mut keys[..end - start];
        keys.fill([0; N]);
        for (axis, field) in problem.axes.iter().zip(fields) {
            let of_entry = &axis.of_entry;
            columns[axis.place].codes().for_each(start..end, |row, entry| {
                keys[row - start][field.word & (N - 1)] |=
                    u64::from(of_entry[entry as usize]) << field.shift;
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
    slots.reset(problem.rows as usize, 0);
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

fn apart<const N: usize>(
    problem: &Problem<'_>,
    fields: &[Field],
    seed: u64,
    slots: &mut [Slots],
) -> Classes<N> {
    let rows = problem.rows as usize;
    let size = rows.div_ceil(slots.len());
    let scatter = |thread: usize| {
        let range = (thread * size).min(rows)..((thread + 1) * size).min(rows);
        let mut parts: Parts<N> = Vec::new();
        empty(&mut parts, range.len());
        keys(problem, fields, range, |rows, keys| {
            for (key, from) in keys.iter().zip(rows.start as u32..) {
                parts[partition(key, seed)].push(Entry { key: *key, from });
            }
        });
        parts
    };
    let stretches: Vec<Parts<N>> = std::thread::scope(|scope| {
        let scatter = &scatter;
        let running: Vec<_> =
            (1..slots.len()).map(|thread| scope.spawn(move || scatter(thread))).collect();
        let mut parts = vec![scatter(0)];
        parts.extend(running.into_iter().map(|thread| match thread.join() {
            Ok(parts) => parts,
            Err(panic) => std::panic::resume_unwind(panic),
        }));
        parts
    });
    let width = problem.requirements.width;
    let columns = problem.data.table().columns();
    let attributes: Vec<_> = problem
        .requirements
        .sources
        .iter()
        .zip(&problem.requirements.attributes)
        .map(|((place, slot), attribute)| (columns[*place].codes(), slot, attribute.offset))
        .collect();
    let parts = gather(&stretches, slots, |all, class, new, row| {
        if new {
            all.counts.push(0);
            all.histogram.resize(all.keys.len() * width, 0);
        }
        all.counts[class] += 1;
        for (codes, slot, offset) in &attributes {
            let slot = offset + slot[codes.get(row as usize) as usize] as usize;
            all.histogram[class * width + slot] += 1;
        }
    });
    drop(stretches);
    let mut all = Classes::default();
    all.keys.reserve_exact(parts.iter().map(Classes::len).sum());
    parts.iter().for_each(|part| all.append(part));
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
    slots.fill(&all.keys, 0);
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
