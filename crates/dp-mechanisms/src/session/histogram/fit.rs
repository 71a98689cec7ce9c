//! The least-squares table for noisy measurements of a table and its margins.
//!
//! A subset of the dimensions is a bit mask. The margin over S is a sum over the dimensions that
//! are not in S. The space of tables is the direct sum of the effects of all subsets T (as in the
//! analysis of variance): constant along the dimensions not in T, and summing to 0 along each one
//! in T. Measuring the margin S, and spreading it over the table again, multiplies the effect of
//! T ⊆ S by the number of cells of each sum and takes every other effect to 0. The normal equations
//! are therefore diagonal in the effects: with b the sum of all measured margins, each spread over
//! the table, the effect of T in the solution is that of b over λ(T), the sum of these multipliers
//! over the measured S ⊇ T. All measurements have the same noise.

/// Which margins of a table of the given size were measured, and how to fit them.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fit {
    sizes: Vec<usize>,
    /// The measured subsets; the full table comes first.
    measured: Vec<usize>,
}

impl Fit {
    /// The full table, and with two dimensions or more each one's own histogram.
    pub(super) fn new(sizes: Vec<usize>) -> Self {
        let all = (1 << sizes.len()) - 1;
        let mut measured = vec![all];
        if sizes.len() > 1 {
            measured.extend((0..sizes.len()).map(|axis| 1 << axis));
        }
        Fit { sizes, measured }
    }

    /// The subset of all dimensions.
    pub(super) fn all(&self) -> usize {
        (1 << self.sizes.len()) - 1
    }

    /// The subset of the given dimensions; `None` if one of them does not exist.
    pub(super) fn subset(&self, dimensions: &[usize]) -> Option<usize> {
        let known = dimensions.iter().all(|axis| *axis < self.sizes.len());
        known.then(|| dimensions.iter().fold(0, |subset, axis| subset | 1 << axis))
    }

    /// How many tables are measured.
    pub(super) fn measured(&self) -> usize {
        self.measured.len()
    }

    pub(super) fn cells(&self) -> usize {
        self.sizes.iter().product()
    }

    /// How many counts are measured.
    pub(super) fn coordinates(&self) -> usize {
        self.measured.iter().map(|subset| self.size(*subset)).sum()
    }

    /// The number of counts of a margin.
    fn size(&self, subset: usize) -> usize {
        self.along(subset).product()
    }

    /// The sizes of the dimensions in a subset.
    fn along(&self, subset: usize) -> impl Iterator<Item = usize> {
        let sizes = self.sizes.iter().enumerate();
        sizes.filter(move |(axis, _)| subset >> axis & 1 == 1).map(|(_, size)| *size)
    }

    /// The cell at the given bins.
    pub(super) fn cell(&self, bins: &[usize]) -> Option<usize> {
        if bins.len() != self.sizes.len() {
            return None;
        }
        bins.iter()
            .zip(&self.sizes)
            .try_fold(0, |cell, (bin, size)| (bin < size).then_some(cell * size + bin))
    }

    /// The place in the margin over `subset` of each cell, in order.
    fn places(&self, subset: usize) -> impl Iterator<Item = usize> {
        let cells = self.cells();
        // For each dimension: cells from one bin to the next, its size, and the margin's stride.
        let (mut below, mut stride) = (1, 1);
        let mut axes = Vec::with_capacity(self.sizes.len());
        for (axis, size) in self.sizes.iter().enumerate().rev() {
            let of_margin = if subset >> axis & 1 == 1 { stride } else { 0 };
            axes.push((below, *size, of_margin));
            below *= size;
            if of_margin > 0 {
                stride *= size;
            }
        }
        (0..cells).map(move |cell| {
            axes.iter().map(|(below, size, stride)| cell / below % size * stride).sum()
        })
    }

    /// The margin over `subset` of a table.
    pub(super) fn margin(&self, table: &[f64], subset: usize) -> Vec<f64> {
        let mut margin = vec![0.0; self.size(subset)];
        for (place, count) in self.places(subset).zip(table) {
            margin[place] += count;
        }
        margin
    }

