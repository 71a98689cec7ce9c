//! User profiles: the table that a partner asks for.

use rand::distr::Distribution;
use rand::distr::weighted::WeightedIndex;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha12Rng;
use serde::Serialize;

use super::login::{COUNTRIES, Weighted};
use super::person::person;

/// One user's profile.
#[derive(Clone, Serialize)]
pub struct Profile {
    /// Identifies the user by itself.
    pub email: String,
    /// Known to neighbours and colleagues.
    pub birth_year: u32,
    /// Known to neighbours; begins with the number of the country.
    pub postcode: String,
    /// Known to anyone.
    pub country: &'static str,
    /// What the user pays for: nobody's business.
    pub plan: &'static str,
}

/// Plans on offer, with their shares in parts per thousand.
pub const PLANS: [Weighted; 4] =
    [("free", 560), ("personal", 240), ("team", 150), ("enterprise", 50)];

/// Years of birth that the sign-up form takes.
pub const BIRTH_YEARS: std::ops::Range<i64> = 1920..2020;

/// How long postcodes are, and how many there are at most: 14 countries with 100 towns of 10 quarters.
pub const POSTCODE_DIGITS: usize = 5;
pub const POSTCODES: u64 = 14_000;

/// From a country to its region: the hierarchy of generalization.
pub const REGIONS: [(&str, &str); 14] = [
    ("Germany", "Central Europe"),
    ("Austria", "Central Europe"),
    ("Switzerland", "Central Europe"),
    ("Poland", "Central Europe"),
    ("France", "Western Europe"),
    ("United Kingdom", "Western Europe"),
    ("Netherlands", "Western Europe"),
    ("Sweden", "Western Europe"),
    ("Spain", "Southern Europe"),
    ("Italy", "Southern Europe"),
    ("United States", "Overseas"),
    ("Brazil", "Overseas"),
    ("India", "Overseas"),
    ("Japan", "Overseas"),
];

/// The profiles of users who live in `homes`.
pub fn profiles(seed: u64, homes: &[&'static str]) -> Vec<Profile> {
    let mut rng = ChaCha12Rng::seed_from_u64(seed ^ 0x70_726f_6669_6c65);
    let plans = WeightedIndex::new(PLANS.map(|(_, weight)| weight)).ok();
    let profile = |(user, country): (u32, &&'static str)| {
        // Most are between 20 and 50; large towns have many of the users.
        let age = 16 + (0..3).map(|_| rng.random_range(0..22u32)).sum::<u32>();
        let land = COUNTRIES.iter().position(|(name, _)| name == country).unwrap_or_default();
        let town = rng.random_range(0..10u32) * rng.random_range(0..10u32);
        let plan = plans.as_ref().map_or(0, |plans| plans.sample(&mut rng));
        Profile {
            email: person(user).email,
            birth_year: 2026 - age,
            postcode: format!("{:02}{town:02}{}", land + 10, rng.random_range(0..10u32)),
            country,
            plan: PLANS.get(plan).map_or("free", |(name, _)| *name),
        }
    };
    (0..).zip(homes).map(profile).collect()
}
