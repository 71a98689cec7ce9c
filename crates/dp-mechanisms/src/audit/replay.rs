//! Recorded and replayed randomness: what two neighbours do with the same random bytes.
//!
//! Statistics need many runs to see a rare breach. Replaying one tape on both neighbours sees some
//! at once: a different amount of randomness used, another error, outputs further apart than the
//! declared sensitivity.

use std::collections::BTreeSet;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use privacy_core::conformance::Violation;
use privacy_core::random::{EntropyError, SecureRng};
use privacy_core::space::{DistanceOf, Measurable, Owned};
use privacy_core::transformation::Transformation;

/// Passes a source's bytes on and keeps them, to be replayed.
pub struct Recorder<'a> {
    source: &'a mut dyn SecureRng,
    tape: Vec<u8>,
    reads: Vec<usize>,
}

/// Hands out recorded bytes, and fails where they end.
///
/// # Security
///
/// None: for tests, as everything that was recorded.
pub struct Replay<'t> {
    tape: &'t [u8],
    reads: Vec<usize>,
    used: usize,
}

impl<'a> Recorder<'a> {
    /// Records what is drawn from `source`.
    pub fn new(source: &'a mut dyn SecureRng) -> Self {
        Recorder { source, tape: Vec::new(), reads: Vec::new() }
    }

    /// The bytes so far.
    #[must_use]
    pub fn tape(&self) -> &[u8] {
        &self.tape
    }

    /// The lengths of the reads so far: how control flow looks from the side of randomness.
    #[must_use]
    pub fn reads(&self) -> &[usize] {
        &self.reads
    }
}

impl SecureRng for Recorder<'_> {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), EntropyError> {
        self.source.fill(out)?;
        self.tape.extend_from_slice(out);
        self.reads.push(out.len());
        Ok(())
    }
}

impl<'t> Replay<'t> {
    /// Replays `tape` from its start.
    #[must_use]
    pub fn new(tape: &'t [u8]) -> Self {
        Replay { tape, reads: Vec::new(), used: 0 }
    }

    /// The lengths of the reads so far.
    #[must_use]
    pub fn reads(&self) -> &[usize] {
        &self.reads
    }

    /// Whether a read went beyond the tape.
    #[must_use]
    pub fn ran_out(&self) -> bool {
        self.used > self.tape.len()
    }
}

impl SecureRng for Replay<'_> {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), EntropyError> {
        let end = self.used.saturating_add(out.len());
        let bytes = self.tape.get(self.used..end);
        self.reads.push(out.len());
        self.used = end;
        out.copy_from_slice(bytes.ok_or(EntropyError::new())?);
        Ok(())
    }
}

impl fmt::Debug for Recorder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").field("bytes", &self.tape.len()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Replay<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replay").field("used", &self.used).finish_non_exhaustive()
    }
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Ending<O> {
    Output(O),
    Failure(String),
    Panic,
}

fn ending<O, E: fmt::Display>(run: impl FnOnce() -> Result<O, E>) -> Ending<O> {
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(Ok(output)) => Ending::Output(output),
        Ok(Err(error)) => Ending::Failure(error.to_string()),
        Err(_) => Ending::Panic,
    }
}

/// Outputs of a transformation are no further apart than it declares, and whether and how it fails
/// (or panics) does not depend on which of two neighbours it is given.
///
/// Returns how many pairs attain the declared bound: none means that it is looser than these pairs
/// need.
///
/// # Errors
///
/// The [`Violation`] at the first pair that breaks it.
pub fn stability<T>(
    transformation: &T,
    pairs: &[(Owned<T::Input>, Owned<T::Input>)],
) -> Result<usize, Violation>
where
    T: Transformation,
    T::Input: Measurable,
    T::Output: Measurable,
{
    use std::borrow::Borrow;
    let mut attained = 0;
    for (example, (a, b)) in pairs.iter().enumerate() {
        let broken = |promise| Violation { promise, example };
        let d_in = T::Input::distance(a.borrow(), b.borrow())
            .ok_or(broken("the pair is at a finite distance"))?;
        let outputs = [a, b].map(|data| ending(|| transformation.apply(data.borrow())));
        match outputs {
            [Ending::Output(a), Ending::Output(b)] => {
                let bound = transformation
                    .stability(d_in)
                    .map_err(|_| broken("a finite distance has a stability bound"))?;
                match distance::<T::Output>(&a, &b) {
                    Some(d_out) if d_out <= bound => attained += usize::from(d_out == bound),
                    _ => return Err(broken("outputs are no further apart than declared")),
                }
            }
            [Ending::Panic, _] | [_, Ending::Panic] => {
                return Err(broken("no data makes it panic"));
            }
            [Ending::Failure(a), Ending::Failure(b)] if a == b => {}
            _ => return Err(broken("whether and how it fails does not depend on the data")),
        }
    }
    Ok(attained)
}

fn distance<S: Measurable>(a: &Owned<S>, b: &Owned<S>) -> Option<DistanceOf<S>> {
    use std::borrow::Borrow;
    S::distance(a.borrow(), b.borrow())
}

