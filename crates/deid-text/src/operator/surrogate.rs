//! Made-up values of the same kind, the same for equal values everywhere.

use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

use zeroize::Zeroizing;

use super::keys::{prf, subkey};

const LOCALES: &str = include_str!("../../data/names/locales.txt");
const FIRST: &str = include_str!("../../data/names/first.txt");
const PLACES: &str = include_str!("../../data/names/places.txt");

struct Locale {
    women: Vec<&'static str>,
    men: Vec<&'static str>,
    family: Vec<&'static str>,
}

/// In which locales a word is a woman's name, a man's, a family's; a bit for each locale.
#[derive(Clone, Copy, Default)]
struct Uses {
    women: u64,
    men: u64,
    family: u64,
}

struct Tables {
    locales: Vec<Locale>,
    uses: HashMap<&'static str, Uses>,
    family: Vec<&'static str>,
    /// First names of any country.
    first: HashSet<&'static str>,
    places: Vec<&'static str>,
}

fn tables() -> &'static Tables {
    static TABLES: OnceLock<Tables> = OnceLock::new();
    TABLES.get_or_init(|| {
        let mut tables = Tables {
            locales: Vec::new(),
            uses: HashMap::new(),
            family: Vec::new(),
            first: FIRST.lines().collect(),
            places: PLACES.lines().collect(),
        };
        for (i, line) in LOCALES.lines().take(64).enumerate() {
            let mut cells = line.split('|').skip(1);
            let mut cell = |by: char| -> Vec<&'static str> {
                let names = cells.next().unwrap_or_default().split(by);
                names.filter(|n| !n.is_empty() && !n.contains(' ')).collect()
            };
            let (women, men, mut family) = (cell(' '), cell(' '), cell('/'));
            // A list this short would give a whole country a handful of family names.
            if family.len() < 20 {
                family.clear();
            }
            let locale = Locale { women, men, family };
            let bit = 1 << i;
            for name in &locale.women {
                tables.uses.entry(name).or_default().women |= bit;
            }
            for name in &locale.men {
                tables.uses.entry(name).or_default().men |= bit;
            }
            for name in &locale.family {
                tables.uses.entry(name).or_default().family |= bit;
            }
            tables.family.extend(&locale.family);
            tables.locales.push(locale);
        }
        tables
    })
}

impl Tables {
    /// A name of the same gender from a locale in which `word` is used; a family name of any
    /// locale for a word that is in no list.
    fn name_like(&self, word: &str, c: &mut Choices) -> &'static str {
        let uses = self.uses.get(word).copied().unwrap_or_default();
        let (mask, list): (u64, fn(&Locale) -> &[&'static str]) = match uses {
            Uses { women, men, .. } if women.count_ones() > men.count_ones() => {
                (women, |l| &l.women)
            }
            Uses { men, .. } if men != 0 => (men, |l| &l.men),
            Uses { women, .. } if women != 0 => (women, |l| &l.women),
            // A first name of no locale's list: its ending tells the gender more often than not.
            Uses { family: 0, .. } if self.first.contains(word) => {
                (u64::MAX, if word.ends_with(['a', 'e', 'y']) { |l| &l.women } else { |l| &l.men })
            }
            Uses { family, .. } => (family, |l| &l.family),
        };
        let among: Vec<&Locale> = self
            .locales
            .iter()
            .enumerate()
            .filter(|(i, _)| mask >> i & 1 == 1)
            .map(|(_, l)| l)
            .collect();
        match among.get(c.below(among.len())) {
            Some(locale) => c.of(list(locale)),
            None => c.of(&self.family),
        }
    }
}

/// Surrogates under one key.
pub(crate) struct Surrogates {
    key: Zeroizing<[u8; 64]>,
}

/// A stream of choices that depends on the key and a value alone.
struct Choices {
    key: Zeroizing<[u8; 32]>,
    drawn: u64,
}

impl Choices {
    fn below(&mut self, n: usize) -> usize {
        let word = prf(&*self.key, &[&self.drawn.to_be_bytes()]);
        self.drawn += 1;
        let word = word.iter().take(8).fold(0u64, |w, b| w << 8 | u64::from(*b));
        if n == 0 { 0 } else { (word % n as u64) as usize }
    }

