//! The analyzer: configured once, shared, immutable.

use std::collections::HashMap;
use std::sync::Arc;

use crate::checksum::Verdict;
use crate::context::ContextTable;
use crate::engine::{CustomRecognizer, Engine, Labels};
use crate::entity::Entity;
use crate::error::{Error, Result};
use crate::evaluate::Calibration;
use crate::finding::{ContextWord, Evidence, Finding, Findings};
use crate::names::NerBackend;
use crate::recognizer::shape::Index;
use crate::recognizer::{DenyList, Recognizer, custom, import, table};
use crate::resolve::{Resolved, resolve};
use crate::scan::phone::PhoneLeniency;
use crate::scan::{Candidate, DECIDES, Id, Scan, Source, Tables, block};
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

/// What an analyzer looks for and how; see [`Analyzer::builder`].
#[derive(Default)]
#[must_use = "a builder does nothing until `build`"]
pub struct AnalyzerBuilder {
    countries: Option<Vec<String>>,
    entities: Option<Vec<Entity>>,
    without: Vec<Entity>,
    threshold: Option<f32>,
    thresholds: Vec<(Entity, f32)>,
    recognizers: Vec<Recognizer>,
    deny: Vec<DenyList>,
    allow: Vec<String>,
    allow_expression: Option<regex::Regex>,
    leniency: Option<PhoneLeniency>,
    names: NamesChoice,
    context: Vec<(Entity, Vec<String>)>,
    calibration: Option<Arc<Calibration>>,
}

#[derive(Default)]
enum NamesChoice {
    #[default]
    BuiltIn,
    None,
    Backend(Arc<dyn NerBackend>),
}

impl std::fmt::Debug for AnalyzerBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AnalyzerBuilder")
            .field("countries", &self.countries)
            .field("entities", &self.entities)
            .field("threshold", &self.threshold)
            .finish_non_exhaustive()
    }
}

impl AnalyzerBuilder {
    /// Only these countries' identifiers and telephone numbers, as ISO 3166 codes, besides those
    /// of no country. Without this, all.
    pub fn countries<S: AsRef<str>>(mut self, codes: impl IntoIterator<Item = S>) -> Self {
        self.countries = Some(codes.into_iter().map(|c| c.as_ref().to_lowercase()).collect());
        self
    }

    /// Only these entities. What is asked for by name is reported without context words too if its
    /// check characters hold.
    pub fn entities<E: Into<Entity>>(mut self, entities: impl IntoIterator<Item = E>) -> Self {
        self.entities = Some(entities.into_iter().map(Into::into).collect());
        self
    }

    /// None of these entities.
    pub fn without<E: Into<Entity>>(mut self, entities: impl IntoIterator<Item = E>) -> Self {
        self.without.extend(entities.into_iter().map(Into::into));
        self
    }

    /// The least score that is reported, 0 to 1; [`DEFAULT_THRESHOLD`] unless set.
    pub fn threshold(mut self, threshold: f32) -> Self {
        self.threshold = Some(threshold);
        self
    }

    /// The least score for one entity.
    pub fn threshold_for(mut self, entity: impl Into<Entity>, threshold: f32) -> Self {
        self.thresholds.push((entity.into(), threshold));
        self
    }

    /// Adds a recognizer of your own.
    pub fn recognizer(mut self, recognizer: Recognizer) -> Self {
        self.recognizers.push(recognizer);
        self
    }

    /// Adds terms that are always an entity.
    pub fn deny(mut self, list: DenyList) -> Self {
        self.deny.push(list);
        self
    }

    /// Adds texts that are never reported: findings that equal one of them, letter by letter.
    pub fn allow<S: Into<String>>(mut self, texts: impl IntoIterator<Item = S>) -> Self {
        self.allow.extend(texts.into_iter().map(Into::into));
        self
    }

