//! What the template shows: the report with numbers as text and charts as SVG.

use minijinja::Value;
use minijinja::value::Value as Safe;
use serde::Serialize;

use super::chart::{self, Bar};
use super::number;
use crate::error::Error;
use crate::report::{
    Answer, Balance, Checkpoint, Figure, Figures, Found, Group, Handling, Owner, Report, Step,
    TableStudy, TextStudy,
};

/// The page's content.
#[derive(Serialize)]
pub(super) struct View<'a> {
    title: &'a str,
    style: Safe,
    about: Vec<[&'a str; 2]>,
    tiles: Vec<Tile>,
    sources: &'a [Handling],
    totals: Vec<Row>,
    breakdowns: Vec<Breakdown>,
    made: Vec<Made<'a>>,
    budget: Budget,
    checkpoint: &'a Checkpoint,
    owner: Option<OwnerView>,
}

/// A number that a reader should see first.
#[derive(Serialize)]
struct Tile {
    value: String,
    label: &'static str,
}

/// An answer by groups.
#[derive(Serialize)]
struct Breakdown {
    name: String,
    question: String,
    cost: String,
    rows: Vec<Row>,
    chart: Safe,
}

/// A number with its error.
#[derive(Serialize)]
struct Row {
    name: String,
    value: String,
    margin: String,
    interval: String,
    relative: String,
    cost: String,
}

/// How an answer was made.
#[derive(Serialize)]
struct Made<'a> {
    name: &'a str,
    question: &'a str,
    noise: &'a str,
    cost: String,
}

#[derive(Serialize)]
struct Budget {
    chart: Safe,
    accounts: Vec<Account>,
    steps: Vec<StepRow>,
}

#[derive(Serialize)]
struct Account {
    name: String,
    limit: String,
    spent: String,
    left: String,
    /// The share that is spent, in percent, for a bar.
    share: String,
}

#[derive(Serialize)]
struct StepRow {
    at: String,
    what: String,
    purpose: String,
    outcome: String,
    cost: String,
    spent: String,
    left: String,
}

/// The owner's part.
#[derive(Serialize)]
struct OwnerView {
    found: Vec<FoundView>,
    table: Option<TableView>,
    texts: Option<TextView>,
}

#[derive(Serialize)]
struct FoundView {
    source: String,
    level: String,
    columns: Vec<FoundRow>,
}

#[derive(Serialize)]
struct FoundRow {
    column: String,
    holds: String,
    share: String,
    level: String,
    why: String,
}

#[derive(Serialize)]
struct TableView {
    models: Vec<String>,
    facts: Vec<[String; 2]>,
    /// Label, before, after.
    risks: Vec<[String; 3]>,
    sizes: Vec<[String; 3]>,
    sizes_chart: Safe,
    /// Column, values before and after, information left.
    detail: Vec<[String; 4]>,
    detail_chart: Safe,
    verified: bool,
    optimal: bool,
    data_dependent: bool,
}

#[derive(Serialize)]
struct TextView {
    texts: String,
    replaced: Vec<[String; 2]>,
    replaced_chart: Safe,
    planted: String,
    gone: String,
    share: String,
    between: String,
    samples: Vec<String>,
}

fn svg(text: String) -> Safe {
    Value::from_safe_string(text)
}

impl<'a> View<'a> {
    /// The view of a report.
    pub(super) fn of(report: &'a Report) -> Result<Self, Error> {
        let style = format!("{}{}", include_str!("style.css"), chart::colours());
        Ok(View {
            title: &report.title,
            style: svg(style),
            about: report.about.iter().map(|(label, text)| [*label, text.as_str()]).collect(),
            tiles: tiles(report),
            sources: &report.sources,
            totals: totals(&report.answers),
            breakdowns: breakdowns(&report.answers)?,
            made: report.answers.iter().map(made).collect(),
            budget: budget(report)?,
            checkpoint: &report.ledger.checkpoint,
            owner: report.for_the_owner.as_ref().map(owner).transpose()?,
        })
    }
}

