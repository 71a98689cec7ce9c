//! The side of `benches/peers/paillier.py` that runs this crate. Internal: not an example.
//!
//! Reads lines `OPERATION-BITS REPETITIONS` and answers each with a line `SECONDS 0`: the time that
//! all repetitions took, measured here. One repetition works on a batch.

#![allow(clippy::print_stdout, reason = "answers are written to standard output")]

use std::collections::HashMap;
use std::hint::black_box;
use std::io::{BufRead, Write};
use std::time::{Duration, Instant};

use paillier_he::arithmetic::ModulusBatch;
use paillier_he::prelude::*;
use paillier_he::{CiphertextVec, Packed, PackedLayout};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

const BATCH: usize = 64;
const TERMS: usize = 1000;

struct Bench {
    key: PrivateKey,
    rng: SystemRng,
    values: Vec<i64>,
    column: CiphertextVec,
    other: CiphertextVec,
    terms: CiphertextVec,
}

fn encoding() -> Encoding {
    Encoding::integers_up_to(1u64 << 40)
}

impl Bench {
    fn new(bits: u64, mode: Mode) -> Result<Self> {
        let mut rng = SystemRng::new()?;
        let key = PrivateKey::generate(KeyOptions::default().bits(bits).mode(mode), &mut rng)?;
        let values: Vec<i64> = (0..BATCH as i64).map(|i| (i * 0x9e37_79b9) % (1 << 40)).collect();
        let column = key.encrypt_batch(&values, &encoding(), &mut rng)?;
        let other = key.public_key().encrypt_batch(&values, &encoding(), &mut rng)?;
        let terms: Vec<i64> = (0..TERMS as i64).collect();
        let terms = key.encrypt_batch(&terms, &encoding(), &mut rng)?;
        Ok(Bench { key, rng, values, column, other, terms })
    }

    fn run(&mut self, operation: &str, repetitions: u32) -> Result<Duration> {
        let Bench { key, rng, values, column, other, terms } = self;
        let public = key.public_key();
        let weights: Vec<i64> = (0..BATCH as i64).map(|i| i64::MAX - i).collect();
        let short: Vec<i64> = (0..TERMS as i64).map(|i| i * 7919 % 65536).collect();
        let one = column.select(&[0])?;
        // 31 numbers of 32 bits to a ciphertext of a 2048-bit key, with 32 guard bits.
        let layout = PackedLayout::new(public, 32, 32)?;
        let packed: Vec<i64> =
            (0..(BATCH * layout.slots()) as i64).map(|i| i * 7919 % (1 << 31)).collect();
        let packed_column = Packed::encrypt(key, &packed, layout, rng)?;
        let start = Instant::now();
        for _ in 0..repetitions {
            match operation {
                "encrypt" => drop(black_box(public.encrypt_batch(values, &encoding(), rng)?)),
                "owner" => drop(black_box(key.encrypt_batch(values, &encoding(), rng)?)),
                "decrypt" => drop(black_box(key.decrypt_batch(column)?)),
                "decrypt1" => drop(black_box(key.decrypt_batch(&one)?)),
                "encrypt1" => drop(black_box(public.encrypt(1, &encoding(), rng)?)),
                "packed" => drop(black_box(Packed::encrypt(public, &packed, layout, rng)?)),
                "unpack" => drop(black_box(key.decrypt_packed(&packed_column)?)),
                "add" => drop(black_box(column.add(other)?)),
                "multiply" => drop(black_box(column.multiply(&weights, 63)?)),
                "dot" => drop(black_box(terms.dot_vartime(&short)?)),
                "dotsecret" => drop(black_box(terms.dot(&short, 16)?)),
                "sum" => drop(black_box(terms.sum()?)),
                other => return Err(format!("no operation {other}").into()),
            }
        }
        Ok(start.elapsed())
    }
}

#[derive(Clone, Copy)]
enum Power {
    ConstantTime,
    PublicExponent,
    NumBigint,
}

/// What encryption in standard mode is made of: a power with the exponent n modulo n² of `bits`
/// bits, without vector instructions. The exponent is public, here as there.
fn portable_power(bits: u64, repetitions: u32, power: Power) -> Result<Duration> {
    let exponent = (num_bigint::BigUint::from(1u8) << (bits / 2)) - 569u32;
    let n = &exponent * &exponent;
    let base = &n - 12345u32;
    let batch = ModulusBatch::squared_portable(&exponent)?;
    let bases = [base.clone()];
    let start = Instant::now();
    for _ in 0..repetitions {
        match power {
            Power::ConstantTime => drop(black_box(batch.pow(&bases, &exponent))),
            Power::PublicExponent => drop(black_box(batch.pow_vartime(&bases, &exponent))),
            Power::NumBigint => drop(black_box(base.modpow(&exponent, &n))),
        }
    }
    Ok(start.elapsed())
}

fn generate(bits: u64, safe: bool, repetitions: u32) -> Result<Duration> {
    let mut rng = SystemRng::new()?;
    let options = KeyOptions::default().bits(bits);
    let options = if safe { options.safe_primes() } else { options };
    let start = Instant::now();
    for _ in 0..repetitions {
        drop(black_box(PrivateKey::generate(options, &mut rng)?));
    }
    Ok(start.elapsed())
}

fn main() -> Result<()> {
    let mut benches: HashMap<(u64, bool), Bench> = HashMap::new();
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let (operation, repetitions) = line.split_once(' ').ok_or("OPERATION REPETITIONS")?;
        let (operation, bits) = operation.split_once('-').ok_or("OPERATION-BITS")?;
        let (bits, repetitions) = (bits.parse()?, repetitions.parse()?);
        let elapsed = match operation {
            "keygen" => generate(bits, false, repetitions)?,
            "safekeygen" => generate(bits, true, repetitions)?,
            "portable" => portable_power(bits, repetitions, Power::PublicExponent)?,
            "portablesecret" => portable_power(bits, repetitions, Power::ConstantTime)?,
            "numbigint" => portable_power(bits, repetitions, Power::NumBigint)?,
            _ => {
                let (operation, standard) = match operation.strip_prefix("standard_") {
                    Some(operation) => (operation, true),
                    None => (operation, false),
                };
                let bench = match benches.entry((bits, standard)) {
                    std::collections::hash_map::Entry::Occupied(entry) => entry.into_mut(),
                    std::collections::hash_map::Entry::Vacant(entry) => {
                        let mode = if standard { Mode::Standard } else { Mode::Djn };
                        entry.insert(Bench::new(bits, mode)?)
                    }
                };
                bench.run(operation, repetitions)?
            }
        };
        println!("{} 0", elapsed.as_secs_f64());
        std::io::stdout().flush()?;
    }
    Ok(())
}
