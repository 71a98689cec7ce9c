//! Where accounts stood at earlier times.

use serde::Serialize;

use super::Ledger;
use crate::account::Standing;
use crate::entry::Entry;
use crate::error::Result;
use crate::state::State;
use crate::time::Timestamp;

/// Where every account stood after an entry.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Moment {
    /// The entry.
    pub entry: u64,
    /// When it was written.
    pub at: Timestamp,
    /// The accounts, in the order of their paths.
    pub accounts: Vec<Standing>,
}

impl Ledger {
    /// Where the accounts stood after each of `moments` entries, evenly spaced from the first to the
    /// last: for charts. Reads the whole log.
    ///
    /// # Errors
    ///
    /// What the store reports.
    pub fn history(&self, moments: u64) -> Result<Vec<Moment>> {
        let size = self.size()?;
        let (mut state, mut index, mut history) = (State::default(), 0, Vec::new());
        // The entry after which the next moment is taken.
        let due = |taken: u64| (size * (taken + 1)).div_ceil(moments.max(1)).max(taken + 1);
        self.writer().store.read(0, size, &mut |bytes| {
            let entry = Entry::parse(bytes, index)?;
            state.apply(index, entry.at, &entry.event)?;
            index += 1;
            if index >= due(history.len() as u64) || index == size {
                let accounts = state.standings();
                history.push(Moment { entry: index - 1, at: entry.at, accounts });
            }
            Ok(())
        })?;
        Ok(history)
    }
}
