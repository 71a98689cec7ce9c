//! Shapes of the table, words near a candidate, and the score that follows.

use super::{CLASS, Candidate, Id, Scan, Source, WORD};
use crate::checksum::Verdict;
use crate::context::{AFTER, AHEAD, Hit, is_dense};
use crate::recognizer::shape::{RUNS, Shape, following, outline};
use crate::work::work;

impl Scan<'_, '_> {
    /// Whether no letter, digit or underscore touches `start`.
    pub(super) fn free_before(&self, start: usize) -> bool {
        match start.checked_sub(1).and_then(|i| self.b.get(i)) {
            None => true,
            Some(c) if *c < 0x80 => CLASS[usize::from(*c)] & WORD == 0,
            Some(_) => {
                let before = self.text.get(..start).and_then(|t| t.chars().next_back());
                before.is_none_or(|c| !c.is_alphanumeric() || is_dense(c))
            }
        }
    }

    /// Whether what starts here belongs to something longer that started before.
    pub(super) fn joined_before(&self, start: usize) -> bool {
        let before =
            |n: usize| start.checked_sub(n).and_then(|i| self.b.get(i)).copied().unwrap_or(b' ');
        match before(1) {
            b'-' | b'.' | b'/' | b':' => before(2).is_ascii_digit(),
            b',' => in_number(self.b, start - 1),
            b'$' | b'+' | b'@' => true,
            0x80.. => {
                let c = self.text.get(..start).and_then(|t| t.chars().next_back()).unwrap_or(' ');
                matches!(c, '€' | '£' | '¥' | '₹' | '₽')
            }
            _ => false,
        }
    }

    /// Identifiers of the table that start here.
    pub(super) fn shapes(&mut self, start: usize) {
        if !self.free_before(start) {
            return;
        }
        let b = self.b;
        let letters = !b[start].is_ascii_digit();
        let mut run = 0;
        let mut at = start;
        while run < RUNS {
            let Some(&c) = b.get(at) else { break };
            if letters && c >= 0x80 {
                let Some(c) = self.text.get(at..).and_then(|t| t.chars().next()) else { break };
                if !c.is_alphabetic() {
                    break;
                }
                at += c.len_utf8();
            } else if if letters { c.is_ascii_alphabetic() } else { c.is_ascii_digit() } {
                at += 1;
            } else {
                break;
            }
            run += 1;
        }
        let after = b.get(at).map_or(0, |c| following(*c));
        let engine = self.engine;
        let Some(bucket) = engine.index.at(letters, run, after) else { return };
        let outline = outline(b, start);
        if !bucket.alone.iter().chain(&bucket.announced).any(|arm| arm.may(outline)) {
            return;
        }
        self.look_around(start, at);
        for arm in bucket.alone.iter().filter(|arm| arm.may(outline)) {
            self.shape(start, arm.id);
        }
        // Nothing that stays below the threshold whatever its checksum says is looked at.
        if self.near.meets(&bucket.entities) {
            for arm in bucket.announced.iter().filter(|arm| arm.may(outline)) {
                if self.near.has(arm.entity) {
                    self.shape(start, arm.id);
                }
            }
        }
    }

    /// A pattern of the table at `start`.
    fn shape(&mut self, start: usize, id: u16) {
        work(1);
        let (b, text, engine) = (self.b, self.text, self.engine);
        let Some(pattern) = engine.patterns.get(usize::from(id)) else { return };
        let entity = pattern.entity;
        let ends = |end: usize| ends(text, b, end);
        let matching = |shapes: &[Shape]| shapes.iter().find_map(|s| s.matches(b, start, &ends));
        let end = matching(&pattern.shapes).or_else(|| {
            let loose = !pattern.loose.is_empty() && (engine.named || self.near.has(entity));
            loose.then(|| matching(&pattern.loose)).flatten()
        });
        let Some(end) = end else { return };
        let (mut score, mut verdict) = (pattern.score, Verdict::Unchecked);
        if let Some(validator) = pattern.validator {
            let mut compact = [0u8; 48];
            let mut n = 0;
            for &c in &b[start..end] {
                if (c.is_ascii_alphanumeric()
                    || c == b'&'
                    || (matches!(c, b'-' | b'+') && pattern.notation.starts_with("d{6}[-+A")))
                    && n < compact.len()
                {
                    compact[n] = c.to_ascii_uppercase();
                    n += 1;
                }
            }
            verdict = validator(&compact[..n]);
            match verdict {
                Verdict::Invalid => return,
                Verdict::Valid => score = pattern.checked,
                Verdict::Unchecked => {}
            }
        }
        self.push(start, end, entity, score, verdict, Source::Pattern(id), None);
    }

    /// Notes the words before `start`, once for all candidates that begin there.
    fn look_before(&mut self, start: usize) {
        if self.hits_start != start {
            self.hits.clear();
            self.engine.context.before(self.words, self.text, start, self.hits);
            self.hits_start = start;
            self.hits_before = self.hits.len();
            self.hits_end = usize::MAX;
        }
    }

