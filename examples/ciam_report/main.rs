//! A private report: about a made-up week of logins, or about any CSV file.
//!
//! ```text
//! cargo run --release --example ciam_report
//! cargo run --release --example ciam_report -- --input people.csv --config people.toml
//! ```
//!
//! Without arguments it makes 200,000 login attempts of 20,000 users, as an identity product might
//! log them, and answers what a team would ask: how many users, attempts and failures, how long
//! sessions last, and all of that by country, device, second factor and hour. With `--input` and
//! `--config` it answers the questions that the configuration lists; `adult.toml` beside this file
//! is a commented example.
//!
//! The report goes to standard output, and as JSON to a file. Progress and errors go to standard
//! error. Errors about the data (a short row, a bad number) name the line and the column, never
//! the value. They are found while reading, before anything is released, and are for the owner of
//! the data only: that a file has a bad line 17 is not protected by differential privacy.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program talks to its user")]
#![allow(unreachable_pub, reason = "a program has no outside; `pub` means seen by other modules")]

mod ask;
mod ciam;
mod config;
mod error;
mod generate;
mod json;
mod login;
mod progress;
mod report;
mod table;
mod text;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use confidant::dp::prelude::Epsilon;

use config::Config;
use error::Error;
use generate::Shape;

/// A differentially private report about logins, or about any CSV file.
#[derive(Parser)]
#[command(name = "ciam_report")]
struct Options {
    /// Report about this CSV file instead of made-up logins
    #[arg(long, value_name = "FILE.csv", requires = "config")]
    input: Option<PathBuf>,

    /// How to read the file and what to ask, as TOML or JSON
    #[arg(long, value_name = "FILE.toml", requires = "input")]
    config: Option<PathBuf>,

    /// Where to write the report as JSON
    #[arg(long, value_name = "FILE", default_value = json::DEFAULT)]
    json: PathBuf,

    /// The budget for the made-up logins
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
    json::check(&options.json)?;
    let report = match (&options.input, &options.config) {
        (Some(input), Some(config)) => ask::report(input, &Config::read(config)?)?,
        _ => {
            let shape = Shape { users: options.users, events: options.events, seed: options.seed };
            ciam::report(shape, &options.epsilon)?
        }
    };
    json::write(&options.json, &report)?;
    let text = format!("{}\nThe same as JSON: {}\n", text::render(&report), options.json.display());
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
