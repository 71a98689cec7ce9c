//! Anonymization as a stage of a pipeline of the family.

use std::borrow::Cow;

use privacy_core::context::Context;
use privacy_core::guarantee::{Effect, Guarantee};
use privacy_core::sensitive::Sensitive;
use privacy_core::stage::Stage;

use crate::anonymizer::{Anonymizer, Recoding};
use crate::dataset::Roles;
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
