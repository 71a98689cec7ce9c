//! Support notes: redacted with consistent surrogates, and counted by topic from the redacted notes
//! alone.

use std::borrow::Cow;
use std::collections::BTreeMap;

use confidant::core::context::Context;
use confidant::core::guarantee::{Effect, Guarantee};
use confidant::core::pipeline::Pipeline;
use confidant::core::random::{SecureRng, SystemRng};
use confidant::core::sensitive::Sensitive;
use confidant::core::stage::Stage;
use confidant::deid::evaluate::wilson;
use confidant::deid::{self, Analyzer, CompiledPolicy, Entity, Keys, Operator, Policy};
use confidant::dp::prelude::*;

use crate::error::Error;
use crate::made_up::note::{Note, TOPICS};
use crate::progress;
use crate::report::{Answer, TextStudy};

/// Redacted notes that a report shows.
const SAMPLES: usize = 4;

/// A note that may be read and counted.
#[derive(Clone)]
pub struct SafeNote {
    /// Whose it is, under a token that only the key's holder can trace back.
    customer: String,
    topic: &'static str,
    text: String,
}

/// Redacted notes, and how often which kind of personal data was replaced in them.
#[derive(Default)]
pub struct SafeNotes {
    notes: Vec<SafeNote>,
    replaced: BTreeMap<String, usize>,
}

/// Replaces personal data in notes. The key is drawn for one run: surrogates agree within a report and
/// not between reports.
pub struct RedactNotes<'a> {
    analyzer: &'a Analyzer,
    text: CompiledPolicy,
    customer: CompiledPolicy,
}

impl<'a> RedactNotes<'a> {
    pub fn new(analyzer: &'a Analyzer) -> Result<Self, Error> {
        let mut key = [0; 32];
        let mut rng = SystemRng::new().map_err(confidant::core::Error::from)?;
        rng.fill(&mut key).map_err(confidant::core::Error::from)?;
        let keys = Keys::new().with("notes", &key)?;
        let text = Policy::new()
            .with("PERSON", Operator::Surrogate { key: "notes".into() })
            .otherwise(Operator::Tag)
            .compile(analyzer, &keys)?;
        let customer = Policy::new()
            .with("PERSON", Operator::Token { key: "notes".into() })
            .otherwise(Operator::Redact)
            .compile(analyzer, &keys)?;
        Ok(RedactNotes { analyzer, text, customer })
    }

    fn redact(&self, note: &Note, safe: &mut SafeNotes) -> deid::Result<()> {
        let findings = self.analyzer.scan(&note.text)?;
        let redacted = self.text.apply(&note.text, &findings)?;
        for item in &redacted.items {
            *safe.replaced.entry(item.entity.name().to_owned()).or_default() += 1;
        }
        let person: Entity = "PERSON".into();
        let customer = self.customer.apply_value(&person, "customer", &note.user.to_string())?;
        safe.notes.push(SafeNote { customer, topic: note.topic, text: redacted.text });
        Ok(())
    }
}

impl<'a> Stage for RedactNotes<'a> {
    type Input = Sensitive<&'a [Note]>;
    type Output = SafeNotes;

    fn name(&self) -> Cow<'static, str> {
        "redact support notes".into()
    }

    fn effect(&self) -> Effect {
        let guarantee = Guarantee::Heuristic { method: METHOD.into() };
        Effect::Establishes { guarantee, distance: 1 }
    }

    fn run(&self, notes: Self::Input, _: &mut Context) -> confidant::core::Result<SafeNotes> {
        let notes = notes.expose();
        let bar = progress::steps(notes.len() as u64, "Redacting notes");
        let mut safe = SafeNotes::default();
        for note in *notes {
            self.redact(note, &mut safe).map_err(confidant::core::Error::technique)?;
            bar.inc(1);
        }
        bar.finish_and_clear();
        Ok(safe)
    }
}

const METHOD: &str =
    "personal data found by patterns and a tagger, and replaced under a key of this run";

/// What may be said of the notes, in a sentence.
pub fn guarantee() -> String {
    Guarantee::Heuristic { method: METHOD.into() }.to_string()
}

/// Redacts the notes and measures, against what is known to be in them, how much is gone.
pub fn redact<'a>(
    analyzer: &'a Analyzer,
    notes: &'a [Note],
    cx: &mut Context,
) -> Result<(Vec<SafeNote>, TextStudy), Error> {
    let pipeline = Pipeline::new(RedactNotes::new(analyzer)?);
    let SafeNotes { notes: safe, replaced } = pipeline.run(Sensitive::new(notes), cx)?;
    let (mut planted, mut gone) = (0, 0);
    for (note, safe) in notes.iter().zip(&safe) {
        planted += note.planted.len();
        gone += note.planted.iter().filter(|value| !safe.text.contains(*value)).count();
    }
    let mut replaced: Vec<(String, usize)> = replaced.into_iter().collect();
    replaced.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let (low, high) = wilson(gone, planted);
    // Shown are notes in which all that is known to be personal is gone.
    let clean = notes.iter().zip(&safe).filter(|(note, safe)| {
        !note.planted.is_empty() && note.planted.iter().all(|value| !safe.text.contains(value))
    });
    let every = (notes.len() / SAMPLES / 2).max(1);
    let samples = clean.map(|(_, safe)| safe.text.clone()).step_by(every).take(SAMPLES).collect();
    let texts = notes.len();
    let study = TextStudy { texts, replaced, planted, gone, gone_95: [low, high], samples };
    Ok((safe, study))
}

/// Redacted notes as CSV: the customer's token, the topic and the text of each.
pub fn to_csv(notes: &[SafeNote]) -> Result<String, Error> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record(["customer", "topic", "text"])?;
    for note in notes {
        csv.write_record([&note.customer, note.topic, &note.text])?;
    }
    let bytes = csv.into_inner().map_err(|error| csv::Error::from(error.into_error()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// How many customers wrote about what: from redacted notes, each customer counted once.
pub fn count(notes: &[SafeNote], epsilon: Epsilon, cx: Context) -> Result<Answer, Error> {
    let session = Session::over(notes)
        .unit(|note: &SafeNote| &note.customer)
        .max_rows_per_unit(1)
        .context(cx)
        .open()?;
    let name = "Customers by topic";
    let by = session.count().by(|note| note.topic, &TOPICS).named(name);
    let counts = by.epsilon(epsilon)?.release()?;
    let question = "customers with a support note, by topic".to_owned();
    Ok(Answer::groups(name, question, &counts, |topic| (*topic).to_owned()))
}
