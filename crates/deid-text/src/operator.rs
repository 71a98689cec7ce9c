//! What is done with a finding.

mod cipher;
pub mod ff1;
mod generalize;
mod keys;
mod surrogate;

use serde::{Deserialize, Serialize};

pub(crate) use cipher::{Pseudonym, Token};
pub(crate) use generalize::{bucket, date_shift, generalize, mask};
pub use keys::Keys;
pub(crate) use keys::subkey;
pub(crate) use surrogate::Surrogates;

/// Which end an operator works from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// From the start.
    #[default]
    Start,
    /// From the end.
    End,
}

/// Characters that a mask leaves alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Characters {
    /// 0–9.
    Numeric,
    /// Letters in upper case.
    AlphaUpper,
    /// Letters in lower case.
    AlphaLower,
    /// Signs.
    Punctuation,
    /// Blanks.
    Whitespace,
}

/// What a value is coarsened to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Coarse {
    /// The first three digits of a US ZIP code; 000 for the areas of under 20,000 people in which
    /// three digits are still too many (HHS list of the Census of 2000).
    Zip3,
    /// The year of a date.
    Year,
    /// The year and month of a date.
    Month,
    /// An age in bands of ten years, and 90+ from 90 on.
    AgeBand,
    /// An age as it is, and 90+ from 90 on.
    AgeCap,
    /// The domain of an e-mail address.
    Domain,
    /// The network of an IPv4 address (24 bits).
    Network,
}

/// What is done with a finding's text.
///
/// # Security
///
/// | operator | reversible | what remains visible |
/// |---|---|---|
/// | `keep` | – | everything |
/// | `redact`, `replace` | no | where something stood |
/// | `tag` | no | where, and what kind |
/// | `instance_tag` | no | which occurrences are equal, within a text |
/// | `mask`, `truncate`, `generalize` | no | what is left, often the length |
/// | `hash` | no | which values are equal, to all who see the output |
/// | `token` | with the key | which values are equal, and their length |
/// | `encrypt` | with the key | the length |
/// | `fpe` | with the key | which values are equal, their length and format |
/// | `date_shift` | with the key | distances between a subject's dates |
/// | `surrogate` | no | which values are equal |
///
/// Hashes are HMAC-SHA-256, tokens AES-256-SIV (RFC 5297), encryption AES-256-GCM-SIV (RFC 8452),
/// format-preserving encryption FF1 with AES-256 (NIST SP 800-38G); their claims rest on these being
/// pseudo-random under a key that stays secret. There is no unkeyed hash.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Operator {
    /// Leaves the text as it is; it is still listed.
    Keep,
    /// Removes the text.
    Redact,
    /// Puts a fixed text in its place.
    Replace {
        /// The text.
        with: String,
    },
    /// Puts the entity in its place: `<PERSON>`.
    Tag,
    /// The entity and a number that is the same for equal values within a text: `<PERSON_1>`.
    InstanceTag,
    /// Covers characters.
    Mask {
        /// What covers them.
        #[serde(default = "star")]
        char: char,
        /// How many are covered; all, if absent.
        #[serde(default)]
        count: Option<usize>,
        /// How many are left uncovered at the other end, at least.
        #[serde(default)]
        keep: usize,
        /// From which side they are covered.
        #[serde(default)]
        side: Side,
        /// What is never covered.
        #[serde(default)]
        ignore: Vec<Characters>,
    },
    /// Keeps the first characters.
    Truncate {
        /// How many.
        keep: usize,
    },
    /// Coarsens the value; what cannot be read as one becomes a tag.
    Generalize {
        /// To what.
        to: Coarse,
    },
    /// Puts a number into a bucket of fixed size: `40-49`.
    Bucket {
        /// The size.
        size: u32,
    },
    /// A keyed pseudonym.
    Hash {
        /// The key's name.
        key: String,
        /// Bits of the pseudonym: a multiple of 8, 64 to 256.
        #[serde(default = "bits")]
        bits: u16,
    },
    /// A deterministic, authenticated token.
    Token {
        /// The key's name.
        key: String,
    },
    /// Randomized, authenticated encryption.
    Encrypt {
        /// The key's name.
        key: String,
    },
    /// Format-preserving encryption: letters stay letters, digits digits, everything else stays.
    Fpe {
        /// The key's name.
        key: String,
        /// Keeps the last four digits and the Luhn check of card numbers.
        #[serde(default)]
        card: bool,
    },
    /// Moves a date by a number of days that is the same for all dates of a subject.
    DateShift {
        /// The key's name.
        key: String,
        /// The most days, in either direction.
        #[serde(default = "days")]
        max_days: u32,
    },
    /// A made-up value of the same kind, the same for equal values everywhere.
    Surrogate {
        /// The key's name.
        key: String,
    },
    /// A function of the caller's, registered under a name.
    Custom {
        /// The name.
        name: String,
    },
}

fn star() -> char {
    '*'
}

fn bits() -> u16 {
    128
}

fn days() -> u32 {
    365
}

impl Operator {
    /// A mask of stars over everything.
    #[must_use]
    pub fn mask() -> Self {
        Operator::Mask { char: '*', count: None, keep: 0, side: Side::Start, ignore: Vec::new() }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Operator::Keep => "keep",
            Operator::Redact => "redact",
            Operator::Replace { .. } => "replace",
            Operator::Tag => "tag",
            Operator::InstanceTag => "instance_tag",
            Operator::Mask { .. } => "mask",
            Operator::Truncate { .. } => "truncate",
            Operator::Generalize { .. } => "generalize",
            Operator::Bucket { .. } => "bucket",
            Operator::Hash { .. } => "hash",
            Operator::Token { .. } => "token",
            Operator::Encrypt { .. } => "encrypt",
            Operator::Fpe { .. } => "fpe",
            Operator::DateShift { .. } => "date_shift",
            Operator::Surrogate { .. } => "surrogate",
            Operator::Custom { .. } => "custom",
        }
    }

    /// The name of the key that it needs.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        match self {
            Operator::Hash { key, .. }
            | Operator::Token { key }
            | Operator::Encrypt { key }
            | Operator::Fpe { key, .. }
            | Operator::DateShift { key, .. }
            | Operator::Surrogate { key } => Some(key),
            _ => None,
        }
    }

    /// Whether the original can be had back, with the key.
    #[must_use]
    pub fn is_reversible(&self) -> bool {
        matches!(
            self,
            Operator::Keep
                | Operator::Token { .. }
                | Operator::Encrypt { .. }
                | Operator::Fpe { .. }
                | Operator::DateShift { .. }
        )
    }
}