    /// Never reports findings in whose text this expression matches.
    ///
    /// # Errors
    ///
    /// [`Error::Recognizer`] if the expression does not parse.
    pub fn allow_matching(mut self, expression: &str) -> Result<Self> {
        let regex = regex::Regex::new(expression).map_err(|_| Error::Recognizer {
            name: "allow list".to_owned(),
            reason: "the expression does not parse".into(),
        })?;
        self.allow_expression = Some(regex);
        Ok(self)
    }

    /// More words that speak for an entity.
    pub fn context<S: Into<String>>(
        mut self,
        entity: impl Into<Entity>,
        words: impl IntoIterator<Item = S>,
    ) -> Self {
        self.context.push((entity.into(), words.into_iter().map(Into::into).collect()));
        self
    }

    /// How strictly telephone numbers are judged; [`PhoneLeniency::Valid`] unless set.
    pub fn phone_leniency(mut self, leniency: PhoneLeniency) -> Self {
        self.leniency = Some(leniency);
        self
    }

    /// Without persons, places and organizations: patterns only, much faster.
    pub fn without_names(mut self) -> Self {
        self.names = NamesChoice::None;
        self
    }

    /// Names by a backend of your own instead of the built-in tagger.
    pub fn names(mut self, backend: impl NerBackend + 'static) -> Self {
        self.names = NamesChoice::Backend(Arc::new(backend));
        self
    }

    /// Scores as probabilities, by a calibration that was fitted to labelled text.
    pub fn calibration(mut self, calibration: Calibration) -> Self {
        self.calibration = Some(Arc::new(calibration));
        self
    }

    /// Adds the custom recognizers of a registry in Presidio's YAML; its `supported_countries`
    /// apply. Predefined recognizers are built in already; those with `enabled: false` are left out.
    ///
    /// # Errors
    ///
    /// [`Error::Document`] if the document does not parse, [`Error::Recognizer`] if an entry
    /// contradicts itself or an expression needs look-around.
    pub fn presidio_yaml(mut self, yaml: &str) -> Result<Self> {
        let imported = import::presidio(yaml)?;
        for class in imported.disabled {
            let names = crate::entity::all().map(crate::entity::Info::name);
            let entity = import::predefined(&class, names).ok_or_else(|| Error::Recognizer {
                name: class.clone(),
                reason: "no built-in recognizer has that name: leave it out".into(),
            })?;
            if entity == "PERSON" {
                self.names = NamesChoice::None;
            } else {
                self.without.push(Entity::exact(entity));
            }
        }
        self.recognizers.extend(imported.recognizers);
        if imported.countries.is_some() {
            self.countries = imported.countries;
        }
        Ok(self)
    }

