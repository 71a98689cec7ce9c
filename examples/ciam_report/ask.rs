//! Asks the questions of a configuration about the rows of a CSV file.

use std::path::Path;

use confidant::core::release::Readable;
use confidant::core::unit::{Adjacency, PrivacyUnit};
use confidant::dp;
use confidant::dp::prelude::*;
use confidant::dp::session::{Grouping, Query, Statistic};

use crate::config::{Ask, Bins, Budget, Config, Groups, Question, Range};
use crate::error::Error;
use crate::progress;
use crate::report::{Answer, Number, Report};
use crate::table::{self, Format, Layout, Row};

/// Reads the file and answers all questions of the configuration.
pub fn report(path: &Path, config: &Config) -> Result<Report, Error> {
    let mut layout = Layout::default();
    let plans: Vec<Located<'_>> =
        config.questions.iter().map(|question| Located::new(question, &mut layout)).collect();
    // A rehearsal on no rows: what cannot be priced is found before the file is read.
    answer_all(&[], config, &plans)?;
    let rows = table::read(path, &config.data, &layout)?;
    let (answers, ledger) = answer_all(&rows, config, &plans)?;
    Ok(Report {
        title: config.title.clone(),
        about: about(path, config),
        answers,
        budget: ledger.limit,
        spent: ledger.spent,
        left: ledger.left,
    })
}

/// A question and where its column and its groups stand in each row.
struct Located<'a> {
    question: &'a Question,
    value: usize,
    group: usize,
}

impl<'a> Located<'a> {
    fn new(question: &'a Question, layout: &mut Layout) -> Self {
        let group_at = |by: &Option<Groups>, layout: &mut Layout| {
            by.as_ref().map_or(0, |groups| layout.add(&groups.column, Format::key(groups)))
        };
        let (value, group) = match &question.ask {
            Ask::Units => (0, 0),
            Ask::Count { by } => (0, group_at(by, layout)),
            Ask::Histogram { column, bins } => (0, layout.add(column, Format::Bin(bins.clone()))),
            Ask::Sum { column, range, by } | Ask::Mean { column, range, by } => {
                (layout.add(column, Format::number(range)), group_at(by, layout))
            }
        };
        Located { question, value, group }
    }
}

struct Ledger {
    limit: Allowance,
    spent: Allowance,
    left: Allowance,
}

/// Opens a session over the rows and answers everything in it.
fn answer_all(
    rows: &[Row],
    config: &Config,
    plans: &[Located<'_>],
) -> Result<(Vec<Answer>, Ledger), Error> {
    let budget = &config.budget;
    let session = Session::over(rows).budget(budget);
    match (&config.data.unit, config.data.max_rows_per_unit) {
        (Some(_), Some(limit)) => {
            let session = session.unit(|row: &Row| row.unit).max_rows_per_unit(limit).open();
            answer_in(&session.map_err(Error::Session)?, plans, budget)
        }
        _ => answer_in(&session.open().map_err(Error::Session)?, plans, budget),
    }
}

fn answer_in<U: PrivacyUnit>(
    session: &Session<'_, Row, U>,
    plans: &[Located<'_>],
    budget: &Budget,
) -> Result<(Vec<Answer>, Ledger), Error> {
    let weights: Vec<&Amount> = plans.iter().map(|plan| &plan.question.weight).collect();
    // Weights are above 0, so there is a part for each question.
    let parts = budget.split(&weights).unwrap_or_default();
    let bar = progress::steps(plans.len() as u64, "Answering");
    let mut answers = Vec::with_capacity(plans.len());
    for (plan, part) in plans.iter().zip(&parts) {
        let answer = answer(session, plan, part)
            .map_err(|source| Error::Question { question: plan.question.name.clone(), source })?;
        answers.push(answer);
        bar.inc(1);
    }
    bar.finish_and_clear();
    let (limit, spent, left) = (session.limit(), session.spent(), session.remaining());
    Ok((answers, Ledger { limit, spent, left }))
}

/// Prices the query at its part of the budget and releases it.
fn release<'a, T, U, A, S, G>(
    query: Query<'_, 'a, T, U, A, S, G>,
    part: &Budget,
) -> dp::Result<G::Output<S::Value>>
where
    U: PrivacyUnit,
    A: Adjacency,
    S: Statistic<'a, T>,
    G: Grouping<'a, T>,
{
    match part {
        Budget::Pure(epsilon) => query.epsilon(epsilon.clone())?.release(),
        Budget::Zcdp(rho) => query.rho(rho.clone())?.release(),
    }
}

/// Releases `query` whole or by groups, and makes the answer of it.
fn answer_by<'a, U, A, S>(
    query: Query<'_, 'a, Row, U, A, S, dp::session::Whole>,
    plan: &Located<'_>,
    part: &Budget,
    labels: Option<Vec<String>>,
    question: String,
) -> dp::Result<Answer>
where
    U: PrivacyUnit,
    A: Adjacency,
    S: Statistic<'a, Row>,
    S::Value: Readable + Copy + Into<Number>,
{
    let name = &plan.question.name;
    let query = query.named(name.clone());
    let Some(labels) = labels else {
        return Ok(Answer::number(name, question, &release(query, part)?));
    };
    let position = plan.group;
    let groups: Vec<u32> = (0..).take(labels.len()).collect();
    let query = query.by(move |row: &Row| row.cell(position).group(), &groups);
    let label = |group: &u32| labels.get(*group as usize).cloned().unwrap_or_default();
    Ok(Answer::groups(name, question, &release(query, part)?, label))
}