fn tiles(report: &Report) -> Vec<Tile> {
    let tile = |value, label| Tile { value, label };
    vec![
        tile(number::spent(&report.spent), "spent"),
        tile(number::left(&report.left), "left"),
        tile(report.answers.len().to_string(), "questions answered"),
        tile(number::count(report.ledger.checkpoint.entries), "log entries, verified"),
    ]
}

fn made(answer: &Answer) -> Made<'_> {
    Made {
        name: &answer.name,
        question: &answer.question,
        noise: &answer.noise,
        cost: number::price(&answer.charge),
    }
}

fn row(name: &str, figure: &Figure, cost: String) -> Row {
    let (value, margin) = (figure.value.to_f64(), figure.interval_95.margin());
    let relative =
        if value.abs() > margin { number::percent(margin / value.abs()) } else { "–".into() };
    Row {
        name: name.to_owned(),
        value: figure.text.clone(),
        margin: figure.margin.clone(),
        interval: number::interval(&figure.interval_95, &figure.text),
        relative,
        cost,
    }
}

fn bar(name: &str, figure: &Figure) -> Bar {
    Bar {
        label: name.to_owned(),
        text: format!("{} ± {}", figure.text, figure.margin),
        value: figure.value.to_f64(),
        lower: figure.interval_95.lower,
        upper: figure.interval_95.upper,
    }
}

fn totals(answers: &[Answer]) -> Vec<Row> {
    let total = |answer: &Answer| match &answer.result {
        Figures::Figure(figure) => Some(row(&answer.name, figure, number::price(&answer.charge))),
        Figures::Groups(_) => None,
    };
    answers.iter().filter_map(total).collect()
}

fn breakdowns(answers: &[Answer]) -> Result<Vec<Breakdown>, Error> {
    let mut all = Vec::new();
    for (position, answer) in answers.iter().enumerate() {
        let Figures::Groups(groups) = &answer.result else { continue };
        let cost = number::price(&answer.charge);
        let bars: Vec<Bar> =
            groups.iter().map(|Group { group, figure }| bar(group, figure)).collect();
        let id = format!("answer-{position}");
        let draw = if answer.ordered { chart::columns } else { chart::bars };
        let chart = draw(&id, &answer.name, "with 95 % intervals", &bars)?;
        all.push(Breakdown {
            name: answer.name.clone(),
            question: answer.question.clone(),
            cost: cost.clone(),
            rows: groups
                .iter()
                .map(|Group { group, figure }| row(group, figure, String::new()))
                .collect(),
            chart: svg(chart),
        });
    }
    Ok(all)
}

fn budget(report: &Report) -> Result<Budget, Error> {
    let steps = &report.ledger.steps;
    let spent: Vec<f64> = steps.iter().map(|step| number::height(&step.spent)).collect();
    let limit = number::height(&report.budget);
    let measure = if report.budget.to_string().starts_with('ρ') { "ρ" } else { "ε" };
    let chart = chart::steps("budget", "Budget spent, step by step", measure, &spent, limit)?;
    let account = |balance: &Balance| {
        let (spent, limit) = (number::height(&balance.spent), number::height(&balance.limit));
        Account {
            name: balance.account.clone(),
            limit: number::left(&balance.limit),
            spent: number::spent(&balance.spent),
            left: number::left(&balance.left),
            share: format!("{:.1}", (100.0 * spent / limit.max(f64::MIN_POSITIVE)).min(100.0)),
        }
    };
    let step = |step: &Step| StepRow {
        at: step.at.get(..19).unwrap_or(&step.at).replace('T', " "),
        what: step.what.clone(),
        purpose: step.purpose.clone(),
        outcome: step.outcome.clone(),
        cost: step.charge.as_ref().map_or_else(|| "free".to_owned(), number::price),
        spent: number::spent(&step.spent),
        left: number::left(&step.left),
    };
    Ok(Budget {
        chart: svg(chart),
        accounts: report.ledger.accounts.iter().map(account).collect(),
        steps: steps.iter().map(step).collect(),
    })
}

