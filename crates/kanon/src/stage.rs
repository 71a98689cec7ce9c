//! Anonymization as a stage of a pipeline of the family.

use std::borrow::Cow;

use privacy_core::access::Resource;
use privacy_core::context::{Ask, Context};
use privacy_core::guarantee::{Effect, Guarantee};
use privacy_core::measure::Charge;
use privacy_core::params::{Delta, Epsilon};
use privacy_core::sensitive::Sensitive;
use privacy_core::stage::Stage;
use privacy_core::unit::{AddRemove, Record, Scope};

use crate::anonymizer::{Anonymizer, Recoding};
use crate::dataset::Roles;
use crate::dp::SafePub;
use crate::model::Model;
use crate::release::Release;
use crate::table::Table;

/// Takes a sensitive table and gives a verified release, under fixed roles and requirements.
///
/// The guarantee is syntactic: it speaks of the released table alone, and is lost with whatever is
/// computed from it together with other data.
///
/// # Example
///
/// ```
/// use kanon::prelude::*;
/// use privacy_core::prelude::*;
///
/// let stage = kanon::stage::AnonymizeStage::new(
///     Roles::new().quasi("age", Intervals::new(0, 100).widths([10, 50])),
///     vec![Model::k_anonymity(2)?],
/// );
/// let mut cx = Context::new(Actor::new("export"), Purpose::new("open data"))?;
/// let table = kanon::table::CsvOptions::new().read("age\n31\n32\n58\n59\n".as_bytes())?;
/// let release = stage.run(Sensitive::new(table), &mut cx)?;
/// assert_eq!(release.certificate().smallest_class, 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct AnonymizeStage {
    roles: Roles,
    models: Vec<Model>,
    suppression: f64,
    recoding: Recoding,
}

impl AnonymizeStage {
    /// A stage without suppression, by full-domain generalization.
    pub fn new(roles: Roles, models: Vec<Model>) -> Self {
        AnonymizeStage { roles, models, suppression: 0.0, recoding: Recoding::FullDomain }
    }

    /// The share of rows that may be suppressed.
    pub fn suppress_at_most(self, suppression: f64) -> Self {
        AnonymizeStage { suppression, ..self }
    }

    /// How rows are grouped.
    pub fn recoding(self, recoding: Recoding) -> Self {
        AnonymizeStage { recoding, ..self }
    }
}

impl Stage for AnonymizeStage {
    type Input = Sensitive<Table>;
    type Output = Release;

    fn name(&self) -> Cow<'static, str> {
        "anonymize".into()
    }

    fn effect(&self) -> Effect {
        let models: Vec<String> = self.models.iter().map(Model::to_string).collect();
        let guarantee = Guarantee::Syntactic { model: models.join("; ").into() };
        Effect::Establishes { guarantee, distance: 1 }
    }

    fn run(&self, input: Sensitive<Table>, cx: &mut Context) -> privacy_core::Result<Release> {
        let mut seed = [0u8; 32];
        cx.rng().fill(&mut seed)?;
        let mut work = Anonymizer::builder(input.expose())
            .roles(self.roles.clone())
            .suppress_at_most(self.suppression)
            .recoding(self.recoding)
            .seed(seed);
        for model in &self.models {
            work = work.require(model.clone());
        }
        Ok(work.run()?)
    }
}

/// Where the levels of a private release come from.
#[derive(Clone, Debug)]
enum Levels {
    Fixed(Vec<usize>),
    Searched { epsilon: f64, steps: u32 },
}

/// Takes a sensitive table and gives an (ε, δ)-differentially private one, charged to the budget of
/// the context ([`SafePub`]).
///
/// # Example
///
/// ```
/// use kanon::dp::SafePub;
/// use kanon::prelude::*;
/// use privacy_core::prelude::*;
///
/// let text: String = (0..2000).map(|i| format!("{}\n", 18 + i % 60)).collect();
/// let table = kanon::table::CsvOptions::new().read(format!("age\n{text}").as_bytes())?;
/// let roles = Roles::new().quasi("age", Intervals::new(0, 120).widths([20, 60]));
/// let stage = kanon::stage::PrivateTableStage::searched(roles, SafePub::new(1.0, 1e-6)?, 0.5, 4)?;
///
/// let budget = MemoryBudget::new((Epsilon::new(2.0)?, Delta::new(1e-5)?));
/// let mut cx = Context::new(Actor::new("export"), Purpose::new("open data"))?.with_budget(budget);
/// let release = stage.run(Sensitive::new(table), &mut cx)?;
/// assert!(release.table().rows() < 2000);
/// assert!(cx.remaining()?.unwrap().to_string().starts_with("ε = 0.5"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct PrivateTableStage {
    roles: Roles,
    mechanism: SafePub,
    levels: Levels,
    charge: Charge,
}

impl PrivateTableStage {
    fn new(roles: Roles, mechanism: SafePub, levels: Levels) -> privacy_core::Result<Self> {
        let mut epsilon = Epsilon::new(mechanism.epsilon())?.into_amount();
        if let Levels::Searched { epsilon: search, .. } = &levels {
            epsilon = &epsilon + Epsilon::new(*search)?.amount();
        }
        let charge = Charge::approximate(epsilon, Delta::new(mechanism.delta())?.into_amount());
        Ok(PrivateTableStage { roles, mechanism, levels, charge })
    }

    /// A stage with levels that were chosen without looking at the data.
    ///
    /// # Errors
    ///
    /// None for a [`SafePub`] that exists; fallible since prices are made here.
    pub fn fixed(
        roles: Roles,
        mechanism: SafePub,
        levels: Vec<usize>,
    ) -> privacy_core::Result<Self> {
        PrivateTableStage::new(roles, mechanism, Levels::Fixed(levels))
    }

    /// A stage that chooses levels with an ε of their own; see [`SafePub::search`].
    ///
    /// # Errors
    ///
    /// An error of privacy-core for an ε that is not positive.
    pub fn searched(
        roles: Roles,
        mechanism: SafePub,
        epsilon: f64,
        steps: u32,
    ) -> privacy_core::Result<Self> {
        PrivateTableStage::new(roles, mechanism, Levels::Searched { epsilon, steps })
    }

    fn scope() -> Scope {
        Scope::of::<Record, AddRemove>()
    }
}

impl Stage for PrivateTableStage {
    type Input = Sensitive<Table>;
    type Output = Release;

    fn name(&self) -> Cow<'static, str> {
        "private table".into()
    }

    fn effect(&self) -> Effect {
        let (charge, scope) = (self.charge.clone(), Self::scope());
        Effect::Establishes {
            guarantee: Guarantee::DifferentialPrivacy { charge, scope },
            distance: 1,
        }
    }

    fn run(&self, input: Sensitive<Table>, cx: &mut Context) -> privacy_core::Result<Release> {
        let ask = Ask::new(Resource::new("private table"), self.charge.clone(), Self::scope());
        let paid = cx.release(ask, |rng| {
            let data = self.roles.bind(input.expose())?;
            let levels = match &self.levels {
                Levels::Fixed(levels) => levels.clone(),
                Levels::Searched { epsilon, steps } => {
                    self.mechanism.search(&data, *epsilon, *steps, rng)?
                }
            };
            Ok(self.mechanism.release(&data, &levels, rng)?)
        })?;
        Ok(paid.value)
    }
}
