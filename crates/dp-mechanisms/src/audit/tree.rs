//! Questions asked in turn: events about several features of which one matters where another has a
//! certain value.
//!
//! What a mechanism shows of one feature may say something only beside another: the value that
//! follows a run of refusals, the second of two answers with the same noise. A sum over features
//! ([`Score`](super::event::Score)) does not see that; a tree of cuts does.

use super::event::{Buckets, shown};
use super::sight::{ABSENT, Kind};

/// Cuts in turn at most.
const DEPTH: u32 = 4;

/// Rows of each neighbour that shape a tree at most.
pub(super) const MOST_ROWS: usize = 1 << 14;

/// Features that a tree chooses from at most.
pub(super) const MOST_FEATURES: usize = 48;

/// A leaf holds at least so many rows.
const LEAST_ROWS: u64 = 24;

/// A cut must explain this much (a likelihood-ratio statistic with one degree of freedom; cuts are
/// chosen among many).
const LEAST_GAIN: f64 = 16.0;

/// A tree of cuts: each output falls into one of its leaves.
#[derive(Debug)]
pub(super) struct Tree {
    nodes: Vec<Node>,
    leaves: usize,
}

#[derive(Debug)]
enum Node {
    Leaf(usize),
    /// Above `at` to the node `above`, else to the next one.
    Cut {
        feature: usize,
        at: i128,
        above: usize,
    },
}

/// What a tree grows from: a feature, its buckets, and the buckets of the rows of both neighbours.
pub(super) struct Column {
    pub(super) feature: usize,
    pub(super) edges: Vec<i128>,
    pub(super) places: [Vec<u16>; 2],
}

impl Column {
    pub(super) fn new(feature: usize, buckets: &Buckets, a: &[i128], b: &[i128]) -> Self {
        let places = |values: &[i128]| {
            let place = |value: &i128| buckets.of(*value).min(usize::from(u16::MAX)) as u16;
            values.iter().take(MOST_ROWS).map(place).collect()
        };
        Column { feature, edges: buckets.edges().to_vec(), places: [places(a), places(b)] }
    }
}

impl Tree {
    /// `None` where no cut tells the neighbours apart.
    pub(super) fn grow(columns: &[Column]) -> Option<Tree> {
        let rows = |side: usize| columns.first().map_or(0, |column| column.places[side].len());
        let all = [0, 1].map(|side| (0..rows(side) as u32).collect::<Vec<u32>>());
        let mut tree = Tree { nodes: Vec::new(), leaves: 0 };
        tree.divide(columns, all, DEPTH);
        (tree.leaves > 2).then_some(tree)
    }

    pub(super) fn leaves(&self) -> usize {
        self.leaves
    }

    /// The leaf of a row of features.
    pub(super) fn leaf(&self, value: impl Fn(usize) -> Option<i128>) -> usize {
        let mut at_node = 0;
        loop {
            match self.nodes.get(at_node) {
                Some(Node::Cut { feature, at, above }) => {
                    let value = value(*feature).unwrap_or(ABSENT);
                    at_node = if value > *at { *above } else { at_node + 1 };
                }
                Some(Node::Leaf(leaf)) => return *leaf,
                None => return 0,
            }
        }
    }

    /// The chosen leaves, each as the cuts that lead to it.
    pub(super) fn describe<'f>(
        &self,
        chosen: &[bool],
        about: &impl Fn(&usize) -> (&'f str, Kind),
    ) -> String {
        let mut paths = Vec::new();
        self.walk(
            0,
            &mut Vec::new(),
            &mut |leaf, cuts: &[String]| {
                if chosen.get(leaf).copied().unwrap_or(false) {
                    paths.push(cuts.join(" and "));
                }
            },
            about,
        );
        let more = paths.len().saturating_sub(2);
        paths.truncate(2);
        let shown = paths.join("; or ");
        if more > 0 { format!("{shown}; or {more} more cases") } else { shown }
    }

    fn walk<'f>(
        &self,
        node: usize,
        cuts: &mut Vec<String>,
        see: &mut impl FnMut(usize, &[String]),
        about: &impl Fn(&usize) -> (&'f str, Kind),
    ) {
        match self.nodes.get(node) {
            Some(Node::Leaf(leaf)) => see(*leaf, cuts),
            Some(Node::Cut { feature, at, above }) => {
                let (label, kind) = about(feature);
                for (relation, next) in [("at most", node + 1), ("above", *above)] {
                    cuts.push(format!("{label} is {relation} {}", shown(*at, kind)));
                    self.walk(next, cuts, see, about);
                    cuts.pop();
                }
            }
            None => {}
        }
    }

