//! Choosing by secret conditions: selection, extremes, sorting, lookup.

use crate::error::{Error, Result};
use crate::field::Ring;
use crate::party::Party;
use crate::protocol::Ordered;
use crate::security::Scheme;
use crate::sharing::ShareVec;

/// The comparators of Batcher's merge exchange for any length (Knuth, TAOCP 3, 5.2.2M), layer by
/// layer; the pairs of a layer are disjoint.
fn network(length: usize) -> Vec<Vec<(usize, usize)>> {
    let mut layers = Vec::new();
    if length < 2 {
        return layers;
    }
    let top = length.next_power_of_two() / 2;
    let mut p = top;
    while p > 0 {
        let (mut q, mut r, mut d) = (top, 0, p);
        loop {
            layers.push((0..length - d).filter(|i| i & p == r).map(|i| (i, i + d)).collect());
            if q == p {
                break;
            }
            d = q - p;
            q /= 2;
            r = p;
        }
        p /= 2;
    }
    layers
}

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

    fn places(&self, length: usize) -> ShareVec<R, S> {
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

    /// The elements in ascending order.
    ///
    /// O(log² n) layers of comparisons; nothing is opened.
    ///
    /// # Errors
    ///
    /// As [`less_than`](Party::less_than).
    pub async fn sorted(&mut self, x: &ShareVec<R, S>) -> Result<ShareVec<R, S>> {
        Ok(self.sorted_with(x, &[]).await?.0)
    }

    /// The keys in ascending order, and the other columns in the order of their keys. Equal keys may
    /// come in any order.
    ///
    /// # Errors
    ///
    /// As [`less_than`](Party::less_than); [`Error::LengthMismatch`] for columns of another length.
    pub async fn sorted_with(
        &mut self,
        keys: &ShareVec<R, S>,
        beside: &[ShareVec<R, S>],
    ) -> Result<(ShareVec<R, S>, Vec<ShareVec<R, S>>)> {
        let length = keys.checked()?.len();
        let mut columns = vec![keys.clone()];
        for column in beside {
            if column.checked()?.len() != length {
                return Err(Error::LengthMismatch { left: length, right: column.len() });
            }
            columns.push(column.clone());
        }
        for layer in network(length) {
            let (low, high): (Vec<usize>, Vec<usize>) = layer.iter().copied().unzip();
            let (a, b) = (columns[0].gather(&low), columns[0].gather(&high));
            let swap = self.less_than(&b, &a).await?;
            let differences: Vec<_> =
                columns.iter().map(|c| c.gather(&high) - c.gather(&low)).collect();
            let pairs: Vec<_> = differences.iter().map(|d| (&swap, d)).collect();
            let steps = self.multiply_all(&pairs).await?;
            // Each place takes its old element or the result of its comparator.
            let mut source: Vec<usize> = (0..length).collect();
            for (i, (low, high)) in layer.iter().enumerate() {
                source[*low] = length + i;
                source[*high] = length + layer.len() + i;
            }
            for (column, step) in columns.iter_mut().zip(steps) {
                let lower = column.gather(&low) + &step;
                let upper = column.gather(&high) - &step;
                *column = column.chain(&lower).chain(&upper).gather(&source);
            }
        }
        let keys = columns.remove(0);
        Ok((keys, columns))
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

    /// How many elements fall into each of the bins between ascending public `edges`: bin i holds
    /// `edges[i]` ≤ x < `edges[i + 1]`.
    ///
    /// # Errors
    ///
    /// As [`less_than`](Party::less_than).
    pub async fn histogram(&mut self, x: &ShareVec<R, S>, edges: &[i64]) -> Result<ShareVec<R, S>> {
        let length = x.checked()?.len();
        let mut values = Vec::with_capacity(length * edges.len());
        let mut limits = Vec::with_capacity(length * edges.len());
        for edge in edges {
            values.extend(0..length);
            limits.extend(std::iter::repeat_n(R::from_i128(i128::from(*edge)), length));
        }
        let limits = self.public(&limits);
        let below = self.less_than(&x.gather(&values), &limits).await?;
        let counts: Vec<_> =
            (0..edges.len()).map(|i| below.slice(i * length..(i + 1) * length).total()).collect();
        let mut bins = self.public(&[]);
        for pair in counts.windows(2) {
            bins = bins.chain(&(&pair[1] - &pair[0]));
        }
        Ok(bins)
    }

    /// For each of the public `groups` the sum of the values whose key it is.
    ///
    /// # Errors
    ///
    /// As [`less_than`](Party::less_than); [`Error::LengthMismatch`].
    pub async fn group_sums(
        &mut self,
        keys: &ShareVec<R, S>,
        values: &ShareVec<R, S>,
        groups: &[i64],
    ) -> Result<ShareVec<R, S>> {
        let length = keys.checked()?.len();
        if values.checked()?.len() != length {
            return Err(Error::LengthMismatch { left: length, right: values.len() });
        }
        let mut repeated = Vec::with_capacity(length * groups.len());
        let mut wanted = Vec::with_capacity(length * groups.len());
        for group in groups {
            repeated.extend(0..length);
            wanted.extend(std::iter::repeat_n(R::from_i128(i128::from(*group)), length));
        }
        let wanted = self.public(&wanted);
        let member = self.equal(&keys.gather(&repeated), &wanted).await?;
        self.dot_groups(&member, &values.gather(&repeated), length.max(1)).await
    }
}

#[cfg(test)]
mod tests {
    use super::network;

    /// The zero-one principle: a network that sorts all words of zeros and ones sorts everything.
    #[test]
    fn the_network_sorts_every_word_of_bits() {
        for length in 0..=11usize {
            let layers = network(length);
            for layer in &layers {
                let mut places: Vec<usize> = layer.iter().flat_map(|(a, b)| [*a, *b]).collect();
                places.sort_unstable();
                assert!(places.windows(2).all(|pair| pair[0] < pair[1]), "disjoint");
            }
            for word in 0u32..1 << length {
                let mut bits: Vec<u32> = (0..length).map(|i| word >> i & 1).collect();
                for (a, b) in layers.iter().flatten() {
                    if bits[*a] > bits[*b] {
                        bits.swap(*a, *b);
                    }
                }
                assert!(bits.is_sorted());
            }
        }
    }
}
