//! Composition by plain convolution, for few cells.
//!
//! All terms are non-negative, so that every cell keeps a small relative error, however much larger
//! others are: what a transform loses under the mass of the likely losses is seen here. The work is
//! quadratic in the cells, so that intermediate laws are trimmed: far too small masses go to
//! infinity or to the next larger loss (upper), or to the next smaller one or away (lower).

use super::composed::Composed;
use super::discretize::{Grid, Side};
use crate::numeric::U;

/// Most cells of a law.
pub(super) const MOST: usize = 6000;

struct Law {
    first: i64,
    mass: Vec<f64>,
    infinity: f64,
    /// Relative error of the masses.
    relative: f64,
}

/// What is cut from the ends of intermediate laws.
#[derive(Clone, Copy)]
struct Trim {
    side: Side,
    above: f64,
    below: f64,
}

/// The composition of grids of one step; `None` if it takes more than [`MOST`] cells. `above` is
/// the P-mass that does not matter to the answer.
pub(super) fn compose(parts: &[(Grid, u64)], side: Side, above: f64) -> Option<Composed> {
    let step = parts.first().map_or(1.0, |(grid, _)| grid.step);
    let count: f64 = parts.iter().map(|(_, count)| *count as f64).sum();
    // A law of m steps enters count / m times, and there are some 2 log2 of them.
    let share = 1.0 / (4.0 * count * (2.0 + count.log2()));
    let trim = Trim { side, above: above * share, below: 1e-13 * share };
    let mut total = Law { first: 0, mass: vec![1.0], infinity: 0.0, relative: 0.0 };
    let (mut offset, mut slack) = (0.0, 0.0);
    for (grid, count) in parts {
        let k = *count as f64;
        offset += k * grid.offset;
        slack += k * grid.slack * 1.001;
        let one = Law {
            first: grid.first,
            mass: grid.mass.clone(),
            infinity: grid.infinity,
            relative: 0.0,
        };
        total = times(&total, &power(trim.apply(one), *count, trim)?, trim)?;
    }
    let low = offset + total.first as f64 * step;
    let high = low + total.mass.len() as f64 * step;
    slack += 8.0 * U * (offset.abs() + low.abs().max(high.abs()));
    let cells = total.mass.len() as f64;
    let infinity = match side {
        // Cells that underflowed count as unbounded.
        Side::Upper => total.infinity * (1.0 + 1e-12) + cells * count * f64::MIN_POSITIVE,
        Side::Lower | Side::Floor => total.infinity * (1.0 - 1e-12),
    };
    Some(Composed {
        side,
        step,
        low,
        mass: total.mass,
        cell_error: 0.0,
        theta: 0.0,
        log_norm: 0.0,
        infinity,
        unbounded: infinity,
        wrapped_above: 0.0,
        wrapped_below: 0.0,
        wrapped_far: 0.0,
        lift: 0.0,
        slack,
        complete: true,
        relative: total.relative + U * (8.0 * cells + 64.0),
    })
}

/// `law^count`, all of it but the trims.
fn power(law: Law, count: u64, trim: Trim) -> Option<Law> {
    let (mut base, mut rest) = (law, count);
    let mut result: Option<Law> = None;
    loop {
        if rest & 1 == 1 {
            result = Some(match &result {
                Some(known) => times(known, &base, trim)?,
                None => Law { mass: base.mass.clone(), ..base },
            });
        }
        rest >>= 1;
        if rest == 0 {
            return result;
        }
        base = times(&base, &base, trim)?;
    }
}

fn times(a: &Law, b: &Law, trim: Trim) -> Option<Law> {
    let cells = a.mass.len() + b.mass.len() - 1;
    if cells > 2 * MOST {
        return None;
    }
    let (short, long) = if a.mass.len() <= b.mass.len() { (a, b) } else { (b, a) };
    let mut mass = vec![0.0; cells];
    for (i, &factor) in short.mass.iter().enumerate() {
        if factor > 0.0 {
            for (sum, &term) in mass[i..].iter_mut().zip(&long.mass) {
                *sum += factor * term;
            }
        }
    }
    let law = trim.apply(Law {
        first: a.first + b.first,
        mass,
        // 1 - (1 - a)(1 - b), without cancellation.
        infinity: a.infinity + b.infinity - a.infinity * b.infinity,
        relative: a.relative + b.relative + U * (short.mass.len() as f64 + 4.0),
    });
    (law.mass.len() <= MOST).then_some(law)
}

impl Trim {
    fn apply(self, mut law: Law) -> Law {
        let total = law.mass.len();
        let (mut top, mut cut) = (total, 0.0);
        while top > 1 && cut + law.mass[top - 1] <= self.above {
            cut += law.mass[top - 1];
            top -= 1;
        }
        law.mass.truncate(top);
        match self.side {
            Side::Upper => law.infinity += cut * (1.0 + total as f64 * U),
            Side::Lower | Side::Floor => {
                if let Some(last) = law.mass.last_mut() {
                    *last += cut * (1.0 - total as f64 * U);
                }
            }
        }
        let (mut bottom, mut cut) = (0, 0.0);
        while bottom + 1 < law.mass.len() && cut + law.mass[bottom] <= self.below {
            cut += law.mass[bottom];
            bottom += 1;
        }
        law.mass.drain(..bottom);
        law.first += bottom as i64;
        if self.side == Side::Upper
            && let Some(first) = law.mass.first_mut()
        {
            *first += cut * (1.0 + total as f64 * U);
        }
        law
    }
}
