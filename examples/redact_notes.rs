//! A support ticket in, a safe one out, with the explanation of each finding.
//!
//! `cargo run --example redact_notes --features deid [FILE]`

#![allow(clippy::print_stdout, reason = "an example that shows")]

use confidant::deid::{Analyzer, Keys, Operator, Policy};

const TICKET: &str = "\
Ticket 48213, opened 3 March 2026 by agent Tom
Customer: Marta Kowalska, 34 years old, of 12 Baker Street, Leeds
She wrote from marta.kowalska@example.org and can be reached at +44 20 7946 0958.
Refund to IBAN GB82 WEST 1234 5698 7654 32; the card was 4111 1111 1111 1111.
Her login came from 203.0.113.17; the old password: Sunny-Day-42 no longer works.
";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let text = match std::env::args().nth(1) {
        Some(file) => std::fs::read_to_string(file)?,
        None => TICKET.to_owned(),
    };
    let analyzer = Analyzer::new()?;
    // A fixed key shows the example; read yours from a key store.
    let key: Vec<u8> = (0..32u8).map(|i| i.wrapping_mul(37) ^ 0x5a).collect();
    let keys = Keys::new().with("tickets", &key)?;
    let policy = Policy::new()
        .with("PERSON", Operator::Surrogate { key: "tickets".into() })
        .with("EMAIL_ADDRESS", Operator::Token { key: "tickets".into() })
        .with("CREDIT_CARD", Operator::Fpe { key: "tickets".into(), card: true })
        .with("DATE_TIME", Operator::DateShift { key: "tickets".into(), max_days: 90 })
        .with("PASSWORD", Operator::Replace { with: "(removed)".into() })
        .compile(&analyzer, &keys)?;

    let findings = analyzer.scan(&text)?;
    let safe = policy.apply_for("ticket 48213", &text, &findings)?;
    println!("{}", safe.text);
    println!("Names in it are surrogates: made up, and the same for the same person everywhere.");
    println!("\nWhy:\n{}", findings.explain());
    let (restored, refused) = policy.restore_tokens(&safe.text)?;
    println!("With the key, e-mail addresses come back ({refused} tokens refused):");
    println!("{}", restored.lines().nth(2).unwrap_or_default());
    Ok(())
}
