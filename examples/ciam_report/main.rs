//! A private report: about a made-up identity product, or about any CSV file.
//!
//! ```text
//! cargo run --release --example ciam_report
//! cargo run --release --example ciam_report -- --input people.csv --config people.toml
//! ```
//!
//! Without arguments it makes a week of an identity product: 200,000 login attempts of 20,000 users,
//! their profiles, notes of the support desk, and session minutes of five tenants. It finds out what
//! these sources hold, chooses a technique for each (`--technique SOURCE=TECHNIQUE` chooses otherwise)
//! and runs them under one ledger. With `--input` and `--config` it answers the questions that the
//! configuration lists; `adult.toml` beside this file is a commented example.
//!
//! The report goes to standard output, to a page (`--html`) and, for machines, to a JSON file
//! (`--json`). All three have a part for the owner of the data, which `--public` leaves out. The
//! anonymous table and the redacted notes themselves go to `--table` and `--notes`.
//!
//! Progress and errors go to standard error. Errors about the data (a short row, a bad number) name the
//! line and the column, never the value. They are found while reading, before anything is released, and
//! are for the owner of the data only: that a file has a bad line 17 is not protected by differential
//! privacy.
//!
//! The way through the modules: [`made_up`] or [`table`] (data) → [`identify`] → [`choose`] → [`run`] or
//! [`ask`], with [`book`] as the ledger → [`report`] → [`text`], [`json`], [`html`].

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program talks to its user")]
#![allow(unreachable_pub, reason = "a program has no outside; `pub` means seen by other modules")]

mod ask;
mod book;
mod choose;
mod config;
mod error;
mod file;
mod html;
mod identify;
mod json;
mod made_up;
mod product;
mod progress;
mod report;
mod run;
mod table;
mod text;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use confidant::dp::prelude::Epsilon;

use choose::{Choices, DEFAULT_K, Override};
use config::Config;
use error::Error;
use made_up::generate::Shape;

/// A private report about a made-up identity product, or about any CSV file.
#[derive(Parser)]
#[command(name = "ciam_report")]
struct Options {
    /// Report about this CSV file instead of a made-up product
    #[arg(long, value_name = "FILE.csv", requires = "config")]
    input: Option<PathBuf>,

    /// How to read the file and what to ask, as TOML or JSON
    #[arg(long, value_name = "FILE.toml", requires = "input")]
    config: Option<PathBuf>,

    /// Where to write the report as JSON
    #[arg(long, value_name = "FILE", default_value = json::DEFAULT)]
    json: PathBuf,

    /// Where to write the report as a page
    #[arg(long, value_name = "FILE", default_value = html::DEFAULT)]
    html: PathBuf,

    /// Where to write the anonymous table
    #[arg(long, value_name = "FILE.csv")]
    table: Option<PathBuf>,

    /// Where to write the redacted notes
    #[arg(long, value_name = "FILE.csv", conflicts_with = "input")]
    notes: Option<PathBuf>,

    /// Leave out what only the owner of the data may see
    #[arg(long)]
    public: bool,

    /// Keep budget and audit log in this file, from report to report; otherwise in memory
    #[arg(long, value_name = "FILE")]
    ledger: Option<PathBuf>,

    /// Handle a source otherwise: of logins, profiles, notes and minutes, as numbers, table, redact,
    /// encrypted-sum or drop
    #[arg(long, value_name = "SOURCE=TECHNIQUE", conflicts_with = "input")]
    technique: Vec<Override>,

    /// How many users must look alike in the table of profiles
    #[arg(long, default_value_t = DEFAULT_K, conflicts_with = "input")]
    k: u64,

    /// The budget for the made-up product
    #[arg(long, default_value = "1", conflicts_with = "input")]
    epsilon: Epsilon,

    /// How many users to make up
    #[arg(long, default_value_t = Shape::default().users, conflicts_with = "input")]
    users: u32,

    /// How many login attempts to make up
    #[arg(long, default_value_t = Shape::default().events, conflicts_with = "input")]
    events: u32,

    /// The seed of the made-up logins; the noise of the report has none
    #[arg(long, default_value_t = Shape::default().seed, conflicts_with = "input")]
    seed: u64,
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), Error> {
    let choices = Choices::new(&options.technique, options.k)?;
    for (path, default) in [(&options.json, json::DEFAULT), (&options.html, html::DEFAULT)] {
        file::check(path, default)?;
    }
    for path in [&options.table, &options.notes].into_iter().flatten() {
        file::check(path, "")?;
    }
    let (ledger, for_the_owner) = (options.ledger.as_deref(), !options.public);
    let (table, notes) = (options.table.as_deref(), options.notes.as_deref());
    let report = match (&options.input, &options.config) {
        (Some(input), Some(config)) => {
            let config = &Config::read(config)?;
            ask::report(&ask::Task { input, config, ledger, table, for_the_owner })?
        }
        _ => {
            let shape = Shape { users: options.users, events: options.events, seed: options.seed };
            let (budget, choices) = (&options.epsilon, &choices);
            let task = product::Task::new(shape, budget, choices);
            product::report(&product::Task { ledger, table, notes, for_the_owner, ..task })?
        }
    };
    file::write(&options.json, &json::render(&report)?)?;
    file::write(&options.html, &html::render(&report)?)?;
    let text = text::render(&report);
    let (page, json) = (options.html.display(), options.json.display());
    let text = format!("{text}\nThe same as a page: {page}\nand for machines:   {json}\n");
    print(&text).map_err(|source| Error::Write { path: "standard output".into(), source })
}

/// Prints; a reader that has seen enough, such as `head`, is no error.
fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}