/// With the same random bytes, both neighbours make the same reads of randomness and end in the
/// same way: both with a release, or both with the same error.
///
/// Holds for a mechanism that draws its noise without looking at the data, as additive noise does,
/// and closes its timing with respect to the data. It does not hold for, and is no reproach to, rejection
/// samplers over data-dependent weights, such as an exponential mechanism.
///
/// # Errors
///
/// The [`Violation`] at the first pair that breaks it.
pub fn same_flow<D: ?Sized, P, O, E: fmt::Display>(
    pairs: &[(P, P)],
    tapes: u32,
    rng: &mut dyn SecureRng,
    mechanism: impl Fn(&D, &mut dyn SecureRng) -> Result<O, E>,
) -> Result<(), Violation>
where
    P: std::borrow::Borrow<D>,
{
    for_each_replay(pairs, tapes, rng, mechanism, |_, _| Ok(()))
}

/// As [`same_flow`], and the two releases are no further apart than `sensitivity`, measured by
/// `distance`: with the noise held still, what is left is the difference of the aggregates.
///
/// # Errors
///
/// The [`Violation`] at the first pair that breaks it.
pub fn replayed_sensitivity<D: ?Sized, P, O, E: fmt::Display, X: PartialOrd>(
    pairs: &[(P, P)],
    tapes: u32,
    rng: &mut dyn SecureRng,
    mechanism: impl Fn(&D, &mut dyn SecureRng) -> Result<O, E>,
    sensitivity: &X,
    distance: impl Fn(&O, &O) -> X,
) -> Result<(), Violation>
where
    P: std::borrow::Borrow<D>,
{
    for_each_replay(pairs, tapes, rng, mechanism, |a, b| {
        // Not at most: a distance that cannot be compared is not within the bound either.
        match distance(a, b).partial_cmp(sensitivity) {
            Some(std::cmp::Ordering::Less | std::cmp::Ordering::Equal) => Ok(()),
            _ => Err("with the same noise, releases are no further apart than the sensitivity"),
        }
    })
}

fn for_each_replay<D: ?Sized, P, O, E: fmt::Display>(
    pairs: &[(P, P)],
    tapes: u32,
    rng: &mut dyn SecureRng,
    mechanism: impl Fn(&D, &mut dyn SecureRng) -> Result<O, E>,
    check: impl Fn(&O, &O) -> Result<(), &'static str>,
) -> Result<(), Violation>
where
    P: std::borrow::Borrow<D>,
{
    for (example, (a, b)) in pairs.iter().enumerate() {
        let broken = |promise| Violation { promise, example };
        for _ in 0..tapes {
            let mut recorder = Recorder::new(rng);
            let on_a = ending(|| mechanism(a.borrow(), &mut recorder));
            let mut replay = Replay::new(recorder.tape());
            let on_b = ending(|| mechanism(b.borrow(), &mut replay));
            if replay.ran_out() || recorder.reads() != replay.reads() {
                return Err(broken("the use of randomness does not depend on the data"));
            }
            match (on_a, on_b) {
                (Ending::Output(a), Ending::Output(b)) => check(&a, &b).map_err(broken)?,
                (Ending::Failure(a), Ending::Failure(b)) if a == b => {}
                (Ending::Panic, _) | (_, Ending::Panic) => {
                    return Err(broken("no data makes it panic"));
                }
                _ => return Err(broken("whether and how it fails does not depend on the data")),
            }
        }
    }
    Ok(())
}

/// The outputs that a mechanism can reach on `data`, found by trying all tapes of `words` 64-bit
/// words, each word one of `2^bits` that are spread evenly over the range.
///
/// For toy sizes: there are 2^(bits·words) tapes, at most 2^24. Tapes on which the mechanism fails,
/// panics or needs more words are left out, so these are some of the reachable outputs: all of
/// them where the range is so small that each output has a short tape. Pure differential privacy
/// needs the same reachable outputs for neighbours.
pub fn reachable<D: ?Sized, O: Ord, E: fmt::Display>(
    data: &D,
    bits: u32,
    words: u32,
    mechanism: impl Fn(&D, &mut dyn SecureRng) -> Result<O, E>,
) -> BTreeSet<O> {
    let bits = bits.clamp(1, 16);
    let words = words.clamp(1, 24 / bits);
    let mut found = BTreeSet::new();
    for choice in 0..1u64 << (bits * words) {
        let tape: Vec<u8> = (0..words)
            .flat_map(|i| {
                let index = (choice >> (i * bits)) & ((1 << bits) - 1);
                // The middle of the range that the index stands for, off round numbers.
                let word = (index << (64 - bits)) | (0x5555_5555_5555_5555 >> bits);
                word.to_le_bytes()
            })
            .collect();
        let mut looped = Looped { tape: &tape, used: 0 };
        if let Ending::Output(output) = ending(|| mechanism(data, &mut looped)) {
            found.insert(output);
        }
    }
    found
}

/// A tape for readers that ask for more than they use: reads are filled up with zeros, but not
/// begun, beyond the end.
struct Looped<'t> {
    tape: &'t [u8],
    used: usize,
}

impl SecureRng for Looped<'_> {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), EntropyError> {
        let rest = self.tape.get(self.used..).filter(|rest| !rest.is_empty());
        let rest = rest.ok_or(EntropyError::new())?;
        out.fill(0);
        for (to, from) in out.iter_mut().zip(rest) {
            *to = *from;
        }
        self.used += out.len();
        Ok(())
    }
}
