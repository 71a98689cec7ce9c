//! Random draws that nobody knows, with the names of Python's `random`. Vectors are the unit: a draw
//! takes the number of draws first.

use crate::error::{Error, Result};
use crate::field::Ring;
use crate::party::Party;
use crate::protocol::base::Base;
use crate::protocol::{FixedPoint, Ordered};
use crate::security::Scheme;
use crate::sharing::ShareVec;

/// 1 where the number whose bits are `planes`, from the lowest, is below a public one.
pub(super) async fn below_public<R: Ring, S: Scheme<R>>(
    party: &mut Party<R, S>,
    planes: &[ShareVec<R, S>],
    thresholds: &[u64],
) -> Result<ShareVec<R, S>> {
    let (mut generate, mut propagate) = (Vec::new(), Vec::new());
    for (place, plane) in planes.iter().enumerate() {
        // A borrow: generated where the threshold's bit is 1 and the secret one 0, passed on where
        // they are equal.
        let bit = |threshold: &u64| R::from_u128((threshold >> place & 1).into());
        let threshold: Vec<R> = thresholds.iter().map(bit).collect();
        let negated: Vec<R> = threshold.iter().map(|bit| -*bit).collect();
        generate.push(plane.times_public(&negated).plus_public(&threshold));
        // equal = 1 - secret - bit + 2·bit·secret.
        let sign: Vec<R> = threshold.iter().map(|bit| *bit + *bit - R::ONE).collect();
        let rest: Vec<R> = threshold.iter().map(|bit| R::ONE - *bit).collect();
        propagate.push(plane.times_public(&sign).plus_public(&rest));
    }
    super::compare::carry(party, generate, propagate).await?.ok_or(Error::Poisoned)
}

impl<R: Ring, S: Scheme<R>> Party<R, S> {
    /// Uniform shared bits that nobody knows: the XOR of bits that the holders of each key know.
    ///
    /// # Errors
    ///
    /// As [`multiply`](Party::multiply).
    pub async fn random_bits(&mut self, length: usize) -> Result<ShareVec<R, S>> {
        let known = S::Base::known_bits(&mut self.core, length);
        let mut bits = Vec::with_capacity(known.len());
        for raw in known {
            bits.push(self.adopt(raw).await?);
        }
        while bits.len() > 1 {
            let odd = if bits.len() % 2 == 1 { bits.pop() } else { None };
            let pairs: Vec<_> = bits.chunks_exact(2).map(|pair| (&pair[0], &pair[1])).collect();
            let products = self.multiply_all(&pairs).await?;
            let xor = |(pair, product): (&[ShareVec<R, S>], ShareVec<R, S>)| {
                &pair[0] + &pair[1] - product * 2
            };
            let mut next: Vec<_> = bits.chunks_exact(2).zip(products).map(xor).collect();
            next.extend(odd);
            bits = next;
        }
        bits.pop().ok_or(Error::Poisoned)
    }

    /// Uniform bits as planes: plane i has bit i of each of `count` numbers.
    async fn random_planes(&mut self, count: usize, bits: u32) -> Result<Vec<ShareVec<R, S>>> {
        let all = self.random_bits(count * bits as usize).await?;
        Ok((0..bits as usize).map(|bit| all.slice(bit * count..(bit + 1) * count)).collect())
    }

    /// Opens what says nothing about a secret, once everything that led to it is checked.
    async fn open_flags(&mut self, flags: &ShareVec<R, S>) -> Result<Vec<bool>> {
        self.verify().await?;
        Ok(self.open_masked(flags).await?.into_iter().map(|flag| flag != R::ZERO).collect())
    }
}

fn assembled<R: Ring, S: Scheme<R>>(
    party: &Party<R, S>,
    planes: &[ShareVec<R, S>],
    count: usize,
) -> ShareVec<R, S> {
    let scaled = planes.iter().enumerate().map(|(i, plane)| plane.scaled(R::from_u128(1 << i)));
    scaled.fold(party.public(&vec![R::ZERO; count]), |sum, plane| sum + plane)
}

fn refuse(parameter: &'static str, requirement: &'static str, given: u64) -> Error {
    Error::Parameter { parameter, requirement, given }
}

impl<R: Ordered, S: Scheme<R>> Party<R, S> {
    /// Uniform integers of `bits` bits, from 0 up.
    ///
    /// # Errors
    ///
    /// [`Error::FieldTooSmall`] unless they are positive integers of the ring; as
    /// [`random_bits`](Party::random_bits).
    pub async fn getrandbits(&mut self, count: usize, bits: u32) -> Result<ShareVec<R, S>> {
        if bits >= R::BITS || bits > 126 {
            return Err(Error::FieldTooSmall { need_bits: bits + 1, have_bits: R::BITS });
        }
        let planes = self.random_planes(count, bits).await?;
        Ok(assembled(self, &planes, count))
    }

