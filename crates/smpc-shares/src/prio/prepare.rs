//! The aggregators' side: preparation of reports, aggregation, and the collector's sum.

use subtle::ConstantTimeEq;

use super::prio3::{NONCE, Prio3, Usage};
use super::xof::SEED;
use crate::error::{Error, Result};
use crate::field::NttField;

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

/// An input share taken apart.
struct Input<'a, F> {
    measurement: Vec<F>,
    /// Encoded, where it is hashed.
    encoded: Vec<u8>,
    proofs: Vec<F>,
    blind: &'a [u8],
}

impl<F: NttField> Prio3<F> {
    fn input<'a>(&self, context: &[u8], aggregator: u8, bytes: &'a [u8]) -> Result<Input<'a, F>> {
        let malformed = || Error::Encoding { what: "an input share" };
        let mut encoded = Vec::new();
        let (measurement, proofs, blind) = if aggregator == 0 {
            let length = self.flp.circuit.input() * F::BYTES;
            let proofs = self.for_proofs(self.flp.proof_length()) * F::BYTES;
            let (measurement, rest) = bytes.split_at_checked(length).ok_or_else(malformed)?;
            let (proofs, blind) = rest.split_at_checked(proofs).ok_or_else(malformed)?;
            let decode = |bytes| F::decode_all(bytes).ok_or_else(malformed);
            encoded.extend_from_slice(measurement);
            (decode(measurement)?, decode(proofs)?, blind)
        } else {
            let (seed, blind) = bytes.split_at_checked(SEED).ok_or_else(malformed)?;
            let measurement = self.measurement_share(context, aggregator, seed);
            if self.has_joint() {
                F::encode_all(&measurement, &mut encoded);
            }
            (measurement, self.proof_share(context, aggregator, seed), blind)
        };
        if blind.len() != self.joint_bytes() {
            return Err(malformed());
        }
        Ok(Input { measurement, encoded, proofs, blind })
    }

    /// Bytes of a part of the joint randomness.
    fn joint_bytes(&self) -> usize {
        if self.has_joint() { SEED } else { 0 }
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
        if public.len() != self.joint_bytes() * usize::from(self.shares) {
            return Err(Error::Encoding { what: "a public share" });
        }
        let input = self.input(context, aggregator, input)?;
        let mut joint = Vec::new();
        let (mut part, mut corrected) = (None, None);
        if self.has_joint() {
            let own = self.joint_part(context, aggregator, input.blind, &input.encoded, nonce);
            let mut parts = public.to_vec();
            let place = usize::from(aggregator) * SEED;
            parts[place..place + SEED].copy_from_slice(&own);
            let seed = self.joint_seed(context, &parts);
            joint = self.joint_randomness(context, &seed);
            (part, corrected) = (Some(own), Some(seed));
        }
        let query = self.xof(Usage::QueryRandomness, context, key, &[&[self.proofs], nonce]);
        let query: Vec<F> = query.elements(self.for_proofs(self.flp.query_length()));
        let mut verifier = Vec::with_capacity(self.for_proofs(self.flp.verifier_length()));
        let mut joints = joint.chunks_exact(self.flp.circuit.joint().max(1));
        let proofs = input.proofs.chunks_exact(self.flp.proof_length());
        for (proof, query) in proofs.zip(query.chunks_exact(self.flp.query_length())) {
            let joint = joints.next().unwrap_or_default();
            self.flp.query(&input.measurement, proof, query, joint, &mut verifier)?;
        }
        let mut message = Vec::with_capacity(verifier.len() * F::BYTES + SEED);
        F::encode_all(&verifier, &mut message);
        message.extend(part.iter().flatten());
        let output = self.flp.circuit.truncate(input.measurement);
        Ok((State { output, joint: corrected }, message))
    }

    /// The aggregators' messages combined, in their order: the message that ends preparation.
    ///
    /// # Errors
    ///
    /// [`Error::Verification`] if the measurement is not well-formed; [`Error::Encoding`].
    pub fn combine(&self, context: &[u8], messages: &[Vec<u8>]) -> Result<Vec<u8>> {
        let malformed = || Error::Encoding { what: "a verifier share" };
        if messages.len() != usize::from(self.shares) {
            return Err(malformed());
        }
        let length = self.for_proofs(self.flp.verifier_length());
        let mut verifier = vec![F::ZERO; length];
        let mut parts = Vec::new();
        for message in messages {
            let split = message.split_at_checked(length * F::BYTES);
            let (share, part) = split.ok_or_else(malformed)?;
            if part.len() != self.joint_bytes() {
                return Err(malformed());
            }
            let share = F::decode_all(share).ok_or_else(malformed)?;
            for (sum, share) in verifier.iter_mut().zip(share) {
                *sum += share;
            }
            parts.extend_from_slice(part);
        }
        let mut verifiers = verifier.chunks_exact(self.flp.verifier_length());
        if !verifiers.all(|verifier| self.flp.decide(verifier)) {
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
        vec![F::ZERO; self.flp.circuit.output()]
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

    /// The mean of a sum's measurements, of which there were so many. Noise added to the shares is in it.
    ///
    /// # Errors
    ///
    /// [`Error::TooFewShares`] of no measurements; [`Error::Parameter`] for a task with vectors; as
    /// [`unshard`](Prio3::unshard).
    pub fn unshard_mean(&self, shares: &[Vec<F>], measurements: u64) -> Result<f64> {
        if measurements == 0 {
            return Err(Error::TooFewShares { needed: 1, given: 0 });
        }
        match *self.unshard(shares)? {
            [sum] => Ok(sum as f64 / measurements as f64),
            ref sums => Err(Error::Parameter {
                parameter: "the entries of an aggregate with a mean",
                requirement: "1",
                given: sums.len() as u64,
            }),
        }
    }
}
