//! Whether a set of rows may be a class.

use crate::dataset::Dataset;
use crate::error::{Error, Result};
use crate::model::Model;
use crate::model::bind::{Requirements, bind};
use crate::model::class::{Class, Rule};

/// Class models bound to a dataset, for searches over groups of rows.
#[derive(Debug)]
pub(crate) struct Judge {
    requirements: Requirements,
    /// For each row and attribute the slot in the histogram.
    slots: Vec<Vec<u32>>,
    least: u64,
    only_size: bool,
}

impl Judge {
    /// # Errors
    ///
    /// [`Error::Combination`] for models that speak of a population, of information loss, or of
    /// the sample as a whole, which classes of any shape do not support.
    pub(crate) fn new(data: &Dataset, models: &[Model]) -> Result<Self> {
        let unsupported = |model: &Model| {
            model.is_of_the_sample()
                || model.needs_population()
                || matches!(model, Model::Profitability { .. })
        };
        if models.iter().any(unsupported) {
            return Err(Error::Combination {
                setting: "local recoding or Mondrian",
                problem: "it takes models of single classes without a population; use full-domain generalization for the others",
            });
        }
        let requirements = bind(data, models, false)?;
        let columns = data.table().columns();
        let slots = requirements
            .sources
            .iter()
            .zip(&requirements.attributes)
            .map(|((place, slots), attribute)| {
                let slot = |entry: u32| attribute.offset as u32 + slots[entry as usize];
                columns[*place].codes().iter().map(slot).collect()
            })
            .collect();
        let size = |rule: &Rule| if let Rule::Size(k) = rule { Some(*k) } else { None };
        let least = requirements.rules.iter().filter_map(|b| size(&b.rule)).max().unwrap_or(1);
        let only_size = requirements.rules.iter().all(|b| size(&b.rule).is_some());
        Ok(Judge { requirements, slots, least, only_size })
    }

    pub(crate) fn least(&self) -> u64 {
        self.least
    }

    pub(crate) fn only_size(&self) -> bool {
        self.only_size
    }

    pub(crate) fn width(&self) -> usize {
        self.requirements.width
    }

    /// Adds a row to a histogram.
    pub(crate) fn count(&self, row: u32, histogram: &mut [u32]) {
        for slots in &self.slots {
            histogram[slots[row as usize] as usize] += 1;
        }
    }

    pub(crate) fn accepts(&self, size: u64, histogram: &[u32]) -> bool {
        if size < self.least || size == 0 {
            return false;
        }
        let class = Class { size, population: 0, histogram, loss: 0.0 };
        self.only_size
            || self
                .requirements
                .rules
                .iter()
                .all(|bound| bound.rule.holds(&class, &self.requirements.attributes))
    }

    /// Whether rows may be a class.
    pub(crate) fn accepts_rows(&self, rows: impl Iterator<Item = u32>) -> bool {
        let mut histogram = vec![0; self.width()];
        let mut size = 0;
        for row in rows {
            size += 1;
            if !self.only_size {
                self.count(row, &mut histogram);
            }
        }
        self.accepts(size, &histogram)
    }
}
