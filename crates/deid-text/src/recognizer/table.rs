//! The built-in recognizers of fixed-shape identifiers, read from `data/recognizers.txt`, and
//! the words that speak for each entity.

use super::shape::Shape;
use crate::checksum::{Validator, by_name};

const RECOGNIZERS: &str = include_str!("../../data/recognizers.txt");
const SPECIAL: &str = include_str!("../../data/entities.txt");

/// What is known of an entity.
#[derive(Clone, Debug)]
pub(crate) struct EntityRow {
    pub(crate) name: &'static str,
    /// Lower-case ISO 3166 code; empty for entities of no country.
    pub(crate) country: &'static str,
    pub(crate) what: &'static str,
    pub(crate) example: &'static str,
    pub(crate) false_positives: &'static str,
    pub(crate) context: Vec<&'static str>,
}

/// One way an entity is written.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    pub(crate) entity: u16,
    pub(crate) notation: &'static str,
    /// Before context, when there is nothing to check.
    pub(crate) score: f32,
    /// Before context, when its checksum holds.
    pub(crate) checked: f32,
    pub(crate) shapes: Vec<Shape>,
    /// Of patterns in capitals, the same in either case: for labelled candidates, and for entities
    /// that were asked for by name.
    pub(crate) loose: Vec<Shape>,
    pub(crate) validator: Option<Validator>,
}

/// Reads the tables: the entities of the hand-written recognizers first.
///
/// Rows that don't parse are left out; a test holds that there are none.
pub(crate) fn read() -> (Vec<EntityRow>, Vec<Pattern>) {
    let mut entities: Vec<EntityRow> = Vec::with_capacity(256);
    let mut patterns = Vec::with_capacity(512);
    for line in SPECIAL.lines().chain(RECOGNIZERS.lines()) {
        let Some((kind, rest)) = line.split_once(' ') else { continue };
        match kind {
            "=" => {
                let mut cells = rest.split('|').map(str::trim);
                let mut cell = || cells.next().filter(|c| *c != "-").unwrap_or_default();
                entities.push(EntityRow {
                    name: cell(),
                    country: cell(),
                    what: cell(),
                    example: cell(),
                    false_positives: cell(),
                    context: Vec::new(),
                });
            }
            "c" => {
                if let Some(entity) = entities.last_mut() {
                    entity.context.extend(rest.split(", ").map(str::trim));
                }
            }
            "p" => {
                if let Some(pattern) = pattern(rest, entities.len()) {
                    patterns.push(pattern);
                }
            }
            _ => {}
        }
    }
    (entities, patterns)
}

fn pattern(line: &'static str, entities: usize) -> Option<Pattern> {
    let mut fields = line.split(' ').filter(|f| !f.is_empty());
    let (scores, notation) = (fields.next()?, fields.next()?);
    let (score, checked) = scores.split_once('/').unwrap_or((scores, scores));
    let mut case_sensitive = false;
    let mut validator = None;
    for field in fields {
        match field {
            "cs" => case_sensitive = true,
            name => validator = Some(by_name(name)?),
        }
    }
    Some(Pattern {
        entity: u16::try_from(entities.checked_sub(1)?).ok()?,
        notation,
        score: score.parse().ok()?,
        checked: checked.parse().ok()?,
        shapes: Shape::parse(notation, case_sensitive)?,
        loose: if case_sensitive { Shape::parse(notation, false)? } else { Vec::new() },
        validator,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_tables_is_read() {
        let (entities, patterns) = read();
        let rows = RECOGNIZERS.lines().filter(|l| l.starts_with("p ")).count();
        assert_eq!(patterns.len(), rows);
        assert!(entities.len() > 200);
        let mut names: Vec<_> = entities.iter().map(|e| e.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), entities.len());
    }
}
