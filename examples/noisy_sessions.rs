//! Five tenants' session minutes, added under encryption and opened only as a noisy sum.
//!
//! `cargo run --release --features he,ledger --example noisy_sessions`
//!
//! Each tenant bounds what one user adds, adds a share of discrete Gaussian noise, and encrypts. The
//! aggregator adds what it cannot read. The key holder opens the sum once the ledger has paid for it;
//! nobody has seen a tenant's total, and nobody knows the noise.

#![allow(clippy::print_stdout, reason = "a program that prints its result")]

use confidant::core::prelude::*;
use confidant::dp::noise::shares::NoiseShares;
use confidant::he::CiphertextVec;
use confidant::he::noise::encrypt_with_noise;
use confidant::he::policy::{Opener, Tally};
use confidant::he::prelude::{KeyOptions, PrivateKey, PublicKey};
use confidant::ledger::{Account, Ledger};
use num_rational::Ratio;

const TENANTS: u32 = 5;
/// What is used of one user's minutes in a day: the sensitivity of the sum.
const MINUTES_PER_USER: u64 = 60;
/// The standard deviation of the noise, in minutes.
const SIGMA: u32 = 600;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut rng = SystemRng::new()?;

    // The key holder opens sums of all five tenants, for a price, and nothing else.
    let key = PrivateKey::generate(KeyOptions::default(), &mut rng)?;
    let public = key.public_key().clone();
    let opener = Opener::new(key, TENANTS.into())?.charged_only();
    let ledger = Ledger::in_memory(); // in production: Ledger::open("budget.db")?
    let account = ledger.open_account(Account::at("tenants/usage", Rho::new(0.013)?)?)?;
    let mut cx = Context::new(Actor::new("platform"), Purpose::new("capacity"))?.ledger(account);

    // Shares for five honest tenants; priced as if one of them had sent none.
    let sigma_squared = Ratio::from_integer((SIGMA * SIGMA).into());
    let shares = NoiseShares::gaussian(sigma_squared, TENANTS)?;
    let price = shares.charge_with(TENANTS - 1, MINUTES_PER_USER)?;
    println!("a day's sum costs {price}");

    for day in 1..=3 {
        let mut tally = Tally::new(&public);
        for tenant in 0..TENANTS {
            let sent = tenant_sends(tenant, &shares, &public, &mut rng)?;
            tally.add(&tenant.to_be_bytes(), &CiphertextVec::from_bytes(&public, &sent)?)?;
        }
        let sums = tally.close(&public, &mut rng)?;

        // Without a budget there is no opening.
        assert!(opener.open(&sums).is_err());
        let ask = Ask::new(
            Resource::new("session minutes of all tenants"),
            price.clone(),
            Scope::of::<User, AddRemove>(),
        );
        match opener.open_charged(&sums, ask, &mut cx) {
            Ok(opened) => {
                let sum = opened.value.first().and_then(|sum| sum.to_i128()).unwrap_or_default();
                println!("day {day}: {sum} minutes, ± {} (95 %)", SIGMA * 2);
                assert!(sum.abs_diff(truth()) < u128::from(SIGMA) * 7);
            }
            Err(refused) => println!("day {day}: {refused}"),
        }
    }
    println!("\n{ledger}");
    Ok(())
}

/// What a tenant does in its own process: bound, add, add a share of noise, encrypt.
fn tenant_sends(
    tenant: u32,
    shares: &NoiseShares,
    public: &PublicKey,
    rng: &mut SystemRng,
) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let total = bounded_minutes(tenant);
    let share = |rng: &mut dyn SecureRng| Ok(shares.sample(rng)?);
    Ok(encrypt_with_noise(public, &[total], share, rng)?.to_bytes())
}

/// The minutes of a tenant's users, of which at most an hour of each counts.
fn bounded_minutes(tenant: u32) -> i128 {
    let users = 2_000 + 500 * tenant;
    let minutes = |user: u32| u64::from(user.wrapping_mul(7919) % 97);
    (0..users).map(|user| i128::from(minutes(user).min(MINUTES_PER_USER))).sum()
}

fn truth() -> i128 {
    (0..TENANTS).map(bounded_minutes).sum()
}
