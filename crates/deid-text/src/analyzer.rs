//! The analyzer: configured once, shared, immutable.

mod builder;
mod stream;

use std::sync::Arc;

pub use builder::AnalyzerBuilder;
pub use stream::Stream;

use crate::checksum::Verdict;
use crate::engine::{CustomRecognizer, Engine};
use crate::entity::Entity;
use crate::error::{Error, Result};
use crate::finding::{ContextWord, Evidence, Finding, Findings};
use crate::resolve::{Resolved, resolve};
use crate::scan::{Candidate, Id, Scan, Scratch, Source, block};
use crate::span::{Counter, Span};
use crate::view::View;

/// The least score that is reported unless you say otherwise.
pub const DEFAULT_THRESHOLD: f32 = 0.4;

/// Finds personal data in text.
///
/// Immutable, `Send + Sync`, and cheap to clone: build one and share it.
///
/// # Privacy
///
/// Detection is heuristic. What is not found stays in the text; no guarantee is claimed.
///
/// # Example
///
/// ```
/// use deid_text::Analyzer;
///
/// let analyzer = Analyzer::new()?;
/// let findings = analyzer.scan("Write to ana@example.org or call +1 415 555 0132.")?;
/// let entities: Vec<_> = findings.iter().map(|f| f.entity.name()).collect();
/// assert_eq!(entities, ["EMAIL_ADDRESS", "PHONE_NUMBER"]);
/// # Ok::<(), deid_text::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Analyzer {
    pub(crate) engine: Arc<Engine>,
}

/// Where a block lies in the text it is of.
#[derive(Clone, Copy, Default)]
pub(crate) struct Place {
    pub(crate) bytes: usize,
    pub(crate) chars: usize,
    pub(crate) utf16: usize,
}

impl Analyzer {
    /// An analyzer for everything that is built in.
    ///
    /// # Errors
    ///
    /// As [`AnalyzerBuilder::build`]; none in practice.
    pub fn new() -> Result<Self> {
        Analyzer::builder().build()
    }

    /// Starts to configure an analyzer.
    pub fn builder() -> AnalyzerBuilder {
        AnalyzerBuilder::default()
    }

    /// The entities that this analyzer looks for.
    pub fn entities(&self) -> impl Iterator<Item = &Entity> {
        let enabled = self.engine.enabled.iter();
        self.engine.entities.iter().zip(enabled).filter(|(_, on)| **on).map(|(e, _)| e)
    }

    /// Whether some recognizer finds that entity.
    #[must_use]
    pub fn recognizes(&self, entity: &Entity) -> bool {
        self.engine.by_name.get(entity).is_some_and(|id| self.engine.wanted(*id))
    }

    /// Finds personal data in a text.
    ///
    /// # Errors
    ///
    /// [`Error::Backend`] if a backend for names fails. The built-in recognizers don't fail.
    pub fn scan(&self, text: &str) -> Result<Findings> {
        let mut findings = Findings::default();
        self.scan_into(text, &mut findings)?;
        Ok(findings)
    }

    /// As [`Analyzer::scan`], into findings that are used again; does not allocate when nothing that
    /// looks like personal data is there.
    ///
    /// # Errors
    ///
    /// As [`Analyzer::scan`].
    pub fn scan_into(&self, text: &str, findings: &mut Findings) -> Result<()> {
        findings.list.clear();
        findings.text_len = text.len();
        let mut place = Place::default();
        let mut scratch = Scratch::default();
        let mut rest = text;
        while !rest.is_empty() {
            let (part, more) = rest.split_at(block(rest));
            place = self.block(part, place, &mut scratch, &mut findings.list)?;
            rest = more;
        }
        Ok(())
    }

