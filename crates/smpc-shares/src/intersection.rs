//! Private set intersection of two parties: the common items, or only how many, or the sum of values
//! that belong to them.
//!
//! Both blind the hashes of their items by secret exponents; items coincide where the doubly blinded
//! hashes do (Meadows 1986; Huberman, Franklin, Hogg 1999). The sum is the protocol of Ion et al.
//! 2019 (<https://eprint.iacr.org/2019/723>).
//!
//! # Security
//!
//! Against a party that follows the protocol, under decisional Diffie-Hellman in ristretto255 with
//! hashes modelled as random. A party that lies about its items learns about those: the result says
//! nothing about honesty. Sizes of both sets are revealed. Repeated runs on slightly different sets
//! reveal single items, whatever is opened: give the opening a policy and a budget.
//!
//! ```
//! use privacy_core::random::SystemRng;
//! use smpc_shares::intersection::{Asker, Responder};
//!
//! let mut rng = SystemRng::new()?;
//! let (asker, question) = Asker::new(b"study 7", &["ann@a.org", "bob@b.org"], &mut rng)?;
//! let responder = Responder::new(b"study 7", &["bob@b.org", "cyd@c.org"], &mut rng)?;
//! let answer = responder.answer(&question, &mut rng)?;
//! assert_eq!(asker.common(&answer)?, [1]);
//! # Ok::<(), smpc_shares::Error>(())
//! ```

use std::collections::{HashMap, HashSet};

use curve25519_dalek::ristretto::CompressedRistretto;
use curve25519_dalek::traits::Identity;
use curve25519_dalek::{RistrettoPoint, Scalar};
use privacy_core::random::{RandomBuffer, SecureRng};
use sha2::{Digest, Sha512};
use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::field::Domain;
use crate::sharing::verifiable::ScalarField;
use crate::stream::Stream;

/// An encoded point of the group.
pub type Blinded = [u8; 32];

fn exponent(rng: &mut dyn SecureRng) -> Result<Zeroizing<Scalar>> {
    let mut stream = Stream::fresh(rng)?;
    loop {
        let scalar = ScalarField.sample(&mut stream);
        if scalar != Scalar::ZERO {
            return Ok(Zeroizing::new(scalar));
        }
    }
}

/// The item's point, bound to the session.
fn hash(session: &[u8], item: &[u8]) -> RistrettoPoint {
    let mut hash = Sha512::new();
    hash.update(b"smpc-shares/v1 intersection");
    hash.update((session.len() as u64).to_le_bytes());
    hash.update(session);
    hash.update(item);
    let mut wide = [0; 64];
    wide.copy_from_slice(&hash.finalize());
    RistrettoPoint::from_uniform_bytes(&wide)
}

fn decode(bytes: &Blinded) -> Result<RistrettoPoint> {
    CompressedRistretto(*bytes)
        .decompress()
        .filter(|point| *point != RistrettoPoint::identity())
        .ok_or(Error::Encoding { what: "a blinded item" })
}

fn blind_all<T: AsRef<[u8]>>(
    session: &[u8],
    items: &[T],
    exponent: &Scalar,
) -> Result<Vec<Blinded>> {
    let mut seen = HashSet::with_capacity(items.len());
    if !items.iter().all(|item| seen.insert(item.as_ref())) {
        return Err(Error::Parameter {
            parameter: "the items of a set",
            requirement: "distinct",
            given: items.len() as u64,
        });
    }
    let blind = |item: &T| (hash(session, item.as_ref()) * exponent).compress().to_bytes();
    Ok(items.iter().map(blind).collect())
}

fn order(length: usize, rng: &mut dyn SecureRng) -> Result<Vec<usize>> {
    let mut random = RandomBuffer::new(rng);
    let mut order: Vec<usize> = (0..length).collect();
    for i in (1..length).rev() {
        order.swap(i, random.below(i as u64 + 1)? as usize);
    }
    Ok(order)
}

/// The first message: the asker's blinded items in random order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// One for each item.
    pub items: Vec<Blinded>,
}

/// The second message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The question's items blinded again: in their order, or shuffled where only the size is told.
    pub doubled: Vec<Blinded>,
    /// The responder's blinded items in random order.
    pub items: Vec<Blinded>,
}

/// Who asks, and learns the result.
pub struct Asker {
    exponent: Zeroizing<Scalar>,
    /// The place in the caller's set of each item of the question.
    order: Vec<usize>,
}

/// Who answers, and learns the size of the asker's set only.
pub struct Responder {
    exponent: Zeroizing<Scalar>,
    items: Vec<Blinded>,
}

impl Asker {
    /// Blinds a set of distinct items for a session that never repeats.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for duplicates; [`Error::Entropy`].
    pub fn new<T: AsRef<[u8]>>(
        session: &[u8],
        items: &[T],
        rng: &mut dyn SecureRng,
    ) -> Result<(Self, Question)> {
        let exponent = exponent(rng)?;
        let blinded = blind_all(session, items, &exponent)?;
        let order = order(items.len(), rng)?;
        let items = order.iter().map(|i| blinded[*i]).collect();
        Ok((Asker { exponent, order }, Question { items }))
    }

    fn theirs(&self, items: &[Blinded]) -> Result<HashMap<Blinded, usize>> {
        let mut all = HashMap::with_capacity(items.len());
        for (i, item) in items.iter().enumerate() {
            let doubled = (decode(item)? * *self.exponent).compress().to_bytes();
            if all.insert(doubled, i).is_some() {
                return Err(Error::Verification);
            }
        }
        Ok(all)
    }

