//! Computing on columns without the private key.

use num_bigint::BigUint;
use num_traits::{One, Zero};
use privacy_core::random::SystemRng;

use super::{Ciphertext, CiphertextVec, Derived};
use crate::error::{Error, Result};
use crate::kernel::lanes::for_each_block;
use crate::kernel::{Batch, invert, multiexp};
use crate::key::{PublicKey, random_unit};
use crate::number::{Encoding, Scale, Value};

fn same_length(what: &'static str, given: usize, expected: usize) -> Result<()> {
    if given == expected { Ok(()) } else { Err(Error::Length { what, given, expected }) }
}

impl<S> CiphertextVec<S> {
    fn derive(&self, batch: Batch, scale: Scale, bound: BigUint) -> CiphertextVec<Derived> {
        CiphertextVec::of(&self.key, batch, scale, bound)
    }

    /// The same numbers, as ciphertexts that still must be blinded.
    pub(crate) fn derived(&self) -> CiphertextVec<Derived> {
        self.derive(self.batch.clone(), self.scale, self.bound.clone())
    }

    /// Adds number by number.
    ///
    /// Columns at different scales of one base are brought to the finer one first, exactly.
    ///
    /// # Errors
    ///
    /// [`Error::OtherKey`], [`Error::Length`], [`Error::ScaleMismatch`],
    /// [`Error::WouldOverflow`].
    pub fn add<T>(&self, other: &CiphertextVec<T>) -> Result<CiphertextVec<Derived>> {
        self.key.check_same(&other.key)?;
        same_length("the other column", other.len(), self.len())?;
        let (scale, left, right) = self.scale.align(other.scale)?;
        let bound = &self.bound * &left + &other.bound * &right;
        self.key.check_bound(&bound)?;
        let mut batch = multiplied(&self.key, &self.batch, &left);
        batch.mul_assign(self.key.ring(), &multiplied(&self.key, &other.batch, &right));
        Ok(self.derive(batch, scale, bound))
    }

    /// Subtracts number by number.
    ///
    /// # Errors
    ///
    /// As [`CiphertextVec::add`], and [`Error::Entropy`].
    pub fn sub<T>(&self, other: &CiphertextVec<T>) -> Result<CiphertextVec<Derived>> {
        self.add(&other.neg()?)
    }

    /// The negated numbers: one inversion for the column, and three products a number.
    ///
    /// # Errors
    ///
    /// [`Error::Entropy`], as the inversion is blinded with randomness of the operating system.
    pub fn neg(&self) -> Result<CiphertextVec<Derived>> {
        Ok(self.derive(inverted(&self.key, &self.batch)?, self.scale, self.bound.clone()))
    }

    /// Adds plain values number by number, encoded at this column's scale.
    ///
    /// # Errors
    ///
    /// [`Error::Length`], [`Error::WouldOverflow`], and as [`Encoding::encode`].
    pub fn add_plain(&self, values: &[impl Value]) -> Result<CiphertextVec<Derived>> {
        same_length("the values", values.len(), self.len())?;
        let encoding = Encoding::with_bound(self.scale, self.key.max_magnitude().clone());
        let values: Vec<_> = values.iter().map(|v| encoding.encode(v)).collect::<Result<_>>()?;
        let most = values.iter().map(|v| v.magnitude()).max().cloned().unwrap_or_default();
        let bound = &self.bound + most;
        self.key.check_bound(&bound)?;
        let residues: Vec<_> = values.iter().map(|v| self.key.residue(v)).collect();
        let mut batch = self.batch.clone();
        self.key.add_plain(&mut batch, &residues);
        Ok(self.derive(batch, self.scale, bound))
    }

