//! The side of `benches/peers/accounting.py` that runs this crate. Internal: not an example.
//!
//! Reads lines `OPERATION REPETITIONS` and answers each with a line `SECONDS 0`: the time that all
//! repetitions took, measured here. `value OPERATION` answers with the epsilon instead.

#![allow(clippy::print_stdout)]

use std::hint::black_box;
use std::io::BufRead;
use std::time::Instant;

use dp_accounting::loss::LossDistribution;
use dp_accounting::renyi::RenyiCurve;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// The sampling rate of batches of 256 out of 60,000.
const RATE: f64 = 256.0 / 60_000.0;

fn steps(sigma: f64, rate: f64, count: u64) -> dp_accounting::Result<LossDistribution> {
    Ok(LossDistribution::gaussian(sigma)?.poisson_sampled(rate)?.repeat(count))
}

/// The epsilon of an operation, from nothing.
fn run(operation: &str) -> Outcome<f64> {
    Ok(match operation {
        "loss-14062" => steps(1.1, RATE, 14_062)?.epsilon_upper(1e-5, 1e-4)?,
        "loss-14062-bracket" => steps(1.1, RATE, 14_062)?.epsilon_within(1e-5, 1e-4)?.upper,
        "loss-1000" => steps(1.0, 0.01, 1000)?.epsilon_upper(1e-5, 1e-4)?,
        "loss-laplace" => LossDistribution::laplace(10.0)?.repeat(100).epsilon_upper(1e-6, 1e-4)?,
        "renyi" => RenyiCurve::sampled_gaussian(1.1, RATE)?.repeat(10_000).epsilon(1e-5)?,
        other => return Err(format!("no operation is called {other}").into()),
    })
}

fn main() -> Outcome<()> {
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        if let Some(operation) = line.strip_prefix("value ") {
            println!("{:.17e} 0", run(operation)?);
            continue;
        }
        let (operation, repetitions) = line.rsplit_once(' ').ok_or("a line needs a number")?;
        let repetitions: usize = repetitions.parse()?;
        let start = Instant::now();
        for _ in 0..repetitions {
            black_box(run(black_box(operation))?);
        }
        println!("{:e} 0", start.elapsed().as_secs_f64());
    }
    Ok(())
}
