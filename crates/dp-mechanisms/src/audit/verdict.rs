//! What an audit concludes.

use std::fmt;

use privacy_core::params::Confidence;

use super::claim::{Bound, brief, show};

/// The conclusion of an audit.
///
/// An audit can convict, not acquit: [`Verdict::NotConvicted`] says that this many runs on these
/// neighbours found nothing, and how much loss they did find.
#[derive(Clone, Debug)]
#[non_exhaustive]
#[must_use = "a verdict that nobody reads convicts nobody; call `assert_acquitted` in a test"]
pub enum Verdict {
    /// The claim is false, at the confidence of the audit.
    Convicted(Evidence),
    /// Nothing was found that contradicts the claim; the evidence is the strongest found.
    NotConvicted(Evidence),
}

/// What an audit found: an event that is likelier on one of two neighbours than on the other.
///
/// The texts describe outputs and positions of the data that the audit was given, which should
/// be made up for the test.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Evidence {
    /// The bound that the event says most about.
    pub bound: Bound,
    /// The least ε, ρ or μ of `bound` that the event leaves possible, rounded down.
    pub least: f64,
    /// The event, in words.
    pub event: String,
    /// Which of the pairs of neighbours, counted from 0.
    pub pair: usize,
    /// Whether the event is likelier on the second of the pair.
    pub reversed: bool,
    /// How often the event happened where it is likely; its probability is at least `bound` of it.
    pub likely: Proportion,
    /// How often it happened where it is unlikely; its probability is at most `bound` of it.
    pub unlikely: Proportion,
    /// How often the mechanism was run in all.
    pub runs: u64,
    /// With at least this probability all numbers of the evidence hold.
    pub confidence: Confidence,
}

/// How often an event happened.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Proportion {
    /// Times it happened.
    pub hits: u64,
    /// Times it could have.
    pub of: u64,
    /// The bound of its probability, from below or from above.
    pub bound: f64,
}

impl Proportion {
    pub(super) fn new(hits: u64, of: u64, bound: f64) -> Self {
        Proportion { hits, of, bound }
    }
}

impl Verdict {
    pub(super) fn new(evidence: Evidence) -> Self {
        match evidence.least > evidence.bound.claimed() {
            true => Verdict::Convicted(evidence),
            false => Verdict::NotConvicted(evidence),
        }
    }

    /// What was found.
    #[must_use]
    pub fn evidence(&self) -> &Evidence {
        match self {
            Verdict::Convicted(evidence) | Verdict::NotConvicted(evidence) => evidence,
        }
    }

    /// Whether the claim was refuted.
    #[must_use]
    pub fn is_convicted(&self) -> bool {
        matches!(self, Verdict::Convicted(_))
    }

    /// A lower bound of the mechanism's ε at `delta`, from the event of the evidence.
    ///
    /// Valid for every δ at once: the same two probabilities bound all of them.
    #[must_use]
    pub fn epsilon_lower(&self, delta: f64) -> f64 {
        let evidence = self.evidence();
        let bound = Bound::Approximate { epsilon: f64::INFINITY, delta };
        bound.least(evidence.likely.bound, evidence.unlikely.bound)
    }

    /// For tests: goes on if the claim stands.
    ///
    /// # Panics
    ///
    /// If the claim was refuted, with the evidence as message.
    #[track_caller]
    pub fn assert_acquitted(&self) {
        assert!(!self.is_convicted(), "{self}");
    }

    /// For tests of auditors and of broken mechanisms: goes on if the claim was refuted.
    ///
    /// # Panics
    ///
    /// If the claim stands.
    #[track_caller]
    pub fn assert_convicted(&self) {
        assert!(self.is_convicted(), "{self}");
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let evidence = self.evidence();
        f.write_str(if self.is_convicted() { "convicted: " } else { "not convicted: " })?;
        evidence.fmt(f)
    }
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let order = if self.reversed { " (reversed)" } else { "" };
        let (likely, unlikely) = (&self.likely, &self.unlikely);
        write!(f, "{} on pair {}{order}: ", self.event, self.pair)?;
        write!(f, "{} of {}, so probability ≥ {:.4e}, ", likely.hits, likely.of, likely.bound)?;
        write!(f, "against {} of {}, so ≤ {:.4e}; ", unlikely.hits, unlikely.of, unlikely.bound)?;
        show(&self.bound, (self.least * 1e4).floor() / 1e4, "≥", f)?;
        if self.bound.claimed().is_finite() {
            write!(f, ", claimed was {}", brief(self.bound.claimed()))?;
        }
        let miss = self.confidence.miss_probability();
        write!(f, " ({} runs, wrong with probability ≤ {miss:e})", self.runs)
    }
}
