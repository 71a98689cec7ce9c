//! Everything a scan needs, compiled once and shared.

use std::collections::HashMap;
use std::sync::Arc;

use regex::Regex;

use crate::context::ContextTable;
use crate::entity::Entity;
use crate::recognizer::shape::Index;
use crate::recognizer::table::Pattern;
use crate::scan::Tables;

/// A compiled recognizer of the caller's.
#[derive(Debug)]
pub(crate) struct CustomRecognizer {
    pub(crate) entity: u16,
    pub(crate) recognizer: crate::recognizer::Recognizer,
    pub(crate) terms: Option<(Regex, f32)>,
}

/// Compiled tables and configuration of an analyzer.
pub(crate) struct Engine {
    /// By number: built-in ones first.
    pub(crate) entities: Vec<Entity>,
    pub(crate) by_name: HashMap<Entity, u16>,
    /// Whether each is looked for, and from which score on it is reported.
    pub(crate) enabled: Vec<bool>,
    pub(crate) thresholds: Vec<f32>,
    /// Whether the caller named what is to be found: then a checksum that holds is enough.
    pub(crate) explicit: bool,
    /// Whether the caller named entities, rather than countries.
    pub(crate) named: bool,
    pub(crate) patterns: Vec<Pattern>,
    pub(crate) index: Index,
    pub(crate) context: ContextTable,
    pub(crate) tables: Tables,
    pub(crate) custom: Vec<CustomRecognizer>,
    pub(crate) allow: Vec<String>,
    pub(crate) allow_expression: Option<Regex>,
    pub(crate) names: Option<Arc<dyn crate::names::NerBackend>>,
    pub(crate) calibration: Option<Arc<crate::evaluate::Calibration>>,
    /// Notations of the patterns, for evidence.
    pub(crate) notations: Vec<Arc<str>>,
    pub(crate) labels: Labels,
}

/// What evidence calls the kinds of recognizers.
pub(crate) struct Labels {
    pub(crate) table: Arc<str>,
    pub(crate) program: Arc<str>,
    pub(crate) custom: Arc<str>,
    pub(crate) names: Arc<str>,
}

impl Engine {
    pub(crate) fn wanted(&self, entity: u16) -> bool {
        self.enabled.get(usize::from(entity)).copied().unwrap_or(false)
    }

    pub(crate) fn threshold(&self, entity: u16) -> f32 {
        self.thresholds.get(usize::from(entity)).copied().unwrap_or(1.1)
    }

    /// The number of an entity that the caller asked for by name.
    pub(crate) fn requested(&self, name: &str) -> Option<u16> {
        if !self.explicit {
            return None;
        }
        self.by_name.get(&Entity::exact(name)).copied().filter(|id| self.wanted(*id))
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("entities", &self.entities.len())
            .field("custom", &self.custom.len())
            .finish_non_exhaustive()
    }
}
