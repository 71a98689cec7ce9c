//! Disjoint parts of a table, each with a session of its own, charged once for all.

use std::borrow::Borrow;
use std::fmt;
use std::hash::{BuildHasher, Hash};
use std::sync::{Mutex, PoisonError};

use privacy_core::access::{Promise, Resource};
use privacy_core::budget::MemoryBudget;
use privacy_core::context::{Ask, Context};
use privacy_core::measure::Allowance;
use privacy_core::params::ContributionLimits;
use privacy_core::unit::{AddRemove, PrivacyUnit, Scope};

use super::Session;
use super::table::{Table, UnitIndex};
use crate::error::Result;
use crate::hash::stable_hasher;
use crate::keys::{KnownGroups, Names};

/// Disjoint parts of a table, one for each of the known groups.
///
/// Made by [`Session::partition`]. Each part has the whole allowance to spend.
///
/// # Privacy
///
/// Every unit has rows in at most one part, so neighbouring tables differ in one part alone, and
/// what all parts release together costs what the dearest part spends (the parallel
/// composition theorem of McSherry 2009, <https://doi.org/10.1145/1559845.1559850>: the other parts'
/// answers have the same law for both tables, so in every measure only the one part's composition
/// counts). The session has paid the allowance once, which no part can exceed. This
/// exists for add/remove only: a replaced unit may leave one part and enter another.
pub struct Partition<'a, T, U, K> {
    parts: Vec<Part<'a, T, K>>,
    limits: ContributionLimits,
    allowance: Allowance,
    cx: Mutex<Context>,
    unit: std::marker::PhantomData<fn() -> U>,
}

struct Part<'a, T, K> {
    key: K,
    rows: Vec<&'a T>,
    units: Option<UnitIndex>,
    budget: MemoryBudget,
}

impl<'a, T: 'a, U: PrivacyUnit> Session<'a, T, U, AddRemove> {
    /// Divides the table by known groups into parts with sessions of their own, each of which may
    /// spend `allowance`; this session pays it once.
    ///
    /// `name` says which part a row belongs to; rows of other groups are in no part. A unit with
    /// rows in several parts keeps those of one of them, chosen pseudo-randomly.
    ///
    /// # Errors
    ///
    /// An error of the list of groups, or [`privacy_core::Error::Budget`] if the session cannot
    /// pay the allowance; and those of every release.
    ///
    /// # Example
    ///
    /// ```
    /// use dp_mechanisms::prelude::*;
    ///
    /// struct Login { user: u32, country: &'static str, seconds: u32 }
    /// # let logins: Vec<Login> = (0..1000)
    /// #     .map(|i| Login { user: i % 100, country: ["de", "fr"][i as usize % 2], seconds: i })
    /// #     .collect();
    /// let session = Session::over(&logins)
    ///     .unit(|e: &Login| e.user)
    ///     .max_rows_per_unit(20)
    ///     .budget(Epsilon::new(1.0)?)
    ///     .open()?;
    /// let parts = session.partition(|e| e.country, &["de", "fr"], Epsilon::new(0.6)?)?;
    /// for country in ["de", "fr"] {
    ///     let part = parts.session(&country).unwrap();
    ///     let count = part.count().epsilon(0.2)?.release()?;
    ///     let seconds = part.mean(|e| e.seconds).bounds(0..=3600)?.epsilon(0.4)?.release()?;
    ///     println!("{country}: {count}, {seconds}");
    /// }
    /// assert_eq!(session.remaining().to_string(), "ε = 0.4");
    /// # Ok::<(), dp_mechanisms::Error>(())
    /// ```
    pub fn partition<K, F, N, Form>(
        &self,
        name: F,
        parts: &[K],
        allowance: impl Into<Allowance>,
    ) -> Result<Partition<'a, T, U, K>>
    where
        F: Fn(&'a T) -> N,
        N: Names<K, Form>,
        K: Borrow<N::Target> + Eq + Hash + Clone,
    {
        let known = KnownGroups::new(parts)?;
        let allowance = allowance.into();
        let scope = Scope::of::<U, AddRemove>();
        let resource = Resource::new(format!("{} disjoint parts", parts.len()));
        let ask = Ask::new(resource, allowance.charge(), scope).promising(Promise::NoNumbers);
        let mut cx = self.cx();
        let divided = cx.release(ask, |_| {
            Ok(self.table.divide(parts.len(), |row| known.position(&name(row))))
        })?;
        let parts = known.groups().iter().zip(divided.value).map(|(key, (rows, units))| Part {
            key: key.clone(),
            rows,
            units,
            budget: MemoryBudget::for_scope(allowance.clone(), scope),
        });
        Ok(Partition {
            parts: parts.collect(),
            limits: self.limits,
            cx: Mutex::new(cx.part(MemoryBudget::for_scope(allowance.nothing(), scope))),
            allowance,
            unit: std::marker::PhantomData,
        })
    }
}