    /// Notes the entities that words before `start` or soon after `at` speak for.
    pub(super) fn look_around(&mut self, start: usize, at: usize) {
        self.look_before(start);
        let table = &self.engine.context;
        self.ahead.clear();
        table.after(self.words, self.text, at, AHEAD, self.ahead);
        self.near.clear();
        table.near(self.hits.get(..self.hits_before).unwrap_or_default(), &mut self.near);
        table.near(self.ahead, &mut self.near);
    }

    /// The best word for an entity near a candidate.
    pub(crate) fn hit(&mut self, start: usize, end: usize, entity: u16) -> Option<Hit> {
        self.look_before(start);
        let table = &self.engine.context;
        if end > start && self.hits_end != end {
            self.hits.truncate(self.hits_before);
            table.after(self.words, self.text, end, AFTER, self.hits);
            self.hits_end = end;
        }
        let ours = self.hits.iter().filter(|h| table.speaks_for(h.phrase, entity));
        ours.min_by_key(|h| (table.is_generic(h.phrase), h.after, h.distance, u8::MAX - h.words))
            .copied()
    }

    pub(super) fn propose(
        &mut self,
        start: usize,
        end: usize,
        id: Id,
        base: f32,
        verdict: Verdict,
    ) {
        self.push(start, end, id as u16, base, verdict, Source::Program, None);
    }

    /// Scores a candidate and keeps it if it reaches the threshold.
    #[expect(clippy::too_many_arguments, reason = "what a candidate is made of, each once")]
    pub(crate) fn push(
        &mut self,
        start: usize,
        end: usize,
        entity: u16,
        base: f32,
        verdict: Verdict,
        source: Source,
        note: Option<&'static str>,
    ) {
        let engine = self.engine;
        work(1);
        if !engine.wanted(entity) || end <= start {
            return;
        }
        let context = self.hit(start, end, entity);
        let base = if engine.explicit && verdict == Verdict::Valid { 1.0 } else { base };
        let boost = match context {
            None => 0.0,
            Some(hit) if engine.context.is_generic(hit.phrase) => 0.3,
            Some(hit) => {
                let near = match (hit.after, hit.distance) {
                    (false, 0) => 0.1,
                    (false, 1) => 0.07,
                    (false, 2) => 0.04,
                    _ => 0.0,
                };
                // "Korean passport number" says more than "passport number".
                0.35 + near + 0.06 * f32::from(hit.words.clamp(1, 3) - 1)
            }
        };
        let score = if context.is_some() { (base + boost).max(0.4) } else { base }.min(1.0);
        if score < engine.threshold(entity) {
            return;
        }
        // The same stretch for the same entity: the stronger reason stays.
        for other in self.out.iter_mut().rev().take(8) {
            if other.entity == entity && other.start == start && other.end == end {
                if score > other.score {
                    (other.base, other.score, other.verdict) = (base, score, verdict);
                    (other.source, other.context) = (source, context);
                }
                return;
            }
        }
        self.out.push(Candidate {
            start,
            end,
            entity,
            base,
            score,
            verdict,
            source,
            context,
            note,
        });
    }
}

/// Whether the comma at `comma` stands within a number, such as 1,234 or 3,50, rather than between two
/// values of a list or of a table.
pub(super) fn in_number(b: &[u8], comma: usize) -> bool {
    let digit = |c: &&u8| c.is_ascii_digit();
    let before = b.get(..comma).unwrap_or_default();
    let after = b.get(comma + 1..).unwrap_or_default();
    let left = before.iter().rev().take(4).take_while(digit).count();
    let right = after.iter().take(4).take_while(digit).count();
    // What goes on is an identifier or a date of its own.
    let longer = matches!(after.get(right..), Some([b'-' | b'/' | b':' | b'.' | b' ', c, ..]) if c.is_ascii_digit());
    let decimal = matches!(after.get(right..), Some([b'.', c, ..]) if c.is_ascii_digit())
        && !after.iter().skip(right + 1).take(12).any(|c| matches!(c, b'.' | b'-'));
    let whole = left <= 3
        && !matches!(before.len().checked_sub(left + 1).and_then(|i| before.get(i)), Some(c) if c.is_ascii_alphanumeric() || b"-/:.)".contains(c));
    match right {
        _ if left == 0 => false,
        1 | 2 => whole && !longer,
        3 => whole && (!longer || decimal),
        _ => false,
    }
}

/// Whether a shape may end here.
fn ends(text: &str, b: &[u8], end: usize) -> bool {
    match b.get(end..) {
        None | Some([]) => true,
        Some([c, rest @ ..]) if *c < 0x80 => {
            let digit = rest.first().is_some_and(u8::is_ascii_digit);
            CLASS[usize::from(*c)] & WORD == 0
                && !matches!(c, b'%' | b'@')
                && !(matches!(c, b'-' | b'/' | b'.' | b':') && digit)
        }
        Some(_) => {
            let c = text.get(end..).and_then(|t| t.chars().next());
            c.is_none_or(|c| !c.is_alphanumeric() || is_dense(c))
        }
    }
}
