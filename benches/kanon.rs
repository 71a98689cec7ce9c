//! Full-domain search, local recoding and Mondrian on the Adult census extract, where it is beside
//! this checkout, and a search of more rows like its own, by one thread and by two.
//!
//! `cargo bench -p confidant --features kanon --bench kanon`

use std::hint::black_box;
use std::path::PathBuf;

use confidant::kanon::prelude::*;
use confidant::kanon::search::Search;
use confidant::kanon::table::{Column, Value};
use confidant::kanon::{Dataset, Fraction};
use criterion::{Criterion, criterion_group, criterion_main};

const COLUMNS: [&str; 9] = [
    "sex",
    "age",
    "race",
    "marital-status",
    "education",
    "native-country",
    "workclass",
    "occupation",
    "salary-class",
];

fn folder() -> Option<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/adult");
    folder.exists().then_some(folder)
}

fn roles(sensitive: Option<&str>) -> Option<Roles> {
    let mut roles = Roles::new();
    for column in COLUMNS {
        let path = folder()?.join(format!("adult_hierarchy_{column}.csv"));
        let hierarchy = Hierarchy::from_csv_path(path, b';').ok()?;
        roles = match sensitive == Some(column) {
            true => roles.sensitive_with(column, hierarchy),
            false => roles.quasi(column, hierarchy),
        };
    }
    Some(roles)
}

fn adult(sensitive: Option<&str>) -> Option<Dataset> {
    let table = CsvOptions::new().delimiter(b';').read_path(folder()?.join("adult.csv")).ok()?;
    roles(sensitive)?.bind(&table).ok()
}

fn search(c: &mut Criterion) {
    let (Some(plain), Some(occupation)) = (adult(None), adult(Some("occupation"))) else {
        return;
    };
    let mut group = c.benchmark_group("adult, k = 5, loss");
    group.sample_size(10);
    let k = || Model::KAnonymity { k: std::num::NonZeroU64::MIN.saturating_add(4) };
    for (name, percent) in [("0 %", 0), ("2 %", 2), ("100 %", 100)] {
        let limit = Fraction::new(percent, 100).unwrap_or(Fraction::ZERO);
        let search = Search::over(&plain).require([k()]).suppress_at_most(limit);
        group.bench_function(name, |b| b.iter(|| black_box(search.run(1))));
    }
    if let (Ok(t), Ok(limit)) =
        (Model::t_closeness("occupation", 0.2, Distance::Equal), Fraction::new(2, 100))
    {
        let search = Search::over(&occupation).require([k(), t]).suppress_at_most(limit);
        group.bench_function("2 %, 0.2-closeness", |b| b.iter(|| black_box(search.run(1))));
    }
    group.finish();
}

/// From a table to a verified release.
fn release(c: &mut Criterion) {
    let path = folder().map(|folder| folder.join("adult.csv"));
    let table = path.and_then(|path| CsvOptions::new().delimiter(b';').read_path(path).ok());
    let (Some(table), Some(roles)) = (table, roles(None)) else { return };
    let mut group = c.benchmark_group("adult, release");
    group.sample_size(10);
    let cases = [
        ("full-domain, k = 5, 2 %", Recoding::FullDomain, 5, 0.02),
        ("local recoding, k = 5", Recoding::Local, 5, 0.0),
        ("Mondrian, k = 10", Recoding::Mondrian, 10, 0.0),
    ];
    for (name, recoding, k, limit) in cases {
        let Ok(model) = Model::k_anonymity(k) else { continue };
        let work = Anonymizer::builder(&table)
            .roles(roles.clone())
            .require(model)
            .suppress_at_most(limit)
            .recoding(recoding)
            .seed([1; 32]);
        group.bench_function(name, |b| b.iter(|| black_box(work.run())));
    }
    group.finish();
}

/// Rows like Adult's, of which each takes a fifth of its values from others: many different ones.
fn varied(rows: usize) -> Option<Dataset> {
    let table = CsvOptions::new().delimiter(b';').read_path(folder()?.join("adult.csv")).ok()?;
    let mut state = 1u64;
    let mut below = |bound: usize| {
        state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
        ((u128::from(state) * bound as u128) >> 64) as usize
    };
    let first: Vec<usize> = (0..rows).map(|_| below(table.rows())).collect();
    let column = |column: &Column| {
        let value = |&row: &usize| {
            let row = if below(5) == 0 { below(table.rows()) } else { row };
            column.value(row).cloned().unwrap_or(Value::Missing)
        };
        Column::new(column.name(), first.iter().map(value).collect::<Vec<_>>())
    };
    roles(None)?.bind(&Table::new(table.columns().iter().map(column).collect()).ok()?).ok()
}

/// A table of 300,000 rows, by one thread and by two.
fn threads(c: &mut Criterion) {
    let Some(data) = varied(300_000) else { return };
    let mut group = c.benchmark_group("300,000 rows like adult's, k = 5, 2 %");
    group.sample_size(10);
    let (Ok(model), Ok(limit)) = (Model::k_anonymity(5), Fraction::new(2, 100)) else { return };
    for threads in [1, 2] {
        let search = Search::over(&data)
            .require([model.clone()])
            .suppress_at_most(limit)
            .effort(Effort::new().threads(threads));
        let name = format!("{threads} threads");
        group.bench_function(name, |b| b.iter(|| black_box(search.run(1))));
    }
    group.finish();
}

criterion_group!(benches, search, release, threads);
criterion_main!(benches);
