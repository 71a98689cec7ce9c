//! The protocol: sharding, preparation, aggregation, unsharding.

use privacy_core::random::SecureRng;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

use super::circuit::{Circuit, Measurement};
use super::polynomial::Domain;
use super::xof::{SEED, Xof};
use crate::error::{Error, Result};
use crate::field::{Field128, Goldilocks, NttField};

/// The version of the wire format, the first byte of every tag.
const VERSION: u8 = 18;
/// Bytes of a nonce.
const NONCE: usize = 16;

const MEASUREMENT_SHARE: u16 = 1;
const PROOF_SHARE: u16 = 2;
const JOINT_RANDOMNESS: u16 = 3;
const PROVE_RANDOMNESS: u16 = 4;
const QUERY_RANDOMNESS: u16 = 5;
const JOINT_SEED: u16 = 6;
const JOINT_PART: u16 = 7;

/// A task of Prio3: what is measured, and among how many aggregators.
#[derive(Clone, Debug)]
pub struct Prio3<F> {
    circuit: Circuit,
    domain: Domain<F>,
    shares: u8,
    id: u32,
    /// One party's part of one.
    part: F,
}

/// What a client sends: the public share for all, and one input share for each aggregator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// For every aggregator.
    pub public: Vec<u8>,
    /// For aggregator 0 (the leader), 1, …; secret from the others.
    pub inputs: Vec<Vec<u8>>,
}

/// An aggregator's state between its message and the end of preparation.
pub struct State<F> {
    output: Vec<F>,
    joint: Option<[u8; SEED]>,
}

