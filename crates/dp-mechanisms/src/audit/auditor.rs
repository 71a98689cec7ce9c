//! Runs a mechanism on neighbours and weighs what comes out.

use std::borrow::Borrow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use privacy_core::error::{Error, Result};
use privacy_core::mechanism::Mechanism;
use privacy_core::params::Confidence;
use privacy_core::random::SecureRng;
use privacy_core::space::{DistanceOf, Measurable, Owned};

use super::binomial::{MAX_TRIALS, probability_at_least, probability_at_most};
use super::claim::{Bound, Claim};
use super::learn::{Candidate, Sample, learn, weight};
use super::observe::Observe;
use super::sight::Sight;
use super::verdict::{Evidence, Proportion, Verdict};

/// The fewest runs that can say anything.
const MIN_RUNS: u64 = 200;

/// How many events are tested on fresh runs at most. The error probability is shared among them,
/// which costs little: bounds widen with the logarithm.
const TESTS: usize = 24;

/// Standard deviations of luck that an event must do without to be believed in: few where pairs are
/// only to be ranked.
const SCOUTING: f64 = 1.0;
const TRAINING: f64 = 2.5;

/// How many pairs of neighbours are followed up.
const FINALISTS: usize = 2;

/// An audit by histogram events: how often a mechanism is run, and how sure a conviction must be.
///
/// # What it does
///
/// A quarter of the runs scouts all pairs of neighbours. Those on which outputs differ most are
/// trained on with another quarter: which ranges of a feature, which sets of its values, which sums
/// of log-likelihood ratios over several features, and which cases of a tree of cuts, tell the two
/// data sets apart. The other
/// half of the runs counts the best of these events afresh.
///
/// # Guarantee
///
/// The probabilities p of an event on one data set and q on the other are bounded by exact
/// Clopper–Pearson bounds, at an error probability that is divided among all events that are
/// tested (Bonferroni; half of it for the most promising one), both of their bounds included. So with probability at least the confidence, over the
/// mechanism's randomness, every bound holds, and then (ε, δ)-differential privacy implies
/// `ε ≥ ln((p − δ)/q)`, and ρ-zCDP and Rényi bounds imply theirs for the two coins ([`Bound::least`]).
/// A mechanism that keeps its claim is convicted with at most the miss probability. Nothing is
/// promised for one that breaks it: some breaches need neighbours, or more runs, that were not tried.
///
/// # Timing
///
/// The mechanism is run at most `runs` times.
///
/// # Example
///
/// ```
/// use dp_mechanisms::audit::Audit;
/// use privacy_core::params::Epsilon;
/// use privacy_core::random::{RandomBuffer, SystemRng};
///
/// // Randomized response that lies a quarter of the time has ε = ln 3.
/// let respond = |answer: &bool, rng: &mut dyn privacy_core::random::SecureRng| {
///     RandomBuffer::new(rng).below(4).map(|die| *answer != (die == 0))
/// };
/// let mut rng = SystemRng::new()?;
/// let audit = Audit::default().runs(20_000);
///
/// let right = audit.run(Epsilon::new(1.1)?, &[(true, false)], &mut rng, respond)?;
/// right.assert_acquitted();
/// let wrong = audit.run(Epsilon::new(0.8)?, &[(true, false)], &mut rng, respond)?;
/// wrong.assert_convicted();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Audit {
    runs: u64,
    confidence: Confidence,
}

impl Default for Audit {
    /// 200 000 runs, and one wrong conviction in a million audits.
    fn default() -> Self {
        // A fraction between 0 and 1 is a confidence; 95 % would only be less sure.
        let confidence = Confidence::from_fraction(999_999, 1_000_000).unwrap_or_default();
        Audit { runs: 200_000, confidence }
    }
}

impl Audit {
    /// How often the mechanism is run in all.
    #[must_use]
    pub fn runs(mut self, runs: u64) -> Self {
        self.runs = runs;
        self
    }

