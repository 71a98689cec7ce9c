//! Statistics of shared integers, with the names of Python's `statistics`.
//!
//! Results are shared: nothing is opened. Integer results are rounded to the nearest (halves up),
//! where Python returns a fraction. Numbers must be integers of the session's size, and sums must fit
//! into `bits` where a function takes it; a field without room is refused before a message is sent.

use crate::error::{Error, Result};
use crate::party::Party;
use crate::protocol::{Ordered, Way};
use crate::security::Scheme;
use crate::sharing::ShareVec;

fn at_least(length: usize, needed: usize) -> Result<()> {
    if length >= needed { Ok(()) } else { Err(Error::TooFewShares { needed, given: length }) }
}

fn log2(length: usize) -> u32 {
    usize::BITS - length.leading_zeros()
}

impl<R: Ordered, S: Scheme<R>> Party<R, S> {
    /// The mean, rounded to the nearest integer. A vector of length 1.
    ///
    /// # Errors
    ///
    /// [`Error::TooFewShares`] for no data; as [`divide_public`](Party::divide_public).
    pub async fn mean(&mut self, x: &ShareVec<R, S>) -> Result<ShareVec<R, S>> {
        at_least(x.checked()?.len(), 1)?;
        let n = x.len();
        let bits = self.core.integer_bits + log2(n) + 1;
        let sum = x.total().plus_public(&[R::from_u128(n as u128 / 2)]);
        self.long_divide_public(&sum, n as u64, bits).await
    }

    /// n·Σxy - Σx·Σy, for variances and covariances: exact, before any division.
    async fn moment(&mut self, x: &ShareVec<R, S>, y: &ShareVec<R, S>) -> Result<ShareVec<R, S>> {
        let n = x.len();
        let dot = self.dot(x, y).await?;
        let product = self.multiply(&x.total(), &y.total()).await?;
        Ok(dot.scaled(R::from_u128(n as u128)) - product)
    }

    /// Bits of a [`moment`](Self::moment), with its sign.
    fn moment_bits(&self, n: usize) -> u32 {
        2 * (self.core.integer_bits - 1) + 2 * log2(n) + 1
    }

    async fn moment_over(
        &mut self,
        x: &ShareVec<R, S>,
        y: &ShareVec<R, S>,
        divisor: u64,
    ) -> Result<ShareVec<R, S>> {
        let bits = self.moment_bits(x.len());
        let moment = self.moment(x, y).await?.plus_public(&[R::from_u128(u128::from(divisor / 2))]);
        // Long division by a public number: half the field that `divide_public` needs.
        self.long_divide_public(&moment, divisor, bits).await
    }

    /// floor(x / d) for signed x of `bits` bits, by comparisons with multiples of d.
    async fn long_divide_public(
        &mut self,
        x: &ShareVec<R, S>,
        divisor: u64,
        bits: u32,
    ) -> Result<ShareVec<R, S>> {
        if 2 * bits + 2 + self.core.mask_bits + 4 <= R::BITS {
            return self.divide_public(x, divisor, bits).await;
        }
        let size = u64::BITS - divisor.leading_zeros();
        let steps = (bits + 1).saturating_sub(size - 1);
        // Everything is moved to the positive side by a multiple of the divisor.
        let shift = 1u128 << steps;
        let d = u128::from(divisor);
        let mut rest = x.plus_public(&vec![R::from_u128(d * shift); x.len()]);
        let mut quotient = x.scaled(R::ZERO);
        for bit in (0..steps + 2).rev() {
            let multiple = R::from_u128(d << bit);
            let less =
                R::Way::negative(self, &rest.plus_public(&vec![-multiple; x.len()]), bits + 4)
                    .await?;
            let fits = -less + 1;
            rest -= &fits.scaled(multiple);
            quotient += &fits.scaled(R::from_u128(1 << bit));
        }
        Ok(quotient.plus_public(&vec![-R::from_u128(shift); x.len()]))
    }

    /// The sample variance, rounded to the nearest integer.
    ///
    /// # Errors
    ///
    /// [`Error::TooFewShares`] for fewer than two; [`Error::FieldTooSmall`].
    pub async fn variance(&mut self, x: &ShareVec<R, S>) -> Result<ShareVec<R, S>> {
        self.covariance(x, x).await
    }

    /// The population variance, rounded to the nearest integer.
    ///
    /// # Errors
    ///
    /// [`Error::TooFewShares`] for no data; [`Error::FieldTooSmall`].
    pub async fn pvariance(&mut self, x: &ShareVec<R, S>) -> Result<ShareVec<R, S>> {
        let n = x.checked()?.len() as u64;
        at_least(x.len(), 1)?;
        self.moment_over(x, x, n * n).await
    }

