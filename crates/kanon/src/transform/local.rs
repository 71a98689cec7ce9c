//! Local recoding: each row takes part in the least lossy group that is large enough.
//!
//! Nodes of the lattice are visited from little to much loss; at each, the rows that are left are
//! grouped, and groups that satisfy the models are settled. What is left at the end is suppressed.
//! Cell suppression is the same with two steps for each column: the value, or nothing.
//!
//! # Privacy
//!
//! The order of visits is random among nodes of similar loss, since a known order helps to undo
//! greedy recoding (combinatorial refinement, <https://arxiv.org/abs/2509.03350>).

use std::collections::HashMap;

use foldhash::fast::RandomState;
use privacy_core::random::{RandomBuffer, SecureRng};

use super::judge::Judge;
use crate::dataset::{Dataset, Quasi};
use crate::error::Result;
use crate::release::Group;
use crate::table::{Column, Value};

/// Visits at most this many nodes; beyond it, levels of the largest hierarchies are thinned out.
const MOST_NODES: u128 = 60_000;
/// Neighbours in the order of loss within this factor may change places.
const JITTER: f64 = 0.02;

/// How one column may be recoded: at step 0 its values, at each further one larger groups.
pub(crate) struct Ladder<'a> {
    column: &'a Column,
    /// The group of each dictionary entry at step 0.
    lowest: Vec<u32>,
    /// For each step the group of each group of step 0.
    lifts: Vec<Vec<u32>>,
    /// For each step the label of each of its groups.
    labels: Vec<Vec<Value>>,
    /// For each step what it loses on average.
    losses: Vec<f64>,
}

impl<'a> Ladder<'a> {
    /// The levels of a quasi-identifier, each losing the share of the domain that it covers.
    pub(crate) fn of_levels(quasi: &Quasi<'a>) -> Self {
        let counts = quasi.column.counts();
        let n: u64 = counts.iter().sum::<u64>().max(1);
        let lowest = quasi.levels.groups(quasi.min).to_vec();
        let range = quasi.min..=quasi.max;
        let lift = |level: usize| {
            let mut map = vec![0; quasi.levels.labels(quasi.min).len()];
            for (&from, &to) in lowest.iter().zip(quasi.levels.groups(level)) {
                map[from as usize] = to;
            }
            map
        };
        let loss = |level: usize| {
            let rows = counts.iter().enumerate().filter(|(_, count)| **count > 0);
            let covered = rows.map(|(i, &c)| c as f64 * quasi.levels.share(level, i as u32));
            covered.sum::<f64>() / n as f64
        };
        Ladder {
            column: quasi.column,
            lifts: range.clone().map(lift).collect(),
            labels: range.clone().map(|level| quasi.levels.labels(level).to_vec()).collect(),
            losses: range.map(loss).collect(),
            lowest,
        }
    }

    /// The value, or nothing at the price of the column's weight.
    pub(crate) fn of_cells(quasi: &Quasi<'a>, weight: f64) -> Self {
        let labels = quasi.levels.labels(quasi.min).to_vec();
        Ladder {
            column: quasi.column,
            lowest: quasi.levels.groups(quasi.min).to_vec(),
            lifts: vec![(0..labels.len() as u32).collect(), vec![0; labels.len()]],
            labels: vec![labels, vec![Value::Suppressed]],
            losses: vec![0.0, weight],
        }
    }
}

/// Distinct tuples: codes row-major, and the rows of each.
struct Tuples {
    q: usize,
    codes: Vec<u32>,
    rows: Vec<Vec<u32>>,
}

