//! The rows that benches and peer comparisons read: seeded, shaped like a login log.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// Applications a login can be for; the known keys of grouped queries.
pub(crate) const APPS: u16 = 1000;

/// Public bounds of a session's length.
pub(crate) const SECONDS: std::ops::RangeInclusive<u32> = 0..=3600;

/// One login.
#[derive(Clone, Copy, Debug)]
#[allow(dead_code, reason = "a row has columns that no query reads")]
pub(crate) struct Login {
    /// An opaque 64-bit identifier, as a directory would hand out.
    pub(crate) user: u64,
    pub(crate) seconds: u32,
    pub(crate) app: u16,
    pub(crate) country: u16,
    pub(crate) device: u8,
    pub(crate) failed: bool,
}

/// `rows` logins of about `users` users, in the order of time.
///
/// The k-th most active user has a share proportional to 1/sqrt(k): with ten rows for each user on
/// average, the most active has some sqrt(100 `rows`) / 3 of them and one user in sixteen more than
/// 20. Each user has a handful of applications; one row in twelve is a failure; one in fifty lasts
/// longer than the bounds say.
pub(crate) fn logins(rows: usize, users: u64) -> Vec<Login> {
    let mut rng = ChaCha8Rng::seed_from_u64(20_261_121);
    let row = |_| {
        let share: f64 = rng.random();
        let rank = (share * share * users as f64) as u64;
        let user = scatter(rank);
        let usual = u64::from(rng.random::<u8>() & 3);
        let length: f64 = rng.random();
        Login {
            user,
            seconds: (72.0 / (length + 0.000_01)).min(90_000.0) as u32,
            app: (scatter(user ^ usual) % u64::from(APPS)) as u16,
            country: (user % 190) as u16,
            device: rng.random::<u8>() % 5,
            failed: rng.random_ratio(1, 12),
        }
    };
    (0..rows).map(row).collect()
}

/// Session lengths alone, for a peer that reads a vector of integers.
#[allow(dead_code, reason = "only the peer comparison reads plain vectors")]
pub(crate) fn lengths(rows: usize) -> Vec<i64> {
    logins(rows, rows as u64 / 10).iter().map(|login| login.seconds.into()).collect()
}

/// The finalizer of SplitMix64: a bijection that leaves no order in the identifiers.
fn scatter(x: u64) -> u64 {
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// What a team would write by hand: the baselines of the targets.
#[allow(dead_code, reason = "not every bench compares with every baseline")]
pub(crate) mod plain {
    use std::collections::HashMap;
    use std::hint::black_box;

    use super::{Login, SECONDS};

    /// Rows with a failure.
    #[inline(never)]
    pub(crate) fn failures(rows: &[Login]) -> i64 {
        let mut failures = 0;
        for login in black_box(rows) {
            if login.failed {
                failures += 1;
            }
        }
        failures
    }

    /// The sum of session lengths, each within the bounds.
    #[inline(never)]
    pub(crate) fn seconds(rows: &[Login]) -> i64 {
        let mut seconds = 0;
        for login in black_box(rows) {
            seconds += i64::from(login.seconds.clamp(*SECONDS.start(), *SECONDS.end()));
        }
        seconds
    }

    /// The sum of a column of numbers.
    #[inline(never)]
    pub(crate) fn sum<V: Copy, S: Default + std::ops::AddAssign>(
        values: &[V],
        item: impl Fn(V) -> S,
    ) -> S {
        let mut sum = S::default();
        for value in black_box(values) {
            sum += item(*value);
        }
        sum
    }

    /// Rows, at most `limit` of each user.
    #[inline(never)]
    pub(crate) fn rows_by_user(rows: &[Login], limit: u64) -> u64 {
        let mut of_user: HashMap<u64, u64> = HashMap::new();
        for login in black_box(rows) {
            *of_user.entry(login.user).or_default() += 1;
        }
        of_user.values().map(|rows| (*rows).min(limit)).sum()
    }

    /// The sum of session lengths by user, added up.
    #[inline(never)]
    pub(crate) fn seconds_by_user(rows: &[Login]) -> i64 {
        let mut of_user: HashMap<u64, i64> = HashMap::new();
        for login in black_box(rows) {
            let seconds = i64::from(login.seconds.clamp(*SECONDS.start(), *SECONDS.end()));
            *of_user.entry(login.user).or_default() += seconds;
        }
        of_user.values().sum()
    }

    /// Rows by application.
    #[inline(never)]
    pub(crate) fn rows_by_app(rows: &[Login]) -> HashMap<u16, u64> {
        let mut of_app = HashMap::new();
        for login in black_box(rows) {
            *of_app.entry(login.app).or_default() += 1;
        }
        of_app
    }

    /// Rows by application, each user in at most `apps` of them with at most `limit` rows: the
    /// bounding that a private count by application needs, by hand and without care for which rows
    /// are kept.
    #[inline(never)]
    pub(crate) fn rows_by_app_bounded(
        rows: &[Login],
        apps: usize,
        limit: u64,
    ) -> HashMap<u16, u64> {
        let mut of_user: HashMap<u64, Vec<(u16, u64)>> = HashMap::new();
        for login in black_box(rows) {
            let of_user = of_user.entry(login.user).or_default();
            if let Some((_, rows)) = of_user.iter_mut().find(|(app, _)| *app == login.app) {
                *rows = (*rows + 1).min(limit);
            } else if of_user.len() < apps {
                of_user.push((login.app, 1));
            }
        }
        let mut of_app = HashMap::new();
        for (app, rows) in of_user.into_values().flatten() {
            *of_app.entry(app).or_default() += rows;
        }
        of_app
    }
}
