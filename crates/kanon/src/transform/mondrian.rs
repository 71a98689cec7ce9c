//! Mondrian: the table is cut at medians into boxes that are as small as the models allow (LeFevre
//! et al. 2006, <https://doi.org/10.1109/ICDE.2006.101>).
//!
//! Numbers and dates are cut by order, other columns along their hierarchies. Boxes are described by
//! the cuts that made them, never by the least and greatest value inside.

use privacy_core::random::{RandomBuffer, SecureRng};

use super::judge::Judge;
use crate::dataset::{Dataset, Quasi};
use crate::error::{Error, Result};
use crate::hierarchy::ANY;
use crate::random::shuffle;
use crate::release::Group;
use crate::table::{Kind, Value};

/// How a column is cut.
enum Axis<'a> {
    /// By rank; the number behind each rank.
    Ordered { values: Vec<Option<f64>>, texts: Vec<&'a Value>, span: f64, integer: bool },
    /// Along its hierarchy.
    Tree(Quasi<'a>),
}

/// One side of a box.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Side {
    /// Ranks from `low` to `high`, both included.
    Ranks { low: u32, high: u32 },
    /// A group of a level.
    Node { level: usize, group: u32 },
}

struct Part {
    from: usize,
    to: usize,
    sides: Vec<Side>,
}

struct Cutter<'a> {
    axes: Vec<Axis<'a>>,
    judge: &'a Judge,
    relaxed: bool,
    q: usize,
    /// Row-major codes with the row's number at the end of each record.
    records: Vec<u32>,
    spare: Vec<u32>,
}

fn axis<'a>(quasi: Quasi<'a>) -> (Axis<'a>, Vec<u32>) {
    let column = quasi.column;
    if !column.kind().is_numeric() {
        return (Axis::Tree(quasi), (0..column.dictionary().len() as u32).collect());
    }
    let ranks = column.ranks();
    let numbers = column.numbers();
    let mut values = vec![None; ranks.len()];
    let mut texts: Vec<&Value> = column.dictionary().iter().collect();
    for (entry, &rank) in ranks.iter().enumerate() {
        values[rank as usize] = numbers[entry];
        texts[rank as usize] = &column.dictionary()[entry];
    }
    let known = || values.iter().flatten();
    let least = known().copied().fold(f64::INFINITY, f64::min);
    let most = known().copied().fold(f64::NEG_INFINITY, f64::max);
    let span = if most > least { most - least } else { 1.0 };
    (Axis::Ordered { values, texts, span, integer: column.kind() == Kind::Integer }, ranks)
}