impl<'a, T, U> Table<'a, T, U, AddRemove> {
    /// The rows of each part, and which unit they belong to.
    fn divide(
        &self,
        parts: usize,
        part: impl Fn(&'a T) -> Option<u32>,
    ) -> Vec<(Vec<&'a T>, Option<UnitIndex>)> {
        let mut rows: Vec<Vec<&'a T>> = (0..parts).map(|_| Vec::new()).collect();
        let Some(units) = self.units() else {
            for row in self.rows() {
                if let Some(part) = part(row) {
                    rows[part as usize].push(row);
                }
            }
            return rows.into_iter().map(|rows| (rows, None)).collect();
        };
        // A unit's part is the one with the least hash among those it has rows in.
        let hasher = stable_hasher();
        let part_of: Vec<Option<u32>> = self.rows().iter().map(part).collect();
        let mut chosen: Vec<Option<(u64, u32)>> = vec![None; units.identities().len()];
        for (part, id) in part_of.iter().zip(units.ids()) {
            if let Some(part) = part {
                let rank = hasher.hash_one((units.identities()[id as usize], part));
                let best = &mut chosen[id as usize];
                if best.is_none_or(|best| (rank, *part) < best) {
                    *best = Some((rank, *part));
                }
            }
        }
        let mut ids: Vec<Vec<u32>> = vec![Vec::new(); parts];
        for ((row, part), id) in self.rows().iter().zip(&part_of).zip(units.ids()) {
            if let (Some(part), Some((_, kept))) = (part, chosen[id as usize])
                && *part == kept
            {
                rows[kept as usize].push(row);
                ids[kept as usize].push(id);
            }
        }
        rows.into_iter().zip(ids).map(|(rows, ids)| (rows, Some(units.of_rows(&ids)))).collect()
    }
}

impl<T, U: PrivacyUnit, K> Partition<'_, T, U, K> {
    /// What each part may spend.
    #[must_use]
    pub fn allowance(&self) -> &Allowance {
        &self.allowance
    }

    /// The keys of the parts, in order.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &K> {
        self.parts.iter().map(|part| &part.key)
    }
}

impl<'a, T, U: PrivacyUnit, K> Partition<'a, T, U, K> {
    /// A session over the part of the given key; `None` for a key that is not on the list.
    ///
    /// Its rows are references to those of the table. Sessions over the same part share its
    /// budget.
    pub fn session<Q>(&self, key: &Q) -> Option<Session<'_, &'a T, U, AddRemove>>
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        let part = self.parts.iter().find(|part| part.key.borrow() == key)?;
        let cx = self.cx.lock().unwrap_or_else(PoisonError::into_inner).part(part.budget.clone());
        let table = Table::new(&part.rows, part.units.clone());
        Some(Session { table, limits: self.limits, cx: cx.into() })
    }
}

impl<T, U, K> fmt::Debug for Partition<'_, T, U, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Partition")
            .field("parts", &self.parts.len())
            .field("allowance", &self.allowance)
            .finish_non_exhaustive()
    }
}
