//! Makes a believable week of logins, the same for the same seed.
//!
//! Randomness here makes *data*; the noise of the report never comes from it. What is modelled:
//! few users log in very often and most rarely (log-normal activity); people have a home country,
//! a favourite device and one second factor; they sleep at night; they mistype passwords; and a
//! few bursts of attacks try many accounts, or one account many times.

use rand::distr::Distribution;
use rand::distr::weighted::WeightedIndex;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha12Rng;

use super::login::{COUNTRIES, DEVICES, Login, MFA, NO_MFA, Weighted};

/// How many users and events to make, and from which seed.
#[derive(Clone, Copy)]
pub struct Shape {
    pub users: u32,
    pub events: u32,
    pub seed: u64,
}

impl Default for Shape {
    fn default() -> Self {
        Shape { users: 20_000, events: 200_000, seed: 7 }
    }
}

/// One event in this many belongs to an attack.
const EVENTS_PER_ATTACK_EVENT: u32 = 40;

/// Spread of the logarithm of a user's activity: the busiest 1 % make about a twelfth of it all.
const ACTIVITY_SPREAD: f64 = 0.9;

/// Median length of a session in seconds, and the spread of its logarithm.
const SESSION: (f64, f64) = (420.0, 1.1);

/// The longest session: the product ends it after four hours.
const LONGEST_SESSION: f64 = 4.0 * 3600.0;

/// Relative activity in each hour of a day, from midnight.
const DAY: [u32; 24] =
    [6, 3, 2, 2, 2, 5, 14, 32, 48, 52, 46, 44, 50, 45, 42, 43, 46, 52, 58, 66, 70, 58, 36, 16];

/// What stays the same for a user all week.
struct Habits {
    country: &'static str,
    device: &'static str,
    mfa: &'static str,
    /// How many hours the user's day is shifted: early birds and night owls.
    shift: i8,
}

/// Draws from fixed weighted lists.
struct Choice<const N: usize> {
    values: &'static [Weighted; N],
    index: WeightedIndex<u32>,
}

impl<const N: usize> Choice<N> {
    fn new(values: &'static [Weighted; N]) -> Option<Self> {
        let index = WeightedIndex::new(values.iter().map(|(_, weight)| *weight)).ok()?;
        Some(Choice { values, index })
    }

    fn draw(&self, rng: &mut impl Rng) -> &'static str {
        self.values.get(self.index.sample(rng)).map_or("", |(name, _)| *name)
    }
}

/// The lists that everything is drawn from.
struct World {
    country: Choice<14>,
    device: Choice<5>,
    mfa: Choice<5>,
    hour: WeightedIndex<u32>,
}

/// A week of logins, and the country that each user lives in.
pub struct Week {
    /// The logins in no particular order.
    pub logins: Vec<Login>,
    /// The users' countries, by the users' numbers.
    pub homes: Vec<&'static str>,
}

/// Makes a week; `tick` is told of progress, one event at a time.
///
/// `None` if there are fewer events than users or no users: every user logs in at least once.
pub fn week(shape: Shape, mut tick: impl FnMut()) -> Option<Week> {
    if shape.users == 0 || shape.events < shape.users {
        return None;
    }
    let mut rng = ChaCha12Rng::seed_from_u64(shape.seed);
    let world = World {
        country: Choice::new(&COUNTRIES)?,
        device: Choice::new(&DEVICES)?,
        mfa: Choice::new(&MFA)?,
        hour: WeightedIndex::new(DAY).ok()?,
    };
    let habits: Vec<Habits> = (0..shape.users).map(|_| world.habits(&mut rng)).collect();
    let activity: Vec<f64> =
        habits.iter().map(|_| (ACTIVITY_SPREAD * normal(&mut rng)).exp()).collect();
    let busy = WeightedIndex::new(&activity).ok()?;

    let attacks = (shape.events / EVENTS_PER_ATTACK_EVENT).min(shape.events - shape.users);
    let mut logins = Vec::with_capacity(shape.events as usize);
    let everyone_once = (0..shape.users as usize).map(Some);
    let the_busy_again = std::iter::repeat_n(None, (shape.events - attacks - shape.users) as usize);
    for user in everyone_once.chain(the_busy_again) {
        let user = user.unwrap_or_else(|| busy.sample(&mut rng));
        logins.push(world.login(user as u32, habits.get(user)?, &mut rng));
        tick();
    }
    for event in 0..attacks {
        let (target, country, hour) = attack(event, attacks, shape.users, &mut rng);
        let habits = habits.get(target as usize)?;
        // Where there is no second factor, one stolen password in fifty still works.
        let success = habits.mfa == NO_MFA && rng.random_ratio(1, 50);
        let seconds = if success { session_seconds(&mut rng) } else { 0 };
        let device = "desktop browser";
        logins.push(Login {
            user_id: target,
            country,
            device,
            mfa: NO_MFA,
            hour,
            success,
            seconds,
        });
        tick();
    }
    let homes = habits.iter().map(|habits| habits.country).collect();
    Some(Week { logins, homes })
}

impl World {
    fn habits(&self, rng: &mut impl Rng) -> Habits {
        Habits {
            country: self.country.draw(rng),
            device: self.device.draw(rng),
            mfa: self.mfa.draw(rng),
            shift: rng.random_range(-2..=2),
        }
    }

