//! Trains the tagger: a conditional random field by AdaGrad with dropout of features and of lists,
//! averaged over the last epochs, quantized to 8 bits.
//!
//! Used by the program `train-ner`; deterministic for given input.

use super::NerBackend;
use super::features::{BUCKETS, Lexicon, Word, features};
use super::gazetteer::IS_TITLE;
use super::tagger::{CLASSES, Chain, Edges, LABELS, MAGIC, Tagger, may_follow};
use super::tokens::{Token, tokenize};
use crate::evaluate::iou;
use crate::generate::{Labelled, Rng};

struct Example {
    words: Vec<Word>,
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
const KEPT: usize = 400_000;
/// Step of AdaGrad.
const RATE: f32 = 0.15;
/// Strength of the quadratic penalty, a step.
const PENALTY: f32 = 6e-5;
/// Of a thousand features, how many are left out.
const DROPPED: usize = 125;
/// Of a thousand sentences, in how many half of the words are in no list.
const UNLISTED: usize = 100;
/// What is taken off the label O when decoding: names that are missed cost more than names too many.
const BIAS: f32 = 0.4;

struct Weights {
    rows: Vec<[f32; LABELS]>,
    squares: Vec<[f32; LABELS]>,
    edges: Box<Edges>,
    edge_squares: Box<Edges>,
    /// When each row was penalized last, and the time now, in sentences.
    touched: Vec<u32>,
    now: u32,
}

fn step(weight: &mut f32, square: &mut f32, gradient: f32) {
    *square += gradient * gradient;
    *weight -= RATE * gradient / (square.sqrt() + 1e-2);
}

impl Weights {
    /// The quadratic penalty of all sentences since the row was looked at last.
    fn penalize(&mut self, bucket: usize) {
        let elapsed = (self.now - self.touched[bucket]) as f32;
        self.touched[bucket] = self.now;
        for (w, g) in self.rows[bucket].iter_mut().zip(&self.squares[bucket]) {
            *w *= (1.0 - RATE * PENALTY * elapsed / (g.sqrt() + 1e-2)).max(0.0);
        }
    }

