//! From a table nobody has looked at to one that may be handed out: scan, classify, choose, transform.
//!
//! `cargo run --release --features deid,kanon --example scan_and_transform`
//!
//! The scan says what each column holds and how sensitive that is. From it follows a treatment of each
//! column, with a reason; a person changes what they know better, within what is safe. The plan is
//! shown, and only then are rows transformed: columns one by one, then rows together until each hides
//! among five. A choice that would let an address through is refused before a row is read.

#![allow(clippy::print_stdout, reason = "a program that prints its result")]
#![allow(unreachable_pub, reason = "a program has no outside; `pub` means seen by other modules")]

mod choice;
mod transform;

use confidant::core::prelude::*;
use confidant::deid::inventory::Inventorist;
use confidant::deid::{Analyzer, Keys};
use confidant::kanon::prelude::{CsvOptions, Kind, Model};
use confidant::kanon::stage::AnonymizeStage;

use choice::{Choices, Treatment};
use transform::TransformColumns;

type Outcome<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Outcome<()> {
    let text = customers();
    let analyzer = Analyzer::new()?;

    // Scan and classify: a sample of each column.
    let inventory = Inventorist::new(&analyzer).csv("customers", text.as_bytes())?;
    println!("{} rows of `{}` were looked at:", inventory.rows, inventory.source);
    for column in &inventory.columns {
        let holds = column.verdict.as_ref().map_or("nothing found", |found| found.entity.name());
        println!("  {:10} {:14} {}", column.name, holds, column.level);
    }

    // Choose: what the inventory suggests, and what only people can know.
    let mut choices = Choices::suggested(&inventory);
    choices.set("plan", Treatment::Sensitive, "what a reader must not learn of anyone")?;
    choices.set("postcode", Treatment::Masked, "narrows down a person together with the year")?;
    choices.set("id", Treatment::Drop, "our own number for a customer")?;
    choices.set("name", Treatment::Drop, "the partner answers under the token of the address")?;
    if let Err(refused) = choices.set("email", Treatment::Keep, "the partner asked for it") {
        println!("\nrefused: {refused}");
    }
    println!("\nwhat becomes of each column:\n{choices}");

    // The plan, for review. Nothing has been transformed yet.
    let key: Vec<u8> = (0..32u8).map(|i| i.wrapping_mul(37) ^ 0x5a).collect(); // yours: from a key store
    let keys = Keys::new().with("tables", &key)?;
    let models = vec![Model::k_anonymity(5)?, Model::distinct_diversity("plan", 2)?];
    let pipeline = Pipeline::new(TransformColumns::new(&choices, analyzer, &keys)?)
        .then(AnonymizeStage::new(choices.roles(), models).suppress_at_most(0.05));
    println!("\nthe plan:\n{}\n", pipeline.plan()?);

    // Approved: run.
    let trail = MemoryAudit::new();
    let mut cx = Context::new(Actor::new("data-office"), Purpose::new("partner study"))?
        .with_audit(trail.clone());
    let table = CsvOptions::new().kind("postcode", Kind::Text).read(text.as_bytes())?;
    let release = pipeline.run(Sensitive::new(table), &mut cx)?;
    let certificate = release.certificate();
    println!(
        "{} rows in {} classes of at least {}, {} left out, verified: {}",
        certificate.rows,
        certificate.classes,
        certificate.smallest_class,
        certificate.suppressed,
        certificate.verified
    );
    let mut out = Vec::new();
    CsvOptions::new().write(release.table(), &mut out)?;
    let out = String::from_utf8(out)?;
    out.lines().take(4).for_each(|line| println!("  {line}"));
    println!("{} records in the audit trail", trail.records().len());

    // Nobody's name, address or number is left, also not in the notes.
    assert!(certificate.verified && certificate.smallest_class >= 5);
    assert!(!out.contains('@') && !out.contains("+44") && !out.contains("Bennett"));
    Ok(())
}

/// 2,000 made-up customers with a note each.
fn customers() -> String {
    const FIRST: [&str; 6] = ["Marta", "Peter", "Julia", "Thomas", "Laura", "Daniel"];
    const LAST: [&str; 5] = ["Kowalska", "Bennett", "Rossi", "Schneider", "Lefevre"];
    const NOTES: [&str; 4] =
        ["prefers mail", "call back on", "asked about invoices", "sent a copy to"];
    let mut text = String::from("id,name,email,birth_date,postcode,plan,note\n");
    for i in 0..2_000u32 {
        let wave = |step: u32, size: u32| i.wrapping_mul(step) % 1009 * size / 1009;
        let (first, last) = (FIRST[(i % 6) as usize], LAST[(i / 6 % 5) as usize]);
        let year = 1950 + wave(7919, 30) + wave(104_729, 26);
        let date = format!("{year}-{:02}-{:02}", 1 + wave(31, 12), 1 + wave(17, 28));
        let postcode = 8000 + wave(15_485_863, 10) * wave(32_452_843, 10);
        let plan = ["free", "team", "enterprise"][(wave(49_979_687, 3)) as usize];
        let address = format!("{}.{}{i}@example.org", first.to_lowercase(), last.to_lowercase());
        let note = match i % 4 {
            1 => format!("{} +44 20 7946 {:04}", NOTES[1], 100 + i % 900),
            3 => format!("{} {address}", NOTES[3]),
            other => NOTES[other as usize].to_owned(),
        };
        text.push_str(&format!("{i},{first} {last},{address},{date},{postcode},{plan},{note}\n"));
    }
    text
}
