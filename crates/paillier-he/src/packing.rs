//! Many small numbers in one ciphertext.
//!
//! A plaintext holds numbers `v₀, v₁, …` in slots of `w` bits as `Σ vᵢ·2^(iw)`, each number signed.
//! With value bits `b` and guard bits `g`, `w = b + g`: numbers satisfy `|v| < 2^(b-1)`, and after
//! operations of total weight `W ≤ 2^g` a slot holds less than `2^(b-1)·2^g = 2^(w-1)` in magnitude.
//! Then the lowest slot is the plaintext modulo 2^w, taken between `-2^(w-1)` and `2^(w-1)`, and the
//! next ones follow by division. An addition adds the weights of both sides, a factor k multiplies
//! the weight by |k|; an operation that would exceed 2^g is refused.

use num_bigint::{BigInt, BigUint};
use num_traits::{Signed, ToPrimitive, Zero};
use privacy_core::random::SecureRng;

use crate::ciphertext::{Blinded, CiphertextVec, Derived, encrypt_batch};
use crate::error::{Error, Result};
use crate::key::{Encryptor, PrivateKey, PublicKey};
use crate::number::Encoding;
use crate::pool::BlindingPool;

/// How numbers lie in a plaintext.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PackedLayout {
    value_bits: u32,
    guard_bits: u32,
    slots: usize,
}

impl PackedLayout {
    /// As many slots as the key holds, for numbers of `value_bits` bits with their sign and room
    /// for a total weight of `2^guard_bits`.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] unless `value_bits` is 2 to 64, `guard_bits` at most 64, and one slot
    /// fits.
    pub fn new(key: &PublicKey, value_bits: u32, guard_bits: u32) -> Result<Self> {
        let slots = (key.bits() - 2) as usize / (value_bits + guard_bits).max(1) as usize;
        Self::with_slots(key, value_bits, guard_bits, slots)
    }

    /// Rows of two numbers, such as gradients and hessians, a ciphertext each, so that rows can be
    /// summed by group.
    ///
    /// # Errors
    ///
    /// As [`PackedLayout::new`].
    pub fn pairs(key: &PublicKey, value_bits: u32, guard_bits: u32) -> Result<Self> {
        Self::with_slots(key, value_bits, guard_bits, 2)
    }

    /// The given number of slots.
    ///
    /// # Errors
    ///
    /// As [`PackedLayout::new`], also if the slots do not fit.
    pub fn with_slots(
        key: &PublicKey,
        value_bits: u32,
        guard_bits: u32,
        slots: usize,
    ) -> Result<Self> {
        let width = value_bits as usize + guard_bits as usize;
        let fits =
            slots > 0 && slots.checked_mul(width).is_some_and(|bits| bits as u64 <= key.bits() - 2);
        if !(2..=64).contains(&value_bits) || guard_bits > 64 || !fits {
            let requirement = "2 to 64 value bits, up to 64 guard bits, and slots that fit the key";
            return Err(Error::Parameter { parameter: "a packed layout", requirement });
        }
        Ok(PackedLayout { value_bits, guard_bits, slots })
    }

    /// Bits of a number, with its sign, before any operation.
    #[must_use]
    pub fn value_bits(self) -> u32 {
        self.value_bits
    }

    /// Bits that a number may grow by.
    #[must_use]
    pub fn guard_bits(self) -> u32 {
        self.guard_bits
    }

    /// Numbers in one ciphertext.
    #[must_use]
    pub fn slots(self) -> usize {
        self.slots
    }

    /// The largest magnitude of a number before any operation.
    #[must_use]
    pub fn max_magnitude(self) -> i64 {
        i64::MAX >> (64 - self.value_bits)
    }

    /// The largest total weight.
    #[must_use]
    pub fn max_weight(self) -> u128 {
        1 << self.guard_bits
    }

    fn width(self) -> u32 {
        self.value_bits + self.guard_bits
    }

    pub(crate) fn bound(self) -> BigUint {
        BigUint::from(1u8) << (self.width() as usize * self.slots - 1)
    }