    /// Uniform integers from 0 to `bound` - 1, exactly: candidates that are not below the bound are
    /// drawn again. How many were is revealed, and says nothing about the others.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for a bound of 0; as [`getrandbits`](Party::getrandbits).
    pub async fn randrange(&mut self, count: usize, bound: u64) -> Result<ShareVec<R, S>> {
        let Some(most) = bound.checked_sub(1) else {
            return Err(refuse("the bound", "at least 1", 0));
        };
        let bits = u64::BITS - most.leading_zeros();
        if bits >= R::BITS {
            return Err(Error::FieldTooSmall { need_bits: bits + 1, have_bits: R::BITS });
        }
        let mut drawn = self.public(&[]);
        while drawn.len() < count {
            let missing = count - drawn.len();
            if bound.is_power_of_two() {
                drawn = self.getrandbits(missing, bits).await?;
                continue;
            }
            // More than half of the candidates are below; enough with few repetitions.
            let share = bound as f64 / f64::from(bits).exp2();
            let candidates = (missing as f64 / share * 1.1) as usize + 8;
            let planes = self.random_planes(candidates, bits).await?;
            let numbers = assembled(self, &planes, candidates);
            let good = below_public(self, &planes, &vec![bound; candidates]).await?;
            let good = self.open_flags(&good).await?;
            let places: Vec<usize> = (0..candidates).filter(|i| good[*i]).take(missing).collect();
            let kept = self.renewed(&numbers.gather(&places)).await?;
            drawn = self.renewed(&drawn).await?.chain(&kept);
        }
        Ok(drawn)
    }

    /// Uniform integers from `low` to `high`, both included.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] unless `low` ≤ `high`; as [`randrange`](Party::randrange).
    pub async fn randint(&mut self, count: usize, low: i64, high: i64) -> Result<ShareVec<R, S>> {
        let bound = (i128::from(high) - i128::from(low) + 1).try_into().unwrap_or(0);
        if bound == 0 {
            return Err(refuse(
                "the upper end",
                "not below the lower end, fewer than 2^64 away",
                0,
            ));
        }
        Ok(self.randrange(count, bound).await? + low)
    }

    /// Uniform multiples of 2^-fraction from 0 up to, but not including, 1.
    ///
    /// # Errors
    ///
    /// As [`getrandbits`](Party::getrandbits).
    pub async fn random_fixed(
        &mut self,
        count: usize,
        point: FixedPoint,
    ) -> Result<ShareVec<R, S>> {
        self.getrandbits(count, point.fraction()).await
    }

    /// Uniform multiples of 2^-fraction from `low` to `high`, both included.
    ///
    /// # Errors
    ///
    /// [`Error::Encoding`] for ends that are no fixed-point numbers; as [`randint`](Party::randint).
    pub async fn uniform(
        &mut self,
        count: usize,
        low: f64,
        high: f64,
        point: FixedPoint,
    ) -> Result<ShareVec<R, S>> {
        let (low, high) = (point.units(low)?, point.units(high)?);
        self.randint(count, low, high).await
    }

    /// One element, each as likely as the others.
    ///
    /// # Errors
    ///
    /// [`Error::TooFewShares`] of no elements; as [`sample`](Party::sample).
    pub async fn choice(&mut self, x: &ShareVec<R, S>) -> Result<ShareVec<R, S>> {
        self.sample(x, 1).await
    }

    /// `count` elements, drawn independently of each other.
    ///
    /// # Errors
    ///
    /// [`Error::TooFewShares`] of no elements; as [`randrange`](Party::randrange) and
    /// [`equal`](Party::equal).
    pub async fn choices(&mut self, x: &ShareVec<R, S>, count: usize) -> Result<ShareVec<R, S>> {
        let n = x.checked()?.len();
        if n == 0 {
            return Err(Error::TooFewShares { needed: 1, given: 0 });
        }
        let places = self.randrange(count, n as u64).await?;
        let (drawn, element): (Vec<usize>, Vec<usize>) =
            (0..count).flat_map(|drawn| (0..n).map(move |element| (drawn, element))).unzip();
        let all = self.places(n).gather(&element);
        let hit = self.equal(&places.gather(&drawn), &all).await?;
        self.dot_groups(&hit, &x.gather(&element), n).await
    }

    /// `count` elements at different places, in random order.
    ///
    /// # Errors
    ///
    /// [`Error::TooFewShares`] for more than there are; as [`shuffle`](Party::shuffle), or
    /// [`shuffle_by_sorting`](Party::shuffle_by_sorting) in active security.
    pub async fn sample(&mut self, x: &ShareVec<R, S>, count: usize) -> Result<ShareVec<R, S>> {
        let n = x.checked()?.len();
        if count > n {
            return Err(Error::TooFewShares { needed: count, given: n });
        }
        Ok(self.shuffled(x).await?.slice(0..count))
    }

    /// A vector of `length` with a single 1 at a uniform place.
    ///
    /// # Errors
    ///
    /// As [`sample`](Party::sample).
    pub async fn random_unit_vector(&mut self, length: usize) -> Result<ShareVec<R, S>> {
        let unit: Vec<R> = (0..length).map(|i| R::from_u128(u128::from(i == 0))).collect();
        let unit = self.public(&unit);
        self.shuffled(&unit).await
    }

    /// The numbers from 0 to `length` - 1 in a uniform order.
    ///
    /// # Errors
    ///
    /// As [`sample`](Party::sample).
    pub async fn random_permutation(&mut self, length: usize) -> Result<ShareVec<R, S>> {
        let places = self.places(length);
        self.shuffled(&places).await
    }

    /// A uniform permutation of 0 to `length` - 1 that leaves no number at its place. How often it was
    /// drawn again is revealed.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for a length of 1, which has none; as [`sample`](Party::sample) and
    /// [`equal`](Party::equal).
    pub async fn random_derangement(&mut self, length: usize) -> Result<ShareVec<R, S>> {
        if length == 1 {
            return Err(refuse("the length of a derangement", "0 or at least 2", 1));
        }
        loop {
            let drawn = self.random_permutation(length).await?;
            let places = self.places(length);
            let fixed = self.equal(&drawn, &places).await?.total();
            let none = self.public(&[R::ZERO]);
            let good = self.equal(&fixed, &none).await?;
            if self.open_flags(&good).await? == [true] {
                return self.renewed(&drawn).await;
            }
        }
    }
}
