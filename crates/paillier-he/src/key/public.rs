//! The public key.

use std::fmt;
use std::sync::{Arc, OnceLock};

use num_bigint::{BigInt, BigUint, Sign};
use privacy_core::random::SecureRng;
use sha3::Shake256;
use sha3::digest::{ExtendableOutput, Update, XofReader};

use super::sealed::{Blind, Blinders};
use super::{Encryptor, KeyPolicy, UncheckedPublicKey};
use crate::error::{Error, Result};
use crate::kernel::comb::Comb;
use crate::kernel::{Backend, Batch, Nat, Ring, Words};
use crate::random;

/// What the tables of a key may take by default.
const TABLE_BYTES: usize = 3 << 20;

/// How the randomness of ciphertexts is made, and so which assumption they rest on; see
/// [`crate::key`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mode {
    /// A full random n-th power: decisional composite residuosity alone.
    Standard,
    /// A power of a fixed n-th power that anyone derives from n, with a random exponent of half
    /// the key's length (Damgård, Jurik, Nielsen).
    Djn,
    /// A power in a hidden subgroup whose generator the owner publishes.
    Subgroup,
}

impl Mode {
    /// The name in documents.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Mode::Standard => "standard",
            Mode::Djn => "djn",
            Mode::Subgroup => "subgroup",
        }
    }

    pub(crate) fn code(self) -> u8 {
        match self {
            Mode::Standard => 0,
            Mode::Djn => 1,
            Mode::Subgroup => 2,
        }
    }

    pub(crate) fn from_code(code: u8) -> Option<Self> {
        [Mode::Standard, Mode::Djn, Mode::Subgroup].into_iter().find(|m| m.code() == code)
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        [Mode::Standard, Mode::Djn, Mode::Subgroup].into_iter().find(|m| m.name() == name)
    }
}

/// A key that encrypts, and that everything which is computed on ciphertexts happens under.
///
/// Cheap to clone: clones share one set of tables.
///
/// # Example
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use paillier_he::prelude::*;
/// # let mut rng = privacy_core::random::SystemRng::new()?;
/// # let key = PrivateKey::generate(KeyOptions::insecure_for_tests(512), &mut rng)?;
/// let public: &PublicKey = key.public_key();
/// let bill = public.encrypt(120, &Encoding::integers_up_to(1000u32), &mut rng)?;
/// assert_eq!(key.decrypt(&bill)?.to_i128(), Some(120));
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct PublicKey(Arc<Inner>);

struct Inner {
    n: Nat,
    n_big: BigUint,
    mode: Mode,
    /// The owner's generator modulo n, in subgroup mode.
    generator: Option<Nat>,
    ring: Ring,
    /// Largest magnitude of a signed plaintext: (n - 1)/2.
    half: BigUint,
    comb: OnceLock<Comb>,
    /// yⁿ for a small y of Jacobi symbol -1.
    odd_blinder: OnceLock<Words>,
}

impl PublicKey {
    /// The key with the modulus `n` in standard mode, for keys from elsewhere.
    ///
    /// # Errors
    ///
    /// [`Error::KeySize`] or [`Error::BadModulus`] unless `n` passes the default [`KeyPolicy`].
    pub fn from_modulus(n: BigUint) -> Result<Self> {
        UncheckedPublicKey::new(n, Mode::Standard).validate(&KeyPolicy::default())
    }

    pub(crate) fn new_unchecked(n: Nat, mode: Mode, generator: Option<Nat>) -> Self {
        let n = Nat::from_big(&n.to_big());
        let n_big = n.to_big();
        let bits = n.bits_vartime() as usize;
        let ring = Ring::new(Backend::best(), &[&n], true, 2 * bits);
        let half = (&n_big - 1u8) >> 1u8;
        let (comb, odd_blinder) = (OnceLock::new(), OnceLock::new());
        PublicKey(Arc::new(Inner { n, n_big, mode, generator, ring, half, comb, odd_blinder }))
    }

    /// The modulus n.
    #[must_use]
    pub fn modulus(&self) -> &BigUint {
        &self.0.n_big
    }

    /// The length of the modulus in bits.
    #[must_use]
    pub fn bits(&self) -> u64 {
        self.0.n_big.bits()
    }

