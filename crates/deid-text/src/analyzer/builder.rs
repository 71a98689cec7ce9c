//! What an analyzer looks for, and how.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Analyzer, DEFAULT_THRESHOLD};
use crate::context::ContextTable;
use crate::engine::{CustomRecognizer, Engine, Labels};
use crate::entity::Entity;
use crate::error::{Error, Result};
use crate::evaluate::Calibration;
use crate::names::NerBackend;
use crate::recognizer::shape::{Entry, Index};
use crate::recognizer::table::Pattern;
use crate::recognizer::{DenyList, Recognizer, custom, import, table};
use crate::scan::phone::PhoneLeniency;
use crate::scan::{Id, Tables};

/// What an analyzer looks for and how; see [`Analyzer::builder`].
#[derive(Default)]
#[must_use = "a builder does nothing until `build`"]
pub struct AnalyzerBuilder {
    countries: Option<Vec<String>>,
    entities: Option<Vec<Entity>>,
    without: Vec<Entity>,
    threshold: Option<f32>,
    thresholds: Vec<(Entity, f32)>,
    recognizers: Vec<Recognizer>,
    deny: Vec<DenyList>,
    allow: Vec<String>,
    allow_expression: Option<regex::Regex>,
    leniency: Option<PhoneLeniency>,
    names: NamesChoice,
    context: Vec<(Entity, Vec<String>)>,
    calibration: Option<Arc<Calibration>>,
}

#[derive(Default)]
enum NamesChoice {
    #[default]
    BuiltIn,
    None,
    Backend(Arc<dyn NerBackend>),
}

impl std::fmt::Debug for AnalyzerBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AnalyzerBuilder")
            .field("countries", &self.countries)
            .field("entities", &self.entities)
            .field("threshold", &self.threshold)
            .finish_non_exhaustive()
    }
}

impl AnalyzerBuilder {
    /// Only these countries' identifiers and telephone numbers, as ISO 3166 codes, besides those
    /// of no country. Without this, all.
    pub fn countries<S: AsRef<str>>(mut self, codes: impl IntoIterator<Item = S>) -> Self {
        self.countries = Some(codes.into_iter().map(|c| c.as_ref().to_lowercase()).collect());
        self
    }

    /// Only these entities. What is asked for by name is reported without context words too if its
    /// check characters hold.
    pub fn entities<E: Into<Entity>>(mut self, entities: impl IntoIterator<Item = E>) -> Self {
        self.entities = Some(entities.into_iter().map(Into::into).collect());
        self
    }

    /// None of these entities.
    pub fn without<E: Into<Entity>>(mut self, entities: impl IntoIterator<Item = E>) -> Self {
        self.without.extend(entities.into_iter().map(Into::into));
        self
    }

    /// The least score that is reported, 0 to 1; [`DEFAULT_THRESHOLD`] unless set.
    pub fn threshold(mut self, threshold: f32) -> Self {
        self.threshold = Some(threshold);
        self
    }

    /// The least score for one entity.
    pub fn threshold_for(mut self, entity: impl Into<Entity>, threshold: f32) -> Self {
        self.thresholds.push((entity.into(), threshold));
        self
    }

    /// Adds a recognizer of your own.
    pub fn recognizer(mut self, recognizer: Recognizer) -> Self {
        self.recognizers.push(recognizer);
        self
    }

    /// Adds terms that are always an entity.
    pub fn deny(mut self, list: DenyList) -> Self {
        self.deny.push(list);
        self
    }

    /// Adds texts that are never reported: findings that equal one of them, letter by letter.
    pub fn allow<S: Into<String>>(mut self, texts: impl IntoIterator<Item = S>) -> Self {
        self.allow.extend(texts.into_iter().map(Into::into));
        self
    }

    /// Never reports findings in whose text this expression matches.
    ///
    /// # Errors
    ///
    /// [`Error::Recognizer`] if the expression does not parse.
    pub fn allow_matching(mut self, expression: &str) -> Result<Self> {
        let regex = regex::Regex::new(expression).map_err(|_| Error::Recognizer {
            name: "allow list".to_owned(),
            reason: "the expression does not parse".into(),
        })?;
        self.allow_expression = Some(regex);
        Ok(self)
    }

