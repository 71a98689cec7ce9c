//! What a model's labels mean, and how labels of words become names.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Deserialize;

use crate::entity::Entity;
use crate::error::{Error, Result};
use crate::names::Name;

/// Where in a name a word stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Begin,
    Inside,
    Last,
    Unit,
    /// The labels don't say.
    Any,
}

/// What the crate calls the kinds that models know; nothing for what is no personal data.
const KINDS: [(&str, &[&str]); 10] = [
    ("PERSON", &["PER", "PERSON", "PERS", "NAME", "PATIENT", "STAFF", "HCW", "DOCTOR"]),
    ("LOCATION", &["LOC", "LOCATION", "GPE", "FAC", "FACILITY", "CITY", "COUNTRY", "STATE"]),
    (
        "ORGANIZATION",
        &["ORG", "ORGANIZATION", "ORGANISATION", "CORPORATION", "HOSP", "HOSPITAL", "PATORG"],
    ),
    ("NRP", &["NORP", "NRP"]),
    ("TITLE", &["TITLE"]),
    ("DATE_TIME", &["DATE", "TIME", "DATE_TIME"]),
    ("AGE", &["AGE"]),
    ("PHONE_NUMBER", &["PHONE", "PHONE_NUMBER"]),
    ("EMAIL_ADDRESS", &["EMAIL", "EMAIL_ADDRESS"]),
    (
        "",
        &[
            "MISC",
            "PRODUCT",
            "EVENT",
            "WORK_OF_ART",
            "LAW",
            "LANGUAGE",
            "PERCENT",
            "MONEY",
            "QUANTITY",
            "ORDINAL",
            "CARDINAL",
        ],
    ),
];

/// What a model says of a word: the number of its label, and how probable the label's kind is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Verdict {
    label: usize,
    probability: f32,
}

/// The labels of a model.
#[derive(Debug)]
pub(super) struct Labels {
    /// By number: where in a name, and which of `entities`; nothing outside of names.
    all: Vec<Option<(Part, usize)>>,
    entities: Vec<Entity>,
}

