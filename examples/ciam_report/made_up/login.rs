//! The rows of the built-in data set: one login attempt each.

/// One login attempt, as an identity product might log it.
#[derive(Clone, Copy)]
pub struct Login {
    /// Who tried to log in.
    pub user_id: u32,
    /// Where from.
    pub country: &'static str,
    /// With what.
    pub device: &'static str,
    /// The second factor that was used, [`NO_MFA`] for a password alone.
    pub mfa: &'static str,
    /// Hour of the day where the user is, 0 to 23.
    pub hour: u8,
    /// Whether the attempt succeeded.
    pub success: bool,
    /// Length of the session that followed; 0 where the attempt failed.
    pub seconds: u32,
}

/// The second factor of an attempt that stopped at, or ended with, the password.
pub const NO_MFA: &str = "password only";

/// A known value with its share of the made-up data, in parts per thousand.
pub type Weighted = (&'static str, u32);

/// Countries that users live in. Known beforehand: where the service is offered.
pub const COUNTRIES: [Weighted; 14] = [
    ("Germany", 240),
    ("France", 140),
    ("United Kingdom", 130),
    ("United States", 120),
    ("Netherlands", 75),
    ("Spain", 65),
    ("Italy", 60),
    ("Poland", 45),
    ("Austria", 35),
    ("Switzerland", 30),
    ("Sweden", 22),
    ("Brazil", 18),
    ("India", 12),
    ("Japan", 8),
];

/// Device types.
pub const DEVICES: [Weighted; 5] = [
    ("mobile app", 410),
    ("desktop browser", 330),
    ("mobile browser", 190),
    ("tablet", 50),
    ("television", 20),
];

/// Second factors that users have set up.
pub const MFA: [Weighted; 5] =
    [(NO_MFA, 440), ("text message", 210), ("authenticator", 160), ("push", 110), ("passkey", 80)];

/// The hours of a day.
pub const HOURS: [u8; 24] = {
    let mut hours = [0; 24];
    let mut hour = 0;
    while hour < 24 {
        hours[hour as usize] = hour;
        hour += 1;
    }
    hours
};

/// The names of known values, without their weights: the groups of a breakdown.
pub fn names<const N: usize>(values: &[Weighted; N]) -> [&'static str; N] {
    values.map(|(name, _)| name)
}
