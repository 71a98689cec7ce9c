//! How well an analyzer does on labelled text: precision, recall, F-beta, errors, calibration.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::analyzer::Analyzer;
use crate::entity::Entity;
use crate::error::Result;

/// A labelled text.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Sample {
    /// The text.
    pub text: String,
    /// What is in it: entities and their bytes.
    pub spans: Vec<(Entity, Range<usize>)>,
}

/// Hits and misses of one entity, or of all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Gold spans that were found.
    pub found: usize,
    /// Gold spans.
    pub gold: usize,
    /// Findings that match a gold span.
    pub right: usize,
    /// Findings.
    pub findings: usize,
}

impl Counts {
    /// Right findings among findings; 1 if there are none.
    #[must_use]
    pub fn precision(&self) -> f64 {
        if self.findings == 0 { 1.0 } else { self.right as f64 / self.findings as f64 }
    }

    /// Found spans among gold spans; 1 if there are none.
    #[must_use]
    pub fn recall(&self) -> f64 {
        if self.gold == 0 { 1.0 } else { self.found as f64 / self.gold as f64 }
    }

    /// The weighted harmonic mean; `beta` 2 weighs recall four times as much.
    #[must_use]
    pub fn f_beta(&self, beta: f64) -> f64 {
        let (p, r) = (self.precision(), self.recall());
        let b = beta * beta;
        if p + r == 0.0 { 0.0 } else { (1.0 + b) * p * r / (b * p + r) }
    }

    /// Wilson's 95 % interval of the recall.
    #[must_use]
    pub fn recall_interval(&self) -> (f64, f64) {
        wilson(self.found, self.gold)
    }

    /// Wilson's 95 % interval of the precision.
    #[must_use]
    pub fn precision_interval(&self) -> (f64, f64) {
        wilson(self.right, self.findings)
    }
}

/// Wilson's score interval at 95 % (Wilson 1927); (0, 1) without observations.
#[must_use]
pub fn wilson(hits: usize, n: usize) -> (f64, f64) {
    if n == 0 {
        return (0.0, 1.0);
    }
    let (n, p, z) = (n as f64, hits as f64 / n as f64, 1.959_964);
    let centre = p + z * z / (2.0 * n);
    let spread = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z * z / n;
    (((centre - spread) / scale).max(0.0), ((centre + spread) / scale).min(1.0))
}

/// A mistake, by position; the text is yours to look up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mistake {
    /// Which sample.
    pub sample: usize,
    /// Where in it.
    pub range: Range<usize>,
    /// What the labels say, if anything.
    pub expected: Option<Entity>,
    /// What was found, if anything.
    pub found: Option<Entity>,
}

/// The outcome of an evaluation.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Evaluation {
    /// All entities taken as one: personal data or not.
    pub any: Counts,
    /// Each entity by itself.
    pub entities: BTreeMap<Entity, Counts>,
    /// Missed spans and false findings.
    pub mistakes: Vec<Mistake>,
    /// Bytes of text.
    pub bytes: usize,
}

impl Evaluation {
    /// False findings in 10,000 bytes.
    #[must_use]
    pub fn false_findings_per_10kb(&self) -> f64 {
        (self.any.findings - self.any.right) as f64 * 10_000.0 / self.bytes.max(1) as f64
    }
}

/// Overlap in bytes over union in bytes.
pub(crate) fn iou(a: &Range<usize>, b: &Range<usize>) -> f64 {
    let overlap = a.end.min(b.end).saturating_sub(a.start.max(b.start));
    let union = a.len() + b.len() - overlap;
    if union == 0 { 0.0 } else { overlap as f64 / union as f64 }
}

