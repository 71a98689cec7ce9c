//! Where accounts stand, for people and for callers who ask before they reserve.

use privacy_core::measure::Allowance;

use super::State;
use crate::account::{Account, Standing};
use crate::counting::Counting;
use crate::error::{Error, Result};
use crate::path::{AccountPath, first_below};
use crate::spend::Spend;

impl State {
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
