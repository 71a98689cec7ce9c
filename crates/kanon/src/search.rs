//! Search for the generalization that loses least: exact with a certificate where the lattice is
//! small enough, anytime with a bound where it is not.

pub(crate) mod anytime;
pub(crate) mod check;
pub(crate) mod exact;
pub(crate) mod packed;
pub(crate) mod problem;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::dataset::Dataset;
use crate::error::{Error, Result};
use crate::fraction::Fraction;
use crate::metric::Metric;
use crate::metric::meter::Meter;
use crate::model::Model;
use crate::table::Table;
use problem::Problem;

/// Stops work from another thread.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// A token that is not cancelled.
    #[must_use]
    pub fn new() -> Self {
        Cancel::default()
    }

    /// Asks the work to stop at its next check.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// How far a search is.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Progress {
    /// Nodes that were checked against the data.
    pub checked: u64,
    /// The share of the work that is done, 0 to 1; an estimate.
    pub done: f64,
    /// The best loss so far.
    pub best: Option<f64>,
}

/// Limits of a search, and whom to tell.
#[derive(Clone)]
#[must_use]
pub struct Effort {
    pub(crate) threads: usize,
    pub(crate) most_checks: u64,
    pub(crate) most_time: Option<Duration>,
    pub(crate) cache_bytes: usize,
    pub(crate) cancel: Cancel,
    pub(crate) progress: Option<Arc<dyn Fn(Progress) + Send + Sync>>,
}

impl Default for Effort {
    fn default() -> Self {
        Effort::new()
    }
}

impl Effort {
    /// One thread, no limits, 256 MiB of roll-up cache.
    pub fn new() -> Self {
        Effort {
            threads: 1,
            most_checks: u64::MAX,
            most_time: None,
            cache_bytes: 256 << 20,
            cancel: Cancel::new(),
            progress: None,
        }
    }

    /// How many threads search. The result does not depend on it.
    pub fn threads(self, threads: usize) -> Self {
        Effort { threads: threads.clamp(1, 256), ..self }
    }

    /// At most this many checks; then the best so far is returned, with its bound.
    pub fn checks(self, most_checks: u64) -> Self {
        Effort { most_checks: most_checks.max(1), ..self }
    }

    /// At most about this long; then the best so far is returned, with its bound. What is found by
    /// then depends on the machine.
    pub fn time(self, most_time: Duration) -> Self {
        Effort { most_time: Some(most_time), ..self }
    }

    /// How many bytes the classes kept for roll-up may take, for each thread.
    pub fn cache_bytes(self, cache_bytes: usize) -> Self {
        Effort { cache_bytes, ..self }
    }

    /// The token that stops the search.
    pub fn cancel(self, cancel: Cancel) -> Self {
        Effort { cancel, ..self }
    }

    /// Called from time to time, from any thread.
    pub fn progress(self, progress: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        Effort { progress: Some(Arc::new(progress)), ..self }
    }
}

impl std::fmt::Debug for Effort {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Effort").field("threads", &self.threads).finish_non_exhaustive()
    }
}

/// What a search found: one level for each quasi-identifier, and how good that is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
#[must_use]
pub struct Solution {
    /// The level of each quasi-identifier, in the order of the table.
    pub levels: Vec<usize>,
    /// Its loss under the metric.
    pub loss: f64,
    /// No acceptable node has a loss below this.
    pub bound: f64,
    /// Whether the loss is proven least (to a tolerance of 1e-10).
    pub optimal: bool,
    /// Rows that are suppressed.
    pub suppressed: u64,
    /// How many nodes are equally good; one of them was drawn.
    pub ties: u64,
    /// Nodes that were checked against the data. Depends on the number of threads.
    pub checked: u64,
    /// Nodes of the lattice (saturating).
    pub nodes: u64,
}

impl Solution {
    /// How far the loss may be above the least, at most.
    #[must_use]
    pub fn gap(&self) -> f64 {
        (self.loss - self.bound).max(0.0)
    }
}

/// What a full-domain search is given.
#[derive(Clone, Debug)]
#[must_use]
pub struct Search<'a> {
    data: &'a Dataset,
    population: Option<&'a Table>,
    models: Vec<Model>,
    suppression: Fraction,
    metric: Metric,
    effort: Effort,
}

impl<'a> Search<'a> {
    /// A search without requirements, without suppression, by loss.
    pub fn over(data: &'a Dataset) -> Self {
        Search {
            data,
            population: None,
            models: Vec::new(),
            suppression: Fraction::ZERO,
            metric: Metric::loss(),
            effort: Effort::new(),
        }
    }

    /// Adds requirements; all must hold.
    pub fn require(mut self, models: impl IntoIterator<Item = Model>) -> Self {
        self.models.extend(models);
        self
    }

    /// The same search with other requirements.
    pub(crate) fn requiring(self, models: Vec<Model>) -> Self {
        Search { models, ..self }
    }

    /// The share of the rows that may be suppressed.
    pub fn suppress_at_most(self, suppression: Fraction) -> Self {
        Search { suppression, ..self }
    }

