//! A transformation, a mechanism and a stage of one's own, composed with the library's.
//!
//! The question: on how many days did users have to prove a second factor, and may the help desk
//! hear "more than usual" about this week? Run it with `cargo run --example custom_pipeline`.

#![allow(clippy::print_stdout, reason = "a program that prints its result")]

use std::borrow::Cow;

use confidant::core::conformance;
use confidant::core::prelude::*;
use confidant::dp::additive::LaplaceNoise;
use confidant::dp::bound::BoundRows;
use confidant::dp::transform::Count;

/// One prompt for a second factor: who, and on which day of the year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Prompt {
    user: u32,
    day: u16,
}

impl HasUnit for Prompt {
    type Unit = u32;

    fn unit(&self) -> u32 {
        self.user
    }
}

/// A transformation of one's own: one row for each user and day, however many prompts there were.
///
/// It maps users to users: without a user's prompts, exactly that user's rows are missing. So
/// inputs that differ in d users have outputs that differ in d users.
struct OncePerDay;

impl Transformation for OncePerDay {
    type Input = Rows<Prompt, User>;
    type Output = Rows<Prompt, User>;

    fn apply(&self, prompts: &[Prompt]) -> Result<Vec<Prompt>> {
        let mut days = prompts.to_vec();
        days.sort();
        days.dedup();
        Ok(days)
    }

    fn stability(&self, d_in: Changes) -> Result<Changes> {
        Ok(d_in)
    }
}

/// A mechanism of one's own: says only whether a number is above a threshold, after adding noise.
///
/// The answer is computed from the noisy number alone, so it costs what the number costs
/// (post-processing).
struct AboveThreshold {
    threshold: i128,
    noise: LaplaceNoise<Scalar<i128>>,
}

impl Mechanism for AboveThreshold {
    type Input = Scalar<i128>;
    type Measure = PureDp;
    type Output = bool;

    fn draw(&self, value: &i128, rng: &mut dyn SecureRng) -> Result<bool> {
        Ok(self.noise.draw(value, rng)? > self.threshold)
    }

    fn cost(&self, d_in: Amount) -> Result<PureCost> {
        self.noise.cost(d_in)
    }
}

/// A stage of one's own: puts a released answer into words.
struct Notice;

impl Stage for Notice {
    type Input = Release<bool>;
    type Output = &'static str;

    fn name(&self) -> Cow<'static, str> {
        "notice for the help desk".into()
    }

    fn effect(&self) -> Effect {
        Effect::PostProcessing
    }

    fn run(&self, above: Release<bool>, _: &mut Context) -> Result<&'static str> {
        Ok(if *above.value() { "more than usual" } else { "as usual" })
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // 2,000 users; every fifth was prompted on three days of the week, some of them repeatedly.
    let prompts: Vec<Prompt> = (0..2_000)
        .filter(|user| user % 5 == 0)
        .flat_map(|user| (0..9).map(move |i| Prompt { user, day: 300 + (user as u16 + i) % 3 }))
        .collect();

    // A user is counted on at most 3 days, so one user moves the count by at most 3. At scale 15
    // that costs 3/15 = 0.2.
    let days = BoundRows::new(3)?;
    let chain = OncePerDay.then(days).then(Count::new()).then(AboveThreshold {
        threshold: 1_000,
        noise: LaplaceNoise::with_scale(Amount::from_integer(15))?,
    });
    println!("one release costs {}", chain.cost(Changes::NEIGHBOURS)?);

    // The promises, tried out; an application does this in its tests.
    let without_user_5: Vec<Prompt> = prompts.iter().copied().filter(|p| p.user != 5).collect();
    conformance::stability(&OncePerDay, &[(prompts.clone(), without_user_5)])?;
    let distances = [Amount::ZERO, Amount::from_integer(1), Amount::from_integer(3)];
    let noise = LaplaceNoise::with_scale(Amount::from_integer(15))?;
    conformance::monotone_cost(&AboveThreshold { threshold: 0, noise }, &distances)?;

    // The chain becomes a stage that draws on the budget of its context; the notice follows it.
    let pipeline =
        Pipeline::new(MechanismStage::new("days with a second factor", chain)?).then(Notice);
    println!("\nthe plan:\n{}\n", pipeline.plan()?);

    let trail = MemoryAudit::new();
    let mut cx = Context::new(Actor::new("help-desk-bot"), Purpose::new("workload"))?
        .with_budget(MemoryBudget::new(Epsilon::new(0.5)?))
        .with_audit(trail.clone());
    for week in 1..=3 {
        match pipeline.run(Sensitive::new(prompts.clone()), &mut cx) {
            Ok(notice) => println!("week {week}: {notice}"),
            Err(refused) => println!("week {week}: {refused}"),
        }
    }
    if let Some(left) = cx.remaining()? {
        println!("\n{left} is left; the audit trail has {} records:", trail.records().len());
    }
    for record in trail.records() {
        let price = record.charge.map_or_else(|| "free".to_owned(), |charge| charge.to_string());
        println!("  {} ({price}): {:?}", record.resource, record.outcome);
    }
    Ok(())
}
