//! The side of `presidio.py` that runs this family: reads a text, prints the seconds of one scan.

#![allow(clippy::print_stdout, reason = "a program that measures")]

use std::io::Read;
use std::time::Instant;

use confidant::deid::Analyzer;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    let analyzer = Analyzer::builder().without_names().build()?;
    let repeats = (20_000_000 / text.len().max(1)).max(1);
    let start = Instant::now();
    let mut found = 0;
    for _ in 0..repeats {
        found += analyzer.scan(&text)?.len();
    }
    println!("{}", start.elapsed().as_secs_f64() / repeats as f64);
    assert!(found > 0);
    Ok(())
}
