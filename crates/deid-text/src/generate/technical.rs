//! Sentences of manuals, documentation and licences in which nobody is named: what a tagger must leave alone.
//!
//! Their words are terms, and capitals stand for what they stand for there: identifiers, headings, defined
//! terms, and names of programs that were made up.

use super::Rng;

const TEXT: &str = include_str!("../../data/generate/technical.txt");

const BEGIN: [&str; 40] = [
    "Ar", "Be", "Bro", "Cor", "Cle", "Dex", "Dra", "El", "Fer", "Flo", "Gal", "Gri", "Hel", "Ina",
    "Jun", "Kes", "Kub", "Lum", "Mar", "Mo", "Nim", "Nu", "Ori", "Pan", "Pyr", "Quil", "Ras", "Ro",
    "Sal", "Sol", "Tan", "Tor", "Ul", "Vel", "Vex", "Wil", "Xen", "Yar", "Zep", "Zi",
];
const MIDDLE: [&str; 12] = ["ba", "de", "ga", "lo", "mi", "no", "ra", "sa", "ti", "vo", "", ""];
const END: [&str; 18] = [
    "n", "r", "x", "l", "s", "t", "k", "um", "is", "on", "ia", "ex", "io", "ly", "us", "er", "ix",
    "db",
];

/// Templates, and the words that their slots are filled with.
#[derive(Debug)]
pub(super) struct Technical {
    words: Vec<(&'static str, Vec<&'static str>)>,
    templates: Vec<&'static str>,
}

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or(String::new(), |c| c.to_uppercase().chain(chars).collect())
}

impl Technical {
    pub(super) fn new() -> Self {
        let lines = TEXT.lines().filter(|l| !l.is_empty() && !l.starts_with("//"));
        let (words, templates): (Vec<_>, Vec<_>) = lines.partition(|l| l.starts_with("word "));
        let words = words.into_iter().filter_map(|line| {
            let mut cells = line.split(' ').skip(1);
            Some((cells.next()?, cells.collect()))
        });
        Technical { words: words.collect(), templates }
    }

    fn word(&self, kind: &str, rng: &mut Rng) -> &'static str {
        let list = self.words.iter().find(|(k, _)| *k == kind).map_or(&[][..], |(_, list)| list);
        rng.pick(list).copied().unwrap_or("value")
    }

    /// A sentence without anybody in it; `family` gives family names, for what is called after somebody.
    pub(super) fn sentence(&self, rng: &mut Rng, family: &[&'static str]) -> String {
        let mut rest = rng.pick(&self.templates).copied().unwrap_or("{Noun}");
        let mut out = String::new();
        while let Some((before, more)) = rest.split_once('{') {
            out.push_str(&before.replace("\\n", "\n").replace("\\t", "\t"));
            let Some((slot, after)) = more.split_once('}') else { break };
            out.push_str(&self.fill(slot, rng, family));
            rest = after;
        }
        out.push_str(&rest.replace("\\n", "\n").replace("\\t", "\t"));
        out
    }

    fn fill(&self, slot: &str, rng: &mut Rng, family: &[&'static str]) -> String {
        match slot {
            "Camel" => {
                let parts = 1 + rng.below(3);
                let kind = |rng: &mut Rng| if rng.below(3) == 0 { "adjective" } else { "noun" };
                (0..=parts)
                    .map(|_| {
                        let kind = kind(rng);
                        capital(self.word(kind, rng))
                    })
                    .collect()
            }
            "snake" => {
                let (a, b) = (self.word("verb", rng), self.word("noun", rng));
                match rng.below(3) {
                    0 => b.to_owned(),
                    1 => format!("{a}_{b}"),
                    _ => format!("{b}-{}", self.word("noun", rng)),
                }
            }
            "CONST" => {
                let (a, b) = (self.word("noun", rng), self.word("noun", rng));
                format!("{a}_{b}").to_uppercase()
            }
            "Name" => {
                let part =
                    |list: &[&'static str], rng: &mut Rng| rng.pick(list).copied().unwrap_or("");
                let name = part(&BEGIN, rng).to_owned() + part(&MIDDLE, rng) + part(&END, rng);
                match rng.below(6) {
                    0 => name.to_uppercase(),
                    1 => name + &capital(self.word("noun", rng)),
                    2 => capital(self.word("noun", rng)),
                    _ => name,
                }
            }
            "last" => rng.pick(family).copied().unwrap_or("Gauss").to_owned(),
            "version" => {
                let (major, minor) = (rng.below(20), rng.below(30));
                if rng.below(2) == 0 {
                    format!("{major}.{minor}")
                } else {
                    format!("{major}.{minor}.{}", rng.below(12))
                }
            }
            "num" => (1 + rng.below(400)).to_string(),
            "letter" => char::from(b'a' + rng.below(26) as u8).to_string(),
            "Letter" => char::from(b'A' + rng.below(26) as u8).to_string(),
            slot => {
                let word = self.word(&slot.to_lowercase(), rng);
                let capitals = slot.chars().filter(|c| c.is_uppercase()).count();
                match capitals {
                    0 => word.to_owned(),
                    1 => capital(word),
                    _ => word.to_uppercase(),
                }
            }
        }
    }
}