    /// How blinders are made.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.0.mode
    }

    /// The largest magnitude of a plaintext, (n - 1)/2.
    #[must_use]
    pub fn max_magnitude(&self) -> &BigUint {
        &self.0.half
    }

    /// The bytes that one ciphertext takes when it is stored.
    #[must_use]
    pub fn ciphertext_bytes(&self) -> usize {
        (2 * self.bits() as usize).div_ceil(8)
    }

    /// The bytes that the tables for fast encryption take, once they have been made.
    #[must_use]
    pub fn table_bytes(&self) -> usize {
        self.0.comb.get().map_or(0, Comb::bytes)
    }

    pub(crate) fn n(&self) -> &Nat {
        &self.0.n
    }

    pub(crate) fn generator(&self) -> Option<&Nat> {
        self.0.generator.as_ref()
    }

    pub(crate) fn ring(&self) -> &Ring {
        &self.0.ring
    }

    /// Refuses two keys that are not the same.
    pub(crate) fn check_same(&self, other: &PublicKey) -> Result<()> {
        if self == other { Ok(()) } else { Err(Error::OtherKey) }
    }

    /// Refuses a magnitude that the key cannot hold.
    pub(crate) fn check_bound(&self, bound: &BigUint) -> Result<()> {
        if *bound <= self.0.half {
            Ok(())
        } else {
            Err(Error::WouldOverflow {
                needed: bound.bits() + 1,
                available: self.0.half.bits() + 1,
            })
        }
    }

    /// The random exponents of this mode: their length in bits.
    pub(crate) fn exponent_bits(&self) -> usize {
        match self.0.mode {
            Mode::Standard => self.bits() as usize,
            Mode::Djn => (self.bits() as usize).div_ceil(2),
            Mode::Subgroup => subgroup_bits(self.bits()),
        }
    }

    /// The fixed base h_s = hⁿ mod n² of the modes with short exponents.
    pub(crate) fn fixed_base(&self) -> Words {
        let ring = self.ring();
        let mut scratch = ring.scratch();
        let h = match &self.0.generator {
            Some(h) => h.clone(),
            None => djn_generator(self.n()),
        };
        let base = ring.load(&vec![&h[..]; ring.lanes()], &mut scratch);
        ring.pow_vartime(&base, self.n(), &mut scratch)
    }

    fn comb(&self) -> &Comb {
        self.0.comb.get_or_init(|| {
            Comb::new(self.ring(), &self.fixed_base(), self.exponent_bits(), TABLE_BYTES)
        })
    }

    /// Multiplies each number by `1 + m·n`: adds the plaintexts (residues modulo n).
    pub(crate) fn add_plain(&self, numbers: &mut Batch, plaintexts: &[Nat]) {
        let ring = self.ring();
        let lanes = ring.lanes();
        crate::kernel::lanes::for_each_block(ring, numbers, |i, block, scratch| {
            let end = plaintexts.len().min((i + 1) * lanes);
            let negated: Vec<Nat> = plaintexts[i * lanes..end]
                .iter()
                .map(|m| {
                    let mut m = m.clone();
                    crate::kernel::nat::negate_mod(&mut m, self.n());
                    m
                })
                .collect();
            let negated: Vec<&[u64]> = negated.iter().map(|m| &m[..]).collect();
            let mut minus = ring.zeroed();
            ring.mul_low(&mut minus, &ring.raw(&negated), ring.to_montgomery(), scratch);
            ring.shift_by(block, &minus, scratch);
        });
    }

    /// `(1 + m·n)·rⁿ` for each nonce r and residue m.
    pub(crate) fn encrypt_residues<'r>(
        &self,
        nonces: impl Iterator<Item = &'r Nat>,
        residues: &[Nat],
    ) -> Batch {
        let nonces: Vec<&[u64]> = nonces.map(|r| &r[..]).collect();
        let mut batch = Batch::load(self.ring(), &nonces);
        batch.pow_vartime(self.ring(), self.n());
        self.add_plain(&mut batch, residues);
        batch
    }

    /// Fresh blinders that also hide which units the ciphertexts came from.
    ///
    /// A power of h_s never changes the Jacobi symbol of a ciphertext, which a stranger may have
    /// made with the symbol -1; scaled by a secret weight, its parity would show. A random bit
    /// decides whether yⁿ of symbol -1 is multiplied in.
    pub(crate) fn hide_symbols(&self, blinders: &mut Batch, rng: &mut dyn SecureRng) -> Result<()> {
        // Full powers have all symbols; in subgroup mode what is outside of the subgroup does not
        // open, so that nothing may leave it.
        if self.mode() != Mode::Djn {
            return Ok(());
        }
        let ring = self.ring();
        let odd = self.0.odd_blinder.get_or_init(|| {
            let mut scratch = ring.scratch();
            let n = self.modulus();
            let y = (3u64..).find(|y| jacobi_vartime(&BigUint::from(*y), n) == -1).unwrap_or(3);
            let base = ring.load(&vec![&[y][..]; ring.lanes()], &mut scratch);
            ring.pow_vartime(&base, self.n(), &mut scratch)
        });
        let mut bits = vec![0u64; blinders.len().div_ceil(ring.lanes())];
        rng.fill_words(&mut bits)?;
        let table = {
            let stride = ring.element_words();
            let mut table = Words::zeroed(2 * stride);
            table[..stride].copy_from_slice(ring.one());
            table[stride..].copy_from_slice(odd);
            table
        };
        crate::kernel::lanes::for_each_block(ring, blinders, |i, block, scratch| {
            let index = std::array::from_fn(|lane| bits[i] >> lane & 1);
            let mut factor = ring.zeroed();
            ring.select(&mut factor, &table, &index);
            ring.mul_assign(block, &factor, scratch);
        });
        Ok(())
    }

    /// The residue modulo n of a signed number within the key's range.
    pub(crate) fn residue(&self, value: &BigInt) -> Nat {
        let magnitude = Nat::from_big(value.magnitude()).resized(self.n().len());
        let mut negative = magnitude.clone();
        crate::kernel::nat::negate_mod(&mut negative, self.n());
        if value.sign() == Sign::Minus { negative } else { magnitude }
    }

    /// The signed number that a residue modulo n stands for.
    pub(crate) fn signed(&self, residue: &Nat) -> BigInt {
        let value = residue.to_big();
        if value <= self.0.half {
            BigInt::from(value)
        } else {
            BigInt::from(value) - BigInt::from(self.0.n_big.clone())
        }
    }
}