    fn of(&mut self, list: &[&'static str]) -> &'static str {
        list.get(self.below(list.len())).copied().unwrap_or("X")
    }
}

impl Surrogates {
    pub(crate) fn new(key: &[u8]) -> Self {
        // One key for all entities: a name within an address stays the same name.
        Surrogates { key: subkey(key, "surrogate", "") }
    }

    fn choices(&self, kind: &str, value: &str) -> Choices {
        let canonical = value.to_lowercase();
        Choices {
            key: prf(&*self.key, &[b"deid/v1/surrogate", kind.as_bytes(), canonical.as_bytes()]),
            drawn: 0,
        }
    }

    pub(crate) fn of(&self, entity: &str, value: &str) -> String {
        match entity {
            "PERSON" => self.person(value),
            "LOCATION" => self.choices("place", value).of(&tables().places).to_owned(),
            "ORGANIZATION" => {
                let mut c = self.choices("organization", value);
                let form = c.of(&["Ltd", "Inc.", "GmbH", "Group"]);
                format!("{} {form}", c.of(&tables().family))
            }
            "STREET_ADDRESS" => {
                let mut c = self.choices("street", value);
                let number = 1 + c.below(199);
                format!("{number} {} Street", c.of(&tables().family))
            }
            "EMAIL_ADDRESS" => {
                let mut c = self.choices("email", value);
                let family: String =
                    c.of(&tables().family).chars().filter(char::is_ascii_alphabetic).collect();
                format!("{}{:04}@example.org", family.to_lowercase(), c.below(10_000))
            }
            "PHONE_NUMBER" => {
                let digits: String = value.chars().filter(char::is_ascii_digit).collect();
                let mut c = self.choices("phone", &digits);
                if value.trim_start().starts_with("+44") {
                    format!("+44 7700 900{:03}", c.below(1000))
                } else if value.trim_start().starts_with("+33") {
                    format!("+33 1 99 00 {:02} {:02}", c.below(100), c.below(100))
                } else {
                    let area = 201 + c.below(788);
                    let prefix = if value.trim_start().starts_with('+') { "+1 " } else { "" };
                    format!("{prefix}{area}-555-01{:02}", c.below(100))
                }
            }
            "URL" => {
                format!("https://example.org/{:08x}", self.choices("url", value).below(1 << 32))
            }
            "IP_ADDRESS" if value.contains(':') => {
                format!("2001:db8::{:x}", self.choices("ip", value).below(65536))
            }
            "IP_ADDRESS" => {
                let mut c = self.choices("ip", value);
                let net = c.of(&["192.0.2", "198.51.100", "203.0.113"]);
                format!("{net}.{}", 1 + c.below(254))
            }
            "MAC_ADDRESS" => {
                let mut c = self.choices("mac", value);
                let mut out = "02".to_owned();
                (0..5).for_each(|_| out.push_str(&format!(":{:02x}", c.below(256))));
                out
            }
            "US_SSN" => {
                let mut c = self.choices("ssn", value);
                format!("{}-{:02}-{:04}", 900 + c.below(100), 1 + c.below(49), 1 + c.below(9999))
            }
            "CREDIT_CARD" => self.card(value),
            _ => self.same_form(entity, value),
        }
    }

    /// Each part of a name by itself, so that "Jane Doe" and "Doe" stay together.
    fn person(&self, value: &str) -> String {
        let t = tables();
        let mut out = String::new();
        for part in value.split_inclusive([' ', '-', ',', '.']) {
            let word = part.trim_end_matches([' ', '-', ',', '.']);
            let tail = part.get(word.len()..).unwrap_or_default();
            let titled: String = {
                let mut chars = word.chars();
                chars.next().map_or(String::new(), |c| {
                    c.to_uppercase().chain(chars.flat_map(char::to_lowercase)).collect()
                })
            };
            let mut c = self.choices("name", word);
            let new = match word.chars().count() {
                0 => String::new(),
                1 => char::from(b'A' + c.below(26) as u8).to_string(),
                _ => t.name_like(&titled, &mut c).to_owned(),
            };
            let upper = word.chars().count() > 1 && word.chars().all(char::is_uppercase);
            let lower = word.chars().all(char::is_lowercase);
            out.push_str(&if upper {
                new.to_uppercase()
            } else if lower {
                new.to_lowercase()
            } else {
                new
            });
            out.push_str(tail);
        }
        out
    }

    /// A number of a range that no issuer uses, with a Luhn check that holds.
    fn card(&self, value: &str) -> String {
        let plain: String = value.chars().filter(char::is_ascii_digit).collect();
        let mut c = self.choices("card", &plain);
        let n = plain.len().max(12);
        let mut digits: Vec<u8> =
            b"000000".iter().copied().chain((6..n).map(|_| b'0' + c.below(10) as u8)).collect();
        for check in b'0'..=b'9' {
            if let Some(last) = digits.last_mut() {
                *last = check;
            }
            if crate::checksum::luhn(&digits) {
                break;
            }
        }
        let mut new = digits.into_iter().map(char::from);
        value
            .chars()
            .map(|ch| if ch.is_ascii_digit() { new.next().unwrap_or(ch) } else { ch })
            .collect()
    }

    /// Digits for digits and letters for letters.
    fn same_form(&self, entity: &str, value: &str) -> String {
        let mut c = self.choices(entity, value);
        value
            .chars()
            .map(|ch| {
                if ch.is_numeric() {
                    char::from(b'0' + c.below(10) as u8)
                } else if ch.is_uppercase() {
                    char::from(b'A' + c.below(26) as u8)
                } else if ch.is_alphabetic() {
                    char::from(b'a' + c.below(26) as u8)
                } else {
                    ch
                }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_gender_locale_and_parts() {
        let surrogates = Surrogates::new(&[7; 32]);
        let t = tables();
        let full = |l: &&Locale| l.family.len() > 50 && l.women.len() > 50;
        for locale in t.locales.iter().filter(full).take(8) {
            let (first, family) = (locale.women[3], locale.family[5]);
            let uses = |name: &str| t.uses.get(name).copied().unwrap_or_default();
            if family.contains('-')
                || uses(first).women.count_ones() <= uses(first).men.count_ones()
            {
                continue;
            }
            let whole = surrogates.of("PERSON", &format!("{first} {family}"));
            let (new_first, new_family) = whole.split_once(' ').unwrap();
            assert_eq!(surrogates.of("PERSON", family), new_family);
            assert_eq!(surrogates.of("PERSON", &first.to_uppercase()), new_first.to_uppercase());
            assert_ne!(uses(new_first).women & uses(first).women, 0, "{first} {family}: {whole}");
        }
        let other = Surrogates::new(&[8; 32]);
        assert_ne!(other.of("PERSON", "Ana Lovelace"), surrogates.of("PERSON", "Ana Lovelace"));
    }
}
