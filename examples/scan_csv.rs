//! An inventory of any CSV file: which columns hold what, how sensitive that is, which technique fits.
//!
//! `cargo run --example scan_csv --features deid FILE.csv [REPORT.html]`

#![allow(clippy::print_stdout, reason = "an example that shows")]

use confidant::deid::Analyzer;
use confidant::deid::inventory::Inventorist;

const SAMPLE: &str = "\
id,full_name,email,dob,card_number,city,note
1,Ana Lovelace,ana@example.org,1987-05-12,4111111111111111,Leeds,prefers mail
2,Jan Kowalski,jan@example.org,1990-11-02,5555555555554444,Lyon,call +33 1 99 00 11 22
3,Mia Rossi,mia@example.org,1979-01-30,378282246310005,Rome,
";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let analyzer = Analyzer::new()?;
    let inventorist = Inventorist::new(&analyzer).sample(5000);
    let inventory = match args.next() {
        Some(file) => inventorist.csv(&file, std::fs::File::open(&file)?)?,
        None => inventorist.csv("a sample", SAMPLE.as_bytes())?,
    };
    for c in &inventory.columns {
        let holds = c.verdict.as_ref().map_or("–", |v| v.entity.name());
        println!(
            "{:16} {:16} {:13} {} ({})",
            c.name,
            holds,
            c.level.to_string(),
            c.technique,
            c.reason
        );
    }
    println!("as a whole: {}", inventory.level);
    if let Some(report) = args.next() {
        std::fs::write(&report, inventory.to_html())?;
    }
    Ok(())
}
