//! Histograms and sums by group, where the keys are secret.

use crate::error::{Error, Result};
use crate::field::Ring;
use crate::party::Party;
use crate::protocol::Ordered;
use crate::security::Scheme;
use crate::sharing::ShareVec;

/// The groups of secret keys, one to a row in ascending order of keys; as many rows as there were
/// elements, and rows that are no group hold zeros.
///
/// Where the rows with a group stand tells how large the groups are: shuffle the columns before
/// opening [`present`](Groups::present).
#[derive(Debug)]
#[must_use]
pub struct Groups<R: Ring, S> {
    /// The key of the group.
    pub keys: ShareVec<R, S>,
    /// The sum of its values.
    pub sums: ShareVec<R, S>,
    /// How many elements it has.
    pub counts: ShareVec<R, S>,
    /// 1 where the row is a group.
    pub present: ShareVec<R, S>,
}

impl<R: Ordered, S: Scheme<R>> Party<R, S> {
    /// How many elements fall into each of the bins between ascending public `edges`: bin i holds
    /// `edges[i]` ≤ x < `edges[i + 1]`.
    ///
    /// # Errors
    ///
    /// As [`less_than`](Party::less_than).
    pub async fn histogram(&mut self, x: &ShareVec<R, S>, edges: &[i64]) -> Result<ShareVec<R, S>> {
        let counts = self.below_each(x, edges).await?;
        let mut bins = self.public(&[]);
        for pair in counts.windows(2) {
            bins = bins.chain(&(&pair[1] - &pair[0]));
        }
        Ok(bins)
    }

    /// How many elements are below each of the public limits.
    pub(super) async fn below_each(
        &mut self,
        x: &ShareVec<R, S>,
        limits: &[i64],
    ) -> Result<Vec<ShareVec<R, S>>> {
        let length = x.checked()?.len();
        let values: Vec<usize> = limits.iter().flat_map(|_| 0..length).collect();
        let each = |limit: &i64| std::iter::repeat_n(R::from_i128((*limit).into()), length);
        let public = self.public(&limits.iter().flat_map(each).collect::<Vec<_>>());
        let below = self.less_than(&x.gather(&values), &public).await?;
        let counts =
            (0..limits.len()).map(|i| below.slice(i * length..(i + 1) * length).total()).collect();
        Ok(counts)
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

    /// The sum of values and the number of elements of each group, where nobody knows which groups
    /// there are: sorted by key, and added up along runs of equal keys in logarithmically many rounds.
    ///
    /// # Errors
    ///
    /// [`Error::LengthMismatch`]; as [`sorted_with`](Party::sorted_with).
    ///
    /// # Example
    ///
    /// ```
    /// use smpc_shares::{Party, field::Mersenne127 as F, net::{Config, simulate}};
    ///
    /// let opened = simulate(Config::shamir(3, 1), async |party: &mut Party<F>| {
    ///     let (keys, values) = ([4, 9, 4, 9, 4].map(F::from), [1, 2, 3, 4, 5].map(F::from));
    ///     let (keys, values) = (party.public(&keys), party.public(&values));
    ///     let groups = party.group_by(&keys, &values).await?;
    ///     let columns = [groups.keys, groups.sums, groups.present];
    ///     let shuffled = party.shuffle(&columns).await?;
    ///     let present = party.open(&shuffled[2]).await?;
    ///     let rows: Vec<usize> = (0..5).filter(|row| present[*row] == F::from(1)).collect();
    ///     let (keys, sums) = (shuffled[0].gather(&rows), shuffled[1].gather(&rows));
    ///     party.open(&keys.chain(&sums)).await
    /// })?;
    /// let mut rows = [(opened[0][0], opened[0][2]), (opened[0][1], opened[0][3])];
    /// rows.sort_by_key(|(key, _)| *key == F::from(9));
    /// assert_eq!(rows, [(F::from(4), F::from(9)), (F::from(9), F::from(6))]);
    /// # Ok::<(), smpc_shares::Error>(())
    /// ```
    pub async fn group_by(
        &mut self,
        keys: &ShareVec<R, S>,
        values: &ShareVec<R, S>,
    ) -> Result<Groups<R, S>> {
        let (keys, mut sorted) = self.sorted_with(keys, std::slice::from_ref(values)).await?;
        let mut sums = sorted.pop().ok_or(Error::Poisoned)?;
        let n = keys.len();
        let mut counts = self.public(&vec![R::ONE; n]);
        if n == 0 {
            return Ok(Groups { present: counts.clone(), keys, sums, counts });
        }
        // Whether a row has the key of the one before; the first has not.
        let same = self.equal(&keys.slice(1..n), &keys.slice(0..n - 1)).await?;
        let none = self.public(&[R::ZERO]);
        // Hillis, Steele 1986: after a step each row has the sum of its run over twice as many rows,
        // and whether all of those are of its run.
        let mut run = none.chain(&same);
        let mut reach = 1;
        while reach < n {
            let (low, high) = (0..n - reach, reach..n);
            let upper = run.slice(high.clone());
            let (s, c, r) =
                (sums.slice(low.clone()), counts.slice(low.clone()), run.slice(low.clone()));
            let products = self.multiply_all(&[(&upper, &s), (&upper, &c), (&upper, &r)]).await?;
            let [more, further, longer] = &products[..] else { return Err(Error::Poisoned) };
            sums = sums.slice(0..reach).chain(&(sums.slice(high.clone()) + more));
            counts = counts.slice(0..reach).chain(&(counts.slice(high) + further));
            run = run.slice(0..reach).chain(longer);
            reach *= 2;
        }
        // The last row of each run has its whole sum.
        let present = -same.chain(&none) + 1;
        let columns = [(&present, &keys), (&present, &sums), (&present, &counts)];
        let [keys, sums, counts] =
            self.multiply_all(&columns).await?.try_into().map_err(|_| Error::Poisoned)?;
        Ok(Groups { keys, sums, counts, present })
    }
}