    /// How sure a conviction must be.
    #[must_use]
    pub fn confidence(mut self, confidence: Confidence) -> Self {
        self.confidence = confidence;
        self
    }

    /// Audits any function of data and randomness against a claim about neighbours.
    ///
    /// The function may fail ([`Observe`] is implemented for results) or panic; both are outputs
    /// an attacker can see. (A panic is caught, but the panic hook still runs.)
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] without neighbours, and if no run released anything and failures do not
    /// tell the neighbours apart; [`Error::Parameter`] for fewer than 200 runs.
    pub fn run<D, P, O>(
        &self,
        claim: impl Into<Claim>,
        neighbours: &[(P, P)],
        rng: &mut dyn SecureRng,
        mechanism: impl Fn(&D, &mut dyn SecureRng) -> O,
    ) -> Result<Verdict>
    where
        D: ?Sized,
        P: Borrow<D>,
        O: Observe,
    {
        let claim = claim.into();
        let pairs = neighbours.iter().map(|(a, b)| (a.borrow(), b.borrow(), claim.clone()));
        self.verdict(pairs.collect(), rng, mechanism)
    }

    /// Audits a mechanism against its own price at the distance of each pair.
    ///
    /// # Errors
    ///
    /// As [`Audit::run`], [`Error::Missing`] for a pair at no finite distance, and the errors of
    /// [`Mechanism::charge`].
    pub fn mechanism<M>(
        &self,
        mechanism: &M,
        pairs: &[(Owned<M::Input>, Owned<M::Input>)],
        rng: &mut dyn SecureRng,
    ) -> Result<Verdict>
    where
        M: Mechanism,
        M::Input: Measurable,
        M::Output: Observe,
    {
        let mut priced = Vec::new();
        for (a, b) in pairs {
            let distance = M::Input::distance(a.borrow(), b.borrow()).ok_or(Error::Missing {
                setting: "a finite distance between two neighbours",
                remedy: "give pairs that the mechanism's space can compare",
            })?;
            priced.push((a.borrow(), b.borrow(), Claim::from(mechanism.charge(distance)?)));
        }
        self.verdict(priced, rng, |data, rng| mechanism.draw(data, rng))
    }

    /// Audits a mechanism against its own price at a given distance, which all pairs must keep.
    ///
    /// # Errors
    ///
    /// As [`Audit::run`], and the errors of [`Mechanism::charge`].
    pub fn mechanism_at<M>(
        &self,
        mechanism: &M,
        distance: DistanceOf<M::Input>,
        pairs: &[(Owned<M::Input>, Owned<M::Input>)],
        rng: &mut dyn SecureRng,
    ) -> Result<Verdict>
    where
        M: Mechanism,
        M::Output: Observe,
    {
        let claim = Claim::from(mechanism.charge(distance)?);
        let pairs = pairs.iter().map(|(a, b)| (a.borrow(), b.borrow(), claim.clone()));
        self.verdict(pairs.collect(), rng, |data, rng| mechanism.draw(data, rng))
    }

    fn verdict<D: ?Sized, O: Observe>(
        &self,
        pairs: Vec<(&D, &D, Claim)>,
        rng: &mut dyn SecureRng,
        mechanism: impl Fn(&D, &mut dyn SecureRng) -> O,
    ) -> Result<Verdict> {
        let enough = MIN_RUNS.saturating_mul(pairs.len() as u64).min(MAX_TRIALS);
        if pairs.is_empty() {
            return Err(Error::Missing {
                setting: "the pairs of neighbours",
                remedy: "give at least one, or generate some with audit::Neighbours",
            });
        }
        if !(enough..=MAX_TRIALS).contains(&self.runs) {
            return Err(Error::Parameter {
                parameter: "the number of runs of an audit",
                requirement: "at least 200 for each pair of neighbours, and at most 2^40",
                given: self.runs as f64,
            });
        }
        let mut bench = Bench { sight: Sight::default(), released: false, runs: 0, mechanism };
        let finalists = self.scout(&pairs, &mut bench, rng);
        let training = (self.runs / 2).saturating_sub(bench.runs) / 2;
        let each = training / finalists.len().max(1) as u64;
        let mut candidates: Vec<(usize, Candidate)> = Vec::new();
        for i in &finalists {
            if let Some((a, b, claim)) = pairs.get(*i) {
                let found = bench.train(a, b, claim.bounds(), each, TRAINING, rng);
                candidates.extend(found.into_iter().map(|candidate| (*i, candidate)));
            }
        }
        candidates.sort_by(|x, y| y.1.promise.total_cmp(&x.1.promise));
        candidates.truncate(TESTS);
        bench.sight.close();
        let verdict = Verdict::new(self.test(&pairs, &candidates, &mut bench, rng));
        if !bench.released && !verdict.is_convicted() {
            return Err(Error::Missing {
                setting: "a release to look at",
                remedy: "every run failed; give the mechanism data and parameters that it accepts",
            });
        }
        Ok(verdict)
    }

    /// The pairs to follow up: in each round, on a share of a quarter of the runs, the third on which
    /// outputs differ most goes on.
    fn scout<D: ?Sized, O: Observe>(
        &self,
        pairs: &[(&D, &D, Claim)],
        bench: &mut Bench<impl Fn(&D, &mut dyn SecureRng) -> O>,
        rng: &mut dyn SecureRng,
    ) -> Vec<usize> {
        let next = |left: usize| left.div_ceil(3).max(FINALISTS);
        let mut left: Vec<usize> = (0..pairs.len()).collect();
        let mut rounds = 0;
        let mut size = left.len();
        while size > FINALISTS {
            size = next(size);
            rounds += 1;
        }
        for _ in 0..rounds {
            let runs = self.runs / 4 / rounds / (2 * left.len() as u64);
            let mut ranked: Vec<(usize, f64)> = Vec::new();
            for i in left {
                if let Some((a, b, claim)) = pairs.get(i) {
                    let found = bench.train(a, b, claim.bounds(), runs, SCOUTING, rng);
                    ranked.push((i, found.first().map_or(0.0, |best| best.promise)));
                }
            }
            ranked.sort_by(|x, y| y.1.total_cmp(&x.1));
            ranked.truncate(next(ranked.len()));
            left = ranked.into_iter().map(|(i, _)| i).collect();
        }
        left
    }

    /// Counts the candidates on fresh runs.
    fn test<D: ?Sized, O: Observe>(
        &self,
        pairs: &[(&D, &D, Claim)],
        candidates: &[(usize, Candidate)],
        bench: &mut Bench<impl Fn(&D, &mut dyn SecureRng) -> O>,
        rng: &mut dyn SecureRng,
    ) -> Evidence {
        let mut chosen: Vec<usize> = candidates.iter().map(|(pair, _)| *pair).collect();
        chosen.sort_unstable();
        chosen.dedup();
        // Two bounds for each event. The one that training promises most of gets half of the error
        // probability, the others share the rest.
        let (miss, others) = (self.confidence.miss_probability(), candidates.len().max(2) - 1);
        let alpha_of = |i: usize| if i == 0 { miss / 4.0 } else { miss / (4 * others) as f64 };
        let of = (self.runs / 2) / (2 * chosen.len().max(1)) as u64;
        let mut best: Option<(f64, Evidence)> = None;
        for &pair in &chosen {
            let Some((a, b, claim)) = pairs.get(pair) else { continue };
            let of_pair = candidates.iter().enumerate().filter(|(_, (of, _))| *of == pair);
            let (alphas, events): (Vec<f64>, Vec<&Candidate>) =
                of_pair.map(|(i, (_, candidate))| (alpha_of(i), candidate)).unzip();
            let on_a = bench.count(a, &events, of, rng);
            let on_b = bench.count(b, &events, of, rng);
            for (((candidate, alpha), a), b) in events.iter().zip(alphas).zip(on_a).zip(on_b) {
                let (likely, unlikely) = if candidate.reversed { (b, a) } else { (a, b) };
                let p = probability_at_least(likely, of, alpha);
                let q = probability_at_most(unlikely, of, alpha);
                for bound in claim.bounds() {
                    let least = bound.least(p, q);
                    // A refuted bound before all others.
                    let weight = match least > bound.claimed() {
                        true => f64::MAX.min(1e9 + least),
                        false => weight(bound, least),
                    };
                    if best.as_ref().is_some_and(|(known, _)| weight <= *known) {
                        continue;
                    }
                    let evidence = Evidence {
                        bound: *bound,
                        least,
                        event: candidate.event.describe(bench.sight.features()),
                        pair,
                        reversed: candidate.reversed,
                        likely: Proportion::new(likely, of, p),
                        unlikely: Proportion::new(unlikely, of, q),
                        runs: 0,
                        confidence: self.confidence.clone(),
                    };
                    best = Some((weight, evidence));
                }
            }
        }
        let nothing = || Evidence {
            bound: pairs
                .first()
                .and_then(|(_, _, claim)| claim.bounds().first())
                .copied()
                .unwrap_or(Bound::Approximate { epsilon: f64::INFINITY, delta: 0.0 }),
            least: 0.0,
            event: "no event that training could tell apart".to_owned(),
            pair: 0,
            reversed: false,
            likely: Proportion::new(0, 0, 0.0),
            unlikely: Proportion::new(0, 0, 1.0),
            runs: 0,
            confidence: self.confidence.clone(),
        };
        let mut evidence = best.map_or_else(nothing, |(_, evidence)| evidence);
        evidence.runs = bench.runs;
        evidence
    }
}

