//! What is written to the log: one entry for each thing that happened.
//!
//! The bytes of an entry are its JSON with fields in the order of the types below, without spaces,
//! amounts as exact text. That form is canonical: reading and writing it again gives the same
//! bytes, which [`Entry::decode`] checks, so that nobody can hide a message in the difference.

use std::borrow::Cow;
use std::fmt;

use privacy_core::access::{Actor, Purpose, Resource};
use privacy_core::audit::AuditRecord;
use privacy_core::budget::RequestId;
use privacy_core::measure::{Allowance, Charge};
use privacy_core::unit::Scope;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

use crate::account::Account;
use crate::error::{Error, Result};
use crate::path::AccountPath;
use crate::time::Timestamp;

/// The largest entry: what a bundle of the tiles layout can hold.
pub(crate) const MAX_ENTRY: usize = u16::MAX as usize;

/// One entry of the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Entry {
    /// When it was written; never before the entry ahead of it.
    pub at: Timestamp,
    /// The version of the code that wrote it.
    pub by: Cow<'static, str>,
    /// What happened.
    pub event: Event,
    /// The commitment to the payload that is kept beside the entry, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<Commitment>,
}

impl Entry {
    pub(crate) fn encode(&self) -> Result<Vec<u8>> {
        let bytes = serde_json::to_vec(self)
            .map_err(|_| Error::Corrupt { entry: 0, what: "the entry cannot be written" })?;
        if bytes.len() > MAX_ENTRY {
            let (what, size) = ("entry", bytes.len());
            return Err(Error::TooLarge { what, size, limit: MAX_ENTRY });
        }
        Ok(bytes)
    }

    /// Reads an entry, the `index`th of its log.
    ///
    /// # Errors
    ///
    /// [`Error::Corrupt`] if the bytes are not the canonical form of an entry.
    pub fn decode(bytes: &[u8], index: u64) -> Result<Self> {
        let entry = Self::parse(bytes, index)?;
        match entry.encode() {
            Ok(again) if again == bytes => Ok(entry),
            _ => Err(Error::Corrupt { entry: index, what: "the entry is not in canonical form" }),
        }
    }

    /// As [`Entry::decode`], for bytes whose hash is known to be right.
    pub(crate) fn parse(bytes: &[u8], index: u64) -> Result<Self> {
        serde_json::from_slice(bytes)
            .map_err(|_| Error::Corrupt { entry: index, what: "the entry cannot be read" })
    }
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Event {
    /// An account was opened.
    Opened(Box<Account>),
    /// The limit of an account was changed.
    LimitSet {
        /// The account.
        account: AccountPath,
        /// Its limit from now on.
        limit: Allowance,
    },
    /// An account was closed for good.
    Closed {
        /// The account.
        account: AccountPath,
    },
    /// A charge was set aside.
    Reserved(Box<Reserved>),
    /// A reservation became final. The payload, if there is one, is the stored answer.
    Committed(Settled),
    /// A reservation was given back before anything was drawn.
    RolledBack(Settled),
    /// A step was recorded.
    Recorded(Box<AuditRecord>),
    /// An authorizer decided.
    Decided(Box<Decided>),
    /// The payload of an entry was erased.
    Erased {
        /// The entry.
        entry: u64,
        /// Why, such as the number of the erasure request.
        reason: String,
    },
    /// The books were carried forward, so that opening the ledger need not apply what is before
    /// this entry: their hash. It follows from the entries before, and an audit checks that.
    Carried {
        /// How the books are written.
        form: u32,
        /// Their SHA-256.
        books: Commitment,
    },
    /// Time passed: reservations lapsed or a budget's period ended.
    Passed,
    /// What a crash had left unfinished at the end of the log was cut off.
    Recovered {
        /// How many bytes.
        bytes: u64,
    },
}

impl Event {
    /// What happened, in a word.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Event::Opened(_) => "opened",
            Event::LimitSet { .. } => "limit set",
            Event::Closed { .. } => "closed",
            Event::Reserved(_) => "reserved",
            Event::Committed(_) => "committed",
            Event::RolledBack(_) => "rolled back",
            Event::Recorded(_) => "recorded",
            Event::Decided(_) => "decided",
            Event::Erased { .. } => "erased",
            Event::Carried { .. } => "carried",
            Event::Passed => "passed",
            Event::Recovered { .. } => "recovered",
        }
    }
}

/// A charge that was set aside.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Reserved {
    /// The account charged.
    pub account: AccountPath,
    /// The request's name, unique in the account.
    pub request: RequestId,
    /// The price.
    pub charge: Charge,
    /// Whose privacy the release protects.
    pub scope: Scope,
    /// What the caller says of the request, so that a retry under the same name is known to be the
    /// same request: such as a hash of its plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Cow<'static, str>>,
    /// When it lapses, if it is neither committed nor rolled back before.
    pub lapses: Timestamp,
    /// What becomes of the amount then.
    pub on_lapse: OnLapse,
}

/// What becomes of a reservation that nobody ends in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OnLapse {
    /// It counts as spent, because data may have been read under it.
    Spent,
    /// It is given back, because data may be read only after it was committed.
    Returned,
}

/// The end of a reservation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Settled {
    /// The account.
    pub account: AccountPath,
    /// The request.
    pub request: RequestId,
    /// The entry of the reservation that is meant, where the name may have been used again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reservation: Option<u64>,
}

/// What an authorizer decided on a request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Decided {
    /// Who asked.
    pub actor: Actor,
    /// Why.
    pub purpose: Purpose,
    /// For what.
    pub resource: Resource,
    /// At which price, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub charge: Option<Charge>,
    /// The decision: `permit`, `deny`, or the obligations of a permit.
    pub decision: Cow<'static, str>,
}

/// A SHA-256 commitment to a salt and a payload.
///
/// # Security
///
/// Hiding while the salt of 32 random bytes is secret, binding if SHA-256 is collision-resistant.
/// Once salt and payload are erased, nothing but the fact that there was a payload remains.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Commitment([u8; 32]);

impl Commitment {
    /// The commitment to `payload` under `salt`.
    #[must_use]
    pub fn new(salt: &[u8; 32], payload: &[u8]) -> Self {
        Commitment(Sha256::new().chain_update(salt).chain_update(payload).finalize().into())
    }

    pub(crate) fn of_hash(hash: [u8; 32]) -> Self {
        Commitment(hash)
    }

    /// The hash.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Commitment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Commitment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Commitment({self})")
    }
}

impl Serialize for Commitment {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Commitment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let text = <Cow<'de, str>>::deserialize(deserializer)?;
        let wrong = || serde::de::Error::custom("expected 64 hexadecimal digits");
        let mut bytes = [0u8; 32];
        if text.len() != 64 || !text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(wrong());
        }
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
            let digits = std::str::from_utf8(pair).map_err(|_| wrong())?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| wrong())?;
        }
        Ok(Commitment(bytes))
    }
}
