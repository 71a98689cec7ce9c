//! How wide a cell may be: narrow where the tilted mass is, wide where there is hardly any.
//!
//! The discretization error is about the tilted mass of a cell times the square of its width. Nearly
//! all cells of a sampled mechanism lie far out, where losses are possible and do not matter; there
//! a tail is computed for every 2nd, 4th, ... 64th grid point alone. Any choice is valid: a chord
//! over a wide cell is still above the curve, a tangent still below.

use super::discretize::Grid;

/// The part of the whole squared width that all cells of one stride may add.
const BUDGET: f64 = 0.01;
/// Widest stride, a power of two.
const WIDEST: usize = 64;
/// Most that a wide cell may span, in units of the loss over which the tilt changes by e.
const REACH: f64 = 0.2;

/// Strides by loss: `(from, stride)`, ascending, each up to the next.
#[derive(Debug, Clone, Default)]
pub(super) struct Strides(Vec<(f64, usize)>);

impl Strides {
    /// Every grid point.
    pub(super) fn one() -> Self {
        Strides::default()
    }

    /// Strides for a density pictured as ascending losses with logarithmic masses, under a tilt of
    /// `theta`, on a grid of `step`.
    pub(super) fn new(picture: &[(f64, f64)], theta: f64, step: f64) -> Self {
        let log = |(loss, log): &(f64, f64)| log + theta * loss;
        let top = picture.iter().map(log).fold(f64::NEG_INFINITY, f64::max);
        let weights: Vec<f64> = picture.iter().map(|point| (log(point) - top).exp()).collect();
        let total: f64 = weights.iter().sum();
        let reach = REACH / ((1.0 + theta) * step);
        if !(total.is_finite() && total > 0.0 && reach >= 2.0) {
            return Strides::one();
        }
        let widest = (1..=WIDEST).rev().find(|w| w.is_power_of_two() && *w as f64 <= reach);
        let mut list: Vec<(f64, usize)> = Vec::new();
        let mut below = 0.0f64;
        let mut last = (f64::NEG_INFINITY, 1);
        for ((loss, _), weight) in picture.iter().zip(&weights) {
            // With the point's own mass, whose place is anywhere between its neighbours.
            let share = (below + weight).min(total - below) / total;
            below += weight;
            let mut stride = widest.unwrap_or(1);
            while stride > 1 && (stride * stride) as f64 * share > BUDGET {
                stride /= 2;
            }
            let between = stride.min(last.1);
            if list.last().is_none_or(|(_, known)| *known != between) {
                list.push((last.0, between));
            }
            last = (*loss, stride);
        }
        Strides(list)
    }

    fn at(&self, loss: f64) -> usize {
        let next = self.0.partition_point(|(from, _)| *from <= loss);
        next.checked_sub(1).and_then(|i| self.0.get(i)).map_or(1, |(_, stride)| *stride)
    }

    /// The points of `grid`, from `from` on, at which the density is looked at; the last one among
    /// them.
    pub(super) fn points(&self, grid: &Grid, from: usize) -> Vec<usize> {
        let last = grid.mass.len().saturating_sub(1);
        if self.0.is_empty() {
            return (from..=last).collect();
        }
        let mut points = Vec::new();
        let mut i = from;
        while i < last {
            points.push(i);
            let mut stride = self.at(grid.loss(i));
            // Not into where cells are narrower.
            while stride > 1 && (i + stride > last || self.at(grid.loss(i + stride)) < stride) {
                stride /= 2;
            }
            i += stride;
        }
        points.push(last);
        points
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_narrow_where_the_mass_is() {
        let grid = Grid {
            step: 0.01,
            offset: 0.0,
            first: -1000,
            mass: vec![0.0; 2001],
            infinity: 0.0,
            slack: 0.0,
        };
        // A normal law of deviation 1, tilted by 2: its mass lies around 2.
        let picture: Vec<(f64, f64)> = (-1000..=1000)
            .map(|i| 0.01 * f64::from(i))
            .map(|loss| (loss, -0.5 * loss * loss))
            .collect();
        let strides = Strides::new(&picture, 2.0, grid.step);
        assert_eq!((strides.at(2.0), strides.at(1.0)), (1, 1));
        assert!(strides.at(-5.0) > 1 && strides.at(9.0) > 1);
        let points = strides.points(&grid, 3);
        assert!(points.first() == Some(&3) && points.last() == Some(&2000));
        assert!(points.windows(2).all(|w| w[0] < w[1]) && points.len() < 1200);
        assert_eq!(Strides::one().points(&grid, 0).len(), 2001);
        // No picture, no claim.
        assert_eq!(Strides::new(&[], 2.0, 0.01).points(&grid, 0).len(), 2001);
    }
}
