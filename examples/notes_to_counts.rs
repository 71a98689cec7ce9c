//! Support notes without names that can still be counted by customer.
//!
//! `cargo run --release --features deid --example notes_to_counts`
//!
//! First pipeline: texts are redacted, and the same person gets the same surrogate in every note.
//! Second pipeline: from redacted notes alone, how many customers wrote about which topic, with
//! differential privacy for each customer. Whoever counts never sees a name.

#![allow(clippy::print_stdout, reason = "a program that prints its result")]

use std::borrow::Cow;

use confidant::core::prelude::*;
use confidant::deid::{Analyzer, CompiledPolicy, Entity, Keys, Operator, Policy};
use confidant::dp::additive::LaplaceNoise;
use confidant::dp::bound::BoundRows;
use confidant::dp::transform::{CountByGroup, Map};

const TOPICS: [&str; 3] = ["login", "billing", "export"];
const CUSTOMERS: usize = 600;

/// A note as support wrote it.
struct Note {
    customer: String,
    topic: &'static str,
    text: String,
}

/// A note that may be searched and counted: whose it is, under a name that only the key's holder
/// can trace back, and a text in which personal data was transformed where it was found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct SafeNote {
    customer: String,
    topic: &'static str,
    text: String,
}

impl HasUnit for SafeNote {
    type Unit = String;

    fn unit(&self) -> String {
        self.customer.clone()
    }
}

/// Redacts notes. Two operators on the same person, on purpose: the column gets a token, which no
/// two customers share, so that units stay units; the text gets a surrogate, which reads well.
struct RedactNotes {
    analyzer: Analyzer,
    policy: CompiledPolicy,
    column: CompiledPolicy,
}

impl RedactNotes {
    fn new(keys: &Keys) -> Result<Self, confidant::deid::Error> {
        let analyzer = Analyzer::new()?;
        let policy = Policy::new()
            .with("PERSON", Operator::Surrogate { key: "notes".into() })
            .otherwise(Operator::Tag)
            .compile(&analyzer, keys)?;
        let column = Policy::new()
            .with("PERSON", Operator::Token { key: "notes".into() })
            .otherwise(Operator::Redact)
            .compile(&analyzer, keys)?;
        Ok(RedactNotes { analyzer, policy, column })
    }

    fn redact(&self, note: &Note) -> Result<SafeNote, confidant::deid::Error> {
        let findings = self.analyzer.scan(&note.text)?;
        let person: Entity = "PERSON".into();
        Ok(SafeNote {
            customer: self.column.apply_value(&person, "customer", &note.customer)?,
            topic: note.topic,
            text: self.policy.apply(&note.text, &findings)?.text,
        })
    }
}

impl Stage for RedactNotes {
    type Input = Sensitive<Vec<Note>>;
    type Output = Vec<SafeNote>;

    fn name(&self) -> Cow<'static, str> {
        "redact support notes".into()
    }

    fn effect(&self) -> Effect {
        let method = "names and identifiers as far as they are found, replaced under a key";
        let guarantee = Guarantee::Heuristic { method: method.into() };
        Effect::Establishes { guarantee, distance: 1 }
    }

    fn run(&self, notes: Self::Input, _: &mut Context) -> Result<Vec<SafeNote>> {
        notes.expose().iter().map(|note| self.redact(note).map_err(Error::technique)).collect()
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut cx = Context::new(Actor::new("support-analytics"), Purpose::new("staffing"))?
        .with_budget(MemoryBudget::new(Epsilon::new(1.0)?));

    // A fixed key shows the example; read yours from a key store.
    let key: Vec<u8> = (0..32u8).map(|i| i.wrapping_mul(37) ^ 0x5a).collect();
    let redaction = Pipeline::new(RedactNotes::new(&Keys::new().with("notes", &key)?)?);
    println!("the first plan:\n{}\n", redaction.plan()?);
    let notes = redaction.run(Sensitive::new(notes()), &mut cx)?;
    for note in notes.iter().step_by(CUSTOMERS).take(3) {
        println!("  [{}] {}", note.topic, note.text);
    }

    // One note of each customer counts, so a customer moves the counts by at most 1.
    let chain = BoundRows::new(1)?
        .then(Map::<SafeNote, &str, _>::new(|note| note.topic))
        .then(CountByGroup::new(&TOPICS)?)
        .then(LaplaceNoise::vector(Amount::from_integer(2))?);
    let counting = Pipeline::new(MechanismStage::new("customers by topic", chain)?);
    println!("\nthe second plan:\n{}\n", counting.plan()?);
    let counts = counting.run(Sensitive::new(notes), &mut cx)?;
    for (topic, count) in TOPICS.iter().zip(counts.value()) {
        println!("  {topic:8} about {count} customers");
    }
    if let Some(left) = cx.remaining()? {
        println!("\n{left} left");
    }
    // Every customer was counted once, under whatever name: 600 in all, up to noise.
    let all: i128 = counts.value().iter().sum();
    assert!(all.abs_diff(CUSTOMERS as i128) < 200, "the tokens do not tell customers apart");
    Ok(())
}

/// Three notes of each customer, all of them about one topic.
fn notes() -> Vec<Note> {
    const FIRST: [&str; 6] = ["Marta", "Peter", "Julia", "Thomas", "Laura", "Daniel"];
    const LAST: [&str; 5] = ["Kowalska", "Bennett", "Rossi", "Schneider", "Lefevre"];
    const WORDS: [&str; 3] = ["called again about", "wrote from her phone about", "asked us about"];
    (0..3 * CUSTOMERS)
        .map(|i| {
            let (customer, topic) = (i % CUSTOMERS, TOPICS[i % CUSTOMERS % TOPICS.len()]);
            let name = format!("{} {}", FIRST[customer % 6], LAST[customer / 6 % 5]);
            let address = format!("customer{customer}@example.org");
            let words = WORDS[i / CUSTOMERS];
            let text = format!("{name} {words} {topic}. Answer to {address}, please.");
            Note { customer: format!("{name}, no. {customer}"), topic, text }
        })
        .collect()
}