    fn pack(self, values: &[i64]) -> Result<BigInt> {
        if values.iter().any(|v| v.unsigned_abs() > self.max_magnitude() as u64) {
            return Err(Error::OutOfBounds);
        }
        // Positive and negative parts as words, subtracted once.
        let width = self.width() as usize;
        let mut parts =
            [vec![0u64; width * self.slots / 64 + 3], vec![0; width * self.slots / 64 + 3]];
        for (i, v) in values.iter().enumerate() {
            let (at, shift) = (i * width / 64, i * width % 64);
            let wide = u128::from(v.unsigned_abs()) << shift;
            let part = &mut parts[usize::from(*v < 0)];
            // Slots do not overlap, so nothing is carried.
            part[at] |= wide as u64;
            part[at + 1] |= (wide >> 64) as u64;
        }
        let [positive, negative] =
            parts.map(|words| BigInt::from(crate::kernel::nat::words_to_big(&words)));
        Ok(positive - negative)
    }

    fn unpack(self, packed: &BigInt, count: usize) -> Result<Vec<i128>> {
        let width = self.width();
        let (half, whole) = (BigInt::from(1) << (width - 1), BigInt::from(1) << width);
        let mut rest = packed.clone();
        let mut out = Vec::with_capacity(count);
        for _ in 0..count {
            let mut digit: BigInt = &rest & (&whole - 1);
            if digit >= half {
                digit -= &whole;
            }
            rest = (rest - &digit) >> width;
            out.push(digit.to_i128().ok_or(Error::Decryption)?);
        }
        if rest.is_zero() { Ok(out) } else { Err(Error::Decryption) }
    }
}

/// Encrypted numbers, several in each ciphertext.
#[derive(Clone, Debug)]
pub struct Packed<S = Blinded> {
    column: CiphertextVec<S>,
    layout: PackedLayout,
    len: usize,
    weight: u128,
}

impl<S> Packed<S> {
    /// How many numbers there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How the numbers lie.
    #[must_use]
    pub fn layout(&self) -> PackedLayout {
        self.layout
    }

    /// The total weight of what was added up, at most [`PackedLayout::max_weight`].
    #[must_use]
    pub fn weight(&self) -> u128 {
        self.weight
    }

    /// The ciphertexts.
    #[must_use]
    pub fn column(&self) -> &CiphertextVec<S> {
        &self.column
    }

    fn derive(&self, column: CiphertextVec<Derived>, len: usize, weight: u128) -> Packed<Derived> {
        // The slots bound the packed integer better than the sums of its parts do.
        let bound = self.layout.bound();
        Packed { column: CiphertextVec { bound, ..column }, layout: self.layout, len, weight }
    }

    fn check_weight(&self, weight: Option<u128>) -> Result<u128> {
        let limit = self.layout.max_weight();
        weight.filter(|weight| *weight <= limit).ok_or_else(|| Error::WouldOverflow {
            needed: u64::from(weight.map_or(128, |w| 128 - w.leading_zeros())),
            available: self.layout.guard_bits.into(),
        })
    }

    /// The column with a bound that leaves room for the operations that the weight permits.
    fn roomy(&self) -> CiphertextVec<S> {
        CiphertextVec { bound: BigUint::zero(), ..self.column.clone() }
    }

    /// Adds number by number.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] or [`Error::Parameter`] for another shape, [`Error::WouldOverflow`] beyond
    /// the guard bits, [`Error::OtherKey`].
    pub fn add<T>(&self, other: &Packed<T>) -> Result<Packed<Derived>> {
        self.check_shape(other)?;
        let weight = self.check_weight(self.weight.checked_add(other.weight))?;
        Ok(self.derive(self.roomy().add(&other.roomy())?, self.len, weight))
    }

    /// Subtracts number by number.
    ///
    /// # Errors
    ///
    /// As [`Packed::add`], and [`Error::Entropy`].
    pub fn sub<T>(&self, other: &Packed<T>) -> Result<Packed<Derived>> {
        self.check_shape(other)?;
        let weight = self.check_weight(self.weight.checked_add(other.weight))?;
        Ok(self.derive(self.roomy().sub(&other.roomy())?, self.len, weight))
    }

    /// Multiplies all numbers by one public factor.
    ///
    /// # Errors
    ///
    /// [`Error::WouldOverflow`] beyond the guard bits, [`Error::Entropy`].
    ///
    /// # Timing
    ///
    /// Depends on the factor.
    pub fn multiply_all_vartime(&self, factor: i64) -> Result<Packed<Derived>> {
        let weight = self.weight.checked_mul(u128::from(factor.unsigned_abs()));
        let weight = self.check_weight(weight)?;
        let column = self.roomy().multiply_all_vartime(&factor.into())?;
        Ok(self.derive(column, self.len, weight))
    }