    /// The sample standard deviation: the root of the rounded variance, rounded down.
    ///
    /// # Errors
    ///
    /// As [`variance`](Party::variance).
    pub async fn stdev(&mut self, x: &ShareVec<R, S>) -> Result<ShareVec<R, S>> {
        let variance = self.variance(x).await?;
        let bits = 2 * self.core.integer_bits;
        self.square_root(&variance, bits).await
    }

    /// The population standard deviation: the root of the rounded variance, rounded down.
    ///
    /// # Errors
    ///
    /// As [`pvariance`](Party::pvariance).
    pub async fn pstdev(&mut self, x: &ShareVec<R, S>) -> Result<ShareVec<R, S>> {
        let variance = self.pvariance(x).await?;
        let bits = 2 * self.core.integer_bits;
        self.square_root(&variance, bits).await
    }

    /// The sample covariance, rounded to the nearest integer.
    ///
    /// # Errors
    ///
    /// [`Error::TooFewShares`] for fewer than two pairs; [`Error::LengthMismatch`];
    /// [`Error::FieldTooSmall`].
    pub async fn covariance(
        &mut self,
        x: &ShareVec<R, S>,
        y: &ShareVec<R, S>,
    ) -> Result<ShareVec<R, S>> {
        let n = x.checked()?.len() as u64;
        at_least(x.len(), 2)?;
        self.moment_over(x, y, n * (n - 1)).await
    }

    /// |numerator|·2^fraction / denominator with the numerator's sign, rounded towards zero.
    async fn ratio(
        &mut self,
        numerator: &ShareVec<R, S>,
        denominator: &ShareVec<R, S>,
        bits: u32,
        fraction: u32,
    ) -> Result<ShareVec<R, S>> {
        let sign = -R::Way::negative(self, numerator, bits).await? * 2 + 1;
        let magnitude = self.multiply(&sign, numerator).await?;
        // The whole part first, then the fraction bit by bit.
        let mut rest = magnitude;
        let mut quotient = rest.scaled(R::ZERO);
        let whole = self.core.integer_bits;
        for bit in (0..whole).rev() {
            let shifted = denominator.scaled(R::from_u128(1 << bit));
            let less = R::Way::negative(self, &(&rest - &shifted), bits + whole + 1).await?;
            let fits = -less + 1;
            rest -= &self.multiply(&fits, &shifted).await?;
            quotient += &fits.scaled(R::from_u128(1 << bit));
        }
        for _ in 0..fraction {
            rest = rest * 2;
            let less = R::Way::negative(self, &(&rest - denominator), bits + 2).await?;
            let fits = -less + 1;
            rest -= &self.multiply(&fits, denominator).await?;
            quotient = quotient * 2 + fits;
        }
        self.multiply(&quotient, &sign).await
    }

    /// The slope and intercept of the least-squares line, as fixed-point numbers with `fraction` bits.
    /// The slope is rounded towards zero; the intercept is (Σy·2^fraction - slope·Σx)/n, rounded to
    /// the nearest.
    ///
    /// # Errors
    ///
    /// As [`covariance`](Party::covariance).
    pub async fn linear_regression(
        &mut self,
        x: &ShareVec<R, S>,
        y: &ShareVec<R, S>,
        fraction: u32,
    ) -> Result<(ShareVec<R, S>, ShareVec<R, S>)> {
        at_least(x.checked()?.len(), 2)?;
        let n = x.len();
        let bits = self.moment_bits(n);
        let xy = self.moment(x, y).await?;
        let xx = self.moment(x, x).await?;
        let slope = self.ratio(&xy, &xx, bits, fraction).await?;
        let explained = self.multiply(&slope, &x.total()).await?;
        let rest = y.total().scaled(R::from_u128(1 << fraction)) - explained;
        let rest = rest.plus_public(&[R::from_u128(n as u128 / 2)]);
        let bits = 2 * self.core.integer_bits + fraction + log2(n);
        let intercept = self.long_divide_public(&rest, n as u64, bits).await?;
        Ok((slope, intercept))
    }

