//! The side of `presidio.py` that runs this family. Called with a folder of texts; reads lines `OPERATION
//! REPETITIONS`, answers with `SECONDS 0`, and to `quality` with precision and recall.

#![allow(clippy::print_stdout, reason = "a program that measures")]

use std::io::{BufRead, Write};
use std::ops::Range;
use std::path::PathBuf;
use std::time::Instant;

use confidant::deid::Analyzer;
use confidant::deid::evaluate::{Sample, evaluate};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// What patterns alone cannot find.
const NAMES: [&str; 5] = ["PERSON", "LOCATION", "ORGANIZATION", "NRP", "TITLE"];

/// Precision and recall without names: neither gold names nor findings that touch one count.
fn without_names(analyzer: &Analyzer, samples: &[Sample]) -> Result<(f64, f64)> {
    let same = |a: &Range<usize>, b: &Range<usize>| {
        let both = a.end.min(b.end).saturating_sub(a.start.max(b.start));
        both as f64 >= 0.75 * (a.len() + b.len() - both) as f64
    };
    let (mut gold, mut found, mut findings, mut right) = (0, 0, 0usize, 0);
    for sample in samples {
        let ours = analyzer.scan(&sample.text)?;
        let (names, spans): (Vec<_>, Vec<_>) =
            sample.spans.iter().partition(|(entity, _)| NAMES.contains(&entity.name()));
        gold += spans.len();
        found +=
            spans.iter().filter(|(_, s)| ours.iter().any(|f| same(&f.span.range(), s))).count();
        let touches =
            |r: &Range<usize>| names.iter().any(|(_, n)| n.start < r.end && r.start < n.end);
        let ours = ours.iter().map(|f| f.span.range()).filter(|r| !touches(r));
        for range in ours {
            findings += 1;
            right += usize::from(spans.iter().any(|(_, s)| same(&range, s)));
        }
    }
    Ok((right as f64 / findings.max(1) as f64, found as f64 / gold.max(1) as f64))
}

fn main() -> Result<()> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("called with a folder of texts")?);
    let patterns = Analyzer::builder().without_names().build()?;
    let all = Analyzer::new()?;
    let lines = std::fs::read_to_string(folder.join("mixed.jsonl"))?;
    let mixed: Vec<Sample> =
        lines.lines().map(serde_json::from_str).collect::<std::result::Result<_, _>>()?;
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let (operation, repetitions) = line.split_once(' ').ok_or("OPERATION REPETITIONS")?;
        let repetitions: usize = repetitions.parse()?;
        let answer = match operation {
            "quality" => {
                let any = evaluate(&all, &mixed, 0.75)?.any;
                (any.precision(), any.recall())
            }
            "quality-patterns" => without_names(&patterns, &mixed)?,
            "mixed" | "mixed-patterns" => {
                let analyzer = if operation == "mixed" { &all } else { &patterns };
                let start = Instant::now();
                for _ in 0..repetitions {
                    for sample in &mixed {
                        std::hint::black_box(analyzer.scan(&sample.text)?);
                    }
                }
                (start.elapsed().as_secs_f64(), 0.0)
            }
            name => {
                let text = std::fs::read_to_string(folder.join(name).with_extension("txt"))?;
                let start = Instant::now();
                for _ in 0..repetitions {
                    std::hint::black_box(patterns.scan(&text)?);
                }
                (start.elapsed().as_secs_f64(), 0.0)
            }
        };
        writeln!(out, "{:e} {:e}", answer.0, answer.1)?;
        out.flush()?;
    }
    Ok(())
}
