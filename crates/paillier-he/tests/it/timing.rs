//! Whether time tells secrets: two classes of inputs, measured in random order (Reparaz, Balasch,
//! Verbauwhede 2017). On demand, on a quiet machine:
//!
//! `cargo test -p paillier-he --release timing -- --ignored --nocapture`

use std::hint::black_box;
use std::time::Instant;

use paillier_he::prelude::*;
use privacy_core::random::RandomBuffer;

use crate::support::full_key;

/// Welch's t of two samples, without the slowest hundredth, which is the machine's noise.
fn t_value(mut classes: [Vec<f64>; 2]) -> f64 {
    let mut all: Vec<f64> = classes.concat();
    all.sort_by(f64::total_cmp);
    let cut = all[all.len() * 99 / 100];
    let [a, b] = classes.each_mut().map(|times| {
        times.retain(|t| *t <= cut);
        let n = times.len() as f64;
        let mean = times.iter().sum::<f64>() / n;
        let variance = times.iter().map(|t| (t - mean).powi(2)).sum::<f64>() / (n - 1.0);
        (mean, variance / n)
    });
    (a.0 - b.0) / (a.1 + b.1).sqrt()
}

fn samples() -> usize {
    std::env::var("PAILLIER_HE_SAMPLES").ok().and_then(|n| n.parse().ok()).unwrap_or(100_000)
}

#[test]
#[ignore = "takes minutes and a quiet machine"]
fn decryption_takes_the_same_time_for_all_ciphertexts() {
    let key = full_key();
    let mut rng = SystemRng::new().unwrap();
    let encoding = Encoding::integers_up_to(u64::MAX);
    let zero = key.encrypt(0, &encoding, &mut rng).unwrap();
    let values: Vec<u64> = (0..256).map(|_| RandomBuffer::new(&mut rng).word().unwrap()).collect();
    let others = key.encrypt_batch(&values, &encoding, &mut rng).unwrap();
    let others: Vec<Ciphertext> = (0..256).map(|i| others.get(i).unwrap()).collect();
    let mut classes = [Vec::new(), Vec::new()];
    for i in 0..samples() {
        let class = usize::from(RandomBuffer::new(&mut rng).bit().unwrap());
        let input = if class == 0 { &zero } else { &others[i % 256] };
        let start = Instant::now();
        let _ = black_box(key.decrypt(black_box(input)));
        classes[class].push(start.elapsed().as_secs_f64());
    }
    let t = t_value(classes);
    println!("decrypt: t = {t:.2}");
    assert!(t.abs() < 4.5, "t = {t:.2}");
}

#[test]
#[ignore = "takes minutes and a quiet machine"]
fn encryption_takes_the_same_time_for_all_values() {
    let key = full_key();
    let mut rng = SystemRng::new().unwrap();
    let encoding = Encoding::integers_up_to(u64::MAX);
    let mut classes = [Vec::new(), Vec::new()];
    for _ in 0..samples() {
        let mut random = RandomBuffer::new(&mut rng);
        let class = usize::from(random.bit().unwrap());
        // Both of one length: the length of a number shows before it is encrypted.
        let other = random.word().unwrap() | 1 << 63;
        drop(random);
        let value = if class == 0 { 1 << 63 } else { other };
        let start = Instant::now();
        let _ = black_box(key.encrypt(black_box(value), &encoding, &mut rng));
        classes[class].push(start.elapsed().as_secs_f64());
    }
    let t = t_value(classes);
    println!("encrypt: t = {t:.2}");
    assert!(t.abs() < 4.5, "t = {t:.2}");
}