    /// Compiles the analyzer.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownEntity`], [`Error::UnknownCountry`], [`Error::Parameter`] for a threshold out
    /// of 0 to 1, [`Error::Recognizer`] for terms that are too many.
    pub fn build(self) -> Result<Analyzer> {
        let (rows, patterns) = table::read();
        let mut entities: Vec<Entity> = rows.iter().map(|r| Entity::exact(r.name)).collect();
        let mut by_name: HashMap<Entity, u16> =
            entities.iter().enumerate().map(|(i, e)| (e.clone(), i as u16)).collect();
        let mut context = ContextTable::new(&rows);
        let mut custom = Vec::new();
        for list in self.deny {
            let mut recognizer = Recognizer::new(list.entity.name());
            recognizer.terms = list.terms;
            recognizer.terms_score = list.score;
            custom.push(recognizer);
        }
        custom.extend(self.recognizers);
        let mut compiled = Vec::with_capacity(custom.len());
        let mut own_thresholds = Vec::new();
        for recognizer in custom {
            let id = *by_name.entry(recognizer.entity.clone()).or_insert_with(|| {
                entities.push(recognizer.entity.clone());
                (entities.len() - 1) as u16
            });
            context.extend(&recognizer.context, id);
            own_thresholds.extend(recognizer.threshold.map(|t| (id, t)));
            let terms = if recognizer.terms.is_empty() {
                None
            } else {
                let regex =
                    custom::terms_expression(&recognizer.terms).map_err(|_| Error::Recognizer {
                        name: recognizer.entity.name().to_owned(),
                        reason: "its terms are too many: split the list".into(),
                    })?;
                Some((regex, recognizer.terms_score))
            };
            compiled.push(CustomRecognizer { entity: id, recognizer, terms });
        }
        for (entity, words) in &self.context {
            let id = lookup(&by_name, entity)?;
            context.extend(words, id);
        }
        let default = self.threshold.unwrap_or(DEFAULT_THRESHOLD);
        let within = |t: f32| (0.0..=1.0).contains(&t);
        if !within(default) || !self.thresholds.iter().all(|(_, t)| within(*t)) {
            return Err(Error::Parameter {
                parameter: "a threshold",
                requirement: "within 0 to 1",
            });
        }
        let mut thresholds = vec![default; entities.len()];
        for (id, t) in own_thresholds {
            thresholds[usize::from(id)] = t;
        }
        for (entity, t) in &self.thresholds {
            thresholds[usize::from(lookup(&by_name, entity)?)] = *t;
        }
        if let Some(codes) = &self.countries {
            for code in codes {
                let known = rows.iter().any(|r| r.country == code)
                    || crate::checksum::is_country(code.to_uppercase().as_bytes());
                if !known {
                    return Err(Error::UnknownCountry { code: code.clone() });
                }
            }
        }
        let mut enabled: Vec<bool> = rows
            .iter()
            .map(|r| match &self.countries {
                Some(codes) => r.country.is_empty() || codes.iter().any(|c| c == r.country),
                None => true,
            })
            .collect();
        enabled.resize(entities.len(), true);
        let explicit =
            self.entities.is_some() || self.countries.as_ref().is_some_and(|c| c.len() <= 2);
        if let Some(wanted) = &self.entities {
            enabled.fill(false);
            for entity in wanted {
                enabled[usize::from(lookup(&by_name, entity)?)] = true;
            }
        }
        for entity in &self.without {
            enabled[usize::from(lookup(&by_name, entity)?)] = false;
        }
        let index = Index::new(
            patterns
                .iter()
                .enumerate()
                .filter(|(_, p)| enabled.get(usize::from(p.entity)).copied().unwrap_or(false))
                .flat_map(|(i, p)| {
                    // The loose shapes begin where the others do, and elsewhere.
                    let shapes = if p.loose.is_empty() { &p.shapes } else { &p.loose };
                    shapes.iter().map(move |s| (i as u16, s))
                }),
        );
        let wants_names = [Id::Person, Id::Location, Id::Organization, Id::Nrp, Id::Title]
            .iter()
            .any(|id| enabled[*id as usize]);
        let names: Option<Arc<dyn NerBackend>> = match self.names {
            NamesChoice::None => None,
            NamesChoice::Backend(backend) => Some(backend),
            #[cfg(feature = "ner")]
            NamesChoice::BuiltIn if wants_names => Some(crate::names::built_in()?),
            NamesChoice::BuiltIn => None,
        };
        let _ = wants_names;
        let tables =
            Tables::new(self.countries.as_deref(), self.leniency.unwrap_or(PhoneLeniency::Valid));
        let notations = patterns.iter().map(|p| p.notation.into()).collect();
        Ok(Analyzer {
            engine: Arc::new(Engine {
                notations,
                entities,
                by_name,
                enabled,
                thresholds,
                explicit,
                named: self.entities.is_some(),
                patterns,
                index,
                context,
                tables,
                custom: compiled,
                allow: self.allow,
                allow_expression: self.allow_expression,
                names,
                calibration: self.calibration,
                labels: Labels {
                    table: "pattern".into(),
                    program: "built-in".into(),
                    custom: "custom".into(),
                    names: "names".into(),
                },
            }),
        })
    }
}