    fn login(&self, user_id: u32, habits: &Habits, rng: &mut impl Rng) -> Login {
        // One in thirty is travelling; one in five takes another device.
        let travelling = rng.random_ratio(1, 30);
        let country = if travelling { self.country.draw(rng) } else { habits.country };
        let device = if rng.random_ratio(1, 5) { self.device.draw(rng) } else { habits.device };
        // A second factor is asked for at every other login, always abroad.
        let asked = travelling || rng.random_ratio(1, 2);
        let mfa = if asked { habits.mfa } else { NO_MFA };
        let hour = self.hour.sample(rng) as i64 + i64::from(habits.shift);
        let success = !rng.random_ratio(6, 100);
        let seconds = if success { session_seconds(rng) } else { 0 };
        let hour = hour.rem_euclid(24) as u8;
        Login { user_id, country, device, mfa, hour, success, seconds }
    }
}

/// The target, origin and hour of an attack event: three waves of stolen passwords tried on
/// account after account, then one account tried again and again.
fn attack(event: u32, attacks: u32, users: u32, rng: &mut impl Rng) -> (u32, &'static str, u8) {
    match u64::from(event) * 10 / u64::from(attacks) {
        0..3 => (rng.random_range(0..users), "Brazil", 3),
        3..6 => (rng.random_range(0..users), "India", 4),
        6..9 => (rng.random_range(0..users), "United States", 2),
        _ => (0, "Poland", 5),
    }
}

fn session_seconds(rng: &mut impl Rng) -> u32 {
    let (median, spread) = SESSION;
    (median * (spread * normal(rng)).exp()).clamp(5.0, LONGEST_SESSION) as u32
}

/// A standard normal variate (Box and Muller 1958).
fn normal(rng: &mut impl Rng) -> f64 {
    let radius = (-2.0 * (1.0 - rng.random::<f64>()).ln()).sqrt();
    radius * (std::f64::consts::TAU * rng.random::<f64>()).cos()
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use super::*;

    fn logins(shape: Shape) -> Option<Vec<Login>> {
        week(shape, || ()).map(|week| week.logins)
    }

    fn default_week() -> Vec<Login> {
        logins(Shape::default()).unwrap()
    }

    #[test]
    fn the_default_week_has_the_promised_shape() {
        let logins = default_week();
        assert_eq!(logins.len(), 200_000);
        let users: HashSet<u32> = logins.iter().map(|login| login.user_id).collect();
        assert_eq!(users.len(), 20_000);
        assert!(logins.iter().all(|login| login.success == (login.seconds > 0)));
        assert!(logins.iter().all(|login| login.hour < 24));
    }

    #[test]
    fn a_seed_makes_the_same_week_again_and_another_seed_another() {
        let shape = Shape { users: 50, events: 500, seed: 1 };
        let lengths = |seed| -> Vec<u32> {
            let logins = logins(Shape { seed, ..shape }).unwrap();
            logins.iter().map(|login| login.seconds).collect()
        };
        assert_eq!(lengths(1), lengths(1));
        assert_ne!(lengths(1), lengths(2));
    }

    #[test]
    fn activity_is_heavy_tailed() {
        let mut events: HashMap<u32, u32> = HashMap::new();
        for login in default_week() {
            *events.entry(login.user_id).or_default() += 1;
        }
        let mut events: Vec<u32> = events.into_values().collect();
        events.sort_unstable();
        let top: u32 = events.iter().rev().take(events.len() / 100).sum();
        let median = events[events.len() / 2];
        assert!((4..=8).contains(&median), "median {median}, mean 10");
        assert!((0.06..0.20).contains(&(f64::from(top) / 200_000.0)), "busiest 1 %: {top}");
        assert!(events[events.len() - 1] > 200);
    }

    #[test]
    fn shares_follow_the_weights() {
        let logins = default_week();
        let share = |keep: &dyn Fn(&Login) -> bool| {
            logins.iter().filter(|login| keep(login)).count() as f64 / logins.len() as f64
        };
        assert!((share(&|login| login.country == "Germany") - 0.24).abs() < 0.02);
        assert!((share(&|login| login.device == "mobile app") - 0.41).abs() < 0.03);
        assert!((share(&|login| !login.success) - 0.08).abs() < 0.02);
        // Half of the logins of those who have a second factor use it.
        assert!((share(&|login| login.mfa != NO_MFA) - 0.28).abs() < 0.04);
    }

    #[test]
    fn nights_are_quiet_but_for_attacks() {
        let logins = default_week();
        let at = |hour, success| {
            logins.iter().filter(|l| l.hour == hour && l.success == success).count() as f64
        };
        assert!(at(20, true) > 5.0 * at(3, true));
        assert!(at(3, false) > at(20, false));
        assert!(at(20, false) < 0.1 * at(20, true));
    }

    #[test]
    fn a_week_without_a_login_for_each_user_is_refused() {
        for (users, events) in [(0, 0), (0, 5), (5, 4)] {
            assert!(logins(Shape { users, events, seed: 0 }).is_none());
        }
        assert_eq!(logins(Shape { users: 5, events: 5, seed: 0 }).unwrap().len(), 5);
    }
}
