//! The client's side: a measurement split among the aggregators, with its proof.

use privacy_core::random::SecureRng;
use zeroize::Zeroizing;

use super::circuit::Measurement;
use super::prio3::{NONCE, Prio3, Usage};
use super::xof::SEED;
use crate::error::{Error, Result};
use crate::field::NttField;

/// What a client sends: the public share for all, and one input share for each aggregator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// For every aggregator.
    pub public: Vec<u8>,
    /// For aggregator 0 (the leader), 1, …; secret from the others.
    pub inputs: Vec<Vec<u8>>,
}

impl<F: NttField> Prio3<F> {
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
        // The nonce and the randomness in one request to the source.
        let mut random = Zeroizing::new(vec![0; NONCE + self.random_bytes()]);
        rng.fill(&mut random)?;
        let (nonce, random) = random.split_first_chunk().ok_or(Error::Poisoned)?;
        Ok((*nonce, self.shard(context, measurement, nonce, random)?))
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
        let circuit = &self.flp.circuit;
        let input: Vec<F> = circuit.encode(measurement)?;
        let each = if self.has_joint() { 2 * SEED } else { SEED };
        let (helpers, own) = random.split_at((usize::from(self.shares) - 1) * each);
        let (leader_blind, prove_seed) = own.split_at(own.len() - SEED);
        let mut leader = input.clone();
        let mut public = Vec::new();
        let mut encoded = Vec::new();
        for (i, seeds) in helpers.chunks_exact(each).enumerate() {
            let id = i as u8 + 1;
            let share = self.measurement_share(context, id, &seeds[..SEED]);
            for (leader, share) in leader.iter_mut().zip(&share) {
                *leader -= *share;
            }
            if self.has_joint() {
                encoded.clear();
                F::encode_all(&share, &mut encoded);
                let part = self.joint_part(context, id, &seeds[SEED..], &encoded, nonce);
                public.extend_from_slice(&part);
            }
        }
        let elements = leader.len() + self.for_proofs(self.flp.proof_length());
        let mut first = Vec::with_capacity(elements * F::BYTES + SEED);
        F::encode_all(&leader, &mut first);
        let mut joint = Vec::new();
        if self.has_joint() {
            let part = self.joint_part(context, 0, leader_blind, &first, nonce);
            public.splice(0..0, part);
            joint = self.joint_randomness(context, &self.joint_seed(context, &public));
        }
        let prove = self.xof(Usage::ProveRandomness, context, prove_seed, &[&[self.proofs]]);
        let seeds: Vec<F> = prove.elements(self.for_proofs(circuit.arity()));
        let mut proofs = Vec::with_capacity(self.for_proofs(self.flp.proof_length()) + 1);
        let mut joints = joint.chunks_exact(circuit.joint().max(1));
        for seeds in seeds.chunks_exact(circuit.arity()) {
            self.flp.prove(&input, seeds, joints.next().unwrap_or_default(), &mut proofs);
        }
        for (i, seeds) in helpers.chunks_exact(each).enumerate() {
            let share = self.proof_share(context, i as u8 + 1, &seeds[..SEED]);
            for (proof, share) in proofs.iter_mut().zip(share) {
                *proof -= share;
            }
        }
        F::encode_all(&proofs, &mut first);
        first.extend_from_slice(leader_blind);
        let mut inputs = vec![first];
        inputs.extend(helpers.chunks_exact(each).map(<[u8]>::to_vec));
        Ok(Report { public, inputs })
    }
}