    /// The measured margins, after the full table, of exact counts.
    pub(super) fn fill_margins(&self, table: &[i128], margins: &mut [i128]) {
        let mut start = 0;
        for subset in self.measured.iter().skip(1) {
            for (place, count) in self.places(*subset).zip(table) {
                margins[start + place] += count;
            }
            start += self.size(*subset);
        }
    }

    /// The least-squares table; `None` unless there are as many numbers as are measured.
    pub(super) fn solve(&self, measured: &[f64]) -> Option<Vec<f64>> {
        if measured.len() != self.coordinates() {
            return None;
        }
        let mut spread = vec![0.0; self.cells()];
        let mut rest = measured;
        for subset in &self.measured {
            let (margin, others) = rest.split_at(self.size(*subset));
            rest = others;
            for (place, sum) in self.places(*subset).zip(&mut spread) {
                *sum += margin[place];
            }
        }
        Some(self.unspread(&spread))
    }

    /// The solution of the normal equations with the given right-hand side.
    fn unspread(&self, spread: &[f64]) -> Vec<f64> {
        let mut fitted = vec![0.0; self.cells()];
        for effect in 0..=self.all() {
            let weight = 1.0 / self.multiplier(effect);
            for (sum, part) in fitted.iter_mut().zip(self.effect(spread, effect)) {
                *sum += weight * part;
            }
        }
        fitted
    }

    /// The magnitudes of the weights with which the measured counts enter a count of the fitted
    /// margin over `subset`, each with how many of them there are.
    ///
    /// The count is c·x for the table x, with c the cells it sums; x solves A'Ax = A'y, so that the
    /// weights are A(A'A)⁻¹c, the measurements of the solution for c.
    pub(super) fn weights(&self, subset: usize) -> Vec<(f64, u32)> {
        let summed: Vec<f64> =
            self.places(subset).map(|place| if place == 0 { 1.0 } else { 0.0 }).collect();
        let solution = self.unspread(&summed);
        let measured = self.measured.iter().flat_map(|subset| self.margin(&solution, *subset));
        let mut weights: Vec<f64> = measured.map(f64::abs).filter(|w| *w > 1e-12).collect();
        weights.sort_unstable_by(f64::total_cmp);
        // Equal but for rounding: the larger stands for both.
        let alike = weights.chunk_by(|a, b| b - a <= 1e-9 * b);
        alike.map(|of| (of.last().copied().unwrap_or(0.0), of.len() as u32)).collect()
    }

    /// λ(T).
    fn multiplier(&self, effect: usize) -> f64 {
        let above = self.measured.iter().filter(|subset| *subset & effect == effect);
        above.map(|subset| self.size(self.all() & !subset) as f64).sum()
    }

    /// The part of a table that is the effect of a subset: centred along the dimensions in it,
    /// averaged along the others.
    fn effect(&self, table: &[f64], effect: usize) -> Vec<f64> {
        let mut part = table.to_vec();
        let mut below = 1;
        for (axis, &size) in self.sizes.iter().enumerate().rev() {
            let centred = effect >> axis & 1 == 1;
            for block in part.chunks_mut(below * size) {
                for offset in 0..below {
                    let line = || (0..size).map(|bin| offset + bin * below);
                    let mean = line().map(|i| block[i]).sum::<f64>() / size as f64;
                    line().for_each(|i| block[i] = if centred { block[i] - mean } else { mean });
                }
            }
            below *= size;
        }
        part
    }

