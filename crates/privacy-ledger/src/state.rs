//! The books as a pure state machine: entries in, balances out.
//!
//! [`State::apply`] is the only function that changes a balance, on the way of a new request as on
//! the way of reading the log again, and it reads neither clock nor store. Whoever applies the same
//! entries in the same order therefore has the same books: several processes, a restarted one, and
//! an auditor. An event that is refused leaves the state as it was.

mod books;
mod carried;
mod standing;

use std::collections::BTreeMap;
use std::sync::Arc;

use foldhash::{HashMap, HashMapExt};
use privacy_core::budget::Refusal;
use privacy_core::measure::Allowance;
use privacy_core::unit::Relation;
use sha2::{Digest, Sha256};

use self::books::{Books, Chain, Held, Open, Request, Stage};
pub(crate) use self::carried::{FORM, hash_books};
use crate::account::Account;
use crate::entry::{Event, OnLapse, Reserved, Settled};
use crate::error::{Error, Result};
use crate::path::{AccountPath, first_below};
use crate::time::Timestamp;
use crate::usage::Usage;

/// What an event did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Applied {
    /// It changed the books and belongs into the log.
    Changed,
    /// It is so already; nothing is to be written.
    Unchanged,
    /// The request was made before; nothing is to be written.
    Before(Past),
}

/// How a request that was made before stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Past {
    /// Its reservation is open: it is being drawn, or whoever drew it is gone.
    Open,
    /// It was paid for and ended; the entry of the commitment, which holds the stored answer if
    /// one was stored.
    Committed {
        /// The entry.
        entry: u64,
    },
    /// Nobody ended it in time; it counts as spent.
    Lapsed,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    now: Timestamp,
    accounts: Vec<Books>,
    by_path: HashMap<Arc<str>, u32>,
    /// Open reservations by the time they lapse and their entry: the account and the request.
    deadlines: BTreeMap<(Timestamp, u64), (u32, Arc<str>)>,
    /// When the next period of any account begins, or the next account expires.
    boundary: Option<Timestamp>,
    /// The entries whose payload was erased.
    erased: Vec<u64>,
}

impl State {
    /// The time of the last entry.
    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    /// How many reservations are open.
    pub(crate) fn open(&self) -> usize {
        self.deadlines.len()
    }

    /// The entries whose payload was erased.
    pub(crate) fn erased(&self) -> &[u64] {
        &self.erased
    }

    /// Whether the passage of time until `at` changes a balance, which must then be written.
    pub(crate) fn is_due(&self, at: Timestamp) -> bool {
        self.deadlines.first_key_value().is_some_and(|((lapses, _), _)| *lapses <= at)
            || self.boundary.is_some_and(|boundary| boundary <= at)
    }

    /// Applies the event of the entry `index`.
    ///
    /// # Errors
    ///
    /// Why the event is refused; nothing has changed then.
    pub(crate) fn apply(&mut self, index: u64, at: Timestamp, event: &Event) -> Result<Applied> {
        if at < self.now {
            return Err(Error::Corrupt { entry: index, what: "its time is before the last entry" });
        }
        // Where time changes something, the caller has written that first, or this entry does.
        self.advance(at);
        let before = std::mem::replace(&mut self.now, at);
        let applied = match event {
            Event::Opened(account) => self.open_account(account),
            Event::LimitSet { account, limit } => {
                self.set_limit(account, limit).map(|()| Applied::Changed)
            }
            Event::Closed { account } => self.close(account).map(|()| Applied::Changed),
            Event::Reserved(reserved) => self.reserve(index, reserved),
            Event::Committed(settled) => self.commit(index, settled).map(|()| Applied::Changed),
            Event::RolledBack(settled) => self.roll_back(settled).map(|()| Applied::Changed),
            Event::Erased { entry, .. } => {
                self.erased.push(*entry);
                Ok(Applied::Changed)
            }
            Event::Recorded(_)
            | Event::Decided(_)
            | Event::Passed
            | Event::Carried { .. }
            | Event::Recovered { .. } => Ok(Applied::Changed),
        };
        if !matches!(applied, Ok(Applied::Changed)) {
            self.now = before;
        }
        applied
    }