impl Cutter<'_> {
    fn record(&self, place: usize) -> &[u32] {
        &self.records[place * (self.q + 1)..][..self.q + 1]
    }

    /// How wide a part is along each axis, 0 to 1.
    fn widths(&self, part: &Part) -> Vec<f64> {
        let mut least = vec![u32::MAX; self.q];
        let mut most = vec![0u32; self.q];
        for place in part.from..part.to {
            let record = self.record(place);
            for ((least, most), &code) in least.iter_mut().zip(&mut most).zip(record) {
                *least = (*least).min(code);
                *most = (*most).max(code);
            }
        }
        let width = |i: usize| match (&self.axes[i], part.sides[i]) {
            (Axis::Ordered { values, span, .. }, _) => {
                match (values.get(least[i] as usize), values.get(most[i] as usize)) {
                    (Some(Some(a)), Some(Some(b))) => (b - a) / span,
                    // A missing value among numbers: as far away as can be.
                    _ if least[i] < most[i] => 1.0,
                    _ => 0.0,
                }
            }
            (Axis::Tree(quasi), Side::Node { level, group }) if level > quasi.min => {
                quasi.levels.shares(level)[group as usize]
            }
            _ => 0.0,
        };
        (0..self.q).map(width).collect()
    }

    fn accepts(&self, from: usize, to: usize) -> bool {
        if ((to - from) as u64) < self.judge.least() {
            return false;
        }
        self.judge.only_size()
            || self.judge.accepts_rows((from..to).map(|place| self.record(place)[self.q]))
    }

    /// Moves the records of a part so that those of each bucket lie together; the boundaries.
    fn arrange(
        &mut self,
        part: &Part,
        buckets: usize,
        bucket: impl Fn(&[u32], usize) -> usize,
    ) -> Vec<usize> {
        let size = self.q + 1;
        let mut counts = vec![0usize; buckets + 1];
        for (i, record) in
            self.records[part.from * size..part.to * size].chunks_exact(size).enumerate()
        {
            counts[bucket(record, i) + 1] += 1;
        }
        for i in 1..counts.len() {
            counts[i] += counts[i - 1];
        }
        let bounds: Vec<usize> = counts.iter().map(|count| part.from + count).collect();
        let mut next = counts;
        self.spare.clear();
        self.spare.extend_from_slice(&self.records[part.from * size..part.to * size]);
        for (i, record) in self.spare.chunks_exact(size).enumerate() {
            let to = &mut next[bucket(record, i)];
            let at = (part.from + *to) * size;
            self.records[at..at + size].copy_from_slice(record);
            *to += 1;
        }
        bounds
    }

    /// Cuts a part along an axis, if all sides are acceptable.
    fn cut(
        &mut self,
        part: &Part,
        i: usize,
        random: &mut RandomBuffer<'_>,
    ) -> Result<Option<Vec<Part>>> {
        match (&self.axes[i], part.sides[i]) {
            (Axis::Ordered { .. }, Side::Ranks { low, high }) => {
                let mut counts = vec![0usize; (high - low) as usize + 1];
                for place in part.from..part.to {
                    counts[(self.record(place)[i] - low) as usize] += 1;
                }
                let half = (part.to - part.from) / 2;
                let mut below = 0;
                let mut median = 0;
                while below + counts[median] < half.max(1) {
                    below += counts[median];
                    median += 1;
                }
                let at = low + median as u32;
                let least = self.judge.least() as usize;
                let (sides, bounds) = if self.relaxed {
                    if half < least {
                        return Ok(None);
                    }
                    // Which of the equal rows go left is drawn.
                    let ties = counts[median];
                    let mut left = vec![false; ties];
                    left[..half - below].fill(true);
                    shuffle(&mut left, random)?;
                    let mut seen = 0;
                    let size = self.q + 1;
                    let go_left: Vec<bool> = self.records[part.from * size..part.to * size]
                        .chunks_exact(size)
                        .map(|record| {
                            if record[i] != at {
                                return record[i] < at;
                            }
                            seen += 1;
                            left[seen - 1]
                        })
                        .collect();
                    let bounds = self.arrange(part, 2, |_, place| usize::from(!go_left[place]));
                    ([(low, at), (at, high)], bounds)
                } else {
                    let left = below + counts[median];
                    // At the end of a range the cut goes before the median instead of after it.
                    let (last, left) = match left == part.to - part.from {
                        true if below > 0 => {
                            let before = (0..median).rev().find(|&r| counts[r] > 0).unwrap_or(0);
                            (low + before as u32, below)
                        }
                        true => return Ok(None),
                        false => (at, left),
                    };
                    if left < least || part.to - part.from - left < least {
                        return Ok(None);
                    }
                    let bounds = self.arrange(part, 2, |record, _| usize::from(record[i] > last));
                    ([(low, last), (last + 1, high)], bounds)
                };
                let fits = bounds.windows(2).all(|b| self.accepts(b[0], b[1]));
                let side = |(low, high)| Side::Ranks { low, high };
                Ok(fits.then(|| parts(part, i, &bounds, sides.iter().map(|&s| side(s)))))
            }
            (Axis::Tree(quasi), Side::Node { level, .. }) if level > quasi.min => {
                let below = quasi.levels.groups(level - 1).to_vec();
                let buckets = quasi.levels.labels(level - 1).len();
                let mut sizes = vec![0usize; buckets];
                for place in part.from..part.to {
                    sizes[below[self.record(place)[i] as usize] as usize] += 1;
                }
                let least = self.judge.least() as usize;
                if sizes.iter().any(|&size| size > 0 && size < least) {
                    return Ok(None);
                }
                let bounds =
                    self.arrange(part, buckets, |record, _| below[record[i] as usize] as usize);
                let fits = bounds.windows(2).all(|b| b[0] == b[1] || self.accepts(b[0], b[1]));
                let side = |group: usize| Side::Node { level: level - 1, group: group as u32 };
                Ok(fits.then(|| parts(part, i, &bounds, (0..buckets).map(side))))
            }
            _ => Ok(None),
        }
    }

    fn label(&self, i: usize, side: Side) -> Value {
        match (&self.axes[i], side) {
            (Axis::Tree(quasi), Side::Node { level, group }) => {
                quasi.levels.labels(level)[group as usize].clone()
            }
            (Axis::Ordered { texts, values, integer, .. }, Side::Ranks { low, high }) => {
                let last = texts.len() as u32 - 1;
                if low == high {
                    return texts[low as usize].clone();
                }
                let text = |rank: u32| texts[rank as usize].text().unwrap_or("missing");
                // A side begins after the last value below it: that is where the cut was made.
                let start = |rank: u32| match (integer, values[rank as usize - 1]) {
                    (true, Some(before)) if !self.relaxed => format!("{}", before + 1.0),
                    _ => text(rank).to_owned(),
                };
                let label = match (low, high) {
                    (0, high) if high == last => ANY.to_owned(),
                    (0, high) => format!("<={}", text(high)),
                    (low, high) if high == last => format!(">={}", start(low)),
                    (low, high) if *integer => format!("{}-{}", start(low), text(high)),
                    (low, high) => format!("[{}, {}]", text(low), text(high)),
                };
                Value::from(label.as_str())
            }
            _ => Value::Suppressed,
        }
    }
}

