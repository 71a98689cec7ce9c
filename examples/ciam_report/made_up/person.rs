//! Names, addresses and numbers of made-up users. All of them are reserved for documentation or drama:
//! nobody can be reached by them.

const FIRST: [&str; 24] = [
    "Marta", "Peter", "Julia", "Thomas", "Laura", "Daniel", "Sofia", "Martin", "Emma", "Lukas",
    "Clara", "David", "Helena", "Simon", "Nina", "Oliver", "Paula", "Robert", "Anna", "Victor",
    "Elena", "Hugo", "Carla", "Felix",
];
const LAST: [&str; 24] = [
    "Kowalska",
    "Bennett",
    "Rossi",
    "Schneider",
    "Lefevre",
    "Jansen",
    "Moreau",
    "Novak",
    "Weber",
    "Fischer",
    "Garcia",
    "Romano",
    "Keller",
    "Dubois",
    "Marshall",
    "Olsen",
    "Ferrari",
    "Wagner",
    "Hughes",
    "Lambert",
    "Costa",
    "Vogel",
    "Morales",
    "Andersson",
];

/// Who a user is.
pub struct Person {
    pub name: String,
    pub email: String,
    pub phone: String,
    pub address: String,
}

/// The person behind a user's number.
pub fn person(user: u32) -> Person {
    let pick = |list: &[&'static str; 24], step: u32| {
        list.get((user.wrapping_mul(step) % 1009 % 24) as usize).copied().unwrap_or_default()
    };
    let (first, last) = (pick(&FIRST, 7919), pick(&LAST, 104_729));
    Person {
        name: format!("{first} {last}"),
        email: format!("{}.{}{user}@example.org", first.to_lowercase(), last.to_lowercase()),
        phone: format!("+44 20 7946 0{:03}", user % 1000),
        address: format!("203.0.113.{}", user % 254 + 1),
    }
}
