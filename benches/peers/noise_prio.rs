//! The side of `noise.py` that runs prio, the other maintained Rust crate with exact discrete noise.
//!
//! `noise.py` makes a Cargo project around this file under `target/peers/`: prio is no dependency of
//! this workspace. Reads lines `OPERATION REPETITIONS`, answers with `SECONDS ERROR`.

use std::hint::black_box;
use std::io::{BufRead, Write};
use std::time::Instant;

use num_bigint::BigInt;
use num_traits::{Signed, ToPrimitive};
use prio::dp::Rational;
use prio::dp::distributions::{DiscreteGaussian, DiscreteLaplace};
use rand::distr::Distribution;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Seconds of all draws, and their mean distance from 0.
fn draw(law: &impl Distribution<BigInt>, count: usize, rng: &mut ChaCha20Rng) -> (f64, f64) {
    let mut values = Vec::with_capacity(count);
    let start = Instant::now();
    for _ in 0..count {
        values.push(black_box(law).sample(rng));
    }
    let elapsed = start.elapsed().as_secs_f64();
    let total: f64 = values.iter().map(|x| x.abs().to_f64().unwrap_or(f64::NAN)).sum();
    (elapsed, total / count as f64)
}

fn main() -> Result<()> {
    // Buffered in user space, as ours; the seed does not matter for speed.
    let mut rng = ChaCha20Rng::from_seed([7; 32]);
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let words: Vec<&str> = line.split(' ').collect();
        let [family, parameter, repetitions] = words[..] else {
            return Err("a line is OPERATION PARAMETER REPETITIONS".into());
        };
        let scale = Rational::from_unsigned(parameter.parse::<u128>()?, 1)?;
        let repetitions = repetitions.parse()?;
        let (seconds, error) = match family {
            "laplace" => draw(&DiscreteLaplace::new(scale)?, repetitions, &mut rng),
            "gaussian" => draw(&DiscreteGaussian::new(scale)?, repetitions, &mut rng),
            other => return Err(format!("no operation is called {other}").into()),
        };
        writeln!(out, "{seconds:e} {error:e}")?;
        out.flush()?;
    }
    Ok(())
}
