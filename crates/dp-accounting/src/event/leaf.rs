//! Flattening: a tree as a list of different leaves with multiplicities.

use super::Event;
use crate::error::{AccountingError, Result};

/// The leaves of a tree, equal ones merged. A sampling or selection event is a leaf with whatever
/// it contains.
pub(crate) fn leaves(event: &Event) -> Result<Vec<(Event, u64)>> {
    let mut list = Vec::new();
    collect(event, 1, &mut list)?;
    Ok(list)
}

fn collect(event: &Event, times: u64, list: &mut Vec<(Event, u64)>) -> Result<()> {
    match event {
        Event::NoOp => Ok(()),
        Event::Composed { events } => events.iter().try_for_each(|e| collect(e, times, list)),
        Event::Repeated { count, inner } => {
            let times = times.checked_mul(*count).ok_or(AccountingError::TooManySteps)?;
            if times == 0 { Ok(()) } else { collect(inner, times, list) }
        }
        leaf => merge(list, leaf, times),
    }
}

/// Adds a leaf to a list.
fn merge(list: &mut Vec<(Event, u64)>, leaf: &Event, times: u64) -> Result<()> {
    match list.iter_mut().find(|(known, _)| known == leaf) {
        Some((_, count)) => {
            *count = count.checked_add(times).ok_or(AccountingError::TooManySteps)?;
        }
        None => list.push((leaf.clone(), times)),
    }
    Ok(())
}
