//! The ten lines of the README, in the types an application has.

use confidant::dp::prelude::*;

struct Login {
    user_id: String,
    country: String,
    seconds: u32,
}

const COUNTRIES: [&str; 3] = ["de", "fr", "it"];

fn logins() -> Vec<Login> {
    (0..5000u32)
        .map(|i| Login {
            user_id: format!("user {}", i % 500),
            country: COUNTRIES[i as usize % 3].to_owned(),
            seconds: i % 4000,
        })
        .collect()
}

#[test]
fn ten_lines_from_rows_to_releases() -> Result<(), Box<dyn std::error::Error>> {
    let logins = logins();
    let session = Session::over(&logins)
        .unit(|e: &Login| &e.user_id)
        .max_rows_per_unit(20)
        .budget(Epsilon::new(1.0)?)
        .open()?;
    let total = session.count().epsilon(0.2)?.release()?;
    let seconds = session.sum(|e| e.seconds).bounds(0..=3600)?.epsilon(0.3)?.release()?;
    let by_land = session.count().by(|e| &e.country, &COUNTRIES).epsilon(0.2)?.release()?;

    // Discrete Laplace of scale 20/0.2: 20 scales are exceeded with probability e^-20.
    assert!((total.value() - 5000).abs() < 2000);
    let truth: i128 = logins.iter().map(|e| i128::from(e.seconds.min(3600))).sum();
    assert!((seconds.value() - truth).abs() < 20 * 20 * 3600 * 10 / 3);
    assert_eq!(by_land.len(), 3);
    for (country, count) in &by_land {
        assert!((count.value() - 1666).abs() < 2000, "{country}");
    }
    assert!(by_land.get("de").is_some());
    assert_eq!(session.remaining().to_string(), "ε = 0.3");
    assert!(format!("{total}").contains('±'));
    Ok(())
}

#[test]
fn one_line_for_one_number() -> Result<(), Box<dyn std::error::Error>> {
    let logins = logins();
    let total = confidant::dp::count(&logins, Epsilon::new(0.5)?)?;
    assert!((total.value() - 5000).abs() < 60);
    Ok(())
}
