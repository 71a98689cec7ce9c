//! Closed lists that verifiers look things up in.

use std::collections::{HashMap, HashSet};

use foldhash::fast::FixedState;

const TLDS: &str = include_str!("../../data/tlds.txt");
const IBAN: &str = include_str!("../../data/iban.txt");
const CARDS: &str = include_str!("../../data/cards.txt");
const MONTHS: &str = include_str!("../../data/months.txt");
const PUBLIC_SITES: &str = include_str!("../../data/public_sites.txt");

/// Generic domains that are hardly ever anything else in running text.
const PLAIN: &str = "com org net edu gov mil biz io dev app ai co uk de fr nl eu ch at jp cn ru br ca au \
                     kr pl cz dk fi se ie pt gr hu ro tr il mx ar cl nz za sg hk tw th vn ph lu online \
                     shop site store tech cloud xyz info club agency museum blog";
/// Country domains that are file name extensions or English words too.
const EXTENSIONS: &str = "md rs py sh so pl ps mov zip am is it in at be do to my me us id no as by ht la \
                          so st cc vi ms ml tv ac gs cs js ts mk pm";

/// One network of payment cards.
#[derive(Clone, Copy, Debug)]
pub(super) struct CardRange {
    pub(super) low: u32,
    pub(super) high: u32,
    pub(super) digits: u32,
    /// Bit n: numbers of n digits exist.
    pub(super) lengths: u32,
}

#[derive(Debug)]
pub(super) struct Lists {
    tlds: HashSet<&'static str, FixedState>,
    plain: HashSet<&'static str, FixedState>,
    extensions: HashSet<&'static str, FixedState>,
    public: HashSet<&'static str, FixedState>,
    /// Country → total length and BBAN shape.
    pub(super) iban: HashMap<[u8; 2], (usize, &'static str), FixedState>,
    pub(super) cards: Vec<CardRange>,
    /// Hash of a month's name → number.
    months: HashMap<u64, u8, FixedState>,
}

impl Lists {
    pub(super) fn new() -> Self {
        let mut iban = HashMap::default();
        for entry in IBAN.split_whitespace() {
            if let Some((head, shape)) = entry.split_once(':')
                && let Some((country, length)) = head.split_at_checked(2)
                && let (Ok(country), Ok(length)) = (country.as_bytes().try_into(), length.parse())
            {
                iban.insert(country, (length, shape));
            }
        }
        let mut cards = Vec::new();
        for line in CARDS.lines().filter(|l| !l.starts_with('#')) {
            let Some((ranges, lengths)) = line.split_once(':').and_then(|(_, r)| r.split_once(';'))
            else {
                continue;
            };
            let mut mask = 0;
            for part in lengths.split_whitespace() {
                let (a, b) = part.split_once('-').unwrap_or((part, part));
                if let (Ok(a), Ok(b)) = (a.parse::<u32>(), b.parse::<u32>()) {
                    (a..=b).for_each(|n| mask |= 1 << n);
                }
            }
            for range in ranges.split_whitespace() {
                let (a, b) = range.split_once('-').unwrap_or((range, range));
                if let (Ok(low), Ok(high)) = (a.parse(), b.parse()) {
                    cards.push(CardRange { low, high, digits: a.len() as u32, lengths: mask });
                }
            }
        }
        let mut months = HashMap::default();
        for (number, line) in MONTHS.lines().filter(|l| !l.starts_with('#')).enumerate() {
            for name in line.split_whitespace() {
                months.insert(crate::context::word_hash(name), number as u8 + 1);
            }
        }
        Lists {
            tlds: TLDS.lines().collect(),
            plain: PLAIN.split_whitespace().collect(),
            extensions: EXTENSIONS.split_whitespace().collect(),
            public: PUBLIC_SITES.lines().filter(|l| !l.starts_with('#')).collect(),
            iban,
            cards,
            months,
        }
    }

    pub(super) fn is_tld(&self, name: &str) -> bool {
        // The longest in the registry has 24 characters.
        if !name.is_ascii() {
            return name.len() <= 64 && self.tlds.contains(name.to_lowercase().as_str());
        }
        let mut lower = [0; 24];
        let Some(lower) = lower.get_mut(..name.len()) else { return false };
        lower.copy_from_slice(name.as_bytes());
        lower.make_ascii_lowercase();
        std::str::from_utf8(lower).is_ok_and(|n| self.tlds.contains(n))
    }

    pub(super) fn is_plain_tld(&self, name: &str) -> bool {
        self.plain.contains(name.to_ascii_lowercase().as_str())
    }

    pub(super) fn is_country_tld(&self, name: &str) -> bool {
        name.len() == 2 || self.is_plain_tld(name)
    }

    pub(super) fn is_extension(&self, name: &str) -> bool {
        self.extensions.contains(name.to_ascii_lowercase().as_str())
    }

    /// Whether a host keeps repositories of code.
    pub(super) fn is_code_host(&self, host: &str) -> bool {
        const HOSTS: [&str; 6] = [
            "github.com",
            "gitlab.com",
            "bitbucket.org",
            "codeberg.org",
            "raw.githubusercontent.com",
            "git.sr.ht",
        ];
        let host = host.strip_prefix("www.").unwrap_or(host);
        HOSTS.iter().any(|h| host.eq_ignore_ascii_case(h))
    }

    /// Whether a host belongs to a public body of standards, licences or documentation.
    pub(super) fn is_public_site(&self, host: &str) -> bool {
        const DOCUMENTATION: [&str; 8] =
            ["docs.", "doc.", "developer.", "developers.", "learn.", "spec.", "specs.", "man."];
        let host = host.to_ascii_lowercase();
        let mut rest = host.as_str();
        if DOCUMENTATION.iter().any(|d| rest.starts_with(d)) {
            return true;
        }
        loop {
            if self.public.contains(rest) {
                return true;
            }
            match rest.split_once('.') {
                Some((_, parent)) => rest = parent,
                None => return false,
            }
        }
    }

    /// The number of a month by its name in one of the listed languages.
    pub(super) fn month(&self, name: &str) -> Option<u8> {
        (3..=24)
            .contains(&name.len())
            .then(|| self.months.get(&crate::context::word_hash(name)).copied())?
    }
}