    /// The table of the population, for models that speak of it.
    pub fn population(self, population: &'a Table) -> Self {
        Search { population: Some(population), ..self }
    }

    /// What is lost least.
    pub fn metric(self, metric: Metric) -> Self {
        Search { metric, ..self }
    }

    /// Threads, limits, progress.
    pub fn effort(self, effort: Effort) -> Self {
        Search { effort, ..self }
    }

    /// Rows that may be suppressed.
    pub(crate) fn limit(&self) -> u64 {
        self.suppression.floor_of(self.data.table().rows() as u64)
    }

    /// Finds the best node. Ties are drawn by `seed`, which should be secret: who knows it and the
    /// code learns more from a release.
    ///
    /// # Errors
    ///
    /// [`Error::Infeasible`] names the requirement that fails; [`Error::Stopped`] if a limit of the
    /// effort was reached before an acceptable node was found; wrong models, columns or weights.
    pub fn run(&self, seed: u64) -> Result<Solution> {
        if self.suppression > Fraction::ONE {
            return Err(Error::Parameter {
                parameter: "the share of suppressed rows",
                requirement: "at most 1",
            });
        }
        let limit = self.limit();
        let mut problem = Problem::new(self.data, self.population, &self.models, limit)?;
        let axes = std::mem::take(&mut problem.axes);
        let meter = Meter::bind(&self.metric, self.data, &axes, &mut problem.requirements)?;
        problem.axes = axes;
        match exact::solve(&problem, meter, &self.effort, seed, None) {
            Err(Error::Infeasible(why)) => Err(Error::Infeasible(Box::new(self.explain(*why)?))),
            result => result,
        }
    }

    /// Which requirement fails alone at the highest levels, and what would satisfy it.
    fn explain(&self, mut why: crate::error::Infeasible) -> Result<crate::error::Infeasible> {
        let n = self.data.table().rows() as u64;
        for model in &self.models {
            let alone = Search { models: vec![model.clone()], ..self.clone() };
            let all = Search { suppression: Fraction::ONE, ..alone.clone() };
            let needed = match all.top(seedless())? {
                Some(needed) if needed <= why.allowed => continue,
                Some(needed) => needed,
                None => n,
            };
            why.requirement = model.to_string();
            why.needed = needed;
            break;
        }
        let sizes = self.models.iter().filter_map(|model| match model {
            Model::KAnonymity { k } => Some(k.get()),
            _ => None,
        });
        let k = sizes.max();
        why.remedy = match k {
            Some(k) if k > n => format!("the table has {n} rows, so k can be at most {n}"),
            _ if why.needed <= n => format!(
                "allow {} of {n} rows to be suppressed, relax the requirement, or allow higher levels",
                why.needed
            ),
            _ => "relax the requirement; no suppression helps".into(),
        };
        Ok(why)
    }

    /// Rows suppressed at the highest levels allowed; `None` if no suppression helps.
    fn top(&self, seed: u64) -> Result<Option<u64>> {
        let problem = Problem::new(self.data, self.population, &self.models, self.limit())?;
        let level = |axis: &problem::Axis| axis.min + axis.levels.len() - 1;
        let levels: Vec<usize> = problem.axes.iter().map(level).collect();
        Ok(self.measure(&levels, seed)?.map(|found| found.suppressed))
    }

    /// The loss and the suppressed rows of one node; `None` if it is not acceptable.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for other than one allowed level for each quasi-identifier, and what
    /// [`run`](Self::run) returns.
    pub fn measure(&self, levels: &[usize], seed: u64) -> Result<Option<Solution>> {
        let fits = self.data.quasi().count() == levels.len()
            && self.data.quasi().zip(levels).all(|(q, &level)| (q.min..=q.max).contains(&level));
        if !fits {
            return Err(Error::Parameter {
                parameter: "a node",
                requirement: "one allowed level for each quasi-identifier",
            });
        }
        let limit = self.limit();
        let mut problem = Problem::new(self.data, self.population, &self.models, limit)?;
        let node: Vec<u8> = problem
            .axes
            .iter()
            .zip(levels)
            .map(|(axis, &level)| level.saturating_sub(axis.min) as u8)
            .collect();
        let axes = std::mem::take(&mut problem.axes);
        let meter = Meter::bind(&self.metric, self.data, &axes, &mut problem.requirements)?;
        problem.axes = axes;
        match exact::solve(&problem, meter, &Effort::new(), seed, Some(&node)) {
            Err(Error::Infeasible(_)) => Ok(None),
            result => result.map(Some),
        }
    }
}

impl Search<'_> {
    /// The cells of the classes that are kept at a node.
    pub(crate) fn kept_cells(
        &self,
        levels: &[usize],
    ) -> Result<std::collections::HashSet<Vec<crate::table::Value>>> {
        let problem = Problem::new(self.data, self.population, &self.models, self.limit())?;
        exact::kept(&problem, levels)
    }
}

fn seedless() -> u64 {
    0
}
