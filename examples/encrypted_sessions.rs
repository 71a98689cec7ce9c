//! Five tenants report how many seconds their users spent in sessions, each encrypted. An
//! aggregator that cannot read the reports adds them; the holder of the key opens the sum alone.
//!
//! `cargo run --release -p paillier-he --example encrypted_sessions`

#![allow(clippy::print_stdout, reason = "a program that reports to its user")]

use paillier_he::CiphertextVec;
use paillier_he::policy::{Opener, Tally};
use paillier_he::prelude::*;

/// Session seconds by hour of the day, of one tenant.
type Report = [u32; 24];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut rng = SystemRng::new()?;

    // The key holder: opens sums of at least five tenants, nothing else.
    let key = PrivateKey::generate(KeyOptions::default(), &mut rng)?;
    let public = key.public_key().clone();
    let opener = Opener::new(key, 5)?;

    // The tenants: each encrypts its 24 totals and sends bytes.
    let encoding = Encoding::integers_up_to(10_000_000u32);
    let mut sent = Vec::new();
    for tenant in 0..5u32 {
        let column = public.encrypt_batch(&report_of(tenant), &encoding, &mut rng)?;
        sent.push((tenant, column.to_bytes()));
    }
    println!("5 reports of 24 totals arrive encrypted, {} bytes each", sent[0].1.len());

    // The aggregator: checks, adds, blinds.
    let mut tally = Tally::new(&public);
    for (tenant, bytes) in &sent {
        tally.add(&tenant.to_be_bytes(), &CiphertextVec::from_bytes(&public, bytes)?)?;
    }
    let sums = tally.close(&public, &mut rng)?;

    // The key holder again.
    let opened = opener.open(&sums)?;
    println!("seconds in sessions of all tenants, by hour:");
    for (hour, total) in opened.iter().enumerate() {
        println!("{hour:>2} h {total:>9}");
    }
    let expected: u64 = (0..5).flat_map(report_of).map(u64::from).sum();
    let sum: i128 = opened.iter().filter_map(Number::to_i128).sum();
    assert_eq!(sum, i128::from(expected));
    Ok(())
}

/// What a tenant's own system would count.
fn report_of(tenant: u32) -> Report {
    std::array::from_fn(|hour| (tenant + 3) * 3600 * (12 - hour.abs_diff(13) as u32 / 2))
}
