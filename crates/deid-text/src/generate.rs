//! Sentences with made-up personal data and their gold spans: for training and for tests.
//!
//! Templates of letters, forms, chats, tickets and tables in several languages are filled with
//! names, places, companies and identifiers of many countries. Nothing in them is about anyone.

mod technical;

use std::ops::Range;

use crate::calendar::MONTHS;
use technical::Technical;

const TEMPLATES: &str = include_str!("../data/generate/templates.txt");
const LOCALES: &str = include_str!("../data/names/locales.txt");
const PLACES: &str = include_str!("../data/names/places.txt");
const LAST: &str = include_str!("../data/names/last.txt");

/// A text and the personal data in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labelled {
    /// The text.
    pub text: String,
    /// Entities with their bytes, in order.
    pub spans: Vec<(&'static str, Range<usize>)>,
}

/// A small generator of pseudo-random numbers (SplitMix64): reproducible, not for secrets.
#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    /// A generator from a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Rng(seed)
    }

    /// The next word.
    pub fn next_word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// A number below `n`; 0 for `n` 0.
    pub fn below(&mut self, n: usize) -> usize {
        if n == 0 { 0 } else { (self.next_word() % n as u64) as usize }
    }

    /// One of several.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        of.get(self.below(of.len()))
    }

    /// Brings a list into a random order.
    pub fn shuffle<T>(&mut self, list: &mut [T]) {
        for i in (1..list.len()).rev() {
            list.swap(i, self.below(i + 1));
        }
    }
}

#[derive(Debug)]
struct Locale {
    women: Vec<&'static str>,
    men: Vec<&'static str>,
    family: Vec<&'static str>,
}

/// Makes labelled sentences.
///
/// # Example
///
/// ```
/// use deid_text::generate::Generator;
///
/// let sentence = Generator::new(1).sentence();
/// for (entity, range) in &sentence.spans {
///     println!("{entity}: {}", &sentence.text[range.clone()]);
/// }
/// ```
#[derive(Debug)]
pub struct Generator {
    rng: Rng,
    locales: Vec<Locale>,
    templates: Vec<&'static str>,
    places: Vec<&'static str>,
    last: Vec<&'static str>,
    technical: Technical,
}

