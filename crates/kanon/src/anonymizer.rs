//! The front door: a table, roles, requirements, and out comes a verified release.

use privacy_core::random::{SecureRng, SystemRng};

use crate::dataset::{Dataset, Quasi, Roles};
use crate::error::{Error, Result};
use crate::fraction::Fraction;
use crate::metric::Metric;
use crate::model::Model;
use crate::random::Seeded;
use crate::release::{Group, Release, Scheme, assemble, certificate};
use crate::search::{Effort, Search, Solution};
use crate::table::Table;
use crate::transform::judge::Judge;
use crate::transform::local::Ladder;
use crate::transform::{full_domain, local, mondrian};
use crate::verify::verify;

mod explain;

pub use explain::{ColumnCost, Explanation, Point};

/// How rows are grouped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Recoding {
    /// One level for each column, provably best; the default.
    #[default]
    FullDomain,
    /// A level for each class: far less is lost, and a column mixes levels.
    Local,
    /// Cells are blanked, as few as a greedy search finds, and values stay as they are (at their
    /// lowest level). Weights of the metric say what a cell of each column costs. Rows agree only
    /// if they are blank in the same columns, so that a blank never counts as whatever suits.
    CellSuppression,
    /// Boxes cut at medians; both sides of a cut are disjoint.
    Mondrian,
    /// As Mondrian, where equal values may fall on both sides, so that sizes are even.
    MondrianRelaxed,
}

/// Builds a release in a few lines.
///
/// # Example
///
/// ```
/// use kanon::prelude::*;
///
/// let text = "age,zip,diagnosis\n31,8001,flu\n34,8002,asthma\n38,8005,flu\n52,8004,cold\n55,8001,flu\n59,8003,asthma\n";
/// let table = CsvOptions::new().kind("zip", Kind::Text).read(text.as_bytes())?;
/// let release = Anonymizer::builder(&table)
///     .quasi("age", Intervals::new(0, 100).widths([10, 50]))
///     .quasi("zip", Masking::new())
///     .sensitive("diagnosis")
///     .require(Model::k_anonymity(3)?)
///     .require(Model::distinct_diversity("diagnosis", 2)?)
///     .run()?;
/// assert!(release.certificate().verified && release.certificate().smallest_class >= 3);
/// # Ok::<(), kanon::Error>(())
/// ```
#[derive(Debug)]
#[must_use]
pub struct Anonymizer<'a> {
    table: &'a Table,
    roles: Roles,
    models: Vec<Model>,
    suppression: Fraction,
    metric: Metric,
    effort: Effort,
    population: Option<&'a Table>,
    recoding: Recoding,
    seed: Option<[u8; 32]>,
    keep_order: bool,
    problem: Option<Error>,
}