impl<F> std::fmt::Debug for State<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("State(..)")
    }
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
        let size = (1 + circuit.calls()).next_power_of_two();
        let part = F::from_u128(shares.into()).inverse();
        Ok(Prio3 { circuit, domain: Domain::new(size), shares, id, part })
    }

    /// The number of aggregators.
    #[must_use]
    pub fn aggregators(&self) -> u8 {
        self.shares
    }

    fn proof_length(&self) -> usize {
        self.circuit.arity() + 2 * self.domain.size - 1
    }

    fn verifier_length(&self) -> usize {
        2 + self.circuit.arity()
    }

    fn has_joint(&self) -> bool {
        self.circuit.joint() > 0
    }

    fn tag(&self, usage: u16, context: &[u8]) -> Vec<u8> {
        let mut tag = vec![VERSION, 0];
        tag.extend_from_slice(&self.id.to_be_bytes());
        tag.extend_from_slice(&usage.to_be_bytes());
        tag.extend_from_slice(context);
        tag
    }

    fn xof(&self, usage: u16, context: &[u8], seed: &[u8], binder: &[&[u8]]) -> Xof {
        Xof::new(seed, &self.tag(usage, context), binder)
    }

    fn joint_part(
        &self,
        context: &[u8],
        aggregator: u8,
        blind: &[u8],
        share: &[F],
        nonce: &[u8; NONCE],
    ) -> [u8; SEED] {
        let mut encoded = Vec::new();
        F::encode_all(share, &mut encoded);
        self.xof(JOINT_PART, context, blind, &[&[aggregator], nonce, &encoded]).seed()
    }

    fn joint_seed(&self, context: &[u8], parts: &[u8]) -> [u8; SEED] {
        self.xof(JOINT_SEED, context, &[0; SEED], &[parts]).seed()
    }

    /// A report under a fresh nonce.
    ///
    /// # Errors
    ///
    /// [`Error::Entropy`]; as [`shard`](Prio3::shard).
    pub fn report(
        &self,
        context: &[u8],
        measurement: &Measurement<'_>,
        rng: &mut dyn SecureRng,
    ) -> Result<([u8; NONCE], Report)> {
        let mut nonce = [0; NONCE];
        rng.fill(&mut nonce)?;
        let mut random = Zeroizing::new(vec![0; self.random_bytes()]);
        rng.fill(&mut random)?;
        Ok((nonce, self.shard(context, measurement, &nonce, &random)?))
    }

    /// The bytes of randomness that [`shard`](Prio3::shard) takes.
    #[must_use]
    pub fn random_bytes(&self) -> usize {
        let seeds = if self.has_joint() { 2 } else { 1 };
        usize::from(self.shares) * seeds * SEED
    }

    /// The report of a measurement, from given randomness.
    ///
    /// # Security
    ///
    /// `random` must be fresh, uniform and secret. Prefer [`report`](Prio3::report).
    ///
    /// # Errors
    ///
    /// [`Error::Encoding`] or [`Error::Parameter`] for a measurement that is not one of this task;
    /// [`Error::Parameter`] for another number of random bytes.
    pub fn shard(
        &self,
        context: &[u8],
        measurement: &Measurement<'_>,
        nonce: &[u8; NONCE],
        random: &[u8],
    ) -> Result<Report> {
        if random.len() != self.random_bytes() {
            return Err(Error::Parameter {
                parameter: "the number of random bytes",
                requirement: "what `random_bytes` says",
                given: random.len() as u64,
            });
        }
        let input: Vec<F> = self.circuit.encode(measurement)?;
        let each = if self.has_joint() { 2 * SEED } else { SEED };
        let (helpers, own) = random.split_at((usize::from(self.shares) - 1) * each);
        let (leader_blind, prove_seed) = own.split_at(own.len() - SEED);
        let mut leader = input.clone();
        let mut public = Vec::new();
        for (i, seeds) in helpers.chunks_exact(each).enumerate() {
            let id = i as u8 + 1;
            let share = self.measurement_share(context, id, &seeds[..SEED]);
            for (leader, share) in leader.iter_mut().zip(&share) {
                *leader -= *share;
            }
            if self.has_joint() {
                let part = self.joint_part(context, id, &seeds[SEED..], &share, nonce);
                public.extend_from_slice(&part);
            }
        }
        let mut joint = Vec::new();
        if self.has_joint() {
            let part = self.joint_part(context, 0, leader_blind, &leader, nonce);
            public.splice(0..0, part);
            joint = self.joint_randomness(context, &self.joint_seed(context, &public));
        }
        let prove = self.xof(PROVE_RANDOMNESS, context, prove_seed, &[&[1]]);
        let seeds: Vec<F> = prove.elements(self.circuit.arity());
        let mut proof = self.prove(&input, &seeds, &joint);
        for (i, seeds) in helpers.chunks_exact(each).enumerate() {
            let share = self.proof_share(context, i as u8 + 1, &seeds[..SEED]);
            for (proof, share) in proof.iter_mut().zip(share) {
                *proof -= share;
            }
        }
        let mut first = Vec::new();
        F::encode_all(&leader, &mut first);
        F::encode_all(&proof, &mut first);
        first.extend_from_slice(leader_blind);
        let mut inputs = vec![first];
        inputs.extend(helpers.chunks_exact(each).map(<[u8]>::to_vec));
        Ok(Report { public, inputs })
    }

    fn measurement_share(&self, context: &[u8], id: u8, seed: &[u8]) -> Vec<F> {
        self.xof(MEASUREMENT_SHARE, context, seed, &[&[id]]).elements(self.circuit.input())
    }

    fn proof_share(&self, context: &[u8], id: u8, seed: &[u8]) -> Vec<F> {
        self.xof(PROOF_SHARE, context, seed, &[&[1, id]]).elements(self.proof_length())
    }

    fn joint_randomness(&self, context: &[u8], seed: &[u8; SEED]) -> Vec<F> {
        self.xof(JOINT_RANDOMNESS, context, seed, &[&[1]]).elements(self.circuit.joint())
    }

    /// The wires of all gadget calls: for each wire its seed, its inputs and zeros.
    fn wires(&self, input: &[F], seeds: &[F], joint: &[F], part: F) -> Vec<F> {
        let size = self.domain.size;
        let mut wires = vec![F::ZERO; seeds.len() * size];
        for (wire, seed) in wires.chunks_exact_mut(size).zip(seeds) {
            wire[0] = *seed;
        }
        for call in 0..self.circuit.calls() {
            self.circuit.wires(call, input, joint, part, |wire, value| {
                wires[wire * size + call + 1] = value;
            });
        }
        wires
    }

    fn prove(&self, input: &[F], seeds: &[F], joint: &[F]) -> Vec<F> {
        let size = self.domain.size;
        let mut wires = self.wires(input, seeds, joint, F::ONE);
        // The gadget polynomial at even powers of the 2p-th root is the gadget on the wires, at odd
        // powers the gadget on their continuation.
        let even = self.gadget_values(&wires);
        for wire in wires.chunks_exact_mut(size) {
            self.domain.to_odd(wire);
        }
        let odd = self.gadget_values(&wires);
        wires.zeroize();
        let mut proof = seeds.to_vec();
        proof.extend(even.iter().zip(&odd).flat_map(|(even, odd)| [*even, *odd]));
        proof.truncate(self.proof_length());
        proof
    }

    /// The gadget at each of the p places of its wires.
    fn gadget_values(&self, wires: &[F]) -> Vec<F> {
        let size = self.domain.size;
        if self.circuit.arity() == 1 {
            return wires.iter().map(|x| self.circuit.gadget(&[*x])).collect();
        }
        let mut sums = vec![F::ZERO; size];
        for pair in wires.chunks_exact(2 * size) {
            let (left, right) = pair.split_at(size);
            for ((sum, left), right) in sums.iter_mut().zip(left).zip(right) {
                *sum += *left * *right;
            }
        }
        sums
    }

    fn query(&self, input: &[F], proof: &[F], query: &[F], joint: &[F]) -> Result<Vec<F>> {
        let arity = self.circuit.arity();
        let size = self.domain.size;
        let (seeds, values) = proof.split_at(arity);
        let mut values = values.to_vec();
        values.push(self.domain.last_value(&values));
        let gadgets: Vec<F> = (1..=self.circuit.calls()).map(|call| values[2 * call]).collect();
        let checks = self.circuit.evaluate(input, &gadgets, self.part);
        let (reduction, points) =
            if checks.len() > 1 { query.split_at(checks.len()) } else { (&[][..], query) };
        let reduced = if checks.len() > 1 { F::dot(reduction, &checks) } else { checks[0] };
        let [point] = points else { return Err(Error::Verification) };
        // A root of unity would reveal an input; it occurs with probability p/|F|.
        let (narrow, wide) = self.domain.weights(*point).ok_or(Error::Verification)?;
        let mut verifier = vec![reduced];
        if arity > 2 {
            // The wires call by call, without ever holding all of them.
            let mut at_point: Vec<F> = seeds.iter().map(|seed| *seed * narrow[0]).collect();
            for call in 0..self.circuit.calls() {
                let weight = narrow[call + 1];
                self.circuit.wires(call, input, joint, self.part, |wire, value| {
                    at_point[wire] += value * weight;
                });
            }
            verifier.extend(at_point);
        } else {
            let wires = self.wires(input, seeds, joint, self.part);
            verifier.extend(wires.chunks_exact(size).map(|wire| F::dot(wire, &narrow)));
        }
        verifier.push(F::dot(&values, &wide));
        Ok(verifier)
    }

    /// An aggregator's first step on a report: its state, and its message to the others.
    ///
    /// # Errors
    ///
    /// [`Error::Encoding`] for malformed shares; [`Error::Parameter`] for an aggregator that there is
    /// not; [`Error::Verification`] with negligible probability.
    pub fn prepare(
        &self,
        key: &[u8; SEED],
        context: &[u8],
        aggregator: u8,
        nonce: &[u8; NONCE],
        public: &[u8],
        input: &[u8],
    ) -> Result<(State<F>, Vec<u8>)> {
        if aggregator >= self.shares {
            return Err(Error::Parameter {
                parameter: "the aggregator",
                requirement: "less than their number",
                given: aggregator.into(),
            });
        }
        let malformed = |what| Error::Encoding { what };
        let (measurement, proof, blind) = if aggregator == 0 {
            let bytes = self.circuit.input() * F::BYTES;
            let proof_bytes = self.proof_length() * F::BYTES;
            let (measurement, rest) =
                input.split_at_checked(bytes).ok_or(malformed("an input share"))?;
            let (proof, blind) =
                rest.split_at_checked(proof_bytes).ok_or(malformed("an input share"))?;
            let decode = |bytes| F::decode_all(bytes).ok_or(malformed("an input share"));
            (decode(measurement)?, decode(proof)?, blind)
        } else {
            let (seed, blind) = input.split_at_checked(SEED).ok_or(malformed("an input share"))?;
            let measurement = self.measurement_share(context, aggregator, seed);
            (measurement, self.proof_share(context, aggregator, seed), blind)
        };
        let joint_bytes = if self.has_joint() { SEED } else { 0 };
        if blind.len() != joint_bytes {
            return Err(malformed("an input share"));
        }
        if public.len() != joint_bytes * usize::from(self.shares) {
            return Err(malformed("a public share"));
        }
        let mut joint = Vec::new();
        let (mut part, mut corrected) = (None, None);
        if self.has_joint() {
            let own = self.joint_part(context, aggregator, blind, &measurement, nonce);
            let mut parts = public.to_vec();
            let place = usize::from(aggregator) * SEED;
            parts[place..place + SEED].copy_from_slice(&own);
            let seed = self.joint_seed(context, &parts);
            joint = self.joint_randomness(context, &seed);
            (part, corrected) = (Some(own), Some(seed));
        }
        let checks = self.circuit.checks();
        let length = 1 + if checks > 1 { checks } else { 0 };
        let query = self.xof(QUERY_RANDOMNESS, context, key, &[&[1], nonce]);
        let query: Vec<F> = query.elements(length);
        let verifier = self.query(&measurement, &proof, &query, &joint)?;
        let mut message = Vec::new();
        F::encode_all(&verifier, &mut message);
        message.extend(part.iter().flatten());
        let output = self.circuit.truncate(measurement);
        Ok((State { output, joint: corrected }, message))
    }

    /// The aggregators' messages combined, in their order: the message that ends preparation.
    ///
    /// # Errors
    ///
    /// [`Error::Verification`] if the measurement is not well-formed; [`Error::Encoding`].
    pub fn combine(&self, context: &[u8], messages: &[Vec<u8>]) -> Result<Vec<u8>> {
        let malformed = Error::Encoding { what: "a verifier share" };
        if messages.len() != usize::from(self.shares) {
            return Err(malformed);
        }
        let mut verifier = vec![F::ZERO; self.verifier_length()];
        let mut parts = Vec::new();
        for message in messages {
            let (share, part) = message
                .split_at_checked(self.verifier_length() * F::BYTES)
                .ok_or(malformed.clone())?;
            if part.len() != if self.has_joint() { SEED } else { 0 } {
                return Err(malformed);
            }
            let share = F::decode_all(share).ok_or(malformed.clone())?;
            for (sum, share) in verifier.iter_mut().zip(share) {
                *sum += share;
            }
            parts.extend_from_slice(part);
        }
        let (reduced, gadget) = (verifier[0], verifier[self.verifier_length() - 1]);
        let wires = &verifier[1..self.verifier_length() - 1];
        if reduced != F::ZERO || self.circuit.gadget(wires) != gadget {
            return Err(Error::Verification);
        }
        if !self.has_joint() {
            return Ok(Vec::new());
        }
        Ok(self.joint_seed(context, &parts).to_vec())
    }

    /// An aggregator's share of the valid measurement.
    ///
    /// # Errors
    ///
    /// [`Error::Verification`] if the joint randomness differs.
    pub fn finish(&self, state: State<F>, message: &[u8]) -> Result<Vec<F>> {
        let expected = state.joint.as_ref().map_or(&[][..], |seed| &seed[..]);
        if message.ct_eq(expected).into() { Ok(state.output) } else { Err(Error::Verification) }
    }

    /// An aggregate of no measurements.
    #[must_use]
    pub fn empty(&self) -> Vec<F> {
        vec![F::ZERO; self.circuit.output()]
    }

    /// Adds an output share to an aggregate share.
    ///
    /// # Errors
    ///
    /// [`Error::LengthMismatch`].
    pub fn add(&self, aggregate: &mut [F], output: &[F]) -> Result<()> {
        if aggregate.len() != output.len() {
            return Err(Error::LengthMismatch { left: aggregate.len(), right: output.len() });
        }
        for (sum, value) in aggregate.iter_mut().zip(output) {
            *sum += *value;
        }
        Ok(())
    }

    /// The aggregate from the shares of all aggregators. Signed, so that noise added to the shares
    /// may take it below zero.
    ///
    /// # Errors
    ///
    /// [`Error::TooFewShares`], [`Error::LengthMismatch`].
    pub fn unshard(&self, shares: &[Vec<F>]) -> Result<Vec<i128>> {
        let needed = usize::from(self.shares);
        if shares.len() != needed {
            return Err(Error::TooFewShares { needed, given: shares.len() });
        }
        let mut sum = self.empty();
        for share in shares {
            self.add(&mut sum, share)?;
        }
        Ok(sum.into_iter().map(|value| value.to_i128()).collect())
    }
}