    /// Multiplies number by number with secret weights of up to `bits` bits (at most 63) and a
    /// sign.
    ///
    /// # Errors
    ///
    /// [`Error::Length`], [`Error::Parameter`] for more bits, [`Error::OutOfBounds`] for a weight
    /// that is longer, [`Error::WouldOverflow`], [`Error::Entropy`] where a weight is negative.
    ///
    /// # Timing
    ///
    /// Depends on `bits` and on whether any weight is negative, not on the weights. The bound of
    /// the result follows from `bits`.
    pub fn multiply(&self, weights: &[i64], bits: u32) -> Result<CiphertextVec<Derived>> {
        same_length("the weights", weights.len(), self.len())?;
        check_weights(weights, bits)?;
        let bound = &self.bound << bits;
        self.key.check_bound(&bound)?;
        let ring = self.key.ring();
        let lanes = ring.lanes();
        let mut bases = self.batch.clone();
        if weights.iter().any(|w| *w < 0) {
            // In each lane the number or its inverse, without a branch.
            let inverse = inverted(&self.key, &bases)?;
            let inverse: Vec<&[u64]> = inverse.blocks().collect();
            for_each_block(ring, &mut bases, |i, block, _| {
                let mut table = crate::kernel::Words::zeroed(2 * block.len());
                table[..block.len()].copy_from_slice(block);
                table[block.len()..].copy_from_slice(inverse[i]);
                let sign = std::array::from_fn(|lane| {
                    weights.get(i * lanes + lane).map_or(0, |w| (*w as u64) >> 63)
                });
                ring.select(block, &table, &sign);
            });
        }
        for_each_block(ring, &mut bases, |i, block, scratch| {
            let exponents: Vec<[u64; 1]> = (0..lanes)
                .map(|lane| [weights.get(i * lanes + lane).map_or(0, |w| w.unsigned_abs())])
                .collect();
            let exponents: Vec<&[u64]> = exponents.iter().map(|e| &e[..]).collect();
            let power = ring.pow(block, &exponents, bits as usize, scratch);
            block.copy_from_slice(&power);
        });
        Ok(self.derive(bases, self.scale, bound))
    }

    /// Multiplies all numbers by one public integer of any size.
    ///
    /// # Errors
    ///
    /// [`Error::WouldOverflow`], [`Error::Entropy`] for a negative factor.
    ///
    /// # Timing
    ///
    /// Depends on the factor.
    pub fn multiply_all_vartime(
        &self,
        factor: &num_bigint::BigInt,
    ) -> Result<CiphertextVec<Derived>> {
        let bound = &self.bound * factor.magnitude();
        self.key.check_bound(&bound)?;
        let negative = factor.sign() == num_bigint::Sign::Minus;
        let inverse;
        let base = if negative {
            inverse = inverted(&self.key, &self.batch)?;
            &inverse
        } else {
            &self.batch
        };
        Ok(self.derive(multiplied(&self.key, base, factor.magnitude()), self.scale, bound))
    }

    /// Multiplies all numbers by one public value: the scale becomes finer by that of `factor`.
    ///
    /// # Errors
    ///
    /// As [`CiphertextVec::multiply_all_vartime`], [`Error::ScaleMismatch`], and as
    /// [`Encoding::encode`].
    ///
    /// # Timing
    ///
    /// Depends on the factor.
    pub fn multiply_encoded_vartime(
        &self,
        factor: &impl Value,
        encoding: &Encoding,
    ) -> Result<CiphertextVec<Derived>> {
        let scale = self.scale.times(encoding.scale())?;
        let mantissa = encoding.encode(factor)?;
        Ok(CiphertextVec { scale, ..self.multiply_all_vartime(&mantissa)? })
    }

    /// The sum of all numbers.
    ///
    /// # Errors
    ///
    /// [`Error::WouldOverflow`].
    pub fn sum(&self) -> Result<Ciphertext<Derived>> {
        let bound = &self.bound * self.len();
        self.key.check_bound(&bound)?;
        let batch = multiexp::product(self.key.ring(), &self.batch);
        Ok(Ciphertext(self.derive(batch, self.scale, bound)))
    }

