//! Asks the questions of a configuration about the rows of a CSV file.

mod columns;

use std::path::Path;

use confidant::core::release::Readable;
use confidant::core::sensitive::SensitivityLevel;
use confidant::core::unit::{Adjacency, PrivacyUnit};
use confidant::deid::Analyzer;
use confidant::dp;
use confidant::dp::prelude::*;
use confidant::dp::session::{Grouping, Query, Statistic};
use confidant::kanon::prelude::{CsvOptions, Table};

use crate::book::Book;
use crate::choose::Technique;
use crate::config::{Ask, Bins, Budget, Config, Groups, Question, Range, TableConfig};
use crate::error::Error;
use crate::identify::{self, Known};
use crate::progress;
use crate::report::{Answer, Handling, Number, Owner, Report, TableStudy};
use crate::run::partner;
use crate::table::{self, Format, Layout, Row};

/// The account of a file's questions in the ledger.
const ROOT: &str = "report";

/// What is to be reported on.
pub struct Task<'a> {
    pub input: &'a Path,
    pub config: &'a Config,
    /// The file of the ledger; in memory without one.
    pub ledger: Option<&'a Path>,
    /// Where the table for a partner goes, if the configuration asks for one.
    pub table: Option<&'a Path>,
    /// Whether the report has a part for the owner.
    pub for_the_owner: bool,
}

/// Reads the file, answers all questions of the configuration and makes the table it asks for.
pub fn report(task: &Task<'_>) -> Result<Report, Error> {
    let Task { input, config, .. } = *task;
    if task.table.is_some() && config.table.is_none() {
        return Err(Error::Options("--table needs a section `[table]` in the configuration"));
    }
    let mut layout = Layout::default();
    let plans: Vec<Located<'_>> =
        config.questions.iter().map(|question| Located::new(question, &mut layout)).collect();
    // A rehearsal on no rows: what cannot be priced is found before the file is read.
    let rehearsal = Book::open(None, ROOT, &config.budget, [])?;
    answer_all(&[], config, &plans, &rehearsal)?;
    let book = Book::open(task.ledger, ROOT, &config.budget, [])?;
    book.check_affordable(&Allowance::from(&config.budget).charge())?;
    let rows = table::read(input, &config.data, &layout)?;

    let mut owner = Owner::default();
    if task.for_the_owner || config.table.is_some() {
        let analyzer = Analyzer::new()?;
        let columns = columns::sample(input, &config.data)?;
        let unit = config.data.unit.iter().map(|unit| Known {
            column: unit,
            level: SensitivityLevel::Confidential,
            why: "the configuration says that it tells people apart",
        });
        let known: Vec<Known<'_>> = unit.collect();
        let found = identify::source(&analyzer, &file_name(input), &columns, &known)?;
        if let Some(table) = &config.table {
            table.check(&found.columns)?;
        }
        owner.found.push(found);
    }

    // What cannot be made anonymous is found before the budget is spent.
    let made = config.table.as_ref().map(|table| make_table(task, table, &book)).transpose()?;
    let answers = answer_all(&rows, config, &plans, &book)?;
    if let Some((table, study)) = made {
        if let Some(path) = task.table {
            csv_options(config).write_path(&table, path)?;
        }
        owner.table = Some(study);
    }

    let ledger = book.close()?;
    let limit = Allowance::from(&config.budget);
    let (spent, left) = book.spent_and_left(&ledger, &limit);
    Ok(Report {
        title: config.title.clone(),
        about: about(input, config),
        sources: handlings(input, config)?,
        answers,
        budget: limit,
        spent,
        left,
        ledger,
        for_the_owner: task.for_the_owner.then_some(owner),
    })
}

fn csv_options(config: &Config) -> CsvOptions {
    CsvOptions::new().delimiter(config.data.delimiter)
}

/// Makes the table for a partner.
fn make_table(
    task: &Task<'_>,
    wanted: &TableConfig,
    book: &Book,
) -> Result<(Table, TableStudy), Error> {
    let spinner = progress::busy("Making the table");
    let table = csv_options(task.config).read_path(task.input)?;
    let order = wanted.order(&table)?;
    let mut cx = book.context(None, "a table for a partner")?;
    let (release, study) = partner::release(table, &order, &mut cx)?;
    spinner.finish_and_clear();
    Ok((release.into_table(), study))
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

/// Opens a session over the rows and answers everything in it.
fn answer_all(
    rows: &[Row],
    config: &Config,
    plans: &[Located<'_>],
    book: &Book,
) -> Result<Vec<Answer>, Error> {
    let session = Session::over(rows).context(book.context(None, "the questions of a report")?);
    match (&config.data.unit, config.data.max_rows_per_unit) {
        (Some(_), Some(limit)) => {
            let session = session.unit(|row: &Row| row.unit).max_rows_per_unit(limit).open();
            answer_in(&session?, plans, &config.budget)
        }
        _ => answer_in(&session.open()?, plans, &config.budget),
    }
}

fn answer_in<U: PrivacyUnit>(
    session: &Session<'_, Row, U>,
    plans: &[Located<'_>],
    budget: &Budget,
) -> Result<Vec<Answer>, Error> {
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
    Ok(answers)
}

/// Prices the query at its part of the budget and releases it.
fn release<'a, T, U, A, S, G>(
    query: Query<'_, 'a, T, U, A, S, G>,
    part: &Budget,
) -> dp::Result<G::Output<S::Value>>
where
    T: Sync,
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
            let labels = Some(Bins::labels(bins));
            answer_by(session.count(), plan, part, labels, question).map(Answer::ordered)
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

fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into())
}

/// How the file was handled.
fn handlings(input: &Path, config: &Config) -> Result<Vec<Handling>, Error> {
    let handling = |technique: Technique, reason: &str, guarantee: String| Handling {
        source: file_name(input),
        what: "a CSV file".to_owned(),
        technique: technique.title().to_owned(),
        overridden: false,
        reason: reason.to_owned(),
        guarantee,
        does_not_cover: technique.does_not_cover().to_owned(),
    };
    let whom = if config.data.unit.is_some() { "each unit with all its rows" } else { "each row" };
    let price = Allowance::from(&config.budget);
    let mut all = vec![handling(
        Technique::Numbers,
        "the configuration asks for numbers, not rows: only differential privacy says what all \
         answers together reveal",
        format!("differential privacy, {price} for {whom}"),
    )];
    if let Some(table) = &config.table {
        let reason = "the configuration asks for a table of rows: what a neighbour could know is \
                      coarsened until every row has company";
        all.push(handling(Technique::Table, reason, partner::guarantee(&table.models()?)));
    }
    Ok(all)
}

/// What may be said about the data and the parameters before any question.
fn about(path: &Path, config: &Config) -> Vec<(&'static str, String)> {
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
        ("Data", file_name(path)),
        ("Protects", protects),
        ("Budget", format!("{amount}, divided among {questions} questions by their weights.")),
        ("Known", "keys, edges and bounds come from the configuration, not from the data.".into()),
        ("Noise", format!("{noise}, drawn exactly, from the operating system's randomness.")),
    ]
}

#[cfg(test)]
mod tests;
