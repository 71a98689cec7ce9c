//! Sorting networks: sorting, the largest and smallest, and shuffling by random keys.

use crate::error::{Error, Result};
use crate::party::Party;
use crate::protocol::{Ordered, Way};
use crate::security::Scheme;
use crate::sharing::ShareVec;

/// Comparators that run together: each place is in one of them at most.
type Layer = Vec<(usize, usize)>;

/// The comparators of Batcher's merge exchange for any length (Knuth, TAOCP 3, 5.2.2M), layer by
/// layer; the pairs of a layer are disjoint.
fn network(length: usize) -> Vec<Layer> {
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

/// The comparators on which the `wanted` places at the end depend.
fn pruned(mut layers: Vec<Layer>, length: usize, wanted: &[usize]) -> Vec<Layer> {
    let mut needed = vec![false; length];
    for place in wanted {
        needed[*place] = true;
    }
    for layer in layers.iter_mut().rev() {
        layer.retain(|(low, high)| needed[*low] || needed[*high]);
        for (low, high) in layer {
            (needed[*low], needed[*high]) = (true, true);
        }
    }
    layers.retain(|layer| !layer.is_empty());
    layers
}

impl<R: Ordered, S: Scheme<R>> Party<R, S> {
    /// Keys and what stands beside them, of one length.
    fn columns(keys: &ShareVec<R, S>, beside: &[ShareVec<R, S>]) -> Result<Vec<ShareVec<R, S>>> {
        let length = keys.checked()?.len();
        let mut columns = vec![keys.clone()];
        for column in beside {
            if column.checked()?.len() != length {
                return Err(Error::LengthMismatch { left: length, right: column.len() });
            }
            columns.push(column.clone());
        }
        Ok(columns)
    }

    /// Runs comparators on the first column, whose differences are integers of `bits` bits, and moves
    /// the others with it.
    async fn compare_exchange(
        &mut self,
        columns: &mut [ShareVec<R, S>],
        layers: &[Layer],
        bits: u32,
    ) -> Result<()> {
        let Some(length) = columns.first().map(ShareVec::len) else { return Ok(()) };
        for layer in layers {
            let (low, high): (Vec<usize>, Vec<usize>) = layer.iter().copied().unzip();
            let difference = columns[0].gather(&high) - columns[0].gather(&low);
            let swap = R::Way::negative(self, &difference, bits).await?;
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
        Ok(())
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
        let mut columns = Self::columns(keys, beside)?;
        let bits = self.core.integer_bits + 1;
        self.compare_exchange(&mut columns, &network(keys.len()), bits).await?;
        let keys = columns.remove(0);
        Ok((keys, columns))
    }

    /// The `count` greatest keys from the greatest down, and what stands beside them.
    ///
    /// The comparators of a sorting network on which they depend: fewer than sorting everything takes.
    ///
    /// # Errors
    ///
    /// [`Error::TooFewShares`] for more than there are; as [`sorted_with`](Party::sorted_with).
    pub async fn largest(
        &mut self,
        keys: &ShareVec<R, S>,
        beside: &[ShareVec<R, S>],
        count: usize,
    ) -> Result<(ShareVec<R, S>, Vec<ShareVec<R, S>>)> {
        let places: Vec<usize> = (0..keys.len()).rev().take(count).collect();
        self.extremes(keys, beside, count, &places).await
    }

    /// The `count` least keys from the least up, and what stands beside them.
    ///
    /// # Errors
    ///
    /// As [`largest`](Party::largest).
    pub async fn smallest(
        &mut self,
        keys: &ShareVec<R, S>,
        beside: &[ShareVec<R, S>],
        count: usize,
    ) -> Result<(ShareVec<R, S>, Vec<ShareVec<R, S>>)> {
        let places: Vec<usize> = (0..keys.len()).take(count).collect();
        self.extremes(keys, beside, count, &places).await
    }

    async fn extremes(
        &mut self,
        keys: &ShareVec<R, S>,
        beside: &[ShareVec<R, S>],
        count: usize,
        places: &[usize],
    ) -> Result<(ShareVec<R, S>, Vec<ShareVec<R, S>>)> {
        let mut columns = Self::columns(keys, beside)?;
        let length = keys.len();
        if count > length {
            return Err(Error::TooFewShares { needed: count, given: length });
        }
        let layers = pruned(network(length), length, places);
        let bits = self.core.integer_bits + 1;
        self.compare_exchange(&mut columns, &layers, bits).await?;
        let mut columns: Vec<_> = columns.iter().map(|column| column.gather(places)).collect();
        let keys = columns.remove(0);
        Ok((keys, columns))
    }

    /// The rows of the columns in a random order that nobody knows, at every level of security:
    /// sorted by shared random keys of 40 bits more than it takes to keep them apart.
    ///
    /// [`shuffle`](Party::shuffle) is much cheaper, in passive security.
    ///
    /// # Security
    ///
    /// Uniform up to a statistical distance of 2^-40, the probability that two keys are equal; made of
    /// products and comparisons alone, and so as secure as they are.
    ///
    /// # Errors
    ///
    /// [`Error::FieldTooSmall`] unless the field has room to compare the keys;
    /// [`Error::LengthMismatch`]; as [`less_than`](Party::less_than).
    pub async fn shuffle_by_sorting(
        &mut self,
        columns: &[ShareVec<R, S>],
    ) -> Result<Vec<ShareVec<R, S>>> {
        let Some(first) = columns.first() else { return Ok(Vec::new()) };
        let rows = first.checked()?.len();
        // P[two of n keys of b bits are equal] < n²/2^(b+1).
        let bits = 2 * (usize::BITS - rows.leading_zeros()) + 40;
        if bits + 1 > R::BITS.min(120) {
            return Err(Error::FieldTooSmall { need_bits: bits + 1, have_bits: R::BITS });
        }
        let keys = self.getrandbits(rows, bits).await?;
        let mut columns = Self::columns(&keys, columns)?;
        self.compare_exchange(&mut columns, &network(rows), bits + 1).await?;
        Ok(columns.split_off(1))
    }

    /// Shuffled by the cheapest way that this level of security has.
    pub(super) async fn shuffled(&mut self, column: &ShareVec<R, S>) -> Result<ShareVec<R, S>> {
        let columns = std::slice::from_ref(column);
        let mut shuffled = if S::ACTIVE {
            self.shuffle_by_sorting(columns).await?
        } else {
            self.shuffle(columns).await?
        };
        shuffled.pop().ok_or(Error::Poisoned)
    }
}

#[cfg(test)]
mod tests {
    use super::{network, pruned};

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

    #[test]
    fn a_pruned_network_gives_the_wanted_places_and_costs_less() {
        for length in 1..=10usize {
            for count in 1..=length {
                let largest: Vec<usize> = (0..length).rev().take(count).collect();
                let layers = pruned(network(length), length, &largest);
                for word in 0u32..1 << length {
                    let mut bits: Vec<u32> = (0..length).map(|i| word >> i & 1).collect();
                    let mut sorted = bits.clone();
                    sorted.sort_unstable();
                    for (a, b) in layers.iter().flatten() {
                        if bits[*a] > bits[*b] {
                            bits.swap(*a, *b);
                        }
                    }
                    assert!(largest.iter().all(|place| bits[*place] == sorted[*place]));
                }
            }
        }
        let cost = |layers: Vec<super::Layer>| layers.iter().map(Vec::len).sum::<usize>();
        let (few, all) = (cost(pruned(network(1000), 1000, &[999])), cost(network(1000)));
        assert!(few < all / 3, "{few} of {all}");
    }
}