    fn matches(&self, answer: &Answer) -> Result<Vec<(usize, usize)>> {
        if answer.doubled.len() != self.order.len() {
            return Err(Error::LengthMismatch {
                left: self.order.len(),
                right: answer.doubled.len(),
            });
        }
        let theirs = self.theirs(&answer.items)?;
        let both = answer.doubled.iter().enumerate();
        Ok(both.filter_map(|(i, item)| theirs.get(item).map(|j| (i, *j))).collect())
    }

    /// The places (from 0, ascending) of the asker's items that the responder has too.
    ///
    /// # Errors
    ///
    /// [`Error::Encoding`], [`Error::LengthMismatch`] or [`Error::Verification`] for an answer that no
    /// honest responder gives.
    pub fn common(&self, answer: &Answer) -> Result<Vec<usize>> {
        let matches = self.matches(answer)?;
        let mut places: Vec<usize> = matches.iter().map(|(i, _)| self.order[*i]).collect();
        places.sort_unstable();
        Ok(places)
    }

    /// How many items are common.
    ///
    /// # Errors
    ///
    /// As [`common`](Asker::common).
    pub fn size(&self, answer: &Answer) -> Result<usize> {
        Ok(self.matches(answer)?.len())
    }

    /// The encrypted sum of the values of common items, to be sent back; refuses fewer common items
    /// than `at_least`.
    ///
    /// # Errors
    ///
    /// [`Error::OpeningRefused`] below the minimum; as [`common`](Asker::common).
    pub fn sum<E: AdditiveEncryption>(
        &self,
        answer: &Answer,
        values: &[E::Ciphertext],
        encryption: &E,
        at_least: usize,
        rng: &mut dyn SecureRng,
    ) -> Result<(usize, E::Ciphertext)> {
        if values.len() != answer.items.len() {
            return Err(Error::LengthMismatch { left: answer.items.len(), right: values.len() });
        }
        let matches = self.matches(answer)?;
        if matches.len() < at_least.max(1) {
            return Err(Error::OpeningRefused { reason: "too few common items" });
        }
        let mut sum = encryption.encrypt(0, rng)?;
        for (_, place) in &matches {
            sum = encryption.add(&sum, &values[*place])?;
        }
        Ok((matches.len(), sum))
    }
}

impl Responder {
    /// Blinds a set of distinct items for a session that never repeats.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for duplicates; [`Error::Entropy`].
    pub fn new<T: AsRef<[u8]>>(
        session: &[u8],
        items: &[T],
        rng: &mut dyn SecureRng,
    ) -> Result<Self> {
        let exponent = exponent(rng)?;
        let items = blind_all(session, items, &exponent)?;
        Ok(Responder { exponent, items })
    }

    fn double(&self, question: &Question) -> Result<Vec<Blinded>> {
        let double = |item| Ok((decode(item)? * *self.exponent).compress().to_bytes());
        question.items.iter().map(double).collect()
    }

    /// The answer from which the asker learns the common items.
    ///
    /// # Errors
    ///
    /// [`Error::Encoding`] for a malformed question; [`Error::Entropy`].
    pub fn answer(self, question: &Question, rng: &mut dyn SecureRng) -> Result<Answer> {
        let doubled = self.double(question)?;
        let order = order(self.items.len(), rng)?;
        Ok(Answer { doubled, items: order.iter().map(|i| self.items[*i]).collect() })
    }

    /// The answer from which the asker learns the number of common items only.
    ///
    /// # Errors
    ///
    /// As [`answer`](Responder::answer).
    pub fn answer_size(self, question: &Question, rng: &mut dyn SecureRng) -> Result<Answer> {
        let order = order(question.items.len(), rng)?;
        let mut answer = self.answer(question, rng)?;
        answer.doubled = order.iter().map(|i| answer.doubled[*i]).collect();
        Ok(answer)
    }

    /// The answer from which the asker can make the encrypted sum of the common items' values, one
    /// for each of the responder's items.
    ///
    /// # Errors
    ///
    /// As [`answer`](Responder::answer); [`Error::LengthMismatch`].
    pub fn answer_sum<E: AdditiveEncryption>(
        self,
        question: &Question,
        values: &[u64],
        encryption: &E,
        rng: &mut dyn SecureRng,
    ) -> Result<(Answer, Vec<E::Ciphertext>)> {
        if values.len() != self.items.len() {
            return Err(Error::LengthMismatch { left: self.items.len(), right: values.len() });
        }
        let mut doubled = self.double(question)?;
        let shuffled = order(doubled.len(), rng)?;
        doubled = shuffled.iter().map(|i| doubled[*i]).collect();
        let order = order(self.items.len(), rng)?;
        let mut encrypted = Vec::with_capacity(values.len());
        for place in &order {
            encrypted.push(encryption.encrypt(values[*place], rng)?);
        }
        let items = order.iter().map(|i| self.items[*i]).collect();
        Ok((Answer { doubled, items }, encrypted))
    }
}

impl std::fmt::Debug for Asker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Asker").field("items", &self.order.len()).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Responder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Responder").field("items", &self.items.len()).finish_non_exhaustive()
    }
}

/// Encryption under which sums can be made without the key, such as Paillier's.
pub trait AdditiveEncryption {
    /// An encrypted integer.
    type Ciphertext;

    /// Encrypts a value with fresh randomness.
    ///
    /// # Errors
    ///
    /// [`Error::Entropy`], or [`Error::Parameter`] for a value that is too large.
    fn encrypt(&self, value: u64, rng: &mut dyn SecureRng) -> Result<Self::Ciphertext>;

    /// An encryption of the sum of two encrypted values. A sum with a fresh encryption of zero must
    /// be unlinkable to the other operand.
    ///
    /// # Errors
    ///
    /// [`Error::Encoding`] for operands under another key.
    fn add(&self, a: &Self::Ciphertext, b: &Self::Ciphertext) -> Result<Self::Ciphertext>;
}
