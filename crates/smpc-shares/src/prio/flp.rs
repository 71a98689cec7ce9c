//! Fully linear proofs that a measurement satisfies its circuit (Boneh et al. 2019,
//! <https://eprint.iacr.org/2019/188>), with polynomials by their values at roots of unity.

use super::circuit::Circuit;
use super::polynomial::Domain;
use crate::error::{Error, Result};
use crate::field::NttField;
use crate::wipe::wipe;

/// A circuit with the tables for its proofs.
#[derive(Clone, Debug)]
pub(super) struct Flp<F> {
    pub(super) circuit: Circuit,
    domain: Domain<F>,
    /// One party's part of one.
    part: F,
}

impl<F: NttField> Flp<F> {
    pub(super) fn new(circuit: Circuit, shares: u8) -> Self {
        let size = (1 + circuit.calls()).next_power_of_two();
        let part = F::from_u128(shares.into()).inverse();
        Flp { circuit, domain: Domain::new(size), part }
    }

    pub(super) fn proof_length(&self) -> usize {
        self.circuit.arity() + 2 * self.domain.size - 1
    }

    pub(super) fn verifier_length(&self) -> usize {
        2 + self.circuit.arity()
    }

    /// Elements of randomness that [`query`](Self::query) takes.
    pub(super) fn query_length(&self) -> usize {
        let checks = self.circuit.checks();
        1 + if checks > 1 { checks } else { 0 }
    }

    /// Appends a proof.
    pub(super) fn prove(&self, input: &[F], seeds: &[F], joint: &[F], proof: &mut Vec<F>) {
        let arity = self.circuit.arity();
        // Row by row the wires: their seeds, the inputs of each gadget call, zeros.
        let mut rows = Vec::with_capacity(arity * self.domain.size);
        rows.extend_from_slice(seeds);
        self.circuit.wires(input, joint, &mut rows);
        rows.resize(arity * self.domain.size, F::ZERO);
        // The gadget polynomial at even powers of the 2p-th root is the gadget on the wires, at odd
        // powers the gadget on their continuation.
        let end = proof.len() + self.proof_length();
        proof.extend_from_slice(seeds);
        let first = proof.len();
        proof.resize(first + 2 * self.domain.size, F::ZERO);
        self.circuit.gadgets(&rows, proof[first..].iter_mut().step_by(2));
        if arity == 1 {
            self.domain.to_odd_alone(&mut rows);
        } else {
            self.domain.to_odd(&mut rows, arity);
        }
        self.circuit.gadgets(&rows, proof[first..].iter_mut().skip(1).step_by(2));
        wipe(&mut rows);
        proof.truncate(end);
    }

    /// Appends this party's share of the verifier: what is left to be checked of a proof.
    pub(super) fn query(
        &self,
        input: &[F],
        proof: &[F],
        query: &[F],
        joint: &[F],
        verifier: &mut Vec<F>,
    ) -> Result<()> {
        let arity = self.circuit.arity();
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
        verifier.push(reduced);
        self.circuit.wires_at(input, seeds, joint, self.part, &narrow, verifier);
        verifier.push(F::dot(&values, &wide));
        Ok(())
    }

    /// Whether the sum of all parties' verifiers is that of a well-formed measurement.
    pub(super) fn decide(&self, verifier: &[F]) -> bool {
        let [reduced, wires @ .., gadget] = verifier else { return false };
        *reduced == F::ZERO && self.circuit.gadget(wires) == *gadget
    }
}
