//! The books as a pure state machine: entries in, balances out.
//!
//! [`State::apply`] is the only function that changes a balance, on the way of a new request as on
//! the way of reading the log again, and it reads neither clock nor store. Whoever applies the same
//! entries in the same order therefore has the same books: several processes, a restarted one, and
//! an auditor. An event that is refused leaves the state as it was.

use std::collections::{BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use privacy_core::budget::{Refusal, RequestId};
use privacy_core::measure::{Allowance, Charge};
use privacy_core::unit::{Relation, Scope};

use crate::account::{Account, Standing};
use crate::counting::Counting;
use crate::entry::{Event, OnLapse, Reserved, Settled};
use crate::error::{Error, Result};
use crate::path::{AccountPath, first_below};
use crate::spend::Spend;
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
    /// Open reservations by the time they lapse: account, entry of the reservation.
    deadlines: BTreeSet<(Timestamp, u64, u32, Arc<str>)>,
    /// When the next period of any account begins, or the next account expires.
    boundary: Option<Timestamp>,
}

#[derive(Debug)]
struct Books {
    terms: Account,
    path: Arc<str>,
    limit: Spend,
    scope: Option<Scope>,
    closed: bool,
    period: u64,
    usage: Usage,
    open: usize,
    requests: HashMap<Arc<str>, Request>,
}

#[derive(Debug)]
struct Request {
    digest: u128,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    Open(Box<Open>),
    Committed { entry: u64 },
    Lapsed,
}

#[derive(Debug)]
struct Open {
    entry: u64,
    lapses: Timestamp,
    on_lapse: OnLapse,
    held: Vec<Held>,
    route: Vec<(Arc<str>, Box<str>)>,
    /// Whether blocks are disjoint under replace, where the two largest count.
    replace: bool,
}

/// What one account holds for a reservation.
#[derive(Debug)]
struct Held {
    account: u32,
    period: u64,
    spend: Spend,
    /// Where the account's part of the route begins.
    from: usize,
}

impl Books {
    fn refuses(&self, at: Timestamp) -> bool {
        self.closed || self.terms.expires.is_some_and(|expires| at >= expires)
    }

    /// What a charge along `route` may ask of this account alone.
    fn room(&self, route: &[(&str, &str)]) -> Spend {
        let within = self.usage.total().fits(&self.limit);
        let room = within.then(|| self.usage.room(&self.limit, route)).flatten();
        room.unwrap_or_else(|| self.limit.nothing())
    }

    /// What an amount of this account is worth, for people to read.
    fn worth(&self, amount: &Spend) -> Allowance {
        let Account { counting, limit, scope, .. } = &self.terms;
        counting.worth(amount, limit, *scope)
    }

    /// What a charge takes where there is `room`.
    fn take(&self, charge: &Charge, room: &Spend) -> Result<Spend, Refusal> {
        self.terms.counting.take(&self.terms.limit, charge, room, |left| self.worth(left))
    }
}

/// The accounts that a charge counts in, and the partitions on its way.
struct Chain {
    accounts: Vec<u32>,
    route: Vec<(Arc<str>, Box<str>)>,
    /// For each account, where its part of the route begins.
    from: Vec<usize>,
}

impl Chain {
    fn borrowed(route: &[(Arc<str>, Box<str>)]) -> Vec<(&str, &str)> {
        route.iter().map(|(path, block)| (&**path, &**block)).collect()
    }
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