fn answer<U: PrivacyUnit>(
    session: &Session<'_, Row, U>,
    plan: &Located<'_>,
    part: &Budget,
) -> dp::Result<Answer> {
    let value = plan.value;
    let whole = move |row: &Row| row.cell(value).whole();
    let real = move |row: &Row| row.cell(value).real();
    let keys = |by: &Option<Groups>| by.as_ref().map(|groups| groups.keys.clone());
    let by_text = |by: &Option<Groups>| {
        by.as_ref().map_or(String::new(), |groups| format!(" by {}", groups.column))
    };
    match &plan.question.ask {
        Ask::Units => {
            let question = "number of units".to_owned();
            answer_by(session.count_units(), plan, part, None, question)
        }
        Ask::Count { by } => {
            let question = format!("number of rows{}", by_text(by));
            answer_by(session.count(), plan, part, keys(by), question)
        }
        Ask::Histogram { column, bins } => {
            let question = format!("histogram of {column}");
            answer_by(session.count(), plan, part, Some(Bins::labels(bins)), question)
        }
        Ask::Sum { column, range, by } => {
            let question = format!("sum of {column} in {range}{}", by_text(by));
            match *range {
                Range::Whole(lower, upper) => {
                    let query = session.sum(move |row| whole(row).unwrap_or(0));
                    let query = query.filter(move |row| whole(row).is_some());
                    answer_by(query.bounds(lower..=upper)?, plan, part, keys(by), question)
                }
                Range::Real(lower, upper) => {
                    let query = session.sum(move |row| real(row).unwrap_or(f64::NAN));
                    answer_by(query.bounds(lower..=upper)?, plan, part, keys(by), question)
                }
            }
        }
        Ask::Mean { column, range, by } => {
            let question = format!("mean of {column} in {range}{}", by_text(by));
            match *range {
                Range::Whole(lower, upper) => {
                    let query = session.mean(move |row| whole(row).unwrap_or(0));
                    let query = query.filter(move |row| whole(row).is_some());
                    answer_by(query.bounds(lower..=upper)?, plan, part, keys(by), question)
                }
                Range::Real(lower, upper) => {
                    let query = session.mean(move |row| real(row).unwrap_or(f64::NAN));
                    answer_by(query.bounds(lower..=upper)?, plan, part, keys(by), question)
                }
            }
        }
    }
}

/// What may be said about the data and the parameters before any question.
fn about(path: &Path, config: &Config) -> Vec<(&'static str, String)> {
    let file = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into());
    let protects = match (&config.data.unit, config.data.max_rows_per_unit) {
        (Some(unit), Some(limit)) => format!(
            "whoever shares a `{unit}`: all their rows at once. At most {limit} rows of each \
             count, chosen at random; the others are left out."
        ),
        _ => "one person, who has one row. (If people can have several rows, name the column \
              that tells them apart as `unit`.)"
            .to_owned(),
    };
    let questions = config.questions.len();
    let (amount, noise) = match &config.budget {
        Budget::Pure(epsilon) => (format!("ε = {epsilon}"), "discrete Laplace"),
        Budget::Zcdp(rho) => (format!("ρ = {rho}"), "discrete Gaussian"),
    };
    vec![
        ("Data", file),
        ("Protects", protects),
        ("Budget", format!("{amount}, divided among {questions} questions by their weights.")),
        ("Known", "keys, edges and bounds come from the configuration, not from the data.".into()),
        ("Noise", format!("{noise}, drawn exactly, from the operating system's randomness.")),
    ]
}

#[cfg(test)]
mod tests;
