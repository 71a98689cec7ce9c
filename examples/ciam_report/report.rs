//! A report: how sources were handled, what was asked, what came out, what it cost. The same for text,
//! JSON and the page.

mod owner;
#[cfg(test)]
pub mod sample;
mod spending;

use confidant::core::release::{Interval, Readable};
use confidant::dp::prelude::{Allowance, Charge, Confidence, GroupedRelease, Release};
use serde::{Serialize, Serializer};

pub use owner::{Band, ColumnDetail, Found, FoundColumn, Owner, RiskOf, TableStudy, TextStudy};
pub use spending::{Balance, Checkpoint, Spending, Step};

/// A finished report. Everything in it is safe to publish, but for the owner's part.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The headline.
    pub title: String,
    /// What was made public about the data, and how privacy is defined, as label and text.
    #[serde(serialize_with = "as_map")]
    pub about: Vec<(&'static str, String)>,
    /// How each source was handled, and why.
    pub sources: Vec<Handling>,
    /// The answers in the order they were asked.
    pub answers: Vec<Answer>,
    /// What all answers may cost together.
    pub budget: Allowance,
    /// What they cost.
    pub spent: Allowance,
    /// What is left for further questions.
    pub left: Allowance,
    /// The ledger: accounts, what was spent when, and the checkpoint of its log.
    pub ledger: Spending,
    /// What is as confidential as the data; `None` in an edition that is handed out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub for_the_owner: Option<Owner>,
}

/// How a source was handled.
#[derive(Debug, Serialize)]
pub struct Handling {
    /// The source.
    pub source: String,
    /// What is in it.
    pub what: String,
    /// What was made of it.
    pub technique: String,
    /// Whether someone chose otherwise than was proposed.
    pub overridden: bool,
    /// Why.
    pub reason: String,
    /// What may be said of what leaves.
    pub guarantee: String,
    /// What that does not cover.
    pub does_not_cover: String,
}

/// The answer to one question.
#[derive(Debug, Serialize)]
pub struct Answer {
    /// What the report calls it.
    pub name: String,
    /// What was asked.
    pub question: String,
    /// What it cost, all groups together.
    pub charge: Charge,
    /// The law of the noise.
    pub noise: String,
    /// One figure, or one for each group.
    #[serde(flatten)]
    pub result: Figures,
    /// Whether the groups have an order that means something, such as hours.
    #[serde(skip)]
    pub ordered: bool,
}

/// One figure, or one for each group.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Figures {
    /// The answer is one number.
    Figure(Figure),
    /// The answer is a number for each group.
    Groups(Vec<Group>),
}

/// A group with its figure.
#[derive(Debug, Serialize)]
pub struct Group {
    /// The group's name.
    pub group: String,
    /// Its figure.
    #[serde(flatten)]
    pub figure: Figure,
}

/// A released number with its error.
#[derive(Clone, Debug, Serialize)]
pub struct Figure {
    /// The number.
    pub value: Number,
    /// The interval that covers the truth with 95 % confidence.
    pub interval_95: Interval,
    /// The number for people.
    #[serde(skip)]
    pub text: String,
    /// Half the interval for people.
    #[serde(skip)]
    pub margin: String,
}

/// A released number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// A whole number.
    Whole(i128),
    /// A number with decimals.
    Real(f64),
}

impl Number {
    /// The nearest float.
    pub fn to_f64(self) -> f64 {
        match self {
            Number::Whole(number) => number as f64,
            Number::Real(number) => number,
        }
    }
}

impl From<i64> for Number {
    fn from(number: i64) -> Self {
        Number::Whole(number.into())
    }
}

impl From<i128> for Number {
    fn from(number: i128) -> Self {
        Number::Whole(number)
    }
}

impl From<f64> for Number {
    fn from(number: f64) -> Self {
        Number::Real(number)
    }
}

impl Serialize for Number {
    /// A JSON number; a whole number that most readers would round is written as text.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Number::Whole(number) => match i64::try_from(*number) {
                Ok(number) => serializer.serialize_i64(number),
                Err(_) => serializer.collect_str(number),
            },
            Number::Real(number) => serializer.serialize_f64(*number),
        }
    }
}

impl<V: Readable + Copy + Into<Number>> From<&Release<V>> for Figure {
    fn from(release: &Release<V>) -> Self {
        Figure {
            value: (*release.value()).into(),
            interval_95: release.interval(&Confidence::default()),
            text: release.value_text(),
            margin: release.margin_text(),
        }
    }
}

impl Answer {
    /// The answer that is one number.
    pub fn number<V>(name: &str, question: String, release: &Release<V>) -> Self
    where
        V: Readable + Copy + Into<Number>,
    {
        Answer {
            name: name.to_owned(),
            question,
            charge: release.charge().clone(),
            noise: release.law().describe(),
            result: Figures::Figure(release.into()),
            ordered: false,
        }
    }

    /// The answer that is a number for each group; `label` names the groups.
    pub fn groups<K, V>(
        name: &str,
        question: String,
        releases: &GroupedRelease<K, V>,
        label: impl Fn(&K) -> String,
    ) -> Self
    where
        V: Readable + Copy + Into<Number>,
    {
        let group = |(key, release)| Group { group: label(key), figure: Figure::from(release) };
        Answer {
            name: name.to_owned(),
            question,
            charge: releases.charge().clone(),
            noise: releases.iter().next().map_or(String::new(), |(_, r)| r.law().describe()),
            result: Figures::Groups(releases.iter().map(group).collect()),
            ordered: false,
        }
    }

    /// The same answer, with groups whose order means something.
    pub fn ordered(self) -> Self {
        Answer { ordered: true, ..self }
    }
}

fn as_map<S: Serializer>(about: &[(&str, String)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(about.iter().map(|(label, text)| (label, text)))
}