    fn divide(&mut self, columns: &[Column], rows: [Vec<u32>; 2], depth: u32) {
        let cut = if depth == 0 { None } else { best_cut(columns, &rows) };
        let Some((column, bucket)) = cut else {
            self.nodes.push(Node::Leaf(self.leaves));
            self.leaves += 1;
            return;
        };
        let Column { feature, edges, places } = &columns[column];
        let at = edges.get(bucket).copied().unwrap_or(ABSENT);
        let place = self.nodes.len();
        self.nodes.push(Node::Cut { feature: *feature, at, above: 0 });
        let mut above = [Vec::new(), Vec::new()];
        let mut below = [Vec::new(), Vec::new()];
        for (side, rows) in rows.into_iter().enumerate() {
            for row in rows {
                let is_above = usize::from(places[side][row as usize]) > bucket;
                let part = if is_above { &mut above } else { &mut below };
                part[side].push(row);
            }
        }
        self.divide(columns, below, depth - 1);
        let next = self.nodes.len();
        if let Some(Node::Cut { above, .. }) = self.nodes.get_mut(place) {
            *above = next;
        }
        self.divide(columns, above, depth - 1);
    }
}

/// The column and the bucket behind which a cut explains most.
fn best_cut(columns: &[Column], rows: &[Vec<u32>; 2]) -> Option<(usize, usize)> {
    let of = [rows[0].len() as u64, rows[1].len() as u64];
    let mut best = None;
    let mut most = LEAST_GAIN;
    for (i, column) in columns.iter().enumerate() {
        let mut counts = vec![[0u64; 2]; column.edges.len() + 1];
        for side in 0..2 {
            for row in &rows[side] {
                counts[usize::from(column.places[side][*row as usize])][side] += 1;
            }
        }
        let mut below = [0u64; 2];
        for (bucket, count) in counts.iter().enumerate().take(column.edges.len()) {
            below = [below[0] + count[0], below[1] + count[1]];
            let above = [of[0] - below[0], of[1] - below[1]];
            if below[0] + below[1] < LEAST_ROWS || above[0] + above[1] < LEAST_ROWS {
                continue;
            }
            let gain = explained(below, of) + explained(above, of);
            if gain > most {
                most = gain;
                best = Some((i, bucket));
            }
        }
    }
    best
}

/// The part of a likelihood-ratio statistic that one side of a cut adds.
fn explained(part: [u64; 2], of: [u64; 2]) -> f64 {
    let (rows, all) = ((part[0] + part[1]) as f64, (of[0] + of[1]) as f64);
    let term = |side: usize| match part[side] {
        0 => 0.0,
        count => count as f64 * (count as f64 * all / (rows * of[side] as f64)).ln(),
    };
    2.0 * (term(0) + term(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feature_that_matters_beside_another_is_found() {
        // On either side the first feature is 0 or 1 alike; where it is 1, the second tells.
        let rows = 2000;
        let first: Vec<i128> = (0..rows).map(|i| i % 2).collect();
        let second = |shift: i128| (0..rows).map(move |i| (i / 2 + shift * (i % 2)) % 4);
        let (a, b): (Vec<i128>, Vec<i128>) = (second(0).collect(), second(2).collect());
        let a: Vec<i128> =
            a.iter().zip(&first).map(|(x, f)| if *f == 1 { x / 2 } else { x % 2 }).collect();
        let b: Vec<i128> = b
            .iter()
            .zip(&first)
            .map(|(x, f)| if *f == 1 { (x / 2).min(0) } else { x % 2 })
            .collect();
        let of = |a: &[i128], b: &[i128]| Buckets::of_sample([a, b].concat(), 16);
        let columns = [
            Column::new(0, &of(&first, &first), &first, &first),
            Column::new(1, &of(&a, &b), &a, &b),
        ];
        let tree = Tree::grow(&columns).unwrap();
        let leaf = |x: i128, y: i128| tree.leaf(|feature| Some([x, y][feature]));
        assert_ne!(leaf(1, 1), leaf(1, 0));
        assert_ne!(leaf(1, 1), leaf(0, 1));
        assert!(tree.leaves() >= 3);
    }

    #[test]
    fn the_same_law_grows_no_tree() {
        let a: Vec<i128> = (0..2000).map(|i| i % 10).collect();
        let buckets = Buckets::of_sample([a.clone(), a.clone()].concat(), 16);
        assert!(Tree::grow(&[Column::new(0, &buckets, &a, &a)]).is_none());
    }
}
