//! Ranges of numbers.

/// All numbers from one to another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Range {
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Range {
    pub(super) const ONE: Range = Range { low: 1.0, high: 1.0 };

    pub(super) fn new(low: f64, high: f64) -> Self {
        Range { low, high }
    }

    pub(super) fn width(self) -> f64 {
        self.high - self.low
    }

    /// How far a number is from all of these.
    pub(super) fn distances(self, from: f64) -> Self {
        Range::new(from - self.high, from - self.low)
    }

    pub(super) fn widened(self, by: f64) -> Self {
        Range::new(self.low - by, self.high + by)
    }

    /// What of it lies within `limits`.
    pub(super) fn within(self, limits: Self) -> Self {
        Range::new(
            self.low.clamp(limits.low, limits.high),
            self.high.clamp(limits.low, limits.high),
        )
    }

    pub(super) fn scaled(self, by: f64) -> Self {
        Range::new(self.low * by, self.high * by)
    }

    pub(super) fn plus(self, number: f64) -> Self {
        Range::new(self.low + number, self.high + number)
    }

    pub(super) fn times(self, other: Self) -> Self {
        let products = [self.low, self.high].map(|a| [a * other.low, a * other.high]);
        let products = products.as_flattened();
        let low = products.iter().copied().fold(f64::INFINITY, f64::min);
        let high = products.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        Range::new(low, high)
    }

    pub(super) fn squared(self) -> Self {
        let (a, b) = (self.low * self.low, self.high * self.high);
        let least = if self.low <= 0.0 && self.high >= 0.0 { 0.0 } else { a.min(b) };
        Range::new(least, a.max(b))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_and_squares_hold_those_of_all_members() {
        let ranges = [(-2.0, -1.0), (-1.0, 3.0), (0.0, 0.5), (2.0, 4.0)];
        for (a, b) in ranges {
            let x = Range::new(a, b);
            assert_eq!(
                x.squared().low,
                if a <= 0.0 && b >= 0.0 { 0.0 } else { (a * a).min(b * b) }
            );
            assert_eq!(x.squared().high, (a * a).max(b * b));
            for (c, d) in ranges {
                let product = x.times(Range::new(c, d));
                for i in 0..=10 {
                    for j in 0..=10 {
                        let (s, t) = (f64::from(i) / 10.0, f64::from(j) / 10.0);
                        let value = (a + (b - a) * s) * (c + (d - c) * t);
                        assert!(value >= product.low - 1e-12 && value <= product.high + 1e-12);
                    }
                }
                let corners = [a * c, a * d, b * c, b * d];
                assert!(corners.contains(&product.low) && corners.contains(&product.high));
            }
        }
    }
}
