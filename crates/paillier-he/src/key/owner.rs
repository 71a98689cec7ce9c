//! Encryption by the holder of the private key: powers modulo p² and q² side by side, about twice as
//! fast as modulo n².

use privacy_core::random::SecureRng;

use super::sealed::{Blind, Blinders};
use super::{Encryptor, Mode, PrivateKey, PublicKey};
use crate::error::Result;
use crate::kernel::comb::Comb;
use crate::kernel::lanes::map_chunks;
use crate::kernel::{Batch, Nat, Words, nat};
use crate::random;

/// What the tables of a private key may take.
const TABLE_BYTES: usize = 3 << 20;

/// What encryption with the private key needs beyond decryption.
pub(super) struct Encryption {
    comb: Option<Comb>,
    /// p⁻² mod q² in the upper lanes, in Montgomery form.
    square_inverse: Words,
    p_squared: Nat,
    q_squared_4: Nat,
}

impl PrivateKey {
    fn encryption(&self) -> &Encryption {
        self.encryption.get_or_init(|| {
            let ring = &self.ring;
            let mut scratch = ring.scratch();
            // p⁻² as a power: the unit group modulo q² has the order q(q - 1).
            let exponent = self.q.mul(&self.q.minus_small(1)).minus_small(2);
            let base = ring.load(&vec![&self.p[..]; ring.lanes()], &mut scratch);
            let square_inverse = ring.pow(&base, &[&exponent], exponent.len() * 64, &mut scratch);
            let comb = (self.public.mode() != Mode::Standard).then(|| {
                let public = self.public.ring();
                let base = public.store(&self.public.fixed_base(), &mut public.scratch());
                let base = ring.load(&vec![&base[0][..]; ring.lanes()], &mut scratch);
                Comb::new(ring, &base, self.public.exponent_bits(), TABLE_BYTES)
            });
            let p_squared = self.p.mul(&self.p);
            let q_squared_4 = self.q.mul(&self.q).mul(&Nat::from_words(&[4]));
            Encryption { comb, square_inverse, p_squared, q_squared_4 }
        })
    }

    /// Numbers modulo n² from their residues modulo p² and q², `half` of each to a block.
    fn combine(&self, powers: &Batch, count: usize) -> Vec<Nat> {
        let ring = &self.ring;
        let half = ring.lanes() / 2;
        let Encryption { square_inverse, p_squared, q_squared_4, .. } = self.encryption();
        let blocks: Vec<&[u64]> = powers.blocks().collect();
        let chunks = map_chunks(ring, blocks.len(), |chunk, scratch| {
            let values = ring.store(blocks[chunk], scratch);
            let mut differences = vec![Nat::zero(1); half];
            for i in 0..half {
                let mut difference = q_squared_4.clone();
                nat::add_assign(&mut difference, &values[half + i]);
                nat::sub_masked(&mut difference, &values[i], u64::MAX);
                differences.push(difference);
            }
            let differences: Vec<&[u64]> = differences.iter().map(|d| &d[..]).collect();
            let mut quotients = ring.load(&differences, scratch);
            ring.mul_assign(&mut quotients, square_inverse, scratch);
            let quotients = ring.store(&quotients, scratch);
            let join = |i: usize| {
                let mut number = quotients[half + i].mul(p_squared);
                nat::add_assign(&mut number, &values[i]);
                number.resized(2 * self.public.n().len())
            };
            (0..half).map(join).collect::<Vec<Nat>>()
        });
        chunks.into_iter().flatten().take(count).collect()
    }
}

impl Encryptor for PrivateKey {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }
}

impl Blind for PrivateKey {
    fn blinders(&self, count: usize, rng: &mut dyn SecureRng) -> Result<Blinders> {
        let ring = &self.ring;
        let half = ring.lanes() / 2;
        let len = count.div_ceil(half) * 2 * half;
        let powers = match &self.encryption().comb {
            Some(comb) => {
                let mut exponents = Vec::with_capacity(count);
                for _ in 0..count {
                    exponents.push(random::bits(rng, self.public.exponent_bits())?);
                }
                let zero: &[u64] = &[0];
                let exponent = |i: usize| {
                    let number = i / (2 * half) * half + i % half;
                    exponents.get(number).map_or(zero, |e| &e[..])
                };
                comb.pow(ring, len, exponent)
            }
            None => {
                // yᵖ for uniform y modulo p is distributed as rⁿ modulo p²; likewise modulo q².
                let mut units = Vec::with_capacity(len);
                for i in 0..len {
                    units.push(random::below(rng, ring.modulus(i % (2 * half)))?);
                }
                let units: Vec<&[u64]> = units.iter().map(|y| &y[..]).collect();
                let mut batch = Batch::load(ring, &units);
                let bits = self.p.bits_vartime().max(self.q.bits_vartime()) as usize;
                crate::kernel::lanes::for_each_block(ring, &mut batch, |_, block, scratch| {
                    let power = ring.pow(block, &[&self.p, &self.q], bits, scratch);
                    block.copy_from_slice(&power);
                });
                batch
            }
        };
        let numbers = self.combine(&powers, count);
        let numbers: Vec<&[u64]> = numbers.iter().map(|x| &x[..]).collect();
        Ok(Blinders(Batch::load(self.public.ring(), &numbers)))
    }
}