    /// The sum of each number and all before it.
    ///
    /// # Errors
    ///
    /// [`Error::WouldOverflow`].
    pub fn running_sums(&self) -> Result<CiphertextVec<Derived>> {
        let bound = &self.bound * self.len();
        self.key.check_bound(&bound)?;
        let ring = self.key.ring();
        // One run to a lane, then what the runs before it add up to (Blelloch's scan).
        let lanes = ring.lanes();
        let length = self.len().div_ceil(lanes);
        let mut run = Batch::ones(ring, lanes);
        let mut out = Batch::ones(ring, self.len());
        for step in 0..length {
            let next = self.strided(lanes, length, step);
            run.mul_assign(ring, &next);
            for lane in 0..lanes {
                if lane * length + step < self.len() {
                    out.copy_from(ring, lane * length + step, &run, lane);
                }
            }
        }
        let mut offsets = Batch::ones(ring, lanes);
        let mut before = Batch::ones(ring, 1);
        for lane in 0..lanes {
            offsets.copy_from(ring, lane, &before, 0);
            before.mul_assign(ring, &run.gather(ring, std::iter::once(lane)));
        }
        let spread = offsets.gather(ring, (0..self.len()).map(|i| i / length));
        out.mul_assign(ring, &spread);
        Ok(self.derive(out, self.scale, bound))
    }

    fn strided(&self, lanes: usize, length: usize, step: usize) -> Batch {
        let ring = self.key.ring();
        let mut next = Batch::ones(ring, lanes);
        for lane in 0..lanes {
            if lane * length + step < self.len() {
                next.copy_from(ring, lane, &self.batch, lane * length + step);
            }
        }
        next
    }

    /// The sum of the numbers of each group, for the public group of each number; 0 for a group
    /// without numbers.
    ///
    /// # Errors
    ///
    /// [`Error::Length`], [`Error::Parameter`] for a group that is not below `groups`,
    /// [`Error::WouldOverflow`].
    ///
    /// # Timing
    ///
    /// Depends on the groups.
    pub fn group_sums(&self, group: &[usize], groups: usize) -> Result<CiphertextVec<Derived>> {
        same_length("the groups", group.len(), self.len())?;
        let mut lists = vec![Vec::new(); groups];
        for (i, group) in group.iter().enumerate() {
            let requirement = "below the number of groups";
            let list = lists.get_mut(*group);
            list.ok_or(Error::Parameter { parameter: "a group", requirement })?.push(i as u32);
        }
        let most = lists.iter().map(Vec::len).max().unwrap_or(0);
        let bound = &self.bound * most;
        self.key.check_bound(&bound)?;
        let batch = multiexp::products(self.key.ring(), &self.batch, &lists);
        Ok(self.derive(batch, self.scale, bound))
    }

    /// The dot product with secret weights of up to `bits` bits (at most 63) and a sign.
    ///
    /// # Errors
    ///
    /// As [`CiphertextVec::multiply`].
    ///
    /// # Timing
    ///
    /// As [`CiphertextVec::multiply`].
    pub fn dot(&self, weights: &[i64], bits: u32) -> Result<Ciphertext<Derived>> {
        same_length("the weights", weights.len(), self.len())?;
        check_weights(weights, bits)?;
        let bound = (&self.bound * self.len()) << bits;
        let dot = |weights: &[u64]| {
            multiexp::weighted(self.key.ring(), &self.batch, weights, bits as usize)
        };
        self.signed_dot(weights, bound, dot)
    }

    /// The dot product with public weights: several times faster than [`CiphertextVec::dot`], and
    /// with the bound that the weights give.
    ///
    /// # Errors
    ///
    /// [`Error::Length`], [`Error::WouldOverflow`], [`Error::Entropy`] where a weight is negative.
    ///
    /// # Timing
    ///
    /// Depends on the weights.
    pub fn dot_vartime(&self, weights: &[i64]) -> Result<Ciphertext<Derived>> {
        same_length("the weights", weights.len(), self.len())?;
        let total = weights.iter().map(|w| u128::from(w.unsigned_abs())).sum::<u128>();
        let bound = &self.bound * total;
        let dot = |weights: &[u64]| {
            let weights: Vec<&[u64]> = weights.iter().map(std::slice::from_ref).collect();
            multiexp::weighted_vartime(self.key.ring(), &self.batch, &weights)
        };
        self.signed_dot(weights, bound, dot)
    }

