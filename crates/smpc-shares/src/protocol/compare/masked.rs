//! Order in a prime field, by masked opening (Damgård et al. 2006; Catrina, de Hoogh 2010).
//!
//! The secret plus a random number with known bits and k more bits of noise is opened, and compared with
//! the shared bits of the mask by a tree of logarithmic depth.

use super::Way;
use crate::error::{Error, Result};
use crate::field::{PrimeField, Ring};
use crate::party::Party;
use crate::protocol::base::Base;
use crate::security::Scheme;
use crate::sharing::{Raw, ShareVec};

/// The way of prime fields.
#[derive(Debug)]
pub struct ByMasking;

impl<F: PrimeField> Way<F> for ByMasking {
    async fn negative<S: Scheme<F>>(
        party: &mut Party<F, S>,
        x: &ShareVec<F, S>,
        bits: u32,
    ) -> Result<ShareVec<F, S>> {
        let quotient = Self::shifted(party, x, bits, bits - 1).await?;
        Ok(-quotient)
    }

    async fn zero<S: Scheme<F>>(
        party: &mut Party<F, S>,
        x: &ShareVec<F, S>,
        bits: u32,
    ) -> Result<ShareVec<F, S>> {
        if F::BITS <= 16 {
            // 1 - x^(p-1), exact in any field and cheap in a tiny one.
            let mut power: Option<ShareVec<F, S>> = None;
            let mut base = x.clone();
            let mut exponent = F::MODULUS - 1;
            while exponent > 0 {
                if exponent & 1 == 1 {
                    power = Some(match power {
                        Some(power) => party.multiply(&power, &base).await?,
                        None => base.clone(),
                    });
                }
                exponent >>= 1;
                if exponent > 0 {
                    base = party.square(&base).await?;
                }
            }
            return Ok(-power.ok_or(Error::Poisoned)? + 1);
        }
        let mut masked = masked_opening(party, x, bits, bits).await?;
        // x is zero exactly where the opened number without the offset is the mask.
        let (offset, modulo) = (1u128 << (bits - 1), (1u128 << bits) - 1);
        for c in &mut masked.opened {
            *c = c.wrapping_sub(offset) & modulo;
        }
        let (_, equal) = masked.generate_propagate();
        all(party, equal).await?.ok_or(Error::Poisoned)
    }

    async fn bits<S: Scheme<F>>(
        party: &mut Party<F, S>,
        x: &ShareVec<F, S>,
        bits: u32,
    ) -> Result<Vec<ShareVec<F, S>>> {
        let mut masked = masked_opening(party, x, bits, bits).await?;
        let (offset, modulo) = (1u128 << (bits - 1), (1u128 << bits) - 1);
        for c in &mut masked.opened {
            *c = c.wrapping_sub(offset) & modulo;
        }
        // All borrows of opened - mask by a prefix network (Kogge, Stone 1973).
        let (mut generate, mut propagate) = masked.generate_propagate();
        let equal = propagate.clone();
        let count = bits as usize;
        let mut reach = 1;
        while reach < count {
            let mut pairs = Vec::new();
            for i in reach..count {
                pairs.push((&propagate[i], &generate[i - reach]));
            }
            for i in 2 * reach..count {
                pairs.push((&propagate[i], &propagate[i - reach]));
            }
            let mut products = party.multiply_all(&pairs).await?.into_iter();
            for item in generate.iter_mut().skip(reach) {
                *item += &products.next().ok_or(Error::Poisoned)?;
            }
            for item in propagate.iter_mut().skip(2 * reach) {
                *item = products.next().ok_or(Error::Poisoned)?;
            }
            reach *= 2;
        }
        // Bit i of the difference is (c_i xor r_i) xor borrow_(i-1), where c_i xor r_i = 1 - equal_i.
        let pairs: Vec<_> = (1..count).map(|i| (&equal[i], &generate[i - 1])).collect();
        let products = party.multiply_all(&pairs).await?;
        let mut out = vec![-&equal[0] + 1];
        for (i, product) in (1..count).zip(products) {
            // a xor b with a = 1 - e: 1 - e + b - 2b + 2eb.
            out.push(product * 2 - &equal[i] - &generate[i - 1] + 1);
        }
        Ok(out)
    }

    async fn shifted<S: Scheme<F>>(
        party: &mut Party<F, S>,
        x: &ShareVec<F, S>,
        bits: u32,
        by: u32,
    ) -> Result<ShareVec<F, S>> {
        if by == 0 {
            return Ok(x.checked()?.clone());
        }
        if by >= bits {
            let sign = Box::pin(Self::shifted(party, x, bits, bits - 1)).await?;
            return Ok(sign);
        }
        let masked = masked_opening(party, x, bits, by).await?;
        let borrow = below(party, &masked).await?.ok_or(Error::Poisoned)?;
        let mask = masked.value().ok_or(Error::Poisoned)?;
        // x mod 2^by = opened - mask + 2^by·borrow, for 2^(bits-1) is a multiple of 2^by.
        let opened: Vec<F> = masked.opened.iter().map(|c| F::from_u128(*c)).collect();
        let modulo = (-mask + borrow.scaled(F::from_u128(1 << by))).plus_public(&opened);
        Ok((x - &modulo).scaled(F::from_u128(1 << by).inverse()))
    }