    /// Finds personal data in text that arrives in pieces; see [`Stream`].
    #[must_use]
    pub fn stream(&self) -> Stream<'_> {
        Stream {
            analyzer: self,
            held: String::new(),
            place: Place::default(),
            total: 0,
            scratch: Scratch::default(),
        }
    }

    /// Everything that was a candidate, overlapping or not, before conflicts are resolved: for
    /// tuning recognizers. In order of their starts.
    ///
    /// # Errors
    ///
    /// As [`Analyzer::scan`].
    pub fn candidates(&self, text: &str) -> Result<Vec<Finding>> {
        let mut out = Vec::new();
        let mut place = Place::default();
        let mut scratch = Scratch::default();
        let mut rest = text;
        while !rest.is_empty() {
            let (part, more) = rest.split_at(block(rest));
            let view = View::new(part);
            self.collect(&view, &mut scratch)?;
            let mut counter = Counter::default();
            let mut single: Vec<Resolved> = scratch
                .out
                .drain(..)
                .map(|c| Resolved { edit: (c.start, c.end), candidate: c, overruled: Vec::new() })
                .collect();
            single.sort_by_key(|r| (r.candidate.start, r.candidate.end));
            for resolved in single {
                let mut counter = Counter::default();
                out.push(self.finding(&resolved, part, &view, place, &mut counter));
            }
            place = advance(part, place, &mut counter);
            rest = more;
        }
        Ok(out)
    }

    /// Scans one block, appends its findings, and says where the next one starts.
    fn block(
        &self,
        text: &str,
        place: Place,
        scratch: &mut Scratch,
        out: &mut Vec<Finding>,
    ) -> Result<Place> {
        let view = View::new(text);
        self.collect(&view, scratch)?;
        let mut counter = Counter::default();
        if !scratch.out.is_empty() {
            for resolved in merge_names(resolve(&mut scratch.out), &view.text) {
                let finding = self.finding(&resolved, text, &view, place, &mut counter);
                if !self.allowed(&finding, text, place) {
                    out.push(finding);
                }
            }
        }
        Ok(advance(text, place, &mut counter))
    }

    /// Finds the candidates of one block, into `scratch.out`.
    fn collect(&self, view: &View<'_>, scratch: &mut Scratch) -> Result<()> {
        let mut scan = Scan::new(&self.engine, view, scratch);
        scan.patterns();
        for (i, custom) in self.engine.custom.iter().enumerate() {
            run_custom(&mut scan, i as u16, custom);
        }
        if let Some(backend) = &self.engine.names {
            let text: &str = &view.text;
            let mut taken: Vec<(usize, usize)> =
                scan.out.iter().filter(|c| c.score >= 0.5).map(|c| (c.start, c.end)).collect();
            taken.sort_unstable();
            for name in backend.tag(text)? {
                let range = name.range.clone();
                if text.get(range.clone()).is_none_or(str::is_empty) {
                    return Err(Error::Backend { backend: backend.name() });
                }
                // An entity that nobody knows would be passed over in silence.
                let Some(&id) = self.engine.by_name.get(&name.entity) else {
                    return Err(Error::Backend { backend: backend.name() });
                };
                // A name does not swallow an identifier that was found by its form.
                let i = taken.partition_point(|(_, end)| *end <= range.start);
                if taken.get(i).is_some_and(|(start, _)| *start < range.end) {
                    continue;
                }
                let verdict = Verdict::Unchecked;
                scan.push(range.start, range.end, id, name.score, verdict, Source::Names, None);
            }
        }
        self.drop_published(scan.out, view);
        Ok(())
    }

    /// Leaves out the bodies whose licences are printed everywhere, and their postal addresses.
    fn drop_published(&self, all: &mut Vec<Candidate>, view: &View<'_>) {
        const BODIES: [(&str, &str); 2] =
            [("Free Software", "Foundation"), ("Creative", "Commons")];
        /// How far such an address reaches.
        const REACH: usize = 200;
        if all.is_empty() || self.engine.named {
            return;
        }
        let text: &str = &view.text;
        let zip = self.engine.by_name.get(&Entity::exact("US_ZIP")).copied();
        for (first, second) in BODIES {
            // Where the body is named, and whether its address follows.
            let mut named: Vec<(usize, usize, bool)> = Vec::new();
            for at in memchr::memmem::find_iter(text.as_bytes(), first) {
                let rest = text.get(at + first.len()..).unwrap_or_default();
                // The name may be broken over lines of a comment.
                let gap = rest.bytes().take(25).take_while(|c| b" \n\r*#/".contains(c)).count();
                if (1..=24).contains(&gap) && rest.get(gap..).is_some_and(|r| r.starts_with(second))
                {
                    named.push((at, at + first.len() + gap + second.len(), false));
                }
            }
            if named.is_empty() {
                continue;
            }
            let before = |named: &[(usize, usize, bool)], start: usize| {
                let to = named.partition_point(|(at, ..)| *at <= start);
                named.partition_point(|(at, ..)| *at + REACH <= start)..to
            };
            for c in all.iter().filter(|c| c.entity == Id::Street as u16) {
                let near = before(&named, c.start);
                named.get_mut(near).into_iter().flatten().for_each(|n| n.2 = true);
            }
            all.retain(|c| {
                let next = named.partition_point(|(_, end, _)| *end <= c.start);
                let name = c.entity == Id::Organization as u16
                    && named.get(next).is_some_and(|(at, ..)| *at < c.end);
                let parts = [Id::Street, Id::Location, Id::Organization, Id::Phone];
                let part = parts.iter().any(|id| c.entity == *id as u16) || Some(c.entity) == zip;
                let near = named.get(before(&named, c.start)).unwrap_or_default();
                !(name || part && near.iter().any(|(_, _, address)| *address))
            });
        }
    }

    fn finding(
        &self,
        r: &Resolved,
        text: &str,
        view: &View<'_>,
        place: Place,
        counter: &mut Counter,
    ) -> Finding {
        let c = &r.candidate;
        let engine = &*self.engine;
        let (start, end) = view.original(c.start, c.end);
        let (edit_start, edit_end) = view.original(r.edit.0, r.edit.1);
        let (chars, utf16) = counter.advance(text, start);
        let (chars_end, utf16_end) = counter.advance(text, end);
        let name = |id: u16| {
            engine
                .entities
                .get(usize::from(id))
                .cloned()
                .unwrap_or_else(|| Entity::exact("UNKNOWN"))
        };
        let (recognizer, pattern): (Arc<str>, Option<Arc<str>>) = match c.source {
            Source::Pattern(i) => {
                let notation = engine.notations.get(usize::from(i)).cloned();
                (engine.labels.table.clone(), notation)
            }
            Source::Program => (engine.labels.program.clone(), None),
            Source::Custom(_) => (engine.labels.custom.clone(), c.note.map(Into::into)),
            Source::Names => (engine.labels.names.clone(), None),
        };
        let context = c.context.map(|hit| ContextWord {
            phrase: engine.context.text(hit.phrase),
            distance: hit.distance,
            after: hit.after,
        });
        let calibrated = engine
            .calibration
            .as_ref()
            .map_or(c.score, |k| k.probability(&name(c.entity), c.score));
        Finding {
            entity: name(c.entity),
            span: Span { start: place.bytes + start, end: place.bytes + end },
            edit: Span {
                start: place.bytes + edit_start.min(start),
                end: place.bytes + edit_end.max(end),
            },
            chars: place.chars + chars..place.chars + chars_end,
            utf16: place.utf16 + utf16..place.utf16 + utf16_end,
            score: calibrated,
            evidence: Evidence {
                recognizer,
                pattern,
                verdict: c.verdict,
                base: c.base,
                context,
                boost: (c.score - c.base).max(0.0),
                note: c.note.filter(|_| !matches!(c.source, Source::Custom(_))).map(Into::into),
                overruled: r.overruled.iter().map(|id| name(*id)).collect(),
            },
        }
    }

    fn allowed(&self, finding: &Finding, text: &str, place: Place) -> bool {
        if self.engine.allow.is_empty() && self.engine.allow_expression.is_none() {
            return false;
        }
        let range = finding.span.start - place.bytes..finding.span.end - place.bytes;
        let Some(found) = text.get(range) else { return false };
        self.engine.allow.iter().any(|a| a == found)
            || self.engine.allow_expression.as_ref().is_some_and(|e| e.is_match(found))
    }
}