    /// More words that speak for an entity.
    pub fn context<S: Into<String>>(
        mut self,
        entity: impl Into<Entity>,
        words: impl IntoIterator<Item = S>,
    ) -> Self {
        self.context.push((entity.into(), words.into_iter().map(Into::into).collect()));
        self
    }

    /// How strictly telephone numbers are judged; [`PhoneLeniency::Valid`] unless set.
    pub fn phone_leniency(mut self, leniency: PhoneLeniency) -> Self {
        self.leniency = Some(leniency);
        self
    }

    /// Without persons, places and organizations: patterns only, much faster.
    pub fn without_names(mut self) -> Self {
        self.names = NamesChoice::None;
        self
    }

    /// Names by a backend of your own instead of the built-in tagger.
    pub fn names(mut self, backend: impl NerBackend + 'static) -> Self {
        self.names = NamesChoice::Backend(Arc::new(backend));
        self
    }

    /// Scores as probabilities, by a calibration that was fitted to labelled text.
    pub fn calibration(mut self, calibration: Calibration) -> Self {
        self.calibration = Some(Arc::new(calibration));
        self
    }

    /// Adds the custom recognizers of a registry in Presidio's YAML; its `supported_countries`
    /// apply. Predefined recognizers are built in already; those with `enabled: false` are left out.
    ///
    /// # Errors
    ///
    /// [`Error::Document`] if the document does not parse, [`Error::Recognizer`] if an entry
    /// contradicts itself or an expression needs look-around.
    pub fn presidio_yaml(mut self, yaml: &str) -> Result<Self> {
        let imported = import::presidio(yaml)?;
        for class in imported.disabled {
            let names = crate::entity::all().map(crate::entity::Info::name);
            let entity = import::predefined(&class, names).ok_or_else(|| Error::Recognizer {
                name: class.clone(),
                reason: "no built-in recognizer has that name: leave it out".into(),
            })?;
            if entity == "PERSON" {
                self.names = NamesChoice::None;
            } else {
                self.without.push(Entity::exact(entity));
            }
        }
        self.recognizers.extend(imported.recognizers);
        if imported.countries.is_some() {
            self.countries = imported.countries;
        }
        Ok(self)
    }