fn owner(owner: &Owner) -> Result<OwnerView, Error> {
    Ok(OwnerView {
        found: owner.found.iter().map(found).collect(),
        table: owner.table.as_ref().map(table).transpose()?,
        texts: owner.texts.as_ref().map(texts).transpose()?,
    })
}

fn found(found: &Found) -> FoundView {
    let columns = found.columns.iter().map(|column| FoundRow {
        column: column.column.clone(),
        holds: column.holds.clone().unwrap_or_else(|| "–".to_owned()),
        share: match (column.share, column.share_95) {
            (Some(share), Some([low, high])) => format!(
                "{} ({} to {})",
                number::percent(share),
                number::percent(low),
                number::percent(high)
            ),
            _ => "–".to_owned(),
        },
        level: column.level.to_string(),
        why: column.why.clone(),
    });
    FoundView {
        source: found.source.clone(),
        level: found.level.to_string(),
        columns: columns.collect(),
    }
}

fn table(study: &TableStudy) -> Result<TableView, Error> {
    let percent = number::percent;
    let (before, after) = (&study.before, &study.after);
    let risk = |label: &str, before, after| [label.to_owned(), percent(before), percent(after)];
    let fact = |label: &str, value: u64| [label.to_owned(), number::count(value)];
    let sizes: Vec<(String, f64, f64)> = (study.sizes.iter())
        .map(|band| (band.class_size.clone(), 100.0 * band.before, 100.0 * band.after))
        .collect();
    let detail: Vec<Bar> = (study.detail.iter())
        .map(|column| Bar::plain(&column.column, 100.0 * column.left, percent(column.left)))
        .collect();
    let values = |values: usize| number::count(values as u64);
    let detail_rows = study.detail.iter().map(|c| {
        [c.column.clone(), values(c.values_before), values(c.values_after), percent(c.left)]
    });
    let (sizes_title, detail_title) =
        ("Rows by the size of their crowd", "Information left of each column");
    Ok(TableView {
        models: study.models.clone(),
        facts: vec![
            fact("rows handed out", study.rows),
            fact("rows left out", study.left_out),
            fact("crowds", study.classes),
            fact("rows in the smallest crowd", study.smallest_class),
        ],
        risks: vec![
            risk("of the row most at risk", before.highest, after.highest),
            risk("on average", before.average, after.average),
            risk("rows at a risk above one in five", before.above_a_fifth, after.above_a_fifth),
            risk("rows that look like no other", before.unique, after.unique),
        ],
        sizes: study
            .sizes
            .iter()
            .map(|band| [band.class_size.clone(), percent(band.before), percent(band.after)])
            .collect(),
        sizes_chart: svg(chart::pairs("sizes", sizes_title, ["before", "after"], &sizes)?),
        detail: detail_rows.collect(),
        detail_chart: svg(chart::bars("detail", detail_title, "in percent", &detail)?),
        verified: study.verified,
        optimal: study.optimal,
        data_dependent: study.data_dependent,
    })
}

fn texts(study: &TextStudy) -> Result<TextView, Error> {
    let replaced: Vec<Bar> = (study.replaced.iter())
        .map(|(entity, times)| Bar::plain(entity, *times as f64, number::count(*times as u64)))
        .collect();
    let share = study.gone as f64 / study.planted.max(1) as f64;
    let [low, high] = study.gone_95;
    let rows = study.replaced.iter();
    Ok(TextView {
        texts: number::count(study.texts as u64),
        replaced: rows.map(|(e, times)| [e.clone(), number::count(*times as u64)]).collect(),
        replaced_chart: svg(chart::bars("replaced", "What was replaced", "findings", &replaced)?),
        planted: number::count(study.planted as u64),
        gone: number::count(study.gone as u64),
        share: number::percent(share),
        between: format!("{} to {}", number::percent(low), number::percent(high)),
        samples: study.samples.clone(),
    })
}
