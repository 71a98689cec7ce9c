//! The side of `presidio.py` that runs redact-core, the Rust crate with the most types of personal data besides ours.
//!
//! `presidio.py` makes a Cargo project around this file under `target/peers/`: redact-core is no dependency of this
//! workspace. Called with a folder of texts; reads lines `OPERATION REPETITIONS`, answers with `SECONDS 0`, and to
//! `quality-patterns` with precision and recall.

use std::hint::black_box;
use std::io::{BufRead, Write};
use std::path::PathBuf;
use std::time::Instant;

use redact_core::AnalyzerEngine;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

#[derive(serde::Deserialize)]
struct Span {
    start: usize,
    end: usize,
}

#[derive(serde::Deserialize)]
struct Sample {
    text: String,
    spans: Vec<(String, Span)>,
}

const NAMES: [&str; 5] = ["PERSON", "LOCATION", "ORGANIZATION", "NRP", "TITLE"];

fn same(a: &Span, b: &Span) -> bool {
    let both = a.end.min(b.end).saturating_sub(a.start.max(b.start));
    both as f64 >= 0.75 * (a.end - a.start + b.end - b.start - both) as f64
}

/// Precision and recall without names: neither gold names nor findings that touch one count.
fn quality(engine: &AnalyzerEngine, samples: &[Sample]) -> Result<(f64, f64)> {
    let (mut gold, mut found, mut findings, mut right) = (0, 0, 0, 0);
    for sample in samples {
        let answer = engine.analyze(&sample.text, None)?;
        let ours: Vec<Span> =
            answer.detected_entities.iter().map(|e| Span { start: e.start, end: e.end }).collect();
        let (names, spans): (Vec<_>, Vec<_>) =
            sample.spans.iter().partition(|(entity, _)| NAMES.contains(&entity.as_str()));
        gold += spans.len();
        found += spans.iter().filter(|(_, s)| ours.iter().any(|o| same(o, s))).count();
        for o in &ours {
            if names.iter().any(|(_, n)| n.start < o.end && o.start < n.end) {
                continue;
            }
            findings += 1;
            right += usize::from(spans.iter().any(|(_, s)| same(o, s)));
        }
    }
    Ok((right as f64 / findings.max(1) as f64, found as f64 / gold.max(1) as f64))
}

fn main() -> Result<()> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("called with a folder of texts")?);
    let engine = AnalyzerEngine::new();
    let lines = std::fs::read_to_string(folder.join("mixed.jsonl"))?;
    let mixed: Vec<Sample> =
        lines.lines().map(serde_json::from_str).collect::<std::result::Result<_, _>>()?;
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let (operation, repetitions) = line.split_once(' ').ok_or("OPERATION REPETITIONS")?;
        let repetitions: usize = repetitions.parse()?;
        let answer = match operation {
            "quality-patterns" => quality(&engine, &mixed)?,
            "mixed-patterns" => {
                let start = Instant::now();
                for _ in 0..repetitions {
                    for sample in &mixed {
                        black_box(engine.analyze(&sample.text, None)?);
                    }
                }
                (start.elapsed().as_secs_f64(), 0.0)
            }
            name => {
                let text = std::fs::read_to_string(folder.join(name).with_extension("txt"))?;
                let start = Instant::now();
                for _ in 0..repetitions {
                    black_box(engine.analyze(&text, None)?);
                }
                (start.elapsed().as_secs_f64(), 0.0)
            }
        };
        writeln!(out, "{:e} {:e}", answer.0, answer.1)?;
        out.flush()?;
    }
    Ok(())
}
