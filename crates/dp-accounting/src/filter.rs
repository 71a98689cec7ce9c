//! Filters and odometers for sessions whose queries are chosen as they go.
//!
//! In an open session the parameters of a query may depend on earlier answers. Composing exact
//! loss distributions and stopping when a budget is reached is then **not** valid in general
//! ([2026](https://arxiv.org/abs/2602.15815)); the filters here use only rules that are proven for
//! fully adaptive composition:
//!
//! * [`ZcdpFilter`]: sums of rho and delta under approximate zCDP
//!   (the zCDP filter of [Whitehouse, Ramdas, Rogers, Wu 2023](https://arxiv.org/abs/2203.05481));
//! * [`RenyiFilter`]: the sum of Rényi divergences at one order fixed in advance
//!   (the Rényi filter of [Feldman, Zrnic 2021](https://arxiv.org/abs/2008.11193));
//! * the plain sums of [`privacy_core::budget::MemoryBudget`].
//!
//! [`PlannedBudget`] is for the other case, a list of releases declared before data are seen: it
//! pays them at the price of their loss distribution.
//!
//! They implement [`Budget`], so that whatever charges a budget can hold an (epsilon, delta)
//! target and pay each query its share. Sums are exact rationals, a refusal changes nothing, and
//! every operation takes time independent of the number of earlier queries. [`Odometer`] reports
//! what was spent so far instead of limiting it.
//!
//! [`Budget`]: privacy_core::budget::Budget

mod odometer;
mod planned;
mod renyi;
mod zcdp;

pub use odometer::Odometer;
pub use planned::PlannedBudget;
pub use renyi::RenyiFilter;
pub use zcdp::ZcdpFilter;
