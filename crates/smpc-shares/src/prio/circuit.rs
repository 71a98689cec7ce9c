//! Validity circuits of Prio3: what a well-formed measurement is, as arithmetic.

use crate::error::{Error, Result};
use crate::field::{Field, NttField};
use crate::wipe::wipe;

/// A client's measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Measurement<'a> {
    /// For a count: whether this client counts.
    Flag(bool),
    /// For a sum: a number up to the task's maximum.
    Number(u64),
    /// For a vector sum, bounded or not: numbers up to the task's maximum.
    Vector(&'a [u64]),
    /// For a histogram: a bucket, counted from 0.
    Bucket(usize),
    /// For a multihot count: which of the entries are set.
    Flags(&'a [bool]),
}

/// The chunk length with the shortest proof for a measurement of this many elements.
///
/// The gadget is called 2^j - 1 times for the best j: a proof has 2·chunk + 2·(2^j - 1) + 1
/// elements.
#[must_use]
pub fn optimal_chunk(length: usize) -> usize {
    let candidate = |log: u32| {
        let calls = (1usize << log) - 1;
        let chunk = length.div_ceil(calls).max(1);
        (2 * chunk + 2 * calls, chunk)
    };
    (1..=length.max(1).ilog2() + 1).map(candidate).min().map_or(1, |(_, chunk)| chunk)
}

/// Encodes 0..=max in bits of weights 1, 2, 4, … and a last one that just reaches the maximum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    max: u64,
    bits: usize,
}

impl Range {
    fn new(max: u64) -> Result<Self> {
        if max == 0 {
            return Err(Error::Parameter {
                parameter: "the maximum",
                requirement: "at least 1",
                given: 0,
            });
        }
        Ok(Range { max, bits: (u64::BITS - max.leading_zeros()) as usize })
    }

    fn last(&self) -> u64 {
        self.max - ((1 << (self.bits - 1)) - 1)
    }

    /// In constant time for all values in range.
    fn encode<F: Field>(&self, value: u64, out: &mut Vec<F>) -> Result<()> {
        if value > self.max {
            return Err(Error::Parameter {
                parameter: "the measurement",
                requirement: "at most the task's maximum",
                given: self.max,
            });
        }
        let threshold = (1u64 << (self.bits - 1)) - 1;
        let over = u64::from(value > threshold);
        let rest = value - (self.last() & over.wrapping_neg());
        out.extend((0..self.bits - 1).map(|bit| F::from_u128(u128::from(rest >> bit & 1))));
        out.push(F::from_u128(u128::from(over)));
        Ok(())
    }