/// Compares an analyzer with labels. A finding matches a span if their overlap is at least
/// `threshold` of their union (0.75 is usual).
///
/// # Errors
///
/// As [`Analyzer::scan`].
pub fn evaluate(analyzer: &Analyzer, samples: &[Sample], threshold: f64) -> Result<Evaluation> {
    let mut out = Evaluation::default();
    for (i, sample) in samples.iter().enumerate() {
        let findings = analyzer.scan(&sample.text)?;
        out.bytes += sample.text.len();
        for (entity, range) in &sample.spans {
            let hits = || findings.iter().filter(|f| iou(&f.span.range(), range) >= threshold);
            let any = hits().next().is_some();
            let same = hits().any(|f| f.entity == *entity);
            let counts = out.entities.entry(entity.clone()).or_default();
            counts.gold += 1;
            counts.found += usize::from(same);
            out.any.gold += 1;
            out.any.found += usize::from(any);
            if !any {
                out.mistakes.push(Mistake {
                    sample: i,
                    range: range.clone(),
                    expected: Some(entity.clone()),
                    found: None,
                });
            }
        }
        for finding in &findings {
            let hits =
                || sample.spans.iter().filter(|(_, r)| iou(&finding.span.range(), r) >= threshold);
            let expected = hits().next().map(|(e, _)| e.clone());
            let same = hits().any(|(e, _)| *e == finding.entity);
            let counts = out.entities.entry(finding.entity.clone()).or_default();
            counts.findings += 1;
            counts.right += usize::from(same);
            out.any.findings += 1;
            out.any.right += usize::from(expected.is_some());
            if !same {
                out.mistakes.push(Mistake {
                    sample: i,
                    range: finding.span.range(),
                    expected,
                    found: Some(finding.entity.clone()),
                });
            }
        }
    }
    Ok(out)
}

/// A map from scores to probabilities: isotonic regression on labelled text, by entity where there
/// are enough findings, else over all.
///
/// With it a score of 0.9 means nine in ten on text like the sample.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    all: Vec<(f32, f32)>,
    entities: BTreeMap<Entity, Vec<(f32, f32)>>,
}

/// Findings of an entity that it takes for a curve of its own.
const ENOUGH: usize = 50;

impl Calibration {
    /// Fits the map. The analyzer should have a low threshold, so that low scores occur.
    ///
    /// # Errors
    ///
    /// As [`Analyzer::scan`].
    pub fn fit(analyzer: &Analyzer, samples: &[Sample]) -> Result<Self> {
        let mut points: BTreeMap<Entity, Vec<(f32, bool)>> = BTreeMap::new();
        for sample in samples {
            for finding in &analyzer.scan(&sample.text)? {
                let right = sample.spans.iter().any(|(_, r)| iou(&finding.span.range(), r) >= 0.5);
                points.entry(finding.entity.clone()).or_default().push((finding.score, right));
            }
        }
        let all: Vec<_> = points.values().flatten().copied().collect();
        let entities = points
            .into_iter()
            .filter(|(_, p)| p.len() >= ENOUGH)
            .map(|(e, p)| (e, isotonic(p)))
            .collect();
        Ok(Calibration { all: isotonic(all), entities })
    }

    pub(crate) fn probability(&self, entity: &Entity, score: f32) -> f32 {
        let curve = self.entities.get(entity).unwrap_or(&self.all);
        let i = curve.partition_point(|(s, _)| *s <= score);
        i.checked_sub(1).and_then(|i| curve.get(i)).or(curve.first()).map_or(score, |(_, p)| *p)
    }
}

/// Pools adjacent violators; each block is smoothed by one success and one failure.
fn isotonic(mut points: Vec<(f32, bool)>) -> Vec<(f32, f32)> {
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut blocks: Vec<(f32, f64, f64)> = Vec::new();
    for (score, right) in points {
        match blocks.last_mut() {
            Some(last) if last.0 == score => {
                last.1 += f64::from(u8::from(right));
                last.2 += 1.0;
            }
            _ => blocks.push((score, f64::from(u8::from(right)), 1.0)),
        }
        while let [.., a, b] = blocks.as_slice()
            && a.1 / a.2 >= b.1 / b.2
            && a.0 < b.0
        {
            let merged = (a.0, a.1 + b.1, a.2 + b.2);
            blocks.truncate(blocks.len() - 2);
            blocks.push(merged);
        }
    }
    blocks.into_iter().map(|(s, right, n)| (s, ((right + 1.0) / (n + 2.0)) as f32)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_and_curves() {
        let (low, high) = wilson(8, 10);
        assert!((low - 0.490).abs() < 0.001 && (high - 0.943).abs() < 0.001);
        let curve =
            isotonic(vec![(0.1, false), (0.2, true), (0.3, false), (0.9, true), (0.9, true)]);
        assert!(curve.windows(2).all(|w| w[0].0 < w[1].0 && w[0].1 <= w[1].1), "{curve:?}");
    }
}