    /// Lapses what is due and begins the periods that begin.
    fn advance(&mut self, at: Timestamp) {
        while let Some(first) = self.deadlines.first_entry()
            && first.key().0 <= at
        {
            let (account, name) = first.remove();
            self.lapse(account, &name);
        }
        if self.boundary.is_some_and(|boundary| boundary <= at) {
            for books in &mut self.accounts {
                let Some(renewal) = books.terms.renewal else { continue };
                let period = renewal.period(at);
                if period != books.period {
                    books.period = period;
                    books.usage = Usage::none(books.limit.nothing());
                }
            }
            self.set_boundary(at);
        }
    }

    fn set_boundary(&mut self, at: Timestamp) {
        let next = |books: &Books| {
            let renewal = books.terms.renewal.map(|renewal| renewal.next(at));
            let expires = books.terms.expires.filter(|expires| *expires > at);
            renewal.into_iter().chain(expires).min()
        };
        self.boundary = self.accounts.iter().filter_map(next).min();
    }

    fn lapse(&mut self, account: u32, name: &str) {
        let Some(books) = self.accounts.get_mut(account as usize) else { return };
        let Some(request) = books.requests.get_mut(name) else { return };
        let Stage::Open(open) = std::mem::replace(&mut request.stage, Stage::Lapsed) else {
            return;
        };
        books.open -= 1;
        if open.on_lapse == OnLapse::Returned {
            books.requests.remove(name);
            self.give_back(&open);
        }
    }

    fn give_back(&mut self, open: &Open) {
        let route = Chain::borrowed(&open.route);
        for held in &open.held {
            let Some(books) = self.accounts.get_mut(held.account as usize) else { continue };
            // What was taken from a period that has ended is not given to the next.
            if books.period == held.period {
                let route = route.get(held.from..).unwrap_or_default();
                books.usage.take_back(route, &held.spend, open.replace);
            }
        }
    }

    fn find(&self, path: &str) -> Option<u32> {
        self.by_path.get(path).copied()
    }

    fn books(&self, path: &AccountPath) -> Result<&Books> {
        let found = self.find(path.as_str()).and_then(|i| self.accounts.get(i as usize));
        found.ok_or(Error::NoAccount)
    }

    fn books_mut(&mut self, path: &AccountPath) -> Result<&mut Books> {
        let found = self.find(path.as_str()).ok_or(Error::NoAccount)?;
        self.accounts.get_mut(found as usize).ok_or(Error::NoAccount)
    }

    fn push(&mut self, terms: Account) -> Result<u32> {
        terms.check()?;
        let limit = terms.counting.limit(&terms.limit).ok_or(Error::Terms {
            reason: "this version does not know the measure of its limit",
        })?;
        let index = u32::try_from(self.accounts.len())
            .map_err(|_| Error::Terms { reason: "there are too many accounts" })?;
        let path: Arc<str> = terms.path.as_str().into();
        self.by_path.insert(path.clone(), index);
        self.accounts.push(Books {
            path,
            scope: terms.scope,
            closed: false,
            period: terms.renewal.map_or(0, |renewal| renewal.period(self.now)),
            usage: Usage::none(limit.nothing()),
            limit,
            open: 0,
            requests: HashMap::new(),
            terms,
        });
        Ok(index)
    }

    fn pop(&mut self) {
        if let Some(books) = self.accounts.pop() {
            self.by_path.remove(&books.path);
        }
    }

    /// The terms of the block at `path`, if its parent is partitioned.
    fn block(&self, path: &str) -> Option<Account> {
        let path: AccountPath = path.parse().ok()?;
        let (parent, _) = path.split()?;
        let parent = self.accounts.get(self.find(parent)? as usize)?;
        let limit = parent.terms.blocks.clone()?;
        let Account { scope, ref counting, .. } = parent.terms;
        let counting = counting.clone();
        Some(Account { path, limit, counting, scope, renewal: None, expires: None, blocks: None })
    }