    fn signed_dot(
        &self,
        weights: &[i64],
        bound: BigUint,
        dot: impl Fn(&[u64]) -> Batch,
    ) -> Result<Ciphertext<Derived>> {
        self.key.check_bound(&bound)?;
        // Without branches on a weight: max(w, 0) and max(-w, 0).
        let part = |w: &i64, mask: i64| w.unsigned_abs() & mask as u64;
        let positive: Vec<u64> = weights.iter().map(|w| part(w, !(w >> 63))).collect();
        let mut batch = dot(&positive);
        if weights.iter().any(|w| *w < 0) {
            let negative: Vec<u64> = weights.iter().map(|w| part(w, w >> 63)).collect();
            let negative = inverted(&self.key, &dot(&negative))?;
            batch.mul_assign(self.key.ring(), &negative);
        }
        Ok(Ciphertext(self.derive(batch, self.scale, bound)))
    }

    /// The product of a secret matrix, given row by row, with this column.
    ///
    /// # Errors
    ///
    /// As [`CiphertextVec::dot`].
    ///
    /// # Timing
    ///
    /// As [`CiphertextVec::dot`].
    pub fn matrix_product(&self, rows: &[&[i64]], bits: u32) -> Result<CiphertextVec<Derived>> {
        let sums = rows.iter().map(|row| self.dot(row, bits)).collect::<Result<Vec<_>>>()?;
        self.stack(sums)
    }

    /// The product of a public matrix, given row by row, with this column.
    ///
    /// # Errors
    ///
    /// As [`CiphertextVec::dot_vartime`].
    ///
    /// # Timing
    ///
    /// Depends on the matrix.
    pub fn matrix_product_vartime(&self, rows: &[&[i64]]) -> Result<CiphertextVec<Derived>> {
        let sums = rows.iter().map(|row| self.dot_vartime(row)).collect::<Result<Vec<_>>>()?;
        self.stack(sums)
    }

    fn stack(&self, sums: Vec<Ciphertext<Derived>>) -> Result<CiphertextVec<Derived>> {
        let columns: Vec<CiphertextVec<Derived>> = sums.into_iter().map(|sum| sum.0).collect();
        CiphertextVec::concat(&columns)
    }

    /// The same values at a finer scale of the same base.
    ///
    /// # Errors
    ///
    /// [`Error::ScaleMismatch`], [`Error::Parameter`] for a coarser scale,
    /// [`Error::WouldOverflow`].
    pub fn rescale(&self, scale: Scale) -> Result<CiphertextVec<Derived>> {
        let (finer, factor, _) = self.scale.align(scale)?;
        if finer != scale && !(scale.digits() == 0 && factor.is_one()) {
            let requirement = "at least as fine as that of the column";
            return Err(Error::Parameter { parameter: "the new scale", requirement });
        }
        let rescaled = self.multiply_all_vartime(&factor.into())?;
        Ok(CiphertextVec { scale: finer, ..rescaled })
    }
}

fn check_weights(weights: &[i64], bits: u32) -> Result<()> {
    if bits == 0 || bits > 63 {
        return Err(Error::Parameter { parameter: "the bits of a weight", requirement: "1 to 63" });
    }
    // One pass without early exit; only whether any is too long shows.
    let high = weights.iter().fold(0, |high, w| high | (w.unsigned_abs() >> bits));
    if high == 0 { Ok(()) } else { Err(Error::OutOfBounds) }
}

/// `numbers^factor` for a public factor.
fn multiplied(key: &PublicKey, numbers: &Batch, factor: &BigUint) -> Batch {
    let mut out = numbers.clone();
    if factor.is_one() {
        return out;
    }
    if factor.is_zero() {
        return Batch::ones(key.ring(), numbers.len());
    }
    out.pow_vartime(key.ring(), &factor.to_u64_digits());
    out
}

fn inverted(key: &PublicKey, numbers: &Batch) -> Result<Batch> {
    let blind = random_unit(key, &mut SystemRng::new()?)?;
    // Ciphertexts are units: they were made here or checked on arrival.
    invert::invert(key.ring(), numbers, &blind).ok_or(Error::Malformed { what: "ciphertext" })
}
