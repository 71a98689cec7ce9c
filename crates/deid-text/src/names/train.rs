//! Trains the tagger: averaged perceptron, gazetteer dropout, quantized to 8 bits.
//!
//! Used by the program `train-ner`; deterministic for given input.

use super::NerBackend;
use super::tagger::{BUCKETS, FEATURES, LABELS, Lexicon, MAGIC, Tagger, features, may_follow};
use super::tokens::{Token, tokenize};
use crate::generate::{Labelled, Rng};

struct Example {
    words: Vec<super::tagger::Word>,
    gold: Vec<u8>,
}

/// Reads a corpus in CoNLL columns: words with labels, sentences separated by empty lines.
#[must_use]
pub fn read_conll(text: &str) -> Vec<Labelled> {
    let mut out = Vec::new();
    let mut sentence: Vec<(&str, &str)> = Vec::new();
    for line in text.lines().chain([""]) {
        let mut fields = line.split_whitespace();
        match (fields.next(), fields.next_back()) {
            (Some(word), Some(label)) if !word.starts_with("-DOCSTART-") => {
                sentence.push((word, label))
            }
            _ => {
                if !sentence.is_empty() {
                    out.push(labelled(&sentence));
                }
                sentence.clear();
            }
        }
    }
    out
}

fn kind(label: &str) -> Option<&'static str> {
    match label.get(2..)? {
        "PER" | "person" => Some("PERSON"),
        "LOC" | "location" => Some("LOCATION"),
        "ORG" | "corporation" | "group" => Some("ORGANIZATION"),
        _ => None,
    }
}

/// The sentence as text, words joined by blanks, and its names.
fn labelled(sentence: &[(&str, &str)]) -> Labelled {
    let mut out = Labelled::default();
    let mut previous: Option<&str> = None;
    for (i, (word, label)) in sentence.iter().enumerate() {
        if i > 0 {
            out.text.push(' ');
        }
        let start = out.text.len();
        out.text.push_str(word);
        // Corpora disagree about @mentions; none of them counts as a name here.
        let after_sign = i > 0 && sentence.get(i - 1).is_some_and(|(w, _)| *w == "@");
        let kind = kind(label).filter(|_| !word.starts_with('@') && !after_sign);
        let continues = kind.is_some() && previous == kind && label.starts_with("I-");
        match (kind, out.spans.last_mut()) {
            (Some(_), Some((_, range))) if continues => range.end = out.text.len(),
            (Some(kind), _) => out.spans.push((kind, start..out.text.len())),
            _ => {}
        }
        previous = kind;
    }
    out
}