    /// Opens the blocks that a path enters, and says how many accounts there were before.
    fn enter_blocks(&mut self, path: &AccountPath) -> Result<usize> {
        let before = self.accounts.len();
        for prefix in path.prefixes() {
            if self.find(prefix).is_none()
                && let Some(block) = self.block(prefix)
                && let Err(error) = self.push(block)
            {
                self.forget(before);
                return Err(error);
            }
        }
        Ok(before)
    }

    fn forget(&mut self, before: usize) {
        while self.accounts.len() > before {
            self.pop();
        }
    }

    fn open_account(&mut self, terms: &Account) -> Result<Applied> {
        if let Ok(books) = self.books(&terms.path) {
            let same = books.terms == *terms;
            return if same { Ok(Applied::Unchanged) } else { Err(Error::AccountDiffers) };
        }
        let below = |path: &str| first_below(path, terms.path.as_str()).is_some();
        if self.accounts.iter().any(|books| below(&books.path)) {
            return Err(Error::Terms {
                reason: "accounts below it were charged without it; open the wider account first",
            });
        }
        let before = self.enter_blocks(&terms.path)?;
        if self.find(terms.path.as_str()).is_some() {
            // It is a block of its parent, which gives it its terms.
            let same = self.books(&terms.path).is_ok_and(|books| books.terms == *terms);
            if !same {
                self.forget(before);
                return Err(Error::AccountDiffers);
            }
        } else if let Err(error) = self.push(terms.clone()) {
            self.forget(before);
            return Err(error);
        }
        self.set_boundary(self.now);
        Ok(Applied::Changed)
    }

    fn set_limit(&mut self, path: &AccountPath, limit: &Allowance) -> Result<()> {
        let books = self.books_mut(path)?;
        if !books.terms.counting.is_sum() {
            return Err(Error::Terms {
                reason: "the limit of a Rényi or declared account follows from its promise; open \
                         another account",
            });
        }
        let new = books
            .terms
            .counting
            .limit(limit)
            .filter(|_| books.terms.limit.measure() == limit.measure())
            .ok_or(Error::Terms { reason: "its limit must stay in the same measure" })?;
        books.limit = new;
        books.terms.limit = limit.clone();
        Ok(())
    }

    fn close(&mut self, path: &AccountPath) -> Result<()> {
        let books = self.books_mut(path)?;
        if books.closed {
            return Err(Refusal::Closed.into());
        }
        books.closed = true;
        Ok(())
    }

    fn chain(&self, path: &AccountPath) -> Result<Chain> {
        let mut chain = Chain { accounts: Vec::new(), route: Vec::new(), from: Vec::new() };
        for prefix in path.prefixes() {
            let Some(index) = self.find(prefix) else { continue };
            let Some(books) = self.accounts.get(index as usize) else { continue };
            chain.accounts.push(index);
            chain.from.push(chain.route.len());
            if books.terms.blocks.is_some()
                && let Some(block) = first_below(path.as_str(), prefix)
            {
                chain.route.push((books.path.clone(), block.into()));
            }
        }
        match self.find(path.as_str()) {
            Some(_) => Ok(chain),
            None => Err(Error::NoAccount),
        }
    }

    fn reserve(&mut self, index: u64, asked: &Reserved) -> Result<Applied> {
        let before = self.enter_blocks(&asked.account)?;
        let result = self.reserve_in(index, asked);
        if !matches!(result, Ok(Applied::Changed)) {
            self.forget(before);
        }
        result
    }

