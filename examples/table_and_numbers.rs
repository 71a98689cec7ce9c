//! A table for a partner and numbers for everyone, from the same profiles, with one ledger.
//!
//! `cargo run --release --features kanon,ledger --example table_and_numbers`
//!
//! The partner gets rows that are 5-anonymous with at least two plans in each class; the public gets
//! differentially private counts. Both are charged to and recorded in one ledger, and what may be said
//! of both together is stated: no more than what is true of each.

#![allow(clippy::print_stdout, reason = "a program that prints its result")]

use confidant::core::prelude::*;
use confidant::dp::additive::LaplaceNoise;
use confidant::dp::transform::{CountByGroup, Map};
use confidant::kanon::prelude::{CsvOptions, Intervals, Kind, Masking, Model, Roles, Table};
use confidant::kanon::stage::AnonymizeStage;
use confidant::ledger::{Account, Ledger};

const PLANS: [&str; 3] = ["free", "team", "enterprise"];

/// One user's profile, as the application holds it.
#[derive(Clone, Debug)]
struct Profile {
    email: String,
    birth_year: u32,
    postcode: u32,
    plan: &'static str,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let profiles = profiles();
    let ledger = Ledger::in_memory(); // in production: Ledger::open("budget.db")?
    let account = ledger.open_account(Account::at("acme/profiles", Epsilon::new(1.0)?)?)?;
    let mut cx = Context::new(Actor::new("data-office"), Purpose::new("capacity planning 2027"))?
        .ledger(account);

    // The table. Each column needs a role; what is a direct identifier is dropped.
    let models = vec![Model::k_anonymity(5)?, Model::distinct_diversity("plan", 2)?];
    let roles = Roles::new()
        .identifying("email")
        .quasi("birth_year", Intervals::new(1920, 2020).widths([5, 10, 50]))
        .quasi("postcode", Masking::new())
        .sensitive("plan");
    let table = Pipeline::new(AnonymizeStage::new(roles, models.clone()).suppress_at_most(0.02));
    println!("for the partner:\n{}\n", table.plan()?);

    // The numbers: one profile is one user, so a user moves one count by 1.
    let chain = Map::<Profile, &str, _>::new(|profile| profile.plan)
        .then(CountByGroup::new(&PLANS)?)
        .then(LaplaceNoise::vector(Amount::from_integer(4))?);
    let numbers = Pipeline::new(MechanismStage::new("users by plan", chain)?);
    println!("for everyone:\n{}\n", numbers.plan()?);

    // What both say together, before either runs.
    let both = Guarantee::together([
        table.plan()?.guarantee().clone(),
        numbers.plan()?.guarantee().clone(),
    ]);
    println!("together: {both}\n");

    let released = table.run(Sensitive::new(as_table(&profiles)?), &mut cx)?;
    let certificate = released.certificate();
    println!(
        "table: {} rows in {} classes of at least {}, {} left out, verified: {}",
        certificate.rows,
        certificate.classes,
        certificate.smallest_class,
        certificate.suppressed,
        certificate.verified
    );
    let counts = numbers.run(Sensitive::new(profiles.clone()), &mut cx)?;
    for (plan, count) in PLANS.iter().zip(counts.value()) {
        println!("{plan:10} about {count} users");
    }
    println!("\n{ledger}");

    // A table in which an identifier has no role is refused, and nothing is released.
    let forgotten = Roles::new()
        .quasi("birth_year", Intervals::new(1920, 2020).widths([5, 10, 50]))
        .quasi("postcode", Masking::new())
        .sensitive("plan");
    let leak = Pipeline::new(AnonymizeStage::new(forgotten, models));
    match leak.run(Sensitive::new(as_table(&profiles)?), &mut cx) {
        Ok(_) => Err("a table with an identifier was released".into()),
        Err(refused) => {
            println!("without a role for the e-mail address: {refused}");
            Ok(())
        }
    }
}

fn as_table(profiles: &[Profile]) -> Result<Table, Box<dyn std::error::Error>> {
    let mut text = String::from("email,birth_year,postcode,plan\n");
    for Profile { email, birth_year, postcode, plan } in profiles {
        text.push_str(&format!("{email},{birth_year},{postcode},{plan}\n"));
    }
    Ok(CsvOptions::new().kind("postcode", Kind::Text).read(text.as_bytes())?)
}

/// 5,000 users: birth years around 1985, a hundred postcodes of unequal size.
fn profiles() -> Vec<Profile> {
    (0..5_000u32)
        .map(|i| {
            let wave = |step: u32, size: u32| i.wrapping_mul(step) % 1009 * size / 1009;
            Profile {
                email: format!("user{i}@example.org"),
                birth_year: 1950 + wave(7919, 30) + wave(104_729, 26),
                postcode: 8000 + wave(15_485_863, 10) * wave(32_452_843, 10),
                plan: PLANS[(wave(49_979_687, 10) / 5 + wave(67_867_967, 10) / 7) as usize],
            }
        })
        .collect()
}
