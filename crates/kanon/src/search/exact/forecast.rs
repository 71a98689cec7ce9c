//! How many rows will fail at a node, guessed from the nodes that were checked.
//!
//! The logarithm of the rows is taken as a sum over the steps from level to level, fitted by
//! recursive least squares. A guess decides in which order nodes are checked and nothing else.

/// Above this many steps between levels the fit would cost more than it saves.
const MOST_STEPS: usize = 128;
/// What one step is thought to do before anything was seen, and how sure that is.
const STEP: (f64, f64) = (-0.5, 0.1);
/// The variance of what a sum over steps cannot say.
const NOISE: f64 = 0.05;

#[derive(Debug)]
pub(super) struct Forecast {
    /// Where the steps of each axis begin; the last weight is of no step at all.
    first: Vec<usize>,
    weights: Vec<f64>,
    covariance: Vec<f64>,
    scaled: Vec<f64>,
}

impl Forecast {
    /// For axes with so many levels; `None` if they are too many.
    pub(super) fn new(levels: impl Iterator<Item = usize>, rows: u64) -> Option<Self> {
        let mut first = Vec::new();
        let mut steps = 0usize;
        for levels in levels {
            first.push(steps);
            steps += levels.saturating_sub(1);
        }
        if steps > MOST_STEPS {
            return None;
        }
        let size = steps + 1;
        let mut weights = vec![STEP.0; size];
        weights[steps] = (rows as f64 + 1.0).ln();
        let mut covariance = vec![0.0; size * size];
        for place in 0..size {
            covariance[place * size + place] = if place == steps { 10.0 } else { STEP.1 };
        }
        Some(Forecast { first, weights, covariance, scaled: vec![0.0; size] })
    }

    /// The weights that a node sums.
    fn places<'a>(&'a self, node: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
        let steps = self.first.iter().zip(node).flat_map(|(&at, &l)| at..at + usize::from(l));
        steps.chain([self.weights.len() - 1])
    }

    /// The logarithm of one more than the rows that fail at a node.
    pub(super) fn at(&self, node: &[u8]) -> f64 {
        self.places(node).map(|place| self.weights[place]).sum()
    }

    /// What one more step in an axis adds.
    pub(super) fn step(&self, axis: usize, level: u8) -> f64 {
        self.weights[self.first[axis] + usize::from(level)]
    }

    /// Takes in how many rows failed at a node.
    pub(super) fn learn(&mut self, node: &[u8], rows: u64) {
        let size = self.weights.len();
        let error = (rows as f64 + 1.0).ln() - self.at(node);
        let mut scaled = std::mem::take(&mut self.scaled);
        scaled.fill(0.0);
        for place in self.places(node) {
            let row = &self.covariance[place * size..(place + 1) * size];
            scaled.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
        }
        let spread = NOISE + self.places(node).map(|place| scaled[place]).sum::<f64>();
        for (place, &gain) in scaled.iter().enumerate() {
            let gain = gain / spread;
            self.weights[place] += gain * error;
            let row = &mut self.covariance[place * size..(place + 1) * size];
            row.iter_mut().zip(&scaled).for_each(|(x, s)| *x -= gain * s);
        }
        self.scaled = scaled;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_a_sum_over_steps_is_found() {
        let truth = |node: &[u8]| {
            let log = 9.0 - 0.7 * f64::from(node[0]) - 1.5 * f64::from(node[1] > 0);
            (log.exp() - 1.0).round() as u64
        };
        let mut forecast = Forecast::new([4, 3].into_iter(), 30_000).unwrap();
        for _ in 0..50 {
            for node in [[0u8, 0], [1, 0], [2, 1], [3, 2], [0, 2], [2, 0]] {
                forecast.learn(&node, truth(&node));
            }
        }
        for node in [[3u8, 1], [1, 2], [3, 0]] {
            let expected = (truth(&node) as f64 + 1.0).ln();
            assert!((forecast.at(&node) - expected).abs() < 0.2, "{node:?}");
        }
        assert!(Forecast::new([100, 100].into_iter(), 1).is_none());
    }
}