    fn reserve_in(&mut self, index: u64, asked: &Reserved) -> Result<Applied> {
        let digest = digest(asked)?;
        let account = self.find(asked.account.as_str()).ok_or(Error::NoAccount)?;
        if let Some(request) = self.books(&asked.account)?.requests.get(asked.request.as_str()) {
            if request.digest != digest {
                return Err(Error::RequestDiffers);
            }
            return Ok(Applied::Before(match &request.stage {
                Stage::Open(_) => Past::Open,
                Stage::Committed { entry } => Past::Committed { entry: *entry },
                Stage::Lapsed => Past::Lapsed,
            }));
        }
        if asked.lapses <= self.now {
            return Err(Error::Terms { reason: "a reservation must lapse after it is made" });
        }
        let chain = self.chain(&asked.account)?;
        let route = Chain::borrowed(&chain.route);
        let mut held = Vec::with_capacity(chain.accounts.len());
        for (&index, &from) in chain.accounts.iter().zip(&chain.from) {
            let books = self.accounts.get(index as usize).ok_or(Error::NoAccount)?;
            if books.refuses(self.now) {
                return Err(Refusal::Closed.into());
            }
            if let Some(budget) = books.scope.filter(|scope| *scope != asked.scope) {
                return Err(Refusal::OtherScope { budget, asked: asked.scope }.into());
            }
            let room = books.room(route.get(from..).unwrap_or_default());
            let spend = books.take(&asked.charge, &room)?;
            held.push(Held { account: index, period: books.period, spend, from });
        }
        // Everything fits; from here on nothing fails.
        let replace = asked.scope.relation != Relation::AddRemove;
        for held in &held {
            let Some(books) = self.accounts.get_mut(held.account as usize) else { continue };
            books.usage.add(route.get(held.from..).unwrap_or_default(), &held.spend, replace);
            books.scope = Some(asked.scope);
        }
        drop(route);
        let name: Arc<str> = asked.request.as_str().into();
        self.deadlines.insert((asked.lapses, index), (account, name.clone()));
        let books = self.books_mut(&asked.account)?;
        books.open += 1;
        let open = Open {
            entry: index,
            lapses: asked.lapses,
            on_lapse: asked.on_lapse,
            held,
            route: chain.route,
            replace,
        };
        books.requests.insert(name, Request { digest, stage: Stage::Open(Box::new(open)) });
        Ok(Applied::Changed)
    }

    fn commit(&mut self, index: u64, settled: &Settled) -> Result<()> {
        let books = self.books_mut(&settled.account)?;
        let unknown = || Error::from(Refusal::UnknownReservation);
        let request = books.requests.get_mut(settled.request.as_str()).ok_or_else(unknown)?;
        match &request.stage {
            Stage::Open(open) if settled.reservation.is_none_or(|entry| entry == open.entry) => {}
            // It was paid for already, so its end may be told late.
            Stage::Lapsed if settled.reservation.is_none() => {}
            _ => return Err(unknown()),
        }
        let stage = std::mem::replace(&mut request.stage, Stage::Committed { entry: index });
        if let Stage::Open(open) = stage {
            books.open -= 1;
            self.deadlines.remove(&(open.lapses, open.entry));
        }
        Ok(())
    }

    fn roll_back(&mut self, settled: &Settled) -> Result<()> {
        let books = self.books_mut(&settled.account)?;
        let unknown = || Error::from(Refusal::UnknownReservation);
        match books.requests.get(settled.request.as_str()).map(|request| &request.stage) {
            Some(Stage::Open(open))
                if settled.reservation.is_none_or(|entry| entry == open.entry) => {}
            _ => return Err(unknown()),
        }
        let request = books.requests.remove(settled.request.as_str());
        if let Some(Request { stage: Stage::Open(open), .. }) = request {
            books.open -= 1;
            self.deadlines.remove(&(open.lapses, open.entry));
            self.give_back(&open);
        }
        Ok(())
    }
}

/// What makes two requests of one name the same request: the first 16 bytes of a SHA-256, since the
/// books that are [carried forward](carried) keep it instead of the request.
fn digest(asked: &Reserved) -> Result<[u8; 16]> {
    let text = serde_json::to_vec(&(&asked.charge, asked.scope, &asked.plan, asked.on_lapse))
        .map_err(|_| Error::Terms { reason: "a charge cannot be written" })?;
    let hash: [u8; 32] = Sha256::digest(text).into();
    let mut short = [0; 16];
    short.copy_from_slice(&hash[..16]);
    Ok(short)
}
