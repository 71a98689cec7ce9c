//! What is known of one account: its terms, what is used, and the requests made to it.

use std::sync::Arc;

use foldhash::HashMap;
use privacy_core::budget::Refusal;
use privacy_core::measure::{Allowance, Charge};
use privacy_core::unit::Scope;
use serde::{Deserialize, Serialize};

use crate::account::Account;
use crate::entry::OnLapse;
use crate::spend::Spend;
use crate::time::Timestamp;
use crate::usage::Usage;

#[derive(Debug)]
pub(super) struct Books {
    pub(super) terms: Account,
    pub(super) path: Arc<str>,
    pub(super) limit: Spend,
    pub(super) scope: Option<Scope>,
    pub(super) closed: bool,
    pub(super) period: u64,
    pub(super) usage: Usage,
    pub(super) open: usize,
    pub(super) requests: HashMap<Arc<str>, Request>,
}

#[derive(Debug)]
pub(super) struct Request {
    pub(super) digest: [u8; 16],
    pub(super) stage: Stage,
}

#[derive(Debug)]
pub(super) enum Stage {
    Open(Box<Open>),
    Committed { entry: u64 },
    Lapsed,
}

#[derive(Debug)]
pub(super) struct Open {
    pub(super) entry: u64,
    pub(super) lapses: Timestamp,
    pub(super) on_lapse: OnLapse,
    pub(super) held: Vec<Held>,
    pub(super) route: Vec<(Arc<str>, Box<str>)>,
    /// Whether blocks are disjoint under replace, where the two largest count.
    pub(super) replace: bool,
}

/// What one account holds for a reservation.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Held {
    pub(super) account: u32,
    pub(super) period: u64,
    pub(super) spend: Spend,
    /// Where the account's part of the route begins.
    pub(super) from: usize,
}

impl Books {
    pub(super) fn refuses(&self, at: Timestamp) -> bool {
        self.closed || self.terms.expires.is_some_and(|expires| at >= expires)
    }

    /// What a charge along `route` may ask of this account alone.
    pub(super) fn room(&self, route: &[(&str, &str)]) -> Spend {
        let within = self.usage.total().fits(&self.limit);
        let room = within.then(|| self.usage.room(&self.limit, route)).flatten();
        room.unwrap_or_else(|| self.limit.nothing())
    }

    /// What an amount of this account is worth, for people to read.
    pub(super) fn worth(&self, amount: &Spend) -> Allowance {
        let Account { counting, limit, scope, .. } = &self.terms;
        counting.worth(amount, limit, *scope)
    }

    /// What a charge takes where there is `room`.
    pub(super) fn take(&self, charge: &Charge, room: &Spend) -> Result<Spend, Refusal> {
        self.terms.counting.take(&self.terms.limit, charge, room, |left| self.worth(left))
    }
}

/// The accounts that a charge counts in, and the partitions on its way.
pub(super) struct Chain {
    pub(super) accounts: Vec<u32>,
    pub(super) route: Vec<(Arc<str>, Box<str>)>,
    /// For each account, where its part of the route begins.
    pub(super) from: Vec<usize>,
}

impl Chain {
    pub(super) fn borrowed(route: &[(Arc<str>, Box<str>)]) -> Vec<(&str, &str)> {
        route.iter().map(|(path, block)| (&**path, &**block)).collect()
    }
}
