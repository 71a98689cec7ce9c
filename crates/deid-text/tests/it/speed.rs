//! Throughput, for a quick look: `cargo test -p deid-text --test it speed -- --ignored --nocapture`.

use std::time::Instant;

use deid_text::Analyzer;

const PROSE: &str = "The committee met in the morning and spoke about the new library for most of the day. Nobody had \
    read the plans, although they had been sent out weeks before, and so the discussion went back and forth without much of \
    a result. In the end the chair proposed to wait until spring, when the costs of 12 similar buildings would be known.\n";

const FORM: &str = "Name: Ana Lovelace\nDate of birth: 12/05/1987\nSSN: 536-22-1847\nPhone: (415) 555-0132\nEmail: \
    ana@example.org\nCard: 4111 1111 1111 1111 exp 04/27\nIBAN: DE89 3704 0044 0532 0130 00\nIP: 203.0.113.17\nAddress: 12 \
    Baker Street, Leeds LS1 4AP\nPassport: X1234567\n\n";

#[test]
#[ignore = "a measurement"]
fn throughput() {
    let start = Instant::now();
    let patterns = Analyzer::builder().without_names().build().unwrap();
    println!("start-up without names {:?}", start.elapsed());
    let start = Instant::now();
    let all = Analyzer::new().unwrap();
    println!("start-up with names {:?}", start.elapsed());
    let hostile = [
        "1 ",
        "1-",
        "@",
        "a@",
        "a.",
        ":",
        "::",
        "1.",
        "(",
        "+1",
        "<",
        "&#",
        "%4",
        "-----BEGIN PRIVATE KEY-----",
        "ey",
        "password: ",
    ];
    for (name, unit) in [("prose", PROSE.repeat(40) + FORM), ("forms", FORM.to_owned())] {
        for size in [100_000usize, 10_000_000] {
            let text = unit.repeat(size / unit.len() + 1);
            let mut best = f64::MAX;
            for _ in 0..3 {
                let start = Instant::now();
                patterns.scan(&text).unwrap();
                best = best.min(start.elapsed().as_secs_f64());
            }
            println!("{name} {size}: {:.1} MB/s", text.len() as f64 / best / 1e6);
        }
        let text = unit.repeat(300_000 / unit.len());
        let start = Instant::now();
        all.scan(&text).unwrap();
        println!(
            "{name} with names: {:.1} MB/s",
            text.len() as f64 / start.elapsed().as_secs_f64() / 1e6
        );
    }
    for unit in hostile {
        let text = unit.repeat(1_000_000 / unit.len());
        let start = Instant::now();
        patterns.scan(&text).unwrap();
        println!("{unit:?}: {:.1} MB/s", text.len() as f64 / start.elapsed().as_secs_f64() / 1e6);
    }
}

/// One text over and over, for a profiler: `DEID_TEXT=forms perf record target/release/deps/it-… speed::profiled --ignored`.
#[test]
#[ignore = "for a profiler"]
fn profiled() {
    let unit = std::env::var("DEID_TEXT").unwrap_or_else(|_| "forms".to_owned());
    let unit = match unit.as_str() {
        "forms" => FORM.to_owned(),
        "prose" => PROSE.repeat(40) + FORM,
        other => other.to_owned(),
    };
    let analyzer = match std::env::var("DEID_NAMES") {
        Ok(_) => Analyzer::new().unwrap(),
        Err(_) => Analyzer::builder().without_names().build().unwrap(),
    };
    let text = unit.repeat(100_000 / unit.len() + 1);
    let start = Instant::now();
    let mut bytes = 0;
    while start.elapsed().as_secs_f64() < 0.7 {
        analyzer.scan(&text).unwrap();
        bytes += text.len();
    }
    println!("{:.1} MB/s", bytes as f64 / start.elapsed().as_secs_f64() / 1e6);
}

/// The most memory that the process held, in kB, as Linux counts it.
#[cfg(target_os = "linux")]
fn most_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// A million documents take no more memory than a thousand.
#[cfg(target_os = "linux")]
#[test]
#[ignore = "half a minute"]
fn memory_stays_flat() {
    let analyzer = Analyzer::new().unwrap();
    let mut after_a_thousand = 0;
    for i in 0..1_000_000u32 {
        let text =
            format!("Customer {i}: Marta Kowalska, +44 20 7946 0{:03}, m{i}@example.org", i % 1000);
        assert!(!analyzer.scan(&text).unwrap().is_empty());
        if i == 1000 {
            after_a_thousand = most_memory();
        }
    }
    println!("{after_a_thousand} kB after a thousand, {} kB after a million", most_memory());
    assert!(most_memory() <= after_a_thousand + 1024);
}
