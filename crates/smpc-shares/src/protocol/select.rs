//! Choosing by secret conditions: selection, extremes, lookup.

use crate::error::{Error, Result};
use crate::field::Ring;
use crate::party::Party;
use crate::protocol::Ordered;
use crate::security::Scheme;
use crate::sharing::ShareVec;

impl<R: Ring, S: Scheme<R>> Party<R, S> {
    /// `yes` where the condition is 1, `no` where it is 0. One product.
    ///
    /// # Errors
    ///
    /// As [`multiply`](Party::multiply).
    pub async fn if_else(
        &mut self,
        condition: &ShareVec<R, S>,
        yes: &ShareVec<R, S>,
        no: &ShareVec<R, S>,
    ) -> Result<ShareVec<R, S>> {
        let difference = yes - no;
        Ok(no + self.multiply(condition, &difference).await?)
    }
}

impl<R: Ordered, S: Scheme<R>> Party<R, S> {
    /// The greatest element, a vector of length 1. Logarithmically many comparisons in a row.
    ///
    /// # Errors
    ///
    /// [`Error::TooFewShares`] for an empty vector; as [`less_than`](Party::less_than).
    pub async fn max(&mut self, x: &ShareVec<R, S>) -> Result<ShareVec<R, S>> {
        Ok(self.extreme(x, &[], false).await?.0)
    }

    /// The least element, a vector of length 1.
    ///
    /// # Errors
    ///
    /// As [`max`](Party::max).
    pub async fn min(&mut self, x: &ShareVec<R, S>) -> Result<ShareVec<R, S>> {
        Ok(self.extreme(x, &[], true).await?.0)
    }

    /// The place, counted from 0, of the first greatest element, and that element.
    ///
    /// # Errors
    ///
    /// As [`max`](Party::max).
    pub async fn argmax(&mut self, x: &ShareVec<R, S>) -> Result<(ShareVec<R, S>, ShareVec<R, S>)> {
        let places = self.places(x.len());
        let (value, mut beside) = self.extreme(x, &[places], false).await?;
        Ok((beside.pop().ok_or(Error::Poisoned)?, value))
    }

    /// The place, counted from 0, of the first least element, and that element.
    ///
    /// # Errors
    ///
    /// As [`max`](Party::max).
    pub async fn argmin(&mut self, x: &ShareVec<R, S>) -> Result<(ShareVec<R, S>, ShareVec<R, S>)> {
        let places = self.places(x.len());
        let (value, mut beside) = self.extreme(x, &[places], true).await?;
        Ok((beside.pop().ok_or(Error::Poisoned)?, value))
    }

    pub(super) fn places(&self, length: usize) -> ShareVec<R, S> {
        let places: Vec<R> = (0..length as u128).map(R::from_u128).collect();
        self.public(&places)
    }

    /// A tournament: the extreme key with what stands beside it. The earlier of equal keys wins.
    async fn extreme(
        &mut self,
        keys: &ShareVec<R, S>,
        beside: &[ShareVec<R, S>],
        least: bool,
    ) -> Result<(ShareVec<R, S>, Vec<ShareVec<R, S>>)> {
        keys.checked()?;
        if keys.is_empty() {
            return Err(Error::TooFewShares { needed: 1, given: 0 });
        }
        let mut columns = vec![keys.clone()];
        columns.extend_from_slice(beside);
        while columns[0].len() > 1 {
            let length = columns[0].len();
            let first: Vec<usize> = (0..length / 2).map(|i| 2 * i).collect();
            let second: Vec<usize> = first.iter().map(|i| i + 1).collect();
            let (a, b) = (columns[0].gather(&first), columns[0].gather(&second));
            let later_wins =
                if least { self.less_than(&b, &a).await? } else { self.less_than(&a, &b).await? };
            let differences: Vec<_> =
                columns.iter().map(|c| c.gather(&second) - c.gather(&first)).collect();
            let pairs: Vec<_> = differences.iter().map(|d| (&later_wins, d)).collect();
            let steps = self.multiply_all(&pairs).await?;
            for (column, step) in columns.iter_mut().zip(steps) {
                let mut next = column.gather(&first) + step;
                if length % 2 == 1 {
                    next = next.chain(&column.at(length - 1));
                }
                *column = next;
            }
        }
        let key = columns.remove(0);
        Ok((key, columns))
    }

    /// The element at a secret place, counted from 0; zero if there is none such.
    ///
    /// # Errors
    ///
    /// As [`less_than`](Party::less_than).
    pub async fn lookup(
        &mut self,
        x: &ShareVec<R, S>,
        place: &ShareVec<R, S>,
    ) -> Result<ShareVec<R, S>> {
        let places = self.places(x.len());
        let hit = self.equal(&place.repeated(x.len()), &places).await?;
        self.dot(&hit, x).await
    }

    /// The place of the first element that equals the secret, or the length if there is none.
    ///
    /// # Errors
    ///
    /// As [`less_than`](Party::less_than).
    pub async fn find(
        &mut self,
        x: &ShareVec<R, S>,
        wanted: &ShareVec<R, S>,
    ) -> Result<ShareVec<R, S>> {
        let hit = self.equal(&wanted.repeated(x.len()), x).await?;
        let seen = hit.cumulative();
        // As long as nothing was seen, one more place is passed.
        let zero = self.public(&vec![R::ZERO; x.len()]);
        Ok(self.equal(&seen, &zero).await?.total())
    }
}