    /// Without the borrow: x plus the mask's lower part is divided instead of x, which is one
    /// more where their lower parts add up to 2^by or more.
    async fn truncated<S: Scheme<F>>(
        party: &mut Party<F, S>,
        x: &ShareVec<F, S>,
        bits: u32,
        by: u32,
    ) -> Result<ShareVec<F, S>> {
        let masked = masked_opening(party, x, bits, by).await?;
        let mask = masked.value().ok_or(Error::Poisoned)?;
        let opened: Vec<F> = masked.opened.iter().map(|c| -F::from_u128(*c)).collect();
        Ok((x + &mask).plus_public(&opened).scaled(F::from_u128(1 << by).inverse()))
    }
}

/// Refuses integers for which the field has no room beside their mask.
fn room<F: Ring, S: Scheme<F>>(party: &Party<F, S>, bits: u32) -> Result<()> {
    let growth = usize::BITS - (party.core.all_sets - 1).leading_zeros();
    let need_bits = bits + party.core.mask_bits + growth + 2;
    if F::BITS >= need_bits {
        return Ok(());
    }
    Err(Error::FieldTooSmall { need_bits, have_bits: F::BITS })
}

/// x opened under a mask, and the shared bits of the mask's lower part.
struct Masked<F: Ring, S> {
    /// (x + 2^(bits-1) + mask) modulo 2^low.
    opened: Vec<u128>,
    mask: Vec<ShareVec<F, S>>,
}

async fn masked_opening<F: PrimeField, S: Scheme<F>>(
    party: &mut Party<F, S>,
    x: &ShareVec<F, S>,
    bits: u32,
    low: u32,
) -> Result<Masked<F, S>> {
    room(party, bits)?;
    let length = x.checked()?.len();
    let random = party.random_bits(length * low as usize).await?;
    let mask: Vec<_> =
        (0..low as usize).map(|bit| random.slice(bit * length..(bit + 1) * length)).collect();
    // The upper part hides all of x above the lower part: k bits more than what is above.
    let upper_bits = party.core.mask_bits + (bits - low) + 1;
    let mut sum = S::Base::bounded(&mut party.core, length, upper_bits);
    let scale = F::from_u128(1 << low);
    sum = sum.map(|value| value * scale);
    for (bit, plane) in mask.iter().enumerate() {
        let scale = F::from_u128(1 << bit);
        sum.add_assign(&plane.raw.map(|value| value * scale));
    }
    sum.add_assign(&x.raw);
    sum.add_assign(&party.place.constant(&vec![F::from_u128(1 << (bits - 1)); length]));
    let opened = party.open_masked(&ShareVec::new(sum, Raw::empty(), &party.place)).await?;
    let opened = opened.into_iter().map(|c| c.to_u128() & ((1 << low) - 1)).collect();
    Ok(Masked { opened, mask })
}

impl<F: PrimeField, S: Scheme<F>> Masked<F, S> {
    fn bit(&self, bit: usize) -> Vec<u128> {
        self.opened.iter().map(|c| c >> bit & 1).collect()
    }

    /// For each bit whether the opened bit is 0 and the mask's 1, and whether they are equal.
    fn generate_propagate(&self) -> (Vec<ShareVec<F, S>>, Vec<ShareVec<F, S>>) {
        let pair = |(bit, mask): (usize, &ShareVec<F, S>)| {
            let public = self.bit(bit);
            let generate: Vec<F> = public.iter().map(|c| F::from_u128(1 - c)).collect();
            // 1 - (c xor r) = 1 - c - r + 2cr.
            let sign: Vec<F> = public.iter().map(|c| F::from_i128(2 * *c as i128 - 1)).collect();
            (mask.times_public(&generate), mask.times_public(&sign).plus_public(&generate))
        };
        self.mask.iter().enumerate().map(pair).unzip()
    }

    /// The mask's lower part.
    fn value(&self) -> Option<ShareVec<F, S>> {
        let scaled = |(bit, mask): (usize, &ShareVec<F, S>)| mask.scaled(F::from_u128(1 << bit));
        self.mask.iter().enumerate().map(scaled).reduce(|a, b| a + b)
    }
}

/// 1 where the opened number is below the mask: the borrow of their difference.
async fn below<F: PrimeField, S: Scheme<F>>(
    party: &mut Party<F, S>,
    masked: &Masked<F, S>,
) -> Result<Option<ShareVec<F, S>>> {
    let (generate, propagate) = masked.generate_propagate();
    super::carry(party, generate, propagate).await
}

/// The product of all vectors, in logarithmically many rounds.
async fn all<F: Ring, S: Scheme<F>>(
    party: &mut Party<F, S>,
    mut factors: Vec<ShareVec<F, S>>,
) -> Result<Option<ShareVec<F, S>>> {
    while factors.len() > 1 {
        let odd = if factors.len() % 2 == 1 { factors.pop() } else { None };
        let pairs: Vec<_> = factors.chunks_exact(2).map(|pair| (&pair[0], &pair[1])).collect();
        factors = party.multiply_all(&pairs).await?;
        factors.extend(odd);
    }
    Ok(factors.pop())
}
