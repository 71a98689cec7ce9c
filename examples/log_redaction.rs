//! A service that logs through `tracing`; personal data is replaced as lines are written.
//!
//! `cargo run --example log_redaction --features deid,deid-tracing`

use confidant::deid::log::Redacting;
use confidant::deid::{Analyzer, Keys, Operator, Policy};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let analyzer = Analyzer::builder().without_names().without(["DATE_TIME"]).build()?;
    let key: Vec<u8> = (0..32u8).map(|i| i.wrapping_mul(29) ^ 0x33).collect();
    let policy = Policy::new()
        .with("IP_ADDRESS", Operator::Hash { key: "logs".into(), bits: 64 })
        .compile(&analyzer, &Keys::new().with("logs", &key)?)?;
    let writer = Redacting::new(analyzer, policy, std::io::stdout);
    tracing_subscriber::fmt().with_ansi(false).with_writer(writer).init();

    tracing::info!(user = "ana@example.org", ip = "203.0.113.17", "signed in");
    tracing::warn!("card 4111 1111 1111 1111 was declined");
    tracing::info!(ip = "203.0.113.17", "signed out");
    Ok(())
}