    /// The variance of a count of the fitted margin over `subset`, in units of the noise's.
    ///
    /// Σ over T ⊆ S of (cells of a sum) · Π(1 − 1/n over T) · Π(1/n over S without T) / λ(T): the
    /// diagonal of the covariance in the effects.
    pub(super) fn variance(&self, subset: usize) -> f64 {
        let summed = self.size(self.all() & !subset) as f64;
        let effects = (0..=self.all()).filter(|effect| effect & !subset == 0);
        let share = |effect: usize| {
            let centred: f64 = self.along(effect).map(|n| 1.0 - 1.0 / n as f64).product();
            centred / self.size(subset & !effect) as f64
        };
        summed * effects.map(|effect| share(effect) / self.multiplier(effect)).sum::<f64>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All measured counts of a table, exactly.
    fn measure(fit: &Fit, table: &[f64]) -> Vec<f64> {
        fit.measured.iter().flat_map(|subset| fit.margin(table, *subset)).collect()
    }

    #[test]
    fn exact_measurements_give_the_table_back() {
        for sizes in [vec![], vec![4], vec![3, 2], vec![2, 3, 4], vec![1, 5, 2, 2]] {
            let fit = Fit::new(sizes);
            let table: Vec<f64> = (0..fit.cells()).map(|i| ((i * 37) % 11) as f64).collect();
            let fitted = fit.solve(&measure(&fit, &table)).unwrap();
            assert!(fitted.iter().zip(&table).all(|(a, b)| (a - b).abs() < 1e-9));
        }
    }

    #[test]
    fn weights_of_counts_have_the_squares_of_their_variance() {
        for sizes in [vec![], vec![4], vec![3, 2], vec![2, 3, 4], vec![1, 5, 2, 2]] {
            let fit = Fit::new(sizes);
            for subset in 0..=fit.all() {
                let weights = fit.weights(subset);
                let squares: f64 = weights.iter().map(|(w, n)| w * w * f64::from(*n)).sum();
                let variance = fit.variance(subset);
                assert!((squares / variance - 1.0).abs() < 1e-7, "{squares} {variance}");
            }
        }
    }

    /// The fit is where the gradient of the squared residuals is 0.
    #[test]
    fn the_fit_is_the_least_squares_one() {
        let fit = Fit::new(vec![3, 2, 2]);
        let measured: Vec<f64> = (0..fit.coordinates()).map(|i| ((i * 53) % 17) as f64).collect();
        let fitted = fit.solve(&measured).unwrap();
        let residuals: Vec<f64> =
            measure(&fit, &fitted).iter().zip(&measured).map(|(a, b)| a - b).collect();
        for cell in 0..fit.cells() {
            let mut unit = vec![0.0; fit.cells()];
            unit[cell] = 1.0;
            let gradient: f64 =
                measure(&fit, &unit).iter().zip(&residuals).map(|(a, r)| a * r).sum();
            assert!(gradient.abs() < 1e-9, "cell {cell}: {gradient}");
        }
    }

    /// The stated variance against the squared response to every measured count.
    #[test]
    fn variances_are_those_of_the_linear_fit() {
        for sizes in [vec![4], vec![3, 2], vec![2, 3, 2]] {
            let fit = Fit::new(sizes);
            for subset in 0..=fit.all() {
                let mut variance = vec![0.0; fit.size(subset)];
                for i in 0..fit.coordinates() {
                    let mut unit = vec![0.0; fit.coordinates()];
                    unit[i] = 1.0;
                    let response = fit.margin(&fit.solve(&unit).unwrap(), subset);
                    variance.iter_mut().zip(response).for_each(|(sum, r)| *sum += r * r);
                }
                for found in variance {
                    assert!((found - fit.variance(subset)).abs() < 1e-9, "{subset}: {found}");
                }
            }
        }
    }

    #[test]
    fn exact_margins_are_those_of_the_floats() {
        let fit = Fit::new(vec![2, 3, 2]);
        let table: Vec<i128> = (0..12).map(|i| i * i).collect();
        let mut margins = vec![0; fit.coordinates() - 12];
        fit.fill_margins(&table, &mut margins);
        let floats: Vec<f64> = table.iter().map(|count| *count as f64).collect();
        let expected = &measure(&fit, &floats)[12..];
        assert!(margins.iter().zip(expected).all(|(a, b)| *a as f64 == *b));
    }

    #[test]
    fn what_does_not_fit_is_no_cell_and_no_table() {
        let fit = Fit::new(vec![2, 3]);
        assert_eq!((fit.cell(&[1, 2]), fit.cell(&[2, 0]), fit.cell(&[1])), (Some(5), None, None));
        assert_eq!((fit.subset(&[1]), fit.subset(&[2])), (Some(2), None));
        assert!(fit.solve(&[0.0; 5]).is_none());
    }
}