impl Encryptor for PublicKey {
    fn public_key(&self) -> &PublicKey {
        self
    }
}

impl Blind for PublicKey {
    fn blinders(&self, count: usize, rng: &mut dyn SecureRng) -> Result<Blinders> {
        let ring = self.ring();
        if self.mode() == Mode::Standard {
            let mut units = Vec::with_capacity(count);
            for _ in 0..count {
                units.push(random::below(rng, self.n())?);
            }
            let units: Vec<&[u64]> = units.iter().map(|r| &r[..]).collect();
            let mut batch = Batch::load(ring, &units);
            batch.pow_vartime(ring, self.n());
            return Ok(Blinders(batch));
        }
        let mut exponents = Vec::with_capacity(count);
        for _ in 0..count {
            exponents.push(random::bits(rng, self.exponent_bits())?);
        }
        Ok(Blinders(self.comb().pow(ring, count, |i| &exponents[i])))
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
            || (self.0.n == other.0.n
                && self.0.mode == other.0.mode
                && self.0.generator == other.0.generator)
    }
}

impl Eq for PublicKey {}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublicKey")
            .field("bits", &self.bits())
            .field("mode", &self.mode())
            .finish_non_exhaustive()
    }
}

/// The length of exponents in a hidden subgroup for a key of `bits` bits (ACSAC 2021: 112, 128 and
/// 192 bits of security).
pub(crate) fn subgroup_bits(bits: u64) -> usize {
    match bits {
        ..3072 => 448,
        3072..7680 => 512,
        _ => 768,
    }
}

/// `h = -x² mod n` for an x that everyone derives from n, so that an owner cannot choose an h of
/// small order.
pub(crate) fn djn_generator(n: &Nat) -> Nat {
    let mut xof = Shake256::default();
    xof.update(b"paillier-he djn generator");
    let bytes = n.to_big().to_bytes_be();
    xof.update(&(bytes.len() as u64).to_be_bytes());
    xof.update(&bytes);
    // 128 bits more than n has: the residue is uniform to 2^-128.
    let mut wide = vec![0; bytes.len() + 16];
    xof.finalize_xof().read(&mut wide);
    let x = BigUint::from_bytes_be(&wide) % n.to_big();
    let square = &x * &x % n.to_big();
    Nat::from_big(&(n.to_big() - square)).resized(n.len())
}

/// A random unit modulo n², to blind what a variable-time algorithm sees.
pub(crate) fn random_unit(key: &PublicKey, rng: &mut dyn SecureRng) -> Result<Nat> {
    let low = random::below(rng, key.n())?;
    let high = random::below(rng, key.n())?;
    let mut unit = high.mul(key.n());
    crate::kernel::nat::add_assign(&mut unit, &low);
    Ok(unit)
}

/// The Jacobi symbol (a/n) for odd n.
pub(crate) fn jacobi_vartime(a: &BigUint, n: &BigUint) -> i8 {
    let (mut a, mut n) = (a % n, n.clone());
    let mut sign = 1;
    let low = |x: &BigUint| x.iter_u64_digits().next().unwrap_or(0);
    while let Some(twos) = a.trailing_zeros() {
        a >>= twos;
        if twos % 2 == 1 && matches!(low(&n) % 8, 3 | 5) {
            sign = -sign;
        }
        if low(&a) % 4 == 3 && low(&n) % 4 == 3 {
            sign = -sign;
        }
        (a, n) = (n % &a, a);
    }
    if n == BigUint::from(1u8) { sign } else { 0 }
}
