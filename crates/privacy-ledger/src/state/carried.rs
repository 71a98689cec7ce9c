//! The books as bytes, to be carried forward: whoever has them need not apply the entries before.
//!
//! The log holds their hash ([`Event::Carried`]), so that books kept beside it are as good as it,
//! and an auditor, who applies every entry, finds those that do not follow.
//!
//! # Form 1
//!
//! A length of 8 bytes and a JSON document, with everything but the requests that have ended; then
//! these, account by account: their number, and for each a length of 2 bytes, the name, 16 bytes of
//! digest, and 8 bytes that are one more than the entry of the commitment, or 0 where it lapsed; in
//! the order of these last numbers, then of the names. Numbers are little-endian.

use std::sync::Arc;

use foldhash::{HashMap, HashMapExt};
use privacy_core::unit::Scope;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::State;
use super::books::{Books, Held, Open, Request, Stage};
use crate::account::Account;
use crate::entry::{Commitment, Event, OnLapse};
use crate::error::{Error, Result};
use crate::time::Timestamp;
use crate::usage::Usage;

/// The only form there is. Another is neither read nor checked.
pub(crate) const FORM: u32 = 1;

/// The hash that the log holds of carried books.
pub(crate) fn hash_books(books: &[u8]) -> Commitment {
    Commitment::of_hash(Sha256::digest(books).into())
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document<A> {
    now: Timestamp,
    erased: Vec<u64>,
    accounts: Vec<A>,
}

#[derive(Serialize)]
struct Kept<'a> {
    terms: &'a Account,
    scope: Option<Scope>,
    closed: bool,
    period: u64,
    usage: &'a Usage,
    /// By entry.
    open: Vec<OpenRequest>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Read {
    terms: Account,
    scope: Option<Scope>,
    closed: bool,
    period: u64,
    usage: Usage,
    open: Vec<OpenRequest>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OpenRequest {
    name: String,
    digest: [u8; 16],
    entry: u64,
    lapses: Timestamp,
    on_lapse: OnLapse,
    held: Vec<Held>,
    route: Vec<(String, String)>,
    replace: bool,
}

impl OpenRequest {
    fn of(name: &str, digest: [u8; 16], open: &Open) -> Self {
        let Open { entry, lapses, on_lapse, held, route, replace } = open;
        OpenRequest {
            name: name.to_owned(),
            digest,
            entry: *entry,
            lapses: *lapses,
            on_lapse: *on_lapse,
            held: held.clone(),
            route: route
                .iter()
                .map(|(path, block)| (path.to_string(), block.to_string()))
                .collect(),
            replace: *replace,
        }
    }

    fn request(self) -> Request {
        let OpenRequest { digest, entry, lapses, on_lapse, held, route, replace, .. } = self;
        let route = route.into_iter().map(|(path, block)| (path.into(), block.into())).collect();
        let open = Open { entry, lapses, on_lapse, held, route, replace };
        Request { digest, stage: Stage::Open(Box::new(open)) }
    }
}

impl Books {
    fn kept(&self) -> Kept<'_> {
        let mut open: Vec<_> = self
            .requests
            .iter()
            .filter_map(|(name, request)| match &request.stage {
                Stage::Open(open) => Some(OpenRequest::of(name, request.digest, open)),
                Stage::Committed { .. } | Stage::Lapsed => None,
            })
            .collect();
        open.sort_unstable_by_key(|open| open.entry);
        let Books { terms, scope, closed, period, usage, .. } = self;
        Kept { terms, scope: *scope, closed: *closed, period: *period, usage, open }
    }

    fn write_ended(&self, out: &mut Vec<u8>) {
        // By entry first: comparing names is what would take long.
        let mut ended: Vec<(u64, &str, [u8; 16])> = self
            .requests
            .iter()
            .filter_map(|(name, request)| match request.stage {
                Stage::Open(_) => None,
                Stage::Committed { entry } => Some((entry + 1, &**name, request.digest)),
                Stage::Lapsed => Some((0, &**name, request.digest)),
            })
            .collect();
        ended.sort_unstable();
        out.extend_from_slice(&(ended.len() as u64).to_le_bytes());
        for (stage, name, digest) in ended {
            // An entry has less than 2^16 bytes, and the name is in one.
            out.extend_from_slice(&(name.len() as u16).to_le_bytes());
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(&digest);
            out.extend_from_slice(&stage.to_le_bytes());
        }
    }
}

impl State {
    /// The books, to be carried forward. The same books have the same bytes.
    pub(crate) fn carry(&self) -> Result<Vec<u8>> {
        let accounts = self.accounts.iter().map(Books::kept).collect();
        let document = Document { now: self.now, erased: self.erased.clone(), accounts };
        let text = serde_json::to_vec(&document)
            .map_err(|_| Error::Terms { reason: "the books cannot be written" })?;
        let mut out = (text.len() as u64).to_le_bytes().to_vec();
        out.extend_from_slice(&text);
        self.accounts.iter().for_each(|books| books.write_ended(&mut out));
        Ok(out)
    }

    /// The state that was carried; `None` if these are not such bytes.
    pub(crate) fn carried(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes;
        let length = usize::try_from(number(&mut rest)?).ok()?;
        let (text, after) = rest.split_at_checked(length)?;
        rest = after;
        let Document { now, erased, accounts } =
            serde_json::from_slice::<Document<Read>>(text).ok()?;
        let mut state = State { now, erased, ..State::default() };
        for (index, read) in accounts.into_iter().enumerate() {
            let index = u32::try_from(index).ok()?;
            let path: Arc<str> = read.terms.path.as_str().into();
            let mut requests = ended(&mut rest, read.open.len())?;
            let open = read.open.len();
            for open in read.open {
                let name: Arc<str> = open.name.as_str().into();
                state.deadlines.insert((open.lapses, open.entry), (index, name.clone()));
                requests.insert(name, open.request());
            }
            state.by_path.insert(path.clone(), index);
            state.accounts.push(Books {
                path,
                limit: read.terms.counting.limit(&read.terms.limit)?,
                scope: read.scope,
                closed: read.closed,
                period: read.period,
                usage: read.usage,
                open,
                requests,
                terms: read.terms,
            });
        }
        state.set_boundary(now);
        rest.is_empty().then_some(state)
    }

    /// Checks that the books which an entry says it carries are these.
    ///
    /// # Errors
    ///
    /// [`Error::Corrupt`].
    pub(crate) fn check_carried(&self, index: u64, event: &Event) -> Result<()> {
        match event {
            Event::Carried { form: FORM, books } if hash_books(&self.carry()?) != *books => {
                let what = "the books it carries forward do not follow from the entries";
                Err(Error::Corrupt { entry: index, what })
            }
            _ => Ok(()),
        }
    }

    /// Time goes on to that of the entry that carries these books.
    pub(crate) fn go_on(&mut self, at: Timestamp) {
        self.advance(at);
        self.now = at;
    }
}

fn number(rest: &mut &[u8]) -> Option<u64> {
    let (bytes, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(u64::from_le_bytes(*bytes))
}

/// The requests of an account that have ended, with room for `more`.
fn ended(rest: &mut &[u8], more: usize) -> Option<HashMap<Arc<str>, Request>> {
    const LEAST: usize = 2 + 16 + 8;
    let count = usize::try_from(number(rest)?).ok().filter(|count| *count <= rest.len() / LEAST)?;
    let mut requests = HashMap::with_capacity(count + more);
    for _ in 0..count {
        let (length, after) = rest.split_first_chunk()?;
        let (name, after) = after.split_at_checked(u16::from_le_bytes(*length).into())?;
        let (digest, after) = after.split_first_chunk()?;
        *rest = after;
        let stage = match number(rest)? {
            0 => Stage::Lapsed,
            after => Stage::Committed { entry: after - 1 },
        };
        let name = std::str::from_utf8(name).ok()?.into();
        requests.insert(name, Request { digest: *digest, stage });
    }
    Some(requests)
}
