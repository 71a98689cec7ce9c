//! Telemetry without seeing anyone: a histogram of sign-in methods from a thousand devices, made by
//! two aggregators neither of which sees a device's answer, with differential privacy.
//!
//! Each aggregator adds a discrete Laplace noise of its own to its share before it is opened, so that
//! the result is private even from the other aggregator.
//!
//! `cargo run --release --features smpc --example telemetry`

#![expect(clippy::print_stdout, reason = "an example shows its results")]

use confidant::core::params::Amount;
use confidant::core::random::{RandomBuffer, SystemRng};
use confidant::dp::noise::DiscreteLaplace;
use confidant::smpc::field::Ring;
use confidant::smpc::prio::{Measurement, Prio3};

const METHODS: [&str; 4] = ["password", "passkey", "one-time code", "single sign-on"];
const DEVICES: usize = 1000;
/// A device that answers otherwise moves one from a bucket to another: sensitivity 2. At ε = 1 the
/// scale of the noise is 2.
const SCALE: u64 = 2;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut rng = SystemRng::new()?;
    let task = Prio3::histogram(2, METHODS.len())?;
    // The context binds every report to the task and its parameters.
    let context = b"sign-in methods v1, histogram of 4, 2 aggregators";
    let key = [0x5a; 32]; // agreed between the aggregators, secret from devices

    let mut totals = [task.empty(), task.empty()];
    let mut refused = 0;
    let mut truth = [0; METHODS.len()];
    for device in 0..DEVICES {
        let answer = (RandomBuffer::new(&mut rng).below(10)? as usize).min(3);
        truth[answer] += 1;
        // On the device:
        let (nonce, mut report) = task.report(context, &Measurement::Bucket(answer), &mut rng)?;
        if device % 100 == 99 {
            report.inputs[0][0] ^= 1; // a device that tries to count twice
            truth[answer] -= 1;
        }
        // At the aggregators, which exchange one message each:
        let (left, from_left) =
            task.prepare(&key, context, 0, &nonce, &report.public, &report.inputs[0])?;
        let (right, from_right) =
            task.prepare(&key, context, 1, &nonce, &report.public, &report.inputs[1])?;
        let Ok(agreed) = task.combine(context, &[from_left, from_right]) else {
            refused += 1;
            continue;
        };
        task.add(&mut totals[0], &task.finish(left, &agreed)?)?;
        task.add(&mut totals[1], &task.finish(right, &agreed)?)?;
    }

    let law = DiscreteLaplace::new(Amount::from_integer(SCALE).as_ratio().clone())?;
    for total in &mut totals {
        for value in total.iter_mut() {
            *value += Ring::from_i128(law.sample(&mut rng)?);
        }
    }
    let counts = task.unshard(&totals)?;
    println!("{DEVICES} devices, {refused} reports refused");
    for ((method, count), truth) in METHODS.iter().zip(counts).zip(truth) {
        println!("{method:>15}: about {count:>4} (in truth {truth})");
    }
    Ok(())
}
