//! Full-domain search, local recoding and Mondrian on the Adult census extract, where it is beside
//! this checkout, and on as many rows scaled up.
//!
//! `cargo bench -p confidant --features kanon --bench kanon`

use std::hint::black_box;
use std::path::PathBuf;

use confidant::kanon::prelude::*;
use confidant::kanon::search::Search;
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

fn adult(sensitive: Option<&str>, times: u32) -> Option<Dataset> {
    let table = CsvOptions::new().delimiter(b';').read_path(folder()?.join("adult.csv")).ok()?;
    let n = table.rows() as u32;
    let rows: Vec<u32> = (0..times).flat_map(|_| 0..n).collect();
    roles(sensitive)?.bind(&table.take(&rows).ok()?).ok()
}

fn search(c: &mut Criterion) {
    let (Some(plain), Some(occupation)) = (adult(None, 1), adult(Some("occupation"), 1)) else {
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

/// A table of 300,000 rows, by one thread and by two.
fn threads(c: &mut Criterion) {
    let Some(data) = adult(None, 10) else { return };
    let mut group = c.benchmark_group("adult ten times, k = 5, 2 %");
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