/// A mechanism on the bench, and what was seen of it.
struct Bench<F> {
    sight: Sight,
    released: bool,
    runs: u64,
    mechanism: F,
}

impl<F> Bench<F> {
    /// One run, whose features are in `self.sight` afterwards.
    fn look<D: ?Sized, O: Observe>(&mut self, data: &D, rng: &mut dyn SecureRng)
    where
        F: Fn(&D, &mut dyn SecureRng) -> O,
    {
        self.runs += 1;
        let output = catch_unwind(AssertUnwindSafe(|| (self.mechanism)(data, rng)));
        self.sight.begin();
        match output {
            Ok(output) => output.observe(&mut self.sight),
            Err(_) => self.sight.failure("panic"),
        }
        self.sight.end();
        self.released |= !self.sight.failed();
    }

    fn train<D: ?Sized, O: Observe>(
        &mut self,
        a: &D,
        b: &D,
        bounds: &[Bound],
        runs: u64,
        caution: f64,
        rng: &mut dyn SecureRng,
    ) -> Vec<Candidate>
    where
        F: Fn(&D, &mut dyn SecureRng) -> O,
    {
        let mut samples = [Sample::default(), Sample::default()];
        for (data, sample) in [a, b].into_iter().zip(&mut samples) {
            for _ in 0..runs {
                self.look(data, rng);
                sample.push(&self.sight);
                if sample.is_full() {
                    break;
                }
            }
        }
        let [a, b] = &samples;
        learn(self.sight.features(), a, b, bounds, caution)
    }

    /// How often each event happens in `runs` runs.
    fn count<D: ?Sized, O: Observe>(
        &mut self,
        data: &D,
        events: &[&Candidate],
        runs: u64,
        rng: &mut dyn SecureRng,
    ) -> Vec<u64>
    where
        F: Fn(&D, &mut dyn SecureRng) -> O,
    {
        let mut hits = vec![0; events.len()];
        for _ in 0..runs {
            self.look(data, rng);
            for (hits, candidate) in hits.iter_mut().zip(events) {
                *hits += u64::from(candidate.event.happens(self.sight.row()));
            }
        }
        hits
    }
}
