//! A task of Prio3: its circuit, its field, its aggregators, and the tags of its hashing.

use super::circuit::Circuit;
use super::flp::Flp;
use super::xof::{SEED, Xof};
use crate::error::{Error, Result};
use crate::field::{Field128, Goldilocks, NttField};

/// The version of the wire format, the first byte of every tag.
const VERSION: u8 = 18;
/// Bytes of a nonce.
pub(super) const NONCE: usize = 16;
/// The first of the algorithm ids that are for private use.
const PRIVATE_IDS: u32 = 0xffff_0000;
/// Proofs over Goldilocks that make up for its size where a circuit takes joint randomness.
const LEAST_PROOFS: u8 = 3;

/// What an extendable output is used for.
#[derive(Clone, Copy)]
pub(super) enum Usage {
    MeasurementShare = 1,
    ProofShare = 2,
    JointRandomness = 3,
    ProveRandomness = 4,
    QueryRandomness = 5,
    JointSeed = 6,
    JointPart = 7,
}

/// A task of Prio3: what is measured, and among how many aggregators.
#[derive(Clone, Debug)]
pub struct Prio3<F> {
    pub(super) flp: Flp<F>,
    pub(super) shares: u8,
    pub(super) proofs: u8,
    id: u32,
}

impl Prio3<Goldilocks> {
    /// How many clients say yes.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for fewer than two aggregators.
    pub fn count(aggregators: u8) -> Result<Self> {
        Self::new(Circuit::Count, aggregators, 1)
    }

    /// The sum of numbers up to `max`.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for fewer than two aggregators or a maximum of 0 or of 2^63 and more.
    pub fn sum(aggregators: u8, max: u64) -> Result<Self> {
        if max >> 63 != 0 {
            return Err(Error::Parameter {
                parameter: "the maximum",
                requirement: "below 2^63",
                given: max,
            });
        }
        Self::new(Circuit::sum(max)?, aggregators, 2)
    }

    /// As [`sum_vec`](Prio3::sum_vec), over elements of half the size and with several proofs that make
    /// up for it. The algorithm id is one for private use, 0xffffffff as in the draft's test vectors;
    /// see [`with_private_id`](Prio3::with_private_id).
    ///
    /// # Security
    ///
    /// A circuit with joint randomness is not sound enough over 2^64 elements with fewer than three
    /// proofs (VDAF, section on choosing a field).
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`], also for fewer than three proofs.
    pub fn sum_vec_multiproof(
        aggregators: u8,
        length: usize,
        max: u64,
        proofs: u8,
    ) -> Result<Self> {
        Self::several(Circuit::sum_vec(length, max, None)?, aggregators, max, proofs)
    }

    /// As [`sum_vec_multiproof`](Prio3::sum_vec_multiproof), with a chunk length that others have fixed.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`], also for fewer than three proofs.
    pub fn sum_vec_multiproof_chunked(
        aggregators: u8,
        length: usize,
        max: u64,
        chunk: usize,
        proofs: u8,
    ) -> Result<Self> {
        Self::several(Circuit::sum_vec(length, max, Some(chunk))?, aggregators, max, proofs)
    }

    fn several(circuit: Circuit, aggregators: u8, max: u64, proofs: u8) -> Result<Self> {
        let refuse =
            |parameter, requirement, given| Err(Error::Parameter { parameter, requirement, given });
        if proofs < LEAST_PROOFS {
            return refuse("the number of proofs", "at least 3", proofs.into());
        }
        if max >> 63 != 0 {
            return refuse("the maximum", "below 2^63", max);
        }
        Ok(Prio3 { proofs, ..Self::new(circuit, aggregators, u32::MAX)? })
    }
}

impl Prio3<Field128> {
    /// The sum of vectors of `length` numbers up to `max`.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`].
    pub fn sum_vec(aggregators: u8, length: usize, max: u64) -> Result<Self> {
        Self::new(Circuit::sum_vec(length, max, None)?, aggregators, 3)
    }

    /// As [`sum_vec`](Prio3::sum_vec), with a chunk length that others have fixed.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`].
    pub fn sum_vec_chunked(aggregators: u8, length: usize, max: u64, chunk: usize) -> Result<Self> {
        Self::new(Circuit::sum_vec(length, max, Some(chunk))?, aggregators, 3)
    }

    /// How many clients are in each of `buckets`.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`].
    pub fn histogram(aggregators: u8, buckets: usize) -> Result<Self> {
        Self::new(Circuit::histogram(buckets, None)?, aggregators, 4)
    }

    /// As [`histogram`](Prio3::histogram), with a chunk length that others have fixed.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`].
    pub fn histogram_chunked(aggregators: u8, buckets: usize, chunk: usize) -> Result<Self> {
        Self::new(Circuit::histogram(buckets, Some(chunk))?, aggregators, 4)
    }