    fn decode<F: Field>(&self, bits: &[F]) -> F {
        let weight = |i: usize| if i + 1 < self.bits { 1u64 << i } else { self.last() };
        bits.iter().enumerate().map(|(i, bit)| *bit * F::from_u128(weight(i).into())).sum()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Circuit {
    Count,
    Sum(Range),
    SumVec { length: usize, range: Range, chunk: usize },
    Histogram { length: usize, chunk: usize },
    Multihot { length: usize, range: Range, chunk: usize },
    L1BoundSum { length: usize, range: Range, chunk: usize },
}

fn positive(parameter: &'static str, given: usize) -> Result<()> {
    if (1..=1 << 28).contains(&given) {
        return Ok(());
    }
    Err(Error::Parameter { parameter, requirement: "between 1 and 2^28", given: given as u64 })
}

impl Circuit {
    pub(super) fn sum(max: u64) -> Result<Self> {
        Ok(Circuit::Sum(Range::new(max)?))
    }

    pub(super) fn sum_vec(length: usize, max: u64, chunk: Option<usize>) -> Result<Self> {
        positive("the length", length)?;
        let range = Range::new(max)?;
        let chunk = chunk.unwrap_or_else(|| optimal_chunk(length * range.bits));
        positive("the chunk length", chunk)?;
        Ok(Circuit::SumVec { length, range, chunk })
    }

    pub(super) fn l1_bound_sum(length: usize, max: u64, chunk: Option<usize>) -> Result<Self> {
        positive("the length", length)?;
        let range = Range::new(max)?;
        let chunk = chunk.unwrap_or_else(|| optimal_chunk((length + 1) * range.bits));
        positive("the chunk length", chunk)?;
        Ok(Circuit::L1BoundSum { length, range, chunk })
    }

    pub(super) fn histogram(length: usize, chunk: Option<usize>) -> Result<Self> {
        positive("the number of buckets", length)?;
        let chunk = chunk.unwrap_or_else(|| optimal_chunk(length));
        positive("the chunk length", chunk)?;
        Ok(Circuit::Histogram { length, chunk })
    }

    pub(super) fn multihot(length: usize, weight: usize, chunk: Option<usize>) -> Result<Self> {
        positive("the length", length)?;
        if weight > length {
            return Err(Error::Parameter {
                parameter: "the greatest weight",
                requirement: "at most the length",
                given: weight as u64,
            });
        }
        let range = Range::new(weight as u64)?;
        let chunk = chunk.unwrap_or_else(|| optimal_chunk(length + range.bits));
        positive("the chunk length", chunk)?;
        Ok(Circuit::Multihot { length, range, chunk })
    }

    /// Elements of an encoded measurement.
    pub(super) fn input(&self) -> usize {
        match self {
            Circuit::Count => 1,
            Circuit::Sum(range) => range.bits,
            Circuit::SumVec { length, range, .. } => length * range.bits,
            Circuit::Histogram { length, .. } => *length,
            Circuit::Multihot { length, range, .. } => length + range.bits,
            Circuit::L1BoundSum { length, range, .. } => (length + 1) * range.bits,
        }
    }

    /// Elements of an aggregate.
    pub(super) fn output(&self) -> usize {
        match self {
            Circuit::Count | Circuit::Sum(_) => 1,
            Circuit::SumVec { length, .. }
            | Circuit::Histogram { length, .. }
            | Circuit::Multihot { length, .. }
            | Circuit::L1BoundSum { length, .. } => *length,
        }
    }

    fn chunk(&self) -> Option<usize> {
        match self {
            Circuit::Count | Circuit::Sum(_) => None,
            Circuit::SumVec { chunk, .. }
            | Circuit::Histogram { chunk, .. }
            | Circuit::Multihot { chunk, .. }
            | Circuit::L1BoundSum { chunk, .. } => Some(*chunk),
        }
    }

    pub(super) fn calls(&self) -> usize {
        match self.chunk() {
            Some(chunk) => self.input().div_ceil(chunk),
            None => self.input(),
        }
    }

    /// Wires of the gadget.
    pub(super) fn arity(&self) -> usize {
        match (self, self.chunk()) {
            (Circuit::Sum(_), _) => 1,
            (_, Some(chunk)) => 2 * chunk,
            _ => 2,
        }
    }

    /// Elements of joint randomness.
    pub(super) fn joint(&self) -> usize {
        if self.chunk().is_some() { self.calls() } else { 0 }
    }

    /// Outputs of the circuit, all zero for a well-formed measurement.
    pub(super) fn checks(&self) -> usize {
        match self {
            Circuit::Count | Circuit::SumVec { .. } => 1,
            Circuit::Sum(range) => range.bits,
            Circuit::Histogram { .. } | Circuit::Multihot { .. } | Circuit::L1BoundSum { .. } => 2,
        }
    }

    /// The gadget on values of its wires: the product, x² - x, or the sum of products of pairs.
    pub(super) fn gadget<F: NttField>(&self, wires: &[F]) -> F {
        let mut out = F::ZERO;
        self.gadgets(wires, std::iter::once(&mut out));
        out
    }

    /// The gadget on each row of values of its wires.
    pub(super) fn gadgets<'a, F: NttField>(
        &self,
        rows: &[F],
        outs: impl Iterator<Item = &'a mut F>,
    ) {
        if let Circuit::Sum(_) = self {
            let mut values = rows.to_vec();
            F::scale_each(&mut values, rows);
            for ((out, square), x) in outs.zip(&values).zip(rows) {
                *out = *square - *x;
            }
            wipe(&mut values);
            return;
        }
        for (out, wires) in outs.zip(rows.chunks_exact(self.arity())) {
            let mut sum = F::Accumulator::default();
            for [left, right] in wires.as_chunks().0 {
                F::accumulate(&mut sum, *left, *right);
            }
            *out = F::settle(sum);
        }
    }

    /// Appends the inputs of all gadget calls of a whole measurement, call by call.
    pub(super) fn wires<F: Field>(&self, input: &[F], joint: &[F], out: &mut Vec<F>) {
        match (self, self.chunk()) {
            (_, Some(chunk)) => {
                for (values, r) in input.chunks(chunk).zip(joint) {
                    let mut power = *r;
                    for value in values {
                        out.push(power * *value);
                        out.push(*value - F::ONE);
                        power *= *r;
                    }
                    for _ in values.len()..chunk {
                        out.push(F::ZERO);
                        out.push(-F::ONE);
                    }
                }
            }
            (Circuit::Count, _) => out.extend_from_slice(&[input[0], input[0]]),
            _ => out.extend_from_slice(input),
        }
    }

    /// Appends the values of all wires at the point that the weights stand for, without ever holding
    /// the wires.
    pub(super) fn wires_at<F: NttField>(
        &self,
        input: &[F],
        seeds: &[F],
        joint: &[F],
        part: F,
        weights: &[F],
        out: &mut Vec<F>,
    ) {
        let Some(chunk) = self.chunk() else {
            // Each wire of these circuits is the input itself.
            let (seed, rest) = (weights[0], &weights[1..]);
            let value = F::dot(&input[..self.calls()], rest);
            out.extend(seeds.iter().map(|wire| *wire * seed + value));
            return;
        };
        let mut sums = vec![F::Accumulator::default(); 2 * chunk];
        let mut total = F::ZERO;
        for ((inputs, r), weight) in input.chunks(chunk).zip(joint).zip(&weights[1..]) {
            total += *weight;
            let mut power = *weight;
            for (pair, value) in sums.as_chunks_mut().0.iter_mut().zip(inputs) {
                let [left, right] = pair;
                power *= *r;
                F::accumulate(left, power, *value);
                F::accumulate(right, *weight, *value);
            }
        }
        let shift = total * part;
        let pairs = sums.as_chunks::<2>().0.iter().zip(seeds.as_chunks::<2>().0);
        for ([left, right], [left_seed, right_seed]) in pairs {
            out.push(F::settle(*left) + *left_seed * weights[0]);
            out.push(F::settle(*right) + *right_seed * weights[0] - shift);
        }
    }

    /// The outputs of the circuit from those of the gadget. `part` is this party's part of one.
    pub(super) fn evaluate<F: Field>(&self, input: &[F], gadgets: &[F], part: F) -> Vec<F> {
        let total = || gadgets.iter().copied().sum();
        match self {
            Circuit::Count => vec![gadgets[0] - input[0]],
            Circuit::Sum(_) => gadgets.to_vec(),
            Circuit::SumVec { .. } => vec![total()],
            Circuit::Histogram { .. } => {
                vec![total(), input.iter().copied().sum::<F>() - part]
            }
            Circuit::Multihot { length, range, .. } => {
                let (flags, weight) = input.split_at(*length);
                vec![total(), flags.iter().copied().sum::<F>() - range.decode(weight)]
            }
            Circuit::L1BoundSum { length, range, .. } => {
                let (values, norm) = input.split_at(length * range.bits);
                let sum: F = values.chunks_exact(range.bits).map(|bits| range.decode(bits)).sum();
                vec![total(), sum - range.decode(norm)]
            }
        }
    }

    pub(super) fn encode<F: Field>(&self, measurement: &Measurement<'_>) -> Result<Vec<F>> {
        let refused = || Error::Encoding { what: "a measurement of this task" };
        let mut out = Vec::with_capacity(self.input());
        match (self, measurement) {
            (Circuit::Count, Measurement::Flag(flag)) => {
                out.push(F::from_u128(u128::from(*flag)));
            }
            (Circuit::Sum(range), Measurement::Number(value)) => range.encode(*value, &mut out)?,
            (Circuit::SumVec { length, range, .. }, Measurement::Vector(values))
                if values.len() == *length =>
            {
                for value in *values {
                    range.encode(*value, &mut out)?;
                }
            }
            (Circuit::L1BoundSum { length, range, .. }, Measurement::Vector(values))
                if values.len() == *length =>
            {
                for value in *values {
                    range.encode(*value, &mut out)?;
                }
                // Beyond 2^64 it is beyond the maximum, too.
                let norm = values.iter().fold(0u64, |sum, value| sum.saturating_add(*value));
                range.encode(norm, &mut out)?;
            }
            (Circuit::Histogram { length, .. }, Measurement::Bucket(bucket)) if bucket < length => {
                out.extend((0..*length).map(|i| F::from_u128(u128::from(i == *bucket))));
            }
            (Circuit::Multihot { length, range, .. }, Measurement::Flags(flags))
                if flags.len() == *length =>
            {
                out.extend(flags.iter().map(|flag| F::from_u128(u128::from(*flag))));
                let weight = flags.iter().filter(|flag| **flag).count();
                range.encode(weight as u64, &mut out)?;
            }
            _ => return Err(refused()),
        }
        Ok(out)
    }

    /// The part of a measurement that is added up.
    pub(super) fn truncate<F: Field>(&self, mut input: Vec<F>) -> Vec<F> {
        match self {
            Circuit::Count | Circuit::Histogram { .. } => input,
            Circuit::Sum(range) => vec![range.decode(&input)],
            Circuit::SumVec { length, range, .. } | Circuit::L1BoundSum { length, range, .. } => {
                let values = input.chunks_exact(range.bits).take(*length);
                values.map(|bits| range.decode(bits)).collect()
            }
            Circuit::Multihot { length, .. } => {
                input.truncate(*length);
                input
            }
        }
    }
}
