//! Our side of `benches/peers/accounting.py`: for each operation named on standard input, one line
//! with its result and its seconds (median of the repetitions asked for).

#![allow(clippy::print_stdout)]

use std::io::BufRead;
use std::time::Instant;

use dp_accounting::filter::Odometer;
use dp_accounting::loss::LossDistribution;
use dp_accounting::renyi::RenyiCurve;
use privacy_core::measure::Charge;
use privacy_core::params::{Delta, Rho};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn median(repetitions: usize, mut run: impl FnMut() -> Outcome<f64>) -> Outcome<(f64, f64)> {
    let mut value = 0.0;
    let mut seconds = Vec::new();
    for _ in 0..repetitions {
        let start = Instant::now();
        value = std::hint::black_box(run()?);
        seconds.push(start.elapsed().as_secs_f64());
    }
    seconds.sort_by(f64::total_cmp);
    Ok((value, seconds[seconds.len() / 2]))
}

fn operation(name: &str) -> Outcome<(f64, f64)> {
    let epoch = |sigma: f64, rate: f64, steps: u64| {
        Ok::<_, dp_accounting::AccountingError>(
            LossDistribution::gaussian(sigma)?.poisson_sampled(rate)?.repeat(steps),
        )
    };
    match name {
        "pld_mnist" => {
            median(9, || Ok(epoch(1.1, 256.0 / 60_000.0, 14_062)?.epsilon_upper(1e-5, 1e-4)?))
        }
        "pld_mnist_bracket" => median(9, || {
            Ok(epoch(1.1, 256.0 / 60_000.0, 14_062)?.epsilon_within(1e-5, 1e-4)?.upper)
        }),
        "pld_1000" => median(9, || Ok(epoch(1.0, 0.01, 1000)?.epsilon_upper(1e-5, 1e-4)?)),
        "pld_laplace" => median(9, || {
            Ok(LossDistribution::laplace(10.0)?.repeat(100).epsilon_upper(1e-6, 1e-4)?)
        }),
        "renyi" => median(31, || {
            Ok(RenyiCurve::sampled_gaussian(1.1, 256.0 / 60_000.0)?.repeat(10_000).epsilon(1e-5)?)
        }),
        "odometer" => {
            let odometer = Odometer::new(&Delta::new(1e-6)?)?;
            let charge = Charge::from(Rho::new(1e-7)?);
            for _ in 0..100_000 {
                odometer.record(&charge)?;
            }
            let queries = 10_000;
            let (value, seconds) = median(9, || {
                Ok((0..queries).fold(0.0, |_, _| std::hint::black_box(&odometer).epsilon()))
            })?;
            Ok((value, seconds / f64::from(queries)))
        }
        other => Err(format!("unknown operation {other}").into()),
    }
}

fn main() -> Outcome<()> {
    for line in std::io::stdin().lock().lines() {
        let (value, seconds) = operation(line?.trim())?;
        println!("{value:.17e} {seconds:.9e}");
    }
    Ok(())
}