const FORMS: [&str; 16] = [
    "Inc.", "Ltd", "LLC", "GmbH", "AG", "S.A.", "PLC", "Corp.", "Group", "& Co.", "Partners",
    "Holdings", "SARL", "B.V.", "S.r.l.", "and Sons",
];
const TRADES: [&str; 36] = [
    "Logistics",
    "Software",
    "Foods",
    "Energy",
    "Consulting",
    "Motors",
    "Bank",
    "Insurance",
    "Media",
    "Systems",
    "Pharma",
    "Health",
    "Airlines",
    "Capital",
    "Technologies",
    "Construction",
    "Hospital",
    "University",
    "College",
    "Telecom",
    "Steel",
    "Textiles",
    "Electronics",
    "Robotics",
    "Analytics",
    "Labs",
    "Solutions",
    "Industries",
    "Foundation",
    "Institute",
    "Council",
    "Ministry",
    "Clinic",
    "Legal",
    "Properties",
    "Travel",
];
const STREETS: [&str; 14] = [
    "Street",
    "Avenue",
    "Road",
    "Lane",
    "Drive",
    "Boulevard",
    "Court",
    "Way",
    "Place",
    "St",
    "Ave",
    "Rd",
    "Terrace",
    "Square",
];
impl Generator {
    /// A generator from a seed; the same seed gives the same sentences.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let locales = LOCALES
            .lines()
            .filter_map(|line| {
                let mut cells = line.split('|').skip(1);
                let women = cells.next()?.split(' ').collect();
                let men = cells.next()?.split(' ').collect();
                Some(Locale { women, men, family: cells.next()?.split('/').collect() })
            })
            .collect();
        Generator {
            rng: Rng::new(seed),
            locales,
            templates: TEMPLATES.lines().filter(|l| !l.is_empty() && !l.starts_with('#')).collect(),
            places: PLACES.lines().collect(),
            last: LAST.lines().collect(),
            technical: Technical::new(),
        }
    }

    /// The next sentence.
    pub fn sentence(&mut self) -> Labelled {
        let template = self.rng.pick(&self.templates).copied().unwrap_or("{person}");
        let mut out = Labelled::default();
        let mut rest = template;
        while let Some(open) = rest.find('{') {
            out.text.push_str(&rest[..open].replace("\\n", "\n"));
            let close = rest[open..].find('}').map_or(rest.len(), |i| open + i);
            let slot = rest.get(open + 1..close).unwrap_or_default();
            let start = out.text.len();
            let (entity, value) = self.fill(slot);
            out.text.push_str(&value);
            if let Some(entity) = entity {
                out.spans.push((entity, start..out.text.len()));
            }
            rest = rest.get(close + 1..).unwrap_or_default();
        }
        out.text.push_str(&rest.replace("\\n", "\n"));
        match self.rng.below(14) {
            0 if out.text.is_ascii() => out.text = out.text.to_lowercase(),
            1 if out.text.is_ascii() => out.text = out.text.to_uppercase(),
            _ => {}
        }
        out
    }

    /// The next sentence of a manual, a documentation or a licence, in which nobody is named.
    pub fn technical(&mut self) -> Labelled {
        let mut text = self.technical.sentence(&mut self.rng, &self.last);
        match self.rng.below(20) {
            0 => text = text.to_lowercase(),
            1 => text = text.to_uppercase(),
            _ => {}
        }
        Labelled { text, spans: Vec::new() }
    }

    fn fill(&mut self, slot: &str) -> (Option<&'static str>, String) {
        match slot {
            "person" => (Some("PERSON"), self.person()),
            "first" => (Some("PERSON"), self.first()),
            "last" => (Some("PERSON"), self.family()),
            "lastfirst" => {
                let (family, first) = (self.family(), self.first());
                (Some("PERSON"), format!("{family}, {first}"))
            }
            "city" => (
                Some("LOCATION"),
                self.rng.pick(&self.places).map_or(String::new(), |p| (*p).to_owned()),
            ),
            "org" => (Some("ORGANIZATION"), self.company()),
            "street" => {
                let name = self.family();
                let kind = self.rng.pick(&STREETS).copied().unwrap_or("Street");
                (Some("STREET_ADDRESS"), format!("{} {name} {kind}", 1 + self.rng.below(990)))
            }
            "email" => {
                let (first, family) = (self.first(), self.family());
                let host = self
                    .rng
                    .pick(&["example.com", "example.org", "mail.example.net"])
                    .copied()
                    .unwrap_or("example.com");
                let clean = |s: String| {
                    s.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase()
                };
                (Some("EMAIL_ADDRESS"), format!("{}.{}@{host}", clean(first), clean(family)))
            }
            "phone" => {
                let n = self.rng.below(100);
                let value = match self.rng.below(4) {
                    0 => format!("(415) 555-01{n:02}"),
                    1 => format!("+44 7700 9001{n:02}"),
                    2 => format!("+1 212 555 01{n:02}"),
                    _ => format!("01 99 00 11 {n:02}"),
                };
                (Some("PHONE_NUMBER"), value)
            }
            "date" => {
                let month = self.rng.pick(&MONTHS).copied().unwrap_or("May");
                let (day, year) = (1 + self.rng.below(28), 1940 + self.rng.below(85));
                let value = match self.rng.below(3) {
                    0 => format!("{month} {day}, {year}"),
                    1 => format!("{day:02}/{:02}/{year}", 1 + self.rng.below(12)),
                    _ => format!("{day} {month} {year}"),
                };
                (Some("DATE_TIME"), value)
            }
            "id" => (
                None,
                format!(
                    "{}{:06}",
                    (b'A' + self.rng.below(26) as u8) as char,
                    self.rng.below(1_000_000)
                ),
            ),
            "num" => (None, format!("{}", 1 + self.rng.below(9999))),
            "month" => (None, self.rng.pick(&MONTHS).map_or(String::new(), |m| (*m).to_owned())),
            _ => (None, String::new()),
        }
    }

    fn locale(&mut self) -> usize {
        self.rng.below(self.locales.len())
    }

    fn first(&mut self) -> String {
        let i = self.locale();
        let women = self.rng.below(2) == 0;
        let list = self.locales.get(i).map(|l| if women { &l.women } else { &l.men });
        list.and_then(|l| l.get(self.rng.0 as usize % l.len().max(1)))
            .map_or("Ana".to_owned(), |n| (*n).to_owned())
    }

    fn family(&mut self) -> String {
        if self.rng.below(3) == 0 {
            return self.rng.pick(&self.last).map_or("Lovelace".to_owned(), |n| (*n).to_owned());
        }
        let i = self.locale();
        let n = self.rng.next_word() as usize;
        let list = self.locales.get(i).map(|l| &l.family);
        list.and_then(|l| l.get(n % l.len().max(1)))
            .map_or("Lovelace".to_owned(), |n| (*n).to_owned())
    }

    fn person(&mut self) -> String {
        let (first, family) = (self.first(), self.family());
        match self.rng.below(12) {
            0 => format!("{} {family}", initial(&first)),
            1 => {
                let middle = self.first();
                format!("{first} {} {family}", initial(&middle))
            }
            2 => {
                let second = self.family();
                format!("{first} {family}-{second}")
            }
            3 => {
                let middle = self.first();
                format!("{first} {middle} {family}")
            }
            _ => format!("{first} {family}"),
        }
    }

    fn company(&mut self) -> String {
        let trade = self.rng.pick(&TRADES).copied().unwrap_or("Systems");
        let form = self.rng.pick(&FORMS).copied().unwrap_or("Ltd");
        match self.rng.below(6) {
            0 => format!("{} {trade}", self.family()),
            1 => format!("{} {form}", self.family()),
            2 => {
                let (a, b) = (self.family(), self.family());
                format!("{a} & {b}")
            }
            3 => format!("{} {trade}", self.rng.pick(&self.places).copied().unwrap_or("Lisbon")),
            4 => format!("{} {trade} {form}", self.family()),
            _ => {
                let (a, b) = (self.family(), self.family());
                format!("{a}, {b} {form}")
            }
        }
    }
}

fn initial(name: &str) -> String {
    name.chars().next().map_or(String::new(), |c| format!("{c}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_where_they_say() {
        let mut generator = Generator::new(3);
        for _ in 0..500 {
            let item = generator.sentence();
            for (entity, range) in &item.spans {
                let value = item.text.get(range.clone()).expect("a boundary");
                assert!(!value.is_empty(), "{entity}");
            }
        }
        assert_eq!(Generator::new(5).sentence(), Generator::new(5).sentence());
    }

    #[test]
    fn technical_sentences_are_filled() {
        let mut generator = Generator::new(4);
        for _ in 0..2000 {
            let item = generator.technical();
            assert!(!item.text.is_empty() && !item.text.contains(['{', '}']), "{}", item.text);
            assert!(item.spans.is_empty());
        }
    }
}