fn gold(tokens: &[Token], spans: &[(&'static str, std::ops::Range<usize>)]) -> Vec<u8> {
    tokens
        .iter()
        .map(|t| {
            let Some((kind, range)) =
                spans.iter().find(|(_, r)| r.start < t.end && t.start < r.end)
            else {
                return 0;
            };
            let base = match *kind {
                "PERSON" => 1,
                "LOCATION" => 3,
                "ORGANIZATION" => 5,
                _ => return 0,
            };
            // The first token of a span begins it.
            base + u8::from(t.start > range.start)
        })
        .collect()
}

fn examples(lexicon: &Lexicon, data: &[Labelled]) -> Vec<Example> {
    let mut tokens = Vec::new();
    let mut out = Vec::new();
    for item in data {
        tokenize(&item.text, &mut tokens);
        let mut words = Vec::new();
        lexicon.words(&item.text, &tokens, &mut words);
        let gold = gold(&tokens, &item.spans);
        out.push(Example { words, gold });
    }
    out
}

/// Buckets that the shipped model keeps.
const KEPT: usize = 330_000;

/// Trains on labelled sentences and gives the model file.
#[must_use]
pub fn train(data: &[Labelled], epochs: usize, mut progress: impl FnMut(usize, f64)) -> Vec<u8> {
    let lexicon = Lexicon::new();
    let mut examples = examples(&lexicon, data);
    let mut weights = vec![[0f32; LABELS]; BUCKETS];
    let mut totals = vec![[0f64; LABELS]; BUCKETS];
    let mut step = 0f64;
    let mut rng = Rng::new(2026);
    for epoch in 0..epochs {
        rng.shuffle(&mut examples);
        let (mut wrong, mut seen) = (0u64, 0u64);
        for example in &examples {
            // Names that no list knows are learned from their surroundings.
            let mut words = example.words.clone();
            if rng.below(10) < 3 {
                for word in &mut words {
                    if rng.below(2) == 0 {
                        word.lists &= 128;
                    }
                }
            }
            let (mut previous, mut before) = (0, 0);
            for (i, &gold) in example.gold.iter().enumerate() {
                if words.get(i).is_some_and(super::tagger::Word::is_first) {
                    (previous, before) = (0, 0);
                }
                step += 1.0;
                seen += 1;
                let f = features(&words, i, previous, before);
                // One feature in eight is left out, so that no word is learned by heart.
                let kept = rng.next_word() | rng.next_word() | rng.next_word();
                let f: Vec<u32> = f
                    .into_iter()
                    .enumerate()
                    .filter(|(k, _)| kept >> k & 1 == 1)
                    .map(|(_, b)| b)
                    .collect();
                let mut sums = [0f32; LABELS];
                for &bucket in &f {
                    for (sum, w) in sums.iter_mut().zip(&weights[bucket as usize]) {
                        *sum += w;
                    }
                }
                let best = (0..LABELS)
                    .filter(|l| may_follow(previous, *l))
                    .max_by(|a, b| sums[*a].total_cmp(&sums[*b]))
                    .unwrap_or(0);
                let gold = usize::from(gold);
                // A margin keeps learning going on what is only just right.
                let rival = (0..LABELS)
                    .filter(|l| *l != gold)
                    .max_by(|a, b| sums[*a].total_cmp(&sums[*b]))
                    .unwrap_or(0);
                if best != gold || sums[gold] - sums[rival] < 2.0 {
                    wrong += u64::from(best != gold);
                    let bad = if best == gold { rival } else { best };
                    for &bucket in &f {
                        let b = bucket as usize;
                        weights[b][gold] += 1.0;
                        weights[b][bad] -= 1.0;
                        totals[b][gold] += step;
                        totals[b][bad] -= step;
                    }
                }
                (before, previous) = (previous, best);
                // After a mistake the next label is learned from the truth half of the time.
                if best != gold && rng.below(2) == 0 {
                    previous = gold;
                }
            }
        }
        progress(epoch, wrong as f64 / seen.max(1) as f64);
    }
    // The average over all steps is w − (Σ step·change) / steps.
    let average: Vec<[f32; LABELS]> = weights
        .iter()
        .zip(&totals)
        .map(|(w, t)| std::array::from_fn(|l| (f64::from(w[l]) - t[l] / step.max(1.0)) as f32))
        .collect();
    let mut all: Vec<f32> =
        average.iter().flatten().map(|w| w.abs()).filter(|w| *w > 0.0).collect();
    all.sort_by(f32::total_cmp);
    let top = all.get((all.len() as f64 * 0.999) as usize).copied().unwrap_or(1.0).max(1e-6);
    let unit = top / 127.0;
    let mut model = MAGIC.to_vec();
    // One point of margin before scaling is `1 / unit` after it.
    model.extend(((FEATURES as f32) * 0.12 / unit).to_le_bytes());
    // Only the buckets with the largest weights are kept.
    let size = |row: &[f32; LABELS]| row.iter().fold(0f32, |m, w| m.max(w.abs()));
    let mut sizes: Vec<f32> = average.iter().map(size).collect();
    sizes.sort_by(|a, b| b.total_cmp(a));
    let least = sizes.get(KEPT).copied().unwrap_or(0.0).max(unit / 2.0);
    let mut bitmap = vec![0u8; BUCKETS / 8];
    let mut rows = Vec::new();
    for (i, row) in average.iter().enumerate() {
        if size(row) > least {
            bitmap[i / 8] |= 1 << (i % 8);
            rows.extend(row.iter().map(|w| ((w / unit).round().clamp(-127.0, 127.0) as i8) as u8));
        }
    }
    model.extend(bitmap);
    model.extend(rows);
    model
}

/// Precision, recall and F1 of a model by exact spans, for each kind.
#[must_use]
pub fn evaluate(
    model: &[u8],
    data: &[Labelled],
    threshold: f32,
) -> Vec<(&'static str, f64, f64, f64)> {
    let Some(tagger) = Tagger::from_bytes(model) else { return Vec::new() };
    let mut counts = [[0usize; 3]; 3];
    const KINDS: [&str; 3] = ["PERSON", "LOCATION", "ORGANIZATION"];
    for item in data {
        let Ok(found) = tagger.tag(&item.text) else { continue };
        for (k, kind) in KINDS.iter().enumerate() {
            let gold: Vec<_> =
                item.spans.iter().filter(|(g, _)| g == kind).map(|(_, r)| r.clone()).collect();
            let ours: Vec<_> = found
                .iter()
                .filter(|n| n.entity == *kind && n.score >= threshold)
                .map(|n| n.range.clone())
                .collect();
            counts[k][0] += gold.iter().filter(|g| ours.contains(g)).count();
            counts[k][1] += ours.len();
            counts[k][2] += gold.len();
        }
    }
    KINDS
        .iter()
        .zip(counts)
        .map(|(kind, [hit, ours, gold])| {
            let p = hit as f64 / ours.max(1) as f64;
            let r = hit as f64 / gold.max(1) as f64;
            (*kind, p, r, if p + r > 0.0 { 2.0 * p * r / (p + r) } else { 0.0 })
        })
        .collect()
}
