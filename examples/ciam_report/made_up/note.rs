//! Notes of the support desk: short texts in which names, addresses and numbers stand.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha12Rng;

use super::generate::Shape;
use super::person::{Person, person};

/// What a note is about. Known beforehand: the desk picks one from a list.
pub const TOPICS: [&str; 4] = ["sign-in", "billing", "export", "deletion"];

/// One user in this many wrote to support.
const USERS_PER_NOTE: u32 = 10;

/// A note as support wrote it.
pub struct Note {
    /// Whose it is.
    pub user: u32,
    /// What it is about.
    pub topic: &'static str,
    /// What it says.
    pub text: String,
    /// Personal data in the text, as it stands there: known because the note is made up.
    pub planted: Vec<String>,
}

/// The week's notes.
pub fn notes(shape: Shape) -> Vec<Note> {
    let mut rng = ChaCha12Rng::seed_from_u64(shape.seed ^ 0x006e_6f74_6573);
    let count = shape.users.div_ceil(USERS_PER_NOTE);
    (0..count)
        .map(|_| {
            let user = rng.random_range(0..shape.users);
            // Most trouble is with signing in.
            let topic = TOPICS.get(rng.random_range(0..8usize).saturating_sub(4)).copied();
            note(user, topic.unwrap_or("sign-in"), rng.random_range(0..6))
        })
        .collect()
}

fn note(user: u32, topic: &'static str, form: u32) -> Note {
    let Person { name, email, phone, address } = person(user);
    let (text, planted) = match form {
        0 => (
            format!("{name} called about {topic}. Call back on {phone} after lunch."),
            vec![name, phone],
        ),
        1 => (
            format!(
                "Mail from {email}: {topic} does not work since Monday. Asked {name} for a log."
            ),
            vec![email, name],
        ),
        2 => (
            format!("Request about {topic} from {address}; the account is {email}."),
            vec![address, email],
        ),
        3 => (
            format!("Spoke to {name} about {topic}, solved. Confirmation sent to {email}."),
            vec![name, email],
        ),
        4 => (
            format!("{name} ({phone}) asks again about {topic}; escalated to the platform team."),
            vec![name, phone],
        ),
        _ => (format!("Customer asked about {topic}. No reply needed."), Vec::new()),
    };
    Note { user, topic, text, planted }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_planted_stands_in_the_text() {
        let notes = notes(Shape { users: 2000, events: 2000, seed: 1 });
        assert_eq!(notes.len(), 200);
        for note in notes {
            assert!(note.planted.iter().all(|value| note.text.contains(value)));
            assert!(TOPICS.contains(&note.topic));
        }
    }
}