impl Labels {
    pub(super) fn new(labels: &[String], mapped: &[(String, Option<Entity>)]) -> Result<Self> {
        // Labels have prefixes if each has one: "E_MAIL" alone is a kind.
        let outside = |l: &str| l.eq_ignore_ascii_case("o");
        let prefixed = labels.iter().filter(|l| !outside(l)).all(|l| split(l).is_some());
        let mut entities: Vec<Entity> = Vec::new();
        let mut all = Vec::with_capacity(labels.len());
        for label in labels {
            if outside(label) {
                all.push(None);
                continue;
            }
            let (part, kind) = match split(label) {
                Some(both) if prefixed => both,
                _ => (Part::Any, label.as_str()),
            };
            let entity = match mapped.iter().rev().find(|(k, _)| k.eq_ignore_ascii_case(kind)) {
                Some((_, entity)) => entity.clone(),
                None => known(kind)?,
            };
            all.push(entity.map(|entity| {
                let number = entities.iter().position(|e| *e == entity).unwrap_or_else(|| {
                    entities.push(entity);
                    entities.len() - 1
                });
                (part, number)
            }));
        }
        Ok(Labels { all, entities })
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    pub(super) fn entities(&self) -> Vec<Entity> {
        self.entities.clone()
    }

    fn get(&self, label: usize) -> Option<(Part, usize)> {
        self.all.get(label).copied().flatten()
    }

    /// What the logits of a word's pieces, one row after the other, say: the mean of their probabilities.
    pub(super) fn judge(&self, rows: &[f32]) -> Verdict {
        let mut sums = vec![0f32; self.len()];
        for row in rows.chunks_exact(self.len()) {
            let most = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let total: f32 = row.iter().map(|x| (x - most).exp()).sum();
            sums.iter_mut().zip(row).for_each(|(s, x)| *s += (x - most).exp() / total);
        }
        let pieces = (rows.len() / self.len()).max(1) as f32;
        let label = (0..sums.len()).max_by(|a, b| sums[*a].total_cmp(&sums[*b])).unwrap_or(0);
        let kind = self.get(label).map(|(_, kind)| kind);
        let same = |i: usize| self.get(i).map(|(_, kind)| kind) == kind;
        let sum: f32 = sums.iter().enumerate().filter(|(i, _)| same(*i)).map(|(_, s)| s).sum();
        Verdict { label, probability: (sum / pieces).clamp(0.0, 1.0) }
    }

    /// Names from words with what the model says of them.
    pub(super) fn names(&self, words: impl Iterator<Item = (Range<usize>, Verdict)>) -> Vec<Name> {
        struct Open {
            kind: usize,
            range: Range<usize>,
            sum: f32,
            words: f32,
        }
        let mut names = Vec::new();
        let mut open: Option<Open> = None;
        let mut close = |open: &mut Option<Open>| {
            if let Some(Open { kind, range, sum, words }) = open.take()
                && let Some(entity) = self.entities.get(kind)
            {
                names.push(Name { entity: entity.clone(), range, score: sum / words });
            }
        };
        for (range, verdict) in words {
            let Some((part, kind)) = self.get(verdict.label) else {
                close(&mut open);
                continue;
            };
            let goes_on = matches!(part, Part::Inside | Part::Last | Part::Any);
            match open.as_mut().filter(|o| goes_on && o.kind == kind) {
                Some(open) => {
                    open.range.end = range.end;
                    open.sum += verdict.probability;
                    open.words += 1.0;
                }
                None => {
                    close(&mut open);
                    open = Some(Open { kind, range, sum: verdict.probability, words: 1.0 });
                }
            }
            if matches!(part, Part::Last | Part::Unit) {
                close(&mut open);
            }
        }
        close(&mut open);
        names
    }
}

/// The part and the kind of a label such as `B-PER` or `I_LOC`.
fn split(label: &str) -> Option<(Part, &str)> {
    let (prefix, kind) = label.split_once(['-', '_']).filter(|(_, kind)| !kind.is_empty())?;
    let part = match prefix {
        "B" => Part::Begin,
        "I" | "M" => Part::Inside,
        "L" | "E" => Part::Last,
        "U" | "S" => Part::Unit,
        _ => return None,
    };
    Some((part, kind))
}

fn known(kind: &str) -> Result<Option<Entity>> {
    let found =
        KINDS.iter().find(|(_, names)| names.iter().any(|name| name.eq_ignore_ascii_case(kind)));
    match found {
        Some(("", _)) => Ok(None),
        Some((entity, _)) => Ok(Some(Entity::exact(entity))),
        None => Err(Error::UnknownEntity { name: kind.to_owned() }),
    }
}

/// The labels and the window that a model's `config.json` names.
pub(super) fn config(json: &str) -> Result<(Vec<String>, Option<usize>)> {
    #[derive(Deserialize)]
    struct Config {
        id2label: BTreeMap<usize, String>,
        max_position_embeddings: Option<usize>,
    }
    let bad = |reason: String| Error::Document { what: "model's configuration", reason };
    let config: Config = serde_json::from_str(json).map_err(|e| bad(e.to_string()))?;
    if !config.id2label.keys().copied().eq(0..config.id2label.len()) {
        return Err(bad("`id2label` does not count from 0".to_owned()));
    }
    Ok((config.id2label.into_values().collect(), config.max_position_embeddings))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(labels: &[&str], words: &[&str]) -> Vec<(String, Range<usize>)> {
        let all: Vec<String> = labels.iter().map(|l| (*l).to_owned()).collect();
        let labels = Labels::new(&all, &[]).unwrap();
        let verdict = |w: &&str| Verdict {
            label: all.iter().position(|l| l == w).unwrap(),
            probability: 0.5,
        };
        let words = words.iter().enumerate().map(|(i, w)| (2 * i..2 * i + 1, verdict(w)));
        labels.names(words).into_iter().map(|n| (n.entity.to_string(), n.range)).collect()
    }

    #[test]
    fn schemes_are_told_apart() {
        let bio = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"];
        let person = |range| ("PERSON".to_owned(), range);
        assert_eq!(decode(&bio, &["O", "B-PER", "I-PER", "O"]), [person(2..5)]);
        assert_eq!(decode(&bio, &["B-PER", "B-PER"]), [person(0..1), person(2..3)]);
        // IOB1 begins with I.
        assert_eq!(decode(&bio, &["I-PER", "I-PER"]), [person(0..3)]);
        let place = ("LOCATION".to_owned(), 2..3);
        assert_eq!(decode(&bio, &["B-PER", "I-LOC"]), [person(0..1), place]);
        let bilou = ["O", "B-PER", "I-PER", "L-PER", "U-PER"];
        let both = [person(0..5), person(6..7)];
        assert_eq!(decode(&bilou, &["B-PER", "I-PER", "L-PER", "U-PER"]), both);
        assert_eq!(decode(&bilou, &["L-PER", "I-PER"]), [person(0..1), person(2..3)]);
        assert_eq!(decode(&["PERSON", "O"], &["PERSON", "PERSON", "O"]), [person(0..3)]);
    }

    #[test]
    fn kinds_are_known_or_refused() {
        let labels = |l: &[&str], mapped: &[(String, Option<Entity>)]| {
            let all: Vec<String> = l.iter().map(|l| (*l).to_owned()).collect();
            Labels::new(&all, mapped).map(|l| l.entities().iter().map(Entity::to_string).collect())
        };
        let names = |l: Result<Vec<String>>| l.unwrap();
        assert_eq!(names(labels(&["O", "B-MISC", "B-GPE"], &[])), ["LOCATION"]);
        assert!(matches!(labels(&["O", "B-IDNUM"], &[]), Err(Error::UnknownEntity { .. })));
        let mapped = [("IDNUM".to_owned(), Some(Entity::exact("RECORD_NUMBER")))];
        assert_eq!(names(labels(&["O", "B-IDNUM"], &mapped)), ["RECORD_NUMBER"]);
        // One label without a prefix: none has one.
        let mapped = [("E_MAIL".to_owned(), None)];
        assert_eq!(names(labels(&["O", "PER", "E_MAIL"], &mapped)), ["PERSON"]);
    }

    #[test]
    fn probabilities_are_those_of_the_kind() {
        let all = ["O", "B-PER", "I-PER"].map(str::to_owned);
        let labels = Labels::new(&all, &[]).unwrap();
        // e^0 : e^1 : e^2.
        let verdict = labels.judge(&[0.0, 1.0, 2.0]);
        let e = std::f32::consts::E;
        assert_eq!(verdict.label, 2);
        assert!((verdict.probability - (e + e * e) / (1.0 + e + e * e)).abs() < 1e-6);
        // Far apart, and shifted as a whole: the same.
        let shifted = labels.judge(&[1e4, 1e4 + 1.0, 1e4 + 2.0]);
        assert!((verdict.probability - shifted.probability).abs() < 1e-3);
        let both = labels.judge(&[0.0, 0.0, 0.0, 0.0, 1.0, 2.0]);
        assert!((both.probability - (verdict.probability + 2.0 / 3.0) / 2.0).abs() < 1e-6);
    }
}