    /// Sums rows by group: number `i` of a row with number `i` of the other rows of its group.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] unless there is a group for each row, [`Error::Parameter`] for a group that
    /// is not below `groups`, [`Error::WouldOverflow`] beyond the guard bits.
    ///
    /// # Timing
    ///
    /// Depends on the groups.
    pub fn group_sums(&self, group: &[usize], groups: usize) -> Result<Packed<Derived>> {
        let mut sizes = vec![0u128; groups];
        for group in group {
            if let Some(size) = sizes.get_mut(*group) {
                *size += 1;
            }
        }
        let most = sizes.into_iter().max().unwrap_or(0);
        let weight = self.check_weight(self.weight.checked_mul(most))?;
        let column = self.roomy().group_sums(group, groups)?;
        Ok(self.derive(column, groups * self.layout.slots, weight))
    }

    /// Sums all rows into one.
    ///
    /// # Errors
    ///
    /// As [`Packed::group_sums`].
    pub fn sum_rows(&self) -> Result<Packed<Derived>> {
        self.group_sums(&vec![0; self.column.len()], 1)
    }

    /// As [`CiphertextVec::blind`].
    ///
    /// # Errors
    ///
    /// As [`CiphertextVec::blind`].
    pub fn blind(self, encryptor: &impl Encryptor, rng: &mut dyn SecureRng) -> Result<Packed> {
        let Packed { column, layout, len, weight } = self;
        Ok(Packed { column: column.blind(encryptor, rng)?, layout, len, weight })
    }

    /// As [`CiphertextVec::blind_from`].
    ///
    /// # Errors
    ///
    /// As [`CiphertextVec::blind_from`].
    pub fn blind_from(self, pool: &mut BlindingPool) -> Result<Packed> {
        let Packed { column, layout, len, weight } = self;
        Ok(Packed { column: column.blind_from(pool)?, layout, len, weight })
    }

    fn check_shape<T>(&self, other: &Packed<T>) -> Result<()> {
        if self.layout != other.layout {
            let requirement = "the same on both sides";
            return Err(Error::Parameter { parameter: "the packed layout", requirement });
        }
        if self.len == other.len {
            Ok(())
        } else {
            let what = "the other column";
            Err(Error::Length { what, given: other.len, expected: self.len })
        }
    }
}

impl Packed {
    /// Encrypts numbers, as many to a ciphertext as the layout has slots.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfBounds`] for a number beyond the value bits; as
    /// [`Encryptor::encrypt_batch`].
    pub fn encrypt(
        encryptor: &impl Encryptor,
        values: &[i64],
        layout: PackedLayout,
        rng: &mut dyn SecureRng,
    ) -> Result<Packed> {
        let packed: Vec<BigInt> =
            values.chunks(layout.slots).map(|v| layout.pack(v)).collect::<Result<_>>()?;
        let encoding = Encoding::integers_up_to(layout.bound());
        let column = encrypt_batch(encryptor, &packed, &encoding, rng)?;
        Ok(Packed { column, layout, len: values.len(), weight: 1 })
    }

    /// Ciphertexts that were received, with the number of values and their weight, which are
    /// claims of whoever sent them.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] unless the values fill the ciphertexts, [`Error::WouldOverflow`] for a
    /// weight beyond the guard bits.
    pub fn received(
        column: CiphertextVec,
        layout: PackedLayout,
        len: usize,
        weight: u128,
    ) -> Result<Packed> {
        if len.div_ceil(layout.slots) != column.len() {
            let what = "the column of packed ciphertexts";
            let expected = len.div_ceil(layout.slots);
            return Err(Error::Length { what, given: column.len(), expected });
        }
        let column = CiphertextVec { bound: layout.bound(), ..column };
        let packed = Packed { column, layout, len, weight };
        packed.check_weight(Some(weight))?;
        Ok(packed)
    }
}

impl PrivateKey {
    /// Opens packed numbers.
    ///
    /// # Errors
    ///
    /// As [`PrivateKey::decrypt_batch`]; [`Error::Decryption`] for a slot beyond its bound.
    pub fn decrypt_packed<S>(&self, packed: &Packed<S>) -> Result<Vec<i128>> {
        let Packed { column, layout, len, weight } = packed;
        let limit = BigInt::from(layout.max_magnitude()) * BigInt::from(*weight);
        let mut out = Vec::with_capacity(*len);
        for number in self.decrypt_batch(column)? {
            let count = layout.slots.min(len - out.len());
            out.extend(layout.unpack(number.mantissa(), count)?);
        }
        if out.iter().any(|v| BigInt::from(*v).abs() > limit) {
            return Err(Error::Decryption);
        }
        Ok(out)
    }
}
