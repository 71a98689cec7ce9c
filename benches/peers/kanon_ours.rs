//! The side of `benches/peers/kanon.py` that runs this family. Internal: not an example.
//!
//! Arguments: a table with `;` between its fields, and the folder of its hierarchies
//! (`hierarchy_COLUMN.csv`, or `adult_hierarchy_COLUMN.csv`). Reads lines `OPERATION REPETITIONS` and
//! answers each with a line `SECONDS NUMBER`: the time that all repetitions took, measured here, and
//! what was found. The line `release FILE K PERCENT` writes a release instead of measuring.

#![allow(clippy::print_stdout, reason = "answers are written to standard output")]

use std::hint::black_box;
use std::io::BufRead;
use std::path::PathBuf;
use std::time::Instant;

use confidant::kanon::prelude::*;
use confidant::kanon::risk::{Classes, measure};
use confidant::kanon::{Error, Hierarchy, Release};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// The column that stays as it is.
const SENSITIVE: &str = "occupation";

struct Bench {
    table: Table,
    folder: PathBuf,
    /// What is measured: a release that was written before.
    release: Option<Table>,
}

impl Bench {
    fn hierarchy(&self, column: &str) -> Result<Hierarchy> {
        let names = [format!("hierarchy_{column}.csv"), format!("adult_hierarchy_{column}.csv")];
        let found = names.iter().map(|name| self.folder.join(name)).find(|path| path.exists());
        Ok(Hierarchy::from_csv_path(found.ok_or("a hierarchy is missing")?, b';')?)
    }

    fn roles(&self) -> Result<Roles> {
        let mut roles = Roles::new();
        for column in self.table.columns() {
            roles = match column.name() {
                SENSITIVE => roles.sensitive(SENSITIVE),
                name => roles.quasi(name, self.hierarchy(name)?),
            };
        }
        Ok(roles)
    }

    fn work(&self, k: u64, recoding: Recoding, limit: f64) -> Result<Anonymizer<'_>> {
        Ok(Anonymizer::builder(&self.table)
            .roles(self.roles()?)
            .require(Model::k_anonymity(k)?)
            .suppress_at_most(limit)
            .recoding(recoding))
    }

    fn write(&mut self, path: &str, k: u64, percent: f64) -> Result<()> {
        let release = self.work(k, Recoding::FullDomain, percent / 100.0)?.run()?;
        CsvOptions::new().delimiter(b';').write_path(release.table(), path)?;
        self.release = Some(release.into_table());
        Ok(())
    }

    /// Seconds, and what was found.
    fn run(&self, words: &[&str], repetitions: u32) -> Result<(f64, f64)> {
        let number = |place: usize| -> Result<f64> {
            Ok(words.get(place).ok_or("a number is missing")?.parse()?)
        };
        let class = |release: &Release| {
            let certificate = release.certificate();
            certificate.rows as f64 / certificate.classes.max(1) as f64
        };
        let quasi: Vec<&str> =
            self.table.columns().iter().map(|c| c.name()).filter(|n| *n != SENSITIVE).collect();
        let table = self.release.as_ref().unwrap_or(&self.table);
        let mut found = 0.0;
        let start;
        match words[0] {
            "mondrian" | "full-domain" => {
                let (recoding, limit) = match words[0] {
                    "mondrian" => (Recoding::Mondrian, 0.0),
                    _ => (Recoding::FullDomain, number(2)? / 100.0),
                };
                let work = self.work(number(1)? as u64, recoding, limit)?;
                start = Instant::now();
                for _ in 0..repetitions {
                    found = class(&work.run()?);
                }
            }
            "k" => {
                start = Instant::now();
                for _ in 0..repetitions {
                    let classes = Classes::of(black_box(table), &quasi)?;
                    found = classes.sizes().iter().copied().min().unwrap_or(0) as f64;
                }
            }
            // Of the table as it was read, where age is a number.
            "ordered-t" => {
                start = Instant::now();
                for _ in 0..repetitions {
                    let (_, of) = measure(black_box(&self.table), &["sex", "race"], &["age"])?;
                    found = of.first().map_or(f64::NAN, |of| of.ordered_t);
                }
            }
            what => {
                start = Instant::now();
                for _ in 0..repetitions {
                    let (_, of) = measure(black_box(table), &quasi, &[SENSITIVE])?;
                    let of = of.first().ok_or(Error::Stopped { checked: 0 })?;
                    found = match what {
                        "l" => of.distinct_l as f64,
                        "t" => of.equal_t,
                        "alpha" => of.alpha,
                        "beta" => of.beta,
                        _ => return Err(format!("no operation {what}").into()),
                    };
                }
            }
        }
        Ok((start.elapsed().as_secs_f64(), found))
    }
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (Some(table), Some(folder)) = (arguments.next(), arguments.next()) else {
        return Err("give a table and the folder of its hierarchies".into());
    };
    let table = CsvOptions::new().delimiter(b';').read_path(table)?;
    let mut bench = Bench { table, folder: folder.into(), release: None };
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let words: Vec<&str> = line.split_whitespace().collect();
        let (seconds, found) = match words.as_slice() {
            ["release", path, k, percent] => {
                bench.write(path, k.parse()?, percent.parse()?)?;
                (0.0, 0.0)
            }
            [operation @ .., repetitions] if !operation.is_empty() => {
                bench.run(operation, repetitions.parse()?)?
            }
            _ => return Err("a line is no operation".into()),
        };
        println!("{seconds:e} {found:e}");
    }
    Ok(())
}