fn lookup(by_name: &HashMap<Entity, u16>, entity: &Entity) -> Result<u16> {
    by_name
        .get(entity)
        .copied()
        .ok_or_else(|| Error::UnknownEntity { name: entity.name().to_owned() })
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
        let mut rest = text;
        while !rest.is_empty() {
            let len = block(rest);
            let (part, more) = rest.split_at(len);
            place = self.block(part, place, &mut findings.list)?;
            rest = more;
        }
        Ok(())
    }

    /// Finds personal data in text that arrives in pieces; see [`Stream`].
    #[must_use]
    pub fn stream(&self) -> Stream<'_> {
        Stream { analyzer: self, held: String::new(), place: Place::default(), total: 0 }
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
        let mut rest = text;
        while !rest.is_empty() {
            let (part, more) = rest.split_at(block(rest));
            let view = View::new(part);
            let all = self.collect(&view)?;
            let mut counter = Counter::default();
            let mut single: Vec<Resolved> = all
                .into_iter()
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
    fn block(&self, text: &str, place: Place, out: &mut Vec<Finding>) -> Result<Place> {
        let view = View::new(text);
        let all = self.collect(&view)?;
        let mut counter = Counter::default();
        if !all.is_empty() {
            for resolved in merge_names(resolve(all), &view.text) {
                let finding = self.finding(&resolved, text, &view, place, &mut counter);
                if !self.allowed(&finding, text, place) {
                    out.push(finding);
                }
            }
        }
        Ok(advance(text, place, &mut counter))
    }

    fn collect(&self, view: &View<'_>) -> Result<Vec<Candidate>> {
        let mut scan = Scan::new(&self.engine, view);
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
                // A name does not swallow an identifier that was found by its form.
                let i = taken.partition_point(|(_, end)| *end <= range.start);
                if taken.get(i).is_some_and(|(start, _)| *start < range.end) {
                    continue;
                }
                if let Some(&id) = self.engine.by_name.get(&name.entity) {
                    scan.push(
                        range.start,
                        range.end,
                        id,
                        name.score,
                        Verdict::Unchecked,
                        Source::Names,
                        None,
                    );
                }
            }
        }
        Ok(scan.out)
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

/// A scan of text that arrives in pieces, with bounded memory.
///
/// However the text is cut, the findings are those of [`Analyzer::scan`] on the whole; their
/// positions count from the start of the stream. At most about 64 KiB of text is held.
///
/// # Example
///
/// ```
/// use deid_text::Analyzer;
///
/// let analyzer = Analyzer::builder().without_names().build()?;
/// let mut stream = analyzer.stream();
/// let mut findings = stream.push("Mail ana@exam")?;
/// findings.extend(stream.push("ple.org now.")?);
/// findings.extend(stream.finish()?);
/// assert_eq!(findings[0].span.range(), 5..20);
/// # Ok::<(), deid_text::Error>(())
/// ```
#[derive(Debug)]
pub struct Stream<'a> {
    analyzer: &'a Analyzer,
    held: String,
    place: Place,
    total: usize,
}

impl std::fmt::Debug for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.bytes)
    }
}

impl Stream<'_> {
    /// Takes the next piece and gives the findings that are settled.
    ///
    /// # Errors
    ///
    /// As [`Analyzer::scan`].
    pub fn push(&mut self, piece: &str) -> Result<Vec<Finding>> {
        self.held.push_str(piece);
        self.total += piece.len();
        let mut out = Vec::new();
        let mut done = 0;
        while self.held.len() - done >= DECIDES {
            let rest = self.held.get(done..).unwrap_or_default();
            let part = rest.get(..block(rest)).unwrap_or_default();
            self.place = self.analyzer.block(part, self.place, &mut out)?;
            done += part.len();
        }
        self.held.drain(..done);
        Ok(out)
    }

    /// Ends the text and gives the remaining findings.
    ///
    /// # Errors
    ///
    /// As [`Analyzer::scan`].
    pub fn finish(mut self) -> Result<Vec<Finding>> {
        let mut out = Vec::new();
        let held = std::mem::take(&mut self.held);
        let mut rest = held.as_str();
        while !rest.is_empty() {
            let (part, more) = rest.split_at(block(rest));
            self.place = self.analyzer.block(part, self.place, &mut out)?;
            rest = more;
        }
        Ok(out)
    }

    /// The bytes taken so far.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.total
    }
}
