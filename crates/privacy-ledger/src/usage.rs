//! What an account has used, with parallel composition over disjoint blocks.
//!
//! An account's usage is the sum of what was charged to it and below it. Where the data below a
//! path is partitioned into disjoint blocks, charges to different blocks do not add: of the blocks
//! only the largest counts (under add/remove), or the two largest (under replace, where a unit can
//! leave one block for another). The same tree serves every account, in its own measure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::spend::Spend;

/// The way from an account to a charge below it, partition by partition: each is the path of a
/// partitioned account and the block taken there.
pub(crate) type Route<'a> = [(&'a str, &'a str)];

/// What was used, outside and inside partitions.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Usage {
    own: Spend,
    partitions: BTreeMap<Box<str>, Partition>,
    /// `own` and what each partition counts for.
    total: Spend,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Partition {
    blocks: BTreeMap<Box<str>, Usage>,
    /// The largest total of a block, component by component.
    largest: Spend,
    /// Under replace: the second largest total as well.
    second: Option<Spend>,
}

impl Partition {
    fn new(nothing: &Spend, replace: bool) -> Self {
        let second = replace.then(|| nothing.clone());
        Partition { blocks: BTreeMap::new(), largest: nothing.clone(), second }
    }

    fn counts(&self) -> Spend {
        match &self.second {
            Some(second) => self.largest.plus(second),
            None => self.largest.clone(),
        }
    }

    fn largest_but(&self, block: &str, nothing: &Spend) -> Spend {
        let others = self.blocks.iter().filter(|(name, _)| &***name != block);
        others.fold(nothing.clone(), |largest, (_, usage)| largest.max(&usage.total))
    }

    /// Brings the largest totals up to date after `block` changed.
    fn refresh(&mut self, block: &str, grew: bool, nothing: &Spend) {
        let total = self.blocks.get(block).map_or_else(|| nothing.clone(), |u| u.total.clone());
        if grew && self.second.is_none() {
            self.largest = self.largest.max(&total);
            return;
        }
        let others = self.largest_but(block, nothing);
        if self.second.is_some() {
            // Component by component the two largest are this block's total, the largest other,
            // and the second largest other; an upper bound of the pairs' sums in each component.
            let mut second = total.min(&others);
            let mut seen = nothing.clone();
            for (name, usage) in &self.blocks {
                if &**name != block {
                    second = second.max(&seen.min(&usage.total));
                    seen = seen.max(&usage.total);
                }
            }
            self.second = Some(second);
        }
        self.largest = others.max(&total);
    }
}

impl Usage {
    pub(crate) fn none(nothing: Spend) -> Self {
        Usage { own: nothing.clone(), partitions: BTreeMap::new(), total: nothing }
    }

    pub(crate) fn total(&self) -> &Spend {
        &self.total
    }

    fn nothing(&self) -> Spend {
        self.total.nothing()
    }

    /// How much a charge along `route` may add so that the total stays within `limit`; `None` if
    /// the limit is exceeded already, as when it was lowered.
    pub(crate) fn room(&self, limit: &Spend, route: &Route<'_>) -> Option<Spend> {
        let Some(((partition, block), rest)) = route.split_first() else {
            return limit.minus(&self.total);
        };
        let Some(partition) = self.partitions.get(*partition) else {
            return limit.minus(&self.total);
        };
        let outside = self.total.minus(&partition.counts())?;
        let mut limit = limit.minus(&outside)?;
        if partition.second.is_some() {
            limit = limit.minus(&partition.largest_but(block, &self.nothing()))?;
        }
        match partition.blocks.get(*block) {
            Some(usage) => usage.room(&limit, rest),
            None => Some(limit),
        }
    }

    /// Adds `spend` along `route`; `replace` says under which relation blocks are disjoint.
    pub(crate) fn add(&mut self, route: &Route<'_>, spend: &Spend, replace: bool) {
        self.change(route, replace, true, &mut |own| *own = own.plus(spend));
    }

    /// Takes `spend` back that was added along `route`.
    pub(crate) fn take_back(&mut self, route: &Route<'_>, spend: &Spend, replace: bool) {
        self.change(route, replace, false, &mut |own| {
            // What was added is in there; were it not, nothing is given back.
            if let Some(less) = own.minus(spend) {
                *own = less;
            }
        });
    }

    fn change(
        &mut self,
        route: &Route<'_>,
        replace: bool,
        grows: bool,
        change: &mut dyn FnMut(&mut Spend),
    ) {
        let nothing = self.nothing();
        match route.split_first() {
            None => change(&mut self.own),
            Some(((path, block), rest)) => {
                let partition = self
                    .partitions
                    .entry((*path).into())
                    .or_insert_with(|| Partition::new(&nothing, replace));
                partition
                    .blocks
                    .entry((*block).into())
                    .or_insert_with(|| Usage::none(nothing.clone()))
                    .change(rest, replace, grows, change);
                partition.refresh(block, grows, &nothing);
            }
        }
        self.total =
            self.partitions.values().fold(self.own.clone(), |sum, part| sum.plus(&part.counts()));
    }
}