    /// Whether the passage of time until `at` changes a balance, which must then be written.
    pub(crate) fn is_due(&self, at: Timestamp) -> bool {
        self.deadlines.first().is_some_and(|(lapses, ..)| *lapses <= at)
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
            Event::Recorded(_)
            | Event::Decided(_)
            | Event::Erased { .. }
            | Event::Passed
            | Event::Recovered { .. } => Ok(Applied::Changed),
        };
        if !matches!(applied, Ok(Applied::Changed)) {
            self.now = before;
        }
        applied
    }

    /// Lapses what is due and begins the periods that begin.
    fn advance(&mut self, at: Timestamp) {
        while let Some((lapses, ..)) = self.deadlines.first()
            && *lapses <= at
        {
            let Some((_, _, account, name)) = self.deadlines.pop_first() else { break };
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
        let digest = digest(asked);
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
        self.deadlines.insert((asked.lapses, index, account, name.clone()));
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
            self.forget_deadline(&settled.account, &settled.request, &open);
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
            self.forget_deadline(&settled.account, &settled.request, &open);
            self.give_back(&open);
        }
        Ok(())
    }

    fn forget_deadline(&mut self, account: &AccountPath, request: &RequestId, open: &Open) {
        let Some(account) = self.find(account.as_str()) else { return };
        self.deadlines.remove(&(open.lapses, open.entry, account, request.as_str().into()));
    }

    /// What the account has used and has left.
    pub(crate) fn standing(&self, path: &AccountPath) -> Result<Standing> {
        if let Ok(books) = self.books(path) {
            let mut standing = self.fresh_standing(&books.terms, books.room(&[]));
            standing.used = books.worth(books.usage.total());
            standing.open = books.open;
            standing.closed = books.refuses(self.now);
            if standing.closed {
                standing.remaining = standing.limit.nothing();
            }
            return Ok(standing);
        }
        // A block that nothing was charged to yet.
        let terms = self.block(path.as_str()).ok_or(Error::NoAccount)?;
        let limit = terms.counting.limit(&terms.limit).ok_or(Error::NoAccount)?;
        Ok(self.fresh_standing(&terms, limit))
    }

    fn fresh_standing(&self, terms: &Account, room: Spend) -> Standing {
        Standing {
            path: terms.path.clone(),
            limit: terms.limit.clone(),
            used: terms.limit.nothing(),
            remaining: self.remaining(terms, room),
            order: match &terms.counting {
                Counting::Renyi { order } => Some(order.clone()),
                _ => None,
            },
            open: 0,
            renewal: terms.renewal,
            expires: terms.expires,
            closed: false,
        }
    }

    /// The least of `own` and what the accounts above leave in the same measure.
    fn remaining(&self, terms: &Account, own: Spend) -> Allowance {
        let Account { path, limit, counting, scope, .. } = terms;
        let mut least = own;
        let mut route: Vec<(&str, &str)> = Vec::new();
        let above: Vec<_> = path
            .prefixes()
            .filter(|prefix| *prefix != path.as_str())
            .filter_map(|prefix| self.accounts.get(self.find(prefix)? as usize))
            .collect();
        for books in above.iter().rev() {
            if books.terms.blocks.is_some()
                && let Some(block) = first_below(path.as_str(), &books.path)
            {
                route.insert(0, (&books.path, block));
            }
            if books.refuses(self.now) {
                return limit.nothing();
            }
            if counting.compares(limit, &books.terms.counting, &books.terms.limit) {
                least = least.min(&books.room(&route));
            }
        }
        counting.worth(&least, limit, *scope)
    }

    /// The standings of all accounts, in the order of their paths.
    pub(crate) fn standings(&self) -> Vec<Standing> {
        let mut paths: Vec<_> = self.accounts.iter().map(|books| &books.terms.path).collect();
        paths.sort();
        paths.into_iter().filter_map(|path| self.standing(path).ok()).collect()
    }
}

/// What makes two requests of one name the same request, as 128 bits.
///
/// Kept in memory alone and compared within one process, so any good hash will do.
fn digest(asked: &Reserved) -> u128 {
    let half = |salt: u8| {
        let mut hasher = DefaultHasher::new();
        (salt, &asked.charge, asked.scope, &asked.plan, asked.on_lapse).hash(&mut hasher);
        u128::from(hasher.finish())
    };
    (half(0) << 64) | half(1)
}