    /// Pearson's correlation, as a fixed-point number with `fraction` bits. The roots of the two
    /// moments are rounded down, which makes its magnitude too large by a factor of at most
    /// 1 + 2/(the smaller root).
    ///
    /// # Errors
    ///
    /// As [`covariance`](Party::covariance).
    pub async fn correlation(
        &mut self,
        x: &ShareVec<R, S>,
        y: &ShareVec<R, S>,
        fraction: u32,
    ) -> Result<ShareVec<R, S>> {
        at_least(x.checked()?.len(), 2)?;
        let bits = self.moment_bits(x.len());
        let xy = self.moment(x, y).await?;
        let (xx, yy) = (self.moment(x, x).await?, self.moment(y, y).await?);
        let roots = self.square_root(&xx.chain(&yy), bits).await?;
        let product = self.multiply(&roots.at(0), &roots.at(1)).await?;
        self.ratio(&xy, &product, bits, fraction).await
    }

    /// The middle element, or the lower of the two.
    ///
    /// # Errors
    ///
    /// [`Error::TooFewShares`] for no data; as [`sorted`](Party::sorted).
    pub async fn median_low(&mut self, x: &ShareVec<R, S>) -> Result<ShareVec<R, S>> {
        at_least(x.checked()?.len(), 1)?;
        Ok(self.sorted(x).await?.at((x.len() - 1) / 2))
    }

    /// The middle element, or the upper of the two.
    ///
    /// # Errors
    ///
    /// As [`median_low`](Party::median_low).
    pub async fn median_high(&mut self, x: &ShareVec<R, S>) -> Result<ShareVec<R, S>> {
        at_least(x.checked()?.len(), 1)?;
        Ok(self.sorted(x).await?.at(x.len() / 2))
    }

    /// The middle element, or the mean of the two rounded down.
    ///
    /// # Errors
    ///
    /// As [`median_low`](Party::median_low).
    pub async fn median(&mut self, x: &ShareVec<R, S>) -> Result<ShareVec<R, S>> {
        at_least(x.checked()?.len(), 1)?;
        let sorted = self.sorted(x).await?;
        let (low, high) = (sorted.at((x.len() - 1) / 2), sorted.at(x.len() / 2));
        if x.len() % 2 == 1 {
            return Ok(low);
        }
        let bits = self.core.integer_bits + 1;
        R::Way::shifted(self, &(low + high), bits, 1).await
    }

    /// The n - 1 cut points between `n` groups of equal size, by Python's exclusive method; fractions
    /// are rounded to the nearest.
    ///
    /// # Errors
    ///
    /// [`Error::TooFewShares`] for fewer than two; [`Error::Parameter`] for no groups.
    pub async fn quantiles(&mut self, x: &ShareVec<R, S>, n: usize) -> Result<ShareVec<R, S>> {
        at_least(x.checked()?.len(), 2)?;
        if n == 0 {
            return Err(Error::Parameter {
                parameter: "the number of groups",
                requirement: "at least 1",
                given: 0,
            });
        }
        let sorted = self.sorted(x).await?;
        let m = x.len() + 1;
        let mut cuts = self.public(&[]);
        for i in 1..n {
            let j = (i * m / n).clamp(1, x.len() - 1);
            // Beyond the ends the line through the outermost two is prolonged.
            let delta = (i * m) as i128 - (j * n) as i128;
            let low = sorted.at(j - 1).scaled(R::from_i128(n as i128 - delta));
            let high = sorted.at(j).scaled(R::from_i128(delta));
            cuts = cuts.chain(&(low + high));
        }
        let rounded = cuts.plus_public(&vec![R::from_u128(n as u128 / 2); n - 1]);
        let bits = self.core.integer_bits + 2 * log2(m * n);
        self.long_divide_public(&rounded, n as u64, bits).await
    }

    /// The most frequent value; of equally frequent ones the one that occurs first. n² comparisons
    /// in two steps; nothing is revealed, ties neither.
    ///
    /// # Errors
    ///
    /// [`Error::TooFewShares`] for no data; as [`less_than`](Party::less_than).
    pub async fn mode(&mut self, x: &ShareVec<R, S>) -> Result<ShareVec<R, S>> {
        let n = x.checked()?.len();
        at_least(n, 1)?;
        let (mut left, mut right) = (Vec::new(), Vec::new());
        for i in 0..n {
            left.extend(std::iter::repeat_n(i, n));
            right.extend(0..n);
        }
        let same = self.equal(&x.gather(&left), &x.gather(&right)).await?;
        let mut counts = self.public(&[]);
        for i in 0..n {
            counts = counts.chain(&same.slice(i * n..(i + 1) * n).total());
        }
        let (place, _) = self.argmax(&counts).await?;
        self.lookup(x, &place).await
    }
}