    /// Compiles the analyzer.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownEntity`], [`Error::UnknownCountry`], [`Error::Parameter`] for a threshold out
    /// of 0 to 1, [`Error::Recognizer`] for terms that are too many.
    pub fn build(self) -> Result<Analyzer> {
        let (rows, patterns) = table::read();
        let mut entities: Vec<Entity> = rows.iter().map(|r| Entity::exact(r.name)).collect();
        let mut by_name: HashMap<Entity, u16> =
            entities.iter().enumerate().map(|(i, e)| (e.clone(), i as u16)).collect();
        let mut context = ContextTable::new(&rows);
        let mut custom = Vec::new();
        for list in self.deny {
            let mut recognizer = Recognizer::new(list.entity.name());
            recognizer.terms = list.terms;
            recognizer.terms_score = list.score;
            custom.push(recognizer);
        }
        custom.extend(self.recognizers);
        if let NamesChoice::Backend(backend) = &self.names {
            for entity in backend.entities() {
                by_name.entry(entity.clone()).or_insert_with(|| {
                    entities.push(entity);
                    (entities.len() - 1) as u16
                });
            }
        }
        let mut compiled = Vec::with_capacity(custom.len());
        let mut own_thresholds = Vec::new();
        for recognizer in custom {
            let id = *by_name.entry(recognizer.entity.clone()).or_insert_with(|| {
                entities.push(recognizer.entity.clone());
                (entities.len() - 1) as u16
            });
            context.extend(&recognizer.context, id);
            own_thresholds.extend(recognizer.threshold.map(|t| (id, t)));
            let terms = if recognizer.terms.is_empty() {
                None
            } else {
                let regex =
                    custom::terms_expression(&recognizer.terms).map_err(|_| Error::Recognizer {
                        name: recognizer.entity.name().to_owned(),
                        reason: "its terms are too many: split the list".into(),
                    })?;
                Some((regex, recognizer.terms_score))
            };
            compiled.push(CustomRecognizer { entity: id, recognizer, terms });
        }
        for (entity, words) in &self.context {
            let id = lookup(&by_name, entity)?;
            context.extend(words, id);
        }
        let default = self.threshold.unwrap_or(DEFAULT_THRESHOLD);
        let within = |t: f32| (0.0..=1.0).contains(&t);
        if !within(default) || !self.thresholds.iter().all(|(_, t)| within(*t)) {
            return Err(Error::Parameter {
                parameter: "a threshold",
                requirement: "within 0 to 1",
            });
        }
        let mut thresholds = vec![default; entities.len()];
        for (id, t) in own_thresholds {
            thresholds[usize::from(id)] = t;
        }
        for (entity, t) in &self.thresholds {
            thresholds[usize::from(lookup(&by_name, entity)?)] = *t;
        }
        if let Some(codes) = &self.countries {
            for code in codes {
                let known = rows.iter().any(|r| r.country == code)
                    || crate::checksum::is_country(code.to_uppercase().as_bytes());
                if !known {
                    return Err(Error::UnknownCountry { code: code.clone() });
                }
            }
        }
        let mut enabled: Vec<bool> = rows
            .iter()
            .map(|r| match &self.countries {
                Some(codes) => r.country.is_empty() || codes.iter().any(|c| c == r.country),
                None => true,
            })
            .collect();
        enabled.resize(entities.len(), true);
        let explicit =
            self.entities.is_some() || self.countries.as_ref().is_some_and(|c| c.len() <= 2);
        if let Some(wanted) = &self.entities {
            enabled.fill(false);
            for entity in wanted {
                enabled[usize::from(lookup(&by_name, entity)?)] = true;
            }
        }
        for entity in &self.without {
            enabled[usize::from(lookup(&by_name, entity)?)] = false;
        }
        let wanted = |p: &Pattern| enabled.get(usize::from(p.entity)).copied().unwrap_or(false);
        let wanted = patterns.iter().enumerate().filter(|(_, p)| wanted(p));
        let index = Index::new(wanted.map(|(i, p)| {
            // The loose shapes begin where the others do, and elsewhere.
            let shapes = if p.loose.is_empty() { &p.shapes } else { &p.loose };
            let threshold = thresholds.get(usize::from(p.entity)).copied().unwrap_or(1.1);
            let alone = explicit || p.score.max(p.checked) >= threshold;
            Entry { id: i as u16, entity: p.entity, alone, shapes }
        }));
        let wants_names = [Id::Person, Id::Location, Id::Organization, Id::Nrp, Id::Title]
            .iter()
            .any(|id| enabled[*id as usize]);
        let names: Option<Arc<dyn NerBackend>> = match self.names {
            NamesChoice::None => None,
            NamesChoice::Backend(backend) => Some(backend),
            #[cfg(feature = "ner")]
            NamesChoice::BuiltIn if wants_names => Some(crate::names::built_in()?),
            NamesChoice::BuiltIn => None,
        };
        let _ = wants_names;
        let tables =
            Tables::new(self.countries.as_deref(), self.leniency.unwrap_or(PhoneLeniency::Valid));
        let notations = patterns.iter().map(|p| p.notation.into()).collect();
        Ok(Analyzer {
            engine: Arc::new(Engine {
                notations,
                entities,
                by_name,
                enabled,
                thresholds,
                explicit,
                named: self.entities.is_some(),
                patterns,
                index,
                context,
                tables,
                custom: compiled,
                allow: self.allow,
                allow_expression: self.allow_expression,
                names,
                calibration: self.calibration,
                labels: Labels {
                    table: "pattern".into(),
                    program: "built-in".into(),
                    custom: "custom".into(),
                    names: "names".into(),
                },
            }),
        })
    }
}

fn lookup(by_name: &HashMap<Entity, u16>, entity: &Entity) -> Result<u16> {
    by_name
        .get(entity)
        .copied()
        .ok_or_else(|| Error::UnknownEntity { name: entity.name().to_owned() })
}
