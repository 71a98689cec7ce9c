//! The data of a made-up identity product: login events, profiles, support notes and session
//! minutes of the same users. Made from a seed, so that everything about them may be told.

pub mod generate;
pub mod login;
pub mod note;
pub mod person;
pub mod profile;

use generate::{Shape, Week};
use login::Login;
use note::Note;
use profile::Profile;

/// How many tenants use the product; a user belongs to one.
pub const TENANTS: u32 = 5;

/// Everything the product holds about a week.
pub struct Product {
    /// How much was made, from which seed.
    pub shape: Shape,
    /// Login events.
    pub logins: Vec<Login>,
    /// One profile for each user.
    pub profiles: Vec<Profile>,
    /// Notes of the support desk.
    pub notes: Vec<Note>,
}

impl Product {
    /// Makes it; `tick` is told of progress, one event at a time.
    ///
    /// `None` if there are fewer events than users or no users.
    pub fn new(shape: Shape, tick: impl FnMut()) -> Option<Self> {
        let Week { logins, homes } = generate::week(shape, tick)?;
        let profiles = profile::profiles(shape.seed, &homes);
        let notes = note::notes(shape);
        Some(Product { shape, logins, profiles, notes })
    }

    /// The tenant of a user.
    pub fn tenant(user: u32) -> u32 {
        user % TENANTS
    }

    /// The minutes of each user's sessions.
    pub fn minutes_of_users(&self) -> Vec<u32> {
        let mut seconds = vec![0u32; self.shape.users as usize];
        for login in &self.logins {
            if let Some(user) = seconds.get_mut(login.user_id as usize) {
                *user = user.saturating_add(login.seconds);
            }
        }
        seconds.into_iter().map(|seconds| seconds / 60).collect()
    }

    /// For each tenant the minutes of its users' sessions, at most `cap` of each user.
    pub fn minutes(&self, cap: u32) -> [i128; TENANTS as usize] {
        let mut tenants = [0; TENANTS as usize];
        for (user, minutes) in (0..).zip(self.minutes_of_users()) {
            if let Some(sum) = tenants.get_mut(Self::tenant(user) as usize) {
                *sum += i128::from(minutes.min(cap));
            }
        }
        tenants
    }
}