fn advance(text: &str, place: Place, counter: &mut Counter) -> Place {
    let (chars, utf16) = counter.advance(text, text.len());
    Place {
        bytes: place.bytes + text.len(),
        chars: place.chars + chars,
        utf16: place.utf16 + utf16,
    }
}

fn run_custom(scan: &mut Scan<'_, '_>, id: u16, custom: &CustomRecognizer) {
    let text: &str = &scan.view.text;
    if let Some((terms, score)) = &custom.terms {
        for m in terms.find_iter(text) {
            let word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
            let before = text.get(..m.start()).and_then(|t| t.chars().next_back());
            let after = text.get(m.end()..).and_then(|t| t.chars().next());
            if !word(before) && !word(after) {
                scan.push(
                    m.start(),
                    m.end(),
                    custom.entity,
                    *score,
                    Verdict::Unchecked,
                    Source::Custom(id),
                    None,
                );
            }
        }
    }
    for pattern in &custom.recognizer.patterns {
        for m in pattern.regex.find_iter(text).filter(|m| !m.is_empty()) {
            let verdict = custom
                .recognizer
                .judge
                .as_ref()
                .map_or(Verdict::Unchecked, |judge| judge(m.as_str()));
            let score = match verdict {
                Verdict::Invalid => continue,
                Verdict::Valid => 1.0,
                Verdict::Unchecked => pattern.score,
            };
            scan.push(m.start(), m.end(), custom.entity, score, verdict, Source::Custom(id), None);
        }
    }
}

/// Neighbouring names of the same kind with nothing but blanks between them are one, so that the
/// number of words does not show.
fn merge_names(mut all: Vec<Resolved>, text: &str) -> Vec<Resolved> {
    all.dedup_by(|next, previous| {
        let (a, b) = (previous.candidate, next.candidate);
        let gap = text.get(a.end..b.start).unwrap_or("-");
        let merge = a.entity == b.entity
            && a.source == Source::Names
            && b.source == Source::Names
            && gap.chars().all(|c| c == ' ' || c == '\t');
        if merge {
            previous.candidate.end = b.end;
            previous.candidate.score = a.score.max(b.score);
            previous.edit.1 = next.edit.1;
        }
        merge
    });
    all
}

impl std::fmt::Debug for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.bytes)
    }
}
