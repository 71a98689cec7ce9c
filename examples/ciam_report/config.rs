//! The description of a CSV file and of the questions to ask about it, from TOML or JSON.
//!
//! The file is read in two steps: [`File`] mirrors its text, where any key may be forgotten or
//! too many; [`Config`] and its [`Question`]s are what makes sense.

mod question;
mod table;

use std::fs;
use std::path::Path;

use confidant::dp::prelude::{Allowance, Amount, Epsilon, Rho};
use serde::Deserialize;

pub use question::{Ask, Bins, Groups, Question, Range};
pub use table::TableConfig;

use crate::error::{ConfigProblem, Error, QuestionProblem};

/// What to read and what to ask.
#[derive(Debug)]
pub struct Config {
    /// The headline of the report.
    pub title: String,
    /// How the file is to be read.
    pub data: DataConfig,
    /// What all questions may cost together.
    pub budget: Budget,
    /// The questions, at least one.
    pub questions: Vec<Question>,
    /// The table to hand out, if one is wanted.
    pub table: Option<TableConfig>,
}

/// How the file is to be read.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataConfig {
    /// The character between two fields.
    #[serde(default = "comma", deserialize_with = "delimiter")]
    pub delimiter: u8,
    /// The column that says whose row it is; without it each row is somebody else's.
    pub unit: Option<String>,
    /// How many rows of a unit count at most.
    pub max_rows_per_unit: Option<u32>,
    /// Texts that mean "no value": such a row is left out where its number is asked for.
    #[serde(default)]
    pub missing: Vec<String>,
}

impl Default for DataConfig {
    fn default() -> Self {
        DataConfig { delimiter: comma(), unit: None, max_rows_per_unit: None, missing: Vec::new() }
    }
}

/// What all questions may cost together.
#[derive(Clone, Debug, PartialEq)]
pub enum Budget {
    /// Pure differential privacy, discrete Laplace noise.
    Pure(Epsilon),
    /// Zero-concentrated differential privacy, discrete Gaussian noise.
    Zcdp(Rho),
}

impl Budget {
    /// The parts that divide the budget by `weights`: exact fractions, so that they spend all
    /// of it and not a hair more.
    ///
    /// `None` if a weight is 0.
    pub fn split(&self, weights: &[&Amount]) -> Option<Vec<Budget>> {
        let sum: Amount = weights.iter().map(|weight| (*weight).clone()).sum();
        let part = |weight: &&Amount| {
            let share = weight.checked_div(&sum)?;
            Some(match self {
                Budget::Pure(epsilon) => {
                    Budget::Pure(Epsilon::from_amount(epsilon.amount() * &share).ok()?)
                }
                Budget::Zcdp(rho) => Budget::Zcdp(Rho::from_amount(rho.amount() * &share).ok()?),
            })
        };
        weights.iter().map(part).collect()
    }
}

impl From<&Budget> for Allowance {
    fn from(budget: &Budget) -> Self {
        match budget {
            Budget::Pure(epsilon) => epsilon.clone().into(),
            Budget::Zcdp(rho) => rho.clone().into(),
        }
    }
}

/// The text of the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    title: Option<String>,
    #[serde(default)]
    data: DataConfig,
    budget: BudgetText,
    #[serde(default)]
    query: Vec<question::QuestionText>,
    table: Option<TableConfig>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BudgetText {
    epsilon: Option<Epsilon>,
    rho: Option<Rho>,
}

fn comma() -> u8 {
    b','
}

fn delimiter<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u8, D::Error> {
    let text = String::deserialize(deserializer)?;
    match text.as_bytes() {
        [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r') => Ok(*byte),
        _ => Err(serde::de::Error::custom(ConfigProblem::Delimiter)),
    }
}

impl Config {
    /// Reads and checks a configuration.
    pub fn read(path: &Path) -> Result<Config, Error> {
        let problem = |problem| Error::Config { path: path.to_owned(), problem };
        let syntax = |line, message| Error::Syntax {
            path: path.to_owned(),
            line,
            message: one_line(message),
        };
        let parse: fn(&str) -> Result<File, (usize, String)> =
            match path.extension().and_then(|extension| extension.to_str()) {
                Some("toml") => from_toml,
                Some("json") => from_json,
                _ => return Err(problem(ConfigProblem::Extension)),
            };
        let text = fs::read_to_string(path)
            .map_err(|source| Error::Read { path: path.to_owned(), source })?;
        let file = parse(&text).map_err(|(line, message)| syntax(line, message))?;
        Config::checked(file).map_err(problem)
    }

    fn checked(file: File) -> Result<Config, ConfigProblem> {
        let data = file.data;
        if data.unit.is_some() != data.max_rows_per_unit.is_some() {
            return Err(ConfigProblem::UnitWithoutLimit);
        }
        if data.max_rows_per_unit == Some(0) {
            return Err(ConfigProblem::NoRows);
        }
        let budget = match file.budget {
            BudgetText { epsilon: Some(epsilon), rho: None } => Budget::Pure(epsilon),
            BudgetText { epsilon: None, rho: Some(rho) } => Budget::Zcdp(rho),
            _ => return Err(ConfigProblem::Budget),
        };
        if file.table.as_ref().is_some_and(|table| table.k < 2) {
            return Err(ConfigProblem::SmallK);
        }
        if file.query.is_empty() {
            return Err(ConfigProblem::NoQuestions);
        }
        let mut questions = Vec::with_capacity(file.query.len());
        for (text, position) in file.query.into_iter().zip(1..) {
            let name = text.name.clone();
            let problem = |problem| ConfigProblem::Question { position, name, problem };
            let question = Question::try_from(text).map_err(problem)?;
            if matches!(question.ask, Ask::Units) && data.unit.is_none() {
                let name = question.name;
                let problem = QuestionProblem::NoUnit;
                return Err(ConfigProblem::Question { position, name, problem });
            }
            questions.push(question);
        }
        let title = file.title.unwrap_or_else(|| "A private report".to_owned());
        Ok(Config { title, data, budget, questions, table: file.table })
    }
}

/// The file, or the line and the message of what is wrong.
fn from_toml(text: &str) -> Result<File, (usize, String)> {
    toml::from_str(text).map_err(|error| {
        let offset = error.span().map_or(0, |span| span.start);
        let before = text.get(..offset).unwrap_or(text);
        (before.matches('\n').count() + 1, error.message().to_owned())
    })
}

fn from_json(text: &str) -> Result<File, (usize, String)> {
    serde_json::from_str(text).map_err(|error| {
        let message = error.to_string();
        let message = message.rsplit_once(" at line ").map_or(&*message, |(text, _)| text);
        (error.line(), message.to_owned())
    })
}

fn one_line(message: String) -> String {
    message.lines().map(str::trim).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests;
