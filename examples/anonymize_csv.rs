//! Anonymizes any CSV file by a small configuration.
//!
//! ```text
//! cargo run --release --features kanon --example anonymize_csv -- \
//!     --input people.csv --config people.toml --output safe.csv --report report.html
//! ```
//!
//! With the feature `parquet` an output that ends in `.parquet` is written in that format. Without
//! arguments it releases a small table of its own.

#![allow(clippy::print_stdout, reason = "a program that prints its result")]

use std::path::PathBuf;

use clap::Parser;
use confidant::kanon::prelude::*;
use confidant::kanon::report;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Deserialize;

#[derive(Parser)]
struct Arguments {
    /// The table, with a header line.
    #[arg(long)]
    input: Option<PathBuf>,
    /// Roles, hierarchies and requirements.
    #[arg(long)]
    config: Option<PathBuf>,
    /// Where the released table goes: CSV, or Parquet by its ending.
    #[arg(long)]
    output: Option<PathBuf>,
    /// Where the report goes; it is for the holder of the table.
    #[arg(long)]
    report: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    #[serde(default = "comma")]
    delimiter: char,
    k: u64,
    #[serde(default)]
    suppression: f64,
    #[serde(default)]
    local: bool,
    columns: Vec<ColumnConfig>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ColumnConfig {
    name: String,
    role: Role,
    /// A hierarchy file; without one, a hierarchy is suggested from the data.
    hierarchy: Option<PathBuf>,
    /// At least this many different values in each class, for sensitive columns.
    distinct: Option<u64>,
    /// t-closeness with the equal distance, for sensitive columns.
    closeness: Option<f64>,
}

fn comma() -> char {
    ','
}

const TABLE: &str = include_str!("anonymize_csv/people.csv");
const CONFIG: &str = include_str!("anonymize_csv/people.toml");

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::parse();
    let config = match &arguments.config {
        Some(path) => std::fs::read_to_string(path)?,
        None => CONFIG.to_owned(),
    };
    let config: Config = toml::from_str(&config)?;
    let options = CsvOptions::new().delimiter(u8::try_from(config.delimiter)?);
    let table = match &arguments.input {
        Some(path) => options.read_path(path)?,
        None => options.read(TABLE.as_bytes())?,
    };

    let folder = arguments.config.as_deref().and_then(|path| path.parent());
    let mut work = Anonymizer::builder(&table)
        .require(Model::k_anonymity(config.k)?)
        .suppress_at_most(config.suppression)
        .recoding(if config.local { Recoding::Local } else { Recoding::FullDomain });
    for column in &config.columns {
        let name = column.name.as_str();
        work = match column.role {
            Role::Identifying => work.identifying(name),
            Role::Insensitive => work.insensitive(name),
            Role::Sensitive => work.sensitive(name),
            _ => match &column.hierarchy {
                Some(path) => {
                    let path = folder.map_or_else(|| path.clone(), |folder| folder.join(path));
                    work.quasi(name, Hierarchy::from_csv_path(path, config.delimiter as u8)?)
                }
                None => work.quasi(name, Hierarchy::suggest(table.column(name)?)),
            },
        };
        if let Some(l) = column.distinct {
            work = work.require(Model::distinct_diversity(name, l)?);
        }
        if let Some(t) = column.closeness {
            work = work.require(Model::t_closeness(name, t, Distance::Equal)?);
        }
    }

    let bar = ProgressBar::new(100).with_style(ProgressStyle::with_template("{bar:40} {msg}")?);
    let shown = bar.clone();
    work = work.effort(Effort::new().progress(move |progress| {
        shown.set_position((100.0 * progress.done) as u64);
        shown.set_message(format!("{} nodes checked", progress.checked));
    }));
    let release = work.run()?;
    bar.finish_and_clear();

    let mut explanation = None;
    if !config.local {
        let solution = work.plan()?;
        let found = work.explain(&solution)?;
        println!("{found}");
        explanation = Some(found);
    }
    let certificate = release.certificate();
    println!(
        "released {} rows in {} classes of at least {}; {} suppressed; verified: {}",
        certificate.rows,
        certificate.classes,
        certificate.smallest_class,
        certificate.suppressed,
        certificate.verified
    );
    match &arguments.output {
        #[cfg(feature = "parquet")]
        Some(path) if path.extension().is_some_and(|end| end == "parquet") => {
            release.table().write_parquet(path)?;
        }
        Some(path) => options.write_path(release.table(), path)?,
        None => options.write(release.table(), std::io::stdout())?,
    }
    if let Some(path) = &arguments.report {
        std::fs::write(path, report::html(&work.dataset()?, &release, explanation.as_ref())?)?;
    }
    Ok(())
}