fn parts(
    part: &Part,
    axis: usize,
    bounds: &[usize],
    sides: impl Iterator<Item = Side>,
) -> Vec<Part> {
    bounds
        .windows(2)
        .zip(sides)
        .filter(|(bounds, _)| bounds[0] < bounds[1])
        .map(|(bounds, side)| {
            let mut sides = part.sides.clone();
            sides[axis] = side;
            Part { from: bounds[0], to: bounds[1], sides }
        })
        .collect()
}

/// The boxes of a table; none if even the whole table is no acceptable class.
pub(crate) fn groups(
    data: &Dataset,
    judge: &Judge,
    relaxed: bool,
    rng: &mut dyn SecureRng,
) -> Result<Vec<Group>> {
    let n = data.table().rows();
    let quasi: Vec<_> = data.quasi().collect();
    let q = quasi.len();
    let mut axes = Vec::new();
    let mut records = vec![0u32; n * (q + 1)];
    for (i, quasi) in quasi.iter().enumerate() {
        let (axis, codes) = axis(*quasi);
        quasi.column.codes().for_each(0..n, |row, entry| {
            records[row * (q + 1) + i] = codes[entry as usize];
        });
        axes.push(axis);
    }
    for row in 0..n {
        records[row * (q + 1) + q] = row as u32;
    }
    for axis in &axes {
        if let Axis::Tree(quasi) = axis
            && quasi.levels.labels(quasi.levels.highest()).len() > 1
        {
            return Err(Error::Role {
                column: quasi.column.name().into(),
                problem: "has a hierarchy that does not end in one group, which Mondrian needs",
            });
        }
    }
    let mut cutter = Cutter { axes, judge, relaxed, q, records, spare: Vec::new() };
    if !cutter.accepts(0, n) {
        return Ok(Vec::new());
    }
    // A column whose highest allowed level has several groups starts with them all as one box, so
    // hierarchies must end in one group here.
    let side = |axis: &Axis<'_>| match axis {
        Axis::Ordered { texts, .. } => Side::Ranks { low: 0, high: texts.len() as u32 - 1 },
        Axis::Tree(quasi) => Side::Node { level: quasi.levels.highest(), group: 0 },
    };
    let whole = Part { from: 0, to: n, sides: cutter.axes.iter().map(side).collect() };
    let mut random = RandomBuffer::new(rng);
    let mut open = vec![whole];
    let mut done = Vec::new();
    while let Some(part) = open.pop() {
        let mut cut = None;
        if (part.to - part.from) as u64 >= 2 * judge.least()
            || part.sides.iter().any(|s| matches!(s, Side::Node { .. }))
        {
            let widths = cutter.widths(&part);
            let mut order: Vec<usize> = (0..q).filter(|&i| widths[i] > 0.0).collect();
            shuffle(&mut order, &mut random)?;
            order.sort_by(|&a, &b| widths[b].total_cmp(&widths[a]));
            for i in order {
                cut = cutter.cut(&part, i, &mut random)?;
                if cut.is_some() {
                    break;
                }
            }
        }
        match cut {
            Some(parts) => open.extend(parts),
            None => done.push(part),
        }
    }
    let group = |part: &Part| Group {
        rows: (part.from..part.to).map(|place| cutter.record(place)[q]).collect(),
        cells: part.sides.iter().enumerate().map(|(i, &side)| cutter.label(i, side)).collect(),
    };
    Ok(done.iter().map(group).collect())
}