    /// Learns from one sentence; gives how many labels it had wrong.
    fn learn(&mut self, chain: &mut Chain, features: &[Vec<u32>], gold: &[u8]) -> usize {
        chain.emissions.clear();
        self.now += 1;
        for f in features {
            let mut sums = [0f32; LABELS];
            for &bucket in f {
                self.penalize(bucket as usize);
                for (sum, w) in sums.iter_mut().zip(&self.rows[bucket as usize]) {
                    *sum += w;
                }
            }
            chain.emissions.push(sums);
        }
        chain.viterbi(&self.edges);
        chain.marginals(&self.edges);
        let wrong = chain.labels.iter().zip(gold).filter(|(l, g)| **l != usize::from(**g)).count();
        let mut previous: Option<usize> = None;
        for (i, (f, &gold)) in features.iter().zip(gold).enumerate() {
            let gold = usize::from(gold);
            let (alpha, beta) = (chain.alpha[i], chain.beta[i]);
            let gradient: [f32; LABELS] = std::array::from_fn(|l| {
                (alpha[l] + beta[l] - chain.total).exp() - f32::from(u8::from(l == gold))
            });
            if gradient.iter().any(|g| g.abs() > 1e-3) {
                for &bucket in f {
                    let b = bucket as usize;
                    for (l, g) in gradient.iter().enumerate() {
                        step(&mut self.rows[b][l], &mut self.squares[b][l], *g);
                    }
                }
            }
            let class = chain.classes[i];
            for p in 0..LABELS {
                for l in (0..LABELS).filter(|l| may_follow(p, *l)) {
                    let before = match i.checked_sub(1) {
                        Some(k) => chain.alpha[k][p],
                        None if p == 0 => 0.0,
                        None => continue,
                    };
                    let score = before + self.edges[class][p][l] + chain.emissions[i][l] + beta[l];
                    let seen = previous.unwrap_or(0) == p && l == gold;
                    let g = (score - chain.total).exp() - f32::from(u8::from(seen));
                    if g.abs() > 1e-4 {
                        step(&mut self.edges[class][p][l], &mut self.edge_squares[class][p][l], g);
                    }
                }
            }
            previous = Some(gold);
        }
        wrong
    }
}

/// Trains on labelled sentences and gives the model file.
#[must_use]
pub fn train(data: &[Labelled], epochs: usize, mut progress: impl FnMut(usize, f64)) -> Vec<u8> {
    let lexicon = Lexicon::new();
    let mut examples = examples(&lexicon, data);
    let none = || Box::new([[[0f32; LABELS]; LABELS]; CLASSES]);
    let mut weights = Weights {
        rows: vec![[0f32; LABELS]; BUCKETS],
        squares: vec![[0f32; LABELS]; BUCKETS],
        edges: none(),
        edge_squares: none(),
        touched: vec![0; BUCKETS],
        now: 0,
    };
    let averaged = epochs.div_ceil(2);
    let mut average = vec![[0f32; LABELS]; BUCKETS];
    let mut edges = none();
    let mut chain = Chain::default();
    let mut rng = Rng::new(2026);
    for epoch in 0..epochs {
        rng.shuffle(&mut examples);
        let (mut wrong, mut seen) = (0usize, 0usize);
        for example in &examples {
            // Names that no list knows are learned from their surroundings.
            let mut words = example.words.clone();
            if rng.below(1000) < UNLISTED {
                for word in &mut words {
                    if rng.below(2) == 0 {
                        word.lists &= IS_TITLE;
                    }
                }
            }
            let mut from = 0;
            while from < words.len() {
                let len = words.iter().skip(from + 1).take_while(|w| !w.first).count() + 1;
                chain.classes.clear();
                let mut rows = Vec::with_capacity(len);
                for i in from..from + len {
                    chain.classes.push(words[i].class());
                    // Features are left out, so that no word is learned by heart.
                    let row = features(&words, i).into_iter();
                    rows.push(row.filter(|_| rng.below(1000) >= DROPPED).collect());
                }
                wrong += weights.learn(&mut chain, &rows, &example.gold[from..from + len]);
                seen += len;
                from += len;
            }
        }
        if epoch >= epochs - averaged {
            for (sum, row) in average.iter_mut().zip(&weights.rows) {
                sum.iter_mut().zip(row).for_each(|(s, w)| *s += w / averaged as f32);
            }
            let sums = edges.iter_mut().flatten().flatten();
            sums.zip(weights.edges.iter().flatten().flatten())
                .for_each(|(s, w)| *s += w / averaged as f32);
        }
        progress(epoch, wrong as f64 / seen.max(1) as f64);
    }
    for table in edges.iter_mut() {
        table.iter_mut().for_each(|row| row[0] -= BIAS);
    }
    encode(&average, &edges)
}

fn encode(average: &[[f32; LABELS]], edges: &Edges) -> Vec<u8> {
    let mut all: Vec<f32> =
        average.iter().flatten().map(|w| w.abs()).filter(|w| *w > 0.0).collect();
    all.sort_by(f32::total_cmp);
    let top = all.get((all.len() as f64 * 0.9995) as usize).copied().unwrap_or(1.0).max(1e-6);
    // Features were left out in training; all are there afterwards.
    let unit = top / 127.0;
    let mut model = MAGIC.to_vec();
    let kept = 1.0 - DROPPED as f32 / 1000.0;
    model.extend((unit * kept).to_le_bytes());
    edges.iter().flatten().flatten().for_each(|w| model.extend(w.to_le_bytes()));
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

/// How much of two spans' union must be in both, so that they count as the same: as for documents.
const OVERLAP: f64 = 0.75;

/// Precision, recall and F1 of a model by spans that overlap by three quarters, for each kind.
#[must_use]
pub fn evaluate(
    model: &[u8],
    data: &[Labelled],
    threshold: f32,
) -> Vec<(&'static str, f64, f64, f64)> {
    let Some(tagger) = Tagger::from_bytes(model.to_vec().into()) else { return Vec::new() };
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
            let same = |g: &&std::ops::Range<usize>| ours.iter().any(|o| iou(o, g) >= OVERLAP);
            counts[k][0] += gold.iter().filter(same).count();
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