    /// How many clients set each of `length` flags, of which each may set `weight`.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`].
    pub fn multihot_count(aggregators: u8, length: usize, weight: usize) -> Result<Self> {
        Self::new(Circuit::multihot(length, weight, None)?, aggregators, 5)
    }

    /// As [`multihot_count`](Prio3::multihot_count), with a chunk length that others have fixed.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`].
    pub fn multihot_count_chunked(
        aggregators: u8,
        length: usize,
        weight: usize,
        chunk: usize,
    ) -> Result<Self> {
        Self::new(Circuit::multihot(length, weight, Some(chunk))?, aggregators, 5)
    }

    /// The sum of vectors of `length` numbers up to `max` that also add up to at most `max`
    /// (draft-ietf-ppm-l1-bound-sum): what one client adds to all entries together is bounded.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`].
    pub fn l1_bound_sum(aggregators: u8, length: usize, max: u64) -> Result<Self> {
        Self::new(Circuit::l1_bound_sum(length, max, None)?, aggregators, 7)
    }

    /// As [`l1_bound_sum`](Prio3::l1_bound_sum), with a chunk length that others have fixed.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`].
    pub fn l1_bound_sum_chunked(
        aggregators: u8,
        length: usize,
        max: u64,
        chunk: usize,
    ) -> Result<Self> {
        Self::new(Circuit::l1_bound_sum(length, max, Some(chunk))?, aggregators, 7)
    }

    /// The average of numbers up to `max`: [`unshard_mean`](Prio3::unshard_mean) has it. Prio3Sum over a
    /// larger field, with the private id 0xffff0000.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for fewer than two aggregators or a maximum of 0.
    pub fn average(aggregators: u8, max: u64) -> Result<Self> {
        Self::new(Circuit::sum(max)?, aggregators, PRIVATE_IDS)
    }
}

impl<F: NttField> Prio3<F> {
    fn new(circuit: Circuit, shares: u8, id: u32) -> Result<Self> {
        if shares < 2 {
            return Err(Error::Parameter {
                parameter: "the number of aggregators",
                requirement: "at least 2",
                given: shares.into(),
            });
        }
        Ok(Prio3 { flp: Flp::new(circuit, shares), shares, proofs: 1, id })
    }

    /// The same task under another algorithm id of those for private use.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for an id below 2^32 - 2^16.
    pub fn with_private_id(self, id: u32) -> Result<Self> {
        if id < PRIVATE_IDS {
            return Err(Error::Parameter {
                parameter: "the algorithm id",
                requirement: "one for private use, at least 0xffff0000",
                given: id.into(),
            });
        }
        Ok(Prio3 { id, ..self })
    }

    /// The number of aggregators.
    #[must_use]
    pub fn aggregators(&self) -> u8 {
        self.shares
    }

    /// The number of proofs in a report.
    #[must_use]
    pub fn proofs(&self) -> u8 {
        self.proofs
    }

    pub(super) fn has_joint(&self) -> bool {
        self.flp.circuit.joint() > 0
    }

    /// A length for one proof, for all of them.
    pub(super) fn for_proofs(&self, length: usize) -> usize {
        length * usize::from(self.proofs)
    }

    pub(super) fn xof(&self, usage: Usage, context: &[u8], seed: &[u8], binder: &[&[u8]]) -> Xof {
        let mut tag = [VERSION, 0, 0, 0, 0, 0, 0, usage as u8];
        tag[2..6].copy_from_slice(&self.id.to_be_bytes());
        Xof::new(seed, [&tag, context], binder)
    }

    pub(super) fn joint_part(
        &self,
        context: &[u8],
        aggregator: u8,
        blind: &[u8],
        encoded_share: &[u8],
        nonce: &[u8; NONCE],
    ) -> [u8; SEED] {
        self.xof(Usage::JointPart, context, blind, &[&[aggregator], nonce, encoded_share]).seed()
    }

    pub(super) fn joint_seed(&self, context: &[u8], parts: &[u8]) -> [u8; SEED] {
        self.xof(Usage::JointSeed, context, &[0; SEED], &[parts]).seed()
    }

    pub(super) fn measurement_share(&self, context: &[u8], id: u8, seed: &[u8]) -> Vec<F> {
        let length = self.flp.circuit.input();
        self.xof(Usage::MeasurementShare, context, seed, &[&[id]]).elements(length)
    }

    pub(super) fn proof_share(&self, context: &[u8], id: u8, seed: &[u8]) -> Vec<F> {
        let length = self.for_proofs(self.flp.proof_length());
        self.xof(Usage::ProofShare, context, seed, &[&[self.proofs, id]]).elements(length)
    }

    pub(super) fn joint_randomness(&self, context: &[u8], seed: &[u8; SEED]) -> Vec<F> {
        let length = self.for_proofs(self.flp.circuit.joint());
        self.xof(Usage::JointRandomness, context, seed, &[&[self.proofs]]).elements(length)
    }
}
