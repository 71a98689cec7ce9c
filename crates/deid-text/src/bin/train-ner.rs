//! Trains the built-in tagger: `train-ner DATA [MODEL] [--test] [--all]`; with `--evaluate` measures the
//! model that is there.
//!
//! `DATA` holds the corpora in CoNLL columns (wikigold, Broad Twitter Corpus, WNUT-17; all CC BY
//! 4.0). A tenth of each, by stretches of sentences, is held out for tuning, and another tenth,
//! reported with `--test`, for figures that no choice depends on. With `--all` nothing is held out:
//! so the shipped model is made, after everything was chosen.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that talks")]

use std::process::ExitCode;

use deid_text::generate::{Generator, Labelled};
use deid_text::train::{evaluate, read_conll, train};

const GENERATED: usize = 12_000;
/// Sentences of technical texts, in which nobody is named.
const TECHNICAL: usize = 3_500;
const EPOCHS: usize = 5;

/// The number of a flag such as `--technical=6000`.
fn number(flags: &[String], flag: &str) -> Option<usize> {
    flags.iter().find_map(|f| f.strip_prefix(flag)?.parse().ok())
}

fn main() -> ExitCode {
    let (flags, files): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|a| a.starts_with("--"));
    let [folder, model_file @ ..] = &files[..] else {
        eprintln!("usage: train-ner DATA [MODEL] [--test] [--all] [--evaluate]");
        return ExitCode::FAILURE;
    };
    let flag = |name: &str| flags.iter().any(|f| f == name);
    let (all, test) = (flag("--all"), flag("--test"));
    let mut files: Vec<_> = match std::fs::read_dir(folder) {
        Ok(entries) => entries.flatten().map(|e| e.path()).collect(),
        Err(error) => {
            eprintln!("{folder}: {error}");
            return ExitCode::FAILURE;
        }
    };
    files.sort();
    let (mut training, mut held) = (Vec::new(), Vec::new());
    for file in files.iter().filter(|f| f.extension().is_some_and(|e| e == "conll")) {
        let Ok(text) = std::fs::read_to_string(file) else { continue };
        let sentences = read_conll(&text);
        // Stretches of 50 sentences, so that neighbours stay on one side.
        let (mut own, mut tuning) = (Vec::new(), Vec::new());
        for (i, stretch) in sentences.chunks(50).enumerate() {
            match i % 10 {
                7 if !all => tuning.extend_from_slice(stretch),
                3 if !all => own.extend_from_slice(stretch),
                _ => training.extend_from_slice(stretch),
            }
        }
        if !test {
            own.clone_from(&tuning);
        }
        held.push((
            file.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default(),
            own,
        ));
    }
    // A tenth in lower case and a tenth in capitals.
    let recased: Vec<Labelled> = training
        .iter()
        .enumerate()
        .filter(|(i, s)| i % 10 < 2 && s.text.is_ascii())
        .map(|(i, s)| Labelled {
            text: if i % 10 == 0 { s.text.to_lowercase() } else { s.text.to_uppercase() },
            spans: s.spans.clone(),
        })
        .collect();
    training.extend(recased);
    let mut generator = Generator::new(7);
    training.extend((0..GENERATED).map(|_| generator.sentence()));
    let technical = number(&flags, "--technical=").unwrap_or(TECHNICAL);
    training.extend((0..technical).map(|_| generator.technical()));
    let mut other = Generator::new(8);
    held.push(("generated".to_owned(), (0..1000).map(|_| other.sentence()).collect()));
    println!("{} sentences", training.len());
    let model = match model_file.first().filter(|_| flag("--evaluate")) {
        Some(file) => match std::fs::read(file) {
            Ok(model) => model,
            Err(error) => {
                eprintln!("{file}: {error}");
                return ExitCode::FAILURE;
            }
        },
        None => train(&training, EPOCHS, |epoch, wrong| {
            println!("epoch {epoch}: {:.2} % wrong", wrong * 100.0)
        }),
    };
    let all: Vec<Labelled> =
        held.iter().filter(|(n, _)| n != "generated").flat_map(|(_, s)| s.clone()).collect();
    held.push(("all corpora".to_owned(), all));
    for (name, sentences) in &held {
        for threshold in [0.4, 0.6] {
            for (kind, p, r, f) in evaluate(&model, sentences, threshold) {
                println!(
                    "{name:14} {kind:12} from {threshold}: precision {p:.3} recall {r:.3} F1 {f:.3}"
                );
            }
        }
    }
    if let Some(file) = model_file.first().filter(|_| !flag("--evaluate"))
        && let Err(error) = std::fs::write(file, &model)
    {
        eprintln!("{file}: {error}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