fn tuples(ladders: &[Ladder<'_>], n: usize) -> Tuples {
    let mut known: HashMap<Vec<u32>, u32, RandomState> = HashMap::default();
    let mut all = Tuples { q: ladders.len(), codes: Vec::new(), rows: Vec::new() };
    let mut tuple = Vec::with_capacity(ladders.len());
    for row in 0..n {
        tuple.clear();
        tuple.extend(ladders.iter().map(|l| l.lowest[l.column.codes().get(row) as usize]));
        let place = match known.get(&tuple) {
            Some(&place) => place,
            None => {
                let place = all.rows.len() as u32;
                known.insert(tuple.clone(), place);
                all.codes.extend_from_slice(&tuple);
                all.rows.push(Vec::new());
                place
            }
        };
        all.rows[place as usize].push(row as u32);
    }
    all
}

/// The nodes to visit, with their expected loss, in order.
fn visits(ladders: &[Ladder<'_>], rng: &mut dyn SecureRng) -> Result<Vec<Vec<u8>>> {
    let mut choices: Vec<Vec<u8>> =
        ladders.iter().map(|ladder| (0..ladder.losses.len() as u8).collect()).collect();
    let count =
        |choices: &[Vec<u8>]| choices.iter().fold(1u128, |p, c| p.saturating_mul(c.len() as u128));
    while count(&choices) > MOST_NODES {
        // The longest list loses its middle; lists of two lose their choice last.
        let Some(longest) = choices.iter_mut().max_by_key(|c| c.len()) else { break };
        match longest.len() {
            0..=1 => break,
            2 => {
                longest.remove(0);
            }
            length => {
                longest.remove(length / 2);
            }
        }
    }
    let mut random = RandomBuffer::new(rng);
    let mut nodes = Vec::new();
    let mut node: Vec<usize> = vec![0; ladders.len()];
    loop {
        let levels: Vec<u8> = node.iter().zip(&choices).map(|(&i, c)| c[i]).collect();
        let sum: f64 = levels.iter().zip(ladders).map(|(&l, of)| of.losses[l as usize]).sum();
        let noise = (random.word()? >> 11) as f64 / (1u64 << 53) as f64;
        nodes.push((sum * (1.0 + JITTER * noise), levels));
        let mut axis = 0;
        loop {
            if axis == node.len() {
                nodes.sort_by(|a, b| a.0.total_cmp(&b.0));
                return Ok(nodes.into_iter().map(|(_, levels)| levels).collect());
            }
            node[axis] += 1;
            if node[axis] < choices[axis].len() {
                break;
            }
            node[axis] = 0;
            axis += 1;
        }
    }
}

/// The groups that local recoding makes; rows in none of them are suppressed.
pub(crate) fn groups(
    data: &Dataset,
    ladders: &[Ladder<'_>],
    judge: &Judge,
    rng: &mut dyn SecureRng,
) -> Result<Vec<Group>> {
    let tuples = tuples(ladders, data.table().rows());
    let width = judge.width();
    let mut open: Vec<u32> = (0..tuples.rows.len() as u32).collect();
    let mut settled: HashMap<Vec<Value>, Vec<u32>, RandomState> = HashMap::default();
    let mut waiting = data.table().rows() as u64;
    // Per tuple histograms are added up only for groups that are large enough.
    let mut numbers: HashMap<u64, u32, RandomState> = HashMap::default();
    for node in visits(ladders, rng)? {
        if waiting < judge.least() || open.is_empty() {
            break;
        }
        numbers.clear();
        let mut class = Vec::with_capacity(open.len());
        let mut sizes: Vec<u64> = Vec::new();
        let mut exact: Vec<u32> = Vec::new();
        for &tuple in &open {
            let codes = &tuples.codes[tuple as usize * tuples.q..][..tuples.q];
            let lifted =
                |axis: usize| ladders[axis].lifts[node[axis] as usize][codes[axis] as usize];
            let mut key = 0xcbf2_9ce4_8422_2325u64;
            for axis in 0..tuples.q {
                key = (key ^ u64::from(lifted(axis))).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                key ^= key >> 29;
            }
            // A hash finds a candidate; the tuple of its first member decides.
            let mut number = None;
            while let Some(&candidate) = numbers.get(&key) {
                let other =
                    &tuples.codes[exact[candidate as usize] as usize * tuples.q..][..tuples.q];
                let same = (0..tuples.q).all(|axis| {
                    let lift = &ladders[axis].lifts[node[axis] as usize];
                    lift[other[axis] as usize] == lifted(axis)
                });
                if same {
                    number = Some(candidate);
                    break;
                }
                key = key.wrapping_add(1);
            }
            let number = number.unwrap_or_else(|| {
                let next = sizes.len() as u32;
                numbers.insert(key, next);
                sizes.push(0);
                exact.push(tuple);
                next
            });
            sizes[number as usize] += tuples.rows[tuple as usize].len() as u64;
            class.push(number);
        }
        let mut good: Vec<bool> = sizes.iter().map(|&size| size >= judge.least()).collect();
        if !judge.only_size() {
            let mut histograms = vec![0u32; sizes.len() * width];
            for (&tuple, &number) in open.iter().zip(&class) {
                let at = number as usize * width;
                if good[number as usize] {
                    for &row in &tuples.rows[tuple as usize] {
                        judge.count(row, &mut histograms[at..at + width]);
                    }
                }
            }
            for (number, good) in good.iter_mut().enumerate() {
                let histogram = &histograms[number * width..(number + 1) * width];
                *good = *good && judge.accepts(sizes[number], histogram);
            }
        }
        if good.iter().any(|&good| good) {
            let mut left = Vec::new();
            for (&tuple, &number) in open.iter().zip(&class) {
                if !good[number as usize] {
                    left.push(tuple);
                    continue;
                }
                let rows = &tuples.rows[tuple as usize];
                let codes = &tuples.codes[tuple as usize * tuples.q..][..tuples.q];
                let cell = |(axis, ladder): (usize, &Ladder<'_>)| {
                    let step = node[axis] as usize;
                    ladder.labels[step][ladder.lifts[step][codes[axis] as usize] as usize].clone()
                };
                let cells: Vec<Value> = ladders.iter().enumerate().map(cell).collect();
                settled.entry(cells).or_default().extend_from_slice(rows);
                waiting -= rows.len() as u64;
            }
            open = left;
        }
    }
    // Equal labels of different levels meet in one class, which need not satisfy the models.
    let mut all: Vec<Group> = settled
        .into_iter()
        .filter(|(_, rows)| judge.only_size() || judge.accepts_rows(rows.iter().copied()))
        .map(|(cells, rows)| Group { rows, cells })
        .collect();
    all.sort_by(|a, b| a.rows.iter().min().cmp(&b.rows.iter().min()));
    Ok(all)
}