macro_rules! role {
    ($($(#[$doc:meta])* $name:ident($($argument:ident: $kind:ty),*);)*) => {
        $(
            $(#[$doc])*
            pub fn $name(mut self, $($argument: $kind),*) -> Self {
                self.roles = self.roles.$name($($argument),*);
                self
            }
        )*
    };
}

impl<'a> Anonymizer<'a> {
    /// Starts with a table and no roles.
    pub fn builder(table: &'a Table) -> Self {
        Anonymizer {
            table,
            roles: Roles::new(),
            models: Vec::new(),
            suppression: Fraction::ZERO,
            metric: Metric::loss(),
            effort: Effort::new(),
            population: None,
            recoding: Recoding::FullDomain,
            seed: None,
            keep_order: false,
            problem: None,
        }
    }

    /// Takes roles that were declared elsewhere.
    pub fn roles(self, roles: Roles) -> Self {
        Anonymizer { roles, ..self }
    }

    role! {
        /// A column that names people; it is dropped.
        identifying(column: impl Into<String>);
        /// A quasi-identifier and how it may be generalized.
        quasi(column: impl Into<String>, hierarchy: impl Into<crate::Hierarchy>);
        /// A sensitive column.
        sensitive(column: impl Into<String>);
        /// A sensitive column with the hierarchy that the hierarchical distance uses.
        sensitive_with(column: impl Into<String>, hierarchy: impl Into<crate::Hierarchy>);
        /// A column that is released as it is.
        insensitive(column: impl Into<String>);
        /// Limits the levels of the quasi-identifier declared last.
        levels(levels: std::ops::RangeInclusive<usize>);
        /// What a missing value means in the column declared last.
        missing(missing: crate::table::Missing);
    }

    /// A requirement; all that are given must hold.
    pub fn require(mut self, model: Model) -> Self {
        self.models.push(model);
        self
    }

    /// The share of rows that may be suppressed, 0 by default. A number that is no share is
    /// reported by [`run`](Self::run).
    pub fn suppress_at_most(mut self, share: f64) -> Self {
        match Fraction::try_from(share) {
            Ok(share) => self.suppression = share,
            Err(error) => self.problem = Some(error),
        }
        self
    }

    /// What is lost least; Loss by default.
    pub fn metric(self, metric: Metric) -> Self {
        Anonymizer { metric, ..self }
    }

    /// Threads, limits and progress of the search.
    pub fn effort(self, effort: Effort) -> Self {
        Anonymizer { effort, ..self }
    }

    /// The population, for models that speak of it.
    pub fn population(self, population: &'a Table) -> Self {
        Anonymizer { population: Some(population), ..self }
    }

    /// How rows are grouped.
    pub fn recoding(self, recoding: Recoding) -> Self {
        Anonymizer { recoding, ..self }
    }

    /// Makes the release reproducible. By default the seed is fresh and forgotten.
    ///
    /// # Security
    ///
    /// The seed is as confidential as the table; see [`Seeded`].
    pub fn seed(self, seed: [u8; 32]) -> Self {
        Anonymizer { seed: Some(seed), ..self }
    }

    /// Releases rows in the order of the input instead of shuffling them.
    ///
    /// # Privacy
    ///
    /// Whoever knows the order of the input then knows which row is whose.
    pub fn keep_order(self) -> Self {
        Anonymizer { keep_order: true, ..self }
    }

    /// The dataset that the settings describe.
    ///
    /// # Errors
    ///
    /// As [`Roles::bind`].
    pub fn dataset(&self) -> Result<Dataset> {
        self.roles.bind(self.table)
    }

    fn search<'d>(&'d self, data: &'d Dataset) -> Search<'d> {
        let search = Search::over(data)
            .require(self.models.clone())
            .suppress_at_most(self.suppression)
            .metric(self.metric.clone())
            .effort(self.effort.clone());
        match self.population {
            Some(population) => search.population(population),
            None => search,
        }
    }

    fn source(&self) -> Result<Box<dyn SecureRng>> {
        Ok(match self.seed {
            Some(seed) => Box::new(Seeded::new(seed)),
            None => Box::new(SystemRng::new()?),
        })
    }

    fn check(&self) -> Result<()> {
        if let Some(error) = &self.problem {
            return Err(error.clone());
        }
        if self.models.is_empty() {
            return Err(Error::Combination {
                setting: "the requirements",
                problem: "there are none; require at least one model, or release the table as it is",
            });
        }
        Ok(())
    }

    /// Finds the best node and says what it means, without releasing anything.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    pub fn plan(&self) -> Result<Solution> {
        self.check()?;
        let data = self.dataset()?;
        let mut rng = self.source()?;
        self.search(&data).run(word(&mut *rng)?)
    }

    /// Explains a solution: what each column costs, and what other limits would give.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    pub fn explain(&self, solution: &Solution) -> Result<Explanation> {
        let data = self.dataset()?;
        explain::explain(&data, &self.search(&data), &self.models, solution)
    }

    /// Makes the release and lets the verifier check it.
    ///
    /// # Errors
    ///
    /// [`Error::Infeasible`] says which requirement fails and what would satisfy it;
    /// [`Error::Refuted`] if the verifier finds a fault (nothing is released then).
    pub fn run(&self) -> Result<Release> {
        self.check()?;
        let data = self.dataset()?;
        let mut rng = self.source()?;
        let seed = word(&mut *rng)?;
        match self.recoding {
            Recoding::FullDomain => {
                let search = self.search(&data);
                let solution = search.run(seed)?;
                self.apply(&data, &solution, &mut *rng)
            }
            Recoding::Local | Recoding::CellSuppression => {
                let judge = Judge::new(&data, &self.models)?;
                let (ladders, scheme): (Vec<Ladder<'_>>, _) = match self.recoding {
                    Recoding::Local => (
                        data.quasi().map(|q| Ladder::of_levels(&q)).collect(),
                        Scheme::LocalRecoding,
                    ),
                    _ => {
                        let weight = |quasi: &Quasi<'_>| self.metric.weight_of(quasi.column.name());
                        let ladders = data.quasi().map(|q| Ladder::of_cells(&q, weight(&q)));
                        (ladders.collect(), Scheme::CellSuppression)
                    }
                };
                let groups = local::groups(&data, &ladders, &judge, &mut *rng)?;
                self.finish(&data, groups, scheme, None, &mut *rng)
            }
            Recoding::Mondrian | Recoding::MondrianRelaxed => {
                let judge = Judge::new(&data, &self.models)?;
                let relaxed = self.recoding == Recoding::MondrianRelaxed;
                let groups = mondrian::groups(&data, &judge, relaxed, &mut *rng)?;
                self.finish(&data, groups, Scheme::Mondrian { relaxed }, None, &mut *rng)
            }
        }
    }

    /// Releases a given solution, such as a node picked by a person.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run), or [`Error::Parameter`] for levels that the columns do not have.
    pub fn release(&self, solution: &Solution) -> Result<Release> {
        self.check()?;
        let data = self.dataset()?;
        let mut rng = self.source()?;
        let seed = word(&mut *rng)?;
        let search = self.search(&data);
        if search.measure(&solution.levels, seed)?.is_none() {
            return Err(Error::Combination {
                setting: "the solution",
                problem: "it does not satisfy the requirements within the suppression limit",
            });
        }
        self.apply(&data, solution, &mut *rng)
    }

    fn apply(
        &self,
        data: &Dataset,
        solution: &Solution,
        rng: &mut dyn SecureRng,
    ) -> Result<Release> {
        let mut groups = full_domain::groups(data, &solution.levels);
        let kept = self.search(data).kept_cells(&solution.levels)?;
        groups.retain(|group| kept.contains(&group.cells));
        let scheme = Scheme::FullDomain { levels: solution.levels.clone() };
        self.finish(data, groups, scheme, Some(solution), rng)
    }

    fn finish(
        &self,
        data: &Dataset,
        groups: Vec<Group>,
        scheme: Scheme,
        solution: Option<&Solution>,
        rng: &mut dyn SecureRng,
    ) -> Result<Release> {
        let kept: u64 = groups.iter().map(|group| group.rows.len() as u64).sum();
        let suppressed = data.table().rows() as u64 - kept;
        let allowed = self.suppression.floor_of(data.table().rows() as u64);
        if suppressed > allowed {
            return Err(Error::Infeasible(Box::new(crate::error::Infeasible {
                requirement: "the requirements together".into(),
                needed: suppressed,
                allowed,
                remedy: "allow more rows to be suppressed, or relax a requirement".into(),
            })));
        }
        let mut certificate = certificate(data, &self.models, scheme, &groups);
        if let Some(solution) = solution {
            certificate.metric = Some(self.metric.name().into());
            certificate.loss = Some(solution.loss);
            certificate.bound = Some(solution.bound);
            certificate.optimal = solution.optimal;
        }
        let (table, origin) = assemble(data, &groups, rng, self.keep_order)?;
        let mut release = Release { table, origin, certificate };
        match verify(data, &release, self.population) {
            Ok(()) => release.certificate.verified = true,
            Err(finding) => return Err(Error::Refuted(Box::new(finding))),
        }
        Ok(release)
    }
}

/// A word of the source as the seed of a search.
fn word(rng: &mut dyn SecureRng) -> Result<u64> {
    let mut words = [0u64];
    rng.fill_words(&mut words)?;
    Ok(words[0])
}
